// What hibernating WebSockets hear, and what becomes of them and of their other sides
// when an object ends before its time.
import assert from "node:assert";
import { DurableObject } from "cloudflare:workers";
import unsafe from "workerd:unsafe";

/** What handlers heard, of whichever instance. */
const heard = [];

function accept(ctx, tags) {
  const [client, server] = Object.values(new WebSocketPair());
  ctx.acceptWebSocket(server, tags);
  return [new Response(null, { status: 101, webSocket: client }), server];
}

class Hears extends DurableObject {
  made = crypto.randomUUID();

  fetch(request) {
    const [answer, server] = accept(this.ctx, new URL(request.url).searchParams.getAll("tag"));
    server.serializeAttachment({ made: this.made });
    return answer;
  }

  async webSocketMessage(socket, message) {
    const [command, argument] = `${message}`.split(" ");
    if (command === "throw") throw new Error("thrown");
    if (command === "abort") this.ctx.abort("aborted by a message");
    if (command === "close") return socket.close(+argument, "ours");
    if (command === "wait") {
      await scheduler.wait(+argument);
      socket.send("waited");
      return;
    }
    if (command === "kept") {
      return socket.send(JSON.stringify([
        socket.deserializeAttachment().made === this.made,
        this.ctx.getTags(socket),
        this.ctx.getWebSockets("a")[0] === socket,
        this.ctx.getWebSockets("other").length,
        this.ctx.getWebSocketAutoResponseTimestamp(socket) !== null,
      ]));
    }
    if (command === "same") {
      return socket.send(`${this.ctx.getWebSockets().includes(socket)} ${socket === this.ctx.getWebSockets()[0]}`);
    }
    socket.send(message instanceof ArrayBuffer ? `${message.byteLength} bytes` : `echo ${message}`);
  }

  async webSocketClose(socket, code, reason, wasClean) {
    const { length } = arguments;
    const { readyState } = socket;
    const list = this.ctx.getWebSockets();
    const tags = this.ctx.getTags(socket);
    let sent;
    if (!wasClean) {
      socket.send("let go");
      socket.close(1000, "let go");
      sent = socket.readyState;
    }
    heard.push({ code, reason, wasClean, length, readyState, sent, tags, sockets: list.length, has: list.includes(socket), attachment: socket.deserializeAttachment().made === this.made });
    await scheduler.wait(1);
    heard.push([this.ctx.getWebSockets().length, this.ctx.getTags(socket), this.ctx.getWebSocketAutoResponseTimestamp(socket)]);
    socket.close(code);
  }

  webSocketError(socket, error) {
    heard.push(["error", error.message, socket.readyState]);
  }

  sockets() {
    return this.ctx.getWebSockets().length;
  }

  /** What sockets are in, and what becomes of what is sent to them. */
  sendToAll(text) {
    return this.ctx.getWebSockets().map((socket) => {
      try {
        socket.send(text);
        return socket.readyState;
      } catch (error) {
        return [socket.readyState, error.message];
      }
    });
  }

  set() {
    this.ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
    this.ctx.setHibernatableWebSocketEventTimeout(5000);
    return this.settings();
  }

  settings() {
    return [this.ctx.getWebSocketAutoResponse()?.response, this.ctx.getHibernatableWebSocketEventTimeout()];
  }

  limit(timeout) {
    this.ctx.setHibernatableWebSocketEventTimeout(timeout);
  }

  abort() {
    this.ctx.abort("aborted by a call");
  }

  /** What an object that has ended may still do. */
  acceptAfterAbort() {
    try {
      this.ctx.abort("and then");
    } catch {
      try { accept(this.ctx, []); } catch {}
      try { this.ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair("late", "late")); } catch {}
    }
  }

  block() {
    return this.ctx.blockConcurrencyWhile(async () => { throw new Error("blocked"); });
  }

  plain() {
    const [client, server] = Object.values(new WebSocketPair());
    server.accept();
    return new Response(null, { status: 101, webSocket: client });
  }
}

export class Inner extends Hears {}

export class Room extends Hears {
  facet() {
    return this.ctx.facets.get("inner", () => ({ class: this.ctx.exports.Inner }));
  }

  fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname === "/plain") return this.plain();
    return pathname === "/facet" ? this.facet().fetch(request) : super.fetch(request);
  }

  abortFacet() {
    this.ctx.facets.abort("inner", new Error("the facet is aborted"));
  }

  deleteFacet() {
    this.ctx.facets.delete("inner");
  }

  facetSockets() {
    return this.facet().sockets();
  }
}

/** An object without handlers. */
export class Deaf extends DurableObject {
  fetch() {
    return accept(this.ctx, [])[0];
  }

  sockets() {
    return this.ctx.getWebSockets().length;
  }
}

async function connect(stub, path = "/") {
  const { webSocket } = await stub.fetch(`http://room${path}`, { headers: { upgrade: "websocket" } });
  const waiting = [];
  const got = [];
  const give = (value) => {
    if (waiting.length > 0) waiting.shift()(value);
    else got.push(value);
  };
  webSocket.accept({ allowHalfOpen: true });
  webSocket.addEventListener("message", ({ data }) => give(data));
  webSocket.addEventListener("close", ({ code, reason, wasClean }) => give({ code, reason, wasClean, readyState: webSocket.readyState }));
  webSocket.addEventListener("error", () => give("an error"));
  const next = () => got.length > 0 ? got.shift() : new Promise((resolve) => waiting.push(resolve));
  const ask = (text) => {
    webSocket.send(text);
    return next();
  };
  return { socket: webSocket, next, ask };
}

const LOST = {
  code: 1006,
  reason: "WebSocket disconnected without sending Close frame.",
  wasClean: false,
  readyState: 1,
};

/** Waits until as many handlers have told what they heard. */
async function until(count) {
  for (let i = 0; i < 2000 && heard.length < count; i++) await scheduler.wait(1);
  return heard.splice(0);
}

const ends = {
  call: (room) => assert.rejects(room.abort(), { message: "aborted by a call" }),
  "a call that goes on": async (room) => {
    await room.acceptAfterAbort().catch(() => {});
  },
  block: (room) => assert.rejects(room.block()),
  all: () => unsafe.abortAllDurableObjects(),
};

export const anEndBeforeTimeCutsSockets = {
  async test(_controller, env) {
    for (const [name, end] of Object.entries(ends)) {
      const room = env.ROOM.getByName(`ends by ${name}`);
      const [one, two] = [await connect(room), await connect(room)];
      assert.equal(await one.ask("hello"), "echo hello");
      assert.deepEqual(await room.set(), ["pong", 5000]);
      await end(room);
      assert.deepEqual(await one.next(), LOST, name);
      assert.deepEqual(await two.next(), LOST, name);
      assert.equal(one.socket.readyState, WebSocket.CLOSING);
      // What is sent after that is let go.
      one.socket.send("more");
      one.socket.close(1000);
      const again = env.ROOM.getByName(`ends by ${name}`);
      assert.equal(await again.sockets(), 0, name);
      assert.deepEqual(await again.settings(), [undefined, null], name);
      assert.equal(await (await connect(again)).ask("hello"), "echo hello");
    }
    assert.deepEqual(heard.splice(0), []);
    await unsafe.abortAllDurableObjects();
  },
};

export const aMessageMayEndIt = {
  async test(_controller, env) {
    const room = env.ROOM.getByName("a message ends it");
    const [one, two] = [await connect(room), await connect(room)];
    two.socket.send("wait 60000");
    one.socket.send("abort");
    one.socket.send("not heard");
    assert.deepEqual(await one.next(), LOST);
    assert.deepEqual(await two.next(), LOST);
    assert.equal(await env.ROOM.getByName("a message ends it").sockets(), 0);
    assert.deepEqual(heard.splice(0), []);
    await unsafe.abortAllDurableObjects();
  },
};

export const otherSocketsAreCutToo = {
  async test(_controller, env) {
    const room = env.ROOM.getByName("accepted as others");
    const { next } = await connect(room, "/plain");
    await assert.rejects(room.abort());
    assert.deepEqual(await next(), LOST);
  },
};

export const facetsAreCutWithTheirs = {
  async test(_controller, env) {
    for (const end of ["abort", "abortFacet", "deleteFacet"]) {
      const room = env.ROOM.getByName(`facets by ${end}`);
      const own = await connect(room);
      const inner = await connect(room, "/facet");
      assert.equal(await inner.ask("hello"), "echo hello");
      await room[end]().catch(() => {});
      assert.deepEqual(await inner.next(), LOST, end);
      const again = env.ROOM.getByName(`facets by ${end}`);
      assert.equal(await again.facetSockets(), 0, end);
      if (end === "abort") assert.deepEqual(await own.next(), LOST);
      else assert.equal(await own.ask("hello"), "echo hello");
    }
    assert.deepEqual(heard.splice(0), []);
    await unsafe.abortAllDurableObjects();
  },
};

export const whatACloseIsToldAs = {
  async test(_controller, env) {
    const room = env.ROOM.getByName("closes");
    const other = await connect(room);
    const one = await connect(room, "/?tag=a&tag=b&tag=a");
    one.socket.close(4000, "bye");
    assert.deepEqual(await until(2), [
      { code: 4000, reason: "bye", wasClean: true, length: 4, readyState: WebSocket.CLOSING, sent: undefined, tags: ["a", "b"], sockets: 2, has: true, attachment: true },
      [1, ["a", "b"], null],
    ]);
    assert.equal(await other.ask("same"), "true true");
    // The object's own close is answered.
    other.socket.send("close 4001");
    const { code, reason, wasClean } = await other.next();
    assert.deepEqual([code, reason, wasClean], [4001, "ours", true]);
    assert.equal(await room.sockets(), 1);
    other.socket.close(4002, "answered");
    const [closed] = await until(2);
    assert.deepEqual([closed.code, closed.readyState, closed.sockets], [4002, WebSocket.CLOSED, 1]);
    assert.equal(await room.sockets(), 0);
  },
};

export const aHandlerThatThrowsClosesNothing = {
  async test(_controller, env) {
    const { socket, ask } = await connect(env.ROOM.getByName("throws"));
    socket.send("throw");
    assert.equal(await ask("hello"), "echo hello");
    socket.close(1000);
    assert.equal((await until(2))[0].code, 1000);
  },
};

export const anObjectNeedNotHear = {
  async test(_controller, env) {
    const deaf = env.DEAF.getByName("a");
    const { socket } = await connect(deaf);
    socket.send("hello");
    socket.send(new Uint8Array(3));
    assert.equal(await deaf.sockets(), 1);
    socket.close(1000);
    for (let i = 0; i < 2000 && await deaf.sockets() > 0; i++) await scheduler.wait(1);
    assert.equal(await deaf.sockets(), 0);
    await unsafe.abortAllDurableObjects();
  },
};

/** Invariant 8. */
export const socketsOutlastTheObject = {
  async test(_controller, env) {
    const room = env.ROOM.getByName("sleeps");
    const { ask } = await connect(room, "/?tag=a&tag=b");
    assert.deepEqual(await room.set(), ["pong", 5000]);
    assert.deepEqual(JSON.parse(await ask("kept")), [true, ["a", "b"], true, 0, false]);
    await unsafe.evict(room);
    assert.equal(await ask("ping"), "pong");
    assert.deepEqual(JSON.parse(await ask("kept")), [false, ["a", "b"], true, 0, true]);
    assert.deepEqual(await room.settings(), ["pong", 5000]);
    assert.equal(await ask("same"), "true true");
    await unsafe.abortAllDurableObjects();
  },
};

export const aCloseOutlastsTheObject = {
  async test(_controller, env) {
    const room = env.ROOM.getByName("closed, then asleep");
    const { socket, next } = await connect(room);
    await room.set();
    socket.send("close 4001");
    assert.equal((await next()).code, 4001);
    await unsafe.evict(room);
    const closed = [WebSocket.CLOSING, "Can't call WebSocket send() after close()."];
    assert.deepEqual(await room.sendToAll("more"), [closed]);
    // Nothing follows the close, and that it is asked for is noted.
    socket.send("ping");
    socket.close(1000);
    const [{ code, readyState }, [, , answered]] = await until(2);
    assert.deepEqual([code, readyState], [1000, WebSocket.CLOSED]);
    assert(answered instanceof Date);
  },
};

export const anEvictionMayCutThem = {
  async test(_controller, env) {
    for (const evict of [
      (room) => unsafe.evict(room, { webSockets: "close" }),
      () => unsafe.evictAllDurableObjects({ webSockets: "close" }),
    ]) {
      const room = env.ROOM.getByName("evicted and cut");
      const { next } = await connect(room);
      await evict(room);
      assert.deepEqual(await next(), LOST);
      assert.equal(await room.sockets(), 0);
    }
    await assert.rejects(unsafe.evict(env.ROOM.getByName("a"), { webSockets: "other" }));
    assert.deepEqual(heard.splice(0), []);
  },
};

export const attachmentsAreWhatObjectsKeep = {
  async test() {
    const [socket] = Object.values(new WebSocketPair());
    socket.serializeAttachment({ blob: new Blob(["kept"]), headers: new Headers({ a: "b" }) });
    const { blob, headers } = socket.deserializeAttachment();
    assert.equal(await blob.text(), "kept");
    assert.equal(headers.get("a"), "b");
    for (const value of [new URL("http://a.test/"), () => 1, { stream: new ReadableStream() }]) {
      assert.throws(() => socket.serializeAttachment(value), { name: "DataCloneError" });
    }
    assert.equal(await socket.deserializeAttachment().blob.text(), "kept");
  },
};

export const eventsMayBeLimited = {
  async test(_controller, env) {
    const room = env.ROOM.getByName("limited");
    const { socket, ask } = await connect(room);
    await room.limit(50);
    socket.send("wait 10");
    assert.equal(await ask("hello"), "echo hello");
    await room.limit(0);
    assert.deepEqual(await room.settings(), [undefined, null]);
    await unsafe.abortAllDurableObjects();
  },
};
