// What is told of a database's methods.
import assert from "node:assert";

const spans = new Map();

export default {
  tailStream() {
    return ({ event, spanContext, invocationId }) => {
      const key = `${invocationId} ${event.spanId ?? spanContext.spanId}`;
      if (event.type === "spanOpen") spans.set(key, { name: event.name });
      const span = spans.get(key);
      if (span === undefined) return;
      if (event.type === "attributes") {
        for (const { name, value } of event.info) span[name] = value;
      }
      if (event.type === "spanClose") span.closed = true;
    };
  },
};

async function find(name, text) {
  for (let i = 0; i < 200; i++) {
    for (const span of spans.values()) {
      if (span.closed && span.name === name && span["db.query.text"] === text) return span;
    }
    await scheduler.wait(10);
  }
  throw new Error(`not among ${[...spans.values()].map(({ name }) => name)}`);
}

function of(name, operation, text) {
  return {
    name,
    "db.system.name": "cloudflare-d1",
    "db.operation.name": operation,
    "db.query.text": text,
    "cloudflare.binding.type": "D1",
    closed: true,
  };
}

const said = (bookmark, values) =>
  Object.fromEntries(
    Object.entries({ ...values, bookmark })
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [`cloudflare.d1.response.${name}`, value]),
  );

const one = {
  changes: 1,
  changed_db: false,
  last_row_id: 0,
  rows_read: 2,
  rows_written: 3,
  size_after: 4096,
  served_by_region: "WEUR",
  sql_duration_ms: 0.25,
};
const two = {
  ...one,
  changes: 2,
  changed_db: true,
  last_row_id: 1,
  rows_read: 4,
  rows_written: 6,
  size_after: 8192,
  sql_duration_ms: 0.5,
};

export const methods = {
  async test() {
    assert.deepStrictEqual(await find("d1_run", "SELECT ?"), {
      ...of("d1_run", "run", "SELECT ?"),
      ...said(undefined, one),
    });
    assert.deepStrictEqual(await find("d1_batch", "SELECT ?\nother"), {
      ...of("d1_batch", "batch", "SELECT ?\nother"),
      "db.operation.batch.size": 2,
      ...said(undefined, two),
    });
    assert.deepStrictEqual(await find("d1_exec", "one\ntwo"), {
      ...of("d1_exec", "exec", "one\ntwo"),
      ...said(undefined, two),
    });
    assert.deepStrictEqual(await find("d1_all", "bad"), {
      ...of("d1_all", "all", "bad"),
      "error.type": "no such thing",
    });
    assert.deepStrictEqual(await find("d1_run", "in a session"), {
      ...of("d1_run", "run", "in a session"),
      ...said("after first-primary", one),
    });
  },
};
