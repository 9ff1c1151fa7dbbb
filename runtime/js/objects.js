// Durable objects as their callers see them: namespaces, ids and stubs.
(function () {
const { core, primordials } = __bootstrap;
const { op_object_id_named, op_object_id_parse, op_object_id_unique } = core.ops;
const {
  ArrayPrototypeIncludes,
  ArrayPrototypeJoin,
  ObjectDefineProperty,
  ObjectPrototype,
  ObjectSetPrototypeOf,
  PromisePrototypeThen,
  PromiseReject,
  Symbol,
  SymbolToStringTag,
  TypeError,
} = primordials;
const { flag, has } = core.loadExtScript("ext:outboard/compatibility.js");
const { requireEvent } = core.loadExtScript("ext:outboard/event.js");
const { fetchFrom } = core.loadExtScript("ext:outboard/fetch.js");
const { CAME_IN_A_CALL, isTested, methodFor, takeAnyName } = core.loadExtScript(
  "ext:outboard/fetcher.js",
);
const { illegalInvocation, Made, makeEnumerable } = core.loadExtScript(
  "ext:outboard/headers.js",
);
const { markUncloneable } = core.loadExtScript("ext:outboard/not_serializable.js");
const { Request } = core.loadExtScript("ext:outboard/request.js");
const { notOfType, options: checkOptions } = core.loadExtScript(
  "ext:outboard/object_arguments.js",
);
const { fixed } = core.loadExtScript("ext:outboard/properties.js");
const { span } = core.loadExtScript("ext:outboard/spans.js");

const kOwn = Symbol("made here");
const NAMESPACE = "DurableObjectNamespace";

function named(constructor, name) {
  ObjectDefineProperty(constructor.prototype, SymbolToStringTag, {
    __proto__: null,
    value: name,
    configurable: true,
  });
}

function requireOwn(key) {
  if (key !== kOwn) throw new TypeError("Illegal constructor");
}

class DurableObjectId {
  #hex;

  constructor(key, hex, name) {
    requireOwn(key);
    this.#hex = hex;
    fixed(this, "name", name);
    fixed(this, "jurisdiction", undefined);
  }

  toString() {
    return this.#hex;
  }

  equals(other) {
    if (!isId(other)) {
      throw new TypeError(
        "Failed to execute 'equals' on 'DurableObjectId': parameter 1 is not of " +
          "type 'DurableObjectId'.",
      );
    }
    return this.#hex === other.#hex;
  }

  static isId(value) {
    return typeof value === "object" && value !== null && #hex in value;
  }
}
const { isId } = DurableObjectId;
delete DurableObjectId.isId;
makeEnumerable(DurableObjectId.prototype);
named(DurableObjectId, "DurableObjectId");
markUncloneable(DurableObjectId);

function newId(hex, name) {
  return new DurableObjectId(kOwn, hex, name);
}

/** Whether the object that a stub reached is no more: then the stub stays broken. */
class Fate {
  #reset = null;

  /** @param {Error} error what a call of the stub ended with, as the host has it */
  note(error) {
    if (error?.durableObjectReset === true) this.#reset ??= error;
  }

  check() {
    if (this.#reset !== null) throw this.#reset;
  }
}

class DurableObjectStub {
  /** The host's number for the namespace; null of one that came in a call. */
  #namespace;
  #id;
  /** What its methods are called by; made when one is. */
  #hook;
  #fate = new Fate();
  /** Whether it is of the worker's own exports. */
  #isOwn;

  constructor(key, namespace, id, hook = null, isOwn = false) {
    requireOwn(key);
    this.#namespace = namespace;
    this.#id = id;
    this.#hook = hook;
    this.#isOwn = isOwn;
    fixed(this, "name", id.name);
    fixed(this, "id", id);
  }

  fetch(input, init = undefined) {
    try {
      if (!(#id in this)) throw illegalInvocation();
      const event = requireEvent();
      if (arguments.length === 0) {
        throw notOfType("Fetcher", "fetch", 1, "Request or string");
      }
      const request = new Request(input, init);
      if (this.#namespace === null) return this.#hook.call(["fetch"], [request]).pull();
      this.#fate.check();
      return span("durable_object_subrequest", (span) => {
        span?.set("objectId", this.#id.toString());
        const answer = fetchFrom(event, this.#namespace, request, this.#target());
        return PromisePrototypeThen(answer, undefined, (error) => {
          this.#fate.note(error);
          throw error;
        });
      });
    } catch (error) {
      return PromiseReject(error);
    }
  }

  connect(address, options = undefined) {
    if (!(#id in this)) throw illegalInvocation();
    const { connectBy } = core.loadExtScript("ext:outboard/sockets.js");
    if (this.#namespace === null) throw new TypeError(CAME_IN_A_CALL);
    return connectBy(this.#namespace, this.#target(), address, options);
  }

  queue(queueName, messages, metadata = undefined) {
    try {
      if (!(#id in this)) throw illegalInvocation();
      if (this.#namespace === null) throw new TypeError(CAME_IN_A_CALL);
      const { sendQueue } = core.loadExtScript("ext:outboard/service_events.js");
      return sendQueue(this.#namespace, this.#target(), queueName, messages, metadata);
    } catch (error) {
      return PromiseReject(error);
    }
  }

  getRpcMethodForTestOnly(name) {
    return methodFor(hookOfObject(this), name);
  }

  /** The object, as the host has it told. */
  #target() {
    const id = this.#id;
    return id.name === undefined ? id.toString() : `${id.toString()}:${id.name}`;
  }

  /** Of a stub: its namespace, and the object as the host has it told. */
  static target(value) {
    if (typeof value !== "object" || value === null || !(#id in value)) return undefined;
    if (value.#namespace === null) return undefined;
    return { namespace: value.#namespace, object: value.#target() };
  }

  static hook(value) {
    if (!(#id in value)) return undefined;
    if (value.#hook === null) {
      const { BindingHook } = core.loadExtScript("ext:outboard/rpc_hooks.js");
      const mayBeKept = value.#isOwn && has(flag.allow_irrevocable_stub_storage);
      value.#hook = new BindingHook(
        value.#namespace,
        value.#target(),
        null,
        value.#fate,
        mayBeKept,
      );
    }
    return value.#hook;
  }
}
const { hook: hookOfObject, target: targetOf } = DurableObjectStub;
delete DurableObjectStub.hook;
delete DurableObjectStub.target;
if (!has(flag.service_binding_extra_handlers)) delete DurableObjectStub.prototype.queue;
if (!has(flag.fetcher_no_get_put_delete)) {
  core.loadExtScript("ext:outboard/fetcher_verbs.js").addVerbs(DurableObjectStub.prototype);
}
if (!isTested()) delete DurableObjectStub.prototype.getRpcMethodForTestOnly;
makeEnumerable(DurableObjectStub.prototype);
if (has(flag.rpc)) takeAnyName(DurableObjectStub.prototype, hookOfObject);

/** A stub that came in a call, or that the host keeps. */
function stubOfHook(hook, hex, name) {
  const { addressOf } = core.loadExtScript("ext:outboard/rpc_hooks.js");
  const namespace = addressOf(hook)?.service ?? null;
  return new DurableObjectStub(kOwn, namespace, newId(hex, name), hook);
}
named(DurableObjectStub, "DurableObject");
ObjectDefineProperty(DurableObjectStub, "name", { __proto__: null, value: "DurableObject" });
markUncloneable(DurableObjectStub, "ServiceStub cannot be serialized in this context.");

/** What Workers know; here is one place. */
const JURISDICTIONS = ["eu", "fedramp", "fedramp-high", "us"];

/** Whether one is named. */
function checkJurisdiction(name) {
  if (name === undefined || name === null) return false;
  name = `${name}`;
  if (ArrayPrototypeIncludes(JURISDICTIONS, name)) return true;
  throw new TypeError(
    `There is no jurisdiction "${name}"; it is one of ${ArrayPrototypeJoin(JURISDICTIONS, ", ")}.`,
  );
}

class DurableObjectNamespace extends Made {
  #namespace;
  /** Whether it is among the worker's own exports. */
  #isOwn;
  /** Whether its objects are to stay in a jurisdiction. */
  #isRestricted;

  constructor(key, namespace, of, isOwn, isRestricted = false) {
    requireOwn(key);
    super(of);
    this.#isRestricted = isRestricted;
    this.#namespace = namespace;
    this.#isOwn = isOwn;
  }

  newUniqueId(options = undefined) {
    checkOptions(options, NAMESPACE, "newUniqueId", 1, "NewUniqueIdOptions");
    checkJurisdiction(options?.jurisdiction);
    return newId(op_object_id_unique(this.#namespace));
  }

  idFromName(name) {
    name = `${name}`;
    return newId(op_object_id_named(this.#namespace, name), name);
  }

  idFromString(text) {
    return newId(op_object_id_parse(this.#namespace, `${text}`));
  }

  /** Options such as `locationHint` say where: there is one place. */
  get(id, options = undefined) {
    if (!isId(id)) throw notOfType(NAMESPACE, "get", 1, "DurableObjectId");
    checkOptions(options, NAMESPACE, "get", 2, "GetDurableObjectOptions");
    // Throws where it is another namespace's.
    op_object_id_parse(this.#namespace, id.toString());
    return new DurableObjectStub(kOwn, this.#namespace, id, null, this.#isOwn);
  }

  getByName(name, options = undefined) {
    checkOptions(options, NAMESPACE, "getByName", 2, "GetDurableObjectOptions");
    return this.get(this.idFromName(name), options);
  }

  jurisdiction(name = undefined) {
    const isRestricted = checkJurisdiction(name);
    if (isRestricted && this.#isRestricted) {
      throw new TypeError("The namespace is restricted to a jurisdiction already.");
    }
    const made = { __proto__: DurableObjectNamespace.prototype };
    return new DurableObjectNamespace(
      kOwn,
      this.#namespace,
      made,
      this.#isOwn,
      isRestricted || this.#isRestricted,
    );
  }
}
ObjectSetPrototypeOf(DurableObjectNamespace.prototype, ObjectPrototype);
makeEnumerable(DurableObjectNamespace.prototype);
named(DurableObjectNamespace, "DurableObjectNamespace");
markUncloneable(DurableObjectNamespace);

function namespaceOf(number) {
  const made = { __proto__: DurableObjectNamespace.prototype };
  return new DurableObjectNamespace(kOwn, number, made, false);
}

/** Makes one of a function. */
function namespaceOn(fn, number) {
  ObjectSetPrototypeOf(fn, DurableObjectNamespace.prototype);
  return new DurableObjectNamespace(kOwn, number, fn, true);
}

return {
  DurableObject: DurableObjectStub,
  DurableObjectId,
  DurableObjectNamespace,
  hookOfObject,
  isId,
  namespaceOf,
  namespaceOn,
  newId,
  stubOfHook,
  targetOf,
};
})();
