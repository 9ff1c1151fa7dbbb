/* requests: [{}] */
// Shapes and habits of the API's objects that libraries look at or lean on.

const probes = {
  "req json": () => JSON.stringify(new Request("http://a/")),
  "headers json": () => JSON.stringify(new Headers({ a: "b" })),
  "resp keys": () => Object.keys(new Response("a")),
  "resp spread": () => ({ ...new Response("a") }),
  "for in req": () => { const k = []; for (const x in new Request("http://a/")) k.push(x); return k.sort(); },
  "for in resp": () => { const k = []; for (const x in new Response()) k.push(x); return k.sort(); },
  "names": () => [Request.name, fetch.name, setTimeout.name, Headers.prototype.get.name, structuredClone.name, queueMicrotask.name],
  "iter proto": () => [typeof new Headers().entries().next, new Headers([["a", "b"]]).entries().map((x) => x[0]).toArray(), new FormData().keys().toArray()],
  "req in req": async () => { const a = new Request("http://a/", { method: "POST", body: "x" }); const b = new Request(a); return [a.bodyUsed, b.bodyUsed, await b.text()]; },
  "subclass": async () => { class R extends Response { constructor(b) { super(b, { status: 201 }); } get extra() { return 1; } } const r = new R("a"); return [r.status, r.extra, r instanceof Response, await r.text()]; },
  "headers subclass": () => { class H extends Headers {} return [...new H({ a: "b" })]; },
  "bad url": () => new Request("nothing"),
  "fetch rel": () => fetch("/rel"),
  "fetch cred": () => new Request("http://a:b@c/").url,
  "hash url": () => new Request("http://a/#x").url,
  "req signal": () => [new Request("http://a/").signal?.aborted, new Request("http://a/", { signal: null }).signal],
  "unknown init": () => new Request("http://a/", { mode: "cors", credentials: "include", referrer: "", keepalive: true, duplex: "half", priority: "high" }).method,
  "body array buffer": async () => (await new Response(new ArrayBuffer(3)).arrayBuffer()).byteLength,
  "body shared": async () => (await new Response(new Uint8Array(new SharedArrayBuffer(3))).arrayBuffer()).byteLength,
  "body number": () => new Response(5).text(),
  "body object": () => new Response({ a: 1 }).text(),
  "body date": async () => (await new Response(new Date(0)).text()).length > 5,
  "body symbol": () => new Response(Symbol("a")).text(),
  "body fn": async () => (await new Response(() => 1).text()),
  "body true": () => new Response(true).text(),
  "json opts": async () => { const r = Response.json({ a: 1 }, { status: 201, headers: { "content-type": "application/x" } }); return [r.status, r.headers.get("content-type"), await r.text()]; },
  "json circular": () => { const a = {}; a.a = a; return Response.json(a); },
  "json bigint": () => Response.json(1n),
  "redirect default": () => { const r = Response.redirect("http://a/b"); return [r.status, r.headers.get("location")]; },
  "status string": () => new Response("a", { status: "201" }).status,
  "status float": () => new Response("a", { status: 200.7 }).status,
  "headers from map": () => [...new Headers(new Map([["a", "1"]]))],
  "headers from gen": () => [...new Headers((function* () { yield ["a", "1"]; })())],
  "headers num": () => [...new Headers({ a: 1, b: null, c: undefined, d: true })],
  "headers sym": () => [...new Headers({ [Symbol("a")]: 1 })],
  "headers while iterating": () => { const h = new Headers({ a: "1", b: "2" }); const s = []; for (const [k] of h) { s.push(k); h.delete("b"); } return s; },
  "search while iterating": () => { const u = new URLSearchParams("a=1&b=2&c=3"); const s = []; for (const [k] of u) { s.push(k); u.delete("b"); } return s; },
  "performance json": () => typeof JSON.stringify(performance),
  "prepareStackTrace": () => { const o = Error.prepareStackTrace; Error.prepareStackTrace = (e, s) => s.length > 0 && typeof s[0].getFileName; const v = new Error("x").stack; Error.prepareStackTrace = o; return v; },
  "captureStackTrace": () => { const o = {}; Error.captureStackTrace(o); return typeof o.stack; },
  "setTimeout ret": () => { const t = setTimeout(() => {}, 1); clearTimeout(t); return [typeof t, clearTimeout(undefined), clearTimeout("x"), clearTimeout({})]; },
  "interval": () => new Promise((r) => { let n = 0; const t = setInterval(() => { if (++n === 3) { clearInterval(t); r(n); } }, 1); }),
  "nested timers": () => new Promise((r) => setTimeout(() => setTimeout(() => r("nested"), 0), 0)),
  "timer args": () => new Promise((r) => setTimeout((...a) => r(a), 0, 1, "b")),
  "async local": () => typeof AsyncLocalStorage,
  "global write": () => { globalThis.x1 = 1; const v = x1; delete globalThis.x1; return v; },
  "override": () => { const o = globalThis.fetch; globalThis.fetch = () => 5; const v = fetch(); globalThis.fetch = o; return v; },
  "self": () => [self === globalThis, typeof window, typeof global],
  "frozen protos": () => { Response.prototype.extra = 1; const v = new Response().extra; delete Response.prototype.extra; return v; },
  "abort any": async () => { const a = new AbortController(); const s = AbortSignal.any([a.signal, AbortSignal.timeout(1000)]); a.abort("x"); return [s.aborted, s.reason]; },
  "text stream": async () => { const s = new Response("h\u00e9llo").body.pipeThrough(new TextDecoderStream()); let t = ""; for await (const c of s) t += c; return t; },
  "stream json": async () => JSON.parse(await new Response(ReadableStream.from([new TextEncoder().encode('{"a":'), new TextEncoder().encode("1}")])).text()),
  "pipe to identity": async () => { const { readable, writable } = new IdentityTransformStream(); const done = new Response("abc").body.pipeTo(writable); const t = await new Response(readable).text(); await done; return t; },
  "reader loop": async () => { const r = new Response("abc").body.getReader(); const o = []; for (;;) { const { done, value } = await r.read(); if (done) break; o.push(value.length); } return o; },
  "wasm": async () => { try { new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])); } catch (e) { return e.name; } },
  "promise": () => Promise.any([Promise.reject(new Error("a"))]).catch((e) => [e.name, e.message, e.errors.length]),
  "intl": () => [new Intl.NumberFormat("de-DE").format(1234.5), new Date(0).toLocaleDateString("en-US", { timeZone: "Asia/Tokyo" }), Intl.DateTimeFormat().resolvedOptions().timeZone, navigator.language],
  "locale": () => [(1234.5).toLocaleString(), "\u0130".toLocaleLowerCase("tr")],
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
