// `cloudflare:workers`
(function () {
const { core, primordials } = __bootstrap;
const { Proxy, ReflectGet, ReflectHas, ReflectOwnKeys, TypeError } = primordials;
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

/** The worker's `env`, which a module's top level may import before it is set. */
const env = new Proxy({ __proto__: null }, {
  __proto__: null,
  get: (_target, key) => ReflectGet(worker.env ?? {}, key),
  has: (_target, key) => ReflectHas(worker.env ?? {}, key),
  ownKeys: () => ReflectOwnKeys(worker.env ?? {}),
  getOwnPropertyDescriptor: (_target, key) =>
    primordials.ReflectGetOwnPropertyDescriptor(worker.env ?? {}, key),
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
