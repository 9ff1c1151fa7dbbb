// The files a worker has, all in memory: /bundle with its modules, to read; /tmp,
// which each event has for itself and which ends with it; /dev. None is the
// host's.
(function () {
const { core, primordials } = __bootstrap;
const {
  ArrayPrototypePop,
  ArrayPrototypePush,
  DateNow,
  Error,
  MapPrototypeDelete,
  MapPrototypeGet,
  MapPrototypeSet,
  MathMax,
  RegExpPrototypeTest,
  SafeArrayIterator,
  SafeMap,
  SafeRegExp,
  SafeWeakMap,
  StringPrototypeSplit,
  StringPrototypeStartsWith,
  TypedArrayPrototypeFill,
  TypedArrayPrototypeSet,
  TypedArrayPrototypeSubarray,
  Uint8Array,
} = primordials;
const { op_node_bundle_names, op_node_bundle_read } = core.ops;
const { currentEvent } = core.loadExtScript("ext:outboard/event.js");
const { codeMap, errorMap } = core.loadExtScript(
  "ext:deno_node/internal_binding/uv.ts",
);

/** The largest file, and links that may lead to one another. */
const LARGEST = 128 << 20;
const LINKS = 40;
/** Files an event may have open. */
const OPEN = 1024;

/**
 * Throws a system's error. As in Workers its message has no code in front:
 * `no such file or directory, open '/tmp/x'`.
 */
function fail(code, syscall, path = undefined, dest = undefined, message = undefined) {
  const errno = MapPrototypeGet(codeMap, code);
  let text = message ?? MapPrototypeGet(errorMap, errno)[1];
  if (message === undefined && path !== undefined) {
    text += `, ${syscall} '${path}'`;
    if (dest !== undefined) text += ` -> '${dest}'`;
  }
  const error = new Error(text);
  error.errno = errno;
  error.code = code;
  error.syscall = syscall;
  if (path !== undefined) error.path = path;
  if (dest !== undefined) error.dest = dest;
  throw error;
}

class Node {
  constructor(writable) {
    this.writable = writable;
    // As in Workers: a file has no time before it is written.
    this.created = this.modified = 0;
  }

  touch() {
    this.modified = DateNow();
  }
}

class File extends Node {
  type = "file";
  bytes = new Uint8Array(0);
  size = 0;

  content() {
    return TypedArrayPrototypeSubarray(this.bytes, 0, this.size);
  }

  read(into, at) {
    if (at >= this.size) return 0;
    const part = TypedArrayPrototypeSubarray(
      this.content(),
      at,
      at + into.length,
    );
    TypedArrayPrototypeSet(into, part);
    return part.length;
  }

  write(from, at, syscall) {
    this.#reserve(at + from.length, syscall);
    TypedArrayPrototypeSet(this.bytes, from, at);
    this.size = MathMax(this.size, at + from.length);
    this.touch();
    return from.length;
  }

  truncate(size, syscall) {
    if (size === this.size) return;
    this.#reserve(size, syscall);
    TypedArrayPrototypeFill(this.bytes, 0, size);
    this.size = size;
    this.touch();
  }

  #reserve(size, syscall) {
    if (size > LARGEST) {
      fail("EPERM", syscall, undefined, undefined, "File size limit exceeded");
    }
    if (size <= this.bytes.length) return;
    let grown;
    try {
      grown = new Uint8Array(MathMax(size, this.bytes.length * 2, 256));
    } catch {
      fail("ENOSPC", syscall);
    }
    TypedArrayPrototypeSet(grown, this.content());
    this.bytes = grown;
  }
}

/** A file of the bundle: its bytes come when first asked for. */
class BundleFile extends File {
  #name;
  #read = false;

  constructor(name, size) {
    super(false);
    this.#name = name;
    this.size = size;
  }

  content() {
    if (!this.#read) {
      this.bytes = op_node_bundle_read(this.#name);
      this.#read = true;
    }
    return super.content();
  }
}

class Directory extends Node {
  type = "directory";
  size = 0;
  entries = new SafeMap();
}

class Link extends Node {
  type = "symlink";

  constructor(target) {
    super(true);
    this.target = target;
    this.size = target.length;
  }
}

/** What /dev has: written bytes are gone, read ones come from `fill`. */
class Device extends Node {
  type = "file";
  device = true;
  size = 0;
  #fill;
  #full;

  constructor(fill, full = false) {
    super(true);
    this.#fill = fill;
    this.#full = full;
  }

  content() {
    return new Uint8Array(0);
  }

  read(into, _at) {
    return this.#fill(into);
  }

  write(from, _at, syscall) {
    if (this.#full) fail("ENOSPC", syscall);
    return from.length;
  }

  truncate() {}
}

function zeros(into) {
  TypedArrayPrototypeFill(into, 0);
  return into.length;
}

function random(into) {
  const { crypto } = core.loadExtScript("ext:outboard/crypto.js");
  for (let at = 0; at < into.length; at += 65536) {
    crypto.getRandomValues(TypedArrayPrototypeSubarray(into, at, at + 65536));
  }
  return into.length;
}

const scheme = new SafeRegExp(/^[a-z][a-z0-9+.-]*:/i);

function bundle() {
  const top = new Directory(false);
  const list = op_node_bundle_names();
  for (let i = 0; i < list.length; i++) {
    const { 0: path, 1: size } = list[i];
    // One called `node:x` takes a module's place, and is no file.
    if (RegExpPrototypeTest(scheme, path)) continue;
    const parts = StringPrototypeSplit(path, "/");
    const name = ArrayPrototypePop(parts);
    let folder = top;
    for (const part of new SafeArrayIterator(parts)) {
      let next = MapPrototypeGet(folder.entries, part);
      if (next === undefined) {
        next = new Directory(false);
        MapPrototypeSet(folder.entries, part, next);
      }
      folder = next;
    }
    MapPrototypeSet(folder.entries, name, new BundleFile(path, size));
  }
  return top;
}

const root = new Directory(false);
const devices = new Directory(false);
MapPrototypeSet(devices.entries, "null", new Device(() => 0));
MapPrototypeSet(devices.entries, "zero", new Device(zeros));
MapPrototypeSet(devices.entries, "full", new Device(zeros, true));
MapPrototypeSet(devices.entries, "random", new Device(random));
MapPrototypeSet(root.entries, "bundle", bundle());
MapPrototypeSet(root.entries, "dev", devices);
MapPrototypeSet(root.entries, "tmp", new Directory(true));

/** What an event has of its own: /tmp and open files. */
class Own {
  temporary = new Directory(true);
  /** @type {SafeMap<number, object>} by descriptor */
  open = new SafeMap();
  /** 0 to 2 are the standard streams. */
  next = 3;
  /** The working directory, which process.chdir moves. */
  cwd = "/bundle";
}

const owns = new SafeWeakMap();
/** What the worker's top level uses. */
const outside = new Own();

function own() {
  const event = currentEvent();
  if (event === undefined) return outside;
  let mine = owns.get(event);
  if (mine === undefined) {
    mine = new Own();
    owns.set(event, mine);
  }
  return mine;
}

/** While only arguments are checked, whoever comes to files is stopped with this. */
let stop;

function untouched() {
  if (stop !== undefined) throw stop;
}

/** Runs `act` up to where it would look at a file. */
function checkOnly(act) {
  stop = {};
  try {
    act();
  } catch (error) {
    if (error !== stop) throw error;
  } finally {
    stop = undefined;
  }
}

/** A folder's entry, where /tmp is the event's own. */
function entry(folder, name) {
  if (folder === root && name === "tmp") return own().temporary;
  return MapPrototypeGet(folder.entries, name);
}

/**
 * Goes along an absolute path. `node` is undefined where only the last part is
 * not there; `parent` and `name` say where it would be.
 */
function walk(path, follow, syscall, links = { left: LINKS }) {
  untouched();
  const { posix } = core.loadExtScript("ext:outboard/node/path.js");
  const parts = StringPrototypeSplit(posix.normalize(path), "/");
  let at = { node: root, parent: root, name: "", path: "/" };
  for (let i = 0; i < parts.length; i++) {
    const name = parts[i];
    if (name === "") continue;
    if (at.node === undefined) fail("ENOENT", syscall, path);
    if (at.node.type !== "directory") fail("ENOTDIR", syscall, path);
    const where = at.path === "/" ? `/${name}` : `${at.path}/${name}`;
    const node = entry(at.node, name);
    const next = { node, parent: at.node, name, path: where };
    if (node?.type === "symlink" && (follow || i < parts.length - 1)) {
      if (links.left-- === 0) fail("ELOOP", syscall, path);
      at = walk(posix.resolve(at.path, node.target), true, syscall, links);
    } else at = next;
  }
  return at;
}

/** The node at `path`, which has to be there. */
function find(path, follow, syscall) {
  const { node } = walk(path, follow, syscall);
  if (node === undefined) fail("ENOENT", syscall, path);
  return node;
}

/** Puts a node where `walk` found place for it. */
function place(at, node, syscall, path) {
  if (!at.parent.writable || at.name === "") fail("EPERM", syscall, path);
  MapPrototypeSet(at.parent.entries, at.name, node);
  at.parent.touch();
}

function remove(at, syscall, path) {
  if (!at.parent.writable || at.name === "") fail("EPERM", syscall, path);
  MapPrototypeDelete(at.parent.entries, at.name);
  at.parent.touch();
}

function names(folder) {
  if (folder === root) return ["bundle", "tmp", "dev"];
  const list = [];
  for (const name of new primordials.SafeMapIterator(folder.entries)) {
    ArrayPrototypePush(list, name[0]);
  }
  return list;
}

/** Gives a descriptor for an open file. */
function openNode(node, flags, path) {
  const mine = own();
  if (mine.open.size >= OPEN) fail("EMFILE", "open", path);
  const fd = mine.next++;
  MapPrototypeSet(mine.open, fd, { node, ...flags, position: 0, path });
  return fd;
}

function opened(fd, syscall) {
  untouched();
  const file = MapPrototypeGet(own().open, fd);
  if (file === undefined) fail("EBADF", syscall);
  return file;
}

function close(fd) {
  untouched();
  const mine = own();
  // As in Workers: what is closed already is no fault.
  MapPrototypeDelete(mine.open, fd);
}

const isBelow = (path, folder) =>
  path === folder || StringPrototypeStartsWith(path, `${folder}/`);

return {
  checkOnly,
  close,
  Directory,
  entry,
  fail,
  File,
  find,
  isBelow,
  Link,
  names,
  opened,
  openNode,
  own,
  place,
  remove,
  walk,
};
})();
