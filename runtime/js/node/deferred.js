// What stands for functions, classes and objects of scripts that are not loaded
// before one of them is used: of a large module most is never asked for.
(function () {
const { core, primordials } = __bootstrap;
const {
  ObjectDefineProperties,
  ObjectDefineProperty,
  Proxy,
  ReflectApply,
  ReflectConstruct,
  ReflectDefineProperty,
  ReflectDeleteProperty,
  ReflectGet,
  ReflectGetOwnPropertyDescriptor,
  ReflectGetPrototypeOf,
  ReflectHas,
  ReflectOwnKeys,
  ReflectSet,
  ReflectSetPrototypeOf,
} = primordials;

/** A function that calls the one that `real` gives. */
function deferredFunction(name, real) {
  function deferred(...args) {
    return ReflectApply(real(), this, args);
  }
  const configurable = true;
  return ObjectDefineProperties(deferred, {
    name: { __proto__: null, configurable, value: name },
    length: { __proto__: null, configurable, get: () => real().length },
  });
}

/** What a proxy does that stands for what `real` gives. */
const standIn = (real) => ({
  __proto__: null,
  defineProperty: (_, key, given) => ReflectDefineProperty(real(), key, given),
  deleteProperty: (_, key) => ReflectDeleteProperty(real(), key),
  get: (_, key) => ReflectGet(real(), key),
  getOwnPropertyDescriptor(target, key) {
    const found = ReflectGetOwnPropertyDescriptor(real(), key);
    if (found === undefined) return undefined;
    // A proxy may call fixed only what its target has.
    if (ReflectGetOwnPropertyDescriptor(target, key)?.configurable === false) {
      found.writable = true;
    } else found.configurable = true;
    return found;
  },
  getPrototypeOf: () => ReflectGetPrototypeOf(real()),
  has: (_, key) => ReflectHas(real(), key),
  ownKeys: () => ReflectOwnKeys(real()),
  set: (_, key, value) => ReflectSet(real(), key, value),
  setPrototypeOf: (_, prototype) => ReflectSetPrototypeOf(real(), prototype),
});

/** What `make` gives, an object that is there when it is asked for. */
function deferredObject(make) {
  let made;
  return new Proxy({}, standIn(() => made ??= make()));
}

/** What `make` gives, a class; its instances say that they are of this one. */
function deferredClass(name, make) {
  let made;
  function real() {
    if (made === undefined) {
      made = make();
      ObjectDefineProperty(made.prototype, "constructor", {
        __proto__: null,
        configurable: true,
        enumerable: false,
        value: known,
        writable: true,
      });
    }
    return made;
  }
  function target() {}
  ObjectDefineProperty(target, "name", { __proto__: null, value: name });
  const known = new Proxy(target, {
    __proto__: null,
    ...standIn(real),
    apply: (_, self, args) => ReflectApply(real(), self, args),
    construct: (_, args, newTarget) =>
      ReflectConstruct(real(), args, newTarget === known ? real() : newTarget),
  });
  return known;
}

const isClass = (name) => name === "default" || (name[0] >= "A" && name[0] <= "Z");

/** The exports of a script, each deferred; those with a capital are classes. */
function from(specifier) {
  return new Proxy({}, {
    __proto__: null,
    get(_, name) {
      const real = () => core.loadExtScript(specifier)[name];
      return isClass(name)
        ? deferredClass(name, real)
        : deferredFunction(name, real);
    },
  });
}

return { deferredClass, deferredObject, from };
})();
