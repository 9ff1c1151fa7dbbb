// The values of `env` that JSON cannot say. Loads only for a worker that has any.
(function () {
const { core, primordials } = __bootstrap;
const { op_binding } = core.ops;
const { JSONParse, PromisePrototypeThen, Uint8Array } = primordials;

/** The scripts of resources, by kind; each makes its own of the host's number. */
const resources = {
  __proto__: null,
  class: "ext:outboard/object_class.js",
  d1: "ext:outboard/d1.js",
  kv: "ext:outboard/kv.js",
  loader: "ext:outboard/worker_loader.js",
  queue: "ext:outboard/queue.js",
  r2: "ext:outboard/r2.js",
};

/** Gives `env` its first `count` bindings, in the worker's order. */
function bind(env, count) {
  for (let i = 0; i < count; i++) {
    const { 0: name, 1: kind, 2: value } = op_binding(i);
    switch (kind) {
      case "key":
        bindKey(env, name, value);
        break;
      case "service": {
        const { fetcherTo } = core.loadExtScript("ext:outboard/fetcher.js");
        env[name] = fetcherTo(value);
        break;
      }
      case "objects": {
        const { namespaceOf } = core.loadExtScript("ext:outboard/objects.js");
        env[name] = namespaceOf(value);
        break;
      }
      default: {
        const script = resources[kind];
        env[name] = script === undefined
          ? value
          : core.loadExtScript(script).bindingOf(value, name);
      }
    }
  }
}

/** Importing is all microtasks: the key is there before any event is. */
function bindKey(env, name, { 0: format, 1: data, 2: algorithm, 3: extractable, 4: usages }) {
  const { crypto } = core.loadExtScript("ext:outboard/crypto.js");
  const key = format === "jwk" ? JSONParse(core.decode(new Uint8Array(data))) : data;
  PromisePrototypeThen(
    crypto.subtle.importKey(format, key, JSONParse(algorithm), extractable, usages),
    (key) => env[name] = key,
  );
}

return { bind };
})();
