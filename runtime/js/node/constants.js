// node:constants: the constants of os, fs and crypto in one object.
(function () {
const { core, primordials } = __bootstrap;
const { ObjectAssign, ObjectFreeze } = primordials;
const { fs, os } = core.loadExtScript(
  "ext:deno_node/internal_binding/constants.ts",
);
const { builtin } = core.loadExtScript("ext:outboard/node/modules.js");
return {
  exports: ObjectFreeze(ObjectAssign(
    // Workers have these of other systems.
    { O_SYMLINK: 2097152, SIGINFO: 29 },
    os.dlopen,
    os.errno,
    os.priority,
    os.signals,
    fs,
    builtin("crypto").constants,
  )),
};
})();
