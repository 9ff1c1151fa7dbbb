// What the classes of resources share: requests to whoever keeps the data, and how
// they take numbers.
(function () {
const { core, primordials } = __bootstrap;
const {
  MathTrunc,
  Number,
  NumberIsFinite,
  ObjectDefineProperty,
  StringPrototypeToWellFormed,
  SymbolToStringTag,
  TypeError,
} = primordials;
const { requireEvent } = core.loadExtScript("ext:outboard/event.js");
const { fetchFrom } = core.loadExtScript("ext:outboard/fetch.js");
const { makeEnumerable } = core.loadExtScript("ext:outboard/headers.js");
const { Request } = core.loadExtScript("ext:outboard/request.js");

const MOST = 2147483647;
const LEAST = -2147483648;

/**
 * Sends one request to the resource with the host's number.
 * @param {string} path what comes after the host
 * @returns {Promise<Response>} of any status
 */
function ask(number, path, init) {
  const request = new Request(`https://fake-host${path}`, init);
  return fetchFrom(requireEvent(), number, request);
}

/** A number as Workers' own classes take one: whole, of 32 bits. */
function toInt(value) {
  const number = Number(value);
  if (!NumberIsFinite(number)) return 0;
  if (number > MOST || number < LEAST) {
    throw new TypeError(
      `Value out of range. Must be between ${LEAST} and ${MOST} (inclusive).`,
    );
  }
  return MathTrunc(number);
}

/** As it is in UTF-8. */
function toText(value) {
  return StringPrototypeToWellFormed(`${value}`);
}

/** Finishes a class, whose objects say that they are of `name`. */
function named(constructor, name) {
  makeEnumerable(constructor.prototype);
  ObjectDefineProperty(constructor.prototype, SymbolToStringTag, {
    __proto__: null,
    value: name,
    configurable: true,
  });
}

return { ask, named, toInt, toText };
})();
