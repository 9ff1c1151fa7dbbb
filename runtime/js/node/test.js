// node:test: mocks alone, as Workers have it; a worker runs no tests by itself.
(function () {
const { core, primordials } = __bootstrap;
const {
  ArrayPrototypePush,
  ArrayPrototypeSlice,
  Error,
  ObjectDefineProperty,
  ObjectGetOwnPropertyDescriptor,
  ObjectGetPrototypeOf,
  Proxy,
  ReflectApply,
  ReflectConstruct,
  ReflectGet,
  SafeArrayIterator,
  SafeMap,
} = primordials;
const { codes } = core.loadExtScript("ext:outboard/node/errors.js");
const {
  validateBoolean,
  validateFunction,
  validateInteger,
  validateObject,
} = core.loadExtScript("ext:deno_node/internal/validators.mjs");

const isOptions = (value) => value !== null && typeof value === "object";

/** Set while the class is made: what a mock does that its user may not call. */
let beginCall, note;

class MockFunctionContext {
  #calls = [];
  #once = new SafeMap();
  #implementation;
  #undo;
  #times;

  constructor(implementation, undo, times) {
    this.#implementation = implementation;
    this.#undo = undo;
    this.#times = times;
  }

  static {
    beginCall = (context) => context.#begin();
    note = (context, call) => ArrayPrototypePush(context.#calls, call);
  }

  get calls() {
    return ArrayPrototypeSlice(this.#calls, 0);
  }
  callCount() {
    return this.#calls.length;
  }
  mockImplementation(implementation) {
    validateFunction(implementation, "implementation");
    this.#implementation = implementation;
  }
  mockImplementationOnce(implementation, onCall) {
    validateFunction(implementation, "implementation");
    const next = this.#calls.length;
    const call = onCall ?? next;
    validateInteger(call, "onCall", next);
    this.#once.set(call, implementation);
  }
  resetCalls() {
    this.#calls = [];
  }
  restore() {
    const { descriptor, name, object, original } = this.#undo;
    if (object === undefined) this.#implementation = original;
    else ObjectDefineProperty(object, name, descriptor);
  }

  #begin() {
    const index = this.#calls.length;
    const implementation = this.#once.get(index) ?? this.#implementation;
    this.#once.delete(index);
    if (index + 1 === this.#times) this.restore();
    return implementation;
  }
}

/** `original` with its calls noted in `context`, which is its `mock`. */
function mocked(original, context) {
  return new Proxy(original, {
    __proto__: null,
    apply: (_target, self, args) =>
      called(self, args, undefined, (fn) => ReflectApply(fn, self, args)),
    construct: (target, args, newTarget) =>
      called(undefined, args, target, (fn, call) => {
        const made = ReflectConstruct(fn, args, newTarget);
        call.this = made;
        return made;
      }),
    get: (target, name, receiver) =>
      name === "mock" ? context : ReflectGet(target, name, receiver),
  });

  function called(self, args, target, run) {
    const implementation = beginCall(context);
    const call = {
      arguments: args,
      error: undefined,
      result: undefined,
      stack: new Error(),
      target,
      this: self,
    };
    try {
      return call.result = run(implementation, call);
    } catch (error) {
      call.error = error;
      throw error;
    } finally {
      note(context, call);
    }
  }
}

function checkTimes(times) {
  if (times !== Infinity) validateInteger(times, "options.times", 1);
}

function findDescriptor(object, name) {
  for (let at = object; at !== null; at = ObjectGetPrototypeOf(at)) {
    const descriptor = ObjectGetOwnPropertyDescriptor(at, name);
    if (descriptor !== undefined) return descriptor;
  }
}

class MockTracker {
  #contexts = [];

  fn(original = function () {}, implementation = original, options = {}) {
    if (isOptions(original)) {
      options = original;
      original = implementation = function () {};
    } else if (isOptions(implementation)) {
      options = implementation;
      implementation = original;
    }
    validateFunction(original, "original");
    validateFunction(implementation, "implementation");
    validateObject(options, "options");
    const { times = Infinity } = options;
    checkTimes(times);
    return this.#track(implementation, original, times, { original });
  }

  method(object, name, implementation = undefined, options = {}) {
    if (typeof name !== "string" && typeof name !== "symbol") {
      throw new codes.ERR_INVALID_ARG_TYPE("methodName", ["string", "symbol"], name);
    }
    if (typeof object !== "function") validateObject(object, "object");
    if (isOptions(implementation)) {
      options = implementation;
      implementation = undefined;
    }
    if (implementation !== undefined) {
      validateFunction(implementation, "implementation");
    }
    validateObject(options, "options");
    const { getter = false, setter = false, times = Infinity } = options;
    validateBoolean(getter, "options.getter");
    validateBoolean(setter, "options.setter");
    checkTimes(times);
    if (getter && setter) {
      throw new codes.ERR_INVALID_ARG_VALUE(
        "options.setter",
        setter,
        "cannot be used with 'options.getter'",
      );
    }
    const descriptor = findDescriptor(object, name);
    const kind = getter ? "get" : setter ? "set" : "value";
    const original = descriptor?.[kind];
    if (typeof original !== "function") {
      throw new codes.ERR_INVALID_ARG_VALUE("methodName", original, "must be a method");
    }
    const undo = { descriptor, name, object, original };
    const mock = this.#track(implementation ?? original, original, times, undo);
    ObjectDefineProperty(object, name, {
      __proto__: null,
      ...descriptor,
      [kind]: mock,
    });
    return mock;
  }

  getter(object, name, implementation = undefined, options = {}) {
    return this.#accessor("getter", object, name, implementation, options);
  }

  setter(object, name, implementation = undefined, options = {}) {
    return this.#accessor("setter", object, name, implementation, options);
  }

  reset() {
    this.restoreAll();
    this.#contexts = [];
  }

  restoreAll() {
    for (const context of new SafeArrayIterator(this.#contexts)) {
      context.restore();
    }
  }

  #accessor(kind, object, name, implementation, options) {
    if (isOptions(implementation)) {
      options = implementation;
      implementation = undefined;
    } else validateObject(options, "options");
    const is = options[kind] ?? true;
    if (is === false) {
      throw new codes.ERR_INVALID_ARG_VALUE(
        `options.${kind}`,
        is,
        "cannot be false",
      );
    }
    return this.method(object, name, implementation, { ...options, [kind]: is });
  }

  #track(implementation, original, times, undo) {
    const context = new MockFunctionContext(implementation, undo, times);
    ArrayPrototypePush(this.#contexts, context);
    return mocked(original, context);
  }
}

return {
  exports: { MockFunctionContext, MockTracker, mock: new MockTracker() },
};
})();
