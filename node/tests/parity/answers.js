/* requests: [
  {"path": "/big-header"},
  {"path": "/empty-stream"},
  {"path": "/head", "method": "HEAD"},
  {"path": "/range", "headers": {"range": "bytes=0-3"}},
  {"path": "/throw-string"},
  {"path": "/throw-null"},
  {"path": "/bad-header"},
  {"path": "/nonascii-header"},
  {"path": "/used"},
  {"path": "/string-stream"},
  {"path": "/null-chunk"},
  {"path": "/number-status"},
  {"path": "/gz", "headers": {"accept-encoding": "gzip"}},
  {"path": "/br"},
  {"path": "/waituntil"},
  {"path": "/timeout"},
  {"path": "/clone"},
  {"path": "/ct-length"},
  {"path": "/cookie-date"},
  {"path": "/fixed-mismatch"}
] */
// Answers at the edges of what may be sent: headers, streams, encodings, what is thrown.

export default {
  async fetch(request, env, ctx) {
    const { pathname } = new URL(request.url);
    switch (pathname) {
      case "/big-header": return new Response("a", { headers: { "x-big": "x".repeat(20000) } });
      case "/empty-stream": return new Response(new ReadableStream({ start(c) { c.close(); } }));
      case "/head": return new Response("hello", { headers: { "x-a": "b" } });
      case "/range": return new Response("0123", { status: 206, headers: { "content-range": "bytes 0-3/10" } });
      case "/throw-string": throw "text";
      case "/throw-null": throw null;
      case "/bad-header": return new Response("a", { headers: { "": "x" } });
      case "/nonascii-header": return new Response("a", { headers: { "x-e": "\u00e9\u2603" } });
      case "/used": { const r = new Response("a"); await r.text(); return r; }
      case "/string-stream": return new Response(new ReadableStream({ start(c) { c.enqueue("text"); c.close(); } }));
      case "/null-chunk": return new Response(new ReadableStream({ start(c) { c.enqueue(null); c.close(); } }));
      case "/number-status": return new Response("a", { status: 418, statusText: "I'm a teapot" });
      case "/gz": return new Response("abc".repeat(50), { headers: { "content-encoding": "gzip", "content-type": "text/plain" } });
      case "/br": return new Response("abc", { headers: { "content-encoding": "br" }, encodeBody: "manual" });
      case "/waituntil": { let done; ctx.waitUntil(new Promise((r) => { done = r; })); setTimeout(() => done(), 5); return new Response("ok"); }
      case "/timeout": return await Promise.race([new Promise(() => {}), scheduler.wait(5).then(() => new Response("timed"))]);
      case "/clone": { const r = new Response("abc", { headers: { a: "b" } }); const c = r.clone(); return new Response(await r.text() + await c.text()); }
      case "/ct-length": return new Response("abc", { headers: { "content-length": "3", "transfer-encoding": "x", "connection": "close", "keep-alive": "1", "date": "never" } });
      case "/cookie-date": return new Response("a", { headers: { "set-cookie": "a=b; Expires=Wed, 21 Oct 2015 07:28:00 GMT" } });
      case "/fixed-mismatch": { const s = new FixedLengthStream(2); const w = s.writable.getWriter(); w.write(new Uint8Array(5)).catch(() => {}); return new Response(s.readable); }
      default: return new Response("none", { status: 404 });
    }
  },
};
