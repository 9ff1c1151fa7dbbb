// `ctx.exports`: a worker's own exports, called as any other worker's are. Loads
// when it is looked at.
(function () {
const { core, primordials } = __bootstrap;
const { op_class, op_export, op_object_class } = core.ops;
const {
  ObjectFreeze,
  ObjectKeys,
  ObjectPrototypeIsPrototypeOf,
  SafeWeakMap,
  TypeError,
  WeakMapPrototypeGet,
  WeakMapPrototypeSet,
} = primordials;
const { currentEvent, requireEvent } = core.loadExtScript("ext:outboard/event.js");
const { fetcherOn } = core.loadExtScript("ext:outboard/fetcher.js");
const { flag, has } = core.loadExtScript("ext:outboard/compatibility.js");
const { DurableObject } = core.loadExtScript("ext:outboard/cloudflare_workers.js");

/** The host's number for the worker itself, and for a class of its own. */
const SELF = -2;
const SELF_CLASS = -3;

function loopback(namespace) {
  const exports = { __proto__: null };
  if (namespace === undefined) return exports;
  const names = ObjectKeys(namespace);
  for (let i = 0; i < names.length; i++) {
    const value = namespace[names[i]];
    const isClass = typeof value === "function";
    if (!isClass && (typeof value !== "object" || value === null)) continue;
    if (isClass && ObjectPrototypeIsPrototypeOf(DurableObject.prototype, value.prototype)) {
      exports[names[i]] = objectClass(names[i], op_object_class(names[i]));
    } else {
      exports[names[i]] = entrypoint(names[i]);
    }
  }
  return ObjectFreeze(exports);
}

/**
 * A class of objects, and where a configuration names it its namespace too; called, it is
 * another class with `props` for the objects' `ctx`, which are then facets.
 */
function objectClass(name, number) {
  const { classOf, classOn, standsFor } = core.loadExtScript("ext:outboard/object_class.js");
  const fn = (options) => {
    if (typeof options !== "object" || options === null) {
      throw new TypeError(
        "Failed to execute '(called as function)' on 'LoopbackDurableObjectClass': " +
          "parameter 1 is not of type 'Options'.",
      );
    }
    const props = propsOf(options);
    const { pack } = core.loadExtScript("ext:outboard/parcels.js");
    const event = requireEvent();
    const made = op_class(name, props === undefined ? null : pack(event, props));
    return classOf(made[0], null, made[1]);
  };
  delete fn.length;
  delete fn.name;
  if (number < 0) {
    WeakMapPrototypeSet(uncalled, fn, "LoopbackDurableObjectClass");
    return classOn(fn, SELF_CLASS, name);
  }
  WeakMapPrototypeSet(uncalled, fn, "LoopbackDurableObjectNamespace");
  const { namespaceOn } = core.loadExtScript("ext:outboard/objects.js");
  const namespace = namespaceOn(fn, number);
  standsFor(namespace, SELF_CLASS, name);
  return namespace;
}

/** An export's stub; called, it is another with `props` for its `ctx`. */
function entrypoint(name) {
  const stub = (options = undefined) => {
    const props = propsOf(options);
    const called = () => {
      throw new TypeError("This stub has its props already.");
    };
    return props === undefined ? target(name, called) : withProps(name, props, called);
  };
  WeakMapPrototypeSet(uncalled, stub, "LoopbackServiceStub");
  return target(name, stub);
}

function withProps(name, props, fn) {
  delete fn.length;
  delete fn.name;
  const { pack } = core.loadExtScript("ext:outboard/parcels.js");
  const { BindingHook } = core.loadExtScript("ext:outboard/rpc_hooks.js");
  // A module's top level may call it too.
  const event = currentEvent() ?? { id: 0 };
  const entrypoint = name === "default" ? null : name;
  const { 0: number, 1: handle } = op_export(entrypoint, pack(event, props));
  const mayBeKept = has(flag.allow_irrevocable_stub_storage);
  return fetcherOn(fn, number, null, new BindingHook(number, null, handle, null, mayBeKept));
}

function propsOf(options) {
  const props = options?.props;
  if (props !== undefined && (typeof props !== "object" || props === null)) {
    throw new TypeError(
      "Incorrect type for the 'props' field on 'Options': the provided value is not of " +
        "type 'Object'.",
    );
  }
  return props;
}

/** Exports that were not called with props yet, and what Workers call their classes. */
const uncalled = new SafeWeakMap();

/** What of a worker's own exports it is that was not called yet; else undefined. */
function uncalledName(stub) {
  return WeakMapPrototypeGet(uncalled, stub);
}

function target(name, fn) {
  delete fn.length;
  delete fn.name;
  const entrypoint = name === "default" ? null : name;
  return fetcherOn(fn, SELF, entrypoint);
}

return { loopback, uncalledName };
})();
