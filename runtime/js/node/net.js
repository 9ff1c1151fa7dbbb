// node:net: sockets over connect(), which belong to their event. A worker
// listens on nothing.
(function () {
const { core, primordials } = __bootstrap;
const {
  ArrayIsArray,
  FunctionPrototypeCall,
  MathMax,
  ObjectDefineProperties,
  ObjectSetPrototypeOf,
  PromisePrototypeThen,
  Symbol,
  TypedArrayPrototypeGetBuffer,
  TypedArrayPrototypeGetByteLength,
  TypedArrayPrototypeGetByteOffset,
  Uint8Array,
  uncurryThis,
} = primordials;
const { Buffer } = core.loadExtScript("ext:deno_node/internal/buffer.mjs");
const { codes } = core.loadExtScript("ext:outboard/node/errors.js");
const { NodeError } = core.loadExtScript(
  "ext:deno_node/internal/errors.ts",
);
const {
  validateAbortSignal,
  validateBoolean,
  validateFunction,
  validateInt32,
  validateNumber,
  validatePort,
} = core.loadExtScript("ext:deno_node/internal/validators.mjs");
const { ERR_OPTION_NOT_IMPLEMENTED, notImplementedClass, notImplemented } = core
  .loadExtScript("ext:outboard/node/errors.js");
const { BlockList, isIP, isIPv4, isIPv6, SocketAddress } = core.loadExtScript(
  "ext:outboard/node/net/address.js",
);
const { _normalizeArgs, checkLocal, checkModes, getTimerDuration } = core
  .loadExtScript("ext:outboard/node/net/arguments.js");
const { builtin } = core.loadExtScript("ext:outboard/node/modules.js");
const { clearTimeout, setTimeout } = core.loadExtScript(
  "ext:outboard/timers.js",
);
const { addAbortSignal, Duplex } = builtin("stream");

/** Read at most at once. */
const CHUNK = 64 << 10;

/** The connection, as `cloudflare:sockets` has it; null before and after. */
const kConnection = Symbol("kConnection");
const kReader = Symbol("kReader");
const kWriter = Symbol("kWriter");
const kReading = Symbol("kReading");
const kTimer = Symbol("kTimer");
const kPeer = Symbol("kPeer");
const kBytesRead = Symbol("kBytesRead");
const kBytesWritten = Symbol("kBytesWritten");
const kPending = Symbol("kPending");
const kOnread = Symbol("kOnread");

let methods = null;
/** The streams' own methods, whatever a script makes of their prototypes. */
function streams() {
  if (methods !== null) return methods;
  const { ReadableStream, WritableStream } = core.loadExtScript(
    "ext:deno_web/06_streams.js",
  );
  const getReader = uncurryThis(ReadableStream.prototype.getReader);
  const reader = getReader(new ReadableStream({ type: "bytes" }), { mode: "byob" });
  const getWriter = uncurryThis(WritableStream.prototype.getWriter);
  const writer = getWriter(new WritableStream());
  return methods = {
    getReader,
    getWriter,
    read: uncurryThis(reader.read),
    releaseReader: uncurryThis(reader.releaseLock),
    releaseWriter: uncurryThis(writer.releaseLock),
    write: uncurryThis(writer.write),
    close: uncurryThis(writer.close),
  };
}

function Socket(options = undefined) {
  if (new.target === undefined) return new Socket(options);
  options = typeof options === "object" && options !== null ? { ...options } : {};
  checkModes(options);
  if (options.fd !== undefined) throw new ERR_OPTION_NOT_IMPLEMENTED("options.fd");
  const { onread, signal } = options;
  if (signal !== undefined) validateAbortSignal(signal, "options.signal");
  FunctionPrototypeCall(Duplex, this, {
    ...options,
    allowHalfOpen: !!options.allowHalfOpen,
    autoDestroy: true,
    decodeStrings: false,
    emitClose: false,
    readable: true,
    signal: undefined,
    writable: true,
  });
  this.connecting = false;
  this._hadError = false;
  this._host = null;
  this._parent = null;
  this.timeout = undefined;
  this.autoSelectFamilyAttemptedAddresses = [];
  this[kConnection] = null;
  this[kReader] = null;
  this[kWriter] = null;
  this[kReading] = false;
  this[kTimer] = null;
  this[kPeer] = null;
  this[kBytesRead] = 0;
  this[kBytesWritten] = 0;
  this[kOnread] = onread != null && typeof onread.callback === "function"
    ? onread
    : null;
  this[kPending] = 0;
  this.on("end", function () {
    if (!this.allowHalfOpen) this.write = writeAfterEnd;
  });
  if (signal) addAbortSignal(signal, this);
}
ObjectSetPrototypeOf(Socket.prototype, Duplex.prototype);
ObjectSetPrototypeOf(Socket, Duplex);

/** What a connection is asked for: TLS can be put over it later. */
Socket.prototype._transport = () => "starttls";

/** What a write is once the other side has ended and this one with it. */
function writeAfterEnd(_chunk, encoding, callback) {
  const error = new NodeError(
    "EPIPE",
    "This socket has been ended by the other party",
  );
  const done = typeof encoding === "function" ? encoding : callback;
  if (typeof done === "function") {
    PromisePrototypeThen(later(), () => done(error));
  }
  this.destroy(error);
  return false;
}

Socket.prototype.connect = function connect(...args) {
  const [options, callback] = ArrayIsArray(args[0]) && args.length === 1
    ? args[0]
    : _normalizeArgs(args);
  if (options.path !== undefined && options.path !== null) {
    throw new codes.ERR_INVALID_ARG_VALUE("path", options.path, "is not supported");
  }
  if (options.port === undefined) {
    throw new codes.ERR_MISSING_ARGS(["options", "port", "path"]);
  }
  if (typeof options.port !== "number" && typeof options.port !== "string") {
    throw new codes.ERR_INVALID_ARG_TYPE(
      "options.port",
      ["number", "string"],
      options.port,
    );
  }
  const port = validatePort(options.port, "options.port") | 0;
  const host = options.host || "localhost";
  checkLocal(options);
  if (options.lookup !== undefined) {
    validateFunction(options.lookup, "options.lookup");
  }
  if (callback !== null) this.once("connect", callback);
  if (this.destroyed || this[kConnection] !== null) {
    // As Node does, a socket that is done can connect again.
    this._undestroy();
    this[kConnection] = null;
    this[kReader] = null;
    this[kReading] = false;
  }
  this.connecting = true;
  this._host = host;
  if (options.lookup && isIP(host) === 0) {
    const { family, hints, lookup } = options;
    lookup(host, { family, hints, all: false }, (error, address, kind) => {
      this.emit("lookup", error, address, kind, host);
      if (!this.connecting) return;
      if (error) this.destroy(error);
      else open(this, address, port, options);
    });
  } else open(this, host, port, options);
  return this;
};

function open(socket, host, port, options) {
  if (socket.timeout) socket.setTimeout(socket.timeout);
  let connection;
  try {
    const { connect } = core.loadExtScript("ext:outboard/sockets.js");
    connection = connect({ hostname: isIPv6(host) ? `[${host}]` : host, port }, {
      allowHalfOpen: true,
      secureTransport: socket._transport(options),
    });
  } catch (error) {
    PromisePrototypeThen(later(), () => {
      if (isIP(host) === 0) {
        socket.emit("lookup", error, undefined, undefined, host);
      }
      socket.destroy(error);
    });
    return;
  }
  use(socket, connection, { address: host, port });
}

async function later() {}

/** Makes a connection the socket's, once it stands. */
function use(socket, connection, peer) {
  socket[kConnection] = connection;
  PromisePrototypeThen(connection.opened, () => {
    if (socket[kConnection] !== connection || socket.destroyed) return;
    socket.connecting = false;
    socket[kPeer] = peer;
    socket[kReader] = streams().getReader(connection.readable, { mode: "byob" });
    socket[kWriter] = streams().getWriter(connection.writable);
    active(socket);
    socket.emit("connect");
    socket._connected();
    socket.emit("ready");
    // What was asked for meanwhile, and the start of a flow.
    if (!socket.isPaused()) socket.read(0);
    if (socket[kReading] === "wanted") socket._read();
  }, (error) => {
    if (socket[kConnection] === connection) socket.destroy(failed(error, peer));
  });
}

/** The error Node gives where a connection is refused, as far as one can tell. */
function failed(error, { address, port }) {
  const cause = error?.cause ?? error;
  const text = `${cause?.message ?? cause}`;
  const code = text.includes("refused") ? "ECONNREFUSED" : undefined;
  if (code !== undefined && typeof error === "object") {
    error.code = code;
    error.syscall = "connect";
    error.address = address;
    error.port = port;
  }
  return error;
}

Socket.prototype._connected = function () {};

/** A sign of life: the timeout begins anew. */
function active(socket) {
  if (socket[kTimer] === null) return;
  clearTimeout(socket[kTimer]);
  socket[kTimer] = setTimeout(() => socket._onTimeout(), socket.timeout);
}

Socket.prototype._onTimeout = function () {
  this.emit("timeout");
};

Socket.prototype._unrefTimer = function () {
  active(this);
};

Socket.prototype._read = function () {
  if (this[kReader] === null) {
    this[kReading] = "wanted";
    return;
  }
  if (this[kReading] === true) return;
  this[kReading] = true;
  readOn(this, this[kReader]);
};

async function readOn(socket, reader) {
  const onread = socket[kOnread];
  try {
    for (;;) {
      const { done, value } = await streams().read(reader, new Uint8Array(CHUNK));
      if (socket[kReader] !== reader) return;
      if (done) {
        socket[kReading] = false;
        socket.push(null);
        // A socket nobody reads is done all the same.
        socket.read(0);
        return;
      }
      const length = TypedArrayPrototypeGetByteLength(value);
      socket[kBytesRead] += length;
      active(socket);
      if (onread !== null) {
        if (!give(onread, value, length)) break;
      } else if (
        !socket.push(Buffer.from(
          TypedArrayPrototypeGetBuffer(value),
          TypedArrayPrototypeGetByteOffset(value),
          length,
        ))
      ) break;
    }
    socket[kReading] = false;
  } catch (error) {
    if (socket[kReader] === reader) socket.destroy(error);
  }
}

/** Copies what came into the buffers of an `onread` option, one after another. */
function give({ buffer, callback }, bytes, length) {
  for (let from = 0; from < length;) {
    const into = typeof buffer === "function" ? buffer() : buffer;
    const part = bytes.subarray(from, from + MathMax(1, into.length));
    into.set(part);
    from += part.length;
    if (callback(part.length, into) === false) return false;
  }
  return true;
}

Socket.prototype._write = function (data, encoding, callback) {
  if (this.connecting) {
    const closed = () =>
      callback(
        new NodeError(
          "ERR_SOCKET_CLOSED_BEFORE_CONNECTION",
          "Socket closed before the connection was established",
        ),
      );
    this[kPending] = typeof data === "string"
      ? Buffer.byteLength(data, encoding)
      : data.length;
    this.once("connect", () => {
      this.off("close", closed);
      this[kPending] = 0;
      this._write(data, encoding, callback);
    });
    this.once("close", closed);
    return;
  }
  if (this[kWriter] === null) {
    callback(new codes.ERR_SOCKET_CLOSED());
    return;
  }
  const bytes = typeof data === "string" ? Buffer.from(data, encoding) : data;
  active(this);
  this[kBytesWritten] += TypedArrayPrototypeGetByteLength(bytes);
  PromisePrototypeThen(
    streams().write(this[kWriter], bytes),
    () => {
      active(this);
      callback();
    },
    callback,
  );
};

Socket.prototype._writev = function (chunks, callback) {
  const all = [];
  for (let n = 0; n < chunks.length; n++) {
    const { chunk, encoding } = chunks[n];
    all[n] = typeof chunk === "string" ? Buffer.from(chunk, encoding) : chunk;
  }
  this._write(Buffer.concat(all), "buffer", callback);
};

Socket.prototype._final = function (callback) {
  if (this.connecting) {
    this.once("connect", () => this._final(callback));
    return;
  }
  if (this[kWriter] === null) {
    callback();
    return;
  }
  PromisePrototypeThen(streams().close(this[kWriter]), () => callback(), () => callback());
};

Socket.prototype._destroy = function (error, callback) {
  this.connecting = false;
  clearTimeout(this[kTimer]);
  this[kTimer] = null;
  const connection = this[kConnection];
  this[kConnection] = null;
  this[kReader] = null;
  this[kWriter] = null;
  this._hadError = !!error;
  if (connection !== null) {
    PromisePrototypeThen(connection.close(), undefined, () => {});
  }
  callback(error);
  PromisePrototypeThen(later(), () => this.emit("close", !!error));
};

Socket.prototype.end = function (data, encoding, callback) {
  FunctionPrototypeCall(Duplex.prototype.end, this, data, encoding, callback);
  return this;
};

Socket.prototype.destroySoon = function () {
  if (this.writable) this.end();
  if (this.writableFinished) this.destroy();
  else this.once("finish", this.destroy);
};

Socket.prototype.resetAndDestroy = function () {
  const never = this[kConnection] === null && !this.connecting;
  return this.destroy(never ? new codes.ERR_SOCKET_CLOSED() : undefined);
};

Socket.prototype.setTimeout = function (msecs, callback) {
  if (this.destroyed) return this;
  this.timeout = msecs;
  msecs = getTimerDuration(msecs, "msecs");
  clearTimeout(this[kTimer]);
  this[kTimer] = null;
  if (callback !== undefined) validateFunction(callback, "callback");
  if (msecs === 0) {
    if (callback !== undefined) this.removeListener("timeout", callback);
    return this;
  }
  this[kTimer] = setTimeout(() => this._onTimeout(), msecs);
  if (callback !== undefined) this.once("timeout", callback);
  return this;
};

// The host keeps connections as it sees fit.
Socket.prototype.setNoDelay = function (noDelay = true) {
  if (noDelay !== undefined) !!noDelay;
  return this;
};
Socket.prototype.setKeepAlive = function () {
  return this;
};
Socket.prototype.ref = function () {
  return this;
};
Socket.prototype.unref = function () {
  return this;
};
Socket.prototype.address = function () {
  return this[kConnection] === null
    ? {}
    : { address: "0.0.0.0", port: 0, family: "IPv4" };
};

const accessor = (get) => ({ __proto__: null, get, enumerable: true, configurable: true });
ObjectDefineProperties(Socket.prototype, {
  __proto__: null,
  bufferSize: accessor(function () {
    return this.writableLength;
  }),
  bytesRead: accessor(function () {
    return this[kBytesRead];
  }),
  // What is on its way counts, as soon as it was written.
  bytesWritten: accessor(function () {
    const sent = this[kBytesWritten];
    return sent === undefined ? undefined : sent + this[kPending];
  }),
  _connecting: accessor(function () {
    return this.connecting;
  }),
  _handle: {
    __proto__: null,
    get() {
      return this[kConnection];
    },
    set(handle) {
      this[kConnection] = handle;
    },
    enumerable: true,
    configurable: true,
  },
  localAddress: accessor(function () {
    return this.address().address;
  }),
  localPort: accessor(function () {
    return this.address().port;
  }),
  localFamily: accessor(function () {
    return this.address().family;
  }),
  pending: accessor(function () {
    return this[kConnection] === null || this.connecting;
  }),
  readyState: accessor(function () {
    if (this.connecting) return "opening";
    if (this.readable && this.writable) return "open";
    if (this.readable) return "readOnly";
    return this.writable ? "writeOnly" : "closed";
  }),
  remoteAddress: accessor(function () {
    return this[kPeer]?.address;
  }),
  remoteFamily: accessor(function () {
    const peer = this[kPeer];
    return peer && (isIPv6(peer.address) ? "IPv6" : "IPv4");
  }),
  remotePort: accessor(function () {
    return this[kPeer]?.port;
  }),
});

function createConnection(...args) {
  const normalized = _normalizeArgs(args);
  const socket = new Socket(normalized[0]);
  if (normalized[0].timeout) socket.setTimeout(normalized[0].timeout);
  return socket.connect(normalized);
}

let autoSelectFamily = true;
let autoSelectFamilyTimeout = 250;

return {
  connectionOf(socket) {
    return socket[kConnection];
  },
  /** Takes a socket's connection away, with its locks given up. */
  release(socket) {
    const connection = socket[kConnection];
    if (socket[kReader] !== null) streams().releaseReader(socket[kReader]);
    if (socket[kWriter] !== null) streams().releaseWriter(socket[kWriter]);
    socket[kReader] = null;
    socket[kWriter] = null;
    return connection;
  },
  peerOf: (socket) => socket[kPeer],
  use,
  exports: {
    BlockList,
    Server: notImplementedClass("net.Server"),
    Socket,
    SocketAddress,
    Stream: Socket,
    _normalizeArgs,
    connect: createConnection,
    createConnection,
    createServer: notImplemented("net.createServer"),
    getDefaultAutoSelectFamily: () => autoSelectFamily,
    getDefaultAutoSelectFamilyAttemptTimeout: () => autoSelectFamilyTimeout,
    isIP,
    isIPv4,
    isIPv6,
    setDefaultAutoSelectFamily(value) {
      validateBoolean(value, "value");
      autoSelectFamily = value;
    },
    setDefaultAutoSelectFamilyAttemptTimeout(value) {
      validateInt32(value, "value", 1);
      autoSelectFamilyTimeout = value < 10 ? 10 : value;
    },
  },
};
})();
