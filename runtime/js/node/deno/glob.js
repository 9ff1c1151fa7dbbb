// ext:deno_node/_fs/_fs_glob.ts
(function () {
const { core } = __bootstrap;
const { matchGlob } = core.loadExtScript("ext:outboard/node/glob.js");
return {
  matchGlobPattern: (path, pattern, _windows) => matchGlob(path, pattern),
};
})();
