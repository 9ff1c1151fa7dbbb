// KvNamespace: each method is a request in the protocol of Workers' own KV.
(function () {
const { core, primordials } = __bootstrap;
const {
  ArrayBufferIsView,
  ArrayIsArray,
  ArrayPrototypePush,
  encodeURIComponent,
  Error,
  JSONParse,
  JSONStringify,
  Map,
  MapPrototypeSet,
  ObjectHasOwn,
  ObjectPrototypeIsPrototypeOf,
  Symbol,
  TypedArrayPrototypeGetBuffer,
  TypedArrayPrototypeGetByteLength,
  TypeError,
  Uint8Array,
} = primordials;
const { bodyState } = core.loadExtScript("ext:outboard/body.js");
const { flag, has } = core.loadExtScript("ext:outboard/compatibility.js");
const { findHeader, illegalInvocation } = core.loadExtScript(
  "ext:outboard/headers.js",
);
const { markUncloneable } = core.loadExtScript("ext:outboard/not_serializable.js");
const { ask, named, toInt, toText } = core.loadExtScript(
  "ext:outboard/resource.js",
);
const { responseParts } = core.loadExtScript("ext:outboard/response.js");

const kOwn = Symbol("made here");
/** Of a key, in UTF-8. */
const MOST_BYTES = 512;

class KvNamespace {
  /** The host's number for it. */
  #number;

  constructor(key, number) {
    if (key !== kOwn) throw new TypeError("Illegal constructor");
    this.#number = number;
  }

  async get(name, options = undefined) {
    if (!(#number in this)) throw illegalInvocation();
    if (ArrayIsArray(name)) return await getMany(this.#number, name, options, false);
    const { value } = await getOne(this.#number, name, options);
    return value;
  }

  async list(options = undefined) {
    if (!(#number in this)) throw illegalInvocation();
    return await list(this.#number, options);
  }

  async put(name, value, options = undefined) {
    if (!(#number in this)) throw illegalInvocation();
    await put(this.#number, name, value, options);
  }

  async getWithMetadata(name, options = undefined) {
    if (!(#number in this)) throw illegalInvocation();
    return ArrayIsArray(name)
      ? await getMany(this.#number, name, options, true)
      : await getOne(this.#number, name, options);
  }

  async delete(name) {
    if (!(#number in this)) throw illegalInvocation();
    name = toKey("DELETE", name);
    const response = await ask(this.#number, pathOf(name), {
      __proto__: null,
      method: "DELETE",
    });
    check("DELETE", response);
    bodyState(response).drop();
  }

  /** Workers have it for tests of their own. */
  deleteBulk(...args) {
    if (!(#number in this)) throw illegalInvocation();
    const { BindingHook } = core.loadExtScript("ext:outboard/rpc_hooks.js");
    return new BindingHook(this.#number, null).call(["delete"], args).pull();
  }
}
if (!has(flag.experimental)) delete KvNamespace.prototype.deleteBulk;
named(KvNamespace, "KvNamespace");
markUncloneable(KvNamespace, "A KV namespace binding cannot be serialized.");

function toKey(method, name) {
  name = toText(name);
  if (name === "") throw new TypeError("Key name cannot be empty.");
  if (name === "." || name === "..") {
    throw new TypeError(`"${name}" is not allowed as a key name.`);
  }
  const bytes = TypedArrayPrototypeGetByteLength(core.encode(name));
  if (bytes > MOST_BYTES) {
    throw new Error(
      `KV ${method} failed: 414 UTF-8 encoded length of ${bytes} exceeds key ` +
        `length limit of ${MOST_BYTES}.`,
    );
  }
  return name;
}

function pathOf(name) {
  return `/${encodeURIComponent(name)}?urlencoded=true`;
}

function check(method, response) {
  const { status, statusText } = responseParts(response);
  if (status >= 200 && status < 300) return;
  bodyState(response).drop();
  throw new Error(`KV ${method} failed: ${status} ${statusText}`);
}

/** `{ type, cacheTtl }` of a type alone, or of an object. */
function toGetOptions(options) {
  if (typeof options !== "object" || options === null) {
    return {
      type: options === undefined || options === null ? undefined : toText(options),
      cacheTtl: undefined,
    };
  }
  const { cacheTtl, type } = options;
  return {
    type: type === undefined ? undefined : toText(type),
    cacheTtl: cacheTtl === undefined ? undefined : toInt(cacheTtl),
  };
}

async function getOne(number, name, options) {
  const { type, cacheTtl } = toGetOptions(options);
  let path = pathOf(toKey("GET", name));
  if (cacheTtl !== undefined) path += `&cache_ttl=${cacheTtl}`;
  const response = await ask(number, path, { __proto__: null, method: "GET" });
  const { status, headers } = responseParts(response);
  const cacheStatus = findHeader(headers, "cf-cache-status");
  if (status === 404 || status === 410) {
    bodyState(response).drop();
    return { value: null, metadata: null, cacheStatus };
  }
  check("GET", response);
  const value = await read(bodyState(response), type);
  const json = findHeader(headers, "cf-kv-metadata");
  return { value, metadata: json === null ? null : JSONParse(json), cacheStatus };
}

async function read(body, type) {
  switch (type) {
    case undefined:
    case "text":
      return await body.text();
    case "json":
      return JSONParse(await body.text());
    case "arrayBuffer":
      return TypedArrayPrototypeGetBuffer(await body.bytes());
    case "stream":
      return body.stream();
    default:
      body.drop();
      throw new TypeError(
        'Unknown response type. Possible types are "text", "arrayBuffer", ' +
          '"json", and "stream".',
      );
  }
}

/** @returns {Promise<Map<string, unknown>>} with what was answered, as asked for */
async function getMany(number, names, options, withMetadata) {
  const { type, cacheTtl } = toGetOptions(options);
  const query = { keys: [] };
  for (let i = 0; i < names.length; i++) {
    ArrayPrototypePush(query.keys, toText(names[i]));
  }
  if (type !== undefined && type !== "") query.type = type;
  if (withMetadata) query.withMetadata = true;
  if (cacheTtl !== undefined) query.cacheTtl = `${cacheTtl}`;
  const response = await ask(number, "/bulk/get", {
    __proto__: null,
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSONStringify(query),
  });
  check("GET_BULK", response);
  const found = JSONParse(await bodyState(response).text());
  const values = new Map();
  for (let i = 0; i < query.keys.length; i++) {
    const name = query.keys[i];
    if (ObjectHasOwn(found, name)) MapPrototypeSet(values, name, found[name]);
  }
  return values;
}

async function list(number, options) {
  const { limit, prefix, cursor } = options ?? {};
  const query = [];
  const say = (name, value) => `${name}=${encodeURIComponent(toText(value))}`;
  if (limit !== undefined) {
    const count = toInt(limit);
    if (count > 0) ArrayPrototypePush(query, say("key_count_limit", count));
  }
  if (prefix !== undefined && prefix !== null) {
    ArrayPrototypePush(query, say("prefix", prefix));
  }
  if (cursor !== undefined && cursor !== null) {
    ArrayPrototypePush(query, say("cursor", cursor));
  }
  let path = "/";
  for (let i = 0; i < query.length; i++) path += (i === 0 ? "?" : "&") + query[i];
  const response = await ask(number, path, { __proto__: null, method: "GET" });
  check("GET", response);
  const { headers } = responseParts(response);
  const result = JSONParse(await bodyState(response).text());
  const { keys } = result;
  if (ArrayIsArray(keys)) {
    for (let i = 0; i < keys.length; i++) {
      const { metadata } = keys[i];
      // It comes as JSON in JSON.
      if (typeof metadata === "string") keys[i].metadata = JSONParse(metadata);
    }
  }
  result.cacheStatus = findHeader(headers, "cf-cache-status");
  return result;
}

async function put(number, name, value, options) {
  const { expiration, expirationTtl, metadata } = options ?? {};
  let path = pathOf(toKey("PUT", name));
  if (expiration !== undefined) path += `&expiration=${toInt(expiration)}`;
  if (expirationTtl !== undefined) {
    path += `&expiration_ttl=${toInt(expirationTtl)}`;
  }
  const headers = { __proto__: null };
  if (metadata !== undefined && metadata !== null) {
    headers["cf-kv-metadata"] = JSONStringify(metadata);
  }
  const response = await ask(number, path, {
    __proto__: null,
    method: "PUT",
    headers,
    body: toBody(value),
  });
  check("PUT", response);
  bodyState(response).drop();
}

function toBody(value) {
  if (typeof value !== "object" && typeof value !== "function" || value === null) {
    return toText(value);
  }
  if (ArrayBufferIsView(value)) return value;
  if (core.isAnyArrayBuffer(value)) return new Uint8Array(value);
  const { ReadableStreamPrototype } = core.loadExtScript(
    "ext:deno_web/06_streams.js",
  );
  if (ObjectPrototypeIsPrototypeOf(ReadableStreamPrototype, value)) return value;
  throw new TypeError(
    "KV put() accepts only strings, ArrayBuffers, ArrayBufferViews, and " +
      "ReadableStreams as values.",
  );
}

function bindingOf(number) {
  return new KvNamespace(kOwn, number);
}

return { bindingOf };
})();
