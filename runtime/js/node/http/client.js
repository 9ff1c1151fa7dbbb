// ClientRequest: what is written is kept until the request ends, and goes out
// by fetch(). The event that asked holds the answer.
(function () {
const { core, primordials } = __bootstrap;
const {
  ArrayIsArray,
  ArrayPrototypeJoin,
  ArrayPrototypePush,
  ObjectAssign,
  ObjectKeys,
  PromisePrototypeThen,
  RegExpPrototypeTest,
  SafeArrayIterator,
  SafeRegExp,
  StringPrototypeIncludes,
  StringPrototypeIndexOf,
  StringPrototypeToUpperCase,
  Symbol,
  queueMicrotask,
} = primordials;
const { Buffer } = core.loadExtScript("ext:deno_node/internal/buffer.mjs");
const { codes } = core.loadExtScript("ext:outboard/node/errors.js");
const { kOutHeaders } = core.loadExtScript("ext:deno_node/internal/http.ts");
const { isURL, urlToHttpOptions } = core.loadExtScript(
  "ext:deno_node/internal/url.ts",
);
const {
  validateBoolean,
  validateFunction,
  validateInteger,
  validateNumber,
  validateString,
} = core.loadExtScript("ext:deno_node/internal/validators.mjs");
const { ERR_OPTION_NOT_IMPLEMENTED, ERR_METHOD_NOT_IMPLEMENTED } = core
  .loadExtScript("ext:outboard/node/errors.js");
const { _checkIsHttpToken } = core.loadExtScript(
  "ext:outboard/node/http/common.js",
).exports;
const { kUniqueHeaders, OutgoingMessage, parseUniqueHeadersOption } = core
  .loadExtScript("ext:outboard/node/http/outgoing.js");
const { fill, IncomingMessage } = core.loadExtScript(
  "ext:outboard/node/http/incoming.js",
);
const { getTimerDuration } = core.loadExtScript(
  "ext:outboard/node/net/arguments.js",
);
const { globalAgent } = core.loadExtScript("ext:outboard/node/http/agent.js");
const { clearTimeout, setTimeout } = core.loadExtScript(
  "ext:outboard/timers.js",
);
const { fetch } = core.loadExtScript("ext:outboard/fetch.js");
const { copyHeaderList, headerList, Headers } = core.loadExtScript(
  "ext:outboard/headers.js",
);
const { URL } = core.loadExtScript("ext:deno_web/00_url.js");
const { AbortController } = core.loadExtScript("ext:deno_web/03_abort_signal.js");
const { addAbortSignal } = core.loadExtScript("ext:outboard/node/modules.js")
  .builtin("stream");

const NOT_IN_PATH = new SafeRegExp("[^\\u0021-\\u00ff]");
/** A path that would name another host, or is a whole URL. */
const NOT_A_PATH = new SafeRegExp("^(?:[/\\\\]{2}|[^/\\\\]*:)");

const kAbort = Symbol("kAbort");
const kAnswer = Symbol("kAnswer");
const kBody = Symbol("kBody");
const kTimer = Symbol("kTimer");

function checkHost(host, name) {
  if (host !== undefined && host !== null && typeof host !== "string") {
    throw new codes.ERR_INVALID_ARG_TYPE(
      `options.${name}`,
      ["string", "undefined", "null"],
      host,
    );
  }
  return host;
}

const badPath = (path) =>
  new codes.ERR_INVALID_ARG_VALUE(
    "options.path",
    path,
    "must be a path-only request target",
  );

/** What only a connection of the script's own could heed. */
function refuse(options) {
  const check = (name, validate, ...rest) => {
    if (options[name] === undefined) return;
    validate(options[name], name === "maxHeaderSize" ? name : `options.${name}`, ...rest);
    throw new ERR_OPTION_NOT_IMPLEMENTED(`options.${name}`);
  };
  check("maxHeaderSize", validateInteger, 0);
  if (options.insecureHTTPParser !== undefined) {
    validateBoolean(options.insecureHTTPParser, "options.insecureHTTPParser");
  }
  check("createConnection", validateFunction);
  check("lookup", validateFunction);
  check("socketPath", validateString);
}

function chooseAgent(options, byDefault) {
  const { agent } = options;
  if (agent === false) return new byDefault.constructor();
  if (agent === undefined || agent === null) {
    return typeof options.createConnection === "function" ? undefined : byDefault;
  }
  if (typeof agent.addRequest !== "function") {
    throw new codes.ERR_INVALID_ARG_TYPE(
      "options.agent",
      ["Agent-like Object", "undefined", "false"],
      agent,
    );
  }
  return agent;
}

/** A host for the Host header: brackets around IPv6, a port that is not usual. */
function hostHeader(host, port, defaultPort) {
  const colon = StringPrototypeIndexOf(host, ":");
  if (
    colon >= 0 && StringPrototypeIncludes(host, ":", colon + 1) && host[0] !== "["
  ) {
    host = `[${host}]`;
  }
  return port && +port !== defaultPort ? `${host}:${port}` : host;
}

class ClientRequest extends OutgoingMessage {
  constructor(input, options, callback) {
    super();
    if (typeof input === "string") input = urlToHttpOptions(new URL(input));
    else if (isURL(input)) input = urlToHttpOptions(input);
    else {
      callback = options;
      options = input;
      input = null;
    }
    if (typeof options === "function") {
      callback = options;
      options = input ?? {};
    } else options = ObjectAssign(input ?? {}, options);

    if (options.path) {
      const path = `${options.path}`;
      if (RegExpPrototypeTest(NOT_IN_PATH, path)) {
        throw new codes.ERR_UNESCAPED_CHARACTERS("Request path");
      }
      if (RegExpPrototypeTest(NOT_A_PATH, path)) throw badPath(path);
    }
    const byDefault = options._defaultAgent || globalAgent;
    this.agent = chooseAgent(options, byDefault);
    const protocol = options.protocol || byDefault.protocol;
    const expected = this.agent?.protocol ?? byDefault.protocol;
    if (protocol !== expected) {
      throw new codes.ERR_INVALID_PROTOCOL(protocol, expected);
    }
    this.protocol = protocol;
    const defaultPort = options.defaultPort || this.agent?.defaultPort || 80;
    const port = options.port = options.port || defaultPort;
    this.port = `${port}`;
    const host = options.host = checkHost(options.hostname, "hostname") ||
      checkHost(options.host, "host") || "localhost";
    this.host = host;
    if (options.timeout !== undefined) {
      this.timeout = getTimerDuration(options.timeout, "timeout");
    }
    this.method = "GET";
    if (options.method !== undefined && options.method !== null) {
      if (typeof options.method !== "string") {
        throw new codes.ERR_INVALID_ARG_TYPE(
          "options.method",
          "string",
          options.method,
        );
      }
      if (options.method !== "") {
        if (!_checkIsHttpToken(options.method)) {
          throw new codes.ERR_INVALID_HTTP_TOKEN("Method", options.method);
        }
        this.method = StringPrototypeToUpperCase(options.method);
      }
    }
    refuse(options);
    if (options.joinDuplicateHeaders !== undefined) {
      validateBoolean(options.joinDuplicateHeaders, "options.joinDuplicateHeaders");
    }
    this.joinDuplicateHeaders = options.joinDuplicateHeaders;
    this.path = options.path || "/";
    this.aborted = false;
    this.reusedSocket = false;
    this.maxHeadersCount = Infinity;
    this.useChunkedEncodingByDefault = this.method !== "GET" &&
      this.method !== "HEAD" && this.method !== "DELETE" &&
      this.method !== "OPTIONS" && this.method !== "TRACE";
    this._ended = false;
    this[kAbort] = new AbortController();
    this[kAnswer] = null;
    this[kBody] = [];
    this[kTimer] = null;
    this[kUniqueHeaders] = parseUniqueHeadersOption(options.uniqueHeaders);
    if (options.signal) addAbortSignal(options.signal, this);
    if (callback) this.once("response", callback);
    const setHost = options.setHost !== undefined
      ? !!options.setHost
      : options.setDefaultHeaders !== false;
    this.#setHeaders(options, hostHeader(host, port, defaultPort), setHost);
    this.once("finish", () => this.#send());
  }

  #setHeaders({ auth, headers }, host, setHost) {
    if (ArrayIsArray(headers)) {
      if (headers.length % 2 !== 0) {
        throw new codes.ERR_INVALID_ARG_VALUE("headers", headers);
      }
      for (let n = 0; n < headers.length; n += 2) {
        this.appendHeader(headers[n], headers[n + 1]);
      }
      return;
    }
    if (headers !== undefined && headers !== null) {
      if ("host" in headers) validateString(headers.host, "host");
      for (const name of new SafeArrayIterator(ObjectKeys(headers))) {
        this.setHeader(name, headers[name]);
      }
    }
    if (setHost && !this.getHeader("host")) this.setHeader("Host", host);
    if (auth && !this.getHeader("Authorization")) {
      this.setHeader("Authorization", `Basic ${Buffer.from(auth).toString("base64")}`);
    }
  }

  /** Takes what the message would write to a connection. */
  _send(data, encoding, callback) {
    if (typeof encoding === "function") {
      callback = encoding;
      encoding = null;
    }
    this._headerSent = true;
    if (data.length > 0) {
      ArrayPrototypePush(
        this[kBody],
        typeof data === "string" ? Buffer.from(data, encoding ?? "utf8") : data,
      );
    }
    if (callback) queueMicrotask(() => callback());
    return true;
  }

  _implicitHeader() {
    if (this._header) throw new codes.ERR_HTTP_HEADERS_SENT("render");
    this._storeHeader(`${this.method} ${this.path} HTTP/1.1\r\n`, this[kOutHeaders]);
  }

  _finish() {
    this.emit("prefinish");
  }

  end(data, encoding, callback) {
    this._ended = true;
    return super.end(data, encoding, callback);
  }

  #send() {
    if (this.destroyed) return;
    if (this.timeout) this.#startTimer();
    const out = this[kOutHeaders] ?? {};
    const names = ObjectKeys(out);
    if (names.length === 0) {
      // RFC 9112, 3.2: a request without Host is a bad one.
      queueMicrotask(() => this.#answer(400, "Bad Request", ["connection", "close"], null, ""));
      return;
    }
    const headers = new Headers();
    for (const key of new SafeArrayIterator(names)) {
      const [name, value] = out[key];
      if (ArrayIsArray(value) && !this.joinDuplicateHeaders) {
        for (const one of new SafeArrayIterator(value)) headers.append(name, one);
      } else {
        headers.append(name, ArrayIsArray(value)
          ? ArrayPrototypeJoin(value, key === "cookie" ? "; " : ", ")
          : value);
      }
    }
    const hasBody = this.method !== "GET" && this.method !== "HEAD" &&
      this[kBody].length > 0;
    try {
      const url = this.#url();
      PromisePrototypeThen(
        fetch(url, {
          body: hasBody ? Buffer.concat(this[kBody]) : null,
          encodeResponseBody: "manual",
          headers,
          method: this.method,
          redirect: "manual",
          signal: this[kAbort].signal,
        }),
        (response) =>
          this.#answer(
            response.status,
            response.statusText,
            copyHeaderList(headerList(response.headers)),
            response.body,
            response.url,
          ),
        (error) => this.#fail(error),
      );
    } catch (error) {
      this.destroy(error);
    } finally {
      this[kBody] = [];
    }
  }

  #url() {
    // The path may have been set anew.
    if (RegExpPrototypeTest(NOT_A_PATH, this.path)) throw badPath(this.path);
    const host = hostHeader(this.host, this.port, 0);
    return new URL(this.path, `${this.protocol}//${host}`).href;
  }

  #answer(status, statusText, headers, body, url) {
    if (this.destroyed) return;
    const answer = new IncomingMessage();
    answer.joinDuplicateHeaders = !!this.joinDuplicateHeaders;
    fill(answer, headers, body);
    answer.statusCode = status;
    answer.statusMessage = statusText;
    answer.url = url;
    answer.req = this;
    this[kAnswer] = this.res = answer;
    answer.on("error", (error) => this.emit("error", error));
    answer.once("close", () => this.#stopTimer());
    answer.once("end", () => {
      this.#stopTimer();
      this.#close();
    });
    // Nobody waits for it: it is read and dropped, as Node does.
    if (!this.emit("response", answer)) answer._dump();
  }

  #fail(error) {
    this.#stopTimer();
    const was = this.destroyed;
    this.destroyed = true;
    this._ended = true;
    if (!was) this.emit("error", error);
    this.#close();
  }

  #close() {
    if (this._closed) return;
    this._closed = true;
    queueMicrotask(() => this.emit("close"));
  }

  #startTimer() {
    clearTimeout(this[kTimer]);
    this[kTimer] = setTimeout(() => {
      this.emit("timeout");
      this[kAnswer]?.emit("timeout");
      this[kAbort].abort();
    }, this.timeout);
  }

  #stopTimer() {
    clearTimeout(this[kTimer]);
    this[kTimer] = null;
  }

  setTimeout(msecs, callback) {
    this.#stopTimer();
    this.timeout = getTimerDuration(msecs, "msecs");
    if (this.timeout) this.#startTimer();
    if (callback) this.once("timeout", callback);
    return this;
  }

  clearTimeout(callback) {
    this.setTimeout(0, callback);
  }

  abort(error) {
    if (this.aborted) return;
    this.aborted = true;
    queueMicrotask(() => this.emit("abort"));
    this.destroy(error);
  }

  destroy(error) {
    if (this.destroyed) return this;
    this.destroyed = true;
    this.#stopTimer();
    this[kAnswer]?.destroy(error);
    this[kAbort].abort();
    queueMicrotask(() => {
      if (error) this.emit("error", error);
      this.#close();
    });
    return this;
  }

  addTrailers() {
    throw new ERR_METHOD_NOT_IMPLEMENTED("addTrailers");
  }
  onSocket() {}
  setNoDelay(noDelay) {
    validateBoolean(noDelay, "noDelay");
  }
  setSocketKeepAlive(enable, initialDelay) {
    validateBoolean(enable, "enable");
    validateNumber(initialDelay, "initialDelay");
  }
}

return { ClientRequest, module: { ClientRequest } };
})();
