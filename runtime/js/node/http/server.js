// A server of node:http: it listens at a number in the isolate, and what asks
// it is a worker's own fetch handler (`cloudflare:node`).
(function () {
const { core, primordials } = __bootstrap;
const {
  ArrayIsArray,
  ArrayPrototypePush,
  ArrayPrototypeIncludes,
  Error,
  MathMin,
  MathRandom,
  MathTrunc,
  ObjectKeys,
  Promise,
  SafeArrayIterator,
  SafeMap,
  StringPrototypeIndexOf,
  StringPrototypeSlice,
  StringPrototypeSplit,
  Symbol,
  SymbolAsyncDispose,
  queueMicrotask,
} = primordials;
const { EventEmitter } = core.loadExtScript("ext:deno_node/_events.mjs");
const { codes } = core.loadExtScript("ext:outboard/node/errors.js");
const { kOutHeaders } = core.loadExtScript("ext:deno_node/internal/http.ts");
const {
  validateBoolean,
  validateFunction,
  validateInteger,
  validateNumber,
  validateObject,
  validatePort,
} = core.loadExtScript("ext:deno_node/internal/validators.mjs");
const { ERR_METHOD_NOT_IMPLEMENTED, ERR_OPTION_NOT_IMPLEMENTED, notImplemented } =
  core.loadExtScript("ext:outboard/node/errors.js");
const { STATUS_CODES, exports: common } = core.loadExtScript(
  "ext:outboard/node/http/common.js",
);
const { kUniqueHeaders, OutgoingMessage, parseUniqueHeadersOption } = core
  .loadExtScript("ext:outboard/node/http/outgoing.js");
const { fill, IncomingMessage } = core.loadExtScript(
  "ext:outboard/node/http/incoming.js",
);
const { _normalizeArgs } = core.loadExtScript(
  "ext:outboard/node/net/arguments.js",
);
const { Connection } = core.loadExtScript(
  "ext:outboard/node/http/connection.js",
);
const { copyHeaderList, headerList } = core.loadExtScript(
  "ext:outboard/headers.js",
);
const { URL } = core.loadExtScript("ext:deno_web/00_url.js");

const kServerResponse = Symbol("ServerResponse");
const kIncomingMessage = Symbol("IncomingMessage");

/** port -> the server that listens there */
const ports = new SafeMap();
/** Ports to try before one gives up. */
const TRIES = 10;

/** Of these a request has one, whatever a client sends: the first counts. */
const SINGLE = [
  "host", "content-type", "user-agent", "referer", "authorization",
  "proxy-authorization", "if-modified-since", "if-unmodified-since", "from",
  "location", "max-forwards",
];

/** The first of values that were joined by commas, which quotes may hold too. */
function firstValue(value) {
  let quoted = false;
  for (let n = 0; n < value.length; n++) {
    if (value[n] === '"') quoted = !quoted;
    else if (value[n] === "\\" && quoted) n++;
    else if (value[n] === "," && !quoted) return StringPrototypeSlice(value, 0, n);
  }
  return value;
}

function storeHTTPOptions(options) {
  validateObject(options, "options");
  this[kIncomingMessage] = options.IncomingMessage || IncomingMessage;
  this[kServerResponse] = options.ServerResponse || ServerResponse;
  const refuse = (name, ...rest) => {
    if (options[name] === undefined) return;
    validateInteger(options[name], name, ...rest);
    throw new ERR_OPTION_NOT_IMPLEMENTED(name);
  };
  const flag = (name, byDefault) => {
    if (options[name] !== undefined) validateBoolean(options[name], `options.${name}`);
    return options[name] ?? byDefault;
  };
  const time = (name, byDefault) => {
    if (options[name] !== undefined) validateInteger(options[name], name, 0);
    return options[name] ?? byDefault;
  };
  refuse("maxHeaderSize", 0);
  flag("insecureHTTPParser");
  this.requestTimeout = time("requestTimeout", 300_000);
  this.headersTimeout = time("headersTimeout", MathMin(60_000, this.requestTimeout));
  if (
    this.requestTimeout > 0 && this.headersTimeout > 0 &&
    this.headersTimeout > this.requestTimeout
  ) {
    throw new codes.ERR_OUT_OF_RANGE(
      "headersTimeout",
      "<= requestTimeout",
      options.headersTimeout,
    );
  }
  refuse("keepAliveTimeout", 0);
  refuse("keepAliveTimeoutBuffer");
  refuse("connectionsCheckingInterval", 0);
  this.requireHostHeader = flag("requireHostHeader", true);
  this.joinDuplicateHeaders = flag("joinDuplicateHeaders", false);
  this.rejectNonStandardBodyWrites = flag("rejectNonStandardBodyWrites", false);
}

class Server extends EventEmitter {
  [kIncomingMessage] = IncomingMessage;
  [kServerResponse] = ServerResponse;
  httpAllowHalfOpen = false;
  timeout = 0;
  maxHeadersCount = null;
  maxRequestsPerSocket = 0;
  connectionsCheckingInterval = 30_000;
  requestTimeout = 300_000;
  headersTimeout = 60_000;
  requireHostHeader = true;
  joinDuplicateHeaders = false;
  rejectNonStandardBodyWrites = false;
  keepAliveTimeout = 5_000;
  keepAliveTimeoutBuffer = 1_000;
  highWaterMark = 65_536;
  /** @type {number | null} */
  #port = null;

  constructor(options, listener) {
    super();
    if (typeof options === "function") {
      listener = options;
      options = {};
    } else if (options === undefined || options === null) options = {};
    else storeHTTPOptions.call(this, options);
    if (options.highWaterMark !== undefined) {
      validateNumber(options.highWaterMark, "options.highWaterMark");
      if (options.highWaterMark > 0) this.highWaterMark = options.highWaterMark;
    }
    if (listener) this.on("request", listener);
    this[kUniqueHeaders] = parseUniqueHeadersOption(options.uniqueHeaders);
  }

  listen(...args) {
    const [options, callback] = _normalizeArgs(args);
    let port = 0;
    if (typeof options.port === "number" || typeof options.port === "string") {
      port = validatePort(options.port, "options.port") | 0;
    }
    if (this.#port !== null || ports.has(port)) {
      throw new codes.ERR_SERVER_ALREADY_LISTEN();
    }
    if (callback !== null) this.once("listening", callback);
    this.#port = port === 0 ? freePort() : port;
    ports.set(this.#port, (request, env, ctx) => this.#serve(request, env, ctx));
    queueMicrotask(() => this.emit("listening"));
    return this;
  }

  close(callback) {
    if (this.#port !== null) {
      ports.delete(this.#port);
      this.#port = null;
    }
    if (typeof callback === "function") this.once("close", callback);
    queueMicrotask(() => this.emit("close"));
    return this;
  }

  async #serve(request, env, ctx) {
    const url = new URL(request.url);
    const incoming = new this[kIncomingMessage]();
    const connection = new Connection(incoming, request.headers, this.#port);
    incoming.socket = incoming.client = connection;
    incoming.method = request.method;
    incoming.url = url.pathname + url.search;
    incoming.cloudflare = { cf: request.cf, ctx, env };
    const headers = copyHeaderList(headerList(request.headers));
    for (let n = 0; n < headers.length; n += 2) {
      if (ArrayPrototypeIncludes(SINGLE, headers[n])) {
        headers[n + 1] = firstValue(headers[n + 1]);
      }
    }
    incoming.joinDuplicateHeaders = this.joinDuplicateHeaders;
    fill(incoming, headers, request.body);
    const response = new this[kServerResponse](incoming, {
      highWaterMark: this.highWaterMark,
      rejectNonStandardBodyWrites: this.rejectNonStandardBodyWrites,
    });
    response[kUniqueHeaders] = this[kUniqueHeaders];
    connection.serve(response, request.method);
    try {
      this.emit("connection", this, incoming);
      this.emit("request", incoming, response);
      return await connection.answer;
    } catch (error) {
      response.destroy(error);
      throw error;
    }
  }

  setTimeout(msecs, callback) {
    if (typeof msecs === "function") callback = msecs;
    else if (typeof msecs === "number") this.timeout = msecs;
    if (typeof callback === "function") this.once("timeout", callback);
    return this;
  }

  getConnections(callback) {
    if (callback) {
      validateFunction(callback, "callback");
      queueMicrotask(() => callback(null, 0));
    }
    return this;
  }

  // We always answer for the one address there is.
  address() {
    return this.#port === null
      ? null
      : { port: this.#port, family: "IPv4", address: "127.0.0.1" };
  }
  get connections() {
    return 0;
  }
  get listening() {
    return this.#port !== null;
  }
  get maxConnections() {
    return Infinity;
  }
  closeAllConnections() {}
  closeIdleConnections() {}
  ref() {
    return this;
  }
  unref() {
    return this;
  }
  [SymbolAsyncDispose]() {
    return new Promise((resolve) => this.close(resolve));
  }
}

function freePort() {
  for (let n = 0; n < TRIES; n++) {
    // A number to be told apart by, which need not be hard to guess.
    const port = MathTrunc(MathRandom() * 65535) + 1;
    if (!ports.has(port)) return port;
  }
  throw new Error(`Failed to find a suitable port after ${TRIES} attempts`);
}

class ServerResponse extends OutgoingMessage {
  statusCode = 200;
  statusMessage = undefined;

  constructor(request, options = {}) {
    super(options);
    this.req = request;
    this.sendDate = false;
    if (request.httpVersionMajor < 1 || request.httpVersionMinor < 1) {
      this.useChunkedEncodingByDefault = common.chunkExpression.test(
        request.headers.te ?? "",
      );
      this.shouldKeepAlive = false;
    }
    if (request.method === "HEAD") this._hasBody = false;
  }

  _implicitHeader() {
    this.writeHead(this.statusCode);
  }

  _send(data, encoding, callback) {
    if (!this._headerSent && this._header !== null) {
      const { _header: head, statusCode, statusMessage } = this;
      this.socket?.begin(statusCode, statusMessage, headersOf(head), head.length);
    }
    return super._send(data, encoding, callback);
  }

  _finish() {
    this.emit("prefinish");
    this.socket.finish();
  }

  destroy(error) {
    if (this.destroyed) return this;
    super.destroy(error);
    return this;
  }

  writeHead(statusCode, reason, obj) {
    if (this._header) throw new codes.ERR_HTTP_HEADERS_SENT("write");
    const status = statusCode | 0;
    // An interim answer is not the script's to send.
    if (status < 200 || status > 999) {
      throw new codes.ERR_HTTP_INVALID_STATUS_CODE(statusCode);
    }
    if (typeof reason === "string") this.statusMessage = reason;
    else {
      this.statusMessage ||= STATUS_CODES[status] || "unknown";
      obj ??= reason;
    }
    this.statusCode = status;
    let headers = obj;
    if (this[kOutHeaders]) {
      if (ArrayIsArray(obj)) {
        if (obj.length % 2 !== 0) {
          throw new codes.ERR_INVALID_ARG_VALUE("headers", obj);
        }
        for (let n = 0; n < obj.length; n += 2) this.removeHeader(`${obj[n]}`);
        for (let n = 0; n < obj.length; n += 2) {
          this.appendHeader(`${obj[n]}`, obj[n + 1]);
        }
      } else if (obj) {
        for (const name of new SafeArrayIterator(ObjectKeys(obj))) {
          if (obj[name]) this.setHeader(name, obj[name]);
        }
      }
      headers = this[kOutHeaders];
    }
    if (common._checkInvalidHeaderChar(this.statusMessage)) {
      throw new codes.ERR_INVALID_CHAR("statusMessage");
    }
    // RFC 9112, 6.3: these have no body.
    if (status === 204 || status === 304) this._hasBody = false;
    this._storeHeader(
      `HTTP/1.1 ${status} ${this.statusMessage}\r\n`,
      headers ?? null,
    );
    return this;
  }

  writeHeader(...args) {
    return this.writeHead(...new SafeArrayIterator(args));
  }

  assignSocket() {
    throw new ERR_METHOD_NOT_IMPLEMENTED("assignSocket");
  }
  detachSocket() {
    throw new ERR_METHOD_NOT_IMPLEMENTED("detachSocket");
  }
  writeContinue() {
    throw new ERR_METHOD_NOT_IMPLEMENTED("writeContinue");
  }
  writeEarlyHints() {
    throw new ERR_METHOD_NOT_IMPLEMENTED("writeEarlyHints");
  }
  writeProcessing() {
    throw new ERR_METHOD_NOT_IMPLEMENTED("writeProcessing");
  }
}

/** The header lines of a head, as pairs. */
function headersOf(head) {
  const pairs = [];
  const lines = StringPrototypeSplit(head, "\r\n");
  for (let n = 1; n < lines.length; n++) {
    const colon = StringPrototypeIndexOf(lines[n], ": ");
    if (colon > 0) {
      ArrayPrototypePush(pairs, [
        StringPrototypeSlice(lines[n], 0, colon),
        StringPrototypeSlice(lines[n], colon + 2),
      ]);
    }
  }
  return pairs;
}

class HttpsServer extends Server {
  addContext() {
    throw new ERR_METHOD_NOT_IMPLEMENTED("addContext");
  }
  getTicketKeys() {
    throw new ERR_METHOD_NOT_IMPLEMENTED("getTicketKeys");
  }
  setSecureContext() {
    throw new ERR_METHOD_NOT_IMPLEMENTED("setSecureContext");
  }
  setTicketKeys() {
    throw new ERR_METHOD_NOT_IMPLEMENTED("setTicketKeys");
  }
}

const _connectionListener = notImplemented("_connectionListener");

return {
  _connectionListener,
  HttpsServer,
  ports,
  Server,
  ServerResponse,
  module: {
    STATUS_CODES,
    Server,
    ServerResponse,
    _connectionListener,
    httpServerPreClose() {},
    kConnectionsCheckingInterval: Symbol("http.server.connectionsCheckingInterval"),
    kIncomingMessage,
    kServerResponse,
    setupConnectionsTracking: notImplemented("setupConnectionsTracking"),
    storeHTTPOptions,
  },
};
})();
