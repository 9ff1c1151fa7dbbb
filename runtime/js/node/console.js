// node:console: the global console and its methods by name.
(function () {
const { core, primordials } = __bootstrap;
const { FunctionPrototypeBind, ObjectKeys } = primordials;
const { notImplemented } = core.loadExtScript("ext:outboard/node/errors.js");
const { process } = core.loadExtScript("ext:outboard/node/process.js");

const console = globalThis.console;
const Console = notImplemented("Console");
const exports = { Console };
const names = ObjectKeys(console);
for (let i = 0; i < names.length; i++) {
  const method = console[names[i]];
  if (typeof method !== "function" || names[i] === "Console") continue;
  exports[names[i]] = FunctionPrototypeBind(method, console);
}
exports.context = notImplemented("Console.context");
exports.createTask = notImplemented("Console.createTask");
exports._times = new primordials.Map();
exports._ignoreErrors = true;
exports._stderrErrorHandler = exports._stdoutErrorHandler = () => {};
exports._stderr = process.stderr;
exports._stdout = process.stdout;
return { exports };
})();
