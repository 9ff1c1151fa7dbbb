// node:vm: contexts and scripts can be made, and run nothing: a worker's code
// is what was deployed.
(function () {
const { core, primordials } = __bootstrap;
const { ObjectCreate, ObjectFreeze, SafeArrayIterator, Symbol } = primordials;
const { Buffer } = core.loadExtScript("ext:deno_node/internal/buffer.mjs");
const { codes } = core.loadExtScript("ext:deno_node/internal/errors.ts");
const {
  validateArray,
  validateBoolean,
  validateBuffer,
  validateInt32,
  validateObject,
  validateOneOf,
  validateString,
  validateStringArray,
  validateUint32,
} = core.loadExtScript("ext:deno_node/internal/validators.mjs");
const { ERR_METHOD_NOT_IMPLEMENTED } = core.loadExtScript(
  "ext:outboard/node/errors.js",
);

const constants = ObjectFreeze({
  __proto__: null,
  USE_MAIN_CONTEXT_DEFAULT_LOADER: Symbol(
    "vm_dynamic_import_main_context_default",
  ),
  DONT_CONTEXTIFY: Symbol("vm_context_no_contextify"),
});
const isMade = Symbol("vm_context_symbol");

function isContext(object) {
  validateObject(object, "object", { __proto__: null, allowArray: true });
  return object[isMade] === true;
}

function validateContext(object) {
  if (!isContext(object)) {
    throw new codes.ERR_INVALID_ARG_TYPE(
      "contextifiedObject",
      "vm.Context",
      object,
    );
  }
}

function createContext(object = {}, options = {}) {
  if (object !== constants.DONT_CONTEXTIFY && isContext(object)) return object;
  validateObject(options, "options");
  const {
    name = "VM Context",
    origin,
    codeGeneration,
    microtaskMode,
    importModuleDynamically = false,
  } = options;
  validateString(name, "options.name");
  if (origin !== undefined) validateString(origin, "options.origin");
  validateBoolean(importModuleDynamically, "options.importModuleDynamically");
  if (codeGeneration !== undefined) {
    validateObject(codeGeneration, "options.codeGeneration");
    const { strings = true, wasm = true } = codeGeneration;
    validateBoolean(strings, "options.codeGeneration.strings");
    validateBoolean(wasm, "options.codeGeneration.wasm");
  }
  validateOneOf(microtaskMode, "options.microtaskMode", [
    "afterEvaluate",
    undefined,
  ]);
  const context = ObjectCreate(null);
  context[isMade] = true;
  return context;
}

/** What `runInNewContext` takes for its context, by the names of the former. */
function contextOptions(options) {
  if (!options) return {};
  const {
    contextName: name,
    contextOrigin: origin,
    contextCodeGeneration: codeGeneration,
    microtaskMode,
  } = options;
  return { name, origin, codeGeneration, microtaskMode };
}

const named = (options) =>
  typeof options === "string" ? { filename: options } : options;

function checkRun(options) {
  validateObject(options, "options");
  const { breakOnSigint = false, displayErrors = true, timeout } = options;
  validateBoolean(breakOnSigint, "options.breakOnSigint");
  validateBoolean(displayErrors, "options.displayErrors");
  if (timeout !== undefined) validateUint32(timeout, "options.timeout", true);
  throw new ERR_METHOD_NOT_IMPLEMENTED("runInThisContext");
}

function checkSource(options, filename) {
  const {
    lineOffset = 0,
    columnOffset = 0,
    cachedData,
    produceCachedData = false,
    importModuleDynamically = false,
  } = options;
  validateString(options.filename ?? filename, "options.filename");
  validateInt32(columnOffset, "options.columnOffset");
  validateInt32(lineOffset, "options.lineOffset");
  if (cachedData !== undefined) {
    validateBuffer(cachedData, "options.cachedData");
  }
  validateBoolean(produceCachedData, "options.produceCachedData");
  validateBoolean(importModuleDynamically, "options.importModuleDynamically");
}

class Script {
  cachedDataRejected = undefined;
  cachedDataProduced = undefined;
  cachedData = undefined;
  sourceMapURL = undefined;

  constructor(code, options = {}) {
    // What cannot be a string is refused.
    `${code}`;
    options = named(options);
    validateObject(options, "options");
    checkSource(options, "evalmachine.<anonymous>");
  }
  createCachedData() {
    return Buffer.alloc(0);
  }
  runInThisContext(options = {}) {
    checkRun(options);
  }
  runInContext(context, options = {}) {
    validateContext(context);
    checkRun(options);
  }
  runInNewContext(object, options = {}) {
    const context = createContext(object, contextOptions(options));
    this.runInContext(context, options);
  }
}

function compileFunction(code, params = [], options = {}) {
  validateString(code, "code");
  validateObject(options, "options");
  validateStringArray(params, "params");
  checkSource(options, "");
  const { parsingContext, contextExtensions = [] } = options;
  if (
    parsingContext !== undefined &&
    (typeof parsingContext !== "object" || parsingContext === null ||
      !isContext(parsingContext))
  ) {
    throw new codes.ERR_INVALID_ARG_TYPE(
      "options.parsingContext",
      "Context",
      parsingContext,
    );
  }
  validateArray(contextExtensions, "options.contextExtensions");
  let index = 0;
  for (const extension of new SafeArrayIterator(contextExtensions)) {
    validateObject(extension, `options.contextExtensions[${index++}]`, {
      __proto__: null,
      nullable: true,
    });
  }
  throw new ERR_METHOD_NOT_IMPLEMENTED("compileFunction");
}

function measureMemory(options = {}) {
  validateObject(options, "options");
  const { mode = "summary", execution = "default" } = options;
  validateOneOf(mode, "options.mode", ["summary", "detailed"]);
  validateOneOf(execution, "options.execution", ["default", "eager"]);
  throw new ERR_METHOD_NOT_IMPLEMENTED("measureMemory");
}

return {
  exports: {
    Script,
    compileFunction,
    constants,
    createContext,
    createScript: (code, options) => new Script(code, options),
    isContext,
    measureMemory,
    runInContext(code, context, options = {}) {
      validateContext(context);
      options = named(options);
      return new Script(code, options).runInContext(context, options);
    },
    runInNewContext(code, object, options = {}) {
      options = named(options);
      const context = createContext(object, contextOptions(options));
      return new Script(code, options).runInNewContext(context, options);
    },
    runInThisContext(code, options = {}) {
      options = named(options);
      return new Script(code, options).runInThisContext(options);
    },
  },
};
})();
