/* requests: [{}] */
// Response: defaults, statuses, bodies that are not allowed, error texts.

const probes = {
  "defaults": () => {
    const response = new Response();
    return [response.status, response.statusText, response.ok, response.body, response.bodyUsed, response.redirected, response.url, response.type ?? "none", [...response.headers]];
  },
  "fields": () => ["webSocket", "cf", "encodeBody", "type", "trailer"].map((name) => [name, name in Response.prototype, typeof new Response()[name]]),
  "content-type from the body": () => [
    new Response("a"),
    new Response(new URLSearchParams({ a: "1" })),
    new Response(new Blob(["a"], { type: "text/css" })),
    new Response(new Uint8Array(1)),
    new Response(new ReadableStream()),
    new Response(null),
    new Response(undefined),
    new Response(""),
  ].map((response) => [response.headers.get("content-type"), response.body === null]),
  "bodies become strings": async () =>
    Promise.all([1, true, {}, new Date(NaN)].map((body) => new Response(body).text())),
  "an array as a body": () => new Response(["a", "b"]).text(),
  "an array of bytes as a body": () => new Response([new Uint8Array([97]), new Uint8Array([98])]).text(),
  "status 199": () => new Response(null, { status: 199 }),
  "status 600": () => new Response(null, { status: 600 }),
  "status 0": () => new Response(null, { status: 0 }),
  "status 101": () => new Response(null, { status: 101 }).status,
  "status 999": () => new Response(null, { status: 999 }),
  "status as a string": () => new Response(null, { status: "201" }).status,
  "status with a fraction": () => new Response(null, { status: 200.9 }).status,
  "status not a number": () => new Response(null, { status: "abc" }).status,
  "status null": () => new Response(null, { status: null }).status,
  "status undefined": () => new Response(null, { status: undefined }).status,
  "status 299": () => [new Response(null, { status: 299 }).ok, new Response(null, { status: 300 }).ok],
  "204 with a body": () => new Response("a", { status: 204 }),
  "205 with a body": () => new Response("a", { status: 205 }),
  "304 with a body": () => new Response("a", { status: 304 }),
  "204 with an empty string": () => new Response("", { status: 204 }).body,
  "204 with null": () => new Response(null, { status: 204 }).status,
  "statusText": () => [new Response(null, { status: 404 }).statusText, new Response(null, { status: 404, statusText: "Nope" }).statusText],
  "statusText with a line feed": () => new Response(null, { statusText: "a\nb" }),
  "statusText outside Latin-1": () => new Response(null, { statusText: "\u2603" }).statusText,
  "init is a number": () => new Response("a", 404),
  "init is null": () => new Response("a", null).status,
  "init is a response": () => {
    const response = new Response("b", new Response("a", { status: 201, headers: { a: "1" } }));
    return [response.status, [...response.headers]];
  },
  "headers are copied": () => {
    const headers = new Headers({ a: "1" });
    const response = new Response(null, { headers });
    response.headers.set("a", "2");
    return headers.get("a");
  },
  "bad header": () => new Response(null, { headers: { "a b": "c" } }),
  "encodeBody": () => new Response(null, { encodeBody: "manual" }).status,
  "encodeBody unknown": () => new Response(null, { encodeBody: "sideways" }).status,
  "webSocket without 101": () => new Response(null, { status: 200, webSocket: new WebSocketPair()[0] }),
  "status is read-only": () => {
    const response = new Response();
    response.status = 500;
    return response.status;
  },
  "called without new": () => Response("a"),
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
