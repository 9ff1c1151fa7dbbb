// node:util and node:util/types
(function () {
const { core, primordials } = __bootstrap;
const {
  ArrayPrototypePush,
  DatePrototype,
  Error,
  Number,
  ObjectAssign,
  ObjectPrototypeIsPrototypeOf,
  RegExpPrototype,
  StringPrototypeSlice,
  StringPrototypeStartsWith,
} = primordials;
const exports = core.loadExtScript("ext:deno_node/util.ts");
const library = core.loadExtScript("ext:deno_node/internal/util/types.ts");
const { builtin } = core.loadExtScript("ext:outboard/node/modules.js");
const { notImplemented } = core.loadExtScript("ext:outboard/node/errors.js");

const types = ObjectAssign({}, library, {
  // Nothing outside the heap is shown to a script.
  isExternal: () => false,
});
delete types.default;

/** What Node took out with its version 23, and Workers still have. */
const old = {
  isBoolean: (value) => typeof value === "boolean",
  isBuffer: (value) => builtin("buffer").Buffer.isBuffer(value),
  isDate: (value) => ObjectPrototypeIsPrototypeOf(DatePrototype, value),
  isError: (value) => Error.isError(value),
  isFunction: (value) => typeof value === "function",
  isNull: (value) => value === null,
  isNullOrUndefined: (value) => value === null || value === undefined,
  isNumber: (value) => typeof value === "number",
  isObject: (value) => value !== null && typeof value === "object",
  isPrimitive: (value) =>
    value === null ||
    (typeof value !== "object" && typeof value !== "function"),
  isRegExp: (value) => ObjectPrototypeIsPrototypeOf(RegExpPrototype, value),
  isString: (value) => typeof value === "string",
  isSymbol: (value) => typeof value === "symbol",
  isUndefined: (value) => value === undefined,
};

const MOST_FRAMES = 200;
const SCHEME = "worker:///";

/**
 * The calls of the worker's own code; modules are named as in the bundle. As in
 * workerd, one more than was asked for.
 */
function getCallSites(frames = 10) {
  const most = Number(frames) | 0;
  if (most < 1 || most > MOST_FRAMES) {
    throw new Error("Frame count should be between 1 and 200 inclusive.");
  }
  const found = exports.getCallSites(MOST_FRAMES);
  const calls = [];
  for (let i = 0; i < found.length && calls.length <= most; i++) {
    const { functionName, lineNumber, columnNumber } = found[i];
    let scriptName = found[i].scriptName ?? "ext:";
    if (StringPrototypeStartsWith(scriptName, "ext:")) continue;
    if (StringPrototypeStartsWith(scriptName, SCHEME)) {
      scriptName = StringPrototypeSlice(scriptName, SCHEME.length);
    }
    const column = columnNumber;
    ArrayPrototypePush(calls, {
      functionName,
      scriptName,
      lineNumber,
      columnNumber,
      column,
    });
  }
  return calls;
}

return {
  exports: ObjectAssign({}, exports, old, {
    _errnoException: notImplemented("_errnoException"),
    _exceptionWithHostPort: notImplemented("_exceptionWithHostPort"),
    // The name that it had at first.
    getCallSite: getCallSites,
    getCallSites,
    types,
  }),
  types,
};
})();
