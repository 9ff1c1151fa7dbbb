// What the other side of a session may call, and how: methods of classes made for
// that, and what plain objects and functions have of their own.
(function () {
const { core, primordials } = __bootstrap;
const {
  ArrayPrototypeJoin,
  ArrayPrototypeSlice,
  ObjectGetPrototypeOf,
  ObjectHasOwn,
  ObjectPrototype,
  ObjectPrototypeIsPrototypeOf,
  PromisePrototypeThen,
  RangeError,
  ReflectApply,
  SafeSet,
  SetPrototypeHas,
  TypeError,
} = primordials;
const { flag, has } = core.loadExtScript("ext:outboard/compatibility.js");
const { hookOf, isReference, isStub, RpcTarget } = core.loadExtScript(
  "ext:outboard/rpc.js",
);
const { missing, serviceHook } = core.loadExtScript("ext:outboard/rpc_hooks.js");

/** An instance of a class for this: what its class has. */
const INSTANCE = 1;
/** A plain object, or a function: what it has itself. */
const PLAIN = 2;
/** A worker's export that is no class: handlers, called with `env` and `ctx`. */
const HANDLERS = 3;

const RESERVED = new SafeSet(["constructor", "dup"]);
const RESERVED_OF_ROOT = new SafeSet([
  "alarm",
  "connect",
  "constructor",
  "dup",
  "fetch",
  "webSocketClose",
  "webSocketError",
  "webSocketMessage",
]);

/** How a value's properties may be called; undefined where not at all. */
function kindOf(value) {
  if (typeof value !== "function" && (typeof value !== "object" || value === null)) {
    return undefined;
  }
  if (isReference(value)) return undefined;
  if (ObjectPrototypeIsPrototypeOf(RpcTarget.prototype, value)) return INSTANCE;
  if (typeof value === "function") return PLAIN;
  return ObjectGetPrototypeOf(value) === ObjectPrototype ? PLAIN : undefined;
}

/** The hook of a stub, of whichever kind. */
function stubHook(value) {
  return isStub(value) ? hookOf(value) : serviceHook(value);
}

function propertyOf(value, kind, name) {
  const own = ObjectHasOwn(value, name);
  if (kind !== INSTANCE) {
    if (!own) throw missing(name);
    return value[name];
  }
  // What an instance keeps for itself is nobody else's.
  if (own) throw missing(name);
  const found = value[name];
  if (found === ObjectPrototype[name]) throw missing(name);
  return found;
}

function refuseReserved(names, name) {
  if (!SetPrototypeHas(names, name)) return;
  throw new TypeError(`'${name}' is a reserved method and cannot be called over RPC.`);
}

/** Does what was asked of something elsewhere. */
function ofHook(hook, path, args) {
  if (args !== undefined && path.length === 1 && path[0] === "fetch" && hook.fetch) {
    return hook.fetch(args[0]);
  }
  return (args === undefined ? hook.get(path) : hook.call(path, args)).pull();
}

/** Does what was asked of a result, or of something that was exported. */
function ofResult(value, path, args) {
  const hook = stubHook(value);
  if (hook !== undefined) return ofHook(hook, path, args);
  return walk(value, kindOf(value), path, args, RESERVED);
}

/** Does what was asked of what the session is with. */
function ofRoot(root, path, args) {
  if (root.made !== undefined) {
    return PromisePrototypeThen(root.made, (hook) => ofHook(hook, path, args));
  }
  if (root.fault !== undefined) throw root.fault;
  if (root.kind === HANDLERS && args !== undefined && path.length === 1) {
    return callHandler(root, path[0], args);
  }
  return walk(root.instance, root.kind, path, args, RESERVED_OF_ROOT);
}

function walk(start, kind, path, args, reserved) {
  let self = undefined;
  let value = start;
  for (let i = 0; i < path.length; i++) {
    const name = path[i];
    if (kind === undefined) throw missing(i === 0 ? name : path[i - 1]);
    refuseReserved(i === 0 ? reserved : RESERVED, name);
    self = value;
    value = propertyOf(value, kind, name);
    if (i === path.length - 1) break;
    const hook = stubHook(value);
    if (hook !== undefined) return ofHook(hook, ArrayPrototypeSlice(path, i + 1), args);
    kind = kindOf(value);
  }
  if (args === undefined) return value;
  if (typeof value !== "function") {
    const name = path.length === 0 ? "(this)" : ArrayPrototypeJoin(path, ".");
    throw new TypeError(`"${name}" is not a function.`);
  }
  return ReflectApply(value, self, args);
}

/** A handler has one argument of its caller's, and then `env` and `ctx`. */
function callHandler({ instance, env, ctx }, name, args) {
  refuseReserved(RESERVED_OF_ROOT, name);
  const method = propertyOf(instance, PLAIN, name);
  if (typeof method !== "function") throw new TypeError(`"${name}" is not a function.`);
  const { length } = method;
  if (!(length >= 0 && length < 256)) {
    throw new RangeError(`RPC function has unreasonable length attribute: ${length}`);
  }
  if (length > 3) {
    throw new TypeError(
      `Cannot call handler function "${name}" over RPC because it has the wrong ` +
        "number of arguments. A simple function handler can only be called over RPC " +
        "if it has exactly the arguments (arg, env, ctx), where only the first " +
        "argument comes from the client. To support multi-argument RPC functions, " +
        "use class-based syntax (extending WorkerEntrypoint) instead.",
    );
  }
  if (args.length !== 1) {
    throw new TypeError(
      `Attempted to call RPC function "${name}" with the wrong number of arguments. ` +
        "When calling a top-level handler function that is not declared as part of " +
        "a class, you must always send exactly one argument. In order to support " +
        "variable numbers of arguments, the server must use class-based syntax " +
        "(extending WorkerEntrypoint) instead.",
    );
  }
  return ReflectApply(method, instance, [args[0], env, ctx]);
}

/** What a session is with, where that is a worker's export. */
function entrypointRoot(handler, ctx, env) {
  if (typeof handler !== "function") {
    return { kind: HANDLERS, instance: handler, env, ctx };
  }
  const { WorkerEntrypoint } = core.loadExtScript("ext:outboard/cloudflare_workers.js");
  if (
    !ObjectPrototypeIsPrototypeOf(WorkerEntrypoint.prototype, handler.prototype) &&
    !has(flag.js_rpc)
  ) {
    throw notForRpc("receiver", "WorkerEntrypoint");
  }
  return { kind: INSTANCE, instance: new handler(ctx, env) };
}

/** What a session is with, where that is a durable object. */
function objectRoot(instance, objectId) {
  const { DurableObject } = core.loadExtScript("ext:outboard/cloudflare_workers.js");
  const isOne = ObjectPrototypeIsPrototypeOf(DurableObject.prototype, instance) ||
    has(flag.js_rpc);
  // Said to each call: the object is there for its other events.
  const fault = isOne ? undefined : notForRpc("receiving Durable Object", "DurableObject");
  return { kind: INSTANCE, instance, objectId, fault };
}

function notForRpc(what, base) {
  return new TypeError(
    `The ${what} does not support RPC, because its class was not declared with ` +
      `\`extends ${base}\`. In order to enable RPC, make sure your class extends ` +
      `the special class \`${base}\`, which can be imported from the module ` +
      '"cloudflare:workers".',
  );
}

return { entrypointRoot, objectRoot, ofHook, ofResult, ofRoot };
})();
