// process.env: the worker's variables as strings, its own to change.
(function () {
const { core, primordials } = __bootstrap;
const {
  JSONParse,
  JSONStringify,
  ObjectEntries,
  Proxy,
  ReflectDefineProperty,
  ReflectHas,
  ReflectSet,
  SafeArrayIterator,
  TypeError,
} = primordials;
const { op_node_env } = core.ops;
const { flag, has } = core.loadExtScript("ext:outboard/compatibility.js");
const { validateObject } = core.loadExtScript(
  "ext:deno_node/internal/validators.mjs",
);
const { ERR_INVALID_ARG_VALUE } = core.loadExtScript(
  "ext:deno_node/internal/errors.ts",
).codes;

/** Text stays as it is; other values are in it as JSON. */
function initial() {
  const env = {};
  if (!has(flag.nodejs_compat_populate_process_env)) return env;
  const values = ObjectEntries(JSONParse(op_node_env()));
  for (const [name, value] of new SafeArrayIterator(values)) {
    env[name] = typeof value === "string" ? value : JSONStringify(value);
  }
  return env;
}

function text(value) {
  if (typeof value === "symbol") {
    throw new TypeError("Cannot convert a symbol value to a string");
  }
  return `${value}`;
}

const env = new Proxy(initial(), {
  __proto__: null,
  set(target, name, value) {
    text(name);
    return ReflectSet(target, name, text(value));
  },
  defineProperty(target, name, descriptor) {
    validateObject(descriptor, "descriptor");
    const refuse = (field, reason) => {
      throw new ERR_INVALID_ARG_VALUE(field, descriptor, reason);
    };
    if (ReflectHas(descriptor, "get") || ReflectHas(descriptor, "set")) {
      refuse("descriptor", "process.env value must not have getter/setter");
    }
    for (
      const field of new SafeArrayIterator([
        "configurable",
        "enumerable",
        "writable",
      ])
    ) {
      if (!descriptor[field]) {
        refuse(`descriptor.${field}`, `process.env value must be ${field}`);
      }
    }
    if (!ReflectHas(descriptor, "value")) {
      refuse(
        "descriptor.value",
        "process.env value must be specified explicitly",
      );
    }
    text(name);
    return ReflectDefineProperty(target, name, {
      __proto__: null,
      ...descriptor,
      value: text(descriptor.value),
    });
  },
});

return { env };
})();
