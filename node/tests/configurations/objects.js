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
  async count() {
    const count = ((await this.ctx.storage.get("count")) ?? 0) + 1;
    await this.ctx.storage.put("count", count);
    return count;
  }
}

export class Plain {
  greet(name) {
    return `hello ${name}`;
  }
}

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
