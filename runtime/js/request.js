// Request (https://fetch.spec.whatwg.org/#request-class, as Workers have it).
(function () {
const { core, primordials } = __bootstrap;
const { op_event_headers, op_url_normalize } = core.ops;
const {
  ObjectDefineProperty,
  RegExpPrototypeTest,
  SafeRegExp,
  StringPrototypeToUpperCase,
  Symbol,
  SymbolToStringTag,
  TypeError,
} = primordials;
const { Body, bodyState, BodyState, extractBody, kEvent, kNull, NO_BODY } = core
  .loadExtScript("ext:outboard/body.js");
const { copyHeaderList, findHeader, headerList, Headers, hostHeaders } = core
  .loadExtScript("ext:outboard/headers.js");

const METHOD = new SafeRegExp("^[!#$%&'*+\\-.^_`|~0-9A-Za-z]+$");
const kFromHost = Symbol("request from host");
const NORMALIZED = {
  __proto__: null,
  DELETE: true,
  GET: true,
  HEAD: true,
  OPTIONS: true,
  PATCH: true,
  POST: true,
  PUT: true,
};

function toMethod(method) {
  method = `${method}`;
  if (!RegExpPrototypeTest(METHOD, method)) {
    throw new TypeError(`Invalid HTTP method string: ${method}`);
  }
  const upper = StringPrototypeToUpperCase(method);
  return upper in NORMALIZED ? upper : method;
}

class Request extends Body {
  #method;
  #url;
  /** @type {Headers | null} null until the script looks: then from the event */
  #headers;
  #event;
  #redirect = "follow";
  #signal = null;
  #cf = undefined;

  constructor(input, init = undefined) {
    if (input === kFromHost) {
      const event = arguments[1];
      super(arguments[4] ? new BodyState(kEvent, event, null, null) : NO_BODY());
      this.#event = event;
      this.#method = arguments[2];
      this.#url = arguments[3];
      this.#headers = null;
      return;
    }
    const from = typeof input === "object" && input !== null &&
        #method in input
      ? input
      : null;
    const url = from === null ? op_url_normalize(`${input}`) : from.#url;
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
      if (theirs.isUsed()) theirs.take();
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
      if (findHeader(list, "content-type") === null) {
        list.push("content-type", state.type);
      }
    }
    if (from !== null) {
      this.#redirect = from.#redirect;
      this.#signal = from.#signal;
      this.#cf = from.#cf;
    }
    if (init?.redirect !== undefined) {
      const redirect = `${init.redirect}`;
      if (redirect !== "follow" && redirect !== "manual") {
        throw new TypeError(
          redirect === "error"
            ? 'Invalid redirect value, must be one of "follow" or "manual" ' +
              '("error" won\'t be implemented since it does not make sense at ' +
              "the edge; use \"manual\" and check the response status code)."
            : 'Invalid redirect value, must be one of "follow" or "manual" ' +
              '("error" won\'t be implemented since it does not make sense at ' +
              "the edge; use \"manual\" and check the response status code).",
        );
      }
      this.#redirect = redirect;
    }
    if (init?.signal !== undefined) this.#signal = init.signal;
    if (init?.cf !== undefined) this.#cf = init.cf;
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

  get signal() {
    if (this.#signal === null) {
      const { newSignal } = core.loadExtScript("ext:deno_web/03_abort_signal.js");
      this.#signal = newSignal();
    }
    return this.#signal;
  }

  get cf() {
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
    return undefined;
  }

  clone() {
    const state = bodyState(this).clone();
    const copy = new Request(this.#url, { method: this.#method });
    cloneInto(copy, state);
    copy.#headers = hostHeaders(copyHeaderList(headerList(this.headers)), false);
    copy.#redirect = this.#redirect;
    copy.#signal = this.#signal;
    copy.#cf = this.#cf;
    return copy;
  }

  /** What fetch sends: read once, not through the script's own getters. */
  static parts(request) {
    return {
      method: request.#method,
      url: request.#url,
      headers: headerList(request.headers),
      redirect: request.#redirect,
      signal: request.#signal,
    };
  }

  static is(value) {
    return typeof value === "object" && value !== null && #method in value;
  }
}
const { is: isRequest, parts: requestParts } = Request;
delete Request.is;
delete Request.parts;

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

return { hostRequest, isRequest, Request, requestParts };
})();
