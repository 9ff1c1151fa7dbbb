//! `worker_loaders`: the names that `env` has loaders of workers by.

use super::names::{Names, required};
use super::{Checker, Document, Field};

pub(super) fn worker_loaders<'a>(
    checker: &mut Checker<'a>,
    document: &Document<'a>,
    taken: &mut Names,
) -> Vec<String> {
    let items = document
        .field("worker_loaders")
        .filter(|field| !field.node.value.is_empty())
        .and_then(|field| checker.list(&field));
    let items = items.unwrap_or_default().into_iter();
    items
        .filter_map(|item| loader(checker, item, taken))
        .collect()
}

fn loader<'a>(checker: &mut Checker<'a>, item: Field<'a>, taken: &mut Names) -> Option<String> {
    let section = checker.section(&item)?;
    checker.only_known(&section, &["binding"]);
    let (field, name) = required(checker, &item, &section, "binding", "a worker loader")?;
    taken.claim(checker, &field, name, &item);
    Some(name.to_owned())
}
