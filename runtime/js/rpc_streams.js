// Streams and signals that were passed in a call: the side that has one exports how
// to read, write or wait for it, and the other makes its own of that.
(function () {
const { core, primordials } = __bootstrap;
const {
  ArrayBufferIsView,
  ArrayBufferPrototypeGetByteLength,
  Error,
  ObjectPrototypeIsPrototypeOf,
  Promise,
  PromisePrototypeThen,
  PromiseResolve,
  TypedArrayPrototypeGetBuffer,
  TypedArrayPrototypeGetByteLength,
  TypedArrayPrototypeSlice,
  TypeError,
  Uint8Array,
} = primordials;
const { viewBytes } = core.loadExtScript("ext:outboard/body.js");
const {
  methods,
  ReadableStream,
  ReadableStreamPrototype,
  tuneWritable,
  WritableStream,
} = core.loadExtScript("ext:deno_web/06_streams.js");
const { AbortController, AbortSignal } = core.loadExtScript(
  "ext:deno_web/03_abort_signal.js",
);
const { DOMException } = core.loadExtScript("ext:deno_web/01_dom_exception.js");
const { flag, has } = core.loadExtScript("ext:outboard/compatibility.js");
const WritableStreamPrototype = WritableStream.prototype;
const AbortSignalPrototype = AbortSignal.prototype;

const LEFT =
  "ReadableStream sent over RPC was canceled or released by the remote execution context.";
const READ_CUT = "ReadableStream received over RPC disconnected prematurely.";
const WRITE_CUT =
  "WritableStream received over RPC was disconnected because the remote execution " +
  "context has ended.";

/** What may be on its way between the sides before a writer waits. */
const WINDOW = 64 * 1024;

/** Why a stream is at an end that the other side left. */
function gone(message) {
  const error = new Error(message);
  error.retryable = true;
  return error;
}

/** The bytes of a chunk and nothing beside them, since they travel with their buffer. */
function bytesOf(chunk, refused) {
  if (typeof chunk === "string") return core.encode(chunk);
  if (core.isAnyArrayBuffer(chunk)) return TypedArrayPrototypeSlice(new Uint8Array(chunk));
  if (!ArrayBufferIsView(chunk)) throw new TypeError(refused);
  const bytes = viewBytes(chunk);
  const buffer = TypedArrayPrototypeGetBuffer(bytes);
  const isWhole = core.isArrayBuffer(buffer) && !buffer.resizable &&
    ArrayBufferPrototypeGetByteLength(buffer) === TypedArrayPrototypeGetByteLength(bytes);
  return isWhole ? bytes : TypedArrayPrototypeSlice(bytes);
}

/** How a stream or a signal is exported; undefined where it is neither. */
function exportStream(object) {
  const is = (prototype) => ObjectPrototypeIsPrototypeOf(prototype, object);
  if (is(ReadableStreamPrototype)) return { kind: "readable", entry: source(object) };
  if (is(WritableStreamPrototype)) return { kind: "writable", entry: sink(object) };
  if (!is(AbortSignalPrototype)) return undefined;
  if (!has(flag.enable_abortsignal_rpc)) {
    throw new DOMException("AbortSignal serialization is not enabled.", "DataCloneError");
  }
  return object.aborted
    ? { kind: "aborted", reason: object.reason }
    : { kind: "signal", entry: signalEntry(object) };
}

function source(stream) {
  if (stream.locked) {
    throw new TypeError("The ReadableStream has been locked to a reader.");
  }
  const reader = methods.getReader(stream);
  let ended = false;
  return {
    isStream: true,
    value: {
      async read() {
        try {
          const { done, value } = await methods.read(reader);
          ended ||= done;
          return { done, value: done ? undefined : bytesOf(value, NOT_BYTES) };
        } catch (error) {
          if (!ended) ignore(methods.cancel(reader, error));
          ended = true;
          throw error;
        }
      },
      cancel() {
        ended = true;
        return methods.cancel(reader, gone(LEFT));
      },
    },
    /** Nobody reads on. */
    close() {
      if (ended) return;
      ended = true;
      ignore(methods.cancel(reader, gone(LEFT)));
    },
    forget: () => methods.releaseReader(reader),
  };
}

function readableOf(hook) {
  return new ReadableStream({
    type: "bytes",
    async pull(controller) {
      let chunk;
      try {
        chunk = await hook.call(["read"], []).pull();
      } catch {
        hook.dispose();
        throw new Error(READ_CUT);
      }
      if (chunk.done) {
        hook.dispose();
        controller.close();
        controller.byobRequest?.respond(0);
        return;
      }
      // An empty chunk would not count as an answer to the pull.
      if (TypedArrayPrototypeGetByteLength(chunk.value) > 0) {
        controller.enqueue(chunk.value);
      } else {
        await this.pull(controller);
      }
    },
    async cancel() {
      try {
        await hook.call(["cancel"], []).pull();
      } finally {
        hook.dispose();
      }
    },
    // Read ahead, so that whoever writes at the other side need not wait for a reader here.
  }, { highWaterMark: WINDOW });
}

function sink(stream) {
  if (stream.locked) {
    throw new TypeError("This WritableStream is currently locked to a writer.");
  }
  const writer = methods.getWriter(stream);
  let ended = false;
  return {
    isStream: true,
    value: {
      write: (chunk) => methods.write(writer, TypedArrayPrototypeGetBuffer(chunk)),
      close() {
        ended = true;
        return methods.close(writer);
      },
    },
    close() {
      if (ended) return;
      ended = true;
      ignore(methods.abort(writer, gone(WRITE_CUT)));
    },
    forget: () => methods.releaseWriter(writer),
  };
}

function writableOf(hook) {
  let ahead = 0;
  let last = PromiseResolve();
  let failed = false;
  let fault = undefined;
  const fail = (error) => {
    if (failed) return;
    failed = true;
    fault = error;
    hook.dispose();
  };
  const stream = new WritableStream({
    write(chunk) {
      if (failed) throw fault;
      const size = TypedArrayPrototypeGetByteLength(chunk);
      if (size === 0) return;
      ahead += size;
      last = PromisePrototypeThen(hook.call(["write"], [chunk]).pull(), () => {
        ahead -= size;
      }, fail);
      return ahead < WINDOW ? undefined : last;
    },
    async close() {
      await last;
      if (failed) throw fault;
      try {
        await hook.call(["close"], []).pull();
      } finally {
        hook.dispose();
      }
    },
    abort() {
      // Whose it is aborts it: it is not written on.
      hook.dispose();
    },
  });
  tuneWritable(
    stream,
    (chunk) => chunk === undefined ? NOTHING : bytesOf(chunk, NOT_WRITTEN),
    undefined,
    undefined,
  );
  return stream;
}

/** A write of nothing is none. */
const NOTHING = new Uint8Array(0);
const NOT_BYTES = "This ReadableStream did not return bytes.";
const NOT_WRITTEN =
  "This TransformStream is being used as a byte stream, but received an object of " +
  "non-ArrayBuffer/ArrayBufferView type on its writable side.";

function ignore(promise) {
  PromisePrototypeThen(promise, undefined, () => {});
}

function signalEntry(signal) {
  return {
    value: {
      wait() {
        return new Promise((resolve) => {
          const tell = () => resolve({ reason: signal.reason });
          if (signal.aborted) tell();
          else signal.addEventListener("abort", tell);
        });
      },
    },
    close() {},
  };
}

function signalOf(hook) {
  const controller = new AbortController();
  PromisePrototypeThen(
    hook.call(["wait"], []).pull(),
    ({ reason }) => {
      hook.dispose();
      controller.abort(reason);
    },
    // It never will be.
    () => {},
  );
  return controller.signal;
}

function abortedSignal(reason) {
  return AbortSignal.abort(reason);
}

return { abortedSignal, exportStream, readableOf, signalOf, writableOf };
})();
