//! Where `deno_web`'s streams differ from those of Workers, besides wording:
//! hooks for the streams that are made of bytes alone (js/byte_pipe.js), and
//! what Workers do otherwise than the standard.

use super::{Patch, STREAMS, patch, patch_all};

pub(super) const PATCHES: &[Patch] = &[
    patch_all(
        "ext:deno_web/14_compression.js",
        "ext:outboard/compression.js",
    ),
    // An object's input gate is before the bytes of bodies too.
    patch(
        STREAMS,
        "function readableStreamForRid(\n",
        "const { gated } = core.loadExtScript(\"ext:outboard/event.js\");\n\
         function readableStreamForRid(\n",
    ),
    patch(
        STREAMS,
        "const chunk = await core.readAll(rid);",
        "const chunk = await gated(core.readAll(rid));",
    ),
    patch(
        STREAMS,
        "const bytesRead = await core.read(rid, v);",
        "const bytesRead = await gated(core.read(rid, v));",
    ),
    // For js/byte_pipe.js: a writable whose chunks are made bytes at once, and
    // which says itself when a pipe may go on.
    patch(
        STREAMS,
        "return {\n  _isClosedPromise,\n",
        r#"const _wants = Symbol("wants");
ReadableByteStreamController.prototype[_wants] = undefined;
const _convertChunk = Symbol("convertChunk");
const _pace = Symbol("pace");
const _abandon = Symbol("abandon");
const _failReads = Symbol("failReads");
ReadableStream.prototype[_failReads] = false;
WritableStream.prototype[_pace] = undefined;
WritableStream.prototype[_abandon] = undefined;
WritableStreamDefaultController.prototype[_convertChunk] = undefined;

function tuneWritable(stream, convert, pace, abandon) {
  stream[_controller][_convertChunk] = convert;
  stream[_pace] = pace;
  stream[_abandon] = abandon;
}

function errorWritable(stream, error) {
  writableStreamDefaultControllerErrorIfNeeded(stream[_controller], error);
}

let compatibility;
/** Whether a byte source has a request only where its reader has a buffer. */
function standardAllocation() {
  compatibility ??= core.loadExtScript("ext:outboard/compatibility.js");
  return compatibility.has(
    compatibility.flag.streams_no_default_auto_allocate_chunk_size,
  );
}

/** The buffer that the next bytes go into, where the reader has given one. */
function byobView(controller) {
  const request = readableByteStreamControllerGetBYOBRequest(controller);
  return request === null ? null : request[_view];
}

function setTransformSides(transform, readable, writable) {
  transform[_readable] = readable;
  transform[_writable] = writable;
}

const _owner = Symbol("owner");
ReadableStream.prototype[_owner] = undefined;
let events;

/** Makes a stream the current event's: others cannot read it. */
function ownStream(stream) {
  events ??= core.loadExtScript("ext:outboard/event.js");
  stream[_owner] = events.currentEvent();
}

/** The error of using another event's stream. */
function foreignStream(stream) {
  const owner = stream[_owner];
  return owner === undefined ? undefined : events.foreign(owner, "ReadableStreamSource>");
}

function checkOwner(stream) {
  const error = foreignStream(stream);
  if (error !== undefined) throw error;
}

/** Takes the length that a source or a transformer says its stream will have. */
function expectLength(stream, { expectedLength }) {
  if (expectedLength === undefined) return;
  const { toLength } = core.loadExtScript("ext:outboard/identity_streams.js");
  core.loadExtScript("ext:outboard/body.js")
    .setStreamLength(stream, toLength(expectedLength));
}

function failReadsOnCancel(stream) {
  stream[_failReads] = true;
}

/** Methods as they are before a script can change them. */
const methods = {
  __proto__: null,
  getReader: primordials.uncurryThis(ReadableStream.prototype.getReader),
  read: primordials.uncurryThis(ReadableStreamDefaultReader.prototype.read),
  cancel: primordials.uncurryThis(ReadableStreamDefaultReader.prototype.cancel),
  releaseReader: primordials.uncurryThis(ReadableStreamDefaultReader.prototype.releaseLock),
  getWriter: primordials.uncurryThis(WritableStream.prototype.getWriter),
  write: primordials.uncurryThis(WritableStreamDefaultWriter.prototype.write),
  close: primordials.uncurryThis(WritableStreamDefaultWriter.prototype.close),
  abort: primordials.uncurryThis(WritableStreamDefaultWriter.prototype.abort),
  releaseWriter: primordials.uncurryThis(WritableStreamDefaultWriter.prototype.releaseLock),
};

return {
  byobView,
  checkOwner,
  createWritableStream,
  failReadsOnCancel,
  errorWritable,
  methods,
  ownStream,
  privateTransform: _brand,
  setTransformSides,
  tuneWritable,
  _isClosedPromise,
"#,
    ),
    patch(
        STREAMS,
        "  const controller = stream[_controller];\n  const chunkSize = writableStreamDefaultControllerGetChunkSize(",
        "  const controller = stream[_controller];\n  if (controller[_convertChunk] !== undefined) {\n    try {\n      chunk = controller[_convertChunk](chunk);\n    } catch (error) {\n      return PromiseReject(error);\n    }\n  }\n  const chunkSize = writableStreamDefaultControllerGetChunkSize(",
    ),
    patch(
        STREAMS,
        "      writeChunk(chunk);\n      if (pumping) {",
        "      // Its signal ended the pipe, and nobody may read what is written now.\n      if (shuttingDown === true && dest[_abandon] !== undefined) return;\n      writeChunk(chunk);\n      if (dest[_pace] !== undefined) {\n        uponPromise(dest[_pace](currentWrite), pump, noopHandler);\n        return;\n      }\n      if (pumping) {",
    ),
    // A pipe that ends by its signal gives up what it is writing.
    patch(
        STREAMS,
        "      const error = signal.reason;\n      /** @type {Array<() => Promise<void>>} */\n      const actions = [];\n",
        "      const error = signal.reason;\n      if (dest[_abandon] !== undefined) dest[_abandon](error);\n      /** @type {Array<() => Promise<void>>} */\n      const actions = [];\n",
    ),
    // What belongs to an event is not read, split or cancelled by another.
    patch(
        STREAMS,
        "  stream[_resourceBacking] = { rid, autoClose };\n\n  const tryClose = () => {\n    if (!autoClose) return;",
        "  stream[_resourceBacking] = { rid, autoClose };\n  ownStream(stream);\n\n  const tryClose = () => {\n    if (!autoClose) return;",
    ),
    patch(
        STREAMS,
        "    // Sync fast path: stream is readable, controller is the default (not\n",
        "    const foreign = foreignStream(stream);\n    if (foreign !== undefined) return PromiseReject(foreign);\n    // Sync fast path: stream is readable, controller is the default (not\n",
    ),
    patch(
        STREAMS,
        "    /** @type {Deferred<ReadableStreamBYOBReadResult>} */\n",
        "    const foreign = foreignStream(this[_stream]);\n    if (foreign !== undefined) return PromiseReject(foreign);\n    /** @type {Deferred<ReadableStreamBYOBReadResult>} */\n",
    ),
    patch(
        STREAMS,
        "    return readableStreamCancel(this, reason);\n",
        "    const foreign = foreignStream(this);\n    if (foreign !== undefined) return PromiseReject(foreign);\n    return readableStreamCancel(this, reason);\n",
    ),
    patch(
        STREAMS,
        "    return readableByteStreamTee(stream);\n",
        "    const branches = readableByteStreamTee(stream);\n    branches[0][_owner] = branches[1][_owner] = stream[_owner];\n    return branches;\n",
    ),
    patch(
        STREAMS,
        "    const promise = readableStreamPipeTo(\n      this,\n      writable,\n",
        "    checkOwner(this);\n    const promise = readableStreamPipeTo(\n      this,\n      writable,\n",
    ),
    patch(
        STREAMS,
        "    return readableStreamPipeTo(\n      this,\n      destination,\n",
        "    const foreign = foreignStream(this);\n    if (foreign !== undefined) return PromiseReject(foreign);\n    return readableStreamPipeTo(\n      this,\n      destination,\n",
    ),
    patch(
        STREAMS,
        "    let preventCancel = false;\n",
        "    checkOwner(this);\n    let preventCancel = false;\n",
    ),
    patch(
        STREAMS,
        "Readable stream is unavailable",
        "The readable side of this TransformStream is no longer readable.",
    ),
    // How many bytes there will be, which becomes Content-Length.
    patch(
        STREAMS,
        "    initializeReadableStream(this);\n    if (underlyingSourceDict.type === \"bytes\") {",
        "    initializeReadableStream(this);\n    if (underlyingSource !== null) expectLength(this, underlyingSource);\n    if (underlyingSourceDict.type === \"bytes\") {",
    ),
    patch(
        STREAMS,
        "    setUpTransformStreamDefaultControllerFromTransformer(\n      this,\n      transformer,\n      transformerDict,\n    );\n    if (transformerDict.start) {",
        "    setUpTransformStreamDefaultControllerFromTransformer(\n      this,\n      transformer,\n      transformerDict,\n    );\n    if (transformer !== null) expectLength(this[_readable], transformer);\n    if (transformerDict.start) {",
    ),
    // What waits for a compression stream fails with the reason.
    patch(
        STREAMS,
        "  readableStreamClose(stream);\n  const reader = stream[_reader];\n  if (reader !== undefined && isReadableStreamBYOBReader(reader)) {",
        "  if (stream[_failReads] && stream[_reader] !== undefined && reason !== undefined) {\n    const cancelled = stream[_controller][_cancelSteps](reason);\n    readableStreamError(stream, reason);\n    return cancelled;\n  }\n  readableStreamClose(stream);\n  const reader = stream[_reader];\n  if (reader !== undefined && isReadableStreamBYOBReader(reader)) {",
    ),
    // A byte source always has a request to fill, and is told how much of it.
    patch(
        STREAMS,
        "  const autoAllocateChunkSize = underlyingSourceDict[\"autoAllocateChunkSize\"];\n",
        "  const autoAllocateChunkSize =\n    underlyingSourceDict[\"autoAllocateChunkSize\"] ??\n      (standardAllocation() ? undefined : 4096);\n",
    ),
    patch(
        STREAMS,
        "    return this[_view];\n  }\n",
        "    return this[_view];\n  }\n\n  get atLeast() {\n    webidl.assertBranded(this, ReadableStreamBYOBRequestPrototype);\n    if (this[_controller] === undefined) return null;\n    const { minimumFill, bytesFilled, wants } = this[_controller][_pendingPullIntos].peek();\n    return wants ?? minimumFill - bytesFilled;\n  }\n",
    ),
    patch(
        STREAMS,
        "This BYOB request has been invalidated",
        "This ReadableStreamBYOBRequest has been invalidated.",
    ),
    patch(
        STREAMS,
        "  /** @returns {void} */\n  releaseLock() {\n    webidl.assertBranded(this, ReadableStreamBYOBReaderPrototype);",
        r#"  readAtLeast(min, view) {
    if (!ArrayBufferIsView(view)) {
      return PromiseReject(
        new TypeError(
          "Failed to execute 'readAtLeast' on 'ReadableStreamBYOBReader': parameter 2 is not of type 'ArrayBufferView'.",
        ),
      );
    }
    const length = isTypedArray(view)
      ? TypedArrayPrototypeGetLength(view)
      : DataViewPrototypeGetByteLength(view);
    min = +min;
    if (!(min >= 1)) {
      return PromiseReject(
        new TypeError(`Requested invalid minimum number of bytes to read (${min}).`),
      );
    }
    if (min > length) {
      return PromiseReject(
        new TypeError(
          `Minimum bytes to read (${min}) exceeds size of buffer (${length}).`,
        ),
      );
    }
    return this.read(view, { min });
  }

  /** @returns {void} */
  releaseLock() {
    webidl.assertBranded(this, ReadableStreamBYOBReaderPrototype);"#,
    ),
    // What was read when the stream ended is a read of its own.
    patch(
        STREAMS,
        "      pullIntoDescriptor.bytesFilled % pullIntoDescriptor.elementSize === 0,\n    );\n    done = true;",
        "      pullIntoDescriptor.bytesFilled % pullIntoDescriptor.elementSize === 0,\n    );\n    done = pullIntoDescriptor.bytesFilled === 0;",
    ),
    // A strategy is asked for the size of each chunk, also of one that a read
    // waits for.
    patch(
        STREAMS,
        "  const stream = controller[_stream];\n  if (\n    isReadableStreamLocked(stream) === true &&\n    readableStreamGetNumReadRequests(stream) > 0\n  ) {\n    readableStreamFulfillReadRequest(stream, chunk, false);\n  } else {\n    let chunkSize;",
        "  const stream = controller[_stream];\n  if (\n    isReadableStreamLocked(stream) === true &&\n    readableStreamGetNumReadRequests(stream) > 0\n  ) {\n    if (controller[_strategySizeAlgorithm] !== defaultSizeAlgorithm) {\n      try {\n        controller[_strategySizeAlgorithm](chunk);\n      } catch (e) {\n        readableStreamDefaultControllerError(controller, e);\n        throw e;\n      }\n      if (readableStreamGetNumReadRequests(stream) === 0) return;\n    }\n    readableStreamFulfillReadRequest(stream, chunk, false);\n  } else {\n    let chunkSize;",
    ),
    // Cancelling one of two branches does not wait for the other.
    patch(
        STREAMS,
        "      cancelPromise.resolve(cancelResult);\n    }\n    return cancelPromise.promise;",
        "      cancelPromise.resolve(cancelResult);\n    }\n    return canceled1 && canceled2 ? cancelPromise.promise : PromiseResolve(undefined);",
    ),
    // A sink or transformer whose start() throws makes a stream that has failed.
    patch(
        STREAMS,
        "  const startResult = startAlgorithm(controller);\n  const startPromise = resolvePromiseWith(startResult);\n  uponPromise(startPromise, () => {\n    assert(stream[_state] === \"writable\"",
        "  let startPromise;\n  try {\n    startPromise = resolvePromiseWith(startAlgorithm(controller));\n  } catch (error) {\n    startPromise = PromiseReject(error);\n  }\n  uponPromise(startPromise, () => {\n    assert(stream[_state] === \"writable\"",
    ),
    patch(
        STREAMS,
        "    if (transformerDict.start) {\n      startPromise.resolve(\n        webidl.invokeCallbackFunction(\n          transformerDict.start,\n          [this[_controller]],\n          transformer,\n          webidl.converters.any,\n          \"Failed to execute 'start' on 'TransformStreamDefaultController'\",\n        ),\n      );\n    } else {",
        "    if (transformerDict.start) {\n      try {\n        startPromise.resolve(\n          webidl.invokeCallbackFunction(\n            transformerDict.start,\n            [this[_controller]],\n            transformer,\n            webidl.converters.any,\n            \"Failed to execute 'start' on 'TransformStreamDefaultController'\",\n          ),\n        );\n      } catch (error) {\n        transformStreamError(this, error);\n        startPromise.reject(error);\n      }\n    } else {",
    ),
    // By an old flag a reader's buffer stays the script's, which may meanwhile make
    // it smaller, or give it away: what was read is copied to what there is then.
    patch(
        STREAMS,
        "  try {\n    buffer = ArrayBufferPrototypeTransferToFixedLength(buffer);\n  } catch (e) {\n    readIntoRequest.errorSteps(e);\n    return;\n  }\n",
        r#"  if (keepsBuffers()) {
    readIntoRequest = new LateReadIntoRequest(readIntoRequest, buffer, byteOffset, ctor, elementSize);
    buffer = new primordials.ArrayBuffer(byteLength);
    byteOffset = 0;
  } else {
    try {
      buffer = ArrayBufferPrototypeTransferToFixedLength(buffer);
    } catch (e) {
      readIntoRequest.errorSteps(e);
      return;
    }
  }
"#,
    ),
    patch(
        STREAMS,
        "class ReadableStreamBYOBReadIntoRequest {",
        r#"function keepsBuffers() {
  compatibility ??= core.loadExtScript("ext:outboard/compatibility.js");
  return !compatibility.has(compatibility.flag.streams_byob_reader_detaches_buffer);
}

/** A read whose bytes are copied to the reader's buffer when they are there. */
class LateReadIntoRequest {
  #request;
  #buffer;
  #offset;
  #ctor;
  #elementSize;

  constructor(request, buffer, offset, ctor, elementSize) {
    this.#request = request;
    this.#buffer = buffer;
    this.#offset = offset;
    this.#ctor = ctor;
    this.#elementSize = elementSize;
  }

  #fill(chunk) {
    const Ctor = this.#ctor;
    if (isDetachedBuffer(this.#buffer)) return new Ctor(new primordials.ArrayBuffer(0));
    const tag = TypedArrayPrototypeGetSymbolToStringTag(chunk);
    const bytes = tag === undefined
      ? new Uint8Array(DataViewPrototypeGetBuffer(chunk), 0, DataViewPrototypeGetByteLength(chunk))
      : new Uint8Array(TypedArrayPrototypeGetBuffer(chunk), 0, TypedArrayPrototypeGetByteLength(chunk));
    const room = getArrayBufferByteLength(this.#buffer) - this.#offset;
    if (room <= 0) return new Ctor(this.#buffer, 0, 0);
    let length = TypedArrayPrototypeGetByteLength(bytes);
    if (length > room) length = room - room % this.#elementSize;
    TypedArrayPrototypeSet(
      new Uint8Array(this.#buffer, this.#offset, length),
      primordials.TypedArrayPrototypeSubarray(bytes, 0, length),
    );
    return new Ctor(this.#buffer, this.#offset, length / this.#elementSize);
  }

  chunkSteps(chunk) {
    this.#request.chunkSteps(this.#fill(chunk));
  }

  closeSteps(chunk) {
    this.#request.closeSteps(chunk === undefined ? chunk : this.#fill(chunk));
  }

  errorSteps(e) {
    this.#request.errorSteps(e);
  }
}

class ReadableStreamBYOBReadIntoRequest {"#,
    ),
    // Of a pipe whose signal has fired already nothing is locked when the streams
    // are told.
    patch(
        STREAMS,
        "  const reader = acquireReadableStreamDefaultReader(source);\n  const writer = acquireWritableStreamDefaultWriter(dest);\n  source[_disturbed] = true;\n",
        r#"  // Given up before it began: neither stream is the pipe's.
  if (signal?.aborted) {
    const error = signal.reason;
    source[_disturbed] = true;
    // A sink that was just made has started by then, and is the first to hear.
    return PromisePrototypeThen(PromiseResolve(), () => {
      let aborted, cancelled;
      if (!preventAbort && dest[_state] === "writable") {
        aborted = writableStreamAbort(dest, error);
      }
      if (!preventCancel && source[_state] === "readable") {
        cancelled = readableStreamCancel(source, error);
        setPromiseIsHandledToTrue(cancelled);
      }
      // What the sink says goes before what the source says.
      return PromisePrototypeThen(
        PromiseResolve(aborted),
        () => PromisePrototypeThen(PromiseResolve(cancelled), () => PromiseReject(error)),
      );
    });
  }
  const reader = acquireReadableStreamDefaultReader(source);
  const writer = acquireWritableStreamDefaultWriter(dest);
  source[_disturbed] = true;
"#,
    ),
    // A branch has nothing to start with: a read reaches the source at once, which is
    // told how much the branch wants.
    patch(
        STREAMS,
        "  branch1[_original] = stream;\n  branch2[_original] = stream;\n\n  forwardReaderError(reader);",
        "  branch1[_original] = stream;\n  branch2[_original] = stream;\n  branch1[_controller][_started] = branch2[_controller][_started] = true;\n\n  forwardReaderError(reader);",
    ),
    patch(
        STREAMS,
        "    byobForBranch2 = forBranch2;\n    readableStreamBYOBReaderRead(",
        "    byobForBranch2 = forBranch2;\n    const { bytesFilled, minimumFill, wants } =\n      (forBranch2 ? branch2 : branch1)[_controller][_pendingPullIntos].peek();\n    stream[_controller][_wants] = wants ?? minimumFill - bytesFilled;\n    readableStreamBYOBReaderRead(",
    ),
    patch(
        STREAMS,
        "    viewConstructor: ctor,\n    readerType: \"byob\",\n  };\n",
        "    viewConstructor: ctor,\n    readerType: \"byob\",\n    wants: controller[_wants],\n  };\n  controller[_wants] = undefined;\n",
    ),
    // The last bytes are given to a read that wanted more.
    patch(
        STREAMS,
        "    if (controller[_closeRequested]) {\n      const e = new TypeError(\n        \"Insufficient bytes to fill elements in the given buffer\",\n      );\n      readableByteStreamControllerError(controller, e);\n      readIntoRequest.errorSteps(e);\n      return;\n    }\n  }\n  controller[_pendingPullIntos].enqueue(pullIntoDescriptor);",
        r#"    if (controller[_closeRequested] && pullIntoDescriptor.bytesFilled % elementSize === 0) {
      const filledView = readableByteStreamControllerConvertPullIntoDescriptor(
        pullIntoDescriptor,
      );
      readableByteStreamControllerHandleQueueDrain(controller);
      readIntoRequest.chunkSteps(filledView);
      return;
    }
    if (controller[_closeRequested]) {
      const e = new TypeError(
        "Insufficient bytes to fill elements in the given buffer",
      );
      readableByteStreamControllerError(controller, e);
      readIntoRequest.errorSteps(e);
      return;
    }
  }
  controller[_pendingPullIntos].enqueue(pullIntoDescriptor);"#,
    ),
];
