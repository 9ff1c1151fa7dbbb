// What becomes of errors with `enhanced_error_serialization`: those that calls and
// requests throw, those that are passed, and those that are within themselves.
import assert from "node:assert";
import { DurableObject, WorkerEntrypoint } from "cloudflare:workers";

class Custom extends Error {
  name = "Custom";
  extra = { list: [1] };
}

const makers = {
  plain: () => new TypeError("plain"),
  own: () => Object.assign(new Error("own"), { code: "E1", data: { x: 1 }, retryable: true }),
  cause: () => new Error("caused", { cause: new RangeError("inner") }),
  aggregate: () => new AggregateError([new TypeError("one")], "several"),
  custom: () => new Custom("mine"),
  overloaded: () => Object.assign(new Error("later"), { overloaded: true }),
  dom: () => new DOMException("stopped", "NotFoundError"),
  itself: () => {
    const error = new Error("itself");
    error.cause = error;
    return error;
  },
  round: () => {
    const [a, b] = [new Error("a"), new Error("b")];
    a.other = { b };
    b.other = a;
    return a;
  },
  shared: () => {
    const one = { z: 1 };
    return Object.assign(new Error("shared"), { a: one, b: one });
  },
  method: () => Object.assign(new Error("has one"), { method() {} }),
  symbol: () => Object.assign(new Error("has one"), { mark: Symbol("mark") }),
  getter: () => Object.defineProperty(new Error("got"), "got", { enumerable: true, get() { throw new Error("getter"); } }),
  text: () => "text",
  object: () => ({ an: "object" }),
  nothing: () => undefined,
};

const Throwing = (Base) =>
  class extends Base {
    throws(kind) {
      throw makers[kind]();
    }
    gives(kind) {
      return makers[kind]();
    }
    takes(value) {
      return shown(value);
    }
    fetch(request) {
      throw makers[new URL(request.url).pathname.slice(1)]();
    }
  };
export class Service extends Throwing(WorkerEntrypoint) {}
export class Thing extends Throwing(DurableObject) {}

// The id is not told of by all versions, nor are these an error's own in all.
const HIDDEN = ["durableObjectId", "stack", "message"];

function shown(value, isInner = false) {
  if (typeof value === "function") return "a function";
  if (typeof value !== "object" || value === null) return String(value);
  if (Array.isArray(value)) return `[${value.map((item) => shown(item, true))}]`;
  const isDom = value instanceof DOMException;
  const names = Object.getOwnPropertyNames(value).filter((name) => !HIDDEN.includes(name) && !isDom || name === "remote");
  const own = names.sort().map((name) => `${name}=${isInner && typeof value[name] === "object" ? "..." : shown(value[name], true)}`);
  if (!(value instanceof Error)) return `{${own}}`;
  return [value.constructor.name, value.name, value.message, ...own].join("|");
}

async function caught(call) {
  try {
    return `gave ${shown(await call())}`;
  } catch (error) {
    return shown(error);
  }
}

/** What a caller catches: of a call, and of a request the same. */
const THROWN = {
  plain: "TypeError|TypeError|plain|remote=true",
  own: "Error|Error|own|code=E1|data={x=1}|remote=true|retryable=true",
  cause: "Error|Error|caused|cause=RangeError|RangeError|inner|remote=true",
  aggregate: "AggregateError|AggregateError|several|errors=[TypeError|TypeError|one]|remote=true",
  custom: "Error|Custom|mine|extra={list=...}|name=Custom|remote=true",
  overloaded: "Error|Error|later|overloaded=true|remote=true",
  dom: "DOMException|NotFoundError|stopped|remote=true",
  itself: "Error|Error|itself|remote=true",
  round: "Error|Error|a|remote=true",
  shared: "Error|Error|shared|a={z=1}|b={z=1}|remote=true",
  method: "Error|Error|has one|remote=true",
  symbol: "Error|Error|has one|remote=true",
  getter: "Error|Error|got|remote=true",
  text: "Error|Error|text|remote=true",
  object: "{an=object,remote=true}",
  nothing: "Error|Error|undefined|remote=true",
};

export const throws = {
  async test(_controller, { SERVICE, THING }) {
    for (const [kind, expected] of Object.entries(THROWN)) {
      for (const stub of [SERVICE, THING.getByName("throws")]) {
        assert.equal(await caught(() => stub.throws(kind)), expected, kind);
        assert.equal(await caught(() => stub.fetch(`http://test/${kind}`)), expected, `${kind} of a request`);
      }
    }
  },
};

/** What is passed, and what comes back. */
const PASSED = {
  plain: "TypeError|TypeError|plain",
  own: "Error|Error|own|code=E1|data={x=1}|retryable=true",
  cause: "Error|Error|caused|cause=RangeError|RangeError|inner",
  custom: "Error|Custom|mine|extra={list=...}|name=Custom",
  dom: "DOMException|NotFoundError|stopped",
  shared: "Error|Error|shared|a={z=1}|b={z=1}",
  method: "Error|Error|has one|method=a function",
};

export const passes = {
  async test(_controller, { SERVICE, THING }) {
    for (const [kind, expected] of Object.entries(PASSED)) {
      for (const stub of [SERVICE, THING.getByName("passes")]) {
        assert.equal(await caught(() => stub.gives(kind)), `gave ${expected}`, kind);
        assert.equal(await stub.takes(makers[kind]()), expected, `${kind} as an argument`);
      }
    }
  },
};

export const anErrorWithinItselfIsNotPassed = {
  async test(_controller, { SERVICE }) {
    for (const kind of ["itself", "round"]) {
      const refused = "Error|Error|Unable to deserialize cloned data.";
      assert.equal(await caught(() => SERVICE.gives(kind)), refused);
      assert.equal(await caught(() => SERVICE.takes(makers[kind]())), `${refused}|remote=true`);
    }
  },
};
