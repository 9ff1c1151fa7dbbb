// `ctx.storage.sql`: SQL on an object's database.
(function () {
const { core, primordials } = __bootstrap;
const { op_object_ingest, op_object_size, op_object_sql } = core.ops;
const {
  ArrayPrototypePush,
  Error,
  ObjectDefineProperty,
  ObjectSetPrototypeOf,
  StringPrototypeSlice,
  Symbol,
  SymbolIterator,
  SymbolToStringTag,
  TypeError,
} = primordials;
const { flag, has } = core.loadExtScript("ext:outboard/compatibility.js");
const { rowObject } = core.loadExtScript("ext:outboard/sql_rows.js");
const { makeEnumerable } = core.loadExtScript("ext:outboard/headers.js");
const { span } = core.loadExtScript("ext:outboard/spans.js");

const kOwn = Symbol("made here");
const IteratorPrototype = primordials.ObjectGetPrototypeOf(
  primordials.ArrayIteratorPrototype,
);

function named(constructor, name) {
  ObjectDefineProperty(constructor.prototype, SymbolToStringTag, {
    __proto__: null,
    value: name,
    configurable: true,
  });
}

/** What is said at the end; with the flag, as an iterator of the engine's own. */
function ended() {
  return has(flag.enable_fast_jsg_struct) ? { done: true, value: undefined } : { done: true };
}

/** The rows of one statement, from where it was read up to. */
class Cursor {
  #columns;
  #rows;
  #at = 0;
  #read;
  #written;

  constructor(key, columns, rows, read, written) {
    if (key !== kOwn) throw new TypeError("Illegal constructor");
    this.#columns = columns;
    this.#rows = rows;
    this.#read = read;
    this.#written = written;
  }

  #take() {
    if (this.#at >= this.#rows.length) return undefined;
    const row = this.#rows[this.#at];
    this.#rows[this.#at++] = undefined;
    return row;
  }

  #object(row) {
    return rowObject(this.#columns, row);
  }

  next() {
    const row = this.#take();
    return row === undefined
      ? ended()
      : { done: false, value: this.#object(row) };
  }

  toArray() {
    const all = [];
    for (let row = this.#take(); row !== undefined; row = this.#take()) {
      ArrayPrototypePush(all, this.#object(row));
    }
    return all;
  }

  one() {
    const row = this.#take();
    if (row === undefined) {
      throw new Error(
        "Expected exactly one result from SQL query, but got no results.",
      );
    }
    if (this.#take() !== undefined) {
      throw new Error(
        "Expected exactly one result from SQL query, but got multiple results.",
      );
    }
    return this.#object(row);
  }

  raw() {
    return new RawCursor(kOwn, () => this.#take());
  }

  get columnNames() {
    return primordials.ArrayPrototypeSlice(this.#columns);
  }

  get rowsRead() {
    return this.#read;
  }

  get rowsWritten() {
    return this.#written;
  }

  [SymbolIterator]() {
    return this;
  }
}
ObjectSetPrototypeOf(Cursor.prototype, IteratorPrototype);
makeEnumerable(Cursor.prototype);
named(Cursor, "Cursor");

/** The same rows, as arrays. */
class RawCursor {
  #take;

  constructor(key, take) {
    if (key !== kOwn) throw new TypeError("Illegal constructor");
    this.#take = take;
  }

  next() {
    const row = this.#take();
    return row === undefined
      ? ended()
      : { done: false, value: row };
  }

  toArray() {
    const all = [];
    for (let row = this.#take(); row !== undefined; row = this.#take()) {
      ArrayPrototypePush(all, row);
    }
    return all;
  }

  [SymbolIterator]() {
    return this;
  }
}
ObjectSetPrototypeOf(RawCursor.prototype, IteratorPrototype);
named(RawCursor, "RawIterator");

class SqlStorage {
  #number;
  #atOnce;

  constructor(key, number, atOnce) {
    if (key !== kOwn) throw new TypeError("Illegal constructor");
    this.#number = number;
    this.#atOnce = atOnce;
  }

  exec(query, ...bindings) {
    query = `${query}`;
    return span("durable_object_storage_exec", (span) => {
      span?.set("db.system.name", "cloudflare-durable-object-sql");
      span?.set("db.operation.name", "exec");
      span?.set("db.query.text", query);
      span?.set("cloudflare.durable_object.query.bindings", bindings.length);
      const { 0: columns, 1: rows, 2: read, 3: written } = this.#atOnce(
        () => op_object_sql(this.#number, query, bindings),
      );
      span?.set("cloudflare.durable_object.response.rows_read", read);
      span?.set("cloudflare.durable_object.response.rows_written", written);
      return new Cursor(kOwn, columns, rows, read, written);
    });
  }

  /** A statement, which is called with its bindings. */
  prepare(query) {
    return (...bindings) => this.exec(query, ...bindings);
  }

  /** Runs those statements that are whole, of text that comes in parts. */
  ingest(text) {
    text = `${text}`;
    return span("durable_object_storage_ingest", (span) => {
      const { 0: length, 1: rowsRead, 2: rowsWritten, 3: statementCount } = this.#atOnce(
        () => op_object_ingest(this.#number, text),
      );
      span?.set("cloudflare.durable_object.response.rows_read", rowsRead);
      span?.set("cloudflare.durable_object.response.rows_written", rowsWritten);
      span?.set("cloudflare.durable_object.response.statement_count", statementCount);
      const remainder = StringPrototypeSlice(text, length);
      return { remainder, rowsRead, rowsWritten, statementCount };
    });
  }

  get databaseSize() {
    return span("durable_object_storage_getDatabaseSize", (span) => {
      const size = op_object_size(this.#number);
      span?.set("db.operation.name", "getDatabaseSize");
      span?.set("cloudflare.durable_object.response.db_size", size);
      return size;
    });
  }
}
if (!has(flag.experimental)) {
  delete SqlStorage.prototype.ingest;
  delete SqlStorage.prototype.prepare;
}
makeEnumerable(SqlStorage.prototype);
ObjectDefineProperty(SqlStorage.prototype, "Cursor", {
  __proto__: null,
  value: Cursor,
  enumerable: true,
});
named(SqlStorage, "SqlStorage");

/** @param {(fn: Function) => unknown} atOnce runs `fn`, where storage is free */
return { sqlOf: (number, atOnce) => new SqlStorage(kOwn, number, atOnce) };
})();
