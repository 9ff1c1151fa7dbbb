/* requests: [{}] */
// caches: shapes and refusals that need no cache behind them.

const probes = {
  "shapes": () => [String(caches), String(caches.default), typeof caches.open, Object.getOwnPropertyNames(Cache.prototype).sort()],
  "put of a POST": () => caches.default.put(new Request("https://example.com/", { method: "POST" }), new Response("a")),
  "put of a partial answer": () => caches.default.put("https://example.com/", new Response("a", { status: 206 })),
  "put with Vary: *": () => caches.default.put("https://example.com/", new Response("a", { headers: { vary: "*" } })),
  "put without a response": () => caches.default.put("https://example.com/"),
  "match of a POST": async () => (await caches.default.match(new Request("https://example.com/", { method: "POST" }))) ?? "undefined",
  "new Cache": () => new Cache(),
  "new CacheStorage": () => new CacheStorage(),
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
