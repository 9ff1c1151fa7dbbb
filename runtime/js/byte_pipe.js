// The streams that Workers implement themselves: bytes go in at a
// WritableStream and come out of a byte ReadableStream, which also fills a
// reader's own buffer. IdentityTransformStream, FixedLengthStream and the
// compression streams are made of one.
(function () {
const { core, primordials } = __bootstrap;
const {
  ArrayBufferIsView,
  Error,
  ErrorPrototype,
  MathMin,
  ObjectPrototypeIsPrototypeOf,
  Promise,
  PromisePrototypeThen,
  PromiseReject,
  PromiseResolve,
  TypedArrayPrototypeGetByteLength,
  TypedArrayPrototypeSet,
  TypedArrayPrototypeSlice,
  TypedArrayPrototypeSubarray,
  TypeError,
  Uint8Array,
} = primordials;
const { viewBytes } = core.loadExtScript("ext:outboard/body.js");
const { add } = core.loadExtScript("ext:deno_web/03_abort_signal.js");
const {
  byobView,
  createReadableByteStream,
  createWritableStream,
  failReadsOnCancel,
  errorWritable,
  ownStream,
  readableByteStreamControllerClose,
  readableByteStreamControllerEnqueue,
  readableByteStreamControllerError,
  readableByteStreamControllerRespond,
  tuneWritable,
} = core.loadExtScript("ext:deno_web/06_streams.js");

/** Bytes that one read without a buffer of its own gets at most. */
const READ = 65_536;

const done = PromiseResolve(undefined);
const none = () => 0;

/** What a chunk holds, as bytes that nobody else can change. */
function copyOf(chunk) {
  if (typeof chunk === "string") return core.encode(chunk);
  if (ArrayBufferIsView(chunk)) return TypedArrayPrototypeSlice(viewBytes(chunk));
  if (core.isAnyArrayBuffer(chunk)) {
    return TypedArrayPrototypeSlice(new Uint8Array(chunk));
  }
  throw new TypeError(
    "This TransformStream is being used as a byte stream, but received an " +
      "object of non-ArrayBuffer/ArrayBufferView type on its writable side.",
  );
}

/**
 * What becomes of bytes on their way. Each may throw, which ends both sides.
 * @typedef {object} Codec
 * @property {(bytes: Uint8Array, put: (bytes: Uint8Array) => void) => void} write
 * @property {(put: (bytes: Uint8Array) => void) => void} end
 * @property {() => void} close when nothing more will be asked of it
 */

class BytePipe {
  /** @type {Uint8Array[]} What is to be read; the first from `#at`. */
  #chunks = [];
  #at = 0;
  #size = 0;
  #ended = false;
  /** A read waits. */
  #wanted = false;
  #controller;
  /** Whoever waits until what was written is read: {resolve, reject}. */
  #waiting = null;
  #codec;
  #left;
  #put = (bytes) => {
    const length = TypedArrayPrototypeGetByteLength(bytes);
    if (length === 0) return;
    this.#chunks.push(bytes);
    this.#size += length;
  };

  /**
   * @param {Codec} codec
   * @param {number} [highWaterMark] bytes under way before `ready` waits; none:
   *     the writer is always ready, and each write ends when it has been read
   * @param {number} [buffer] bytes that may wait to be read while writes end
   *     at once; only pipes are held back beyond it
   * @param {number} [length] bytes that are to be read in all; whoever reads
   *     more, or less, is told
   */
  constructor(codec, highWaterMark, buffer, length) {
    this.#codec = codec;
    this.#left = length;
    this.readable = createReadableByteStream(
      (controller) => {
        this.#controller = controller;
      },
      () => {
        this.#wanted = true;
        this.#deliver();
      },
      (reason) => this.#cancel(reason),
    );
    ownStream(this.readable);
    const buffered = buffer !== undefined;
    if (buffered) failReadsOnCancel(this.readable);
    this.writable = createWritableStream(
      (controller) => {
        const { signal } = controller;
        signal[add](() => this.#fail(signal.reason));
      },
      (bytes) => {
        if (TypedArrayPrototypeGetByteLength(bytes) === 0) return done;
        try {
          codec.write(bytes, this.#put);
        } catch (error) {
          return this.#refuse(error);
        }
        // A turn later, so that the write is seen to end before the read.
        if (this.#wanted) PromisePrototypeThen(done, () => this.#deliver());
        return !buffered && this.#size > 0 ? this.#drained() : done;
      },
      () => {
        try {
          codec.end(this.#put);
        } catch (error) {
          return this.#refuse(error);
        }
        codec.close();
        this.#ended = true;
        this.#deliver();
        return done;
      },
      () => done,
      highWaterMark ?? 1,
      highWaterMark === undefined ? none : TypedArrayPrototypeGetByteLength,
    );
    const pace = buffered
      ? (written) => this.#size < buffer ? written : this.#drained()
      : (written) => written;
    tuneWritable(
      this.writable,
      buffered ? (chunk) => this.#copyOrFail(chunk) : copyOf,
      highWaterMark === undefined || buffered ? pace : undefined,
      (reason) => {
        if (this.#waiting === null) return;
        this.#fail(reason);
        errorWritable(this.writable, reason);
      },
    );
  }

  #copyOrFail(chunk) {
    try {
      return copyOf(chunk);
    } catch (error) {
      this.#fail(error);
      errorWritable(this.writable, error);
      throw error;
    }
  }

  /** What fails here fails for both sides. */
  #refuse(error) {
    this.#fail(error);
    return PromiseReject(error);
  }

  #drained() {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  /** Gives a read that waits what there is. */
  #deliver() {
    while (this.#wanted && (this.#size > 0 || this.#ended)) {
      this.#wanted = false;
      if (this.#size === 0) {
        this.#finish();
        return;
      }
      const view = byobView(this.#controller);
      const wanted = view === null
        ? READ
        : TypedArrayPrototypeGetByteLength(view);
      if (MathMin(wanted, this.#size) > this.#left) {
        this.#excess();
        return;
      }
      const taken = this.#take(wanted, view);
      if (this.#left !== undefined) {
        this.#left -= TypedArrayPrototypeGetByteLength(taken);
      }
      if (this.#size === 0) this.#written();
      // Either asks for more where the read wants it.
      if (view === null) {
        readableByteStreamControllerEnqueue(this.#controller, taken);
      } else {
        readableByteStreamControllerRespond(
          this.#controller,
          TypedArrayPrototypeGetByteLength(taken),
        );
      }
    }
  }

  /** What was written has been read. */
  #written() {
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.resolve();
  }

  /** More was written than there was to be. The write itself went well. */
  #excess() {
    this.#written();
    const error = new TypeError(
      "Attempt to write too many bytes through a FixedLengthStream.",
    );
    this.#fail(error);
    errorWritable(this.writable, error);
  }

  /** The next bytes, `wanted` at most; in `target` where there is one. */
  #take(wanted, target) {
    const length = MathMin(wanted, this.#size);
    const first = this.#chunks[0];
    const left = TypedArrayPrototypeGetByteLength(first) - this.#at;
    if (target === null && this.#at === 0 && left === length) {
      this.#chunks.shift();
      this.#size -= length;
      return first;
    }
    const into = target ?? new Uint8Array(length);
    let done = 0;
    while (done < length) {
      const chunk = this.#chunks[0];
      const end = MathMin(
        TypedArrayPrototypeGetByteLength(chunk),
        this.#at + length - done,
      );
      TypedArrayPrototypeSet(
        into,
        TypedArrayPrototypeSubarray(chunk, this.#at, end),
        done,
      );
      done += end - this.#at;
      this.#at = end;
      if (end === TypedArrayPrototypeGetByteLength(chunk)) {
        this.#chunks.shift();
        this.#at = 0;
      }
    }
    this.#size -= length;
    return TypedArrayPrototypeSubarray(into, 0, length);
  }

  #finish() {
    if (this.#left > 0) {
      this.#fail(
        new TypeError(
          "FixedLengthStream did not see all expected bytes before close().",
        ),
      );
      return;
    }
    try {
      readableByteStreamControllerClose(this.#controller);
    } catch {
      // A read of wider elements got half of one: the stream has failed.
      return;
    }
    // A read with a buffer of its own gets what is in it.
    if (byobView(this.#controller) !== null) {
      readableByteStreamControllerRespond(this.#controller, 0);
    }
  }

  #clear() {
    this.#chunks = [];
    this.#at = 0;
    this.#size = 0;
    this.#wanted = false;
    this.#codec.close();
  }

  /** The writing side failed, or was aborted. */
  #fail(reason) {
    this.#clear();
    readableByteStreamControllerError(this.#controller, reason);
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.reject(reason);
  }

  /** Nobody reads any more, so that writing fails. */
  #cancel(reason) {
    this.#clear();
    if (!this.#ended) {
      const error = asError(reason);
      errorWritable(this.writable, error);
      const waiting = this.#waiting;
      this.#waiting = null;
      waiting?.reject(error);
    }
    return done;
  }
}

/** What a writer is told of a cancelled read. */
function asError(reason) {
  if (reason === undefined) return new Error("Stream was cancelled.");
  return ObjectPrototypeIsPrototypeOf(ErrorPrototype, reason)
    ? reason
    : new Error(`${reason}`);
}

return { BytePipe };
})();
