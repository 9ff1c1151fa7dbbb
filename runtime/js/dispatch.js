// How the host calls a worker: one function an event kind. Each runs the
// handler inside its event and answers through ops; nothing is returned, so
// that a handler that answers at once costs one call each way.
(function () {
const { core, primordials } = __bootstrap;
const {
  op_event_done,
  op_event_respond,
  op_event_upgrade,
  op_restores,
  op_rpc_accept,
} = core.ops;
const {
  ArrayPrototypePush,
  Error,
  JSONParse,
  ObjectDefineProperty,
  ObjectKeys,
  ObjectPrototypeIsPrototypeOf,
  PromisePrototype,
  PromisePrototypeThen,
  SymbolToStringTag,
  TypeError,
} = primordials;
const { attachFlags, flag, has } = core.loadExtScript("ext:outboard/compatibility.js");
const { closeEval, openEval } = core.loadExtScript("ext:outboard/eval.js");
const { currentEvent, EventContext, failEvent: fail, requireEvent, runInEvent, setGrace } =
  core.loadExtScript("ext:outboard/event.js");
const { hostRequest, showCache } = core.loadExtScript("ext:outboard/request.js");
const { isResponse, responseParts } = core.loadExtScript(
  "ext:outboard/response.js",
);
const { markUncloneable } = core.loadExtScript("ext:outboard/not_serializable.js");
const { bodyState, kNull } = core.loadExtScript("ext:outboard/body.js");
const { bodyForHost } = core.loadExtScript("ext:outboard/fetch.js");

/** The worker's default export, its main module's exports, and `env`. */
const worker = {
  __proto__: null,
  handler: undefined,
  namespace: undefined,
  env: undefined,
  own: undefined,
  /** Contexts that are for all events of an export, by its name. */
  contexts: undefined,
  /** What it exports, as `ctx.exports` has it. */
  get exports() {
    const { loopback } = core.loadExtScript("ext:outboard/loopback.js");
    return this.own ??= loopback(this.namespace);
  },
};

/** The second life of every handler: `ctx`. */
class ExecutionContext {
  #event;
  /** Which export it is of, and its props as they came. */
  #who;
  /** Whose methods are called: what has `[restore]`, and what that is told besides. */
  #self;

  /** @param {string | object | undefined} props JSON, or a parcel */
  constructor(event, props, entrypoint) {
    this.#event = event;
    this.#who = { object: -1, entrypoint, props };
    if (props === undefined) this.props = {};
    else if (typeof props === "string") this.props = JSONParse(props);
    else this.props = core.loadExtScript("ext:outboard/parcels.js").open(props);
  }

  get exports() {
    return has(flag.enable_ctx_exports) ? worker.exports : undefined;
  }

  /** Who came through Cloudflare Access: nobody does. */
  get access() {
    return undefined;
  }

  /** Whose it is; one that is for all events is the one's that asks. */
  get #own() {
    return this.#event ?? requireEvent();
  }

  waitUntil(promise) {
    // The event that asks, also where it has another's context.
    (currentEvent() ?? this.#own).waitUntil(promise);
  }

  passThroughOnException() {
    this.#own.passThrough = true;
  }

  /** Makes something by `[restore]` that may be kept. */
  get restore() {
    return has(flag.allow_irrevocable_stub_storage) ? restore : undefined;
  }

  static setSelf(ctx, instance, rest) {
    ctx.#self = { instance, rest };
  }

  static restore(ctx, params) {
    const { restoreBy } = core.loadExtScript("ext:outboard/restored.js");
    const self = ctx.#self ?? { instance: undefined, rest: [] };
    return restoreBy(ctx.#own, ctx.#who, self, params);
  }

  /** Spans of the script's own. */
  get tracing() {
    return core.loadExtScript("ext:outboard/tracing.js").tracing;
  }

  /** A name with a port, by which `connect()` knows a stub. */
  mapVirtualHost(fetcher, port) {
    const { mapVirtualHost } = core.loadExtScript("ext:outboard/sockets.js");
    return mapVirtualHost(fetcher, port);
  }

  /** Ends the event, and what it still does, with `reason`. */
  abort(reason = undefined) {
    const event = this.#own;
    // The call that asks for it is one of those that fail.
    PromisePrototypeThen(primordials.PromiseResolve(), () => {
      if (event.session !== null) event.session.abort(reason);
      else fail(event, reason);
      event.end();
    });
    throw reason;
  }
}

const { restore: restoreOf, setSelf } = ExecutionContext;
delete ExecutionContext.restore;
delete ExecutionContext.setSelf;

async function restore(params) {
  return await restoreOf(this, params);
}

ObjectDefineProperty(ExecutionContext.prototype, SymbolToStringTag, {
  __proto__: null,
  value: "ExecutionContext",
  configurable: true,
});

markUncloneable(ExecutionContext);

/** The context of a call of an export. One that is no class has a single one, without
 * props, where the flag says so. */
function contextOf(event, entrypoint, props) {
  if (
    !has(flag.nonclass_entrypoint_reuses_ctx_across_invocations) ||
    typeof exportOf(entrypoint) === "function"
  ) {
    return new ExecutionContext(event, props, entrypoint);
  }
  worker.contexts ??= { __proto__: null };
  return worker.contexts[entrypoint ?? "default"] ??=
    new ExecutionContext(null, undefined, entrypoint);
}

/**
 * Called once, before any of the worker's code runs; and with another `scope`
 * while the snapshot is warmed, since flags take globals away.
 */
function prepare(envJson, graceMs, bindings, isServiceWorker, scope = globalThis) {
  attachFlags(scope);
  if (has(flag.cache_option_enabled)) showCache();
  openEval(scope);
  setGrace(graceMs);
  worker.env = JSONParse(envJson);
  if (bindings < 0) {
    worker.env = core.loadExtScript("ext:outboard/parcels.js").loadedEnv();
  } else if (bindings > 0) {
    core.loadExtScript("ext:outboard/bindings.js").bind(worker.env, bindings);
  }
  if (isServiceWorker) {
    core.loadExtScript("ext:outboard/service_worker.js").defineBindings(worker.env);
  }
}

/** Called once, after the main module, whose namespace it is, or the service
 * worker's script ran. */
function attach(namespace) {
  closeEval();
  worker.namespace = namespace;
  worker.handler = namespace === undefined
    ? core.loadExtScript("ext:outboard/service_worker.js").serviceHandlers()
    : namespace.default;
  return handlersOf(worker.handler);
}

/** Which events an export takes, as the host has it in bits. */
function handlersOf(handler) {
  const has = (name) =>
    typeof handler === "function"
      ? typeof handler.prototype?.[name] === "function"
      : typeof handler?.[name] === "function";
  return (has("fetch") ? 1 : 0) | (has("scheduled") ? 2 : 0) |
    (has("test") ? 4 : 0) | (has("queue") ? 8 : 0) | (has("connect") ? 16 : 0) |
    (has("tail") ? 32 : 0) | (has("tailStream") ? 64 : 0);
}

/** The exports besides the default one: `[name, bits, ...]`. */
function entrypoints() {
  const { namespace } = worker;
  const list = [];
  // A service worker's script exports nothing.
  if (namespace === undefined) return list;
  const names = ObjectKeys(namespace);
  for (let i = 0; i < names.length; i++) {
    const name = names[i];
    if (name === "default") continue;
    const value = namespace[name];
    // Whatever can have methods can be called.
    if (typeof value !== "function" && (typeof value !== "object" || value === null)) {
      continue;
    }
    ArrayPrototypePush(list, name, handlersOf(value));
  }
  return list;
}

/** @param {string | undefined} entrypoint the default export where undefined */
function exportOf(entrypoint) {
  return entrypoint === undefined ? worker.handler : worker.namespace[entrypoint];
}

/**
 * Calls `name` on the export of an event, or on an instance where it is a class.
 * @param {string | undefined} entrypoint the default export where undefined
 */
function callHandler(name, argument, entrypoint, ctx) {
  const { env } = worker;
  const handler = exportOf(entrypoint);
  if (typeof handler === "function") {
    const instance = new handler(ctx, env);
    setSelf(ctx, instance, []);
    return instance[name](argument);
  }
  setSelf(ctx, handler, [env, ctx]);
  return handler[name](argument, env, ctx);
}

function dispatchFetch(id, method, url, hasBody, entrypoint, props) {
  const event = new EventContext(id, open);
  runInEvent(event, () => {
    let result;
    try {
      const ctx = contextOf(event, entrypoint, props);
      const request = hostRequest(id, method, url, hasBody);
      result = callHandler("fetch", request, entrypoint, ctx);
    } catch (error) {
      failFetch(event, error);
      return;
    }
    answer(event, result);
  });
}

/** Fails a request; another worker that sent it hears more than a client. */
function failFetch(event, error) {
  const { describeFailure } = core.loadExtScript("ext:outboard/rpc_errors.js");
  fail(event, error, describeFailure(error));
}

/** Answers with what a `fetch` handler gave. */
function answer(event, result) {
  if (isResponse(result)) {
    respond(event, result);
  } else if (isThenable(result)) {
    open.set(event.id, event);
    PromisePrototypeThen(
      toPromise(result),
      (response) => respond(event, response),
      (error) => failFetch(event, error),
    );
  } else {
    respond(event, result);
  }
}

/** A durable object's scripts, which few workers need. */
const durable = () => core.loadExtScript("ext:outboard/object_state.js");

/** A request to an object, by the host's number for it. */
function dispatchObject(id, number, method, url, hasBody) {
  const event = new EventContext(id, open);
  let result;
  try {
    const request = hostRequest(id, method, url, hasBody);
    result = durable().call(number, "fetch", [request]);
  } catch (error) {
    failFetch(event, error);
    return;
  }
  answer(event, result);
}

/** A session of calls to an export, or, by the host's number for it, to an object. */
function dispatchRpc(id, entrypoint, props) {
  const event = new EventContext(id, open);
  open.set(id, event);
  runInEvent(event, () => {
    const ctx = contextOf(event, entrypoint, props);
    const { entrypointRoot } = core.loadExtScript("ext:outboard/rpc_serve.js");
    const handler = exportOf(entrypoint);
    beginCalls(event, event, () => {
      const root = entrypointRoot(handler, ctx, worker.env);
      setSelf(ctx, root.instance, root.ctx === undefined ? [] : [root.env, ctx]);
      return root;
    });
  });
}

function dispatchObjectRpc(id, number) {
  const event = new EventContext(id, open);
  open.set(id, event);
  durable().inObject(number, (life, instance, objectId) => {
    const { objectRoot } = core.loadExtScript("ext:outboard/rpc_serve.js");
    beginCalls(event, life, () => objectRoot(instance, objectId));
  });
}

/** A connection to an export, or, by the host's number for it, to an object. */
function dispatchConnect(id, entrypoint, props) {
  const event = new EventContext(id, open);
  runInEvent(event, () => {
    const ctx = contextOf(event, entrypoint, props);
    takeConnection(event, event, (socket) => callHandler("connect", socket, entrypoint, ctx));
  });
}

function dispatchObjectConnect(id, number) {
  const event = new EventContext(id, open);
  durable().inObject(number, (life, instance) => {
    if (typeof instance?.connect !== "function") {
      fail(event, new Error("Handler does not export a connect() function."));
      return;
    }
    takeConnection(event, life, (socket) => durable().call(number, "connect", [socket]));
  });
}

/** Runs the handler of the connection that `event` came with, as a part of `life`. */
function takeConnection(event, life, run) {
  runSilent(event, () => {
    const { accept } = core.loadExtScript("ext:outboard/sockets.js");
    const { socket, leave } = accept(event, life);
    let result;
    try {
      result = run(socket);
    } catch (error) {
      leave(error);
      throw error;
    }
    if (!isThenable(result)) {
      leave();
      return undefined;
    }
    return PromisePrototypeThen(toPromise(result), () => leave(), (error) => {
      leave(error);
      throw error;
    });
  });
}

/** What an event's session was begun with did not end it. */
function listenRpc(id) {
  open.get(id)?.session?.listen();
}

/** Serves the session that `event` came with, as a part of `life`. */
function beginCalls(event, life, makeRoot) {
  try {
    const { Session } = core.loadExtScript("ext:outboard/rpc_session.js");
    let root = makeRoot();
    if (op_restores(event.id)) {
      root = core.loadExtScript("ext:outboard/restored.js").restoredRoot(event, root);
    }
    root.event = event.id;
    const session = new Session(op_rpc_accept(event.id), life, root, () => {
      op_event_done(event.id);
      event.releaseHandler();
    });
    event.session = session;
    if (root.isStub) session.lendRoot(() => disposeMade(root.made));
    session.serve();
  } catch (error) {
    fail(event, error);
  }
}

function disposeMade(made) {
  PromisePrototypeThen(made, (hook) => hook.dispose(), () => {});
}

function dispatchSocket(id, number, socket, kind, data, code, clean) {
  runSilent(
    new EventContext(id, open),
    () => durable().hear(number, socket, kind, data, code, clean),
  );
}

function startObject(number, life, className, id, name, props, isText) {
  durable().start(worker, number, life, className, id, name, props, isText);
}

function endObject(number, force) {
  return durable().end(number, force);
}

/** A scheduled run or a queue's batch, which the script asks for. */
function dispatchDelivery(id, entrypoint, props) {
  const { deliver } = core.loadExtScript("ext:outboard/deliveries.js");
  deliver(id, open, (event, name, controller) => {
    const ctx = contextOf(event, entrypoint, props);
    return callHandler(name, controller, entrypoint, ctx);
  });
}

/** The same of an object, by the host's number for it. */
function dispatchObjectDelivery(id, number) {
  const { deliver } = core.loadExtScript("ext:outboard/deliveries.js");
  deliver(id, open, (_event, name, controller) => durable().call(number, name, [controller]));
}

/** What other workers' events did, for a tail worker. */
function dispatchTail(id, entrypoint, props) {
  const { tail } = core.loadExtScript("ext:outboard/tails.js");
  tail(id, open, (event, name, told) => {
    const ctx = contextOf(event, entrypoint, props);
    return callHandler(name, told, entrypoint, ctx);
  });
}

/** The same for an object, by the host's number for it. */
function dispatchObjectTail(id, number) {
  const { tail } = core.loadExtScript("ext:outboard/tails.js");
  const { call, inObject } = durable();
  tail(
    id,
    open,
    (_event, name, told) => call(number, name, [told]),
    (fn) => inObject(number, fn),
  );
}

function dispatchTest(id, entrypoint, props) {
  dispatchSilent(id, "test", {}, entrypoint, props);
}

/** Runs a handler whose event wants no answer but that it is done. */
function dispatchSilent(id, name, controller, entrypoint, props) {
  const event = new EventContext(id, open);
  runInEvent(event, () => {
    const ctx = contextOf(event, entrypoint, props);
    runSilent(event, () => callHandler(name, controller, entrypoint, ctx));
  });
}

function runSilent(event, run) {
  let result;
  try {
    result = run();
  } catch (error) {
    fail(event, error);
    return;
  }
  const done = () => {
    op_event_done(event.id);
    event.releaseHandler();
  };
  if (isThenable(result)) {
    open.set(event.id, event);
    PromisePrototypeThen(toPromise(result), done, (e) => fail(event, e));
  } else {
    done();
  }
}

function dispatchAlarm(id, number, scheduledTime, retryCount) {
  const info = { retryCount, isRetry: retryCount > 0, scheduledTime };
  runSilent(
    new EventContext(id, open),
    () => durable().call(number, "alarm", [info]),
  );
}

function isThenable(value) {
  // What a call of a stub gives is a function.
  const mayBe = typeof value === "function" || typeof value === "object" && value !== null;
  return mayBe && typeof value.then === "function";
}

function toPromise(value) {
  return ObjectPrototypeIsPrototypeOf(PromisePrototype, value)
    ? value
    : primordials.PromiseResolve(value);
}

function respond(event, response) {
  // Abandoned meanwhile: the answer has no reader.
  if (!event.handling) return;
  if (!isResponse(response)) {
    fail(
      event,
      new TypeError(
        "Incorrect type for Promise: the Promise did not resolve to 'Response'.",
      ),
    );
    return;
  }
  try {
    const { status, statusText, headers, webSocket, encodeBody } =
      responseParts(response);
    const state = bodyState(response);
    if (webSocket !== null) {
      const { handOver } = core.loadExtScript("ext:outboard/web_socket.js");
      op_event_upgrade(event.id, headers ?? [], handOver(webSocket));
      event.releaseHandler();
      return;
    }
    if (status === 0) {
      throw new TypeError(
        "Return value from serve handler must not be an error response " +
          "(like Response.error())",
      );
    }
    let body = null;
    if (state.kind !== kNull) body = bodyForHost(state);
    // The body's type is only still needed where no Headers object was made.
    const streaming = op_event_respond(
      event.id,
      status,
      statusText,
      headers ?? state.type,
      body,
      state.length ?? -1,
      encodeBody === "automatic",
    );
    // While the host reads a stream the event lives; the host then ends it.
    if (streaming) open.set(event.id, event);
    else event.releaseHandler();
  } catch (error) {
    fail(event, error);
  }
}

/** Events that did not end in the call that began them, by number. */
const open = new primordials.SafeMap();

/** The host is done with the body of event `id`, sent or dropped. */
function finishBody(id) {
  open.get(id)?.releaseHandler();
}

/** Nobody waits for event `id` any more: only its waitUntil may go on. */
function abandon(id) {
  open.get(id)?.abandon();
}

/** Event `id` has used more than it may. */
function stop(id) {
  open.get(id)?.stop();
}

return {
  abandon,
  attach,
  dispatchAlarm,
  dispatchConnect,
  dispatchDelivery,
  dispatchFetch,
  dispatchObjectConnect,
  dispatchObjectDelivery,
  dispatchObjectRpc,
  dispatchObjectTail,
  dispatchRpc,
  dispatchSocket,
  dispatchTail,
  dispatchTest,
  dispatchObject,
  endObject,
  entrypoints,
  finishBody,
  listenRpc,
  prepare,
  startObject,
  stop,
  worker,
};
})();
