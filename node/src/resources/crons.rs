//! Runs `scheduled` handlers by the clock.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use outboard_project::Cron;
use outboard_runtime::{Delivery, DeliveryOutcome, ScheduledRun};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::duties::Deployed;
use crate::objects::NodeObjects;

/// Runs at a time; what is due past that is left out.
const AT_ONCE: usize = 256;

/// A run that is later than this is missed: the machine slept.
const LATEST: i64 = 30_000;

/// The clock may be set; so never sleep for very long.
const LONGEST_SLEEP: i64 = 10_000;

/// Runs what the deployed workers' expressions say, each time once, until `stop` and
/// what runs has ended. What was missed is not made up for.
pub(super) async fn run(objects: Arc<NodeObjects>, stop: CancellationToken) {
    let mut deployed = objects.deployed();
    let mut running = JoinSet::new();
    let mut last = now();
    loop {
        let crons: Vec<_> = deployed
            .borrow_and_update()
            .iter()
            .flat_map(|deployed| {
                let crons = deployed.duties.crons.iter();
                crons.map(|cron| (deployed.clone(), cron.clone()))
            })
            .collect();
        let now = now();
        let since = since(last, now);
        let (due, wait) = due(crons.iter().map(|(_, cron)| cron), since, now);
        last = since.max(now);
        for (index, time) in due {
            let (worker, cron) = &crons[index];
            if running.len() >= AT_ONCE {
                let worker = worker.worker.name();
                tracing::error!(worker, cron = cron.as_str(), "too many scheduled runs");
                continue;
            }
            running.spawn(run_one(objects.clone(), worker.clone(), cron.clone(), time));
        }
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            changed = deployed.changed() => if changed.is_err() { break },
            Some(_) = running.join_next() => {}
            () = stop.cancelled() => break,
        }
    }
    while running.join_next().await.is_some() {}
}

/// What is to be looked at from, where all up to `last` was: not what was missed, and
/// not what is far ahead since the clock was set back.
fn since(last: i64, now: i64) -> i64 {
    if last - now > LATEST {
        now
    } else {
        last.max(now - LATEST)
    }
}

/// Which are to run, and for which time, and how long nothing is to be done after.
fn due<'a>(
    crons: impl Iterator<Item = &'a Cron>,
    since: i64,
    now: i64,
) -> (Vec<(usize, i64)>, Duration) {
    let mut all = Vec::new();
    let mut wait = LONGEST_SLEEP;
    for (index, cron) in crons.enumerate() {
        let mut at = since;
        while let Some(time) = cron.next(at) {
            if time > now {
                wait = wait.min(time - now);
                break;
            }
            all.push((index, time));
            at = time;
        }
    }
    // A little late is on time, and early is not.
    (all, Duration::from_millis(wait.unsigned_abs() + 1))
}

async fn run_one(objects: Arc<NodeObjects>, deployed: Deployed, cron: Cron, time: i64) {
    let run = Delivery::Scheduled(ScheduledRun {
        cron: cron.as_str().into(),
        scheduled_time: time as f64,
    });
    let worker = deployed.worker.name();
    match objects.deliver(&deployed, run).await {
        Ok(report) if report.outcome == DeliveryOutcome::Ok => {}
        Ok(report) => {
            let outcome = report.outcome;
            tracing::warn!(
                worker,
                cron = cron.as_str(),
                ?outcome,
                "a scheduled run failed"
            );
        }
        Err(error) => {
            tracing::error!(%error, worker, cron = cron.as_str(), "a scheduled run did not begin");
        }
    }
}

/// Milliseconds since 1970.
fn now() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
    i64::try_from(since_epoch.unwrap_or_default().as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000;
    /// 2026-01-01T00:00:00Z.
    const START: i64 = 1_767_225_600_000;

    #[test]
    fn each_time_is_due_once_and_missed_ones_are_not_made_up() {
        let crons = [
            Cron::parse("* * * * *").expect("an expression"),
            Cron::parse("30 * * * *").expect("an expression"),
        ];
        let at = |last: i64, now: i64| {
            let since = since(START + last, START + now);
            due(crons.iter(), since, START + now)
        };
        assert_eq!(at(-500, -100), (vec![], Duration::from_millis(101)));
        assert_eq!(at(-100, 2).0, [(0, START)]);
        assert_eq!(at(2, 50), (vec![], Duration::from_millis(10_001)));
        let half = 30 * MINUTE;
        assert_eq!(at(half - 1, half).0, [(0, START + half), (1, START + half)]);
        // The machine slept for an hour and a bit.
        assert_eq!(at(half, 90 * MINUTE + 5_000).0.len(), 2);
        assert_eq!(at(half, 90 * MINUTE + 35_000).0, []);
        // The clock was set back, a little and by hours.
        assert_eq!(at(half, half - 10).0, []);
        assert_eq!(since(START + 9 * half, START), START);
    }
}
