// What methods of a durable object's `ctx` take, and what is said of anything else.
(function () {
const { core, primordials } = __bootstrap;
const {
  ArrayIsArray,
  DatePrototypeGetTime,
  MathTrunc,
  NumberIsFinite,
  TypeError,
} = primordials;

/** The times that Workers know, in nanoseconds since 1970. */
const MOST_NANOSECONDS = 2 ** 63;

/** Of parameter `place` of a method, which takes a `type`. */
function notOfType(of, method, place, type) {
  return new TypeError(
    `Failed to execute '${method}' on '${of}': parameter ${place} is not of type '${type}'.`,
  );
}

/** Refuses a call that lacks an argument. */
function given(args, of, method, place, type) {
  if (args.length < place) throw notOfType(of, method, place, type);
}

function isObject(value) {
  return typeof value === "object" && value !== null || typeof value === "function";
}

/** Options are an object, or nothing. */
function options(value, of, method, place, type) {
  if (value === undefined || value === null || isObject(value)) return;
  throw notOfType(of, method, place, type);
}

function callback(value, of, method) {
  if (typeof value !== "function") throw notOfType(of, method, 1, "function");
}

/** Milliseconds since 1970 of a Date or a number. */
function date(value, of, method) {
  const isDate = core.isDate(value);
  if (!isDate && typeof value !== "number") throw notOfType(of, method, 1, "date");
  const time = isDate ? DatePrototypeGetTime(value) : value;
  if (!NumberIsFinite(time)) {
    throw new TypeError("The value cannot be converted because it is not a valid Date.");
  }
  const nanoseconds = time * 1e6;
  if (nanoseconds >= MOST_NANOSECONDS) {
    throw new TypeError("This API doesn't support dates after 2189.");
  }
  if (nanoseconds <= -MOST_NANOSECONDS) {
    throw new TypeError("This API doesn't support dates before 1687.");
  }
  return MathTrunc(time);
}

/** A whole number of 32 bits with a sign. */
function int32(value) {
  const number = +value;
  if (!NumberIsFinite(number)) return 0;
  if (number < -0x8000_0000 || number > 0x7fff_ffff) {
    throw new TypeError(
      "Value out of range. Must be between -2147483648 and 2147483647 (inclusive).",
    );
  }
  return MathTrunc(number);
}

/** One without. */
function uint32(value) {
  const number = +value;
  if (!NumberIsFinite(number)) {
    throw new TypeError("The value cannot be converted because it is not an integer.");
  }
  if (number < 0) {
    throw new TypeError(
      "The value cannot be converted because it is negative and this API expects a " +
        "positive number.",
    );
  }
  if (number > 0xffff_ffff) {
    throw new TypeError("Value out of range. Must be less than or equal to 4294967295.");
  }
  return MathTrunc(number);
}

/** Texts in a list. */
function texts(value, of, method, place) {
  if (!ArrayIsArray(value)) throw notOfType(of, method, place, "Array");
  const list = [];
  for (let i = 0; i < value.length; i++) list[i] = `${value[i]}`;
  return list;
}

return { callback, date, given, int32, isObject, notOfType, options, texts, uint32 };
})();
