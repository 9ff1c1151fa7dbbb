// node:process, as Workers have it: one process that says little of itself and
// owns nothing outside the isolate.
(function () {
const { core, primordials } = __bootstrap;
const {
  ArrayIsArray,
  ArrayPrototypeIncludes,
  BigInt,
  Error,
  ErrorCaptureStackTrace,
  Map,
  NumberIsInteger,
  NumberParseInt,
  ObjectAssign,
  ObjectDefineProperty,
  ObjectFreeze,
  ObjectGetOwnPropertyDescriptors,
  ObjectDefineProperties,
  ObjectPrototypeIsPrototypeOf,
  ObjectSetPrototypeOf,
  RegExpPrototypeTest,
  SafeArrayIterator,
  SafeRegExp,
  Set,
  SymbolToStringTag,
  queueMicrotask,
} = primordials;
/** Modules of Workers' own. */
const WORKERS = [
  "cloudflare:email",
  "cloudflare:sockets",
  "cloudflare:workers",
  "cloudflare:workflows",
];

const { now } = core.loadExtScript("ext:outboard/clock.js");
const { EventEmitter } = core.loadExtScript("ext:deno_node/_events.mjs");
const { codes } = core.loadExtScript("ext:outboard/node/errors.js");
const { notImplemented } = core.loadExtScript("ext:outboard/node/errors.js");
const { env } = core.loadExtScript("ext:outboard/node/process_env.js");
const { nextTick } = core.loadExtScript("ext:outboard/node/ticks.js");
const { currentEvent, failEvent } = core.loadExtScript(
  "ext:outboard/event.js",
);
const { config, features, versions } = core.loadExtScript(
  "ext:outboard/node/process_facts.js",
);
const stdio = () => core.loadExtScript("ext:outboard/node/stdio.js");
const files = () => core.loadExtScript("ext:outboard/node/fs/cwd.js");

function emitWarning(warning, options, codeOrCtor, maybeCtor) {
  let name = "Warning";
  let detail;
  let code;
  let ctor;
  if (typeof options === "object" && options !== null && !ArrayIsArray(options)) {
    ({ code, ctor, detail } = options);
    name = options.type || name;
  } else if (typeof options === "string") {
    name = options;
    ({ code, ctor } = codeAndCtor(codeOrCtor, maybeCtor));
  } else if (typeof options === "function") {
    ctor = options;
  } else if (options !== undefined) {
    throw new codes.ERR_INVALID_ARG_TYPE("options", "object", options);
  }
  let error = warning;
  if (typeof warning === "string") {
    error = new (ctor || Error)(warning);
    error.name = name;
  } else if (ObjectPrototypeIsPrototypeOf(Error.prototype, warning)) {
    if (name !== "Warning") error.name = name;
  } else {
    throw new codes.ERR_INVALID_ARG_TYPE("warning", "string or Error", warning);
  }
  if (code) error.code = code;
  if (typeof detail === "string" && detail !== "") error.detail = detail;
  ErrorCaptureStackTrace(error, ctor || emitWarning);
  queueMicrotask(() => process.emit("warning", error));
}

function codeAndCtor(first, second) {
  const refuse = (value) => {
    throw new codes.ERR_INVALID_ARG_TYPE("ctor", "function", value);
  };
  if (typeof first === "function") return { ctor: first };
  if (typeof first !== "string") {
    return first === undefined ? {} : refuse(first);
  }
  if (second !== undefined && typeof second !== "function") refuse(second);
  return { code: first, ctor: second };
}

function hrtime(time = undefined) {
  if (time !== undefined) {
    if (!ArrayIsArray(time)) {
      throw new codes.ERR_INVALID_ARG_TYPE("time", "tuple of integers", time);
    }
    if (time.length !== 2) throw new codes.ERR_OUT_OF_RANGE("time", "2", time);
  }
  const milliseconds = now();
  let nanoseconds = (milliseconds % 1000) * 1e6;
  let seconds = (milliseconds - milliseconds % 1000) / 1000;
  if (time !== undefined) {
    seconds -= time[0];
    nanoseconds -= time[1];
    if (nanoseconds < 0) {
      seconds -= 1;
      nanoseconds += 1e9;
    }
  }
  return [seconds, nanoseconds];
}
hrtime.bigint = function bigint() {
  return BigInt(now()) * 1_000_000n;
};

const octal = new SafeRegExp(/^[0-7]+$/);

function umask(mask = undefined) {
  const reason = "must be a 32-bit unsigned integer or an octal string";
  const refuse = () => {
    throw new codes.ERR_INVALID_ARG_VALUE("mask", mask, reason);
  };
  if (mask !== undefined) {
    let bits = mask;
    if (typeof mask === "string") {
      if (!RegExpPrototypeTest(octal, mask)) refuse();
      bits = NumberParseInt(mask, 8);
    } else if (typeof mask !== "number") {
      throw new codes.ERR_INVALID_ARG_TYPE("mask", "number", mask);
    }
    if (bits < 0 || bits > 0xffffffff || !NumberIsInteger(bits)) refuse();
  }
  return 0o22;
}

/** Ends the event that calls it, and its script; a module's top level cannot end anything. */
function exit(code = 0) {
  const event = currentEvent();
  if (event === undefined) {
    core.loadExtScript("ext:outboard/node/stdio.js").log(
      2,
      "process.exit(...) called without a current request context. Ignoring.",
    );
    return;
  }
  const error = new Error(
    `The Node.js process.exit(${code}) API was called. Canceling the request.`,
  );
  // An object ends with it.
  const { number } = event.whole;
  if (number !== undefined) core.ops.op_object_abort(number, error, /* log */ false, /* retries */ true);
  failEvent(event, error);
  // No more of its script runs, where nobody else's would be stopped with it: V8 stops
  // at a loop's end.
  while (core.ops.op_event_exit());
  throw error;
}

function ids() {
  const get = { __proto__: null };
  for (
    const name of new SafeArrayIterator(["getegid", "getgid", "geteuid", "getuid"])
  ) {
    get[name] = { [name]: () => 0 }[name];
  }
  const only = (name, allowed) => {
    get[name] = {
      [name](id) {
        if (!allowed || id !== 0) {
          const error = new Error(`${name} EPERM`);
          error.code = "EPERM";
          error.syscall = name;
          error.errno = -1;
          throw error;
        }
      },
    }[name];
  };
  for (
    const name of new SafeArrayIterator(["setegid", "setgid", "seteuid", "setuid"])
  ) {
    only(name, true);
  }
  only("setgroups", false);
  only("initgroups", false);
  return get;
}

const nothing = (value) => () => value;
const zeroes = (names) => {
  const object = {};
  for (const name of new SafeArrayIterator(names)) object[name] = 0;
  return object;
};

const fields = {
  version: `v${versions.node}`,
  versions,
  title: "workerd",
  argv: ["workerd"],
  argv0: "workerd",
  execArgv: [],
  arch: "x64",
  platform: "linux",
  config,
  pid: 1,
  ppid: 0,
  ...ids(),
  getgroups: () => [0],
  setSourceMapsEnabled() {},
  getSourceMapsSupport: () => ({
    enabled: false,
    nodeModules: false,
    generatedCode: false,
  }),
  nextTick,
  emitWarning,
  env,
  exit,
  abort: () => exit(1),
  assert(value, message = undefined) {
    core.loadExtScript("ext:deno_node/assert.ts").ok(value, message);
  },
  getBuiltinModule(id) {
    const name = `${id}`;
    // As in Workers: of their own it gives the namespace.
    if (ArrayPrototypeIncludes(WORKERS, name)) {
      return core.loadExtScript("ext:outboard/modules.js").namespaceNow(name);
    }
    return core.loadExtScript("ext:outboard/node/modules.js").builtin(name);
  },
  features,
  allowedNodeEnvironmentFlags: new Set(),
  kill: notImplemented("process.kill"),
  ref() {},
  unref() {},
  chdir: (path) => files().chdir(path),
  cwd: () => files().cwd(),
  umask,
  hrtime,
  uptime: nothing(0),
  loadEnvFile(path = ".env") {
    const { builtin } = core.loadExtScript("ext:outboard/node/modules.js");
    const text = builtin("fs").readFileSync(path, "utf8");
    ObjectAssign(env, builtin("util").parseEnv(text));
  },
  exitCode: undefined,
  channel: null,
  connected: false,
  binding: notImplemented("process.binding"),
  debugPort: 0,
  dlopen: notImplemented("process.dlopen"),
  finalization: {
    register: notImplemented("process.finalization.register"),
    registerBeforeExit: notImplemented("process.finalization.registerBeforeExit"),
    unregister: notImplemented("process.finalization.unregister"),
  },
  getActiveResourcesInfo: notImplemented("process.getActiveResourcesInfo"),
  setUncaughtExceptionCaptureCallback: notImplemented(
    "process.setUncaughtExceptionCaptureCallback",
  ),
  hasUncaughtExceptionCaptureCallback: notImplemented(
    "process.hasUncaughtExceptionCaptureCallback",
  ),
  memoryUsage: () =>
    zeroes(["rss", "heapTotal", "heapUsed", "external", "arrayBuffers"]),
  noDeprecation: false,
  permission: { has: notImplemented("process.permission.has") },
  release: { name: "node", lts: true, sourceUrl: "", headersUrl: "" },
  report: {
    compact: false,
    directory: "",
    filename: "",
    getReport: () => ({}),
    reportOnFatalError: false,
    reportOnSignal: false,
    reportOnUncaughtException: false,
    excludeNetwork: false,
    excludeEnv: false,
    signal: "SIGUSR2",
    writeReport: notImplemented("process.report.writeReport"),
  },
  resourceUsage: () =>
    zeroes([
      "userCPUTime",
      "systemCPUTime",
      "maxRSS",
      "sharedMemorySize",
      "unsharedDataSize",
      "unsharedStackSize",
      "minorPageFault",
      "majorPageFault",
      "swappedOut",
      "fsRead",
      "fsWrite",
      "ipcSent",
      "ipcReceived",
      "signalsCount",
      "voluntaryContextSwitches",
      "involuntaryContextSwitches",
    ]),
  send: nothing(false),
  traceDeprecation: false,
  throwDeprecation: false,
  sourceMapsEnabled: false,
  get stdin() {
    return stdio().stdin;
  },
  get stdout() {
    return stdio().stdout;
  },
  get stderr() {
    return stdio().stderr;
  },
  threadCpuUsage: notImplemented("process.threadCpuUsage"),
  cpuUsage: notImplemented("process.cpuUsage"),
  execPath: "",
  constrainedMemory: nothing(0),
  availableMemory: nothing(0),
  execve: notImplemented("process.execve"),
  openStdin: () => stdio().stdin,
  _rawDebug: (...args) => globalThis.console.log(...new SafeArrayIterator(args)),
  moduleLoadList: [],
  _linkedBinding: notImplemented("process._linkedBinding"),
  domain: null,
  _exiting: false,
  _getActiveRequests: () => [],
  _getActiveHandles: () => [],
  reallyExit: exit,
  _kill: notImplemented("process._kill"),
  _fatalException: nothing(false),
  _tickCallback() {},
  _debugProcess() {},
  _debugEnd() {},
  _startProfilerIdleNotifier() {},
  _stopProfilerIdleNotifier() {},
  _preload_modules: [],
  _disconnect: undefined,
  _handleQueue: undefined,
  _pendingMessage: undefined,
  _channel: undefined,
  _send: undefined,
};

const process = ObjectDefineProperties(
  {},
  ObjectGetOwnPropertyDescriptors(fields),
);
ObjectSetPrototypeOf(process, EventEmitter.prototype);
// deno-lint-ignore prefer-primordials
EventEmitter.call(process);
ObjectDefineProperty(process, SymbolToStringTag, {
  __proto__: null,
  value: "process",
  configurable: true,
});

/** process events that are the global scope's -> its event */
const mirrored = new Map([
  ["unhandledRejection", "unhandledrejection"],
  ["rejectionHandled", "rejectionhandled"],
]);
process.on("newListener", (name) => {
  const global = mirrored.get(name);
  if (global === undefined) return;
  mirrored.delete(name);
  const { addEventListener } = core.loadExtScript(
    "ext:outboard/global_scope.js",
  );
  // deno-lint-ignore prefer-primordials
  addEventListener.call(globalThis, global, (event) => {
    if (name === "unhandledRejection") {
      process.emit(name, event.reason, event.promise);
    } else process.emit(name, event.promise);
  });
});

return { process };
})();
