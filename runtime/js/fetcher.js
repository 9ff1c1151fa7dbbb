// Fetcher: a service that a worker is bound to.
(function () {
const { core, primordials } = __bootstrap;
const {
  ObjectDefineProperty,
  PromiseReject,
  Symbol,
  SymbolToStringTag,
  TypeError,
} = primordials;
const { flag, has } = core.loadExtScript("ext:outboard/compatibility.js");
const { requireEvent } = core.loadExtScript("ext:outboard/event.js");
const { fetchFrom } = core.loadExtScript("ext:outboard/fetch.js");
const { illegalInvocation, makeEnumerable } = core.loadExtScript(
  "ext:outboard/headers.js",
);
const { Request } = core.loadExtScript("ext:outboard/request.js");

const kTo = Symbol("to a service");

class Fetcher {
  /** The host's number for the service. */
  #service;

  constructor(key, service) {
    if (key !== kTo) throw new TypeError("Illegal constructor");
    this.#service = service;
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
      return fetchFrom(event, this.#service, new Request(input, init));
    } catch (error) {
      return PromiseReject(error);
    }
  }

  queue(queueName, messages, metadata = undefined) {
    try {
      if (!(#service in this)) throw illegalInvocation();
      const { sendQueue } = core.loadExtScript("ext:outboard/service_events.js");
      return sendQueue(this.#service, queueName, messages, metadata);
    } catch (error) {
      return PromiseReject(error);
    }
  }

  scheduled(options = undefined) {
    try {
      if (!(#service in this)) throw illegalInvocation();
      const { sendScheduled } = core.loadExtScript("ext:outboard/service_events.js");
      return sendScheduled(this.#service, options);
    } catch (error) {
      return PromiseReject(error);
    }
  }

  static to(service) {
    return new Fetcher(kTo, service);
  }
}
const { to } = Fetcher;
delete Fetcher.to;

if (!has(flag.service_binding_extra_handlers)) {
  delete Fetcher.prototype.queue;
  delete Fetcher.prototype.scheduled;
}
makeEnumerable(Fetcher.prototype);
ObjectDefineProperty(Fetcher.prototype, SymbolToStringTag, {
  __proto__: null,
  value: "Fetcher",
  configurable: true,
});

return { Fetcher, fetcherTo: to };
})();
