// Response (https://fetch.spec.whatwg.org/#response-class, as Workers have it).
(function () {
const { core, primordials } = __bootstrap;
const { op_url_normalize } = core.ops;
const {
  JSONStringify,
  ObjectDefineProperty,
  RangeError,
  RegExpPrototypeTest,
  SafeRegExp,
  Symbol,
  SymbolToStringTag,
  TypeError,
} = primordials;
const { Body, bodyState, BodyState, checkFormType, extractBody, kHost, kNull, NO_BODY } = core
  .loadExtScript("ext:outboard/body.js");
const {
  copyHeaderList,
  findHeader,
  headerList,
  Headers,
  hostHeaders,
  makeEnumerable,
} = core.loadExtScript("ext:outboard/headers.js");
const { warn } = core.loadExtScript("ext:outboard/event.js");

const kFromHost = Symbol("response from host");
// deno-lint-ignore no-control-regex
const REASON = new SafeRegExp("^[\\t\\x20-\\x7E\\x80-\\uFFFF]*$");

function isNullBodyStatus(status) {
  return status === 101 || status === 204 || status === 205 || status === 304;
}

function isRedirectStatus(status) {
  return status === 301 || status === 302 || status === 303 ||
    status === 307 || status === 308;
}

class Response extends Body {
  #status = 200;
  #statusText = "";
  /** @type {Headers | null} null: only what the body implies */
  #headers = null;
  #url = "";
  #redirected = false;
  #webSocket = null;
  #cf = undefined;
  #encodeBody = "automatic";
  #type = "default";

  constructor(body = null, init = undefined) {
    if (body === kFromHost) {
      const answer = init;
      super(
        answer.body < 0
          ? NO_BODY()
          : new BodyState(kHost, answer.body, null, null),
      );
      this.#status = answer.status;
      this.#statusText = answer.statusText;
      this.#headers = hostHeaders(answer.headers, true);
      this.#url = answer.url;
      this.#redirected = answer.redirected;
      return;
    }
    const state = extractBody(body);
    super(state);
    if (init === undefined || init === null) return;
    if (typeof init !== "object") {
      throw new TypeError(
        "Failed to construct 'Response': constructor parameter 2 is not of " +
          "type 'InitializerDict or Response'.",
      );
    }
    if (init.webSocket !== undefined && init.webSocket !== null) {
      this.#webSocket = init.webSocket;
    }
    if (init.status !== undefined) {
      const status = init.status >>> 0;
      if (
        status === 101 ? this.#webSocket === null : status < 200 || status > 599
      ) {
        throw new RangeError(
          "Responses may only be constructed with status codes in the range " +
            "200 to 599, inclusive.",
        );
      }
      this.#status = status;
    }
    if (this.#webSocket !== null && this.#status !== 101) {
      throw new RangeError(
        "Responses with a WebSocket must have status code 101.",
      );
    }
    if (init.statusText !== undefined) {
      const text = `${init.statusText}`;
      if (!RegExpPrototypeTest(REASON, text)) {
        throw new TypeError("Invalid statusText");
      }
      this.#statusText = text;
    }
    if (init.headers !== undefined) this.#headers = new Headers(init.headers);
    if (init.cf !== undefined) this.#cf = init.cf;
    if (init.encodeBody !== undefined) {
      const mode = `${init.encodeBody}`;
      if (mode !== "automatic" && mode !== "manual") {
        throw new TypeError(`encodeBody: unexpected value: ${mode}`);
      }
      this.#encodeBody = mode;
    }
    if (isNullBodyStatus(this.#status) && state.kind !== kNull) {
      if (body === "") {
        // Common for "no content": the same as null here.
        warn(
          `Constructing a Response with a null body status (${this.#status}) and a ` +
            "non-null, zero-length body. This is technically incorrect, and we " +
            "recommend you update your code to explicitly pass in a `null` body, e.g. " +
            `\`new Response(null, { status: ${this.#status}, ... })\`. (We continue to ` +
            "allow the zero-length body behavior because it was previously the only " +
            "way to construct a Response with a null body status. This behavior may " +
            "change in the future.)",
        );
        state.kind = kNull;
        state.type = null;
      } else throw new TypeError(
        "Response with null body status (101, 204, 205, or 304) cannot have a body.",
      );
    }
    if (this.#headers !== null && state.type !== null) {
      const list = headerList(this.#headers);
      const own = findHeader(list, "content-type");
      if (own === null) list.push("content-type", state.type);
      else checkFormType(own, state.type);
    }
  }

  static error() {
    const response = new Response();
    response.#status = 0;
    response.#type = "error";
    return response;
  }

  static redirect(url, status = 302) {
    if (arguments.length === 0) {
      throw new TypeError(
        "Failed to execute 'redirect' on 'Response': parameter 1 is not of " +
          "type 'string'.",
      );
    }
    status = status >>> 0;
    if (!isRedirectStatus(status)) {
      throw new RangeError(
        `${status} is not a redirect status code. It must be one of: 301, ` +
          "302, 303, 307, or 308.",
      );
    }
    let location;
    try {
      location = op_url_normalize(`${url}`);
    } catch {
      throw new TypeError(`Unable to parse URL: ${url}`);
    }
    const response = new Response(null, { status });
    response.#headers = hostHeaders(["location", location], true);
    return response;
  }

  static json(data, init = undefined) {
    if (arguments.length === 0) {
      throw new TypeError(
        "Failed to execute 'json' on 'Response': parameter 1 is not of type " +
          "'Value'.",
      );
    }
    // What JSON has no word for is sent as "undefined", as Workers do.
    const response = new Response(`${JSONStringify(data)}`, init);
    bodyState(response).type = "application/json";
    if (response.#headers !== null) {
      const list = headerList(response.#headers);
      const given = init?.headers === undefined
        ? null
        : new Headers(init.headers).get("content-type");
      if (given === null) {
        for (let i = 0; i < list.length; i += 2) {
          if (list[i] === "content-type") list[i + 1] = "application/json";
        }
      }
    }
    return response;
  }

  get status() {
    return this.#status;
  }

  get statusText() {
    return this.#statusText;
  }

  get ok() {
    return this.#status >= 200 && this.#status <= 299;
  }

  get headers() {
    if (this.#headers === null) {
      const { type } = bodyState(this);
      this.#headers = hostHeaders(
        type === null ? [] : ["content-type", type],
        false,
      );
    }
    return this.#headers;
  }

  get redirected() {
    return this.#redirected;
  }

  get url() {
    return this.#url;
  }

  get type() {
    return this.#type;
  }

  get webSocket() {
    return this.#webSocket;
  }

  get cf() {
    return this.#cf;
  }

  clone() {
    if (this.#webSocket !== null) {
      throw new TypeError("Cannot clone a response to a WebSocket handshake.");
    }
    const state = bodyState(this).clone();
    const copy = new Response();
    const own = bodyState(copy);
    own.kind = state.kind;
    own.value = state.value;
    own.type = state.type;
    own.length = state.length;
    copy.#status = this.#status;
    copy.#statusText = this.#statusText;
    copy.#headers = this.#headers === null
      ? null
      : hostHeaders(copyHeaderList(headerList(this.#headers)), false);
    copy.#url = this.#url;
    copy.#redirected = this.#redirected;
    copy.#cf = this.#cf;
    copy.#encodeBody = this.#encodeBody;
    return copy;
  }

  /** What answers the event: header list or null where the body says all. */
  static parts(response) {
    return {
      status: response.#status,
      statusText: response.#statusText,
      headers: response.#headers === null
        ? null
        : headerList(response.#headers),
      webSocket: response.#webSocket,
      encodeBody: response.#encodeBody,
    };
  }

  static is(value) {
    return typeof value === "object" && value !== null && #status in value;
  }
}
const { error: errorResponse, is: isResponse, parts: responseParts } = Response;
delete Response.is;
delete Response.parts;

makeEnumerable(Response.prototype);
ObjectDefineProperty(Response.prototype, SymbolToStringTag, {
  __proto__: null,
  value: "Response",
  configurable: true,
});

/** @param {{status, statusText, headers: string[], url, redirected, body: number}} answer */
function hostResponse(answer) {
  return new Response(kFromHost, answer);
}

return { errorResponse, hostResponse, isResponse, Response, responseParts };
})();
