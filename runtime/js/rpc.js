// What a script holds of something on the other side of a session of calls: a
// stub, a property of one, or the promise of a call's result, whose properties can
// be called before it is there. Whatever name is asked of one it has.
(function () {
const { core, primordials } = __bootstrap;
const {
  ArrayPrototypePush,
  ArrayPrototypeSlice,
  ObjectCreate,
  ObjectDefineProperty,
  ObjectPrototype,
  ObjectSetPrototypeOf,
  PromisePrototypeCatch,
  PromisePrototypeFinally,
  PromisePrototypeThen,
  Proxy,
  ReflectGet,
  RegExpPrototypeTest,
  Symbol,
  SymbolDispose,
  SymbolFor,
  SymbolToStringTag,
  TypeError,
} = primordials;
const { markUncloneable } = core.loadExtScript("ext:outboard/not_serializable.js");
const hooks = () => core.loadExtScript("ext:outboard/rpc_hooks.js");

const kOwn = Symbol("made here");

/** How deep a path of properties may be, as Workers have it. */
const DEEPEST = 64;

/**
 * The end of a prototype chain, where every name that nobody has leads: those of
 * `Object.prototype` are as ever.
 */
function wildcard(property) {
  return new Proxy(ObjectCreate(ObjectPrototype), {
    __proto__: null,
    get(_target, name, receiver) {
      if (typeof name !== "string" || name in ObjectPrototype) {
        return ReflectGet(ObjectPrototype, name, receiver);
      }
      // Names are asked for, and not places in a list.
      if (RegExpPrototypeTest(INDEX, name)) return undefined;
      return property(receiver, name);
    },
  });
}

/** A base class of functions. */
function Callable() {
  const reference = (...args) => call(reference, args);
  // Names to be asked of the other side.
  delete reference.length;
  delete reference.name;
  return reference;
}
ObjectDefineProperty(Callable, "prototype", {
  __proto__: null,
  value: wildcard((reference, name) => isReference(reference) ? property(reference, name) : undefined),
});

/** What is called, and which property of it. */
class Reference extends Callable {
  #hook;
  #path;

  constructor(key, prototype, hook, path) {
    if (key !== kOwn) throw new TypeError("Illegal constructor");
    super();
    ObjectSetPrototypeOf(this, prototype);
    this.#hook = hook;
    this.#path = path;
  }

  static is(value) {
    return typeof value === "function" && #hook in value;
  }

  static hook(reference) {
    return reference.#hook;
  }

  static path(reference) {
    return reference.#path;
  }
}
const { is: isReference, hook: hookOf, path: pathOf } = Reference;
delete Reference.is;
delete Reference.hook;
delete Reference.path;
delete Reference.prototype.constructor;
// What the console would ask of one would be a question to the other side.
ObjectDefineProperty(Reference.prototype, SymbolFor("Deno.privateCustomInspect"), {
  __proto__: null,
  value() {
    const { name } = this.constructor;
    return isReference(this) ? `${name} {}` : name;
  },
  configurable: true,
});

const INDEX = /^(?:0|[1-9]\d*)$/;
const NO_PATH = [];

function call(reference, args) {
  return promiseOf(hookOf(reference).call(pathOf(reference), args));
}

function property(reference, name) {
  // A stub is no promise: whoever awaits one has it.
  if (name === "then" && isStub(reference)) return undefined;
  return propertyOf(hookOf(reference), pathOf(reference), name);
}

function propertyOf(hook, path, name) {
  if (path.length >= DEEPEST) {
    throw new TypeError(`RPC pipelined property path is too deep (max ${DEEPEST}).`);
  }
  const longer = ArrayPrototypeSlice(path);
  ArrayPrototypePush(longer, name);
  return new RpcProperty(kOwn, hook, longer);
}

/** Of something of the script's a stub can be made, and handed about. */
class RpcStub extends Reference {
  #stub = true;

  constructor(target, hook = undefined) {
    super(
      kOwn,
      RpcStub.prototype,
      target === kOwn ? hook : hooks().loopback(target),
      NO_PATH,
    );
  }

  dup() {
    return stubOf(hookOf(this).dup());
  }

  [SymbolDispose]() {
    hookOf(this).dispose();
  }

  static is(value) {
    return typeof value === "function" && #stub in value;
  }
}
const { is: isStub } = RpcStub;
delete RpcStub.is;

/** What can be awaited. */
class Awaited extends Reference {
  then(resolved, rejected) {
    return PromisePrototypeThen(pull(this), resolved, rejected);
  }

  catch(rejected) {
    return PromisePrototypeCatch(pull(this), rejected);
  }

  finally(settled) {
    return PromisePrototypeFinally(pull(this), settled);
  }
}
delete Awaited.prototype.constructor;

class RpcProperty extends Awaited {
  constructor(key, hook, path) {
    super(key, RpcProperty.prototype, hook, path);
  }
}

class RpcPromise extends Awaited {
  constructor(key, question) {
    super(key, RpcPromise.prototype, question, NO_PATH);
  }

  [SymbolDispose]() {
    hookOf(this).dispose();
  }
}

/** The promise of what a reference stands for. */
function pull(reference) {
  return hookOf(reference).get(pathOf(reference)).pull();
}

function stubOf(hook) {
  return new RpcStub(kOwn, hook);
}

function promiseOf(question) {
  return new RpcPromise(kOwn, question);
}

/** What may be passed by reference. */
class RpcTarget {}
markUncloneable(RpcTarget, "Remote RPC references can only be serialized for RPC.");

for (const Class of [RpcStub, RpcProperty, RpcPromise, RpcTarget]) {
  ObjectDefineProperty(Class.prototype, SymbolToStringTag, {
    __proto__: null,
    value: Class.name,
    configurable: true,
  });
}

return {
  hookOf,
  isReference,
  isStub,
  pathOf,
  propertyOf,
  RpcPromise,
  RpcProperty,
  RpcStub,
  RpcTarget,
  stubOf,
  wildcard,
};
})();
