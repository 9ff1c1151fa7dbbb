// Errors of calls: how one is described that was thrown, or is passed, and made again.
(function () {
const { core, primordials } = __bootstrap;
const { op_thrown_text } = core.ops;
const {
  ArrayPrototypeIncludes,
  Error,
  ObjectGetOwnPropertyDescriptor,
  ObjectGetOwnPropertyNames,
  ObjectHasOwn,
  ObjectKeys,
  ObjectPrototypeIsPrototypeOf,
  RegExpPrototypeTest,
  SafeRegExp,
} = primordials;
const { isNativeError } = core;
const { flag, has } = core.loadExtScript("ext:outboard/compatibility.js");
const { DOMException } = core.loadExtScript("ext:deno_web/01_dom_exception.js");
const { own } = core.loadExtScript("ext:outboard/properties.js");
const { names: ERRORS, thrown: THROWN } = core.loadExtScript("ext:outboard/error_classes.js");

/** The kind of these descriptions (`rpc_values.js`): kind, name, message, properties,
 * origin, and whether it is a DOMException. */
const ERROR = 3;

function isDomException(value) {
  return ObjectPrototypeIsPrototypeOf(DOMException.prototype, value);
}

/**
 * What a call threw; undefined where it goes as it is.
 * @param {string | undefined} objectId the object that threw it
 * @param {(value: unknown) => unknown} substitute has what V8 cannot clone described
 */
function describeThrown(error, objectId, substitute) {
  const origin = { ...hints(error), objectId };
  if (!isDomException(error) && !isNativeError(error)) {
    return has(flag.enhanced_error_serialization)
      ? undefined
      : [ERROR, "Error", op_thrown_text(error), undefined, origin, false];
  }
  const name = `${error.name}`;
  const message = `${error.message}`;
  if (isDomException(error)) return [ERROR, name, message, undefined, origin, true];
  if (has(flag.enhanced_error_serialization)) {
    return [ERROR, name, message, ownProperties(error, substitute), origin, false];
  }
  let text = message;
  if (errorMaker(name) === undefined && name !== "") {
    text = message === "" ? name : `${name}: ${message}`;
  }
  return [ERROR, name, text, undefined, origin, false];
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
  return [ERROR, name, message, undefined, {}, false];
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
    return [ERROR, name, message, { stack: `${error.stack}` }, undefined, true];
  }
  if (has(flag.enhanced_error_serialization)) {
    return [ERROR, name, message, ownProperties(error, substitute), undefined, false];
  }
  const properties = {};
  const { stack } = error;
  if (typeof stack === "string") properties.stack = stack;
  const cause = ObjectGetOwnPropertyDescriptor(error, "cause");
  if (cause !== undefined && ObjectHasOwn(cause, "value")) properties.cause = cause.value;
  const known = ArrayPrototypeIncludes(ERRORS, name) ? name : "Error";
  return [ERROR, known, message, substitute(properties), undefined, false];
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

function restoreError([_kind, name, message, properties, origin, isDom]) {
  const make = isDom ? undefined : errorMaker(name);
  let error;
  if (isDom) error = new DOMException(message, name);
  else if (make !== undefined) error = make(message);
  else {
    error = new Error(message);
    if (has(flag.enhanced_error_serialization)) own(error, "name", name, false);
  }
  const names = properties === undefined ? [] : ObjectKeys(properties);
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
  describeThrown,
  isDomException,
  restoreError,
};
})();
