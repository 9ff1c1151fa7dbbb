// ext:deno_node/_next_tick.ts
(function () {
const { core } = __bootstrap;
const { nextTick } = core.loadExtScript("ext:outboard/node/ticks.js");
return { nextTick };
})();
