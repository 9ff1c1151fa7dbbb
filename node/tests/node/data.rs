//! `outboard data`: what objects store, as people look at it and move it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rusqlite::Connection;

use crate::support::http::{get, send};
use crate::support::{self, BOX, Dev, until};

/// `/NAME/add` adds a row with its number and tells how many there are; `/NAME/alarm`
/// sets an alarm an hour from now, and tells when it is.
const SCRIPT: &str = "
import { DurableObject } from 'cloudflare:workers';
export class Box extends DurableObject {
  async fetch(request) {
    const { storage } = this.ctx;
    storage.sql.exec('CREATE TABLE IF NOT EXISTS rows (n INTEGER PRIMARY KEY, text TEXT)');
    if (request.url.endsWith('/alarm')) {
      if (await storage.getAlarm() === null) await storage.setAlarm(Date.now() + 500);
      return new Response(String(await storage.getAlarm()));
    }
    if (request.url.endsWith('/hog')) {
      storage.sql.exec(`CREATE TABLE hog (n, CHECK (length(hex(zeroblob(n))) > 0));
        PRAGMA ignore_check_constraints = ON;
        INSERT INTO hog VALUES (200000000)`);
    }
    if (request.url.endsWith('/add')) {
      storage.sql.exec('INSERT INTO rows (text) VALUES (?)', 'x'.repeat(3000));
    }
    const { rang } = { rang: await storage.get('rang') };
    return Response.json([storage.sql.exec('SELECT count(*) c FROM rows').one().c, rang ?? 0]);
  }
  async alarm() {
    await this.ctx.storage.put('rang', 1);
  }
}
export default { fetch(request, env) {
  return env.BOX.getByName(new URL(request.url).pathname.split('/')[1]).fetch(request);
} };
";

fn project() -> tempfile::TempDir {
    support::project(BOX, SCRIPT)
}

fn body(dev: &Dev, path: &str) -> String {
    let answer = send(dev.address, &get("localhost", path));
    String::from_utf8_lossy(&answer.body).into_owned()
}

fn data(dir: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_outboard"));
    command.arg("data").args(arguments).current_dir(dir);
    command.output().expect("outboard runs")
}

fn done(dir: &Path, arguments: &[&str]) -> String {
    let output = data(dir, arguments);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {error}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn refused(dir: &Path, arguments: &[&str]) -> String {
    let output = data(dir, arguments);
    assert!(!output.status.success(), "{arguments:?} is refused");
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// The database of an object that `ls` calls so.
fn database(dir: &Path, object: &str) -> PathBuf {
    let (_, id) = object.split_once('/').expect("a class and an id");
    let namespaces = std::fs::read_dir(dir.join(".outboard/objects")).expect("objects");
    namespaces
        .map(|entry| entry.expect("an entry").path())
        .map(|path| path.join(&id[..2]).join(format!("{id}.sqlite")))
        .find(|path| path.is_file())
        .expect("the database")
}

#[test]
fn objects_are_listed_exported_and_imported() {
    let dir = project();
    let dir = dir.path();
    assert!(refused(dir, &["ls"]).contains("--data FOLDER"));
    let missing = refused(dir, &["ls", "--data", "nowhere"]);
    assert!(missing.contains("--data: nowhere: no objects are kept there"));
    assert!(!dir.join("nowhere").exists());

    let dev = Dev::start(dir);
    assert_eq!(body(&dev, "/a/add"), "[1,0]");
    assert_eq!(body(&dev, "/a/add"), "[2,0]");
    assert_eq!(body(&dev, "/b/add"), "[1,0]");
    let beside = done(dir, &["ls"]);
    drop(dev);

    let list = done(dir, &["ls"]);
    assert_eq!(list, beside);
    let objects: Vec<_> = list
        .lines()
        .filter_map(|line| line.trim().split_once("  "))
        .collect();
    assert_eq!(objects.len(), 2, "{list}");
    for (size, object) in &objects {
        assert!(size.parse::<u64>().is_ok_and(|size| size >= 8192), "{list}");
        assert!(object.starts_with("demo:Box/"), "{list}");
    }
    let sound = done(dir, &["check"]);
    assert!(sound.contains("are sound"), "{sound}");

    done(dir, &["export", "demo:Box/a", "a.sqlite"]);
    let there = refused(dir, &["export", "demo:Box/a", "a.sqlite"]);
    assert!(
        there.contains("FILE: a.sqlite: it is there already"),
        "{there}"
    );
    let none = refused(dir, &["export", "demo:Box/none", "none.sqlite"]);
    assert!(none.contains("there is no such object"), "{none}");
    assert!(!dir.join("none.sqlite").exists());

    // A stock SQLite reads it, changes it, and may leave it in another shape.
    let sqlite = Connection::open(dir.join("a.sqlite")).expect("SQLite opens it");
    let count = |sqlite: &Connection| -> i64 {
        let counted = sqlite.query_row("SELECT count(*) FROM rows", (), |row| row.get(0));
        counted.expect("the table is there")
    };
    assert_eq!(count(&sqlite), 2);
    sqlite
        .execute_batch(
            "PRAGMA page_size = 1024; VACUUM; PRAGMA journal_mode = WAL;
             INSERT INTO rows (text) VALUES ('by hand');",
        )
        .expect("SQLite changes it");

    let kept = refused(dir, &["import", "a.sqlite", "demo:Box/a"]);
    assert!(kept.contains("--force"), "{kept}");
    done(dir, &["import", "a.sqlite", "demo:Box/a", "--force"]);
    // By the id that `ls` prints, and to an object that was not there.
    done(dir, &["import", "a.sqlite", "demo:Box/new"]);
    std::fs::write(dir.join("text"), "no database").expect("a file");
    let text = refused(dir, &["import", "text", "demo:Box/b", "--force"]);
    assert!(
        text.ends_with("FILE: text: not a sound SQLite database: file is not a database\n"),
        "{text}"
    );
    done(dir, &["check"]);
    assert_eq!(done(dir, &["ls"]).lines().count(), 3);

    let dev = Dev::start(dir);
    assert_eq!(body(&dev, "/a/get"), "[3,0]");
    assert_eq!(body(&dev, "/new/add"), "[4,0]");
    assert_eq!(body(&dev, "/b/get"), "[1,0]");
}

/// Files that are no object's, and of what that is said.
const UNFIT: &[(&str, &str)] = &[
    (
        "CREATE TABLE _cf_KV (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
         CREATE TABLE seen (key);
         CREATE TRIGGER spy AFTER INSERT ON _cf_KV BEGIN INSERT INTO seen VALUES (new.key); END;",
        r#"the trigger "spy" is of the runtime's own table "_cf_KV""#,
    ),
    (
        "CREATE VIEW _cf_KV AS SELECT 'a' AS key, x'' AS value;",
        r#""_cf_KV" is a name of the runtime's own"#,
    ),
    (
        "CREATE VIRTUAL TABLE _cf_KV USING fts5(key, value);",
        r#""_cf_KV" is a name of the runtime's own"#,
    ),
    (
        "CREATE TABLE _cf_KV (key, other);",
        r#""_cf_KV" is a name of the runtime's own"#,
    ),
    (
        "CREATE TABLE _cf_kv (key TEXT PRIMARY KEY, value BLOB);",
        r#""_cf_KV" is a name of the runtime's own"#,
    ),
    (
        "CREATE TABLE _cf_ALARM (time); INSERT INTO _cf_ALARM VALUES ('soon');",
        r#""_cf_ALARM" has something else"#,
    ),
    (
        "CREATE TABLE _cf_ALARM (time); INSERT INTO _cf_ALARM VALUES (1), (2);",
        r#""_cf_ALARM" has several rows"#,
    ),
    (
        "CREATE TABLE rows (n); PRAGMA writable_schema = ON;
         UPDATE sqlite_schema SET sql = 'CREATE TABLE rows (n';",
        "not a sound SQLite database: malformed database schema",
    ),
    (
        "CREATE TABLE rows (n); CREATE TABLE others (n); PRAGMA writable_schema = ON;
         UPDATE sqlite_schema SET rootpage = 2;",
        "not a sound SQLite database",
    ),
    (
        "CREATE TABLE rows (n); PRAGMA writable_schema = ON;
         UPDATE sqlite_schema SET rootpage = 9000;",
        "not a sound SQLite database",
    ),
];

#[test]
fn a_file_that_would_break_its_object_is_refused() {
    let dir = project();
    let dev = Dev::start(dir.path());
    assert_eq!(body(&dev, "/a/add"), "[1,0]");
    let try_all = |when: &str| {
        for (at, (sql, expected)) in UNFIT.iter().enumerate() {
            let name = format!("{when}{at}.sqlite");
            let sqlite = Connection::open(dir.path().join(&name)).expect("SQLite opens it");
            sqlite.execute_batch(sql).expect("SQLite makes it");
            drop(sqlite);
            let said = refused(dir.path(), &["import", &name, "demo:Box/a", "--force"]);
            assert!(said.contains(expected), "{sql}: {said}");
        }
    };
    try_all("beside");
    assert_eq!(body(&dev, "/a/add"), "[2,0]");
    drop(dev);
    try_all("alone");
    let dev = Dev::start(dir.path());
    assert_eq!(body(&dev, "/a/add"), "[3,0]");
}

/// Constraints are what a script likes them to be, and need not hold.
#[test]
fn what_a_check_evaluates_takes_no_more_memory_than_there_is() {
    let dir = project();
    let dev = Dev::start(dir.path());
    assert_eq!(body(&dev, "/a/hog"), "[0,0]");
    assert_eq!(body(&dev, "/b/add"), "[1,0]");
    drop(dev);
    let said = refused(dir.path(), &["check"]);
    assert!(said.contains("not checked: out of memory"), "{said}");
    assert!(
        said.ends_with("1 of 4 databases were not checked\n"),
        "{said}"
    );
}

#[test]
fn an_alarm_comes_with_its_object() {
    let dir = project();
    let dev = Dev::start(dir.path());
    assert_ne!(body(&dev, "/a/alarm"), "null");
    drop(dev);
    done(dir.path(), &["export", "demo:Box/a", "a.sqlite"]);
    let other = project();
    let dev = Dev::start(other.path());
    assert_eq!(body(&dev, "/b/get"), "[0,0]");
    drop(dev);
    let file = dir.path().join("a.sqlite");
    let file = file.to_str().expect("a path that is text");
    done(other.path(), &["import", file, "demo:Box/a"]);
    let dev = Dev::start(other.path());
    until("the alarm", || body(&dev, "/a/get") == "[0,1]");
}

#[test]
fn a_flipped_bit_is_named_the_others_serve_and_an_import_mends_it() {
    let dir = project();
    let dir = dir.path();
    let dev = Dev::start(dir);
    assert_eq!(body(&dev, "/a/add"), "[1,0]");
    assert_eq!(body(&dev, "/b/add"), "[1,0]");
    drop(dev);
    done(dir, &["export", "demo:Box/a", "a.sqlite"]);
    let kept = std::fs::read(dir.join("a.sqlite")).expect("the export");
    let list = done(dir, &["ls"]);
    // Both are written by the same requests, so one is told by its bytes' place.
    let object = list
        .lines()
        .filter_map(|line| line.split_whitespace().nth(1))
        .find(|object| {
            let copy = format!("{}.sqlite", &object[object.len() - 8..]);
            done(dir, &["export", object, &copy]);
            let by_name = refused(dir, &["import", "a.sqlite", "demo:Box/a"]);
            by_name.contains(object)
        })
        .expect("object a")
        .to_string();
    let path = database(dir, &object);
    let mut bytes = std::fs::read(&path).expect("the database");
    assert_eq!(bytes, kept, "an export is what is there");
    let last = bytes.len() - 2000;
    bytes[last] ^= 4;
    std::fs::write(&path, &bytes).expect("written");

    let found = refused(dir, &["check"]);
    let page = last / 4096 + 1;
    let expected = format!("{object}: damaged pages: {page}\n");
    assert!(found.contains(&expected), "{found}");
    assert!(found.contains("1 of 4 objects are damaged"), "{found}");
    let error = refused(dir, &["export", "demo:Box/a", "again.sqlite"]);
    assert!(error.contains(&format!("page {page} of ")), "{error}");
    assert!(!dir.join("again.sqlite").exists());

    let dev = Dev::start(dir);
    let answer = send(dev.address, &get("localhost", "/a/get"));
    let told = String::from_utf8_lossy(&answer.body);
    let (_, id) = object.split_once('/').expect("an id");
    assert_eq!(answer.status, "500 Internal Server Error");
    assert!(told.contains(id) && told.contains("damaged"), "{told}");
    assert_eq!(body(&dev, "/b/add"), "[2,0]");
    assert_eq!(body(&dev, "/c/add"), "[1,0]");
    drop(dev);

    done(dir, &["import", "a.sqlite", &object, "--force"]);
    done(dir, &["check"]);
    let dev = Dev::start(dir);
    assert_eq!(body(&dev, "/a/add"), "[2,0]");
}
