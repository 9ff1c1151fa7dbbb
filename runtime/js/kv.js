// KvNamespace: each method is a request in the protocol of Workers' own KV.
(function () {
const { core, primordials } = __bootstrap;
const { op_body_length } = core.ops;
const {
  ArrayBufferIsView,
  ArrayIsArray,
  ArrayPrototypeJoin,
  ArrayPrototypePush,
  encodeURIComponent,
  Error,
  JSONParse,
  JSONStringify,
  Map,
  MapPrototypeSet,
  Number,
  ObjectHasOwn,
  ObjectKeys,
  ObjectPrototypeIsPrototypeOf,
  StringPrototypeSlice,
  Symbol,
  TypedArrayPrototypeGetBuffer,
  TypedArrayPrototypeGetByteLength,
  TypeError,
  Uint8Array,
} = primordials;
const { bodyState, kHost, viewBytes } = core.loadExtScript("ext:outboard/body.js");
const { flag, has } = core.loadExtScript("ext:outboard/compatibility.js");
const { findHeader, illegalInvocation } = core.loadExtScript(
  "ext:outboard/headers.js",
);
const { markUncloneable } = core.loadExtScript("ext:outboard/not_serializable.js");
const { ask, named, toInt, toText } = core.loadExtScript(
  "ext:outboard/resource.js",
);
const { responseParts } = core.loadExtScript("ext:outboard/response.js");
const { span } = core.loadExtScript("ext:outboard/spans.js");

const kOwn = Symbol("made here");
/** Of a key, in UTF-8. */
const MOST_BYTES = 512;

class KvNamespace {
  /** The host's number for it. */
  #number;
  /** Its name in `env`. */
  #binding;

  constructor(key, number, binding) {
    if (key !== kOwn) throw new TypeError("Illegal constructor");
    this.#number = number;
    this.#binding = binding;
  }

  async get(name, options = undefined) {
    if (!(#number in this)) throw illegalInvocation();
    return await this.#told("get", "get", async (span) => {
      if (ArrayIsArray(name)) {
        return await getMany(this.#number, name, options, false, span);
      }
      const { value } = await getOne(this.#number, name, options, span);
      return value;
    });
  }

  async list(options = undefined) {
    if (!(#number in this)) throw illegalInvocation();
    return await this.#told("list", "list", (span) => list(this.#number, options, span));
  }

  async put(name, value, options = undefined) {
    if (!(#number in this)) throw illegalInvocation();
    await this.#told("put", "put", (span) => put(this.#number, name, value, options, span));
  }

  async getWithMetadata(name, options = undefined) {
    if (!(#number in this)) throw illegalInvocation();
    return await this.#told(
      "getWithMetadata",
      "get",
      (span) =>
        ArrayIsArray(name)
          ? getMany(this.#number, name, options, true, span)
          : getOne(this.#number, name, options, span),
    );
  }

  async delete(name) {
    if (!(#number in this)) throw illegalInvocation();
    await this.#told("delete", "delete", async (span) => {
      name = toKey("DELETE", name);
      tellKey(span, name);
      const response = await ask(this.#number, pathOf(name), {
        __proto__: null,
        method: "DELETE",
      });
      check("DELETE", response);
      bodyState(response).drop();
    });
  }

  /** Runs a method as a span. */
  #told(method, operation, run) {
    return span(`kv_${method}`, (span) => {
      span?.set("db.system.name", "cloudflare-kv");
      span?.set("db.operation.name", operation);
      span?.set("cloudflare.binding.name", this.#binding);
      span?.set("cloudflare.binding.type", "KV");
      return run(span);
    });
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

const QUERY = "cloudflare.kv.query.";
const RESPONSE = "cloudflare.kv.response.";

/** The most of keys that a span says. */
const MOST_TOLD = 512;

function tellKey(span, name) {
  span?.set(`${QUERY}keys`, name);
  span?.set(`${QUERY}keys.count`, 1);
}

function bytesOf(text) {
  return TypedArrayPrototypeGetByteLength(core.encode(text));
}

/** The bytes of a body, where they are known before. */
function tellSize(span, state, headers) {
  if (span === null) return;
  let length = state.kind === kHost ? op_body_length(state.value) : state.length ?? -1;
  if (length < 0) length = Number(findHeader(headers, "content-length") ?? -1);
  if (length >= 0) span.set(`${RESPONSE}size`, length);
}

function toKey(method, name) {
  name = toText(name);
  if (name === "") throw new TypeError("Key name cannot be empty.");
  if (name === "." || name === "..") {
    throw new TypeError(`"${name}" is not allowed as a key name.`);
  }
  const bytes = bytesOf(name);
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

async function getOne(number, name, options, span) {
  const { type, cacheTtl } = toGetOptions(options);
  name = toKey("GET", name);
  tellKey(span, name);
  span?.set(`${QUERY}type`, type);
  span?.set(`${QUERY}cache_ttl`, cacheTtl);
  let path = pathOf(name);
  if (cacheTtl !== undefined) path += `&cache_ttl=${cacheTtl}`;
  const response = await ask(number, path, { __proto__: null, method: "GET" });
  const { status, headers } = responseParts(response);
  const cacheStatus = findHeader(headers, "cf-cache-status");
  span?.set(`${RESPONSE}cache_status`, cacheStatus);
  if (status === 404 || status === 410) {
    bodyState(response).drop();
    return { value: null, metadata: null, cacheStatus };
  }
  check("GET", response);
  const json = findHeader(headers, "cf-kv-metadata");
  if (json !== null) span?.set(`${RESPONSE}metadata`, true);
  const state = bodyState(response);
  tellSize(span, state, headers);
  span?.set(`${RESPONSE}returned_rows`, 1);
  const value = await read(state, type);
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
async function getMany(number, names, options, withMetadata, span) {
  const { type, cacheTtl } = toGetOptions(options);
  const query = { keys: [] };
  for (let i = 0; i < names.length; i++) {
    ArrayPrototypePush(query.keys, toText(names[i]));
  }
  if (type !== undefined && type !== "") query.type = type;
  if (withMetadata) query.withMetadata = true;
  if (cacheTtl !== undefined) query.cacheTtl = `${cacheTtl}`;
  if (span !== null) {
    const keys = ArrayPrototypeJoin(query.keys, ", ");
    span.set(
      `${QUERY}keys`,
      keys.length > MOST_TOLD
        ? `${StringPrototypeSlice(keys, 0, MOST_TOLD - 3)}...`
        : keys,
    );
    span.set(`${QUERY}keys.count`, query.keys.length);
    span.set(`${QUERY}type`, type);
    span.set(`${QUERY}cache_ttl`, cacheTtl);
  }
  const response = await ask(number, "/bulk/get", {
    __proto__: null,
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSONStringify(query),
  });
  check("GET_BULK", response);
  const text = await bodyState(response).text();
  if (span !== null) span.set(`${RESPONSE}size`, bytesOf(text));
  const found = JSONParse(text);
  span?.set(`${RESPONSE}returned_rows`, ObjectKeys(found).length);
  const values = new Map();
  for (let i = 0; i < query.keys.length; i++) {
    const name = query.keys[i];
    if (ObjectHasOwn(found, name)) MapPrototypeSet(values, name, found[name]);
  }
  return values;
}

async function list(number, options, span) {
  const { limit, prefix, cursor } = options ?? {};
  const query = [];
  const say = (name, value) => `${name}=${encodeURIComponent(toText(value))}`;
  if (limit !== undefined) {
    const count = toInt(limit);
    if (count > 0) {
      span?.set(`${QUERY}limit`, count);
      ArrayPrototypePush(query, say("key_count_limit", count));
    }
  }
  if (prefix !== undefined && prefix !== null) {
    span?.set(`${QUERY}prefix`, toText(prefix));
    ArrayPrototypePush(query, say("prefix", prefix));
  }
  if (cursor !== undefined && cursor !== null) {
    span?.set(`${QUERY}cursor`, toText(cursor));
    ArrayPrototypePush(query, say("cursor", cursor));
  }
  let path = "/";
  for (let i = 0; i < query.length; i++) path += (i === 0 ? "?" : "&") + query[i];
  const response = await ask(number, path, { __proto__: null, method: "GET" });
  check("GET", response);
  const { headers } = responseParts(response);
  const text = await bodyState(response).text();
  const result = JSONParse(text);
  const { keys } = result;
  if (span !== null) {
    span.set(`${RESPONSE}cache_status`, findHeader(headers, "cf-cache-status"));
    span.set(`${RESPONSE}size`, bytesOf(text));
    span.set(`${RESPONSE}list_complete`, result.list_complete);
    span.set(`${RESPONSE}cursor`, result.cursor);
    span.set(`${RESPONSE}expiration`, result.expiration);
    if (ArrayIsArray(keys)) span.set(`${RESPONSE}returned_rows`, keys.length);
  }
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

async function put(number, name, value, options, span) {
  const { expiration, expirationTtl, metadata } = options ?? {};
  name = toKey("PUT", name);
  tellKey(span, name);
  let path = pathOf(name);
  if (expiration !== undefined) path += `&expiration=${toInt(expiration)}`;
  if (expirationTtl !== undefined) {
    path += `&expiration_ttl=${toInt(expirationTtl)}`;
  }
  const body = toBody(value);
  if (span !== null) {
    if (expiration !== undefined) span.set(`${QUERY}expiration`, toInt(expiration));
    if (expirationTtl !== undefined) {
      span.set(`${QUERY}expiration_ttl`, toInt(expirationTtl));
    }
    if (metadata !== undefined && metadata !== null) span.set(`${QUERY}metadata`, true);
    tellPayload(span, body);
  }
  const headers = { __proto__: null };
  if (metadata !== undefined && metadata !== null) {
    headers["cf-kv-metadata"] = JSONStringify(metadata);
  }
  const response = await ask(number, path, {
    __proto__: null,
    method: "PUT",
    headers,
    body,
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

function tellPayload(span, body) {
  const size = `${QUERY}payload.size`;
  const type = `${QUERY}value_type`;
  if (typeof body === "string") {
    span.set(type, "text");
    span.set(size, bytesOf(body));
  } else if (ArrayBufferIsView(body)) {
    span.set(type, "ArrayBuffer");
    span.set(size, viewBytes(body).length);
  } else {
    span.set(type, "ReadableStream");
  }
}

function bindingOf(number, name) {
  return new KvNamespace(kOwn, number, name);
}

return { bindingOf };
})();
