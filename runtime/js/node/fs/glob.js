// fs.glob: a pattern is followed folder by folder, one part of it at a time.
(function () {
const { core, primordials } = __bootstrap;
const {
  ArrayIsArray,
  ArrayPrototypeMap,
  ArrayPrototypePush,
  MapPrototypeHas,
  MapPrototypeSet,
  RegExpPrototypeTest,
  SafeArrayIterator,
  SafeMap,
  SafeMapIterator,
  SafeRegExp,
  SafeSet,
  SetPrototypeAdd,
  SetPrototypeHas,
  StringPrototypeSplit,
} = primordials;
const vfs = core.loadExtScript("ext:outboard/node/fs/vfs.js");
const { posix } = core.loadExtScript("ext:outboard/node/path.js");
const { expandBraces, sourceOf } = core.loadExtScript("ext:outboard/node/glob.js");
const { toPath } = core.loadExtScript("ext:outboard/node/fs/arguments.js");
const { Dirent, direntType } = core.loadExtScript(
  "ext:outboard/node/fs/stats.js",
);
const { codes } = core.loadExtScript("ext:outboard/node/errors.js");
const { validateObject } = core.loadExtScript(
  "ext:deno_node/internal/validators.mjs",
);

/** How deep folders may lie in one another. */
const DEEPEST = 256;

const expression = (glob) => new SafeRegExp(`^${sourceOf(glob)}$`);

function textsOf(patterns, name) {
  const list = ArrayIsArray(patterns) ? patterns : [patterns];
  const texts = [];
  for (const one of new SafeArrayIterator(list)) {
    if (typeof one !== "string") {
      throw new codes.ERR_INVALID_ARG_TYPE(name, ["string", "string[]"], patterns);
    }
    ArrayPrototypePush(texts, ...new SafeArrayIterator(expandBraces(one)));
  }
  return texts;
}

/** A pattern's parts: names to go to, and expressions for names. */
function partsOf(pattern) {
  const parts = [];
  for (const part of new SafeArrayIterator(StringPrototypeSplit(pattern, "/"))) {
    if (part === "" || part === ".") continue;
    if (part === "**") {
      if (parts[parts.length - 1] !== "**") ArrayPrototypePush(parts, part);
    } else ArrayPrototypePush(parts, part === ".." ? part : expression(part));
  }
  return parts;
}

/** Goes along one pattern, and puts what it leads to into `found` by its path. */
class Walk {
  #cwd;
  #found;
  #parts;
  #seen = new SafeSet();

  constructor(cwd, pattern, found) {
    this.#cwd = cwd;
    this.#found = found;
    this.#parts = partsOf(pattern);
  }

  /** @param {string} path of `node`, from the folder it began at */
  go(node, path, at, depth) {
    const seen = `${at} ${path}`;
    if (depth > DEEPEST || SetPrototypeHas(this.#seen, seen)) return;
    SetPrototypeAdd(this.#seen, seen);
    if (at === this.#parts.length) {
      if (path !== "" && !MapPrototypeHas(this.#found, path)) {
        MapPrototypeSet(this.#found, path, node);
      }
      return;
    }
    const part = this.#parts[at];
    if (part === "..") {
      const up = posix.join(path, "..");
      const { node: folder } = vfs.walk(posix.resolve(this.#cwd, up), true, "scandir");
      this.go(folder, up === "." ? "" : up, at + 1, depth + 1);
      return;
    }
    if (part === "**") this.go(node, path, at + 1, depth + 1);
    if (node.type !== "directory") return;
    for (const name of new SafeArrayIterator(vfs.names(node))) {
      const below = vfs.entry(node, name);
      const where = path === "" || path === "/" ? `${path}${name}` : `${path}/${name}`;
      if (part === "**") this.go(below, where, at, depth + 1);
      else if (RegExpPrototypeTest(part, name)) this.go(below, where, at + 1, depth + 1);
    }
  }
}

function globSync(pattern, options = {}) {
  validateObject(options, "options");
  const { cwd = ".", exclude = undefined, withFileTypes = false } = options;
  const patterns = textsOf(pattern, "pattern");
  const where = toPath(cwd, "options.cwd");
  const excluded = ArrayIsArray(exclude)
    ? ArrayPrototypeMap(textsOf(exclude, "options.exclude"), expression)
    : [];
  const found = new SafeMap();
  for (const one of new SafeArrayIterator(patterns)) {
    const absolute = one[0] === "/";
    const start = absolute ? "/" : where;
    const { node } = vfs.walk(start, true, "scandir");
    if (node?.type !== "directory") continue;
    new Walk(start, one, found).go(node, absolute ? "/" : "", 0, 0);
  }
  const results = [];
  for (const { 0: path, 1: node } of new SafeMapIterator(found)) {
    let out = false;
    for (const one of new SafeArrayIterator(excluded)) {
      out ||= RegExpPrototypeTest(one, path);
    }
    if (out) continue;
    const result = withFileTypes
      ? new Dirent(
        posix.basename(path),
        direntType(node),
        posix.dirname(posix.resolve(where, path)),
      )
      : path;
    if (typeof exclude === "function" && exclude(result)) continue;
    ArrayPrototypePush(results, result);
  }
  return results;
}

return { globSync };
})();
