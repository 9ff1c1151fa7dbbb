/* requests: [{}, {"path": "/prototypes"}, {"path": "/self"}] */
// Which names exist on globalThis, of which type; and members of the usual prototypes.

const names = `
AbortController AbortSignal Array ArrayBuffer AsyncDisposableStack Atomics BigInt Blob Buffer ByteLengthQueuingStrategy Cache CacheStorage
CloseEvent CompressionStream CountQueuingStrategy Crypto CryptoKey CustomEvent DOMException DataView Date DecompressionStream
DigestStream DisposableStack Deno Event EventSource EventTarget ErrorEvent ExtendableEvent FetchEvent File FileReader ExecutionContext FileSystemFileHandle
FinalizationRegistry FixedLengthStream Float16Array FormData Function HTMLRewriter Headers IdentityTransformStream
ImageData Intl Iterator JSON Map MessageChannel MessageEvent MessagePort Navigator Performance PromiseRejectionEvent Proxy
ReadableByteStreamController ReadableStream ReadableStreamBYOBReader ReadableStreamBYOBRequest ReadableStreamDefaultController
ReadableStreamDefaultReader Reflect Request Response ScheduledEvent ServiceWorkerGlobalScope Set SharedArrayBuffer Storage SubtleCrypto
SuppressedError TailEvent TextDecoder TextDecoderStream TextEncoder TextEncoderStream TransformStream TransformStreamDefaultController
URL URLPattern URLSearchParams WeakMap WeakRef WebAssembly WebSocket WebSocketPair WebSocketRequestResponsePair Worker WorkerGlobalScope
WritableStream WritableStreamDefaultController WritableStreamDefaultWriter XMLHttpRequest
addEventListener alert atob btoa caches clearImmediate clearInterval clearTimeout close console crypto dispatchEvent document fetch
global globalThis importScripts indexedDB localStorage location navigator onerror origin performance postMessage process
queueMicrotask removeEventListener reportError require scheduler self sessionStorage setImmediate setInterval setTimeout structuredClone window
Cloudflare gc __dirname exports module
`.trim().split(/\s+/);

const prototypes = `
AbortSignal Blob Cache CacheStorage Crypto CryptoKey Event EventTarget ExecutionContext File FormData Headers HTMLRewriter
Navigator ReadableStream ReadableStreamDefaultReader Request Response SubtleCrypto TextDecoder TransformStream URL URLPattern
URLSearchParams WebSocket WritableStream
`.trim().split(/\s+/);

export default {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname === "/prototypes") {
      const lines = prototypes.map((name) => `${name}: ${Object.getOwnPropertyNames(globalThis[name]?.prototype ?? {}).sort().join(" ")}`);
      return new Response(lines.join("\n"));
    }
    if (pathname === "/self") {
      return Response.json([self === globalThis, Object.prototype.toString.call(globalThis), globalThis.constructor.name, this === undefined, typeof navigator.userAgent]);
    }
    return new Response(names.map((name) => `${name}: ${typeof globalThis[name]}`).join("\n"));
  },
};
