// Errors that more than one node: module throws.
(function () {
const { core } = __bootstrap;
const { NodeError } = core.loadExtScript("ext:deno_node/internal/errors.ts");

class ERR_METHOD_NOT_IMPLEMENTED extends NodeError {
  constructor(name) {
    super(
      "ERR_METHOD_NOT_IMPLEMENTED",
      `The ${name} method is not implemented`,
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

return { ERR_METHOD_NOT_IMPLEMENTED, notImplemented };
})();
