// `ctx.storage.sql`: SQL on an object's database.
(function () {
const { core, primordials } = __bootstrap;
const {
  op_object_ingest,
  op_object_size,
  op_object_sql,
  op_object_sql_end,
  op_object_sql_most_pages,
  op_object_sql_next,
  op_object_sql_read,
  op_object_sql_rest,
  op_object_sql_written,
} = core.ops;
const {
  ArrayBufferIsView,
  ArrayPrototypePush,
  ArrayPrototypeSlice,
  Error,
  ObjectDefineProperty,
  ObjectSetPrototypeOf,
  StringPrototypeSlice,
  Symbol,
  SymbolIterator,
  SymbolToStringTag,
  TypedArrayPrototypeSlice,
  TypeError,
  Uint8Array,
} = primordials;
const { flag, has } = core.loadExtScript("ext:outboard/compatibility.js");
const { rowObject } = core.loadExtScript("ext:outboard/sql_rows.js");
const { makeEnumerable } = core.loadExtScript("ext:outboard/headers.js");
const { given } = core.loadExtScript("ext:outboard/object_arguments.js");
const { guard, own } = core.loadExtScript("ext:outboard/properties.js");
const { open, span, told } = core.loadExtScript("ext:outboard/spans.js");

const kOwn = Symbol("made here");
const SQL = "SqlStorage";
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

/**
 * The rows of one statement, from where it was read up to. It is one row ahead of the
 * script, as in Workers: so that it is done when its last row is taken.
 */
class Cursor {
  #columns;
  /** What is read and not taken yet, from `at` on. */
  #rows;
  #at = 0;
  #read;
  #written;
  #reused;
  /** What more rows are read by; null where there never were any. */
  #handle;
  #isOpen;
  #refuse;
  #span;

  constructor(key, answer, refuse, span) {
    if (key !== kOwn) throw new TypeError("Illegal constructor");
    const { 0: columns, 1: rows, 2: read, 3: written, 4: reused, 5: handle } = answer;
    this.#columns = columns;
    this.#rows = rows;
    this.#read = read;
    this.#written = written;
    this.#reused = reused;
    this.#handle = handle ?? null;
    this.#isOpen = handle !== undefined;
    this.#refuse = refuse;
    this.#span = span;
    if (!this.#isOpen) this.#tell();
  }

  /** Says what it cost, which is known at its end. */
  #tell() {
    const span = this.#span;
    if (span === null) return;
    this.#span = null;
    span.set("cloudflare.durable_object.response.rows_read", this.rowsRead);
    span.set("cloudflare.durable_object.response.rows_written", this.rowsWritten);
    span.close();
  }

  #close() {
    this.#isOpen = false;
    this.#tell();
  }

  #take() {
    if (this.#at >= this.#rows.length) return undefined;
    if (this.#isOpen) this.#refuse();
    const row = this.#rows[this.#at];
    this.#rows[this.#at++] = undefined;
    if (this.#isOpen) this.#step();
    return row;
  }

  #step() {
    let next = null;
    try {
      next = op_object_sql_next(this.#handle);
    } finally {
      if (next === null) this.#close();
    }
    if (next === null) return;
    this.#rows[0] = next;
    this.#at = 0;
  }

  /** All rows that are left, as arrays. */
  #rest() {
    if (this.#isOpen) this.#refuse();
    const rows = ArrayPrototypeSlice(this.#rows, this.#at);
    this.#at = this.#rows.length;
    if (!this.#isOpen) return rows;
    try {
      const more = op_object_sql_rest(this.#handle);
      for (let i = 0; i < more.length; i++) ArrayPrototypePush(rows, more[i]);
    } finally {
      this.#close();
    }
    return rows;
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
    const rows = this.#rest();
    for (let i = 0; i < rows.length; i++) rows[i] = this.#object(rows[i]);
    return rows;
  }

  one() {
    const row = this.#take();
    if (row === undefined) {
      throw new Error(
        "Expected exactly one result from SQL query, but got no results.",
      );
    }
    if (this.#at < this.#rows.length) {
      this.#at = this.#rows.length;
      if (this.#isOpen) {
        op_object_sql_end(this.#handle);
        this.#close();
      }
      throw new Error(
        "Expected exactly one result from SQL query, but got multiple results.",
      );
    }
    return this.#object(row);
  }

  raw() {
    return new RawCursor(kOwn, () => this.#take(), () => this.#rest());
  }

  get columnNames() {
    return this.#columns;
  }

  get rowsRead() {
    return this.#handle === null ? this.#read : op_object_sql_read(this.#handle);
  }

  get rowsWritten() {
    return this.#handle === null ? this.#written : op_object_sql_written(this.#handle);
  }

  get reusedCachedQueryForTest() {
    return this.#reused;
  }

  [SymbolIterator]() {
    return this;
  }
}
if (!has(flag.experimental)) delete Cursor.prototype.reusedCachedQueryForTest;
ObjectSetPrototypeOf(Cursor.prototype, IteratorPrototype);
makeEnumerable(Cursor.prototype);
named(Cursor, "Cursor");

/** The same rows, as arrays. */
class RawCursor {
  #take;
  #rest;

  constructor(key, take, rest) {
    if (key !== kOwn) throw new TypeError("Illegal constructor");
    this.#take = take;
    this.#rest = rest;
  }

  next() {
    const row = this.#take();
    return row === undefined
      ? ended()
      : { done: false, value: row };
  }

  toArray() {
    return this.#rest();
  }

  [SymbolIterator]() {
    return this;
  }
}
ObjectSetPrototypeOf(RawCursor.prototype, IteratorPrototype);
named(RawCursor, "RawIterator");

/** What a binding is kept as: what is no number and no bytes is text. */
function bindingOf(value) {
  switch (typeof value) {
    case "bigint":
      throw new TypeError("Cannot convert a BigInt value to a number");
    case "object":
      if (value === null || ArrayBufferIsView(value) || core.isArrayBuffer(value)) return value;
      if (core.isSharedArrayBuffer(value)) return TypedArrayPrototypeSlice(new Uint8Array(value));
      return `${value}`;
    case "function":
    case "symbol":
      return `${value}`;
    default:
      return value;
  }
}

class SqlStorage {
  #number;
  #refuse;

  constructor(key, number, refuse) {
    if (key !== kOwn) throw new TypeError("Illegal constructor");
    this.#number = number;
    this.#refuse = refuse;
  }

  exec(query, ...bindings) {
    given(arguments, SQL, "exec", 1, "String");
    query = `${query}`;
    for (let i = 0; i < bindings.length; i++) bindings[i] = bindingOf(bindings[i]);
    const span = told ? open("durable_object_storage_exec") : null;
    if (span !== null) {
      span.set("db.system.name", "cloudflare-durable-object-sql");
      span.set("db.operation.name", "exec");
      span.set("db.query.text", query);
      span.set("cloudflare.durable_object.query.bindings", bindings.length);
    }
    let answer;
    try {
      this.#refuse();
      answer = op_object_sql(this.#number, query, bindings);
    } catch (error) {
      span?.close();
      throw error;
    }
    return new Cursor(kOwn, answer, this.#refuse, span);
  }

  /** A statement, which is called with its bindings. */
  prepare(query) {
    return (...bindings) => this.exec(query, ...bindings);
  }

  /** Runs those statements that are whole, of text that comes in parts. */
  ingest(text) {
    text = `${text}`;
    return span("durable_object_storage_ingest", (span) => {
      this.#refuse();
      const { 0: length, 1: rowsRead, 2: rowsWritten, 3: statementCount } =
        op_object_ingest(this.#number, text);
      span?.set("cloudflare.durable_object.response.rows_read", rowsRead);
      span?.set("cloudflare.durable_object.response.rows_written", rowsWritten);
      span?.set("cloudflare.durable_object.response.statement_count", statementCount);
      const remainder = StringPrototypeSlice(text, length);
      return { remainder, rowsRead, rowsWritten, statementCount };
    });
  }

  /** Has the database be full at so many pages. */
  setMaxPageCountForTest(count) {
    op_object_sql_most_pages(this.#number, +count);
  }

  static is(value) {
    return typeof value === "object" && value !== null && #number in value;
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
const { is: isSql } = SqlStorage;
delete SqlStorage.is;
if (!has(flag.experimental)) {
  delete SqlStorage.prototype.ingest;
  delete SqlStorage.prototype.prepare;
  delete SqlStorage.prototype.setMaxPageCountForTest;
}
guard(SqlStorage, isSql);
makeEnumerable(SqlStorage.prototype);
own(SqlStorage.prototype, "Cursor", Cursor);
named(SqlStorage, "SqlStorage");

/** @param {() => void} refuse throws where storage is not free */
return { sqlOf: (number, refuse) => new SqlStorage(kOwn, number, refuse) };
})();
