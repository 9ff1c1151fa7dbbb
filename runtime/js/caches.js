// caches, with the checks of the Cache API and nothing behind them yet: every
// match is a miss, and what is put is let go.
(function () {
const { core, primordials } = __bootstrap;
const {
  Error,
  ObjectDefineProperty,
  RegExpPrototypeTest,
  SafeRegExp,
  Symbol,
  SymbolToStringTag,
  TypeError,
} = primordials;
const { bodyState } = core.loadExtScript("ext:outboard/body.js");
const { Request } = core.loadExtScript("ext:outboard/request.js");
const { isResponse } = core.loadExtScript("ext:outboard/response.js");

const kOurs = Symbol("made here");
const ANY = new SafeRegExp("(^|,)\\s*\\*\\s*(,|$)");

class Cache {
  constructor(key) {
    if (key !== kOurs) throw new TypeError("Illegal constructor");
  }

  async put(request, response) {
    if (!isResponse(response)) {
      throw new TypeError(
        "Failed to execute 'put' on 'Cache': parameter 2 is not of type 'Response'.",
      );
    }
    if (new Request(request).method !== "GET") {
      throw new TypeError("Cannot cache response to non-GET request.");
    }
    if (response.status === 206) {
      throw new TypeError(
        "Cannot cache response to a range request (206 Partial Content).",
      );
    }
    const vary = response.headers.get("vary");
    if (vary !== null && RegExpPrototypeTest(ANY, vary)) {
      throw new TypeError("Cannot cache response with 'Vary: *' header.");
    }
    const state = bodyState(response);
    state.take();
    state.drop();
  }

  async match(request) {
    new Request(request);
    return undefined;
  }

  async delete(request) {
    new Request(request);
    return false;
  }

  async add() {
    throw notImplemented("add");
  }

  async addAll() {
    throw notImplemented("addAll");
  }

  async keys() {
    throw notImplemented("keys");
  }

  async matchAll() {
    throw notImplemented("matchAll");
  }
}

function notImplemented(name) {
  return new Error(
    `Failed to execute '${name}' on 'Cache': the method is not implemented.`,
  );
}

class CacheStorage {
  #default = new Cache(kOurs);

  constructor(key) {
    if (key !== kOurs) throw new TypeError("Illegal constructor");
    ObjectDefineProperty(this, "default", {
      __proto__: null,
      value: this.#default,
      enumerable: true,
    });
  }

  async open(_name) {
    return new Cache(kOurs);
  }

  async delete() {
    throw notImplemented("delete");
  }

  async has() {
    throw notImplemented("has");
  }

  async keys() {
    throw notImplemented("keys");
  }

  async match() {
    throw notImplemented("match");
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
