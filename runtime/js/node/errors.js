// Errors that more than one node: module throws.
(function () {
const { core, primordials } = __bootstrap;
const { ObjectDefineProperty, SafeArrayIterator } = primordials;
const { NodeError } = core.loadExtScript("ext:deno_node/internal/errors.ts");

class ERR_METHOD_NOT_IMPLEMENTED extends NodeError {
  constructor(name) {
    super(
      "ERR_METHOD_NOT_IMPLEMENTED",
      `The ${name} method is not implemented`,
    );
  }
}

class ERR_OPTION_NOT_IMPLEMENTED extends NodeError {
  constructor(name) {
    super(
      "ERR_OPTION_NOT_IMPLEMENTED",
      `The ${name} option is not implemented`,
    );
  }
}

/** A function that is there to be named, and throws when called. */
function notImplemented(name) {
  const short = name.slice(name.lastIndexOf(".") + 1);
  return {
    [short]() {
      throw new ERR_METHOD_NOT_IMPLEMENTED(name);
    },
  }[short];
}

/** Functions by their names, that all throw; `prefix` is said in the error. */
function notImplementedAll(names, prefix = "") {
  const all = {};
  for (const name of new SafeArrayIterator(names)) {
    all[name] = notImplemented(prefix + name);
  }
  return all;
}

/** A class that is there to be named and looked at, and cannot be made. */
function notImplementedClass(name, methods = [], Base = undefined) {
  const made = Base === undefined
    ? class {
      constructor() {
        throw new ERR_METHOD_NOT_IMPLEMENTED(name);
      }
    }
    : class extends Base {
      constructor() {
        super();
        throw new ERR_METHOD_NOT_IMPLEMENTED(name);
      }
    };
  ObjectDefineProperty(made, "name", {
    __proto__: null,
    value: name.slice(name.lastIndexOf(".") + 1),
    configurable: true,
  });
  return withMethods(made, methods, notImplemented);
}

/** Gives a class methods of these names, each made by `make(name)`. */
function withMethods(made, methods, make) {
  for (const method of new SafeArrayIterator(methods)) {
    ObjectDefineProperty(made.prototype, method, {
      __proto__: null,
      value: make(method),
      writable: true,
      configurable: true,
    });
  }
  return made;
}

return {
  ERR_METHOD_NOT_IMPLEMENTED,
  ERR_OPTION_NOT_IMPLEMENTED,
  notImplemented,
  notImplementedAll,
  notImplementedClass,
  withMethods,
};
})();
