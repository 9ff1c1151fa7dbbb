// performance, which reads the worker's one clock.
(function () {
const { core, primordials } = __bootstrap;
const { ObjectDefineProperty, SymbolToStringTag } = primordials;
const { now } = core.loadExtScript("ext:outboard/clock.js");
const { flag, has, hasTimeline } = core.loadExtScript("ext:outboard/compatibility.js");

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
