/* requests: [
  {}, {"path": "/gzip"}, {"path": "/gzip", "headers": {"accept-encoding": "gzip"}},
  {"path": "/manual", "headers": {"accept-encoding": "gzip"}}
] */
// CompressionStream and DecompressionStream: round trips, faults, encoded answers.

const bytesOf = (stream) => new Response(stream).bytes();
const compress = (format, body) => bytesOf(new Blob([body]).stream().pipeThrough(new CompressionStream(format)));
const expand = (format, bytes) => bytesOf(new Blob([bytes]).stream().pipeThrough(new DecompressionStream(format)));

const probes = {
  "round trips": async () => {
    const body = "pattern ".repeat(10_000);
    const results = [];
    for (const format of ["gzip", "deflate", "deflate-raw"]) {
      const packed = await compress(format, body);
      const text = new TextDecoder().decode(await expand(format, packed));
      results.push([format, packed.length < 1000, text === body]);
    }
    return results;
  },
  "gzip magic": async () => [...(await compress("gzip", "a"))].slice(0, 3),
  "empty": async () => (await expand("gzip", await compress("gzip", ""))).length,
  "unknown format": () => new CompressionStream("brotli-ish"),
  "no format": () => new CompressionStream(),
  "garbage": () => expand("gzip", "this is not compressed"),
  "cut short": async () => {
    const packed = await compress("gzip", "some text to pack");
    return (await expand("gzip", packed.slice(0, -4))).length;
  },
  "bytes after the end": async () => {
    const packed = await compress("gzip", "text");
    return (await expand("gzip", new Blob([packed, "more"]))).length;
  },
  "a string": async () => {
    const stream = new CompressionStream("gzip");
    const packed = bytesOf(stream.readable);
    packed.catch(() => {});
    const writer = stream.writable.getWriter();
    await Promise.all([writer.write("text"), writer.close()]);
    return new TextDecoder().decode(await expand("gzip", await packed));
  },
};

export default {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname === "/gzip") {
      return new Response("hello ".repeat(100), { headers: { "content-encoding": "gzip" } });
    }
    if (pathname === "/manual") {
      const packed = await compress("gzip", "hello");
      return new Response(packed, { encodeBody: "manual", headers: { "content-encoding": "gzip" } });
    }
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
