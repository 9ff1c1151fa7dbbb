//! How long does a new tenant wait for its isolate, and how many can a core make? Outboard's configured workers against workerd's Worker Loader; milliseconds from request to first byte, and isolates per second of CPU time.

use std::thread::sleep;
use std::time::Duration;

use anyhow::{Result, bail, ensure};

use super::{Bench, everyone, millis};
use crate::histogram::Histogram;
use crate::http::{self, Client};
use crate::load::{Connections, Pace, Requests};
use crate::peer::{Peer, Site, tenant};
use crate::report::{Row, Samples};

/// Between two new tenants of the paced part: 50 a second, a busy but bearable rate.
const GAP: Duration = Duration::from_millis(20);

/// A pool of ready isolates is refilled by then, and its work counted.
const SETTLE: Duration = Duration::from_millis(500);

const BURST_CONNECTIONS: usize = 8;

/// Requests to an isolate that is there, at the same pace: what an idle machine
/// takes to wake up is in the figures for new isolates too.
const WARM_REQUESTS: usize = 50;

struct Rounds {
    paced: Timings,
    warm: Timings,
    burst: Timings,
    per_cpu_second: Vec<f64>,
    per_second: Vec<f64>,
}

/// All rounds together, and each one's percentiles.
struct Timings {
    all: Histogram,
    p50: Vec<f64>,
    p99: Vec<f64>,
}

/// Which isolates, and how Outboard comes by them; workerd has one way.
#[derive(Clone, Copy)]
pub(super) struct Made {
    /// The measurement's name.
    pub(super) measurement: &'static str,
    /// What the rows call one.
    pub(super) name: &'static str,
    /// By a worker of Outboard's too, else by its configuration.
    loaded: bool,
    script: &'static str,
    flags: &'static [&'static str],
    /// For the first byte's p50 and p99, isolates made, and the weight of an idle one.
    pub(super) aims: [&'static str; 4],
    /// How many are weighed, at most.
    pub(super) most: usize,
}

const COUNTER: &str = include_str!("../../scripts/counter.js");

pub(super) const CONFIGURED: Made = Made {
    measurement: "isolates",
    name: "isolate",
    loaded: false,
    script: COUNTER,
    flags: &[],
    aims: ["≤ 1 ms", "≤ 3 ms", "≥ 500", "≤ 1.0 MB"],
    most: 1_000,
};

pub(super) const LOADED: Made = Made {
    measurement: "loader",
    name: "dynamic worker",
    loaded: true,
    aims: ["ratio ≤ 0.2", "ratio ≤ 0.2", "≥ 500", "≤ 1.0 MB"],
    ..CONFIGURED
};

/// With the flag, and nothing of Node's in use.
pub(super) const FLAGGED: Made = Made {
    measurement: "nodejs",
    name: "isolate with nodejs_compat",
    flags: &["nodejs_compat"],
    aims: [""; 4],
    most: 100,
    ..CONFIGURED
};

pub(super) const NODEJS: Made = Made {
    name: "isolate with four of Node's modules",
    script: include_str!("../../scripts/nodejs.js"),
    ..FLAGGED
};

impl Made {
    pub(super) fn site(self, count: usize) -> Site {
        let Self { script, flags, .. } = self;
        if self.loaded {
            Site::Loaded { script, flags }
        } else {
            Site::Tenants {
                script,
                flags,
                count,
            }
        }
    }
}

pub(super) fn measure(bench: &Bench) -> Result<Vec<Row>> {
    made_by(bench, CONFIGURED)
}

pub(super) fn made_by(bench: &Bench, made: Made) -> Result<Vec<Row>> {
    let rounds = bench.effort.pick(5, 3);
    let paced = bench.effort.pick(100, 40);
    let burst = bench.effort.pick(400, 100);
    let name = made.measurement;
    let mut turns = bench.enter(name, bench.peers(), |_| Ok(Rounds::new()));
    turns.rounds(rounds, |peer, rounds| {
        rounds.round(bench, peer, made, paced, burst)
    });

    let one = made.name;
    let [first, later, rate, _] = made.aims;
    let row = |what: &str, unit| Row::new(name, what.replace("ISOLATE", one), unit);
    Ok(vec![
        turns.row(
            row("new ISOLATE to first byte, 50 a second: p50", "ms").aim(first),
            everyone,
            |rounds| rounds.paced.p50(),
        ),
        turns.row(
            row("new ISOLATE to first byte, 50 a second: p99", "ms").aim(later),
            everyone,
            |rounds| rounds.paced.p99(),
        ),
        turns.row(
            row("the same once the ISOLATE is there: p50", "ms"),
            everyone,
            |rounds| rounds.warm.p50(),
        ),
        turns.row(
            row(
                "new ISOLATE to answer, 8 at a time without pause: p50",
                "ms",
            ),
            everyone,
            |rounds| rounds.burst.p50(),
        ),
        turns.row(
            row(
                "new ISOLATE to answer, 8 at a time without pause: p99",
                "ms",
            ),
            everyone,
            |rounds| rounds.burst.p99(),
        ),
        turns.row(
            row("ISOLATE: made", "isolates / CPU s").aim(rate),
            everyone,
            |rounds| Samples::median(rounds.per_cpu_second.clone()),
        ),
        turns.row(
            row("ISOLATE: made, wall", "isolates / s"),
            everyone,
            |rounds| Samples::median(rounds.per_second.clone()),
        ),
    ])
}

impl Rounds {
    fn new() -> Self {
        Self {
            paced: Timings::new(),
            warm: Timings::new(),
            burst: Timings::new(),
            per_cpu_second: Vec::new(),
            per_second: Vec::new(),
        }
    }

    /// One fresh server: its first tenants at a pace, one of them again, then the others in a burst.
    fn round(
        &mut self,
        bench: &Bench,
        peer: &Peer,
        made: Made,
        paced: usize,
        burst: usize,
    ) -> Result<()> {
        let server = peer.start(
            made.site(1 + paced + burst),
            &http::get(&tenant(0)),
            &bench.scratch,
        )?;
        let mut client = Client::connect(server.address())?;
        let mut ask = |index: usize, nth: usize| -> Result<Duration> {
            let host = tenant(index);
            let reply = client.ask(&http::get(&host))?;
            let expected = format!("{host} {nth}\n");
            ensure!(
                reply.status == 200 && reply.body == expected.as_bytes(),
                "{host}: status {}, {:?} instead of {expected:?}",
                reply.status,
                String::from_utf8_lossy(&reply.body)
            );
            Ok(reply.first_byte)
        };

        let mut timings = Histogram::new();
        for index in 1..=paced {
            sleep(GAP);
            timings.record(ask(index, 1)?);
        }
        self.paced.add(&timings);

        let mut timings = Histogram::new();
        for nth in 0..WARM_REQUESTS {
            sleep(GAP);
            timings.record(ask(1, nth + 2)?);
        }
        self.warm.add(&timings);

        sleep(SETTLE);
        let list: Vec<_> = (1 + paced..1 + paced + burst)
            .map(|index| http::get(&tenant(index)))
            .collect();
        let mut connections = Connections::open(server.address(), BURST_CONNECTIONS)?;
        let cpu_before = server.cpu()?;
        let outcome = connections.run(
            &Requests::Once {
                requests: &list,
                limit: Duration::from_secs(30),
            },
            Pace::Closed,
        )?;
        sleep(SETTLE);
        let cpu = server.cpu()?.saturating_sub(cpu_before);
        if outcome.failed > 0 || outcome.answered != list.len() as u64 {
            bail!(
                "of {} new tenants {} were answered and {} failed",
                list.len(),
                outcome.answered,
                outcome.failed
            );
        }
        self.burst.add(&outcome.latency);
        self.per_cpu_second
            .push(outcome.answered as f64 / cpu.as_secs_f64());
        self.per_second
            .push(outcome.answered as f64 / outcome.elapsed.as_secs_f64());
        Ok(())
    }
}

impl Timings {
    fn new() -> Self {
        Self {
            all: Histogram::new(),
            p50: Vec::new(),
            p99: Vec::new(),
        }
    }

    fn add(&mut self, round: &Histogram) {
        self.all.merge(round);
        self.p50.push(millis(round.quantile(0.5)));
        self.p99.push(millis(round.quantile(0.99)));
    }

    fn p50(&self) -> Option<Samples> {
        Samples::pooled(millis(self.all.quantile(0.5)), self.p50.clone())
    }

    fn p99(&self) -> Option<Samples> {
        Samples::pooled(millis(self.all.quantile(0.99)), self.p99.clone())
    }
}
