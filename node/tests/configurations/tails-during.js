// `tailStream()`: what it is told, and in which order.
import assert from "node:assert";

const streams = [];

export default {
  tailStream(onset) {
    const told = [onset];
    streams.push(told);
    return (event) => told.push(event);
  },
};

async function find(what) {
  for (let i = 0; i < 200; i++) {
    const told = streams.find(
      (told) => what(told[0].event) && told.at(-1).event.type === "outcome",
    );
    if (told !== undefined) return told;
    await scheduler.wait(10);
  }
  throw new Error(`not among ${JSON.stringify(streams)}`);
}

const types = (told) => told.map(({ event }) => event.type);

/** What is told of the event itself, and not of a span of it. */
function whole(told) {
  const { spanId } = told[0].event;
  return told.filter(
    ({ event, spanContext }) =>
      event.type === "onset" || (spanContext.spanId === spanId && event.type !== "spanOpen"),
  );
}

export const requests = {
  async test() {
    const told = await find(({ info }) => info.url?.includes("/logs"));
    const [onset] = told;
    const log = Array(4).fill("log");
    assert.deepStrictEqual(types(told), ["onset", ...log, "diagnosticChannel", "return", "outcome"]);
    assert.deepStrictEqual(told[1].event.message, ["debug", 1, true, null, null]);
    assert.strictEqual(told[3].event.errorInfo[0].name, "RangeError");
    assert.deepStrictEqual(told[6].event.info, { type: "fetch", statusCode: 201 });
    assert.strictEqual(told[7].event.outcome, "ok");
    const { info, executionModel, scriptTags, spanId } = onset.event;
    assert.deepStrictEqual([info.type, info.method], ["fetch", "POST"]);
    assert.ok(info.headers.some(({ name, value }) => name === "x-plain" && value === "plain"));
    assert.deepStrictEqual([executionModel, scriptTags], ["stateless", []]);
    assert.ok(onset.timestamp instanceof Date);
    for (const { invocationId, spanContext, sequence } of told) {
      assert.strictEqual(invocationId, onset.invocationId);
      assert.strictEqual(spanContext.traceId, onset.spanContext.traceId);
      assert.strictEqual(typeof sequence, "number");
    }
    assert.strictEqual(told[1].spanContext.spanId, spanId);
  },
};

export const kinds = {
  async test() {
    const thrown = await find(({ info }) => info.url?.includes("/throws"));
    assert.deepStrictEqual(types(thrown), ["onset", "exception", "outcome"]);
    assert.strictEqual(thrown[1].event.message, "not caught");
    assert.strictEqual(thrown[2].event.outcome, "exception");
    const scheduled = await find(({ info }) => info.type === "scheduled");
    assert.strictEqual(scheduled[0].event.info.scheduledTime.getTime(), 1000);
    assert.deepStrictEqual(types(scheduled), ["onset", "log", "return", "outcome"]);
    const all = await find(({ entrypoint }) => entrypoint === "Calls");
    // Which span a log of a call is of differs.
    assert.ok(all.some(({ event }) => event.type === "log" && event.message[1] === "you"));
    const call = whole(all).filter(({ event }) => event.type !== "log");
    assert.deepStrictEqual(types(call), ["onset", "attributes", "return", "outcome"]);
    assert.deepStrictEqual(call[1].event.info, [{ name: "jsrpc.method", value: "greet" }]);
  },
};

export const spans = {
  async test() {
    const object = await find(({ entrypoint }) => entrypoint === "Counter");
    const opened = object.filter(({ event }) => event.type === "spanOpen");
    const names = opened.map(({ event }) => event.name);
    assert.deepStrictEqual(names, ["durable_object_storage_get", "durable_object_storage_put"]);
    for (const { event } of opened) {
      const closed = object.filter(
        (told) => told.event.type === "spanClose" && told.spanContext.spanId === event.spanId,
      );
      assert.strictEqual(closed.length, 1);
    }
  },
};
