// Takes the scripts that `node:` modules need from a published deno_node crate.
//
//   npm install --no-save esbuild@0.25.12
//   node third_party/deno_node/refresh.mjs FOLDER_OF_THE_CRATE [FOLDER_OF_ESBUILD]
//
// What is done to each: types and comments go, ES modules become scripts that
// return their exports, other characters than ASCII become escapes. What behaves
// differently here is not changed in them but listed in PATCHES of
// runtime/src/extension/node.rs.
import { createRequire } from "node:module";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const [crate, esbuildFolder = "."] = process.argv.slice(2);
const esbuild = createRequire(resolve(esbuildFolder, "x.js"))("esbuild");
const here = dirname(fileURLToPath(import.meta.url));
const version = /^version = "(.*)"/m.exec(
  readFileSync(join(crate, "Cargo.toml"), "utf8"),
)[1];

/** Where a module's own file begins the walk. */
const ROOTS = [
  "_events.mjs",
  "_http_incoming.js",
  "_http_outgoing.ts",
  "_util/_util_callbackify.js",
  "assert.ts",
  "async_hooks.ts",
  "crypto.ts",
  "diagnostics_channel.js",
  "internal/buffer.mjs",
  "internal/console/constructor.mjs",
  "internal/http2/constants.ts",
  "internal/streams/duplex.js",
  "internal/streams/duplexify.js",
  "internal/streams/from.js",
  "internal/streams/passthrough.js",
  "internal/streams/readable.js",
  "internal/streams/transform.js",
  "internal/streams/writable.js",
  "internal/webstreams/adapters.js",
  "path/_posix.ts",
  "path/_win32.ts",
  "punycode.ts",
  "querystring.js",
  "stream.ts",
  "stream/consumers.js",
  "stream/promises.js",
  "stream/web.js",
  "string_decoder.ts",
  "url.ts",
  "util.ts",
  "zlib.js",
];

/** What is ours instead: runtime/js/node/deno has a script of the same name. */
const OURS = new Set(
  readFileSync(join(here, "replaced.txt"), "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#")),
);

rmSync(join(here, "scripts"), { recursive: true, force: true });
const seen = new Set();
const walk = [...ROOTS];
while (walk.length > 0) {
  const path = walk.pop();
  if (seen.has(path) || OURS.has(path)) continue;
  seen.add(path);
  const source = readFileSync(join(crate, "polyfills", path), "utf8");
  const script = convert(path, source);
  for (const [, next] of script.matchAll(/"ext:deno_node\/([^"]+)"/g)) {
    walk.push(next);
  }
  const out = join(here, "scripts", path.replace(/\.(ts|mjs|js)$/, ".js"));
  mkdirSync(dirname(out), { recursive: true });
  writeFileSync(
    out,
    `// ext:deno_node/${path}\n` +
      `// From deno_node ${version}, MIT: see ../LICENSE.md. Written by refresh.mjs.\n` +
      script,
  );
}
console.log(`${seen.size} scripts of deno_node ${version}`);

function convert(path, source) {
  const isModule = /^(import|export)\b/m.test(source);
  const { code } = esbuild.transformSync(source, {
    charset: "ascii",
    format: isModule ? "cjs" : undefined,
    legalComments: "none",
    loader: path.endsWith(".ts") ? "ts" : "js",
    target: "esnext",
    tsconfigRaw: { compilerOptions: { target: "esnext", useDefineForClassFields: true } },
  });
  if (!isModule) return code;
  return "(function () {\n" +
    "const module = { exports: {} };\n" +
    'const require = __bootstrap.core.loadExtScript("ext:outboard/node/require.js").require;\n' +
    code +
    "return module.exports;\n})();\n";
}
