// ext:deno_node/internal/error_codes.ts
// From deno_node 0.198.0, MIT: see ../LICENSE.md. Written by refresh.mjs.
/* @__PURE__ */ (function() {
  const codes = {};
  return { codes };
})();
