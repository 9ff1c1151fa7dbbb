/* requests: [{}] */
/* flags: ["nodejs_compat"] */
// What APIs make of values that they cannot use: wrong types, detached and resizable
// buffers, locked streams, signals that have aborted, keys of a wrong size.
const detached = () => { const buffer = new ArrayBuffer(8); structuredClone(buffer, { transfer: [buffer] }); return buffer; };
const detachedView = () => new Uint8Array((() => { const view = new Uint8Array(8); structuredClone(view, { transfer: [view.buffer] }); return view.buffer; })());
const resizable = () => new Uint8Array(new ArrayBuffer(8, { maxByteLength: 16 }));
const locked = () => { const stream = new Response("abc").body; stream.getReader(); return stream; };
const used = async () => { const response = new Response("abc"); await response.text(); return response; };
const aborted = (reason) => AbortSignal.abort(reason);
const subtle = crypto.subtle;
const bytes = (n) => new Uint8Array(n);
const aes = (n, name = "AES-GCM") => subtle.importKey("raw", bytes(n), name, true, ["encrypt", "decrypt"]);
const hex = (buffer) => [...new Uint8Array(buffer)].map((byte) => byte.toString(16).padStart(2, "0")).join("");

const probes = {
  "digest of a detached buffer": async () => hex(await subtle.digest("SHA-256", detached())).slice(0, 8),
  "digest of a detached view": async () => hex(await subtle.digest("SHA-256", detachedView())).slice(0, 8),
  "digest of a buffer that shrinks": async () => { const view = resizable(); const digest = subtle.digest("SHA-256", view); view.buffer.resize(0); return hex(await digest).slice(0, 8); },
  "digest of a string": () => subtle.digest("SHA-256", "abc"),
  "digest by no name": () => subtle.digest(undefined, bytes(1)),
  "digest by another name": () => subtle.digest("SHA-3", bytes(1)),
  "random values of floats": () => crypto.getRandomValues(new Float32Array(2)),
  "random values of no view": () => crypto.getRandomValues(new ArrayBuffer(2)),
  "too many random values": () => crypto.getRandomValues(bytes(65537)),
  "random values of a detached view": () => crypto.getRandomValues(detachedView()).length,
  "AES key of 15 bytes": () => aes(15),
  "AES key of 33 bytes": () => aes(33, "AES-CBC"),
  "AES key of 0 bytes": () => aes(0),
  "AES key of 100 bits": () => subtle.generateKey({ name: "AES-GCM", length: 100 }, true, ["encrypt"]),
  "AES iv of 0 bytes": async () => subtle.encrypt({ name: "AES-GCM", iv: bytes(0) }, await aes(16), bytes(4)),
  "AES iv of 5 bytes": async () => subtle.encrypt({ name: "AES-CBC", iv: bytes(5) }, await aes(16, "AES-CBC"), bytes(4)),
  "AES tag of 20 bits": async () => subtle.encrypt({ name: "AES-GCM", iv: bytes(12), tagLength: 20 }, await aes(16), bytes(4)),
  "AES of what is too short": async () => subtle.decrypt({ name: "AES-GCM", iv: bytes(12) }, await aes(16), bytes(4)),
  "AES without an iv": async () => subtle.encrypt({ name: "AES-GCM" }, await aes(16), bytes(4)),
  "a key for something else": async () => subtle.sign("HMAC", await aes(16), bytes(4)),
  "HMAC key of 0 bytes": () => subtle.importKey("raw", bytes(0), { name: "HMAC", hash: "SHA-256" }, true, ["sign"]),
  "HMAC key of 0 bits": () => subtle.generateKey({ name: "HMAC", hash: "SHA-256", length: 0 }, true, ["sign"]),
  "RSA of 100 bits": () => subtle.generateKey({ name: "RSASSA-PKCS1-v1_5", hash: "SHA-256", modulusLength: 100, publicExponent: new Uint8Array([1, 0, 1]) }, true, ["sign", "verify"]),
  "RSA with an even exponent": () => subtle.generateKey({ name: "RSASSA-PKCS1-v1_5", hash: "SHA-256", modulusLength: 2048, publicExponent: new Uint8Array([2]) }, true, ["sign", "verify"]),
  "EC on no curve": () => subtle.generateKey({ name: "ECDSA", namedCurve: "P-1" }, true, ["sign"]),
  "EC key of 10 bytes": () => subtle.importKey("raw", bytes(10), { name: "ECDSA", namedCurve: "P-256" }, true, ["verify"]),
  "Ed25519 key of 31 bytes": () => subtle.importKey("raw", bytes(31), "Ed25519", true, ["verify"]),
  "spki of nothing": () => subtle.importKey("spki", bytes(0), { name: "ECDSA", namedCurve: "P-256" }, true, ["verify"]),
  "pkcs8 of zeros": () => subtle.importKey("pkcs8", bytes(64), { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }, true, ["sign"]),
  "jwk of nothing": () => subtle.importKey("jwk", {}, { name: "HMAC", hash: "SHA-256" }, true, ["sign"]),
  "jwk of a string": () => subtle.importKey("jwk", "abc", { name: "HMAC", hash: "SHA-256" }, true, ["sign"]),
  "key without usages": () => subtle.importKey("raw", bytes(16), "AES-GCM", true, []),
  "key of another usage": () => subtle.importKey("raw", bytes(16), "AES-GCM", true, ["sign"]),
  "key of an unknown format": () => subtle.importKey("pem", bytes(16), "AES-GCM", true, ["encrypt"]),
  "PBKDF2 of 0 rounds": async () => subtle.deriveBits({ name: "PBKDF2", hash: "SHA-256", salt: bytes(1), iterations: 0 }, await subtle.importKey("raw", bytes(4), "PBKDF2", false, ["deriveBits"]), 128),
  "PBKDF2 of too many rounds": async () => subtle.deriveBits({ name: "PBKDF2", hash: "SHA-256", salt: bytes(1), iterations: 100_001 }, await subtle.importKey("raw", bytes(4), "PBKDF2", false, ["deriveBits"]), 128),
  "PBKDF2 of 7 bits": async () => subtle.deriveBits({ name: "PBKDF2", hash: "SHA-256", salt: bytes(1), iterations: 1 }, await subtle.importKey("raw", bytes(4), "PBKDF2", false, ["deriveBits"]), 7),
  "HKDF of too many bits": async () => subtle.deriveBits({ name: "HKDF", hash: "SHA-256", salt: bytes(1), info: bytes(1) }, await subtle.importKey("raw", bytes(4), "HKDF", false, ["deriveBits"]), 255 * 256 + 8),
  "equal of other lengths": () => subtle.timingSafeEqual(bytes(3), bytes(4)),
  "equal of strings": () => subtle.timingSafeEqual("a", "a"),

  "decode a detached buffer": () => new TextDecoder().decode(detached()),
  "decode a number": () => new TextDecoder().decode(5),
  "decode by no encoding": () => new TextDecoder("utf-9"),
  "decode what is no UTF-8": () => new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array([255])),
  "encode into a detached view": () => new TextEncoder().encodeInto("abc", detachedView()),
  "encode into an array": () => new TextEncoder().encodeInto("abc", []),
  "atob of what is none": () => atob("a"),
  "btoa of what is wide": () => btoa("\u0100"),

  "response of a detached buffer": () => new Response(detached()).text(),
  "response of a locked stream": () => new Response(locked()),
  "response of a used stream": async () => new Response((await used()).body),
  "text of a used response": async () => (await used()).text(),
  "clone of a used response": async () => (await used()).clone(),
  "json of no JSON": () => new Response("{").json(),
  "form data of no form": () => new Response("a", { headers: { "content-type": "text/plain" } }).formData(),
  "form data without a boundary": () => new Response("a", { headers: { "content-type": "multipart/form-data" } }).formData(),
  "form data that is cut": () => new Response("--x\r\ncontent-disposition: form-data; name=a\r\n\r\n1", { headers: { "content-type": "multipart/form-data; boundary=x" } }).formData(),
  "form data without a name": () => new Response("--x\r\ncontent-disposition: form-data\r\n\r\n1\r\n--x--", { headers: { "content-type": "multipart/form-data; boundary=x" } }).formData(),
  "form data without heads": () => new Response("--x\r\n\r\n1\r\n--x--", { headers: { "content-type": "multipart/form-data; boundary=x" } }).formData(),
  "status 99": () => new Response(null, { status: 99 }),
  "status NaN": () => new Response(null, { status: NaN }),
  "status 204 with a body": () => new Response("a", { status: 204 }),
  "status text of two lines": () => new Response(null, { statusText: "a\r\nb" }),
  "header of two lines": () => new Headers({ a: "b\r\nc: d" }),
  "header without a name": () => new Headers({ "": "b" }),
  "header with a colon": () => new Headers({ "a:b": "c" }),
  "headers of a number": () => new Headers(5),
  "headers of triples": () => new Headers([["a", "b", "c"]]),
  "method of two words": () => new Request("http://a.test/", { method: "GET /" }),
  "body of a GET": () => new Request("http://a.test/", { body: "a" }),
  "request of nowhere": () => new Request("/"),
  "request with a signal that is none": () => new Request("http://a.test/", { signal: {} }),
  "fetch of nowhere": () => fetch("/"),
  "fetch of a file": () => fetch("file:///etc/passwd"),
  "fetch that was aborted": () => fetch("http://a.test/", { signal: aborted() }),
  "fetch that was aborted, why": () => fetch("http://a.test/", { signal: aborted(new Error("why")) }),
  "wait that was aborted": () => scheduler.wait(1000, { signal: aborted() }),
  "wait that is aborted": () => { const c = new AbortController(); const wait = scheduler.wait(1000, { signal: c.signal }); c.abort(new Error("why")); return wait; },
  "signal of any of nothing": () => AbortSignal.any(5),
  "signal of any of numbers": () => AbortSignal.any([5]),
  "timeout of less than nothing": () => AbortSignal.timeout(-1),

  "reader of a locked stream": () => locked().getReader(),
  "tee of a locked stream": () => locked().tee(),
  "cancel of a locked stream": () => locked().cancel(),
  "pipe of a locked stream": () => locked().pipeTo(new WritableStream()),
  "pipe to nothing": () => new Response("a").body.pipeTo(5),
  "pipe that was aborted": () => new Response("a").body.pipeTo(new WritableStream(), { signal: aborted(new Error("why")) }),
  "pipe through nothing": () => new Response("a").body.pipeThrough({}),
  "read into a detached view": () => new Response("abc").body.getReader({ mode: "byob" }).read(detachedView()),
  "read into nothing": () => new Response("abc").body.getReader({ mode: "byob" }).read(),
  "read into an empty view": () => new Response("abc").body.getReader({ mode: "byob" }).read(bytes(0)),
  "reader of another mode": () => new Response("abc").body.getReader({ mode: "all" }),
  "enqueue after close": () => new ReadableStream({ start(c) { c.close(); c.enqueue(1); } }),
  "enqueue of no bytes": () => new ReadableStream({ type: "bytes", start(c) { c.enqueue("a"); } }),
  "write of no bytes": () => { const { writable } = new IdentityTransformStream(); return writable.getWriter().write(5); },
  "write after close": async () => { const { readable, writable } = new TransformStream(); const w = writable.getWriter(); readable.cancel(); await w.close().catch(() => {}); return w.write("a"); },
  "fixed length of less than nothing": () => new FixedLengthStream(-1),
  "fixed length of a word": () => new FixedLengthStream("many"),
  "compression of another kind": () => new CompressionStream("zip"),
  "decompression of what is none": () => new Response(new Response("no gzip at all").body.pipeThrough(new DecompressionStream("gzip"))).text(),
  "queue of a size that is none": () => new ReadableStream({}, { highWaterMark: -1 }),
  "queue of NaN": () => new ReadableStream({}, { highWaterMark: NaN }),

  "clone of a function": () => structuredClone(() => {}),
  "clone of a symbol": () => structuredClone(Symbol("a")),
  "clone of a detached buffer": () => structuredClone(detached()),
  "clone of a detached buffer's transfer": () => { const buffer = detached(); return structuredClone(buffer, { transfer: [buffer] }); },
  "transfer of the same twice": () => { const buffer = new ArrayBuffer(1); return structuredClone(buffer, { transfer: [buffer, buffer] }); },
  "transfer of a number": () => structuredClone(1, { transfer: [1] }),
  "blob of a number": () => new Blob(5),
  "blob of a detached buffer": () => new Blob([detached()]).size,
  "file without a name": () => new File([]),
  "URL of nothing": () => new URL(),
  "URL of a word": () => new URL("a"),
  "URL with a port too high": () => new URL("http://a:65536/"),
  "URL with a bad host": () => new URL("http://a b/"),
  "parameters of a number": () => `${new URLSearchParams(5)}`,
  "parameters of triples": () => new URLSearchParams([["a", "b", "c"]]),
  "pattern of a bad group": () => new URLPattern({ pathname: "(" }),
  "event of no name": () => new Event(),
  "listener that is a number": () => new EventTarget().addEventListener("a", 5),
  "dispatch of no event": () => new EventTarget().dispatchEvent({}),
  "timer of a string": () => setTimeout("alert()", 1),
  "timer of nothing": () => setTimeout(),
  "microtask of a number": () => queueMicrotask(5),
  "socket to no scheme": () => new WebSocket("a"),
  "socket to a page": () => new WebSocket("file:///a"),
  "close with code 1": () => { const pair = new WebSocketPair(); pair[0].accept(); pair[0].close(1); },
  "send before accept": () => new WebSocketPair()[0].send("a"),
  "rewriter of a bad selector": () => new HTMLRewriter().on("a[", {}).transform(new Response("a")).text(),
  "rewriter of a number": () => new HTMLRewriter().transform(5),
  "handler that throws": () => new HTMLRewriter().on("p", { element() { throw new Error("why"); } }).transform(new Response("<p>")).text(),
};

export default {
  fetch() {
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
      answer = { threw: error?.name, message: error?.message };
    }
    lines += `${name}: ${JSON.stringify(answer)}\n`;
  }
  return new Response(lines);
}
