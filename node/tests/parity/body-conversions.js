/* requests: [{}] */
// Bodies of every kind in, every reader out; iterables and generators.

const kinds = {
  string: () => "text=1",
  bytes: () => new TextEncoder().encode("text=1"),
  buffer: () => new TextEncoder().encode("text=1").buffer,
  blob: () => new Blob(["text=1"], { type: "application/x-www-form-urlencoded" }),
  params: () => new URLSearchParams("text=1"),
  stream: () => new Blob(["text=1"]).stream(),
  file: () => new File(["text=1"], "a.txt", { type: "text/plain" }),
  "async generator": () => (async function* () { yield new TextEncoder().encode("text"); yield new TextEncoder().encode("=1"); })(),
  "generator": () => (function* () { yield new TextEncoder().encode("text=1"); })(),
  "async generator of strings": () => (async function* () { yield "text"; yield "=1"; })(),
  "own toString": () => ({ toString: () => "text=1" }),
};

const probes = {};
for (const [kind, make] of Object.entries(kinds)) {
  probes[`${kind} as text`] = () => new Response(make()).text();
  probes[`${kind} in a request`] = () => new Request("https://example.com/", { method: "POST", body: make() }).text();
  probes[`${kind}: type and stream`] = () => {
    const response = new Response(make());
    return [response.headers.get("content-type"), response.body.constructor.name];
  };
  probes[`${kind} as a form`] = async () => [...(await new Response(make()).formData())];
}

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
