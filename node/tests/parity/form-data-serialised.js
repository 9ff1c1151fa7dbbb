/* requests: [
  {"path": "/written"},
  {"path": "/round-trip"},
  {"path": "/upload", "method": "POST", "headers": {"content-type": "multipart/form-data; boundary=x-y"}, "body": "--x-y\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--x-y\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f.txt\"\r\nContent-Type: text/plain\r\n\r\nfile\r\n--x-y--\r\n"},
  {"path": "/upload", "method": "POST", "headers": {"content-type": "application/x-www-form-urlencoded"}, "body": "a=1&a=2&b=%26"},
  {"path": "/upload", "method": "POST", "headers": {"content-type": "application/json"}, "body": "{}"},
  {"path": "/upload", "method": "POST", "headers": {"content-type": "multipart/form-data; boundary=x-y"}, "chunks": ["--x-y\r\nContent-Dispo", "sition: form-data; name=\"a\"\r\n\r", "\none\r\n-", "-x-y--"]}
] */
// FormData as a body: how it is written (the boundary is normalised), and read from uploads.

export default {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    try {
      if (pathname === "/written") {
        return new Response(await written(sample()));
      }
      const form = pathname === "/round-trip" ? await new Response(sample()).formData() : await request.formData();
      return Response.json(await list(form));
    } catch (error) {
      return Response.json({ threw: error.name, message: error.message });
    }
  },
};

function sample() {
  const form = new FormData();
  form.append("plain", "value");
  form.append("multi line", "one\ntwo\r\nthree");
  form.append('quote " and\nbreak', "x");
  form.append("é", "☃");
  form.append("file", new File(["content"], 'na"me.txt', { type: "text/plain" }));
  form.append("untyped", new Blob([new Uint8Array([1, 2])]));
  form.append("empty", "");
  return form;
}

async function written(form) {
  const response = new Response(form);
  const type = response.headers.get("content-type");
  const boundary = /boundary="?([^";]+)/.exec(type)[1];
  return `${type}\n${await response.text()}`.replaceAll(boundary, "BOUNDARY");
}

async function list(form) {
  const items = [];
  for (const [name, value] of form) {
    items.push(typeof value === "string" ? [name, value] : [name, value.name, value.type, value.size, await value.text()]);
  }
  return items;
}
