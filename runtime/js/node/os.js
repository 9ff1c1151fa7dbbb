// node:os: a machine that says nothing of itself, the same as Workers'.
(function () {
const { core, primordials } = __bootstrap;
const { SafeArrayIterator, SymbolToPrimitive } = primordials;
const { validateNumber, validateObject } = core.loadExtScript(
  "ext:deno_node/internal/validators.mjs",
);
const { Buffer } = core.loadExtScript("ext:deno_node/internal/buffer.mjs");
const { ERR_INVALID_ARG_VALUE } = core.loadExtScript(
  "ext:deno_node/internal/errors.ts",
).codes;
const { os: constants } = core.loadExtScript(
  "ext:deno_node/internal_binding/constants.ts",
);

/** Functions that give `value`, also when used as a value. */
function fixed(names, value) {
  const functions = { __proto__: null };
  for (const name of new SafeArrayIterator(names)) {
    functions[name] = { [name]: () => value }[name];
    functions[name][SymbolToPrimitive] = () => value;
  }
  return functions;
}

function getPriority(pid) {
  if (pid !== undefined) validateNumber(pid, "pid");
  return 0;
}

function setPriority(pid, priority) {
  validateNumber(pid, "pid");
  validateNumber(priority, "priority");
}

function userInfo(options = {}) {
  validateObject(options, "options");
  const { encoding = null } = options;
  if (
    encoding !== null && encoding !== "buffer" && !Buffer.isEncoding(encoding)
  ) {
    throw new ERR_INVALID_ARG_VALUE(
      "options.encoding",
      encoding,
      "must be a valid encoding",
    );
  }
  return {};
}

return {
  exports: {
    ...fixed(["arch"], "x64"),
    ...fixed(["endianness"], "LE"),
    ...fixed(["freemem", "totalmem", "uptime"], 0),
    ...fixed(["homedir", "tmpdir"], "/tmp/"),
    ...fixed(["hostname"], "localhost"),
    ...fixed(["machine"], "x86_64"),
    ...fixed(["platform"], "linux"),
    ...fixed(["release", "version"], ""),
    ...fixed(["type"], "Linux"),
    ...fixed(["availableParallelism"], 1),
    constants,
    cpus: () => [],
    devNull: "/dev/null",
    EOL: "\n",
    getPriority,
    loadavg: () => [0, 0, 0],
    networkInterfaces: () => ({}),
    setPriority,
    userInfo,
  },
};
})();
