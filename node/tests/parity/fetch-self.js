/* requests: [{"headers": {"x-self": "$ADDRESS"}}] */
// fetch to this same worker over its own address (the runner must let it call 127.0.0.1).
// The host header it is called with is not its address, so the runner writes that in place of $ADDRESS.

export default {
  async fetch(request) {
    const url = new URL(request.url);
    switch (url.pathname) {
      case "/echo":
        return Response.json({
          method: request.method,
          headers: [...request.headers].filter(([name]) => name.startsWith("x-") || ["content-type", "content-length", "accept", "accept-encoding", "user-agent", "transfer-encoding"].includes(name)),
          body: await request.text(),
          query: url.search,
        });
      case "/redirect": {
        const status = Number(url.searchParams.get("status"));
        const to = url.searchParams.get("to") ?? "/echo?redirected";
        return new Response("moved", { status, headers: { location: to } });
      }
      case "/loop":
        return new Response(null, { status: 302, headers: { location: "/loop" } });
      case "/gzip":
        return new Response("packed text", { headers: { "content-encoding": "gzip" } });
      case "/status":
        return new Response("status text", { status: 404, statusText: "Gone Fishing", headers: [["set-cookie", "a=1"], ["set-cookie", "b=2"]] });
      case "/slow":
        await scheduler.wait(2000);
        return new Response("slow");
      default: {
        const self = `http://${request.headers.get("x-self")}`;
        const answer = await report(probesOf(self));
        return new Response((await answer.text()).replaceAll(self, "SELF"));
      }
    }
  },
};

const probesOf = (self) => ({
  "get": async () => (await fetch(`${self}/echo?a=b`)).json(),
  "post text": async () => (await fetch(`${self}/echo`, { method: "POST", body: "text" })).json(),
  "post a stream": async () => (await fetch(`${self}/echo`, { method: "POST", body: new Blob(["a", "b"]).stream().pipeThrough(new TransformStream()) })).json(),
  "put parameters": async () => (await fetch(`${self}/echo`, { method: "PUT", body: new URLSearchParams({ a: "1" }) })).json(),
  "own headers": async () => (await fetch(`${self}/echo`, { headers: { "X-Own": "1", "user-agent": "own/1", accept: "text/x" } })).json(),
  "a request": async () => (await fetch(new Request(`${self}/echo`, { method: "DELETE", headers: { "x-own": "1" } }))).json(),
  "response fields": async () => {
    const response = await fetch(`${self}/status`);
    return [response.status, response.statusText, response.ok, response.redirected, response.url.replace(self, ""), response.type, response.headers.getSetCookie(), response.headers.get("content-length"), await response.text()];
  },
  "response headers are immutable": async () => {
    const response = await fetch(`${self}/status`);
    await response.body.cancel();
    response.headers.set("a", "1");
  },
  "redirect followed": async () => {
    const response = await fetch(`${self}/redirect?status=302`);
    return [response.status, response.redirected, response.url.replace(self, ""), (await response.json()).method];
  },
  "redirect of a post": async () => Promise.all([301, 302, 303, 307, 308].map(async (status) => {
    const response = await fetch(`${self}/redirect?status=${status}`, { method: "POST", body: "kept?" });
    const { method, body } = await response.json();
    return [status, method, body];
  })),
  "redirect by hand": async () => {
    const response = await fetch(`${self}/redirect?status=302`, { redirect: "manual" });
    return [response.status, response.type, response.headers.get("location"), await response.text()];
  },
  "redirect without end": () => fetch(`${self}/loop`),
  "gzip is unpacked": async () => {
    const response = await fetch(`${self}/gzip`);
    return [await response.text(), response.headers.get("content-encoding")];
  },
  "aborted while waiting": async () => {
    const response = await fetch(`${self}/slow`, { signal: AbortSignal.timeout(20) });
    return response.status;
  },
  "answered with a fetched response": async () => {
    const first = await fetch(`${self}/status`);
    const second = new Response(first.body, first);
    second.headers.set("x-added", "1");
    return [second.status, second.statusText, second.headers.getSetCookie(), await second.text()];
  },
  "head": async () => {
    const response = await fetch(`${self}/echo`, { method: "HEAD" });
    return [response.status, response.body === null, await response.text()];
  },
});

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
