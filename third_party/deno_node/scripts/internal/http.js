// ext:deno_node/internal/http.ts
// From deno_node 0.198.0, MIT: see ../LICENSE.md. Written by refresh.mjs.
(function() {
  const { core, primordials } = __bootstrap;
  const {
    Date,
    DatePrototypeToUTCString,
    DatePrototypeGetMilliseconds,
    Symbol
  } = primordials;
  let utcCache;
  function utcDate() {
    if (!utcCache) cache();
    return utcCache;
  }
  function cache() {
    const d = new Date();
    utcCache = DatePrototypeToUTCString(d);
    core.createSystemTimer(resetCache, 1e3 - DatePrototypeGetMilliseconds(d));
  }
  function resetCache() {
    utcCache = void 0;
  }
  const kOutHeaders = Symbol("kOutHeaders");
  const kNeedDrain = Symbol("kNeedDrain");
  const _defaultExport = {
    utcDate,
    kOutHeaders,
    kNeedDrain
  };
  return {
    utcDate,
    kOutHeaders,
    kNeedDrain,
    default: _defaultExport
  };
})();
