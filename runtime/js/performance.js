// performance: a clock. It stands at 0 outside of events, so that a module's
// top level runs alike wherever it is loaded.
(function () {
const { core, primordials } = __bootstrap;
const { op_now } = core.ops;
const {
  ObjectDefineProperty,
  SymbolToStringTag,
  TypedArrayPrototypeGetBuffer,
  Uint32Array,
  Uint8Array,
} = primordials;
const { currentEvent } = core.loadExtScript("ext:outboard/event.js");

/** Seconds and nanoseconds, as the host writes them. */
const time = new Uint32Array(2);
const timeBytes = new Uint8Array(TypedArrayPrototypeGetBuffer(time));

class Performance {
  get timeOrigin() {
    return 0;
  }

  now() {
    if (currentEvent() === undefined) return 0;
    op_now(timeBytes);
    return time[0] * 1000 + time[1] / 1e6;
  }

  toJSON() {
    return { timeOrigin: this.timeOrigin };
  }

  // What timelines are for has no reader here; callers are let be.
  mark() {}
  measure() {}
  clearMarks() {}
  clearMeasures() {}
  clearResourceTimings() {}
  setResourceTimingBufferSize() {}

  getEntries() {
    return [];
  }

  getEntriesByName() {
    return [];
  }

  getEntriesByType() {
    return [];
  }
}
ObjectDefineProperty(Performance.prototype, SymbolToStringTag, {
  __proto__: null,
  value: "Performance",
  configurable: true,
});

return { performance: new Performance() };
})();
