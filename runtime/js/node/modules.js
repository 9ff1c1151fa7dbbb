// The node: modules: what each name gives, made when first asked for. What
// touches the world is in js/node; the rest is deno_node's.
(function () {
const { core, primordials } = __bootstrap;
const {
  ArrayPrototypeFilter,
  FunctionPrototypeCall,
  ObjectGetOwnPropertyDescriptors,
  ObjectKeys,
  SafeArrayIterator,
  StringPrototypeSlice,
} = primordials;
const load = core.loadExtScript;

const deno = (path) => () => load(`ext:deno_node/${path}`).default;
const own = (path) => () => load(`ext:outboard/node/${path}.js`).exports;
/** What Workers have by name alone. */
const absent = (name) => own(`absent/${name}`);

/** name without `node:` -> the function that makes its exports */
const makers = {
  __proto__: null,
  _http_agent: () => load("ext:outboard/node/http/agent.js").module,
  _http_client: () => load("ext:outboard/node/http/client.js").module,
  _http_common: own("http/common"),
  _http_incoming: () => load("ext:outboard/node/http/incoming.js").module,
  _http_outgoing: () => load("ext:outboard/node/http/outgoing.js").module,
  _http_server: () => load("ext:outboard/node/http/server.js").module,
  _stream_duplex: () => load("ext:deno_node/internal/streams/duplex.js").Duplex,
  _stream_passthrough: () =>
    load("ext:deno_node/internal/streams/passthrough.js").default,
  _stream_readable: () =>
    load("ext:deno_node/internal/streams/readable.js").Readable,
  _stream_transform: () =>
    load("ext:deno_node/internal/streams/transform.js").default,
  _stream_writable: () =>
    load("ext:deno_node/internal/streams/writable.js").default,
  _tls_common: () => {
    const { createSecureContext, SecureContext } =
      load("ext:outboard/node/tls.js").exports;
    return { createSecureContext, SecureContext };
  },
  _tls_wrap: () => {
    const { connect, TLSSocket } = load("ext:outboard/node/tls.js").exports;
    return { connect, TLSSocket };
  },
  assert: deno("assert.ts"),
  "assert/strict": () => load("ext:deno_node/assert.ts").strict,
  async_hooks: own("async_hooks"),
  buffer: own("buffer"),
  child_process: absent("child_process"),
  cluster: absent("cluster"),
  console: own("console"),
  constants: own("constants"),
  crypto: own("crypto"),
  dgram: absent("dgram"),
  diagnostics_channel: own("diagnostics_channel"),
  dns: own("dns"),
  "dns/promises": () => load("ext:outboard/node/dns.js").promises,
  domain: absent("domain"),
  events: deno("_events.mjs"),
  fs: own("fs"),
  "fs/promises": () => load("ext:outboard/node/fs.js").promises,
  http: own("http"),
  http2: absent("http2"),
  https: own("https"),
  inspector: absent("inspector"),
  "inspector/promises": () =>
    load("ext:outboard/node/absent/inspector.js").promises,
  module: own("module"),
  net: own("net"),
  os: own("os"),
  path: () => load("ext:outboard/node/path.js").posix,
  "path/posix": () => load("ext:outboard/node/path.js").posix,
  "path/win32": () => load("ext:outboard/node/path.js").win32,
  perf_hooks: own("perf_hooks"),
  process: () => load("ext:outboard/node/visible_process.js").process,
  punycode: deno("punycode.ts"),
  querystring: deno("querystring.js"),
  readline: absent("readline"),
  "readline/promises": () =>
    load("ext:outboard/node/absent/readline.js").promises,
  repl: absent("repl"),
  sqlite: absent("sqlite"),
  stream: deno("stream.ts"),
  "stream/consumers": () => load("ext:deno_node/stream/consumers.js"),
  "stream/promises": deno("stream/promises.js"),
  "stream/web": () => load("ext:deno_node/stream/web.js"),
  string_decoder: () => {
    const { StringDecoder } = load("ext:deno_node/string_decoder.ts");
    return { StringDecoder };
  },
  sys: own("util"),
  test: own("test"),
  timers: own("timers"),
  "timers/promises": () => load("ext:outboard/node/timers.js").promises,
  tls: own("tls"),
  trace_events: absent("trace_events"),
  tty: absent("tty"),
  url: own("url"),
  util: own("util"),
  "util/types": () => load("ext:outboard/node/util.js").types,
  v8: absent("v8"),
  vm: absent("vm"),
  wasi: absent("wasi"),
  worker_threads: absent("worker_threads"),
  zlib: () => load("ext:deno_node/zlib.js"),
};

/** Where an import sees other names than the exports have. */
const names = {
  __proto__: null,
  _stream_duplex: () => streamNames("Duplex"),
  _stream_passthrough: () => streamNames("PassThrough"),
  _stream_readable: () => streamNames("Readable", "ReadableState"),
  _stream_transform: () => streamNames("Transform"),
  _stream_writable: () => streamNames("Writable", "WritableState"),
  cluster: () => load("ext:outboard/node/absent/cluster.js").names,
  // Its streams are most of what there would be to load, and few scripts use them.
  process: () =>
    valuesOf("process", (process, name) =>
      load("ext:outboard/node/deferred.js").deferredObject(() => process[name])),
};

/** A kind of stream under its name, and what else its module has. */
function streamNames(name, state = undefined) {
  const kind = builtin("stream")[name];
  return state === undefined
    ? { [name]: kind }
    : { [name]: kind, [state]: kind[state], _fromList: kind._fromList, from: kind.from };
}

const made = { __proto__: null };
const first = { __proto__: null };

/** What `require(specifier)` gives for a module of Node's; else undefined. */
function builtin(specifier) {
  const name = bare(specifier);
  const make = makers[name];
  if (make === undefined) return undefined;
  if (made[name] === undefined) {
    made[name] = make();
    // An import sees what was there, whatever require()'s callers change.
    first[name] = ObjectGetOwnPropertyDescriptors(made[name]);
  }
  return made[name];
}

/** The names that an import of a module finds, and their values. */
function importNames(specifier) {
  builtin(specifier);
  const name = bare(specifier);
  return names[name] === undefined ? valuesOf(name) : names[name]();
}

/** The values of a module that was made; `get` finds those that are not there yet. */
function valuesOf(module, get = undefined) {
  const found = {};
  const descriptors = first[module];
  for (const name of new SafeArrayIterator(ObjectKeys(descriptors))) {
    const descriptor = descriptors[name];
    if (!descriptor.enumerable) continue;
    if (descriptor.get === undefined) found[name] = descriptor.value;
    else if (get !== undefined) found[name] = get(made[module], name);
    else found[name] = FunctionPrototypeCall(descriptor.get, made[module]);
  }
  return found;
}

function bare(specifier) {
  return StringPrototypeSlice(specifier, 0, 5) === "node:"
    ? StringPrototypeSlice(specifier, 5)
    : specifier;
}

const isBuiltin = (specifier) =>
  makers[bare(specifier)] !== undefined && specifier !== "test";

return {
  builtin,
  builtinModules: ArrayPrototypeFilter(ObjectKeys(makers), isBuiltin),
  importNames,
  isBuiltin,
};
})();
