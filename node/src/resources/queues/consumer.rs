//! Takes a queue's messages in batches to the worker that consumes it, and settles
//! them by what the worker says.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use outboard_runtime::{
    Delivery, DeliveryOutcome, EventError, QueueBatch, QueueMessage, QueueMetrics, Report,
};
use tokio::task::JoinSet;

use super::messages::{self, Fate, Leased, MOST_DELAY, New, Outlook};
use super::{Queue, Queues, now};
use crate::duties::{Consumer, Deployed};

/// Bytes of a batch.
const MOST_BYTES: usize = 256_000;

/// How long a queue rests whose worker or database gave no answer.
const PAUSE: Duration = Duration::from_secs(5);

/// The clock may be set; so never sleep for very long.
const LONGEST_SLEEP: i64 = 60_000;

/// Delivers a queue's messages for as long as the node runs, to whoever is deployed
/// to take them.
pub(super) async fn consume(queues: Arc<Queues>, name: String) {
    let mut deployed = queues.objects.deployed();
    let mut out = JoinSet::new();
    loop {
        if queues.stop.is_cancelled() {
            while out.join_next().await.is_some() {}
            return;
        }
        deployed.mark_unchanged();
        let Some((worker, consumer)) = queues.consumer(&name) else {
            if deployed.changed().await.is_err() {
                return;
            }
            continue;
        };
        let queue = match queues.open(&name).await {
            Ok(queue) => queue,
            Err(error) => {
                tracing::error!(%error, queue = name, "a queue cannot be opened");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let changed = queue.changed.notified();
        let wait = match next(&queues, &queue, &consumer, out.len()).await {
            Next::Batch(leased) => {
                let delivered = deliver(queues.clone(), queue.clone(), worker, consumer, leased);
                out.spawn(delivered);
                continue;
            }
            Next::Wait(wait) => wait,
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = changed => {}
            _ = deployed.changed() => {}
            Some(_) = out.join_next() => {}
            () = queues.stop.cancelled() => {}
        }
    }
}

enum Next {
    Batch(Vec<Leased>),
    /// Nothing before that, unless something changes.
    Wait(Duration),
}

async fn next(queues: &Queues, queue: &Queue, consumer: &Consumer, out: usize) -> Next {
    let config = &consumer.config;
    let lanes = queues.objects.lane_count();
    let most = config.max_concurrency.map_or(lanes, |most| most as usize);
    if out >= most {
        return Next::Wait(Duration::from_millis(LONGEST_SLEEP.unsigned_abs()));
    }
    let (now, size) = (now(), config.max_batch_size);
    let look = move |connection: &rusqlite::Connection| messages::outlook(connection, now, size);
    let taken = match queue.database.run(look).await {
        Ok(outlook) => match due(outlook, size, config.max_batch_timeout, now) {
            Due::In(wait) => return Next::Wait(wait),
            Due::Now => {
                let lease = move |connection: &rusqlite::Connection| {
                    messages::lease(connection, now, size, MOST_BYTES)
                };
                queue.database.run(lease).await
            }
        },
        Err(error) => Err(error),
    };
    match taken {
        Ok(leased) if leased.is_empty() => Next::Wait(PAUSE),
        Ok(leased) => Next::Batch(leased),
        Err(error) => {
            tracing::error!(%error, queue = consumer.queue, "a queue's database failed");
            Next::Wait(PAUSE)
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Due {
    Now,
    In(Duration),
}

/// When a batch is due: when it is full, or its first message has waited long enough.
fn due(outlook: Outlook, size: u32, timeout: u32, now: i64) -> Due {
    if outlook.ready >= size {
        return Due::Now;
    }
    let wait = match outlook.first {
        None => LONGEST_SLEEP,
        Some(first) => first.saturating_add(i64::from(timeout) * 1_000) - now,
    };
    match u64::try_from(wait.min(LONGEST_SLEEP)) {
        Ok(wait @ 1..) => Due::In(Duration::from_millis(wait)),
        _ => Due::Now,
    }
}

/// Delivers one batch, and settles it.
async fn deliver(
    queues: Arc<Queues>,
    queue: Queue,
    worker: Deployed,
    consumer: Consumer,
    leased: Vec<Leased>,
) {
    let backlog = queue.database.run(messages::backlog).await;
    let backlog = backlog.unwrap_or_default();
    let batch = QueueBatch {
        queue: consumer.config.queue.clone(),
        messages: leased.iter().map(message).collect(),
        metrics: QueueMetrics {
            backlog_count: backlog.count as f64,
            backlog_bytes: backlog.bytes as f64,
            oldest: backlog.oldest.map(|oldest| oldest as f64),
        },
    };
    let report = queues
        .objects
        .deliver(&worker, Delivery::Queue(batch))
        .await;
    let verdicts = judge(&leased, &report, &consumer, now());
    if let Err(error) = &report {
        tracing::warn!(%error, queue = consumer.queue, "a batch was not delivered");
    }
    let mut fates = Vec::with_capacity(leased.len());
    for (message, verdict) in leased.into_iter().zip(verdicts) {
        let id = message.id;
        let fate = match verdict {
            Verdict::Settle(fate) => fate,
            Verdict::Dead => bury(&queues, &consumer, message).await,
        };
        fates.push((id, fate));
    }
    settle(&queue, &consumer, fates).await;
    queue.changed.notify_one();
}

/// Tries until it is done: what stays leased is not delivered before the node starts
/// again.
async fn settle(queue: &Queue, consumer: &Consumer, fates: Vec<(i64, Fate)>) {
    loop {
        let fates = fates.clone();
        let settle = move |connection: &rusqlite::Connection| messages::settle(connection, &fates);
        match queue.database.run(settle).await {
            Ok(()) => return,
            Err(error) => {
                tracing::error!(%error, queue = consumer.queue, "a batch cannot be settled");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

fn message(leased: &Leased) -> QueueMessage {
    QueueMessage {
        id: leased.name.clone(),
        timestamp: leased.sent as f64,
        attempts: leased.attempts,
        format: leased.format,
        body: leased.body.clone(),
    }
}

/// Moves a message that failed too often to the queue for such; what becomes of it here.
async fn bury(queues: &Queues, consumer: &Consumer, message: Leased) -> Fate {
    let (queue, attempts) = (&consumer.queue, message.attempts);
    let Some(dead_letters) = &consumer.dead_letters else {
        tracing::warn!(
            queue,
            message = message.name,
            attempts,
            "a message was dropped"
        );
        return Fate::Done;
    };
    tracing::warn!(
        queue,
        message = message.name,
        attempts,
        dead_letters,
        "a message goes to the dead letter queue"
    );
    // There first: killed in between, it is there once, by its name.
    let letter = New {
        name: message.name,
        sent: now(),
        visible: now(),
        format: message.format,
        body: message.body,
    };
    let added = match queues.open(dead_letters).await {
        Ok(queue) => queue.add(vec![letter]).await,
        Err(error) => Err(error),
    };
    match added {
        Ok(Some(_)) => Fate::Done,
        Ok(None) => {
            tracing::error!(queue, dead_letters, "the dead letter queue is full");
            Fate::Undone(pause())
        }
        Err(error) => {
            tracing::error!(%error, queue, dead_letters, "the dead letter queue takes nothing");
            Fate::Undone(pause())
        }
    }
}

fn pause() -> i64 {
    now() + i64::try_from(PAUSE.as_millis()).unwrap_or(0)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Settle(Fate),
    /// It failed too often.
    Dead,
}

/// What becomes of each message: what was said of itself counts more than what was said
/// of all, and that more than how the handler ended.
fn judge(
    leased: &[Leased],
    report: &Result<Report, EventError>,
    consumer: &Consumer,
    now: i64,
) -> Vec<Verdict> {
    let config = &consumer.config;
    let Ok(Report { outcome, said }) = report else {
        // The worker had no part in it.
        let pause = i64::try_from(PAUSE.as_millis()).unwrap_or(0);
        return vec![Verdict::Settle(Fate::Undone(now + pause)); leased.len()];
    };
    let acks: HashSet<&str> = said.acks.iter().map(String::as_str).collect();
    let retries: HashMap<&str, Option<i32>> = said
        .retries
        .iter()
        .map(|(id, retry)| (id.as_str(), retry.delay))
        .collect();
    let again = |message: &Leased, delay: Option<i32>| {
        if u32::from(message.attempts) > config.max_retries {
            return Verdict::Dead;
        }
        let delay = delay.map_or(i64::from(config.retry_delay), i64::from);
        let delay = delay.saturating_mul(1_000).clamp(0, MOST_DELAY);
        Verdict::Settle(Fate::Again(now + delay))
    };
    let of = |message: &Leased| {
        let name = message.name.as_str();
        if acks.contains(name) {
            Verdict::Settle(Fate::Done)
        } else if let Some(delay) = retries.get(name) {
            again(message, *delay)
        } else if said.ack_all {
            Verdict::Settle(Fate::Done)
        } else if let Some(retry) = &said.retry_all {
            again(message, retry.delay)
        } else if *outcome == DeliveryOutcome::Ok {
            Verdict::Settle(Fate::Done)
        } else {
            again(message, None)
        }
    };
    leased.iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use outboard_project::QueueConsumer;
    use outboard_runtime::{QueueFormat, Retry, Said};

    use super::*;

    fn leased(attempts: u16) -> Vec<Leased> {
        let of = |id: i64, name: &str| Leased {
            id,
            name: name.into(),
            sent: 0,
            attempts,
            format: QueueFormat::Text,
            body: Vec::new(),
        };
        vec![of(1, "a"), of(2, "b")]
    }

    fn judged(attempts: u16, outcome: DeliveryOutcome, said: Said) -> [Verdict; 2] {
        let config = QueueConsumer {
            max_retries: 2,
            retry_delay: 3,
            ..QueueConsumer::of("q")
        };
        let consumer = Consumer {
            queue: "q".into(),
            dead_letters: None,
            config,
        };
        let report = Ok(Report { outcome, said });
        let verdicts = judge(&leased(attempts), &report, &consumer, 1_000);
        verdicts.try_into().expect("two")
    }

    #[test]
    fn what_is_said_of_one_counts_more_than_what_is_said_of_all() {
        const DONE: Verdict = Verdict::Settle(Fate::Done);
        let again = |at| Verdict::Settle(Fate::Again(at));
        let (ok, failed) = (DeliveryOutcome::Ok, DeliveryOutcome::Exception);
        let retry = |delay| Retry { delay };
        assert_eq!(judged(1, ok, Said::default()), [DONE, DONE]);
        assert_eq!(judged(1, failed, Said::default()), [again(4_000); 2]);
        let acked = Said {
            acks: vec!["a".into()],
            ..Said::default()
        };
        assert_eq!(judged(1, failed, acked.clone()), [DONE, again(4_000)]);
        let all = Said {
            retry_all: Some(retry(Some(5))),
            ..acked
        };
        assert_eq!(judged(1, ok, all), [DONE, again(6_000)]);
        let one = Said {
            ack_all: true,
            retries: vec![("b".into(), retry(Some(0)))],
            ..Said::default()
        };
        assert_eq!(judged(1, failed, one.clone()), [DONE, again(1_000)]);
        // The third delivery was the second retry.
        assert_eq!(judged(3, ok, one), [DONE, Verdict::Dead]);
        assert_eq!(judged(2, failed, Said::default()), [again(4_000); 2]);
        assert_eq!(judged(3, failed, Said::default()), [Verdict::Dead; 2]);
    }

    #[test]
    fn a_batch_is_due_when_it_is_full_or_its_first_message_has_waited() {
        let at = |ready, first| due(Outlook { ready, first }, 10, 5, 1_000);
        let after = |millis| Due::In(Duration::from_millis(millis));
        assert_eq!(at(10, Some(1_000)), Due::Now);
        assert_eq!(at(9, Some(1_000)), after(5_000));
        assert_eq!(at(1, Some(-4_000)), Due::Now);
        assert_eq!(at(0, Some(2_000)), after(6_000));
        assert_eq!(at(0, None), after(60_000));
        assert_eq!(at(0, Some(i64::MAX - 1)), after(60_000));
    }
}
