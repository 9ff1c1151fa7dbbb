// `tail()`: what it gets of each kind of event. It tails itself, which has an end.
import assert from "node:assert";

const items = [];
let calls = 0;

export default {
  tail(events) {
    calls++;
    for (const item of events) items.push(item);
    console.log("heard");
  },
};

async function find(what) {
  for (let i = 0; i < 200; i++) {
    const item = items.find(what);
    if (item !== undefined) return item;
    await scheduler.wait(10);
  }
  throw new Error(`not among ${JSON.stringify(items)}`);
}

const path = (part) => (item) => item.event?.request?.url.includes(part);
const messages = ({ logs }) => logs.map(({ level, message }) => [level, ...message]);

export const logs = {
  async test() {
    const item = await find(path("/logs"));
    assert.strictEqual(Object.prototype.toString.call(item), "[object TraceItem]");
    assert.deepStrictEqual(messages(item), [
      ["debug", "debug", 1, true, null, null],
      ["info", { a: [1, { b: 2 }] }, ["x"], "1970-01-01T00:00:00.000Z"],
      ["warn", "RangeError: seen", ...item.logs[2].message.slice(1)],
      ["error", "[object Map]", "[object Promise]"],
    ]);
    assert.deepStrictEqual(item.exceptions, []);
    const { outcome, truncated, executionModel, entrypoint, scriptName, durableObjectId } = item;
    assert.deepStrictEqual(
      { outcome, truncated, executionModel, entrypoint, scriptName, durableObjectId },
      {
        outcome: "ok",
        truncated: false,
        executionModel: "stateless",
        entrypoint: undefined,
        scriptName: null,
        durableObjectId: undefined,
      },
    );
    assert.strictEqual(typeof item.eventTimestamp, "number");
    assert.strictEqual(typeof item.cpuTime, "number");
    assert.strictEqual(typeof item.wallTime, "number");
    const [{ channel, message }] = item.diagnosticsChannelEvents;
    assert.strictEqual(channel, "outside");
    assert.deepStrictEqual(message, { key: new Uint8Array([1, 2]) });
    const { request, response } = item.event;
    assert.strictEqual(response.status, 201);
    assert.strictEqual(request.method, "POST");
    assert.strictEqual(request.url, "https://a.test/logs?id=REDACTED");
    assert.strictEqual(request.headers.authorization, "REDACTED");
    assert.strictEqual(request.headers.cookie, "REDACTED");
    assert.strictEqual(request.headers["x-plain"], "plain");
    const whole = request.getUnredacted();
    assert.strictEqual(whole.url, "https://a.test/logs?id=0123456789abcdef0123456789abcdef");
    assert.strictEqual(whole.headers.authorization, "Bearer x");
  },
};

export const ends = {
  async test() {
    const thrown = await find(path("/throws"));
    assert.strictEqual(thrown.outcome, "exception");
    assert.strictEqual(thrown.exceptions.length, 1);
    assert.strictEqual(thrown.exceptions[0].name, "TypeError");
    assert.strictEqual(thrown.exceptions[0].message, "not caught");
    assert.match(thrown.exceptions[0].stack, /^ {4}at .*fetch/);
    assert.strictEqual(thrown.event.response, undefined);
    assert.deepStrictEqual(messages(await find(path("/waits"))), [["log", "later"]]);
  },
};

export const kinds = {
  async test() {
    const scheduled = await find(({ event }) => event?.cron !== undefined);
    assert.strictEqual(scheduled.event.cron, "* * * * 1");
    assert.strictEqual(scheduled.event.scheduledTime, 1000);
    const queue = await find(({ event }) => event?.queue !== undefined);
    assert.deepStrictEqual([queue.event.queue, queue.event.batchSize], ["letters", 1]);
    const call = await find(({ event }) => event?.rpcMethod !== undefined);
    assert.deepStrictEqual([call.event.rpcMethod, call.entrypoint], ["greet", "Calls"]);
    assert.deepStrictEqual(messages(call), [["log", "greets", "you"]]);
    const object = await find(({ executionModel }) => executionModel === "durableObject");
    assert.strictEqual(object.entrypoint, "Counter");
    assert.match(object.durableObjectId, /^[0-9a-f]{64}$/);
    assert.deepStrictEqual(messages(object), [["log", "counted", 1]]);
  },
};

export const itself = {
  async test() {
    const own = await find(({ event }) => event?.consumedEvents !== undefined);
    assert.deepStrictEqual(messages(own), [["log", "heard"]]);
    let before;
    do {
      before = calls;
      await scheduler.wait(50);
    } while (calls !== before);
  },
};
