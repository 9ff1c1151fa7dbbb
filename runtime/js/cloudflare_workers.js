// `cloudflare:workers`
(function () {
const { core, primordials } = __bootstrap;
const { op_abort_isolate } = core.ops;
const { getAsyncContext, setAsyncContext } = core;
const {
  Proxy,
  ReflectGet,
  ReflectGetOwnPropertyDescriptor,
  ReflectHas,
  ReflectOwnKeys,
  Symbol,
} = primordials;
const { flag, has } = core.loadExtScript("ext:outboard/compatibility.js");
const { worker } = core.loadExtScript("ext:outboard/dispatch.js");
const { Fetcher } = core.loadExtScript("ext:outboard/fetcher.js");
const { RpcPromise, RpcProperty, RpcStub, RpcTarget } = core.loadExtScript(
  "ext:outboard/rpc.js",
);
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

/**
 * What an imported name shows: what `withEnv` or `withExports` says for this piece of
 * script, or the worker's own; nothing where a flag keeps that to handlers.
 */
function shown(name) {
  const context = getAsyncContext();
  const said = context?.[name];
  if (typeof said === "object" && said !== null) return said;
  // What is said to be nothing shows nothing.
  const isNothing = said === null || (said === undefined && context !== undefined && name in context);
  if (isNothing && has(flag.env_module_nullable_support)) return {};
  return has(flag.disallow_importable_env) ? {} : worker[name] ?? {};
}

/** The worker's `env` or exports, for modules that are not handed them. */
function imported(name) {
  return new Proxy({ __proto__: null }, {
    __proto__: null,
    get: (_target, key) => ReflectGet(shown(name), key),
    has: (_target, key) => ReflectHas(shown(name), key),
    ownKeys: () => ReflectOwnKeys(shown(name)),
    getOwnPropertyDescriptor(_target, key) {
      const descriptor = ReflectGetOwnPropertyDescriptor(shown(name), key);
      // What the proxy is of has none of them, so they may not be said to stay.
      return descriptor && { __proto__: null, ...descriptor, configurable: true };
    },
  });
}

/** Runs `fn`, and what it awaits, while an imported name shows something else. */
function showing(name, value, fn) {
  const outer = getAsyncContext();
  setAsyncContext({ __proto__: null, ...outer, [name]: value });
  try {
    return fn();
  } finally {
    setAsyncContext(outer);
  }
}

function waitUntil(promise) {
  requireEvent().waitUntil(promise);
}

const withEnv = (env, fn) => showing("env", env, fn);
const withEnvAndExports = (env, exports, fn) =>
  showing("env", env, () => showing("exports", exports, fn));
const withExports = (exports, fn) => showing("exports", exports, fn);

/** Ends the isolate, and all that runs in it: what comes next starts anew. */
function abortIsolate(reason = undefined) {
  op_abort_isolate(reason === undefined ? "" : `${reason}`);
}

/** The name of the method that makes anew what `ctx.restore` gave. */
const restore = Symbol("restore");

/** Workers' own cache in front of a worker, which is not here: as where they have none. */
const cache = new Proxy({ __proto__: null }, { __proto__: null });

return {
  abortIsolate,
  cache,
  DurableObject,
  env: imported("env"),
  exports: imported("exports"),
  restore,
  RpcPromise,
  RpcProperty,
  RpcStub,
  RpcTarget,
  ServiceStub: Fetcher,
  tracing: core.loadExtScript("ext:outboard/tracing.js").tracing,
  waitUntil,
  withEnv,
  withEnvAndExports,
  withExports,
  WorkerEntrypoint,
  WorkflowEntrypoint,
};
})();
