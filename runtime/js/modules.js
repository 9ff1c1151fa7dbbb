// `outboard:modules`: CommonJS modules, and the values of modules that are no
// script (text, data, json, wasm). The loader writes the imports; a worker can
// only name its own.
(function () {
const { core, primordials } = __bootstrap;
const {
  op_import_sync,
  op_module_function,
  op_module_resolve,
  op_module_value,
} = core.ops;
const {
  Error,
  MapPrototypeDelete,
  MapPrototypeGet,
  MapPrototypeSet,
  ObjectDefineProperties,
  ObjectGetOwnPropertyDescriptors,
  ObjectHasOwn,
  ReflectApply,
  SafeMap,
  StringPrototypeIncludes,
  StringPrototypeLastIndexOf,
  StringPrototypeSlice,
} = primordials;
const { flag, has } = core.loadExtScript("ext:outboard/compatibility.js");

/** @type {SafeMap<string, { value: unknown }>} */
const values = new SafeMap();
/** CommonJS modules that run or ran. @type {SafeMap<string, { exports: unknown }>} */
const modules = new SafeMap();
/** What `require` gives for a namespace, which must be an object to write to. */
const copies = new SafeMap();

/** What a module's URL has before its path. */
function bundleScheme() {
  return has(flag.new_module_registry) ? "file://" : "worker://";
}

/** The same value for every `import` and `require` of a module. */
function moduleValue(url) {
  const known = MapPrototypeGet(values, url);
  if (known !== undefined) return known.value;
  const value = op_module_value(url);
  MapPrototypeSet(values, url, { value });
  return value;
}

/** Runs a CommonJS module, once. In a cycle: what it has exported so far. */
function commonJs(url) {
  const known = MapPrototypeGet(modules, url);
  if (known !== undefined) return known.exports;
  const path = StringPrototypeSlice(url, bundleScheme().length);
  const module = { exports: {}, path };
  MapPrototypeSet(modules, url, module);
  const folder = StringPrototypeSlice(
    path,
    0,
    StringPrototypeLastIndexOf(path, "/") || 1,
  );
  let done = false;
  try {
    ReflectApply(op_module_function(url), undefined, [
      module.exports,
      (specifier) => require(url, specifier),
      module,
      path,
      folder,
    ]);
    done = true;
  } finally {
    // What threw may be tried again.
    if (!done) MapPrototypeDelete(modules, url);
  }
  return module.exports;
}

const kScript = 0;
const kCommonJs = 1;

function require(referrer, specifier) {
  const [kind, url] = op_module_resolve(`${specifier}`, referrer);
  if (kind === kCommonJs) return commonJs(url);
  if (kind !== kScript) return fromNamespace(url, () => ({ default: moduleValue(url) }));
  const namespace = importNow(url);
  // Conventions by which an ES module says what `require` gives.
  if (namespace.__cjsUnwrapDefault === true) return namespace.default;
  if ("module.exports" in namespace) return namespace["module.exports"];
  return fromNamespace(url, () => namespace);
}

function importNow(url) {
  try {
    return op_import_sync(url, null);
  } catch (error) {
    // The engine's words, for which there is no name.
    if (StringPrototypeIncludes(`${error?.message}`, "Top-level await")) {
      throw new Error("Top-level await in module is not permitted at this time.");
    }
    throw error;
  }
}

/** What `import * as` gives of a module of the runtime's. `name` is one of ours. */
function namespaceNow(name) {
  return op_import_sync(`outboard:namespace/${name}`, null).namespace;
}

function fromNamespace(url, get) {
  if (has(flag.export_commonjs_default)) return get().default;
  const namespace = get();
  if (!has(flag.require_returns_default_export)) return namespace;
  if (ObjectHasOwn(namespace, "default")) return namespace.default;
  let copy = MapPrototypeGet(copies, url);
  if (copy === undefined) {
    copy = ObjectDefineProperties({}, ObjectGetOwnPropertyDescriptors(namespace));
    MapPrototypeSet(copies, url, copy);
  }
  return copy;
}

return { bundleScheme, commonJs, importNow, moduleValue, namespaceNow, require };
})();
