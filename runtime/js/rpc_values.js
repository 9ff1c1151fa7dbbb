// Values of calls that V8 has no clone of. One is described as an array, its kind
// first, that V8 can clone; the other side makes of it what the kind says.
(function () {
const { core, primordials } = __bootstrap;
const { op_rpc_blob } = core.ops;
const {
  ArrayIsArray,
  ArrayPrototypePush,
  Error,
  MapPrototypeForEach,
  MapPrototypeGet,
  MapPrototypeSet,
  ObjectGetPrototypeOf,
  ObjectHasOwn,
  ObjectKeys,
  ObjectPrototype,
  ObjectPrototypeIsPrototypeOf,
  ReflectApply,
  SafeMap,
  SetPrototypeAdd,
  SetPrototypeForEach,
  StringPrototypeEndsWith,
  SymbolDispose,
  TypeError,
  TypeErrorPrototype,
} = primordials;
const { isMap, isNativeError, isProxy, isSet } = core;
const { flag, has } = core.loadExtScript("ext:outboard/compatibility.js");
const { DOMException } = core.loadExtScript("ext:deno_web/01_dom_exception.js");
const { bodyState, kBytes, kNull, kText } = core.loadExtScript(
  "ext:outboard/body.js",
);
const { copyHeaderList, headerList, hostHeaders, isHeaders } = core.loadExtScript(
  "ext:outboard/headers.js",
);
const { isRequest, Request, requestParts } = core.loadExtScript(
  "ext:outboard/request.js",
);
const { errorResponse, isResponse, Response, responseParts } = core.loadExtScript(
  "ext:outboard/response.js",
);
const { hookOf, isReference, isStub, RpcTarget, stubOf } = core.loadExtScript(
  "ext:outboard/rpc.js",
);
const { addressOf, BindingHook, serviceHook, Thrown } = core.loadExtScript("ext:outboard/rpc_hooks.js");
const {
  describeBare,
  describeError,
  describeThrown,
  describeWhole,
  isCyclic,
  isDomException,
  restoreError,
} = core.loadExtScript("ext:outboard/rpc_errors.js");
const { own } = core.loadExtScript("ext:outboard/properties.js");
const { classAddress } = core.loadExtScript("ext:outboard/object_class.js");
const { refuseClone } = core.loadExtScript("ext:outboard/not_serializable.js");
const restores = () => core.loadExtScript("ext:outboard/restored.js");
const streams = () => core.loadExtScript("ext:outboard/rpc_streams.js");

const STUB = 0;
const SERVICE = 1;
const OBJECT = 2;
const ERROR = 3;
const HEADERS = 4;
const REQUEST = 5;
const RESPONSE = 6;
const READABLE = 7;
const WRITABLE = 8;
const SIGNAL = 9;
const BLOB = 10;
const CLASS = 11;
const KEPT_SERVICE = 12;
const KEPT_OBJECT = 13;
const KEPT_STUB = 14;


function cloneErrorOf(message) {
  return new DOMException(message, "DataCloneError");
}

/** What the other side would say of an error that is within itself. */
function uncloneable() {
  const error = new Error("Unable to deserialize cloned data.");
  error.remote = true;
  return error;
}

/** What V8 throws of a value without a clone, as structuredClone throws it. */
function cloneError(error) {
  return ObjectPrototypeIsPrototypeOf(TypeErrorPrototype, error) &&
      StringPrototypeEndsWith(error.message, "could not be cloned.")
    ? cloneErrorOf(error.message)
    : error;
}

/** In the place of a value that V8 would not even ask about. */
class Described {
  /** A function or a proxy, or the description itself. */
  #of;

  constructor(of) {
    this.#of = of;
  }

  static is(value) {
    return #of in value;
  }

  static of(described) {
    return described.#of;
  }
}
const { is: isDescribed, of: ofDescribed } = Described;
delete Described.is;
delete Described.of;

/** What stands behind `object`, where `substitute` put it into a value. */
function describedOf(object) {
  return isDescribed(object) ? ofDescribed(object) : undefined;
}

/** Whether a function is one of the script's, and stands for nothing else. */
function isPlainFunction(value) {
  return !isReference(value) && serviceHook(value) === undefined;
}

/**
 * Describes `object` for the other side of `session`; what is exported for it is
 * noted in `sent`.
 */
function describe(session, sent, object) {
  if (isNativeError(object)) {
    const isEnhanced = has(flag.enhanced_error_serialization);
    if (isEnhanced && sent.isArguments && isCyclic(object)) throw uncloneable();
    if (!isEnhanced && isCyclic(object)) return describeWhole(object);
    return describeError(object, substitute);
  }
  if (isDescribed(object)) {
    const of = ofDescribed(object);
    return ArrayIsArray(of) ? of : describeCallable(session, sent, of);
  }
  const exported = (kind, entry, ...rest) => [
    kind,
    exportEntry(session, sent, entry),
    ...rest,
  ];
  if (ObjectPrototypeIsPrototypeOf(RpcTarget.prototype, object)) {
    return exported(STUB, entryOf(sent, object));
  }
  if (isHeaders(object)) return [HEADERS, copyHeaderList(headerList(object))];
  if (isResponse(object)) return describeResponse(object);
  if (isRequest(object)) return describeRequest(object);
  const address = classAddress(object);
  if (address !== undefined) {
    return [CLASS, session.exportKept(address.service, address.target)];
  }
  const hook = serviceHook(object);
  if (hook !== undefined) {
    const { id } = object;
    const kept = keptAddress(session, hook);
    if (kept !== undefined) {
      const { mayBeKept } = kept;
      const index = session.exportKept(kept.service, kept.object, mayBeKept);
      return core.loadExtScript("ext:outboard/objects.js").hookOfObject(object)
        ? [KEPT_OBJECT, index, id.toString(), id.name, mayBeKept]
        : [KEPT_SERVICE, index, mayBeKept, kept.isRestored];
    }
    return core.loadExtScript("ext:outboard/objects.js").hookOfObject(object)
      ? exported(OBJECT, { hook: hook.dup() }, id.toString(), id.name)
      : exported(SERVICE, { hook: hook.dup() });
  }
  const stream = streams().exportStream(object);
  if (stream !== undefined) {
    switch (stream.kind) {
      case "readable":
        return exported(READABLE, stream.entry);
      case "writable":
        return exported(WRITABLE, stream.entry);
      case "aborted":
        return [SIGNAL, 0, stream.reason];
      default:
        return exported(SIGNAL, stream.entry);
    }
  }
  const { BlobPrototype, File, getParts } = core.loadExtScript("ext:deno_web/09_file.js");
  if (ObjectPrototypeIsPrototypeOf(BlobPrototype, object)) {
    const isFile = ObjectPrototypeIsPrototypeOf(File.prototype, object);
    return [
      BLOB,
      op_rpc_blob(getParts(object)),
      object.type,
      isFile ? object.name : undefined,
      isFile ? object.lastModified : undefined,
    ];
  }
  if (isDomException(object)) return describeError(object, substitute);
  refuseClone(object);
  throw refused(nameOf(object));
}

/**
 * How the host knows a service or an object, where who gets it is to have it for good:
 * with the flag it may be stored.
 */
function keptAddress(session, hook) {
  if (session.isCall && !has(flag.allow_irrevocable_stub_storage)) return undefined;
  const address = addressOf(hook);
  if (address !== undefined) return address;
  const restored = restores().restoredOf(hook);
  if (restored === undefined) return undefined;
  const { number, mayBeKept } = restored;
  return { service: number, object: null, mayBeKept, isRestored: true };
}

function keptHook(session, index, mayBeKept) {
  const { 0: number, 1: handle } = session.importKept(index);
  return new BindingHook(number, null, handle, null, mayBeKept);
}

/** What a `[restore]` method makes; `live` is it where its maker has passed it on. */
function restoredHook(session, index, isStub, mayBeKept, live) {
  const { 0: number, 1: handle } = session.importKept(index);
  return new (restores().RestoredHook)({ number, handle, isStub, mayBeKept }, live);
}

function exportEntry(session, sent, entry) {
  const number = session.export(entry);
  ArrayPrototypePush(sent.exports, number);
  return number;
}

function describeCallable(session, sent, of) {
  if (isStub(of)) {
    const hook = hookOf(of);
    const kept = keptAddress(session, hook);
    if (kept?.isRestored && !session.isCall) {
      const { service, mayBeKept } = kept;
      return [KEPT_STUB, session.exportKept(service, null, mayBeKept), mayBeKept, 0];
    }
    const number = exportEntry(session, sent, { hook: hook.dup() });
    ArrayPrototypePush(sent.stubs, hook);
    if (!kept?.isRestored) return [STUB, number];
    const { service, mayBeKept } = kept;
    return [KEPT_STUB, session.exportKept(service, null, mayBeKept), mayBeKept, number];
  }
  if (isReference(of)) throw refused(nameOf(of));
  if (classAddress(of) !== undefined) {
    const { uncalledName } = core.loadExtScript("ext:outboard/loopback.js");
    throw refused(uncalledName(of));
  }
  const hook = serviceHook(of);
  const kept = hook === undefined ? undefined : keptAddress(session, hook);
  if (kept !== undefined) {
    const { mayBeKept } = kept;
    const index = session.exportKept(kept.service, kept.object, mayBeKept);
    return [KEPT_SERVICE, index, mayBeKept, kept.isRestored];
  }
  return hook === undefined
    ? [STUB, exportEntry(session, sent, entryOf(sent, of))]
    : [SERVICE, exportEntry(session, sent, { hook: hook.dup() })];
}

/**
 * What is exported for a target of the script's: with `rpc_params_dup_stubs` an argument
 * stays its caller's, and the callee has a duplicate where the target makes one.
 */
function entryOf(sent, target) {
  const given = { value: target };
  if (!sent.isArguments || !has(flag.rpc_params_dup_stubs)) return given;
  const { dup } = target;
  if (typeof dup !== "function") return given;
  const duplicate = ReflectApply(dup, target, []);
  const isLike = typeof target === "function"
    ? typeof duplicate === "function"
    : ObjectPrototypeIsPrototypeOf(RpcTarget.prototype, duplicate);
  if (isLike) return { value: duplicate, forget: () => duplicate[SymbolDispose]?.() };
  const [what, other] = typeof target === "function"
    ? ["function", "another function"]
    : ["RpcTarget", "another RpcTarget"];
  throw new TypeError(
    `Couldn't create a stub for the ${what} because its dup() method did not return ` +
      `${other}. Remove the dup() method, or return one.`,
  );
}

function refused(name) {
  return cloneErrorOf(
    `Could not serialize object of type "${name}". This type does not support ` +
      "serialization.",
  );
}

function nameOf(object) {
  const prototype = ObjectGetPrototypeOf(object);
  const constructor = prototype !== null && ObjectHasOwn(prototype, "constructor")
    ? prototype.constructor
    : undefined;
  return typeof constructor === "function" ? constructor.name : "Object";
}

function describeRequest(request) {
  const { method, headers, redirect, signal } = requestParts(request);
  return [REQUEST, {
    method,
    url: request.url,
    headers: copyHeaderList(headers),
    redirect,
    cf: request.cf,
    body: bodyOf(bodyState(request)),
    signal: has(flag.enable_abortsignal_rpc) ? signal ?? undefined : undefined,
  }];
}

function describeResponse(response) {
  const { status, statusText, headers, webSocket, encodeBody } = responseParts(response);
  if (webSocket !== null) {
    throw cloneErrorOf("Can't serialize a Response which has a WebSocket over RPC.");
  }
  const state = bodyState(response);
  return [RESPONSE, {
    status,
    statusText,
    // Of a Response whose headers nobody looked at the body's type is one.
    headers: copyHeaderList(headerList(response.headers) ?? headers),
    cf: response.cf,
    encodeBody,
    body: bodyOf(state),
  }];
}

function bodyOf(state) {
  state.open();
  switch (state.kind) {
    case kNull:
      return null;
    case kText:
    case kBytes:
      state.take();
      return state.value;
    default:
      return state.stream();
  }
}

/** What a call threw, as the other side is to see it. */
function thrown(error, objectId) {
  return new Described(describeThrown(error, objectId, substitute));
}

/** The same of what has no clone, or something in it. */
function bare(error) {
  return new Described(describeBare(error));
}

/** Makes what was described; stubs are noted in `brought`. */
function restore(session, brought, description) {
  switch (description[0]) {
    case STUB: {
      const hook = session.import(description[1]);
      ArrayPrototypePush(brought, hook);
      return stubOf(hook);
    }
    case SERVICE: {
      const hook = session.import(description[1]);
      ArrayPrototypePush(brought, hook);
      return core.loadExtScript("ext:outboard/fetcher.js").fetcherOf(hook);
    }
    case OBJECT: {
      const hook = session.import(description[1]);
      ArrayPrototypePush(brought, hook);
      return core.loadExtScript("ext:outboard/objects.js").stubOfHook(
        hook,
        description[2],
        description[3],
      );
    }
    case CLASS: {
      const { 0: number, 1: handle } = session.importKept(description[1]);
      const { classOf } = core.loadExtScript("ext:outboard/object_class.js");
      return classOf(number, null, handle);
    }
    case KEPT_SERVICE:
      return core.loadExtScript("ext:outboard/fetcher.js").fetcherOf(
        description[3]
          ? restoredHook(session, description[1], false, description[2], null)
          : keptHook(session, description[1], description[2]),
      );
    case KEPT_STUB: {
      const live = description[3] === 0 ? null : session.import(description[3]);
      const hook = restoredHook(session, description[1], true, description[2], live);
      ArrayPrototypePush(brought, hook);
      return stubOf(hook);
    }
    case KEPT_OBJECT:
      return core.loadExtScript("ext:outboard/objects.js").stubOfHook(
        keptHook(session, description[1], description[4]),
        description[2],
        description[3],
      );
    case ERROR:
      return description[4] === undefined
        ? restoreError(description)
        : new Thrown(() => restoreError(description));
    case HEADERS:
      return hostHeaders(description[1], false);
    case REQUEST: {
      const { url, headers, body, ...init } = description[1];
      return new Request(url, { ...init, headers: pairs(headers), body: body ?? undefined });
    }
    case RESPONSE: {
      const { headers, body, ...init } = description[1];
      if (init.status === 0) return errorResponse();
      return new Response(body, { ...init, headers: pairs(headers) });
    }
    case BLOB: {
      const { Blob, File } = core.loadExtScript("ext:deno_web/09_file.js");
      const { 1: bytes, 2: type, 3: name, 4: lastModified } = description;
      return name === undefined
        ? new Blob([bytes], { type })
        : new File([bytes], name, { type, lastModified });
    }
    case READABLE:
      return streams().readableOf(session.import(description[1]));
    case WRITABLE:
      return streams().writableOf(session.import(description[1]));
    case SIGNAL:
      return description[1] === 0
        ? streams().abortedSignal(description[2])
        : streams().signalOf(session.import(description[1]));
    default:
      throw new TypeError("An RPC message holds what this version does not know.");
  }
}

function pairs(list) {
  const result = [];
  for (let i = 0; i < list.length; i += 2) {
    ArrayPrototypePush(result, [list[i], list[i + 1]]);
  }
  return result;
}

/**
 * A copy of `value` with something that can be described in the place of each
 * function and proxy; `value` itself where it holds none.
 */
function substitute(value) {
  let found = false;
  const copies = new SafeMap();
  const copy = (value) => {
    if (typeof value === "function") {
      found = true;
      return new Described(value);
    }
    if (typeof value !== "object" || value === null) return value;
    if (isProxy(value)) {
      found = true;
      return new Described(proxied(value));
    }
    const known = MapPrototypeGet(copies, value);
    if (known !== undefined) return known;
    if (ArrayIsArray(value)) {
      const result = [];
      MapPrototypeSet(copies, value, result);
      for (let i = 0; i < value.length; i++) {
        if (ObjectHasOwn(value, i)) result[i] = copy(value[i]);
        else result.length = i + 1;
      }
      return result;
    }
    if (isMap(value)) {
      const result = new primordials.Map();
      MapPrototypeSet(copies, value, result);
      MapPrototypeForEach(value, (item, key) => MapPrototypeSet(result, copy(key), copy(item)));
      return result;
    }
    if (isSet(value)) {
      const result = new primordials.Set();
      MapPrototypeSet(copies, value, result);
      SetPrototypeForEach(value, (item) => SetPrototypeAdd(result, copy(item)));
      return result;
    }
    if (ObjectGetPrototypeOf(value) !== ObjectPrototype) return value;
    const result = {};
    MapPrototypeSet(copies, value, result);
    const names = ObjectKeys(value);
    for (let i = 0; i < names.length; i++) {
      const item = copy(value[names[i]]);
      if (names[i] === "__proto__") own(result, names[i], item);
      else result[names[i]] = item;
    }
    return result;
  };
  const result = copy(value);
  return found ? result : value;
}

/** A proxy that says it is a plain object, a function, or made for this. */
function proxied(proxy) {
  if (
    typeof proxy === "function" ||
    ObjectPrototypeIsPrototypeOf(RpcTarget.prototype, proxy) ||
    ObjectGetPrototypeOf(proxy) === ObjectPrototype
  ) {
    return proxy;
  }
  throw cloneErrorOf(
    "Proxy could not be serialized because it is not a valid RPC receiver type. The " +
      "Proxy must emulate either a plain object or an RpcTarget, as indicated by the " +
      "Proxy's prototype chain.",
  );
}

/** Throws where no stub can be made of it. */
function checkTarget(target) {
  if (typeof target === "function" || typeof target === "object" && target !== null) return;
  throw new TypeError(
    "Failed to construct 'JsRpcStub': constructor parameter 1 is not of type 'Object'.",
  );
}

return {
  bare,
  checkTarget,
  cloneError,
  describe,
  describedOf,
  isPlainFunction,
  restore,
  substitute,
  thrown,
};
})();
