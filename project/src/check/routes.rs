//! `route`, `routes` and `triggers`: what makes the worker run.

use super::{Checker, Document, Field};
use crate::tree::Value;
use crate::{Cron, Route, Zone};

pub(super) fn routes<'a>(checker: &mut Checker<'a>, document: &Document<'a>) -> Vec<Route> {
    let (one, many) = (document.field("route"), document.field("routes"));
    if let (Some(one), Some(_)) = (&one, &many) {
        checker.fault_key(one, "give either \"route\" or \"routes\", not both");
    }
    let many = many
        .and_then(|field| checker.list(&field))
        .unwrap_or_default();
    one.iter()
        .chain(&many)
        .filter_map(|field| route(checker, field))
        .collect()
}

fn route<'a>(checker: &mut Checker<'a>, field: &Field<'a>) -> Option<Route> {
    if let Value::Text(pattern) = &field.node.value {
        return Some(Route {
            pattern: pattern_of(checker, field, pattern, false)?,
            zone: None,
            custom_domain: false,
        });
    }
    if !matches!(field.node.value, Value::Table(_)) {
        checker.wrong_kind(field, "a string or a table");
        return None;
    }
    let section = checker.section(field)?;
    checker.only_known(
        &section,
        &[
            "pattern",
            "zone_id",
            "zone_name",
            "custom_domain",
            "enabled",
            "previews_enabled",
        ],
    );
    let custom_domain = section
        .field("custom_domain")
        .map(|field| checker.boolean(&field));
    let id = section.field("zone_id").map(|field| checker.text(&field));
    let name = section.field("zone_name").map(|field| checker.text(&field));
    if id.is_some() && name.is_some() {
        checker.fault(field, "give either \"zone_id\" or \"zone_name\", not both");
    }
    let Some(pattern) = section.field("pattern") else {
        checker.fault(field, "a route needs a \"pattern\"");
        return None;
    };
    let custom_domain = custom_domain.unwrap_or(Some(false))?;
    let text = checker.text(&pattern)?;
    Some(Route {
        pattern: pattern_of(checker, &pattern, text, custom_domain)?,
        zone: match (id, name) {
            (Some(id), _) => Some(Zone::Id(id?.to_owned())),
            (None, Some(name)) => Some(Zone::Name(name?.to_owned())),
            (None, None) => None,
        },
        custom_domain,
    })
}

fn pattern_of(
    checker: &mut Checker<'_>,
    field: &Field<'_>,
    pattern: &str,
    custom_domain: bool,
) -> Option<String> {
    let fault = if pattern.trim().is_empty() {
        "a pattern cannot be empty"
    } else if custom_domain && pattern.contains('*') {
        "a custom domain is one host; it cannot hold \"*\""
    } else if custom_domain && pattern.contains('/') {
        "a custom domain is one host; it cannot hold a path"
    } else {
        return Some(pattern.to_owned());
    };
    checker.fault(field, fault);
    None
}

/// `triggers.crons`.
pub(super) fn crons<'a>(checker: &mut Checker<'a>, document: &Document<'a>) -> Vec<Cron> {
    let Some(section) = document
        .field("triggers")
        .and_then(|field| checker.section(&field))
    else {
        return Vec::new();
    };
    checker.only_known(&section, &["crons"]);
    let items = section
        .field("crons")
        .and_then(|field| checker.list(&field));
    let mut crons = Vec::new();
    for item in items.unwrap_or_default() {
        let Some(cron) = checker.text(&item) else {
            continue;
        };
        match Cron::parse(cron) {
            Ok(cron) => crons.push(cron),
            Err(error) => checker.fault(&item, error.to_string()),
        }
    }
    crons
}
