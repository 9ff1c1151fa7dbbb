/* requests: [{"headers": {"x-self": "$ADDRESS"}}] */
// The type of a data: address, the length of an upload with a file in it, and a
// WebSocket's protocols that are none.

const type = async (url) => (await fetch(url)).headers.get("content-type");

function refused(protocols) {
  try {
    new WebSocket("ws://127.0.0.1:9/", protocols);
    return "no";
  } catch (error) {
    return `${error.name}: ${error.message}`;
  }
}

export default {
  async fetch(request) {
    if (request.method === "POST") {
      const length = Number(request.headers.get("content-length"));
      return Response.json({ known: length > 0 });
    }
    const lines = [];
    for (const url of [
      "data:,a",
      "data:IMAGE/gif;CHARSET=x,a",
      "data:text / html,a",
      "data:;charset=\"x\",a",
      "data:;base64;base64,WA",
    ]) lines.push(`${url} ${await type(url)}`);
    const form = new FormData();
    form.append("file", new File(["text"], "a.txt"));
    const self = `http://${request.headers.get("x-self")}/`;
    const upload = await fetch(self, { method: "POST", body: form });
    lines.push(`upload ${await upload.text()}`);
    lines.push(`one ${refused("a b")}`);
    lines.push(`list ${refused(["a", "b,c"])}`);
    return new Response(lines.join("\n"));
  },
};
