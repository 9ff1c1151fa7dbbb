// `tracing`: spans that a script opens for its own work. Streaming tail workers are told
// of them, and what runs in one is told as a part of it: logs, and spans of the runtime's.
(function () {
const { core, primordials } = __bootstrap;
const { ObjectDefineProperty, PromisePrototypeThen, Symbol, SymbolToStringTag, TypeError } =
  primordials;
const { currentEvent } = core.loadExtScript("ext:outboard/event.js");
const { illegalInvocation } = core.loadExtScript("ext:outboard/headers.js");
const { markUncloneable } = core.loadExtScript("ext:outboard/not_serializable.js");
/** Most workers that have `tracing` at hand open none. */
const spans = () => core.loadExtScript("ext:outboard/script_spans.js");

const kOwn = Symbol("made here");

class Tracing {
  #own = true;

  constructor(key) {
    if (key !== kOwn) throw new TypeError("Illegal constructor");
  }

  enterSpan(name, callback, ...args) {
    const span = begin(this, "enterSpan", name, callback);
    let result;
    try {
      result = spans().within(span, callback, [span, ...args]);
    } catch (error) {
      span.end();
      throw error;
    }
    if (!core.isPromise(result)) {
      span.end();
      return result;
    }
    return PromisePrototypeThen(result, (value) => {
      span.end();
      return value;
    }, (error) => {
      span.end();
      throw error;
    });
  }

  /** The caller ends the span. */
  startActiveSpan(name, callback, ...args) {
    const span = begin(this, "startActiveSpan", name, callback);
    return spans().within(span, callback, [span, ...args]);
  }

  startSpan(name) {
    check(this);
    const { nameOf, start } = spans();
    return start(nameOf(name, "startSpan", "Tracing"));
  }

  /** The span that this piece of script is in, or the event's own. */
  getActiveSpan() {
    check(this);
    const event = currentEvent();
    if (event === undefined) return undefined;
    const active = core.getAsyncContext().span;
    return active !== undefined && active.event === event ? active.span : spans().rootOf(event);
  }

  withActiveSpan(span, callback, ...args) {
    check(this);
    const { isSpan, within, wrong } = spans();
    if (!isSpan(span)) throw wrong("withActiveSpan", "Tracing", 1, "Span");
    if (typeof callback !== "function") throw wrong("withActiveSpan", "Tracing", 2, "Function");
    return within(span, callback, args);
  }

  get Span() {
    return spans().Span;
  }

  static is(value) {
    return typeof value === "object" && value !== null && #own in value;
  }
}
const { is: isTracing } = Tracing;
delete Tracing.is;
markUncloneable(Tracing);

function check(self) {
  if (!isTracing(self)) throw illegalInvocation();
}

function begin(self, method, name, callback) {
  check(self);
  const { nameOf, start, wrong } = spans();
  name = nameOf(name, method, "Tracing");
  if (typeof callback !== "function") throw wrong(method, "Tracing", 2, "Function");
  return start(name);
}

ObjectDefineProperty(Tracing.prototype, SymbolToStringTag, {
  __proto__: null,
  value: "Tracing",
  configurable: true,
});

return { tracing: new Tracing(kOwn) };
})();
