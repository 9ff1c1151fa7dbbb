// Batches of messages that an object is handed.
import assert from "node:assert";
import { DurableObject } from "cloudflare:workers";

const message = (id) => ({ id, timestamp: new Date(1e12), body: id, attempts: 1 });

export class Box extends DurableObject {
  async queue(batch) {
    await this.ctx.storage.put("bodies", batch.messages.map(({ body }) => body));
    this.batch = batch;
    batch.messages[0].retry({ delaySeconds: 2 });
    if (batch.queue === "throws") throw new Error("on purpose");
  }
  bodies() {
    // The batch is there for as long as somebody has it.
    this.batch.ackAll();
    return this.ctx.storage.get("bodies");
  }
}
export class Mute extends DurableObject {}

export const batches = {
  async test(_controller, { BOX, MUTE }) {
    const box = BOX.get(BOX.idFromName("one"));
    const retryMessages = [{ msgId: "1", delaySeconds: 2 }];
    const told = await box.queue("q", [message("1"), message("2")]);
    assert.deepStrictEqual([told.outcome, told.retryMessages], ["ok", retryMessages]);
    assert.deepStrictEqual(await box.bodies(), ["1", "2"]);
    const failed = await box.queue("throws", [message("1")]);
    assert.deepStrictEqual([failed.outcome, failed.retryMessages], ["exception", retryMessages]);
    const mute = MUTE.get(MUTE.idFromName("one"));
    assert.strictEqual((await mute.queue("q", [message("1")])).outcome, "exception");
  },
};
