//! Point-in-time recovery of durable objects, through the binary.

use std::path::Path;
use std::process::Command;

use crate::support::http::{Answer, get, send};
use crate::support::{self, BOX, Dev, until};

/// `/NAME/set/VALUE` writes it as a key, as a row and as an alarm so many seconds from
/// now; `/NAME/all` tells all of them, and what rang.
const SCRIPT: &str = "
import { DurableObject } from 'cloudflare:workers';
export class Box extends DurableObject {
  async fetch(request) {
    const { storage } = this.ctx;
    const [, , verb, value] = new URL(request.url).pathname.split('/');
    switch (verb) {
      case 'set':
        storage.sql.exec('CREATE TABLE IF NOT EXISTS rows (text)');
        storage.sql.exec('INSERT INTO rows VALUES (?)', value);
        await storage.put('key', value);
        await storage.setAlarm(Date.now() + Number(value) * 1000);
        // With what this turn writes, all of it.
        return new Response(await storage.getCurrentBookmark());
      case 'quiet':
        await storage.deleteAlarm();
        return new Response(await storage.getCurrentBookmark());
      case 'at':
        return new Response(await storage.getBookmarkForTime(new Date(Number(value))));
      case 'next':
        return new Response(await storage.onNextSessionRestoreBookmark(value));
      case 'abort':
        this.ctx.abort('restoring');
        break;
      case 'jump':
        storage.onNextSessionRestoreBookmark(value);
        this.ctx.abort();
        break;
      case 'time':
        return new Response(String(Date.now()));
    }
    const tables = storage.sql.exec(\"SELECT name FROM sqlite_schema WHERE name = 'rows'\").toArray();
    const rows = tables.length ? storage.sql.exec('SELECT text FROM rows').toArray() : [];
    const alarm = await storage.getAlarm();
    return Response.json([
      await storage.get('key') ?? null, rows.map((row) => row.text).join(), alarm !== null,
      await storage.get('rang') ?? 0,
    ]);
  }
  async alarm() {
    await this.ctx.storage.put('rang', (await this.ctx.storage.get('rang') ?? 0) + 1);
  }
}
export default { async fetch(request, env) {
  const box = env.BOX.getByName(new URL(request.url).pathname.split('/')[1]);
  try {
    return await box.fetch(request);
  } catch (error) {
    return new Response(`${error.name}: ${error.message}`, { status: 500 });
  }
} };
";

fn project() -> tempfile::TempDir {
    support::project(BOX, SCRIPT)
}

fn ask(dev: &Dev, path: &str) -> Answer {
    send(dev.address, &get("localhost", path))
}

fn body(dev: &Dev, path: &str) -> String {
    let answer = ask(dev, path);
    let told = String::from_utf8_lossy(&answer.body).into_owned();
    assert_eq!(answer.status, "200 OK", "{path}: {told}");
    told
}

fn refused(dev: &Dev, path: &str) -> String {
    let answer = ask(dev, path);
    let told = String::from_utf8_lossy(&answer.body).into_owned();
    assert_eq!(answer.status, "500 Internal Server Error", "{path}: {told}");
    told
}

fn data(dir: &Path, arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_outboard"));
    command.arg("data").args(arguments).current_dir(dir);
    let output = command.output().expect("outboard runs");
    let told = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&told).into_owned(),
    )
}

#[test]
fn keys_rows_and_the_alarm_come_back_together() {
    let dir = project();
    let dev = Dev::start(dir.path());
    let first = body(&dev, "/a/set/1000");
    let second = body(&dev, "/a/set/2000");
    let third = body(&dev, "/a/quiet");
    assert!(first < second && second < third, "{first} {second} {third}");
    assert_eq!(body(&dev, "/a/all"), r#"["2000","1000,2000",false,0]"#);

    let undo = body(&dev, &format!("/a/next/{first}"));
    // Not yet: this session goes on.
    assert_eq!(body(&dev, "/a/all"), r#"["2000","1000,2000",false,0]"#);
    assert!(refused(&dev, "/a/abort").contains("restoring"));
    assert_eq!(body(&dev, "/a/all"), r#"["1000","1000",true,0]"#);
    let later = body(&dev, "/a/set/3000");
    assert!(undo > third && undo < later, "{undo} {later}");

    // What was restored is undone, and that too; nobody has to wait for the note.
    refused(&dev, &format!("/a/jump/{undo}"));
    assert_eq!(body(&dev, "/a/all"), r#"["2000","1000,2000",false,0]"#);
    refused(&dev, &format!("/a/jump/{later}"));
    assert_eq!(body(&dev, "/a/all"), r#"["3000","1000,3000",true,0]"#);

    // What is wanted outlives the process.
    body(&dev, &format!("/a/next/{second}"));
    crate::support::signal(&dev.process, libc::SIGKILL);
    drop(dev);
    let dev = Dev::start(dir.path());
    assert_eq!(body(&dev, "/a/all"), r#"["2000","1000,2000",true,0]"#);
    drop(dev);
    let dev = Dev::start(dir.path());
    assert_eq!(body(&dev, "/a/all"), r#"["2000","1000,2000",true,0]"#);
}

#[test]
fn an_alarm_that_came_back_rings() {
    let dir = project();
    let dev = Dev::start(dir.path());
    let with = body(&dev, "/a/set/1");
    body(&dev, "/a/quiet");
    refused(&dev, &format!("/a/jump/{with}"));
    until("the alarm", || {
        body(&dev, "/a/all") == r#"["1","1",false,1]"#
    });
    // One that went does not; the one of before is forgotten.
    let without = body(&dev, "/b/quiet");
    body(&dev, "/b/set/1");
    refused(&dev, &format!("/b/jump/{without}"));
    body(&dev, "/c/set/2");
    until("a later alarm", || {
        body(&dev, "/c/all") == r#"["2","2",false,1]"#
    });
    assert_eq!(body(&dev, "/b/all"), r#"[null,"",false,0]"#);
}

#[test]
fn times_are_points_too_and_others_are_refused() {
    let dir = project();
    let dev = Dev::start(dir.path());
    let now = || body(&dev, "/a/time").parse::<u64>().expect("a number");
    body(&dev, "/a/set/1000");
    let time = now();
    until("the next millisecond", || now() > time);
    body(&dev, "/a/set/2000");
    let then = body(&dev, &format!("/a/at/{time}"));
    assert_eq!(then, body(&dev, &format!("/a/at/{time}")));
    let of_b = body(&dev, "/b/set/1000");
    for (path, told) in [
        (format!("/a/at/{}", now() + 60_000), "in the future"),
        (
            format!("/a/at/{}", time - 31 * 86_400_000),
            "before what is kept",
        ),
        ("/a/at/soon".into(), "it is not a valid Date"),
        (
            format!("/a/next/{of_b}"),
            "is not a bookmark of this object",
        ),
        ("/a/next/x".into(), r#""x" is not a bookmark"#),
    ] {
        let error = refused(&dev, &path);
        assert!(error.contains(told), "{path}: {error}");
    }
    refused(&dev, &format!("/a/jump/{then}"));
    assert_eq!(body(&dev, "/a/all"), r#"["1000","1000",true,0]"#);
    drop(dev);

    let dir = dir.path();
    let date = format!("{}", time);
    let (done, told) = data(dir, &["export", "demo:Box/a", "none.sqlite", "--at", &date]);
    assert!(!done && told.contains("--at: "), "{told}");
    let (done, told) = data(dir, &["export", "demo:Box/a", "then.sqlite", "--at", &then]);
    assert!(done, "{told}");
    let sqlite = rusqlite::Connection::open(dir.join("then.sqlite")).expect("SQLite opens it");
    let rows: i64 = sqlite
        .query_row("SELECT count(*) FROM rows", (), |row| row.get(0))
        .expect("the table is there");
    assert_eq!(rows, 1);
    let (done, told) = data(dir, &["check"]);
    assert!(done && told.contains("the history of"), "{told}");
    let kept = std::fs::read_dir(dir.join(".outboard/history")).expect("a history");
    let segment = kept
        .map(|entry| entry.expect("an entry").path())
        .find(|path| path.extension().is_some_and(|end| end == "log"))
        .expect("a segment");
    let mut bytes = std::fs::read(&segment).expect("the segment");
    bytes[200] ^= 1;
    std::fs::write(&segment, bytes).expect("written");
    let (done, told) = data(dir, &["check"]);
    assert!(!done && told.contains("history/"), "{told}");
    let dev = Dev::start(dir);
    assert_eq!(body(&dev, "/a/all"), r#"["1000","1000",true,0]"#);
}

#[test]
fn a_store_that_keeps_nothing_says_so() {
    let dir = project();
    let dev = Dev::start_with(dir.path(), &["--no-persist"]);
    let first = body(&dev, "/a/set/1000");
    assert!(first < body(&dev, "/a/set/1000"));
    for path in ["/a/at/0".into(), format!("/a/next/{first}")] {
        assert_eq!(
            refused(&dev, &path),
            "Error: This Durable Object's storage back-end does not implement \
             point-in-time recovery."
        );
    }
}
