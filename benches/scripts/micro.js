// One API a path, in a loop of `n` turns. The clock of workerd stands still
// inside an event, so the time is taken outside; each path answers with a number
// that depends on every turn, so that nothing can be left out.
import { Buffer } from "node:buffer";

const object = {
  id: 7,
  name: "worker",
  tags: ["a", "b", "c"],
  nested: { when: new Date(0), list: [1, 2, 3], map: new Map([["k", 1]]) },
};
const order = JSON.stringify({
  items: Array.from({ length: 20 }, (_, i) => ({ sku: `part-${i}`, price: i, note: "as ordered" })),
});
const text = "The quick brown fox jumps over the lazy dog; ".repeat(23);
const words = `${text} grüße`;
const utf8 = new TextEncoder().encode(words);
const kilobyte = new Uint8Array(1024).fill(7);
const page = `<!doctype html><body>${
  '<div class="row"><a href="/x">link</a><p>text</p></div>'.repeat(200)
}</body>`;
const packed = new Uint8Array(256 * 1024).map((_, i) => (i * i) >> 7);
const chunk = new Uint8Array(64 * 1024);

async function size(stream) {
  let bytes = 0;
  for await (const part of stream) bytes += part.byteLength;
  return bytes;
}

async function through(chunks) {
  let left = chunks;
  const source = new ReadableStream({
    pull(controller) {
      if (left-- === 0) controller.close();
      else controller.enqueue(chunk);
    },
  });
  return await size(source.pipeThrough(new TransformStream({
    transform(part, controller) {
      controller.enqueue(part);
    },
  })));
}

const turns = {
  headers() {
    const headers = new Headers({ "content-type": "text/html", accept: "*/*" });
    for (let i = 0; i < 8; i++) headers.set(`x-name-${i}`, "value");
    headers.append("accept", "text/plain");
    let length = headers.get("accept").length;
    for (const [name] of headers) length += name.length;
    return length;
  },
  url(i) {
    const url = new URL(`../c/d?x=${i}&y=a%20b#top`, "https://user@example.com:8080/a/b/");
    return url.pathname.length + url.searchParams.get("y").length + url.host.length;
  },
  encode: () => new TextEncoder().encode(words).length,
  decode: () => new TextDecoder().decode(utf8).length,
  async digest() {
    return (await crypto.subtle.digest("SHA-256", kilobyte)).byteLength;
  },
  async json() {
    return (await Response.json(await new Response(order).json()).text()).length;
  },
  clone: () => structuredClone(object).nested.list.length,
  async rewriter() {
    const response = new HTMLRewriter().on("a[href]", {
      element(element) {
        element.setAttribute("href", "/y");
      },
    }).transform(new Response(page));
    return (await response.text()).length;
  },
  gzip: () =>
    size(new Response(packed).body.pipeThrough(new CompressionStream("gzip"))
      .pipeThrough(new DecompressionStream("gzip"))),
  buffer() {
    const made = Buffer.from(text);
    const hex = made.toString("hex");
    const back = Buffer.from(hex, "hex");
    return Buffer.concat([made, back]).indexOf("lazy") + made.readUInt32BE(4) +
      made.toString("base64").length;
  },
  stream_1mb: () => through(16),
  stream_1gb: () => through(16 * 1024),
  nothing: () => 1,
};

export default {
  async fetch(request) {
    const url = new URL(request.url);
    const turn = turns[url.pathname.slice(1)];
    const count = Number(url.searchParams.get("n"));
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const value = turn(i);
      sum += typeof value === "number" ? value : await value;
    }
    return new Response(`${sum}\n`);
  },
};
