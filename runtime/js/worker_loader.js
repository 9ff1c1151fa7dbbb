// WorkerLoader: workers from code that a script has at hand. The host keeps them, and
// their names; here the code is checked and handed over.
(function () {
const { core, primordials } = __bootstrap;
const {
  op_loader_class,
  op_loader_code,
  op_loader_entrypoint,
  op_loader_fail,
  op_loader_get,
} = core.ops;
const {
  ArrayBufferIsView,
  ArrayIsArray,
  ArrayPrototypeJoin,
  ArrayPrototypePush,
  Date,
  DateNow,
  DatePrototypeToISOString,
  Error,
  JSONStringify,
  ObjectDefineProperty,
  ObjectKeys,
  ObjectPrototypeIsPrototypeOf,
  PromisePrototypeThen,
  PromiseResolve,
  RegExpPrototypeTest,
  SafeRegExp,
  StringPrototypeEndsWith,
  StringPrototypeSlice,
  Symbol,
  SymbolToStringTag,
  TypeError,
  Uint8Array,
} = primordials;
const { isAnyArrayBuffer, isNativeError } = core;
const { requireEvent } = core.loadExtScript("ext:outboard/event.js");
const { fetcherOf } = core.loadExtScript("ext:outboard/fetcher.js");
const { illegalInvocation, makeEnumerable } = core.loadExtScript(
  "ext:outboard/headers.js",
);
const { addressOf, BindingHook, serviceHook } = core.loadExtScript(
  "ext:outboard/rpc_hooks.js",
);
const { markUncloneable } = core.loadExtScript("ext:outboard/not_serializable.js");
const { pack } = core.loadExtScript("ext:outboard/parcels.js");
const { DOMException } = core.loadExtScript("ext:deno_web/01_dom_exception.js");
const { isObject, uint32 } = core.loadExtScript("ext:outboard/object_arguments.js");
const WasmModule = globalThis.WebAssembly.Module;

const kOwn = Symbol("made here");

/** What a module may be given as, and the host's number for it. */
const KINDS = ["js", "cjs", "text", "data", "json", "wasm"];
const JS = 0;
const DATA = 3;
const JSON = 4;
const WASM = 5;
/** Besides these there are Python's, which are refused with words of their own. */
const NAMES = ["js", "cjs", "text", "data", "json", "py", "wasm"];

class WorkerLoader {
  #binding;

  constructor(key, binding) {
    if (key !== kOwn) throw new TypeError("Illegal constructor");
    this.#binding = binding;
  }

  get(name, getCode) {
    if (!(#binding in this)) throw illegalInvocation();
    if (arguments.length === 0) {
      throw new TypeError(
        "Failed to execute 'get' on 'WorkerLoader': parameter 1 is not of type 'string'.",
      );
    }
    if (typeof getCode !== "function") {
      throw new TypeError(
        "Failed to execute 'get' on 'WorkerLoader': parameter 2 is not of type 'function'.",
      );
    }
    const event = requireEvent();
    name = name === undefined || name === null ? null : `${name}`;
    const { 0: number, 1: handle, 2: loading } = op_loader_get(
      event.id,
      this.#binding,
      name,
    );
    if (loading >= 0) ask(event, loading, getCode);
    return new WorkerStub(kOwn, number, handle);
  }

  load(code) {
    if (!(#binding in this)) throw illegalInvocation();
    if (!isObject(code)) {
      throw new TypeError(
        "Failed to execute 'load' on 'WorkerLoader': parameter 1 is not of type " +
          "'WorkerCode'.",
      );
    }
    const event = requireEvent();
    const checked = check(event, code);
    const { 0: number, 1: handle, 2: loading } = op_loader_get(
      event.id,
      this.#binding,
      null,
    );
    give(loading, checked);
    return new WorkerStub(kOwn, number, handle);
  }
}
makeEnumerable(WorkerLoader.prototype);
markUncloneable(WorkerLoader);

/** Asks a script for the code, which its own errors are the callers' for. */
function ask(event, loading, getCode) {
  const code = PromisePrototypeThen(PromiseResolve(), () => getCode());
  PromisePrototypeThen(
    PromisePrototypeThen(code, (code) => {
      if (!isObject(code)) {
        throw new TypeError("Callback returned incorrect type; expected 'Promise'");
      }
      give(loading, check(event, code));
    }),
    undefined,
    (error) => {
      const { 0: name, 1: message } = told(error);
      op_loader_fail(loading, name, message);
    },
  );
}

const { names: CLASSES } = core.loadExtScript("ext:outboard/error_classes.js");

/** A class that the host knows, and a message. */
function told(error) {
  if (ObjectPrototypeIsPrototypeOf(DOMException.prototype, error)) {
    return [`DOMException${error.name}`, error.message];
  }
  if (!isNativeError(error)) return ["Error", `${error}`];
  const name = `${error.name}`;
  for (let i = 0; i < CLASSES.length; i++) {
    if (CLASSES[i] === name) return [name, `${error.message}`];
  }
  return ["Error", `${name}: ${error.message}`];
}

function give(loading, { code, modules, env }) {
  op_loader_code(loading, code, modules, env);
}

/** Everything of a WorkerCode, as the host takes it. */
function check(event, worker) {
  const {
    allowExperimental,
    compatibilityDate,
    compatibilityFlags,
    env,
    globalOutbound,
    limits,
    mainModule,
    modules,
    streamingTails,
    tails,
  } = worker;
  if (!isObject(modules) || ArrayIsArray(modules)) {
    throw incorrect("modules", "WorkerCode", "object");
  }
  if (compatibilityFlags !== undefined && !ArrayIsArray(compatibilityFlags)) {
    throw incorrect("compatibilityFlags", "WorkerCode", "Array");
  }
  const flags = [];
  for (let i = 0; i < (compatibilityFlags?.length ?? 0); i++) {
    ArrayPrototypePush(flags, `${compatibilityFlags[i]}`);
  }
  const { cpuMs, subRequests } = limitsOf(limits, "WorkerCode");
  const tailed = tailsOf("tails", tails);
  const tailedDuring = tailsOf("streamingTails", streamingTails);
  if (streamingTails !== undefined && !allowExperimental) {
    throw new Error(
      "Streaming tail workers are experimental. You must pass the option " +
        "'allowExperimental: true' to the worker loader to use them",
    );
  }
  if (env !== undefined && (typeof env !== "object" || env === null)) {
    throw incorrect("env", "WorkerCode", "Object");
  }
  const main = `${mainModule}`;
  return {
    modules: modulesOf(modules, main),
    env: env === undefined ? null : pack(event, env),
    code: {
      date: dateOf(compatibilityDate),
      flags,
      allowExperimental: !!allowExperimental,
      main,
      cpuMs,
      subRequests,
      text: env === undefined ? "{}" : textOf(env),
      ...outboundOf(globalOutbound),
      tails: tailed,
      streamingTails: tailedDuring,
    },
  };
}

/** A date that has come: what later ones mean is not known yet. */
function dateOf(compatibilityDate) {
  const date = `${compatibilityDate}`;
  const today = StringPrototypeSlice(DatePrototypeToISOString(new Date(DateNow())), 0, 10);
  if (RegExpPrototypeTest(DATE, date) && date > today) {
    throw new Error(
      `Can't set compatibility date in the future: "${date}". Today's date (UTC) is ` +
        `"${today}".`,
    );
  }
  return date;
}

const DATE = new SafeRegExp("^\\d{4}-\\d{2}-\\d{2}$");

function incorrect(field, of, type) {
  return new TypeError(
    `Incorrect type for the '${field}' field on '${of}': the provided value is not of ` +
      `type '${type}'.`,
  );
}

function limitsOf(limits, of) {
  if (limits === undefined || limits === null) return { cpuMs: null, subRequests: null };
  if (!isObject(limits)) throw incorrect("limits", of, "ResourceLimits");
  return { cpuMs: wholeNumber(limits.cpuMs), subRequests: wholeNumber(limits.subRequests) };
}

function wholeNumber(value) {
  return value === undefined ? null : uint32(value);
}

/** The workers that are told of its events, by the host's numbers. */
function tailsOf(field, list) {
  const tails = [];
  if (list === undefined) return tails;
  if (!ArrayIsArray(list)) throw incorrect(field, "WorkerCode", "Array");
  for (let i = 0; i < list.length; i++) {
    const hook = serviceHook(list[i]);
    if (hook === undefined) {
      throw new TypeError(
        `Incorrect type for array element ${i}: the provided value is not of type 'Fetcher'.`,
      );
    }
    const binding = addressOf(hook);
    if (binding === undefined) {
      throw new DOMException(
        `A Fetcher that came in a call cannot be among the '${field}' of a dynamic Worker: ` +
          "it ends with its call.",
        "DataCloneError",
      );
    }
    ArrayPrototypePush(tails, [binding.service, binding.object]);
  }
  return tails;
}

/** `env`'s text, for `process.env`. */
function textOf(env) {
  const text = { __proto__: null };
  const names = ObjectKeys(env);
  for (let i = 0; i < names.length; i++) {
    const value = env[names[i]];
    if (typeof value === "string") text[names[i]] = value;
  }
  return JSONStringify(text);
}

function outboundOf(outbound) {
  if (outbound === undefined) return { outbound: "inherited", service: 0, target: null };
  if (outbound === null) return { outbound: "denied", service: 0, target: null };
  const hook = serviceHook(outbound);
  if (hook === undefined) throw incorrect("globalOutbound", "WorkerCode", "Fetcher");
  const binding = addressOf(hook);
  if (binding === undefined) {
    throw new DOMException(
      "A Fetcher that came in a call cannot be the 'globalOutbound' of a dynamic Worker: " +
        "it ends with its call.",
      "DataCloneError",
    );
  }
  return { outbound: "given", service: binding.service, target: binding.object };
}

/** Names, kinds and contents by turns. */
function modulesOf(modules, main) {
  const names = ObjectKeys(modules);
  if (names.length === 0) {
    throw new TypeError("Dynamic Worker code must contain at least one module.");
  }
  if (StringPrototypeEndsWith(main, ".py")) throw new Error(PYTHON);
  const list = [];
  for (let i = 0; i < names.length; i++) {
    const name = names[i];
    const { 0: kind, 1: content } = moduleOf(name, modules[name]);
    ArrayPrototypePush(list, name, kind, content);
  }
  return list;
}

const PYTHON = "Outboard does not serve Python Workers.";

function pythonModule(name) {
  return new TypeError(
    `Module "${name}" is a Python module, but the main module isn't a Python module.`,
  );
}

function moduleOf(name, value) {
  if (isWasmModule(value)) return [WASM, value];
  value ??= {};
  if (typeof value !== "object") {
    if (StringPrototypeEndsWith(name, ".py")) throw pythonModule(name);
    if (StringPrototypeEndsWith(name, ".js")) return [JS, `${value}`];
    throw nameless(name);
  }
  const given = [];
  for (let i = 0; i < NAMES.length; i++) {
    if (value[NAMES[i]] !== undefined) ArrayPrototypePush(given, NAMES[i]);
  }
  if (given.length !== 1) {
    throw new TypeError(
      "Each module must contain exactly one of 'js', 'cjs', 'text', 'data', 'json', 'py', " +
        `or 'wasm'. Module '${name}' contained ${given.length} properties.`,
    );
  }
  if (given[0] === "py") throw pythonModule(name);
  let kind = 0;
  while (KINDS[kind] !== given[0]) kind++;
  const content = value[given[0]];
  switch (kind) {
    case DATA:
      return [kind, bytesOf(content, "data", "Array")];
    case JSON:
      return [kind, `${JSONStringify(content)}`];
    case WASM:
      return [
        kind,
        isWasmModule(content) ? content : bytesOf(content, "wasm", "Array or WasmModuleObject"),
      ];
    default:
      return [kind, `${content}`];
  }
}

function isWasmModule(value) {
  return typeof value === "object" && value !== null &&
    ObjectPrototypeIsPrototypeOf(WasmModule.prototype, value);
}

/** A view, whose bytes the host copies at once. */
function bytesOf(content, field, type) {
  if (ArrayBufferIsView(content)) return content;
  if (isAnyArrayBuffer(content)) return new Uint8Array(content);
  throw incorrect(field, "Module", type);
}

function nameless(name) {
  const compiled = [".ts", ".tsx", ".jsx"];
  const hint = [];
  for (let i = 0; i < compiled.length; i++) {
    if (StringPrototypeEndsWith(name, compiled[i])) {
      hint[0] = ". If you're trying to load TypeScript, bundle it first with " +
        "'@cloudflare/worker-bundler' and pass the generated JavaScript modules.";
    }
  }
  return new TypeError(
    "Module name must end with '.js' or '.py' (or the content must be an object " +
      `indicating the type explicitly). Got: ${name}${ArrayPrototypeJoin(hint, "")}`,
  );
}

/** A worker that was loaded; which of its exports is meant is still to be said. */
class WorkerStub {
  #number;
  /** What keeps it loaded. */
  #handle;

  constructor(key, number, handle) {
    if (key !== kOwn) throw new TypeError("Illegal constructor");
    this.#number = number;
    this.#handle = handle;
  }

  getEntrypoint(name = undefined, options = undefined) {
    if (!(#handle in this)) throw illegalInvocation();
    const made = this.#export(op_loader_entrypoint, "getEntrypoint", name, options);
    return fetcherOf(new BindingHook(made[0], null, made[1]));
  }

  /** `[number, handle]` of an export. */
  #export(op, method, name, options) {
    if (options !== undefined && options !== null && !isObject(options)) {
      throw new TypeError(
        `Failed to execute '${method}' on 'WorkerStub': parameter 2 is not of type ` +
          "'EntrypointOptions'.",
      );
    }
    const event = requireEvent();
    const { props, limits } = options ?? {};
    if (props !== undefined && (typeof props !== "object" || props === null)) {
      throw incorrect("props", "EntrypointOptions", "Object");
    }
    const { cpuMs, subRequests } = limitsOf(limits, "EntrypointOptions");
    const named = name === undefined || name === null || `${name}` === "default"
      ? null
      : `${name}`;
    return op(
      this.#number,
      named,
      props === undefined ? null : pack(event, props),
      cpuMs ?? -1,
      subRequests ?? -1,
    );
  }

  getDurableObjectClass(name = undefined, options = undefined) {
    if (!(#handle in this)) throw illegalInvocation();
    const { classOf } = core.loadExtScript("ext:outboard/object_class.js");
    const made = this.#export(op_loader_class, "getDurableObjectClass", name, options);
    return classOf(made[0], null, made[1]);
  }
}
makeEnumerable(WorkerStub.prototype);

for (const Class of [WorkerLoader, WorkerStub]) {
  ObjectDefineProperty(Class.prototype, SymbolToStringTag, {
    __proto__: null,
    value: Class.name,
    configurable: true,
  });
}

function bindingOf(binding) {
  return new WorkerLoader(kOwn, binding);
}

return { bindingOf, told };
})();
