// ext:deno_node/internal_binding/util.ts
// From deno_node 0.198.0, MIT: see ../LICENSE.md. Written by refresh.mjs.
(function() {
  const { core, primordials } = __bootstrap;
  const {
    op_node_get_own_non_index_properties,
    op_node_guess_handle_type,
    op_node_parse_env,
    op_node_view_has_buffer
  } = core.ops;
  const {
    StringPrototypeCharCodeAt,
    SymbolFor
  } = primordials;
  const handleTypes = ["TCP", "TTY", "UDP", "FILE", "PIPE", "UNKNOWN"];
  function guessHandleType(fd) {
    const type = op_node_guess_handle_type(fd);
    return handleTypes[type];
  }
  const ALL_PROPERTIES = 0;
  const ONLY_WRITABLE = 1;
  const ONLY_ENUMERABLE = 2;
  const ONLY_CONFIGURABLE = 4;
  const ONLY_ENUM_WRITABLE = 6;
  const SKIP_STRINGS = 8;
  const SKIP_SYMBOLS = 16;
  const isNumericLookup = {};
  function isArrayIndex(value) {
    switch (typeof value) {
      case "number":
        return value >= 0 && (value | 0) === value;
      case "string": {
        const result = isNumericLookup[value];
        if (result !== void 0) {
          return result;
        }
        const length = value.length;
        if (length === 0) {
          return isNumericLookup[value] = false;
        }
        let ch = 0;
        let i = 0;
        for (; i < length; ++i) {
          ch = StringPrototypeCharCodeAt(value, i);
          if (i === 0 && ch === 48 && length > 1 || ch < 48 || ch > 57) {
            return isNumericLookup[value] = false;
          }
        }
        return isNumericLookup[value] = true;
      }
      default:
        return false;
    }
  }
  function getOwnNonIndexProperties(obj, filter) {
    return op_node_get_own_non_index_properties(obj, filter);
  }
  function arrayBufferViewHasBuffer(view) {
    return op_node_view_has_buffer(view);
  }
  const parseEnv = op_node_parse_env;
  const untransferableSymbol = SymbolFor(
    "nodejs.worker_threads.untransferable"
  );
  const _defaultExport = {
    guessHandleType,
    isArrayIndex,
    getOwnNonIndexProperties,
    arrayBufferViewHasBuffer,
    parseEnv,
    untransferableSymbol
  };
  return {
    guessHandleType,
    isArrayIndex,
    getOwnNonIndexProperties,
    arrayBufferViewHasBuffer,
    ALL_PROPERTIES,
    ONLY_WRITABLE,
    ONLY_ENUMERABLE,
    ONLY_CONFIGURABLE,
    ONLY_ENUM_WRITABLE,
    SKIP_STRINGS,
    SKIP_SYMBOLS,
    parseEnv,
    untransferableSymbol,
    default: _defaultExport
  };
})();
