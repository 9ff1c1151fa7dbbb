// The node: modules: what each name gives, made when first asked for. What
// touches the world is in js/node; the rest is deno_node's.
(function () {
const { core, primordials } = __bootstrap;
const { ArrayPrototypeMap, ObjectKeys, StringPrototypeSlice } = primordials;
const load = core.loadExtScript;

const deno = (path) => () => load(`ext:deno_node/${path}`).default;
const own = (path) => () => load(`ext:outboard/node/${path}.js`).exports;

/** name without `node:` -> the function that makes its exports */
const makers = {
  __proto__: null,
  _stream_duplex: () => load("ext:deno_node/internal/streams/duplex.js").Duplex,
  _stream_passthrough: () =>
    load("ext:deno_node/internal/streams/passthrough.js").default,
  _stream_readable: () =>
    load("ext:deno_node/internal/streams/readable.js").Readable,
  _stream_transform: () =>
    load("ext:deno_node/internal/streams/transform.js").default,
  _stream_writable: () =>
    load("ext:deno_node/internal/streams/writable.js").default,
  assert: deno("assert.ts"),
  "assert/strict": () => load("ext:deno_node/assert.ts").strict,
  async_hooks: own("async_hooks"),
  buffer: own("buffer"),
  console: own("console"),
  constants: own("constants"),
  crypto: own("crypto"),
  diagnostics_channel: own("diagnostics_channel"),
  events: deno("_events.mjs"),
  fs: own("fs"),
  "fs/promises": () => load("ext:outboard/node/fs.js").promises,
  module: own("module"),
  os: own("os"),
  path: () => load("ext:outboard/node/path.js").posix,
  "path/posix": () => load("ext:outboard/node/path.js").posix,
  "path/win32": () => load("ext:outboard/node/path.js").win32,
  perf_hooks: own("perf_hooks"),
  process: () => load("ext:outboard/node/process.js").process,
  punycode: deno("punycode.ts"),
  querystring: deno("querystring.js"),
  stream: deno("stream.ts"),
  "stream/consumers": () => load("ext:deno_node/stream/consumers.js"),
  "stream/promises": deno("stream/promises.js"),
  "stream/web": () => load("ext:deno_node/stream/web.js"),
  string_decoder: () => {
    const { StringDecoder } = load("ext:deno_node/string_decoder.ts");
    return { StringDecoder };
  },
  sys: own("util"),
  timers: own("timers"),
  "timers/promises": () => load("ext:outboard/node/timers.js").promises,
  url: () => load("ext:deno_node/url.ts"),
  util: own("util"),
  "util/types": () => load("ext:deno_node/internal/util/types.ts"),
  zlib: () => load("ext:deno_node/zlib.js"),
};

const made = { __proto__: null };

/** What `require(specifier)` gives for a module of Node's; else undefined. */
function builtin(specifier) {
  const name = bare(specifier);
  const make = makers[name];
  if (make === undefined) return undefined;
  return made[name] ??= make();
}

function bare(specifier) {
  return StringPrototypeSlice(specifier, 0, 5) === "node:"
    ? StringPrototypeSlice(specifier, 5)
    : specifier;
}

const isBuiltin = (specifier) => makers[bare(specifier)] !== undefined;

return {
  builtin,
  builtinModules: ArrayPrototypeMap(ObjectKeys(makers), (name) => name),
  isBuiltin,
};
})();
