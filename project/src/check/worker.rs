//! The whole project out of a document: identity, dates, and all the parts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use outboard_compatibility::Compatibility;

use super::build::{self, Expect, Switch};
use super::names::Names;
use super::worker_loaders::worker_loaders;
use super::{
    Checker, Document, d1, dev, durable_objects, kv, queues, r2, routes, rules, services, tails,
    values,
};
use crate::{Date, Project};

/// What is known besides the file.
pub(crate) struct Facts<'a> {
    /// The folder of the file.
    pub(crate) root: &'a Path,
    /// The entry file to use instead of `main`.
    pub(crate) main: Option<&'a Path>,
    pub(crate) today: Date,
}

/// Checks everything. `None` if anything is wrong, which the checker then holds.
pub(crate) fn project<'a>(
    checker: &mut Checker<'a>,
    document: &Document<'a>,
    facts: &Facts<'_>,
) -> Option<Project> {
    let root = facts.root;
    let main = main(checker, document, facts);
    let base_dir = build::path(checker, document, "base_dir", root, Expect::Folder);
    let mut switch = |name, default| build::switch(checker, document, name, default);
    let no_bundle = switch("no_bundle", Switch::Off);
    let find_additional_modules = switch("find_additional_modules", Switch::Off);
    let preserve_file_names = switch("preserve_file_names", Switch::Off);
    let minify = switch("minify", Switch::Off);
    let keep_names = switch("keep_names", Switch::On);
    let upload_source_maps = switch("upload_source_maps", Switch::Off);
    let environment = document.environment.as_ref();
    let name = name(checker, document, root);
    let compatibility_date = compatibility_date(checker, document, facts.today);
    let compatibility_flags = compatibility_flags(checker, document);
    let compatibility = compatibility(checker, document, compatibility_date, &compatibility_flags);
    let vars = values::vars(checker, document);
    let required_secrets = values::required_secrets(checker, document);
    let rules = rules::rules(checker, document);
    let alias = values::alias(checker, document);
    let define = values::define(checker, document);
    let jsx = build::jsx(checker, document);
    let tsconfig = build::path(checker, document, "tsconfig", root, Expect::File);
    let dev = dev::dev(checker, document);
    let routes = routes::routes(checker, document);
    let crons = routes::crons(checker, document);
    let limits = dev::limits(checker, document);
    let (migrations, classes) = durable_objects::migrations(checker, document, &name);
    let mut taken = Names::of_vars(&vars);
    let durable_objects = durable_objects::bindings(checker, document, &name, &mut taken, &classes);
    let services = services::services(checker, document, &name, &mut taken);
    let tail_consumers = tails::consumers(checker, document, "tail_consumers");
    let streaming_tail_consumers = tails::consumers(checker, document, "streaming_tail_consumers");
    let d1_databases = d1::databases(checker, document, &name, root, &mut taken);
    let kv_namespaces = kv::namespaces(checker, document, &mut taken);
    let (queue_producers, queue_consumers) = queues::queues(checker, document, &mut taken);
    let worker_loaders = worker_loaders(checker, document, &mut taken);
    let r2_buckets = r2::buckets(checker, document, &name, &mut taken);

    if !checker.faults.is_empty() {
        return None;
    }
    let main = main?;
    let beside_main = main.parent().unwrap_or(root).to_owned();
    Some(Project {
        root: root.to_owned(),
        environment: environment.map(|environment| environment.name.to_owned()),
        name,
        base_dir: base_dir.unwrap_or(beside_main),
        main,
        compatibility_date,
        compatibility_flags,
        compatibility,
        vars,
        secrets: BTreeMap::new(),
        required_secrets,
        rules,
        alias,
        define,
        no_bundle,
        find_additional_modules,
        preserve_file_names,
        minify,
        keep_names,
        jsx,
        tsconfig,
        upload_source_maps,
        dev,
        routes,
        crons,
        limits,
        durable_objects,
        services,
        tail_consumers,
        streaming_tail_consumers,
        d1_databases,
        kv_namespaces,
        queue_producers,
        queue_consumers,
        worker_loaders,
        r2_buckets,
        migrations,
    })
}

fn main<'a>(
    checker: &mut Checker<'a>,
    document: &Document<'a>,
    facts: &Facts<'_>,
) -> Option<PathBuf> {
    let field = document.field("main");
    let found = match (facts.main, &field) {
        (Some(path), _) => match build::existing(facts.root, path, Expect::File) {
            Ok(found) => Some(found),
            Err(why) => {
                checker.fault_missing("main", why);
                None
            }
        },
        (None, Some(_)) => build::path(checker, document, "main", facts.root, Expect::File),
        (None, None) => {
            checker.fault_missing(
                "main",
                "required: the worker's entry file, e.g. \"src/index.ts\"",
            );
            None
        }
    };
    let found = found?;
    if found.extension().is_some_and(|extension| extension == "py") {
        match &field {
            Some(field) => checker.fault(field, "Outboard does not serve Python yet"),
            None => checker.fault_missing("main", "Outboard does not serve Python yet"),
        }
        return None;
    }
    Some(found)
}

/// The name, or one made from the folder's, since wrangler asks for none to
/// run a worker locally.
fn name<'a>(checker: &mut Checker<'a>, document: &Document<'a>, root: &Path) -> String {
    let own = document
        .environment
        .as_ref()
        .and_then(|environment| environment.section.field("name"));
    let given = own.is_some();
    let name = match own.or_else(|| document.top.field("name")) {
        Some(field) => match checker.text(&field) {
            Some(name) => {
                if !is_worker_name(name) {
                    let message = format!(
                        "expected lower-case letters, digits, \"-\" and \"_\", \
                         not starting with \"-\"; not \"{name}\""
                    );
                    checker.fault(&field, message);
                }
                name.to_owned()
            }
            None => return String::new(),
        },
        None => {
            let name = name_of_folder(root);
            checker.warn_missing("name", format!("not given; using the folder's, \"{name}\""));
            name
        }
    };
    match &document.environment {
        Some(environment) if !given => format!("{name}-{}", environment.name),
        _ => name,
    }
}

/// Whether a worker may be called so.
pub fn is_worker_name(name: &str) -> bool {
    let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    name.starts_with(letter) && name.chars().all(|c| letter(c) || c == '-')
}

fn name_of_folder(root: &Path) -> String {
    let folder = root.file_name().unwrap_or_default().to_string_lossy();
    let name: String = folder
        .to_lowercase()
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '_' {
                c
            } else {
                '-'
            }
        })
        .collect();
    match name.trim_matches('-') {
        "" => "worker".to_owned(),
        name => name.to_owned(),
    }
}

fn compatibility_date<'a>(checker: &mut Checker<'a>, document: &Document<'a>, today: Date) -> Date {
    let Some(field) = document.field("compatibility_date") else {
        let message = format!("not given; using today's, \"{today}\", which will change");
        checker.warn_missing("compatibility_date", message);
        return today;
    };
    if let crate::tree::Value::Date(date) = &field.node.value {
        checker.fault(
            &field,
            format!("expected a string, not a date; write \"{date}\" in quotes"),
        );
        return today;
    }
    let Some(text) = checker.text(&field) else {
        return today;
    };
    match Date::parse(text) {
        None => {
            let message = format!("expected a date such as \"{today}\", not \"{text}\"");
            checker.fault(&field, message);
            today
        }
        // East of Greenwich tomorrow has begun already.
        Some(date) if date > today.tomorrow() => {
            checker.fault(&field, format!("{date} is in the future; today is {today}"));
            today
        }
        Some(date) => date,
    }
}

fn compatibility_flags<'a>(checker: &mut Checker<'a>, document: &Document<'a>) -> Vec<String> {
    let field = document.field("compatibility_flags");
    let flags = field.and_then(|field| checker.texts(&field));
    flags.unwrap_or_default()
}

/// What date and flags come to; warns of flags that have no effect.
fn compatibility<'a>(
    checker: &mut Checker<'a>,
    document: &Document<'a>,
    date: Date,
    flags: &[String],
) -> Compatibility {
    let items = match document.field("compatibility_flags") {
        Some(field) if !flags.is_empty() => checker.list(&field).unwrap_or_default(),
        _ => Vec::new(),
    };
    // Where one is no string, which was said, places do not match.
    if items.len() != flags.len() {
        return Compatibility::default();
    }
    match Compatibility::new(&date.to_string(), flags) {
        Ok(compatibility) => {
            for unmet in outboard_compatibility::unmet(flags) {
                checker.warn(&items[unmet.index], unmet.message);
            }
            compatibility
        }
        Err(faults) => {
            for fault in faults {
                match fault.index() {
                    Some(index) => checker.fault(&items[index], fault.to_string()),
                    None => checker.fault_missing("compatibility_date", fault.to_string()),
                }
            }
            Compatibility::default()
        }
    }
}
