// caches: the Cache API over the host's cache. What may be stored, for how long,
// and what a conditional or partial request gets of it is the host's to say.
(function () {
const { core, primordials } = __bootstrap;
const { op_cache_delete, op_cache_match, op_cache_put, op_cache_put_wait } =
  core.ops;
const {
  Error,
  ObjectDefineProperty,
  StringPrototypeIncludes,
  Symbol,
  SymbolToStringTag,
  TypeError,
} = primordials;
const { bodyState } = core.loadExtScript("ext:outboard/body.js");
const { requireEvent } = core.loadExtScript("ext:outboard/event.js");
const { bodyForHost } = core.loadExtScript("ext:outboard/fetch.js");
const { headerList } = core.loadExtScript("ext:outboard/headers.js");
const { isRequest, Request, requestParts } = core.loadExtScript(
  "ext:outboard/request.js",
);
const { hostResponse, isResponse, responseParts } = core.loadExtScript(
  "ext:outboard/response.js",
);

const kOurs = Symbol("made here");
/** Lengths that Workers allow. */
const LONGEST_NAME = 1023;

function toParts(request) {
  return requestParts(isRequest(request) ? request : new Request(request));
}

class Cache {
  /** Of caches.open(); null is the default cache. */
  #name;

  constructor(key, name) {
    if (key !== kOurs) throw new TypeError("Illegal constructor");
    this.#name = name;
  }

  async put(request, response) {
    if (!isResponse(response)) {
      throw new TypeError(
        "Failed to execute 'put' on 'Cache': parameter 2 is not of type 'Response'.",
      );
    }
    if (response.type === "error") {
      throw new TypeError("Cache is unable to store an error response");
    }
    const key = toParts(request);
    if (key.method !== "GET") {
      throw new TypeError("Cannot cache response to non-GET request.");
    }
    const { status, webSocket, encodeBody } = responseParts(response);
    if (status === 206) {
      throw new TypeError(
        "Cannot cache response to a range request (206 Partial Content).",
      );
    }
    const vary = response.headers.get("vary");
    if (vary !== null && StringPrototypeIncludes(vary, "*")) {
      throw new TypeError("Cannot cache response with 'Vary: *' header.");
    }
    if (webSocket !== null) {
      throw new TypeError("Cannot cache WebSocket upgrade response.");
    }
    // An answer to a conditional request would answer an unconditional one.
    if (status === 304) return;
    const event = requireEvent();
    const state = bodyState(response);
    const body = bodyForHost(state);
    const storing = op_cache_put(
      event.id,
      this.#name,
      key.url,
      key.headers,
      status,
      headerList(response.headers),
      body,
      state.length ?? -1,
      encodeBody === "automatic",
    );
    await op_cache_put_wait(storing);
  }

  async match(request, options = undefined) {
    const key = toParts(request);
    if (key.method !== "GET" && !options?.ignoreMethod) return undefined;
    const answer = await op_cache_match(
      requireEvent().id,
      this.#name,
      key.url,
      key.headers,
    );
    return answer === null ? undefined : hostResponse(answer);
  }

  async delete(request, options = undefined) {
    const key = toParts(request);
    if (key.method !== "GET" && !options?.ignoreMethod) return false;
    return await op_cache_delete(requireEvent().id, this.#name, key.url);
  }

  async add() {
    throw notImplemented("add", "Cache");
  }

  async addAll() {
    throw notImplemented("addAll", "Cache");
  }

  async keys() {
    throw notImplemented("keys", "Cache");
  }

  async matchAll() {
    throw notImplemented("matchAll", "Cache");
  }
}

function notImplemented(name, type) {
  return new Error(
    `Failed to execute '${name}' on '${type}': the method is not implemented.`,
  );
}

class CacheStorage {
  #default = new Cache(kOurs, null);

  constructor(key) {
    if (key !== kOurs) throw new TypeError("Illegal constructor");
    ObjectDefineProperty(this, "default", {
      __proto__: null,
      value: this.#default,
      enumerable: true,
    });
  }

  async open(name) {
    name = `${name}`;
    if (name.length > LONGEST_NAME) throw new TypeError("Cache name is too long.");
    return new Cache(kOurs, name);
  }

  async delete() {
    throw notImplemented("delete", "CacheStorage");
  }

  async has() {
    throw notImplemented("has", "CacheStorage");
  }

  async keys() {
    throw notImplemented("keys", "CacheStorage");
  }

  async match() {
    throw notImplemented("match", "CacheStorage");
  }
}

const classes = { Cache, CacheStorage };
for (const name in classes) {
  ObjectDefineProperty(classes[name].prototype, SymbolToStringTag, {
    __proto__: null,
    value: name,
    configurable: true,
  });
}

return { Cache, caches: new CacheStorage(kOurs), CacheStorage };
})();
