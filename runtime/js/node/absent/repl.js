// node:repl: code from strings does not run in a worker.
(function () {
const { core, primordials } = __bootstrap;
const { ArrayPrototypeFilter, ObjectAssign, Symbol, SyntaxError } = primordials;
const { notImplemented, notImplementedClass } = core.loadExtScript(
  "ext:outboard/node/errors.js",
);
const { exports: { Interface } } = core.loadExtScript(
  "ext:outboard/node/absent/readline.js",
);
const modules = core.loadExtScript("ext:outboard/node/modules.js");

class Recoverable extends SyntaxError {
  constructor(err) {
    super();
    this.err = err;
  }
}

const builtinModules = ArrayPrototypeFilter(
  modules.builtinModules,
  (name) => name[0] !== "_",
);

return {
  exports: {
    REPLServer: notImplementedClass("REPLServer", [
      "setupHistory", "defineCommand", "displayPrompt", "clearBufferedCommand",
    ], Interface),
    REPL_MODE_SLOPPY: Symbol("repl-sloppy"),
    REPL_MODE_STRICT: Symbol("repl-strict"),
    Recoverable,
    _builtinLibs: builtinModules,
    builtinModules,
    start: notImplemented("start"),
    writer: ObjectAssign(notImplemented("writer"), {
      options: {
        showHidden: false,
        depth: 2,
        colors: true,
        customInspect: true,
        showProxy: true,
        maxArrayLength: 100,
        maxStringLength: 10000,
        breakLength: 80,
        compact: 3,
        sorted: false,
        getters: false,
        numericSeparator: false,
      },
    }),
  },
};
})();
