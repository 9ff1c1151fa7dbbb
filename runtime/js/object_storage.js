// `ctx.storage`: keys and values of an object, transactions, and the way to SQL.
(function () {
const { core, primordials } = __bootstrap;
const {
  op_object_alarm,
  op_object_bookmark,
  op_object_bookmark_at,
  op_object_delete_all,
  op_object_restore_next,
  op_object_set_alarm,
  op_object_sync,
  op_object_transaction,
} = core.ops;
const {
  ArrayIsArray,
  Error,
  DateNow,
  MapPrototypeSet,
  MathMax,
  ObjectDefineProperty,
  ObjectGetOwnPropertyDescriptor,
  ObjectGetOwnPropertyNames,
  ObjectKeys,
  ObjectPrototype,
  ObjectSetPrototypeOf,
  PromisePrototypeThen,
  PromiseReject,
  PromiseResolve,
  PromiseWithResolvers,
  SafeArrayIterator,
  Symbol,
  SymbolToStringTag,
  TypeError,
} = primordials;
const { currentEvent, requireEvent } = core.loadExtScript("ext:outboard/event.js");
const { flag, has } = core.loadExtScript("ext:outboard/compatibility.js");
const { makeEnumerable } = core.loadExtScript("ext:outboard/headers.js");
const { guard, lazy } = core.loadExtScript("ext:outboard/properties.js");
const { callback, date, given, isObject, options: checkOptions } = core.loadExtScript(
  "ext:outboard/object_arguments.js",
);
const {
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
} = core.loadExtScript("ext:outboard/object_keys.js");
const { tellCalls } = core.loadExtScript("ext:outboard/spans.js");

const kOwn = Symbol("made here");

const STORAGE = "DurableObjectStorage";
const KV = "SyncKvStorage";

const BEGIN = 0;
const KEEP = 1;
const UNDO = 2;
const BEGIN_LONG = 3;
const KEEP_SYNC = 4;
const UNDO_SYNC = 5;

/** Runs `fn`; what it throws is a rejection. */
function tried(fn) {
  try {
    return PromiseResolve(fn());
  } catch (error) {
    return PromiseReject(error);
  }
}

/** Whether a transaction is open that the caller is no part of. */
function isOthers(life) {
  return life.transaction !== null && life.transaction.section !== currentEvent();
}

/** Runs `fn` on storage, after a transaction that the caller is no part of. */
async function afterOthers(life, fn) {
  while (isOthers(life)) await life.transaction.ended;
  return fn();
}

function asked(life, fn) {
  return isOthers(life) ? afterOthers(life, fn) : tried(fn);
}

/** The same for what cannot wait. */
function atOnce(life, fn) {
  refuseOthers(life);
  return fn();
}

function refuseOthers(life) {
  if (isOthers(life)) {
    throw new Error(
      "A transaction of this Durable Object is open, and this is no part of it: " +
        "synchronous storage methods cannot wait for its end.",
    );
  }
}

/** Whether what the object says need not wait for a write. */
function isUnconfirmed(options) {
  return !!options?.allowUnconfirmed;
}

/** How a transaction ended: what is said of a method that is called then. */
const COMMITTED = (method) =>
  `Cannot call ${method}() on transaction that has already committed: did you move ` +
  "`txn` outside of the closure?";
const ROLLED_BACK = (method) => `Cannot ${method}() on rolled back transaction`;

/** What storage and a transaction of it share. `allowConcurrency` and `noCache` change
 * nothing: storage waits for nothing, so it holds no other event back. */
class Operations {
  #number;
  #life;
  #hasAlarm;
  /** What scripts know its class as. */
  #name;
  #ended = null;

  constructor(key, number, life, hasAlarm, name) {
    if (key !== kOwn) throw new TypeError("Illegal constructor");
    this.#number = number;
    this.#life = life;
    this.#hasAlarm = hasAlarm;
    this.#name = name;
  }

  /** Runs `fn` on storage, what `check` gives of the arguments being its own. */
  #asked(method, check, fn) {
    return tried(() => {
      const checked = check();
      this.#refuse(method);
      return asked(this.#life, () => fn(checked));
    });
  }

  #refuse(method) {
    if (this.#ended !== null) throw new Error(this.#ended(method));
  }

  get(keys, options = undefined) {
    return this.#asked("get", () => {
      given(arguments, this.#name, "get", 1, "string or Array");
      checkOptions(options, this.#name, "get", 2, "GetOptions");
      return ArrayIsArray(keys) ? checkKeys(keys) : checkKey(keys);
    }, (keys) => {
      if (typeof keys === "string") return getOne(this.#number, keys);
      const found = new Map();
      for (const key of new SafeArrayIterator(primordials.ArrayPrototypeSort(keys))) {
        const value = getOne(this.#number, key);
        if (value !== undefined) MapPrototypeSet(found, key, value);
      }
      return found;
    });
  }

  put(key, value, options = undefined) {
    return this.#asked("put", () => {
      given(arguments, this.#name, "put", 1, "string or object");
      if (isObject(key) && !ArrayIsArray(key)) {
        if (value !== undefined && value !== null && !isObject(value)) {
          throw new TypeError(
            "put() may only be called with a single key-value pair and optional options as " +
              "put(key, value, options) or with multiple key-value pairs and optional " +
              "options as put(entries, options)",
          );
        }
        return { pairs: pairsOf(key), unconfirmed: isUnconfirmed(value) };
      }
      checkOptions(options, this.#name, "put", 3, "PutOptions");
      if (value === undefined) throw new TypeError("put() called with undefined value.");
      return { pairs: [pairOf(checkKey(key), value)], unconfirmed: isUnconfirmed(options) };
    }, ({ pairs, unconfirmed }) => putPairs(this.#number, pairs, unconfirmed));
  }

  /** As in Workers, what it refuses it throws at once. */
  delete(keys, options = undefined) {
    given(arguments, this.#name, "delete", 1, "string or Array");
    checkOptions(options, this.#name, "delete", 2, "PutOptions");
    const checked = ArrayIsArray(keys) ? checkKeys(keys) : checkKey(keys);
    this.#refuse("delete");
    const unconfirmed = isUnconfirmed(options);
    return asked(this.#life, () => {
      if (typeof checked === "string") return deleteKey(this.#number, checked, unconfirmed);
      let deleted = 0;
      for (let i = 0; i < checked.length; i++) {
        if (deleteKey(this.#number, checked[i], unconfirmed)) deleted++;
      }
      return deleted;
    });
  }

  list(options = undefined) {
    return this.#asked("list", () => {
      checkOptions(options, this.#name, "list", 1, "ListOptions");
      return listOptions(options);
    }, (options) => {
      const found = new Map();
      const all = entries(this.#number, options);
      for (let i = 0; i < all.length; i++) {
        MapPrototypeSet(found, all[i].key, deserialize(all[i].value));
      }
      return found;
    });
  }

  getAlarm(options = undefined) {
    return this.#asked(
      "getAlarm",
      () => checkOptions(options, this.#name, "getAlarm", 1, "GetAlarmOptions"),
      () => {
        const time = op_object_alarm(this.#number);
        return time < 0 ? null : time;
      },
    );
  }

  setAlarm(time, options = undefined) {
    return this.#asked("setAlarm", () => {
      const checked = date(time, this.#name, "setAlarm");
      checkOptions(options, this.#name, "setAlarm", 2, "SetAlarmOptions");
      if (checked <= 0) {
        throw new TypeError("setAlarm() cannot be called with an alarm time <= 0");
      }
      if (!this.#hasAlarm()) {
        throw new TypeError(
          "Your Durable Object class must have an alarm() handler in order to call " +
            "setAlarm()",
        );
      }
      return checked;
    }, (time) => {
      // One in the past is due now.
      op_object_set_alarm(
        this.#number,
        MathMax(time, DateNow()),
        isUnconfirmed(options),
      );
    });
  }

  deleteAlarm(options = undefined) {
    return this.#asked(
      "deleteAlarm",
      () => checkOptions(options, this.#name, "deleteAlarm", 1, "SetAlarmOptions"),
      () => {
        op_object_set_alarm(this.#number, -1, isUnconfirmed(options));
      },
    );
  }

  static numberOf(operations) {
    return operations.#number;
  }

  static lifeOf(operations) {
    return operations.#life;
  }

  static is(value) {
    return typeof value === "object" && value !== null && #number in value;
  }

  /** Notes how it ended, if it did not before, and tells how. */
  static end(operations, how) {
    return operations.#ended ??= how;
  }
}
const { end, is: isOperations, lifeOf, numberOf } = Operations;
delete Operations.end;
delete Operations.is;
delete Operations.lifeOf;
delete Operations.numberOf;
const { Map } = globalThis;

class DurableObjectTransaction extends Operations {
  rollback() {
    const how = end(this, ROLLED_BACK);
    if (how === COMMITTED) throw new Error(how("rollback"));
  }

  deleteAll() {
    throw new Error("Cannot call deleteAll() within a transaction");
  }
}

class DurableObjectStorage extends Operations {
  #block;
  #hasAlarm;

  constructor(key, number, life, block, hasAlarm) {
    super(key, number, life, hasAlarm, STORAGE);
    this.#hasAlarm = hasAlarm;
    this.#block = block;
    lazy(this, "kv", () => new SyncKvStorage(kOwn, number, life));
    lazy(
      this,
      "sql",
      () =>
        core.loadExtScript("ext:outboard/object_sql.js").sqlOf(number, () => refuseOthers(life)),
    );
  }

  deleteAll(options = undefined) {
    return tried(() => {
      checkOptions(options, STORAGE, "deleteAll", 1, "PutOptions");
      return asked(lifeOf(this), () => {
        keysChange();
        op_object_delete_all(
          numberOf(this),
          has(flag.delete_all_deletes_alarm),
          isUnconfirmed(options),
        );
      });
    });
  }

  /** Resolves when all that was written before is durable. */
  sync() {
    return PromisePrototypeThen(op_object_sync(numberOf(this), requireEvent().id), () => {});
  }

  transaction(run) {
    const number = numberOf(this);
    const life = lifeOf(this);
    return tried(() => {
      callback(run, STORAGE, "transaction");
      return this.#transaction(number, life, run);
    });
  }

  #transaction(number, life, run) {
    return asked(life, () => {
      // Nothing else of the object runs meanwhile; what does all the same waits
      // before it touches storage.
      let result;
      let thrown;
      let failed = false;
      const done = this.#block(async (section) => {
        const outer = life.transaction;
        const ended = PromiseWithResolvers();
        op_object_transaction(number, outer === null ? BEGIN_LONG : BEGIN);
        life.transaction = { section, ended: ended.promise };
        const transaction = new DurableObjectTransaction(
          kOwn,
          number,
          life,
          this.#hasAlarm,
          "DurableObjectTransaction",
        );
        try {
          result = await run(transaction);
        } catch (error) {
          failed = true;
          thrown = error;
        }
        const how = end(transaction, failed ? ROLLED_BACK : COMMITTED);
        life.transaction = outer;
        ended.resolve();
        keysChange();
        op_object_transaction(number, how === COMMITTED ? KEEP : UNDO);
      });
      return PromisePrototypeThen(done, () => {
        if (failed) throw thrown;
        return result;
      });
    });
  }

  transactionSync(run) {
    callback(run, STORAGE, "transactionSync");
    const number = numberOf(this);
    return atOnce(lifeOf(this), () => {
      op_object_transaction(number, BEGIN);
      let result;
      try {
        result = run();
      } catch (error) {
        keysChange();
        op_object_transaction(number, UNDO_SYNC);
        throw error;
      }
      op_object_transaction(number, KEEP_SYNC);
      return result;
    });
  }

  /** A bookmark of what storage has when this turn ends. */
  getCurrentBookmark() {
    return asked(lifeOf(this), () =>
      op_object_bookmark(numberOf(this), requireEvent().id)
    );
  }

  getBookmarkForTime(timestamp) {
    return tried(() => {
      const time = date(timestamp, STORAGE, "getBookmarkForTime");
      return op_object_bookmark_at(numberOf(this), requireEvent().id, time);
    });
  }

  /** Gives the bookmark of what storage has when this object ends. */
  onNextSessionRestoreBookmark(bookmark) {
    return tried(() => {
      given(arguments, STORAGE, "onNextSessionRestoreBookmark", 1, "string");
      return op_object_restore_next(numberOf(this), requireEvent().id, `${bookmark}`);
    });
  }
}

/** There is one copy of an object: what it was at a bookmark of its own, it was.
 * Offered by the flag `experimental`. */
if (has(flag.experimental)) {
  ObjectDefineProperty(DurableObjectStorage.prototype, "waitForBookmark", {
    __proto__: null,
    value: function waitForBookmark(_bookmark) {
      return PromiseResolve();
    },
    writable: true,
    configurable: true,
  });
}

class SyncKvStorage {
  #number;
  #life;
  /** How often `list` was called. */
  #lists = 0;

  constructor(key, number, life) {
    if (key !== kOwn) throw new TypeError("Illegal constructor");
    this.#number = number;
    this.#life = life;
  }

  get(key) {
    given(arguments, KV, "get", 1, "string");
    key = checkKey(key);
    return atOnce(this.#life, () => getOne(this.#number, key));
  }

  put(key, value) {
    given(arguments, KV, "put", 1, "string");
    given(arguments, KV, "put", 2, "Value");
    const pair = pairOf(checkKey(key), value);
    atOnce(this.#life, () => putPairs(this.#number, [pair], false));
  }

  delete(key) {
    given(arguments, KV, "delete", 1, "string");
    key = checkKey(key);
    return atOnce(this.#life, () => deleteKey(this.#number, key, false));
  }

  list(options = undefined) {
    checkOptions(options, KV, "list", 1, "ListOptions");
    const listed = listOptions(options);
    const all = atOnce(this.#life, () => eachEntry(this.#number, listed));
    return this.#entries(all, ++this.#lists);
  }

  static is(value) {
    return typeof value === "object" && value !== null && #number in value;
  }

  *#entries(all, list) {
    for (;;) {
      if (list !== this.#lists) {
        throw new Error(
          "kv.list() iterator was invalidated because a new call to kv.list() was " +
            "started. Only one kv.list() iterator can exist at a time.",
        );
      }
      const { done, value } = all.next();
      if (done) return;
      yield value;
    }
  }
}

const { is: isKv } = SyncKvStorage;
delete SyncKvStorage.is;

const SPANS = "durable_object_storage_";
tellCalls(Operations.prototype, SPANS, [
  "delete",
  "deleteAlarm",
  "get",
  "getAlarm",
  "list",
  "put",
  "setAlarm",
]);
tellCalls(DurableObjectStorage.prototype, SPANS, [
  "deleteAll",
  "getBookmarkForTime",
  "getCurrentBookmark",
  "onNextSessionRestoreBookmark",
  "sync",
  "transaction",
]);
if (has(flag.experimental)) {
  tellCalls(DurableObjectStorage.prototype, SPANS, ["waitForBookmark"]);
}
tellCalls(
  SyncKvStorage.prototype,
  `${SPANS}kv_`,
  ["delete", "get", "list", "put"],
  (span, name, args) => {
    const of = "cloudflare.durable_object.kv.query.";
    span.set("db.system.name", "cloudflare-durable-object-sql");
    span.set("db.operation.name", name);
    if (name !== "list") {
      span.set(`${of}keys`, `${args[0]}`);
      span.set(`${of}keys.count`, 1);
      return;
    }
    const options = args[0];
    for (const what of ["start", "startAfter", "end", "prefix"]) {
      if (options?.[what] !== undefined) span.set(of + what, `${options[what]}`);
    }
    if (options?.reverse) span.set(`${of}reverse`, true);
    if (options?.limit !== undefined) span.set(`${of}limit`, +options.limit);
  },
  (span, name, deleted) => {
    if (name !== "delete") return;
    span.set("cloudflare.durable_object.kv.response.deleted_count", deleted ? 1 : 0);
  },
);

/** What both have, each has: there is no class above them. */
const shared = ObjectGetOwnPropertyNames(Operations.prototype);
for (const { prototype } of [DurableObjectStorage, DurableObjectTransaction]) {
  for (const name of new SafeArrayIterator(shared)) {
    if (name === "constructor") continue;
    const property = ObjectGetOwnPropertyDescriptor(Operations.prototype, name);
    ObjectDefineProperty(prototype, name, { __proto__: null, ...property });
  }
  ObjectSetPrototypeOf(prototype, ObjectPrototype);
}

const classes = {
  DurableObjectStorage,
  DurableObjectTransaction,
  SyncKvStorage,
};
for (const name of new SafeArrayIterator(ObjectKeys(classes))) {
  const { prototype } = classes[name];
  guard(classes[name], name === KV ? isKv : isOperations);
  makeEnumerable(prototype);
  ObjectDefineProperty(prototype, SymbolToStringTag, {
    __proto__: null,
    value: name,
    configurable: true,
  });
}

/**
 * @param {ObjectContext} life
 * @param {Function} block `blockConcurrencyWhile`
 * @param {() => boolean} hasAlarm whether the class has a handler of alarms
 */
function storageOf(number, life, block, hasAlarm) {
  return new DurableObjectStorage(kOwn, number, life, block, hasAlarm);
}

return { storageOf };
})();
