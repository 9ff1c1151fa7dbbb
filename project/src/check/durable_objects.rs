//! `migrations` and `durable_objects`: the classes there are, and the names
//! that `env` has their objects by.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::names::{Names, filled, required};
use super::{Checker, Document, Field, Section};
use crate::{DurableObjectBinding, Migration, Transfer};

/// What the migrations before some point come to.
#[derive(Default)]
pub(super) struct Classes {
    existing: BTreeSet<String>,
    /// Classes that there were, and what became of each.
    gone: BTreeMap<String, String>,
}

impl Classes {
    fn create(&mut self, class: &str) {
        self.gone.remove(class);
        self.existing.insert(class.to_owned());
    }

    fn remove(&mut self, class: &str, why: String) {
        self.existing.remove(class);
        self.gone.insert(class.to_owned(), why);
    }

    /// `there is no class "A"`, and why.
    fn missing(&self, class: &str) -> String {
        match self.gone.get(class) {
            Some(why) => format!("there is no class \"{class}\": {why}"),
            None => format!("there is no class \"{class}\""),
        }
    }
}

/// `migrations`, each applied to what those before it made. `own` is the worker's name.
pub(super) fn migrations<'a>(
    checker: &mut Checker<'a>,
    document: &Document<'a>,
    own: &str,
) -> (Vec<Migration>, Classes) {
    let items = document
        .field("migrations")
        .and_then(|field| checker.list(&field));
    let mut classes = Classes::default();
    let mut tags = HashMap::new();
    let migrations = items
        .unwrap_or_default()
        .into_iter()
        .filter_map(|item| migration(checker, item, own, &mut tags, &mut classes))
        .collect();
    (migrations, classes)
}

fn migration<'a>(
    checker: &mut Checker<'a>,
    item: Field<'a>,
    own: &str,
    tags: &mut HashMap<&'a str, String>,
    classes: &mut Classes,
) -> Option<Migration> {
    let section = checker.section(&item)?;
    checker.only_known(
        &section,
        &[
            "tag",
            "new_classes",
            "new_sqlite_classes",
            "renamed_classes",
            "deleted_classes",
            "transferred_classes",
        ],
    );
    let tag = required(checker, &item, &section, "tag", "a migration");
    if let Some((field, tag)) = &tag
        && let Some(first) = tags.insert(tag, item.path.clone())
    {
        checker.fault(field, format!("\"{tag}\" is the tag of {first} too"));
    }
    // In this order wrangler applies them.
    let deleted_classes = deleted(checker, &item, &section, classes);
    let renamed_classes = renamed(checker, &item, &section, classes);
    let transferred_classes = transferred(checker, &section, own, classes);
    let mut new_classes = created(checker, &section, "new_classes", classes);
    if let Some(field) = section.field("new_classes")
        && !new_classes.is_empty()
    {
        let message = "stored in SQLite here too, as \"new_sqlite_classes\" are";
        checker.warn(&field, message);
    }
    new_classes.extend(created(checker, &section, "new_sqlite_classes", classes));
    Some(Migration {
        tag: tag?.1.to_owned(),
        deleted_classes,
        renamed_classes,
        transferred_classes,
        new_classes,
    })
}

fn deleted<'a>(
    checker: &mut Checker<'a>,
    item: &Field<'a>,
    section: &Section<'a>,
    classes: &mut Classes,
) -> Vec<String> {
    let names = names(checker, section, "deleted_classes");
    for (field, class) in &names {
        if classes.existing.contains(*class) {
            classes.remove(class, format!("{} deletes it", item.path));
        } else {
            checker.fault(field, classes.missing(class));
        }
    }
    owned(&names)
}

fn renamed<'a>(
    checker: &mut Checker<'a>,
    item: &Field<'a>,
    section: &Section<'a>,
    classes: &mut Classes,
) -> Vec<(String, String)> {
    let renames = section
        .field("renamed_classes")
        .and_then(|field| checker.list(&field));
    let mut list = Vec::new();
    for rename in renames.unwrap_or_default() {
        let Some(section) = checker.section(&rename) else {
            continue;
        };
        checker.only_known(&section, &["from", "to"]);
        let from = required(checker, &rename, &section, "from", "a renamed class");
        let to = required(checker, &rename, &section, "to", "a renamed class");
        let (Some((from_field, from)), Some((to_field, to))) = (from, to) else {
            continue;
        };
        if !classes.existing.contains(from) {
            checker.fault(&from_field, classes.missing(from));
        } else if classes.existing.contains(to) {
            checker.fault(&to_field, format!("there is a class \"{to}\" already"));
        } else {
            classes.remove(from, format!("{} renames it to \"{to}\"", item.path));
        }
        classes.create(to);
        list.push((from.to_owned(), to.to_owned()));
    }
    list
}

fn transferred<'a>(
    checker: &mut Checker<'a>,
    section: &Section<'a>,
    own: &str,
    classes: &mut Classes,
) -> Vec<Transfer> {
    let transfers = section
        .field("transferred_classes")
        .and_then(|field| checker.list(&field));
    let mut list = Vec::new();
    for transfer in transfers.unwrap_or_default() {
        let Some(section) = checker.section(&transfer) else {
            continue;
        };
        checker.only_known(&section, &["from", "from_script", "to"]);
        let mut text = |name| required(checker, &transfer, &section, name, "a transferred class");
        let (from, script, to) = (text("from"), text("from_script"), text("to"));
        let (Some((_, from)), Some((script_field, script)), Some((to_field, to))) =
            (from, script, to)
        else {
            continue;
        };
        if script == own {
            let message = "this is the worker itself; \"renamed_classes\" renames its classes";
            checker.fault(&script_field, message);
        } else if classes.existing.contains(to) {
            checker.fault(&to_field, format!("there is a class \"{to}\" already"));
        }
        classes.create(to);
        list.push(Transfer {
            from: from.to_owned(),
            from_script: script.to_owned(),
            to: to.to_owned(),
        });
    }
    list
}

fn created<'a>(
    checker: &mut Checker<'a>,
    section: &Section<'a>,
    name: &'static str,
    classes: &mut Classes,
) -> Vec<String> {
    let names = names(checker, section, name);
    for (field, class) in &names {
        if classes.existing.contains(*class) {
            checker.fault(field, format!("there is a class \"{class}\" already"));
        }
        classes.create(class);
    }
    owned(&names)
}

/// `durable_objects.bindings`. `own` is the worker's name.
pub(super) fn bindings<'a>(
    checker: &mut Checker<'a>,
    document: &Document<'a>,
    own: &str,
    taken: &mut Names,
    classes: &Classes,
) -> Vec<DurableObjectBinding> {
    let Some(section) = document
        .field("durable_objects")
        .and_then(|field| checker.section(&field))
    else {
        return Vec::new();
    };
    checker.only_known(&section, &["bindings"]);
    let items = section
        .field("bindings")
        .and_then(|field| checker.list(&field));
    let mut bindings: Vec<DurableObjectBinding> = Vec::new();
    for item in items.unwrap_or_default() {
        let Some(section) = checker.section(&item) else {
            continue;
        };
        checker.only_known(
            &section,
            &["name", "class_name", "script_name", "environment"],
        );
        if let Some(field) = section.field("environment") {
            checker.fault_key(
                &field,
                "Outboard does not offer to bind to an environment of another script",
            );
        }
        let script = section
            .field("script_name")
            .and_then(|field| filled(checker, &field))
            .filter(|script| *script != own);
        let name = required(checker, &item, &section, "name", "a binding");
        let class = required(checker, &item, &section, "class_name", "a binding");
        if let Some((field, name)) = &name {
            taken.claim(checker, field, name, &item);
        }
        // What classes another worker has is not known here.
        if let (Some((field, class)), None) = (&class, script) {
            if classes.gone.contains_key(*class) {
                checker.fault(field, classes.missing(class));
            } else if !classes.existing.contains(*class)
                && bindings
                    .iter()
                    .all(|other| other.class_name != *class || other.script_name.is_some())
            {
                let message = format!(
                    "no migration creates \"{class}\"; it is taken as new, \
                     but add it to the \"new_sqlite_classes\" of a migration"
                );
                checker.warn(field, message);
            }
        }
        if let (Some((_, name)), Some((_, class))) = (name, class) {
            bindings.push(DurableObjectBinding {
                name: name.to_owned(),
                class_name: class.to_owned(),
                script_name: script.map(str::to_owned),
            });
        }
    }
    bindings
}

/// A list of classes, each with its place.
fn names<'a>(
    checker: &mut Checker<'a>,
    section: &Section<'a>,
    name: &'static str,
) -> Vec<(Field<'a>, &'a str)> {
    let items = section.field(name).and_then(|field| checker.list(&field));
    items
        .unwrap_or_default()
        .into_iter()
        .filter_map(|item| {
            let name = filled(checker, &item)?;
            Some((item, name))
        })
        .collect()
}

fn owned(names: &[(Field<'_>, &str)]) -> Vec<String> {
    names.iter().map(|(_, name)| (*name).to_owned()).collect()
}
