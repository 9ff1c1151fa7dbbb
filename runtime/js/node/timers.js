// node:timers and node:timers/promises: objects over the runtime's own timers,
// which belong to the event that set them.
(function () {
const { core, primordials } = __bootstrap;
const {
  Error,
  ObjectDefineProperty,
  ObjectPrototypeIsPrototypeOf,
  Promise,
  PromiseReject,
  SymbolDispose,
  SymbolFor,
  SymbolToPrimitive,
} = primordials;
const web = core.loadExtScript("ext:outboard/timers.js");
const {
  validateAbortSignal,
  validateBoolean,
  validateFunction,
  validateNumber,
  validateObject,
} = core.loadExtScript("ext:deno_node/internal/validators.mjs");
const { AbortError, codes } = core.loadExtScript(
  "ext:deno_node/internal/errors.ts",
);
const { promisify } = core.loadExtScript("ext:deno_node/internal/util.mjs");

const { currentEvent } = core.loadExtScript("ext:outboard/event.js");

class Timeout {
  #id;
  #start;
  #holds = true;

  constructor(start) {
    this.#start = start;
    this.#id = start();
  }

  refresh() {
    web.clearTimeout(this.#id);
    this.#id = this.#start();
    return this;
  }

  // An event's end ends its timers whether they hold anything or not.
  ref() {
    this.#holds = true;
    return this;
  }

  unref() {
    this.#holds = false;
    return this;
  }

  hasRef() {
    return this.#holds;
  }

  close() {
    web.clearTimeout(this.#id);
    return this;
  }

  [SymbolDispose]() {
    web.clearTimeout(this.#id);
  }

  [SymbolToPrimitive]() {
    return this.#id;
  }
}

class Immediate {
  #id;
  #event = currentEvent();
  #holds = true;

  constructor(id) {
    this.#id = id;
  }

  ref() {
    this.#holds = true;
    return this;
  }

  unref() {
    this.#holds = false;
    return this;
  }

  hasRef() {
    return this.#holds;
  }

  [SymbolDispose]() {
    clearImmediate(this);
  }

  static clear(immediate) {
    if (immediate.#event !== currentEvent()) {
      throw new Error(
        "Cannot perform I/O on behalf of a different request. I/O objects (such " +
          "as streams, request/response bodies, and others) created in the " +
          "context of one request handler cannot be accessed from a different " +
          "request's handler.",
      );
    }
    web.clearTimeout(immediate.#id);
  }
}

/** One millisecond is the least, and what a delay that is none becomes. */
function milliseconds(delay) {
  const number = delay === undefined ? 1 : delay * 1;
  return number >= 1 ? number : 1;
}

function setTimeout(callback, delay = undefined, ...args) {
  validateFunction(callback, "callback");
  return new Timeout(
    () => web.setTimeout(callback, milliseconds(delay), ...args),
  );
}

function setInterval(callback, repeat = undefined, ...args) {
  validateFunction(callback, "callback");
  return new Timeout(
    () => web.setInterval(callback, milliseconds(repeat), ...args),
  );
}

function setImmediate(callback, ...args) {
  validateFunction(callback, "callback");
  return new Immediate(web.setTimeout(callback, 0, ...args));
}

function clearTimeout(timer) {
  if (ObjectPrototypeIsPrototypeOf(Timeout.prototype, timer)) timer.close();
  else if (typeof timer === "number") web.clearTimeout(timer);
}

function clearImmediate(immediate) {
  if (ObjectPrototypeIsPrototypeOf(Immediate.prototype, immediate)) {
    Immediate.clear(immediate);
  }
}

function active(timer) {
  if (ObjectPrototypeIsPrototypeOf(Timeout.prototype, timer)) timer.refresh();
}

function enroll() {
  throw new Error("Not implemented. Please use setTimeout() instead.");
}

/** Settles `start`ed work with `value`, or with the signal's abort. */
function settled(value, options, start, stop) {
  try {
    validateObject(options, "options");
    const { signal, ref } = options;
    if (signal !== undefined) validateAbortSignal(signal, "options.signal");
    if (ref !== undefined) validateBoolean(ref, "options.ref");
    if (signal?.aborted) {
      throw new AbortError(undefined, { cause: signal.reason });
    }
  } catch (error) {
    return PromiseReject(error);
  }
  const { signal } = options;
  return new Promise((resolve, reject) => {
    const cancel = () => {
      stop(timer);
      reject(new AbortError(undefined, { cause: signal.reason }));
    };
    const timer = start(() => {
      signal?.removeEventListener("abort", cancel);
      resolve(value);
    });
    signal?.addEventListener("abort", cancel, { once: true });
  });
}

async function timeout(delay = undefined, value = undefined, options = {}) {
  if (delay !== undefined) validateNumber(delay, "delay");
  return await settled(
    value,
    options,
    (done) => setTimeout(done, delay),
    clearTimeout,
  );
}

async function immediate(value = undefined, options = {}) {
  return await settled(value, options, setImmediate, clearImmediate);
}

async function* interval(delay = undefined, value = undefined, options = {}) {
  if (delay !== undefined) validateNumber(delay, "delay");
  validateObject(options, "options");
  const { signal, ref } = options;
  if (signal !== undefined) validateAbortSignal(signal, "options.signal");
  if (ref !== undefined) validateBoolean(ref, "options.ref");
  const aborted = () => new AbortError(undefined, { cause: signal.reason });
  if (signal?.aborted) throw aborted();
  let due = 0;
  let wake = null;
  const tick = () => {
    wake?.();
    wake = null;
  };
  const timer = setInterval(() => {
    due++;
    tick();
  }, delay);
  // What was due is still given; no more becomes so.
  const stop = () => {
    clearTimeout(timer);
    tick();
  };
  signal?.addEventListener("abort", stop, { once: true });
  try {
    while (!signal?.aborted) {
      if (due === 0) await new Promise((resolve) => wake = resolve);
      for (; due > 0; due--) yield value;
    }
    throw aborted();
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
  }
}

const kScheduler = SymbolFor("kScheduler");

class Scheduler {
  [kScheduler] = true;

  yield() {
    if (!this[kScheduler]) throw new codes.ERR_INVALID_THIS("Scheduler");
    return immediate();
  }

  wait(delay, options) {
    if (!this[kScheduler]) throw new codes.ERR_INVALID_THIS("Scheduler");
    return web.scheduler.wait(delay, options);
  }
}

const promises = {
  scheduler: new Scheduler(),
  setImmediate: immediate,
  setInterval: interval,
  setTimeout: timeout,
};
for (const name in promises) {
  if (name === "scheduler") continue;
  ObjectDefineProperty(promises[name], "name", { __proto__: null, value: name });
}
definePromised(setTimeout, timeout);
definePromised(setImmediate, immediate);

/** What `util.promisify` gives for `plain`. */
function definePromised(plain, promised) {
  ObjectDefineProperty(plain, promisify.custom, {
    __proto__: null,
    value: promised,
    enumerable: false,
  });
}

return {
  exports: {
    active,
    clearImmediate,
    clearInterval: clearTimeout,
    clearTimeout,
    enroll,
    promises,
    setImmediate,
    setInterval,
    setTimeout,
    unenroll: clearTimeout,
  },
  promises,
};
})();
