//! `r2_buckets`: the names that `env` has buckets by.

use super::names::{Names, filled, required};
use super::{Checker, Document, Field};
use crate::R2Bucket;

/// `own` is the worker's name.
pub(super) fn buckets<'a>(
    checker: &mut Checker<'a>,
    document: &Document<'a>,
    own: &str,
    taken: &mut Names,
) -> Vec<R2Bucket> {
    let items = document
        .field("r2_buckets")
        .filter(|field| !field.node.value.is_empty())
        .and_then(|field| checker.list(&field));
    let items = items.unwrap_or_default().into_iter();
    items
        .filter_map(|item| bucket(checker, item, own, taken))
        .collect()
}

fn bucket<'a>(
    checker: &mut Checker<'a>,
    item: Field<'a>,
    own: &str,
    taken: &mut Names,
) -> Option<R2Bucket> {
    let section = checker.section(&item)?;
    checker.only_known(
        &section,
        &[
            "binding",
            "bucket_name",
            "preview_bucket_name",
            "jurisdiction",
            "remote",
        ],
    );
    if let Some(field) = section.field("remote")
        && checker.boolean(&field) == Some(true)
    {
        checker.fault_key(&field, "Outboard keeps buckets itself");
    }
    let name = required(checker, &item, &section, "binding", "a bucket");
    let bucket = match section.field("bucket_name") {
        Some(field) => bucket_name(checker, &field),
        // As wrangler names one that it makes.
        None => name.as_ref().and_then(|(_, name)| {
            let made = format!("{own}-{}", name.to_lowercase().replace('_', "-"));
            if is_name(&made) {
                return Some(made);
            }
            checker.fault(&item, format!("a bucket needs a \"bucket_name\": {RULE}"));
            None
        }),
    };
    let preview = section.field("preview_bucket_name");
    let preview = preview.and_then(|field| bucket_name(checker, &field));
    let (field, name) = name?;
    taken.claim(checker, &field, name, &item);
    Some(R2Bucket {
        name: name.to_owned(),
        bucket: bucket?,
        preview,
    })
}

fn bucket_name<'a>(checker: &mut Checker<'a>, field: &Field<'a>) -> Option<String> {
    let text = filled(checker, field)?;
    if is_name(text) {
        return Some(text.to_owned());
    }
    let message = format!("\"{text}\" is no name of a bucket: {RULE}");
    checker.fault(field, message);
    None
}

const RULE: &str = "3 to 63 letters, digits and hyphens, no hyphen first or last";

fn is_name(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (3..=63).contains(&text.len())
        && text.bytes().all(known)
        && !text.starts_with('-')
        && !text.ends_with('-')
}
