// ext:deno_node/internal/crypto/constants.ts
// From deno_node 0.198.0, MIT: see ../LICENSE.md. Written by refresh.mjs.
(function() {
  const { internals, primordials } = __bootstrap;
  const { Symbol } = primordials;
  const kHandle = Symbol("kHandle");
  const kKeyObject = Symbol("kKeyObject");
  internals.kKeyObject = kKeyObject;
  return { kHandle, kKeyObject };
})();
