// node:fs at once: folders, links, moving and copying.
(function () {
const { core, primordials } = __bootstrap;
const {
  ArrayPrototypeMap,
  ArrayPrototypePush,
  SafeArrayIterator,
} = primordials;
const vfs = core.loadExtScript("ext:outboard/node/fs/vfs.js");
const { posix } = core.loadExtScript("ext:outboard/node/path.js");
const { endsInSlash, toMode, toOptions, toPath } = core.loadExtScript(
  "ext:outboard/node/fs/arguments.js",
);
const { Dirent, direntType, makeDir } = core.loadExtScript(
  "ext:outboard/node/fs/stats.js",
);
const { decode } = core.loadExtScript("ext:outboard/node/fs/sync.js");
const { codes } = core.loadExtScript("ext:outboard/node/errors.js");
const { Buffer } = core.loadExtScript("ext:deno_node/internal/buffer.mjs");
const {
  validateBoolean,
  validateFunction,
  validateObject,
  validateOneOf,
  validateUint32,
} = core.loadExtScript("ext:deno_node/internal/validators.mjs");
const { constants } = core.loadExtScript("ext:outboard/node/fs/constants.js");
const { COPYFILE_EXCL, COPYFILE_FICLONE, COPYFILE_FICLONE_FORCE } = constants;
const { codeMap: errnos } = core.loadExtScript(
  "ext:deno_node/internal_binding/uv.ts",
);

/** How deep folders may lie in one another. */
const DEEPEST = 256;

const text = (path, encoding) =>
  encoding === undefined || encoding === null || encoding === "utf8"
    ? path
    : decode(Buffer.from(path), encoding);

function mkdirSync(path, options = {}) {
  const where = toPath(path);
  let recursive = false;
  if (typeof options === "number") toMode(options);
  else {
    validateObject(options ?? {}, "options");
    ({ recursive = false } = options ?? {});
    validateBoolean(recursive, "options.recursive");
    toMode(options?.mode, "options.mode", 0o777);
  }
  if (recursive) return mkdirAll(where);
  const at = vfs.walk(where, false, "mkdir");
  // As in Workers: a folder that is there already is no fault.
  if (at.node?.type === "directory") return undefined;
  if (at.node !== undefined) vfs.fail("EEXIST", "mkdir", where);
  vfs.place(at, new vfs.Directory(true), "mkdir", where);
}

/** Gives the first folder that was made. */
function mkdirAll(where) {
  let first;
  let path = "";
  const parts = posix.normalize(where).split("/");
  if (parts.length > DEEPEST) vfs.fail("ENAMETOOLONG", "mkdir", where);
  for (const part of new SafeArrayIterator(parts)) {
    if (part === "") continue;
    path += `/${part}`;
    const at = vfs.walk(path, true, "mkdir");
    if (at.node === undefined) {
      vfs.place(at, new vfs.Directory(true), "mkdir", path);
      first ??= path;
    } else if (at.node.type !== "directory") {
      vfs.fail(path === where ? "EEXIST" : "ENOTDIR", "mkdir", where);
    }
  }
  return first;
}

let made = 0;

function mkdtempSync(prefix, options = undefined) {
  const { encoding } = toOptions(options);
  const start = toPath(prefix, "prefix") +
    (typeof prefix === "string" && prefix.endsWith("/") ? "/" : "");
  for (;;) {
    // Names need be no secret: nobody else sees the folder.
    const name = `${start}${made++}`;
    const at = vfs.walk(name, true, "mkdtemp");
    if (at.node !== undefined) continue;
    vfs.place(at, new vfs.Directory(true), "mkdtemp", name);
    return text(name, encoding);
  }
}

function folderAt(where, syscall) {
  const node = vfs.find(where, true, syscall);
  if (node.type !== "directory") vfs.fail("ENOTDIR", syscall, where);
  return node;
}

/** Entries of a folder, and of those below it, with their paths from it. */
function list(folder, where, recursive, below = "", depth = 0) {
  const found = [];
  for (const name of new SafeArrayIterator(vfs.names(folder))) {
    const node = vfs.entry(folder, name);
    ArrayPrototypePush(found, {
      name,
      node,
      parent: posix.join(where, below),
      path: below === "" ? name : `${below}/${name}`,
    });
    if (recursive && node.type === "directory" && depth < DEEPEST) {
      const path = below === "" ? name : `${below}/${name}`;
      ArrayPrototypePush(
        found,
        ...new SafeArrayIterator(list(node, where, true, path, depth + 1)),
      );
    }
  }
  return found;
}

function readdirSync(path, options = undefined) {
  const { encoding, recursive = false, withFileTypes = false } = toOptions(options);
  validateBoolean(recursive, "options.recursive");
  validateBoolean(withFileTypes, "options.withFileTypes");
  const where = toPath(path);
  const found = list(folderAt(where, "scandir"), where, recursive);
  return ArrayPrototypeMap(found, (entry) =>
    withFileTypes
      ? new Dirent(text(entry.path, encoding), direntType(entry.node), entry.parent)
      : text(entry.path, encoding));
}

function opendirSync(path, options = undefined) {
  const { bufferSize = 32, encoding, recursive = false } = toOptions(options, {
    encoding: "utf8",
  });
  validateBoolean(recursive, "options.recursive");
  validateUint32(bufferSize, "options.bufferSize");
  const where = toPath(path);
  const found = list(folderAt(where, "opendir"), where, recursive);
  return makeDir(
    where,
    ArrayPrototypeMap(
      found,
      (entry) =>
        new Dirent(text(entry.path, encoding), direntType(entry.node), entry.parent),
    ),
  );
}

function rmdirSync(path, options = {}) {
  const where = toPath(path);
  validateObject(options ?? {}, "options");
  const { maxRetries = 0, recursive = false, retryDelay = 0 } = options ?? {};
  validateBoolean(recursive, "options.recursive");
  validateUint32(maxRetries, "options.maxRetries");
  validateUint32(retryDelay, "options.retryDelay");
  const at = vfs.walk(where, false, "rmdir");
  if (at.node === undefined) vfs.fail("ENOENT", "rmdir", where);
  if (at.node.type !== "directory") vfs.fail("ENOTDIR", "rmdir", where);
  if (!recursive && at.node.entries.size > 0) vfs.fail("ENOTEMPTY", "rmdir", where);
  vfs.remove(at, "rmdir", where);
}

function rmSync(path, options = {}) {
  const where = toPath(path);
  validateObject(options ?? {}, "options");
  const { force = false, maxRetries = 0, recursive = false, retryDelay = 0 } =
    options ?? {};
  validateBoolean(force, "options.force");
  validateBoolean(recursive, "options.recursive");
  validateUint32(maxRetries, "options.maxRetries");
  validateUint32(retryDelay, "options.retryDelay");
  const at = vfs.walk(where, false, "rm");
  if (at.node === undefined) {
    if (force) return;
    vfs.fail("ENOENT", "rm", where);
  }
  if (at.node.type === "directory" && !recursive) {
    if (at.node.entries.size > 0) vfs.fail("ENOTEMPTY", "rm", where);
    throw new codes.ERR_FS_EISDIR({
      code: "EISDIR",
      message: "is a directory",
      path: where,
      syscall: "rm",
      errno: 21,
    });
  }
  vfs.remove(at, "rm", where);
}

function unlinkSync(path) {
  const where = toPath(path);
  const at = vfs.walk(where, false, "unlink");
  if (at.node === undefined) vfs.fail("ENOENT", "unlink", where);
  if (at.node.type === "directory") vfs.fail("EISDIR", "unlink", where);
  vfs.remove(at, "unlink", where);
}

function symlinkSync(target, path, type = null) {
  validateOneOf(type, "type", ["dir", "file", "junction", null, undefined]);
  const to = toPath(target, "target");
  const where = toPath(path);
  const at = placeForLink(path, where, "symlink");
  vfs.place(at, new vfs.Link(to), "symlink", where);
}

/** Where a link goes: to a folder that is there, under a name that is not. */
function placeForLink(given, where, syscall) {
  const refuse = (message) =>
    vfs.fail("EINVAL", syscall, undefined, undefined, message);
  const folder = vfs.walk(posix.dirname(where), true, syscall).node;
  if (folder === undefined) vfs.fail("ENOENT", syscall, where);
  if (folder.type !== "directory") refuse("Not a directory");
  const at = vfs.walk(where, false, syscall);
  if (at.node !== undefined) vfs.fail("EEXIST", syscall, where);
  if (endsInSlash(given)) refuse("Invalid filename");
  return at;
}

function linkSync(existing, path) {
  const from = toPath(existing, "existingPath");
  const where = toPath(path, "newPath");
  const at = placeForLink(path, where, "link");
  const node = vfs.find(from, false, "link");
  if (node.type === "directory") vfs.fail("EPERM", "link", from, where);
  vfs.place(at, node, "link", where);
}

function readlinkSync(path, options = undefined) {
  const { encoding } = toOptions(options);
  const where = toPath(path);
  const node = vfs.find(where, false, "readlink");
  if (node.type !== "symlink") vfs.fail("EINVAL", "readlink", where);
  return text(node.target, encoding);
}

function realpathSync(path, options = undefined) {
  const { encoding } = toOptions(options);
  const where = toPath(path);
  const at = vfs.walk(where, false, "realpath");
  if (at.node === undefined) vfs.fail("ENOENT", "realpath", where);
  if (at.node.type !== "symlink") return text(at.path, encoding);
  // As in Workers, a link that leads nowhere has a path too.
  let end;
  try {
    end = vfs.walk(where, true, "realpath");
  } catch (error) {
    if (error.code !== "ENOENT") throw error;
  }
  return text(end?.node === undefined ? at.node.target : end.path, encoding);
}
realpathSync.native = realpathSync;

function renameSync(oldPath, newPath) {
  const from = toPath(oldPath, "oldPath");
  const to = toPath(newPath, "newPath");
  const source = vfs.walk(from, false, "rename");
  if (source.node === undefined) vfs.fail("ENOENT", "rename", from, to);
  const target = vfs.walk(to, false, "rename");
  const { node } = target;
  if (source.node === node) return;
  if (vfs.isBelow(target.path, source.path)) vfs.fail("EINVAL", "rename", from, to);
  if (node !== undefined) {
    const folder = source.node.type === "directory";
    if (node.type === "directory") {
      if (!folder) vfs.fail("EISDIR", "rename", from, to);
      if (node.entries.size > 0) vfs.fail("ENOTEMPTY", "rename", from, to);
    } else if (folder) vfs.fail("ENOTDIR", "rename", from, to);
  }
  if (!source.parent.writable) vfs.fail("EPERM", "rename", from, to);
  vfs.place(target, source.node, "rename", to);
  vfs.remove(source, "rename", from);
}

function copyOf(node, syscall) {
  const copy = new vfs.File(true);
  copy.write(node.content(), 0, syscall);
  return copy;
}

function copyFileSync(src, dest, mode = 0) {
  const from = toPath(src, "src");
  const to = toPath(dest, "dest");
  validateOneOf(mode, "mode", [
    0,
    COPYFILE_EXCL,
    COPYFILE_FICLONE,
    COPYFILE_FICLONE_FORCE,
  ]);
  if (mode === COPYFILE_FICLONE_FORCE) {
    vfs.fail("ENOTSUP", "copyfile", from, to, "unsupported operation");
  }
  const node = vfs.find(from, true, "copyfile");
  if (node.type === "directory") vfs.fail("EISDIR", "copyfile", from, to);
  const at = vfs.walk(to, true, "copyfile");
  if (at.node !== undefined) {
    if (mode === COPYFILE_EXCL) vfs.fail("EEXIST", "copyfile", from, to);
    if (at.node.type === "directory") vfs.fail("EISDIR", "copyfile", from, to);
    if (!at.node.writable) vfs.fail("EPERM", "copyfile", from, to);
  }
  vfs.place(at, copyOf(node, "copyfile"), "copyfile", to);
}

function cpSync(src, dest, options = {}) {
  validateObject(options, "options");
  const {
    dereference = false,
    errorOnExist = false,
    filter = undefined,
    force = true,
    mode = 0,
    preserveTimestamps = false,
    recursive = false,
    verbatimSymlinks = false,
  } = options;
  validateBoolean(dereference, "options.dereference");
  validateBoolean(errorOnExist, "options.errorOnExist");
  validateBoolean(force, "options.force");
  validateBoolean(preserveTimestamps, "options.preserveTimestamps");
  validateBoolean(recursive, "options.recursive");
  validateBoolean(verbatimSymlinks, "options.verbatimSymlinks");
  validateUint32(mode, "options.mode");
  if (filter !== undefined) validateFunction(filter, "options.filter");
  const from = toPath(src, "src");
  const to = toPath(dest, "dest");
  const node = vfs.find(from, dereference, "cp");
  if (node.type === "directory") {
    if (!recursive) {
      throw new codes.ERR_FS_EISDIR({
        code: "EISDIR",
        message: "recursive option not enabled, cannot copy a directory",
        path: from,
        syscall: "cp",
        errno: 21,
      });
    }
    if (vfs.isBelow(to, from)) {
      refuseCopy("ERR_FS_CP_EINVAL", "EINVAL", `cannot copy ${from} to itself`, to);
    }
  }
  validateOneOf(mode, "options.mode", [0, COPYFILE_EXCL, COPYFILE_FICLONE]);
  copyTree(node, from, to, { dereference, errorOnExist, filter, force }, 0);
}

/** Throws what cp() says of a place it cannot copy to. */
function refuseCopy(code, system, message, path) {
  throw new codes[code]({
    code: system,
    errno: primordials.MapPrototypeGet(errnos, system),
    message,
    path,
    syscall: "cp",
  });
}

function copyTree(node, from, to, options, depth) {
  if (options.filter !== undefined && !options.filter(from, to)) return;
  if (depth > DEEPEST) vfs.fail("ENAMETOOLONG", "cp", from, to);
  mkdirAll(posix.dirname(to));
  // A link at the end is replaced, and not what it leads to.
  const at = vfs.walk(to, options.dereference, "cp");
  if (node.type === "directory") {
    if (at.node === undefined) mkdirAll(to);
    else if (at.node.type !== "directory") {
      refuseCopy(
        "ERR_FS_CP_DIR_TO_NON_DIR",
        "EISDIR",
        `cannot overwrite non-directory ${to} with directory ${from}`,
        to,
      );
    }
    for (const name of new SafeArrayIterator(vfs.names(node))) {
      const path = posix.join(from, name);
      const below = vfs.find(path, options.dereference, "cp");
      copyTree(below, path, posix.join(to, name), options, depth + 1);
    }
    return;
  }
  if (at.node !== undefined) {
    if (at.node.type === "directory") {
      if (node.type === "symlink") vfs.fail("ENOTDIR", "cp", from, to);
      refuseCopy(
        "ERR_FS_CP_NON_DIR_TO_DIR",
        "ENOTDIR",
        `cannot overwrite directory ${to} with non-directory ${from}`,
        to,
      );
    }
    if (!options.force) {
      if (options.errorOnExist) {
        refuseCopy("ERR_FS_CP_EEXIST", "EEXIST", `${to} already exists`, to);
      }
      return;
    }
  }
  const copy = node.type === "symlink" ? new vfs.Link(node.target) : copyOf(node, "cp");
  vfs.place(at, copy, "cp", to);
}

return {
  copyFileSync,
  cpSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  opendirSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  unlinkSync,
};
})();
