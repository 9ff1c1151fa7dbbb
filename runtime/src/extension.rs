//! The runtime's scripts and ops as deno_core extensions: the same list builds
//! the snapshot and starts from it.

mod library;
mod node;

use std::borrow::Cow;
use std::sync::Arc;

use deno_core::{Extension, ExtensionFileSource, OpDecl};

pub(crate) use node::MODULES as NODE_MODULES;

use crate::ops;

deno_core::extension!(
    outboard,
    deps = [deno_webidl, deno_web, deno_crypto],
    ops = [
        ops::binding::op_binding,
        ops::binding::op_resource_name,
        ops::binding::op_resources_take_calls,
        ops::body::op_body_abort,
        ops::body::op_body_bytes,
        ops::body::op_body_cancel,
        ops::body::op_body_text,
        ops::body_head::op_body_behind,
        ops::body_head::op_body_head,
        ops::body_head::op_body_length,
        ops::cache::op_cache_delete,
        ops::cache::op_cache_match,
        ops::cache::op_cache_put,
        ops::cache::op_cache_put_wait,
        ops::clock::op_clock,
        ops::compatibility::op_compatibility_bits,
        ops::compatibility::op_compatibility_flags,
        ops::connect::op_connect,
        ops::connect::op_connect_accept,
        ops::connect::op_connect_left,
        ops::connect::op_connect_opened,
        ops::connect::op_connect_start_tls,
        ops::connect::op_connect_virtual_host,
        ops::console::op_console,
        ops::console::op_console_colour,
        ops::console::op_unhandled,
        ops::delivery::op_delivery_send,
        ops::delivery::op_event_delivery,
        ops::delivery::op_event_said,
        ops::event::op_abort_isolate,
        ops::event::op_event_body,
        ops::event::op_event_cf,
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
        ops::event::op_event_exit,
        ops::event::op_thrown_text,
        ops::facet::op_class,
        ops::facet::op_export,
        ops::facet::op_facet_abort,
        ops::facet::op_facet_begin,
        ops::facet::op_facet_delete,
        ops::facet::op_facet_fail,
        ops::facet::op_facet_start,
        ops::facet::op_facet_stub,
        ops::facet::op_loader_class,
        ops::module::op_module_function,
        ops::module::op_module_resolve,
        ops::module::op_module_value,
        ops::node::op_node_bundle_names,
        ops::node::op_node_bundle_read,
        ops::node::op_node_env,
        ops::node::buffer::op_is_ascii,
        ops::node::buffer::op_is_utf8,
        ops::node::buffer::op_mark_as_untransferable,
        ops::node::buffer::op_node_buffer_compare,
        ops::node::buffer::op_node_buffer_compare_offset,
        ops::node::buffer::op_node_encoding_slice,
        ops::node::buffer::op_transcode,
        ops::node::cipher::op_node_cipher_aad,
        ops::node::cipher::op_node_cipher_close,
        ops::node::cipher::op_node_cipher_open,
        ops::node::cipher::op_node_cipher_update,
        ops::node::cipher::op_node_cipher_verify,
        ops::node::idna::op_node_idna,
        ops::node::inspect::op_node_get_own_non_index_properties,
        ops::node::inspect::op_node_view_has_buffer,
        ops::node::zlib::op_node_brotli_open,
        ops::node::zlib::op_node_crc32,
        ops::node::zlib::op_node_zlib_close,
        ops::node::zlib::op_node_zlib_level,
        ops::node::zlib::op_node_zlib_message,
        ops::node::zlib::op_node_zlib_open,
        ops::node::zlib::op_node_zlib_reset,
        ops::node::zlib::op_node_zlib_write,
        ops::node::zlib::zstd::op_node_zstd_open,
        ops::crypto::op_crc_digest,
        ops::crypto::op_crc_update,
        ops::crypto::op_ec_pair_matches,
        ops::object::op_object_abort,
        ops::object::op_object_alarm,
        ops::object::op_object_block,
        ops::object::op_object_bookmark,
        ops::object::op_object_bookmark_at,
        ops::object::op_object_class,
        ops::object::op_object_delete,
        ops::object::op_object_delete_all,
        ops::object::op_object_get,
        ops::object::op_object_id_named,
        ops::object::op_object_id_parse,
        ops::object::op_object_id_unique,
        ops::object::op_object_list,
        ops::object::op_object_put,
        ops::object::op_object_restore_next,
        ops::object::op_object_set_alarm,
        ops::object::op_object_size,
        ops::object::op_object_sync,
        ops::object::op_object_transaction,
        ops::object::op_object_resumed,
        ops::object::op_object_resuming,
        ops::object::op_object_unblock,
        ops::object_socket::op_object_accept,
        ops::object_socket::op_object_answer,
        ops::object_socket::op_object_set_answer,
        ops::object_socket::op_object_socket,
        ops::object_socket::op_object_socket_answered,
        ops::object_socket::op_object_socket_attach,
        ops::object_socket::op_object_socket_attachment,
        ops::object_socket::op_object_socket_closed,
        ops::object_socket::op_object_socket_tags,
        ops::object_socket::op_object_set_socket_timeout,
        ops::object_socket::op_object_socket_timeout,
        ops::object_socket::op_object_sockets,
        ops::object_sql::op_object_ingest,
        ops::object_sql::op_object_sql,
        ops::object_sql::op_object_sql_end,
        ops::object_sql::op_object_sql_most_pages,
        ops::object_sql::op_object_sql_next,
        ops::object_sql::op_object_sql_read,
        ops::object_sql::op_object_sql_rest,
        ops::object_sql::op_object_sql_written,
        ops::kept_value::op_value_write,
        ops::parcel::op_parcel_env,
        ops::parcel::op_parcel_grant,
        ops::parcel::op_parcel_keep,
        ops::parcel::op_parcel_kept,
        ops::parcel::op_parcel_open,
        ops::parcel::op_parcel_pack,
        ops::crypto::op_md5,
        ops::crypto::op_sha_digest,
        ops::crypto::op_timing_safe_equal,
        ops::restored::op_restore_next,
        ops::restored::op_restored,
        ops::restored::op_restores,
        ops::restored::op_rpc_open_way,
        ops::rpc::op_rpc_accept,
        ops::rpc::op_rpc_blob,
        ops::rpc::op_rpc_close,
        ops::rpc::op_rpc_close_sent,
        ops::rpc::op_rpc_grant,
        ops::rpc::op_rpc_idle,
        ops::rpc::op_rpc_is_within,
        ops::rpc::op_rpc_open,
        ops::rpc::op_rpc_pair,
        ops::rpc::op_rpc_receive,
        ops::rpc::op_rpc_send,
        ops::rpc::op_rpc_take,
        ops::trace::op_event_attributes,
        ops::trace::op_span_close,
        ops::trace::op_span_exception,
        ops::trace::op_span_ids,
        ops::trace::op_span_open,
        ops::trace::op_span_update,
        ops::trace::op_tail_next,
        ops::trace::op_tail_traces,
        ops::trace::op_trace_call,
        ops::trace::op_trace_log,
        ops::trace::op_trace_message,
        ops::trace::op_trace_return,
        ops::trace::op_traced,
        ops::trace::op_warn,
        ops::url::op_url_normalize,
        ops::test_module::op_is_tested,
        ops::test_module::op_unsafe_end_objects,
        ops::test_module::op_unsafe_evict,
        ops::web_socket::op_socket_close,
        ops::web_socket::op_socket_owned,
        ops::web_socket::op_socket_connect,
        ops::web_socket::op_socket_end,
        ops::web_socket::op_socket_next,
        ops::web_socket::op_socket_pair,
        ops::web_socket::op_socket_send_bytes,
        ops::web_socket::op_socket_send_text,
        ops::work::op_work_for,
        ops::work::op_work_share,
        ops::worker_loader::op_loader_code,
        ops::worker_loader::op_loader_entrypoint,
        ops::worker_loader::op_loader_fail,
        ops::worker_loader::op_loader_get,
    ],
    lazy_loaded_js = [
        dir "js",
        "bindings.js",
        "body.js",
        "byte_pipe.js",
        "caches.js",
        "captured.js",
        "clock.js",
        "cloudflare_email.js",
        "cloudflare_sockets.js",
        "cloudflare_workers.js",
        "cloudflare_workflows.js",
        "compatibility.js",
        "compression.js",
        "crypto.js",
        "crypto_arguments.js",
        "d1.js",
        "d1_spans.js",
        "data_url.js",
        "deliveries.js",
        "digest_stream.js",
        "dispatch.js",
        "error_classes.js",
        "eval.js",
        "event.js",
        "event_source.js",
        "facets.js",
        "fetch.js",
        "fetch_spans.js",
        "fetcher.js",
        "fetcher_verbs.js",
        "form_data.js",
        "global_scope.js",
        "headers.js",
        "html_rewriter.js",
        "html_tokens.js",
        "identity_streams.js",
        "inspect.js",
        "kv.js",
        "loopback.js",
        "modules.js",
        "navigator.js",
        "not_serializable.js",
        "object_arguments.js",
        "object_class.js",
        "object_keys.js",
        "object_sql.js",
        "object_state.js",
        "object_storage.js",
        "objects.js",
        "parcels.js",
        "performance.js",
        "performance_node.js",
        "properties.js",
        "queue.js",
        "r2.js",
        "r2_objects.js",
        "r2_options.js",
        "r2_spans.js",
        "report.js",
        "request.js",
        "resource.js",
        "response.js",
        "restored.js",
        "rpc.js",
        "rpc_errors.js",
        "rpc_hooks.js",
        "rpc_serve.js",
        "rpc_session.js",
        "rpc_streams.js",
        "rpc_values.js",
        "script_spans.js",
        "service_events.js",
        "service_worker.js",
        "sockets.js",
        "spans.js",
        "sql_rows.js",
        "structured_clone.js",
        "tails.js",
        "timers.js",
        "trace.js",
        "tracing.js",
        "virtual_hosts.js",
        "web_socket.js",
        "work.js",
        "worker_loader.js",
        "workerd_unsafe.js",
    ],
    synthetic_esm = [
        "cloudflare:email" = "ext:outboard/cloudflare_email.js",
        "cloudflare:node" = "ext:outboard/node/cloudflare_node.js",
        "cloudflare:sockets" = "ext:outboard/cloudflare_sockets.js",
        "cloudflare:workers" = "ext:outboard/cloudflare_workers.js",
        "cloudflare:workflows" = "ext:outboard/cloudflare_workflows.js",
        "outboard:modules" = "ext:outboard/modules.js",
        "workerd:unsafe" = "ext:outboard/workerd_unsafe.js",
    ],
    js = [dir "js", "globals.js"],
);

/// Ops of the libraries that no script here reaches: each would cost every isolate
/// a function object, and what is not there cannot be misused.
const UNUSED: &[&str] = &[
    "op_broadcast_",
    "op_compression_",
    "op_geometry_",
    "op_lock_manager_",
    "op_blob_create_object_url",
    "op_blob_revoke_object_url",
    "op_blob_from_object_url",
    "op_node_load_pfx",
    "op_node_validate_crl",
];

/// Objects of deno_web that scripts here reach. The others are geometry, style
/// sheets and images: some hundred accessors, 60 KB of every isolate.
const USED_OBJECTS: &[&str] = &["Console"];

/// The extensions of an isolate, in order.
pub(crate) fn extensions() -> Vec<Extension> {
    let mut web = deno_web::deno_web::init(
        Arc::new(deno_web::BlobStore::default()),
        None,
        false,
        deno_web::InMemoryBroadcastChannel::default(),
    );
    web.ops = Cow::Owned(used(&web.ops));
    web.objects = Cow::Owned(
        web.objects
            .iter()
            .filter(|object| USED_OBJECTS.contains(&object.name.0))
            .copied()
            .collect(),
    );
    let mut node_crypto = deno_node_crypto::deno_node_crypto::init();
    node_crypto.ops = Cow::Owned(used(&node_crypto.ops));
    let mut own = outboard::init();
    own.synthetic_esm_modules.to_mut().extend(node::SYNTHETIC);
    vec![
        deno_webidl::deno_webidl::init(),
        web,
        deno_crypto::deno_crypto::init(None),
        node_crypto,
        own,
    ]
}

/// The same, with the sources that `runtime/snapshot` builds the heap image
/// from. Isolates find those in the image.
pub fn snapshot_extensions() -> Vec<Extension> {
    let mut extensions = extensions();
    let async_ops = async_ops(&extensions);
    if let Some(own) = extensions.last_mut() {
        let scripts = own.lazy_loaded_js_files.to_mut();
        scripts.extend(node::scripts());
        scripts.push(async_ops);
    }
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

/// A script that gives the names of all ops that give promises.
fn async_ops(extensions: &[Extension]) -> ExtensionFileSource {
    let ops = extensions.iter().flat_map(|extension| extension.ops.iter());
    let names: Vec<_> = ops.filter(|op| op.is_async).map(|op| op.name).collect();
    let source = format!("(function () {{\nreturn {names:?};\n}})();\n");
    ExtensionFileSource::new_computed("ext:outboard/async_ops.js", source.into())
}

fn used(ops: &[OpDecl]) -> Vec<OpDecl> {
    ops.iter()
        .filter(|op| !UNUSED.iter().any(|prefix| op.name.starts_with(prefix)))
        // What would run on threads of its own: js/node/crypto.js does it at once.
        .filter(|op| !(op.name.starts_with("op_node_") && op.name.ends_with("_async")))
        .copied()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::extensions;

    /// What an op's name would say that reaches outside the isolate. Fetching,
    /// connecting and sockets go through `Host`.
    const OUTSIDE: &[&str] = &[
        "fs", "file", "dir", "spawn", "process", "kill", "exec", "tcp", "udp", "unix", "net",
        "dns", "os", "tty", "stdin", "stdio", "signal", "listen", "require", "worker", "ipc",
    ];
    /// Not what they sound like, and why.
    const INSIDE: &[(&str, &str)] = &[(
        "op_urlpattern_process_match_input",
        "text against a pattern",
    )];

    #[test]
    fn no_op_reaches_the_hosts_files_processes_or_network() {
        for extension in extensions() {
            for op in extension.ops.iter() {
                let known = INSIDE.iter().any(|(name, _)| *name == op.name);
                let outside = op.name.split('_').any(|word| OUTSIDE.contains(&word));
                assert!(known || !outside, "{}", op.name);
            }
        }
    }
}
