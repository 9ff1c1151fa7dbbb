// `ctx.storage`: keys and values of an object, transactions, and the way to SQL.
(function () {
const { core, primordials } = __bootstrap;
const {
  op_object_alarm,
  op_object_bookmark,
  op_object_bookmark_at,
  op_object_delete,
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
  MathTrunc,
  NumberIsNaN,
  ObjectDefineProperty,
  ObjectKeys,
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
const { checkCount, checkKey, deserialize, entries, getOne, putAll, putOne } = core.loadExtScript(
  "ext:outboard/object_keys.js",
);

const { tellCalls } = core.loadExtScript("ext:outboard/spans.js");

const kOwn = Symbol("made here");

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
  #ended = null;

  constructor(key, number, life, hasAlarm) {
    if (key !== kOwn) throw new TypeError("Illegal constructor");
    this.#number = number;
    this.#life = life;
    this.#hasAlarm = hasAlarm;
  }

  #asked(method, fn) {
    if (this.#ended !== null) return PromiseReject(new Error(this.#ended(method)));
    return asked(this.#life, fn);
  }

  get(keys, _options = undefined) {
    return this.#asked("get", () => {
      if (!ArrayIsArray(keys)) return getOne(this.#number, keys);
      checkCount(keys.length);
      const found = new Map();
      const sorted = primordials.ArrayPrototypeSort([...new SafeArrayIterator(keys)]);
      for (const key of new SafeArrayIterator(sorted)) {
        const value = getOne(this.#number, key);
        if (value !== undefined) MapPrototypeSet(found, `${key}`, value);
      }
      return found;
    });
  }

  put(key, value, options = undefined) {
    return this.#asked("put", () => {
      if (typeof key === "object" && key !== null) {
        const unconfirmed = isUnconfirmed(value);
        putAll(this.#number, key, unconfirmed);
        return;
      }
      putOne(this.#number, key, value, isUnconfirmed(options));
    });
  }

  delete(keys, options = undefined) {
    return this.#asked("delete", () => {
      const unconfirmed = isUnconfirmed(options);
      if (!ArrayIsArray(keys)) {
        return op_object_delete(this.#number, checkKey(keys), unconfirmed);
      }
      checkCount(keys.length);
      let deleted = 0;
      for (let i = 0; i < keys.length; i++) {
        const key = checkKey(keys[i]);
        if (op_object_delete(this.#number, key, unconfirmed)) deleted++;
      }
      return deleted;
    });
  }

  list(options = undefined) {
    return this.#asked("list", () => {
      const found = new Map();
      const all = entries(this.#number, options);
      for (let i = 0; i < all.length; i++) {
        MapPrototypeSet(found, all[i].key, deserialize(all[i].value));
      }
      return found;
    });
  }

  getAlarm(_options = undefined) {
    return this.#asked("getAlarm", () => {
      const time = op_object_alarm(this.#number);
      return time < 0 ? null : time;
    });
  }

  setAlarm(time, options = undefined) {
    return this.#asked("setAlarm", () => {
      time = MathTrunc(+time);
      if (!(time > 0)) {
        throw new TypeError("setAlarm() cannot be called with an alarm time <= 0");
      }
      if (!this.#hasAlarm()) {
        throw new TypeError(
          "Your Durable Object class must have an alarm() handler in order to call " +
            "setAlarm()",
        );
      }
      // One in the past is due now.
      op_object_set_alarm(
        this.#number,
        MathMax(time, DateNow()),
        isUnconfirmed(options),
      );
    });
  }

  deleteAlarm(options = undefined) {
    return this.#asked("deleteAlarm", () =>
      op_object_set_alarm(this.#number, -1, isUnconfirmed(options)));
  }

  static numberOf(operations) {
    return operations.#number;
  }

  static lifeOf(operations) {
    return operations.#life;
  }

  /** Notes how it ended, if it did not before, and tells how. */
  static end(operations, how) {
    return operations.#ended ??= how;
  }
}
const { end, lifeOf, numberOf } = Operations;
delete Operations.end;
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

/** Has `storage` say `value` for what it made itself, as Workers let scripts. */
function replace(storage, name, value) {
  ObjectDefineProperty(storage, name, {
    __proto__: null,
    value,
    writable: true,
    enumerable: true,
    configurable: true,
  });
}

class DurableObjectStorage extends Operations {
  #block;
  #hasAlarm;
  #sql;
  #kv;

  constructor(key, number, life, block, hasAlarm) {
    super(key, number, life, hasAlarm);
    this.#hasAlarm = hasAlarm;
    this.#block = block;
  }

  get sql() {
    return this.#sql ??= core.loadExtScript("ext:outboard/object_sql.js").sqlOf(
      numberOf(this),
      () => refuseOthers(lifeOf(this)),
    );
  }

  get kv() {
    return this.#kv ??= new SyncKvStorage(kOwn, numberOf(this), lifeOf(this));
  }

  set sql(value) {
    replace(this, "sql", value);
  }

  set kv(value) {
    replace(this, "kv", value);
  }

  deleteAll(options = undefined) {
    return asked(lifeOf(this), () =>
      op_object_delete_all(
        numberOf(this),
        has(flag.delete_all_deletes_alarm),
        isUnconfirmed(options),
      )
    );
  }

  /** Resolves when all that was written before is durable. */
  sync() {
    return op_object_sync(numberOf(this), requireEvent().id);
  }

  transaction(run) {
    const number = numberOf(this);
    const life = lifeOf(this);
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
        op_object_transaction(number, how === COMMITTED ? KEEP : UNDO);
      });
      return PromisePrototypeThen(done, () => {
        if (failed) throw thrown;
        return result;
      });
    });
  }

  transactionSync(run) {
    const number = numberOf(this);
    return atOnce(lifeOf(this), () => {
      op_object_transaction(number, BEGIN);
      let result;
      try {
        result = run();
      } catch (error) {
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
      const time = MathTrunc(+timestamp);
      if (NumberIsNaN(time)) {
        throw new TypeError(
          "Failed to execute 'getBookmarkForTime' on 'DurableObjectStorage': " +
            "parameter 1 is not of type 'Date'.",
        );
      }
      return op_object_bookmark_at(numberOf(this), requireEvent().id, time);
    });
  }

  /** Gives the bookmark of what storage has when this object ends. */
  onNextSessionRestoreBookmark(bookmark) {
    return tried(() =>
      op_object_restore_next(
        numberOf(this),
        requireEvent().id,
        `${bookmark}`,
      )
    );
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
    return atOnce(this.#life, () => getOne(this.#number, key));
  }

  put(key, value) {
    atOnce(this.#life, () => putOne(this.#number, key, value, false));
  }

  delete(key) {
    return atOnce(
      this.#life,
      () => op_object_delete(this.#number, checkKey(key), false),
    );
  }

  list(options = undefined) {
    const all = atOnce(this.#life, () => entries(this.#number, options));
    return this.#entries(all, ++this.#lists);
  }

  *#entries(all, list) {
    for (let i = 0; i < all.length; i++) {
      if (list !== this.#lists) {
        throw new Error(
          "kv.list() iterator was invalidated because a new call to kv.list() was " +
            "started. Only one kv.list() iterator can exist at a time.",
        );
      }
      yield [all[i].key, deserialize(all[i].value)];
    }
  }
}

const classes = {
  DurableObjectStorage,
  DurableObjectTransaction,
  SyncKvStorage,
};
for (const name of new SafeArrayIterator(ObjectKeys(classes))) {
  const { prototype } = classes[name];
  makeEnumerable(prototype);
  ObjectDefineProperty(prototype, SymbolToStringTag, {
    __proto__: null,
    value: name,
    configurable: true,
  });
}

const STORAGE = "durable_object_storage_";
tellCalls(Operations.prototype, STORAGE, [
  "delete",
  "deleteAlarm",
  "get",
  "getAlarm",
  "list",
  "put",
  "setAlarm",
]);
tellCalls(DurableObjectStorage.prototype, STORAGE, [
  "deleteAll",
  "getBookmarkForTime",
  "getCurrentBookmark",
  "onNextSessionRestoreBookmark",
  "sync",
  "transaction",
]);
if (has(flag.experimental)) {
  tellCalls(DurableObjectStorage.prototype, STORAGE, ["waitForBookmark"]);
}
tellCalls(
  SyncKvStorage.prototype,
  `${STORAGE}kv_`,
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
