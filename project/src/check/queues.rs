//! `queues`: what a worker sends to, and what it is given messages of.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use super::names::{Names, filled, required};
use super::{Checker, Document, Field, Section};
use crate::project::QUEUE_DELAY;
use crate::tree::Value;
use crate::{QueueConsumer, QueueProducer};

pub(super) fn queues<'a>(
    checker: &mut Checker<'a>,
    document: &Document<'a>,
    taken: &mut Names,
) -> (Vec<QueueProducer>, Vec<QueueConsumer>) {
    let section = document
        .field("queues")
        .filter(|field| !field.node.value.is_empty())
        .and_then(|field| checker.section(&field));
    let Some(section) = section else {
        return Default::default();
    };
    checker.only_known(&section, &["producers", "consumers"]);
    let mut list = |name| {
        let items = section.field(name).and_then(|field| checker.list(&field));
        items.unwrap_or_default()
    };
    let (producers, consumers) = (list("producers"), list("consumers"));
    let producers = producers
        .into_iter()
        .filter_map(|item| producer(checker, item, taken))
        .collect();
    let mut known = HashMap::new();
    let consumers = consumers
        .into_iter()
        .filter_map(|item| consumer(checker, item, &mut known))
        .collect();
    (producers, consumers)
}

fn producer<'a>(
    checker: &mut Checker<'a>,
    item: Field<'a>,
    taken: &mut Names,
) -> Option<QueueProducer> {
    let section = checker.section(&item)?;
    checker.only_known(&section, &["binding", "queue", "delivery_delay", "remote"]);
    if let Some(remote) = section.field("remote")
        && checker.boolean(&remote) == Some(true)
    {
        checker.fault_key(&remote, "Outboard keeps queues itself");
    }
    let name = required(checker, &item, &section, "binding", "a producer");
    let queue = required(checker, &item, &section, "queue", "a producer");
    let delivery_delay = number(checker, &section, "delivery_delay", QUEUE_DELAY);
    let (field, name) = name?;
    taken.claim(checker, &field, name, &item);
    Some(QueueProducer {
        name: name.to_owned(),
        queue: queue?.1.to_owned(),
        delivery_delay,
    })
}

fn consumer<'a>(
    checker: &mut Checker<'a>,
    item: Field<'a>,
    known: &mut HashMap<&'a str, String>,
) -> Option<QueueConsumer> {
    let section = checker.section(&item)?;
    checker.only_known(
        &section,
        &[
            "queue",
            "type",
            "max_batch_size",
            "max_batch_timeout",
            "max_retries",
            "dead_letter_queue",
            "max_concurrency",
            "retry_delay",
            "visibility_timeout_ms",
        ],
    );
    if let Some(kind) = section.field("type")
        && checker.text(&kind).is_some_and(|kind| kind != "worker")
    {
        checker.fault(
            &kind,
            "Outboard gives messages to workers alone: \"worker\"",
        );
    }
    if let Some(field) = section.field("visibility_timeout_ms") {
        checker.fault_key(
            &field,
            "belongs to consumers that pull, which Outboard does not serve",
        );
    }
    let queue = required(checker, &item, &section, "queue", "a consumer");
    let dead_letters = section.field("dead_letter_queue");
    let dead_letter_queue = dead_letters.and_then(|field| {
        let text = filled(checker, &field)?;
        if queue.as_ref().is_some_and(|(_, queue)| *queue == text) {
            checker.fault(&field, "a queue cannot be its own dead letter queue");
        }
        Some(text.to_owned())
    });
    let mut number = |name, bounds| number(checker, &section, name, bounds);
    let defaults = QueueConsumer::of("");
    let consumer = QueueConsumer {
        max_batch_size: number("max_batch_size", QueueConsumer::BATCH_SIZE)
            .unwrap_or(defaults.max_batch_size),
        max_batch_timeout: number("max_batch_timeout", QueueConsumer::BATCH_TIMEOUT)
            .unwrap_or(defaults.max_batch_timeout),
        max_retries: number("max_retries", QueueConsumer::RETRIES).unwrap_or(defaults.max_retries),
        max_concurrency: number("max_concurrency", QueueConsumer::CONCURRENCY),
        retry_delay: number("retry_delay", QUEUE_DELAY).unwrap_or(defaults.retry_delay),
        dead_letter_queue,
        ..defaults
    };
    let (field, queue) = queue?;
    if let Some(first) = known.insert(queue, item.path.clone()) {
        checker.fault(
            &field,
            format!("{first} is the consumer of \"{queue}\" too"),
        );
    }
    Some(QueueConsumer {
        queue: queue.to_owned(),
        ..consumer
    })
}

/// A whole number of these bounds, where there is one. `null` is none.
fn number<'a>(
    checker: &mut Checker<'a>,
    section: &Section<'a>,
    name: &str,
    bounds: RangeInclusive<u32>,
) -> Option<u32> {
    let (least, most) = (*bounds.start(), *bounds.end());
    let field = section.field(name)?;
    if matches!(field.node.value, Value::Null) {
        return None;
    }
    let value = checker.integer::<u32>(&field, least)?;
    if value > most {
        let message = format!("expected a whole number from {least} to {most}, not {value}");
        checker.fault(&field, message);
        return None;
    }
    Some(value)
}
