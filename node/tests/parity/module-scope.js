/* requests: [{}] */
// What may and may not be done while the module loads, outside any request.

const outside = {};
async function attempt(name, action) {
  try {
    const value = await action();
    outside[name] = value === undefined ? "undefined" : value;
  } catch (error) {
    outside[name] = { threw: error.name, message: error.message };
  }
}

await attempt("fetch", () => fetch("https://example.com/").then(() => "fetched"));
await attempt("setTimeout", () => typeof setTimeout(() => {}, 0));
await attempt("setInterval", () => typeof setInterval(() => {}, 1));
await attempt("getRandomValues", () => typeof crypto.getRandomValues(new Uint8Array(1)));
await attempt("randomUUID", () => typeof crypto.randomUUID());
await attempt("Math.random", () => typeof Math.random());
await attempt("Date.now", () => typeof Date.now());
await attempt("new Date", () => typeof new Date().getTime());
await attempt("performance.now", () => performance.now());
await attempt("digest", async () => (await crypto.subtle.digest("SHA-1", new Uint8Array(1))).byteLength);
await attempt("queueMicrotask", () => new Promise((resolve) => queueMicrotask(() => resolve("ran"))));
await attempt("new Response", () => new Response("a").text());
await attempt("AbortSignal.timeout", () => AbortSignal.timeout(1).aborted);
await attempt("new WebSocketPair", () => typeof new WebSocketPair());
await attempt("scheduler.wait", () => typeof scheduler.wait(1));
await attempt("caches.default", () => typeof caches.default);

export default {
  async fetch() {
    return new Response(Object.entries(outside).map(([name, value]) => `${name}: ${JSON.stringify(value)}`).join("\n"));
  },
};
