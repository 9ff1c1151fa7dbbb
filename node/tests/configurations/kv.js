// KV's class as both have it: what it asks of the service that keeps a namespace, and
// what it makes of the answers. The worker is that service itself.
import assert from "node:assert";
import { WorkerEntrypoint } from "cloudflare:workers";

let asked = [];
let answer = () => new Response("value");

export default class Service extends WorkerEntrypoint {
  async fetch(request) {
    const { pathname, search } = new URL(request.url);
    const headers = {};
    for (const name of ["cf-kv-metadata", "content-type", "content-length", "transfer-encoding"]) {
      if (request.headers.has(name)) headers[name] = request.headers.get(name);
    }
    const body = request.body === null ? null : await request.text();
    asked.push({ line: `${request.method} ${pathname}${search}`, headers, body });
    return answer(request);
  }
  delete(keys) {
    asked.push({ delete: keys });
  }
}

/** What `call` asked, with the service answering `response`. */
async function asks(call, response = () => new Response("value")) {
  asked = [];
  answer = response;
  const result = await call();
  assert.strictEqual(asked.length, 1);
  return [asked[0], result];
}

const text = { "content-type": "text/plain;charset=UTF-8" };

export const reading = {
  async test(_controller, { KV }) {
    const line = async (key, options) => (await asks(() => KV.get(key, options)))[0].line;
    assert.strictEqual(await line("key"), "GET /key?urlencoded=true");
    assert.strictEqual(await line("a/b c?\u00e9%2e"), "GET /a%2Fb%20c%3F%C3%A9%252e?urlencoded=true");
    assert.strictEqual(await line(7), "GET /7?urlencoded=true");
    assert.strictEqual(await line("k", { cacheTtl: 60.9 }), "GET /k?urlencoded=true&cache_ttl=60");
    assert.strictEqual(await line("k", { cacheTtl: NaN }), "GET /k?urlencoded=true&cache_ttl=0");

    const json = () => new Response('{"a":[1]}');
    assert.deepStrictEqual((await asks(() => KV.get("k", "json"), json))[1], { a: [1] });
    assert.deepStrictEqual((await asks(() => KV.get("k", { type: "json" }), json))[1], { a: [1] });
    const bytes = (await asks(() => KV.get("k", "arrayBuffer"), json))[1];
    assert(bytes instanceof ArrayBuffer && bytes.byteLength === 9);
    const stream = (await asks(() => KV.get("k", "stream"), json))[1];
    assert(stream instanceof ReadableStream);
    assert.strictEqual(await new Response(stream).text(), '{"a":[1]}');

    const headers = { "cf-kv-metadata": '{"m":"\u00e9"}', "cf-cache-status": "HIT" };
    const [, found] = await asks(() => KV.getWithMetadata("k"), () => new Response("v", { headers }));
    assert.deepStrictEqual(found, { value: "v", metadata: { m: "\u00e9" }, cacheStatus: "HIT" });
    const [, bare] = await asks(() => KV.getWithMetadata("k"));
    assert.deepStrictEqual(bare, { value: "value", metadata: null, cacheStatus: null });
    for (const status of [404, 410]) {
      const [, none] = await asks(
        () => KV.getWithMetadata("k", "unknown"),
        () => new Response("gone", { status }),
      );
      assert.deepStrictEqual(none, { value: null, metadata: null, cacheStatus: null });
    }
  },
};

export const readingSeveral = {
  async test(_controller, { KV }) {
    const found = () => new Response('{"b":"2","a":null,"c":{"value":"3","metadata":[1]}}');
    const [one, values] = await asks(() => KV.get(["b", "a"]), found);
    assert.strictEqual(one.line, "POST /bulk/get");
    assert.strictEqual(one.headers["content-type"], "application/json");
    assert.deepStrictEqual(JSON.parse(one.body), { keys: ["b", "a"] });
    assert.deepStrictEqual([...values].slice(0, 2), [["b", "2"], ["a", null]]);
    const [two] = await asks(() => KV.getWithMetadata([1], { type: "json", cacheTtl: 90 }), found);
    const asked = { keys: ["1"], type: "json", withMetadata: true, cacheTtl: "90" };
    assert.deepStrictEqual(JSON.parse(two.body), asked);
  },
};

export const writing = {
  async test(_controller, { KV }) {
    const put = async (...args) => (await asks(() => KV.put(...args)))[0];
    const line = "PUT /k?urlencoded=true";
    const lengths = (length) => ({ "content-length": `${length}` });
    assert.deepStrictEqual(await put("k", "\u00e9"), {
      line,
      headers: { ...text, ...lengths(2) },
      body: "\u00e9",
    });
    assert.strictEqual((await put("k", "")).body ?? "", "");
    for (const value of [1, true, null, undefined, 5n]) {
      assert.strictEqual((await put("k", value)).body, `${value}`);
    }
    const bytes = new Uint8Array([97, 98, 99, 100]);
    assert.deepStrictEqual(await put("k", bytes.buffer), { line, headers: lengths(4), body: "abcd" });
    assert.strictEqual((await put("k", bytes.subarray(1, 3))).body, "bc");
    assert.strictEqual((await put("k", new DataView(bytes.buffer, 2))).body, "cd");
    const { readable, writable } = new FixedLengthStream(3);
    const writer = writable.getWriter();
    writer.write(new TextEncoder().encode("abc"));
    writer.close();
    assert.deepStrictEqual(await put("k", readable), { line, headers: lengths(3), body: "abc" });
    const stream = new Response("def").body.pipeThrough(new TransformStream());
    const streamed = await put("k", stream);
    assert.strictEqual(streamed.body, "def");
    assert.strictEqual(streamed.headers["transfer-encoding"], "chunked");

    const options = await put("k", "v", { expiration: 1e9, expirationTtl: 60.5, metadata: { a: "\u00e9" } });
    assert.strictEqual(options.line, `${line}&expiration=1000000000&expiration_ttl=60`);
    assert.strictEqual(options.headers["cf-kv-metadata"], '{"a":"\u00e9"}');
    assert.deepStrictEqual((await put("k", "v", { metadata: null })).headers, { ...text, ...lengths(1) });
    const buffer = new TextEncoder().encode("first").buffer;
    const [late] = await asks(() => {
      const done = KV.put("k", buffer.slice(0));
      return done;
    });
    assert.strictEqual(late.body, "first");
    assert.strictEqual((await asks(() => KV.put("k", "v")))[1], undefined);
  },
};

export const listing = {
  async test(_controller, { KV }) {
    const page = () =>
      new Response('{"keys":[{"name":"a","metadata":"{\\"x\\":1}"},{"name":"b","metadata":{"y":2}}],"list_complete":false,"cursor":"c"}');
    const list = async (options) => (await asks(() => KV.list(options), page))[0].line;
    assert.strictEqual(await list(), "GET /");
    assert.strictEqual(await list({}), "GET /");
    assert.strictEqual(await list({ limit: 0, prefix: null, cursor: null }), "GET /");
    assert.strictEqual(await list({ limit: -1 }), "GET /");
    assert.strictEqual(await list({ limit: 5.9 }), "GET /?key_count_limit=5");
    const all = await list({ limit: 10, prefix: "a/", cursor: "c==" });
    assert.deepStrictEqual(Object.fromEntries(new URL(all.slice(4), "http://x").searchParams), {
      key_count_limit: "10",
      prefix: "a/",
      cursor: "c==",
    });
    const [, result] = await asks(() => KV.list(), page);
    assert.deepStrictEqual(result, {
      keys: [{ name: "a", metadata: { x: 1 } }, { name: "b", metadata: { y: 2 } }],
      list_complete: false,
      cursor: "c",
      cacheStatus: null,
    });
  },
};

export const deleting = {
  async test(_controller, { KV }) {
    const [one, result] = await asks(() => KV.delete("a/b"));
    assert.strictEqual(one.line, "DELETE /a%2Fb?urlencoded=true");
    assert.strictEqual(result, undefined);
    asked = [];
    await KV.deleteBulk(["a", "b"]);
    assert.deepStrictEqual(asked, [{ delete: ["a", "b"] }]);
  },
};

export const refusals = {
  async test(_controller, { KV }) {
    asked = [];
    const empty = { name: "TypeError", message: "Key name cannot be empty." };
    await assert.rejects(KV.get(""), empty);
    await assert.rejects(KV.put("", "v"), empty);
    await assert.rejects(KV.delete(""), empty);
    await assert.rejects(KV.get("."), { name: "TypeError", message: '"." is not allowed as a key name.' });
    await assert.rejects(KV.put("..", ""), { name: "TypeError", message: '".." is not allowed as a key name.' });
    const long = "\u00e9".repeat(257);
    for (const [method, call] of [["GET", KV.get(long)], ["PUT", KV.put(long, "")], ["DELETE", KV.delete(long)]]) {
      await assert.rejects(call, {
        name: "Error",
        message: `KV ${method} failed: 414 UTF-8 encoded length of 514 exceeds key length limit of 512.`,
      });
    }
    const values = {
      name: "TypeError",
      message: "KV put() accepts only strings, ArrayBuffers, ArrayBufferViews, and ReadableStreams as values.",
    };
    for (const value of [{}, [], new Date(), () => {}, new Blob(["a"]), new URLSearchParams("a")]) {
      await assert.rejects(KV.put("k", value), values);
    }
    const range = { name: "TypeError", message: "Value out of range. Must be between -2147483648 and 2147483647 (inclusive)." };
    await assert.rejects(async () => KV.get("k", { cacheTtl: 2 ** 31 }), range);
    await assert.rejects(async () => KV.list({ limit: -(2 ** 31) - 1 }), range);
    assert.deepStrictEqual(asked, []);

    const failing = (status, statusText) => () => new Response("why", { status, statusText });
    const fails = (call, response, message) => assert.rejects(asks(call, response), { name: "Error", message });
    await fails(() => KV.get("k"), failing(400, "No good"), "KV GET failed: 400 No good");
    await fails(() => KV.get("k"), failing(500), "KV GET failed: 500 Internal Server Error");
    await fails(() => KV.put("k", "v"), failing(413, "Too long."), "KV PUT failed: 413 Too long.");
    await fails(() => KV.delete("k"), failing(404), "KV DELETE failed: 404 Not Found");
    await fails(() => KV.list(), failing(400, "No"), "KV GET failed: 400 No");
    await fails(() => KV.get(["k"]), failing(429), "KV GET_BULK failed: 429 Too Many Requests");
    await assert.rejects(asks(() => KV.get("k", "blob")), {
      name: "TypeError",
      message: 'Unknown response type. Possible types are "text", "arrayBuffer", "json", and "stream".',
    });
    await assert.rejects(asks(() => KV.get("k", "json")), { name: "SyntaxError" });
  },
};

export const shape = {
  test(_controller, { KV }) {
    assert.strictEqual(KV.constructor.name, "KvNamespace");
    assert.strictEqual(Object.prototype.toString.call(KV), "[object KvNamespace]");
    const names = [];
    for (const name in KV) names.push(name);
    assert.deepStrictEqual(names.sort(), ["delete", "deleteBulk", "get", "getWithMetadata", "list", "put"]);
    assert.throws(() => new KV.constructor(), { name: "TypeError", message: "Illegal constructor" });
  },
};
