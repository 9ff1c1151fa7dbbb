// Fetcher: a service that a worker is bound to.
(function () {
const { core, primordials } = __bootstrap;
const { op_is_tested } = core.ops;
const {
  ObjectDefineProperty,
  ObjectPrototype,
  ObjectSetPrototypeOf,
  PromiseReject,
  Symbol,
  SymbolToStringTag,
  TypeError,
} = primordials;
const { flag, has } = core.loadExtScript("ext:outboard/compatibility.js");
const { requireEvent } = core.loadExtScript("ext:outboard/event.js");
const { fetchAsSpan } = core.loadExtScript("ext:outboard/fetch.js");
const { illegalInvocation, Made, makeEnumerable } = core.loadExtScript(
  "ext:outboard/headers.js",
);
const { markUncloneable } = core.loadExtScript("ext:outboard/not_serializable.js");
const { Request } = core.loadExtScript("ext:outboard/request.js");

const kTo = Symbol("to a service");

/** The host's number for the worker itself. */
const SELF = -2;

const CAME_IN_A_CALL = "A stub that came in a call takes requests and calls alone.";

class Fetcher extends Made {
  /** The host's number for the service; null of one that came in a call. */
  #service;
  /** What of it is meant, where the number does not say. @type {string | null} */
  #target;
  /** What its methods are called by; made when one is. */
  #hook;

  constructor(key, service, target = null, hook = null, of = undefined) {
    if (key !== kTo) throw new TypeError("Illegal constructor");
    super(of);
    this.#service = service;
    this.#target = target;
    this.#hook = hook;
  }

  fetch(input, init = undefined) {
    try {
      if (!(#service in this)) throw illegalInvocation();
      const event = requireEvent();
      if (arguments.length === 0) {
        throw new TypeError(
          "Failed to execute 'fetch' on 'Fetcher': parameter 1 is not of type " +
            "'Request or string'.",
        );
      }
      const request = new Request(input, init);
      if (this.#service === null) return this.#hook.call(["fetch"], [request]).pull();
      this.#hook?.prepare();
      return fetchAsSpan(event, this.#service, request, this.#target);
    } catch (error) {
      return PromiseReject(error);
    }
  }

  connect(address, options = undefined) {
    if (!(#service in this)) throw illegalInvocation();
    const { connectBy } = core.loadExtScript("ext:outboard/sockets.js");
    if (this.#service === null) throw new TypeError(CAME_IN_A_CALL);
    this.#hook?.prepare();
    return connectBy(this.#service, this.#target, address, options);
  }

  queue(queueName, messages, metadata = undefined) {
    try {
      if (!(#service in this)) throw illegalInvocation();
      if (this.#service === null) throw new TypeError(CAME_IN_A_CALL);
      const { sendQueue } = core.loadExtScript("ext:outboard/service_events.js");
      return sendQueue(this.#service, this.#target, queueName, messages, metadata);
    } catch (error) {
      return PromiseReject(error);
    }
  }

  scheduled(options = undefined) {
    try {
      if (!(#service in this)) throw illegalInvocation();
      if (this.#service === null) throw new TypeError(CAME_IN_A_CALL);
      const { sendScheduled } = core.loadExtScript("ext:outboard/service_events.js");
      return sendScheduled(this.#service, this.#target, options);
    } catch (error) {
      return PromiseReject(error);
    }
  }

  /** Any method by its name, for tests of names that stubs have themselves. */
  getRpcMethodForTestOnly(name) {
    return methodFor(hookOfFetcher(this), name);
  }

  static to(service) {
    return new Fetcher(kTo, service);
  }

  static of(hook) {
    const { addressOf } = core.loadExtScript("ext:outboard/rpc_hooks.js");
    const at = addressOf(hook);
    return new Fetcher(kTo, at?.service ?? null, at?.object ?? null, hook);
  }

  /** Makes one of a function. */
  static on(fn, service, target, hook = null) {
    ObjectSetPrototypeOf(fn, Fetcher.prototype);
    return new Fetcher(kTo, service, target, hook, fn);
  }

  static hook(value) {
    if (!(#service in value)) return undefined;
    if (value.#hook === null) {
      const { BindingHook } = core.loadExtScript("ext:outboard/rpc_hooks.js");
      const mayBeKept = value.#service === SELF && has(flag.allow_irrevocable_stub_storage);
      value.#hook = new BindingHook(value.#service, value.#target, null, null, mayBeKept);
    }
    return value.#hook;
  }
}
const { to, of, on, hook: hookOfFetcher } = Fetcher;
delete Fetcher.to;
delete Fetcher.of;
delete Fetcher.on;
ObjectSetPrototypeOf(Fetcher.prototype, ObjectPrototype);
delete Fetcher.hook;

if (!has(flag.service_binding_extra_handlers)) {
  delete Fetcher.prototype.queue;
  delete Fetcher.prototype.scheduled;
}
if (!has(flag.fetcher_no_get_put_delete)) {
  core.loadExtScript("ext:outboard/fetcher_verbs.js").addVerbs(Fetcher.prototype);
}
if (!isTested()) delete Fetcher.prototype.getRpcMethodForTestOnly;
makeEnumerable(Fetcher.prototype);
markUncloneable(Fetcher, "ServiceStub cannot be serialized in this context.");
if (has(flag.rpc)) takeAnyName(Fetcher.prototype, hookOfFetcher);
ObjectDefineProperty(Fetcher.prototype, SymbolToStringTag, {
  __proto__: null,
  value: "Fetcher",
  configurable: true,
});

function methodFor(hook, name) {
  if (hook === undefined) throw illegalInvocation();
  const { propertyOf } = core.loadExtScript("ext:outboard/rpc.js");
  return propertyOf(hook, [], `${name}`);
}

/** Whether stubs have what tests alone ask for, as workerd's have with its own flag. */
function isTested() {
  return has(flag.experimental) && op_is_tested();
}

/** Whatever name a stub of this class has not is one of what it stands for. */
function takeAnyName(prototype, hookOf) {
  const { propertyOf, wildcard } = core.loadExtScript("ext:outboard/rpc.js");
  ObjectSetPrototypeOf(
    prototype,
    wildcard((stub, name) => {
      // A stub is no promise: whoever awaits one has it.
      const hook = name === "then" ? undefined : hookOf(stub);
      return hook === undefined ? undefined : propertyOf(hook, [], name);
    }),
  );
}

return {
  CAME_IN_A_CALL,
  Fetcher,
  fetcherOf: of,
  fetcherOn: on,
  fetcherTo: to,
  hookOfFetcher,
  isTested,
  methodFor,
  takeAnyName,
};
})();
