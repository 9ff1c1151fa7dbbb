//! What do durable objects cost? Outboard on one lane against workerd's one thread, each with SQLite databases on the disk of the temporary folder: commits and reads a second, waking, memory asleep, the cost of objects that are known, alarms, and the start after a kill.

use std::fs;
use std::ops::Range;
use std::path::Path;
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
/// Of an object that is filled with a megabyte.
const ROWS: usize = 256;
/// How many numbers of known objects are looked at, ten times as many each time.
const STAGES: usize = 4;
/// The stage after which sleeping objects are weighed.
const WEIGHED: usize = 2;
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
    /// Commits a second of one object, and ms of one that wakes, with so many known.
    known: [Known; STAGES],
    /// Bytes of an object that sleeps besides as many others.
    asleep: Vec<f64>,
    /// MB of the process when all sleep.
    resident: Vec<f64>,
    alarms: Vec<f64>,
    /// Milliseconds.
    restart: Vec<f64>,
    /// Seconds a GB of log.
    recovery: Vec<f64>,
}

#[derive(Default)]
struct Known {
    commits: Vec<f64>,
    wake: Vec<f64>,
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
        let restart = restart(bench, peer)?;
        let figures = &mut running.figures;
        figures.restart.push(restart.ms);
        figures.recovery.extend(restart.seconds_a_gb);
        Ok(())
    });
    let aimed = |what: &str, unit, aim, figure: fn(&Figures) -> &Vec<f64>| {
        turns.row(Row::new(NAME, what, unit).aim(aim), everyone, |running| {
            Samples::median(figure(&running.figures).clone())
        })
    };
    let row = |what: &str, unit, figure| aimed(what, unit, "", figure);
    let mut rows = vec![
        aimed(
            "durable commits, one object",
            "commits / s",
            "ratio ≥ 1",
            |all| &all.one,
        ),
        aimed(
            "durable commits, 1,000 objects",
            "commits / s",
            "ratio ≥ 3",
            |all| &all.spread,
        ),
        aimed(
            "reads of one object",
            "reads / CPU s",
            "ratio ≥ 1.5",
            |all| &all.reads_per_cpu,
        ),
        row("reads of one object, wall", "reads / s", |all| &all.reads),
        aimed(
            "a row of an object that sleeps with 1 MB: p50",
            "ms",
            "≤ 5 ms",
            |all| &all.wake_p50,
        ),
        aimed(
            "a row of an object that sleeps with 1 MB: p99",
            "ms",
            "≤ 20 ms",
            |all| &all.wake_p99,
        ),
        aimed(
            "memory of one object more that sleeps",
            "bytes",
            "≤ 200",
            |all| &all.asleep,
        ),
        row("resident memory, all asleep", "MB", |all| &all.resident),
        row("alarms that are due at once", "alarms / s", |all| {
            &all.alarms
        }),
        row("start after kill -9 under load", "ms", |all| &all.restart),
        row("the same for a GB of log that it reads", "s", |all| {
            &all.recovery
        }),
    ];
    for stage in stages(effort) {
        let count = known_at(effort, stage);
        let known = |what: &str, unit, figure: fn(&Known) -> &Vec<f64>| {
            let row = Row::new(NAME, format!("{count} objects known: {what}"), unit);
            turns.row(row, everyone, |running| {
                Samples::median(figure(&running.figures.known[stage]).clone())
            })
        };
        rows.push(known("commits of one", "commits / s", |all| &all.commits));
        rows.push(known("one that wakes, p50", "ms", |all| &all.wake));
    }
    Ok(rows)
}

impl Running {
    fn rates(&mut self, effort: Effort) -> Result<()> {
        let duration = effort.pick(Duration::from_secs(2), Duration::from_millis(400));
        let same = |connections: &mut Connections, request: &[u8]| {
            run(connections, &Requests::Same { request, duration })
        };
        let rate = |outcome: &Outcome| outcome.answered as f64 / outcome.elapsed.as_secs_f64();
        self.connect()?;
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
        let names: Vec<_> = (0..effort.pick(300, 50))
            .map(|index| format!("sleeper{index}"))
            .collect();
        let filled: Vec<_> = names.iter().map(|name| ask(name, "fill")).collect();
        self.once(&filled)?;
        sleep(ASLEEP);
        let mut client = Client::connect(self.server.address())?;
        let mut latency = Histogram::new();
        for (index, name) in names.iter().enumerate() {
            let request = ask(name, &format!("look/{}", index % ROWS));
            let asked = Instant::now();
            let reply = client.ask(&request)?;
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
        let address = self.server.address();
        let rang = |client: &mut Client| -> Result<u64> {
            let reply = client.ask(&http::get_path(HOST, "/rang"))?;
            let text = String::from_utf8_lossy(&reply.body).into_owned();
            text.trim()
                .parse()
                .with_context(|| format!("not a number: {text}"))
        };
        let before = rang(&mut Client::connect(address)?)?;
        let count = effort.pick(5_000, 200);
        let at = |time: SystemTime| -> Result<Vec<_>> {
            let time = time.duration_since(UNIX_EPOCH)?.as_millis();
            let asked =
                (0..count).map(|index| ask(&format!("alarm{index}"), &format!("alarm/{time}")));
            Ok(asked.collect())
        };
        // Once to make them all, which says how long it takes.
        let begun = Instant::now();
        self.once(&at(SystemTime::now() + Duration::from_secs(3_600))?)?;
        let due = SystemTime::now() + 2 * begun.elapsed() + Duration::from_secs(1);
        self.once(&at(due)?)?;
        let Ok(rest) = due.duration_since(SystemTime::now()) else {
            bail!("setting {count} alarms took until they were due");
        };
        sleep(rest);
        let mut client = Client::connect(address)?;
        let started = Instant::now();
        loop {
            let rung = match rang(&mut client) {
                Ok(rung) => rung - before,
                // workerd closes a connection that it found idle for long, also where
                // the alarms kept it from looking at what had come.
                Err(error) if started.elapsed() > PATIENCE => return Err(error),
                Err(_) => {
                    client = Client::connect(address)?;
                    continue;
                }
            };
            if rung >= count {
                break;
            }
            ensure!(started.elapsed() < PATIENCE, "{rung} of {count} rang");
            sleep(Duration::from_millis(2));
        }
        let rate = count as f64 / started.elapsed().as_secs_f64();
        self.figures.alarms.push(rate);
        Ok(())
    }

    /// Makes objects known, ten times as many each time, and looks at what one costs.
    ///
    /// What the first have in memory while they are awake a process keeps at hand for
    /// the next; so memory is what as many again add to it.
    fn sleep(&mut self, effort: Effort) -> Result<()> {
        let mut known = 0;
        let mut took = Duration::ZERO;
        for stage in stages(effort) {
            let more = known_at(effort, stage);
            let count = (more - known) as u32;
            // Who is slower has no figure for so many.
            let limit = PATIENCE.max(Duration::from_micros(1_500) * count);
            if 10 * took > limit {
                return Ok(());
            }
            let begun = Instant::now();
            if !self.know("many", known..more, limit)? {
                return Ok(());
            }
            took = begun.elapsed() - ASLEEP;
            known = more;
            let duration = effort.pick(Duration::from_secs(2), Duration::from_millis(400));
            let request = &ask("one", "write");
            let commits = run(&mut self.connections, &Requests::Same { request, duration })?;
            let mut client = Client::connect(self.server.address())?;
            let mut latency = Histogram::new();
            for index in 0..effort.pick(200, 20) {
                let asked = Instant::now();
                let reply = client.ask(&ask(&format!("many{index}"), "write"))?;
                latency.record(asked.elapsed());
                ensure!(reply.body == b"1\n", "an object did not sleep");
            }
            let figures = &mut self.figures.known[stage];
            let rate = commits.answered as f64 / commits.elapsed.as_secs_f64();
            figures.commits.push(rate);
            figures.wake.push(millis(latency.quantile(0.5)));
            if stage == WEIGHED {
                self.weigh(known)?;
            }
        }
        Ok(())
    }

    /// What as many objects as are known add to memory when they sleep.
    fn weigh(&mut self, known: usize) -> Result<()> {
        sleep(ASLEEP);
        let before = self.server.memory()?.rss;
        if !self.know("more", 0..known, PATIENCE)? {
            return Ok(());
        }
        let after = self.server.memory()?.rss;
        let each = after.saturating_sub(before) as f64 / known as f64;
        self.figures.asleep.push(each);
        self.figures
            .resident
            .push(after as f64 / f64::from(1 << 20));
        Ok(())
    }

    /// Has objects that write once and then sleep; whether there was time for all.
    fn know(&mut self, name: &str, which: Range<usize>, limit: Duration) -> Result<bool> {
        let count = which.len() as u64;
        let requests: Vec<_> = which
            .map(|index| ask(&format!("{name}{index}"), "write"))
            .collect();
        let made = self.once_within(&requests, limit)?;
        sleep(ASLEEP);
        self.connect()?;
        Ok(made == count)
    }

    /// Connections anew: workerd closes one that nothing came by for 5 seconds, and the
    /// next request on it would count as failed.
    fn connect(&mut self) -> Result<()> {
        self.connections = Connections::open(self.server.address(), CONNECTIONS)?;
        Ok(())
    }

    /// Asks each once; answers how many there was time for.
    fn once(&mut self, requests: &[Vec<u8>]) -> Result<u64> {
        self.once_within(requests, PATIENCE)
    }

    fn once_within(&mut self, requests: &[Vec<u8>], limit: Duration) -> Result<u64> {
        self.connect()?;
        let outcome = run(&mut self.connections, &Requests::Once { requests, limit })?;
        Ok(outcome.answered)
    }
}

/// Less than this is read in less than the start of a process varies by.
const ENOUGH_LOG: u64 = 16 << 20;

fn stages(effort: Effort) -> Range<usize> {
    0..effort.pick(STAGES, WEIGHED + 1)
}

/// How many objects are known at a stage.
fn known_at(effort: Effort, stage: usize) -> usize {
    effort.pick(1_000, 100) * 10_usize.pow(stage as u32)
}

struct Restart {
    ms: f64,
    /// Only of a server that has a log of its own.
    seconds_a_gb: Option<f64>,
}

/// From making the process to its first answer, where the one before was killed while
/// it wrote to many objects.
fn restart(bench: &Bench, peer: &Peer) -> Result<Restart> {
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
    let log = log_bytes(&folder.join("data/log"))?;
    let started = peer.start_in(site(), &first, &folder)?.start_to_ready;
    // As long as it takes without a log.
    let empty = bench.scratch.folder()?;
    let without = peer.start_in(site(), &first, &empty)?.start_to_ready;
    let more = started.saturating_sub(without).as_secs_f64();
    Ok(Restart {
        ms: millis(started),
        seconds_a_gb: (log >= ENOUGH_LOG).then(|| more * 1e9 / log as f64),
    })
}

/// Bytes of the segments in a folder, without the zeros that wait behind them.
fn log_bytes(folder: &Path) -> Result<u64> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Ok(0);
    };
    let mut bytes = 0;
    for entry in entries {
        let segment = fs::read(entry?.path())?;
        let last = segment.iter().rposition(|byte| *byte != 0);
        bytes += last.map_or(0, |last| last as u64 + 1);
    }
    Ok(bytes)
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
