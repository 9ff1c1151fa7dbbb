// node:util, and its old name node:sys.
(function () {
const { core } = __bootstrap;
return { exports: core.loadExtScript("ext:deno_node/util.ts") };
})();
