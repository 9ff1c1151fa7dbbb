// Request (https://fetch.spec.whatwg.org/#request-class, as Workers have it).
(function () {
const { core, primordials } = __bootstrap;
const { op_event_cf, op_event_headers, op_url_normalize } = core.ops;
const {
  JSONParse,
  ObjectDefineProperty,
  ObjectGetOwnPropertyDescriptor,
  ObjectPrototypeIsPrototypeOf,
  StringPrototypeToUpperCase,
  Symbol,
  SymbolToStringTag,
  Error,
  TypeError,
} = primordials;
const { Body, bodyState, BodyState, checkFormType, extractBody, kEvent, kNull, NO_BODY } = core
  .loadExtScript("ext:outboard/body.js");
const {
  copyHeaderList,
  findHeader,
  headerList,
  Headers,
  hostHeaders,
  makeEnumerable,
} = core.loadExtScript("ext:outboard/headers.js");

const kFromHost = Symbol("request from host");

/** What Workers know, written in any case. */
const METHODS = { __proto__: null };
const names = [
  "ACL",
  "BIND",
  "CHECKOUT",
  "COPY",
  "DELETE",
  "GET",
  "HEAD",
  "LINK",
  "LOCK",
  "MERGE",
  "MKACTIVITY",
  "MKCALENDAR",
  "MKCOL",
  "MOVE",
  "MSEARCH",
  "NOTIFY",
  "OPTIONS",
  "PATCH",
  "POST",
  "PROPFIND",
  "PROPPATCH",
  "PURGE",
  "PUT",
  "QUERY",
  "REBIND",
  "REPORT",
  "SEARCH",
  "SUBSCRIBE",
  "TRACE",
  "UNBIND",
  "UNLINK",
  "UNLOCK",
  "UNSUBSCRIBE",
];
for (let i = 0; i < names.length; i++) METHODS[names[i]] = true;

function toMethod(method) {
  method = `${method}`;
  const upper = StringPrototypeToUpperCase(method);
  if (!(upper in METHODS)) {
    throw new TypeError(`Invalid HTTP method string: ${method}`);
  }
  return upper;
}

/** Long ago only fetch() looked at it. */
function toUrl(url) {
  const { flag, has } = core.loadExtScript("ext:outboard/compatibility.js");
  return has(flag.fetch_standard_url) ? op_url_normalize(url) : url;
}

/** @returns {AbortSignal | null} */
function toSignal(signal) {
  if (signal === null) return null;
  const { AbortSignalPrototype } = core.loadExtScript(
    "ext:deno_web/03_abort_signal.js",
  );
  if (!ObjectPrototypeIsPrototypeOf(AbortSignalPrototype, signal)) {
    throw new TypeError(
      "Incorrect type for the 'signal' field on 'RequestInitializerDict': the " +
        "provided value is not of type 'AbortSignal'.",
    );
  }
  return signal;
}

function toCf(cf) {
  if (typeof cf === "object" && cf !== null || typeof cf === "function") return cf;
  throw new TypeError(
    "Incorrect type for the 'cf' field on 'RequestInitializerDict': the provided value is " +
      "not of type 'Object'.",
  );
}

/** A `cache` option that the worker's date knows. */
function cacheMode(mode) {
  const { flag, has } = core.loadExtScript("ext:outboard/compatibility.js");
  if (!has(flag.cache_option_enabled)) {
    throw new Error("The 'cache' field on 'RequestInitializerDict' is not implemented.");
  }
  if (mode !== "no-store" && !(mode === "no-cache" && has(flag.cache_no_cache_enabled))) {
    throw new TypeError(`Unsupported cache mode: ${mode}`);
  }
  return mode;
}

/** What `cf` says of caching must not be said twice. */
function checkCf(cf, cache) {
  if (cf?.cacheControl === undefined) return;
  if (cf.cacheTtl !== undefined) {
    throw new TypeError(
      "The 'cacheControl' and 'cacheTtl' options on cf are mutually exclusive. " +
        "Use 'cacheControl' for explicit Cache-Control header directives, or " +
        "'cacheTtl' for a simplified TTL, but not both.",
    );
  }
  if (cache !== undefined) {
    throw new TypeError(
      "The 'cacheControl' option on cf cannot be used together with the " +
        "'cache' request option. The 'cache' option ('no-store'/'no-cache') " +
        "maps to cache TTL behavior internally, which conflicts with explicit " +
        "Cache-Control directives.",
    );
  }
}

class Request extends Body {
  #method;
  #url;
  /** @type {Headers | null} null until the script looks: then from the event */
  #headers;
  #event;
  #redirect = "follow";
  #signal = null;
  /** Its signal is of the client whose request it is. */
  #ofClient = false;
  #cf = undefined;
  #cache = undefined;
  /** The answer's body comes as it was sent, compressed or not. */
  #raw = false;

  constructor(input, init = undefined) {
    if (input === kFromHost) {
      const event = arguments[1];
      super(arguments[4] ? new BodyState(kEvent, event, null, null) : NO_BODY());
      this.#event = event;
      this.#method = arguments[2];
      this.#url = arguments[3];
      this.#headers = null;
      // A redirect is the client's to follow.
      this.#redirect = "manual";
      return;
    }
    if (arguments.length === 0) {
      throw new TypeError(
        "Failed to construct 'Request': constructor parameter 1 is not of " +
          "type 'Request or string'.",
      );
    }
    const from = typeof input === "object" && input !== null &&
        #method in input
      ? input
      : null;
    const url = from === null ? toUrl(`${input}`) : from.#url;
    let method = from === null ? "GET" : from.#method;
    if (init?.method !== undefined) method = toMethod(init.method);
    const hasBody = init?.body !== undefined && init.body !== null;
    if (hasBody && (method === "GET" || method === "HEAD")) {
      throw new TypeError("Request with a GET or HEAD method cannot have a body.");
    }
    let state;
    if (hasBody) {
      state = extractBody(init.body);
    } else if (from !== null && init?.body !== null) {
      // The body moves: the other request counts as used.
      const theirs = bodyState(from);
      if (theirs.isUsed()) {
        throw new TypeError("Cannot reconstruct a Request with a used body.");
      }
      state = new BodyState(theirs.kind, theirs.value, theirs.type, theirs.length);
      theirs.used = theirs.kind !== kNull;
    } else {
      state = NO_BODY();
    }
    super(state);
    this.#event = 0;
    this.#method = method;
    this.#url = url;
    if (init?.headers !== undefined) {
      this.#headers = new Headers(init.headers);
    } else if (from !== null) {
      this.#headers = hostHeaders(copyHeaderList(headerList(from.headers)), false);
    } else {
      this.#headers = new Headers();
    }
    if (hasBody && state.type !== null) {
      const list = headerList(this.#headers);
      const own = findHeader(list, "content-type");
      if (own === null) list.push("content-type", state.type);
      else checkFormType(own, state.type);
    }
    if (from !== null) {
      this.#redirect = from.#redirect;
      this.#signal = from.#ownSignal();
      this.#ofClient = from.#ofClient;
      this.#raw = from.#raw;
      this.#cf = from.cf;
      this.#cache = from.#cache;
    }
    if (init?.redirect !== undefined) {
      const redirect = `${init.redirect}`;
      if (redirect !== "follow" && redirect !== "manual") {
        throw new TypeError(
          'Invalid redirect value, must be one of "follow" or "manual" ' +
            '("error" won\'t be implemented since it does not make sense at ' +
            'the edge; use "manual" and check the response status code).',
        );
      }
      this.#redirect = redirect;
    }
    if (init?.signal !== undefined) {
      this.#signal = toSignal(init.signal);
      this.#ofClient = false;
    }
    if (init?.cache !== undefined) {
      this.#cache = cacheMode(`${init.cache}`);
    }
    if (init?.encodeResponseBody !== undefined) {
      const mode = `${init.encodeResponseBody}`;
      if (mode !== "automatic" && mode !== "manual") {
        throw new TypeError(`encodeResponseBody: unexpected value: ${mode}`);
      }
      this.#raw = mode === "manual";
    }
    if (init?.integrity !== undefined && `${init.integrity}` !== "") {
      throw new TypeError(
        "Subrequest integrity checking is not implemented. The integrity " +
          "option must be either undefined or an empty string.",
      );
    }
    if (init?.cf !== undefined) {
      this.#cf = toCf(init.cf);
      checkCf(this.#cf, this.#cache);
    }
  }

  get method() {
    return this.#method;
  }

  get url() {
    return this.#url;
  }

  get headers() {
    return this.#headers ??= hostHeaders(op_event_headers(this.#event), true);
  }

  get redirect() {
    return this.#redirect;
  }

  /** Its signal where there is one: of a request that came to the worker, the client's. */
  #ownSignal() {
    if (this.#event === 0 || this.#signal !== null) return this.#signal;
    const { flag, has } = core.loadExtScript("ext:outboard/compatibility.js");
    if (!has(flag.enable_request_signal)) return null;
    const { clientSignal } = core.loadExtScript("ext:outboard/event.js");
    this.#ofClient = true;
    return this.#signal = clientSignal(this.#event);
  }

  /** What a fetch of it ends by; the client that left ends only its own request. */
  #outgoingSignal() {
    const signal = this.#ownSignal();
    if (!this.#ofClient) return signal;
    const { flag, has } = core.loadExtScript("ext:outboard/compatibility.js");
    return has(flag.request_signal_passthrough) ? signal : null;
  }

  get signal() {
    if (this.#ownSignal() === null) {
      const { newSignal } = core.loadExtScript("ext:deno_web/03_abort_signal.js");
      this.#signal = newSignal();
    }
    return this.#signal;
  }

  get cf() {
    // Of a worker's request the host has it.
    if (this.#event !== 0 && this.#cf === undefined) {
      const cf = op_event_cf(this.#event);
      if (typeof cf === "string") this.#cf = JSONParse(cf);
    }
    return this.#cf;
  }

  get fetcher() {
    return null;
  }

  get integrity() {
    return "";
  }

  get keepalive() {
    return false;
  }

  get cache() {
    return this.#cache;
  }

  clone() {
    const state = bodyState(this).clone();
    const copy = new Request(this.#url, { method: this.#method });
    cloneInto(copy, state);
    copy.#headers = hostHeaders(copyHeaderList(headerList(this.headers)), false);
    copy.#redirect = this.#redirect;
    copy.#signal = this.#ownSignal();
    copy.#ofClient = this.#ofClient;
    copy.#cf = this.cf;
    copy.#cache = this.#cache;
    copy.#raw = this.#raw;
    return copy;
  }

  /** What fetch sends: read once, not through the script's own getters. */
  static parts(request) {
    return {
      method: request.#method,
      url: request.#url,
      headers: headerList(request.headers),
      redirect: request.#redirect,
      signal: request.#outgoingSignal(),
      raw: request.#raw,
      cf: request.cf,
    };
  }

  static is(value) {
    return typeof value === "object" && value !== null && #method in value;
  }
}
const { is: isRequest, parts: requestParts } = Request;
delete Request.is;
delete Request.parts;

makeEnumerable(Request.prototype);
const cacheProperty = ObjectGetOwnPropertyDescriptor(Request.prototype, "cache");
delete Request.prototype.cache;
ObjectDefineProperty(Request.prototype, SymbolToStringTag, {
  __proto__: null,
  value: "Request",
  configurable: true,
});

/** Gives a fresh request the cloned body. */
function cloneInto(request, state) {
  const own = bodyState(request);
  own.kind = state.kind;
  own.value = state.value;
  own.type = state.type;
  own.length = state.length;
}

/** The request of an event; its headers and body stay with the host until used. */
function hostRequest(event, method, url, hasBody) {
  return new Request(kFromHost, event, method, url, hasBody);
}

/** `cache`, which is not there for workers whose date does not know it. */
function showCache() {
  ObjectDefineProperty(Request.prototype, "cache", { __proto__: null, ...cacheProperty });
}

return { hostRequest, isRequest, Request, requestParts, showCache };
})();
