// eval: refused, but while a worker starts, where its flags let it make code
// from strings. V8 refuses strings by itself, `new Function` too; this refuses
// whatever else `eval` would hand back.
(function () {
const { core, primordials } = __bootstrap;
const {
  EvalError,
  FunctionPrototype,
  ObjectDefineProperty,
  ObjectGetPrototypeOf,
  ObjectSetPrototypeOf,
  Proxy,
  ReflectApply,
  ReflectConstruct,
} = primordials;
const { flag, has } = core.loadExtScript("ext:outboard/compatibility.js");

/** Evaluated before the global is replaced. */
const native = globalThis.eval;

function refuseEval(code = undefined) {
  if (code === undefined) return undefined;
  throw new EvalError(
    "Code generation from strings disallowed for this context",
  );
}
ObjectDefineProperty(refuseEval, "name", { __proto__: null, value: "eval" });

function define(scope, value) {
  ObjectDefineProperty(scope, "eval", {
    __proto__: null,
    value,
    writable: true,
    enumerable: false,
    configurable: true,
  });
}

/** What `new Function()` makes, and says of itself. */
function empty(prototype) {
  const made = function anonymous(
) {

};
  return ObjectSetPrototypeOf(made, prototype);
}

/**
 * `Function`, which V8 refuses with or without a text. Without one it makes no
 * code of a string, and classes that extend it must call it.
 */
const LetEmpty = new Proxy(FunctionPrototype.constructor, {
  __proto__: null,
  apply(target, self, args) {
    return args.length === 0
      ? empty(FunctionPrototype)
      : ReflectApply(target, self, args);
  },
  construct(target, args, newTarget) {
    if (args.length > 0) return ReflectConstruct(target, args, newTarget);
    const { prototype } = newTarget;
    return empty(
      (typeof prototype === "object" && prototype !== null) ||
          typeof prototype === "function"
        ? prototype
        : FunctionPrototype,
    );
  },
});

function replaceFunction(scope) {
  const value = {
    __proto__: null,
    value: LetEmpty,
    writable: true,
    enumerable: false,
    configurable: true,
  };
  ObjectDefineProperty(scope, "Function", value);
  ObjectDefineProperty(FunctionPrototype, "constructor", value);
  // The constructors of other kinds inherit from it.
  const kinds = [async () => {}, function* () {}, async function* () {}];
  for (let i = 0; i < kinds.length; i++) {
    ObjectSetPrototypeOf(ObjectGetPrototypeOf(kinds[i]).constructor, LetEmpty);
  }
}

/** Before the worker's code runs. */
function openEval(scope) {
  if (
    has(flag.allow_eval_during_startup) ||
    has(flag.allow_insecure_inefficient_logged_eval)
  ) {
    define(scope, native);
  }
}

/** Once it has run; a script may have put something else there. */
function closeEval() {
  if (globalThis.eval === native && !has(flag.allow_insecure_inefficient_logged_eval)) {
    define(globalThis, refuseEval);
  }
}

return { closeEval, openEval, refuseEval, replaceFunction };
})();
