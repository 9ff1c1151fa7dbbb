// ext:deno_node/internal/async_hooks.ts
// From deno_node 0.198.0, MIT: see ../LICENSE.md. Written by refresh.mjs.
(function() {
  const { core, primordials } = __bootstrap;
  const async_wrap = core.loadExtScript(
    "ext:deno_node/internal_binding/async_wrap.ts"
  );
  const { ERR_ASYNC_CALLBACK } = core.loadExtScript(
    "ext:deno_node/internal/errors.ts"
  );
  const { asyncIdSymbol, ownerSymbol } = core.loadExtScript(
    "ext:deno_node/internal_binding/symbols.ts"
  );
  const {
    ArrayPrototypeIncludes,
    ArrayPrototypeIndexOf,
    ArrayPrototypePush,
    ArrayPrototypePop,
    ArrayPrototypeSlice,
    ArrayPrototypeSplice,
    FunctionPrototypeApply,
    ObjectKeys,
    Symbol
  } = primordials;
  const {
    AsyncVariable,
    getAsyncContext,
    kNoAsyncContextRestore,
    setAsyncContext
  } = core;
  const active_hooks = {
    // Array of all AsyncHooks that will be iterated whenever an async event
    // fires. Using var instead of (preferably const) in order to assign
    // active_hooks.tmp_array if a hook is enabled/disabled during hook
    // execution.
    array: [],
    // Use a counter to track nested calls of async hook callbacks and make sure
    // the active_hooks.array isn't altered mid execution.
    // deno-lint-ignore camelcase
    call_depth: 0,
    // Use to temporarily store and updated active_hooks.array if the user
    // enables or disables a hook while hooks are being processed. If a hook is
    // enabled() or disabled() during hook execution then the current set of
    // active hooks is duplicated and set equal to active_hooks.tmp_array. Any
    // subsequent changes are on the duplicated array. When all hooks have
    // completed executing active_hooks.tmp_array is assigned to
    // active_hooks.array.
    // deno-lint-ignore camelcase
    tmp_array: null,
    // Keep track of the field counts held in active_hooks.tmp_array. Because the
    // async_hook_fields can't be reassigned, store each uint32 in an array that
    // is written back to async_hook_fields when active_hooks.array is restored.
    // deno-lint-ignore camelcase
    tmp_fields: null
  };
  const registerDestroyHook = async_wrap.registerDestroyHook;
  const {
    async_hook_fields,
    // deno-lint-ignore camelcase
    asyncIdFields: async_id_fields,
    newAsyncId,
    constants
  } = async_wrap;
  const executionAsyncIdStack = [0];
  function executionAsyncId() {
    return executionAsyncIdStack[executionAsyncIdStack.length - 1] || 0;
  }
  const topLevelResource = { __proto__: null };
  const executionResourceVariable = new AsyncVariable();
  function executionAsyncResource() {
    const r = executionResourceVariable.get();
    return r === void 0 ? topLevelResource : r;
  }
  function enterAsyncResource(resource) {
    return executionResourceVariable.enter(resource);
  }
  function exitAsyncResource(previousContext) {
    setAsyncContext(previousContext);
  }
  function enterAsyncResourceIfActive(resource) {
    if (active_hooks.array.length > 0) {
      return executionResourceVariable.enter(resource);
    }
    return executionResourceVariable.enterIfActive(resource);
  }
  function exitAsyncResourceIfActive(previousContext) {
    if (previousContext !== kNoAsyncContextRestore) {
      setAsyncContext(previousContext);
      return;
    }
    const currentContext = getAsyncContext();
    if (currentContext !== null && currentContext !== void 0 && ObjectKeys(currentContext).length > 0) {
      setAsyncContext(void 0);
    }
  }
  function emitBefore(asyncId) {
    ArrayPrototypePush(executionAsyncIdStack, asyncId);
    const hooks = active_hooks.array;
    try {
      for (let i = 0; i < hooks.length; i++) {
        const hook = hooks[i];
        if (hook[before_symbol]) {
          hook[before_symbol](asyncId);
        }
      }
    } catch (e) {
      if (executionAsyncIdStack.length > 1) {
        ArrayPrototypePop(executionAsyncIdStack);
      }
      throw e;
    }
  }
  function emitAfter(asyncId) {
    const hooks = active_hooks.array;
    try {
      for (let i = 0; i < hooks.length; i++) {
        const hook = hooks[i];
        if (hook[after_symbol]) {
          hook[after_symbol](asyncId);
        }
      }
    } finally {
      if (executionAsyncIdStack.length > 1) {
        ArrayPrototypePop(executionAsyncIdStack);
      }
    }
  }
  function emitDestroy(asyncId) {
    const hooks = active_hooks.array;
    for (let i = 0; i < hooks.length; i++) {
      const hook = hooks[i];
      if (hook[destroy_symbol]) {
        hook[destroy_symbol](asyncId);
      }
    }
  }
  const {
    kInit,
    kBefore,
    kAfter,
    kDestroy,
    kPromiseResolve,
    kTotals,
    kCheck,
    kDefaultTriggerAsyncId,
    kStackLength
  } = constants;
  const resource_symbol = Symbol("resource");
  const async_id_symbol = asyncIdSymbol;
  const trigger_async_id_symbol = Symbol("trigger_async_id");
  const init_symbol = Symbol("init");
  const before_symbol = Symbol("before");
  const after_symbol = Symbol("after");
  const destroy_symbol = Symbol("destroy");
  const promise_resolve_symbol = Symbol("promiseResolve");
  const symbols = {
    // deno-lint-ignore camelcase
    async_id_symbol,
    // deno-lint-ignore camelcase
    trigger_async_id_symbol,
    // deno-lint-ignore camelcase
    init_symbol,
    // deno-lint-ignore camelcase
    before_symbol,
    // deno-lint-ignore camelcase
    after_symbol,
    // deno-lint-ignore camelcase
    destroy_symbol,
    // deno-lint-ignore camelcase
    promise_resolve_symbol
  };
  function lookupPublicResource(resource) {
    if (typeof resource !== "object" || resource === null) return resource;
    const publicResource = resource[resource_symbol];
    if (publicResource !== void 0) {
      return publicResource;
    }
    return resource;
  }
  function emitInitNative(asyncId, type, triggerAsyncId, resource) {
    active_hooks.call_depth += 1;
    resource = lookupPublicResource(resource);
    try {
      for (let i = 0; i < active_hooks.array.length; i++) {
        if (typeof active_hooks.array[i][init_symbol] === "function") {
          active_hooks.array[i][init_symbol](
            asyncId,
            type,
            triggerAsyncId,
            resource
          );
        }
      }
    } catch (e) {
      throw e;
    } finally {
      active_hooks.call_depth -= 1;
    }
    if (active_hooks.call_depth === 0 && active_hooks.tmp_array !== null) {
      restoreActiveHooks();
    }
  }
  function getHookArrays() {
    if (active_hooks.call_depth === 0) {
      return [active_hooks.array, async_hook_fields];
    }
    if (active_hooks.tmp_array === null) {
      storeActiveHooks();
    }
    return [active_hooks.tmp_array, active_hooks.tmp_fields];
  }
  function storeActiveHooks() {
    active_hooks.tmp_array = ArrayPrototypeSlice(active_hooks.array);
    active_hooks.tmp_fields = [];
    copyHooks(active_hooks.tmp_fields, async_hook_fields);
  }
  function copyHooks(destination, source) {
    destination[kInit] = source[kInit];
    destination[kBefore] = source[kBefore];
    destination[kAfter] = source[kAfter];
    destination[kDestroy] = source[kDestroy];
    destination[kPromiseResolve] = source[kPromiseResolve];
  }
  function restoreActiveHooks() {
    active_hooks.array = active_hooks.tmp_array;
    copyHooks(async_hook_fields, active_hooks.tmp_fields);
    active_hooks.tmp_array = null;
    active_hooks.tmp_fields = null;
  }
  let wantPromiseHook = false;
  function enableHooks() {
    async_hook_fields[kCheck] += 1;
  }
  function disableHooks() {
    async_hook_fields[kCheck] -= 1;
    wantPromiseHook = false;
  }
  function getDefaultTriggerAsyncId() {
    const defaultTriggerAsyncId = async_id_fields[async_wrap.UidFields.kDefaultTriggerAsyncId];
    if (defaultTriggerAsyncId < 0) {
      return async_id_fields[async_wrap.UidFields.kExecutionAsyncId];
    }
    return defaultTriggerAsyncId;
  }
  function defaultTriggerAsyncIdScope(triggerAsyncId, block, ...args) {
    if (triggerAsyncId === void 0) {
      return FunctionPrototypeApply(block, null, args);
    }
    const oldDefaultTriggerAsyncId = async_id_fields[kDefaultTriggerAsyncId];
    async_id_fields[kDefaultTriggerAsyncId] = triggerAsyncId;
    try {
      return FunctionPrototypeApply(block, null, args);
    } finally {
      async_id_fields[kDefaultTriggerAsyncId] = oldDefaultTriggerAsyncId;
    }
  }
  function hasHooks(key) {
    return async_hook_fields[key] > 0;
  }
  function enabledHooksExist() {
    return active_hooks.array.length > 0;
  }
  function hasAsyncIdStack() {
    return hasHooks(kStackLength);
  }
  class AsyncHook {
    [init_symbol];
    [before_symbol];
    [after_symbol];
    [destroy_symbol];
    [promise_resolve_symbol];
    constructor({
      init,
      before,
      after,
      destroy,
      promiseResolve
    }) {
      if (init !== void 0 && typeof init !== "function") {
        throw new ERR_ASYNC_CALLBACK("hook.init");
      }
      if (before !== void 0 && typeof before !== "function") {
        throw new ERR_ASYNC_CALLBACK("hook.before");
      }
      if (after !== void 0 && typeof after !== "function") {
        throw new ERR_ASYNC_CALLBACK("hook.after");
      }
      if (destroy !== void 0 && typeof destroy !== "function") {
        throw new ERR_ASYNC_CALLBACK("hook.destroy");
      }
      if (promiseResolve !== void 0 && typeof promiseResolve !== "function") {
        throw new ERR_ASYNC_CALLBACK("hook.promiseResolve");
      }
      this[init_symbol] = init;
      this[before_symbol] = before;
      this[after_symbol] = after;
      this[destroy_symbol] = destroy;
      this[promise_resolve_symbol] = promiseResolve;
    }
    enable() {
      const { 0: hooks_array, 1: hook_fields } = getHookArrays();
      if (ArrayPrototypeIncludes(hooks_array, this)) {
        return this;
      }
      const prev_kTotals = hook_fields[kTotals];
      hook_fields[kTotals] = hook_fields[kInit] += +!!this[init_symbol];
      hook_fields[kTotals] += hook_fields[kBefore] += +!!this[before_symbol];
      hook_fields[kTotals] += hook_fields[kAfter] += +!!this[after_symbol];
      hook_fields[kTotals] += hook_fields[kDestroy] += +!!this[destroy_symbol];
      hook_fields[kTotals] += hook_fields[kPromiseResolve] += +!!this[promise_resolve_symbol];
      ArrayPrototypePush(hooks_array, this);
      if (prev_kTotals === 0 && hook_fields[kTotals] > 0) {
        enableHooks();
      }
      return this;
    }
    disable() {
      const { 0: hooks_array, 1: hook_fields } = getHookArrays();
      const index = ArrayPrototypeIndexOf(hooks_array, this);
      if (index === -1) {
        return this;
      }
      const prev_kTotals = hook_fields[kTotals];
      hook_fields[kTotals] = hook_fields[kInit] -= +!!this[init_symbol];
      hook_fields[kTotals] += hook_fields[kBefore] -= +!!this[before_symbol];
      hook_fields[kTotals] += hook_fields[kAfter] -= +!!this[after_symbol];
      hook_fields[kTotals] += hook_fields[kDestroy] -= +!!this[destroy_symbol];
      hook_fields[kTotals] += hook_fields[kPromiseResolve] -= +!!this[promise_resolve_symbol];
      ArrayPrototypeSplice(hooks_array, index, 1);
      if (prev_kTotals > 0 && hook_fields[kTotals] === 0) {
        disableHooks();
      }
      return this;
    }
  }
  return {
    asyncIdSymbol,
    ownerSymbol,
    newAsyncId,
    emitInit: emitInitNative,
    constants,
    executionAsyncId,
    executionAsyncResource,
    enterAsyncResource,
    exitAsyncResource,
    enterAsyncResourceIfActive,
    exitAsyncResourceIfActive,
    emitBefore,
    emitAfter,
    emitDestroy,
    getDefaultTriggerAsyncId,
    defaultTriggerAsyncIdScope,
    enabledHooksExist,
    hasAsyncIdStack,
    AsyncHook,
    registerDestroyHook,
    async_id_symbol,
    trigger_async_id_symbol,
    init_symbol,
    before_symbol,
    after_symbol,
    destroy_symbol,
    promise_resolve_symbol,
    symbols
  };
})();
