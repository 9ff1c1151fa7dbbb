/* requests: [{"headers": {"x-self": "$ADDRESS"}}] */
// EventSource: parsing, reconnecting, refusals, with the worker's own server.

let self;
let connections = 0;
const served = {
  "/basic": () => "data: one\ndata: two\n\n: comment\n\nfalsefield: x\nData: no\n\ndata\n\ndata:end\n\n",
  "/types": () => "event: ping\ndata: 1\n\nevent:\ndata: 2\n\nevent: ping\n\ndata: 3\n\n",
  "/ids": () => "id: 1\ndata: a\n\ndata: b\n\nid\ndata: c\n\nid:  2\ndata: d\n\n",
  "/ends": () => "data: a\rdata: b\r\rdata: c\r\ndata: d\r\n\r\ndata:  two spaces\n\n",
  "/unended": () => "data: a\n\ndata: lost\n",
  "/bom": () => "\ufeffdata: a\n\n",
};
const EVENT_STREAM = { headers: { "content-type": "text/event-stream" } };

function serve(request) {
  const { pathname } = new URL(request.url);
  if (pathname === "/headers") {
    const { headers } = request;
    return new Response(`data: ${headers.get("accept")} ${headers.get("cache-control")}\n\n`, EVENT_STREAM);
  }
  if (pathname === "/again") {
    connections++;
    return new Response(`retry: 1\nid: ${connections}\ndata: ${connections} ${request.headers.get("last-event-id")}\n\n`, EVENT_STREAM);
  }
  if (pathname === "/status") return new Response("data: a\n\n", { status: 404, ...EVENT_STREAM });
  if (pathname === "/type") return new Response("data: a\n\n", { headers: { "content-type": "text/plain" } });
  if (pathname === "/no-type") return new Response(new TextEncoder().encode("data: a\n\n"));
  if (pathname === "/parameters") return new Response("data: a\n\n", { headers: { "content-type": "text/event-stream; charset=utf-8" } });
  if (pathname === "/redirect") return Response.redirect(`http://${self}/basic`, 302);
  return new Response(served[pathname](), EVENT_STREAM);
}

/** What a source says until it loses its connection. */
function listen(source, ...types) {
  const seen = [];
  return new Promise((resolve) => {
    source.onopen = () => seen.push(`open ${source.readyState}`);
    for (const type of ["message", ...types]) {
      source.addEventListener(type, (event) => seen.push([event.type, event.data, event.lastEventId]));
    }
    source.onerror = (event) => {
      seen.push([event.type, event.message, event.error?.message, source.readyState]);
      source.close();
      resolve(seen);
    };
  });
}
const at = (path, ...types) => listen(new EventSource(`http://${self}${path}`), ...types);
const from = (chunks, ...types) => listen(EventSource.from(ReadableStream.from(chunks)), ...types);
const encode = (text) => new TextEncoder().encode(text);

const probes = {
  "shape": () => { const source = new EventSource(`http://${self}/basic`); const all = [String(source), source.readyState, source.url === `http://${self}/basic`, source.withCredentials, source.onopen, source instanceof EventTarget]; source.close(); return [...all, source.readyState]; },
  "constants": () => [EventSource.CONNECTING, EventSource.OPEN, EventSource.CLOSED, EventSource.prototype.OPEN],
  "basic": () => at("/basic"),
  "types": () => at("/types", "ping"),
  "ids": () => at("/ids"),
  "ends of lines": () => at("/ends"),
  "an event that is not ended": () => at("/unended"),
  "a byte order mark": () => at("/bom"),
  "headers": () => at("/headers"),
  "a content type with parameters": () => at("/parameters"),
  "connects again": async () => {
    connections = 0;
    const source = new EventSource(`http://${self}/again`);
    const seen = [];
    await new Promise((resolve) => {
      source.onmessage = (event) => { seen.push(event.data); if (seen.length === 2) { source.close(); resolve(); } };
      source.onerror = () => seen.length < 2 && seen.length > 0 && source.readyState;
    });
    return seen;
  },
  "origin": () => new Promise((resolve) => { const source = new EventSource(`http://${self}/basic`); source.onmessage = (event) => { source.close(); resolve(event.origin === `http://${self}`); }; }),
  "a status": () => at("/status"),
  "another content type": () => at("/type"),
  "no content type": () => at("/no-type"),
  "a redirect": () => at("/redirect"),
  "an invalid address": () => new EventSource("not a url"),
  "a number as address": () => new EventSource(5),
  "with credentials": () => new EventSource(`http://${self}/basic`, { withCredentials: true }),
  "from": () => from([encode("data: a\n\nda"), encode("ta: b\n"), encode("\ndata: c\n\n")]),
  "from, UTF-8 in pieces": () => from([new Uint8Array([...encode("data: "), 0xe2]), new Uint8Array([0x82]), new Uint8Array([0xac, 10, 10])]),
  "from, the state": () => { const source = EventSource.from(new ReadableStream()); const states = [source.readyState]; source[Symbol.dispose](); return [...states, source.readyState, source.url]; },
  "from a locked stream": () => { const stream = new ReadableStream(); stream.getReader(); return EventSource.from(stream); },
  "from a read stream": async () => { const stream = ReadableStream.from([encode("a")]); const reader = stream.getReader(); await reader.read(); reader.releaseLock(); return EventSource.from(stream); },
  "from something else": () => EventSource.from("text"),
  "close in a listener": async () => { const seen = []; const source = EventSource.from(ReadableStream.from([encode("data: a\n\ndata: b\n\n")])); await new Promise((resolve) => { source.onmessage = (event) => { seen.push(event.data); source.close(); setTimeout(resolve, 1); }; }); return seen; },
  "another on-handler": () => new Promise((resolve) => { const source = EventSource.from(ReadableStream.from([encode("event: test\ndata: a\n\n")])); source.ontest = (event) => resolve(event.data); }),
};

export default {
  async fetch(request) {
    if (!request.headers.has("x-self")) return serve(request);
    self = request.headers.get("x-self");
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
