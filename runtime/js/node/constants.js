// node:constants: the constants of os, fs and crypto in one object.
(function () {
const { core, primordials } = __bootstrap;
const { ObjectAssign } = primordials;
const { fs, os } = core.loadExtScript(
  "ext:deno_node/internal_binding/constants.ts",
);
const { builtin } = core.loadExtScript("ext:outboard/node/modules.js");
return {
  exports: ObjectAssign(
    {},
    os.dlopen,
    os.errno,
    os.priority,
    os.signals,
    fs,
    builtin("crypto").constants,
  ),
};
})();
