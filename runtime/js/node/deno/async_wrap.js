// ext:deno_node/internal_binding/async_wrap.ts
(function () {
const { primordials } = __bootstrap;
const { Float64Array, Uint32Array } = primordials;

/** Places in the table of hooks, which stays empty: Workers have none. */
const constants = {
  kInit: 0,
  kBefore: 1,
  kAfter: 2,
  kDestroy: 3,
  kPromiseResolve: 4,
  kTotals: 5,
  kCheck: 6,
  kExecutionAsyncId: 7,
  kTriggerAsyncId: 8,
  kAsyncIdCounter: 9,
  kDefaultTriggerAsyncId: 10,
  kUsesExecutionAsyncResource: 11,
  kStackLength: 12,
};
const UidFields = {
  kExecutionAsyncId: 0,
  kTriggerAsyncId: 1,
  kDefaultTriggerAsyncId: 2,
  kUidFieldsCount: 3,
};
const asyncIdFields = new Float64Array(4);
asyncIdFields[UidFields.kDefaultTriggerAsyncId] = -1;

let last = 1;

return {
  async_hook_fields: new Uint32Array(13),
  asyncIdFields,
  constants,
  newAsyncId: () => ++last,
  providerType: {},
  registerDestroyHook() {},
  UidFields,
};
})();
