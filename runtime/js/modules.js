// `outboard:modules`: the value of a module that is not script (text, data,
// json, wasm). The loader writes the import; a worker can only name its own.
(function () {
const { core } = __bootstrap;
const { op_module_value } = core.ops;
return { moduleValue: (url) => op_module_value(url) };
})();
