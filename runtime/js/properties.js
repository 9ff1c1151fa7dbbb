// Properties as Workers' own objects have them: data of the object's own that scripts
// may replace, and methods that are for objects of their class alone.
(function () {
const { core, primordials } = __bootstrap;
const {
  ObjectDefineProperty,
  ObjectGetOwnPropertyDescriptor,
  ObjectGetOwnPropertyNames,
  ReflectApply,
} = primordials;
const { illegalInvocation } = core.loadExtScript("ext:outboard/headers.js");

function own(object, name, value, enumerable = true) {
  ObjectDefineProperty(object, name, {
    __proto__: null,
    value,
    writable: true,
    enumerable,
    configurable: true,
  });
}

/** The same of what `make` makes when it is first looked at. */
function lazy(object, name, make) {
  ObjectDefineProperty(object, name, {
    __proto__: null,
    get() {
      const value = make();
      own(object, name, value);
      return value;
    },
    set(value) {
      own(object, name, value);
    },
    enumerable: true,
    configurable: true,
  });
}

/** One that scripts cannot replace. */
function fixed(object, name, value) {
  ObjectDefineProperty(object, name, {
    __proto__: null,
    value,
    enumerable: true,
    configurable: true,
  });
}

/** Has methods and getters of a class refuse what `is` says is none of its objects. */
function guard({ prototype }, is) {
  const names = ObjectGetOwnPropertyNames(prototype);
  for (let i = 0; i < names.length; i++) {
    const name = names[i];
    const property = ObjectGetOwnPropertyDescriptor(prototype, name);
    const { get, value } = property;
    if (name === "constructor") continue;
    if (get !== undefined) {
      property.get = function () {
        if (!is(this)) throw illegalInvocation();
        return ReflectApply(get, this, []);
      };
    } else if (typeof value === "function") {
      const { [name]: guarded } = {
        [name](...args) {
          if (!is(this)) throw illegalInvocation();
          return ReflectApply(value, this, args);
        },
      };
      property.value = guarded;
    } else {
      continue;
    }
    ObjectDefineProperty(prototype, name, { __proto__: null, ...property });
  }
}

return { fixed, guard, lazy, own };
})();
