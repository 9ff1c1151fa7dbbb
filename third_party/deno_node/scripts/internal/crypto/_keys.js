// ext:deno_node/internal/crypto/_keys.ts
// From deno_node 0.198.0, MIT: see ../LICENSE.md. Written by refresh.mjs.
(function() {
  const { core, primordials } = __bootstrap;
  const { Symbol } = primordials;
  const { kKeyObject } = core.loadExtScript(
    "ext:deno_node/internal/crypto/constants.ts"
  );
  const kKeyType = Symbol("kKeyType");
  function isKeyObject(obj) {
    return obj != null && obj[kKeyType] !== void 0;
  }
  function isCryptoKey(obj) {
    return obj != null && obj[kKeyObject] !== void 0;
  }
  return { kKeyType, isKeyObject, isCryptoKey };
})();
