// What a test may call by any name, and calls that nobody answers.
import assert from "node:assert";
import { DurableObject, RpcTarget, WorkerEntrypoint } from "cloudflare:workers";

class Counter extends RpcTarget {
  #count = 0;
  add() {
    return ++this.#count;
  }
}

export class Named extends WorkerEntrypoint {
  fetch() {
    return new Response("fetched");
  }

  counter() {
    return new Counter();
  }

  double(n) {
    return 2 * n;
  }

  never() {
    return new Promise(() => {});
  }

  async neverThrough() {
    return await this.ctx.exports.Named.never();
  }

  async later() {
    await scheduler.wait(20);
    return await this.ctx.exports.Named.double(4);
  }
}

export class Box extends DurableObject {
  triple(n) {
    return 3 * n;
  }
}

export const namesThatStubsHaveThemselves = {
  async test(_controller, { SELF, BOXES }) {
    const method = (name) => SELF.getRpcMethodForTestOnly(name);
    assert.strictEqual(await method("double")(4), 8);
    for (const name of ["fetch", "constructor"]) {
      await assert.rejects(async () => await method(name)(), /reserved method/);
    }
    await assert.rejects(async () => await method("toString")(), /does not implement/);
    assert.strictEqual(await BOXES.getByName("a").getRpcMethodForTestOnly("triple")(4), 12);
  },
};

const HUNG = /code had hung and would never generate a response/;

export const aCallThatNobodyAnswersFails = {
  async test(_controller, { SELF }) {
    await assert.rejects(async () => await SELF.never(), HUNG);
    await assert.rejects(async () => await SELF.neverThrough(), HUNG);
    const [slow, hung] = await Promise.allSettled([SELF.later(), SELF.never()]);
    assert.strictEqual(slow.value, 8);
    assert.match(hung.reason.message, HUNG);
    // What is held of another call is no call that hangs.
    using counter = await SELF.counter();
    assert.strictEqual(await counter.add(), 1);
    await assert.rejects(async () => await SELF.never(), HUNG);
    assert.strictEqual(await counter.add(), 2);
  },
};
