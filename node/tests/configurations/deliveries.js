const equal = (a, b) => {
  if (JSON.stringify(a) !== JSON.stringify(b)) {
    throw new Error(`${JSON.stringify(a)} is not ${JSON.stringify(b)}`);
  }
};
const timestamp = new Date(1e12);
const message = (id, body = id, attempts = 1) => ({ id, timestamp, body, attempts });

const does = {
  all: (batch) => batch.ackAll(),
  each({ messages }) {
    messages[0].ack();
    messages[1].retry();
    messages[2].retry({ delaySeconds: 5 });
    // Too late.
    messages[0].retry();
    messages[1].ack();
  },
  again(batch) {
    batch.retryAll({ delaySeconds: 7 });
    batch.messages[0].ack();
    batch.ackAll();
  },
  throws(batch) {
    batch.messages[0].ack();
    throw new Error("on purpose");
  },
  late(batch, env, ctx) {
    ctx.waitUntil(Promise.reject(new Error("on purpose")));
  },
  async slow(batch, env, ctx) {
    ctx.waitUntil(Promise.resolve().then(() => batch.ackAll()));
  },
  shapes({ messages, metadata }) {
    equal(messages.map(({ id, body, attempts }) => [id, body, attempts]), [["a", { b: [1] }, 1], ["c", "d", 9]]);
    equal(messages[0].timestamp, timestamp);
    equal(messages[0].timestamp instanceof Date, true);
    equal(Array.isArray(messages), true);
    equal(metadata, { metrics: { backlogCount: 3, backlogBytes: 4, oldestMessageTimestamp: timestamp } });
  },
};

export default {
  async queue(batch, env, ctx) {
    await does[batch.queue](batch, env, ctx);
  },
  async scheduled(controller, env, ctx) {
    if (controller.cron === "fails") throw new Error("on purpose");
    if (controller.cron === "late") ctx.waitUntil(Promise.reject(new Error("on purpose")));
    if (controller.scheduledTime === 5000) controller.noRetry();
  },
};
export const named = {
  queue(batch) {
    batch.retryAll();
  },
};
export const none = { fetch() {} };

const result = (said) => ({
  outcome: "ok",
  ackAll: false,
  retryBatch: { retry: false },
  explicitAcks: [],
  retryMessages: [],
  ...said,
});
export const batches = {
  async test(controller, { SELF, NAMED, NONE, CLASSIC }) {
    const three = [message("1"), message("2"), message("3")];
    equal(await SELF.queue("all", three), result({ ackAll: true }));
    equal(
      await SELF.queue("each", three),
      result({ explicitAcks: ["1"], retryMessages: [{ msgId: "2" }, { msgId: "3", delaySeconds: 5 }] }),
    );
    equal(await SELF.queue("again", three), result({ retryBatch: { retry: true, delaySeconds: 7 } }));
    equal(await SELF.queue("throws", three), result({ outcome: "exception", explicitAcks: ["1"] }));
    equal(await SELF.queue("late", three), result({ outcome: "exception" }));
    equal(await SELF.queue("slow", three), result({ ackAll: true }));
    equal(await NAMED.queue("x", []), result({ retryBatch: { retry: true } }));
    equal((await NONE.queue("x", [])).outcome, "exception");
    equal(
      await CLASSIC.queue("x", three),
      result({ retryBatch: { retry: true, delaySeconds: 3 }, explicitAcks: ["1"] }),
    );
    equal((await CLASSIC.queue("late", three)).outcome, "exception");
    const metrics = { backlogCount: 3, backlogBytes: 4, oldestMessageTimestamp: timestamp };
    const shapes = [message("a", { b: [1] }), message("c", "d", 9)];
    equal((await SELF.queue("shapes", shapes, { metrics })).outcome, "ok");
  },
};
export const faults = {
  async test(controller, { SELF }) {
    const fault = async (messages) => {
      try {
        await SELF.queue("all", messages);
      } catch (error) {
        return `${error}`;
      }
    };
    const both = "TypeError: Expected one of body or serializedBody for each message";
    equal(await fault([{ id: "1", timestamp, attempts: 1 }]), both);
    equal(await fault([{ ...message("1"), serializedBody: new Uint8Array(1) }]), both);
    equal((await fault([message("1", () => {})])).split(":")[0], "DataCloneError");
    // What is no serialised value fails where it is read.
    const broken = { id: "1", timestamp, attempts: 1, serializedBody: new Uint8Array([0xff, 0x0f, 0x5c]) };
    equal((await SELF.queue("all", [broken])).outcome, "exception");
    equal(await (async () => SELF.queue.call({}))().catch((error) => error.name), "TypeError");
  },
};
export const runs = {
  async test(controller, { SELF, NAMED, CLASSIC }) {
    equal(await SELF.scheduled(), { outcome: "ok", noRetry: false });
    equal(await SELF.scheduled({ scheduledTime: new Date(5000) }), { outcome: "ok", noRetry: true });
    equal(await SELF.scheduled({ cron: "fails", scheduledTime: new Date(5000) }), { outcome: "exception", noRetry: false });
    equal(await SELF.scheduled({ cron: "late" }), { outcome: "exception", noRetry: false });
    equal((await NAMED.scheduled()).outcome, "exception");
    equal(await CLASSIC.scheduled({ cron: "* * * * *" }), { outcome: "ok", noRetry: true });
  },
};
