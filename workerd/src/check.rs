//! Reads a tree of values field by field and notes every fault with its path.

use crate::fault::{Fault, Problem};
use crate::value::Value;

/// All faults found so far.
#[derive(Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    pub(crate) fn invalid(&mut self, path: &str, text: impl Into<String>) {
        self.push(path, Problem::Invalid(text.into()));
    }

    pub(crate) fn not_offered(&mut self, path: &str, what: impl Into<String>) {
        self.push(path, Problem::NotOffered(what.into()));
    }

    fn push(&mut self, path: &str, problem: Problem) {
        self.0.push(Fault {
            path: path.to_string(),
            problem,
        });
    }

    pub(crate) fn into_list(self) -> Vec<Fault> {
        self.0
    }
}

/// A struct's fields, taken one by one; what is left over is a fault.
pub(crate) struct Fields {
    pub(crate) path: String,
    fields: Vec<(String, Value)>,
}

impl Fields {
    /// `first` is the field that a text stands for, where the struct is one that
    /// may be written so.
    pub(crate) fn new(path: &str, value: Value, first: Option<&str>, faults: &mut Faults) -> Self {
        let fields = match (value, first) {
            (Value::Struct(fields), _) => fields,
            (Value::Void, _) => Vec::new(),
            (text @ Value::Bytes(_), Some(first)) => vec![(first.to_string(), text)],
            (other, _) => {
                faults.invalid(
                    path,
                    format!("a struct is expected, not {}", other.describe()),
                );
                Vec::new()
            }
        };
        Self {
            path: path.to_string(),
            fields,
        }
    }

    pub(crate) fn child(&self, name: &str) -> String {
        if self.path.is_empty() {
            name.to_string()
        } else {
            format!("{}.{name}", self.path)
        }
    }

    pub(crate) fn take(&mut self, name: &str) -> Option<Value> {
        let at = self.fields.iter().position(|(field, _)| field == name)?;
        Some(self.fields.remove(at).1)
    }

    /// The one field of a union that was given.
    pub(crate) fn union(
        &mut self,
        members: &[&'static str],
        faults: &mut Faults,
    ) -> Option<(&'static str, Value)> {
        let mut chosen = None;
        for member in members {
            let Some(value) = self.take(member) else {
                continue;
            };
            match &chosen {
                None => chosen = Some((*member, value)),
                Some((first, _)) => faults.invalid(
                    &self.path,
                    format!("{first:?} and {member:?} exclude one another"),
                ),
            }
        }
        chosen
    }

    pub(crate) fn text(&mut self, name: &str, faults: &mut Faults) -> Option<String> {
        let value = self.take(name)?;
        text(&self.child(name), value, faults)
    }

    /// A text that must be there and not be empty.
    pub(crate) fn required(&mut self, name: &str, faults: &mut Faults) -> String {
        let found = self.text(name, faults).filter(|text| !text.is_empty());
        if found.is_none() {
            faults.invalid(&self.child(name), "is missing");
        }
        found.unwrap_or_default()
    }

    pub(crate) fn flag(&mut self, name: &str, faults: &mut Faults) -> bool {
        match self.take(name) {
            Some(Value::Bool(flag)) => flag,
            None => false,
            Some(other) => {
                let text = format!("true or false is expected, not {}", other.describe());
                faults.invalid(&self.child(name), text);
                false
            }
        }
    }

    pub(crate) fn list<T>(
        &mut self,
        name: &str,
        faults: &mut Faults,
        item: impl FnMut(&str, Value, &mut Faults) -> Option<T>,
    ) -> Vec<T> {
        let path = self.child(name);
        self.take(name)
            .map(|value| list(&path, value, faults, item))
            .unwrap_or_default()
    }

    pub(crate) fn texts(&mut self, name: &str, faults: &mut Faults) -> Vec<String> {
        self.list(name, faults, text)
    }

    /// Takes fields that mean nothing here, each with its reason at the caller.
    pub(crate) fn ignore(&mut self, names: &[&str]) {
        for name in names {
            self.take(name);
        }
    }

    /// Fields that say something Outboard does not do, where they were given.
    pub(crate) fn refuse(&mut self, names: &[&str], faults: &mut Faults) {
        for name in names {
            match self.take(name) {
                // The binary format always has these.
                None | Some(Value::Void | Value::Bool(false) | Value::Number(0)) => {}
                Some(Value::List(list)) if list.is_empty() => {}
                Some(_) => faults.not_offered(&self.child(name), format!("{name:?} is")),
            }
        }
    }

    pub(crate) fn end(self, faults: &mut Faults) {
        for (name, _) in &self.fields {
            faults.invalid(&self.child(name), "no such field");
        }
    }
}

pub(crate) fn list<T>(
    path: &str,
    value: Value,
    faults: &mut Faults,
    mut item: impl FnMut(&str, Value, &mut Faults) -> Option<T>,
) -> Vec<T> {
    match value {
        Value::List(items) => items
            .into_iter()
            .enumerate()
            .filter_map(|(index, value)| item(&format!("{path}[{index}]"), value, faults))
            .collect(),
        Value::Void => Vec::new(),
        other => {
            faults.invalid(
                path,
                format!("a list is expected, not {}", other.describe()),
            );
            Vec::new()
        }
    }
}

pub(crate) fn text(path: &str, value: Value, faults: &mut Faults) -> Option<String> {
    match value {
        Value::Bytes(bytes) => {
            let text = String::from_utf8(bytes).ok();
            if text.is_none() {
                faults.invalid(path, "is not UTF-8");
            }
            text
        }
        Value::Void => Some(String::new()),
        other => {
            faults.invalid(
                path,
                format!("a text is expected, not {}", other.describe()),
            );
            None
        }
    }
}

pub(crate) fn bytes(path: &str, value: Value, faults: &mut Faults) -> Option<Vec<u8>> {
    match value {
        Value::Bytes(bytes) => Some(bytes),
        Value::Void => Some(Vec::new()),
        other => {
            faults.invalid(path, format!("data is expected, not {}", other.describe()));
            None
        }
    }
}
