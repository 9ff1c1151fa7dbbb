/* requests: [{"headers": {"x-self": "$ADDRESS"}}] */
// WebSockets: states, closing from either side, refusals, over the network too.

let self;
const once = (socket, type) => new Promise((resolve) => socket.addEventListener(type, resolve, { once: true }));
const pair = () => {
  const ends = Object.values(new WebSocketPair());
  return ends;
};
const accepted = (options = { allowHalfOpen: false }) => {
  const [client, server] = pair();
  client.accept(options);
  server.accept({ allowHalfOpen: false });
  return [client, server];
};
const show = (value) => typeof value === "string" ? value : value instanceof Blob ? `Blob ${value.size}` : `${value.constructor.name} ${value.byteLength}`;
const open = (path = "/ws", protocols = undefined) => protocols === undefined ? new WebSocket(`ws://${self}${path}`) : new WebSocket(`ws://${self}${path}`, protocols);

const probes = {
  "a close is answered": async () => { const [client, server] = accepted(); const closed = once(client, "close"); const answered = once(server, "close"); server.close(4000, "bye"); const { code, reason, wasClean } = await closed; return [client.readyState, code, reason, wasClean, (await answered).code, server.readyState]; },
  "half open": async () => { const [client, server] = accepted({ allowHalfOpen: true }); const closed = once(client, "close"); server.close(4000, "bye"); await closed; const state = client.readyState; const answered = once(server, "close"); client.close(4001, "too"); const { code, reason } = await answered; return [state, code, reason, client.readyState]; },
  "half open, sending on": async () => { const [client, server] = accepted({ allowHalfOpen: true }); const closed = once(client, "close"); server.close(); await closed; const heard = once(server, "message"); client.send("more"); return (await heard).data; },
  "close in the close listener": async () => { const [client, server] = accepted(); const seen = new Promise((resolve) => client.addEventListener("close", () => { client.close(1000, "mine"); resolve(client.readyState); })); server.close(1000); return seen; },
  "close twice": async () => { const [client, server] = accepted(); client.close(4000); client.close(4001); return (await once(server, "close")).code; },
  "state after close": () => { const [client] = accepted(); client.close(); return client.readyState; },
  "close without a code": async () => { const [client, server] = accepted(); client.close(); const { code, reason } = await once(server, "close"); return [code, reason]; },
  "close codes": () => [999, 1000, 1001, 1004, 1005, 1006, 1015, 2999, 3000, 4999, 5000, "1000", 1000.7, NaN, -1].map((code) => { const [client] = accepted(); try { client.close(code); return "fine"; } catch (e) { return `${e.name}: ${e.message}`; } }),
  "a long reason": () => [123, 124].map((length) => { const [client] = accepted(); try { client.close(1000, "x".repeat(length)); return "fine"; } catch (e) { return `${e.name}: ${e.message}`; } }),
  "a long reason in UTF-8": () => { const [client] = accepted(); client.close(1000, "\u00e9".repeat(62)); },
  "a lone surrogate in a reason": async () => { const [client, server] = accepted(); client.close(1000, "a\ud800"); return (await once(server, "close")).reason; },
  "close before accept": () => { const [client] = pair(); client.close(); },
  "messages before accept wait": async () => { const [client, server] = pair(); client.accept(); client.send("early"); const heard = once(server, "message"); server.accept(); return (await heard).data; },
  "kinds of messages": async () => { const [client, server] = accepted(); const seen = []; server.addEventListener("message", (e) => seen.push(show(e.data))); const bytes = new Uint8Array([1, 2, 3, 4]); for (const data of ["text", bytes, bytes.buffer, bytes.subarray(1, 3), new DataView(bytes.buffer, 2), new Float64Array(2), 5, null, undefined, { a: 1 }, [1, 2], ""]) client.send(data); client.close(); await once(server, "close"); return seen; },
  "resizable and detached": async () => { const [client, server] = accepted(); const seen = []; server.addEventListener("message", (e) => seen.push(show(e.data))); const resizable = new ArrayBuffer(4, { maxByteLength: 8 }); client.send(resizable); client.send(new Uint8Array(resizable)); const gone = new Uint8Array(4); gone.buffer.transfer(); try { client.send(gone); } catch (e) { seen.push(e.name); } client.close(); await once(server, "close"); return seen; },
  "changed after send": async () => { const [client, server] = accepted(); const bytes = new Uint8Array([1]); const heard = once(server, "message"); server.binaryType = "arraybuffer"; client.send(bytes); bytes[0] = 9; return [...new Uint8Array((await heard).data)]; },
  "binaryType": async () => { const [client, server] = accepted(); const types = [server.binaryType]; server.binaryType = "arraybuffer"; types.push(server.binaryType); try { server.binaryType = "other"; } catch (e) { types.push(e.name); } types.push(server.binaryType); return types; },
  "members": () => { const [client] = pair(); return [client.url, client.protocol, client.extensions, client.readyState, client.onmessage ?? "unset"]; },
  "on-handlers": async () => { const [client, server] = accepted(); const heard = new Promise((resolve) => { server.onmessage = (e) => resolve(e.data); }); client.send("a"); return heard; },
  "an attachment": () => { const [client] = pair(); const before = client.deserializeAttachment() ?? "none"; client.serializeAttachment({ a: new Map([[1, 2]]) }); return [before, [...client.deserializeAttachment().a]]; },
  "a large attachment": () => { const [client] = pair(); client.serializeAttachment("x".repeat(16 * 1024)); },
  "an attachment that cannot be kept": () => { const [client] = pair(); client.serializeAttachment(() => {}); },
  "over the network": async () => { const socket = open("/ws", ["a", "chat"]); const states = [socket.readyState, socket.url === `ws://${self}/ws`, socket.protocol, socket.extensions]; await once(socket, "open"); states.push(socket.readyState, socket.protocol, socket.extensions); const heard = once(socket, "message"); socket.send("hello"); states.push((await heard).data); const closed = once(socket, "close"); socket.close(4000, "done"); const { code, reason, wasClean } = await closed; return [...states, code, reason, wasClean, socket.readyState]; },
  "the server closes": async () => { const socket = open("/closes"); const { code, reason, wasClean } = await once(socket, "close"); return [code, reason, wasClean]; },
  "the server refuses": async () => { const socket = open("/refuses"); const seen = []; socket.addEventListener("error", (e) => seen.push(e.type)); const { code, wasClean } = await once(socket, "close"); return [seen, code, wasClean, socket.readyState]; },
  "accept of a constructed one": () => { const socket = open(); try { socket.accept(); } finally { socket.close(); } },
  "send while connecting": () => { const socket = open(); try { socket.send("a"); } finally { socket.close(); } },
  "close while connecting": async () => { const socket = open(); socket.close(); return socket.readyState !== WebSocket.CONNECTING; },
  "fetch": async () => { const { webSocket, status } = await fetch(`http://${self}/ws`, { headers: { upgrade: "websocket" } }); webSocket.accept(); const heard = once(webSocket, "message"); webSocket.send("hi"); const { data } = await heard; webSocket.close(); return [status, data, webSocket.url]; },
  "protocols that are refused": () => ["a b", "", "a,b", "\u00e9"].concat([["a", "a"]], [["a b"]]).map((protocols) => { try { open("/ws", protocols).close(); return "fine"; } catch (e) { return `${e.name}: ${e.message}`; } }),
  "addresses that are refused": () => ["http://a.test/", "ftp://a.test/", "ws://a.test/#x", "nonsense"].map((url) => { try { new WebSocket(url).close(); return "fine"; } catch (e) { return `${e.name}: ${e.message}`; } }),
  "a socket answers twice": () => { const [client] = pair(); new Response(null, { status: 101, webSocket: client }); return "fine"; },
  "a large message": async () => { const socket = open(); await once(socket, "open"); const heard = once(socket, "message"); socket.send("x".repeat(1 << 20)); const { data } = await heard; socket.close(); return data.length; },
};

function serve(pathname) {
  if (pathname === "/refuses") return new Response("no", { status: 403 });
  const [client, server] = pair();
  server.accept({ allowHalfOpen: false });
  if (pathname === "/closes") server.close(4444, "server's");
  server.addEventListener("message", ({ data }) => server.send(data));
  return new Response(null, { status: 101, webSocket: client, headers: { "sec-websocket-protocol": "chat" } });
}

export default {
  async fetch(request) {
    if (request.headers.has("x-self")) {
      self = request.headers.get("x-self");
      return report(probes);
    }
    return serve(new URL(request.url).pathname);
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
