// node:module: what is built in, and a `require` for it and for the worker's
// own modules that were imported already.
(function () {
const { core, primordials } = __bootstrap;
const {
  Error,
  ObjectDefineProperties,
  ObjectFreeze,
  RegExpPrototypeTest,
  SafeRegExp,
  StringPrototypeStartsWith,
} = primordials;
const { builtin, builtinModules, isBuiltin } = core.loadExtScript(
  "ext:outboard/node/modules.js",
);
const { codes } = core.loadExtScript("ext:outboard/node/errors.js");
const { notImplemented } = core.loadExtScript("ext:outboard/node/errors.js");

const { URL } = core.loadExtScript("ext:deno_web/00_url.js");

const missing = (name) => notImplemented(`module.${name}`);

/** The path of a `file:` URL, and of a path itself; both as the bundle's. */
function withoutScheme(from) {
  if (!StringPrototypeStartsWith(from, "file:")) return from;
  if (RegExpPrototypeTest(QUERY, from)) {
    throw new Error(
      "The specifier must not have query string parameters or hash fragments.",
    );
  }
  return new URL(from).pathname;
}
const QUERY = new SafeRegExp("[?#]");

function createRequire(path) {
  const from = `${path}`;
  if (
    !StringPrototypeStartsWith(from, "/") &&
    !StringPrototypeStartsWith(from, "file:")
  ) {
    throw new codes.ERR_INVALID_ARG_VALUE(
      "path",
      from,
      "The argument must be a file URL object, a file URL string, or an " +
        "absolute path string.",
    );
  }
  const { bundleScheme } = core.loadExtScript("ext:outboard/modules.js");
  const referrer = `${bundleScheme()}${withoutScheme(from)}`;
  return function require(specifier) {
    const exports = builtin(`${specifier}`);
    if (exports !== undefined) return exports;
    const own = core.loadExtScript("ext:outboard/modules.js");
    return own.require(referrer, `${specifier}`);
  };
}

const _extensions = {
  ".js": missing("_extensions.js"),
  ".json": missing("_extensions.json"),
  ".node": missing("_extensions.node"),
};
const property = (value) => ({
  __proto__: null,
  value,
  enumerable: true,
  writable: true,
});
ObjectDefineProperties(createRequire, {
  __proto__: null,
  resolve: property(missing("createRequire.resolve")),
  paths: property(missing("createRequire.resolve.paths")),
  cache: property({ __proto__: null }),
  extensions: property(_extensions),
  main: property(undefined),
});

class Module {
  constructor(id = "") {
    this.id = id;
    this.exports = {};
  }
}
for (const name of new primordials.SafeArrayIterator(["load", "require", "_compile"])) {
  Module.prototype[name] = missing(`Module.prototype.${name}`);
}

const exports = {
  Module,
  SourceMap: missing("SourceMap"),
  _cache: { __proto__: null },
  _debug: missing("_debug"),
  _extensions,
  _findPath: missing("_findPath"),
  _initPaths: missing("_initPaths"),
  _load: missing("_load"),
  _nodeModulePaths: missing("_nodeModulePaths"),
  _pathCache: { __proto__: null },
  _preloadModules: missing("_preloadModules"),
  _resolveFilename: missing("_resolveFilename"),
  _resolveLookupPaths: missing("_resolveLookupPaths"),
  builtinModules,
  constants: ObjectFreeze({
    __proto__: null,
    compileCacheStatus: ObjectFreeze({
      __proto__: null,
      FAILED: 0,
      ENABLED: 1,
      ALREADY_ENABLED: 2,
      DISABLED: 3,
    }),
  }),
  createRequire,
  enableCompileCache() {},
  findSourceMap() {},
  findPackageJSON: missing("findPackageJSON"),
  flushCompileCache: missing("flushCompileCache"),
  getCompileCacheDir() {},
  getSourceMapsSupport: () => ({
    enabled: false,
    nodeModules: false,
    generatedCode: false,
  }),
  globalPaths: [],
  isBuiltin: (specifier) => isBuiltin(`${specifier}`),
  register: missing("register"),
  registerHooks: missing("registerHooks"),
  runMain: missing("runMain"),
  setSourceMapsSupport: missing("setSourceMapsSupport"),
  stripTypeScriptTypes: missing("stripTypeScriptTypes"),
  syncBuiltinESMExports: missing("syncBuiltinESMExports"),
  wrap: missing("wrap"),
};
for (const name in exports) {
  if (name !== "Module") Module[name] = exports[name];
}
return { exports };
})();
