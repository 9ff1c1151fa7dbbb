// node:trace_events: a tracing can be made, and records nothing.
(function () {
const { core, primordials } = __bootstrap;
const { ArrayPrototypeJoin, SymbolFor } = primordials;
const { NodeTypeError } = core.loadExtScript("ext:deno_node/internal/errors.ts");
const { format } = core.loadExtScript(
  "ext:deno_node/internal/util/inspect.mjs",
);
const { validateObject, validateStringArray } = core.loadExtScript(
  "ext:deno_node/internal/validators.mjs",
);

class Tracing {
  #categories;
  #enabled = false;

  constructor(categories) {
    this.#categories = categories;
  }
  enable() {
    this.#enabled = true;
  }
  disable() {
    this.#enabled = false;
  }
  get enabled() {
    return this.#enabled;
  }
  get categories() {
    return ArrayPrototypeJoin(this.#categories, ",");
  }
  [SymbolFor("nodejs.util.inspect.custom")](depth) {
    if (typeof depth === "number" && depth < 0) return this;
    const { categories, enabled } = this;
    return `Tracing ${format({ enabled, categories })}`;
  }
}

return {
  exports: {
    createTracing(options) {
      validateObject(options, "options");
      validateStringArray(options.categories, "options.categories");
      if (options.categories.length === 0) {
        throw new NodeTypeError(
          "ERR_TRACE_EVENTS_CATEGORY_REQUIRED",
          "At least one category is required",
        );
      }
      return new Tracing(options.categories);
    },
    getEnabledCategories() {},
  },
};
})();
