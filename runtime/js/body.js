// What Request and Response share (https://fetch.spec.whatwg.org/#body-mixin).
//
// A body stays what it was made from - a string, bytes, or a handle on the
// host's byte stream - until the script asks for a ReadableStream, so that the
// common cases cross to the host in one piece and load no stream code.
(function () {
const { core, primordials } = __bootstrap;
const {
  op_body_abort,
  op_body_bytes,
  op_body_cancel,
  op_body_text,
  op_event_body,
} = core.ops;
const {
  ArrayBufferIsView,
  ArrayBufferPrototype,
  ArrayBufferPrototypeSlice,
  ArrayPrototype,
  DataViewPrototypeGetBuffer,
  DataViewPrototypeGetByteLength,
  DataViewPrototypeGetByteOffset,
  JSONParse,
  ObjectPrototypeIsPrototypeOf,
  ObjectSetPrototypeOf,
  PromiseResolve,
  ObjectPrototype,
  SafeWeakMap,
  StringPrototypeIncludes,
  StringPrototypeSlice,
  StringPrototypeStartsWith,
  SymbolAsyncIterator,
  SymbolIterator,
  SymbolToPrimitive,
  TypedArrayPrototypeGetBuffer,
  TypedArrayPrototypeGetByteLength,
  TypedArrayPrototypeGetByteOffset,
  TypedArrayPrototypeGetSymbolToStringTag,
  TypedArrayPrototypeSlice,
  TypeError,
  Uint8Array,
  WeakMapPrototypeGet,
  WeakMapPrototypeSet,
} = primordials;

const { currentEvent, foreign, gated, warn } = core.loadExtScript(
  "ext:outboard/event.js",
);
const { illegalInvocation, makeEnumerable } = core.loadExtScript(
  "ext:outboard/headers.js",
);

const streams = () => core.loadExtScript("ext:deno_web/06_streams.js");
const blobs = () => core.loadExtScript("ext:deno_web/09_file.js");
const urls = () => core.loadExtScript("ext:deno_web/00_url.js");
const forms = () => core.loadExtScript("ext:outboard/form_data.js");

const USED =
  "Body has already been used. It can only be used once. Use tee() first if " +
  "you need to read it twice.";

const LOCKED = "This ReadableStream is currently locked to a reader.";
/** As Workers word it where a stream is to be split. */
const LOCKED_TEE = "This ReadableStream is currently locked to a reader,";

/** What a body is made of. */
const kNull = 0; // no body
const kText = 1; // value: string
const kBytes = 2; // value: Uint8Array, ours alone
const kHost = 3; // value: a host body's resource id
const kEvent = 4; // value: an event's number; its request body, not opened yet
const kStream = 5; // value: ReadableStream

class BodyState {
  constructor(kind, value, type, length) {
    this.kind = kind;
    this.value = value;
    /** The content type that this body implies, or null. */
    this.type = type;
    /** Its length in bytes where the host is told (FixedLengthStream), or null. */
    this.length = length;
    this.used = false;
    /** The event whose body it is; others cannot read it. */
    this.owner = kind === kNull ? undefined : currentEvent();
    /** Of a fetched body whose fetch had a signal. @type {BodyGuard | null} */
    this.guard = null;
  }

  /** Takes the body for one reader. */
  take() {
    if (this.isUsed()) throw new TypeError(USED);
    if (this.kind === kStream) {
      if (this.value.locked) throw new TypeError(LOCKED);
      streams().checkOwner(this.value);
    }
    this.used = this.kind !== kNull;
    this.checkOwner();
  }

  checkOwner() {
    const error = foreign(this.owner, "ReadableStreamSource>");
    if (error !== undefined) throw error;
  }

  isUsed() {
    return this.used ||
      (this.kind === kStream && streams().isReadableStreamDisturbed(this.value));
  }

  /** Opens an event's request body, so that kEvent becomes kHost or kNull. */
  open() {
    if (this.kind !== kEvent) return;
    this.checkOwner();
    const rid = op_event_body(this.value);
    this.kind = rid < 0 ? kNull : kHost;
    this.value = rid;
  }

  /** As a ReadableStream; the body is that stream from then on. */
  stream() {
    this.open();
    switch (this.kind) {
      case kNull:
        return null;
      case kStream:
        return this.value;
      case kHost:
        this.checkOwner();
        this.value = this.guard === null
          ? streams().readableStreamForRid(this.value)
          : this.guard.stream();
        break;
      default: {
        const bytes = this.kind === kText
          ? core.encode(this.value)
          : this.value;
        this.value = bytesStream(bytes);
        this.length = TypedArrayPrototypeGetByteLength(bytes);
        setStreamLength(this.value, this.length);
      }
    }
    if (this.used) {
      // Read already: what the script now sees is a closed stream that somebody has.
      streams().readableStreamDisturb(this.value);
      streams().readableStreamClose(this.value);
      streams().acquireReadableStreamDefaultReader(this.value);
    }
    this.kind = kStream;
    return this.value;
  }

  async bytes() {
    this.open();
    this.take();
    switch (this.kind) {
      case kNull:
        return new Uint8Array(0);
      case kText:
        return core.encode(this.value);
      case kBytes:
        return TypedArrayPrototypeSlice(this.value);
      case kHost:
        return this.guard === null
          ? await gated(op_body_bytes(this.value))
          : await this.guard.read(op_body_bytes);
      default:
        return await collect(this.value);
    }
  }

  async text() {
    this.open();
    this.take();
    switch (this.kind) {
      case kNull:
        return "";
      case kText:
        return this.value;
      case kBytes:
        return core.decode(this.value);
      case kHost:
        return this.guard === null
          ? await gated(op_body_text(this.value))
          : await this.guard.read(op_body_text);
      default:
        return core.decode(await collect(this.value));
    }
  }

  /** Two bodies from one. */
  clone() {
    if (this.isUsed()) throw new TypeError(LOCKED_TEE);
    this.checkOwner();
    this.open();
    switch (this.kind) {
      case kNull:
      case kText:
      case kBytes:
        return new BodyState(this.kind, this.value, this.type, this.length);
      case kHost:
      case kStream: {
        const stream = this.stream();
        if (stream.locked) throw new TypeError(LOCKED_TEE);
        const [left, right] = streams().readableStreamTee(stream, true);
        this.value = left;
        return new BodyState(kStream, right, this.type, this.length);
      }
    }
  }

  /** Nobody will read this. */
  drop() {
    if (this.kind === kHost) op_body_cancel(this.value);
    else if (this.kind === kStream) this.value.cancel();
  }
}

// Not an object of the script's: what it hangs on Object.prototype is not here.
ObjectSetPrototypeOf(BodyState.prototype, null);

/** Ends a host body with its signal's reason. */
class BodyGuard {
  #rid;
  #signal;
  #abort = () => op_body_abort(this.#rid);

  constructor(rid, signal) {
    this.#rid = rid;
    this.#signal = signal;
    signal.addEventListener("abort", this.#abort);
  }

  async read(op) {
    try {
      return await gated(op(this.#rid));
    } catch (error) {
      throw this.#reason(error);
    } finally {
      this.#signal.removeEventListener("abort", this.#abort);
    }
  }

  stream() {
    return streams().readableStreamForRid(
      this.#rid,
      /* autoClose */ true,
      undefined,
      (controller, error) => controller.error(this.#reason(error)),
      () => this.#signal.removeEventListener("abort", this.#abort),
    );
  }

  #reason(error) {
    return this.#signal.aborted ? this.#signal.reason : error;
  }
}

/** Lets `signal` end the body of a fetched response. */
function guardBody(body, signal) {
  const state = bodyState(body);
  if (state.kind === kHost) state.guard = new BodyGuard(state.value, signal);
}

/** Streams of known length, which the host is told where one is a body. */
const lengths = new SafeWeakMap();

function setStreamLength(stream, length) {
  WeakMapPrototypeSet(lengths, stream, length);
}

function streamLength(stream) {
  return WeakMapPrototypeGet(lengths, stream) ?? null;
}

const NO_BODY = () => new BodyState(kNull, null, null, null);

/** All chunks of a script's stream; each must be bytes. */
function collect(stream) {
  return streams().readableStreamCollectIntoUint8Array(stream);
}

function bytesStream(bytes) {
  const {
    byobView,
    createReadableByteStream,
    readableByteStreamControllerClose,
    readableByteStreamControllerEnqueue,
    readableByteStreamControllerRespond,
    ownStream,
  } = streams();
  let controller;
  const stream = createReadableByteStream(
    (own) => {
      controller = own;
    },
    () => {
      if (TypedArrayPrototypeGetByteLength(bytes) > 0) {
        readableByteStreamControllerEnqueue(
          controller,
          TypedArrayPrototypeSlice(bytes),
        );
      }
      readableByteStreamControllerClose(controller);
      if (byobView(controller) !== null) {
        readableByteStreamControllerRespond(controller, 0);
      }
    },
    () => PromiseResolve(undefined),
  );
  ownStream(stream);
  return stream;
}

/** The same memory as a view, as bytes. */
function viewBytes(view) {
  return TypedArrayPrototypeGetSymbolToStringTag(view) !== undefined
    ? new Uint8Array(
      TypedArrayPrototypeGetBuffer(view),
      TypedArrayPrototypeGetByteOffset(view),
      TypedArrayPrototypeGetByteLength(view),
    )
    : new Uint8Array(
      DataViewPrototypeGetBuffer(view),
      DataViewPrototypeGetByteOffset(view),
      DataViewPrototypeGetByteLength(view),
    );
}

const { toString: objectToString } = ObjectPrototype;
const { toString: arrayToString } = ArrayPrototype;

/** An object that can be iterated but says what it is as text. */
function isText(object) {
  if (core.isStringObject(object)) return true;
  const { toString } = object;
  return (toString !== objectToString && toString !== arrayToString) ||
    object[SymbolToPrimitive] !== undefined;
}

/** https://fetch.spec.whatwg.org/#concept-bodyinit-extract */
function extractBody(init) {
  if (typeof init === "string") {
    return new BodyState(kText, init, "text/plain;charset=UTF-8", null);
  }
  if (init === null || init === undefined) return NO_BODY();
  if (typeof init === "object") {
    if (ArrayBufferIsView(init)) {
      return new BodyState(
        kBytes,
        // Shared memory too is copied into memory of our own.
        TypedArrayPrototypeSlice(viewBytes(init)),
        null,
        null,
      );
    }
    if (
      ObjectPrototypeIsPrototypeOf(ArrayBufferPrototype, init) ||
      primordials.ObjectPrototypeToString(init) === "[object ArrayBuffer]"
    ) {
      return new BodyState(
        kBytes,
        init.detached
          ? new Uint8Array(0)
          : new Uint8Array(ArrayBufferPrototypeSlice(init, 0)),
        null,
        null,
      );
    }
    const { ReadableStreamPrototype } = streams();
    if (ObjectPrototypeIsPrototypeOf(ReadableStreamPrototype, init)) {
      if (streams().isReadableStreamDisturbed(init)) {
        throw new TypeError(
          "This ReadableStream is disturbed (has already been read from), " +
            "and cannot be used as a body.",
        );
      }
      if (init.locked) {
        throw new TypeError(
          "This ReadableStream is locked to a reader, and cannot be used as a body.",
        );
      }
      return new BodyState(kStream, init, null, streamLength(init));
    }
    if (ObjectPrototypeIsPrototypeOf(urls().URLSearchParamsPrototype, init)) {
      return new BodyState(
        kText,
        // deno-lint-ignore prefer-primordials
        init.toString(),
        "application/x-www-form-urlencoded;charset=UTF-8",
        null,
      );
    }
    if (forms().isFormData(init)) {
      const { boundary, stream, bytes, length } = forms().serialize(init);
      return new BodyState(
        bytes === null ? kStream : kBytes,
        bytes ?? stream,
        `multipart/form-data; boundary=${boundary}`,
        length,
      );
    }
    if (ObjectPrototypeIsPrototypeOf(blobs().BlobPrototype, init)) {
      return new BodyState(
        kStream,
        init.stream(),
        init.type === "" ? null : init.type,
        init.size,
      );
    }
    if (
      typeof init[SymbolAsyncIterator] === "function" ||
      (typeof init[SymbolIterator] === "function" && !isText(init))
    ) {
      const { ReadableStream } = streams();
      return new BodyState(kStream, ReadableStream.from(init), null, null);
    }
  }
  return new BodyState(kText, `${init}`, "text/plain;charset=UTF-8", null);
}

/** A form whose parts nobody could tell from one another, for the type that was given. */
function checkFormType(own, type) {
  const mark = "multipart/form-data; boundary=";
  if (!StringPrototypeStartsWith(type, mark)) return;
  const boundary = StringPrototypeSlice(type, mark.length);
  if (StringPrototypeIncludes(own, boundary)) return;
  warn(
    "A FormData body was provided with a custom Content-Type header when constructing " +
      "a Request or Response object. This will prevent the recipient of the Request or " +
      "Response from being able to parse the body. Consider omitting the custom " +
      "Content-Type header.",
  );
}

/** The base of Request and Response; `contentType` is theirs to say. */
class Body {
  #state;

  constructor(state) {
    this.#state = state;
  }

  get body() {
    return bodyState(this).stream();
  }

  get bodyUsed() {
    return bodyState(this).isUsed();
  }

  async arrayBuffer() {
    return TypedArrayPrototypeGetBuffer(await bodyState(this).bytes());
  }

  bytes() {
    return bodyState(this).bytes();
  }

  text() {
    return bodyState(this).text();
  }

  async json() {
    return JSONParse(await bodyState(this).text());
  }

  async blob() {
    const bytes = await bodyState(this).bytes();
    const type = this.headers.get("content-type") ?? "";
    return blobs().blobOfType(bytes, type);
  }

  formData() {
    const type = this.headers.get("content-type");
    return forms().parse(bodyState(this), type);
  }

  static stateOf(body) {
    if (!(#state in body)) throw illegalInvocation();
    return body.#state;
  }
}
const { stateOf: bodyState } = Body;
delete Body.stateOf;
makeEnumerable(Body.prototype);

return {
  Body,
  bodyState,
  BodyState,
  checkFormType,
  extractBody,
  guardBody,
  kBytes,
  kEvent,
  kHost,
  kNull,
  kStream,
  kText,
  NO_BODY,
  setStreamLength,
  streamLength,
  viewBytes,
};
})();
