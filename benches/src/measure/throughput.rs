//! How many requests does one core serve? Outboard on one lane against workerd's one thread; requests per second of the server's CPU time, and of wall time.

use std::time::Duration;

use anyhow::{Result, bail};
use serde_json::json;

use super::Bench;
use crate::http::{self, Client};
use crate::load::{Connections, Outcome, Pace, Requests};
use crate::peer::{Peer, Site};
use crate::report::{Row, Samples};
use crate::server::Server;

struct Case {
    name: &'static str,
    what: &'static str,
    aim: &'static str,
    script: &'static str,
    request: Vec<u8>,
    connections: usize,
    /// Whether an answer is the right one, asked before anything is measured.
    is_right: fn(&[u8]) -> bool,
    /// Whether Outboard is also measured with a lane a core.
    lanes: Lanes,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Lanes {
    One,
    OneAndAll,
}

const MEGABYTE: usize = 1024 * 1024;

pub(super) fn hello(bench: &Bench) -> Result<Vec<Row>> {
    measure(
        bench,
        &Case {
            name: "hello",
            what: "hello",
            aim: "ratio ≥ 2",
            script: include_str!("../../scripts/hello.js"),
            request: http::get("bench.test"),
            connections: 64,
            is_right: |body| body == b"Hello, world!\n",
            lanes: Lanes::OneAndAll,
        },
    )
}

pub(super) fn json(bench: &Bench) -> Result<Vec<Row>> {
    let items: Vec<_> =
        (0..12).map(|index| json!({ "sku": format!("part-{index:04}"), "price": 100 + index, "quantity": 2, "note": "as ordered" })).collect();
    let order = json!({ "customer": "c-1029", "country": "DK", "items": items }).to_string();
    measure(
        bench,
        &Case {
            name: "json",
            what: "JSON echo, 1 KB",
            aim: "ratio ≥ 2",
            script: include_str!("../../scripts/json_echo.js"),
            request: http::post("bench.test", "application/json", order.as_bytes()),
            connections: 64,
            is_right: |body| {
                serde_json::from_slice(body)
                    .is_ok_and(|order: serde_json::Value| order["total"] == 2532)
            },
            lanes: Lanes::One,
        },
    )
}

pub(super) fn stream(bench: &Bench) -> Result<Vec<Row>> {
    measure(
        bench,
        &Case {
            name: "stream",
            what: "1 MB streamed out in 64 KB chunks",
            aim: "",
            script: include_str!("../../scripts/stream_out.js"),
            request: http::get("bench.test"),
            connections: 16,
            is_right: |body| body.len() == MEGABYTE,
            lanes: Lanes::One,
        },
    )
}

pub(super) fn upload(bench: &Bench) -> Result<Vec<Row>> {
    measure(
        bench,
        &Case {
            name: "upload",
            what: "1 MB upload passed through",
            aim: "",
            script: include_str!("../../scripts/pass_through.js"),
            request: http::post(
                "bench.test",
                "application/octet-stream",
                &vec![b'u'; MEGABYTE],
            ),
            connections: 16,
            is_right: |body| body.len() == MEGABYTE && body.iter().all(|&byte| byte == b'u'),
            lanes: Lanes::One,
        },
    )
}

pub(super) fn cpu(bench: &Bench) -> Result<Vec<Row>> {
    measure(
        bench,
        &Case {
            name: "cpu",
            what: "CPU-heavy script",
            aim: "",
            script: include_str!("../../scripts/cpu.js"),
            request: http::get("bench.test"),
            connections: 8,
            is_right: |body| body == b"1103678\n",
            lanes: Lanes::One,
        },
    )
}

struct Running {
    server: Server,
    connections: Connections,
    per_cpu_second: Vec<f64>,
    per_second: Vec<f64>,
    /// Busiest round of the generator, as a share of its core.
    generator: f64,
}

fn measure(bench: &Bench, case: &Case) -> Result<Vec<Row>> {
    let mut peers = bench.peers();
    let all_lanes = (case.lanes == Lanes::OneAndAll && bench.cores > 1).then_some(bench.cores);
    if let Some(lanes) = all_lanes {
        peers.extend(
            bench
                .peers
                .iter()
                .filter(|peer| peer.has_lanes())
                .map(|peer| peer.with_lanes(lanes)),
        );
    }
    let mut turns = bench.enter(case.name, peers, |peer| Running::start(bench, peer, case));
    let duration = bench
        .effort
        .pick(Duration::from_secs(2), Duration::from_millis(400));
    turns.rounds(5, |_, running| running.round(case, duration));

    let mut rows = vec![
        turns.row(
            Row::new(case.name, case.what, "requests / CPU s").aim(case.aim),
            |peer| peer.lanes() == 1,
            |running| Samples::median(running.per_cpu_second.clone()),
        ),
        turns.row(
            Row::new(case.name, format!("{}, wall", case.what), "requests / s"),
            |peer| peer.lanes() == 1,
            |running| Samples::median(running.per_second.clone()),
        ),
    ];
    if let Some(lanes) = all_lanes {
        let several = |peer: &Peer| peer.lanes() > 1;
        rows.push(turns.row(
            Row::new(
                case.name,
                format!("{}, {lanes} lanes", case.what),
                "requests / CPU s",
            ),
            several,
            |running| Samples::median(running.per_cpu_second.clone()),
        ));
        rows.push(turns.row(
            Row::new(
                case.name,
                format!("{}, {lanes} lanes, wall", case.what),
                "requests / s",
            ),
            several,
            |running| Samples::median(running.per_second.clone()),
        ));
    }
    for (peer, running) in turns.states() {
        if running.generator > 0.9 {
            bench.note(format!(
                "{}: {} on {} lane(s): the generator used {:.0} % of a core, so requests a second of wall time are its limit as much as the server's",
                case.name,
                peer.label(),
                peer.lanes(),
                running.generator * 100.0
            ));
        }
    }
    Ok(rows)
}

impl Running {
    fn start(bench: &Bench, peer: &Peer, case: &Case) -> Result<Self> {
        let server = peer.start(
            Site::One {
                script: case.script,
            },
            &case.request,
            &bench.scratch,
        )?;
        let reply = Client::connect(server.address())?.ask(&case.request)?;
        if reply.status != 200 || !(case.is_right)(&reply.body) {
            let start =
                String::from_utf8_lossy(&reply.body[..reply.body.len().min(200)]).into_owned();
            bail!(
                "wrong answer: status {}, {} bytes: {start}",
                reply.status,
                reply.body.len()
            );
        }
        let mut connections = Connections::open(server.address(), case.connections)?;
        let warm_up = bench
            .effort
            .pick(Duration::from_secs(1), Duration::from_millis(300));
        run(&mut connections, case, warm_up)?;
        Ok(Self {
            server,
            connections,
            per_cpu_second: Vec::new(),
            per_second: Vec::new(),
            generator: 0.0,
        })
    }

    fn round(&mut self, case: &Case, duration: Duration) -> Result<()> {
        let cpu_before = self.server.cpu()?;
        let outcome = run(&mut self.connections, case, duration)?;
        let cpu = self.server.cpu()?.saturating_sub(cpu_before);
        let answered = outcome.answered as f64;
        self.per_cpu_second.push(answered / cpu.as_secs_f64());
        self.per_second
            .push(answered / outcome.elapsed.as_secs_f64());
        self.generator = self
            .generator
            .max(outcome.generator_cpu.as_secs_f64() / outcome.elapsed.as_secs_f64());
        Ok(())
    }
}

fn run(connections: &mut Connections, case: &Case, duration: Duration) -> Result<Outcome> {
    let outcome = connections.run(
        &Requests::Same {
            request: &case.request,
            duration,
        },
        Pace::Closed,
    )?;
    if outcome.failed > 0 || outcome.answered == 0 {
        bail!(
            "{} requests answered, {} failed",
            outcome.answered,
            outcome.failed
        );
    }
    Ok(outcome)
}
