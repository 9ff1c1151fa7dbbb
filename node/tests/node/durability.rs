//! What docs/durability.md promises, through the binary: processes killed at
//! random points under load, and disks that are full or cannot be written.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use crate::support::http::{Answer, get, send};
use crate::support::{self, Dev, PATIENCE, Process, until};

const CONFIG: &str = r#"{
  "name": "bank",
  "main": "index.js",
  "compatibility_date": "2026-04-01",
  "durable_objects": { "bindings": [{ "name": "LEDGER", "class_name": "Ledger" }] },
  "migrations": [{ "tag": "v1", "new_sqlite_classes": ["Ledger"] }]
}"#;

/// `/NAME/add/CLIENT/NUMBER/BYTES` books a row and counts it, in one commit;
/// `/NAME/all` tells the count and what each client has.
const SCRIPT: &str = "
import { DurableObject } from 'cloudflare:workers';
export class Ledger extends DurableObject {
  async fetch(request) {
    const { storage } = this.ctx;
    const { sql } = storage;
    sql.exec('CREATE TABLE IF NOT EXISTS booked (client, n INTEGER, fill BLOB, UNIQUE (client, n))');
    const [, , verb, client, n, bytes] = new URL(request.url).pathname.split('/');
    if (verb === 'add') {
      const count = (await storage.get('count')) ?? 0;
      sql.exec('INSERT INTO booked VALUES (?, ?, zeroblob(?))', client, Number(n), Number(bytes));
      await storage.put('count', count + 1);
      return new Response(n);
    }
    const rows = sql.exec('SELECT client, min(n) a, max(n) b, count(*) c FROM booked GROUP BY client');
    return Response.json({ count: (await storage.get('count')) ?? 0, clients:
      Object.fromEntries(rows.toArray().map((row) => [row.client, [row.a, row.b, row.c]])) });
  }
}
export default { fetch(request, env) {
  return env.LEDGER.getByName(new URL(request.url).pathname.split('/')[1]).fetch(request);
} };
";

fn project() -> tempfile::TempDir {
    support::project(CONFIG, SCRIPT)
}

fn ask(dev: &Dev, path: &str) -> Answer {
    send(dev.address, &get("localhost", path))
}

fn text(answer: &Answer) -> String {
    String::from_utf8_lossy(&answer.body).into_owned()
}

/// Runs `outboard data check` on a folder; answers what it prints where all is sound.
fn check(folder: &Path) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_outboard"));
    let output = command.args(["data", "check", "--data"]).arg(folder);
    let output = output.output().expect("outboard runs");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}{error}");
    told
}

/// A client that books numbers in one ledger, one after the other.
struct Booker {
    ledger: usize,
    name: String,
    /// Asked for, and answered.
    sent: AtomicU64,
    acknowledged: AtomicU64,
}

impl Booker {
    /// Books until the node is gone, and tells of each answer.
    fn book(&self, dev: &Dev, over: &AtomicBool, answers: &mpsc::Sender<()>) {
        while !over.load(Ordering::Relaxed) {
            let number = self.sent.load(Ordering::Relaxed) + 1;
            self.sent.store(number, Ordering::Relaxed);
            let (ledger, name) = (self.ledger, &self.name);
            let answer = ask(dev, &format!("/{ledger}/add/{name}/{number}/300"));
            if answer.fault.is_some() || answer.status != "200 OK" {
                assert_eq!(answer.status, "", "only a kill fails: {answer:?}");
                return;
            }
            assert_eq!(text(&answer), number.to_string());
            self.acknowledged.store(number, Ordering::Relaxed);
            // Nobody counts after the kill.
            let _ = answers.send(());
        }
    }
}

/// Invariants 1 and 3: what was acknowledged is there, whole, in order.
fn audit(dev: &Dev, bookers: &[Booker], ledgers: usize, when: &str) {
    for ledger in 0..ledgers {
        let answer = ask(dev, &format!("/{ledger}/all"));
        let told = text(&answer);
        assert_eq!(answer.status, "200 OK", "{when}: {told}");
        let found: serde_json::Value = serde_json::from_str(&told).expect("JSON");
        let mut rows = 0;
        for booker in bookers.iter().filter(|booker| booker.ledger == ledger) {
            let of = &found["clients"][&booker.name];
            let last = of[1].as_u64().unwrap_or(0);
            let acknowledged = booker.acknowledged.load(Ordering::Relaxed);
            let sent = booker.sent.load(Ordering::Relaxed);
            let name = &booker.name;
            assert!(
                (acknowledged..=sent).contains(&last),
                "{when}: {name} had {acknowledged} acknowledged of {sent} sent: {told}"
            );
            assert_eq!(of[2].as_u64().unwrap_or(0), last, "{when}: no gaps: {told}");
            // The next starts after what is there.
            booker.sent.store(last, Ordering::Relaxed);
            booker.acknowledged.store(last, Ordering::Relaxed);
            rows += last;
        }
        assert_eq!(found["count"], rows, "{when}: a commit is whole: {told}");
    }
}

/// Invariant 1. `OUTBOARD_KILLS` says how many cycles, `OUTBOARD_SEED` which.
#[test]
fn acknowledged_commits_survive_kill_9_under_load() {
    survive_kills(150, &[]);
}

/// The same where each object has an isolate and a lane to itself.
#[test]
fn acknowledged_commits_of_objects_apart_survive_kill_9() {
    survive_kills(50, &["--isolation", "object"]);
}

fn survive_kills(cycles: u64, options: &[&str]) {
    let number = |name: &str, otherwise: u64| {
        let value = std::env::var(name).ok();
        value.map_or(otherwise, |value| value.parse().expect(name))
    };
    let cycles = number("OUTBOARD_KILLS", cycles);
    let seed = number("OUTBOARD_SEED", u64::from(std::process::id()));
    println!("OUTBOARD_SEED={seed}");
    let mut dice = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    const LEDGERS: usize = 3;
    let bookers: Vec<_> = (0..6)
        .map(|number| Booker {
            ledger: number % LEDGERS,
            name: format!("c{number}"),
            sent: AtomicU64::new(0),
            acknowledged: AtomicU64::new(0),
        })
        .collect();
    let dir = project();
    for cycle in 0..cycles {
        let dev = Dev::start_with(dir.path(), options);
        audit(
            &dev,
            &bookers,
            LEDGERS,
            &format!("seed {seed}, start {cycle}"),
        );
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        // Early ones fall into the first transactions after a recovery.
        let kill_after = dice % [3, 20, 120][(cycle % 3) as usize];
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let (sender, answers) = mpsc::channel();
            for booker in &bookers {
                let (sender, dev, over) = (sender.clone(), &dev, &over);
                scope.spawn(move || booker.book(dev, over, &sender));
            }
            drop(sender);
            for _ in 0..=kill_after {
                answers
                    .recv_timeout(PATIENCE)
                    .unwrap_or_else(|_| panic!("no answers: {}", dev.process.log()));
            }
            crate::support::signal(&dev.process, libc::SIGKILL);
            over.store(true, Ordering::Relaxed);
        });
    }
    let dev = Dev::start_with(dir.path(), options);
    audit(&dev, &bookers, LEDGERS, "at the end");
    drop(dev);
    check(&dir.path().join(".outboard"));
}

/// A file system that this test alone sees, mounted by a shell in a namespace of its
/// own.
struct Mounted {
    shell: Child,
    answers: BufReader<std::process::ChildStdout>,
    _dir: tempfile::TempDir,
    below: PathBuf,
}

impl Mounted {
    /// In memory. None, and said, where the machine lets nobody mount.
    fn new(mib: u32) -> Option<Self> {
        let mut mounted = Self::shell("-rm")?;
        let folder = mounted.below.display().to_string();
        if mounted.run(&format!("mount -t tmpfs -o size={mib}m outboard {folder}")) {
            return Some(mounted);
        }
        eprintln!("SKIPPED: this machine lets nobody mount, so no disk to fill");
        None
    }

    /// A file system of a disk, in a file beside it, which turns read-only at its first
    /// fault. None, and said, where one may not do that.
    fn disk(mib: u32) -> Option<Self> {
        let mut mounted = Self::shell("-m")?;
        let image = mounted.image();
        let made = format!("truncate -s {mib}M {image} && mkfs.ext4 -q {image}");
        if mounted.run(&made) && mounted.mount() {
            return Some(mounted);
        }
        eprintln!("SKIPPED: only root may mount ext4, where there is mkfs.ext4");
        None
    }

    fn image(&self) -> String {
        format!("{}.image", self.below.display())
    }

    fn mount(&mut self) -> bool {
        let (image, folder) = (self.image(), self.below.display().to_string());
        self.run(&format!("mount -o loop,errors=remount-ro {image} {folder}"))
    }

    fn shell(unshare: &str) -> Option<Self> {
        let dir = tempfile::tempdir().expect("a folder");
        let below = dir.path().join("mounted");
        std::fs::create_dir(&below).expect("a folder");
        let mut command = Command::new("unshare");
        command
            .args([unshare, "sh"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let shell = command.stderr(Stdio::null()).spawn();
        let Ok(mut shell) = shell else {
            eprintln!("SKIPPED: there is no unshare here, so no disk to fill");
            return None;
        };
        let answers = BufReader::new(shell.stdout.take().expect("stdout is piped"));
        Some(Self {
            shell,
            answers,
            _dir: dir,
            below,
        })
    }

    /// Runs a command inside; answers whether it succeeded.
    fn run(&mut self, command: &str) -> bool {
        let stdin = self.shell.stdin.as_mut().expect("stdin is piped");
        if writeln!(stdin, "({command}) >&2; echo $?").is_err() {
            return false;
        }
        let mut line = String::new();
        self.answers.read_line(&mut line).is_ok() && line.trim() == "0"
    }

    /// The folder, as processes outside see it.
    fn folder(&self) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.shell.id()));
        root.join(self.below.strip_prefix("/").expect("an absolute path"))
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // What it mounted goes with it.
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}

#[test]
fn a_full_disk_refuses_writes_serves_reads_and_loses_nothing() {
    let Some(mut disk) = Mounted::new(200) else {
        return;
    };
    let dir = project();
    let folder = disk.folder().join("store");
    let data = folder.to_str().expect("a path that is text").to_string();
    let dev = Dev::start_with(dir.path(), &["--data", &data]);
    let ballast = disk.below.join("ballast").display().to_string();
    let mut last = 0;
    let mut add = |dev: &Dev, bytes: u32| {
        let answer = ask(dev, &format!("/a/add/c/{}/{bytes}", last + 1));
        if answer.status == "200 OK" {
            last += 1;
            return Ok(last);
        }
        Err((last, answer))
    };
    assert_eq!(add(&dev, 10).expect("room"), 1);
    // Takes all the room that is left.
    disk.run(&format!("cat /dev/zero > {ballast}"));
    let (kept, refused) = (0..400)
        .find_map(|_| add(&dev, 1_000_000).err())
        .expect("the disk is full");
    assert_eq!(refused.status, "500 Internal Server Error", "{refused:?}");
    let told = text(&refused).to_lowercase();
    assert!(told.contains("full"), "{told}");
    let all = |last: u64| format!(r#"{{"count":{last},"clients":{{"c":[1,{last},{last}]}}}}"#);
    assert_eq!(text(&ask(&dev, "/a/all")), all(kept));

    // With room it goes on by itself, once the log has made a segment.
    assert!(disk.run(&format!("rm {ballast}")));
    let kept = (0..1_000)
        .find_map(|_| {
            std::thread::sleep(Duration::from_millis(10));
            add(&dev, 10).ok()
        })
        .expect("it takes writes again");
    drop(dev);

    // Restarted, it has what it acknowledged and takes more.
    let dev = Dev::start_with(dir.path(), &["--data", &data]);
    assert_eq!(text(&ask(&dev, "/a/all")), all(kept));
    assert_eq!(add(&dev, 10).expect("room"), kept + 1);
    drop(dev);
    check(&folder);
}

/// As a disk turns when it fails: those who have files open write to it no more.
#[test]
fn a_disk_that_turns_read_only_refuses_writes_serves_reads_and_loses_nothing() {
    let Some(mut disk) = Mounted::disk(400) else {
        return;
    };
    let dir = project();
    let folder = disk.folder().join("store");
    let data = folder.to_str().expect("a path that is text").to_string();
    let mut dev = Dev::start_with(dir.path(), &["--data", &data]);
    let add =
        |dev: &Dev, ledger: &str, number: u64| ask(dev, &format!("/{ledger}/add/c/{number}/300"));
    let all = |last: u64| format!(r#"{{"count":{last},"clients":{{"c":[1,{last},{last}]}}}}"#);
    for number in 1..=20 {
        for ledger in ["a", "b"] {
            assert_eq!(text(&add(&dev, ledger, number)), number.to_string());
        }
    }
    assert!(disk.run(&format!("mount -o remount,abort {}", disk.below.display())));
    let refused = add(&dev, "a", 21);
    assert_eq!(refused.status, "500 Internal Server Error", "{refused:?}");
    let told = text(&refused);
    assert!(told.contains("until the node starts again"), "{told}");
    // Others are read, and cannot be written either.
    assert_eq!(text(&ask(&dev, "/b/all")), all(20));
    let refused = add(&dev, "b", 21);
    assert_eq!(refused.status, "500 Internal Server Error", "{refused:?}");
    until("the log", || {
        dev.process.log().contains("the commit log failed")
    });

    // It ends when it is asked to.
    crate::support::signal(&dev.process, libc::SIGTERM);
    dev.process.wait(PATIENCE);
    drop(dev);
    let below = disk.below.display().to_string();
    assert!(disk.run(&format!("umount {below}")) && disk.mount());
    let dev = Dev::start_with(dir.path(), &["--data", &data]);
    // Whether the last is there nobody was told.
    let found = text(&ask(&dev, "/a/all"));
    assert!(found == all(20) || found == all(21), "{found}");
    assert_eq!(text(&ask(&dev, "/b/all")), all(20));
    assert_eq!(text(&add(&dev, "b", 21)), "21");
    drop(dev);
    check(&folder);
}

#[test]
fn a_folder_that_cannot_be_written_is_refused_with_one_error() {
    let Some(mut disk) = Mounted::new(200) else {
        return;
    };
    let dir = project();
    let folder = disk.folder().join("store");
    let data = folder.to_str().expect("a path that is text").to_string();
    let dev = Dev::start_with(dir.path(), &["--data", &data]);
    assert_eq!(text(&ask(&dev, "/a/add/c/1/10")), "1");
    drop(dev);
    let below = disk.below.display().to_string();
    assert!(disk.run(&format!("mount -o remount,ro {below}")));
    let config = dir.path().join("outboard.toml");
    let toml = format!(
        "listen = \"127.0.0.1:0\"\ndata = {data:?}\n\
         [[worker]]\nname = \"bank\"\ndir = \".\"\nroutes = [\"*\"]\n"
    );
    std::fs::write(&config, toml).expect("a file");
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_outboard"));
        let output = command.args(arguments).current_dir(dir.path()).output();
        output.expect("outboard runs")
    };
    let refused = |arguments: &[&str]| {
        let output = run(arguments);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "{arguments:?}: {told}");
        let mut errors = told.lines().filter(|line| line.starts_with("error:"));
        let error = errors.next().map(String::from);
        assert!(errors.next().is_none(), "{arguments:?}: {told}");
        error.filter(|error| error.contains(&data)).expect(&told)
    };
    let error = refused(&["serve", "--config", "outboard.toml"]);
    assert!(error.contains("Read-only file system"), "{error}");
    // This one waits until that is mended.
    let mut command = Command::new(env!("CARGO_BIN_EXE_outboard"));
    command.arg("dev").arg(dir.path());
    command.args(["--port", "0", "--inspector-port", "0", "--data", &data]);
    let waits = Process::start(command, |_| {});
    until("the error", || {
        let told = waits.log();
        told.contains(&data) && told.contains("Read-only file system")
    });
    drop(waits);
    for arguments in [
        &["data", "ls", "--data", &data][..],
        &["data", "check", "--data", &data],
        &[
            "data",
            "export",
            "bank:Ledger/a",
            "a.sqlite",
            "--data",
            &data,
        ],
    ] {
        let error = refused(arguments);
        assert!(
            error.contains("its disk is read-only") && error.contains("copy the folder"),
            "{error}"
        );
    }
    assert!(!dir.path().join("a.sqlite").exists());

    // As it says.
    let copy = dir.path().join("copy");
    let mut command = Command::new("cp");
    let copied = command.arg("-a").arg(&folder).arg(&copy).status();
    assert!(copied.expect("cp runs").success());
    check(&copy);
    // What was acknowledged is there once it can be written.
    assert!(disk.run(&format!("mount -o remount,rw {below}")));
    let dev = Dev::start_with(dir.path(), &["--data", &data]);
    let one = r#"{"count":1,"clients":{"c":[1,1,1]}}"#;
    assert_eq!(text(&ask(&dev, "/a/all")), one);
}
