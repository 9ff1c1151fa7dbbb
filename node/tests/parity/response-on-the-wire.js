/* requests: [
  {"path": "/200"}, {"path": "/200", "method": "HEAD"},
  {"path": "/204"}, {"path": "/204", "method": "HEAD"}, {"path": "/205"}, {"path": "/304"},
  {"path": "/empty"}, {"path": "/empty", "method": "HEAD"}, {"path": "/null"}, {"path": "/null", "method": "HEAD"},
  {"path": "/299"}, {"path": "/status-text"}, {"path": "/599"},
  {"path": "/stream"}, {"path": "/stream", "method": "HEAD", "ignoreHeaders": ["transfer-encoding"]},
  {"path": "/bytes"}, {"path": "/blob"}, {"path": "/params"},
  {"path": "/redirect"}, {"path": "/json"}, {"path": "/error"}, {"path": "/nobody-404"},
  {"path": "/post", "method": "POST", "body": "abc"}
] */
// How answers look on the wire: lengths, types, empty bodies, HEAD.

export default {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    switch (pathname) {
      case "/200":
        return new Response("hello");
      case "/204":
      case "/205":
      case "/304":
        return new Response(null, { status: Number(pathname.slice(1)), headers: { etag: '"a"' } });
      case "/empty":
        return new Response("");
      case "/null":
        return new Response(null);
      case "/299":
      case "/599":
        return new Response("odd", { status: Number(pathname.slice(1)) });
      case "/status-text":
        return new Response("odd", { status: 404, statusText: "Gone Fishing" });
      case "/stream":
        return new Response(new Blob(["str", "eam"]).stream().pipeThrough(new TransformStream()));
      case "/bytes":
        return new Response(new Uint8Array([0, 255, 128, 10]));
      case "/blob":
        return new Response(new Blob(["blob"], { type: "text/x-blob" }));
      case "/params":
        return new Response(new URLSearchParams({ a: "1 2", b: "&" }));
      case "/redirect":
        return Response.redirect("https://example.com/there", 307);
      case "/json":
        return Response.json({ ok: true }, { status: 201 });
      case "/error":
        return Response.error();
      case "/nobody-404":
        return new Response(null, { status: 404 });
      default:
        return new Response(await request.text(), { headers: { "content-type": "text/x-echo" } });
    }
  },
};
