// Connections to workers: bytes both ways, who is told what, and how they end.
import assert from "node:assert";
import { connect } from "cloudflare:sockets";

const heard = (socket) => new Response(socket.readable).text();

export const echo = {
  async test(_, { ECHO }) {
    const socket = ECHO.connect("echo.test:7");
    const writer = socket.writable.getWriter();
    const reader = socket.readable.getReader();
    for (const text of ["one", "two"]) {
      await writer.write(new TextEncoder().encode(text));
      const { value } = await reader.read();
      assert.strictEqual(new TextDecoder().decode(value), text);
    }
    await writer.close();
    assert.strictEqual((await reader.read()).done, true);
  },
};

export const addresses = {
  async test(_, { WHERE }) {
    const socket = WHERE.connect({ hostname: "where.test", port: 99 });
    const { localAddress, remoteAddress } = await socket.opened;
    assert.deepStrictEqual([localAddress, remoteAddress], [undefined, "where.test:99"]);
    assert.strictEqual(await heard(socket), "where.test:99 undefined off");
    assert.throws(() => WHERE.connect("nowhere"), { name: "TypeError" });
  },
};

export const outbound = {
  async test() {
    const socket = connect("out.test:80");
    assert.strictEqual(await heard(socket), "default out.test:80 object function");
  },
};

export const handlerLeaves = {
  async test(_, { LEAVES }) {
    const socket = LEAVES.connect("leaves.test:1");
    await socket.opened;
    await socket.closed;
    assert.strictEqual(await heard(socket), "");
  },
};

export const noHandler = {
  async test(_, { NOTHING }) {
    const socket = NOTHING.connect("nothing.test:1");
    const refused = { name: "Error", message: /^proxy request failed, cannot connect/ };
    await assert.rejects(socket.opened, refused);
    await assert.rejects(socket.closed, refused);
  },
};

export const object = {
  async test(_, { OBJECT }) {
    const stub = OBJECT.get(OBJECT.idFromName("one"));
    const socket = stub.connect("object.test:1");
    const writer = socket.writable.getWriter();
    await writer.write(new TextEncoder().encode("to an object"));
    await writer.close();
    assert.strictEqual(await heard(socket), "");
    assert.deepStrictEqual(await stub.seen(), ["to an object"]);
  },
};

/** Names for what takes only names, which `connect()` knows. */
export const virtualHosts = {
  async test(_, { ECHO, WHERE, OBJECT }, ctx) {
    const name = ctx.mapVirtualHost(WHERE, 5432);
    assert.match(name, /^[0-9a-f]{32}\.workers\.alt:5432$/);
    assert.strictEqual(ctx.mapVirtualHost(WHERE, 1), name);
    assert.notStrictEqual(ctx.mapVirtualHost(ECHO, 5432), name);
    assert.strictEqual(await heard(connect(name)), `${name} undefined off`);
    const [hostname, port] = name.split(":");
    assert.strictEqual(await heard(connect({ hostname, port })), `${name} undefined off`);
    // Of the network's, as ever.
    const other = connect(`${hostname}:1`);
    assert.strictEqual(await heard(other), `default ${hostname}:1 object function`);
    const object = OBJECT.get(OBJECT.idFromName("named"));
    const socket = connect(ctx.mapVirtualHost(object, 7));
    const writer = socket.writable.getWriter();
    await writer.write(new TextEncoder().encode("by its name"));
    await writer.close();
    await heard(socket);
    assert.deepStrictEqual(await object.seen(), ["by its name"]);
    assert.throws(() => ctx.mapVirtualHost({}, 1), { name: "TypeError" });
  },
};
