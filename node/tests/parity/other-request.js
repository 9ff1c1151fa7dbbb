/* requests: [{ "method": "POST", "path": "/keep", "body": "from the first" }, { "path": "/use" }] */
// What one request made and another uses: I/O is the request's own, values are everyone's.
const kept = {};
const first = async (stream) => new TextDecoder().decode((await stream.getReader().read()).value);

function keep(request, ctx) {
  const [body, other] = request.clone().body.tee();
  return {
    request, body, ctx,
    reader: other.getReader(),
    response: new Response("abc"),
    stream: new Response("abc").body,
    empty: new Response(null),
    identity: new IdentityTransformStream(),
    gzip: new CompressionStream("gzip"),
    scripted: new ReadableStream({ pull(c) { c.enqueue("x"); c.close(); } }),
    pair: new WebSocketPair(),
    accepted: (() => { const pair = new WebSocketPair(); pair[0].accept(); return pair; })(),
    rewritten: new HTMLRewriter().on("p", {}).transform(new Response("<p>a</p>")),
    controller: new AbortController(),
    timer: setTimeout(() => {}, 10_000),
    blob: new Blob(["abc"]),
  };
}

function probes(kept) {
  const { request, body, reader, response, stream, identity, gzip } = kept;
  return {
    "url": () => request.method + new URL(request.url).pathname,
    "headers": () => request.headers.get("content-length"),
    "text of a request": () => request.text(),
    "body": () => first(body),
    "a reader": () => reader.read(),
    "text of a response": () => response.text(),
    "a response that was used": () => response.json(),
    "a stream": () => first(stream),
    "a stream's cancel": () => stream.cancel(),
    "a stream's tee": () => stream.tee().length,
    "a stream's pipe": () => stream.pipeTo(new WritableStream()),
    "no body": () => kept.empty.text(),
    "an identity stream": () => first(identity.readable),
    "a compression stream": () => first(gzip.readable),
    "a script's stream": async () => (await kept.scripted.getReader().read()).value,
    "accept": () => kept.pair[0].accept(),
    "send": () => kept.accepted[0].send("x"),
    "close": () => kept.accepted[0].close(),
    "ready state": () => kept.accepted[0].readyState,
    "a rewritten response": () => kept.rewritten.text(),
    "abort": () => { kept.controller.abort("x"); return kept.controller.signal.reason; },
    "clear a timer": () => clearTimeout(kept.timer),
    "a blob": () => kept.blob.text(),
    "wait until": () => kept.ctx.waitUntil(Promise.resolve()),
  };
}

export default {
  async fetch(request, _env, ctx) {
    if (new URL(request.url).pathname === "/keep") {
      Object.assign(kept, keep(request, ctx));
      return new Response("kept");
    }
    return report(probes(kept));
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
