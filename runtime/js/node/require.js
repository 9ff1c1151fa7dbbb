// How scripts of node: modules find each other, and how a worker's `import`
// sees them. A module is made when first asked for.
(function () {
const { core, primordials } = __bootstrap;
const { Error, ObjectAssign } = primordials;

function exportsOf(specifier) {
  const { builtin } = core.loadExtScript("ext:outboard/node/modules.js");
  const exports = builtin(specifier);
  if (exports === undefined) throw new Error(`No such module "${specifier}".`);
  return exports;
}

/** What an `import` gives: each name, and the whole as `default`. */
function space(specifier) {
  const exports = exportsOf(specifier);
  const { importNames } = core.loadExtScript("ext:outboard/node/modules.js");
  return ObjectAssign({ __proto__: null }, importNames(specifier), {
    default: exports,
  });
}

/** The same for the scripts here, which looks at no name before it is used. */
function require(specifier) {
  if (specifier === "ext:core/mod.js") return __bootstrap;
  if (specifier[0] !== "n") return core.loadExtScript(specifier);
  const exports = specifier === "node:process"
    ? core.loadExtScript("ext:outboard/node/process_early.js").process
    : exportsOf(specifier);
  return { __proto__: exports, default: exports, __esModule: true };
}

/** deno_core's way to defer a script, which knows no scripts of this kind. */
function lazy(specifier) {
  return () => require(specifier);
}

return { lazy, require, space };
})();
