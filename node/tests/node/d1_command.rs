//! `outboard d1`: databases as people run SQL on them and move them.

use std::path::Path;
use std::process::{Command, Output};

use rusqlite::Connection;

use crate::objects::body;
use crate::support::Dev;

const CONFIG: &str = r#"{
  "name": "shop",
  "main": "index.js",
  "compatibility_date": "2026-04-01",
  "d1_databases": [
    { "binding": "DB", "database_name": "shop", "database_id": "shop-1" },
    { "binding": "SAME", "database_name": "shop", "database_id": "shop-1" },
    { "binding": "COPY", "database_name": "copy" },
    { "binding": "A", "database_name": "twice", "database_id": "one" },
    { "binding": "B", "database_name": "twice", "database_id": "two" }
  ]
}"#;

const SCRIPT: &str = "export default { async fetch(request, { DB }) {
  return Response.json(await DB.prepare('SELECT * FROM users').raw());
} };";

fn project() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join("wrangler.jsonc"), CONFIG).expect("a file");
    std::fs::write(dir.path().join("index.js"), SCRIPT).expect("a file");
    dir
}

fn d1(dir: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_outboard"));
    command.arg("d1").args(arguments).current_dir(dir);
    command.output().expect("outboard runs")
}

fn done(dir: &Path, arguments: &[&str]) -> String {
    let output = d1(dir, arguments);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {error}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn refused(dir: &Path, arguments: &[&str]) -> String {
    let output = d1(dir, arguments);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{arguments:?} is refused");
    told
}

#[test]
fn sql_runs_whole_or_not_at_all() {
    let dir = project();
    let run = |sql: &str| done(dir.path(), &["execute", "shop", "--command", sql]);
    assert_eq!(
        run("CREATE TABLE users (id INTEGER PRIMARY KEY, name, data); \
             INSERT INTO users VALUES (1, 'Ann', x'0102'), (20, 'B\nob', NULL); -- done"),
        "0 rows changed\n2 rows changed\n"
    );
    assert_eq!(
        run("SELECT * FROM users; SELECT 1.5 x"),
        "id  name   data\n--  -----  ---------\n1   Ann    (2 bytes)\n20  B\\nob  NULL\n\nx\n---\n1.5\n"
    );
    let json = done(
        dir.path(),
        &[
            "execute",
            "DB",
            "--json",
            "--command",
            "SELECT * FROM users LIMIT 1",
        ],
    );
    let found: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let row = serde_json::json!({ "id": 1, "name": "Ann", "data": [1, 2] });
    assert_eq!(found[0]["results"], serde_json::json!([row]));
    assert_eq!(found[0]["success"], true);
    let told = refused(
        dir.path(),
        &["execute", "DB", "--command", "DELETE FROM users; SELEKT"],
    );
    assert!(told.contains("near \"SELEKT\": syntax error"), "{told}");
    let told = refused(dir.path(), &["execute", "DB", "--command", "BEGIN"]);
    assert!(told.contains("To execute a transaction"), "{told}");
    assert_eq!(run("SELECT count(*) n FROM users"), "n\n-\n2\n");
    // A worker finds what a person wrote, and writes, while it serves.
    let dev = Dev::start(dir.path());
    let found = r#"[[1,"Ann",[1,2]],[20,"B\nob",null]]"#;
    assert_eq!(body(&dev, "/"), found);
    assert_eq!(run("DELETE FROM users WHERE id = 20"), "1 rows changed\n");
    assert_eq!(body(&dev, "/"), r#"[[1,"Ann",[1,2]]]"#);
}

#[test]
fn a_file_may_be_long_and_is_sql() {
    let dir = project();
    let rows = "INSERT INTO t VALUES ('xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx');\n";
    let sql = format!("CREATE TABLE t (a);\n{}", rows.repeat(5000));
    std::fs::write(dir.path().join("seed.sql"), sql).expect("a file");
    done(dir.path(), &["execute", "DB", "--file", "seed.sql"]);
    let count = ["execute", "DB", "--command", "SELECT count(*) n FROM t"];
    assert_eq!(done(dir.path(), &count), "n\n----\n5000\n");
    done(
        dir.path(),
        &["export", "DB", "--sqlite", "--output", "t.sqlite"],
    );
    let told = refused(dir.path(), &["execute", "DB", "--file", "t.sqlite"]);
    assert!(told.contains("a SQLite database, not SQL"), "{told}");
    let told = refused(dir.path(), &["execute", "DB", "--file", "none.sql"]);
    assert!(told.contains("none.sql: "), "{told}");
    assert_eq!(told.matches("No such file").count(), 1, "{told}");
    assert!(!d1(dir.path(), &["execute", "DB"]).status.success());
}

#[test]
fn a_database_is_one_of_the_projects() {
    let dir = project();
    let run = |name: &str| ["execute", name, "--command", "SELECT 1"].map(str::to_owned);
    for name in ["DB", "SAME", "shop", "shop-1", "copy", "one"] {
        let arguments = run(name);
        done(dir.path(), &arguments.each_ref().map(String::as_str));
    }
    let told = |name: &str| {
        let arguments = run(name);
        refused(dir.path(), &arguments.each_ref().map(String::as_str))
    };
    assert!(told("twice").contains("\"twice\" has two databases: A, B"));
    assert!(told("db").contains("no database of the binding, name or id \"db\"; it has DB, SAME"));
    let told = refused(dir.path(), &["export", "B"]);
    assert!(told.contains("\"B\" is not there yet"), "{told}");
    let elsewhere = ["export", "DB", "--data", "nowhere"];
    assert!(refused(dir.path(), &elsewhere).contains("is not there yet"));
    assert!(!dir.path().join("nowhere").exists());
}

#[test]
fn migrations_apply_once_in_order_and_whole() {
    let dir = project();
    let migrations = |arguments: &[&str]| done(dir.path(), &[&["migrations"], arguments].concat());
    assert_eq!(migrations(&["list", "DB"]), "");
    let made = migrations(&["create", "DB", "add users"]);
    assert!(made.ends_with("migrations/0001_add_users.sql\n"), "{made}");
    let write = |name: &str, sql: &str| {
        std::fs::write(dir.path().join("migrations").join(name), sql).expect("a file");
    };
    write(
        "0001_add_users.sql",
        "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT)",
    );
    write(
        "0010_b.sql",
        "INSERT INTO users (name) VALUES ('b'); -- the last",
    );
    write(
        "2_a.sql",
        "INSERT INTO users (name) VALUES ('a');\n--> statement-breakpoint\n",
    );
    write("notes.txt", "no migration");
    let all = "0001_add_users.sql\n2_a.sql\n0010_b.sql\n";
    assert_eq!(migrations(&["list", "shop"]), all);
    write(
        "3_bad.sql",
        "INSERT INTO users (name) VALUES ('c'); INSERT INTO missing VALUES (1);",
    );
    let output = d1(dir.path(), &["migrations", "apply", "DB"]);
    let (told, error) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(!output.status.success());
    assert_eq!(told, "applied 0001_add_users.sql\napplied 2_a.sql\n");
    assert!(
        error.contains("3_bad.sql was not applied: no such table: missing"),
        "{error}"
    );
    assert_eq!(migrations(&["list", "DB"]), "3_bad.sql\n0010_b.sql\n");
    write("3_bad.sql", "UPDATE users SET name = upper(name)");
    let applied = migrations(&["apply", "DB"]);
    assert_eq!(applied, "applied 3_bad.sql\napplied 0010_b.sql\n");
    assert_eq!(migrations(&["apply", "DB"]), "nothing to apply\n");
    let names = ["execute", "DB", "--command"];
    let ask = |sql: &str| done(dir.path(), &[&names[..], &[sql]].concat());
    assert_eq!(ask("SELECT name FROM users"), "name\n----\nA\nb\n");
    assert_eq!(
        ask("SELECT name FROM d1_migrations WHERE applied_at IS NOT NULL"),
        "name\n------------------\n0001_add_users.sql\n2_a.sql\n3_bad.sql\n0010_b.sql\n"
    );
    let told = refused(dir.path(), &["migrations", "create", "DB", "a/b"]);
    assert!(
        told.contains("\"a/b\" is no part of a file's name"),
        "{told}"
    );
}

const RICH: &str = r#"
CREATE TABLE "odd ""name" (id INTEGER PRIMARY KEY AUTOINCREMENT, "a b" TEXT, twice AS (id * 2), data BLOB, real REAL);
INSERT INTO "odd ""name" ("a b", data, real) VALUES ('it''s
two lines', x'00ff', 1e300), (NULL, x'', 0.1), (cast(x'610062' AS TEXT), NULL, 9e999), ('3', NULL, 2);
DELETE FROM "odd ""name" WHERE id = 4;
CREATE TABLE child (of REFERENCES parent (id), big INTEGER);
CREATE TABLE parent (id INTEGER PRIMARY KEY);
INSERT INTO parent VALUES (7);
INSERT INTO child VALUES (7, -9223372036854775808);
CREATE INDEX by_big ON child (big);
ANALYZE;
CREATE VIEW both AS SELECT * FROM child JOIN parent ON of = id;
CREATE TRIGGER refuse INSTEAD OF INSERT ON both BEGIN SELECT raise(abort, 'no'); END;
"#;

#[test]
fn what_is_exported_makes_the_same_database() {
    let dir = project();
    done(dir.path(), &["execute", "DB", "--command", RICH]);
    let told = done(dir.path(), &["export", "DB", "--output", "dump.sql"]);
    assert_eq!(told, "dump.sql\n");
    let dump = std::fs::read_to_string(dir.path().join("dump.sql")).expect("a file");
    assert_eq!(done(dir.path(), &["export", "DB"]), dump);
    let told = refused(dir.path(), &["export", "DB", "--output", "dump.sql"]);
    assert!(told.contains("it is there already"), "{told}");
    done(dir.path(), &["execute", "COPY", "--file", "dump.sql"]);
    assert_eq!(done(dir.path(), &["export", "COPY"]), dump);
    // SQLite's own program reads both forms alike.
    done(
        dir.path(),
        &["export", "DB", "--sqlite", "--output", "db.sqlite"],
    );
    let file = Connection::open(dir.path().join("db.sqlite")).expect("a database");
    let fresh = Connection::open_in_memory().expect("a database");
    fresh
        .execute_batch(&format!("BEGIN;{dump}COMMIT;"))
        .expect("sound SQL");
    type Seen = (i64, Option<String>, i64, Option<f64>, i64);
    let seen = |connection: &Connection| -> Vec<Seen> {
        let mut rows = connection
            .prepare("SELECT id, hex(\"a b\"), twice, real, (SELECT big FROM child) FROM \"odd \"\"name\"")
            .expect("a statement");
        let rows = rows.query_map((), |row| {
            Ok((
                row.get(0)?,
                row.get(1)?,
                row.get(2)?,
                row.get(3)?,
                row.get(4)?,
            ))
        });
        rows.expect("rows").collect::<Result<_, _>>().expect("rows")
    };
    assert_eq!(seen(&file), seen(&fresh));
    assert_eq!(seen(&file)[2].1.as_deref(), Some("610062"));
    let next = "INSERT INTO \"odd \"\"name\" (real) VALUES (1) RETURNING id";
    let id: i64 = fresh.query_one(next, (), |row| row.get(0)).expect("a row");
    assert_eq!(id, 5, "the sequence goes on");
    let only = done(
        dir.path(),
        &["export", "DB", "--table", "parent", "--no-schema"],
    );
    let rows = "PRAGMA defer_foreign_keys=TRUE;\nINSERT INTO \"parent\" (\"id\") VALUES (7);\n";
    assert_eq!(only, rows);
    let child = done(
        dir.path(),
        &["export", "DB", "--table", "child", "--no-data"],
    );
    assert!(child.contains("CREATE TABLE child"), "{child}");
    assert!(
        child.contains("CREATE INDEX by_big") && !child.contains("VIEW"),
        "{child}"
    );
    done(
        dir.path(),
        &[
            "execute",
            "DB",
            "--command",
            "CREATE VIRTUAL TABLE f USING fts5(a)",
        ],
    );
    let told = refused(dir.path(), &["export", "DB"]);
    assert!(told.contains("\"f\" is a virtual table"), "{told}");
    let told = refused(dir.path(), &["export", "DB", "--table", "chidl"]);
    assert!(
        told.contains("--table: there is no table \"chidl\""),
        "{told}"
    );
}

/// A session's bookmark leads back to what the database was.
#[test]
fn a_database_becomes_what_it_was_at_a_bookmark() {
    let dir = project();
    let script = "export default { async fetch(request, { DB }) {
        const session = DB.withSession();
        await session.prepare('CREATE TABLE IF NOT EXISTS t (a)').run();
        await session.prepare('INSERT INTO t VALUES (1)').run();
        return new Response(session.getBookmark());
      } };";
    std::fs::write(dir.path().join("index.js"), script).expect("a file");
    let dev = Dev::start(dir.path());
    let bookmarks = [(); 3].map(|()| body(&dev, "/"));
    assert!(bookmarks.is_sorted(), "{bookmarks:?}");
    drop(dev);
    let data = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_outboard"));
        command.arg("data").args(arguments).current_dir(dir.path());
        let output = command.output().expect("outboard runs");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{error}");
    };
    data(&["export", "d1/shop-1", "was.sqlite", "--at", &bookmarks[1]]);
    data(&["import", "was.sqlite", "d1/shop-1", "--force"]);
    let count = ["execute", "DB", "--command", "SELECT count(*) n FROM t"];
    assert_eq!(done(dir.path(), &count), "n\n-\n2\n");
}

/// What `outboard data` calls a database.
#[test]
fn a_database_is_among_the_folders_data() {
    let dir = project();
    done(
        dir.path(),
        &["execute", "DB", "--command", "CREATE TABLE t (a)"],
    );
    let data = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_outboard"));
        command.arg("data").args(arguments).current_dir(dir.path());
        let output = command.output().expect("outboard runs");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{error}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let listed = data(&["ls"]);
    assert!(listed.contains("  d1/"), "{listed}");
    data(&["export", "d1/shop-1", "t.sqlite"]);
    data(&["import", "t.sqlite", "d1/copy"]);
    let tables = [
        "execute",
        "COPY",
        "--command",
        "SELECT name FROM sqlite_schema",
    ];
    assert_eq!(done(dir.path(), &tables), "name\n----\nt\n");
}
