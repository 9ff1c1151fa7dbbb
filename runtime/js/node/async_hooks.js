// node:async_hooks. AsyncLocalStorage and AsyncResource work; hooks never fire,
// as in Workers: there is no event loop of a process to watch.
(function () {
const { core, primordials } = __bootstrap;
const { ObjectCreate } = primordials;
const { AsyncLocalStorage, AsyncResource, asyncWrapProviders } = core
  .loadExtScript("ext:deno_node/async_hooks.ts");

class AsyncHook {
  enable() {
    return this;
  }

  disable() {
    return this;
  }
}

return {
  exports: {
    AsyncLocalStorage,
    AsyncResource,
    asyncWrapProviders,
    createHook: () => new AsyncHook(),
    executionAsyncId: () => 0,
    executionAsyncResource: () => ObjectCreate(null),
    triggerAsyncId: () => 0,
  },
};
})();
