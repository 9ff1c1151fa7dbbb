// What node:net is given: checks, with Node's errors.
(function () {
const { core, primordials } = __bootstrap;
const { Number, SafeArrayIterator } = primordials;
const { codes } = core.loadExtScript("ext:outboard/node/errors.js");
const { validateBoolean, validateInt32, validateNumber } = core.loadExtScript(
  "ext:deno_node/internal/validators.mjs",
);
const { isIP } = core.loadExtScript("ext:outboard/node/net/address.js");

/** A time in milliseconds as Node's timers take it. */
function getTimerDuration(msecs, name) {
  validateNumber(msecs, name);
  if (msecs < 0 || !(msecs < Infinity)) {
    throw new codes.ERR_OUT_OF_RANGE(name, "a non-negative finite number", msecs);
  }
  return msecs > 0x7fffffff ? 0x7fffffff : msecs;
}

/** What connect() and listen() take, in any of its forms: [options, callback]. */
function _normalizeArgs(args) {
  if (args.length === 0) return [{}, null];
  const [first, second] = args;
  let options = {};
  if (typeof first === "object" && first !== null) options = first;
  else if (typeof first === "string" && !(Number(first) >= 0)) options.path = first;
  else {
    options.port = first;
    if (args.length > 1 && typeof second === "string") options.host = second;
  }
  const last = args[args.length - 1];
  return [options, typeof last === "function" ? last : null];
}

function checkModes(options) {
  const modes = ["objectMode", "readableObjectMode", "writableObjectMode"];
  for (const name of new SafeArrayIterator(modes)) {
    if (options[name]) {
      throw new codes.ERR_INVALID_ARG_VALUE(
        `options.${name}`,
        options[name],
        "is not supported",
      );
    }
  }
}

/** Options that are looked at, and that the host alone decides. */
function checkLocal(options) {
  const { autoSelectFamily, autoSelectFamilyAttemptTimeout } = options;
  const { localAddress, localPort } = options;
  if (localAddress && isIP(localAddress) === 0) {
    throw new codes.ERR_INVALID_IP_ADDRESS(localAddress);
  }
  if (localPort) validateNumber(localPort, "options.localPort");
  if (autoSelectFamily !== undefined && autoSelectFamily !== null) {
    validateBoolean(autoSelectFamily, "options.autoSelectFamily");
  }
  if (autoSelectFamilyAttemptTimeout !== undefined) {
    validateInt32(
      autoSelectFamilyAttemptTimeout,
      "options.autoSelectFamilyAttemptTimeout",
      1,
    );
  }
}

return { _normalizeArgs, checkLocal, checkModes, getTimerDuration };
})();
