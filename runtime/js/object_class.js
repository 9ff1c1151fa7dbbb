// DurableObjectClass: a class that facets may have, as whoever may use it holds it.
(function () {
const { core, primordials } = __bootstrap;
const {
  ObjectDefineProperty,
  ObjectPrototype,
  ObjectSetPrototypeOf,
  SafeWeakMap,
  Symbol,
  SymbolToStringTag,
  TypeError,
  WeakMapPrototypeGet,
  WeakMapPrototypeSet,
} = primordials;

const { Made } = core.loadExtScript("ext:outboard/headers.js");
const { markUncloneable } = core.loadExtScript("ext:outboard/not_serializable.js");

const kOwn = Symbol("made here");

class DurableObjectClass extends Made {
  /** How the host knows it: a number, and what of that is meant. */
  #service;
  #target;
  /** The host keeps what it is for as long as this is here. */
  #handle;

  constructor(key, service, target, handle, of) {
    if (key !== kOwn) throw new TypeError("Illegal constructor");
    super(of);
    this.#service = service;
    this.#target = target;
    this.#handle = handle;
  }

  static address(value) {
    return #handle in value
      ? { service: value.#service, target: value.#target }
      : WeakMapPrototypeGet(others, value);
  }

  static of(service, target = null, handle = null) {
    const made = { __proto__: DurableObjectClass.prototype };
    return new DurableObjectClass(kOwn, service, target, handle, made);
  }

  static on(fn, service, target) {
    ObjectSetPrototypeOf(fn, DurableObjectClass.prototype);
    return new DurableObjectClass(kOwn, service, target, null, fn);
  }
}
const { address, of: classOf, on: classOn } = DurableObjectClass;
delete DurableObjectClass.address;
delete DurableObjectClass.of;
delete DurableObjectClass.on;
ObjectSetPrototypeOf(DurableObjectClass.prototype, ObjectPrototype);
ObjectDefineProperty(DurableObjectClass.prototype, SymbolToStringTag, {
  __proto__: null,
  value: "DurableObjectClass",
  configurable: true,
});

markUncloneable(
  DurableObjectClass,
  "DurableObjectClass cannot be serialized in this context.",
);

/** What stands for a class besides: namespaces among a worker's own exports. */
const others = new SafeWeakMap();

function standsFor(value, service, target) {
  WeakMapPrototypeSet(others, value, { service, target });
}

/** How the host knows a class; undefined of what is none. */
function classAddress(value) {
  const isObject = typeof value === "function" || typeof value === "object" && value !== null;
  return isObject ? address(value) : undefined;
}

function bindingOf(binding) {
  return classOf(binding);
}

return { bindingOf, classAddress, classOf, classOn, DurableObjectClass, standsFor };
})();
