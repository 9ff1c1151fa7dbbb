// performance: a clock. It stands at 0 outside of events, so that a module's
// top level runs alike wherever it is loaded.
(function () {
const { core, primordials } = __bootstrap;
const { op_now, op_time_origin } = core.ops;
const {
  ObjectDefineProperty,
  SymbolToStringTag,
  TypedArrayPrototypeGetBuffer,
  Uint32Array,
  Uint8Array,
} = primordials;
const { flag, has, hasTimeline } = core.loadExtScript("ext:outboard/compatibility.js");
const { currentEvent } = core.loadExtScript("ext:outboard/event.js");

/** Seconds and nanoseconds, as the host writes them. */
const time = new Uint32Array(2);
const timeBytes = new Uint8Array(TypedArrayPrototypeGetBuffer(time));

function read(op) {
  op(timeBytes);
  return time[0] * 1000 + time[1] / 1e6;
}

/** When the isolate began, in milliseconds since 1970; read once. */
let origin = null;

function now() {
  if (currentEvent() === undefined) return 0;
  return (origin ??= read(op_time_origin)) + read(op_now);
}

class Performance {
  // As Workers have it, `now` counts from here.
  get timeOrigin() {
    return 0;
  }

  now() {
    return now();
  }

  toJSON() {
    return { timeOrigin: this.timeOrigin };
  }
}
ObjectDefineProperty(Performance.prototype, SymbolToStringTag, {
  __proto__: null,
  value: "Performance",
  configurable: true,
});

let chosen;

/** By the worker's flags: marks and measures bring events and cloning along. */
function choose() {
  if (chosen !== undefined) return chosen;
  if (!hasTimeline()) {
    return chosen = { __proto__: null, Performance, performance: new Performance() };
  }
  const { extend, PerformanceResourceTiming } = core.loadExtScript(
    "ext:outboard/performance_node.js",
  );
  extend(has(flag.enable_nodejs_perf_hooks_module));
  return chosen = {
    __proto__: null,
    ...core.loadExtScript("ext:deno_web/15_performance.js"),
    PerformanceResourceTiming,
  };
}

return {
  now,
  get performance() {
    return choose().performance;
  },
  get Performance() {
    return choose().Performance;
  },
  get PerformanceEntry() {
    return choose().PerformanceEntry;
  },
  get PerformanceMark() {
    return choose().PerformanceMark;
  },
  get PerformanceMeasure() {
    return choose().PerformanceMeasure;
  },
  get PerformanceResourceTiming() {
    return choose().PerformanceResourceTiming;
  },
  get PerformanceObserver() {
    return choose().PerformanceObserver;
  },
  get PerformanceObserverEntryList() {
    return choose().PerformanceObserverEntryList;
  },
};
})();
