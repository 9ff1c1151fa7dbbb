// Keys and values of an object, as its database has them.
(function () {
const { core, primordials } = __bootstrap;
const {
  op_object_delete,
  op_object_get,
  op_object_list,
  op_object_put,
  op_value_write,
} = core.ops;
const {
  ArrayPrototypePush,
  ObjectKeys,
  ObjectPrototypeIsPrototypeOf,
  RangeError,
  StringPrototypeEndsWith,
  TypedArrayPrototypeGetByteLength,
  TypeErrorPrototype,
} = primordials;
const { requireEvent } = core.loadExtScript("ext:outboard/event.js");
const { flag, has } = core.loadExtScript("ext:outboard/compatibility.js");
const { int32 } = core.loadExtScript("ext:outboard/object_arguments.js");

/** Of a key and of a value, and how many at once: as Workers have it. */
const LONGEST_KEY = 2_048;
const LONGEST_VALUE = 2 * 1024 * 1024 + 64;
const MOST_KEYS = 128;

/** What V8 throws of a value without a clone, as Workers say it; a script's own errors
 * are let be. */
function dataClone(error) {
  if (
    !ObjectPrototypeIsPrototypeOf(TypeErrorPrototype, error) ||
    !StringPrototypeEndsWith(error.message, "could not be cloned.")
  ) return error;
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

/** A value as it is kept, of whatever length. */
function serializeAny(value) {
  let bytes;
  try {
    bytes = write(value);
  } catch (error) {
    if (!has(flag.allow_irrevocable_stub_storage)) throw dataClone(error);
    bytes = false;
  }
  // There are objects of the API in it, or may be stubs.
  return bytes === false ? parcels().keep(requireEvent(), value) : bytes;
}

function serialize(key, value) {
  const bytes = serializeAny(value);
  const length = TypedArrayPrototypeGetByteLength(bytes);
  if (length > LONGEST_VALUE) {
    throw new RangeError(
      `Values cannot be larger than ${LONGEST_VALUE} bytes. A value of size ` +
        `${length} was provided for key "${key}".`,
    );
  }
  return bytes;
}

/** Whether all classes of the API are marked whose objects V8 does not clone. */
let areMarked = false;

/** As V8 writes it; false where there are objects of the API in it. */
function write(value) {
  const written = op_value_write(value, core.hostObjectBrand, areMarked);
  if (written !== true) return written;
  core.loadExtScript("ext:outboard/structured_clone.js");
  areMarked = true;
  return op_value_write(value, core.hostObjectBrand, areMarked);
}

const parcels = () => core.loadExtScript("ext:outboard/parcels.js");

/** What every value begins with that V8 has cloned. */
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

/** A copy of a list, of keys. */
function checkKeys(list) {
  checkCount(list.length);
  const keys = [];
  for (let i = 0; i < list.length; i++) keys[i] = checkKey(list[i]);
  return keys;
}

/** @param {string} key a checked one */
function getOne(number, key) {
  const bytes = op_object_get(number, key);
  return bytes === null || bytes === undefined ? undefined : deserialize(bytes);
}

/** A checked key, and its value as it is kept. */
function pairOf(key, value) {
  return [key, serialize(key, value)];
}

/** The same of all that a record has. */
function pairsOf(record) {
  const names = ObjectKeys(record);
  checkCount(names.length);
  const pairs = [];
  for (let i = 0; i < names.length; i++) {
    // Undefined ones are left out, as Workers do.
    const value = record[names[i]];
    if (value === undefined) continue;
    ArrayPrototypePush(pairs, pairOf(checkKey(names[i]), value));
  }
  return pairs;
}

/** How often what an object of the isolate keeps by keys may have changed. */
let changes = 0;

function keysChange() {
  changes++;
}

function deleteKey(number, key, unconfirmed) {
  changes++;
  return op_object_delete(number, key, unconfirmed);
}

function putPairs(number, pairs, unconfirmed) {
  changes++;
  for (let i = 0; i < pairs.length; i++) {
    op_object_put(number, pairs[i][0], pairs[i][1], unconfirmed);
  }
}

function listOptions(options) {
  const text = (name) => options?.[name] === undefined ? null : `${options[name]}`;
  let limit = options?.limit;
  if (limit !== undefined) {
    limit = int32(limit);
    if (limit <= 0) throw new TypeError("List limit must be positive.");
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

/** What is left of a list behind a key. */
function restBehind(options, key, limit) {
  const rest = options.reverse ? { end: key } : { start: null, startAfter: key };
  return { ...options, ...rest, limit };
}

/** @param {object} options what `listOptions` gave */
function entries(number, options) {
  let part = op_object_list(number, options);
  const all = part.entries;
  let { limit } = options;
  while (part.goesOn) {
    if (limit !== null) limit -= part.entries.length;
    const { key } = all[all.length - 1];
    part = op_object_list(number, restBehind(options, key, limit));
    for (let i = 0; i < part.entries.length; i++) ArrayPrototypePush(all, part.entries[i]);
  }
  return all;
}

/** The same one by one, each as it is when it is asked for. */
function* eachEntry(number, options) {
  let part = op_object_list(number, options);
  let seen = changes;
  let { limit } = options;
  for (let i = 0; i < part.entries.length; i++) {
    const { key, value } = part.entries[i];
    yield [key, deserialize(value)];
    if (limit !== null && --limit === 0) return;
    const isLast = i === part.entries.length - 1 && part.goesOn;
    if (seen === changes && !isLast) continue;
    seen = changes;
    part = op_object_list(number, restBehind(options, key, limit));
    i = -1;
  }
}

return {
  checkKey,
  checkKeys,
  deleteKey,
  deserialize,
  eachEntry,
  entries,
  getOne,
  keysChange,
  listOptions,
  pairOf,
  pairsOf,
  putPairs,
  serializeAny,
};
})();
