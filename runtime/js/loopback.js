// `ctx.exports`: a worker's own exports, called as any other worker's are. Loads
// when it is looked at.
(function () {
const { core, primordials } = __bootstrap;
const { op_object_class } = core.ops;
const {
  JSONStringify,
  ObjectFreeze,
  ObjectKeys,
  ObjectPrototypeIsPrototypeOf,
  SafeWeakSet,
  TypeError,
  WeakSetPrototypeAdd,
  WeakSetPrototypeHas,
} = primordials;
const { fetcherOn } = core.loadExtScript("ext:outboard/fetcher.js");
const { DurableObject } = core.loadExtScript("ext:outboard/cloudflare_workers.js");

/** The host's number for the worker itself. */
const SELF = -2;

function loopback(namespace) {
  const exports = { __proto__: null };
  if (namespace === undefined) return exports;
  const names = ObjectKeys(namespace);
  for (let i = 0; i < names.length; i++) {
    const value = namespace[names[i]];
    const isClass = typeof value === "function";
    if (!isClass && (typeof value !== "object" || value === null)) continue;
    if (isClass && ObjectPrototypeIsPrototypeOf(DurableObject.prototype, value.prototype)) {
      const number = op_object_class(names[i]);
      // A class that no configuration names has no storage.
      if (number >= 0) {
        const { namespaceOf } = core.loadExtScript("ext:outboard/objects.js");
        exports[names[i]] = namespaceOf(number);
      }
    } else {
      exports[names[i]] = entrypoint(names[i]);
    }
  }
  return ObjectFreeze(exports);
}

/** An export's stub; called, it is another with `props` for its `ctx`. */
function entrypoint(name) {
  const stub = (options = undefined) => {
    const props = options?.props;
    if (props !== undefined && (typeof props !== "object" || props === null)) {
      throw new TypeError(
        "Incorrect type for the 'props' field on 'Options': the provided value is " +
          "not of type 'Object'.",
      );
    }
    return target(name, props, () => {
      throw new TypeError("This stub has its props already.");
    });
  };
  WeakSetPrototypeAdd(uncalled, stub);
  return target(name, undefined, stub);
}

/** Stubs of exports that were not called with props yet. */
const uncalled = new SafeWeakSet();

function isUncalled(stub) {
  return WeakSetPrototypeHas(uncalled, stub);
}

function target(name, props, fn) {
  delete fn.length;
  delete fn.name;
  const entrypoint = name === "default" ? null : name;
  const text = props === undefined ? null : JSONStringify(props);
  return fetcherOn(fn, SELF, JSONStringify([entrypoint, text]));
}

return { isUncalled, loopback };
})();
