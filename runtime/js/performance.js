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

class Performance {
  // As Workers have it, `now` counts from here.
  get timeOrigin() {
    return 0;
  }

  now() {
    if (currentEvent() === undefined) return 0;
    return (origin ??= read(op_time_origin)) + read(op_now);
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

return { performance: new Performance() };
})();
