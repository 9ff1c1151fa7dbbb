// What a soak mixes in between good requests: handlers that throw, never stop,
// fill their heap, keep Wasm memory, and read an upload whole.
const kept = [];

export default {
  async fetch(request) {
    switch (new URL(request.url).hostname) {
      case "throws.test":
        throw new Error("as asked");
      case "loops.test":
        for (;;);
      case "hoards.test":
        for (;;) kept.push(new Array(1000).fill({}));
      case "grows.test":
        kept.push(new WebAssembly.Memory({ initial: 16 }));
        return new Response("ok");
      case "reads.test":
        return new Response(String((await request.arrayBuffer()).byteLength));
    }
    return new Response("nobody's", { status: 404 });
  },
};
