//! What do KV, R2 and D1 cost? Outboard's stores against miniflare's on npm workerd, both on the disk of the temporary folder; a second of wall time and of the servers' CPU time.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::{Bench, everyone};
use crate::http::{self, Client};
use crate::load::{Connections, Pace, Requests};
use crate::peer::{Bindings, Peer, Site};
use crate::report::{Row, Samples};
use crate::server::Server;

const NAME: &str = "data";
const CONNECTIONS: usize = 16;

/// The path, what it does, and the size that is right.
const VERBS: [(&str, &str, &[u8]); 5] = [
    ("kv_get", "KV: 1 KB read", b"1000\n"),
    ("kv_put", "KV: 1 KB written", b"1000\n"),
    ("r2_get", "R2: 64 KB read", b"65536\n"),
    ("r2_put", "R2: 64 KB written", b"65536\n"),
    ("d1_get", "D1: a row read by its key", b"1000\n"),
];

fn ask(verb: &str) -> Vec<u8> {
    http::get_path("bench.test", &format!("/{verb}"))
}

struct Running {
    server: Server,
    connections: Connections,
    per_cpu_second: [Vec<f64>; VERBS.len()],
    per_second: [Vec<f64>; VERBS.len()],
}

pub(super) fn measure(bench: &Bench) -> Result<Vec<Row>> {
    let duration = bench
        .effort
        .pick(Duration::from_secs(2), Duration::from_millis(400));
    bench.note(format!(
        "{NAME}: workerd's KV, R2 and D1 are miniflare's; Outboard's are on disk before they answer"
    ));
    let mut turns = bench.enter(NAME, bench.peers(), |peer| Running::start(bench, peer));
    turns.rounds(bench.effort.pick(5, 3), |_, running| {
        running.round(duration)
    });
    let mut rows = Vec::new();
    for (index, (_, what, _)) in VERBS.iter().enumerate() {
        let row = Row::new(NAME, *what, "requests / CPU s");
        rows.push(turns.row(row, everyone, |running| {
            Samples::median(running.per_cpu_second[index].clone())
        }));
        let row = Row::new(NAME, format!("{what}, wall"), "requests / s");
        rows.push(turns.row(row, everyone, |running| {
            Samples::median(running.per_second[index].clone())
        }));
    }
    Ok(rows)
}

impl Running {
    fn start(bench: &Bench, peer: &Peer) -> Result<Self> {
        let site = Site::With {
            script: include_str!("../../scripts/data.js"),
            flags: &[],
            bindings: Bindings::Data,
        };
        let server = peer.start(site, &ask("seed"), &bench.scratch)?;
        let mut client = Client::connect(server.address())?;
        for (verb, _, right) in VERBS {
            let reply = client.ask(&ask(verb))?;
            ensure!(
                reply.status == 200 && reply.body == right,
                "{verb}: status {}, {:?}",
                reply.status,
                String::from_utf8_lossy(&reply.body)
            );
        }
        let connections = Connections::open(server.address(), CONNECTIONS)?;
        Ok(Self {
            server,
            connections,
            per_cpu_second: Default::default(),
            per_second: Default::default(),
        })
    }

    fn round(&mut self, duration: Duration) -> Result<()> {
        for (index, (verb, _, _)) in VERBS.iter().enumerate() {
            let before = self.server.cpu()?;
            let request = &ask(verb);
            let outcome = self
                .connections
                .run(&Requests::Same { request, duration }, Pace::Closed)?;
            let cpu = self.server.cpu()?.saturating_sub(before);
            ensure!(
                outcome.failed == 0 && outcome.answered > 0,
                "{verb}: {} requests answered, {} failed",
                outcome.answered,
                outcome.failed
            );
            let answered = outcome.answered as f64;
            self.per_cpu_second[index].push(answered / cpu.as_secs_f64());
            self.per_second[index].push(answered / outcome.elapsed.as_secs_f64());
        }
        Ok(())
    }
}
