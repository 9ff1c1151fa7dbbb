// node:buffer
(function () {
const { core } = __bootstrap;
const all = core.loadExtScript("ext:deno_node/internal/buffer.mjs");
return { exports: all.default };
})();
