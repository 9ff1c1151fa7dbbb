// What a worker's events tell its tail workers. Loads only where it has some, or may.
(function () {
const { core, primordials } = __bootstrap;
const { op_trace_log, op_trace_message, op_traced } = core.ops;
const {
  ArrayIsArray,
  ArrayPrototypePush,
  JSONStringify,
  ObjectDefineProperty,
  ObjectGetPrototypeOf,
  ObjectPrototype,
  ReflectApply,
  StringPrototypeIndexOf,
  StringPrototypeSlice,
  SymbolPrototypeToString,
} = primordials;
const { currentEvent } = core.loadExtScript("ext:outboard/event.js");
const { activeId } = core.loadExtScript("ext:outboard/spans.js");

/** In the order that the host has them in. */
const LEVELS = ["debug", "info", "log", "warn", "error"];

/** Has what `console` is given told as well. */
function watch(console) {
  for (let level = 0; level < LEVELS.length; level++) {
    const name = LEVELS[level];
    const method = console[name];
    const both = function (...args) {
      ReflectApply(method, console, args);
      record(level, args);
    };
    ObjectDefineProperty(both, "name", { __proto__: null, value: name });
    console[name] = both;
  }
}

/** Whether somebody is told; undefined until there is something to tell. */
let traced = undefined;

function record(level, args) {
  traced ??= op_traced() !== 0;
  const event = traced ? currentEvent() : undefined;
  if (event === undefined) return;
  let message = "[";
  let errors = null;
  for (let i = 0; i < args.length; i++) {
    if (i > 0) message += ", ";
    message += jsonOf(args[i]);
    const error = errorOf(args[i]);
    if (error === null) continue;
    if (errors === null) {
      errors = [];
      for (let j = 0; j < args.length; j++) ArrayPrototypePush(errors, null);
    }
    errors[i] = error;
  }
  op_trace_log(
    event.id,
    level,
    message + "]",
    errors === null ? null : JSONStringify(errors),
    activeId(event),
  );
}

/** Values and plain objects as JSON, and of anything else its text. */
function jsonOf(value) {
  try {
    return (isData(value) ? JSONStringify(value) : JSONStringify(`${value}`)) ?? "null";
  } catch {
    return "{}";
  }
}

function isData(value) {
  switch (typeof value) {
    case "string":
    case "number":
    case "boolean":
    case "undefined":
      return true;
    case "object":
      if (value === null || ArrayIsArray(value)) return true;
      break;
    case "function":
      break;
    default:
      return false;
  }
  const prototype = ObjectGetPrototypeOf(value);
  if (prototype === ObjectPrototype || prototype === null) return true;
  return typeof value.toJSON === "function";
}

/** What is told of an error besides its text; null of anything else. */
function errorOf(value) {
  if (!core.isNativeError(value)) return null;
  try {
    const error = { name: `${value.name}`, message: `${value.message}` };
    const { stack } = value;
    if (typeof stack === "string") {
      const at = StringPrototypeIndexOf(stack, "\n    at ");
      if (at >= 0) error.stack = StringPrototypeSlice(stack, at + 1);
    }
    return error;
  } catch {
    // A getter of the script's threw.
    return null;
  }
}

/** What was published on a channel of `node:diagnostics_channel`. */
function published(channel, message) {
  const event = currentEvent();
  if (event === undefined) return;
  let bytes;
  try {
    bytes = core.serialize(message);
  } catch {
    bytes = core.serialize("[[ Diagnostic event was not serializable ]]");
  }
  const name = typeof channel === "symbol" ? SymbolPrototypeToString(channel) : channel;
  op_trace_message(event.id, name, bytes);
}

return { published, watch };
})();
