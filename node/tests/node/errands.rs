//! Commands beside a node that has the data folder open.

use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rusqlite::Connection;

use crate::support::http::{get, send};
use crate::support::{self, Dev, Outboard, PATIENCE, Process, signal, until};

const CONFIG: &str = r#"{
  "name": "demo",
  "main": "index.js",
  "compatibility_date": "2026-04-01",
  "kv_namespaces": [{ "binding": "KV", "id": "things" }],
  "r2_buckets": [{ "binding": "FILES", "bucket_name": "files" }],
  "d1_databases": [{ "binding": "DB", "database_id": "shop" }],
  "durable_objects": { "bindings": [{ "name": "BOX", "class_name": "Box" }] },
  "migrations": [{ "tag": "v1", "new_sqlite_classes": ["Box"] }]
}"#;

/// Each path adds one thing somewhere, with `n`, and tells how many there are; where
/// `n` is missing it only tells.
const SCRIPT: &str = "
import { DurableObject } from 'cloudflare:workers';
export class Box extends DurableObject {
  memory = 0;
  busy = false;
  async fetch(request) {
    const { sql } = this.ctx.storage;
    const url = new URL(request.url);
    sql.exec('CREATE TABLE IF NOT EXISTS rows (n INTEGER PRIMARY KEY, text TEXT)');
    if (url.pathname.endsWith('/busy')) return Response.json(this.busy);
    if (url.pathname.endsWith('/slow')) {
      this.busy = true;
      await new Promise((done) => setTimeout(done, 1000));
    }
    if (url.pathname.endsWith('/alarm')) await this.ctx.storage.setAlarm(Date.now() + 3000);
    if (url.searchParams.has('n')) {
      sql.exec('INSERT OR IGNORE INTO rows VALUES (?, ?)', Number(url.searchParams.get('n')), 'x'.repeat(2000));
    }
    this.memory += 1;
    return Response.json([sql.exec('SELECT count(*) c FROM rows').one().c, this.memory]);
  }
  async alarm() {
    this.ctx.storage.sql.exec('INSERT INTO rows (text) VALUES (?)', 'rang');
  }
}
export default { async fetch(request, { DB, KV, FILES, BOX }) {
  const url = new URL(request.url);
  const n = url.searchParams.get('n');
  const [, kind, name] = url.pathname.split('/');
  if (kind === 'd1') {
    try {
      if (name) return Response.json(await DB.prepare(decodeURIComponent(name)).raw());
      if (n) await DB.prepare('INSERT INTO t VALUES (?)').bind(n).run();
      return new Response(await DB.prepare('SELECT count(*) c FROM t').first('c'));
    } catch (error) {
      return new Response(error.message, { status: 500 });
    }
  }
  if (kind === 'kv') {
    if (n) await KV.put('worker:' + n, 'value ' + n);
    return new Response(await KV.get(name ?? 'worker:' + n));
  }
  if (kind === 'r2') {
    if (n) await FILES.put('worker:' + n, 'value ' + n);
    const found = await FILES.get(name ?? 'worker:' + n);
    return new Response(found && await found.text());
  }
  return BOX.getByName(name).fetch(request);
} };
";

fn project() -> tempfile::TempDir {
    let dir = support::project(CONFIG, SCRIPT);
    std::fs::create_dir(dir.path().join("migrations")).expect("a folder");
    dir
}

fn serve(dir: &Path, more: &str) -> Outboard {
    Outboard::serve(&format!(
        "lanes = 2\ndata = {:?}\n{more}\n[[worker]]\nname = \"demo\"\ndir = {dir:?}\nroutes = [\"*\"]\n",
        dir.join(".outboard"),
    ))
}

fn ask(address: SocketAddr, path: &str) -> String {
    let answer = send(address, &get("localhost", path));
    String::from_utf8_lossy(&answer.body).into_owned()
}

fn command(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_outboard"));
    command.args(arguments).current_dir(dir);
    command
}

fn run(dir: &Path, arguments: &[&str]) -> Output {
    command(dir, arguments).output().expect("outboard runs")
}

fn done(dir: &Path, arguments: &[&str]) -> String {
    let output = run(dir, arguments);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {error}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn refused(dir: &Path, arguments: &[&str]) -> String {
    let output = run(dir, arguments);
    assert!(!output.status.success(), "{arguments:?} is refused");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn sql(dir: &Path, sql: &str) -> String {
    done(dir, &["d1", "execute", "DB", "--command", sql])
}

/// Asks `path` with `?n=` and a new number, again and again, while `work` runs; tells how
/// often.
fn meanwhile(address: SocketAddr, path: &str, work: impl FnOnce()) -> usize {
    let (over, count) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                let n = count.fetch_add(1, Ordering::Relaxed) + 1;
                let answer = send(address, &get("localhost", &format!("{path}?n={n}")));
                let told = String::from_utf8_lossy(&answer.body).into_owned();
                assert_eq!(answer.status, "200 OK", "{told}");
            }
        });
        until("some requests", || count.load(Ordering::Relaxed) > 3);
        work();
        over.store(true, Ordering::Relaxed);
    });
    count.load(Ordering::Relaxed)
}

#[test]
fn d1_is_changed_beside_a_node_that_writes_to_it() {
    let dir = project();
    let dir = dir.path();
    let node = Dev::start(dir);
    assert_eq!(sql(dir, "CREATE TABLE t (a)"), "0 rows changed\n");
    let migration = |name: &str, sql: &str| {
        std::fs::write(dir.join("migrations").join(name), sql).expect("a file");
    };
    let asked = meanwhile(node.address, "/d1", || {
        for n in 0..3 {
            sql(dir, &format!("INSERT INTO t VALUES ('by hand {n}')"));
        }
        migration(
            "0001_more.sql",
            "CREATE TABLE more (b); INSERT INTO more VALUES (1);",
        );
        migration(
            "0002_bad.sql",
            "INSERT INTO more VALUES (2); INSERT INTO none VALUES (1);",
        );
        let list = done(dir, &["d1", "migrations", "list", "DB"]);
        assert_eq!(list, "0001_more.sql\n0002_bad.sql\n");
        let told = refused(dir, &["d1", "migrations", "apply", "DB"]);
        assert!(
            told.contains("error: 0002_bad.sql was not applied: no such table: none"),
            "{told}"
        );
        migration("0002_bad.sql", "UPDATE more SET b = b + 1");
        let applied = done(dir, &["d1", "migrations", "apply", "DB"]);
        assert_eq!(applied, "applied 0002_bad.sql\n");
        assert_eq!(sql(dir, "SELECT b FROM more"), "b\n-\n2\n");
    });
    let all = ask(node.address, "/d1").parse::<usize>().expect("a number");
    assert_eq!(all, asked + 3);
    assert_eq!(ask(node.address, "/d1/SELECT%20b%20FROM%20more"), "[[2]]");

    // What a person may do, and a worker still may not.
    let long = format!("SELECT 1 n -- {}", "x".repeat(200_000));
    std::fs::write(dir.join("long.sql"), &long).expect("a file");
    assert_eq!(
        done(dir, &["d1", "execute", "DB", "--file", "long.sql"]),
        "n\n-\n1\n"
    );
    let told = refused(dir, &["d1", "execute", "DB", "--command", "BEGIN"]);
    assert!(told.contains("To execute a transaction"), "{told}");
    let json = done(
        dir,
        &[
            "d1",
            "execute",
            "DB",
            "--json",
            "--command",
            "SELECT b FROM more",
        ],
    );
    assert!(json.contains("\"results\":[{\"b\":2}]"), "{json}");
    let large = "SELECT hex(zeroblob(900000)) FROM t LIMIT 3";
    assert_eq!(sql(dir, large).lines().count(), 2 + 3);
}

#[test]
fn a_copy_is_of_one_moment_while_a_worker_writes() {
    let dir = project();
    let dir = dir.path();
    let node = serve(dir, "");
    sql(
        dir,
        "CREATE TABLE t (a); CREATE TABLE pair (a); CREATE TRIGGER both AFTER INSERT ON t \
              BEGIN INSERT INTO pair VALUES (new.a); END",
    );
    sql(
        dir,
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) \
              INSERT INTO t SELECT hex(zeroblob(200)) FROM n",
    );
    let counts = |file: &Connection| -> (i64, i64) {
        let faults: String = file
            .query_one("PRAGMA integrity_check", (), |row| row.get(0))
            .expect("it is read");
        assert_eq!(faults, "ok");
        let counts = "SELECT (SELECT count(*) FROM t), (SELECT count(*) FROM pair)";
        let counted = file.query_one(counts, (), |row| Ok((row.get(0)?, row.get(1)?)));
        counted.expect("the tables are there")
    };
    meanwhile(node.address, "/d1", || {
        let mut before = 5000;
        for n in 0..3 {
            let name = format!("{n}.sqlite");
            done(dir, &["d1", "export", "DB", "--sqlite", "--output", &name]);
            let (t, pair) = counts(&Connection::open(dir.join(&name)).expect("a database"));
            assert!(t == pair && t > before, "{t}, {pair}");
            let dump = done(
                dir,
                &["d1", "export", "DB", "--table", "t", "--table", "pair"],
            );
            let fresh = Connection::open_in_memory().expect("a database");
            fresh
                .execute_batch(&format!("BEGIN;{dump}COMMIT;"))
                .expect("sound SQL");
            let (again, pair) = counts(&fresh);
            assert!(again == pair && again >= t, "{again}, {pair}");
            before = again;
        }
        let sound = done(dir, &["data", "check"]);
        assert!(sound.contains("are sound"), "{sound}");
    });
    let told = refused(dir, &["d1", "export", "DB", "--table", "none"]);
    assert_eq!(told, "error: --table: there is no table \"none\"\n");
    // Nothing is left of copies.
    let names = std::fs::read_dir(dir.join(".outboard")).expect("the folder");
    let names: Vec<_> = names
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    let copies = names
        .iter()
        .filter(|name| name.to_string_lossy().starts_with(".copy-"));
    assert_eq!(copies.count(), 0, "{names:?}");
}

#[test]
fn keys_and_files_are_read_and_written_beside_a_node() {
    let dir = project();
    let dir = dir.path();
    let node = serve(dir, "");
    assert_eq!(ask(node.address, "/kv?n=0"), "value 0");
    assert_eq!(ask(node.address, "/r2?n=0"), "value 0");
    let kv = |arguments: &[&str]| done(dir, &[&["kv"], arguments].concat());
    meanwhile(node.address, "/kv", || {
        kv(&["put", "things", "hand", "one", "--metadata", "[1]"]);
        assert_eq!(ask(node.address, "/kv/hand"), "one");
        assert_eq!(kv(&["get", "things", "worker:0"]), "value 0");
        assert_eq!(kv(&["list", "things", "--prefix", "h"]).trim(), "3  hand");
        kv(&["delete", "things", "hand"]);
        assert_eq!(ask(node.address, "/kv/hand"), "");
        // More than the log takes at once.
        let value = "v".repeat(3 << 20);
        std::fs::write(dir.join("value"), &value).expect("a file");
        let mut put = command(dir, &["kv", "put", "things", "large"]);
        put.stdin(std::fs::File::open(dir.join("value")).expect("the file"));
        assert!(put.status().expect("outboard runs").success());
        assert_eq!(kv(&["get", "things", "large"]), value);
        assert_eq!(ask(node.address, "/kv/large"), value);
    });
    let told = refused(dir, &["kv", "get", "things", "none"]);
    assert_eq!(
        told,
        "error: KEY: \"none\": there is no such key; `outboard kv list` lists what is there\n"
    );
    let told = refused(dir, &["kv", "list", "nowhere"]);
    assert!(told.contains("there is no such namespace"), "{told}");
    let told = refused(dir, &["kv", "put", "things", "k", "v", "--ttl", "1"]);
    assert!(told.contains("--ttl: "), "{told}");
    let told = refused(dir, &["kv", "put", "things", "k", "--metadata", "x", "v"]);
    assert!(told.contains("--metadata: "), "{told}");

    let r2 = |arguments: &[&str]| done(dir, &[&["r2"], arguments].concat());
    let value: Vec<u8> = (0..20_000_000_u32).map(|n| (n / 7) as u8).collect();
    std::fs::write(dir.join("in"), &value).expect("a file");
    meanwhile(node.address, "/r2", || {
        let put = r2(&[
            "put",
            "files",
            "hand",
            "--file",
            "in",
            "--content-type",
            "a/b",
        ]);
        assert!(put.trim_start().starts_with("20000000  "), "{put}");
        r2(&["get", "files", "hand", "--file", "out"]);
        assert!(std::fs::read(dir.join("out")).expect("the file") == value);
        r2(&["put", "files", "small", "--file", "wrangler.jsonc"]);
        assert_eq!(ask(node.address, "/r2/small"), CONFIG);
        assert_eq!(r2(&["get", "files", "worker:0"]), "value 0");
        let list = r2(&["list", "files", "--prefix", "hand"]);
        assert!(
            list.starts_with("    20000000  ") && list.lines().count() == 1,
            "{list}"
        );
        let buckets = r2(&["list"]);
        assert!(buckets.ends_with("  files\n"), "{buckets}");
        r2(&["delete", "files", "hand", "small"]);
        assert_eq!(ask(node.address, "/r2/small"), "");
        let sound = done(dir, &["data", "check"]);
        assert!(sound.contains("are sound"), "{sound}");
    });
    let told = refused(dir, &["r2", "get", "files", "hand"]);
    assert_eq!(
        told,
        "error: KEY: \"hand\": there is no such object in the bucket\n"
    );
    let told = refused(dir, &["r2", "list", "nothing"]);
    assert!(
        told.contains("BUCKET: there is no bucket \"nothing\""),
        "{told}"
    );
    drop(node);
    assert!(done(dir, &["data", "check"]).contains("are sound"));
}

#[test]
fn objects_are_listed_checked_and_copied_while_they_are_awake() {
    let dir = project();
    let dir = dir.path();
    let node = Dev::start(dir);
    assert_eq!(ask(node.address, "/box/a?n=0"), "[1,1]");
    assert_eq!(ask(node.address, "/box/b?n=0"), "[1,1]");
    let asked = meanwhile(node.address, "/box/a", || {
        let list = done(dir, &["data", "ls"]);
        assert_eq!(
            list.lines()
                .filter(|line| line.contains("  demo:Box/"))
                .count(),
            2,
            "{list}"
        );
        for n in 0..3 {
            let name = format!("{n}.sqlite");
            let told = done(dir, &["data", "export", "demo:Box/a", &name]);
            let bytes = std::fs::metadata(dir.join(&name)).expect("the file").len();
            assert_eq!(told, format!("{name} ({bytes} bytes)\n"));
            let file = Connection::open(dir.join(&name)).expect("a database");
            let (rows, last): (i64, i64) = file
                .query_one("SELECT count(*), max(n) FROM rows", (), |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })
                .expect("the rows are there");
            assert_eq!(rows, last + 1);
        }
        let sound = done(dir, &["data", "check"]);
        assert!(
            sound.contains("databases of ") && sound.contains("are sound"),
            "{sound}"
        );
    });
    // It has been the same one all the time.
    let seen = asked + 2;
    assert_eq!(
        ask(node.address, "/box/a"),
        format!("[{},{seen}]", asked + 1)
    );
    let there = refused(dir, &["data", "export", "demo:Box/a", "0.sqlite"]);
    assert!(
        there.contains("FILE: 0.sqlite: it is there already"),
        "{there}"
    );
    let none = refused(dir, &["data", "export", "demo:Box/none", "none.sqlite"]);
    assert!(none.contains("there is no such object"), "{none}");
    assert!(!dir.join("none.sqlite").exists());
    let at = refused(
        dir,
        &["data", "export", "demo:Box/a", "n.sqlite", "--at", "noon"],
    );
    assert!(at.contains("--at: \"noon\": neither a time"), "{at}");

    // An object that sleeps, and damage in it.
    drop(node);
    done(dir, &["data", "export", "demo:Box/b", "b.sqlite"]);
    let list = done(dir, &["data", "ls"]);
    let object = list
        .lines()
        .filter_map(|line| line.split_whitespace().nth(1))
        .filter(|object| object.starts_with("demo:Box/"))
        .find(|object| refused(dir, &["data", "import", "b.sqlite", "demo:Box/b"]).contains(object))
        .expect("object b")
        .to_string();
    let (_, id) = object.split_once('/').expect("an id");
    let path = find(&dir.join(".outboard/objects"), &format!("{id}.sqlite"));
    let mut bytes = std::fs::read(&path).expect("the database");
    let last = bytes.len() - 100;
    bytes[last] ^= 1;
    std::fs::write(&path, bytes).expect("written");
    let node = Dev::start(dir);
    assert_eq!(ask(node.address, "/box/c?n=0"), "[1,1]");
    let output = run(dir, &["data", "check"]);
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success());
    assert!(
        told.contains(&format!("{object}: damaged pages: ")),
        "{told}"
    );
    let told = refused(dir, &["data", "export", "demo:Box/b", "again.sqlite"]);
    assert!(told.contains("is damaged on disk"), "{told}");
    assert!(!dir.join("again.sqlite").exists());
    // What is there while a node has it open mends it too.
    done(
        dir,
        &["data", "import", "b.sqlite", "demo:Box/b", "--force"],
    );
    assert_eq!(ask(node.address, "/box/b"), "[1,1]");
    assert!(done(dir, &["data", "check"]).contains("are sound"));
}

fn find(folder: &Path, name: &str) -> PathBuf {
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            match path.is_dir() {
                true => folders.push(path),
                false if path.file_name().is_some_and(|is| is == name) => return path,
                false => {}
            }
        }
    }
    panic!("no {name}");
}

#[test]
fn an_object_that_is_replaced_leaves_memory_and_comes_back_as_what_it_is() {
    let dir = project();
    let dir = dir.path();
    for isolation in ["shared", "object"] {
        let node = Dev::start_with(dir, &["--isolation", isolation]);
        let a = format!("/box/{isolation}");
        let object = format!("demo:Box/{isolation}");
        for n in 0..3 {
            ask(node.address, &format!("{a}?n={n}"));
        }
        let other = format!("/box/{isolation}-other");
        ask(node.address, &format!("{other}?n=0"));
        let file = format!("{isolation}.sqlite");
        done(dir, &["data", "export", &object, &file]);
        assert_eq!(ask(node.address, &format!("{a}?n=9")), "[4,4]");
        let kept = refused(dir, &["data", "import", &file, &object]);
        assert!(kept.contains("--force replaces it"), "{kept}");
        let import = ["data", "import", &file, &object, "--force"];
        let told = done(dir, &import);
        let expected = format!(" has the database of {file}\n");
        assert!(told.ends_with(&expected), "{told}");
        // It has begun anew, with what was imported; another object has not.
        assert_eq!(ask(node.address, &a), "[3,1]");
        assert_eq!(ask(node.address, &other), "[1,2]");
        // One that is busy is replaced when it has done what it does.
        std::thread::scope(|scope| {
            let slow = scope.spawn(|| ask(node.address, &format!("{a}/slow?n=10")));
            until("its event", || {
                ask(node.address, &format!("{a}/busy")) == "true"
            });
            done(dir, &import);
            assert_eq!(slow.join().expect("an answer"), "[4,2]");
        });
        assert_eq!(ask(node.address, &a), "[3,1]");
        // Who comes meanwhile waits.
        meanwhile(node.address, &format!("{a}/again"), || {
            for _ in 0..3 {
                done(dir, &import);
            }
        });
    }
}

#[test]
fn what_an_import_brings_is_served_and_what_cannot_be_replaced_is_told() {
    let dir = project();
    let dir = dir.path();
    let node = Dev::start(dir);
    ask(node.address, "/box/a?n=0");
    done(dir, &["data", "export", "demo:Box/a", "a.sqlite"]);
    // One that was not there, by a name.
    done(dir, &["data", "import", "a.sqlite", "demo:Box/new"]);
    assert_eq!(ask(node.address, "/box/new"), "[1,1]");
    // An alarm comes with it.
    ask(node.address, "/box/ringer/alarm");
    done(dir, &["data", "export", "demo:Box/ringer", "ringer.sqlite"]);
    done(dir, &["data", "import", "ringer.sqlite", "demo:Box/other"]);
    until("the alarm", || {
        ask(node.address, "/box/other").starts_with("[1,")
    });

    std::fs::write(dir.join("text"), "no database").expect("a file");
    let text = refused(dir, &["data", "import", "text", "demo:Box/a", "--force"]);
    assert!(
        text.contains("FILE: text: not a sound SQLite database"),
        "{text}"
    );

    // D1: the worker asks all the time.
    sql(dir, "CREATE TABLE t (a)");
    done(dir, &["data", "export", "d1/shop", "shop.sqlite"]);
    meanwhile(node.address, "/d1", || {
        let import = ["data", "import", "shop.sqlite", "d1/shop", "--force"];
        done(dir, &import);
    });
    assert_eq!(ask(node.address, "/kv?n=1"), "value 1");
    done(dir, &["data", "export", "kv/things", "things.sqlite"]);
    let import = ["data", "import", "things.sqlite", "kv/things", "--force"];
    let told = refused(dir, &import);
    assert!(
        told.contains("OBJECT: kv/things: a node has it open; stop"),
        "{told}"
    );
    drop(node);
    done(dir, &import);
    assert!(done(dir, &["data", "check"]).contains("are sound"));
}

/// A query that does not end by itself.
const ENDLESS: &str =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";

/// Starts a command that does not end, and waits until the node works for it.
fn endless(dir: &Path, node: &Process) -> Child {
    let mut endless = command(dir, &["d1", "execute", "DB", "--command", ENDLESS]);
    endless.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = endless.spawn().expect("outboard starts");
    until("the command", || serving(node) > 0);
    child
}

/// The commands that a node serves.
fn serving(node: &Process) -> usize {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", node.id())).expect("the tasks");
    let names =
        tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
    names.filter(|name| name == "command\n").count()
}

#[test]
fn a_command_is_told_that_its_node_has_ended() {
    let dir = project();
    let dir = dir.path();
    let told = |child: Child| {
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(output.status.code(), Some(1));
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(told.contains("ended before the command did"), "{told}");
    };
    let node = Dev::start(dir);
    sql(dir, "CREATE TABLE t (a)");
    let child = endless(dir, &node.process);
    signal(&node.process, libc::SIGKILL);
    told(child);
    drop(node);
    // What a killed node left is not in the way of the next one, nor of a command.
    let socket = dir.join(".outboard/node.sock");
    assert!(socket.exists());
    assert_eq!(sql(dir, "INSERT INTO t VALUES (1)"), "1 rows changed\n");
    let mut node = serve(dir, "limits = { drain_ms = 300 }");
    let kind = std::fs::metadata(&socket).expect("the socket");
    assert!(kind.file_type().is_socket());
    assert_eq!(ask(node.address, "/d1"), "1");
    let child = endless(dir, &node.process);
    signal(&node.process, libc::SIGTERM);
    told(child);
    node.process.wait(PATIENCE);
    assert!(!socket.exists());
    assert_eq!(sql(dir, "SELECT count(*) n FROM t"), "n\n-\n1\n");
}

#[test]
fn what_a_command_began_that_was_killed_is_undone() {
    let dir = project();
    let dir = dir.path();
    let node = Dev::start(dir);
    sql(dir, "CREATE TABLE t (a)");
    let script = format!("INSERT INTO t VALUES (1); {ENDLESS}");
    let mut child = command(dir, &["d1", "execute", "DB", "--command", &script])
        .stdout(Stdio::null())
        .spawn()
        .expect("outboard starts");
    until("the command", || serving(&node.process) > 0);
    child.kill().expect("killed");
    child.wait().expect("it ended");
    assert_eq!(ask(node.address, "/d1?n=1"), "1");
    until("its end", || serving(&node.process) == 0);
}

#[test]
fn commands_share_a_node_and_only_its_user_may() {
    let dir = project();
    // Its path is longer than a socket's address.
    let long = dir.path().join("x".repeat(60)).join("y".repeat(60));
    std::fs::create_dir_all(&long).expect("folders");
    let folder = long.to_str().expect("a path that is text");
    let node = Dev::start_with(dir.path(), &["--data", folder]);
    assert_eq!(ask(node.address, "/kv?n=1"), "value 1");
    std::thread::scope(|scope| {
        for n in 0..8 {
            let dir = dir.path();
            scope.spawn(move || {
                let key = format!("hand:{n}");
                done(dir, &["kv", "put", "things", &key, "x", "--data", folder]);
                let insert = "CREATE TABLE IF NOT EXISTS t (a); INSERT INTO t VALUES (1)";
                done(
                    dir,
                    &["d1", "execute", "DB", "--data", folder, "--command", insert],
                );
            });
        }
    });
    let list = done(dir.path(), &["kv", "list", "things", "--data", folder]);
    assert_eq!(list.lines().count(), 9, "{list}");
    assert_eq!(ask(node.address, "/d1"), "8");
    let mode = std::fs::metadata(long.join("node.sock")).expect("the socket");
    assert_eq!(mode.permissions().mode() & 0o777, 0o600);
    drop(node);
    // Nothing of it is in a folder that is forgotten.
    let node = Dev::start_with(dir.path(), &["--no-persist"]);
    assert_eq!(ask(node.address, "/kv?n=1"), "value 1");
    assert!(!dir.path().join(".outboard").exists());
}

/// A node that is another version, or something else.
#[test]
fn who_does_not_speak_as_a_node_does_is_not_believed() {
    use std::io::{Read, Write};
    let dir = project();
    let node = Dev::start(dir.path());
    sql(dir.path(), "CREATE TABLE t (a)");
    let talk = |bytes: &[u8]| {
        let socket = dir.path().join(".outboard/node.sock");
        let mut stream = std::os::unix::net::UnixStream::connect(socket).expect("connected");
        stream.write_all(bytes).expect("sent");
        stream.shutdown(std::net::Shutdown::Write).expect("shut");
        let mut answer = Vec::new();
        // What it did not read it may cut off.
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    };
    let framed = |json: &str| {
        let length = u32::try_from(json.len()).expect("short").to_le_bytes();
        [&[1], &length[..], json.as_bytes()].concat()
    };
    let newer = talk(&framed(r#"{"version":9,"errand":"dance"}"#));
    assert!(
        newer.contains("the node is another version of Outboard"),
        "{newer}"
    );
    assert!(talk(&framed("no JSON")).contains("no JSON"));
    assert_eq!(talk(b"GET / HTTP/1.1\r\n\r\n"), "");
    assert_eq!(talk(&[1, 255, 255, 255, 255]), "");
    assert_eq!(ask(node.address, "/d1"), "0");

    // Those who say nothing are bounded too, and told apart from who does not fit.
    let socket = dir.path().join(".outboard/node.sock");
    let connect = |_| std::os::unix::net::UnixStream::connect(&socket).expect("connected");
    let idle: Vec<_> = (0..16).map(connect).collect();
    until("all places", || serving(&node.process) == 16);
    let full = refused(dir.path(), &["kv", "list", "things"]);
    assert_eq!(
        full,
        "error: the node does 16 commands already; try again\n"
    );
    drop(idle);
    until("their end", || serving(&node.process) == 0);
    assert_eq!(sql(dir.path(), "SELECT count(*) n FROM t"), "n\n-\n0\n");
}
