/* requests: [{"headers": {"x-self": "$ADDRESS"}}, {"path": "/raw"}] */
// cloudflare:sockets: shapes, refusals, and bytes both ways with the worker's
// own server.
import { connect } from "cloudflare:sockets";
import * as sockets from "cloudflare:sockets";

let self;
const ask = "GET /raw HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
const encoder = new TextEncoder();
const open = (options) => connect(self, options);
const settle = (promise) => promise.then((value) => ["fulfilled", value ?? null], (error) => ["rejected", error?.name ?? null, error?.message ?? null]);
const refused = "127.0.0.1:1";

async function text(readable) {
  const reader = readable.getReader();
  const decoder = new TextDecoder();
  let all = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return all;
    all += decoder.decode(value, { stream: true });
  }
}

const body = (answer) => answer.split("\r\n\r\n")[1];

const probes = {
  "exports": () => [typeof connect, connect.length >= 0, Object.keys(sockets).filter((name) => name !== "default" && !name.startsWith("internal"))],
  "shape": () => {
    const socket = open();
    ignore(socket);
    return [String(socket), socket.secureTransport, socket.upgraded, String(socket.readable), String(socket.writable), socket.closed instanceof Promise, socket.opened instanceof Promise, socket.closed === socket.closed];
  },
  "opened": async () => {
    const socket = open();
    const info = await socket.opened;
    await socket.close();
    return [info.remoteAddress === self, info.localAddress ?? "none", Object.keys(info)];
  },
  "an object as address": async () => {
    const [hostname, port] = self.split(":");
    const socket = connect({ hostname, port: Number(port) });
    const info = await socket.opened;
    await socket.close();
    return info.remoteAddress === self;
  },
  "ask and read": async () => {
    const socket = open();
    const writer = socket.writable.getWriter();
    await writer.write(encoder.encode(ask));
    const answer = await text(socket.readable);
    return [answer.slice(0, 12), body(answer), await settle(socket.closed), await settle(writer.closed)];
  },
  "write before it is open": async () => {
    const socket = open();
    const writer = socket.writable.getWriter();
    for (const part of [ask.slice(0, 7), ask.slice(7)]) writer.write(encoder.encode(part));
    return body(await text(socket.readable));
  },
  "text is sent as UTF-8": async () => {
    const socket = open();
    await socket.writable.getWriter().write(ask);
    return body(await text(socket.readable));
  },
  "a buffer and a view": async () => {
    const socket = open();
    const writer = socket.writable.getWriter();
    const bytes = encoder.encode(ask);
    await writer.write(bytes.slice(0, 5).buffer);
    await writer.write(new DataView(bytes.buffer, 5));
    return body(await text(socket.readable));
  },
  "byob": async () => {
    const socket = open();
    await socket.writable.getWriter().write(encoder.encode(ask));
    const reader = socket.readable.getReader({ mode: "byob" });
    const { value, done } = await reader.read(new Uint8Array(8));
    await socket.close();
    return [new TextDecoder().decode(value), done];
  },
  "allowHalfOpen": async () => {
    const socket = open({ allowHalfOpen: true });
    const writer = socket.writable.getWriter();
    await writer.write(encoder.encode(ask));
    const answer = body(await text(socket.readable));
    return [answer, await settle(writer.close()), await settle(socket.close())];
  },
  "close": async () => {
    const socket = open();
    const closing = socket.close();
    const same = socket.close() === closing;
    return [same, await settle(closing), await settle(socket.closed), await settle(socket.close())];
  },
  "close sends what was written": async () => {
    const socket = open({ allowHalfOpen: true });
    const writer = socket.writable.getWriter();
    writer.write(encoder.encode(ask));
    await socket.close();
    return settle(socket.closed);
  },
  "read after close": async () => {
    const socket = open();
    const reader = socket.readable.getReader();
    await socket.close();
    const { done, value } = await reader.read();
    return [done, value ?? "none"];
  },
  "close ends a read": async () => {
    const socket = open();
    await socket.opened;
    const reader = socket.readable.getReader();
    const read = reader.read();
    await scheduler.wait(1);
    await socket.close();
    return settle(read);
  },
  "write after close": async () => {
    const socket = open();
    const writer = socket.writable.getWriter();
    await socket.opened;
    const closing = socket.close();
    const early = await settle(writer.write(encoder.encode("x")));
    await closing;
    return early;
  },
  "nothing listens": async () => {
    const socket = connect(refused);
    const writer = socket.writable.getWriter();
    const writing = settle(writer.write(encoder.encode("x")));
    return [await settle(socket.opened), await settle(socket.closed), await writing, (await socket.readable.getReader().read()).done];
  },
  "nothing listens on a port of fetch's": () => settle(connect("127.0.0.1:443").opened),
  "close of what never opened": async () => settle(connect(refused).close()),
  "no address": () => connect(),
  "an empty address": () => connect(""),
  "no port": () => connect("example.com"),
  "no host": () => connect(":80"),
  "not an address": () => connect("a b:80"),
  "odd characters": () => connect("a/b:80"),
  "odd characters in an object": () => connect({ hostname: "a b", port: 80 }),
  "a scheme": () => connect("http://example.com:80"),
  "a large port": () => connect("example.com:99999"),
  "a large port in an object": () => connect({ hostname: "example.com", port: 99999 }),
  "no port in an object": () => connect({ hostname: "example.com" }),
  "a long name": () => connect("a".repeat(300) + ":80"),
  "secureTransport unknown": () => connect(self, { secureTransport: "maybe" }),
  "startTls of a plain socket": () => {
    const socket = open();
    ignore(socket);
    return socket.startTls();
  },
  "startTls of a TLS socket": () => {
    const socket = open({ secureTransport: "on" });
    ignore(socket);
    return socket.startTls();
  },
  "startTls after close": async () => {
    const socket = open({ secureTransport: "starttls" });
    await socket.close();
    return String(socket.startTls());
  },
  "startTls": async () => {
    const socket = open({ secureTransport: "starttls" });
    await socket.opened;
    const before = socket.upgraded;
    const secure = socket.startTls();
    ignore(secure);
    await socket.closed;
    const failed = (await settle(secure.opened))[0];
    return [before, socket.upgraded, socket.secureTransport, secure.secureTransport, secure.upgraded, failed];
  },
  "startTls twice": async () => {
    const socket = open({ secureTransport: "starttls" });
    await socket.opened;
    ignore(socket.startTls());
    return String(socket.startTls());
  },
  "secureTransport on without TLS": async () => (await settle(open({ secureTransport: "on" }).opened))[0],
  "a resizable buffer": async () => {
    const socket = open();
    const writer = socket.writable.getWriter();
    const bytes = encoder.encode(ask);
    const buffer = new ArrayBuffer(bytes.length, { maxByteLength: 4096 });
    new Uint8Array(buffer).set(bytes);
    await writer.write(buffer);
    return body(await text(socket.readable));
  },
  "a detached buffer": async () => {
    const socket = open();
    ignore(socket);
    const bytes = encoder.encode(ask);
    bytes.buffer.transfer();
    await socket.writable.getWriter().write(bytes);
    await socket.close();
    return "written";
  },
  "a chunk that is no bytes": async () => {
    const socket = open();
    ignore(socket);
    const writer = socket.writable.getWriter();
    await writer.write(5);
  },
  "new": () => new (open().constructor)(),
};

// At module scope there is no event to own a connection.
let scope;
try {
  connect("example.com:80");
  scope = "allowed";
} catch (error) {
  scope = `${error.name}: ${error.message}`;
}
probes["at module scope"] = () => scope;

function ignore(socket) {
  for (const promise of [socket.opened, socket.closed]) promise.catch(() => {});
}

export default {
  async fetch(request) {
    if (new URL(request.url).pathname === "/raw") return new Response("raw answer");
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
      answer = { threw: error?.name, message: error?.message };
    }
    lines += `${name}: ${JSON.stringify(answer)}\n`;
  }
  return new Response(lines);
}
