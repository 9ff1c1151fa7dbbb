// What becomes of errors that a call throws, or passes, and of a request's.
import assert from "node:assert";
import { DurableObject, WorkerEntrypoint } from "cloudflare:workers";

class Custom extends Error {
  name = "Custom";
  code = 5;
}

const makers = {
  error: () => new Error("plain"),
  type: () => new TypeError("typed"),
  aggregate: () => new AggregateError([new TypeError("inner")], "several", { cause: "why" }),
  suppressed: () => new SuppressedError(new Error("a"), new Error("b"), "both"),
  wasm: () => new WebAssembly.RuntimeError("unreachable"),
  custom: () => new Custom("mine"),
  cause: () => new Error("outer", { cause: new TypeError("inner") }),
  cyclic: () => {
    const error = new Error("round");
    error.self = error;
    return error;
  },
  method: () => Object.assign(new Error("has one"), { method() {} }),
  retryable: () => Object.assign(new Error("again"), { retryable: true }),
  overloaded: () => Object.assign(new Error("later"), { overloaded: true, retryable: true }),
  nameless: () => Object.assign(new Error("no name"), { name: "" }),
  dom: () => new DOMException("stopped", "AbortError"),
  text: () => "text",
  symbol: () => Symbol("mark"),
  list: () => [1, 2],
  object: () => ({ a: 1 }),
  classed: () => new (class Foo {})(),
  nothing: () => undefined,
};

function make(request) {
  return makers[new URL(request.url).pathname.slice(1)]();
}

export class Throws extends WorkerEntrypoint {
  throws(kind) {
    throw makers[kind]();
  }
  fetch(request) {
    throw make(request);
  }
}

export class Throwing extends DurableObject {
  async throws(kind) {
    await null;
    throw makers[kind]();
  }
  gives(kind) {
    return makers[kind]();
  }
  echoes(value) {
    return value;
  }
  takes(error) {
    return shown(error);
  }
  fetch(request) {
    if (request.url.endsWith("/stream")) return new Response(this.stream());
    throw make(request);
  }
  abort() {
    this.ctx.abort("done");
  }
  stream() {
    return new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode("begun"));
      },
    });
  }
}

/** Class, name, message, and what else it has of its own. */
function shown(error) {
  if (typeof error !== "object" || error === null) return String(error);
  const own = Object.keys(error).filter((name) => !HIDDEN.includes(name)).sort();
  const { cause } = error;
  return [
    error.constructor.name,
    error.name,
    error.message,
    ...own.map((name) => `${name}=${error[name]}`),
    ...(cause === undefined ? [] : [`cause ${cause}`]),
  ].join("|");
}

// The id is not told of by all versions.
const HIDDEN = ["durableObjectId", "name", "message", "code", "stack"];

async function thrown(call) {
  try {
    await call();
  } catch (error) {
    return shown(error);
  }
  return "nothing was thrown";
}

/** What a caller catches: of a call, and of a request the same. */
const THROWN = {
  error: "Error|Error|plain|remote=true",
  type: "TypeError|TypeError|typed|remote=true",
  aggregate: "AggregateError|AggregateError|several|remote=true",
  suppressed: "SuppressedError|SuppressedError|both|remote=true",
  wasm: "RuntimeError|RuntimeError|unreachable|remote=true",
  custom: "Error|Error|Custom: mine|remote=true",
  cause: "Error|Error|outer|remote=true",
  cyclic: "Error|Error|round|remote=true",
  method: "Error|Error|has one|remote=true",
  nameless: "Error|Error|no name|remote=true",
  dom: "DOMException|AbortError|stopped|remote=true",
  text: "Error|Error|text|remote=true",
  symbol: "Error|Error|Symbol(mark)|remote=true",
  list: "Error|Error|[object Array]|remote=true",
  object: "Error|Error|#<Object>|remote=true",
  classed: "Error|Error|#<Foo>|remote=true",
  nothing: "Error|Error|undefined|remote=true",
};

export const throws = {
  async test(controller, { OBJECT, THROWS }) {
    const object = OBJECT.getByName("throws");
    for (const [kind, expected] of Object.entries(THROWN)) {
      const fetched = (stub) => thrown(() => stub.fetch(`http://test/${kind}`));
      assert.equal(await thrown(() => THROWS.throws(kind)), expected);
      assert.equal(await thrown(() => object.throws(kind)), expected);
      assert.equal(await fetched(THROWS), expected);
      assert.equal(await fetched(object), expected);
    }
    for (const call of [
      (kind) => object.throws(kind),
      (kind) => object.fetch(`http://test/${kind}`),
      (kind) => THROWS.fetch(`http://test/${kind}`),
    ]) {
      assert.equal(await thrown(() => call("retryable")), "Error|Error|again|remote=true|retryable=true");
      assert.equal(await thrown(() => call("overloaded")), "Error|Error|later|overloaded=true|remote=true");
    }
  },
};

/** What is passed, as V8 clones it. */
const PASSED = {
  error: "Error|Error|plain",
  type: "TypeError|TypeError|typed",
  aggregate: "Error|Error|several|cause why",
  custom: "Error|Error|mine",
  cause: "Error|Error|outer|cause TypeError: inner",
  cyclic: "Error|Error|round",
  method: "Error|Error|has one",
  nameless: "Error|Error|no name",
  dom: "DOMException|AbortError|stopped",
};

export const passed = {
  async test(controller, { OBJECT }) {
    const object = OBJECT.getByName("passed");
    for (const [kind, expected] of Object.entries(PASSED)) {
      assert.equal(shown(await object.gives(kind)), expected);
      assert.equal(await object.takes(makers[kind]()), expected);
    }
    const got = Object.defineProperty(new Error("got"), "got", { get() { throw new Error("getter"); } });
    assert.equal(await object.takes(got), "Error|Error|got");
    const itself = () => {
      const error = new TypeError("itself");
      error.cause = { error };
      return error;
    };
    const [given] = await object.echoes([itself()]);
    assert.equal(given.cause.error, given);
    assert.equal(given.message, "itself");
    // The stack is the one that it had.
    assert.match((await object.gives("error")).stack, /^Error: plain\n {4}at Object\.error \(rpc-errors\.js:\d+:\d+\)\n/);
  },
};

/** Stacks have the frames of the script alone. */
export const stacks = {
  async test(controller, { OBJECT }) {
    const object = OBJECT.getByName("stacks");
    const stackOf = async (call) => {
      try {
        await call();
      } catch (error) {
        return error.stack.split("\n");
      }
    };
    const called = await stackOf(() => object.throws("error"));
    assert.equal(called[0], "Error: plain");
    const refused = await stackOf(() => new URL("no address"));
    for (const line of [...called.slice(1), ...refused.slice(1)]) {
      assert.match(line, /^ {4}at .*\brpc-errors\.js:\d+:\d+\)?$/);
    }
    assert(refused.length > 1);
  },
};

/** The stream of an object that is no more fails for who reads it. */
export const streams = {
  async test(controller, { OBJECT }) {
    for (const open of [
      async (object) => object.stream(),
      async (object) => (await object.fetch("http://test/stream")).body,
    ]) {
      const stub = () => OBJECT.getByName("streams");
      const reader = (await open(stub())).getReader();
      assert.equal(new TextDecoder().decode((await reader.read()).value), "begun");
      const aborted = await thrown(() => stub().abort());
      assert.equal(aborted, "Error|Error|done|durableObjectReset=true");
      await assert.rejects(reader.read());
    }
  },
};
