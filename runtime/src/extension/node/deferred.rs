//! What scripts of Node's load when it is used, and not when they are: most of a module
//! is never asked for.

use super::super::library::{Patch, patch};

const BUFFER: &str = "ext:deno_node/internal/buffer.mjs";
const CIPHER: &str = "ext:deno_node/internal/crypto/cipher.ts";
const CRYPTO: &str = "ext:deno_node/crypto.ts";
const ERRORS: &str = "ext:deno_node/internal/errors.ts";
const EVENTS: &str = "ext:deno_node/_events.mjs";
const UTIL: &str = "ext:deno_node/util.ts";
const WIN32: &str = "ext:deno_node/path/_win32.ts";

/// Text that loads a script, and that defers it: in one line, or as it stands in the
/// library where a line is too short.
macro_rules! deferred {
    ($($script:ident: $open:literal $name:literal $close:literal),* $(,)?) => {
        &[$(patch(
            $script,
            concat!("core.loadExtScript(", $open, "\"ext:deno_node/internal/", $name, "\"", $close, ")"),
            concat!(
                "core.loadExtScript(\"ext:outboard/node/deferred.js\").from(\"ext:deno_node/internal/",
                $name,
                "\")"
            ),
        )),*]
    };
}

pub(in super::super) const PATCHES: &[Patch] = deferred![
    CRYPTO: "\n    " "crypto/pbkdf2.ts" "\n  ",
    CRYPTO: "\n    " "crypto/scrypt.ts" "\n  ",
    CRYPTO: "" "crypto/keygen.ts" "",
    CRYPTO: "" "crypto/diffiehellman.ts" "",
    CRYPTO: "" "crypto/cipher.ts" "",
    CRYPTO: "" "crypto/sig.ts" "",
    CRYPTO: "\n    " "crypto/x509.ts" "\n  ",
    CRYPTO: "\n    " "crypto/certificate.ts" "\n  ",
    BUFFER: "\n    " "util/inspect.mjs" "\n  ",
    ERRORS: "\n    " "util/inspect.mjs" "\n  ",
    EVENTS: "\n    " "util/inspect.mjs" "\n  ",
    UTIL: "\n    " "util/comparisons.ts" "\n  ",
    UTIL: "\n    " "assert/myers_diff.js" "\n  ",
    UTIL: "\n    " "util/parse_args/parse_args.js" "\n  ",
    UTIL: "\n    " "mime.ts" "\n  ",
];

/// Node's own scripts use the small one of its two.
pub(in super::super) const ASSERTS: &[Patch] = &[small_assert(CIPHER), small_assert(WIN32)];

const fn small_assert(script: &'static str) -> Patch {
    patch(
        script,
        "const { default: assert } = core.loadExtScript(\"ext:deno_node/assert.ts\");",
        "const assert = core.loadExtScript(\"ext:deno_node/internal/assert.mjs\");",
    )
}
