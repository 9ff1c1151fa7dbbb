/* requests: [{}] */
// Request: what the constructor takes, normalises and refuses.

const url = "https://example.com/a?b=c";

const probes = {
  "defaults": () => {
    const request = new Request(url);
    return [request.method, request.url, request.redirect, request.body, request.bodyUsed, request.keepalive, request.integrity, request.cache ?? "none"];
  },
  "fields that browsers have": () =>
    ["mode", "credentials", "destination", "referrer", "referrerPolicy", "duplex", "cache", "signal", "cf", "fetcher", "isHistoryNavigation"].map((name) => [name, name in Request.prototype, typeof new Request(url)[name]]),
  "known methods become upper-case": () =>
    ["get", "Post", "delete", "head", "options", "put"].map((method) => new Request(url, { method }).method),
  "patch": () => new Request(url, { method: "patch" }).method,
  "own method": () => new Request(url, { method: "PURGE" }).method,
  "made-up method": () => new Request(url, { method: "chicken" }).method,
  "method with a space": () => new Request(url, { method: "A B" }).method,
  "CONNECT": () => new Request(url, { method: "CONNECT" }).method,
  "TRACE": () => new Request(url, { method: "TRACE" }).method,
  "GET with a body": () => new Request(url, { body: "a" }),
  "HEAD with a body": () => new Request(url, { method: "HEAD", body: "a" }),
  "GET with a null body": () => new Request(url, { body: null }).body,
  "relative address": () => new Request("/a"),
  "empty address": () => new Request(""),
  "address with a fragment": () => new Request("https://example.com/a#b").url,
  "address with credentials": () => new Request("https://user:pass@example.com/").url,
  "address without a path": () => new Request("https://example.com").url,
  "address object": () => new Request(new URL(url)).url,
  "other scheme": () => new Request("ftp://example.com/").url,
  "no arguments": () => new Request(),
  "redirect modes": () => ["follow", "manual"].map((redirect) => new Request(url, { redirect }).redirect),
  "redirect: error": () => new Request(url, { redirect: "error" }).redirect,
  "redirect: unknown": () => new Request(url, { redirect: "sideways" }).redirect,
  "cache: no-store": () => new Request(url, { cache: "no-store" }).cache,
  "cache: default": () => new Request(url, { cache: "default" }).cache,
  "integrity": () => new Request(url, { integrity: "sha256-abc" }).integrity,
  "mode is ignored": () => new Request(url, { mode: "no-cors", credentials: "include" }).mode ?? "none",
  "content-type from the body": () => [
    new Request(url, { method: "POST", body: "a" }),
    new Request(url, { method: "POST", body: new URLSearchParams({ a: "1" }) }),
    new Request(url, { method: "POST", body: new Blob(["a"], { type: "text/css" }) }),
    new Request(url, { method: "POST", body: new Uint8Array(1) }),
    new Request(url, { method: "POST", body: new Blob(["a"]) }),
  ].map((request) => request.headers.get("content-type")),
  "given content-type wins": () =>
    new Request(url, { method: "POST", body: "a", headers: { "content-type": "x/y" } }).headers.get("content-type"),
  "stream body without duplex": () =>
    new Request(url, { method: "POST", body: new ReadableStream() }).body instanceof ReadableStream,
  "stream body with duplex": () =>
    new Request(url, { method: "POST", body: new ReadableStream(), duplex: "half" }).body instanceof ReadableStream,
  "from another request": async () => {
    const first = new Request(url, { method: "PUT", headers: { a: "1" }, body: "text" });
    const second = new Request(first);
    return [second.method, second.headers.get("a"), await second.text(), first.bodyUsed];
  },
  "from another request, changed": async () => {
    const first = new Request(url, { method: "PUT", headers: { a: "1" }, body: "text" });
    const second = new Request(first, { method: "POST", headers: { b: "2" } });
    return [second.method, [...second.headers], await second.text()];
  },
  "from a used request": async () => {
    const first = new Request(url, { method: "PUT", body: "text" });
    await first.text();
    return new Request(first);
  },
  "from a used request with a new body": async () => {
    const first = new Request(url, { method: "PUT", body: "text" });
    await first.text();
    return new Request(first, { body: "other" }).text();
  },
  "request as init": () => {
    const init = new Request(url, { method: "PUT", headers: { a: "1" } });
    const request = new Request("https://example.org/", init);
    return [request.method, request.url, request.headers.get("a")];
  },
  "signal": () => {
    const controller = new AbortController();
    const request = new Request(url, { signal: controller.signal });
    const before = request.signal.aborted;
    controller.abort();
    return [before, request.signal.aborted, request.signal === controller.signal];
  },
  "null signal": () => new Request(url, { signal: null }).signal?.aborted ?? "none",
  "not a signal": () => new Request(url, { signal: {} }),
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
