// What a request and its answer have for a socket: facts of the client, and a
// stream of which a Response is made.
(function () {
const { core, primordials } = __bootstrap;
const {
  ArrayPrototypeIncludes,
  ArrayPrototypePush,
  Error,
  MathMin,
  MathRandom,
  MathTrunc,
  ObjectDefineProperty,
  StringPrototypeSlice,
  StringPrototypeToLowerCase,
  Uint8Array,
  queueMicrotask,
} = primordials;
const { Buffer } = core.loadExtScript("ext:deno_node/internal/buffer.mjs");
const { isIPv4 } = core.loadExtScript("ext:outboard/node/net/address.js");
const { Deferred, ReadableStream } = core.loadExtScript(
  "ext:deno_web/06_streams.js",
);
const { Headers } = core.loadExtScript("ext:outboard/headers.js");
const { Response } = core.loadExtScript("ext:outboard/response.js");
const { Writable } = core.loadExtScript("ext:outboard/node/modules.js").builtin(
  "stream",
);

/** Bytes that wait for a client to read before a writer is told to wait. */
const HIGH_WATER_MARK = 64 << 10;
const NULL_BODY = [101, 204, 205, 304];

/** A stream takes a buffer's memory away, which may be a pool's: it gets a copy. */
const enqueue = (controller, bytes) => controller.enqueue(new Uint8Array(bytes));

class Connection extends Writable {
  #answer = new Deferred();
  /** {status, statusText, headers} once the head was written. */
  #head = null;
  /** What was written before the Response is made, a turn after its head. */
  #early = [];
  #controller = null;
  /** Called when the client wants more. @type {(() => void) | null} */
  #resume = null;
  #finished = false;
  #withoutBody = false;
  /** Bytes of the head that are still to come before the body's. */
  #headLeft = 0;
  /** Bytes that the head's Content-Length allows yet. */
  #left = Infinity;

  constructor(incoming, headers, port) {
    super({ decodeStrings: false, highWaterMark: HIGH_WATER_MARK });
    const client = headers.get("cf-connecting-ip") ?? "127.0.0.1";
    const remotePort = MathTrunc(MathRandom() * 0x8000) | 0x8000;
    const gone = () => incoming.destroyed;
    this.encrypted = headers.get("x-forwarded-proto") === "https";
    this.localAddress = headers.get("host") ?? "127.0.0.1";
    this.localPort = port;
    const fact = (name, get) =>
      ObjectDefineProperty(this, name, { __proto__: null, get, configurable: true });
    fact("readable", () => incoming.readable);
    fact("remoteAddress", () => gone() ? undefined : client);
    fact("remoteFamily", () => gone() ? undefined : isIPv4(client) ? "IPv4" : "IPv6");
    fact("remotePort", () => gone() ? undefined : remotePort);
    this.on("error", (error) => this.#fail(error));
  }

  get answer() {
    return this.#answer.promise;
  }

  /** Takes a message's writes from now on. */
  serve(response, method) {
    this._httpMessage = response;
    response.socket = this;
    this.#withoutBody = method === "HEAD";
    this.on("drain", () => response.emit("drain"));
    this.once("close", () => {
      response._closed = true;
      response.emit("close");
    });
    response.emit("socket", this);
  }

  /** The head of `length` bytes comes next; what follows it is the body. */
  begin(status, statusText, headers, length) {
    this.#head = { status, statusText, headers };
    this.#headLeft = length;
    for (let n = 0; n < headers.length; n++) {
      if (StringPrototypeToLowerCase(headers[n][0]) === "content-length") {
        this.#left = +headers[n][1];
      }
    }
    // What the script writes in the same turn makes one body.
    queueMicrotask(() => this.#respond());
  }

  /** All is written. */
  finish() {
    this.#finished = true;
    this.end();
  }

  #respond() {
    const { status, statusText, headers } = this.#head;
    const list = new Headers();
    for (let n = 0; n < headers.length; n++) {
      list.append(headers[n][0], headers[n][1]);
    }
    const early = this.#early;
    this.#early = null;
    let body = null;
    if (!this.#withoutBody && !ArrayPrototypeIncludes(NULL_BODY, status)) {
      body = this.#finished && this.writableLength === 0
        ? Buffer.concat(early)
        : this.#stream(early);
    }
    try {
      this.#answer.resolve(new Response(body, { status, statusText, headers: list }));
    } catch (error) {
      this.#answer.reject(error);
    }
  }

  #stream(early) {
    return new ReadableStream({
      type: "bytes",
      start: (controller) => {
        this.#controller = controller;
        for (let n = 0; n < early.length; n++) enqueue(controller, early[n]);
      },
      pull: () => this.#goOn(),
      cancel: (reason) => {
        this.#controller = null;
        this.destroy(reason);
      },
    }, { highWaterMark: HIGH_WATER_MARK });
  }

  #goOn() {
    const resume = this.#resume;
    this.#resume = null;
    resume?.();
  }

  _write(chunk, encoding, callback) {
    let bytes = this.#bodyOf(chunk, encoding);
    if (bytes.length > this.#left) bytes = bytes.subarray(0, this.#left);
    this.#left -= bytes.length;
    if (bytes.length === 0) callback();
    else if (this.#early !== null) {
      ArrayPrototypePush(this.#early, bytes);
      callback();
    } else if (this.#controller === null) callback();
    else {
      enqueue(this.#controller, bytes);
      if (this.#controller.desiredSize > 0) callback();
      else this.#resume = callback;
    }
  }

  /** The bytes of a chunk after the head, whose every character is a byte. */
  #bodyOf(chunk, encoding) {
    const skip = MathMin(this.#headLeft, chunk.length);
    this.#headLeft -= skip;
    if (typeof chunk === "string") {
      return Buffer.from(StringPrototypeSlice(chunk, skip), encoding);
    }
    return skip === 0 ? chunk : chunk.subarray(skip);
  }

  _final(callback) {
    this.#controller?.close();
    this.#controller = null;
    callback();
  }

  _destroy(error, callback) {
    if (!this.#finished) {
      this.#fail(error ?? new Error("The connection was destroyed."));
    }
    this.#goOn();
    callback(error);
  }

  #fail(error) {
    if (this.#head === null) this.#answer.reject(error);
    this.#controller?.error(error);
    this.#controller = null;
  }

  setTimeout() {
    return this;
  }
  setKeepAlive() {
    return this;
  }
  setNoDelay() {
    return this;
  }
  ref() {
    return this;
  }
  unref() {
    return this;
  }
}

return { Connection };
})();
