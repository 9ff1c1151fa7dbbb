// The process as Node's own scripts know it: what they ask of it at every turn
// does not load the whole of it.
(function () {
const { core, primordials } = __bootstrap;
const { Proxy } = primordials;
const { nextTick } = core.loadExtScript("ext:outboard/node/ticks.js");

const process = {
  __proto__: new Proxy({ __proto__: null }, {
    __proto__: null,
    get: (_, name) =>
      core.loadExtScript("ext:outboard/node/process.js").process[name],
  }),
  domain: null,
  nextTick,
  platform: "linux",
  // Given by stdio.js: before, nobody has them to compare with.
  stderr: undefined,
  stdout: undefined,
};

return { process };
})();
