// IncomingMessage: a request at a server, or an answer at a client. Its body is
// a web stream's.
(function () {
const { core, primordials } = __bootstrap;
const {
  PromisePrototypeThen,
  Symbol,
  TypedArrayPrototypeGetBuffer,
  TypedArrayPrototypeGetByteLength,
  TypedArrayPrototypeGetByteOffset,
  queueMicrotask,
  uncurryThis,
} = primordials;
const { Buffer } = core.loadExtScript("ext:deno_node/internal/buffer.mjs");
const { IncomingMessage: Base } = core.loadExtScript(
  "ext:deno_node/_http_incoming.js",
);
const { ReadableStream } = core.loadExtScript("ext:deno_web/06_streams.js");

const getReader = uncurryThis(ReadableStream.prototype.getReader);
const someReader = getReader(new ReadableStream());
const readChunk = uncurryThis(someReader.read);
const cancelReader = uncurryThis(someReader.cancel);

const kBody = Symbol("kBody");
const kReader = Symbol("kReader");
const kReading = Symbol("kReading");

class IncomingMessage extends Base {
  constructor(socket, options) {
    super(socket, options);
    this.httpVersionMajor = 1;
    this.httpVersionMinor = 1;
    this.httpVersion = "1.1";
    this._paused = false;
    /** @type {ReadableStream | null} */
    this[kBody] = null;
    this[kReader] = null;
    this[kReading] = false;
  }

  setTimeout(msecs, callback) {
    if (callback) this.on("timeout", callback);
    this.socket?.setTimeout?.(msecs);
    return this;
  }

  _read() {
    if (!this._consuming) {
      this._readableState.readingMore = false;
      this._consuming = true;
    }
    if (this[kReading] || this.complete) return;
    if (this[kBody] === null) {
      this.complete = true;
      this.push(null);
      return;
    }
    this[kReading] = true;
    this[kReader] ??= getReader(this[kBody]);
    readOn(this);
  }

  _destroy(error, callback) {
    if (!this.readableEnded || !this.complete) {
      this.aborted = true;
      this.emit("aborted");
    }
    if (!this.complete && this[kBody] !== null) {
      // Whoever sends the rest need not.
      try {
        this[kReader] ??= getReader(this[kBody]);
        PromisePrototypeThen(
          cancelReader(this[kReader], error),
          undefined,
          () => {},
        );
      } catch {
        // Somebody else reads it.
      }
    }
    if (this.listenerCount("error") === 0) error = null;
    queueMicrotask(() => callback(error));
  }
}

async function readOn(message) {
  try {
    for (;;) {
      const { done, value } = await readChunk(message[kReader]);
      if (message.destroyed) return;
      if (done) {
        message.complete = true;
        message[kReading] = false;
        message.push(null);
        return;
      }
      const chunk = Buffer.from(
        TypedArrayPrototypeGetBuffer(value),
        TypedArrayPrototypeGetByteOffset(value),
        TypedArrayPrototypeGetByteLength(value),
      );
      if (!message.push(chunk)) break;
    }
    message[kReading] = false;
  } catch (error) {
    message.destroy(error);
  }
}

/** Gives a message its headers, names and values in turn, and its body. */
function fill(message, headers, body) {
  message._addHeaderLines(headers, headers.length);
  message[kBody] = body;
}

return { fill, IncomingMessage, module: { IncomingMessage } };
})();
