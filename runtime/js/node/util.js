// node:util and node:util/types
(function () {
const { core, primordials } = __bootstrap;
const { ObjectAssign } = primordials;
const exports = core.loadExtScript("ext:deno_node/util.ts");
const library = core.loadExtScript("ext:deno_node/internal/util/types.ts");

const types = ObjectAssign({}, library, {
  // Nothing outside the heap is shown to a script.
  isExternal: () => false,
});
delete types.default;

return { exports: ObjectAssign({}, exports, { types }), types };
})();
