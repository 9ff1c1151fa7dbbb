/* requests: [{"path": "/", "headers": {"x-self": "$ADDRESS"}}] */
// A worker in front of another (itself, over its address): what people forward and change on the way.

let base;
const get = (path, init) => fetch(`http://${base}${path}`, init);

const upstream = {
  "/up/echo": async (request) => Response.json({
    method: request.method,
    type: request.headers.get("content-type"),
    length: request.headers.get("content-length"),
    extra: request.headers.get("x-extra"),
    cookie: request.headers.get("cookie"),
    text: await request.text(),
  }),
  "/up/gzip": () => new Response("squeeze ".repeat(100), { headers: { "content-encoding": "gzip" } }),
  "/up/cookies": () => new Response("c", { headers: [["set-cookie", "a=1"], ["set-cookie", "b=2; path=/"]] }),
  "/up/slow": () => {
    const { readable, writable } = new TransformStream();
    const writer = writable.getWriter();
    (async () => {
      for (const part of ["one", "two", "three"]) {
        await writer.write(new TextEncoder().encode(`data: ${part}\n\n`));
        await scheduler.wait(2);
      }
      await writer.close();
    })();
    return new Response(readable, { headers: { "content-type": "text/event-stream" } });
  },
  "/up/404": () => new Response("gone", { status: 404, statusText: "Never Was" }),
  "/up/204": () => new Response(null, { status: 204 }),
  "/up/304": () => new Response(null, { status: 304, headers: { etag: '"a"' } }),
  "/up/form": async (request) => {
    const form = await request.formData();
    const entries = [];
    for (const [name, value] of form) entries.push([name, typeof value === "string" ? value : [value.name, value.type, await value.text()]]);
    return Response.json(entries);
  },
  "/up/never": async (request) => {
    await new Promise((resolve) => { setTimeout(resolve, 300); });
    return new Response("late");
  },
};

const probes = {
  "forward a request": async () => {
    const request = new Request(`http://${base}/up/echo`, { method: "POST", body: "abc", headers: { "x-extra": "1" } });
    return (await fetch(request)).json();
  },
  "forward with a changed header": async () => {
    const request = new Request(`http://${base}/up/echo`, { method: "POST", body: "abc" });
    const changed = new Request(request, { headers: { ...Object.fromEntries(request.headers), "x-extra": "2" } });
    return (await fetch(changed)).json();
  },
  "forward to another address": async () => {
    const request = new Request("https://elsewhere.test/", { method: "PUT", body: "abc", headers: { "content-type": "text/x" } });
    return (await fetch(new Request(`http://${base}/up/echo`, request))).json();
  },
  "forward a response": async () => {
    const response = await get("/up/404");
    const copy = new Response(response.body, response);
    copy.headers.set("x-added", "1");
    return [copy.status, copy.statusText, copy.headers.get("x-added"), await copy.text()];
  },
  "forward a response by its parts": async () => {
    const { status, headers, body } = await get("/up/cookies");
    const copy = new Response(body, { status, headers });
    return [copy.headers.getSetCookie(), await copy.text()];
  },
  "headers of an answer are immutable": async () => (await get("/up/404")).headers.set("a", "b"),
  "an empty answer": async () => {
    const response = await get("/up/204");
    return [response.status, response.body, await response.text(), (await get("/up/304")).body];
  },
  "gzip is unpacked": async () => {
    const response = await get("/up/gzip");
    return [response.headers.get("content-encoding"), (await response.text()).length];
  },
  "gzip by the stream": async () => {
    let length = 0;
    for await (const chunk of (await get("/up/gzip")).body) length += chunk.byteLength;
    return length;
  },
  "events one by one": async () => {
    const events = [];
    const stream = (await get("/up/slow")).body.pipeThrough(new TextDecoderStream());
    let left = "";
    for await (const text of stream) {
      left += text;
      for (let at; (at = left.indexOf("\n\n")) >= 0; left = left.slice(at + 2)) events.push(left.slice(6, at));
    }
    return events;
  },
  "through a transform": async () => {
    const upper = new TransformStream({
      transform(chunk, controller) { controller.enqueue(new TextEncoder().encode(new TextDecoder().decode(chunk).toUpperCase())); },
    });
    const response = await get("/up/echo", { method: "POST", body: new Response("abc").body.pipeThrough(upper) });
    const { text, length } = await response.json();
    return [text, length];
  },
  "a form": async () => {
    const body = new FormData();
    body.append("a", "1");
    body.append("file", new File(["inside"], "f.txt", { type: "text/x" }));
    return (await get("/up/form", { method: "POST", body })).json();
  },
  "parameters": async () => (await get("/up/form", { method: "POST", body: new URLSearchParams({ a: "1 2", b: "&" }) })).json(),
  "a blob": async () => {
    const answer = await (await get("/up/echo", { method: "POST", body: new Blob(["ab", "c"], { type: "text/y" }) })).json();
    return [answer.type, answer.length, answer.text];
  },
  "a clone is read beside": async () => {
    const response = await get("/up/cookies");
    const copy = response.clone();
    return [await response.text(), await copy.text()];
  },
  "tee": async () => {
    const [left, right] = (await get("/up/slow")).body.tee();
    return [(await new Response(left).text()).length, (await new Response(right).text()).length];
  },
  "cancel a body": async () => {
    const response = await get("/up/slow");
    await response.body.cancel("enough");
    return [response.bodyUsed, (await get("/up/cookies")).status];
  },
  "abort while waiting": async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(new RangeError("too slow")), 10);
    return get("/up/never", { signal: controller.signal });
  },
  "time out while waiting": () => get("/up/never", { signal: AbortSignal.timeout(10) }),
  "abort while reading": async () => {
    const controller = new AbortController();
    const response = await get("/up/slow", { signal: controller.signal });
    controller.abort();
    return response.text();
  },
  "many at once": async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, (_, i) => get("/up/echo", { method: "POST", body: String(i) })));
    return Promise.all(answers.map(async (answer) => (await answer.json()).text));
  },
  "race": async () => (await Promise.race([get("/up/never"), get("/up/cookies")])).url.replace(base, "SELF"),
};

export default {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname in upstream) return upstream[pathname](request);
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
