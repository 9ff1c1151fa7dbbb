//! Vars, secrets and defines: tables whose keys the developer chooses.

use std::collections::BTreeMap;

use super::{Checker, Document, Section};
use crate::VarValue;
use crate::tree::Value;

/// `vars`: strings stay strings, everything else is JSON.
pub(super) fn vars<'a>(
    checker: &mut Checker<'a>,
    document: &Document<'a>,
) -> BTreeMap<String, VarValue> {
    let mut vars = BTreeMap::new();
    let Some(section) = table(checker, document, "vars") else {
        return vars;
    };
    for (name, field) in section.fields() {
        let value = match &field.node.value {
            Value::Text(text) => VarValue::Text(text.clone()),
            _ => match field.node.to_json() {
                Ok(json) => VarValue::Json(json),
                Err(_) => {
                    checker.fault(&field, "a var cannot hold a TOML date; put it in quotes");
                    continue;
                }
            },
        };
        vars.insert(name.to_owned(), value);
    }
    vars
}

/// `secrets.required`.
pub(super) fn required_secrets<'a>(
    checker: &mut Checker<'a>,
    document: &Document<'a>,
) -> Vec<String> {
    let Some(section) = table(checker, document, "secrets") else {
        return Vec::new();
    };
    checker.only_known(&section, &["required"]);
    section
        .field("required")
        .and_then(|field| checker.texts(&field))
        .unwrap_or_default()
}

/// `alias`: specifiers and what they stand for.
pub(super) fn alias<'a>(
    checker: &mut Checker<'a>,
    document: &Document<'a>,
) -> BTreeMap<String, String> {
    let mut alias = BTreeMap::new();
    let Some(section) = table(checker, document, "alias") else {
        return alias;
    };
    for (name, field) in section.fields() {
        if let Some(target) = checker.text(&field) {
            if target.is_empty() {
                checker.fault(&field, "expected a module or a file, not an empty string");
            }
            alias.insert(name.to_owned(), target.to_owned());
        }
    }
    alias
}

/// `define`: what esbuild takes, since what is defined is put into code.
pub(super) fn define<'a>(
    checker: &mut Checker<'a>,
    document: &Document<'a>,
) -> BTreeMap<String, String> {
    let mut define = BTreeMap::new();
    let Some(section) = table(checker, document, "define") else {
        return define;
    };
    for (name, field) in section.fields() {
        if !is_entity_name(name) {
            let message = "expected a name such as VERSION or process.env.MODE on the left";
            checker.fault_key(&field, message);
        }
        let Some(value) = checker.text(&field) else {
            continue;
        };
        if !is_entity_name(value) && serde_json::from_str::<serde_json::Value>(value).is_err() {
            let quoted = serde_json::Value::from(format!("\"{value}\""));
            let message = format!("expected JSON or a name; to define a string write {quoted}");
            checker.fault(&field, message);
        }
        define.insert(name.to_owned(), value.to_owned());
    }
    define
}

/// Whether a text is identifiers with dots between them.
pub(super) fn is_entity_name(text: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$');
    text.split('.')
        .all(|name| name.starts_with(|c| part(c) && !c.is_numeric()) && name.chars().all(part))
}

fn table<'a>(
    checker: &mut Checker<'a>,
    document: &Document<'a>,
    name: &'static str,
) -> Option<Section<'a>> {
    checker.section(&document.field(name)?)
}
