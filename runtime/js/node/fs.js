// node:fs and node:fs/promises over the functions that work at once: the files
// are in memory, so that there is nothing to wait for but the caller's turn.
(function () {
const { core, primordials } = __bootstrap;
const {
  ArrayPrototypeSlice,
  ObjectDefineProperty,
  ObjectKeys,
  ReflectApply,
  SafeArrayIterator,
  StringPrototypeEndsWith,
  StringPrototypeSlice,
  queueMicrotask,
} = primordials;
const sync = core.loadExtScript("ext:outboard/node/fs/sync.js");
const folders = core.loadExtScript("ext:outboard/node/fs/folders.js");
const { Dir, Dirent, Stats } = core.loadExtScript(
  "ext:outboard/node/fs/stats.js",
);
const { constants } = core.loadExtScript("ext:outboard/node/fs/constants.js");
const { checkOnly } = core.loadExtScript("ext:outboard/node/fs/vfs.js");
const { toPath } = core.loadExtScript("ext:outboard/node/fs/arguments.js");
const { validateFunction, validateObject, validateString } = core.loadExtScript(
  "ext:deno_node/internal/validators.mjs",
);
const { promisify } = core.loadExtScript("ext:deno_node/internal/util.mjs");
const { decode, readArguments, writeArguments, ...files } = sync;
const { globSync } = core.loadExtScript("ext:outboard/node/fs/glob.js");
const atOnce = { ...files, ...folders, globSync };

/** Whether an error is the system's, and so the callback's to hear. */
const isSystem = (error) => error?.errno !== undefined || error?.code === undefined;

/** Runs `act`; what came of it is told to `callback`, which comes last. */
function later(act, args, results = undefined) {
  const callback = args[args.length - 1];
  // What is wrong with the arguments before it comes first.
  if (typeof callback !== "function" && results === undefined) {
    checkOnly(() => ReflectApply(act, undefined, args));
  }
  validateFunction(callback, "callback");
  const given = ArrayPrototypeSlice(args, 0, -1);
  let error = null;
  let values = [];
  try {
    const value = ReflectApply(act, undefined, given);
    values = results === undefined ? [value] : results(value, given);
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
      later(act, args);
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
  later(atOnce.readSync, args, withBuffer(1));
};
callbacks.write = function write(...args) {
  later(atOnce.writeSync, args, withBuffer(1));
};
callbacks.readv = function readv(...args) {
  later(atOnce.readvSync, args, withBuffer(1));
};
callbacks.writev = function writev(...args) {
  later(atOnce.writevSync, args, withBuffer(1));
};
callbacks.close = function close(fd, callback = () => {}) {
  later(atOnce.closeSync, [fd, callback], () => []);
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

/** As in Workers: a blob, and not a promise of one. */
function openAsBlob(path, options = {}) {
  const { Blob } = core.loadExtScript("ext:deno_web/09_file.js");
  const where = toPath(path);
  validateObject(options, "options");
  const { type = "" } = options;
  validateString(type, "options.type");
  return new Blob([atOnce.readFileSync(where)], { type });
}

const { FileHandle, openHandle } = core.loadExtScript(
  "ext:outboard/node/fs/file_handle.js",
);
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
  return openHandle(atOnce.openSync(path, flags, mode));
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
  createReadStream: function createReadStream(path, options) {
    return new (streams().ReadStream)(path, options);
  },
  createWriteStream: function createWriteStream(path, options) {
    return new (streams().WriteStream)(path, options);
  },
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
