//! `tail_consumers` and `streaming_tail_consumers`: who is told of the worker's events.

use super::names::required;
use super::{Checker, Document};

/// The names of the workers in the list `name`, each once.
pub(super) fn consumers<'a>(
    checker: &mut Checker<'a>,
    document: &Document<'a>,
    name: &'static str,
) -> Vec<String> {
    let items = document
        .field(name)
        .filter(|field| !field.node.value.is_empty())
        .and_then(|field| checker.list(&field));
    let mut consumers: Vec<String> = Vec::new();
    for item in items.unwrap_or_default() {
        let Some(section) = checker.section(&item) else {
            continue;
        };
        checker.only_known(&section, &["service", "environment"]);
        if let Some(field) = section.field("environment") {
            checker.fault_key(
                &field,
                "an environment is a worker of its own; name that one",
            );
        }
        if let Some((field, service)) =
            required(checker, &item, &section, "service", "a tail consumer")
        {
            if consumers.iter().any(|known| known == service) {
                checker.fault(&field, "is there twice");
            }
            consumers.push(service.to_owned());
        }
    }
    consumers
}
