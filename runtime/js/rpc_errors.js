// Errors of calls: how one is described that was thrown, or is passed, and made again.
(function () {
const { core, primordials } = __bootstrap;
const { op_thrown_text } = core.ops;
const {
  ArrayIsArray,
  ArrayPrototypeIncludes,
  Error,
  MapPrototypeForEach,
  ObjectGetOwnPropertyDescriptor,
  ObjectGetOwnPropertyNames,
  ObjectGetPrototypeOf,
  ObjectHasOwn,
  ObjectKeys,
  ObjectPrototype,
  ObjectPrototypeIsPrototypeOf,
  RegExpPrototypeTest,
  SafeRegExp,
  SafeSet,
  SetPrototypeAdd,
  SetPrototypeDelete,
  SetPrototypeForEach,
  SetPrototypeHas,
  StringPrototypeCharCodeAt,
  TypedArrayPrototypeGetByteLength,
  Uint8Array,
} = primordials;
const { isMap, isNativeError, isProxy, isSet } = core;
const { flag, has } = core.loadExtScript("ext:outboard/compatibility.js");
const { DOMException } = core.loadExtScript("ext:deno_web/01_dom_exception.js");
const { own } = core.loadExtScript("ext:outboard/properties.js");
const { names: ERRORS, thrown: THROWN } = core.loadExtScript("ext:outboard/error_classes.js");

/** The kind of these descriptions (`rpc_values.js`): kind, name, message, properties,
 * origin, and what is made of it. */
const ERROR = 3;
const LANGUAGE = 0;
const DOM = 1;
/** Its property `value`, which is no error. */
const VALUE = 2;

/** V8's own clone of it. */
const WHOLE = 3;

/** The longest description of what a `fetch` handler threw, in bytes. */
const MOST_THROWN = 256 << 10;

function isDomException(value) {
  return ObjectPrototypeIsPrototypeOf(DOMException.prototype, value);
}

/**
 * What a call threw.
 * @param {string | undefined} objectId the object that threw it
 * @param {(value: unknown) => unknown} substitute has what V8 cannot clone described
 */
function describeThrown(error, objectId, substitute) {
  const isEnhanced = has(flag.enhanced_error_serialization) && travels(error);
  const origin = { ...hints(error), objectId };
  if (!isDomException(error) && !isNativeError(error)) {
    return isEnhanced && typeof error === "object" && error !== null
      ? [ERROR, "", "", substitute({ value: error }), origin, VALUE]
      : [ERROR, "Error", op_thrown_text(error), undefined, origin, LANGUAGE];
  }
  const name = `${error.name}`;
  const message = `${error.message}`;
  if (isDomException(error)) return [ERROR, name, message, undefined, origin, DOM];
  if (isEnhanced) {
    return [ERROR, name, message, ownProperties(error, substitute), origin, LANGUAGE];
  }
  let text = message;
  if (errorMaker(name) === undefined && name !== "") {
    text = message === "" ? name : `${name}: ${message}`;
  }
  return [ERROR, name, text, undefined, origin, LANGUAGE];
}

/**
 * The same of what a `fetch` handler threw, serialised; null where the error's class and
 * message say all.
 */
function describeFailure(error) {
  try {
    const description = describeThrown(error, undefined, (value) => value);
    const { 3: properties, 4: origin, 5: made } = description;
    const says = properties !== undefined || origin.overloaded || origin.retryable ||
      made === DOM || has(flag.enhanced_error_serialization);
    const bytes = says ? core.serialize(description) : null;
    return bytes === null || TypedArrayPrototypeGetByteLength(bytes) > MOST_THROWN ? null : bytes;
  } catch {
    // Something of the script's, or without a clone.
    return null;
  }
}

/** What a `fetch()` of another worker's threw, for its caller: `error` is the host's. */
function restoreFailure(error) {
  const { thrown } = error;
  if (typeof thrown !== "string") {
    error.remote = true;
    return error;
  }
  const bytes = new Uint8Array(thrown.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = StringPrototypeCharCodeAt(thrown, i);
  return restoreError(core.deserialize(bytes));
}

/**
 * Whether all that an error has of its own can follow it: no functions, nothing that
 * throws when it is read, and no error that is within itself.
 */
function travels(error) {
  const seen = new SafeSet();
  const open = new SafeSet();
  const goes = (value) => {
    if (typeof value === "function" || typeof value === "symbol") return false;
    if (typeof value !== "object" || value === null) return true;
    if (SetPrototypeHas(open, value)) return false;
    if (SetPrototypeHas(seen, value)) return true;
    SetPrototypeAdd(seen, value);
    if (isProxy(value)) return false;
    if (isNativeError(value)) {
      SetPrototypeAdd(open, value);
      const names = ObjectGetOwnPropertyNames(value);
      for (let i = 0; i < names.length; i++) {
        if (names[i] !== "stack" && !goes(value[names[i]])) return false;
      }
      SetPrototypeDelete(open, value);
      return true;
    }
    let all = true;
    const look = (item) => all &&= goes(item);
    if (isMap(value)) {
      MapPrototypeForEach(value, (item, key) => look(key) && look(item));
    } else if (isSet(value)) {
      SetPrototypeForEach(value, look);
    } else if (ArrayIsArray(value) || ObjectGetPrototypeOf(value) === ObjectPrototype) {
      const names = ObjectKeys(value);
      for (let i = 0; i < names.length && all; i++) look(value[names[i]]);
    }
    return all;
  };
  try {
    return goes(error);
  } catch {
    return false;
  }
}

/** Whether an error is within itself. */
function isCyclic(error) {
  const seen = new SafeSet();
  const open = new SafeSet();
  const goes = (value) => {
    if (typeof value !== "object" || value === null || isProxy(value)) return false;
    if (SetPrototypeHas(open, value)) return true;
    if (SetPrototypeHas(seen, value)) return false;
    SetPrototypeAdd(seen, value);
    const isError = isNativeError(value);
    if (
      !isError && !ArrayIsArray(value) && ObjectGetPrototypeOf(value) !== ObjectPrototype
    ) return false;
    if (isError) SetPrototypeAdd(open, value);
    const names = isError ? ObjectGetOwnPropertyNames(value) : ObjectKeys(value);
    for (let i = 0; i < names.length; i++) {
      if (names[i] !== "stack" && goes(value[names[i]])) return true;
    }
    SetPrototypeDelete(open, value);
    return false;
  };
  try {
    return goes(error);
  } catch {
    // A getter of the script's.
    return false;
  }
}

/** The same of what has no clone, or something in it. */
function describeBare(error) {
  let name = "Error";
  let message = op_thrown_text(error);
  if (isDomException(error) || isNativeError(error)) {
    try {
      name = `${error.name}`;
      message = `${error.message}`;
    } catch {
      // A getter of the script's: what the engine says it is.
    }
  }
  return [ERROR, name, message, undefined, {}, LANGUAGE];
}

/** What an error says of whether the call may be tried again. */
function hints(error) {
  try {
    if (error?.overloaded) return { overloaded: true };
    if (error?.retryable) return { retryable: true };
  } catch {
    // A getter of the script's.
  }
  return {};
}

/** Of an error that is passed: as V8 clones one, or with all that it has of its own. */
function describeError(error, substitute) {
  const name = `${error.name}`;
  const message = `${error.message}`;
  if (isDomException(error)) {
    return [ERROR, name, message, { stack: `${error.stack}` }, undefined, DOM];
  }
  if (has(flag.enhanced_error_serialization)) {
    return [ERROR, name, message, ownProperties(error, substitute), undefined, LANGUAGE];
  }
  const properties = {};
  const { stack } = error;
  if (typeof stack === "string") properties.stack = stack;
  const cause = ObjectGetOwnPropertyDescriptor(error, "cause");
  if (cause !== undefined && ObjectHasOwn(cause, "value")) properties.cause = cause.value;
  const known = ArrayPrototypeIncludes(ERRORS, name) ? name : "Error";
  return [ERROR, known, message, substitute(properties), undefined, LANGUAGE];
}

/** Of an error that is within itself: what is within a description cannot be. */
function describeWhole(error) {
  return [ERROR, "", "", core.serialize(error), undefined, WHOLE];
}

/** But for its name and message, and its stack, which is for who may see its script. */
function ownProperties(error, substitute) {
  let properties = undefined;
  const names = ObjectGetOwnPropertyNames(error);
  for (let i = 0; i < names.length; i++) {
    const name = names[i];
    if (
      name === "name" || name === "message" || name === "stack" ||
      RegExpPrototypeTest(INDEX, name)
    ) continue;
    properties ??= {};
    own(properties, name, error[name]);
  }
  return properties === undefined ? undefined : substitute(properties);
}

const INDEX = new SafeRegExp("^(?:0|[1-9][0-9]*)$");

/** Makes an error of the language's own class of that name. */
function errorMaker(name) {
  if (!ArrayPrototypeIncludes(ERRORS, name)) return THROWN[name];
  return (message) => new primordials[name](message);
}

function restoreError([_kind, name, message, properties, origin, kept]) {
  // Values that were kept may say it as a boolean.
  const made = +kept;
  if (made === WHOLE) return core.deserialize(properties);
  const make = made === LANGUAGE ? errorMaker(name) : undefined;
  let error;
  if (made === VALUE) error = properties.value;
  else if (made === DOM) error = new DOMException(message, name);
  else if (make !== undefined) error = make(message);
  else {
    error = new Error(message);
    if (has(flag.enhanced_error_serialization)) own(error, "name", name);
  }
  const names = properties === undefined || made === VALUE ? [] : ObjectKeys(properties);
  const isEnhanced = has(flag.enhanced_error_serialization);
  for (let i = 0; i < names.length; i++) {
    own(error, names[i], properties[names[i]], isEnhanced);
  }
  if (origin === undefined) return error;
  error.remote = true;
  if (origin.overloaded) error.overloaded = true;
  if (origin.retryable) error.retryable = true;
  if (origin.objectId !== undefined) error.durableObjectId = origin.objectId;
  return error;
}

return {
  describeBare,
  describeError,
  describeFailure,
  describeThrown,
  describeWhole,
  isCyclic,
  isDomException,
  restoreError,
  restoreFailure,
};
})();
