//! Checks the tree of a configuration file: every fault, none twice.
//!
//! [`Document`] knows which value applies (environments, inheritance) and what
//! fields exist; [`Checker`] reads values and collects faults; the files below
//! check one part of the configuration each.

mod build;
mod d1;
mod dev;
mod document;
mod durable_objects;
mod kv;
mod names;
mod queues;
mod r2;
mod routes;
mod rules;
mod services;
mod tails;
mod values;
mod worker;
mod worker_loaders;

use std::path::Path;

use serde_json::Number;

use crate::diagnostic::{Diagnostic, Lines};
use crate::tree::{Node, Span, Table, Value};

pub(crate) use document::Document;
pub use worker::is_worker_name;
pub(crate) use worker::{Facts, project};

/// Reads values of one file and remembers what was wrong with them.
///
/// A reader that answers `None` has said why, so the caller only goes on.
pub(crate) struct Checker<'a> {
    file: &'a Path,
    lines: Lines<'a>,
    pub(crate) faults: Vec<Diagnostic>,
    pub(crate) warnings: Vec<Diagnostic>,
}

/// A value and the path that leads to it.
#[derive(Debug, Clone)]
pub(crate) struct Field<'a> {
    pub(crate) path: String,
    pub(crate) key: Span,
    pub(crate) node: &'a Node,
}

/// A table and the path that leads to it; the root's path is empty.
#[derive(Debug, Clone)]
pub(crate) struct Section<'a> {
    pub(crate) path: String,
    pub(crate) table: &'a Table,
}

impl<'a> Section<'a> {
    pub(crate) fn field(&self, name: &str) -> Option<Field<'a>> {
        let entry = self.table.get(name)?;
        Some(Field {
            path: self.path_of(name),
            key: entry.key_span,
            node: &entry.node,
        })
    }

    pub(crate) fn fields(&self) -> impl Iterator<Item = (&'a str, Field<'a>)> {
        self.table.0.iter().map(|entry| {
            let field = Field {
                path: self.path_of(&entry.key),
                key: entry.key_span,
                node: &entry.node,
            };
            (entry.key.as_str(), field)
        })
    }

    fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        }
    }
}

impl<'a> Checker<'a> {
    pub(crate) fn new(file: &'a Path, text: &'a str) -> Self {
        Self {
            file,
            lines: Lines::new(text),
            faults: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// A fault of a value.
    pub(crate) fn fault(&mut self, field: &Field<'_>, message: impl Into<String>) {
        let fault = self.diagnostic(&field.path, Some(field.node.span), message);
        self.faults.push(fault);
    }

    /// A fault of a field's being there at all.
    pub(crate) fn fault_key(&mut self, field: &Field<'_>, message: impl Into<String>) {
        let fault = self.diagnostic(&field.path, Some(field.key), message);
        self.faults.push(fault);
    }

    /// A fault of a field's not being there.
    pub(crate) fn fault_missing(&mut self, path: &str, message: impl Into<String>) {
        let fault = self.diagnostic(path, None, message);
        self.faults.push(fault);
    }

    pub(crate) fn warn(&mut self, field: &Field<'_>, message: impl Into<String>) {
        let warning = self.diagnostic(&field.path, Some(field.key), message);
        self.warnings.push(warning);
    }

    pub(crate) fn warn_missing(&mut self, path: &str, message: impl Into<String>) {
        let warning = self.diagnostic(path, None, message);
        self.warnings.push(warning);
    }

    fn diagnostic(&self, path: &str, span: Option<Span>, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(message)
            .in_file(self.file)
            .on_field(path)
            .at(span.map(|span| self.lines.position(span.start)))
    }

    fn wrong_kind(&mut self, field: &Field<'_>, expected: &str) {
        let found = field.node.value.kind();
        self.fault(field, format!("expected {expected}, not {found}"));
    }

    pub(crate) fn text(&mut self, field: &Field<'a>) -> Option<&'a str> {
        match &field.node.value {
            Value::Text(text) => Some(text),
            _ => {
                self.wrong_kind(field, "a string");
                None
            }
        }
    }

    pub(crate) fn boolean(&mut self, field: &Field<'a>) -> Option<bool> {
        match &field.node.value {
            Value::Bool(value) => Some(*value),
            _ => {
                self.wrong_kind(field, "true or false");
                None
            }
        }
    }

    /// A whole number from `least` to what `T` holds.
    pub(crate) fn integer<T>(&mut self, field: &Field<'a>, least: T) -> Option<T>
    where
        T: TryFrom<u64> + Bounded + PartialOrd + std::fmt::Display,
    {
        let Value::Number(number) = &field.node.value else {
            self.wrong_kind(field, "a number");
            return None;
        };
        match whole(number).and_then(|number| T::try_from(number).ok()) {
            Some(value) if value >= least => Some(value),
            _ => {
                let message = format!(
                    "expected a whole number from {least} to {}, not {number}",
                    T::MOST
                );
                self.fault(field, message);
                None
            }
        }
    }

    pub(crate) fn list(&mut self, field: &Field<'a>) -> Option<Vec<Field<'a>>> {
        let Value::List(items) = &field.node.value else {
            self.wrong_kind(field, "a list");
            return None;
        };
        let items = items.iter().enumerate().map(|(index, node)| Field {
            path: format!("{}[{index}]", field.path),
            key: node.span,
            node,
        });
        Some(items.collect())
    }

    /// A list of strings, without those that are none.
    pub(crate) fn texts(&mut self, field: &Field<'a>) -> Option<Vec<String>> {
        let items = self.list(field)?;
        let texts = items.iter().filter_map(|item| self.text(item));
        Some(texts.map(str::to_owned).collect())
    }

    pub(crate) fn section(&mut self, field: &Field<'a>) -> Option<Section<'a>> {
        match &field.node.value {
            Value::Table(table) => Some(Section {
                path: field.path.clone(),
                table,
            }),
            _ => {
                self.wrong_kind(field, "a table");
                None
            }
        }
    }

    /// A string out of a fixed set.
    pub(crate) fn choice<T: Copy>(
        &mut self,
        field: &Field<'a>,
        choices: &[(&'static str, T)],
    ) -> Option<T> {
        let text = self.text(field)?;
        let found = choices.iter().find(|(name, _)| *name == text);
        if found.is_none() {
            let names: Vec<_> = choices
                .iter()
                .map(|(name, _)| format!("\"{name}\""))
                .collect();
            self.fault(
                field,
                format!("expected {}, not \"{text}\"", either(&names)),
            );
        }
        found.map(|(_, value)| *value)
    }

    /// Warns of keys that are not among `known`.
    pub(crate) fn only_known(&mut self, section: &Section<'a>, known: &[&'static str]) {
        for (key, field) in section.fields() {
            if !known.contains(&key) {
                self.unknown(&field, key, known.iter().copied());
            }
        }
    }

    /// Warns of a key nobody knows, and of what it may have meant.
    pub(crate) fn unknown(
        &mut self,
        field: &Field<'_>,
        key: &str,
        known: impl IntoIterator<Item = &'static str>,
    ) {
        let message = match crate::fields::closest(key, known) {
            Some(name) => format!("unknown field; did you mean \"{name}\"?"),
            None => "unknown field; it has no effect".to_owned(),
        };
        self.warn(field, message);
    }
}

/// The largest value of an integer type, for messages.
pub(crate) trait Bounded {
    const MOST: Self;
}

impl Bounded for u16 {
    const MOST: Self = u16::MAX;
}

impl Bounded for u32 {
    const MOST: Self = u32::MAX;
}

/// `3` and `3.0` are both whole: JSON does not tell them apart.
fn whole(number: &Number) -> Option<u64> {
    number.as_u64().or_else(|| {
        let float = number.as_f64()?;
        let fits = float.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&float);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        fits.then_some(float as u64)
    })
}

/// `a`, `a or b`, `a, b or c`.
pub(crate) fn either(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}
