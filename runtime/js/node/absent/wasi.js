// node:wasi: its options are looked at, and no instance is made.
(function () {
const { core } = __bootstrap;
const {
  validateArray,
  validateBoolean,
  validateInt32,
  validateObject,
  validateOneOf,
} = core.loadExtScript("ext:deno_node/internal/validators.mjs");
const { ERR_METHOD_NOT_IMPLEMENTED, notImplemented, withMethods } = core
  .loadExtScript("ext:outboard/node/errors.js");

class WASI {
  constructor(options = { version: "unstable" }) {
    validateObject(options, "options");
    const { args, env, preopens, returnOnExit } = options;
    const { stdin = 0, stdout = 1, stderr = 2 } = options;
    validateOneOf(options.version, "options.version", ["unstable", "preview1"]);
    if (args !== undefined) validateArray(args, "options.args");
    if (env !== undefined) validateObject(env, "options.env");
    if (preopens !== undefined) validateObject(preopens, "options.preopens");
    validateInt32(stdin, "options.stdin", 0);
    validateInt32(stdout, "options.stdout", 0);
    validateInt32(stderr, "options.stderr", 0);
    if (returnOnExit !== undefined) {
      validateBoolean(returnOnExit, "options.returnOnExit");
    }
    throw new ERR_METHOD_NOT_IMPLEMENTED("WASI");
  }
  getImportObject() {
    return {};
  }
}
withMethods(
  WASI,
  ["finalizeBindings", "initialize", "start"],
  (name) => notImplemented(`WASI.${name}`),
);

return { exports: { WASI } };
})();
