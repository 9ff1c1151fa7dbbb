/* requests: [{}, {"path": "/upgrade-without-asking"}] */
// WebSocketPair inside one worker: messages, closing, states, faults.

const next = (socket, type) => new Promise((resolve) => socket.addEventListener(type, resolve, { once: true }));

const probes = {
  "pair": () => {
    const pair = new WebSocketPair();
    const [client, server] = Object.values(pair);
    return [Object.keys(pair), client.constructor.name, client.readyState, server.readyState, WebSocket.OPEN, WebSocket.READY_STATE_OPEN];
  },
  "text": async () => {
    const [client, server] = Object.values(new WebSocketPair());
    client.accept();
    server.accept();
    const heard = next(server, "message");
    client.send("hello");
    const { data, type } = await heard;
    return [data, type];
  },
  "bytes": async () => {
    const [client, server] = Object.values(new WebSocketPair());
    client.accept();
    server.accept();
    const heard = next(server, "message");
    client.send(new Uint8Array([1, 2]));
    const { data } = await heard;
    return [data.constructor.name, data.byteLength ?? data.size];
  },
  "close": async () => {
    const [client, server] = Object.values(new WebSocketPair());
    client.accept();
    server.accept();
    const heard = next(server, "close");
    client.close(4001, "bye");
    const { code, reason, wasClean } = await heard;
    return [code, reason, wasClean];
  },
  "send before accept": () => {
    const [client] = Object.values(new WebSocketPair());
    client.send("a");
  },
  "send after close": () => {
    const [client, server] = Object.values(new WebSocketPair());
    client.accept();
    server.accept();
    client.close();
    client.send("a");
  },
  "accept twice": () => {
    const [client] = Object.values(new WebSocketPair());
    client.accept();
    client.accept();
  },
  "bad close code": () => {
    const [client] = Object.values(new WebSocketPair());
    client.accept();
    client.close(1);
  },
  "reserved close code": () => {
    const [client] = Object.values(new WebSocketPair());
    client.accept();
    client.close(1005);
  },
  "close reason without a code": () => {
    const [client] = Object.values(new WebSocketPair());
    client.accept();
    client.close(undefined, "why");
  },
  "attachment": () => {
    const [client] = Object.values(new WebSocketPair());
    client.serializeAttachment({ a: 1 });
    return client.deserializeAttachment();
  },
  "response": () => {
    const [client, server] = Object.values(new WebSocketPair());
    server.accept();
    const response = new Response(null, { status: 101, webSocket: client });
    return [response.status, response.webSocket === client];
  },
  "101 without a socket": () => new Response(null, { status: 101 }),
  "called without new": () => WebSocketPair(),
};

export default {
  async fetch(request) {
    if (new URL(request.url).pathname === "/upgrade-without-asking") {
      const [client, server] = Object.values(new WebSocketPair());
      server.accept();
      return new Response(null, { status: 101, webSocket: client });
    }
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
