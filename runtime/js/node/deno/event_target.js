// ext:deno_node/internal/event_target.mjs
(function () {
const { primordials } = __bootstrap;
const { Symbol, SymbolFor } = primordials;
return {
  kResistStopPropagation: Symbol("kResistStopPropagation"),
  kWeakHandler: SymbolFor("nodejs.internal.kWeakHandler"),
};
})();
