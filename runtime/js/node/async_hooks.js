// node:async_hooks. AsyncLocalStorage and AsyncResource work; hooks never fire,
// as in Workers: there is no event loop of a process to watch.
(function () {
const { core, primordials } = __bootstrap;
const { Error, ObjectCreate, ReflectApply } = primordials;
const { currentEvent } = core.loadExtScript("ext:outboard/event.js");
const { AsyncLocalStorage, AsyncResource, asyncWrapProviders } = core
  .loadExtScript("ext:deno_node/async_hooks.ts");

/** `fn`, which may be called by the event alone that is current now. */
function forThisEvent(fn) {
  const event = currentEvent()?.whole;
  if (event === undefined) return fn;
  return function (...args) {
    if (currentEvent()?.whole !== event) {
      throw new Error(
        "Cannot call this AsyncLocalStorage bound function outside of the " +
          "request in which it was created.",
      );
    }
    return ReflectApply(fn, this, args);
  };
}

const { bind, snapshot } = AsyncLocalStorage;
AsyncLocalStorage.bind = (fn) => forThisEvent(bind(fn));
AsyncLocalStorage.snapshot = () => forThisEvent(snapshot());

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
