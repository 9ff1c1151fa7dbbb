// Classes that nothing is bound to, stubs as objects, and how deep calls may be.
import assert from "node:assert";
import { DurableObject, exports } from "cloudflare:workers";

export class Bound extends DurableObject {
  /** What becomes of a call in so many others. */
  nested(depth) {
    const enter = async (left) => {
      if (left > 0) return this.ctx.blockConcurrencyWhile(() => enter(left - 1));
      try {
        return await this.ctx.blockConcurrencyWhile(async () => "in");
      } catch (error) {
        return error.message;
      }
    };
    return enter(depth);
  }
}

export class Unbound extends DurableObject {
  /** Keys of a list with options. */
  async keys(options) {
    for (const key of ["a", "b", "c"]) await this.ctx.storage.put(key, key);
    return [...(await this.ctx.storage.list(options)).keys()];
  }

  async count() {
    const count = ((await this.ctx.storage.get("count")) ?? 0) + 1;
    await this.ctx.storage.put("count", count);
    return count;
  }
}

export class Breakable extends DurableObject {
  count = 0;

  fetch(request) {
    if (request.url.endsWith("/exit")) process.exit(1);
    return new Response(`${++this.count}`);
  }

  bump() {
    return ++this.count;
  }

  abort() {
    this.ctx.abort("broken");
  }

  hang() {
    return new Promise(() => {});
  }

  block() {
    return this.ctx.blockConcurrencyWhile(() => { throw new TypeError("blocked"); });
  }

  fail() {
    throw Object.assign(new Error("only this call"), { durableObjectReset: true });
  }
}

export class Plain {
  greet(name) {
    return `hello ${name}`;
  }
}

export class Gated extends DurableObject {
  left = false;

  fetch(request) {
    if (!request.url.endsWith("/endless")) return new Response("there");
    request.signal.addEventListener("abort", () => this.left = true);
    return new Response(new ReadableStream({
      start: (controller) => controller.enqueue(new TextEncoder().encode("first")),
    }));
  }

  hasLeft() {
    return this.left;
  }

  ask() {
    return this.env.GATED.getByName("peer").fetch("http://peer/");
  }

  /** What comes when: a body that is read while another part of the object blocks. */
  async order(read) {
    const trace = [];
    const response = await this.ask();
    const blocked = this.ctx.blockConcurrencyWhile(async () => {
      await scheduler.wait(20);
      trace.push("blocking");
      const inside = await this.ask();
      trace.push(await inside.text());
    });
    if (read === "text") await response.text();
    else for await (const _chunk of response.body);
    trace.push("read");
    await blocked;
    return trace;
  }

  async unconfirmed() {
    const { storage } = this.ctx;
    const loose = { allowUnconfirmed: true, allowConcurrency: true };
    storage.put("a", 1, loose);
    storage.put({ b: 2, c: 3 }, loose);
    storage.delete("c", loose);
    await storage.sync();
    return [...await storage.list(loose)];
  }
}

export const bodiesComeThroughTheInputGate = {
  async test(_controller, env) {
    for (const read of ["text", "stream"]) {
      const trace = await env.GATED.getByName(read).order(read);
      assert.deepStrictEqual(trace, ["blocking", "there", "read"], read);
    }
  },
};

export const aReaderThatLeavesIsNoticed = {
  async test(_controller, env) {
    const stub = env.GATED.getByName("endless");
    const { body } = await stub.fetch("http://peer/endless");
    const reader = body.getReader();
    await reader.read();
    await reader.cancel();
    // What is never noticed ends with the test's time.
    while (!await stub.hasLeft()) await scheduler.wait(5);
  },
};

export const whatNeedNotBeConfirmedIsWritten = {
  async test(_controller, env) {
    const entries = await env.GATED.getByName("loose").unconfirmed();
    assert.deepStrictEqual(entries, [["a", 1], ["b", 2]]);
  },
};

export const anUnboundClassIsInExports = {
  async test(_controller, _env, ctx) {
    for (const own of [ctx.exports, exports]) {
      const stub = own.Unbound.getByName("one");
      assert.ok(await stub.count() > 0);
    }
    assert.strictEqual(await ctx.exports.Unbound.getByName("one").count(), 3);
    assert.strictEqual(await ctx.exports.Unbound.getByName("another").count(), 1);
  },
};

export const listsHaveBounds = {
  async test(_controller, _env, { exports: { Unbound } }) {
    const check = async (options, keys) =>
      assert.deepStrictEqual(await Unbound.getByName("keys").keys(options), keys);
    await check({}, ["a", "b", "c"]);
    await check({ startAfter: "a" }, ["b", "c"]);
    await check({ start: "b", end: "c" }, ["b"]);
    await check({ startAfter: "a", limit: 1, reverse: true }, ["c"]);
  },
};

export const aStubHasIdAndNameOfItsOwn = {
  test(_controller, env) {
    const stub = env.BOUND.getByName("a");
    assert.deepStrictEqual(Object.keys(stub).sort(), ["id", "name"]);
    assert.strictEqual(stub.name, "a");
    assert.strictEqual(Object.keys(env.BOUND.get(env.BOUND.newUniqueId())).length, 2);
    assert.throws(() => { stub.id = 1; }, TypeError);
    stub.own = 1;
    assert.strictEqual(stub.own, 1);
  },
};

export const aPlainClassCanBeCalled = {
  async test(_controller, env) {
    assert.strictEqual(await env.PLAIN.getByName("a").greet("you"), "hello you");
  },
};

export const callsInCallsHaveAnEnd = {
  async test(_controller, env) {
    assert.strictEqual(await env.BOUND.getByName("within").nested(63), "in");
    assert.strictEqual(
      await env.BOUND.getByName("beyond").nested(64),
      "blockConcurrencyWhile() calls are nested too deeply.",
    );
  },
};

/** What ended by `exit` has no mark of it in workerd. */
const breaksItsStub = async (namespace, name, end, expected, mark = { durableObjectReset: true }) => {
  const stub = namespace.getByName(name);
  const reset = { ...expected, ...mark };
  assert.strictEqual(await stub.bump(), 1);
  await assert.rejects(async () => await end(stub), expected);
  await assert.rejects(async () => await stub.bump(), reset);
  await assert.rejects(stub.fetch("http://object/"), reset);
  assert.strictEqual(await namespace.getByName(name).bump(), 1);
  await assert.rejects(async () => await stub.bump(), reset);
};

export const aStubOfAnAbortedObjectStaysBroken = {
  async test(_controller, { BREAKABLE }) {
    await breaksItsStub(BREAKABLE, "aborted", (stub) => stub.abort(), { message: "broken" });
  },
};

export const aStubThatWaitsWhenItsObjectEndsStaysBroken = {
  async test(_controller, { BREAKABLE }) {
    const end = async (stub) => {
      const hangs = stub.hang();
      hangs.catch(() => {});
      await assert.rejects(async () => await BREAKABLE.getByName("waiting").abort());
      return hangs;
    };
    await breaksItsStub(BREAKABLE, "waiting", end, { message: "broken" });
  },
};

export const aFailedBlockBreaksStubs = {
  async test(_controller, { BREAKABLE }) {
    const failure = { name: "TypeError", message: "blocked" };
    await breaksItsStub(BREAKABLE, "blocked", (stub) => stub.block(), failure);
  },
};

export const anExitEndsTheObject = {
  async test(_controller, { BREAKABLE }) {
    const failure = { message: /^The Node.js process.exit\(1\)/ };
    const end = (stub) => stub.fetch("http://object/exit");
    await breaksItsStub(BREAKABLE, "exited", end, failure, {});
  },
};

export const anErrorOfACallBreaksNothing = {
  async test(_controller, { BREAKABLE }) {
    const stub = BREAKABLE.getByName("failing");
    await assert.rejects(async () => await stub.fail(), { message: "only this call" });
    assert.strictEqual(await stub.bump(), 1);
  },
};
