// Values that are none of the language's, as objects keep them.
import assert from "node:assert";
import { DurableObject } from "cloudflare:workers";

class Point {
  x = 1;
}

const KEPT = {
  blob: [() => new Blob(["he", "llo"], { type: "text/plain" }), async (blob) => [blob.constructor.name, blob.type, await blob.text()], ["Blob", "text/plain", "hello"]],
  exception: [() => new DOMException("stopped", "AbortError"), (e) => [e instanceof DOMException, e.name, e.message, e.code], [true, "AbortError", "stopped", 20]],
  headers: [() => new Headers({ a: "b", "c-d": "e" }), (headers) => [...headers], [["a", "b"], ["c-d", "e"]]],
  request: [() => new Request("http://a.test/b", { method: "PUT", headers: { a: "b" } }), (r) => [r.url, r.method, r.headers.get("a")], ["http://a.test/b", "PUT", "b"]],
  response: [() => new Response(null, { status: 204, headers: { a: "b" } }), (r) => [r.status, r.headers.get("a")], [204, "b"]],
  nested: [
    () => ({ list: [new Blob(["x"]), new Map([["e", new DOMException("m", "DataError")]])], text: "a\\b" }),
    async ({ list: [blob, map], text }) => [await blob.text(), map.get("e").name, text],
    ["x", "DataError", "a\\b"],
  ],
  // What V8 clones by itself, with the byte that it has for objects of an API.
  backslashes: [() => ["\\", "a\\\\b", new Uint8Array([0x5c, 0x5c]), /\\/g, 0x5c, 92n], (v) => [v[0], v[1], [...v[2]], v[3].source, v[4], `${v[5]}`], ["\\", "a\\\\b", [92, 92], "\\\\", 92, "92"]],
  error: [() => new TypeError("t", { cause: new Error("c") }), (e) => [e.constructor.name, e.message, e.cause.message], ["TypeError", "t", "c"]],
  classed: [() => new Point(), (point) => [point.constructor.name, point.x], ["Object", 1]],
};

const REFUSED = {
  url: [() => new URL("http://a.test/"), 'Could not serialize object of type "URL". This type does not support serialization.'],
  search: [() => [new URLSearchParams("a=b")], 'Could not serialize object of type "URLSearchParams". This type does not support serialization.'],
  stream: [() => new ReadableStream(), "ReadableStream can only be serialized for RPC."],
  body: [() => new Response(new ReadableStream()), "ReadableStream can only be serialized for RPC."],
  function: [() => () => 1, "() => 1 could not be cloned."],
  symbol: [() => Symbol("mark"), "Symbol(mark) could not be cloned."],
  weak: [() => ({ a: new WeakMap() }), "#<WeakMap> could not be cloned."],
  both: [() => [new Blob(["x"]), () => 1], "() => 1 could not be cloned."],
};

export class Keeper extends DurableObject {
  async keeps() {
    const { storage } = this.ctx;
    const ways = [
      [(key, value) => storage.put(key, value), (key) => storage.get(key)],
      [(key, value) => storage.put({ [key]: value }), async (key) => (await storage.list({ prefix: key })).get(key)],
      [(key, value) => storage.kv.put(key, value), (key) => storage.kv.get(key)],
    ];
    for (const [put, get] of ways) {
      for (const [name, [make, look, expected]] of Object.entries(KEPT)) {
        await put(name, make());
        assert.deepEqual(await look(await get(name)), expected, name);
      }
      for (const [name, [make, message]] of Object.entries(REFUSED)) {
        await assert.rejects(async () => put(name, make()), { name: "DataCloneError", message }, name);
        assert.equal(await get(name), undefined);
      }
    }
    await storage.deleteAll();
  }
}

export const values = {
  async test(_controller, { KEEPER }) {
    await KEEPER.getByName("a").keeps();
  },
};
