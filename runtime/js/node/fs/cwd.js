// The working directory that process.chdir moves, for its event alone.
(function () {
const { core } = __bootstrap;
const { validateString } = core.loadExtScript(
  "ext:deno_node/internal/validators.mjs",
);

const vfs = core.loadExtScript("ext:outboard/node/fs/vfs.js");

/** The longest path, as Linux has it. */
const LONGEST = 4096;

function chdir(path) {
  validateString(path, "directory");
  const { posix } = core.loadExtScript("ext:outboard/node/path.js");
  if (path.length > LONGEST) vfs.fail("ENAMETOOLONG", "chdir", path);
  if (path === "") vfs.fail("ENOENT", "chdir", path);
  const at = vfs.walk(posix.resolve(cwd(), path), true, "chdir");
  if (at.node === undefined) vfs.fail("ENOENT", "chdir", path);
  if (at.node.type !== "directory") vfs.fail("ENOTDIR", "chdir", path);
  vfs.own().cwd = at.path;
}

const cwd = () => vfs.own().cwd;

return { chdir, cwd };
})();
