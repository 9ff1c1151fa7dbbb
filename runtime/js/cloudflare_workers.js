// `cloudflare:workers`
(function () {
const { core, primordials } = __bootstrap;
const { Proxy, ReflectGet, ReflectHas, ReflectOwnKeys } = primordials;
const { worker } = core.loadExtScript("ext:outboard/dispatch.js");
const { requireEvent } = core.loadExtScript("ext:outboard/event.js");

/** The base class of entrypoints: handlers as methods. */
class WorkerEntrypoint {
  constructor(ctx, env) {
    this.ctx = ctx;
    this.env = env;
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

return { env, waitUntil, WorkerEntrypoint };
})();
