// process.nextTick: a microtask, as in Workers, which have no queue before it.
(function () {
const { primordials } = __bootstrap;
const { ReflectApply, queueMicrotask } = primordials;

function nextTick(callback, ...args) {
  queueMicrotask(() => ReflectApply(callback, undefined, args));
}

return { nextTick };
})();
