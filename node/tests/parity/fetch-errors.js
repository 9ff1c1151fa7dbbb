/* requests: [{}] */
// fetch: what is refused before anything is sent.

const probes = {
  "no arguments": () => fetch(),
  "relative address": () => fetch("/a"),
  "not an address": () => fetch("nothing"),
  "empty address": () => fetch(""),
  "other scheme": () => fetch("ftp://example.com/"),
  "file": () => fetch("file:///etc/hostname"),
  "data": () => fetch("data:text/plain,hello").then((response) => response.text()),
  "blob": () => fetch("blob:https://example.com/x"),
  "GET with a body": () => fetch("https://example.com/", { body: "a" }),
  "bad method": () => fetch("https://example.com/", { method: "A B" }),
  "bad header": () => fetch("https://example.com/", { headers: { "a b": "c" } }),
  "bad redirect mode": () => fetch("https://example.com/", { redirect: "error" }),
  "used body": async () => {
    const request = new Request("https://example.com/", { method: "POST", body: "a" });
    await request.text();
    return fetch(request);
  },
  "throws or rejects": () => {
    try {
      fetch("nothing").catch(() => {});
      return "rejects";
    } catch {
      return "throws";
    }
  },
  "detached": () => {
    const { fetch: bare } = globalThis;
    return bare("nothing");
  },
  "on another object": () => ({ fetch }).fetch("nothing"),
};

export default {
  async fetch() {
    return report(probes);
  },
};

// One line a probe: its value, or what it threw.
async function report(probes) {
  let lines = "";
  for (const [name, probe] of Object.entries(probes)) {
    let answer;
    try {
      answer = (await probe()) ?? null;
    } catch (error) {
      answer = { threw: error.name, message: error.message };
    }
    lines += `${name}: ${JSON.stringify(answer)}\n`;
  }
  return new Response(lines);
}
