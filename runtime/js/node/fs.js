// node:fs and node:fs/promises over the functions that work at once: the files
// are in memory, so that there is nothing to wait for but the caller's turn.
(function () {
const { core, primordials } = __bootstrap;
const {
  ArrayPrototypeIncludes,
  ArrayPrototypeSlice,
  ObjectDefineProperty,
  ObjectKeys,
  ReflectApply,
  SafeArrayIterator,
  StringPrototypeEndsWith,
  StringPrototypeSlice,
  SymbolAsyncDispose,
  queueMicrotask,
} = primordials;
const sync = core.loadExtScript("ext:outboard/node/fs/sync.js");
const folders = core.loadExtScript("ext:outboard/node/fs/folders.js");
const { Dir, Dirent, Stats } = core.loadExtScript(
  "ext:outboard/node/fs/stats.js",
);
const { constants } = core.loadExtScript("ext:outboard/node/fs/constants.js");
const { validateFunction } = core.loadExtScript(
  "ext:deno_node/internal/validators.mjs",
);
const { promisify } = core.loadExtScript("ext:deno_node/internal/util.mjs");
const { decode, readArguments, writeArguments, ...files } = sync;
const atOnce = { ...files, ...folders };

/** Whether an error is the system's, and so the callback's to hear. */
const isSystem = (error) => error?.errno !== undefined || error?.code === undefined;

/** Those that change nothing: what is wrong with their arguments comes first. */
const HARMLESS = ["chmod", "chown", "fchmod", "fchown", "lchmod", "lchown"];

/** Runs `act`; what came of it is told to `callback`, which comes last. */
function later(act, args, name, results = (value) => [value]) {
  const callback = args[args.length - 1];
  if (typeof callback !== "function" && ArrayPrototypeIncludes(HARMLESS, name)) {
    ReflectApply(act, undefined, args);
  }
  validateFunction(callback, "callback");
  const given = ArrayPrototypeSlice(args, 0, -1);
  let error = null;
  let values = [];
  try {
    values = results(ReflectApply(act, undefined, given), given);
  } catch (failure) {
    if (!isSystem(failure)) throw failure;
    error = failure;
  }
  queueMicrotask(() =>
    error === null
      ? callback(null, ...new SafeArrayIterator(values))
      : callback(error)
  );
}

const callbacks = {};
for (const name of new SafeArrayIterator(ObjectKeys(atOnce))) {
  if (!StringPrototypeEndsWith(name, "Sync")) continue;
  const plain = StringPrototypeSlice(name, 0, -4);
  const act = atOnce[name];
  callbacks[plain] = {
    [plain](...args) {
      later(act, args, plain);
    },
  }[plain];
}
callbacks.realpath.native = callbacks.realpath;

// Those that tell more than a result.
const withBuffer = (at) => (count, args) => [count, args[at]];
callbacks.read = function read(...args) {
  if (args.length === 2) args = [args[0], { buffer: undefined }, args[1]];
  const { 1: second } = args;
  if (typeof second === "object" && second !== null && second.byteLength === undefined) {
    const { Buffer } = core.loadExtScript("ext:deno_node/internal/buffer.mjs");
    const { buffer = Buffer.alloc(16384), ...options } = second;
    args = [args[0], buffer, options, args[2]];
  }
  later(atOnce.readSync, args, "read", withBuffer(1));
};
callbacks.write = function write(...args) {
  later(atOnce.writeSync, args, "write", withBuffer(1));
};
callbacks.readv = function readv(...args) {
  later(atOnce.readvSync, args, "readv", withBuffer(1));
};
callbacks.writev = function writev(...args) {
  later(atOnce.writevSync, args, "writev", withBuffer(1));
};
callbacks.close = function close(fd, callback = () => {}) {
  later(atOnce.closeSync, [fd, callback], "close", () => []);
};
callbacks.exists = function exists(path, callback) {
  validateFunction(callback, "callback");
  const there = atOnce.existsSync(path);
  queueMicrotask(() => callback(there));
};
ObjectDefineProperty(callbacks.exists, promisify.custom, {
  __proto__: null,
  value: async (path) => atOnce.existsSync(path),
});

function openAsBlob(path, options = {}) {
  const { Blob } = core.loadExtScript("ext:deno_web/09_file.js");
  return primordials.PromiseResolve(
    new Blob([atOnce.readFileSync(path)], { type: options.type ?? "" }),
  );
}

/** An open file as an object, as fs.promises.open gives it. */
class FileHandle {
  #fd;

  constructor(fd) {
    this.#fd = fd;
  }

  get fd() {
    return this.#fd;
  }

  async read(...args) {
    let [buffer, ...rest] = new SafeArrayIterator(args);
    if (buffer === undefined || buffer?.byteLength === undefined) {
      const { Buffer } = core.loadExtScript("ext:deno_node/internal/buffer.mjs");
      const options = buffer ?? {};
      buffer = options.buffer ?? Buffer.alloc(16384);
      rest = [options];
    }
    const bytesRead = atOnce.readSync(this.#fd, buffer, ...new SafeArrayIterator(rest));
    return { bytesRead, buffer };
  }

  async write(buffer, ...rest) {
    const bytesWritten = atOnce.writeSync(
      this.#fd,
      buffer,
      ...new SafeArrayIterator(rest),
    );
    return { bytesWritten, buffer };
  }

  async readv(buffers, position) {
    return { bytesRead: atOnce.readvSync(this.#fd, buffers, position), buffers };
  }

  async writev(buffers, position) {
    return { bytesWritten: atOnce.writevSync(this.#fd, buffers, position), buffers };
  }

  async readFile(options) {
    return atOnce.readFileSync(this.#fd, options);
  }

  async writeFile(data, options) {
    return atOnce.writeFileSync(this.#fd, data, options);
  }

  async appendFile(data, options) {
    return atOnce.writeFileSync(this.#fd, data, options);
  }

  async stat(options) {
    return atOnce.fstatSync(this.#fd, options);
  }

  async truncate(length = 0) {
    return atOnce.ftruncateSync(this.#fd, length);
  }

  async utimes(atime, mtime) {
    return atOnce.futimesSync(this.#fd, atime, mtime);
  }

  async chmod(mode) {
    return atOnce.fchmodSync(this.#fd, mode);
  }

  async chown(uid, gid) {
    return atOnce.fchownSync(this.#fd, uid, gid);
  }

  async sync() {
    return atOnce.fsyncSync(this.#fd);
  }

  async datasync() {
    return atOnce.fdatasyncSync(this.#fd);
  }

  createReadStream(options) {
    return streams().createReadStream(null, { ...options, fd: this.#fd });
  }

  createWriteStream(options) {
    return streams().createWriteStream(null, { ...options, fd: this.#fd });
  }

  readLines(options) {
    const stream = this.createReadStream(options);
    const { builtin } = core.loadExtScript("ext:outboard/node/modules.js");
    return builtin("readline").createInterface({ input: stream });
  }

  async close() {
    if (this.#fd === -1) return;
    atOnce.closeSync(this.#fd);
    this.#fd = -1;
  }

  async [SymbolAsyncDispose]() {
    await this.close();
  }
}

const streams = () => core.loadExtScript("ext:outboard/node/fs/streams.js");

const promises = { constants };
for (
  const name of new SafeArrayIterator([
    "access",
    "appendFile",
    "chmod",
    "chown",
    "copyFile",
    "cp",
    "lchmod",
    "lchown",
    "link",
    "lstat",
    "lutimes",
    "mkdir",
    "mkdtemp",
    "opendir",
    "readdir",
    "readFile",
    "readlink",
    "realpath",
    "rename",
    "rm",
    "rmdir",
    "stat",
    "statfs",
    "symlink",
    "truncate",
    "unlink",
    "utimes",
    "writeFile",
  ])
) {
  const act = atOnce[`${name}Sync`];
  promises[name] = {
    async [name](...args) {
      const first = args[0];
      if (first instanceof FileHandle) args[0] = first.fd;
      return ReflectApply(act, undefined, args);
    },
  }[name];
}
promises.open = async function open(path, flags, mode) {
  return new FileHandle(atOnce.openSync(path, flags, mode));
};
promises.glob = async function* glob(pattern, options) {
  yield* new SafeArrayIterator(atOnce.globSync(pattern, options));
};
promises.watch = async function* watch() {
  throw new (core.loadExtScript("ext:outboard/node/errors.js")
    .ERR_METHOD_NOT_IMPLEMENTED)("fs.promises.watch");
};
promises.FileHandle = FileHandle;

const exports = {
  ...callbacks,
  ...atOnce,
  constants,
  createReadStream: (path, options) => streams().createReadStream(path, options),
  createWriteStream: (path, options) => streams().createWriteStream(path, options),
  Dir,
  Dirent,
  F_OK: constants.F_OK,
  get FileReadStream() {
    return streams().ReadStream;
  },
  get FileWriteStream() {
    return streams().WriteStream;
  },
  openAsBlob,
  promises,
  R_OK: constants.R_OK,
  get ReadStream() {
    return streams().ReadStream;
  },
  Stats,
  W_OK: constants.W_OK,
  get WriteStream() {
    return streams().WriteStream;
  },
  X_OK: constants.X_OK,
};

return { exports, promises };
})();
