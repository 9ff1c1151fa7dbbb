//! The scripts behind `node:` modules: deno_node's, as third_party/deno_node has
//! them, and our own of js/node. All load when first imported, so that a worker
//! without the flag pays nothing for them.

pub(super) mod crypto;
pub(super) mod deferred;

use std::path::Path;

use deno_core::ExtensionFileSource;

use super::library::{Patch, patch, patch_all};

/// Says of itself, on its first line, which script it is.
const NAME: &str = "// ext:";

/// Every `node:` module there is, and the script that is its exports. A script
/// of that name is made by [`scripts`].
macro_rules! modules {
    ($($name:literal),* $(,)?) => {
        pub(crate) const MODULES: &[&str] = &[$(concat!("node:", $name)),*];
        pub(super) const SYNTHETIC: &[(&str, &str)] =
            &[$((concat!("node:", $name), concat!("ext:outboard/node:", $name))),*];
    };
}

#[rustfmt::skip]
modules![
    "_http_agent", "_http_client", "_http_common", "_http_incoming", "_http_outgoing",
    "_http_server", "_stream_duplex", "_stream_passthrough", "_stream_readable",
    "_stream_transform", "_stream_writable", "_tls_common", "_tls_wrap", "assert",
    "assert/strict", "async_hooks", "buffer", "child_process", "cluster", "console", "constants",
    "crypto", "dgram", "diagnostics_channel", "dns", "dns/promises", "domain", "events", "fs",
    "fs/promises", "http", "http2", "https", "inspector", "inspector/promises", "module", "net",
    "os", "path", "path/posix", "path/win32", "perf_hooks", "process", "punycode", "querystring",
    "readline", "readline/promises", "repl", "sqlite", "stream", "stream/consumers",
    "stream/promises", "stream/web", "string_decoder", "sys", "test", "timers", "timers/promises",
    "tls", "trace_events", "tty", "url", "util", "util/types", "v8", "vm", "wasi",
    "worker_threads", "zlib",
];

const ASSERT: &str = "ext:deno_node/assert.ts";
const ASSERTION: &str = "ext:deno_node/internal/assert/assertion_error.js";
const ASYNC_HOOKS: &str = "ext:deno_node/async_hooks.ts";
const BINDING_UTILS: &str = "ext:deno_node/internal_binding/_utils.ts";
const BUFFER: &str = "ext:deno_node/internal/buffer.mjs";
const CALLBACKIFY: &str = "ext:deno_node/_util/_util_callbackify.js";
const COLORS: &str = "ext:deno_node/internal/util/colors.ts";
const CONSTANTS: &str = "ext:deno_node/internal_binding/constants.ts";
const DEBUGLOG: &str = "ext:deno_node/internal/util/debuglog.ts";
const DIAGNOSTICS: &str = "ext:deno_node/diagnostics_channel.js";
const DUPLEX_PAIR: &str = "ext:deno_node/internal/streams/duplexpair.js";
const ERRORS: &str = "ext:deno_node/internal/errors.ts";
const HTTP_OUTGOING: &str = "ext:deno_node/_http_outgoing.ts";
const IDNA: &str = "ext:deno_node/internal/idna.ts";
const MIME: &str = "ext:deno_node/internal/mime.ts";
const POSIX: &str = "ext:deno_node/path/_posix.ts";
const PUNYCODE: &str = "ext:deno_node/punycode.ts";
const READABLE: &str = "ext:deno_node/internal/streams/readable.js";
const STREAM_PROMISES: &str = "ext:deno_node/stream/promises.js";
const URLS: &str = "ext:deno_node/url.ts";
const UTIL: &str = "ext:deno_node/util.ts";
const ZLIB: &str = "ext:deno_node/_zlib_binding.mjs";
const ZLIB_STREAMS: &str = "ext:deno_node/zlib.js";
const WIN32: &str = "ext:deno_node/path/_win32.ts";

/// Where deno_node's scripts differ here: what they ask of a host that workers
/// do not have, and whom they know by a global that a script may replace.
pub(super) const PATCHES: &[Patch] = &[
    patch_all(
        "core.createLazyLoader(",
        "core.loadExtScript(\"ext:outboard/node/require.js\").lazy(",
    ),
    patch_all(
        "globalThis.process",
        "__bootstrap.core.loadExtScript(\"ext:outboard/node/process.js\").process",
    ),
    patch_all(
        "globalThis.crypto",
        "__bootstrap.core.loadExtScript(\"ext:outboard/crypto.js\").crypto",
    ),
    // The promise of a call (RPC) is a function, and as good as any.
    patch(
        ASSERT,
        "typeof obj === \"object\" && typeof obj.then === \"function\"",
        "(typeof obj === \"object\" || typeof obj === \"function\") && typeof obj.then === \"function\"",
    ),
    // Workers compare strictly by either name.
    patch(
        ASSERT,
        "  function equal(actual, expected, ...message) {\n",
        "  function equal(actual, expected, ...message) {\n    return strictEqual(actual, expected, ...new SafeArrayIterator(message));\n",
    ),
    patch(
        ASSERT,
        "  function notEqual(actual, expected, ...message) {\n",
        "  function notEqual(actual, expected, ...message) {\n    return notStrictEqual(actual, expected, ...new SafeArrayIterator(message));\n",
    ),
    patch(
        ASSERT,
        "  function deepEqual(actual, expected, ...message) {\n",
        "  function deepEqual(actual, expected, ...message) {\n    return deepStrictEqual(actual, expected, ...new SafeArrayIterator(message));\n",
    ),
    patch(
        ASSERT,
        "  function notDeepEqual(actual, expected, ...message) {\n",
        "  function notDeepEqual(actual, expected, ...message) {\n    return notDeepStrictEqual(actual, expected, ...new SafeArrayIterator(message));\n",
    ),
    patch(
        ASSERTION,
        "    operator = checkOperator(actual, expected, operator);\n",
        "    if (operator === \"deepStrictEqual\") {\n      const lines = core.loadExtScript(\"ext:outboard/node/assert_lines.js\").diffOfLines(actual, expected);\n      if (lines !== undefined) {\n        return `${getErrorMessage(operator, customMessage)}\\n+ actual - expected\\n\\n${lines}`;\n      }\n    }\n    operator = checkOperator(actual, expected, operator);\n",
    ),
    // A message of the caller's is all that is said.
    patch(
        ASSERTION,
        "        if (ArrayPrototypeIncludes(kMethodsWithCustomMessageDiff, operator)) {\n          super(createErrDiff(actual, expected, operator, message, diff));\n        } else {\n          super(String(message));\n        }\n",
        "        super(String(message));\n",
    ),
    patch(ASSERTION, "Deno.consoleSize().columns", "80"),
    // A list's getter may change what was read before: all is read, then copied.
    // Each buffer has memory of its own, as in Workers: what `buffer` gives away
    // is nobody else's.
    patch(
        BUFFER,
        "    if (size < Buffer.poolSize >>> 1) {\n      if (size > poolSize - poolOffset) {\n        createPool();\n      }\n      const b = new FastBuffer(allocPool, poolOffset, size);\n      poolOffset += size;\n      alignPool();\n      return b;\n    }\n    return new FastBuffer(size);",
        "    return new FastBuffer(size);",
    ),
    patch(
        BUFFER,
        "    const maxLength = Buffer.poolSize >>> 1;\n",
        "    const maxLength = 0;\n",
    ),
    patch(
        BUFFER,
        "const buffer = _allocUnsafe(length);\n    let pos = 0;",
        "const buffer = _allocUnsafe(length);\n    list = [...new primordials.SafeArrayIterator(list)];\n    let pos = 0;",
    ),
    patch(
        ASYNC_HOOKS,
        "setAsyncContext(this.#snapshot)",
        "setAsyncContext(__bootstrap.core.loadExtScript(\"ext:outboard/event.js\")\
         .inCurrentEvent(this.#snapshot))",
    ),
    // Tail workers hear of what is published.
    patch(
        DIAGNOSTICS,
        "    publish() {\n    }\n",
        "    publish(data) {\n      published(this.name, data);\n    }\n",
    ),
    patch(
        DIAGNOSTICS,
        "    publish(data) {\n      const subscribers",
        "    publish(data) {\n      published(this.name, data);\n      const subscribers",
    ),
    patch(
        DIAGNOSTICS,
        "  class ActiveChannel {",
        "  const published = __bootstrap.core.ops.op_traced() === 0\n    ? () => {}\n    \
         : __bootstrap.core.loadExtScript(\"ext:outboard/trace.js\").published;\n  class ActiveChannel {",
    ),
    patch(BUFFER, "op_node_call_is_from_dependency()", "true"),
    // What lies behind the source's end is nothing to copy.
    patch(
        BUFFER,
        "if (sourceStart < 0 || sourceStart > this.length) {",
        "if (sourceStart < 0) {",
    ),
    patch(
        BUFFER,
        "          `>= 0 && <= ${this.length}`,\n          sourceStart\n",
        "          \">= 0\",\n          sourceStart\n",
    ),
    patch(
        BUFFER,
        "if (target.length === 0 || this.length === 0) {",
        "if (target.length === 0 || this.length <= sourceStart) {",
    ),
    patch(
        BUFFER,
        "    boundsError(byteLength2, 6, \"byteLength\");\n",
        "    if (typeof byteLength2 !== \"number\") {\n      throw new codes.ERR_OUT_OF_RANGE(\"byteLength\", \"an integer\", byteLength2);\n    }\n    boundsError(byteLength2, 6, \"byteLength\");\n",
    ),
    patch(
        BUFFER,
        "const kMaxLength = NumberMAX_SAFE_INTEGER;",
        "const kMaxLength = 2147483647;",
    ),
    // `length` may be said to be anything; there is no more to fill than bytes.
    patch(
        BUFFER,
        "      const byteLen = TypedArrayPrototypeGetByteLength(this);\n      const fillLength = end - start;\n      if (start > end || fillLength + start > byteLen) {\n        throw new codes.ERR_BUFFER_OUT_OF_BOUNDS();\n      }\n",
        "      end = primordials.MathMin(end, TypedArrayPrototypeGetByteLength(this));\n",
    ),
    patch(
        BUFFER,
        "fromEnco === toEnco || fromEnco === \"ascii\"",
        "fromEnco === toEnco && toEnco !== \"utf8\" || fromEnco === \"ascii\"",
    ),
    patch(
        BUFFER,
        "`Unable to transcode Buffer [${code}]`",
        "\"Unable to transcode buffer\"",
    ),
    // What the text would be too long for is not encoded first.
    patch(
        BUFFER,
        "return op_base64_encode_from_buffer(this, offset, end - offset);",
        "return op_base64_encode_from_buffer(this, offset, checkBase64(end - offset));",
    ),
    patch(
        BUFFER,
        "return op_base64url_encode_from_buffer(this, offset, end - offset);",
        "return op_base64url_encode_from_buffer(this, offset, checkBase64(end - offset));",
    ),
    patch(
        BUFFER,
        "  Buffer.prototype.base64Slice = function base64Slice(offset, end) {",
        "  function checkBase64(length) {\n    if (length / 3 * 4 > constants.MAX_STRING_LENGTH) {\n\
         \x20     throw new primordials.RangeError(\"String is too long for a V8 string.\");\n    }\n\
         \x20   return length;\n  }\n\
         \x20 Buffer.prototype.base64Slice = function base64Slice(offset, end) {",
    ),
    // Workers write a space there.
    patch(
        MIME,
        "if (ret.length) ret += \";\";",
        "if (ret.length) ret += \"; \";",
    ),
    // A digit at a time takes most of what a buffer's hexadecimal text does.
    patch(
        BINDING_UTILS,
        "    op_base64url_decode\n  } = core.ops;",
        "    op_base64url_decode,\n    op_node_encoding_slice\n  } = core.ops;",
    ),
    patch(
        BINDING_UTILS,
        "function bytesToHex(bytes) {",
        "function bytesToHex(bytes) {\n    return op_node_encoding_slice(bytes, void 0, void 0, 4);",
    ),
    patch(
        UTIL,
        "binding.parseEnv(input)",
        "core.loadExtScript(\"ext:outboard/node/parse_env.js\").parseEnv(input)",
    ),
    // What gives something with a `then` is as good.
    patch(
        CALLBACKIFY,
        "PromisePrototypeThen(\n        ReflectApply(original, this, args),",
        "PromisePrototypeThen(\n        primordials.PromiseResolve(ReflectApply(original, this, args)),",
    ),
    patch(
        UTIL,
        "const result = ObjectCreate(null);\n    const keys = ObjectKeys(parsed);",
        "const result = {};\n    const keys = ObjectKeys(parsed);",
    ),
    patch(UTIL, "op_node_call_is_from_dependency()", "true"),
    patch(COLORS, "!Deno.noColor", "false"),
    patch(CONSTANTS, "op_node_build_os()", "\"linux\""),
    patch(
        CONSTANTS,
        "op_node_fs_constants()",
        "core.loadExtScript(\"ext:outboard/node/fs/constants.js\").constants",
    ),
    patch(DEBUGLOG, "String(Deno.pid)", "\"1\""),
    // Its module would ask for this one.
    patch(
        DUPLEX_PAIR,
        "require(\"node:stream\")",
        "__bootstrap.core.loadExtScript(\"ext:deno_node/internal/streams/duplex.js\")",
    ),
    patch(STREAM_PROMISES, "require(\"node:stream\")", "{}"),
    patch(
        ERRORS,
        "ObjectPrototypeIsPrototypeOf(Deno.errors.NotCapable.prototype, err)",
        "false",
    ),
    patch(
        ERRORS,
        "ObjectPrototypeIsPrototypeOf(Deno.errors.BadResource.prototype, e)",
        "false",
    ),
    // What is written becomes the body of a Request or Response, which frames it.
    patch(
        HTTP_OUTGOING,
        "if (msg.chunkedEncoding && chunk.length !== 0)",
        "if (false)",
    ),
    patch(
        HTTP_OUTGOING,
        "new Error2(\"end already called\")",
        "new (__bootstrap.core.loadExtScript(\"ext:deno_node/internal/errors.ts\")\
         .ERR_STREAM_ALREADY_FINISHED)(\"end\")",
    ),
    patch(
        HTTP_OUTGOING,
        "this._send(\"0\\r\\n\" + this._trailer + \"\\r\\n\", \"latin1\", finish)",
        "this._send(\"\", \"latin1\", finish)",
    ),
    patch(
        IDNA,
        "op_node_idna_to_ascii(domain)",
        "core.ops.op_node_idna(\"ascii\", domain)",
    ),
    patch(
        IDNA,
        "op_node_idna_domain_to_ascii(domain)",
        "core.ops.op_node_idna(\"host\", domain)",
    ),
    patch(
        IDNA,
        "op_node_idna_domain_to_unicode(domain)",
        "core.ops.op_node_idna(\"unicode\", domain)",
    ),
    // As Node does now: what a URL parser drops is no part of a host.
    patch(
        URLS,
        "case CHAR_TAB:\n            case CHAR_LINE_FEED:\n            case CHAR_CARRIAGE_RETURN:\n\
         \x20           case CHAR_SPACE:",
        "case CHAR_TAB:\n            case CHAR_LINE_FEED:\n            case CHAR_CARRIAGE_RETURN:\n\
         \x20             rest = StringPrototypeSlice(rest, 0, i) + StringPrototypeSlice(rest, i + 1);\n\
         \x20             i--;\n              break;\n            case CHAR_SPACE:",
    ),
    patch(
        URLS,
        "const isValid = code >= CHAR_LOWERCASE_A && code <= CHAR_LOWERCASE_Z || code === CHAR_DOT || code >= CHAR_UPPERCASE_A && code <= CHAR_UPPERCASE_Z || code >= CHAR_0 && code <= CHAR_9 || code === CHAR_HYPHEN_MINUS || code === CHAR_PLUS || code === CHAR_UNDERSCORE || code > 127;",
        "const isValid = code !== CHAR_FORWARD_SLASH && code !== CHAR_BACKWARD_SLASH &&\n\
         \x20       code !== CHAR_HASH && code !== CHAR_QUESTION_MARK && code !== 58;",
    ),
    patch(
        URLS,
        "if (!slashesDenoteHost && !hasHash) {",
        "if (!slashesDenoteHost && !hasHash && !RegExpPrototypeTest(hostPattern, rest)) {",
    ),
    patch(
        URLS,
        "const isWs = code === CHAR_SPACE || code === CHAR_TAB || code === CHAR_CARRIAGE_RETURN || code === CHAR_LINE_FEED || code === CHAR_FORM_FEED || code === CHAR_NO_BREAK_SPACE || code === CHAR_ZERO_WIDTH_NOBREAK_SPACE;",
        "const isWs = code < 33 || code === CHAR_NO_BREAK_SPACE || \
         code === CHAR_ZERO_WIDTH_NOBREAK_SPACE;",
    ),
    // A name that is no host by URL's rules may be one here.
    patch(
        URLS,
        "this.hostname = idnaToASCII(this.hostname);",
        "this.hostname = core.ops.op_node_idna(\"ascii\", this.hostname);",
    ),
    patch(
        URLS,
        "function fileURLToPath(path) {",
        "function fileURLToPath(path, options) {",
    ),
    patch(
        URLS,
        "return isWindows ? getPathFromURLWin(path)",
        "return (options?.windows ?? isWindows) ? getPathFromURLWin(path)",
    ),
    // Paths are resolved from the root, wherever process.chdir() went.
    patch(
        POSIX,
        "__bootstrap.core.loadExtScript(\"ext:outboard/node/process.js\").process.cwd()",
        "\"/\"",
    ),
    // Before its flag, read() gives all that there is.
    patch(
        READABLE,
        "(state[kState] & kDecoder) === 0 && state.length",
        "(state[kState] & kDecoder) === 0 && state.length && \
         (({ flag, has }) => has(flag.enable_streams_nodejs_v24_compat))(\
         __bootstrap.core.loadExtScript(\"ext:outboard/compatibility.js\"))",
    ),
    patch(
        PUNYCODE,
        "op_node_idna_punycode_to_ascii(domain)",
        "core.ops.op_node_idna(\"to-ascii\", domain)",
    ),
    patch(
        PUNYCODE,
        "op_node_idna_punycode_to_unicode(domain)",
        "core.ops.op_node_idna(\"to-unicode\", domain)",
    ),
    patch(
        PUNYCODE,
        "op_node_idna_punycode_decode(domain)",
        "core.ops.op_node_idna(\"decode\", domain)",
    ),
    patch(
        PUNYCODE,
        "op_node_idna_punycode_encode(domain)",
        "core.ops.op_node_idna(\"encode\", domain)",
    ),
    patch(
        ZLIB,
        "= core.ops;",
        "= core.loadExtScript(\"ext:outboard/node/zlib_handles.js\");",
    ),
    // As much as an isolate's memory is, and as Workers say it.
    patch(
        ZLIB_STREAMS,
        "let maxOutputLength = kMaxLength;",
        "let maxOutputLength = 134_217_728;",
    ),
    patch(
        ZLIB_STREAMS,
        "1,\n        kMaxLength,\n        kMaxLength\n",
        "1,\n        134_217_728,\n        134_217_728\n",
    ),
    patch(
        ZLIB_STREAMS,
        "new ERR_BUFFER_TOO_LARGE(this._maxOutputLength)",
        "primordials.ObjectAssign(new ERR_BUFFER_TOO_LARGE(0), { message: \"Memory limit exceeded\" })",
    ),
    patch(
        ZLIB_STREAMS,
        "new ERR_BUFFER_TOO_LARGE(self._maxOutputLength)",
        "primordials.ObjectAssign(new ERR_BUFFER_TOO_LARGE(0), { message: \"Memory limit exceeded\" })",
    ),
    patch(
        WIN32,
        "const { Deno } = globalThis;",
        "const Deno = {\n        cwd: () =>\n\
         \x20         __bootstrap.core.loadExtScript(\"ext:outboard/node/process.js\").process.cwd(),\n\
         \x20       env: { get: () => undefined },\n      };",
    ),
];

/// All scripts, as they are in the repository. Called where the snapshot is
/// built, which is where they are.
pub(super) fn scripts() -> Vec<ExtensionFileSource> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut scripts = Vec::new();
    let own = root.join("js/node");
    collect(&own, &mut |path, source| {
        scripts.push((
            named(source).unwrap_or_else(|| own_name(&own, path)),
            source.into(),
        ));
    });
    let library = root.join("../third_party/deno_node/scripts");
    collect(&library, &mut |path, source| {
        let name = named(source).unwrap_or_else(|| panic!("{}: no name", path.display()));
        scripts.push((name, source.into()));
    });
    for (module, script) in SYNTHETIC {
        let source = format!(
            "(function () {{\nreturn __bootstrap.core.loadExtScript(\n  \
             \"ext:outboard/node/require.js\",\n).space({module:?});\n}})();\n"
        );
        scripts.push(((*script).into(), source));
    }
    scripts
        .into_iter()
        .map(|(name, source)| {
            // Once, in a build script.
            ExtensionFileSource::new_computed(name.leak(), source.into())
        })
        .collect()
}

/// The name a script gives itself.
fn named(source: &str) -> Option<String> {
    let line = source.lines().next()?;
    line.starts_with(NAME).then(|| line["// ".len()..].into())
}

fn own_name(folder: &Path, path: &Path) -> String {
    let below = path.strip_prefix(folder).expect("it was found there");
    format!("ext:outboard/node/{}", below.display())
}

/// Calls `found` with every file below a folder, in order of name.
fn collect(folder: &Path, found: &mut impl FnMut(&Path, &str)) {
    let entries =
        std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("the folder is read").path())
        .collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            collect(&path, found);
        } else {
            let source = std::fs::read_to_string(&path)
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            found(&path, &source);
        }
    }
}
