// ext:deno_node/internal_binding/symbols.ts
// From deno_node 0.198.0, MIT: see ../LICENSE.md. Written by refresh.mjs.
(function() {
  const { primordials } = __bootstrap;
  const { Symbol } = primordials;
  const asyncIdSymbol = Symbol("asyncIdSymbol");
  const ownerSymbol = Symbol("ownerSymbol");
  return {
    asyncIdSymbol,
    ownerSymbol
  };
})();
