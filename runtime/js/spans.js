// Spans: what of an event's work its streaming tail workers are told by itself. Where
// it has none, nothing here does anything.
(function () {
const { core, primordials } = __bootstrap;
const { op_span_close, op_span_open, op_traced } = core.ops;
const {
  ArrayPrototypePush,
  JSONStringify,
  NumberIsInteger,
  ObjectDefineProperty,
  PromisePrototypeThen,
  ReflectApply,
} = primordials;
const { getAsyncContext } = core;
const { currentEvent } = core.loadExtScript("ext:outboard/event.js");

/** Whether somebody is told. */
const told = op_traced() === 2;

class Span {
  #event;
  #number;
  #attributes = [];

  constructor(event, number) {
    this.#event = event;
    this.#number = number;
  }

  /** Says something of it: a text, a boolean or a whole number; undefined says nothing. */
  set(name, value) {
    if (value === undefined || value === null) return;
    ArrayPrototypePush(
      this.#attributes,
      NumberIsInteger(value) ? { name, integer: `${value}` } : { name, value },
    );
  }

  /** A number that need not be whole. */
  setNumber(name, value) {
    ArrayPrototypePush(this.#attributes, { name, value });
  }

  close() {
    const attributes = this.#attributes;
    op_span_close(
      this.#event,
      this.#number,
      attributes.length === 0 ? null : JSONStringify(attributes),
    );
  }
}

/** The id of the script's own span (`js/script_spans.js`) that this piece of it is in. */
function activeId(event) {
  const active = getAsyncContext()?.span;
  return active !== undefined && active.event === event ? active.id ?? undefined : undefined;
}

/** A span of the current event, for who closes it; null where nobody is told. */
function open(name) {
  const event = told ? currentEvent() : undefined;
  if (event === undefined) return null;
  const number = op_span_open(event.id, name, activeId(event));
  return number === 0 ? null : new Span(event.id, number);
}

/**
 * Runs `run` as a span of the current event.
 * @param {(span: Span | null) => unknown} run what it gives ends the span
 */
function span(name, run) {
  const span = told ? open(name) : null;
  if (span === null) return run(null);
  const close = () => span.close();
  let result;
  try {
    result = run(span);
  } catch (error) {
    close();
    throw error;
  }
  if (!core.isPromise(result)) {
    close();
    return result;
  }
  return PromisePrototypeThen(result, (value) => {
    close();
    return value;
  }, (error) => {
    close();
    throw error;
  });
}

/**
 * Makes calls of methods spans.
 * @param {string} prefix of the spans' names, before the methods'
 * @param {string[]} names of the methods
 * @param {(span: Span, name: string, args: unknown[]) => void} [describe]
 * @param {(span: Span, name: string, result: unknown) => void} [answered] of a method
 *   that answers at once
 */
function tellCalls(prototype, prefix, names, describe = undefined, answered = undefined) {
  if (!told) return;
  for (let i = 0; i < names.length; i++) {
    const name = names[i];
    const method = prototype[name];
    const both = {
      [name](...args) {
        return span(prefix + name, (span) => {
          if (span !== null) describe?.(span, name, args);
          const result = ReflectApply(method, this, args);
          if (span !== null) answered?.(span, name, result);
          return result;
        });
      },
    }[name];
    ObjectDefineProperty(both, "length", { __proto__: null, value: method.length });
    // What else the property is, it stays.
    ObjectDefineProperty(prototype, name, { __proto__: null, value: both });
  }
}

return { activeId, open, span, tellCalls, told };
})();
