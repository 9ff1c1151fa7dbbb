//! `services`: the names that `env` has other workers by.

use super::names::{Names, filled, required};
use super::{Checker, Document, Field};
use crate::ServiceBinding;

/// `own` is the worker's name.
pub(super) fn services<'a>(
    checker: &mut Checker<'a>,
    document: &Document<'a>,
    own: &str,
    taken: &mut Names,
) -> Vec<ServiceBinding> {
    let items = document
        .field("services")
        .filter(|field| !field.node.value.is_empty())
        .and_then(|field| checker.list(&field));
    let items = items.unwrap_or_default().into_iter();
    items
        .filter_map(|item| service(checker, item, own, taken))
        .collect()
}

fn service<'a>(
    checker: &mut Checker<'a>,
    item: Field<'a>,
    own: &str,
    taken: &mut Names,
) -> Option<ServiceBinding> {
    let section = checker.section(&item)?;
    checker.only_known(
        &section,
        &[
            "binding",
            "service",
            "entrypoint",
            "props",
            "environment",
            "remote",
        ],
    );
    for name in ["environment", "remote"] {
        if let Some(field) = section.field(name) {
            checker.fault_key(&field, "Outboard binds to workers of the same node alone");
        }
    }
    let name = required(checker, &item, &section, "binding", "a service");
    let service = required(checker, &item, &section, "service", "a service");
    let entrypoint = section.field("entrypoint");
    let entrypoint = entrypoint.and_then(|field| filled(checker, &field));
    let props = section.field("props").and_then(|field| {
        checker.section(&field)?;
        match field.node.to_json() {
            Ok(json) => Some(json),
            Err(_) => {
                checker.fault(&field, "expected what JSON can say");
                None
            }
        }
    });
    let (field, name) = name?;
    taken.claim(checker, &field, name, &item);
    let (_, service) = service?;
    Some(ServiceBinding {
        name: name.to_owned(),
        service: (service != own).then(|| service.to_owned()),
        entrypoint: entrypoint
            .filter(|name| *name != "default")
            .map(str::to_owned),
        props,
    })
}
