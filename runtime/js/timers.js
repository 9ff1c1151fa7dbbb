// setTimeout and friends over deno_core's timer wheel. A timer belongs to the
// event that set it and dies with it; strings are refused (they would be eval).
(function () {
const { core, primordials } = __bootstrap;
const {
  MapPrototypeDelete,
  MapPrototypeGet,
  MapPrototypeGetSize,
  MapPrototypeSet,
  MathMin,
  ObjectDefineProperty,
  Promise,
  PromiseReject,
  ReflectApply,
  SymbolToStringTag,
  TypeError,
} = primordials;
const { op_unhandled } = core.ops;
const { cancelTimer, createTimer, getAsyncContext, setAsyncContext } = core;
const { currentEvent, requireEvent } = core.loadExtScript(
  "ext:outboard/event.js",
);
const { workFor } = core.loadExtScript("ext:outboard/work.js");

function requireFunction(callback, name) {
  if (typeof callback !== "function") {
    throw new TypeError(
      `Failed to execute '${name}' on 'ServiceWorkerGlobalScope': parameter ` +
        "1 is not of type 'function'.",
    );
  }
}

/** As long as a timer can be: more would be none. No event lasts as long. */
const LONGEST = 2 ** 31 - 1;
/** Timers that an event may have set. */
const MOST = 10_000;

function start(callback, delay, args, repeat) {
  const event = requireEvent();
  const context = getAsyncContext();
  const table = event.timerTable();
  const active = MapPrototypeGetSize(table);
  if (active >= MOST) {
    const { DOMException } = core.loadExtScript(
      "ext:deno_web/01_dom_exception.js",
    );
    throw new DOMException(
      "You have exceeded the number of active timeouts you may set. max active " +
        `timeouts: ${MOST}, current active timeouts: ${active}, finished ` +
        `timeouts: ${table.finished ?? 0}`,
      "QuotaExceededError",
    );
  }
  const run = () => {
    const outer = getAsyncContext();
    setAsyncContext(context);
    try {
      ReflectApply(callback, globalThis, args);
    } catch (error) {
      op_unhandled(event.id, error);
    } finally {
      setAsyncContext(outer);
    }
  };
  let id = 0;
  const timer = createTimer(
    () => {
      workFor(event);
      if (!repeat) {
        MapPrototypeDelete(table, id);
        table.finished = (table.finished ?? 0) + 1;
      }
      event.resume(run);
    },
    MathMin(+delay, LONGEST),
    undefined,
    repeat,
    /* holds the event loop */ true,
  );
  id = timer._timerId;
  MapPrototypeSet(table, id, timer);
  return id;
}
function setTimeout(callback, delay = 0, ...args) {
  requireFunction(callback, "setTimeout");
  return start(callback, delay, args, false);
}

function setInterval(callback, delay = 0, ...args) {
  requireFunction(callback, "setInterval");
  return start(callback, delay, args, true);
}

function clearTimeout(id) {
  const table = currentEvent()?.timers;
  if (table === undefined || table === null) return;
  const timer = MapPrototypeGet(table, +id);
  if (timer !== undefined) {
    cancelTimer(timer);
    MapPrototypeDelete(table, +id);
  }
}

function queueMicrotask(callback) {
  requireFunction(callback, "queueMicrotask");
  primordials.queueMicrotask(callback);
}

/** `scheduler.wait(delay, { signal })`: an awaitable, abortable setTimeout. */
class Scheduler {
  wait(delay, options = undefined) {
    const signal = options?.signal;
    if (signal?.aborted) return PromiseReject(signal.reason);
    return new Promise((resolve, reject) => {
      const abort = () => {
        clearTimeout(id);
        reject(signal.reason);
      };
      const id = setTimeout(() => {
        signal?.removeEventListener("abort", abort);
        resolve(undefined);
      }, delay);
      signal?.addEventListener("abort", abort, { once: true });
    });
  }
}

ObjectDefineProperty(Scheduler.prototype, SymbolToStringTag, {
  __proto__: null,
  value: "Scheduler",
  configurable: true,
});

return {
  clearInterval: clearTimeout,
  clearTimeout,
  queueMicrotask,
  Scheduler,
  scheduler: new Scheduler(),
  setInterval,
  setTimeout,
};
})();
