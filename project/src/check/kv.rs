//! `kv_namespaces`: the names that `env` has namespaces of KV by.

use super::names::{Names, filled, required};
use super::{Checker, Document, Field};
use crate::KvBinding;

pub(super) fn namespaces<'a>(
    checker: &mut Checker<'a>,
    document: &Document<'a>,
    taken: &mut Names,
) -> Vec<KvBinding> {
    let items = document
        .field("kv_namespaces")
        .filter(|field| !field.node.value.is_empty())
        .and_then(|field| checker.list(&field));
    let items = items.unwrap_or_default().into_iter();
    items
        .filter_map(|item| namespace(checker, item, taken))
        .collect()
}

fn namespace<'a>(
    checker: &mut Checker<'a>,
    item: Field<'a>,
    taken: &mut Names,
) -> Option<KvBinding> {
    let section = checker.section(&item)?;
    checker.only_known(&section, &["binding", "id", "preview_id", "remote"]);
    if let Some(remote) = section.field("remote")
        && checker.boolean(&remote) == Some(true)
    {
        checker.fault_key(&remote, "Outboard keeps namespaces itself");
    }
    let name = required(checker, &item, &section, "binding", "a namespace");
    let mut id = |name| {
        let field = section.field(name)?;
        filled(checker, &field).map(str::to_owned)
    };
    let (id, preview_id) = (id("id"), id("preview_id"));
    let (field, name) = name?;
    taken.claim(checker, &field, name, &item);
    Some(KvBinding {
        name: name.to_owned(),
        id,
        preview_id,
    })
}
