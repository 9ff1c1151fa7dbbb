// The global scope as an event target, and the classes that only exist to be
// named: loaded when a worker first touches one of them.
(function () {
const { core, primordials } = __bootstrap;
const {
  ObjectDefineProperty,
  ObjectSetPrototypeOf,
  SymbolToStringTag,
  TypeError,
} = primordials;
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

class ExtendableEvent extends Event {
  constructor() {
    throw illegal();
  }
}

class FetchEvent extends ExtendableEvent {}
class ScheduledEvent extends ExtendableEvent {}
class TailEvent extends ExtendableEvent {}

/** A message that a Durable Object's sockets answer without waking it. */
class WebSocketRequestResponsePair {
  #request;
  #response;

  constructor(request, response) {
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
  return dispatch(
    new ErrorEvent("error", {
      cancelable: true,
      message: core.destructureError(error).exceptionMessage,
      error,
    }),
  );
};

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
return { ...classes, addEventListener, dispatchEvent, removeEventListener };
})();
