// `cloudflare:workers`
(function () {
const { core, primordials } = __bootstrap;
const { Proxy, ReflectGet, ReflectHas, ReflectOwnKeys, TypeError } = primordials;
const { flag, has } = core.loadExtScript("ext:outboard/compatibility.js");
const { worker } = core.loadExtScript("ext:outboard/dispatch.js");
const { requireEvent } = core.loadExtScript("ext:outboard/event.js");

/** The base classes of entrypoints: handlers as methods. */
class WorkerEntrypoint {
  constructor(ctx, env) {
    this.ctx = ctx;
    this.env = env;
  }
}

class DurableObject {
  constructor(ctx, env) {
    this.ctx = ctx;
    this.env = env;
  }
}

class WorkflowEntrypoint {
  constructor(ctx, env) {
    this.ctx = ctx;
    this.env = env;
  }
}

/** What may be passed by reference over RPC. */
class RpcTarget {}

class RpcStub {
  constructor() {
    throw new TypeError(
      "new RpcStub() is not served yet: RPC is not supported by this version " +
        "of Outboard.",
    );
  }
}

/** What the imported `env` shows: nothing where a flag keeps it to handlers. */
function shown() {
  return has(flag.disallow_importable_env) ? {} : worker.env ?? {};
}

/** The worker's `env`, for modules that are not handed it. */
const env = new Proxy({ __proto__: null }, {
  __proto__: null,
  get: (_target, key) => ReflectGet(shown(), key),
  has: (_target, key) => ReflectHas(shown(), key),
  ownKeys: () => ReflectOwnKeys(shown()),
  getOwnPropertyDescriptor: (_target, key) =>
    primordials.ReflectGetOwnPropertyDescriptor(shown(), key),
});

function waitUntil(promise) {
  requireEvent().waitUntil(promise);
}

/** Runs `fn` while the imported `env` is another one. */
function withEnv(other, fn) {
  const before = worker.env;
  worker.env = other;
  try {
    return fn();
  } finally {
    worker.env = before;
  }
}

return {
  DurableObject,
  env,
  get exports() {
    return worker.exports;
  },
  RpcStub,
  RpcTarget,
  waitUntil,
  withEnv,
  WorkerEntrypoint,
  WorkflowEntrypoint,
};
})();
