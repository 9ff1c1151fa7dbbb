// What node:fs tells of a file or a folder: Stats, StatFs, Dirent, Dir.
(function () {
const { core, primordials } = __bootstrap;
const {
  ArrayPrototypeShift,
  BigInt,
  Date,
  MathTrunc,
  SymbolAsyncDispose,
  SymbolAsyncIterator,
  SymbolDispose,
  TypeError,
} = primordials;
const { constants } = core.loadExtScript("ext:outboard/node/fs/constants.js");
const { codes } = core.loadExtScript("ext:outboard/node/errors.js");
const { validateFunction } = core.loadExtScript(
  "ext:deno_node/internal/validators.mjs",
);
const {
  S_IFCHR,
  S_IFDIR,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  UV_DIRENT_CHAR,
  UV_DIRENT_DIR,
  UV_DIRENT_FILE,
  UV_DIRENT_LINK,
} = constants;

/** Only this file makes them. */
const key = {};

function typeBits(node) {
  if (node.device) return S_IFCHR;
  if (node.type === "directory") return S_IFDIR;
  return node.type === "symlink" ? S_IFLNK : S_IFREG;
}

class Stats {
  constructor(secret, node, bigint) {
    if (secret !== key) throw new TypeError("Illegal constructor");
    const number = bigint ? (value) => BigInt(value) : (value) => value;
    const writable = node.writable && node.type !== "symlink" ? 0o222 : 0;
    this.dev = number(node.device ? 1 : 0);
    this.ino = number(0);
    this.mode = number(typeBits(node) | 0o444 | writable);
    this.nlink = number(1);
    this.uid = number(0);
    this.gid = number(0);
    this.rdev = number(0);
    this.size = number(node.size);
    this.blksize = number(0);
    this.blocks = number(0);
    const times = {
      atime: 0,
      mtime: node.modified,
      ctime: node.modified,
      birthtime: node.created,
    };
    for (const name in times) {
      const ms = times[name];
      this[`${name}Ms`] = bigint ? BigInt(MathTrunc(ms)) : ms;
      if (bigint) this[`${name}Ns`] = BigInt(MathTrunc(ms)) * 1_000_000n;
    }
    for (const name in times) this[name] = new Date(times[name]);
  }

  #is(bits) {
    const mode = typeof this.mode === "bigint"
      ? primordials.Number(this.mode)
      : this.mode;
    return (mode & S_IFMT) === bits;
  }

  isFile() {
    return this.#is(S_IFREG);
  }

  isDirectory() {
    return this.#is(S_IFDIR);
  }

  isSymbolicLink() {
    return this.#is(S_IFLNK);
  }

  isCharacterDevice() {
    return this.#is(S_IFCHR);
  }

  isBlockDevice() {
    return false;
  }

  isFIFO() {
    return false;
  }

  isSocket() {
    return false;
  }
}

/** A file system of no size: what counts is the isolate's memory. */
function statFs(bigint) {
  const stats = {};
  for (
    const name of new primordials.SafeArrayIterator([
      "type",
      "bsize",
      "blocks",
      "bfree",
      "bavail",
      "files",
      "ffree",
    ])
  ) {
    stats[name] = bigint ? 0n : 0;
  }
  return stats;
}

class Dirent {
  #type;

  constructor(name, type, parentPath) {
    this.name = name;
    this.parentPath = parentPath;
    this.#type = type;
  }

  isFile() {
    return this.#type === UV_DIRENT_FILE;
  }

  isDirectory() {
    return this.#type === UV_DIRENT_DIR;
  }

  isSymbolicLink() {
    return this.#type === UV_DIRENT_LINK;
  }

  isCharacterDevice() {
    return this.#type === UV_DIRENT_CHAR;
  }

  isBlockDevice() {
    return false;
  }

  isFIFO() {
    return false;
  }

  isSocket() {
    return false;
  }
}

function direntType(node) {
  if (node.device) return UV_DIRENT_CHAR;
  if (node.type === "directory") return UV_DIRENT_DIR;
  return node.type === "symlink" ? UV_DIRENT_LINK : UV_DIRENT_FILE;
}

/** An open folder, its entries read one at a time. */
class Dir {
  #entries;
  #open = true;

  constructor(secret, path, entries) {
    if (secret !== key) throw new TypeError("Illegal constructor");
    this.path = path;
    this.#entries = entries;
  }

  #check() {
    if (!this.#open) throw new codes.ERR_DIR_CLOSED();
  }

  readSync() {
    this.#check();
    return ArrayPrototypeShift(this.#entries) ?? null;
  }

  closeSync() {
    this.#check();
    this.#open = false;
  }

  read(callback = undefined) {
    return this.#later(() => this.readSync(), callback);
  }

  close(callback = undefined) {
    return this.#later(() => this.closeSync(), callback);
  }

  /** For a callback, or as a promise. */
  #later(run, callback) {
    if (callback === undefined) {
      return primordials.PromisePrototypeThen(
        primordials.PromiseResolve(undefined),
        run,
      );
    }
    validateFunction(callback, "callback");
    this.#check();
    const result = run();
    primordials.queueMicrotask(() => callback(null, result));
  }

  async *entries() {
    try {
      for (let entry = this.readSync(); entry !== null; entry = this.readSync()) {
        yield entry;
      }
    } finally {
      if (this.#open) this.closeSync();
    }
  }

  [SymbolAsyncIterator]() {
    return this.entries();
  }

  async [SymbolAsyncDispose]() {
    if (this.#open) this.closeSync();
  }

  [SymbolDispose]() {
    if (this.#open) this.closeSync();
  }
}

return {
  Dir,
  Dirent,
  direntType,
  makeDir: (path, entries) => new Dir(key, path, entries),
  makeStats: (node, bigint) => new Stats(key, node, bigint),
  statFs,
  Stats,
};
})();
