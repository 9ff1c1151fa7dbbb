// `ctx.facets`: objects that an object has, each with storage of its own. The host
// runs them; here is asked what one is, when it is first called and does not run.
(function () {
const { core, primordials } = __bootstrap;
const {
  op_facet_abort,
  op_facet_begin,
  op_facet_delete,
  op_facet_fail,
  op_facet_start,
  op_facet_stub,
} = core.ops;
const {
  ObjectDefineProperty,
  PromisePrototypeThen,
  PromiseResolve,
  Symbol,
  SymbolToStringTag,
  TypeError,
} = primordials;
const { requireEvent } = core.loadExtScript("ext:outboard/event.js");
const { fetcherOf } = core.loadExtScript("ext:outboard/fetcher.js");
const { illegalInvocation, makeEnumerable } = core.loadExtScript(
  "ext:outboard/headers.js",
);
const { markUncloneable } = core.loadExtScript("ext:outboard/not_serializable.js");
const { classAddress } = core.loadExtScript("ext:outboard/object_class.js");
const { isId } = core.loadExtScript("ext:outboard/objects.js");
const { FacetHook } = core.loadExtScript("ext:outboard/rpc_hooks.js");

const kOwn = Symbol("made here");

class DurableObjectFacets {
  /** The host's number for the object. */
  #object;
  /** Its `ctx.id`, which its facets have unless another is said. */
  #id;

  constructor(key, object, id) {
    if (key !== kOwn) throw new TypeError("Illegal constructor");
    this.#object = object;
    this.#id = id;
  }

  get(name, getStartupOptions) {
    if (!(#id in this)) throw illegalInvocation();
    requireName("get", arguments.length);
    if (typeof getStartupOptions !== "function") {
      throw new TypeError(
        "Failed to execute 'get' on 'DurableObjectFacets': parameter 2 is not of type " +
          "'function'.",
      );
    }
    requireEvent();
    const { 0: stub, 1: handle } = op_facet_stub(this.#object, `${name}`);
    const id = this.#id;
    let begun = false;
    const begin = () => {
      const event = requireEvent();
      if (begun) return;
      const starting = op_facet_begin(event.id, stub);
      begun = true;
      if (starting >= 0) ask(starting, getStartupOptions, id);
    };
    return fetcherOf(new FacetHook(stub, handle, begin));
  }

  abort(name, reason) {
    if (!(#id in this)) throw illegalInvocation();
    requireName("abort", arguments.length);
    if (arguments.length < 2) {
      throw new TypeError(
        "Failed to execute 'abort' on 'DurableObjectFacets': parameter 2 is not of type 'Value'.",
      );
    }
    op_facet_abort(this.#object, `${name}`, reason);
  }

  delete(name) {
    if (!(#id in this)) throw illegalInvocation();
    requireName("delete", arguments.length);
    op_facet_delete(this.#object, `${name}`);
  }

  clone(src, _dst) {
    if (!(#id in this)) throw illegalInvocation();
    requireName("clone", arguments.length);
    if (arguments.length < 2) {
      throw new TypeError(
        "Failed to execute 'clone' on 'DurableObjectFacets': parameter 2 is not of type 'string'.",
      );
    }
    throw new Error(
      `The facet "${src}" is not copied: Outboard does not offer ctx.facets.clone(). Have one ` +
        "facet give the other what it stores.",
    );
  }
}
makeEnumerable(DurableObjectFacets.prototype);
markUncloneable(DurableObjectFacets);
ObjectDefineProperty(DurableObjectFacets.prototype, SymbolToStringTag, {
  __proto__: null,
  value: "DurableObjectFacets",
  configurable: true,
});

function requireName(method, given) {
  if (given > 0) return;
  throw new TypeError(
    `Failed to execute '${method}' on 'DurableObjectFacets': parameter 1 is not of type ` +
      "'string'.",
  );
}

/** Asks a script what a facet is; its own errors are the callers' for. */
function ask(starting, getStartupOptions, parentId) {
  const options = PromisePrototypeThen(PromiseResolve(), () => getStartupOptions());
  PromisePrototypeThen(
    PromisePrototypeThen(options, (options) => start(starting, options, parentId)),
    undefined,
    (error) => {
      const { told } = core.loadExtScript("ext:outboard/worker_loader.js");
      const { 0: name, 1: message } = told(error);
      op_facet_fail(starting, name, message);
    },
  );
}

function start(starting, options, parentId) {
  if (typeof options !== "object" || options === null) {
    throw new TypeError("Callback returned incorrect type; expected 'Promise'");
  }
  const { class: given, id = parentId } = options;
  const address = classAddress(given);
  if (address === undefined) {
    throw new TypeError(
      "Incorrect type for the 'class' field on 'StartupOptions': the provided value is " +
        "not of type 'DurableObjectClass or LoopbackDurableObjectNamespace or " +
        "LoopbackColoLocalActorNamespace'.",
    );
  }
  const isObjectId = isId(id);
  op_facet_start(
    starting,
    address.service,
    address.target,
    isObjectId ? id.toString() : `${id}`,
    isObjectId ? id.name ?? null : null,
    !isObjectId,
  );
}

function facetsOf(object, id) {
  return new DurableObjectFacets(kOwn, object, id);
}

return { DurableObjectFacets, facetsOf };
})();
