//! What does a live, idle isolate weigh? Outboard's configured workers against workerd's Worker Loader; MB (10^6 bytes) of resident memory an isolate, at 100 and at 1,000 of them.

use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::isolates::{self, Made};
use super::{Bench, everyone};
use crate::http::{self, Client};
use crate::load::{Connections, Pace, Requests};
use crate::machine;
use crate::peer::{Peer, tenant};
use crate::report::{Row, Samples};
use crate::server::{Memory, Server};

const STAGES: [usize; 2] = [100, 1000];

/// Enough for 1,000 isolates of either peer, with room to be wrong.
const NEEDED: u64 = 4_000_000_000;

/// Every so many isolates are asked a second time, to see that they were alive.
const ALIVE_STEP: usize = 10;

#[derive(Default)]
struct Rounds {
    base: Vec<f64>,
    stages: [Stage; STAGES.len()],
    alive: Vec<f64>,
}

#[derive(Default)]
struct Stage {
    rss: Vec<f64>,
    pss: Vec<f64>,
}

fn stages(made: Made) -> impl Iterator<Item = usize> {
    STAGES.into_iter().filter(move |&count| count <= made.most)
}

pub(super) fn measure(bench: &Bench) -> Result<Vec<Row>> {
    of(bench, isolates::CONFIGURED)
}

pub(super) fn of(bench: &Bench, made: Made) -> Result<Vec<Row>> {
    let available = machine::available_memory()?;
    if available < NEEDED {
        bail!(
            "needs {} MB of available memory, found {}",
            NEEDED / 1_000_000,
            available / 1_000_000
        );
    }
    let rounds = bench.effort.pick(3, 1);
    let one = made.name;
    let name = match made.measurement {
        "isolates" => "memory",
        other => other,
    };
    let mut turns = bench.enter(name, bench.peers(), |_| Ok(Rounds::default()));
    turns.rounds(rounds, |peer, rounds| rounds.round(bench, peer, made));

    let mut rows = vec![turns.row(
        Row::new(name, format!("server with one {one}, PSS"), "MB"),
        everyone,
        |rounds| Samples::median(rounds.base.clone()),
    )];
    for (index, count) in stages(made).enumerate() {
        let row =
            Row::new(name, format!("idle {one}, one of {count}, PSS"), "MB").aim(made.aims[3]);
        rows.push(turns.row(row, everyone, |rounds| {
            Samples::median(rounds.stages[index].pss.clone())
        }));
        let row = Row::new(name, format!("idle {one}, one of {count}, RSS"), "MB");
        rows.push(turns.row(row, everyone, |rounds| {
            Samples::median(rounds.stages[index].rss.clone())
        }));
    }
    let row = Row::new(name, format!("{one}s still alive when asked again"), "%");
    rows.push(turns.row(row, everyone, |rounds| {
        Samples::median(rounds.alive.clone())
    }));
    Ok(rows)
}

impl Rounds {
    /// One fresh server, weighed with one isolate and then at each stage.
    fn round(&mut self, bench: &Bench, peer: &Peer, made: Made) -> Result<()> {
        let most = made.most;
        let server = peer.start(made.site(1 + most), &http::get(&tenant(0)), &bench.scratch)?;
        let idle = bench
            .effort
            .pick(Duration::from_secs(3), Duration::from_secs(2));
        let base = weigh(&server, idle)?;
        self.base.push(base.pss as f64 / 1e6);
        let mut there = 0;
        for (stage, count) in self.stages.iter_mut().zip(stages(made)) {
            make(&server, there + 1..=count)?;
            there = count;
            let now = weigh(&server, idle)?;
            let each = |now: u64, base: u64| (now as f64 - base as f64) / count as f64 / 1e6;
            stage.rss.push(each(now.rss, base.rss));
            stage.pss.push(each(now.pss, base.pss));
        }
        self.alive.push(alive(&server, most)?);
        Ok(())
    }
}

fn make(server: &Server, tenants: std::ops::RangeInclusive<usize>) -> Result<()> {
    let list: Vec<_> = tenants.map(|index| http::get(&tenant(index))).collect();
    let mut connections = Connections::open(server.address(), 4)?;
    let outcome = connections.run(
        &Requests::Once {
            requests: &list,
            limit: Duration::from_secs(60),
        },
        Pace::Closed,
    )?;
    if outcome.failed > 0 || outcome.answered != list.len() as u64 {
        bail!(
            "of {} new tenants {} were answered and {} failed",
            list.len(),
            outcome.answered,
            outcome.failed
        );
    }
    Ok(())
}

/// After some idle time, when collections that idleness brings have run.
fn weigh(server: &Server, idle: Duration) -> Result<Memory> {
    sleep(idle);
    server.memory()
}

/// The percentage of isolates that count the second request as their second.
fn alive(server: &Server, most: usize) -> Result<f64> {
    let mut client = Client::connect(server.address())?;
    let mut asked = 0;
    let mut alive = 0;
    for index in (1..=most).step_by(ALIVE_STEP) {
        let host = tenant(index);
        let reply = client
            .ask(&http::get(&host))
            .with_context(|| host.clone())?;
        asked += 1;
        alive += usize::from(reply.body == format!("{host} 2\n").as_bytes());
    }
    Ok(alive as f64 / asked as f64 * 100.0)
}
