// Keys and values of an object, as its database has them.
(function () {
const { core, primordials } = __bootstrap;
const { op_object_get, op_object_list, op_object_put } = core.ops;
const {
  ArrayPrototypePush,
  MathTrunc,
  NumberIsNaN,
  ObjectKeys,
  RangeError,
  TypedArrayPrototypeGetByteLength,
  TypeError,
} = primordials;
const { requireEvent } = core.loadExtScript("ext:outboard/event.js");
const { flag, has } = core.loadExtScript("ext:outboard/compatibility.js");

/** Of a key and of a value, and how many at once: as Workers have it. */
const LONGEST_KEY = 2_048;
const LONGEST_VALUE = 2 * 1024 * 1024 + 64;
const MOST_KEYS = 128;

function dataClone(error) {
  const { DOMException } = core.loadExtScript("ext:deno_web/01_dom_exception.js");
  return new DOMException(error.message, "DataCloneError");
}

function checkKey(key) {
  key = `${key}`;
  // A code unit is three bytes of UTF-8 at most.
  if (key.length > LONGEST_KEY / 3 && core.encode(key).length > LONGEST_KEY) {
    throw new RangeError(
      `Keys cannot be larger than ${LONGEST_KEY} bytes. A key of size ` +
        `${core.encode(key).length} was provided.`,
    );
  }
  return key;
}

function serialize(key, value) {
  let bytes;
  try {
    bytes = core.serialize(value);
  } catch (error) {
    if (!has(flag.allow_irrevocable_stub_storage)) throw dataClone(error);
    // There may be stubs in it.
    bytes = parcels().keep(requireEvent(), value);
  }
  const length = TypedArrayPrototypeGetByteLength(bytes);
  if (length > LONGEST_VALUE) {
    throw new RangeError(
      `Values cannot be larger than ${LONGEST_VALUE} bytes. A value of size ` +
        `${length} was provided for key "${key}".`,
    );
  }
  return bytes;
}

const parcels = () => core.loadExtScript("ext:outboard/parcels.js");

/** What every value begins with that V8 has cloned; others have stubs in them. */
const V8 = 0xff;

function deserialize(bytes) {
  return bytes[0] === V8 ? core.deserialize(bytes) : parcels().openKept(bytes);
}

function checkCount(count) {
  if (count > MOST_KEYS) {
    throw new RangeError(
      `Maximum number of pairs is ${MOST_KEYS}. Number of pairs: ${count}`,
    );
  }
}

function getOne(number, key) {
  const bytes = op_object_get(number, checkKey(key));
  return bytes === null || bytes === undefined ? undefined : deserialize(bytes);
}

function putOne(number, key, value, unconfirmed) {
  key = checkKey(key);
  if (value === undefined) {
    throw new TypeError("put() called with undefined value.");
  }
  op_object_put(number, key, serialize(key, value), unconfirmed);
}

/** Puts what a record has: all of it, or nothing where one cannot be kept. */
function putAll(number, record, unconfirmed) {
  const names = ObjectKeys(record);
  checkCount(names.length);
  const ready = [];
  for (let i = 0; i < names.length; i++) {
    // Undefined ones are left out, as Workers do.
    const value = record[names[i]];
    if (value === undefined) continue;
    ArrayPrototypePush(ready, [checkKey(names[i]), serialize(names[i], value)]);
  }
  for (let i = 0; i < ready.length; i++) {
    op_object_put(number, ready[i][0], ready[i][1], unconfirmed);
  }
}

function listOptions(options) {
  const text = (name) => options?.[name] === undefined ? null : `${options[name]}`;
  let limit = options?.limit;
  if (limit !== undefined) {
    limit = +limit;
    if (NumberIsNaN(limit) || limit <= 0) {
      throw new TypeError("List limit must be positive.");
    }
    limit = primordials.MathMin(MathTrunc(limit), 0xffff_ffff);
  }
  const start = text("start");
  const startAfter = text("startAfter");
  if (start !== null && startAfter !== null) {
    throw new TypeError("list() cannot be called with both start and startAfter values.");
  }
  return {
    start,
    startAfter,
    end: text("end"),
    prefix: text("prefix"),
    limit: limit ?? null,
    reverse: !!options?.reverse,
  };
}

function entries(number, options) {
  return op_object_list(number, listOptions(options));
}

return { checkCount, checkKey, deserialize, entries, getOne, putAll, putOne };
})();
