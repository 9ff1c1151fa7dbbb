// fs.createReadStream and fs.createWriteStream.
(function () {
const { core, primordials } = __bootstrap;
const {
  MathMin,
  ObjectSetPrototypeOf,
  ReflectConstruct,
} = primordials;
const { builtin } = core.loadExtScript("ext:outboard/node/modules.js");
const { Readable, Writable } = builtin("stream");
const { Buffer } = core.loadExtScript("ext:deno_node/internal/buffer.mjs");
const sync = core.loadExtScript("ext:outboard/node/fs/sync.js");
const { checkEncoding, toOptions, toPath } = core.loadExtScript(
  "ext:outboard/node/fs/arguments.js",
);
const { codes } = core.loadExtScript("ext:outboard/node/errors.js");
const { validateBoolean, validateInteger, validateObject } = core.loadExtScript(
  "ext:deno_node/internal/validators.mjs",
);

/** The descriptor that options name: a number, or a FileHandle. */
function fdOf(options) {
  const { fd } = options;
  if (fd === undefined || fd === null) return null;
  if (typeof fd === "number") return fd;
  if (typeof fd.fd === "number") return fd.fd;
  throw new codes.ERR_INVALID_ARG_TYPE("fd", ["number", "FileHandle"], fd);
}

function begin(stream, path, options, flags) {
  stream.fd = fdOf(options);
  stream.path = path;
  stream.flags = options.flags ?? options.flag ?? flags;
  stream.mode = options.mode ?? 0o666;
  stream.autoClose = options.autoClose ?? true;
  if (stream.fd === null) toPath(path);
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
}

function construct(stream, callback) {
  if (stream.fd !== null) {
    callback();
    return;
  }
  try {
    stream.fd = sync.openSync(stream.path, stream.flags, stream.mode);
  } catch (error) {
    callback(error);
    return;
  }
  callback();
  stream.emit("open", stream.fd);
  stream.emit("ready");
}

function destroy(stream, error, callback) {
  const { fd } = stream;
  stream.fd = null;
  if (fd === null) {
    callback(error);
    return;
  }
  try {
    sync.closeSync(fd);
  } catch (failure) {
    callback(error ?? failure);
    return;
  }
  callback(error);
}

function streamOptions(options) {
  const given = toOptions(options);
  checkEncoding(given.encoding);
  validateObject(given, "options");
  if (given.autoClose !== undefined) {
    validateBoolean(given.autoClose, "options.autoClose");
  }
  return given;
}

class FileReadStream extends Readable {
  constructor(path, options = undefined) {
    const given = streamOptions(options);
    super({
      highWaterMark: given.highWaterMark ?? 64 * 1024,
      encoding: given.encoding,
      emitClose: given.emitClose ?? true,
      autoDestroy: given.autoClose ?? true,
      signal: given.signal,
    });
    begin(this, path, given, "r");
    this.end = given.end ?? Infinity;
    this.bytesRead = 0;
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
    if (count <= 0) {
      this.push(null);
      return;
    }
    const buffer = Buffer.allocUnsafeSlow(count);
    let read;
    try {
      read = sync.readSync(this.fd, buffer, 0, count, at ?? null);
    } catch (error) {
      this.destroy(error);
      return;
    }
    if (read === 0) {
      this.push(null);
      return;
    }
    this.bytesRead += read;
    if (at !== undefined) this.pos = at + read;
    this.push(buffer.subarray(0, read));
  }

  _destroy(error, callback) {
    destroy(this, error, callback);
  }

  close(callback = undefined) {
    if (typeof callback === "function") this.once("close", callback);
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
      signal: given.signal,
    });
    begin(this, path, given, "w");
    this.bytesWritten = 0;
  }

  get pending() {
    return this.fd === null;
  }

  _construct(callback) {
    construct(this, callback);
  }

  _write(chunk, _encoding, callback) {
    try {
      const count = sync.writeSync(this.fd, chunk, 0, chunk.length, this.pos ?? null);
      this.bytesWritten += count;
      if (this.pos !== undefined) this.pos += count;
    } catch (error) {
      callback(error);
      return;
    }
    callback();
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
    return this.end(...new primordials.SafeArrayIterator(args));
  }
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
  createReadStream: (path, options) => new FileReadStream(path, options),
  createWriteStream: (path, options) => new FileWriteStream(path, options),
  ReadStream,
  WriteStream,
};
})();
