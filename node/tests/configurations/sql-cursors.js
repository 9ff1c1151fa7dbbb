// What statements cost, and what cursors see that are read while the database changes.
import assert from "node:assert";
import { DurableObject } from "cloudflare:workers";

/** Statements, with the rows that each has read and written once it began, and at its
 * end where that is not the same. */
const COSTS = [
  ["CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, n INT)", [1, 2]],
  ["CREATE INDEX t_name ON t (name)", [2, 1]],
  ["INSERT INTO t VALUES (1, 'a', 1), (2, 'b', 2), (3, 'c', 3), (4, 'd', 4)", [4, 8]],
  ["INSERT INTO t VALUES (5, 'e', 5)", [1, 2]],
  ["SELECT * FROM t", [1, 0], [5, 0]],
  ["SELECT * FROM t WHERE id = 3", [1, 0]],
  ["SELECT * FROM t WHERE name = 'c'", [1, 0], [2, 0]],
  ["SELECT count(*) FROM t", [5, 0]],
  ["SELECT * FROM t ORDER BY n", [6, 0], [10, 0]],
  ["SELECT * FROM t ORDER BY name DESC LIMIT 2", [1, 0], [2, 0]],
  // What an IN is looked up in is a table of the statement's own.
  ["SELECT * FROM t WHERE n IN (1, 2, 3, 9)", [1, 0], [5, 0]],
  ["SELECT a.id FROM t a, t b", [2, 0], [30, 0]],
  ["UPDATE t SET n = 7 WHERE id = 1", [1, 1]],
  ["UPDATE t SET name = 'z' WHERE id = 1", [1, 2]],
  ["DELETE FROM t WHERE id = 2", [1, 1]],
  ["INSERT INTO t VALUES (6, 'f', 6) RETURNING id", [2, 2]],
  ["INSERT OR REPLACE INTO t VALUES (6, 'h', 8)", [1, 2]],
  ["CREATE TABLE w (k TEXT PRIMARY KEY, v) WITHOUT ROWID", [1, 2]],
  ["INSERT INTO w VALUES ('a', 1), ('b', 2)", [0, 2]],
  ["SELECT * FROM w WHERE k = 'b'", [1, 0]],
  ["DELETE FROM w", [0, 2]],
  ["CREATE TABLE log (x)", [1, 2]],
  ["CREATE TRIGGER tr AFTER INSERT ON t BEGIN INSERT INTO log VALUES (new.id); END", [0, 1]],
  ["INSERT INTO t VALUES (7, 'g', 1)", [1, 3]],
  ["CREATE VIRTUAL TABLE f USING fts5(a, b)", [1, 2]],
  ["INSERT INTO f VALUES ('hello world', 'x'), ('hello moon', 'y')", [0, 2]],
  ["SELECT * FROM f WHERE f MATCH 'hello'", [0, 0], [2, 0]],
  // Only the last one's, and not the schema's.
  ["INSERT INTO log VALUES (1); SELECT 1", [0, 0]],
  ["ALTER TABLE log ADD COLUMN y; SELECT * FROM log", [1, 0], [2, 0]],
];

const tried = (fn) => {
  try {
    return fn();
  } catch (error) {
    return error.message;
  }
};

export class Sql extends DurableObject {
  #kept;

  costs() {
    return COSTS.map(([text]) => {
      const cursor = this.ctx.storage.sql.exec(text);
      const cost = () => [cursor.rowsRead, cursor.rowsWritten];
      const began = cost();
      cursor.toArray();
      return [text, began, cost()];
    });
  }

  /** A table of numbers, from 1 to 5. */
  fill() {
    const { sql } = this.ctx.storage;
    sql.exec("DROP TABLE IF EXISTS t");
    sql.exec("CREATE TABLE t (id INTEGER PRIMARY KEY)");
    sql.exec("INSERT INTO t VALUES (1), (2), (3), (4), (5)");
  }

  /** A cursor whose first row is taken. */
  begun(text = "SELECT id FROM t") {
    const cursor = this.ctx.storage.sql.exec(text);
    cursor.next();
    return cursor;
  }

  async changes() {
    const { storage } = this.ctx;
    const { sql } = storage;
    const found = {};
    const rest = (cursor) => tried(() => cursor.raw().toArray().flat().join());
    const say = (what, cursor) => found[what] = rest(cursor);

    this.fill();
    let cursor = this.begun();
    sql.exec("DELETE FROM t WHERE id = 3");
    say("deleted", cursor);
    cursor = this.begun();
    sql.exec("INSERT INTO t VALUES (9)");
    say("inserted", cursor);
    cursor = this.begun();
    const beside = this.begun();
    found.beside = [rest(beside), rest(cursor)];
    cursor = this.begun();
    found.dropped = tried(() => sql.exec("DROP TABLE t"));
    sql.exec("ALTER TABLE t ADD COLUMN more");
    say("altered", cursor);
    cursor = this.begun();
    await storage.sync();
    sql.exec("INSERT INTO t VALUES (10, 0)");
    await scheduler.wait(1);
    say("committed", cursor);
    cursor = this.begun();
    const undo = (work) => tried(() => storage.transactionSync(() => {
      work();
      throw new Error("undone");
    }));
    undo(() => sql.exec("INSERT INTO t VALUES (11, 0)"));
    say("undone", cursor);
    cursor = this.begun();
    undo(() => sql.exec("CREATE TABLE u (a)"));
    found.schema = tried(() => cursor.next());

    cursor = sql.exec("SELECT 1 a UNION ALL SELECT 2 UNION ALL SELECT 3");
    found.several = [tried(() => cursor.one()), cursor.next().done];
    cursor = sql.exec("SELECT abs(iif(id < 3, id, -9223372036854775807 - 1)) a FROM t");
    found.failing = [tried(() => cursor.next()), tried(() => cursor.next())];
    cursor = sql.exec("SELECT id FROM t");
    found.both = [cursor.raw().next().value, cursor.next().value];
    // As many as nobody opens, that are read all the same.
    const many = Array.from({ length: 500 }, () => this.begun());
    found.many = new Set(many.map(rest)).size;
    for (let i = 0; i < 500; i++) sql.exec("SELECT id FROM t").next();

    cursor = this.begun();
    await storage.deleteAll();
    found.deletedAll = tried(() => cursor.next());
    found.gone = tried(() => sql.exec("SELECT id FROM t"));
    this.fill();
    found.anew = sql.exec("SELECT count(*) n FROM t").one().n;
    this.#kept = this.begun();
    return found;
  }

  later() {
    const { value } = this.#kept.next();
    return [value.id, this.#kept.rowsRead, this.#kept.toArray().length];
  }
}

const stub = ({ OBJECT }, name) => OBJECT.get(OBJECT.idFromName(name));

export const costs = {
  async test(_controller, env) {
    const expected = COSTS.map(([text, began, ended]) => [text, began, ended ?? began]);
    assert.deepStrictEqual(await stub(env, "costs").costs(), expected);
  },
};

export const changes = {
  async test(_controller, env) {
    const aborted = "abort due to ROLLBACK: SQLITE_ABORT (extended: SQLITE_ABORT_ROLLBACK)";
    assert.deepStrictEqual(await stub(env, "changes").changes(), {
      deleted: "2,4,5",
      inserted: "2,4,5,9",
      beside: ["2,4,5,9", "2,4,5,9"],
      dropped: "database table is locked: SQLITE_LOCKED",
      altered: "2,4,5,9",
      committed: "2,4,5,9,10",
      undone: "2,4,5,9,10",
      schema: aborted,
      several: ["Expected exactly one result from SQL query, but got multiple results.", true],
      failing: [{ done: false, value: { a: 1 } }, "integer overflow: SQLITE_ERROR"],
      both: [[1], { id: 2 }],
      many: 1,
      deletedAll: "SQLite query was canceled because the database was deleted.",
      gone: "no such table: t: SQLITE_ERROR",
      anew: 5,
    });
    assert.deepStrictEqual(await stub(env, "changes").later(), [2, 3, 3]);
  },
};
