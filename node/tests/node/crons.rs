//! Scheduled runs by the clock, which is the machine's: this waits for it.

use std::time::{Duration, Instant};

use crate::support::http::{get, send};
use crate::support::{Dev, Outboard};

const CONFIG: &str = r#"{
  "name": "demo",
  "main": "index.js",
  "compatibility_date": "2026-04-01",
  "kv_namespaces": [{ "binding": "RUNS", "id": "runs" }],
  "triggers": { "crons": ["* * * * *", "0 0 1 1 sun#5"] }
}"#;

/// Counts the runs for each time; `/` tells them.
const SCRIPT: &str = "
export default {
  async fetch(request, { RUNS }) {
    const { keys } = await RUNS.list();
    return Response.json(await Promise.all(keys.map(async ({ name }) => [name, await RUNS.get(name)])));
  },
  async scheduled({ cron, scheduledTime }, { RUNS }) {
    if (scheduledTime % 60_000 !== 0 || scheduledTime > Date.now()) throw new Error('a strange time');
    const key = `${cron} ${scheduledTime}`;
    await RUNS.put(key, `${Number(await RUNS.get(key)) + 1}`);
  },
};
";

/// Waits for a run, a minute at most, and tells all.
fn first_run(address: std::net::SocketAddr) -> String {
    let deadline = Instant::now() + Duration::from_secs(75);
    loop {
        let answer = send(address, &get("localhost", "/"));
        let told = String::from_utf8_lossy(&answer.body).into_owned();
        if told != "[]" {
            return told;
        }
        assert!(Instant::now() < deadline, "nothing ran in a minute");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_handler_runs_once_for_each_time_in_dev_and_in_serve() {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join("wrangler.jsonc"), CONFIG).expect("a file");
    std::fs::write(dir.path().join("index.js"), SCRIPT).expect("a file");
    let dev = Dev::start(dir.path());
    let server = Outboard::serve(&format!(
        "lanes = 3\ndata = {:?}\n[[worker]]\nname = \"demo\"\ndir = {:?}\nroutes = [\"*\"]\n",
        dir.path().join("data"),
        dir.path(),
    ));
    for told in [first_run(dev.address), first_run(server.address)] {
        let once = told.starts_with("[[\"* * * * * ") && told.ends_with("000\",\"1\"]]");
        assert!(once, "{told}");
    }
    // A node that starts again in the same minute does not run it again.
    drop(dev);
    let dev = Dev::start(dir.path());
    let told = first_run(dev.address);
    assert!(
        told.starts_with("[[\"* * * * * ") && !told.contains("\"2\""),
        "{told}"
    );
}
