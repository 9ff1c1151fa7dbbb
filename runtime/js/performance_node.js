// What Node adds to `performance`, and Workers with it: there, and always 0,
// since nothing is measured of an event loop that workers share.
(function () {
const { core, primordials } = __bootstrap;
const {
  ObjectDefineProperty,
  ObjectSetPrototypeOf,
  SafeMap,
  Symbol,
  SymbolIterator,
  SymbolToStringTag,
  TypeError,
} = primordials;
const { Performance, PerformanceEntry } = core.loadExtScript(
  "ext:deno_web/15_performance.js",
);
const { illegalInvocation, makeEnumerable } = core.loadExtScript(
  "ext:outboard/headers.js",
);

const kOwn = Symbol();

function checkKey(key) {
  if (key !== kOwn) throw new TypeError("Illegal constructor");
}

function tag(prototype, value) {
  makeEnumerable(prototype);
  ObjectDefineProperty(prototype, SymbolToStringTag, {
    __proto__: null,
    value,
    configurable: true,
  });
}

/** Counts of events by name, of which there are none. */
class EventCounts {
  #counts = new SafeMap();

  constructor(key) {
    checkKey(key);
  }

  get size() {
    return this.#counts.size;
  }

  get(name) {
    return this.#counts.get(`${name}`);
  }

  has(name) {
    return this.#counts.has(`${name}`);
  }

  entries() {
    return this.#counts.entries();
  }

  keys() {
    return this.#counts.keys();
  }

  values() {
    return this.#counts.values();
  }

  forEach(callback, thisArg = undefined) {
    this.#counts.forEach(callback, thisArg);
  }
}
ObjectDefineProperty(EventCounts.prototype, SymbolIterator, {
  __proto__: null,
  value: EventCounts.prototype.entries,
  writable: true,
  configurable: true,
});
tag(EventCounts.prototype, "EventCounts");

/** When Node reached what; own properties, as Node has them. */
class PerformanceNodeTiming {
  constructor(key) {
    checkKey(key);
    const values = {
      __proto__: null,
      name: "node",
      entryType: "node",
      startTime: 0,
      duration: 0,
      nodeStart: 0,
      v8Start: 0,
      bootstrapComplete: 0,
      environment: 0,
      loopStart: 0,
      loopExit: 0,
      idleTime: 0,
      uvMetricsInfo: { loopCount: 0, events: 0, eventsWaiting: 0 },
    };
    for (const name in values) {
      ObjectDefineProperty(this, name, {
        __proto__: null,
        value: values[name],
        enumerable: true,
        configurable: true,
      });
    }
  }

  toJSON() {
    return { ...this };
  }
}
ObjectSetPrototypeOf(PerformanceNodeTiming.prototype, PerformanceEntry.prototype);
tag(PerformanceNodeTiming.prototype, "PerformanceNodeTiming");

/** Named, and never made: fetches are not timed. */
class PerformanceResourceTiming {
  constructor() {
    throw new TypeError("Illegal constructor");
  }
}
ObjectSetPrototypeOf(PerformanceResourceTiming, PerformanceEntry);
ObjectSetPrototypeOf(PerformanceResourceTiming.prototype, PerformanceEntry.prototype);
tag(PerformanceResourceTiming.prototype, "PerformanceResourceTiming");

const eventCounts = new EventCounts(kOwn);
const nodeTiming = new PerformanceNodeTiming(kOwn);

function eventLoopUtilization() {
  return { idle: 0, active: 0, utilization: 0 };
}

function timerify(fn) {
  if (typeof fn !== "function") throw illegalInvocation();
  return fn;
}

/** Gives `performance` the part that is there with `node:perf_hooks` alone. */
function extend(withNode) {
  const define = (name, descriptor) =>
    ObjectDefineProperty(Performance.prototype, name, {
      __proto__: null,
      ...descriptor,
      enumerable: true,
      configurable: true,
    });
  define("eventCounts", { get: () => eventCounts });
  if (!withNode) return;
  define("nodeTiming", { get: () => nodeTiming });
  define("eventLoopUtilization", { value: eventLoopUtilization, writable: true });
  define("markResourceTiming", { value: function markResourceTiming() {}, writable: true });
  define("timerify", { value: timerify, writable: true });
}

return { eventLoopUtilization, extend, PerformanceResourceTiming, timerify };
})();
