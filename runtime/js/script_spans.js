// Spans that a script opens for its own work (`js/tracing.js`).
(function () {
const { core, primordials } = __bootstrap;
const {
  op_event_attributes,
  op_span_close,
  op_span_exception,
  op_span_ids,
  op_span_open,
  op_span_update,
} = core.ops;
const {
  ArrayPrototypePush,
  JSONStringify,
  MapPrototypeForEach,
  MapPrototypeGet,
  MapPrototypeSet,
  ObjectDefineProperty,
  ObjectKeys,
  ReflectApply,
  SafeMap,
  SafeWeakMap,
  StringPrototypeSlice,
  Symbol,
  SymbolToStringTag,
  TypeError,
  WeakMapPrototypeGet,
  WeakMapPrototypeSet,
} = primordials;
const { getAsyncContext, setAsyncContext } = core;
const { currentEvent } = core.loadExtScript("ext:outboard/event.js");
const { markUncloneable } = core.loadExtScript("ext:outboard/not_serializable.js");
const { activeId, told } = core.loadExtScript("ext:outboard/spans.js");

const kOwn = Symbol("made here");

/** A name is for what is done, and not for what with. */
const NAME = 64;
/** What the attributes of a span may have together; what is past it is not told. */
const ATTRIBUTES = 64 * 1024;

/** The event itself. */
const ROOT = 0;
const NO_IDS = ["00000000000000000000000000000000", "0000000000000000"];

function wrong(method, of, index, type) {
  return new TypeError(
    `Failed to execute '${method}' on '${of}': parameter ${index} is not of type '${type}'.`,
  );
}

function nameOf(name, method, of) {
  if (name === undefined) throw wrong(method, of, 1, "string");
  return StringPrototypeSlice(`${name}`, 0, NAME);
}

/** An attribute's value, as it is told. */
function valueOf(value) {
  switch (typeof value) {
    case "boolean":
    case "number":
    case "string":
      return value;
    case "bigint":
      throw new TypeError("Cannot convert a BigInt value to a number");
    default:
      return `${value}`;
  }
}

class Span {
  /** @type {EventContext | undefined} */
  #event;
  /** The host's number for it; null of one that nobody is told of, or that has ended. */
  #number;
  /** The trace's, and its own. */
  #ids;
  #attributes = new SafeMap();
  #size = 0;

  constructor(key, event, number) {
    if (key !== kOwn) throw new TypeError("Illegal constructor");
    this.#event = event;
    this.#number = number;
    this.#ids = number === null ? null : op_span_ids(event.id, number);
    if (this.#ids === null) this.#number = null;
  }

  get isTraced() {
    return this.#number !== null && !this.#event.ended;
  }

  spanContext() {
    const { 0: traceId, 1: spanId } = this.#ids ?? NO_IDS;
    return { traceId, spanId, traceFlags: 0 };
  }

  setAttribute(key, value) {
    if (key === undefined) throw wrong("setAttribute", "Span", 1, "string");
    this.#set(`${key}`, value);
    return this;
  }

  setAttributes(attributes) {
    if (typeof attributes !== "object" || attributes === null) {
      throw wrong("setAttributes", "Span", 1, "object");
    }
    const keys = ObjectKeys(attributes);
    for (let i = 0; i < keys.length; i++) this.#set(keys[i], attributes[keys[i]]);
    return this;
  }

  #set(name, value) {
    if (value === undefined) return;
    value = valueOf(value);
    if (!this.isTraced) return;
    if (this.#number === ROOT) {
      op_event_attributes(this.#event.id, JSONStringify([{ name, value }]));
      return;
    }
    const before = MapPrototypeGet(this.#attributes, name);
    const size = this.#size - sizeOf(name, before) + sizeOf(name, value);
    if (size > ATTRIBUTES) return;
    this.#size = size;
    MapPrototypeSet(this.#attributes, name, value);
  }

  recordException(exception) {
    if (arguments.length === 0) throw wrong("recordException", "Span", 1, "Value");
    const isObject = typeof exception === "object" && exception !== null;
    const { code, name, message, stack } = isObject ? exception : { message: exception };
    const text = (value) => value === undefined ? "" : `${value}`;
    const recorded = {
      code: typeof code === "number" || code === undefined ? code : `${code}`,
      name: text(name),
      message: text(message),
      stack: stack === undefined ? undefined : `${stack}`,
    };
    if (this.isTraced) op_span_exception(this.#event.id, this.#ids[1], recorded);
  }

  updateName(name) {
    this.#update({ type: "name", name: nameOf(name, "updateName", "Span") });
    return this;
  }

  setStatus(status) {
    if (typeof status !== "object" || status === null) {
      throw wrong("setStatus", "Span", 1, "TracingSpanStatus");
    }
    const code = `${status.code}`;
    if (code !== "unset" && code !== "ok" && code !== "error") {
      throw new TypeError("Span status code must be 'unset', 'ok', or 'error'.");
    }
    const { message } = status;
    const told = message === undefined ? { code } : { code, message: `${message}` };
    this.#update({ type: "status", status: told });
    return this;
  }

  #update(info) {
    if (this.isTraced) op_span_update(this.#event.id, this.#ids[1], JSONStringify(info));
  }

  end() {
    // The event's own ends with it.
    if (this.#number === ROOT) return;
    if (this.isTraced) {
      const attributes = [];
      MapPrototypeForEach(
        this.#attributes,
        (value, name) => ArrayPrototypePush(attributes, { name, value }),
      );
      const text = attributes.length === 0 ? null : JSONStringify(attributes);
      op_span_close(this.#event.id, this.#number, text);
    }
    this.#number = null;
  }

  static is(value) {
    return typeof value === "object" && value !== null && #attributes in value;
  }

  /** What of it a piece of script that runs in it has in its context. */
  static active(span) {
    return { event: span.#event, id: span.#ids?.[1] ?? null, span };
  }
}
const { is: isSpan, active: activeOf } = Span;
delete Span.is;
delete Span.active;
markUncloneable(Span);
ObjectDefineProperty(Span.prototype, SymbolToStringTag, {
  __proto__: null,
  value: "Span",
  configurable: true,
});

function sizeOf(name, value) {
  if (value === undefined) return 0;
  return name.length + (typeof value === "string" ? value.length : 8);
}

/** A span of the current event, in the one that is active. */
function start(name) {
  const event = currentEvent();
  if (!told || event === undefined || event.ended) return new Span(kOwn, event, null);
  const number = op_span_open(event.id, name, activeId(event));
  return new Span(kOwn, event, number === 0 ? null : number);
}

/** Calls `callback` in a span. */
function within(span, callback, args) {
  const outer = getAsyncContext();
  setAsyncContext({ __proto__: null, ...outer, span: activeOf(span) });
  try {
    return ReflectApply(callback, globalThis, args);
  } finally {
    setAsyncContext(outer);
  }
}

/** Spans that are events, by those. */
const roots = new SafeWeakMap();

function rootOf(event) {
  let root = WeakMapPrototypeGet(roots, event);
  if (root === undefined) {
    root = new Span(kOwn, event, told ? ROOT : null);
    WeakMapPrototypeSet(roots, event, root);
  }
  return root;
}

return { isSpan, nameOf, rootOf, Span, start, within, wrong };
})();
