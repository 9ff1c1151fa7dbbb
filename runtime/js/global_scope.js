// The global scope as an event target, and the classes that only exist to be
// named: loaded when a worker first touches one of them.
(function () {
const { core, primordials } = __bootstrap;
const {
  Error,
  ObjectDefineProperty,
  ObjectSetPrototypeOf,
  PromiseResolve,
  ReflectApply,
  StringPrototypeSlice,
  StringPrototypeStartsWith,
  Symbol,
  SymbolToStringTag,
  TypeError,
} = primordials;
const { DOMException } = core.loadExtScript(
  "ext:deno_web/01_dom_exception.js",
);
const webidl = core.loadExtScript("ext:deno_webidl/00_webidl.js");
const events = core.loadExtScript("ext:deno_web/02_event.js");
const { Event, EventTarget, ErrorEvent, listenerCount, PromiseRejectionEvent } =
  events;
const { listeners } = core.loadExtScript("ext:outboard/report.js");

function illegal() {
  return new TypeError("Illegal constructor");
}

class WorkerGlobalScope extends EventTarget {
  constructor() {
    throw illegal();
  }
}

class ServiceWorkerGlobalScope extends WorkerGlobalScope {}

/** Only scripts here can make the events that the host sends. */
const kOwn = Symbol();

class ExtendableEvent extends Event {
  #ctx;

  constructor(key, type, ctx) {
    if (key !== kOwn) throw illegal();
    super(type, { cancelable: true });
    this.#ctx = ctx;
  }

  waitUntil(promise) {
    this.#ctx.waitUntil(promise);
  }

  passThrough() {
    this.#ctx.passThroughOnException();
  }
}
const { passThrough } = ExtendableEvent.prototype;
delete ExtendableEvent.prototype.passThrough;

class FetchEvent extends ExtendableEvent {
  #request;
  #answer;
  #open = true;

  constructor(key, request, ctx) {
    super(key, "fetch", ctx);
    this.#request = request;
  }

  get request() {
    return this.#request;
  }

  respondWith(response) {
    if (this.#answer !== undefined) {
      throw new DOMException(
        "FetchEvent.respondWith() has already been called; it can only be " +
          "called once.",
        "InvalidStateError",
      );
    }
    if (!this.#open) {
      throw new DOMException(
        "Too late to call FetchEvent.respondWith(). It must be called " +
          "synchronously in the event handler.",
        "InvalidStateError",
      );
    }
    // An answer ends the event's way through the listeners.
    this.stopImmediatePropagation();
    this.#answer = PromiseResolve(response);
  }

  passThroughOnException() {
    ReflectApply(passThrough, this, []);
  }

  /** No answer is taken any more; gives the one there is. */
  static close(event) {
    event.#open = false;
    return event.#answer;
  }
}
const { close } = FetchEvent;
delete FetchEvent.close;

class ScheduledEvent extends ExtendableEvent {
  #controller;

  constructor(key, controller, ctx) {
    super(key, "scheduled", ctx);
    this.#controller = controller;
  }

  get scheduledTime() {
    return this.#controller.scheduledTime;
  }

  get cron() {
    return this.#controller.cron;
  }

  noRetry() {
    this.#controller.noRetry();
  }
}

class QueueEvent extends ExtendableEvent {
  #controller;

  constructor(key, controller, ctx) {
    super(key, "queue", ctx);
    this.#controller = controller;
  }

  get messages() {
    return this.#controller.messages;
  }

  get queue() {
    return this.#controller.queue;
  }

  get metadata() {
    return this.#controller.metadata;
  }

  retryAll(options = undefined) {
    this.#controller.retryAll(options);
  }

  ackAll() {
    this.#controller.ackAll();
  }
}

class TailEvent extends ExtendableEvent {
  constructor(key, type, traces, ctx) {
    super(key, type, ctx);
    const own = (name) =>
      ObjectDefineProperty(this, name, {
        __proto__: null,
        value: traces,
        enumerable: true,
      });
    own("events");
    own("traces");
  }
}

function newFetchEvent(request, ctx) {
  const event = new FetchEvent(kOwn, request, ctx);
  return { event, answer: () => close(event) };
}

function newScheduledEvent(controller, ctx) {
  return new ScheduledEvent(kOwn, controller, ctx);
}

function newQueueEvent(controller, ctx) {
  return new QueueEvent(kOwn, controller, ctx);
}

/** @param {string} type "tail", or the older "trace" */
function newTailEvent(type, traces, ctx) {
  return new TailEvent(kOwn, type, traces, ctx);
}

/** A message that a Durable Object's sockets answer without waking it. */
class WebSocketRequestResponsePair {
  #request;
  #response;

  constructor(request, response) {
    if (arguments.length < 2) {
      throw new TypeError(
        "Failed to construct 'WebSocketRequestResponsePair': constructor parameter " +
          `${arguments.length + 1} is not of type 'string'.`,
      );
    }
    this.#request = `${request}`;
    this.#response = `${response}`;
  }

  get request() {
    return this.#request;
  }

  get response() {
    return this.#response;
  }
}

const classes = {
  ExtendableEvent,
  FetchEvent,
  QueueEvent,
  ScheduledEvent,
  ServiceWorkerGlobalScope,
  TailEvent,
  WebSocketRequestResponsePair,
  WorkerGlobalScope,
};
for (const name in classes) {
  ObjectDefineProperty(classes[name].prototype, SymbolToStringTag, {
    __proto__: null,
    value: name,
    configurable: true,
  });
}

ObjectSetPrototypeOf(globalThis, ServiceWorkerGlobalScope.prototype);
ObjectDefineProperty(globalThis, webidl.brand, {
  __proto__: null,
  value: webidl.brand,
});
events.saveGlobalThisReference(globalThis);
events.setEventTargetData(globalThis);

listeners.error = (error) => {
  if (listenerCount(globalThis, "error") === 0) return true;
  const { exceptionMessage, frames } = core.destructureError(error);
  // What is no error was thrown where it is reported.
  const at = scriptFrame(frames) ??
    scriptFrame(core.destructureError(new Error()).frames);
  return dispatch(
    new ErrorEvent("error", {
      cancelable: true,
      message: exceptionMessage,
      filename: at?.fileName ?? "",
      lineno: at?.lineNumber ?? 0,
      // Columns count from 0 here.
      colno: at !== undefined && frames.length > 0 ? at.columnNumber - 1 : 0,
      error,
    }),
  );
};

const BUNDLE = "worker:///";
/** By the flag `new_module_registry`, whose files are named in full. */
const NEW_BUNDLE = "file:///bundle/";

/** The first of the worker's own, its file named as the bundle names it. */
function scriptFrame(frames) {
  for (let i = 0; i < frames.length; i++) {
    const { fileName } = frames[i];
    if (typeof fileName !== "string") continue;
    if (StringPrototypeStartsWith(fileName, NEW_BUNDLE)) return frames[i];
    if (StringPrototypeStartsWith(fileName, BUNDLE)) {
      return { ...frames[i], fileName: StringPrototypeSlice(fileName, BUNDLE.length) };
    }
  }
}

listeners.rejection = (promise, reason) => {
  if (listenerCount(globalThis, "unhandledrejection") === 0) return true;
  return dispatch(
    new PromiseRejectionEvent("unhandledrejection", {
      cancelable: true,
      promise,
      reason,
    }),
  );
};

core.setHandledPromiseRejectionHandler((promise) => {
  if (listenerCount(globalThis, "rejectionhandled") === 0) return;
  // Workers give no reason here: the log has it already.
  dispatch(
    new PromiseRejectionEvent("rejectionhandled", { promise, reason: undefined }),
  );
});

/** Whether the default action, a line in the log, is still wanted. */
function dispatch(event) {
  events.setIsTrusted(event, true);
  // deno-lint-ignore prefer-primordials
  return EventTarget.prototype.dispatchEvent.call(globalThis, event);
}

const { addEventListener, dispatchEvent, removeEventListener } =
  EventTarget.prototype;
return {
  ...classes,
  addEventListener,
  dispatchEvent,
  dispatchTrusted: dispatch,
  newFetchEvent,
  newQueueEvent,
  newScheduledEvent,
  newTailEvent,
  removeEventListener,
};
})();
