// What is told of SQL.
import assert from "node:assert";

const spans = [];

export default {
  tailStream() {
    const open = new Map();
    return ({ event, spanContext }) => {
      if (event.type === "spanOpen") open.set(event.spanId, { name: event.name });
      const span = open.get(spanContext.spanId);
      if (event.type === "attributes" && span !== undefined) {
        for (const { name, value } of event.info) span[name] = value;
      }
      if (event.type === "spanClose") spans.push(span);
    };
  },
};

async function find(what) {
  for (let i = 0; i < 200; i++) {
    const span = spans.find(what);
    if (span !== undefined) return span;
    await scheduler.wait(10);
  }
  throw new Error(`not among ${spans.map(({ name }) => name)}`);
}

const RESPONSE = "cloudflare.durable_object.response.";

export const statements = {
  async test() {
    const text = "SELECT a FROM parts";
    assert.deepStrictEqual(await find((span) => span["db.query.text"] === text), {
      name: "durable_object_storage_exec",
      "db.system.name": "cloudflare-durable-object-sql",
      "db.operation.name": "exec",
      "db.query.text": text,
      "cloudflare.durable_object.query.bindings": 0n,
      [`${RESPONSE}rows_read`]: 3n,
      [`${RESPONSE}rows_written`]: 0n,
    });
    const ingest = await find((span) => span[`${RESPONSE}statement_count`] === 2n);
    assert.strictEqual(ingest.name, "durable_object_storage_ingest");
    const size = await find(({ name }) => name === "durable_object_storage_getDatabaseSize");
    assert.strictEqual(size["db.operation.name"], "getDatabaseSize");
    assert.strictEqual(typeof size[`${RESPONSE}db_size`], "bigint");
  },
};
