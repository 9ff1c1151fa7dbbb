// D1 with the flag `d1_binding_jsrpc`: what is asked by calls, and what is made of
// the answers.
import assert from "node:assert";

const failed = async (promise) => {
  try {
    return await promise;
  } catch (error) {
    return error.message;
  }
};

export const calls = {
  async test(_controller, { DB }) {
    const bound = DB.prepare("SELECT ?").bind(7);
    const row = { sql: "SELECT ?", params: "7" };
    assert.deepStrictEqual((await bound.run()).results, [row]);
    assert.deepStrictEqual((await bound.all()).results, [row]);
    assert.deepStrictEqual(await bound.first(), row);
    assert.strictEqual(await bound.first("params"), "7");
    assert.deepStrictEqual(await bound.raw(), [["SELECT ?", "7"]]);
    const both = await bound.raw({ columnNames: true });
    assert.deepStrictEqual(both, [["sql", "params"], ["SELECT ?", "7"]]);
    const batch = await DB.batch([bound, DB.prepare("other")]);
    assert.deepStrictEqual(batch.map(({ results }) => results[0].sql), ["SELECT ?", "other"]);
    assert.deepStrictEqual(await DB.exec("one\ntwo"), { count: 2, duration: 1 });
  },
};

export const failures = {
  async test(_controller, { DB }) {
    const bad = DB.prepare("bad");
    assert.strictEqual(await failed(bad.all()), "D1_ERROR: no such thing");
    assert.strictEqual(await failed(DB.exec("bad")), "D1_EXEC_ERROR: no such thing");
    const missing = await failed(DB.prepare("x").first("none"));
    assert.strictEqual(missing, "D1_COLUMN_NOTFOUND: Column not found (none)");
  },
};

export const sessions = {
  async test(_controller, { DB }) {
    const session = DB.withSession("first-primary");
    assert.strictEqual(session.getBookmark(), null);
    await session.prepare("in a session").run();
    assert.strictEqual(session.getBookmark(), "after first-primary");
    await DB.prepare("x").run();
  },
};
