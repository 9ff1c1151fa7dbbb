// What objects see of `ctx`: what it has, what may be replaced, and what its methods
// refuse.
import assert from "node:assert";
import { DurableObject } from "cloudflare:workers";

export class Looked extends DurableObject {
  run(part) {
    return parts[part](this.ctx);
  }
  alarm() {
    if (this.ctx.id.name !== "alarms") return;
    rung++;
    if (rung === 1) this.ctx.abort("given up", { retryAlarm: false });
  }
  set() {
    return this.ctx.storage.setAlarm(Date.now());
  }
  pending() {
    return this.ctx.storage.getAlarm();
  }
}

let rung = 0;

/** An alarm that its handler gives up with its object is rung no more. */
export const alarms = {
  async test(controller, { OBJECT }) {
    await OBJECT.getByName("alarms").set().catch(() => {});
    while (rung === 0 || await OBJECT.getByName("alarms").pending().catch(() => true)) {
      await scheduler.wait(10);
    }
    assert.equal(rung, 1);
  },
};

const object = (part) => ({
  test: (controller, { OBJECT }) => OBJECT.getByName(part).run(part),
});
export const shapes = object("shapes");
export const replaced = object("replaced");
export const receivers = object("receivers");
export const absent = object("absent");
export const odd = object("odd");
export const values = object("values");
export const bindings = object("bindings");
export const ends = object("ends");
export const sockets = object("sockets");

const of = (method, type, place = 1, name = "DurableObjectStorage") => ({
  name: "TypeError",
  message: `Failed to execute '${method}' on '${name}': parameter ${place} is not of type '${type}'.`,
});
const ENTRIES =
  "put() may only be called with a single key-value pair and optional options as put(key, " +
  "value, options) or with multiple key-value pairs and optional options as put(entries, " +
  "options)";

const parts = {
  shapes({ id, storage, ...rest }) {
    const names = ["container", "exports", "facets", "props"];
    assert.deepEqual(Object.keys(rest).sort(), names);
    assert.deepEqual(Object.keys(storage).sort(), ["kv", "sql"]);
    assert.deepEqual(Object.keys(id).sort(), ["jurisdiction", "name"]);
    assert.equal(JSON.stringify(id), '{"name":"shapes"}');
    const { sql } = storage;
    assert.equal(storage.sql, sql);
    assert(Object.hasOwn(Object.getPrototypeOf(storage), "get"));
    assert.equal(Object.getPrototypeOf(Object.getPrototypeOf(storage)), Object.prototype);
    const members = [];
    for (const name in id) members.push(name);
    assert.deepEqual(members.sort(), ["equals", "jurisdiction", "name", "toString"]);
  },

  replaced(ctx) {
    const { storage, id } = ctx;
    for (const name of ["sql", "kv"]) {
      storage[name] = 1;
      const own = { value: 1, writable: true, enumerable: true, configurable: true };
      assert.deepEqual(Object.getOwnPropertyDescriptor(storage, name), own);
      assert(delete storage[name]);
      assert(!(name in storage));
    }
    for (const name of ["storage", "id", "props", "facets", "exports", "container"]) {
      ctx[name] = 2;
      assert.equal(ctx[name], 2);
      assert(delete ctx[name]);
      assert.equal(ctx[name], undefined);
    }
    for (const name of ["name", "jurisdiction"]) {
      assert.throws(() => id[name] = "other", TypeError);
    }
  },

  receivers({ storage, waitUntil }) {
    const { get, transaction } = storage;
    const illegal = { name: "TypeError", message: /^Illegal invocation/ };
    for (const method of [get, transaction, waitUntil, storage.kv.get, storage.sql.exec]) {
      assert.throws(() => method("a"), illegal);
      assert.throws(() => method.call({}, "a"), illegal);
    }
  },

  async absent({ storage, blockConcurrencyWhile }) {
    const { kv, sql } = storage;
    await storage.put({ undefined: "kept", a: 1 });
    await assert.rejects(storage.get(), of("get", "string or Array"));
    assert.equal(await storage.get(undefined), "kept");
    await assert.rejects(storage.put(), of("put", "string or object"));
    await assert.rejects(storage.put("a"), { message: "put() called with undefined value." });
    assert.throws(() => storage.delete(), of("delete", "string or Array"));
    await assert.rejects(storage.setAlarm(), of("setAlarm", "date"));
    await assert.rejects(storage.transaction(), of("transaction", "function"));
    assert.throws(() => storage.transactionSync(), of("transactionSync", "function"));
    await assert.rejects(storage.getBookmarkForTime(), of("getBookmarkForTime", "date"));
    const restore = of("onNextSessionRestoreBookmark", "string");
    await assert.rejects(storage.onNextSessionRestoreBookmark(), restore);
    assert.throws(() => kv.get(), of("get", "string", 1, "SyncKvStorage"));
    assert.throws(() => kv.put("a"), of("put", "Value", 2, "SyncKvStorage"));
    assert.throws(() => kv.delete(), of("delete", "string", 1, "SyncKvStorage"));
    assert.throws(() => sql.exec(), of("exec", "String", 1, "SqlStorage"));
    assert.equal((await storage.list(null)).size, 2);
    for (const nothing of [storage.sync(), storage.deleteAlarm(), storage.deleteAll()]) {
      assert.equal(await nothing, undefined);
    }
  },

  async odd(ctx) {
    const { storage } = ctx;
    await assert.rejects(storage.get("a", 5), of("get", "GetOptions", 2));
    await assert.rejects(storage.put("a", 1, "x"), of("put", "PutOptions", 3));
    await assert.rejects(storage.put({ a: 1 }, true), { name: "TypeError", message: ENTRIES });
    await assert.rejects(storage.put(new Date(0), 1), { message: ENTRIES });
    await storage.put(["x", "y"], "of a list");
    assert.equal(await storage.get("x,y"), "of a list");
    await assert.rejects(storage.list("a"), of("list", "ListOptions"));
    await assert.rejects(storage.getAlarm(5), of("getAlarm", "GetAlarmOptions"));
    await assert.rejects(storage.deleteAlarm(5), of("deleteAlarm", "SetAlarmOptions"));
    assert.throws(() => storage.kv.list(5), of("list", "ListOptions", 1, "SyncKvStorage"));
    assert.throws(() => storage.delete(Symbol("no")), TypeError);
    const positive = { name: "TypeError", message: "List limit must be positive." };
    for (const limit of [0, -1, NaN, Infinity]) {
      await assert.rejects(storage.list({ limit }), positive);
    }
    await assert.rejects(storage.list({ limit: 2 ** 31 }), {
      message: "Value out of range. Must be between -2147483648 and 2147483647 (inclusive).",
    });
    for (const time of ["2099-01-01", true, null, [], {}, 5n]) {
      await assert.rejects(storage.setAlarm(time), of("setAlarm", "date"));
    }
    const invalid = { message: "The value cannot be converted because it is not a valid Date." };
    for (const time of [NaN, Infinity, new Date(NaN)]) {
      await assert.rejects(storage.setAlarm(time), invalid);
    }
    const far = { message: "This API doesn't support dates after 2189." };
    await assert.rejects(storage.setAlarm(8.64e15), far);
    await assert.rejects(storage.setAlarm(0), {
      message: "setAlarm() cannot be called with an alarm time <= 0",
    });
    for (const run of [undefined, null, 5, {}]) {
      const refused = of("blockConcurrencyWhile", "function", 1, "DurableObjectState");
      await assert.rejects(async () => ctx.blockConcurrencyWhile(run), refused);
    }
    const options = of("abort", "AbortOptions", 2, "DurableObjectState");
    assert.throws(() => ctx.abort("no", 5), options);
  },

  async values({ storage }) {
    const getter = { get broken() { throw new RangeError("the script's own"); } };
    await assert.rejects(storage.put("a", getter), { name: "RangeError", message: "the script's own" });
    await assert.rejects(storage.put("a", () => 1), { name: "DataCloneError" });
    storage.kv.put("nothing", undefined);
    assert.deepEqual([...storage.kv.list({ start: "n" })], [["nothing", undefined]]);
    // A list goes on with what there is.
    for (const key of ["x1", "x2", "x3"]) storage.kv.put(key, key);
    const seen = [];
    for (const [key] of storage.kv.list({ prefix: "x" })) {
      seen.push(key);
      if (key === "x1") {
        storage.kv.put("x11", 1);
        storage.kv.delete("x3");
      }
    }
    assert.deepEqual(seen, ["x1", "x11", "x2"]);
    // What is put is what it was then.
    const value = { a: 1 };
    const put = storage.put("mutable", value);
    value.a = 2;
    await put;
    assert.deepEqual(await storage.get("mutable"), { a: 1 });
  },

  bindings({ storage: { sql } }) {
    const kept = (value) => Object.values(sql.exec("SELECT ? AS v, typeof(?1) AS t", value).one());
    assert.deepEqual(kept(undefined), [null, "null"]);
    assert.deepEqual(kept(false), ["false", "text"]);
    assert.deepEqual(kept({ toString: () => "an object" }), ["an object", "text"]);
    assert.throws(() => kept({ toString() { throw new RangeError("no text"); } }), {
      name: "RangeError",
      message: "no text",
    });
    assert.throws(() => kept(5n), TypeError);
    assert.throws(() => kept(Symbol("s")), TypeError);
    const hex = (value) => sql.exec("SELECT hex(?) AS v", value).one().v;
    const buffer = new Uint8Array([1, 2, 3]).buffer;
    assert.equal(hex(buffer), "010203");
    assert.equal(hex(new DataView(buffer, 1)), "0203");
    assert.equal(hex(new Uint8Array(new SharedArrayBuffer(2))), "0000");
    assert.equal(hex(new SharedArrayBuffer(2)), "0000");
    structuredClone(buffer, { transfer: [buffer] });
    assert.equal(hex(buffer), "");
    for (const [text, ...values] of [["SELECT ?"], ["SELECT ?", 1, 2], ["SELECT 1", 1]]) {
      assert.throws(() => sql.exec(text, ...values), /^Error: Wrong number of parameter bindings/);
    }
    for (const text of ["SELECT 1 AS a;\0", "SELECT 1 AS a\0 DROP", "\0SELECT 1", "SELECT 'a\0b'"]) {
      assert.throws(() => sql.exec(text), Error);
    }
  },

  async ends({ storage }) {
    let ended;
    await storage.transaction(async (transaction) => ended = transaction);
    const over = /^Error: Cannot call (put|get)\(\) on transaction that has already committed/;
    await assert.rejects(ended.put("a", 1), over);
    await assert.rejects(ended.get("a"), over);
    assert.throws(() => ended.delete("a"), /that has already committed/);
    assert.throws(() => ended.deleteAll(), /within a transaction/);
  },

  sockets(ctx) {
    const name = "DurableObjectState";
    const pair = () => new WebSocketPair()[1];
    assert.throws(() => ctx.acceptWebSocket({}), of("acceptWebSocket", "WebSocket", 1, name));
    for (const tags of ["abc", new Set(["a"]), null]) {
      assert.throws(() => ctx.acceptWebSocket(pair(), tags), of("acceptWebSocket", "Array", 2, name));
    }
    const ten = Array.from({ length: 10 }, (_, index) => `${index}`);
    assert.throws(() => ctx.acceptWebSocket(pair(), [...ten, "0"]), /more than 10 tags/);
    assert.throws(() => ctx.acceptWebSocket(pair(), ["\u00e4".repeat(129)]), /max tag length/);
    assert.throws(() => ctx.getTags({}), of("getTags", "WebSocket", 1, name));
    assert.throws(() => ctx.getTags(pair()), /you must call 'acceptWebSocket\(\)' before/);
    const plain = pair();
    plain.accept();
    assert.throws(() => ctx.getTags(plain), /only hibernatable websockets can have tags/);
    assert.equal(ctx.getWebSocketAutoResponseTimestamp(pair()), null);
    const answers = of("setWebSocketAutoResponse", "WebSocketRequestResponsePair", 1, name);
    for (const answer of [null, "ping", { request: "a", response: "b" }]) {
      assert.throws(() => ctx.setWebSocketAutoResponse(answer), answers);
    }
    const long = new WebSocketRequestResponsePair("\u00e4".repeat(1025), "a");
    assert.throws(() => ctx.setWebSocketAutoResponse(long), /A request of size 2050 was provided/);
    assert.throws(() => new WebSocketRequestResponsePair("a"), TypeError);
    for (const [timeout, kept] of [[5000, 5000], [0, null], [1.5, 1], [undefined, null]]) {
      ctx.setHibernatableWebSocketEventTimeout(timeout);
      assert.equal(ctx.getHibernatableWebSocketEventTimeout(), kept);
    }
    for (const timeout of [-1, NaN, "x"]) {
      assert.throws(() => ctx.setHibernatableWebSocketEventTimeout(timeout), TypeError);
    }
  },
};
