//! Which value applies: the environment's, or the top level's.

use super::{Checker, Field, Section};
use crate::fields::{self, KnownField, Scope, Support};
use crate::tree::{Node, Table, Value};

/// A configuration file seen through one environment.
pub(crate) struct Document<'a> {
    pub(crate) top: Section<'a>,
    pub(crate) environment: Option<Environment<'a>>,
}

pub(crate) struct Environment<'a> {
    pub(crate) name: &'a str,
    pub(crate) section: Section<'a>,
}

impl<'a> Document<'a> {
    /// Finds the environment and reports every field that is unknown, not
    /// served or without effect. `None` if the environment is not there.
    pub(crate) fn open(
        checker: &mut Checker<'a>,
        root: &'a Node,
        environment: Option<&'a str>,
    ) -> Option<Self> {
        let Value::Table(table) = &root.value else {
            checker.fault_missing("", "the file must hold one table");
            return None;
        };
        let mut document = Self {
            top: Section {
                path: String::new(),
                table,
            },
            environment: None,
        };
        let found = find_environment(checker, &document.top, environment);
        let missing = environment.is_some() && found.is_none();
        document.environment = found;
        document.check_names(checker);
        document.check_support(checker);
        document.check_uninherited(checker);
        (!missing).then_some(document)
    }

    /// The value of a field that applies.
    pub(crate) fn field(&self, name: &'static str) -> Option<Field<'a>> {
        self.effective(fields::find(name)?)
    }

    fn effective(&self, field: &KnownField) -> Option<Field<'a>> {
        let Some(environment) = &self.environment else {
            return self.top.field(field.name);
        };
        match field.scope {
            Scope::TopLevel => self.top.field(field.name),
            Scope::PerEnvironment => environment.section.field(field.name),
            Scope::Inherited => environment
                .section
                .field(field.name)
                .or_else(|| self.top.field(field.name)),
        }
    }

    fn check_names(&self, checker: &mut Checker<'a>) {
        let top = self.top.fields().map(|entry| (entry, true));
        let environment = self
            .environment
            .iter()
            .flat_map(|environment| environment.section.fields().map(|entry| (entry, false)));
        for ((name, field), at_top) in top.chain(environment) {
            match fields::find(name) {
                Some(known) if at_top || known.scope != Scope::TopLevel => {}
                Some(_) => {
                    let message = format!(
                        "has no effect in an environment; move it to the top level as \"{name}\""
                    );
                    checker.warn(&field, message);
                }
                None => {
                    let known = fields::all().iter();
                    checker.unknown(&field, name, known.map(|known| known.name));
                }
            }
        }
    }

    fn check_support(&self, checker: &mut Checker<'a>) {
        for known in fields::all() {
            let Some(field) = self.effective(known) else {
                continue;
            };
            match known.support {
                Support::Served | Support::Ignored => {}
                Support::Warned(why) => checker.warn(&field, why),
                _ if field.node.value.is_empty() => {}
                Support::NotYet => {
                    let message = format!("Outboard does not serve {} yet", known.name);
                    checker.fault_key(&field, message);
                }
                Support::Refused(_) if harmless(known.name, &field) => {}
                Support::Refused(why) => checker.fault_key(&field, why),
            }
        }
    }

    /// Warns of keys of the top level that the environment will lack.
    fn check_uninherited(&self, checker: &mut Checker<'a>) {
        let Some(environment) = &self.environment else {
            return;
        };
        for name in ["vars", "define", "durable_objects"] {
            let (Some(top), own) = (
                table_in(&self.top, name),
                table_in(&environment.section, name),
            ) else {
                continue;
            };
            for (key, field) in top.fields() {
                if own.as_ref().is_none_or(|own| own.table.get(key).is_none()) {
                    let place = &environment.section.path;
                    let message = format!(
                        "environments do not inherit {name}; \
                         if \"{}\" needs it too, add \"{place}.{name}.{key}\"",
                        environment.name
                    );
                    checker.warn(&field, message);
                }
            }
        }
    }
}

/// A build table without a command only says what to watch.
fn harmless(name: &str, field: &Field<'_>) -> bool {
    match &field.node.value {
        Value::Table(table) if name == "build" => table
            .get("command")
            .is_none_or(|command| command.node.value.is_empty()),
        Value::Bool(value) => !value,
        _ => false,
    }
}

fn table_in<'a>(section: &Section<'a>, name: &str) -> Option<Section<'a>> {
    let field = section.field(name)?;
    match &field.node.value {
        Value::Table(table) => Some(Section {
            path: field.path,
            table,
        }),
        _ => None,
    }
}

fn find_environment<'a>(
    checker: &mut Checker<'a>,
    top: &Section<'a>,
    wanted: Option<&'a str>,
) -> Option<Environment<'a>> {
    const EMPTY: &Table = &Table(Vec::new());
    let environments = match top.field("env") {
        Some(field) => checker.section(&field)?,
        None => Section {
            path: "env".to_owned(),
            table: EMPTY,
        },
    };
    let name = wanted?;
    if let Some(field) = environments.field(name) {
        let section = checker.section(&field)?;
        return Some(Environment { name, section });
    }
    let names: Vec<_> = environments
        .fields()
        .map(|(name, _)| format!("\"{name}\""))
        .collect();
    let message = if names.is_empty() {
        format!("there is no environment \"{name}\"; the file has none")
    } else {
        format!(
            "there is no environment \"{name}\"; there is {}",
            names.join(", ")
        )
    };
    checker.fault_missing("env", message);
    None
}
