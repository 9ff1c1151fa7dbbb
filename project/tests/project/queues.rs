//! What a worker sends to, and what it is given messages of.

use outboard_project::{LoadOptions, QueueConsumer, QueueProducer};

use crate::faults::check;
use crate::folder::*;

#[test]
fn producers_and_consumers_are_read() {
    let config = config(
        r#""queues": {
             "producers": [{ "binding": "Q", "queue": "one" },
                           { "binding": "LATE", "queue": "one", "delivery_delay": 60 }],
             "consumers": [{ "queue": "one" },
                           { "queue": "two", "type": "worker", "max_batch_size": 100, "max_batch_timeout": 0,
                             "max_retries": 0, "dead_letter_queue": "one", "max_concurrency": 2,
                             "retry_delay": 30 },
                           { "queue": "three", "max_concurrency": null }] }"#,
    );
    let folder = Folder::worker(&[("wrangler.jsonc", &config), ("src/index.ts", "")]);
    let project = folder.load(&LoadOptions::default()).unwrap().project;
    let producer = |name: &str, delivery_delay: Option<u32>| QueueProducer {
        name: name.into(),
        queue: "one".into(),
        delivery_delay,
    };
    let producers = [producer("Q", None), producer("LATE", Some(60))];
    assert_eq!(project.queue_producers, producers);
    let two = QueueConsumer {
        max_batch_size: 100,
        max_batch_timeout: 0,
        max_retries: 0,
        dead_letter_queue: Some("one".into()),
        max_concurrency: Some(2),
        retry_delay: 30,
        ..QueueConsumer::of("two")
    };
    let consumers = [QueueConsumer::of("one"), two, QueueConsumer::of("three")];
    assert_eq!(project.queue_consumers, consumers);
}

#[test]
fn faults_are_named() {
    check(
        r#""vars": { "A": "1" }, "queues": { "producers": [{ "binding": "A", "queue": "q" }] }"#,
        &["2:62: queues.producers[0].binding: \"A\" is the name of vars.A too"],
    );
    check(
        r#""queues": { "producers": [{ "binding": "A" }], "consumers": [{ "max_batch_size": 101 }] }"#,
        &[
            "2:27: queues.producers[0]: a producer needs a \"queue\"",
            "2:62: queues.consumers[0]: a consumer needs a \"queue\"",
            "2:82: queues.consumers[0].max_batch_size: expected a whole number from 1 to 100, not 101",
        ],
    );
    check(
        r#""queues": { "consumers": [{ "queue": "q", "dead_letter_queue": "q" }, { "queue": "q" }] }"#,
        &[
            "2:64: queues.consumers[0].dead_letter_queue: a queue cannot be its own dead letter queue",
            "2:82: queues.consumers[1].queue: queues.consumers[0] is the consumer of \"q\" too",
        ],
    );
    check(
        r#""queues": { "consumers": [{ "queue": "q", "type": "http_pull" }] }"#,
        &["2:51: queues.consumers[0].type: Outboard gives messages to workers alone: \"worker\""],
    );
    check(
        r#""triggers": { "crons": ["0 0 30 2 *", "61 * * * *"] }"#,
        &[
            "2:25: triggers.crons[0]: no day ever matches it",
            "2:39: triggers.crons[1]: no cron expression: Component error: Number out of bounds.",
        ],
    );
}
