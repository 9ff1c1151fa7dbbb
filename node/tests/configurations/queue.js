// The class that sends to queues as both have it: what it asks of the service that
// keeps a queue, and what it makes of the answers. The worker is that service itself.
import assert from "node:assert";
import { Buffer } from "node:buffer";

let asked = [];
let answer;

const metrics = { backlogCount: 3, backlogBytes: 40, oldestMessageTimestamp: 1000 };
const fine = () => Response.json({ metadata: { metrics } });

export default {
  async fetch(request) {
    const headers = {};
    for (const [name, value] of request.headers) {
      if (/^(cf-queue-|x-msg-|content-type)/.test(name)) headers[name] = value;
    }
    const { pathname } = new URL(request.url);
    const body = Buffer.from(await request.arrayBuffer());
    asked.push({ line: `${request.method} ${pathname}`, headers, body });
    return answer();
  },
};

async function asks(call, response = fine) {
  asked = [];
  answer = response;
  const result = await call();
  assert.strictEqual(asked.length, 1);
  return [asked[0], result];
}

export const sending = {
  async test(_controller, { QUEUE, JSON: json }) {
    const send = async (...args) => (await asks(() => QUEUE.send(...args)))[0];
    const octets = { "content-type": "application/octet-stream" };
    const text = await send("h\u00e9", { contentType: "TEXT", delaySeconds: 5.5 });
    assert.deepStrictEqual(text, {
      line: "POST /message",
      headers: { ...octets, "x-msg-fmt": "text", "x-msg-delay-secs": "5" },
      body: Buffer.from("h\u00e9"),
    });
    const plain = await send({ a: [1] });
    assert.strictEqual(plain.headers["x-msg-fmt"], json ? "json" : undefined);
    if (json) assert.strictEqual(plain.body.toString(), '{"a":[1]}');
    const v8 = await send(new Map([["key", "value"]]), { contentType: "v8" });
    assert.strictEqual(v8.headers["x-msg-fmt"], "v8");
    assert(v8.body.includes("key") && v8.body.includes("value"));
    assert.strictEqual(v8.body[0], 0xff);

    const bytes = new Uint8Array([1, 2, 3, 4]);
    const view = await send(bytes.subarray(1, 3), { contentType: "bytes" });
    assert.deepStrictEqual([...view.body], [2, 3]);
    assert.strictEqual(bytes.byteLength, 0);
    const words = await send(new DataView(new Uint16Array([1]).buffer), { contentType: "bytes" });
    assert.deepStrictEqual([...words.body], [1, 0]);

    const [, result] = await asks(() => QUEUE.send(1, { contentType: "json" }));
    assert.deepStrictEqual(result, {
      metadata: { metrics: { ...metrics, oldestMessageTimestamp: new Date(1000) } },
    });
    const none = { backlogCount: 0, backlogBytes: 0, oldestMessageTimestamp: 0 };
    const [, empty] = await asks(
      () => QUEUE.send(1, { contentType: "json" }),
      () => Response.json({ metadata: { metrics: none } }),
    );
    assert.strictEqual(empty.metadata.metrics.oldestMessageTimestamp, undefined);
  },
};

export const sendingSeveral = {
  async test(_controller, { QUEUE, JSON: json }) {
    const kept = new Uint8Array([255]);
    const messages = function* () {
      yield { body: "abc", contentType: "text" };
      yield { body: kept, contentType: "bytes", delaySeconds: 7 };
      yield { body: null };
    };
    const [batch] = await asks(() => QUEUE.sendBatch(messages(), { delaySeconds: 2 }));
    assert.strictEqual(kept.byteLength, 1);
    const parsed = JSON.parse(batch.body.toString());
    assert.deepStrictEqual(parsed.messages.slice(0, 2), [
      { body: "YWJj", contentType: "text" },
      { body: "/w==", contentType: "bytes", delaySecs: 7 },
    ]);
    if (json) assert.deepStrictEqual(parsed.messages[2], { body: "bnVsbA==", contentType: "json" });
    else assert.strictEqual(parsed.messages[2].contentType, undefined);
    assert.strictEqual(batch.line, "POST /batch");
    assert.strictEqual(batch.headers["cf-queue-batch-count"], "3");
    assert.strictEqual(batch.headers["cf-queue-largest-msg"], json ? "4" : "3");
    assert.strictEqual(batch.headers["x-msg-delay-secs"], "2");
    assert.strictEqual(batch.headers["content-type"], "application/json");
  },
};

export const looking = {
  async test(_controller, { QUEUE }) {
    const [one, found] = await asks(() => QUEUE.metrics(), () => Response.json(metrics));
    assert.strictEqual(one.line, "GET /metrics");
    assert.deepStrictEqual(found, { ...metrics, oldestMessageTimestamp: new Date(1000) });
  },
};

export const refusals = {
  async test(_controller, { QUEUE, JSON: json }) {
    asked = [];
    const refuses = (call, message) => assert.rejects(async () => call(), { name: "TypeError", message });
    await refuses(() => QUEUE.send(undefined), "Message body cannot be undefined");
    await refuses(() => QUEUE.sendBatch([{ body: undefined }]), "Message body cannot be undefined");
    await refuses(() => QUEUE.sendBatch([]), "sendBatch() requires at least one message");
    await refuses(
      () => QUEUE.send(1, { contentType: "text" }),
      'Content Type "text" requires a value of type string, but received: number',
    );
    await refuses(
      () => QUEUE.send("1", { contentType: "bytes" }),
      'Content Type "bytes" requires a value of type ArrayBufferView, but received: string',
    );
    await refuses(() => QUEUE.send(1, { contentType: "xml" }), "Unsupported queue message content type: xml");
    await assert.rejects(async () => QUEUE.send(() => {}, { contentType: "v8" }), { name: "DataCloneError" });
    assert.deepStrictEqual(asked, []);

    const headers = { "cf-queues-error-code": "10204", "cf-queues-error-cause": "too long" };
    const failing = (init) => () => new Response("", { status: 413, ...init });
    const fails = (call, response, message) => assert.rejects(asks(call, response), { name: "Error", message });
    const send = () => QUEUE.send("a", { contentType: "text" });
    const batch = () => QUEUE.sendBatch([{ body: "a", contentType: "text" }]);
    await fails(send, failing({ headers }), json ? "too long (10204)" : "Queue send failed: Payload Too Large");
    await fails(batch, failing({}), json ? "Unknown Internal Error (15000)" : "Queue sendBatch failed: Payload Too Large");
    await fails(() => QUEUE.metrics(), failing({ headers }), "too long (10204)");
  },
};

export const shape = {
  test(_controller, { QUEUE }) {
    assert.strictEqual(QUEUE.constructor.name, "WorkerQueue");
    const names = [];
    for (const name in QUEUE) names.push(name);
    assert.deepStrictEqual(names.sort(), ["metrics", "send", "sendBatch"]);
    assert.throws(() => new QUEUE.constructor(), { name: "TypeError", message: "Illegal constructor" });
  },
};
