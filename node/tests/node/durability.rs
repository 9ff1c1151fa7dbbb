//! What docs/durability.md promises, through the binary: processes killed at
//! random points under load.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::support::Dev;
use crate::support::http::{Answer, get, send};

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
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join("wrangler.jsonc"), CONFIG).expect("a file");
    std::fs::write(dir.path().join("index.js"), SCRIPT).expect("a file");
    dir
}

fn ask(dev: &Dev, path: &str) -> Answer {
    send(dev.address, &get("localhost", path))
}

fn text(answer: &Answer) -> String {
    String::from_utf8_lossy(&answer.body).into_owned()
}

pub(crate) fn until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !done() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
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
    let number = |name: &str, otherwise: u64| {
        let value = std::env::var(name).ok();
        value.map_or(otherwise, |value| value.parse().expect(name))
    };
    let cycles = number("OUTBOARD_KILLS", 40);
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
        let dev = Dev::start(dir.path());
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
                    .recv_timeout(Duration::from_secs(30))
                    .unwrap_or_else(|_| panic!("no answers: {}", dev.process.log()));
            }
            crate::support::signal(&dev.process, libc::SIGKILL);
            over.store(true, Ordering::Relaxed);
        });
    }
    let dev = Dev::start(dir.path());
    audit(&dev, &bookers, LEDGERS, "at the end");
    drop(dev);
    check(&dir.path().join(".outboard"));
}
