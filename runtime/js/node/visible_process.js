// The process that a script sees: before its flag, some of it.
(function () {
const { core } = __bootstrap;
const { flag, has } = core.loadExtScript("ext:outboard/compatibility.js");
let { process } = core.loadExtScript("ext:outboard/node/process.js");

if (!has(flag.enable_nodejs_process_v2)) {
  const { env, exit, features, getBuiltinModule, nextTick, platform } = process;
  process = { env, exit, features, getBuiltinModule, nextTick, platform };
}
return { process };
})();
