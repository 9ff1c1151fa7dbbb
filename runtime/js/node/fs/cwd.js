// The working directory that process.chdir moves.
(function () {
const { core } = __bootstrap;
const { validateString } = core.loadExtScript(
  "ext:deno_node/internal/validators.mjs",
);

/** The longest path, as Linux has it. */
const LONGEST = 4096;

let current = "/bundle";

function chdir(path) {
  validateString(path, "directory");
  const vfs = core.loadExtScript("ext:outboard/node/fs/vfs.js");
  const { posix } = core.loadExtScript("ext:outboard/node/path.js");
  if (path.length > LONGEST) vfs.fail("ENAMETOOLONG", "chdir", path);
  if (path === "") vfs.fail("ENOENT", "chdir", path);
  const at = vfs.walk(posix.resolve(current, path), true, "chdir");
  if (at.node === undefined) vfs.fail("ENOENT", "chdir", path);
  if (at.node.type !== "directory") vfs.fail("ENOTDIR", "chdir", path);
  current = at.path;
}

return { chdir, cwd: () => current };
})();
