// The errors of the language that keep their class from one isolate to another.
(function () {
const { AggregateError } = __bootstrap.primordials;

const names = [
  "Error",
  "EvalError",
  "RangeError",
  "ReferenceError",
  "SyntaxError",
  "TypeError",
  "URIError",
];

/** What makes those that come by a throw alone, by name. The snapshot has no Wasm: they
 * are looked up when one is made. */
const thrown = {
  __proto__: null,
  AggregateError: (message) => without(new AggregateError([], message), "errors"),
  CompileError: (message) => new globalThis.WebAssembly.CompileError(message),
  LinkError: (message) => new globalThis.WebAssembly.LinkError(message),
  RuntimeError: (message) => new globalThis.WebAssembly.RuntimeError(message),
  SuppressedError: (message) => {
    const error = new globalThis.SuppressedError(undefined, undefined, message);
    return without(without(error, "error"), "suppressed");
  },
};

function without(error, name) {
  delete error[name];
  return error;
}

return { names, thrown };
})();
