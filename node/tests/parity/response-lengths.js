/* requests: [
  {"path": "/own-length"}, {"path": "/own-length", "method": "HEAD"}, {"path": "/fixed"}, {"path": "/fixed", "method": "HEAD"},
  {"path": "/identity"}, {"path": "/string"}, {"path": "/buffer"}, {"path": "/head-says", "method": "HEAD"}, {"path": "/own-transfer-encoding"}
] */
// content-length or transfer-encoding, and what a handler may say about either.

export default {
  async fetch(request, env, ctx) {
    const { pathname } = new URL(request.url);
    switch (pathname) {
      case "/own-length":
        return new Response(streamOf("hello"), { headers: { "content-length": "5" } });
      case "/fixed": {
        const { readable, writable } = new FixedLengthStream(5);
        ctx.waitUntil(streamOf("hello").pipeTo(writable).catch(() => {}));
        return new Response(readable);
      }
      case "/identity": {
        const { readable, writable } = new IdentityTransformStream();
        ctx.waitUntil(streamOf("hello").pipeTo(writable));
        return new Response(readable);
      }
      case "/string":
        return new Response("hello", { headers: { "content-length": "5" } });
      case "/buffer":
        return new Response(new TextEncoder().encode("hello").buffer);
      case "/head-says":
        return new Response(null, { headers: { "content-length": "1234" } });
      default:
        return new Response("hello", { headers: { "transfer-encoding": "chunked" } });
    }
  },
};

function streamOf(text) {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(text));
      controller.close();
    },
  });
}
