//! The flags that Workers document, since when each is the default, and what
//! Outboard does about it.
//!
//! Names, dates and relations are facts of Workers. A line reads: the flag's
//! number, the name that turns it on, the one that turns it off, the date from
//! which it is the default (0: always), the flags that imply it and from when.

use crate::Support;
use crate::Support::{Follows, Obsolete, Off, On, Without};

/// What is known of one flag.
#[derive(Debug, Clone, Copy)]
pub struct FlagInfo {
    pub flag: Flag,
    /// The name that turns it on.
    pub enable: &'static str,
    /// The name that turns it off, where it has one.
    pub disable: Option<&'static str>,
    /// The date from which it is on by itself, as 20250131; 0 is always.
    pub since: Option<u32>,
    /// Workers may change or drop it.
    pub experimental: bool,
    /// Any of these turns it on too, from a date on.
    pub implied: Option<(&'static [Flag], u32)>,
    pub support: Support,
}

macro_rules! flags {
    ($($name:ident = $number:literal: $enable:literal $(/ $disable:literal)? $(since $since:literal)?
        $(experimental $experimental:ident)? $(by [$($by:ident),*] after $after:literal)? => $support:expr;)*) => {
        /// One difference in behaviour. Its number is Workers', and never changes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u16)]
        pub enum Flag { $($name = $number),* }

        /// Every flag, by number.
        pub const FLAGS: &[FlagInfo] = &[$(FlagInfo {
            flag: Flag::$name,
            enable: $enable,
            disable: flags!(@text $($disable)?),
            since: flags!(@date $($since)?),
            experimental: flags!(@experimental $($experimental)?),
            implied: flags!(@implied $([$($by),*] $after)?),
            support: $support,
        }),*];
    };
    (@text) => { None };
    (@text $text:literal) => { Some($text) };
    (@date) => { None };
    (@date $date:literal) => { Some($date) };
    (@experimental) => { false };
    (@experimental $yes:ident) => { true };
    (@implied) => { None };
    (@implied [$($by:ident),*] $after:literal) => { Some((&[$(Flag::$by),*], $after)) };
}

const CACHE: Support = Without("the cache's own rules");
const EDGE: Support = Without("the network in front of a worker");
const ENGINE: Support = Without("the inside of another engine");
const NODE: Support = Without("this part of Node's API");
const OBJECTS: Support = Without("this part of Durable Objects");
const PYTHON: Support = Without("Python Workers");
const REWRITER: Support = Off("`esi:include` has an end tag");
const SERVICES: Support = Without("a service of Cloudflare's");
const WORKFLOWS: Support = Without("Workflows");

#[rustfmt::skip]
flags! {
    FormdataParserSupportsFiles = 0: "formdata_parser_supports_files" / "formdata_parser_converts_files_to_strings" since 2021_11_03
        => On("files in forms are `File` objects");
    FetchRefusesUnknownProtocols = 1: "fetch_refuses_unknown_protocols" / "fetch_treats_unknown_protocols_as_http" since 2021_11_10
        => On("fetch refuses other schemes");
    HtmlRewriterTreatsEsiIncludeAsVoidTag = 2: "html_rewriter_treats_esi_include_as_void_tag" => REWRITER;
    DurableObjectFetchRequiresFullUrl = 4: "durable_object_fetch_requires_full_url" / "durable_object_fetch_allows_relative_url" since 2021_11_10
        => OBJECTS;
    StreamsByobReaderDetachesBuffer = 5: "streams_byob_reader_detaches_buffer" / "streams_byob_reader_does_not_detach_buffer" since 2021_11_10
        => Follows;
    StreamsEnableConstructors = 6: "streams_enable_constructors" / "streams_disable_constructors" since 2022_11_30
        => On("the constructors are there");
    WorkersApiGettersSettersOnPrototype = 7: "workers_api_getters_setters_on_prototype" / "workers_api_getters_setters_on_instance" since 2022_01_31
        => On("accessors are on prototypes");
    MinimalSubrequests = 8: "minimal_subrequests" / "no_minimal_subrequests" since 2022_04_05 => EDGE;
    NoCotsOnExternalFetch = 9: "no_cots_on_external_fetch" / "cots_on_external_fetch" since 2022_03_08 => EDGE;
    UrlStandard = 10: "url_standard" / "url_original" since 2022_10_31 => On("URLs follow the WHATWG standard");
    GlobalNavigator = 11: "global_navigator" / "no_global_navigator" since 2022_03_21 => Follows;
    CaptureAsyncApiThrows = 12: "capture_async_api_throws" / "do_not_capture_async_api_throws" since 2022_10_31
        => On("errors of asynchronous methods are rejections");
    R2PublicBetaBindings = 13: "r2_public_beta_bindings" / "r2_internal_beta_bindings" since 0
        => On("R2 speaks its present protocol");
    DurableObjectAlarms = 14: "durable_object_alarms" => Obsolete;
    DontSubstituteNullOnTypeError = 15: "dont_substitute_null_on_type_error" / "substitute_null_on_type_error" since 2022_06_01
        => On("a wrong type is a TypeError");
    TransformstreamEnableStandardConstructor = 16: "transformstream_enable_standard_constructor" / "transformstream_disable_standard_constructor" since 2022_11_30
        => On("the constructors are there");
    R2ListHonorInclude = 17: "r2_list_honor_include" since 2022_08_04 => Follows;
    ExportCommonjsDefault = 18: "export_commonjs_default" / "export_commonjs_namespace" since 2022_10_31 => Follows;
    DurableObjectRename = 19: "durable_object_rename" experimental yes => Obsolete;
    WebSocketCompression = 20: "web_socket_compression" / "no_web_socket_compression" since 2023_08_15
        => Off("messages are not compressed");
    NodejsCompat = 21: "nodejs_compat" / "no_nodejs_compat" since 2026_08_04 => Follows;
    TcpSocketsSupport = 22: "tcp_sockets_support" => Obsolete;
    ResponseRedirectUrlStandard = 23: "response_redirect_url_standard" / "response_redirect_url_original" since 2023_03_14
        => On("URLs follow the WHATWG standard");
    Experimental = 24: "experimental" experimental yes => Off("experimental features have flags of their own here, but KV's `deleteBulk`, and of objects `sql.prepare`, `sql.ingest` and `waitForBookmark`");
    DurableObjectGetExisting = 25: "durable_object_get_existing" experimental yes => OBJECTS;
    HttpHeadersGetsetcookie = 26: "http_headers_getsetcookie" / "no_http_headers_getsetcookie" since 2023_03_01
        => On("`getSetCookie` is there");
    DynamicDispatchTunnelExceptions = 27: "dynamic_dispatch_tunnel_exceptions" / "dynamic_dispatch_treat_exceptions_as_500" since 2023_03_01
        => EDGE;
    ServiceBindingExtraHandlers = 28: "service_binding_extra_handlers" experimental yes => Follows;
    NoCfBotmanagementDefault = 29: "no_cf_botmanagement_default" / "cf_botmanagement_default" since 2023_08_01 => EDGE;
    UrlsearchparamsDeleteHasValueArg = 30: "urlsearchparams_delete_has_value_arg" / "no_urlsearchparams_delete_has_value_arg" since 2023_07_01
        => On("`delete` and `has` take a value");
    StrictCompressionChecks = 31: "strict_compression_checks" / "no_strict_compression_checks" since 2023_08_01
        => On("data after the end and cut data are errors");
    BrotliContentEncoding = 32: "brotli_content_encoding" / "no_brotli_content_encoding" since 2024_04_29
        => On("brotli is understood");
    StrictCryptoChecks = 33: "strict_crypto_checks" / "no_strict_crypto_checks" since 2023_08_01
        => On("wrong parameters are errors");
    RttiApi = 34: "rtti_api" experimental yes => Off("the types are not offered to scripts");
    Webgpu = 35: "webgpu" experimental yes => Obsolete;
    CryptoPreservePublicExponent = 36: "crypto_preserve_public_exponent" / "no_crypto_preserve_public_exponent" since 2023_12_01
        => On("a Uint8Array");
    VectorizeQueryMetadataOptional = 37: "vectorize_query_metadata_optional" / "vectorize_query_original" since 2023_11_08
        => SERVICES;
    UnsafeModule = 38: "unsafe_module" experimental yes => Off("`workerd:unsafe` is there for `outboard workerd` alone, and only ends objects");
    JsRpc = 39: "js_rpc" experimental yes => Follows;
    NoGlobalImportscripts = 40: "no_global_importscripts" / "global_importscripts" since 2024_03_04
        => On("`importScripts` is not there");
    NodejsAls = 41: "nodejs_als" / "no_nodejs_als" => Follows;
    QueuesJsonMessages = 42: "queues_json_messages" / "no_queues_json_messages" since 2024_03_18 => Follows;
    PythonWorkers = 43: "python_workers" by [PythonWorkersDevelopment] after 2000_01_01 => PYTHON;
    FetcherNoGetPutDelete = 44: "fetcher_no_get_put_delete" / "fetcher_has_get_put_delete" since 2024_03_26
        => Follows;
    UnwrapCustomThenables = 45: "unwrap_custom_thenables" / "no_unwrap_custom_thenables" since 2024_04_01
        => On("thenables are awaited");
    Rpc = 46: "rpc" / "no_rpc" since 2024_04_03 => Follows;
    InternalStreamByobReturnView = 47: "internal_stream_byob_return_view" / "internal_stream_byob_return_undefined" since 2024_05_13
        => On("an empty view");
    BlobStandardMimeType = 48: "blob_standard_mime_type" / "blob_legacy_mime_type" since 2024_06_03 => On("as MIME types");
    FetchStandardUrl = 49: "fetch_standard_url" / "fetch_legacy_url" since 2024_06_03 => Follows;
    NodejsCompatV2 = 50: "nodejs_compat_v2" / "no_nodejs_compat_v2" since 2026_08_04 by [NodejsCompat] after 2024_09_23 => Follows;
    GlobalFetchStrictlyPublic = 51: "global_fetch_strictly_public" / "global_fetch_private_origin" => EDGE;
    NewModuleRegistry = 52: "new_module_registry" / "legacy_module_registry"
        => Off("modules are resolved as by the legacy registry, and named as by the new one");
    CacheOptionEnabled = 53: "cache_option_enabled" / "cache_option_disabled" since 2024_11_11 => Follows;
    KvDirectBinding = 54: "kv_direct_binding" experimental yes => SERVICES;
    AllowCustomPorts = 55: "allow_custom_ports" / "ignore_custom_ports" since 2024_09_02 => On("ports are kept");
    IncreaseWebsocketMessageSize = 56: "increase_websocket_message_size" experimental yes => Off("messages have 1 MiB");
    InternalWritableStreamAbortClearsQueue = 57: "internal_writable_stream_abort_clears_queue" / "internal_writable_stream_abort_does_not_clear_queue" since 2024_09_02
        => On("the queue is cleared");
    PythonWorkersDevelopment = 58: "python_workers_development" experimental yes => PYTHON;
    NodejsZlib = 59: "nodejs_zlib" / "no_nodejs_zlib" by [NodejsCompat, NodejsCompatV2] after 2024_09_23 => Follows;
    ReplicaRouting = 60: "replica_routing" experimental yes => OBJECTS;
    EnableD1WithSessionsApi = 61: "enable_d1_with_sessions_api" experimental yes => Obsolete;
    HandleCrossRequestPromiseResolution = 62: "handle_cross_request_promise_resolution" / "no_handle_cross_request_promise_resolution" since 2024_10_14
        => Off("promises resolve in the request that resolves them");
    SetTostringTag = 64: "set_tostring_tag" / "do_not_set_tostring_tag" since 2024_09_26 => On("names are on prototypes");
    UpperCaseAllHttpMethods = 65: "upper_case_all_http_methods" / "no_upper_case_all_http_methods" since 2024_10_14
        => On("methods are upper case");
    PythonExternalPackages = 66: "python_external_packages" => Obsolete;
    DisableTopLevelAwaitInRequire = 67: "disable_top_level_await_in_require" / "enable_top_level_await_in_require" since 2024_12_02
        => On("a module that awaits cannot be required");
    FixupTransformStreamBackpressure = 68: "fixup-transform-stream-backpressure" / "original-transform-stream-backpressure" since 2024_12_16
        => On("backpressure is as the standard has it");
    TailWorkerUserSpans = 69: "tail_worker_user_spans" experimental yes => Obsolete;
    CacheNoCacheEnabled = 70: "cache_no_cache_enabled" / "cache_no_cache_disabled"
        by [CacheOptionEnabled] after 2025_08_07 => Follows;
    PythonWorkers20250116 = 71: "python_workers_20250116" / "no_python_workers_20250116"
        by [PythonWorkers] after 2025_09_29 => PYTHON;
    RequestCfOverridesCacheRules = 72: "request_cf_overrides_cache_rules" / "no_request_cf_overrides_cache_rules" since 2025_04_02
        => EDGE;
    MemoryCacheDelete = 73: "memory_cache_delete" experimental yes => SERVICES;
    UniqueCtxPerInvocation = 74: "unique_ctx_per_invocation" since 2025_03_10 => Obsolete;
    QueueConsumerNoWaitForWaitUntil = 75: "queue_consumer_no_wait_for_wait_until" / "queue_consumer_wait_for_wait_until"
        => Follows;
    NodejsCompatPopulateProcessEnv = 76: "nodejs_compat_populate_process_env" / "nodejs_compat_do_not_populate_process_env"
        by [NodejsCompat] after 2025_04_01 => Follows;
    CacheApiRequestCfOverridesCacheRules = 77: "cache_api_request_cf_overrides_cache_rules" / "no_cache_api_request_cf_overrides_cache_rules" since 2025_05_19
        => CACHE;
    DisallowImportableEnv = 78: "disallow_importable_env" / "allow_importable_env" => Follows;
    AssetsNavigationPrefersAssetServing = 79: "assets_navigation_prefers_asset_serving" / "assets_navigation_has_no_effect" since 2025_04_01
        => SERVICES;
    CacheApiCompatFlags = 80: "cache_api_compat_flags" / "no_cache_api_compat_flags" since 2025_04_19 => CACHE;
    PythonWorkersDurableObjects = 81: "python_workers_durable_objects" experimental yes => Obsolete;
    StreamingTailWorker = 82: "streaming_tail_worker" experimental yes => Obsolete;
    UrlpatternStandard = 83: "urlpattern_standard" / "urlpattern_original" since 2025_05_01 => On("as the standard has it");
    EnableWeakRef = 84: "enable_weak_ref" / "disable_weak_ref" since 2025_05_05
        => Follows;
    RequestSignalPassthrough = 85: "request_signal_passthrough" / "no_request_signal_passthrough"
        => Follows;
    EnableNavigatorLanguage = 86: "enable_navigator_language" / "disable_navigator_language" since 2025_05_19
        => Follows;
    EnableWebFileSystem = 87: "enable_web_file_system" experimental yes => Off("there is no file system");
    EnableAbortsignalRpc = 88: "enable_abortsignal_rpc" experimental yes => Follows;
    AllowEvalDuringStartup = 89: "allow_eval_during_startup" / "disallow_eval_during_startup" since 2025_06_01
        => Follows;
    EnableRequestSignal = 90: "enable_request_signal" / "disable_request_signal" => Follows;
    ConnectPassThrough = 91: "connect_pass_through" experimental yes => SERVICES;
    NonclassEntrypointReusesCtxAcrossInvocations = 92: "nonclass_entrypoint_reuses_ctx_across_invocations" => Follows;
    BindAsynclocalstorageSnapshotToRequest = 93: "bind_asynclocalstorage_snapshot_to_request" / "do_not_bind_asynclocalstorage_snapshot_to-request" since 2025_06_16
        => Off("a snapshot may be run in another request");
    ThrowOnUnrecognizedImportAssertion = 94: "throw_on_unrecognized_import_assertion" / "ignore_unrecognized_import_assertion" since 2025_06_16
        => On("unknown import attributes are errors");
    PythonWorkflows = 95: "python_workflows" / "disable_python_workflows" by [PythonWorkers] after 2025_09_20 => PYTHON;
    UnsupportedProcessActualPlatform = 96: "unsupported_process_actual_platform" experimental yes => NODE;
    EnableNodejsProcessV2 = 97: "enable_nodejs_process_v2" / "disable_nodejs_process_v2"
        by [NodejsCompat] after 2025_09_15 => Follows;
    SetEventTargetThis = 98: "set_event_target_this" / "no_set_event_target_this" since 2025_08_01 => On("`this` is the target");
    SetForwardableEmailFullHeaders = 99: "set_forwardable_email_full_headers" / "set_forwardable_email_single_headers" since 2025_08_01
        => SERVICES;
    EnableNodejsHttpModules = 100: "enable_nodejs_http_modules" / "disable_nodejs_http_modules"
        by [NodejsCompat] after 2025_08_15 => Follows;
    PedanticWpt = 101: "pedantic_wpt" / "non_pedantic_wpt" => Off("the standards are followed where it costs nobody");
    ExposeGlobalMessageChannel = 102: "expose_global_message_channel" / "no_expose_global_message_channel" since 2025_08_15
        => Follows;
    EnableNodejsHttpServerModules = 103: "enable_nodejs_http_server_modules" / "disable_nodejs_http_server_modules"
        by [EnableNodejsHttpModules] after 2025_09_01 => Follows;
    PythonNoGlobalHandlers = 104: "python_no_global_handlers" / "disable_python_no_global_handlers" since 2025_08_14 => PYTHON;
    EnableNodejsFsModule = 105: "enable_nodejs_fs_module" / "disable_nodejs_fs_module" by [NodejsCompat] after 2025_09_15 => Follows;
    EnableNodejsOsModule = 106: "enable_nodejs_os_module" / "disable_nodejs_os_module" by [NodejsCompat] after 2025_09_15 => Follows;
    PythonWorkersForceNewVendorPath = 107: "python_workers_force_new_vendor_path" since 2025_08_11 => PYTHON;
    RemoveNodejsCompatEol = 108: "remove_nodejs_compat_eol" / "add_nodejs_compat_eol" by [NodejsCompat] after 2025_09_01 => NODE;
    EnableValidateWorkflowEntrypoint = 109: "enable_validate_workflow_entrypoint" / "disable_validate_workflow_entrypoint" since 2025_09_20
        => WORKFLOWS;
    PythonDedicatedSnapshot = 110: "python_dedicated_snapshot" / "disable_python_dedicated_snapshot"
        by [PythonWorkers20250116] after 2025_10_16 => PYTHON;
    TypescriptStripTypes = 111: "typescript_strip_types" experimental yes => Follows;
    EnableNodejsHttp2Module = 112: "enable_nodejs_http2_module" / "disable_nodejs_http2_module"
        by [NodejsCompat] after 2025_09_01 => Follows;
    AllowInsecureInefficientLoggedEval = 113: "allow_insecure_inefficient_logged_eval" experimental yes
        => Follows;
    StripAuthorizationOnCrossOriginRedirect = 114: "strip_authorization_on_cross_origin_redirect" / "retain_authorization_on_cross_origin_redirect" since 2025_09_01
        => On("the header is dropped");
    EnhancedErrorSerialization = 115: "enhanced_error_serialization" / "legacy_error_serialization" since 2026_04_21 => Follows;
    EnableEmailSendingQueuing = 116: "enable_email_sending_queuing" / "disable_email_sending_queuing" => SERVICES;
    RemoveNodejsCompatEolV22 = 117: "remove_nodejs_compat_eol_v22" / "add_nodejs_compat_eol_v22"
        by [RemoveNodejsCompatEol] after 2027_04_30 => NODE;
    RemoveNodejsCompatEolV23 = 118: "remove_nodejs_compat_eol_v23" / "add_nodejs_compat_eol_v23"
        by [RemoveNodejsCompatEolV24] after 2025_09_01 => NODE;
    RemoveNodejsCompatEolV24 = 119: "remove_nodejs_compat_eol_v24" / "add_nodejs_compat_eol_v24"
        by [RemoveNodejsCompatEol] after 2028_04_30 => NODE;
    EnableNodejsConsoleModule = 120: "enable_nodejs_console_module" / "disable_nodejs_console_module"
        by [NodejsCompat] after 2025_09_21 => Follows;
    EnableNodejsVmModule = 121: "enable_nodejs_vm_module" / "disable_nodejs_vm_module" by [NodejsCompat] after 2025_10_01 => Follows;
    EnableNodejsPerfHooksModule = 122: "enable_nodejs_perf_hooks_module" / "disable_nodejs_perf_hooks_module"
        by [NodejsCompat] after 2026_03_17 => Follows;
    EnableGlobalPerformanceClasses = 123: "enable_global_performance_classes" / "disable_global_performance_classes"
        by [NodejsCompat] after 2026_03_17 => NODE;
    EnableNodejsDomainModule = 124: "enable_nodejs_domain_module" / "disable_nodejs_domain_module"
        by [NodejsCompat] after 2025_12_04 => Follows;
    EnableNodejsV8Module = 125: "enable_nodejs_v8_module" / "disable_nodejs_v8_module" by [NodejsCompat] after 2026_03_17 => Follows;
    EnableNodejsTtyModule = 126: "enable_nodejs_tty_module" / "disable_nodejs_tty_module"
        by [NodejsCompat] after 2026_03_17 => Follows;
    EnableNodejsPunycodeModule = 127: "enable_nodejs_punycode_module" / "disable_nodejs_punycode_module"
        by [NodejsCompat] after 2025_12_04 => Follows;
    EnableNodejsClusterModule = 128: "enable_nodejs_cluster_module" / "disable_nodejs_cluster_module"
        by [NodejsCompat] after 2025_12_04 => Follows;
    EnableNodejsChildProcessModule = 129: "enable_nodejs_child_process_module" / "disable_nodejs_child_process_module"
        by [NodejsCompat] after 2026_03_17 => Follows;
    EnableNodejsWorkerThreadsModule = 130: "enable_nodejs_worker_threads_module" / "disable_nodejs_worker_threads_module"
        by [NodejsCompat] after 2026_03_17 => Follows;
    EnableNodejsStreamWrapModule = 131: "enable_nodejs_stream_wrap_module" / "disable_nodejs_stream_wrap_module"
        by [NodejsCompat] after 2026_01_29 => NODE;
    EnableNodejsWasiModule = 132: "enable_nodejs_wasi_module" / "disable_nodejs_wasi_module"
        by [NodejsCompat] after 2025_12_04 => Follows;
    EnableNodejsDgramModule = 133: "enable_nodejs_dgram_module" / "disable_nodejs_dgram_module"
        by [NodejsCompat] after 2026_01_29 => Follows;
    EnableNodejsInspectorModule = 134: "enable_nodejs_inspector_module" / "disable_nodejs_inspector_module"
        by [NodejsCompat] after 2026_01_29 => Follows;
    EnableNodejsTraceEventsModule = 135: "enable_nodejs_trace_events_module" / "disable_nodejs_trace_events_module"
        by [NodejsCompat] after 2025_12_04 => Follows;
    EnableNodejsReadlineModule = 136: "enable_nodejs_readline_module" / "disable_nodejs_readline_module"
        by [NodejsCompat] after 2026_03_17 => Follows;
    EnableNodejsReplModule = 137: "enable_nodejs_repl_module" / "disable_nodejs_repl_module"
        by [NodejsCompat] after 2026_03_17 => Follows;
    EnableNodejsSqliteModule = 138: "enable_nodejs_sqlite_module" / "disable_nodejs_sqlite_module"
        by [NodejsCompat] after 2026_01_29 => Follows;
    EnableCtxExports = 139: "enable_ctx_exports" / "disable_ctx_exports" since 2025_11_17 => Follows;
    EnablePythonExternalSdk = 140: "enable_python_external_sdk" / "disable_python_external_sdk" since 2026_04_21 => PYTHON;
    EnableFastJsgStruct = 141: "enable_fast_jsg_struct" / "disable_fast_jsg_struct" since 2025_12_03
        => Without("the inside of another engine, but for what a cursor of SQL gives at its end");
    CacheReloadEnabled = 142: "cache_reload_enabled" / "cache_reload_disabled" experimental yes => CACHE;
    EnableStreamsNodejsV24Compat = 143: "enable_streams_nodejs_v24_compat" / "disable_streams_nodejs_v24_compat"
        => Follows;
    PythonCheckRngState = 144: "python_check_rng_state" / "disable_python_check_rng_state"
        by [PythonWorkers] after 2025_12_16 => PYTHON;
    ImmutableApiPrototypes = 145: "immutable_api_prototypes" / "mutable_api_prototypes" => Off("as before");
    FetchIterableTypeSupport = 146: "fetch_iterable_type_support" / "no_fetch_iterable_type_support" since 2026_02_19
        => On("iterables are bodies");
    EnvModuleNullableSupport = 147: "env_module_nullable_support" / "no_env_module_nullable_support" => Follows;
    PreciseTimers = 148: "precise_timers" / "no_precise_timers" experimental yes => Off("as before");
    FetchIterableTypeSupportOverrideAdjustment = 149: "fetch_iterable_type_support_override_adjustment" / "no_fetch_iterable_type_support_override_adjustment"
        by [FetchIterableTypeSupport] after 2026_01_15 => On("iterables are bodies");
    StripBomInReadAllText = 150: "strip_bom_in_read_all_text" / "do_not_strip_bom_in_read_all_text" since 2026_01_13
        by [PedanticWpt] after 2026_01_13 => On("a byte order mark is dropped");
    AllowIrrevocableStubStorage = 151: "allow_irrevocable_stub_storage" => Follows;
    RpcParamsDupStubs = 152: "rpc_params_dup_stubs" / "rpc_params_transfer_stubs" since 2026_01_20 => Follows;
    EnableNodejsGlobalTimers = 153: "enable_nodejs_global_timers" / "no_nodejs_global_timers"
        by [NodejsCompat] after 2026_02_10 => Follows;
    StreamsNoDefaultAutoAllocateChunkSize = 154: "streams_no_default_auto_allocate_chunk_size" / "streams_auto_allocate_chunk_size_default" experimental yes
        => Off("as before");
    PythonWorkflowsImplicitDependencies = 155: "python_workflows_implicit_dependencies" / "no_python_workflows_implicit_dependencies"
        by [PythonWorkers] after 2026_02_25 => PYTHON;
    RequireReturnsDefaultExport = 156: "require_returns_default_export" / "require_returns_namespace" since 2026_01_22 => Follows;
    PythonRequestHeadersPreserveCommas = 157: "python_request_headers_preserve_commas" / "disable_python_request_headers_preserve_commas" since 2026_02_17
        => PYTHON;
    QueueExposeErrorCodes = 158: "queue_expose_error_codes" / "no_queue_expose_error_codes" since 2026_03_12 => Follows;
    TextDecoderReplaceSurrogates = 159: "text_decoder_replace_surrogates" / "disable_text_decoder_replace_surrogates" since 2026_02_24
        by [PedanticWpt] after 2026_02_24 => On("lone surrogates are replaced");
    ContainersPidNamespace = 160: "containers_pid_namespace" / "no_containers_pid_namespace" since 2026_04_01 => SERVICES;
    DeleteAllDeletesAlarm = 161: "delete_all_deletes_alarm" / "delete_all_preserves_alarm" since 2026_02_24 => Follows;
    UnhandledRejectionAfterMicrotaskCheckpoint = 162: "unhandled_rejection_after_microtask_checkpoint" / "no_unhandled_rejection_after_microtask_checkpoint" since 2026_03_03
        => On("after the microtasks");
    TextDecoderCjkDecoder = 163: "text_decoder_cjk_decoder" / "disable_text_decoder_cjk_decoder" since 2026_03_03
        => On("the decoders are there");
    WebsocketCloseReasonByteLimit = 164: "websocket_close_reason_byte_limit" / "no_websocket_close_reason_byte_limit" since 2026_03_03
        => On("123 bytes");
    EnableVersionApi = 165: "enable_version_api" experimental yes => SERVICES;
    WebsocketStandardBinaryType = 166: "websocket_standard_binary_type" / "no_websocket_standard_binary_type" since 2026_03_17
        => Follows;
    WritableStreamSpecCompliantWriter = 167: "writable_stream_spec_compliant_writer" / "no_writable_stream_spec_compliant_writer" since 2026_03_24
        => On("as the standard has it");
    EncoderStreamSpecCompliantBackpressure = 168: "encoder_stream_spec_compliant_backpressure" / "no_encoder_stream_spec_compliant_backpressure" since 2026_03_24
        => On("as the standard has it");
    SpecCompliantPropertyAttributes = 169: "spec_compliant_property_attributes" / "no_spec_compliant_property_attributes" experimental yes
        => Off("as before");
    WorkflowsPreserveNonRetryableErrorMessage = 170: "workflows_preserve_non_retryable_error_message" / "workflows_replace_non_retryable_error_message" since 2026_05_14
        => WORKFLOWS;
    WebSocketAutoReplyToClose = 171: "web_socket_auto_reply_to_close" / "web_socket_manual_reply_to_close" since 2026_04_07
        => Off("close frames are answered by the script");
    EnableCtxVersionMetadata = 172: "enable_ctx_version_metadata" experimental yes => SERVICES;
    NoResizableArrayBufferInBlob = 173: "no_resizable_array_buffer_in_blob" / "resizable_array_buffer_in_blob"
        => Off("as before");
    DiagnosticsChannelHasSubscribersGetter = 174: "diagnostics_channel_has_subscribers_getter" / "no_diagnostics_channel_has_subscribers_getter" since 2026_05_19
        => Follows;
    WorkflowsStepRollback = 175: "workflows_step_rollback" experimental yes => WORKFLOWS;
    PythonProcessPthFiles = 176: "python_process_pth_files" / "disable_python_process_pth_files" since 2026_05_26 => PYTHON;
    ThrowOnNotImplementedTlsOptions = 177: "throw_on_not_implemented_tls_options" / "no_throw_on_not_implemented_tls_options" since 2026_06_16
        => NODE;
    AutoGrpcConvert = 178: "auto_grpc_convert" experimental yes => EDGE;
    PythonWorkers20260610 = 179: "python_workers_20260610" / "no_python_workers_20260610" => PYTHON;
    EnableNodejsInspectorLocalDev = 180: "enable_nodejs_inspector_local_dev" experimental yes => NODE;
    D1BindingJsrpc = 181: "d1_binding_jsrpc" experimental yes => Follows;
    WorkflowsBindingsRpc = 182: "workflows_bindings_rpc" experimental yes => WORKFLOWS;
    TypescriptImplementedStreams = 183: "typescript_implemented_streams" experimental yes => ENGINE;
    ExposeDrainingReader = 184: "expose_draining_reader" experimental yes => Off("as before");
    WorkflowsEnableFastEngineCreation = 185: "workflows_enable_fast_engine_creation" / "workflows_disable_fast_engine_creation" since 2026_08_11
        => WORKFLOWS;
    WasmMemoryDiscard = 186: "wasm_memory_discard" experimental yes => Off("as before");
    PythonWorkers20260817 = 187: "python_workers_20260817" / "no_python_workers_20260817" experimental yes => PYTHON;
}
