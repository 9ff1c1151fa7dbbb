// eval: refused, but while a worker starts, where its flags let it make code
// from strings. V8 refuses strings by itself, `new Function` too; this refuses
// whatever else `eval` would hand back.
(function () {
const { core, primordials } = __bootstrap;
const { EvalError, ObjectDefineProperty } = primordials;
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

return { closeEval, openEval, refuseEval };
})();
