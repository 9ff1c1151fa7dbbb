// node:diagnostics_channel
(function () {
const { core } = __bootstrap;
return {
  exports: core.loadExtScript("ext:deno_node/diagnostics_channel.js").default,
};
})();
