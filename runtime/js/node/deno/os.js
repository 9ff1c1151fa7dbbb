// ext:deno_node/_util/os.ts
(function () {
return {
  osType: "linux",
  isAndroid: false,
  isWindows: false,
  isLinux: true,
  isMacOS: false,
};
})();
