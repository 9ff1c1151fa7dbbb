// The global scope of a worker: what is here at once, what loads when first
// touched, and what a worker must not see. Runs while the snapshot is built.
//
// A global in `eager` costs every isolate its objects; one in `lazy` costs a
// getter until used. benches/README.md has the measured price of each.
(function () {
const { core, primordials } = __bootstrap;
const { op_console, op_console_colour, op_traced } = core.ops;
const {
  EvalError,
  FunctionPrototypeBind,
  ObjectDefineProperty,
  ObjectKeys,
  ReflectApply,
  SymbolToStringTag,
  TypeError,
} = primordials;

const load = core.loadExtScript;
// One table of ops, and no copy of it in each isolate.
load("ext:outboard/captured.js").core.ops = core.ops;
// Before anything takes an op from there.
const work = load("ext:outboard/work.js");
globalThis.Deno.core = work.watch(core, load("ext:outboard/async_ops.js"));
const event = "ext:deno_web/02_event.js";
const streams = "ext:deno_web/06_streams.js";
const compression = "ext:outboard/compression.js";
const identity = "ext:outboard/identity_streams.js";
const encoding = "ext:deno_web/08_text_encoding.js";
const file = "ext:deno_web/09_file.js";
const ports = "ext:deno_web/13_message_port.js";
const crypto = "ext:outboard/crypto.js";
const abort = "ext:deno_web/03_abort_signal.js";
const base64 = "ext:deno_web/05_base64.js";
const socket = "ext:outboard/web_socket.js";
const cache = "ext:outboard/caches.js";
const scope = "ext:outboard/global_scope.js";
const performance = "ext:outboard/performance.js";
const navigator = "ext:outboard/navigator.js";

/** global name -> the script that has it */
const lazy = {
  __proto__: null,
  AbortController: abort,
  AbortSignal: abort,
  addEventListener: scope,
  atob: base64,
  Blob: file,
  btoa: base64,
  Cache: cache,
  caches: cache,
  CacheStorage: cache,
  ByteLengthQueuingStrategy: streams,
  CloseEvent: event,
  CompressionStream: compression,
  CountQueuingStrategy: streams,
  Crypto: crypto,
  crypto,
  CryptoKey: crypto,
  CustomEvent: event,
  DecompressionStream: compression,
  dispatchEvent: scope,
  DOMException: "ext:deno_web/01_dom_exception.js",
  ErrorEvent: event,
  Event: event,
  EventSource: "ext:outboard/event_source.js",
  EventTarget: event,
  ExtendableEvent: scope,
  FetchEvent: scope,
  File: file,
  FixedLengthStream: identity,
  FormData: "ext:outboard/form_data.js",
  HTMLRewriter: "ext:outboard/html_rewriter.js",
  IdentityTransformStream: identity,
  MessageChannel: ports,
  MessageEvent: event,
  MessagePort: ports,
  Navigator: navigator,
  navigator,
  performance,
  Performance: performance,
  PerformanceEntry: performance,
  PerformanceMark: performance,
  PerformanceMeasure: performance,
  PerformanceObserver: performance,
  PerformanceObserverEntryList: performance,
  PerformanceResourceTiming: performance,
  PromiseRejectionEvent: event,
  ReadableByteStreamController: streams,
  ReadableStream: streams,
  ReadableStreamBYOBReader: streams,
  ReadableStreamBYOBRequest: streams,
  ReadableStreamDefaultController: streams,
  ReadableStreamDefaultReader: streams,
  removeEventListener: scope,
  ScheduledEvent: scope,
  ServiceWorkerGlobalScope: scope,
  structuredClone: "ext:outboard/structured_clone.js",
  SubtleCrypto: crypto,
  TailEvent: scope,
  TextDecoder: encoding,
  TextDecoderStream: encoding,
  TextEncoder: encoding,
  TextEncoderStream: encoding,
  TransformStream: streams,
  TransformStreamDefaultController: streams,
  URLPattern: "ext:deno_web/01_urlpattern.js",
  WebSocket: socket,
  WebSocketPair: socket,
  WebSocketRequestResponsePair: scope,
  WorkerGlobalScope: scope,
  WritableStream: streams,
  WritableStreamDefaultController: streams,
  WritableStreamDefaultWriter: streams,
};

function defineValue(name, value) {
  ObjectDefineProperty(globalThis, name, {
    __proto__: null,
    value,
    writable: true,
    enumerable: false,
    configurable: true,
  });
}

function defineLazy(name, get) {
  ObjectDefineProperty(globalThis, name, {
    __proto__: null,
    get() {
      const value = get();
      defineValue(name, value);
      return value;
    },
    set(value) {
      defineValue(name, value);
    },
    enumerable: false,
    configurable: true,
  });
}

// Node's, which `attachFlags` takes from workers without it.
lazy.Buffer = "ext:deno_node/internal/buffer.mjs";
lazy.process = "ext:outboard/node/visible_process.js";
for (const name of ["clearImmediate", "setImmediate"]) {
  defineLazy(name, () => load("ext:outboard/node/timers.js").exports[name]);
}
defineLazy("global", () => globalThis);

const names = ObjectKeys(lazy);
for (let i = 0; i < names.length; i++) {
  const name = names[i];
  const script = lazy[name];
  defineLazy(name, () => load(script)[name]);
}

const { reportException, reportRejection } = load("ext:outboard/report.js");
const { compatibilityFlags } = load("ext:outboard/compatibility.js");
const { refuseEval, replaceFunction } = load("ext:outboard/eval.js");
replaceFunction(globalThis);
const timers = load("ext:outboard/timers.js");
const { Date } = load("ext:outboard/clock.js");
const { fetch } = load("ext:outboard/fetch.js");
const { Headers } = load("ext:outboard/headers.js");
const { Request } = load("ext:outboard/request.js");
const { Response } = load("ext:outboard/response.js");
const { URL, URLSearchParams } = load("ext:deno_web/00_url.js");
const eager = {
  __proto__: null,
  clearInterval: timers.clearInterval,
  clearTimeout: timers.clearTimeout,
  Date,
  eval: refuseEval,
  fetch,
  Headers,
  origin: "null",
  queueMicrotask: timers.queueMicrotask,
  reportError,
  Request,
  Response,
  scheduler: timers.scheduler,
  self: globalThis,
  setInterval: timers.setInterval,
  setTimeout: timers.setTimeout,
  URL,
  URLSearchParams,
};
const eagerNames = ObjectKeys(eager);
for (let i = 0; i < eagerNames.length; i++) {
  defineValue(eagerNames[i], eager[eagerNames[i]]);
}

ObjectDefineProperty(globalThis, SymbolToStringTag, {
  __proto__: null,
  value: "ServiceWorkerGlobalScope",
  configurable: true,
});
defineLazy("Cloudflare", () => ({ compatibilityFlags: compatibilityFlags() }));
defineLazy("constructor", () => load(scope).ServiceWorkerGlobalScope);

function reportError(error) {
  if (arguments.length === 0) {
    throw new TypeError(
      "Failed to execute 'reportError' on 'ServiceWorkerGlobalScope': " +
        "parameter 1 is not of type 'Value'.",
    );
  }
  reportException(error);
}

defineLazy("console", () => {
  const { Console, setNoColorFns } = load("ext:deno_web/01_console.js");
  const plain = !op_console_colour();
  setNoColorFns(() => plain, () => plain);
  load("ext:outboard/inspect.js");
  const console = quiet(new Console((text, level) => op_console(level, text)));
  // An inspector takes the console before there is a worker that could be tailed.
  if (inspected || op_traced() !== 0) load("ext:outboard/trace.js").watch(console);
  return inspected ? mirror(console) : console;
});

/** What a script logs may throw when looked at; logging never does. */
function quiet(console) {
  const names = ObjectKeys(console);
  for (let i = 0; i < names.length; i++) {
    const method = console[names[i]];
    if (typeof method !== "function") continue;
    console[names[i]] = {
      [names[i]]: function () {
        try {
          ReflectApply(method, console, arguments);
        } catch {
          // Nothing to say of it.
        }
      },
    }[names[i]];
  }
  return console;
}

/** Whether the isolate has an inspector; set by `start`. */
let inspected = false;
const { callConsole, v8Console } = core;

/**
 * Makes V8's own console, which its inspector listens to, hear what a worker
 * logs. The engine calls the two, so that a message's place is the worker's
 * line and not one of this script.
 */
function mirror(console) {
  const names = ObjectKeys(v8Console);
  for (let i = 0; i < names.length; i++) {
    const name = names[i];
    const method = console[name];
    if (typeof method !== "function") continue;
    const both = FunctionPrototypeBind(
      callConsole,
      console,
      v8Console[name],
      method,
    );
    ObjectDefineProperty(both, "name", { __proto__: null, value: name });
    console[name] = both;
  }
  return console;
}

core.setReportExceptionCallback(reportException);
core.setUnhandledPromiseRejectionHandler(reportRejection);

const web = { __proto__: null, DOMException: "ext:deno_web/01_dom_exception.js" };
function domError(name) {
  return (message) => new (load(web.DOMException).DOMException)(message, name);
}
const domErrors = [
  "AbortError",
  "DataCloneError",
  "DataError",
  "InvalidAccessError",
  "InvalidCharacterError",
  "InvalidStateError",
  "NetworkError",
  "NotSupportedError",
  "OperationError",
  "QuotaExceededError",
  "SyntaxError",
  "TimeoutError",
  "TypeMismatchError",
];
for (let i = 0; i < domErrors.length; i++) {
  const name = domErrors[i];
  core.registerErrorBuilder(`DOMException${name}`, domError(name));
}
core.registerErrorClass("EvalError", EvalError);
const { names: errors, thrown } = load("ext:outboard/error_classes.js");
for (const name in thrown) core.registerErrorBuilder(name, thrown[name]);
/** What calls of an object end with that is no more. */
for (let i = 0; i < errors.length; i++) {
  const name = errors[i];
  core.registerErrorBuilder(`ObjectReset${name}`, (message) => {
    const error = new primordials[name](message);
    error.durableObjectReset = true;
    return error;
  });
}

const dispatch = load("ext:outboard/dispatch.js");

/**
 * Called in each new isolate, before any of the worker's code: hides the
 * engine's own names and hands the host its entry points. `hasInspector` says
 * whether debuggers can attach to it; `scope` is another object while the
 * snapshot is warmed.
 */
function start(hasInspector, scope = globalThis) {
  inspected = hasInspector;
  work.share();
  delete scope.Deno;
  delete scope.__bootstrap;
  delete scope.__outboard;
  // A worker's Wasm comes from its modules alone.
  const { WebAssembly } = scope;
  delete WebAssembly.compileStreaming;
  delete WebAssembly.instantiateStreaming;
  return [
    dispatch.prepare,
    dispatch.attach,
    dispatch.dispatchFetch,
    dispatch.dispatchDelivery,
    dispatch.dispatchTail,
    dispatch.dispatchTest,
    dispatch.dispatchObject,
    dispatch.dispatchAlarm,
    dispatch.dispatchSocket,
    dispatch.dispatchRpc,
    dispatch.dispatchObjectRpc,
    dispatch.dispatchConnect,
    dispatch.dispatchObjectConnect,
    dispatch.dispatchObjectDelivery,
    dispatch.dispatchObjectTail,
    dispatch.listenRpc,
    dispatch.startObject,
    dispatch.endObject,
    dispatch.entrypoints,
    dispatch.finishBody,
    dispatch.abandon,
    dispatch.stop,
  ];
}
globalThis.__outboard = start;

/**
 * Called once, while the snapshot is built: runs what every worker runs, so that
 * an isolate starts with its bytecode instead of compiling it for the first
 * request. `ids` are events that the host made for it.
 */
function warm(ids) {
  const handlers = [
    () => new Response("text"),
    async (request) => {
      const url = new URL(request.url);
      request.headers.get("host");
      await undefined;
      return new Response(url.pathname, {
        status: 201,
        headers: { "x-warm": request.method },
      });
    },
    async (request) => Response.json({ method: request.method }),
  ];
  // On a scope of their own: what they take away must stay in the image.
  start(false, { WebAssembly: {} });
  for (let i = 0; i < ids.length; i++) {
    dispatch.prepare("{}", 0, 0, false, {});
    dispatch.attach({ default: { fetch: handlers[i] } });
    dispatch.dispatchFetch(ids[i], "GET", "http://warm.test/path?query", false);
  }
  dispatch.worker.handler = undefined;
  dispatch.worker.namespace = undefined;
  dispatch.worker.env = undefined;
  delete globalThis.__outboardWarm;
}
globalThis.__outboardWarm = warm;
})();
