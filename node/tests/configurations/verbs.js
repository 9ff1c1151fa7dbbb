// What stubs could do before RPC: get, put and delete.
import assert from "node:assert";

const kept = new Map();

export const store = {
  async fetch(request) {
    const { pathname, search } = new URL(request.url);
    if (pathname === "/broken") return new Response("no", { status: 500, statusText: "Broken" });
    switch (request.method) {
      case "PUT":
        kept.set(pathname, (await request.text()) + search);
        return new Response();
      case "DELETE":
        kept.delete(pathname);
        return new Response();
      default:
        return new Response(kept.get(pathname), { status: kept.has(pathname) ? 200 : 404 });
    }
  },
};

export class Object {
  fetch(request) {
    return new Response(`${request.method} ${request.url}`);
  }
}

export const verbs = {
  async test(_, { STORE, OBJECT }) {
    assert.strictEqual(await STORE.get("http://store/a"), null);
    assert.strictEqual(await STORE.put("http://store/a", "[1]"), undefined);
    assert.strictEqual(await STORE.get("http://store/a"), "[1]");
    assert.deepStrictEqual(await STORE.get("http://store/a", "json"), [1]);
    assert.strictEqual((await STORE.get("http://store/a", "arrayBuffer")).byteLength, 3);
    const stream = await STORE.get("http://store/a", "stream");
    assert.strictEqual(await new Response(stream).text(), "[1]");
    await assert.rejects(STORE.get("http://store/a", "other"), { name: "TypeError" });
    await STORE.put("http://store/b", "x", { expiration: 5, expirationTtl: 60 });
    assert.strictEqual(await STORE.get("http://store/b"), "x?expiration=5&expiration_ttl=60");
    await STORE.delete("http://store/a");
    assert.strictEqual(await STORE.get("http://store/a"), null);
    const refused = (method) => ({ message: `HTTP ${method} request failed: 500 Broken` });
    await assert.rejects(STORE.get("http://store/broken"), refused("GET"));
    await assert.rejects(STORE.put("http://store/broken", ""), refused("PUT"));
    await assert.rejects(STORE.delete("http://store/broken"), refused("DELETE"));
    const stub = OBJECT.get(OBJECT.idFromName("a"));
    assert.strictEqual(await stub.get("http://object/"), "GET http://object/");
  },
};

export const requestsHaveNoCacheOptionYet = {
  test() {
    assert.throws(() => new Request("http://store/", { cache: "no-store" }), {
      name: "Error",
      message: "The 'cache' field on 'RequestInitializerDict' is not implemented.",
    });
    assert.strictEqual(new Request("http://store/", { cache: undefined }).cache, undefined);
  },
};
