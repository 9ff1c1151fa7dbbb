//! What do durable objects cost? Outboard on one lane against workerd's one thread, each with SQLite databases on the disk of the temporary folder: commits and reads a second, waking, memory asleep, alarms, and the start after a kill.

use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail, ensure};

use super::{Bench, Effort, everyone, millis};
use crate::histogram::Histogram;
use crate::http::{self, Client};
use crate::load::{Connections, Outcome, Pace, Requests};
use crate::peer::{Peer, Site};
use crate::report::{Row, Samples};
use crate::server::Server;

const NAME: &str = "objects";
const HOST: &str = "bench.test";
const CONNECTIONS: usize = 64;
const SPREAD: usize = 1_000;
/// Both let an object go that had nothing to do for 10 seconds.
const ASLEEP: Duration = Duration::from_secs(13);
/// Not all that was asked of a slow disk comes to an end.
const PATIENCE: Duration = Duration::from_secs(180);

fn site() -> Site {
    Site::Objects {
        script: include_str!("../../scripts/objects.js"),
        class: "Box",
        binding: "BOX",
    }
}

fn ask(name: &str, what: &str) -> Vec<u8> {
    http::get_path(HOST, &format!("/{name}/{what}"))
}

#[derive(Default)]
struct Figures {
    one: Vec<f64>,
    spread: Vec<f64>,
    reads: Vec<f64>,
    reads_per_cpu: Vec<f64>,
    /// Milliseconds.
    wake_p50: Vec<f64>,
    wake_p99: Vec<f64>,
    /// Bytes of an object that sleeps.
    asleep: Vec<f64>,
    alarms: Vec<f64>,
    /// Milliseconds.
    restart: Vec<f64>,
}

struct Running {
    server: Server,
    connections: Connections,
    figures: Figures,
}

pub(super) fn measure(bench: &Bench) -> Result<Vec<Row>> {
    let mut turns = bench.enter(NAME, bench.peers(), |peer| {
        let server = peer.start(site(), &ask("one", "write"), &bench.scratch)?;
        let connections = Connections::open(server.address(), CONNECTIONS)?;
        Ok(Running {
            server,
            connections,
            figures: Figures::default(),
        })
    });
    let effort = bench.effort;
    turns.rounds(effort.pick(5, 2), |_, running| running.rates(effort));
    turns.rounds(effort.pick(3, 1), |_, running| running.wake(effort));
    turns.rounds(effort.pick(3, 1), |_, running| running.alarms(effort));
    turns.rounds(1, |_, running| running.sleep(effort));
    turns.rounds(effort.pick(3, 1), |peer, running| {
        running.figures.restart.push(restart(bench, peer)?);
        Ok(())
    });
    let row = |what: &str, unit, figure: fn(&Figures) -> &Vec<f64>| {
        turns.row(Row::new(NAME, what, unit), everyone, |running| {
            Samples::median(figure(&running.figures).clone())
        })
    };
    Ok(vec![
        row("durable commits, one object", "commits / s", |all| &all.one),
        row("durable commits, 1,000 objects", "commits / s", |all| {
            &all.spread
        }),
        row("reads of one object", "reads / CPU s", |all| {
            &all.reads_per_cpu
        }),
        row("reads of one object, wall", "reads / s", |all| &all.reads),
        row("request to an object that sleeps: p50", "ms", |all| {
            &all.wake_p50
        }),
        row("request to an object that sleeps: p99", "ms", |all| {
            &all.wake_p99
        }),
        row("memory of an object that sleeps", "bytes", |all| {
            &all.asleep
        }),
        row("alarms that are due at once", "alarms / s", |all| {
            &all.alarms
        }),
        row("start after kill -9 under load", "ms", |all| &all.restart),
    ])
}

impl Running {
    fn rates(&mut self, effort: Effort) -> Result<()> {
        let duration = effort.pick(Duration::from_secs(2), Duration::from_millis(400));
        let same = |connections: &mut Connections, request: &[u8]| {
            run(connections, &Requests::Same { request, duration })
        };
        let rate = |outcome: &Outcome| outcome.answered as f64 / outcome.elapsed.as_secs_f64();
        let figures = &mut self.figures;
        let written = same(&mut self.connections, &ask("one", "write"))?;
        figures.one.push(rate(&written));
        let requests: Vec<_> = (0..effort.pick(100, 5) * SPREAD)
            .map(|index| ask(&format!("spread{}", index % SPREAD), "write"))
            .collect();
        let spread = run(
            &mut self.connections,
            &Requests::Once {
                requests: &requests,
                limit: duration,
            },
        )?;
        figures.spread.push(rate(&spread));
        let before = self.server.cpu()?;
        let read = same(&mut self.connections, &ask("one", "read"))?;
        let cpu = self.server.cpu()?.saturating_sub(before);
        figures.reads.push(rate(&read));
        figures
            .reads_per_cpu
            .push(read.answered as f64 / cpu.as_secs_f64());
        Ok(())
    }

    /// One request after the other, so that none waits for another's waking.
    fn wake(&mut self, effort: Effort) -> Result<()> {
        let names: Vec<_> = (0..effort.pick(1_000, 50))
            .map(|index| ask(&format!("sleeper{index}"), "write"))
            .collect();
        self.once(&names)?;
        sleep(ASLEEP);
        let mut client = Client::connect(self.server.address())?;
        let mut latency = Histogram::new();
        for request in &names {
            let asked = Instant::now();
            let reply = client.ask(request)?;
            latency.record(asked.elapsed());
            ensure!(reply.status == 200, "status {}", reply.status);
            ensure!(reply.body == b"1\n", "an object did not sleep");
        }
        let figures = &mut self.figures;
        figures.wake_p50.push(millis(latency.quantile(0.5)));
        figures.wake_p99.push(millis(latency.quantile(0.99)));
        Ok(())
    }

    /// Alarms of many objects at one time, until the last has rung.
    fn alarms(&mut self, effort: Effort) -> Result<()> {
        let mut client = Client::connect(self.server.address())?;
        let mut rang = || -> Result<u64> {
            let reply = client.ask(&http::get_path(HOST, "/rang"))?;
            let text = String::from_utf8_lossy(&reply.body).into_owned();
            text.trim()
                .parse()
                .with_context(|| format!("not a number: {text}"))
        };
        let before = rang()?;
        let count = effort.pick(5_000, 200);
        let due = SystemTime::now() + effort.pick(Duration::from_secs(20), Duration::from_secs(3));
        let time = due.duration_since(UNIX_EPOCH)?.as_millis();
        let requests: Vec<_> = (0..count)
            .map(|index| ask(&format!("alarm{index}"), &format!("alarm/{time}")))
            .collect();
        self.once(&requests)?;
        let Ok(rest) = due.duration_since(SystemTime::now()) else {
            bail!("setting {count} alarms took until they were due");
        };
        sleep(rest);
        let started = Instant::now();
        while rang()? < before + count {
            ensure!(
                started.elapsed() < PATIENCE,
                "{} of {count} rang",
                rang()? - before
            );
            sleep(Duration::from_millis(2));
        }
        let rate = count as f64 / started.elapsed().as_secs_f64();
        self.figures.alarms.push(rate);
        Ok(())
    }

    fn sleep(&mut self, effort: Effort) -> Result<()> {
        sleep(ASLEEP);
        let before = self.server.memory()?.rss;
        let requests: Vec<_> = (0..effort.pick(100_000, 1_000))
            .map(|index| ask(&format!("many{index}"), "write"))
            .collect();
        let made = self.once(&requests)?;
        sleep(ASLEEP);
        let after = self.server.memory()?.rss;
        let each = after.saturating_sub(before) as f64 / made as f64;
        self.figures.asleep.push(each);
        Ok(())
    }

    /// Asks each once; answers how many there was time for.
    fn once(&mut self, requests: &[Vec<u8>]) -> Result<u64> {
        let limit = PATIENCE;
        let outcome = run(&mut self.connections, &Requests::Once { requests, limit })?;
        Ok(outcome.answered)
    }
}

/// Milliseconds from making the process to its first answer, where the one before
/// was killed while it wrote to many objects.
fn restart(bench: &Bench, peer: &Peer) -> Result<f64> {
    let folder = bench.scratch.folder()?;
    let first = ask("one", "write");
    let server = peer.start_in(site(), &first, &folder)?;
    let requests: Vec<_> = (0..bench.effort.pick(100_000, 2_000))
        .map(|index| ask(&format!("box{}", index % SPREAD), "write"))
        .collect();
    let limit = bench
        .effort
        .pick(Duration::from_secs(10), Duration::from_secs(1));
    let mut connections = Connections::open(server.address(), CONNECTIONS)?;
    run(
        &mut connections,
        &Requests::Once {
            requests: &requests,
            limit,
        },
    )?;
    server.kill();
    Ok(millis(
        peer.start_in(site(), &first, &folder)?.start_to_ready,
    ))
}

fn run(connections: &mut Connections, requests: &Requests<'_>) -> Result<Outcome> {
    let outcome = connections.run(requests, Pace::Closed)?;
    if outcome.failed > 0 || outcome.answered == 0 {
        bail!(
            "{} requests answered, {} failed",
            outcome.answered,
            outcome.failed
        );
    }
    Ok(outcome)
}
