// node:fs at once: opening, reading and writing files. Folders are in
// js/node/fs/folders.js.
(function () {
const { core, primordials } = __bootstrap;
const {
  ArrayBufferIsView,
  ArrayIsArray,
  SafeArrayIterator,
  TypedArrayPrototypeSubarray,
  Uint8Array,
} = primordials;
const vfs = core.loadExtScript("ext:outboard/node/fs/vfs.js");
const {
  toFd,
  toFlags,
  toMode,
  toOptions,
  toPath,
  toPosition,
  toTime,
} = core.loadExtScript("ext:outboard/node/fs/arguments.js");
const { makeStats, statFs } = core.loadExtScript(
  "ext:outboard/node/fs/stats.js",
);
const { Buffer } = core.loadExtScript("ext:deno_node/internal/buffer.mjs");
const { codes } = core.loadExtScript("ext:outboard/node/errors.js");
const {
  validateBoolean,
  validateInteger,
  validateObject,
  validateUint32,
} = core.loadExtScript("ext:deno_node/internal/validators.mjs");
const { constants } = core.loadExtScript("ext:outboard/node/fs/constants.js");
const stdio = () => core.loadExtScript("ext:outboard/node/stdio.js");
const { ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE } = codes;

const viewOf = (view) =>
  new Uint8Array(view.buffer, view.byteOffset, view.byteLength);

function toBytes(data, encoding, name = "data") {
  if (typeof data === "string") return viewOf(Buffer.from(data, encoding));
  if (!ArrayBufferIsView(data)) {
    throw new ERR_INVALID_ARG_TYPE(
      name,
      ["string", "Buffer", "TypedArray", "DataView"],
      data,
    );
  }
  return viewOf(data);
}

/** The open file at `path`, made where `create` says so. */
function openAt(path, flags, syscall, create = flags.create) {
  const at = vfs.walk(path, true, syscall);
  let { node } = at;
  if (node === undefined) {
    if (!create) vfs.fail("ENOENT", syscall, path);
    node = new vfs.File(true);
    vfs.place(at, node, syscall, path);
  } else if (flags.exclusive && flags.create) vfs.fail("EEXIST", syscall, path);
  else if (node.type === "directory" && (flags.write || flags.truncate)) {
    vfs.fail("EISDIR", syscall, path);
  } else if (flags.write && !node.writable) vfs.fail("EPERM", syscall, path);
  if (flags.truncate && node.type === "file") node.truncate(0, syscall);
  return node;
}

function openSync(path, flags = "r", mode = 0o666) {
  toMode(mode, "mode", 0o666);
  const allowed = toFlags(flags);
  const where = toPath(path);
  // As in Workers: a file to be read is made too.
  return vfs.openNode(openAt(where, allowed, "open", true), allowed, where);
}

function closeSync(fd) {
  vfs.close(toFd(fd));
}

/** The last place that may be named. */
const FARTHEST = 2 ** 32 - 1;

/** Reads into views one after the other; gives the bytes read. */
function readInto(fd, views, position) {
  if (fd === 0) return 0;
  const file = vfs.opened(fd, "read");
  if (!file.read) vfs.fail("EBADF", "read");
  if (file.node.type === "directory") vfs.fail("EISDIR", "read");
  let at = position ?? file.position;
  if (at < 0 || at > FARTHEST) {
    vfs.fail("EINVAL", "read", undefined, undefined, "position out of range");
  }
  let total = 0;
  for (const view of new SafeArrayIterator(views)) {
    const count = file.node.read(view, at);
    at += count;
    total += count;
    if (count < view.length) break;
  }
  if (position === null) file.position = at;
  return total;
}

function writeFrom(fd, views, position) {
  if (fd <= 2) {
    let total = 0;
    for (let view of new SafeArrayIterator(views)) {
      view = TypedArrayPrototypeSubarray(view, 0, MOST_TO_STREAM - total);
      if (fd > 0) stdio().writeTo(fd, Buffer.from(view));
      total += view.length;
    }
    return total;
  }
  const file = vfs.opened(fd, "write");
  if (file.node.type === "directory") vfs.fail("EISDIR", "write");
  // As in Workers: how it was opened does not matter, but what it is.
  if (!file.node.writable) vfs.fail("EPERM", "write");
  let at = file.append ? file.node.size : position ?? file.position;
  if (at < 0 || at > FARTHEST) {
    vfs.fail("EINVAL", "write", undefined, undefined, "position out of range");
  }
  let total = 0;
  for (const view of new SafeArrayIterator(views)) {
    const count = file.node.write(view, at, "write");
    at += count;
    total += count;
  }
  if (position === null && !file.append) file.position = at;
  return total;
}

function checkViews(buffers) {
  if (!ArrayIsArray(buffers)) {
    throw new ERR_INVALID_ARG_TYPE("buffers", "ArrayBufferView[]", buffers);
  }
  return primordials.ArrayPrototypeMap(buffers, (buffer) => {
    if (!ArrayBufferIsView(buffer)) {
      throw new ERR_INVALID_ARG_TYPE("buffers", "ArrayBufferView[]", buffers);
    }
    return viewOf(buffer);
  });
}

/** The part of `view` that offset and length name. */
function part(view, offset, length) {
  validateInteger(offset, "offset", 0);
  if (offset > view.length) {
    throw new ERR_OUT_OF_RANGE("offset", `>= 0 && <= ${view.length}`, offset);
  }
  const count = length ?? view.length - offset;
  validateInteger(count, "length", 0);
  if (count > view.length - offset) {
    throw new ERR_OUT_OF_RANGE(
      "length",
      `>= 0 && <= ${view.length - offset}`,
      count,
    );
  }
  return TypedArrayPrototypeSubarray(view, offset, offset + count);
}

/** `(buffer, offset, length, position)` or `(buffer, options)`. */
function readArguments(buffer, offset, length, position) {
  if (!ArrayBufferIsView(buffer)) {
    throw new ERR_INVALID_ARG_TYPE(
      "buffer",
      ["Buffer", "TypedArray", "DataView"],
      buffer,
    );
  }
  let from = offset;
  let count = length;
  let at = position;
  if (typeof offset === "object" && offset !== null) {
    ({ offset: from, length: count, position: at } = offset);
  } else if (
    offset !== undefined && offset !== null && typeof offset !== "number"
  ) {
    throw new ERR_INVALID_ARG_TYPE("offset", ["number", "object"], offset);
  }
  return [part(viewOf(buffer), from ?? 0, count), toPosition(at)];
}

function readSync(fd, buffer, offset = 0, length = undefined, position = null) {
  const file = toFd(fd);
  const { 0: view, 1: at } = readArguments(buffer, offset, length, position);
  return readInto(file, [view], at);
}

function readvSync(fd, buffers, position = null) {
  return readInto(toFd(fd), checkViews(buffers), toPosition(position));
}

/** `(buffer, offset, length, position)`, `(buffer, options)`, or text. */
function writeArguments(data, offset, length, position) {
  let from = offset;
  let count = length;
  let at = position;
  if (typeof offset === "object" && offset !== null) {
    ({ offset: from, length: count, position: at } = offset);
  }
  if (typeof data === "string") {
    const encoding = typeof length === "string" ? length : "utf8";
    return [toBytes(data, encoding), toPosition(from === offset ? offset : at)];
  }
  const bytes = toBytes(data, "utf8", "buffer");
  from ??= 0;
  validateInteger(from, "offset", 0);
  if (from > bytes.length) throw new codes.ERR_BUFFER_OUT_OF_BOUNDS("offset");
  count ??= bytes.length - from;
  validateInteger(count, "length", 0);
  if (count > bytes.length - from) {
    throw new codes.ERR_BUFFER_OUT_OF_BOUNDS("length");
  }
  return [TypedArrayPrototypeSubarray(bytes, from, from + count), toPosition(at)];
}

function writeSync(fd, data, offset = undefined, length = undefined, position = null) {
  const file = toFd(fd);
  const { 0: bytes, 1: at } = writeArguments(data, offset, length, position);
  return writeFrom(file, [bytes], at);
}

function writevSync(fd, buffers, position = null) {
  return writeFrom(toFd(fd), checkViews(buffers), toPosition(position));
}

/** As much as a standard stream takes at once: the caller writes the rest. */
const MOST_TO_STREAM = 16 << 10;

const isFd = (value) => typeof value === "number";

function decode(bytes, encoding) {
  const buffer = Buffer.from(bytes);
  return encoding === undefined || encoding === null || encoding === "buffer"
    ? buffer
    : buffer.toString(encoding);
}

function readFileSync(path, options = undefined) {
  const { encoding, flag } = toOptions(options, { flag: "r" });
  if (isFd(path)) {
    const fd = toFd(path);
    if (fd <= 2) return decode(new Uint8Array(0), encoding);
    const file = vfs.opened(fd, "read");
    if (!file.read) vfs.fail("EBADF", "read");
    if (file.node.type === "directory") vfs.fail("EISDIR", "read");
    // As in Workers: all of it, wherever the descriptor stands.
    file.position = file.node.size;
    return decode(file.node.content(), encoding);
  }
  const where = toPath(path);
  const node = openAt(where, toFlags(flag, "options.flag"), "open");
  if (node.type === "directory") vfs.fail("EISDIR", "read");
  return decode(node.content(), encoding);
}

function writeFileSync(path, data, options = undefined) {
  const { encoding, flag, flush, mode } = toOptions(options, {
    encoding: "utf8",
    flag: "w",
    flush: false,
    mode: 0o666,
  });
  toMode(mode, "options.mode", 0o666);
  validateBoolean(flush ?? false, "options.flush");
  const flags = toFlags(flag, "options.flag");
  const bytes = toBytes(data, encoding);
  if (isFd(path)) {
    return writeFrom(toFd(path), [bytes], null);
  }
  const where = toPath(path);
  const node = openAt(where, flags, "open");
  if (!flags.write) vfs.fail("EBADF", "write");
  return node.write(bytes, flags.append ? node.size : 0, "write");
}

function appendFileSync(path, data, options = undefined) {
  return writeFileSync(path, data, { ...toOptions(options), flag: options?.flag ?? "a" });
}

function truncateSync(path, length = 0) {
  validateUint32(length ?? 0, "len");
  const where = toPath(path);
  const node = vfs.find(where, true, "open");
  if (node.type === "directory") vfs.fail("EISDIR", "open", where);
  if (!node.writable) vfs.fail("EPERM", "open", where);
  node.truncate(length ?? 0, "ftruncate");
}

function ftruncateSync(fd, length = 0) {
  validateUint32(length ?? 0, "len");
  const file = vfs.opened(toFd(fd), "ftruncate");
  if (!file.write) vfs.fail("EINVAL", "ftruncate");
  file.node.truncate(length ?? 0, "ftruncate");
}

function statOptions(options) {
  const given = options ?? {};
  validateObject(given, "options");
  const { bigint = false, throwIfNoEntry = true } = given;
  validateBoolean(bigint, "options.bigint");
  validateBoolean(throwIfNoEntry, "options.throwIfNoEntry");
  return { bigint, throwIfNoEntry };
}

const stat = (follow, syscall) => (path, options = {}) => {
  const where = toPath(path);
  const { bigint, throwIfNoEntry } = statOptions(options);
  let node;
  try {
    node = vfs.find(where, follow, syscall);
  } catch (error) {
    if (throwIfNoEntry || (error.code !== "ENOENT" && error.code !== "ENOTDIR")) {
      throw error;
    }
    return undefined;
  }
  return makeStats(node, bigint);
};
const statSync = stat(true, "stat");
const lstatSync = stat(false, "lstat");

/** What is told of the standard streams. */
const terminal = { type: "file", device: false, size: 0, writable: true, created: 0, modified: 0 };

function fstatSync(fd, options = {}) {
  validateObject(options, "options");
  const file = toFd(fd);
  const { bigint } = statOptions(options);
  return makeStats(file <= 2 ? terminal : vfs.opened(file, "fstat").node, bigint);
}

function statfsSync(path, options = {}) {
  const where = toPath(path);
  const { bigint } = statOptions(options);
  vfs.find(where, true, "statfs");
  return statFs(bigint);
}

function accessSync(path, mode = constants.F_OK) {
  const where = toPath(path);
  validateInteger(mode ?? 0, "mode", 0, 7);
  const { node } = vfs.walk(where, true, "access");
  // As in Workers: what may not be used might as well not be there.
  if (
    node === undefined || (mode & constants.X_OK) !== 0 ||
    ((mode & constants.W_OK) !== 0 && !node.writable)
  ) {
    vfs.fail("ENOENT", "access", where);
  }
}

function existsSync(path) {
  try {
    accessSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Modes and owners are checked and forgotten: there is one user. */
const chmod = (follow, syscall) => (path, mode) => {
  const where = toPath(path);
  toMode(mode);
  vfs.find(where, follow, syscall);
};
const chown = (follow, syscall) => (path, uid, gid) => {
  const where = toPath(path);
  validateInteger(uid, "uid", -1, 4294967295);
  validateInteger(gid, "gid", -1, 4294967295);
  vfs.find(where, follow, syscall);
};

function known(fd, syscall) {
  const file = toFd(fd);
  if (file > 2) vfs.opened(file, syscall);
}

function fchmodSync(fd, mode) {
  toFd(fd);
  toMode(mode);
  known(fd, "fstat");
}

function fchownSync(fd, uid, gid) {
  toFd(fd);
  validateInteger(uid, "uid", -1, 4294967295);
  validateInteger(gid, "gid", -1, 4294967295);
  known(fd, "fstat");
}

const utimes = (follow, syscall) => (path, atime, mtime) => {
  const where = toPath(path);
  toTime(atime, "atime");
  const time = toTime(mtime, "mtime");
  const node = vfs.find(where, follow, syscall);
  if (!node.writable) vfs.fail("EPERM", syscall, where);
  node.modified = time;
};

function futimesSync(fd, atime, mtime) {
  const file = toFd(fd);
  toTime(atime, "atime");
  const time = toTime(mtime, "mtime");
  vfs.opened(file, "futimes").node.modified = time;
}

return {
  accessSync,
  appendFileSync,
  chmodSync: chmod(true, "chmod"),
  chownSync: chown(true, "chown"),
  closeSync,
  decode,
  existsSync,
  fchmodSync,
  fchownSync,
  fdatasyncSync: (fd) => known(fd, "fdatasync"),
  fstatSync,
  fsyncSync: (fd) => known(fd, "fsync"),
  ftruncateSync,
  futimesSync,
  lchmodSync: chmod(false, "lchmod"),
  lchownSync: chown(false, "lchown"),
  lstatSync,
  lutimesSync: utimes(false, "lutime"),
  openSync,
  readArguments,
  readFileSync,
  readSync,
  readvSync,
  statfsSync,
  statSync,
  truncateSync,
  utimesSync: utimes(true, "utime"),
  writeArguments,
  writeFileSync,
  writeSync,
  writevSync,
};
})();
