/* requests: [{"path": "/", "headers": {"x-self": "$ADDRESS"}}] */
// What libraries do every day: sockets and streams over the wire, clones, signals, parameters, keys.

let base;

const probes = {
  "sse text": async () => (await fetch(`http://${base}/sse`)).text(),
  "err body": async () => (await fetch(`http://${base}/err`)).text().catch((e) => [e.name, typeof e.message]),
  "connect refused": () => fetch("http://127.0.0.1:1/").catch((e) => [e.name, typeof e.message]),
  "bad host": () => fetch("http://nothing.invalid/").catch((e) => [e.name, typeof e.message]),
  "ws client": async () => { const r = await fetch(`http://${base}/ws`, { headers: { upgrade: "websocket" } }); const ws = r.webSocket; ws.accept(); const got = new Promise((res) => ws.addEventListener("message", (e) => res(e.data))); ws.send("hi"); const m = await got; const closed = new Promise((res) => ws.addEventListener("close", (e) => res([e.code, e.reason, e.wasClean]))); ws.send("bye"); return [r.status, r.headers.get("x-h"), m, await closed]; },
  "new WebSocket": async () => { const ws = new WebSocket(`ws://${base}/ws`); const opened = new Promise((res, rej) => { ws.addEventListener("open", () => res("open")); ws.addEventListener("error", (e) => rej(new Error("ws error " + e.message))); }); const a = ws.readyState; const o = await opened; const got = new Promise((res) => ws.addEventListener("message", (e) => res(e.data))); ws.send("yo"); const m = await got; ws.close(1000, "x"); return [a, o, m, ws.url.replace(base, "SELF"), ws.protocol]; },
  "new WebSocket bad url": () => new WebSocket("nothing"),
  "new WebSocket http": () => new WebSocket("ftp://a/"),
  "new WebSocket frag": () => new WebSocket("ws://a/#x"),
  "new WebSocket proto": () => new WebSocket("ws://a/", ["a", "a"]),
  "encodeInto": () => { const u = new Uint8Array(4); return [new TextEncoder().encodeInto("h\u00e9\u2603", u), [...u]]; },
  "blob stream": async () => { let n = 0; for await (const c of new Blob(["abc", new Uint8Array(2)]).stream()) n += c.length; return n; },
  "blob slice": async () => { const b = new Blob(["abcdef"], { type: "A/B" }); const s = b.slice(1, -1, "c/d"); return [await s.text(), s.type, b.type, s.size]; },
  "file": () => { const f = new File(["a"], "n.txt", { type: "x/y", lastModified: 5 }); return [f.name, f.size, f.type, f.lastModified, f instanceof Blob]; },
  "clone error": () => { const e = structuredClone(new RangeError("a", { cause: 1 })); return [e.name, e.message, e.cause, e instanceof RangeError]; },
  "clone blob": async () => { const b = structuredClone(new Blob(["abc"], { type: "a/b" })); return [b.size, b.type]; },
  "clone date map set regexp": () => { const v = structuredClone({ d: new Date(0), m: new Map([[1, 2]]), s: new Set([1]), r: /a/g, b: 1n, u: undefined, a: new Uint8Array([1]) }); return [v.d.getTime(), [...v.m], [...v.s], String(v.r), String(v.b), "u" in v, [...v.a]]; },
  "clone class": () => { class A { x = 1; get y() { return 2; } } const v = structuredClone(new A()); return [v.constructor.name, v.x, v.y]; },
  "clone symbol": () => structuredClone(Symbol("a")),
  "clone cycle": () => { const a = {}; a.a = a; const b = structuredClone(a); return b.a === b; },
  "abort event": () => { const c = new AbortController(); const s = []; c.signal.onabort = (e) => s.push("on", e.type, e.isTrusted, e.target === c.signal); c.signal.addEventListener("abort", () => s.push("listener"), { once: true }); c.abort(); c.abort(); return [s, c.signal.reason.name]; },
  "abort reason undefined": () => { const c = new AbortController(); c.abort(undefined); return c.signal.reason.name; },
  "signal throwIfAborted": () => AbortSignal.abort("x").throwIfAborted(),
  "search": () => { const u = new URLSearchParams("a=1&b=2&a=3"); return [u.size, u.has("a", "3"), u.getAll("a"), (u.delete("a", "1"), u.toString()), (u.sort(), String(u)), [...u.keys()], u.get("zz")]; },
  "url parts": () => { const u = new URL("https://u:p@ex.com:8080/a/b?c=d#e"); u.searchParams.append("f", "g h"); u.port = "443"; u.hash = ""; u.pathname = "/x y"; return [u.href, u.origin, u.host, u.username, URL.canParse("x"), URL.parse("/a", "https://b/")?.href, URL.parse("x")]; },
  "btoa": () => [btoa("abc"), atob("YWJj"), atob(" YW Jj ")],
  "brotli": async () => { const c = new Response("abc".repeat(20)).body.pipeThrough(new CompressionStream("deflate-raw")); return new Response(c.pipeThrough(new DecompressionStream("deflate-raw"))).text(); },
  "transform flush": async () => { const t = new TransformStream({ start(c) { c.enqueue("s"); }, transform(x, c) { c.enqueue(x + 1); }, flush(c) { c.enqueue("f"); } }); const w = t.writable.getWriter(); w.write(1); w.close(); const o = []; for await (const x of t.readable) o.push(x); return o; },
  "transform error": async () => { const t = new TransformStream({ transform() { throw new Error("t"); } }); const w = t.writable.getWriter(); w.write(1).catch(() => {}); w.closed.catch(() => {}); return t.readable.getReader().read(); },
  "transform terminate": async () => { const t = new TransformStream({ transform(x, c) { c.enqueue(x); c.terminate(); } }); const w = t.writable.getWriter(); w.write(1).catch(() => {}); w.closed.catch(() => {}); const o = []; for await (const x of t.readable) o.push(x); return o; },
  "writable": async () => { const o = []; const w = new WritableStream({ write(c) { o.push(c); }, close() { o.push("closed"); } }).getWriter(); await w.ready; await w.write(1); await w.close(); return [o, await w.closed]; },
  "writable abort": async () => { const o = []; const s = new WritableStream({ abort(r) { o.push(r); } }); await s.abort("why"); return [o, s.locked]; },
  "pipeTo opts": async () => { const o = []; const w = new WritableStream({ write(c) { o.push(c); }, close() { o.push("closed"); } }); await ReadableStream.from([1, 2]).pipeTo(w, { preventClose: true }); const wr = w.getWriter(); await wr.write(3); return o; },
  "bp": async () => { const t = new TransformStream({}, { highWaterMark: 1 }); const w = t.writable.getWriter(); const a = w.desiredSize; w.write(1); const b = w.desiredSize; return [a, b]; },
  "async iter break": async () => { const r = new Response("abc"); for await (const _ of r.body) break; return [r.bodyUsed, r.body.locked]; },
  "reader closed": async () => { const r = new Response("").body; return r === null; },
  "empty body": async () => [await new Response().text(), (await new Response("").arrayBuffer()).byteLength, new Response().body],
  "form append file": () => { const f = new FormData(); f.append("a", new Blob(["x"]), "n"); f.append("a", "b"); f.set("c", 5); return [[...f.keys()], f.getAll("a").length, f.get("c"), f.has("zz"), f.get("zz")]; },
  "event opts": () => { const e = new MessageEvent("message", { data: 1, origin: "o", lastEventId: "l" }); const c = new CloseEvent("close", { code: 1, reason: "r", wasClean: true }); const r = new ErrorEvent("error", { message: "m", error: 5 }); return [e.data, e.origin, e.lastEventId, c.code, c.reason, c.wasClean, r.message, r.error]; },
  "domexception": () => { const e = new DOMException("m", "TimeoutError"); return [e.code, e.name, e instanceof Error, Object.prototype.toString.call(e), String(e), e.stack.includes("m")]; },
  "microtask order": async () => { const o = []; setTimeout(() => o.push("t0"), 0); queueMicrotask(() => o.push("m")); Promise.resolve().then(() => o.push("p")); await scheduler.wait(3); return o; },
  "uuid": () => /^[0-9a-f-]{36}$/.test(crypto.randomUUID()),
  "hmac": async () => { const k = await crypto.subtle.importKey("raw", new TextEncoder().encode("k"), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]); return new Uint8Array(await crypto.subtle.sign("HMAC", k, new TextEncoder().encode("d"))).slice(0, 4).join(); },
  "pbkdf2": async () => { const k = await crypto.subtle.importKey("raw", new TextEncoder().encode("k"), "PBKDF2", false, ["deriveBits"]); return new Uint8Array(await crypto.subtle.deriveBits({ name: "PBKDF2", hash: "SHA-256", salt: new Uint8Array(8), iterations: 10 }, k, 128)).join(); },
  "hkdf": async () => { const k = await crypto.subtle.importKey("raw", new TextEncoder().encode("k"), "HKDF", false, ["deriveKey"]); const d = await crypto.subtle.deriveKey({ name: "HKDF", hash: "SHA-256", salt: new Uint8Array(8), info: new Uint8Array() }, k, { name: "AES-GCM", length: 128 }, true, ["encrypt"]); return new Uint8Array(await crypto.subtle.exportKey("raw", d)).join(); },
  "ed25519": async () => { const k = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]); const s = await crypto.subtle.sign("Ed25519", k.privateKey, new Uint8Array(3)); return [s.byteLength, await crypto.subtle.verify("Ed25519", k.publicKey, s, new Uint8Array(3)), k.publicKey.algorithm]; },
  "ecdh": async () => { const a = await crypto.subtle.generateKey({ name: "ECDH", namedCurve: "P-256" }, true, ["deriveBits"]); const b = await crypto.subtle.generateKey({ name: "ECDH", namedCurve: "P-256" }, true, ["deriveBits"]); const x = new Uint8Array(await crypto.subtle.deriveBits({ name: "ECDH", public: b.publicKey }, a.privateKey, 256)); const y = new Uint8Array(await crypto.subtle.deriveBits({ name: "ECDH", public: a.publicKey }, b.privateKey, 256)); return x.join() === y.join(); },
};

export default {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname === "/sse") { let n = 0; return new Response(new ReadableStream({ async pull(c) { await scheduler.wait(2); if (n++ > 3) c.close(); else c.enqueue(new TextEncoder().encode(`data: ${n}\n\n`)); } }), { headers: { "content-type": "text/event-stream" } }); }
    if (pathname === "/ws") { const [a, b] = Object.values(new WebSocketPair()); b.accept(); b.addEventListener("message", (e) => { if (e.data === "bye") b.close(4000, "done"); else b.send("echo " + e.data); }); return new Response(null, { status: 101, webSocket: a, headers: { "x-h": "1" } }); }
    if (pathname === "/err") return new Response(new ReadableStream({ async pull(c) { await scheduler.wait(2); c.error(new Error("mid")); }, start(c) { c.enqueue(new Uint8Array(3)); } }));
    if (pathname === "/len") return new Response("abc");
    base = request.headers.get("x-self");
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
