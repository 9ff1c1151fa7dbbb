// A worker that is a classic script: it listens for events, and its `env` are
// globals. To the rest it looks like a module's handlers.
(function () {
const { core, primordials } = __bootstrap;
const { ObjectDefineProperty, ObjectKeys, Error } = primordials;
const { listenerCount } = core.loadExtScript("ext:deno_web/02_event.js");
const {
  dispatchTrusted,
  newFetchEvent,
  newQueueEvent,
  newScheduledEvent,
  newTailEvent,
} = core.loadExtScript("ext:outboard/global_scope.js");
const { fetch } = core.loadExtScript("ext:outboard/fetch.js");

/** Called before the script runs. */
function defineBindings(env) {
  const names = ObjectKeys(env);
  for (let i = 0; i < names.length; i++) {
    ObjectDefineProperty(globalThis, names[i], {
      __proto__: null,
      value: env[names[i]],
      writable: true,
      enumerable: true,
      configurable: true,
    });
  }
}

const handlers = {
  __proto__: null,
  fetch(request, _env, ctx) {
    const { event, answer } = newFetchEvent(request, ctx);
    const kept = dispatchTrusted(event);
    const response = answer();
    if (response !== undefined) return response;
    if (!kept) {
      throw new Error("preventDefault() called but respondWith() not called");
    }
    if (request.bodyUsed) {
      throw new Error(
        "Script consumed request body but didn't call respondWith(). Can't " +
          "forward request.",
      );
    }
    // Nobody answered: the request goes where it was going.
    return fetch(request);
  },
  scheduled(controller, _env, ctx) {
    dispatchTrusted(newScheduledEvent(controller, ctx));
  },
  queue(controller, _env, ctx) {
    dispatchTrusted(newQueueEvent(controller, ctx));
  },
  tail(traces, _env, ctx) {
    dispatchTrusted(newTailEvent("tail", traces, ctx));
    dispatchTrusted(newTailEvent("trace", traces, ctx));
  },
};

/** The handlers of the events that the script listens for by now. */
function serviceHandlers() {
  return {
    __proto__: null,
    fetch: listenerCount(globalThis, "fetch") > 0 ? handlers.fetch : undefined,
    scheduled: listenerCount(globalThis, "scheduled") > 0
      ? handlers.scheduled
      : undefined,
    queue: listenerCount(globalThis, "queue") > 0 ? handlers.queue : undefined,
    tail: listenerCount(globalThis, "tail") > 0 || listenerCount(globalThis, "trace") > 0
      ? handlers.tail
      : undefined,
  };
}

return { defineBindings, serviceHandlers };
})();
