//! Clocks that are set while a node runs, by a library that Debian has as `faketime`.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::http::{get, send};
use crate::support::{self, BOX, Dev, until};

const HOUR: i64 = 3_600;
const YEAR: i64 = 365 * 24 * HOUR;

/// A clock that is as many seconds ahead as a file says.
struct Clock {
    dir: tempfile::TempDir,
    library: PathBuf,
}

impl Clock {
    /// None, and said, where the library is not installed.
    fn new() -> Option<Self> {
        let libraries = std::fs::read_dir("/usr/lib").into_iter().flatten();
        let library = libraries
            .filter_map(|folder| Some(folder.ok()?.path().join("faketime/libfaketimeMT.so.1")))
            .find(|library| library.exists());
        let Some(library) = library else {
            eprintln!("SKIPPED: faketime is not installed (scripts/setup does it)");
            return None;
        };
        let dir = tempfile::tempdir().expect("a folder");
        let clock = Self { dir, library };
        clock.set(0);
        Some(clock)
    }

    /// Sets it so many seconds ahead of the system's.
    fn set(&self, ahead: i64) {
        let new = self.dir.path().join("new");
        std::fs::write(&new, format!("{ahead:+}\n")).expect("a file");
        std::fs::rename(new, self.dir.path().join("clock")).expect("renamed");
    }

    fn environment(&self) -> Vec<(&'static str, String)> {
        let text = |path: &Path| path.to_str().expect("text").to_string();
        vec![
            ("LD_PRELOAD", text(&self.library)),
            (
                "FAKETIME_TIMESTAMP_FILE",
                text(&self.dir.path().join("clock")),
            ),
            ("FAKETIME_NO_CACHE", "1".into()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".into()),
            ("NO_FAKE_STAT", "1".into()),
        ]
    }

    fn start(&self, dir: &Path) -> Dev {
        Dev::start_in(dir, &[], &self.environment())
    }
}

fn project() -> tempfile::TempDir {
    support::project(BOX, SCRIPT)
}

fn body(dev: &Dev, path: &str) -> String {
    let answer = send(dev.address, &get("localhost", path));
    let told = String::from_utf8_lossy(&answer.body).into_owned();
    assert_eq!(answer.status, "200 OK", "{path}: {told}");
    told
}

fn now(dev: &Dev) -> i64 {
    body(dev, "/clock/time").parse().expect("a number")
}

/// `/NAME/alarm/MILLIS/FAILURES` sets an alarm that fails so many times.
const SCRIPT: &str = "
import { DurableObject } from 'cloudflare:workers';
export class Box extends DurableObject {
  async fetch(request) {
    const { storage } = this.ctx;
    const [, , verb, value, failures] = new URL(request.url).pathname.split('/');
    switch (verb) {
      case 'time':
        return new Response(String(Date.now()));
      case 'alarm':
        await storage.put('failures', Number(failures));
        await storage.setAlarm(Date.now() + Number(value));
        return new Response('set');
      case 'set':
        await storage.put('value', value);
        return new Response(await storage.getCurrentBookmark());
      case 'at':
        return new Response(await storage.getBookmarkForTime(Number(value)));
      case 'restore':
        await storage.onNextSessionRestoreBookmark(value);
        this.ctx.abort();
        break;
    }
    return Response.json([await storage.get('value') ?? null, await storage.get('rang') ?? 0]);
  }
  async alarm({ retryCount }) {
    const { storage } = this.ctx;
    if (retryCount < await storage.get('failures')) throw new Error('not yet');
    await storage.put('rang', (await storage.get('rang') ?? 0) + 1);
  }
}
export default { async fetch(request, env) {
  const box = env.BOX.getByName(new URL(request.url).pathname.split('/')[1]);
  return box.fetch(request).catch((error) => new Response(String(error)));
} };
";

#[test]
fn an_alarm_rings_when_the_clock_says_so() {
    let Some(clock) = Clock::new() else { return };
    let dir = project();
    let dev = clock.start(dir.path());
    let before = now(&dev);
    body(&dev, "/a/alarm/3600000/0");
    body(&dev, "/b/alarm/90000000/0");
    clock.set(HOUR);
    until("the clock", || now(&dev) >= before + HOUR * 1000);
    until("the alarm", || body(&dev, "/a/all") == "[null,1]");
    assert_eq!(body(&dev, "/b/all"), "[null,0]");
    // Once.
    clock.set(-HOUR);
    body(&dev, "/c/alarm/1000/0");
    until("an alarm of before", || body(&dev, "/c/all") == "[null,1]");
    assert_eq!(body(&dev, "/a/all"), "[null,1]");
}

/// The next try is a year away by the clock that the last one had.
#[test]
fn an_alarm_that_failed_under_a_wrong_clock_is_tried_again() {
    let Some(clock) = Clock::new() else { return };
    for is_restarted in [false, true] {
        clock.set(0);
        let dir = project();
        let mut dev = clock.start(dir.path());
        let before = now(&dev);
        // Waits between its tries are 2 and 4 seconds.
        body(&dev, "/a/alarm/1000/2");
        clock.set(YEAR);
        until("the clock", || now(&dev) >= before + YEAR * 1000);
        until("the second failure", || {
            dev.process.log().matches("not yet").count() == 2
        });
        if is_restarted {
            drop(dev);
            clock.set(0);
            dev = clock.start(dir.path());
        } else {
            clock.set(0);
        }
        until("the alarm's success", || body(&dev, "/a/all") == "[null,1]");
    }
}

#[test]
fn times_lead_to_states_though_the_clock_was_set() {
    let Some(clock) = Clock::new() else { return };
    let dir = project();
    let dev = clock.start(dir.path());
    let set = |dev: &Dev, value: &str| {
        body(dev, &format!("/a/set/{value}"));
        let at = now(dev);
        until("the next millisecond", || now(dev) > at);
        at
    };
    let one = set(&dev, "one");
    let two = set(&dev, "two");
    // Some that were made between: one commit's word alone is not enough.
    for value in ["x", "y", "z"] {
        set(&dev, value);
    }
    for (ahead, value) in [(YEAR, "ahead"), (-YEAR, "behind")] {
        clock.set(ahead);
        set(&dev, value);
    }
    clock.set(0);
    until("the clock", || (two..two + HOUR).contains(&now(&dev)));
    set(&dev, "three");
    let four = set(&dev, "four");
    set(&dev, "five");
    // Over a start, which makes a checkpoint.
    crate::support::signal(&dev.process, libc::SIGKILL);
    drop(dev);
    let dev = clock.start(dir.path());
    set(&dev, "six");
    for (time, value) in [(one, "one"), (two, "two"), (four, "four")] {
        let bookmark = body(&dev, &format!("/a/at/{time}"));
        body(&dev, &format!("/a/restore/{bookmark}"));
        assert_eq!(body(&dev, "/a/all"), format!(r#"["{value}",0]"#));
    }
    drop(dev);
    let date = |millis: i64| {
        let mut command = Command::new("date");
        let text = format!("@{}.{:03}", millis / 1000, millis % 1000);
        let output = command
            .args(["-u", "-d", &text, "+%Y-%m-%dT%H:%M:%S.%3NZ"])
            .output();
        let text = String::from_utf8(output.expect("date runs").stdout);
        text.expect("text").trim().to_string()
    };
    let mut command = Command::new(env!("CARGO_BIN_EXE_outboard"));
    command
        .args([
            "data",
            "export",
            "demo:Box/a",
            "two.sqlite",
            "--at",
            &date(two),
        ])
        .current_dir(dir.path());
    let output = command.output().expect("outboard runs");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    let sqlite = rusqlite::Connection::open(dir.path().join("two.sqlite")).expect("SQLite");
    let values: i64 = sqlite
        .query_row(
            "SELECT count(*) FROM _cf_KV WHERE key = 'value' AND instr(value, 'two')",
            (),
            |row| row.get(0),
        )
        .expect("the table is there");
    assert_eq!(values, 1);
}
