//! How long does a hello take at half of the peak? Outboard on one lane against workerd's one thread; milliseconds from a request's arrival to its whole answer, open loop.

use std::time::Duration;

use anyhow::{Result, bail};

use super::{Bench, everyone, millis};
use crate::http;
use crate::load::{Connections, Outcome, Pace, Requests};
use crate::peer::Site;
use crate::report::{Row, Samples};
use crate::server::Server;

const CONNECTIONS: usize = 64;

const PERCENTILES: [(&str, f64); 3] = [("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999)];

struct Running {
    connections: Connections,
    peak: f64,
    own_half: AtRate,
    same: AtRate,
    late: Vec<Duration>,
    _server: Server,
}

/// The rounds at one rate, a list for each percentile.
#[derive(Default)]
struct AtRate {
    rate: f64,
    rounds: [Vec<f64>; PERCENTILES.len()],
}

pub(super) fn measure(bench: &Bench) -> Result<Vec<Row>> {
    let script = include_str!("../../scripts/hello.js");
    let request = http::get("bench.test");
    let run = |connections: &mut Connections, pace, duration| -> Result<Outcome> {
        let outcome = connections.run(
            &Requests::Same {
                request: &request,
                duration,
            },
            pace,
        )?;
        if outcome.failed > 0 || outcome.answered == 0 {
            bail!(
                "{} requests answered, {} failed",
                outcome.answered,
                outcome.failed
            );
        }
        Ok(outcome)
    };
    let warm_up = bench
        .effort
        .pick(Duration::from_secs(1), Duration::from_millis(300));
    let duration = bench
        .effort
        .pick(Duration::from_secs(2), Duration::from_millis(500));

    let mut turns = bench.enter("latency", bench.peers(), |peer| {
        let server = peer.start(Site::One { script }, &request, &bench.scratch)?;
        let mut connections = Connections::open(server.address(), CONNECTIONS)?;
        run(&mut connections, Pace::Closed, warm_up)?;
        let mut peaks = Vec::new();
        for _ in 0..3 {
            let outcome = run(&mut connections, Pace::Closed, warm_up)?;
            peaks.push(outcome.answered as f64 / outcome.elapsed.as_secs_f64());
        }
        let peak = Samples::median(peaks).map_or(0.0, |peak| peak.value());
        Ok(Running {
            connections,
            peak,
            own_half: AtRate::default(),
            same: AtRate::default(),
            late: Vec::new(),
            _server: server,
        })
    });
    let lowest = turns
        .states()
        .map(|(_, running)| running.peak)
        .fold(f64::INFINITY, f64::min);

    turns.rounds(5, |_, running| {
        for (at, rate) in [
            (&mut running.own_half, running.peak / 2.0),
            (&mut running.same, lowest / 2.0),
        ] {
            at.rate = rate;
            let outcome = run(&mut running.connections, Pace::Open { rate }, duration)?;
            for (rounds, (_, quantile)) in at.rounds.iter_mut().zip(PERCENTILES) {
                rounds.push(millis(outcome.latency.quantile(quantile)));
            }
            running.late.push(outcome.late.quantile(0.99));
        }
        Ok(())
    });

    let mut rows = Vec::new();
    for (what, at) in [
        (
            "hello at half of its own peak",
            (|running: &Running| &running.own_half) as fn(&Running) -> &AtRate,
        ),
        ("hello at half of the lower peak", |running: &Running| {
            &running.same
        }),
    ] {
        let offered = Row::new("latency", format!("{what}: offered"), "requests / s");
        rows.push(turns.row(offered, everyone, |running| {
            Samples::pooled(at(running).rate, vec![at(running).rate])
        }));
        for (index, (percentile, _)) in PERCENTILES.iter().enumerate() {
            let aim = if *percentile == "p99" {
                "ratio ≤ 0.5"
            } else {
                ""
            };
            let row = Row::new("latency", format!("{what}: {percentile}"), "ms").aim(aim);
            rows.push(turns.row(row, everyone, |running| {
                Samples::median(at(running).rounds[index].clone())
            }));
        }
    }
    for (peer, running) in turns.states() {
        let late = Samples::median(running.late.iter().map(|late| millis(*late)).collect());
        if let Some(late) = late {
            bench.note(format!(
                "latency: against {} the generator itself was up to {:.3} ms late (p99, median of rounds); that is inside the figures",
                peer.label(),
                late.value()
            ));
        }
    }
    Ok(rows)
}
