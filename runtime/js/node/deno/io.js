// ext:deno_io/12_io.js
(function () {
const { primordials } = __bootstrap;
const { Error } = primordials;
const terminal = {
  isTerminal: () => false,
  writeSync() {
    throw new Error("A worker has no terminal.");
  },
};
return { stderr: terminal, stdin: terminal, stdout: terminal };
})();
