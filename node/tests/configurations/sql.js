// SQL of objects, as far as flags change it.
import assert from "node:assert";
import { DurableObject } from "cloudflare:workers";

const TRIGGER =
  "CREATE TRIGGER copies AFTER INSERT ON parts BEGIN INSERT INTO copied VALUES (new.a); END;";

export class Sql extends DurableObject {
  ends() {
    const cursor = this.ctx.storage.sql.exec("SELECT 1 a");
    const raw = this.ctx.storage.sql.exec("SELECT 1 a").raw();
    cursor.next();
    raw.next();
    return [cursor.next(), raw.next()].map((end) => Object.keys(end));
  }

  math() {
    const text = "SELECT cos(0), pow(2, 10), floor(2.5), log2(8), mod(7, 4)";
    return this.ctx.storage.sql.exec(text).raw().toArray()[0];
  }

  /** What scripts may ask of SQLite itself. */
  allowed() {
    const { sql } = this.ctx.storage;
    sql.exec("CREATE TABLE wide (a, b, c); CREATE VIRTUAL TABLE words USING fts5(text)");
    const said = {};
    for (const text of [
      "ALTER TABLE wide RENAME COLUMN a TO d",
      "ALTER TABLE wide DROP COLUMN b",
      "ALTER TABLE wide RENAME TO _cf_wide",
      "SELECT * FROM wide",
      "SELECT sqlite_version()",
      "PRAGMA optimize(0x10002)",
      "DELETE FROM words_data",
    ]) {
      try {
        said[text] = sql.exec(text).columnNames.join();
      } catch ({ message }) {
        said[text] = message;
      }
    }
    return said;
  }

  /** An error that undoes the turn is the object's end. */
  async full(how) {
    const { storage } = this.ctx;
    const { sql } = storage;
    sql.exec("CREATE TABLE t (a)");
    sql.setMaxPageCountForTest(8);
    await storage.sync();
    sql.exec("INSERT INTO t VALUES (1)");
    const fill = () => {
      try {
        sql.exec("INSERT INTO t VALUES (?)", "a".repeat(100_000));
      } catch {
        // It is what the caller hears.
      }
    };
    if (how === "plain") return fill();
    storage.transactionSync(fill);
  }

  constraints() {
    const { storage } = this.ctx;
    storage.sql.exec("CREATE TABLE p (id PRIMARY KEY); CREATE TABLE c (p REFERENCES p (id))");
    storage.transactionSync(() => {
      storage.sql.exec("PRAGMA defer_foreign_keys = ON");
      storage.sql.exec("INSERT INTO c VALUES (1)");
    });
  }

  /** Keys that are not there, for which the turn must not have begun a transaction. */
  unchecked() {
    const { sql } = this.ctx.storage;
    sql.exec("SELECT * FROM sqlite_schema").toArray();
    sql.exec("PRAGMA foreign_keys = OFF");
    sql.exec("CREATE TABLE of (p REFERENCES absent (id)); INSERT INTO of VALUES (1)");
    return sql.exec("PRAGMA foreign_key_check").one().table;
  }

  tables() {
    const text = "SELECT count(*) n FROM sqlite_schema WHERE name IN ('c', 't')";
    const tables = this.ctx.storage.sql.exec(text).one().n;
    return [tables, tables && this.ctx.storage.sql.exec("SELECT count(*) n FROM t").one().n];
  }

  /** What is no statement, and text that ends with none. */
  nothing() {
    const { sql } = this.ctx.storage;
    sql.exec("CREATE TABLE runs (n INT)");
    const said = [];
    const texts = [
      "", ";", " -- a", "/* a */", "SELECT 1; -- a", "SELECT 1;;", "INSERT INTO runs VALUES (1); -- a",
      "SELECT 1; \n\v", ";;SELECT 1", "SELECT 1 -- a", "-- a\nSELECT 1", "SELECT 1; SELECT",
    ];
    for (const text of texts) {
      try {
        said.push(sql.exec(text).toArray().length);
      } catch ({ message }) {
        said.push(message);
      }
    }
    try {
      sql.exec("SELECT ?; -- a", 1);
    } catch ({ message }) {
      said.push(message);
    }
    return [said, sql.exec("SELECT n FROM runs").one().n];
  }

  ingest() {
    const { sql } = this.ctx.storage;
    sql.exec("CREATE TABLE parts (a TEXT)");
    const given = [];
    for (const text of ["", "SELECT 1", "SELECT 1; ", "SELECT 1;SELECT 2; -- a;", "/* ; */ SELECT [;"]) {
      const { remainder, statementCount } = sql.ingest(text);
      given.push([remainder, statementCount]);
    }
    const text = "INSERT INTO parts VALUES ('a;'), ('\u{1f525}'); INSERT INTO parts VALUES ('it''s');\n";
    let [rest, written] = ["", 0];
    for (let at = 0; at < text.length; at += 7) {
      const { remainder, rowsWritten } = sql.ingest(rest + text.slice(at, at + 7));
      [rest, written] = [remainder, written + rowsWritten];
    }
    const rows = sql.exec("SELECT a FROM parts").raw().toArray().flat();
    const errors = [];
    for (const bad of ["INSERT INTO parts VALUES ('kept'); SELEC 1;", "INSERT INTO parts VALUES (?);", ";"]) {
      try {
        sql.ingest(bad);
      } catch (error) {
        errors.push(error.message.split(" at offset")[0]);
      }
    }
    const [kept] = sql.exec("SELECT count(*) n FROM parts WHERE a = 'kept'").toArray();
    return { given, rest, written, rows, errors, kept };
  }

  triggers() {
    const { sql } = this.ctx.storage;
    sql.exec("CREATE TABLE copied (a TEXT)");
    const half = TRIGGER.slice(0, TRIGGER.indexOf("END"));
    assert.strictEqual(sql.ingest(half).remainder, half);
    assert.strictEqual(sql.ingest(TRIGGER).remainder, "");
    sql.ingest("INSERT INTO parts VALUES ('copied');");
    return [sql.exec("SELECT a FROM copied").one().a, sql.databaseSize > 0];
  }
}

const stub = ({ OBJECT }) => OBJECT.get(OBJECT.idFromName("one"));

export const cursors = {
  async test(_controller, env) {
    assert.deepStrictEqual(await stub(env).ends(), [["done"], ["done"]]);
  },
};

export const nothing = {
  async test(_controller, env) {
    const none = "SQL code did not contain a statement.";
    const several = "When executing multiple SQL statements in a single call, only the last " +
      "statement can have parameters.";
    const incomplete = "incomplete input: SQLITE_ERROR";
    const [said, run] = await stub(env).nothing();
    assert.deepStrictEqual(said, [...Array(7).fill(none), 1, 1, 1, 1, incomplete, several]);
    assert.strictEqual(run, 1);
  },
};

export const undone = {
  async test(_controller, env) {
    const heard = async (object, method, ...args) => {
      try {
        await object[method](...args);
      } catch ({ name, message, durableObjectReset }) {
        return [name, message.split(" (extended")[0], durableObjectReset];
      }
    };
    const object = (name) => env.OBJECT.get(env.OBJECT.idFromName(name));
    const full = ["Error", "database or disk is full: SQLITE_FULL", true];
    for (const how of ["plain", "sync"]) {
      assert.deepStrictEqual(await heard(object(how), "full", how), full);
      assert.deepStrictEqual(await object(how).tables(), [1, 0]);
    }
    const [, message] = await heard(object("constraints"), "constraints");
    assert.match(message, /^Durable Object was reset and .* FOREIGN KEY constraint failed/);
    assert.deepStrictEqual(await object("constraints").tables(), [0, 0]);
    assert.strictEqual(await object("unchecked").unchecked(), "of");
  },
};

export const allowed = {
  async test(_controller, env) {
    assert.deepStrictEqual(await stub(env).allowed(), {
      "ALTER TABLE wide RENAME COLUMN a TO d": "",
      "ALTER TABLE wide DROP COLUMN b": "",
      "ALTER TABLE wide RENAME TO _cf_wide": "not authorized: SQLITE_AUTH",
      "SELECT * FROM wide": "d,c",
      "SELECT sqlite_version()":
        "not authorized to use function: sqlite_version at offset 7: SQLITE_ERROR",
      "PRAGMA optimize(0x10002)": "optimize",
      "DELETE FROM words_data": "table words_data may not be modified: SQLITE_ERROR",
    });
  },
};

export const functions = {
  async test(_controller, env) {
    assert.deepStrictEqual(await stub(env).math(), [1, 1024, 2, 3, 3]);
  },
};

export const ingested = {
  async test(_controller, env) {
    const { given, rest, written, rows, errors, kept } = await stub(env).ingest();
    assert.deepStrictEqual(given, [
      ["", 0],
      ["SELECT 1", 0],
      [" ", 1],
      [" -- a;", 2],
      ["/* ; */ SELECT [;", 0],
    ]);
    assert.deepStrictEqual([rest, written], ["\n", 3]);
    assert.deepStrictEqual(rows, ["a;", "\u{1f525}", "it's"]);
    assert.strictEqual(errors[0], 'near "SELEC": syntax error');
    assert.strictEqual(errors[2], "SQL code did not contain a statement.");
    assert.deepStrictEqual(kept, { n: 1 });
    assert.deepStrictEqual(await stub(env).triggers(), ["copied", true]);
  },
};
