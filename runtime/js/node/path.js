// node:path: always POSIX, with Windows' rules beside it.
(function () {
const { core } = __bootstrap;
const posix = core.loadExtScript("ext:deno_node/path/_posix.ts").default;
const win32 = core.loadExtScript("ext:deno_node/path/_win32.ts").default;
posix.posix = win32.posix = posix;
posix.win32 = win32.win32 = win32;
return { posix, win32 };
})();
