//! Names in `env`, each of one thing, and the fields that give them.

use std::collections::{BTreeMap, HashMap};

use super::{Checker, Field, Section};
use crate::VarValue;

/// The names that are taken, and by which field.
pub(super) struct Names(HashMap<String, String>);

impl Names {
    pub(super) fn of_vars(vars: &BTreeMap<String, VarValue>) -> Self {
        let taken = |name: &String| (name.clone(), format!("vars.{name}"));
        Self(vars.keys().map(taken).collect())
    }

    /// Gives a name to what `item` binds, unless something else has it.
    pub(super) fn claim<'a>(
        &mut self,
        checker: &mut Checker<'a>,
        field: &Field<'a>,
        name: &str,
        item: &Field<'a>,
    ) {
        match self.0.get(name) {
            Some(first) => {
                let message = format!("\"{name}\" is the name of {first} too");
                checker.fault(field, message);
            }
            None => {
                self.0.insert(name.to_owned(), item.path.clone());
            }
        }
    }
}

/// A text that must be there, and not be empty.
pub(super) fn required<'a>(
    checker: &mut Checker<'a>,
    item: &Field<'a>,
    section: &Section<'a>,
    name: &'static str,
    whose: &'static str,
) -> Option<(Field<'a>, &'a str)> {
    let Some(field) = section.field(name) else {
        checker.fault(item, format!("{whose} needs a \"{name}\""));
        return None;
    };
    let text = filled(checker, &field)?;
    Some((field, text))
}

pub(super) fn filled<'a>(checker: &mut Checker<'a>, field: &Field<'a>) -> Option<&'a str> {
    let text = checker.text(field)?;
    if text.is_empty() {
        checker.fault(field, "expected a name, not an empty string");
        return None;
    }
    Some(text)
}
