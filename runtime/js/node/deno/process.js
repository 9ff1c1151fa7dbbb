// ext:deno_node/_process/process.ts
(function () {
const { core, primordials } = __bootstrap;
const { ReflectApply } = primordials;
const { nextTick } = core.loadExtScript("ext:outboard/node/ticks.js");

/** Loaded late: it is an event emitter, and those load this. */
const process = () =>
  core.loadExtScript("ext:outboard/node/process.js").process;

return {
  arch: "x64",
  chdir: (path) => process().chdir(path),
  cwd: () => process().cwd(),
  emitWarning(...args) {
    ReflectApply(process().emitWarning, undefined, args);
  },
  get env() {
    return process().env;
  },
  nextTick,
  get version() {
    return process().version;
  },
  get versions() {
    return process().versions;
  },
};
})();
