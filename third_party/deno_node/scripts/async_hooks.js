// ext:deno_node/async_hooks.ts
// From deno_node 0.198.0, MIT: see ../LICENSE.md. Written by refresh.mjs.
(function() {
  const { core, primordials } = __bootstrap;
  const {
    validateFunction,
    validateObject
  } = core.loadExtScript("ext:deno_node/internal/validators.mjs");
  const {
    AsyncHook,
    emitAfter,
    emitBefore,
    emitDestroy: emitDestroyHook,
    emitInit,
    enterAsyncResource,
    exitAsyncResource,
    executionAsyncId: internalExecutionAsyncId,
    executionAsyncResource: internalExecutionAsyncResource,
    newAsyncId
  } = core.loadExtScript("ext:deno_node/internal/async_hooks.ts");
  const {
    ObjectDefineProperties,
    ReflectApply,
    FunctionPrototypeBind,
    ArrayPrototypeUnshift,
    ObjectFreeze,
    SafeFinalizationRegistry,
    SafeArrayIterator,
    Symbol
  } = primordials;
  const {
    AsyncVariable,
    getAsyncContext,
    setAsyncContext
  } = core;
  const asyncResourceRegistry = new SafeFinalizationRegistry(
    (asyncId) => emitDestroyHook(asyncId)
  );
  const kExitedStore = Symbol("kExitedStore");
  const kUndefinedStore = Symbol("kUndefinedStore");
  class AsyncResource {
    type;
    #snapshot;
    #asyncId;
    constructor(type) {
      this.type = type;
      this.#snapshot = getAsyncContext();
      this.#asyncId = newAsyncId();
      emitInit(this.#asyncId, type, internalExecutionAsyncId(), this);
      asyncResourceRegistry.register(this, this.#asyncId, this);
    }
    asyncId() {
      return this.#asyncId;
    }
    runInAsyncScope(fn, thisArg, ...args) {
      const previousContext = getAsyncContext();
      emitBefore(this.#asyncId);
      try {
        setAsyncContext(this.#snapshot);
        const prevResource = enterAsyncResource(this);
        try {
          return ReflectApply(fn, thisArg, args);
        } finally {
          exitAsyncResource(prevResource);
        }
      } finally {
        setAsyncContext(previousContext);
        emitAfter(this.#asyncId);
      }
    }
    emitDestroy() {
      asyncResourceRegistry.unregister(this);
      emitDestroyHook(this.#asyncId);
      return this;
    }
    bind(fn, thisArg) {
      validateFunction(fn, "fn");
      let bound;
      if (thisArg === void 0) {
        const resource = this;
        bound = function(...args) {
          ArrayPrototypeUnshift(args, fn, this);
          return ReflectApply(resource.runInAsyncScope, resource, args);
        };
      } else {
        bound = FunctionPrototypeBind(this.runInAsyncScope, this, fn, thisArg);
      }
      ObjectDefineProperties(bound, {
        "length": {
          __proto__: null,
          configurable: true,
          enumerable: false,
          value: fn.length,
          writable: false
        }
      });
      return bound;
    }
    static bind(fn, type, thisArg) {
      type = type || fn.name || "bound-anonymous-fn";
      return new AsyncResource(type).bind(fn, thisArg);
    }
  }
  class AsyncLocalStorage {
    #variable = new AsyncVariable();
    // deno-lint-ignore no-explicit-any
    #defaultValue = void 0;
    #name = "";
    enabled = false;
    constructor(options = { __proto__: null }) {
      validateObject(options, "options");
      this.#defaultValue = options.defaultValue;
      if (options.name !== void 0) {
        this.#name = `${options.name}`;
      }
    }
    get name() {
      return this.#name;
    }
    // deno-lint-ignore no-explicit-any
    run(store, callback, ...args) {
      this.enabled = true;
      const previous = this.#variable.enter(
        store === void 0 ? kUndefinedStore : store
      );
      try {
        return ReflectApply(callback, null, args);
      } finally {
        setAsyncContext(previous);
      }
    }
    // deno-lint-ignore no-explicit-any
    exit(callback, ...args) {
      const previous = this.#variable.enter(kExitedStore);
      try {
        return ReflectApply(callback, null, args);
      } finally {
        setAsyncContext(previous);
      }
    }
    // deno-lint-ignore no-explicit-any
    getStore() {
      const store = this.#variable.get();
      if (store === kExitedStore) {
        return void 0;
      }
      if (!this.enabled) {
        return this.#defaultValue;
      }
      if (store === kUndefinedStore) {
        return void 0;
      }
      return store === void 0 ? this.#defaultValue : store;
    }
    enterWith(store) {
      this.enabled = true;
      this.#variable.enter(store === void 0 ? kUndefinedStore : store);
    }
    disable() {
      this.enabled = false;
    }
    static bind(fn) {
      return AsyncResource.bind(fn);
    }
    static snapshot() {
      const resource = new AsyncResource("AsyncLocalStorage.snapshot");
      return function(cb, ...args) {
        return resource.runInAsyncScope(
          cb,
          null,
          ...new SafeArrayIterator(args)
        );
      };
    }
  }
  const executionAsyncId = internalExecutionAsyncId;
  function triggerAsyncId() {
    return 0;
  }
  const executionAsyncResource = internalExecutionAsyncResource;
  const asyncWrapProviders = ObjectFreeze({
    __proto__: null,
    NONE: 0,
    DIRHANDLE: 1,
    DNSCHANNEL: 2,
    ELDHISTOGRAM: 3,
    FILEHANDLE: 4,
    FILEHANDLECLOSEREQ: 5,
    BLOBREADER: 6,
    FSEVENTWRAP: 7,
    FSREQCALLBACK: 8,
    FSREQPROMISE: 9,
    GETADDRINFOREQWRAP: 10,
    GETNAMEINFOREQWRAP: 11,
    HEAPSNAPSHOT: 12,
    HTTP2SESSION: 13,
    HTTP2STREAM: 14,
    HTTP2PING: 15,
    HTTP2SETTINGS: 16,
    HTTPINCOMINGMESSAGE: 17,
    HTTPCLIENTREQUEST: 18,
    JSSTREAM: 19,
    JSUDPWRAP: 20,
    MESSAGEPORT: 21,
    PIPECONNECTWRAP: 22,
    PIPESERVERWRAP: 23,
    PIPEWRAP: 24,
    PROCESSWRAP: 25,
    PROMISE: 26,
    QUERYWRAP: 27,
    QUIC_ENDPOINT: 28,
    QUIC_LOGSTREAM: 29,
    QUIC_PACKET: 30,
    QUIC_SESSION: 31,
    QUIC_STREAM: 32,
    QUIC_UDP: 33,
    SHUTDOWNWRAP: 34,
    SIGNALWRAP: 35,
    STATWATCHER: 36,
    STREAMPIPE: 37,
    TCPCONNECTWRAP: 38,
    TCPSERVERWRAP: 39,
    TCPWRAP: 40,
    TTYWRAP: 41,
    UDPSENDWRAP: 42,
    UDPWRAP: 43,
    SIGINTWATCHDOG: 44,
    WORKER: 45,
    WORKERHEAPSNAPSHOT: 46,
    WRITEWRAP: 47,
    ZLIB: 48,
    CHECKPRIMEREQUEST: 49,
    PBKDF2REQUEST: 50,
    KEYPAIRGENREQUEST: 51,
    KEYGENREQUEST: 52,
    KEYEXPORTREQUEST: 53,
    CIPHERREQUEST: 54,
    DERIVEBITSREQUEST: 55,
    HASHREQUEST: 56,
    RANDOMBYTESREQUEST: 57,
    RANDOMPRIMEREQUEST: 58,
    SCRYPTREQUEST: 59,
    SIGNREQUEST: 60,
    TLSWRAP: 61,
    VERIFYREQUEST: 62
  });
  function createHook(callbacks) {
    return new AsyncHook(callbacks);
  }
  return {
    default: {
      AsyncLocalStorage,
      createHook,
      executionAsyncId,
      triggerAsyncId,
      executionAsyncResource,
      asyncWrapProviders,
      AsyncResource
    },
    AsyncLocalStorage,
    AsyncResource,
    createHook,
    executionAsyncId,
    triggerAsyncId,
    executionAsyncResource,
    asyncWrapProviders
  };
})();
