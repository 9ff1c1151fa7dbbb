// Which compatibility flags the worker has. A script asks with
// `has(flag.NAME)`: a look into 24 bytes, which the host fills in before any of
// the worker's code runs.
(function () {
const { core, primordials } = __bootstrap;
const { op_compatibility_bits, op_compatibility_flags } = core.ops;
const { ObjectDefineProperty, ObjectFreeze, Uint8Array } = primordials;

/** Flags that scripts here ask for, by their number; a test compares them. */
const flag = {
  __proto__: null,
  allow_eval_during_startup: 89,
  allow_insecure_inefficient_logged_eval: 113,
  allow_irrevocable_stub_storage: 151,
  cache_no_cache_enabled: 70,
  cache_option_enabled: 53,
  d1_binding_jsrpc: 181,
  delete_all_deletes_alarm: 161,
  diagnostics_channel_has_subscribers_getter: 174,
  disallow_importable_env: 78,
  enable_global_performance_classes: 123,
  enable_abortsignal_rpc: 88,
  enable_ctx_exports: 139,
  enable_fast_jsg_struct: 141,
  enhanced_error_serialization: 115,
  enable_navigator_language: 86,
  enable_nodejs_global_timers: 153,
  enable_nodejs_perf_hooks_module: 122,
  enable_nodejs_process_v2: 97,
  enable_request_signal: 90,
  enable_streams_nodejs_v24_compat: 143,
  enable_weak_ref: 84,
  env_module_nullable_support: 147,
  experimental: 24,
  export_commonjs_default: 18,
  expose_global_message_channel: 102,
  fetcher_no_get_put_delete: 44,
  fetch_standard_url: 49,
  formdata_parser_supports_files: 0,
  global_navigator: 11,
  no_resizable_array_buffer_in_blob: 173,
  js_rpc: 39,
  new_module_registry: 52,
  nodejs_compat_populate_process_env: 76,
  nodejs_compat_v2: 50,
  nonclass_entrypoint_reuses_ctx_across_invocations: 92,
  pedantic_wpt: 101,
  queue_consumer_no_wait_for_wait_until: 75,
  queue_expose_error_codes: 158,
  queues_json_messages: 42,
  r2_list_honor_include: 17,
  request_signal_passthrough: 85,
  require_returns_default_export: 156,
  rpc: 46,
  rpc_params_dup_stubs: 152,
  service_binding_extra_handlers: 28,
  streams_byob_reader_detaches_buffer: 5,
  streams_no_default_auto_allocate_chunk_size: 154,
  websocket_standard_binary_type: 166,
};

const bits = new Uint8Array(24);

/** Globals that are there from a flag on. */
const globals = [
  [flag.enable_weak_ref, "FinalizationRegistry"],
  [flag.enable_weak_ref, "WeakRef"],
  [flag.expose_global_message_channel, "MessageChannel"],
  [flag.expose_global_message_channel, "MessagePort"],
  [flag.global_navigator, "Navigator"],
  [flag.global_navigator, "navigator"],
  [flag.nodejs_compat_v2, "Buffer"],
  [flag.nodejs_compat_v2, "clearImmediate"],
  [flag.nodejs_compat_v2, "global"],
  [flag.nodejs_compat_v2, "process"],
  [flag.nodejs_compat_v2, "setImmediate"],
];

/** Globals that are node:timers' from a flag on. */
const timers = ["clearInterval", "clearTimeout", "setInterval", "setTimeout"];

function useNodeTimer(scope, name) {
  const put = (value) =>
    ObjectDefineProperty(scope, name, {
      __proto__: null,
      value,
      writable: true,
      enumerable: true,
      configurable: true,
    });
  ObjectDefineProperty(scope, name, {
    __proto__: null,
    get() {
      const { exports } = core.loadExtScript("ext:outboard/node/timers.js");
      put(exports[name]);
      return exports[name];
    },
    set: put,
    enumerable: true,
    configurable: true,
  });
}

/** What is there with either of two flags. */
const timeline = [
  "Performance",
  "PerformanceEntry",
  "PerformanceMark",
  "PerformanceMeasure",
  "PerformanceObserver",
  "PerformanceObserverEntryList",
  "PerformanceResourceTiming",
];

/** Whether `performance` keeps marks and measures. */
function hasTimeline() {
  return has(flag.enable_global_performance_classes) ||
    has(flag.enable_nodejs_perf_hooks_module);
}

/**
 * Called once in each isolate, when it has its worker, with its global scope;
 * and with another object while the snapshot is warmed.
 */
function attachFlags(scope) {
  op_compatibility_bits(bits);
  for (let i = 0; i < globals.length; i++) {
    if (!has(globals[i][0])) delete scope[globals[i][1]];
  }
  if (has(flag.enable_nodejs_global_timers)) {
    for (let i = 0; i < timers.length; i++) useNodeTimer(scope, timers[i]);
  }
  if (!hasTimeline()) {
    for (let i = 0; i < timeline.length; i++) delete scope[timeline[i]];
  }
}

/** @param {number} number one of `flag` */
function has(number) {
  return (bits[number >> 3] & (1 << (number & 7))) !== 0;
}

/** `Cloudflare.compatibilityFlags`: every flag by the name that enables it. */
function compatibilityFlags() {
  const list = op_compatibility_flags();
  const flags = { __proto__: null };
  for (let i = 0; i < list.length; i += 2) flags[list[i]] = list[i + 1];
  return ObjectFreeze(flags);
}

return { attachFlags, compatibilityFlags, flag, has, hasTimeline };
})();
