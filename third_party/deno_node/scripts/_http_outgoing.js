// ext:deno_node/_http_outgoing.ts
// From deno_node 0.198.0, MIT: see ../LICENSE.md. Written by refresh.mjs.
(function () {
const module = { exports: {} };
const require = __bootstrap.core.loadExtScript("ext:outboard/node/require.js").require;
var __defProp = Object.defineProperty;
var __getOwnPropDesc = Object.getOwnPropertyDescriptor;
var __getOwnPropNames = Object.getOwnPropertyNames;
var __hasOwnProp = Object.prototype.hasOwnProperty;
var __export = (target, all) => {
  for (var name in all)
    __defProp(target, name, { get: all[name], enumerable: true });
};
var __copyProps = (to, from, except, desc) => {
  if (from && typeof from === "object" || typeof from === "function") {
    for (let key of __getOwnPropNames(from))
      if (!__hasOwnProp.call(to, key) && key !== except)
        __defProp(to, key, { get: () => from[key], enumerable: !(desc = __getOwnPropDesc(from, key)) || desc.enumerable });
  }
  return to;
};
var __toCommonJS = (mod) => __copyProps(__defProp({}, "__esModule", { value: true }), mod);
var stdin_exports = {};
__export(stdin_exports, {
  OutgoingMessage: () => OutgoingMessage,
  default: () => stdin_default,
  kHighWaterMark: () => kHighWaterMark,
  kRejectNonStandardBodyWrites: () => kRejectNonStandardBodyWrites,
  kUniqueHeaders: () => kUniqueHeaders,
  parseUniqueHeadersOption: () => parseUniqueHeadersOption,
  validateHeaderName: () => validateHeaderName,
  validateHeaderValue: () => validateHeaderValue
});
module.exports = __toCommonJS(stdin_exports);
var import_mod = require("ext:core/mod.js");
var import_node_stream = require("node:stream");
var import_node_http_common = require("node:_http_common");
const {
  Array,
  ArrayIsArray,
  ArrayPrototypeJoin,
  ArrayPrototypePush,
  ArrayPrototypePushApply,
  ArrayPrototypeShift,
  ArrayPrototypeUnshift,
  Error: Error2,
  FunctionPrototypeBind,
  FunctionPrototypeCall,
  MathFloor,
  NumberPrototypeToString,
  ObjectCreate,
  ObjectDefineProperties,
  ObjectDefineProperty,
  ObjectKeys,
  ObjectSetPrototypeOf,
  ObjectValues,
  SafeRegExp,
  SafeSet,
  String,
  StringPrototypeToLowerCase,
  StringPrototypeToString,
  Symbol: Symbol2,
  SymbolIterator,
  TypedArrayPrototypeGetByteLength
} = import_mod.primordials;
const { getDefaultHighWaterMark } = import_mod.core.loadExtScript(
  "ext:deno_node/internal/streams/state.js"
);
const assert = import_mod.core.loadExtScript(
  "ext:deno_node/internal/assert.mjs"
);
const { EventEmitter: EE } = import_mod.core.loadExtScript("ext:deno_node/_events.mjs");
const { deprecate } = import_mod.core.loadExtScript("ext:deno_node/util.ts");
const {
  kNeedDrain,
  kOutHeaders,
  utcDate
} = import_mod.core.loadExtScript("ext:deno_node/internal/http.ts");
const { Buffer: Buffer2 } = import_mod.core.loadExtScript("ext:deno_node/internal/buffer.mjs");
const {
  defaultTriggerAsyncIdScope,
  symbols
} = import_mod.core.loadExtScript("ext:deno_node/internal/async_hooks.ts");
const { async_id_symbol } = symbols;
const {
  ERR_HTTP_BODY_NOT_ALLOWED,
  ERR_HTTP_CONTENT_LENGTH_MISMATCH,
  ERR_HTTP_HEADERS_SENT,
  ERR_HTTP_INVALID_HEADER_VALUE,
  ERR_HTTP_TRAILER_INVALID,
  ERR_INVALID_ARG_TYPE,
  ERR_INVALID_ARG_VALUE,
  ERR_INVALID_CHAR,
  ERR_INVALID_HTTP_TOKEN,
  ERR_METHOD_NOT_IMPLEMENTED,
  ERR_STREAM_CANNOT_PIPE,
  ERR_STREAM_DESTROYED,
  ERR_STREAM_NULL_VALUES,
  ERR_STREAM_WRITE_AFTER_END,
  errnoException,
  hideStackFrames
} = import_mod.core.loadExtScript("ext:deno_node/internal/errors.ts");
const {
  kLastWriteWasAsync,
  streamBaseState
} = import_mod.core.loadExtScript("ext:deno_node/internal_binding/stream_wrap.ts");
const { validateString } = import_mod.core.loadExtScript(
  "ext:deno_node/internal/validators.mjs"
);
const { isUint8Array } = import_mod.core.loadExtScript(
  "ext:deno_node/internal/util/types.ts"
);
const { debuglog } = import_mod.core.loadExtScript(
  "ext:deno_node/internal/util/debuglog.ts"
);
let debug = debuglog("http", (fn) => {
  debug = fn;
});
const HIGH_WATER_MARK = getDefaultHighWaterMark();
const kUniqueHeaders = Symbol2("kUniqueHeaders");
const kHighWaterMark = Symbol2("kHighWaterMark");
const kCorked = Symbol2("corked");
const kSocket = Symbol2("kSocket");
const kChunkedBuffer = Symbol2("kChunkedBuffer");
const kChunkedLength = Symbol2("kChunkedLength");
const kBytesWritten = Symbol2("kBytesWritten");
const kRejectNonStandardBodyWrites = Symbol2(
  "kRejectNonStandardBodyWrites"
);
const nop = () => {
};
const RE_CONN_CLOSE = new SafeRegExp(/(?:^|\W)close(?:$|\W)/i);
function isCookieField(s) {
  return s.length === 6 && StringPrototypeToLowerCase(s) === "cookie";
}
function OutgoingMessage(options) {
  FunctionPrototypeCall(import_node_stream.Stream, this);
  this[kHighWaterMark] = options?.highWaterMark ?? getDefaultHighWaterMark();
  this[kRejectNonStandardBodyWrites] = options?.rejectNonStandardBodyWrites ?? false;
  this.outputData = [];
  this.outputSize = 0;
  this.writable = true;
  this.destroyed = false;
  this._last = false;
  this.chunkedEncoding = false;
  this.shouldKeepAlive = true;
  this.maxRequestsOnConnectionReached = false;
  this._defaultKeepAlive = true;
  this.useChunkedEncodingByDefault = true;
  this.sendDate = false;
  this._removedConnection = false;
  this._removedContLen = false;
  this._removedTE = false;
  this._contentLength = null;
  this._hasBody = true;
  this._trailer = "";
  this[kNeedDrain] = false;
  this.finished = false;
  this._headerSent = false;
  this[kCorked] = 0;
  this._closed = false;
  this[kSocket] = null;
  this._header = null;
  this[kOutHeaders] = null;
  this._keepAliveTimeout = 0;
  this._onPendingData = nop;
  this.strictContentLength = false;
  this[kBytesWritten] = 0;
  this[kChunkedBuffer] = [];
  this[kChunkedLength] = 0;
  this._bodyWriter = null;
}
ObjectSetPrototypeOf(OutgoingMessage.prototype, import_node_stream.Stream.prototype);
ObjectSetPrototypeOf(OutgoingMessage, import_node_stream.Stream);
ObjectDefineProperties(OutgoingMessage.prototype, {
  writableFinished: {
    __proto__: null,
    get: function writableFinished() {
      return this.finished && this.outputSize === 0 && (!this[kSocket] || this[kSocket].writableLength === 0);
    },
    enumerable: true,
    configurable: true
  },
  writableObjectMode: {
    __proto__: null,
    get: function writableObjectMode() {
      return false;
    },
    enumerable: true,
    configurable: true
  },
  writableLength: {
    __proto__: null,
    get: function writableLength() {
      return this.outputSize + this[kChunkedLength] + (this[kSocket] ? this[kSocket].writableLength : 0);
    },
    enumerable: true,
    configurable: true
  },
  writableHighWaterMark: {
    __proto__: null,
    get: function writableHighWaterMark() {
      return this[kSocket] ? this[kSocket].writableHighWaterMark : this[kHighWaterMark] || HIGH_WATER_MARK;
    },
    enumerable: true,
    configurable: true
  },
  writableCorked: {
    __proto__: null,
    get: function writableCorked() {
      const corked = this[kSocket] ? this[kSocket].writableCorked : 0;
      return corked + this[kCorked];
    },
    enumerable: true,
    configurable: true
  },
  connection: {
    __proto__: null,
    get: function connection() {
      return this[kSocket];
    },
    set: function connection2(val) {
      this.socket = val;
    },
    enumerable: true,
    configurable: true
  },
  writableEnded: {
    __proto__: null,
    get: function writableEnded() {
      return this.finished;
    },
    enumerable: true,
    configurable: true
  },
  writableNeedDrain: {
    __proto__: null,
    get: function writableNeedDrain() {
      return !this.destroyed && !this.finished && this[kNeedDrain];
    },
    enumerable: true,
    configurable: true
  },
  cork: {
    __proto__: null,
    value: function cork() {
      if (this.socket) {
        this.socket.cork();
      } else {
        this[kCorked]++;
      }
    },
    writable: true,
    enumerable: true,
    configurable: true
  },
  uncork: {
    __proto__: null,
    value: function uncork() {
      if (this.socket) {
        this.socket.uncork();
      } else if (this[kCorked]) {
        this[kCorked]--;
      }
    },
    writable: true,
    enumerable: true,
    configurable: true
  },
  setTimeout: {
    __proto__: null,
    value: function setTimeout(msecs, callback) {
      if (callback) {
        this.on("timeout", callback);
      }
      if (!this.socket) {
        this.once("socket", function socketSetTimeoutOnConnect(socket) {
          socket.setTimeout(msecs);
        });
      } else {
        this.socket.setTimeout(msecs);
      }
      return this;
    },
    writable: true,
    enumerable: true,
    configurable: true
  },
  // It's possible that the socket will be destroyed, and removed from
  // any messages, before ever calling this.  In that case, just skip
  // it, since something else is destroying this connection anyway.
  destroy: {
    __proto__: null,
    value: function destroy(error) {
      if (this.destroyed) {
        return this;
      }
      this.destroyed = true;
      if (this.socket) {
        this.socket.destroy(error);
      } else {
        this.once("socket", function socketDestroyOnConnect(socket) {
          socket.destroy(error);
        });
      }
      return this;
    },
    writable: true,
    enumerable: true,
    configurable: true
  },
  setHeader: {
    __proto__: null,
    value: function setHeader(name, value) {
      if (this._header) {
        throw new ERR_HTTP_HEADERS_SENT("set");
      }
      validateHeaderName(name);
      validateHeaderValue(name, value);
      let headers = this[kOutHeaders];
      if (headers === null) {
        this[kOutHeaders] = headers = ObjectCreate(null);
      }
      name = StringPrototypeToString(name);
      headers[StringPrototypeToLowerCase(name)] = [name, value];
      return this;
    },
    writable: true,
    enumerable: true,
    configurable: true
  },
  appendHeader: {
    __proto__: null,
    value: function appendHeader(name, value) {
      if (this._header) {
        throw new ERR_HTTP_HEADERS_SENT("append");
      }
      validateHeaderName(name);
      validateHeaderValue(name, value);
      name = StringPrototypeToString(name);
      const field = StringPrototypeToLowerCase(name);
      const headers = this[kOutHeaders];
      if (headers === null || !headers[field]) {
        return this.setHeader(name, value);
      }
      if (!ArrayIsArray(headers[field][1])) {
        headers[field][1] = [headers[field][1]];
      }
      const existingValues = headers[field][1];
      if (ArrayIsArray(value)) {
        for (let i = 0, length = value.length; i < length; i++) {
          ArrayPrototypePush(existingValues, StringPrototypeToString(value[i]));
        }
      } else {
        ArrayPrototypePush(existingValues, StringPrototypeToString(value));
      }
      return this;
    },
    writable: true,
    enumerable: true,
    configurable: true
  },
  // Returns a shallow copy of the current outgoing headers.
  getHeaders: {
    __proto__: null,
    value: function getHeaders() {
      const headers = this[kOutHeaders];
      const ret = ObjectCreate(null);
      if (headers) {
        const keys = ObjectKeys(headers);
        for (let i = 0; i < keys.length; ++i) {
          const key = keys[i];
          const val = headers[key][1];
          ret[key] = val;
        }
      }
      return ret;
    },
    writable: true,
    enumerable: true,
    configurable: true
  },
  hasHeader: {
    __proto__: null,
    value: function hasHeader(name) {
      validateString(name, "name");
      return this[kOutHeaders] !== null && !!this[kOutHeaders][StringPrototypeToLowerCase(name)];
    },
    writable: true,
    enumerable: true,
    configurable: true
  },
  removeHeader: {
    __proto__: null,
    value: function removeHeader(name) {
      validateString(name, "name");
      if (this._header) {
        throw new ERR_HTTP_HEADERS_SENT("remove");
      }
      const key = StringPrototypeToLowerCase(name);
      switch (key) {
        case "connection":
          this._removedConnection = true;
          break;
        case "content-length":
          this._removedContLen = true;
          break;
        case "transfer-encoding":
          this._removedTE = true;
          break;
        case "date":
          this.sendDate = false;
          break;
      }
      if (this[kOutHeaders] !== null) {
        delete this[kOutHeaders][key];
      }
    },
    writable: true,
    enumerable: true,
    configurable: true
  },
  getHeader: {
    __proto__: null,
    value: function getHeader(name) {
      validateString(name, "name");
      const headers = this[kOutHeaders];
      if (headers === null) {
        return;
      }
      const entry = headers[StringPrototypeToLowerCase(name)];
      return entry && entry[1];
    },
    writable: true,
    enumerable: true,
    configurable: true
  },
  // Returns an array of the names of the current outgoing headers.
  getHeaderNames: {
    __proto__: null,
    value: function getHeaderNames() {
      return this[kOutHeaders] !== null ? ObjectKeys(this[kOutHeaders]) : [];
    },
    writable: true,
    enumerable: true,
    configurable: true
  },
  // Returns an array of the names of the current outgoing raw headers.
  getRawHeaderNames: {
    __proto__: null,
    value: function getRawHeaderNames() {
      const headersMap = this[kOutHeaders];
      if (headersMap === null) return [];
      const values = ObjectValues(headersMap);
      const headers = new Array(values.length);
      for (let i = 0, l = values.length; i < l; i++) {
        headers[i] = values[i][0];
      }
      return headers;
    },
    writable: true,
    enumerable: true,
    configurable: true
  },
  // Match Node: call the standalone write_() helper with `this` as the
  // first argument instead of a method call on `this`. This keeps the
  // chunk-type validation reachable when callers pass a fake `this` via
  // `outgoingMessage.write.call(fake)` (see lib/_http_outgoing.js).
  write: {
    __proto__: null,
    value: function write(chunk, encoding, callback) {
      if (typeof encoding === "function") {
        callback = encoding;
        encoding = null;
      }
      const ret = write_(this, chunk, encoding, callback, false);
      if (!ret) {
        this[kNeedDrain] = true;
      }
      return ret;
    },
    writable: true,
    enumerable: true,
    configurable: true
  },
  addTrailers: {
    __proto__: null,
    value: function addTrailers(headers) {
      this._trailer = "";
      const keys = ObjectKeys(headers);
      const isArray = ArrayIsArray(headers);
      let field, value;
      for (let i = 0, l = keys.length; i < l; i++) {
        if (isArray) {
          field = headers[keys[i]][0];
          value = headers[keys[i]][1];
        } else {
          field = keys[i];
          value = headers[field];
        }
        if (typeof field !== "string" || !field || !(0, import_node_http_common._checkIsHttpToken)(field)) {
          throw new ERR_INVALID_HTTP_TOKEN("Trailer name", field);
        }
        if ((0, import_node_http_common._checkInvalidHeaderChar)(value)) {
          debug('Trailer "%s" contains invalid characters', field);
          throw new ERR_INVALID_CHAR("trailer content", field);
        }
        this._trailer += field + ": " + value + "\r\n";
      }
    },
    writable: true,
    enumerable: true,
    configurable: true
  },
  end: {
    __proto__: null,
    value: function end(chunk, encoding, callback) {
      if (typeof chunk === "function") {
        callback = chunk;
        chunk = null;
        encoding = null;
      } else if (typeof encoding === "function") {
        callback = encoding;
        encoding = null;
      }
      if (chunk) {
        if (this.finished) {
          _onError(
            this,
            new ERR_STREAM_WRITE_AFTER_END(),
            typeof callback !== "function" ? nop : callback
          );
          return this;
        }
        if (tryDirectEnd(this, chunk, encoding, callback)) {
          return this;
        }
        if (this.socket) {
          this.socket.cork();
        }
        write_(this, chunk, encoding, null, true);
      } else if (this.finished) {
        if (typeof callback === "function") {
          if (!this.writableFinished) {
            this.on("finish", callback);
          } else {
            callback(new Error2("end already called"));
          }
        }
        return this;
      } else if (tryDirectEmptyEnd(this, callback)) {
        return this;
      } else if (!this._header) {
        if (this.socket) {
          this.socket.cork();
        }
        this._contentLength = 0;
        this._implicitHeader();
      }
      if (typeof callback === "function") {
        this.once("finish", callback);
      }
      if (_checkStrictContentLength(this) && this[kBytesWritten] !== this._contentLength) {
        throw new ERR_HTTP_CONTENT_LENGTH_MISMATCH(
          this[kBytesWritten],
          this._contentLength
        );
      }
      const finish = FunctionPrototypeBind(onFinish, void 0, this);
      if (this._hasBody && this.chunkedEncoding) {
        this._send("0\r\n" + this._trailer + "\r\n", "latin1", finish);
      } else if (!this._headerSent || this.writableLength || chunk) {
        this._send("", "latin1", finish);
      } else {
        globalThis.process.nextTick(finish);
      }
      if (this.socket) {
        this.socket._writableState.corked = 1;
        this.socket.uncork();
      }
      this[kCorked] = 1;
      this.uncork();
      this.finished = true;
      if (this.outputData.length === 0 && this.socket && this.socket._httpMessage === this) {
        this._finish();
      }
      return this;
    },
    writable: true,
    enumerable: true,
    configurable: true
  },
  flushHeaders: {
    __proto__: null,
    value: function flushHeaders() {
      if (!this._header) {
        this._implicitHeader();
      }
      this._send("");
    },
    writable: true,
    enumerable: true,
    configurable: true
  },
  pipe: {
    __proto__: null,
    value: function pipe() {
      this.emit("error", new ERR_STREAM_CANNOT_PIPE());
    },
    writable: true,
    enumerable: true,
    configurable: true
  },
  _implicitHeader: {
    __proto__: null,
    value: function _implicitHeader() {
      throw new ERR_METHOD_NOT_IMPLEMENTED("_implicitHeader()");
    },
    writable: true,
    enumerable: true,
    configurable: true
  },
  _finish: {
    __proto__: null,
    value: function _finish() {
      assert(this.socket);
      this.emit("prefinish");
    },
    writable: true,
    enumerable: true,
    configurable: true
  },
  // This logic is probably a bit confusing. Let me explain a bit:
  //
  // In both HTTP servers and clients it is possible to queue up several
  // outgoing messages. This is easiest to imagine in the case of a client.
  // Take the following situation:
  //
  //    req1 = client.request('GET', '/');
  //    req2 = client.request('POST', '/');
  //
  // When the user does
  //
  //   req2.write('hello world\n');
  //
  // it's possible that the first request has not been completely flushed to
  // the socket yet. Thus the outgoing messages need to be prepared to queue
  // up data internally before sending it on further to the socket's queue.
  //
  // This function, outgoingFlush(), is called by both the Server and Client
  // to attempt to flush any pending messages out to the socket.
  _flush: {
    __proto__: null,
    value: function _flush() {
      const socket = this.socket;
      if (socket && socket.writable) {
        const ret = this._flushOutput(socket);
        if (this.finished) {
          this._finish();
        } else if (ret && this[kNeedDrain]) {
          this[kNeedDrain] = false;
          this.emit("drain");
        }
      }
    },
    writable: true,
    enumerable: true,
    configurable: true
  },
  _flushOutput: {
    __proto__: null,
    value: function _flushOutput(socket) {
      while (this[kCorked]) {
        this[kCorked]--;
        socket.cork();
      }
      const outputLength = this.outputData.length;
      if (outputLength <= 0) {
        return void 0;
      }
      const outputData = this.outputData;
      socket.cork();
      let ret;
      for (let i = 0; i < outputLength; i++) {
        const { data, encoding, callback } = outputData[i];
        ret = socket.write(data, encoding, callback);
        outputData[i].data = null;
      }
      socket.uncork();
      this.outputData = [];
      this._onPendingData(-this.outputSize);
      this.outputSize = 0;
      return ret;
    },
    writable: true,
    enumerable: true,
    configurable: true
  },
  /** Right after socket is ready, we need to writeHeader() to setup the request and
   *  client. This is invoked by onSocket(). */
  _flushHeaders: {
    __proto__: null,
    value: function _flushHeaders() {
      if (!this._headerSent) {
        this._headerSent = true;
        this._writeHeader();
      }
    },
    writable: true,
    enumerable: true,
    configurable: true
  },
  _send: {
    __proto__: null,
    value: function _send(data, encoding, callback) {
      if (!this._headerSent && this._header !== null) {
        if (typeof data === "string" && (encoding === "utf8" || encoding === "latin1" || !encoding)) {
          data = this._header + data;
        } else {
          const header = this._header;
          ArrayPrototypeUnshift(this.outputData, {
            data: header,
            encoding: "latin1",
            callback: null
          });
          this.outputSize += header.length;
          this._onPendingData(header.length);
        }
        this._headerSent = true;
      }
      return this._writeRaw(data, encoding, callback);
    },
    writable: true,
    enumerable: true,
    configurable: true
  },
  _writeHeader: {
    __proto__: null,
    value: function _writeHeader() {
      throw new ERR_METHOD_NOT_IMPLEMENTED("_writeHeader()");
    },
    writable: true,
    enumerable: true,
    configurable: true
  },
  _flushBuffer: {
    __proto__: null,
    value: function _flushBuffer() {
      const outputLength = this.outputData.length;
      if (outputLength <= 0 || !this.socket || !this._bodyWriter) {
        return void 0;
      }
      const { data, encoding, callback } = ArrayPrototypeShift(
        this.outputData
      );
      this._flushingBuffer = true;
      let ret;
      try {
        ret = this._writeRaw(data, encoding, callback);
      } finally {
        this._flushingBuffer = false;
      }
      if (this.outputData.length > 0) {
        this.once("drain", this._flushBuffer);
      }
      return ret;
    },
    writable: true,
    enumerable: true,
    configurable: true
  },
  _writeRaw: {
    __proto__: null,
    value: function _writeRaw(data, encoding, callback) {
      const conn = this.socket;
      if (conn?.destroyed) {
        return false;
      }
      if (typeof encoding === "function") {
        callback = encoding;
        encoding = null;
      }
      if (conn && conn._httpMessage === this && conn.writable) {
        if (this.outputData.length) {
          this._flushOutput(conn);
        }
        this._recordRetryData?.(data, encoding, callback);
        return conn.write(data, encoding, callback);
      }
      ArrayPrototypePush(this.outputData, { data, encoding, callback });
      this.outputSize += data.length;
      this._onPendingData(data.length);
      return this.outputSize < HIGH_WATER_MARK;
    },
    writable: true,
    enumerable: true,
    configurable: true
  },
  _renderHeaders: {
    __proto__: null,
    value: function _renderHeaders() {
      if (this._header) {
        throw new ERR_HTTP_HEADERS_SENT("render");
      }
      const headersMap = this[kOutHeaders];
      const headers = {};
      if (headersMap !== null) {
        const keys = ObjectKeys(headersMap);
        for (let i = 0, l = keys.length; i < l; i++) {
          const key = keys[i];
          headers[headersMap[key][0]] = headersMap[key][1];
        }
      }
      return headers;
    },
    writable: true,
    enumerable: true,
    configurable: true
  },
  _storeHeader: {
    __proto__: null,
    value: function _storeHeader(firstLine, headers) {
      const state = {
        connection: false,
        contLen: false,
        te: false,
        date: false,
        expect: false,
        trailer: false,
        header: firstLine
      };
      if (headers) {
        if (headers === this[kOutHeaders]) {
          for (const key in headers) {
            const entry = headers[key];
            this._storeHeaderEntry(state, entry[0], entry[1], false);
          }
        } else if (ArrayIsArray(headers)) {
          if (headers.length && ArrayIsArray(headers[0])) {
            for (let i = 0; i < headers.length; i++) {
              const entry = headers[i];
              this._storeHeaderEntry(state, entry[0], entry[1], true);
            }
          } else {
            if (headers.length % 2 !== 0) {
              throw new ERR_INVALID_ARG_VALUE("headers", headers);
            }
            for (let n = 0; n < headers.length; n += 2) {
              this._storeHeaderEntry(
                state,
                headers[n],
                headers[n + 1],
                true
              );
            }
          }
        } else {
          const keys = ObjectKeys(headers);
          for (let i = 0; i < keys.length; i++) {
            const k = keys[i];
            this._storeHeaderEntry(state, k, headers[k], true);
          }
        }
      }
      if (this.sendDate && !state.date) {
        state.header += "Date: " + utcDate() + "\r\n";
      }
      if (this.chunkedEncoding && (this.statusCode === 204 || this.statusCode === 304)) {
        debug(
          this.statusCode + " response should not use chunked encoding, closing connection."
        );
        this.chunkedEncoding = false;
        this.shouldKeepAlive = false;
      }
      if (this._removedConnection) {
        this._last = !this.shouldKeepAlive;
      } else if (!state.connection) {
        const shouldSendKeepAlive = this.shouldKeepAlive && (state.contLen || this.useChunkedEncodingByDefault || this.agent);
        if (shouldSendKeepAlive && this.maxRequestsOnConnectionReached) {
          state.header += "Connection: close\r\n";
        } else if (shouldSendKeepAlive) {
          state.header += "Connection: keep-alive\r\n";
          if (this._keepAliveTimeout && this._defaultKeepAlive) {
            const timeoutSeconds = MathFloor(this._keepAliveTimeout / 1e3);
            let max = "";
            if (~~this._maxRequestsPerSocket > 0) {
              max = `, max=${this._maxRequestsPerSocket}`;
            }
            state.header += `Keep-Alive: timeout=${timeoutSeconds}${max}\r
`;
          }
        } else {
          this._last = true;
          state.header += "Connection: close\r\n";
        }
      }
      if (!state.contLen && !state.te) {
        if (!this._hasBody) {
          this.chunkedEncoding = false;
        } else if (!this.useChunkedEncodingByDefault) {
          this._last = true;
        } else if (!state.trailer && !this._removedContLen && typeof this._contentLength === "number") {
          state.header += "Content-Length: " + this._contentLength + "\r\n";
        } else if (!this._removedTE) {
          state.header += "Transfer-Encoding: chunked\r\n";
          this.chunkedEncoding = true;
        } else {
          debug("Both Content-Length and Transfer-Encoding are removed");
          this._last = true;
        }
      }
      if (this.chunkedEncoding !== true && state.trailer) {
        throw new ERR_HTTP_TRAILER_INVALID();
      }
      const { header } = state;
      this._header = header + "\r\n";
      if (state.expect) this._send("");
    },
    writable: true,
    enumerable: true,
    configurable: true
  },
  _storeHeaderEntry: {
    __proto__: null,
    value: function _storeHeaderEntry(state, field, value, validate) {
      if (validate) {
        validateHeaderName(field);
      }
      if (ArrayIsArray(value)) {
        if (isCookieField(field)) {
          const joinedValue = ArrayPrototypeJoin(value, "; ");
          if (validate) {
            validateHeaderValue(field, joinedValue);
          }
          state.header += field + ": " + joinedValue + "\r\n";
        } else {
          for (let j = 0; j < value.length; j++) {
            if (validate) {
              validateHeaderValue(field, value[j]);
            }
            state.header += field + ": " + value[j] + "\r\n";
          }
        }
      } else {
        if (validate) {
          validateHeaderValue(field, value);
        }
        state.header += field + ": " + value + "\r\n";
      }
      this._matchHeader(state, field, value);
    },
    writable: true,
    enumerable: true,
    configurable: true
  },
  _matchHeader: {
    __proto__: null,
    value: function _matchHeader(state, field, value) {
      const self = this;
      if (field.length < 4 || field.length > 17) {
        return;
      }
      field = StringPrototypeToLowerCase(field);
      switch (field) {
        case "connection":
          state.connection = true;
          self._removedConnection = false;
          if (RE_CONN_CLOSE.exec(value) !== null) {
            self._last = true;
          } else {
            self.shouldKeepAlive = true;
          }
          break;
        case "transfer-encoding":
          state.te = true;
          self._removedTE = false;
          if (import_node_http_common.chunkExpression.exec(value) !== null) {
            self.chunkedEncoding = true;
          }
          break;
        case "content-length":
          state.contLen = true;
          self._contentLength = +value;
          self._removedContLen = false;
          break;
        case "date":
        case "expect":
        case "trailer":
          state[field] = true;
          break;
        case "keep-alive":
          self._defaultKeepAlive = false;
          break;
      }
    },
    writable: true,
    enumerable: true,
    configurable: true
  },
  [EE.captureRejectionSymbol]: {
    __proto__: null,
    value: function(err, _event) {
      this.destroy(err);
    },
    writable: true,
    enumerable: true,
    configurable: true
  },
  setHeaders: {
    __proto__: null,
    value: function setHeaders(headers) {
      if (this._header) {
        throw new ERR_HTTP_HEADERS_SENT("set");
      }
      if (!headers || ArrayIsArray(headers) || typeof headers.keys !== "function" || typeof headers.get !== "function") {
        throw new ERR_INVALID_ARG_TYPE(
          "headers",
          ["Headers", "Map"],
          headers
        );
      }
      let cookies = null;
      const iterator = headers[SymbolIterator]();
      while (true) {
        const { done, value: entry } = iterator.next();
        if (done) {
          break;
        }
        const key = entry[0];
        const value = entry[1];
        if (key === "set-cookie") {
          if (ArrayIsArray(value)) {
            cookies ??= [];
            ArrayPrototypePushApply(cookies, value);
          } else {
            cookies ??= [];
            ArrayPrototypePush(cookies, value);
          }
          continue;
        }
        this.setHeader(key, value);
      }
      if (cookies != null) {
        this.setHeader("set-cookie", cookies);
      }
      return this;
    },
    writable: true,
    enumerable: true,
    configurable: true
  }
});
ObjectDefineProperty(OutgoingMessage.prototype, "socket", {
  __proto__: null,
  get: function() {
    return this[kSocket];
  },
  set: function(val) {
    for (let n = 0; n < this[kCorked]; n++) {
      val?.cork();
      this[kSocket]?.uncork();
    }
    this[kSocket] = val;
  }
});
ObjectDefineProperty(OutgoingMessage.prototype, "_headers", {
  __proto__: null,
  get: deprecate(
    function() {
      return this.getHeaders();
    },
    "OutgoingMessage.prototype._headers is deprecated",
    "DEP0066"
  ),
  set: deprecate(
    function(val) {
      if (val == null) {
        this[kOutHeaders] = null;
      } else if (typeof val === "object") {
        const headers = this[kOutHeaders] = ObjectCreate(null);
        const keys = ObjectKeys(val);
        for (let i = 0; i < keys.length; ++i) {
          const name = keys[i];
          headers[StringPrototypeToLowerCase(name)] = [name, val[name]];
        }
      }
    },
    "OutgoingMessage.prototype._headers is deprecated",
    "DEP0066"
  )
});
ObjectDefineProperty(OutgoingMessage.prototype, "_headerNames", {
  __proto__: null,
  get: deprecate(
    function() {
      const headers = this[kOutHeaders];
      if (headers !== null) {
        const out = ObjectCreate(null);
        const keys = ObjectKeys(headers);
        for (let i = 0; i < keys.length; ++i) {
          const key = keys[i];
          const val = headers[key][0];
          out[key] = val;
        }
        return out;
      }
      return null;
    },
    "OutgoingMessage.prototype._headerNames is deprecated",
    "DEP0066"
  ),
  set: deprecate(
    function(val) {
      if (typeof val === "object" && val !== null) {
        const headers = this[kOutHeaders];
        if (!headers) {
          return;
        }
        const keys = ObjectKeys(val);
        for (let i = 0; i < keys.length; ++i) {
          const header = headers[keys[i]];
          if (header) {
            header[0] = val[keys[i]];
          }
        }
      }
    },
    "OutgoingMessage.prototype._headerNames is deprecated",
    "DEP0066"
  )
});
const validateHeaderName = hideStackFrames(
  (name, label) => {
    if (typeof name !== "string" || !name || !(0, import_node_http_common._checkIsHttpToken)(name)) {
      throw new ERR_INVALID_HTTP_TOKEN(label || "Header name", name);
    }
  }
);
const validateHeaderValue = hideStackFrames(
  (name, value) => {
    if (value === void 0) {
      throw new ERR_HTTP_INVALID_HEADER_VALUE(value, name);
    }
    if ((0, import_node_http_common._checkInvalidHeaderChar)(value)) {
      debug('Header "%s" contains invalid characters', name);
      throw new ERR_INVALID_CHAR("header content", name);
    }
  }
);
function parseUniqueHeadersOption(headers) {
  if (!ArrayIsArray(headers)) {
    return null;
  }
  const unique = new SafeSet();
  const l = headers.length;
  for (let i = 0; i < l; i++) {
    unique.add(StringPrototypeToLowerCase(headers[i]));
  }
  return unique;
}
ObjectDefineProperty(OutgoingMessage.prototype, "headersSent", {
  __proto__: null,
  configurable: true,
  enumerable: true,
  get: function() {
    return !!this._header;
  }
});
const crlf_buf = Buffer2.from("\r\n");
function _checkStrictContentLength(msg) {
  return msg.strictContentLength && msg._contentLength != null && msg._hasBody && !msg._removedContLen && !msg.chunkedEncoding && !msg.hasHeader("transfer-encoding");
}
function write_(msg, chunk, encoding, callback, fromEnd) {
  if (typeof callback !== "function") {
    callback = nop;
  }
  if (chunk === null) {
    throw new ERR_STREAM_NULL_VALUES();
  } else if (typeof chunk !== "string" && !isUint8Array(chunk)) {
    throw new ERR_INVALID_ARG_TYPE(
      "chunk",
      ["string", "Buffer", "Uint8Array"],
      chunk
    );
  }
  let err;
  if (msg.finished) {
    err = new ERR_STREAM_WRITE_AFTER_END();
  } else if (msg.destroyed) {
    err = new ERR_STREAM_DESTROYED("write");
  }
  if (err) {
    if (!msg.destroyed) {
      _onError(msg, err, callback);
    } else {
      globalThis.process.nextTick(callback, err);
    }
    return false;
  }
  let len;
  if (msg.strictContentLength) {
    len ??= typeof chunk === "string" ? Buffer2.byteLength(chunk, encoding) : TypedArrayPrototypeGetByteLength(chunk);
    if (_checkStrictContentLength(msg) && (fromEnd ? msg[kBytesWritten] + len !== msg._contentLength : msg[kBytesWritten] + len > msg._contentLength)) {
      throw new ERR_HTTP_CONTENT_LENGTH_MISMATCH(
        len + msg[kBytesWritten],
        msg._contentLength
      );
    }
    msg[kBytesWritten] += len;
  }
  if (!msg._header) {
    if (fromEnd) {
      len ??= typeof chunk === "string" ? Buffer2.byteLength(chunk, encoding) : TypedArrayPrototypeGetByteLength(chunk);
      msg._contentLength = len;
    }
    msg._implicitHeader();
  }
  if (!msg._hasBody) {
    if (msg[kRejectNonStandardBodyWrites]) {
      throw new ERR_HTTP_BODY_NOT_ALLOWED();
    }
    debug(
      "This type of response MUST NOT have a body. Ignoring write() calls."
    );
    globalThis.process.nextTick(callback);
    return true;
  }
  if (!fromEnd && msg.socket && !msg.socket.writableCorked) {
    msg.socket.cork();
    globalThis.process.nextTick(connectionCorkNT, msg.socket);
  }
  let ret;
  if (msg.chunkedEncoding && chunk.length !== 0) {
    len ??= typeof chunk === "string" ? Buffer2.byteLength(chunk, encoding) : TypedArrayPrototypeGetByteLength(chunk);
    msg._send(NumberPrototypeToString(len, 16), "latin1", null);
    msg._send(crlf_buf, null, null);
    msg._send(chunk, encoding, null);
    ret = msg._send(crlf_buf, null, callback);
  } else {
    ret = msg._send(chunk, encoding, callback);
  }
  return ret;
}
function connectionCorkNT(conn) {
  conn.uncork();
}
function tryDirectEnd(msg, chunk, encoding, callback) {
  if (typeof chunk !== "string" || msg.req === void 0 || msg.strictContentLength || msg._header !== null || msg.outputData.length !== 0 || msg[kChunkedLength] !== 0 || msg._bodyWriter !== null || !msg._hasBody || msg._trailer !== "" || msg._removedContLen || msg._removedTE || msg.chunkedEncoding || msg.statusCode === 204 || msg.statusCode === 304) {
    return false;
  }
  const normalizedEncoding = normalizeDirectStringEncoding(encoding);
  if (normalizedEncoding === null) {
    return false;
  }
  const headers = msg[kOutHeaders];
  if (headers !== null && (headers["transfer-encoding"] !== void 0 || headers.trailer !== void 0)) {
    return false;
  }
  const socket = msg.socket;
  const writableState = socket?._writableState;
  if (socket == null || socket.destroyed || !socket.writable || socket.connecting || socket._httpMessage !== msg || socket._handle?.isStreamBase !== true || typeof socket._handle.writeUtf8String !== "function" || normalizedEncoding === "latin1" && typeof socket._handle.writeLatin1String !== "function" || writableState === void 0 || writableState.corked !== 0 || writableState.length !== 0 || writableState.needDrain) {
    return false;
  }
  const len = Buffer2.byteLength(chunk, normalizedEncoding);
  msg._contentLength = len;
  msg._implicitHeader();
  if (!msg._hasBody || msg.chunkedEncoding || msg._header === null) {
    return false;
  }
  if (typeof callback === "function") {
    msg.once("finish", callback);
  }
  const data = msg._header + chunk;
  const finish = FunctionPrototypeBind(onFinish, void 0, msg);
  const result = writeDirectString(socket, data, normalizedEncoding, finish);
  msg._headerSent = true;
  msg.finished = true;
  if (msg.outputData.length === 0 && socket._httpMessage === msg) {
    msg._finish();
  }
  if (result === 0) {
    globalThis.process.nextTick(finish);
  } else if (result < 0) {
    socket.destroy(errnoException(result, "write"));
  }
  return true;
}
function tryDirectEmptyEnd(msg, callback) {
  if (msg.req === void 0 || msg.strictContentLength || msg._headerSent || msg.outputData.length !== 0 || msg[kChunkedLength] !== 0 || msg._bodyWriter !== null || !msg._hasBody || msg._trailer !== "" || msg._removedContLen || msg._removedTE || msg.chunkedEncoding || msg.statusCode === 204 || msg.statusCode === 304) {
    return false;
  }
  const headers = msg[kOutHeaders];
  if (headers !== null && (headers["transfer-encoding"] !== void 0 || headers.trailer !== void 0)) {
    return false;
  }
  const socket = msg.socket;
  const writableState = socket?._writableState;
  if (socket == null || socket.destroyed || !socket.writable || socket.connecting || socket._httpMessage !== msg || socket._handle?.isStreamBase !== true || typeof socket._handle.writeLatin1String !== "function" || writableState === void 0 || writableState.corked !== 0 || writableState.length !== 0 || writableState.needDrain) {
    return false;
  }
  if (msg._header === null) {
    msg._contentLength = 0;
    msg._implicitHeader();
  }
  if (!msg._hasBody || msg.chunkedEncoding || msg._header === null) {
    return false;
  }
  if (typeof callback === "function") {
    msg.once("finish", callback);
  }
  const finish = FunctionPrototypeBind(onFinish, void 0, msg);
  const result = writeDirectString(socket, msg._header, "latin1", finish);
  msg._headerSent = true;
  msg.finished = true;
  if (msg.outputData.length === 0 && socket._httpMessage === msg) {
    msg._finish();
  }
  if (result === 0) {
    globalThis.process.nextTick(finish);
  } else if (result < 0) {
    socket.destroy(errnoException(result, "write"));
  }
  return true;
}
function normalizeDirectStringEncoding(encoding) {
  if (encoding === null || encoding === void 0) {
    return "utf8";
  }
  switch (StringPrototypeToLowerCase(String(encoding))) {
    case "utf8":
    case "utf-8":
      return "utf8";
    case "latin1":
    case "binary":
      return "latin1";
    default:
      return null;
  }
}
function writeDirectString(socket, data, encoding, finish) {
  const handle = socket._handle;
  socket._unrefTimer?.();
  const req = {
    oncomplete(status) {
      if (status < 0) {
        socket.destroy(errnoException(status, "write"));
        return;
      }
      finish();
    }
  };
  let err;
  switch (encoding) {
    case "latin1":
      err = handle.writeLatin1String(req, data);
      break;
    default:
      err = handle.writeUtf8String(req, data);
      break;
  }
  if (err !== 0) {
    return err;
  }
  return streamBaseState[kLastWriteWasAsync] ? 1 : 0;
}
function onFinish(outmsg) {
  if (outmsg?.socket?._hadError) return;
  if (outmsg?.destroyed || outmsg?.socket?.destroyed) return;
  outmsg.emit("finish");
}
function _onError(msg, err, callback) {
  const triggerAsyncId = msg.socket ? msg.socket[async_id_symbol] : void 0;
  defaultTriggerAsyncIdScope(
    triggerAsyncId,
    globalThis.process.nextTick,
    emitErrorNt,
    msg,
    err,
    callback
  );
}
function emitErrorNt(msg, err, callback) {
  callback(err);
  if (typeof msg.emit === "function" && !msg._closed) {
    msg.emit("error", err);
  }
}
var stdin_default = {
  kUniqueHeaders,
  kHighWaterMark,
  kRejectNonStandardBodyWrites,
  validateHeaderName,
  validateHeaderValue,
  parseUniqueHeadersOption,
  OutgoingMessage
};
return module.exports;
})();
