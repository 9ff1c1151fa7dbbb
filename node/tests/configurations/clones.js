// What structuredClone and calls make of what a worker is bound to, who owns what was
// passed, and what the worker's own exports can be sent.
import assert from "node:assert";
import { DurableObject, RpcTarget, WorkerEntrypoint } from "cloudflare:workers";

export class Object extends DurableObject {}

export class Entry extends WorkerEntrypoint {
  take(value) {
    return typeof value;
  }
  add(target) {
    return target.add(1);
  }
  change(bytes, { again }, buffer) {
    bytes[0] = 9;
    return [
      bytes.byteOffset,
      bytes.length,
      bytes[bytes.length - 1],
      bytes.buffer === again.buffer,
      bytes.buffer === buffer,
      again[0],
    ];
  }
  bytes(length) {
    return new Uint8Array(length).fill(5);
  }
}

const unsupported = (name) =>
  `Could not serialize object of type "${name}". This type does not support serialization.`;
const STUB = "ServiceStub cannot be serialized in this context.";

export const bindings = {
  async test(_, env, ctx) {
    const messages = {
      KV: "A KV namespace binding cannot be serialized.",
      R2: "An R2 bucket binding cannot be serialized.",
      QUEUE: unsupported("WorkerQueue"),
      LOADER: unsupported("WorkerLoader"),
      SELF: STUB,
      OBJECT: unsupported("DurableObjectNamespace"),
    };
    for (const [name, message] of globalThis.Object.entries(messages)) {
      const expected = { name: "DataCloneError", message };
      assert.throws(() => structuredClone(env[name]), expected);
      assert.throws(() => structuredClone({ deep: [env[name]] }), expected);
      if (message !== STUB) await assert.rejects(ctx.exports.Entry.take(env[name]), expected);
    }
    const id = env.OBJECT.idFromName("x");
    assert.throws(() => structuredClone(id), { message: unsupported("DurableObjectId") });
    assert.throws(() => structuredClone(env.OBJECT.get(id)), { message: STUB });
    assert.throws(() => structuredClone(ctx), { message: unsupported("ExecutionContext") });
    assert.throws(() => structuredClone(new RpcTarget()), {
      message: "Remote RPC references can only be serialized for RPC.",
    });
  },
};

export const others = {
  test() {
    for (const Class of [TextEncoder, TextDecoder, AbortController, URLSearchParams]) {
      const expected = { name: "DataCloneError", message: unsupported(Class.name) };
      assert.throws(() => structuredClone([new Class()]), expected);
    }
    const request = structuredClone({ in: new Request("https://a.test/", { headers: { a: "b" } }) }).in;
    assert.ok(request instanceof Request);
    assert.deepStrictEqual([request.url, request.headers.get("a")], ["https://a.test/", "b"]);
    const response = structuredClone([new Response(null, { status: 204 })])[0];
    assert.deepStrictEqual([response.status, response.body], [204, null]);
    const expected = { message: "ReadableStream can only be serialized for RPC." };
    assert.throws(() => structuredClone(new Response("body")), expected);
  },
};

class Counter extends RpcTarget {
  constructor(shared) {
    super();
    this.shared = shared;
  }
  add(n) {
    return this.shared.count += n;
  }
  dup() {
    this.shared.made++;
    return new Counter(this.shared);
  }
  [Symbol.dispose]() {
    this.shared.disposed++;
  }
}

export const duplicates = {
  async test(_, env, ctx) {
    const shared = { count: 0, made: 0, disposed: 0 };
    const counter = new Counter(shared);
    assert.strictEqual(await ctx.exports.Entry.add(counter), 1);
    assert.strictEqual(await ctx.exports.Entry.add(counter), 2);
    await scheduler.wait(1);
    assert.deepStrictEqual(shared, { count: 2, made: 2, disposed: 2 });
  },
};

export const large = {
  async test(_, env, ctx) {
    const buffer = new ArrayBuffer(300_000);
    const bytes = new Uint8Array(buffer, 8, 200_000).fill(7);
    const again = new Uint8Array(buffer, 8, 10);
    const seen = await ctx.exports.Entry.change(bytes, { again }, buffer);
    assert.deepStrictEqual(seen, [8, 200_000, 7, true, true, 9]);
    assert.deepStrictEqual([buffer.byteLength, bytes[0]], [300_000, 7]);
    const given = await ctx.exports.Entry.bytes(100_000);
    assert.deepStrictEqual([given.length, given[0], given[99_999]], [100_000, 5, 5]);
    structuredClone(given.buffer, { transfer: [given.buffer] });
    await ctx.exports.Entry.take(given).then(assert.fail, (error) => {
      assert.strictEqual(error.name, "DataCloneError");
    });
    await assert.rejects(ctx.exports.Entry.take(new Uint8Array(33 << 20)), {
      message: /^Serialized RPC arguments or return values are limited to 32MiB/,
    });
  },
};

const events = [];

export default {
  scheduled(controller) {
    events.push(controller.cron);
  },
  queue(batch) {
    events.push(batch.queue);
  },
};

export const ownExports = {
  async test(_, env, ctx) {
    const own = ctx.exports.default;
    assert.strictEqual((await own.scheduled({ cron: "* * * * *" })).outcome, "ok");
    assert.strictEqual((await own.queue("q", [])).outcome, "ok");
    assert.deepStrictEqual(events, ["* * * * *", "q"]);
  },
};
