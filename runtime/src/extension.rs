//! The runtime's scripts and ops as deno_core extensions: the same list builds
//! the snapshot and starts from it.

mod library;

use std::borrow::Cow;
use std::sync::Arc;

use deno_core::{Extension, ExtensionFileSource, OpDecl};

use crate::ops;

deno_core::extension!(
    outboard,
    deps = [deno_webidl, deno_web, deno_crypto],
    ops = [
        ops::binding::op_binding,
        ops::body::op_body_abort,
        ops::body::op_body_bytes,
        ops::body::op_body_cancel,
        ops::body::op_body_text,
        ops::cache::op_cache_delete,
        ops::cache::op_cache_match,
        ops::cache::op_cache_put,
        ops::cache::op_cache_put_wait,
        ops::connect::op_connect,
        ops::connect::op_connect_opened,
        ops::connect::op_connect_start_tls,
        ops::console::op_console,
        ops::console::op_console_colour,
        ops::console::op_unhandled,
        ops::event::op_event_body,
        ops::event::op_event_done,
        ops::event::op_event_end,
        ops::event::op_event_fail,
        ops::event::op_event_headers,
        ops::event::op_event_respond,
        ops::event::op_event_upgrade,
        ops::fetch::op_fetch_abort,
        ops::fetch::op_fetch_send,
        ops::fetch::op_fetch_wait,
        ops::form_data::op_form_boundary,
        ops::form_data::op_form_parse,
        ops::html_rewriter::op_rewriter_attributes,
        ops::html_rewriter::op_rewriter_chunk,
        ops::html_rewriter::op_rewriter_edit,
        ops::html_rewriter::op_rewriter_end,
        ops::html_rewriter::op_rewriter_flag,
        ops::html_rewriter::op_rewriter_go_on,
        ops::html_rewriter::op_rewriter_insert,
        ops::html_rewriter::op_rewriter_insert_stream,
        ops::html_rewriter::op_rewriter_on_end_tag,
        ops::html_rewriter::op_rewriter_open,
        ops::html_rewriter::op_rewriter_output,
        ops::html_rewriter::op_rewriter_pending,
        ops::html_rewriter::op_rewriter_selector,
        ops::html_rewriter::op_rewriter_text,
        ops::html_rewriter::op_rewriter_write,
        ops::module::op_module_value,
        ops::crypto::op_md5,
        ops::crypto::op_timing_safe_equal,
        ops::url::op_url_normalize,
        ops::web_socket::op_socket_close,
        ops::web_socket::op_socket_connect,
        ops::web_socket::op_socket_next,
        ops::web_socket::op_socket_pair,
        ops::web_socket::op_socket_send_bytes,
        ops::web_socket::op_socket_send_text,
    ],
    lazy_loaded_js = [
        dir "js",
        "bindings.js",
        "body.js",
        "caches.js",
        "cloudflare_workers.js",
        "crypto.js",
        "data_url.js",
        "dispatch.js",
        "event.js",
        "event_source.js",
        "fetch.js",
        "fetcher.js",
        "form_data.js",
        "global_scope.js",
        "headers.js",
        "html_rewriter.js",
        "html_tokens.js",
        "identity_streams.js",
        "inspect.js",
        "modules.js",
        "navigator.js",
        "not_serializable.js",
        "performance.js",
        "report.js",
        "request.js",
        "response.js",
        "sockets.js",
        "structured_clone.js",
        "timers.js",
        "web_socket.js",
    ],
    synthetic_esm = [
        "cloudflare:sockets" = "ext:outboard/sockets.js",
        "cloudflare:workers" = "ext:outboard/cloudflare_workers.js",
        "outboard:modules" = "ext:outboard/modules.js",
    ],
    js = [dir "js", "globals.js"],
);

/// Ops of deno_web that no script here reaches: each would cost every isolate
/// a function object, and what is not there cannot be misused.
const UNUSED: &[&str] = &[
    "op_broadcast_",
    "op_geometry_",
    "op_lock_manager_",
    "op_blob_create_object_url",
    "op_blob_revoke_object_url",
    "op_blob_from_object_url",
];

/// The extensions of an isolate, in order.
pub(crate) fn extensions() -> Vec<Extension> {
    let mut web = deno_web::deno_web::init(
        Arc::new(deno_web::BlobStore::default()),
        None,
        false,
        deno_web::InMemoryBroadcastChannel::default(),
    );
    web.ops = Cow::Owned(used(&web.ops));
    vec![
        deno_webidl::deno_webidl::init(),
        web,
        deno_crypto::deno_crypto::init(None),
        outboard::init(),
    ]
}

/// The same, with the sources that `runtime/snapshot` builds the heap image
/// from. Isolates find those in the image.
pub fn snapshot_extensions() -> Vec<Extension> {
    let mut extensions = extensions();
    for extension in &mut extensions {
        let files = extension.lazy_loaded_js_files.to_mut();
        for file in files {
            let source = file.load().expect("a script is where it was built");
            *file = ExtensionFileSource::new_computed(
                file.specifier,
                library::patched(file.specifier, source.as_str()).into(),
            );
        }
    }
    extensions
}

fn used(ops: &[OpDecl]) -> Vec<OpDecl> {
    ops.iter()
        .filter(|op| !UNUSED.iter().any(|prefix| op.name.starts_with(prefix)))
        .copied()
        .collect()
}
