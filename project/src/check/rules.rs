//! `rules`: which imported files become modules of which kind.

use super::{Checker, Document, Field};
use crate::{ModuleRule, RuleType};

const TYPES: &[(&str, Option<RuleType>)] = &[
    ("ESModule", Some(RuleType::EsModule)),
    ("CommonJS", Some(RuleType::CommonJs)),
    ("CompiledWasm", Some(RuleType::CompiledWasm)),
    ("Text", Some(RuleType::Text)),
    ("Data", Some(RuleType::Data)),
    ("PythonModule", None),
    ("PythonRequirement", None),
];

pub(super) fn rules<'a>(checker: &mut Checker<'a>, document: &Document<'a>) -> Vec<ModuleRule> {
    let items = document
        .field("rules")
        .and_then(|field| checker.list(&field));
    let items = items.unwrap_or_default();
    items
        .iter()
        .filter_map(|item| rule(checker, item))
        .collect()
}

fn rule<'a>(checker: &mut Checker<'a>, field: &Field<'a>) -> Option<ModuleRule> {
    let section = checker.section(field)?;
    checker.only_known(&section, &["type", "globs", "fallthrough"]);
    let kind = match section.field("type") {
        Some(kind) => match checker.choice(&kind, TYPES) {
            Some(None) => {
                checker.fault(&kind, "Outboard does not serve Python yet");
                None
            }
            found => found.flatten(),
        },
        None => {
            checker.fault(field, "a rule needs a \"type\"");
            None
        }
    };
    let globs = match section.field("globs") {
        Some(globs) => checker.texts(&globs),
        None => {
            checker.fault(field, "a rule needs \"globs\"");
            None
        }
    };
    let fallthrough = section
        .field("fallthrough")
        .map(|field| checker.boolean(&field));
    Some(ModuleRule {
        kind: kind?,
        globs: globs?,
        fallthrough: fallthrough.unwrap_or(Some(false))?,
    })
}
