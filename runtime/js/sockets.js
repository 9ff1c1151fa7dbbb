// connect(), a stream of bytes to a port of a host, or to a worker,
// and what a `connect` handler is given. The connection belongs to its event and ends
// with it.
(function () {
const { core, primordials } = __bootstrap;
const {
  op_connect,
  op_connect_accept,
  op_connect_left,
  op_connect_opened,
  op_connect_start_tls,
} = core.ops;
const {
  ArrayBufferIsView,
  ArrayBufferPrototypeGetByteLength,
  DataViewPrototypeGetByteLength,
  Error,
  MathTrunc,
  Number,
  NumberIsFinite,
  ObjectDefineProperty,
  Promise,
  PromisePrototypeThen,
  PromiseResolve,
  RegExpPrototypeTest,
  SafeRegExp,
  StringPrototypeEndsWith,
  Symbol,
  SymbolToStringTag,
  TypedArrayPrototypeGetByteLength,
  TypedArrayPrototypeGetSymbolToStringTag,
  TypeError,
  Uint8Array,
} = primordials;
const { viewBytes } = core.loadExtScript("ext:outboard/body.js");
const { foreign, gated, requireEvent } = core.loadExtScript("ext:outboard/event.js");
const { makeEnumerable } = core.loadExtScript("ext:outboard/headers.js");
const { URL } = core.loadExtScript("ext:deno_web/00_url.js");
const { Deferred, ownStream, ReadableStream, WritableStream, writableStreamClose } = core
  .loadExtScript("ext:deno_web/06_streams.js");

const kOurs = Symbol("made by connect()");
/** What a name or an address can be made of; no promise that it is one. */
const HOST = new SafeRegExp("^[-._:a-zA-Z0-9\\[\\]]{1,255}$");
const FAILED =
  "proxy request failed, cannot connect to the specified address";
const USE_FETCH =
  ". It looks like you might be trying to connect to a HTTP-based service " +
  "\u2014 consider using fetch instead";
const CHUNK = 64 << 10;

class Socket {
  #event;
  /** {info, host, port, transport, allowHalfOpen, highWaterMark} */
  #options;
  /** The connection's number in the host, once it is known. */
  #rid = -1;
  #opened;
  #closed = new Deferred();
  #closing = false;
  #upgraded = false;
  /** startTls() was called, which is once. */
  #tlsStarted = false;
  /** The connection is gone, or was never there. */
  #gone = false;
  /** Why it is gone, of one whose handler has ended. */
  #left = null;

  #readable;
  #readController;
  #readEnded = false;
  #reading = false;

  #writable;
  #writeController;
  #writeEnded = false;
  /** Chunks that the script wrote, that the sink took, that are sent. */
  #queued = 0;
  #begun = 0;
  #sent = 0;
  /** Chunks past this number came after close(). */
  #lastChunk = Infinity;
  /** Who waits for all chunks to be sent. @type {Deferred<void> | null} */
  #flushed = null;

  constructor(key, event, options, connecting) {
    if (key !== kOurs) throw new TypeError("Illegal constructor");
    this.#event = event;
    this.#options = options;
    this.#opened = this.#open(connecting);
    ignore(this.#opened);
    ignore(this.#closed.promise);
    this.#readable = new ReadableStream({
      type: "bytes",
      autoAllocateChunkSize: CHUNK,
      start: (controller) => {
        this.#readController = controller;
      },
      pull: (controller) => this.#pull(controller),
      cancel: () => {
        this.#readEnded = true;
      },
    }, { highWaterMark: 0 });
    ownStream(this.#readable);
    this.#writable = new WritableStream({
      start: (controller) => {
        this.#writeController = controller;
      },
      write: (chunk) => this.#write(chunk),
      close: () => this.#endWriting(),
      abort: () => this.#endWriting(),
    }, {
      highWaterMark: options.highWaterMark,
      size: (chunk) => {
        const length = byteLength(chunk);
        this.#queued++;
        return length;
      },
    });
  }

  get readable() {
    return this.#readable;
  }

  get writable() {
    return this.#writable;
  }

  get closed() {
    return this.#closed.promise;
  }

  get opened() {
    return this.#opened;
  }

  get upgraded() {
    return this.#upgraded;
  }

  get secureTransport() {
    return this.#options.transport;
  }

  close() {
    // It ended with its event.
    if (this.#event.ended) return PromiseResolve(undefined);
    if (this.#closing) {
      return PromisePrototypeThen(this.#closed.promise, () => {});
    }
    this.#closing = true;
    this.#lastChunk = this.#queued;
    return this.#close();
  }

  startTls(options = undefined) {
    const { transport, host } = this.#options;
    if (transport === "on") {
      throw new TypeError("Cannot startTls on a TLS socket.");
    }
    if (this.#gone && !this.#tlsStarted) {
      throw new TypeError(
        "The connection was closed before startTls could be started.",
      );
    }
    if (transport !== "starttls") {
      throw new TypeError(
        "The `secureTransport` socket option must be set to 'starttls' for " +
          "startTls to be used.",
      );
    }
    if (this.#tlsStarted) {
      throw new TypeError(
        "startTls has already been called on this socket, or the socket was " +
          "transferred over RPC.",
      );
    }
    this.#tlsStarted = true;
    const expected = options?.expectedServerHostname;
    const name = expected === undefined ? host : `${expected}`;
    return new Socket(
      kOurs,
      this.#event,
      { ...this.#options, transport: "on" },
      this.#upgrade(name),
    );
  }

  async #open(connecting) {
    const { info, port } = this.#options;
    try {
      this.#rid = await connecting;
      await op_connect_opened(this.#rid);
    } catch (cause) {
      await this.#outlived();
      let error = cause;
      // A failed startTls() says what it found.
      if (typeof connecting === "number") {
        const hint = port === 80 || port === 443 ? USE_FETCH : "";
        error = new Error(FAILED + hint, { cause });
      }
      this.#end();
      this.#closed.reject(error);
      this.#closeReadable();
      this.#writeController.error(error);
      throw error;
    }
    PromisePrototypeThen(op_connect_left(this.#rid), (left) => {
      if (left) this.#closed.resolve();
    }, () => {});
    return info;
  }

  /** The handler that had it has ended: `error` says how. */
  static leave(socket, error) {
    socket.#left = error;
    if (!socket.#readEnded) {
      socket.#readEnded = true;
      socket.#readController.error(error);
    }
    socket.#finish();
  }

  async #pull(controller) {
    const { view } = controller.byobRequest;
    let read;
    this.#reading = true;
    try {
      await this.#opened;
      if (this.#readEnded) return;
      read = await gated(core.read(this.#rid, view));
    } catch (error) {
      await this.#outlived();
      if (this.#readEnded || this.#gone) return;
      this.#readEnded = true;
      controller.error(error);
      this.#writeController.error(error);
      this.#end();
      this.#closed.resolve();
      return;
    } finally {
      this.#reading = false;
    }
    if (this.#readEnded) return;
    if (read > 0) {
      controller.byobRequest.respond(read);
      return;
    }
    this.#closeReadable();
    this.#ended();
  }

  async #write(chunk) {
    const error = foreign(this.#event, "Writable");
    if (error !== undefined) throw error;
    if (this.#left !== null) throw this.#left;
    this.#begun++;
    if (this.#begun > this.#lastChunk) {
      throw new TypeError(
        "This WritableStream belongs to an object that is closing.",
      );
    }
    // A buffer that was given away meanwhile is empty.
    const bytes = byteLength(chunk) > 0 ? toBytes(chunk) : null;
    try {
      await this.#opened;
      if (bytes !== null) await core.writeAll(this.#rid, bytes);
    } catch (error) {
      await this.#outlived();
      this.#writeEnded = true;
      this.#flushed?.reject(error);
      this.#ended();
      throw this.#left ?? error;
    }
    this.#sent++;
    if (this.#allSent()) this.#flushed?.resolve();
  }

  async #endWriting() {
    if (this.#writeEnded) return;
    this.#writeEnded = true;
    this.#flushed?.resolve();
    if (this.#tlsStarted) return;
    try {
      await this.#opened;
      await core.shutdown(this.#rid);
    } catch {
      // The other side left first.
      await this.#outlived();
    }
    if (this.#readEnded) this.#finish();
  }

  /** The other side said its last, or this one did. */
  #ended() {
    if (this.#options.allowHalfOpen && !this.#writeEnded) return;
    if (this.#writeEnded) {
      if (this.#readEnded) this.#finish();
      return;
    }
    PromisePrototypeThen(
      writableStreamClose(this.#writable),
      () => this.#finish(),
      (error) => {
        this.#closed.reject(error);
        this.#end();
      },
    );
  }

  #allSent() {
    return this.#sent >= this.#queued || this.#sent >= this.#lastChunk;
  }

  async #flush() {
    if (this.#writeEnded || this.#allSent()) return;
    this.#flushed = new Deferred();
    await this.#flushed.promise;
  }

  async #close() {
    try {
      await this.#opened;
      await this.#flush();
      this.#refuseReads();
      this.#writeController.error(undefined);
      await this.#endWriting();
      this.#finish();
    } catch (error) {
      this.#closed.reject(error);
      this.#end();
    }
  }

  /** Gives the connection up for one in TLS: its number. */
  async #upgrade(name) {
    await this.#opened;
    await this.#flush();
    if (this.#writable.locked) {
      throw new TypeError(
        "This WritableStream is currently locked to a writer.",
      );
    }
    if (this.#gone) {
      throw new TypeError("The connection was closed before startTls completed.");
    }
    this.#upgraded = true;
    this.#gone = true;
    this.#closeReadable();
    ignore(writableStreamClose(this.#writable));
    this.#closed.resolve();
    return op_connect_start_tls(this.#rid, name);
  }

  #closeReadable() {
    if (this.#readEnded) return;
    this.#readEnded = true;
    this.#readController.close();
    this.#readController.byobRequest?.respond(0);
  }

  #refuseReads() {
    if (this.#readEnded) return;
    this.#readEnded = true;
    const message = this.#reading
      ? "This socket has been closed."
      : "This ReadableStream belongs to an object that is closing.";
    this.#readController.error(new TypeError(message));
  }

  #finish() {
    this.#end();
    this.#closed.resolve();
  }

  #end() {
    if (this.#gone) return;
    this.#gone = true;
    if (this.#rid >= 0) core.tryClose(this.#rid);
  }

  /** Past its event nothing happens any more: what failed just never ends. */
  async #outlived() {
    if (this.#event.ended) await new Promise(() => {});
  }
}

const { leave } = Socket;
delete Socket.leave;
makeEnumerable(Socket.prototype);
ObjectDefineProperty(Socket.prototype, SymbolToStringTag, {
  __proto__: null,
  value: "Socket",
  configurable: true,
});

function ignore(promise) {
  PromisePrototypeThen(promise, undefined, () => {});
}

function toBytes(chunk) {
  if (typeof chunk === "string") return core.encode(chunk);
  if (ArrayBufferIsView(chunk)) return viewBytes(chunk);
  return new Uint8Array(chunk);
}

function byteLength(chunk) {
  if (typeof chunk === "string") return chunk.length;
  if (ArrayBufferIsView(chunk)) {
    return TypedArrayPrototypeGetSymbolToStringTag(chunk) === undefined
      ? DataViewPrototypeGetByteLength(chunk)
      : TypedArrayPrototypeGetByteLength(chunk);
  }
  if (core.isArrayBuffer(chunk)) return ArrayBufferPrototypeGetByteLength(chunk);
  throw new TypeError(
    "This TransformStream is being used as a byte stream, but received an " +
      "object of non-ArrayBuffer/ArrayBufferView type on its writable side.",
  );
}

/** @returns {{address: string, host: string, port: number}} */
function parseAddress(address) {
  if (typeof address === "object" && address !== null) {
    const { hostname, port } = address;
    const host = `${hostname}`;
    const number = toPort(port);
    return { address: `${host}:${number}`, host, port: number };
  }
  const text = `${address}`;
  let url;
  try {
    url = new URL(`fake://${text}`);
  } catch {
    throw new TypeError("Specified address could not be parsed.");
  }
  if (url.hostname === "") {
    throw new TypeError("Specified address is missing hostname.");
  }
  if (url.port === "") {
    throw new TypeError("Specified address is missing port.");
  }
  return { address: text, host: url.hostname, port: Number(url.port) };
}

function toPort(value) {
  const number = Number(value);
  if (!NumberIsFinite(number)) {
    throw new TypeError(
      "The value cannot be converted because it is not an integer.",
    );
  }
  const port = MathTrunc(number);
  if (port < 0 || port > 65535) {
    throw new TypeError(
      `Value out of range. Must be ${
        port < 0 ? "greater than or equal to 0" : "less than or equal to 65535"
      }.`,
    );
  }
  return port;
}

/** The host's number for the way of `fetch()`. */
const GLOBAL = -1;

/** Connects by the way of `fetch()`, or of a binding, as the host is told of it. */
function connectBy(service, object, address, options) {
  const event = requireEvent();
  const target = parseAddress(address);
  if (!RegExpPrototypeTest(HOST, target.address)) {
    throw new TypeError(
      "Specified address is empty string, contains unsupported characters or " +
        "is too long.",
    );
  }
  const { secureTransport = "off", allowHalfOpen = false, highWaterMark = 1 } =
    options ?? {};
  const transport = `${secureTransport}`;
  if (transport !== "off" && transport !== "on" && transport !== "starttls") {
    throw new TypeError(
      `Unsupported value in secureTransport socket option: ${transport}`,
    );
  }
  const { address: authority, host, port } = target;
  const tls = transport === "on";
  const rid = op_connect(event.id, service, object, authority, host, port, tls);
  return new Socket(kOurs, event, {
    info: { remoteAddress: authority, localAddress: undefined },
    host,
    port,
    transport,
    allowHalfOpen: !!allowHalfOpen,
    highWaterMark: Number(highWaterMark),
  }, rid);
}

/** The end of names that `ctx.mapVirtualHost` makes up. */
const VIRTUAL = ".workers.alt";

function connect(address, options = undefined) {
  const { address: authority, host } = parseAddress(address);
  if (StringPrototypeEndsWith(host, VIRTUAL)) {
    const { find } = core.loadExtScript("ext:outboard/virtual_hosts.js");
    const at = find(authority);
    // It is there for the name alone: Workers hand it no options.
    if (at !== undefined) return connectBy(at.service, at.object, authority, undefined);
  }
  return connectBy(GLOBAL, null, address, options);
}

/** `ctx.mapVirtualHost` */
function mapVirtualHost(fetcher, port) {
  const { nameOf } = core.loadExtScript("ext:outboard/virtual_hosts.js");
  return nameOf(fetcher, toPort(port));
}

/**
 * The connection that `event` came with, as a part of `life`; `leave` is called when its
 * handler has ended, with what it threw.
 */
function accept(event, life) {
  const { 0: rid, 1: localAddress } = op_connect_accept(event.id);
  const socket = new Socket(kOurs, life, {
    info: { remoteAddress: undefined, localAddress },
    host: "",
    port: 0,
    transport: "off",
    allowHalfOpen: false,
    highWaterMark: 1,
  }, rid);
  return {
    socket,
    leave: (thrown = undefined) => {
      const how = thrown === undefined
        ? "because client disconnected"
        : "after responding with an exception";
      leave(socket, new TypeError(`Can't read from request stream ${how}.`));
    },
  };
}

return { accept, connect, connectBy, mapVirtualHost };
})();
