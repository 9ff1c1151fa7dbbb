// Loaded before a worker's own code where Node's globals are
// wanted. Each is a getter until it is used.
(function () {
const { core, primordials } = __bootstrap;
const { ObjectDefineProperty, ObjectKeys } = primordials;
const load = core.loadExtScript;

const timers = () => load("ext:outboard/node/timers.js").exports;
const globals = {
  __proto__: null,
  Buffer: () => load("ext:deno_node/internal/buffer.mjs").Buffer,
  clearImmediate: () => timers().clearImmediate,
  global: () => globalThis,
  process: () => load("ext:outboard/node/process.js").process,
  setImmediate: () => timers().setImmediate,
};

function define(name, get) {
  const put = (value) =>
    ObjectDefineProperty(globalThis, name, {
      __proto__: null,
      value,
      writable: true,
      enumerable: false,
      configurable: true,
    });
  ObjectDefineProperty(globalThis, name, {
    __proto__: null,
    get() {
      const value = get();
      put(value);
      return value;
    },
    set: put,
    enumerable: false,
    configurable: true,
  });
}

for (const name of new primordials.SafeArrayIterator(ObjectKeys(globals))) {
  define(name, globals[name]);
}
return {};
})();
