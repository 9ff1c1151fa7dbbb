// node:v8: the engine tells a worker nothing of itself.
(function () {
const { core, primordials } = __bootstrap;
const { SafeArrayIterator } = primordials;
const { codes } = core.loadExtScript("ext:deno_node/internal/errors.ts");
const {
  validateBoolean,
  validateFunction,
  validateObject,
  validateOneOf,
  validateString,
  validateUint32,
} = core.loadExtScript("ext:deno_node/internal/validators.mjs");
const {
  ERR_METHOD_NOT_IMPLEMENTED,
  notImplementedAll,
  notImplementedClass,
  withMethods,
  notImplemented,
} = core.loadExtScript("ext:outboard/node/errors.js");

const refuse = (name) => {
  throw new ERR_METHOD_NOT_IMPLEMENTED(name);
};

function zeroes(names) {
  const all = {};
  for (const name of new SafeArrayIterator(names)) all[name] = 0;
  return all;
}

function checkSnapshotOptions(options = {}) {
  validateObject(options, "options");
  const { exposeInternals = false, exposeNumericValues = false } = options;
  validateBoolean(exposeInternals, "options.exposeInternals");
  validateBoolean(exposeNumericValues, "options.exposeNumericValues");
}

const Serializer = notImplementedClass("Serializer", [
  "writeHeader", "writeValue", "releaseBuffer", "transferArrayBuffer",
  "writeUint32", "writeUint64", "writeDouble", "writeRawBytes",
  "_getDataCloneError", "_getSharedArrayBufferId",
  "_setTreatArrayBufferViewsAsHostObjects", "_writeHostObject",
]);
const Deserializer = notImplementedClass("Deserializer", [
  "readHeader", "readValue", "transferArrayBuffer", "getWireFormatVersion",
  "readUint32", "readUint64", "readDouble", "readRawBytes", "_readHostObject",
]);

return {
  exports: {
    cachedDataVersionTag: () => 0,
    getHeapSnapshot(options) {
      checkSnapshotOptions(options);
      refuse("getHeapSnapshot");
    },
    getHeapStatistics: () =>
      zeroes([
        "total_heap_size", "total_heap_size_executable", "total_physical_size",
        "total_available_size", "used_heap_size", "heap_size_limit",
        "malloced_memory", "peak_malloced_memory", "does_zap_garbage",
        "number_of_native_contexts", "number_of_detached_contexts",
        "total_global_handles_size", "used_global_handles_size",
        "external_memory", "total_allocated_bytes",
      ]),
    getHeapSpaceStatistics: () => [],
    getHeapCodeStatistics: () =>
      zeroes([
        "code_and_metadata_size", "bytecode_and_metadata_size",
        "external_script_source_size", "cpu_profiler_metadata_size",
      ]),
    getCppHeapStatistics(type = "detailed") {
      validateOneOf(type, "type", ["brief", "detailed"]);
      return {
        ...zeroes([
          "committed_size_bytes", "resident_size_bytes", "used_size_bytes",
        ]),
        space_statistics: [],
        type_names: [],
        detail_level: type,
      };
    },
    setFlagsFromString(flags) {
      validateString(flags, "flags");
      refuse("setFlagsFromString");
    },
    Serializer,
    Deserializer,
    DefaultSerializer: notImplementedClass("DefaultSerializer", [], Serializer),
    DefaultDeserializer: notImplementedClass(
      "DefaultDeserializer",
      [],
      Deserializer,
    ),
    ...notImplementedAll(["deserialize", "serialize", "stopCoverage", "takeCoverage"]),
    writeHeapSnapshot(filename, options) {
      if (filename !== undefined) validateString(filename, "filename");
      checkSnapshotOptions(options);
      refuse("writeHeapSnapshot");
    },
    promiseHooks: notImplementedAll([
      "createHook", "onInit", "onBefore", "onAfter", "onSettled",
    ], "promiseHooks."),
    queryObjects(ctor, options = {}) {
      validateFunction(ctor, "constructor");
      validateObject(options, "options");
      const format = options.format || "count";
      if (format !== "count" && format !== "summary") {
        throw new codes.ERR_INVALID_ARG_VALUE("options.format", format);
      }
      refuse("queryObjects");
    },
    startupSnapshot: {
      ...notImplementedAll([
        "addSerializeCallback", "addDeserializeCallback",
        "setDeserializeMainFunction",
      ], "startupSnapshot."),
      isBuildingSnapshot: () => false,
    },
    setHeapSnapshotNearHeapLimit(limit) {
      validateUint32(limit, "limit", true);
      refuse("setHeapSnapshotNearHeapLimit");
    },
    GCProfiler: withMethods(
      class GCProfiler {},
      ["start", "stop"],
      (name) => notImplemented(`GCProfiler.${name}`),
    ),
    isStringOneByteRepresentation(content) {
      validateString(content, "content");
      refuse("isStringOneByteRepresentation");
    },
  },
};
})();
