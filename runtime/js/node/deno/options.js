// ext:deno_node/internal/options.ts
(function () {
// A worker has no command line.
return { getExecArgvOptionValue() {}, getOptionValue() {} };
})();
