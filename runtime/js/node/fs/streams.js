// fs.createReadStream and fs.createWriteStream.
(function () {
const { core, primordials } = __bootstrap;
const {
  ArrayPrototypeMap,
  MathMin,
  ObjectSetPrototypeOf,
  ReflectApply,
  ReflectConstruct,
  SafeArrayIterator,
  Symbol,
} = primordials;
const { builtin } = core.loadExtScript("ext:outboard/node/modules.js");
const { addAbortSignal, finished, Readable, Writable } = builtin("stream");
const { errorOrDestroy } = core.loadExtScript(
  "ext:deno_node/internal/streams/destroy.js",
);
const { Buffer } = core.loadExtScript("ext:deno_node/internal/buffer.mjs");
const { checkEncoding, toFd, toPath } = core.loadExtScript(
  "ext:outboard/node/fs/arguments.js",
);
const { codes, ERR_METHOD_NOT_IMPLEMENTED } = core.loadExtScript(
  "ext:outboard/node/errors.js",
);
const {
  validateAbortSignal,
  validateBoolean,
  validateFunction,
  validateInteger,
  validateObject,
} = core.loadExtScript("ext:deno_node/internal/validators.mjs");

/** What a stream calls: functions of node:fs, the caller's, or a FileHandle's. */
const kFs = Symbol("fs");
/** While a call is under way the descriptor stays open; then this is emitted. */
const kBusy = Symbol("busy");
const kIdle = Symbol("idle");

const NAMES = ["open", "close", "fsync", "read", "write", "writev"];

function givenFs(fs) {
  const own = core.loadExtScript("ext:outboard/node/fs.js").exports;
  if (fs === undefined || fs === null) return own;
  validateObject(fs, "options.fs");
  const all = {};
  for (const name of new SafeArrayIterator(NAMES)) {
    all[name] = fs[name] ?? own[name];
    validateFunction(all[name], `options.fs.${name}`);
  }
  return all;
}

/** A FileHandle's methods, for callbacks. Whoever replaced one is called. */
function handleFs(handle) {
  const later = (promise, callback, results) =>
    primordials.PromisePrototypeThen(
      promise,
      (value) => callback(null, ...new SafeArrayIterator(results(value))),
      callback,
    );
  return {
    open(...args) {
      args[args.length - 1](new ERR_METHOD_NOT_IMPLEMENTED("open()"));
    },
    close: (_fd, callback) => later(handle.close(), callback, () => []),
    fsync: (_fd, callback) => later(handle.sync(), callback, () => []),
    read: (_fd, buffer, offset, length, position, callback) =>
      later(
        handle.read(buffer, offset, length, position),
        callback,
        (result) => [result.bytesRead, result.buffer],
      ),
    write: (_fd, buffer, offset, length, position, callback) =>
      later(
        handle.write(buffer, offset, length, position),
        callback,
        (result) => [result.bytesWritten, result.buffer],
      ),
    writev: (_fd, buffers, position, callback) =>
      later(
        handle.writev(buffers, position),
        callback,
        (result) => [result.bytesWritten, result.buffers],
      ),
  };
}

function streamOptions(options) {
  let given = options ?? {};
  if (typeof given === "string") given = { encoding: given };
  if (typeof given !== "object") {
    throw new codes.ERR_INVALID_ARG_TYPE("options", ["string", "Object"], options);
  }
  checkEncoding(given.encoding, "options.encoding");
  for (const name of new SafeArrayIterator(["autoClose", "emitClose", "flush"])) {
    validateBoolean(given[name] ?? false, `options.${name}`);
  }
  if (given.signal !== undefined && given.signal !== null) {
    validateAbortSignal(given.signal, "options.signal");
  }
  return given;
}

/** What both kinds of streams have. */
function begin(stream, path, options, flags) {
  const { fd, fs } = options;
  stream[kFs] = givenFs(fs);
  stream[kBusy] = false;
  stream.flush = options.flush ?? false;
  const { FileHandle } = core.loadExtScript("ext:outboard/node/fs/file_handle.js");
  if (fd === undefined || fd === null) {
    toPath(path);
    stream.fd = null;
    stream.path = path;
    stream.flags = options.flags ?? options.flag ?? flags;
    stream.mode = options.mode ?? 0o666;
  } else if (fd instanceof FileHandle) {
    if (fs !== undefined && fs !== null) {
      throw new ERR_METHOD_NOT_IMPLEMENTED("FileHandle with fs");
    }
    stream[kFs] = handleFs(fd);
    stream.fd = fd.fd ?? null;
    fd.on("close", () => stream.close());
  } else stream.fd = toFd(fd);
  const { end, start } = options;
  if (start !== undefined) validateInteger(start, "start", 0);
  if (end !== undefined && end !== Infinity) {
    validateInteger(end, "end", 0);
    if (start !== undefined && start > end) {
      throw new codes.ERR_OUT_OF_RANGE("start", `<= "end" (here: ${end})`, start);
    }
  }
  stream.start = start;
  stream.pos = start;
  // Which may end it at once.
  if (options.signal) addAbortSignal(options.signal, stream);
}

function construct(stream, callback) {
  if (stream.fd !== null) {
    callback();
    return;
  }
  if (typeof stream.open === "function") {
    // Old code puts an open() of its own on a stream, and emits what came of it.
    const { emit } = stream;
    stream.emit = function (...args) {
      if (args[0] === "open") {
        stream.emit = emit;
        callback();
      } else if (args[0] === "error") {
        stream.emit = emit;
        callback(args[1]);
        return true;
      }
      return ReflectApply(emit, stream, args);
    };
    stream.open();
    return;
  }
  stream[kFs].open(stream.path, stream.flags, stream.mode, (error, fd) => {
    if (error) {
      callback(error);
      return;
    }
    stream.fd = fd;
    callback();
    stream.emit("open", fd);
    stream.emit("ready");
  });
}

function close(stream, error, callback) {
  const { fd } = stream;
  if (fd === null) {
    callback(error);
    return;
  }
  const end = (failure) => {
    stream.fd = null;
    stream[kFs].close(fd, (unclosed) => callback(unclosed ?? failure));
  };
  if (stream.flush) stream[kFs].fsync(fd, (failure) => end(error ?? failure));
  else end(error);
}

function destroy(stream, error, callback) {
  if (stream[kBusy]) {
    stream.once(kIdle, (failure) => close(stream, error ?? failure, callback));
  } else close(stream, error, callback);
}

class FileReadStream extends Readable {
  constructor(path, options = undefined) {
    const given = streamOptions(options);
    super({
      highWaterMark: given.highWaterMark ?? 64 * 1024,
      encoding: given.encoding,
      emitClose: given.emitClose ?? true,
      autoDestroy: given.autoClose ?? true,
    });
    begin(this, path, given, "r");
    this.end = given.end ?? Infinity;
    this.bytesRead = 0;
  }

  get autoClose() {
    return checkThis(this, "ReadStream")._readableState.autoDestroy;
  }

  set autoClose(value) {
    checkThis(this, "ReadStream")._readableState.autoDestroy = value;
  }

  get pending() {
    return this.fd === null;
  }

  _construct(callback) {
    construct(this, callback);
  }

  _read(size) {
    const at = this.pos;
    const left = at === undefined
      ? this.end - this.bytesRead + 1
      : this.end - at + 1;
    const count = MathMin(left, size);
    if (count <= 0 || this.fd === null) {
      this.push(null);
      return;
    }
    const buffer = Buffer.allocUnsafeSlow(count);
    this[kBusy] = true;
    this[kFs].read(this.fd, buffer, 0, count, at ?? null, (error, read, into) => {
      this[kBusy] = false;
      if (this.destroyed) this.emit(kIdle, error);
      else if (error) errorOrDestroy(this, error);
      else this.#got(read, into);
    });
  }

  #got(read, buffer) {
    if (read === 0) {
      this.push(null);
      return;
    }
    this.bytesRead += read;
    if (this.pos !== undefined) this.pos += read;
    // A small part of a large buffer would keep all of it.
    this.push(
      read === buffer.byteLength ? buffer : Buffer.from(buffer.subarray(0, read)),
    );
  }

  _destroy(error, callback) {
    destroy(this, error, callback);
  }

  close(callback = undefined) {
    if (typeof callback === "function") finished(this, callback);
    this.destroy();
  }
}

class FileWriteStream extends Writable {
  constructor(path, options = undefined) {
    const given = streamOptions(options);
    super({
      decodeStrings: true,
      defaultEncoding: given.encoding ?? "utf8",
      emitClose: given.emitClose ?? true,
      autoDestroy: given.autoClose ?? true,
      highWaterMark: given.highWaterMark,
    });
    begin(this, path, given, "w");
    this.bytesWritten = 0;
  }

  get autoClose() {
    return checkThis(this, "WriteStream")._writableState.autoDestroy;
  }

  set autoClose(value) {
    checkThis(this, "WriteStream")._writableState.autoDestroy = value;
  }

  get pending() {
    return this.fd === null;
  }

  _construct(callback) {
    construct(this, callback);
  }

  _write(chunk, _encoding, callback) {
    this[kBusy] = true;
    const rest = (view) =>
      this[kFs].write(this.fd, view, 0, view.length, this.pos ?? null, (error, count) => {
        if (!error) {
          this.#wrote(count);
          // The standard streams take a part at a time.
          if (count < view.length) return rest(view.subarray(count));
        }
        this.#idle(error, callback);
      });
    rest(chunk);
  }

  _writev(chunks, callback) {
    const views = ArrayPrototypeMap(chunks, ({ chunk }) => chunk);
    this[kBusy] = true;
    this[kFs].writev(this.fd, views, this.pos ?? null, (error, count) => {
      if (!error) this.#wrote(count);
      this.#idle(error, callback);
    });
  }

  #wrote(count) {
    this.bytesWritten += count;
    if (this.pos !== undefined) this.pos += count;
  }

  #idle(error, callback) {
    this[kBusy] = false;
    callback(error ?? undefined);
    if (this.destroyed) this.emit(kIdle, error);
  }

  _destroy(error, callback) {
    destroy(this, error, callback);
  }

  close(callback = undefined) {
    if (typeof callback === "function") {
      if (this.closed) {
        primordials.queueMicrotask(callback);
        return;
      }
      this.once("close", callback);
    }
    if (!this.autoClose) this.on("finish", this.destroy);
    this.end();
  }

  destroySoon(...args) {
    return this.end(...new SafeArrayIterator(args));
  }
}

function checkThis(stream, name) {
  if (stream?.[kFs] === undefined) throw new codes.ERR_INVALID_THIS(name);
  return stream;
}

/** A class that may be called without `new`, as old code does. */
function callable(Class, name) {
  function Stream(...args) {
    return ReflectConstruct(Class, args, new.target ?? Class);
  }
  primordials.ObjectDefineProperty(Stream, "name", { __proto__: null, value: name });
  Stream.prototype = Class.prototype;
  ObjectSetPrototypeOf(Stream, Class);
  return Stream;
}

const ReadStream = callable(FileReadStream, "ReadStream");
const WriteStream = callable(FileWriteStream, "WriteStream");

return {
  ReadStream,
  WriteStream,
};
})();
