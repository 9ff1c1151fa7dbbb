// `process.exit()` ends the event that calls it, and no more of its script runs.
import assert from "node:assert";
import process from "node:process";

let after = 0;
let made = 0;

process.exit(1);

export class Box {
  constructor() {
    made++;
  }

  fetch(request) {
    if (request.url.endsWith("/alive")) return new Response("alive");
    try {
      process.exit(3);
    } finally {
      after++;
    }
  }
}

export default {
  async fetch(request) {
    if (request.url.endsWith("/alive")) return new Response("alive");
    try {
      process.exit(2);
    } catch {
      after++;
    } finally {
      after++;
    }
    return new Response("after");
  },
};

const told = (code) => ({
  message: `The Node.js process.exit(${code}) API was called. Canceling the request.`,
});

export const aHandlerEnds = {
  async test(_controller, { SELF }) {
    const other = SELF.fetch("https://self.test/alive");
    await assert.rejects(() => SELF.fetch("https://self.test/"), told(2));
    assert.strictEqual(await (await other).text(), "alive");
    assert.strictEqual(await (await SELF.fetch("https://self.test/alive")).text(), "alive");
    assert.strictEqual(after, 0);
  },
};

export const anObjectEndsWithItsEvent = {
  async test(_controller, { BOX }) {
    const id = BOX.idFromName("one");
    const box = BOX.get(id);
    await assert.rejects(() => box.fetch("https://box.test/"), told(3));
    await assert.rejects(() => box.fetch("https://box.test/"), told(3));
    assert.strictEqual(made, 1);
    await assert.rejects(() => BOX.get(id).fetch("https://box.test/"), told(3));
    assert.deepStrictEqual([made, after], [2, 0]);
    // What begins next is in no event of before.
    const other = BOX.get(BOX.idFromName("other"));
    for (let i = 0; i < 2; i++) {
      const answer = await other.fetch("https://box.test/alive");
      assert.strictEqual(await answer.text(), "alive");
    }
  },
};
