//! A worker as it travels to a node, and as the node keeps it: what its configuration
//! says, and its modules, as one run of bytes.
//!
//! ```text
//! outboard package 1\n
//! 512\n                       bytes of the manifest
//! { "worker": …, "code": … }  the manifest, JSON
//! …                           the modules, each followed by its source map
//! ```
//!
//! A reader takes exactly this: a number it does not know, a field it does not know
//! and a byte too few or too many are refused. Fields that a writer of before did
//! not have are what they are in a configuration that lacks them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use outboard_compatibility::Compatibility;
use serde::{Deserialize, Serialize};

use crate::project::QUEUE_DELAY;
use crate::{
    Bundle, Cron, D1Database, Date, DurableObjectBinding, KvBinding, Limits, Migration, Module,
    ModuleKind, Project, QueueConsumer, QueueProducer, R2Bucket, Route, ServiceBinding, VarValue,
    is_worker_name,
};

/// The first line, up to the format's number.
const MAGIC: &str = "outboard package ";
const FORMAT: u32 = 1;
/// What a manifest may have; a configuration file has at most a quarter of it.
const LARGEST_MANIFEST: usize = 4 << 20;
/// More are not from a bundler.
const MOST_MODULES: usize = 10_000;

/// A project as far as it matters where it runs, and its modules. Paths, secrets
/// and what was only for the bundler are not in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Package {
    pub project: Project,
    pub bundle: Bundle,
}

/// Bytes that are no package.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    #[error("this is no package of a worker")]
    NotOne,
    #[error("the package has the format {0}, and this version of Outboard reads {FORMAT}")]
    Format(String),
    #[error("the package's manifest: {0}")]
    Manifest(serde_json::Error),
    #[error("the package's manifest is larger than {LARGEST_MANIFEST} bytes")]
    LargeManifest,
    #[error("the package is cut off: it has {found} bytes and says {expected}")]
    CutOff { expected: u64, found: u64 },
    #[error("the package has {0} bytes behind its end")]
    TooLong(u64),
    #[error("{field}: {fault}")]
    Field { field: String, fault: String },
}

/// Declares what of a [`Project`] travels: a line a field.
macro_rules! travels {
    ($($field:ident: $kind:ty,)*) => {
        #[derive(Default, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        struct Travels {
            $($field: $kind,)*
        }

        impl Travels {
            fn of(project: &Project) -> Self {
                // All fields, so that a new one is either here or there.
                let Project {
                    $($field,)*
                    // Of this machine.
                    root: _, environment: _, main: _, dev: _, secrets: _,
                    // What the date and the flags come to.
                    compatibility: _,
                    // For the bundler.
                    rules: _, alias: _, define: _, no_bundle: _, find_additional_modules: _,
                    preserve_file_names: _, base_dir: _, minify: _, keep_names: _, jsx: _,
                    tsconfig: _, upload_source_maps: _,
                } = project;
                Self { $($field: $field.clone(),)* }
            }

            fn into_project(self) -> Project {
                Project { $($field: self.$field,)* ..Project::default() }
            }
        }
    };
}

travels! {
    name: String,
    compatibility_date: Date,
    compatibility_flags: Vec<String>,
    vars: BTreeMap<String, VarValue>,
    required_secrets: Vec<String>,
    routes: Vec<Route>,
    crons: Vec<Cron>,
    limits: Limits,
    durable_objects: Vec<DurableObjectBinding>,
    services: Vec<ServiceBinding>,
    tail_consumers: Vec<String>,
    streaming_tail_consumers: Vec<String>,
    d1_databases: Vec<D1Database>,
    kv_namespaces: Vec<KvBinding>,
    worker_loaders: Vec<String>,
    r2_buckets: Vec<R2Bucket>,
    queue_producers: Vec<QueueProducer>,
    queue_consumers: Vec<QueueConsumer>,
    migrations: Vec<Migration>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    worker: Travels,
    code: Code,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Code {
    main: String,
    modules: Vec<Entry>,
    exports: Option<Vec<String>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    specifier: String,
    kind: ModuleKind,
    bytes: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source_map_bytes: Option<u64>,
}

impl Package {
    /// The package of a project and its bundle, as bytes.
    pub fn encode(project: &Project, bundle: &Bundle) -> Vec<u8> {
        let entries = bundle.modules.iter().map(|module| Entry {
            specifier: module.specifier.clone(),
            kind: module.kind,
            bytes: module.content.len() as u64,
            source_map_bytes: module.source_map.as_ref().map(|map| map.len() as u64),
        });
        let manifest = Manifest {
            worker: Travels::of(project),
            code: Code {
                main: bundle.main.clone(),
                modules: entries.collect(),
                exports: bundle.exports.clone(),
            },
        };
        let manifest = serde_json::to_vec(&manifest).expect("its keys are strings");
        let mut bytes = format!("{MAGIC}{FORMAT}\n{}\n", manifest.len()).into_bytes();
        bytes.extend(manifest);
        for module in &bundle.modules {
            bytes.extend(&module.content);
            bytes.extend(module.source_map.iter().flatten());
        }
        bytes
    }

    /// Reads a package from whomever it may come: what the configuration's checker
    /// promises of a project holds, except what only the node that serves it knows.
    pub fn decode(bytes: &[u8]) -> Result<Self, PackageError> {
        let (head, rest) = line(bytes).ok_or(PackageError::NotOne)?;
        let format = head.strip_prefix(MAGIC).ok_or(PackageError::NotOne)?;
        if format != FORMAT.to_string() {
            return Err(PackageError::Format(format.into()));
        }
        let (length, rest) = line(rest).ok_or(PackageError::NotOne)?;
        let length: usize = length.parse().map_err(|_| PackageError::NotOne)?;
        if length > LARGEST_MANIFEST {
            return Err(PackageError::LargeManifest);
        }
        let cut_off = |expected: u64, found: usize| PackageError::CutOff {
            expected,
            found: found as u64,
        };
        let Some((manifest, content)) = rest.split_at_checked(length) else {
            return Err(cut_off(length as u64, rest.len()));
        };
        let manifest: Manifest =
            serde_json::from_slice(manifest).map_err(PackageError::Manifest)?;
        let bundle = manifest.code.read(content)?;
        let mut project = manifest.worker.into_project();
        check(&mut project)?;
        Ok(Self { project, bundle })
    }
}

/// The text before the first line break, and what follows it; none where it is long.
fn line(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let end = bytes.iter().take(64).position(|byte| *byte == b'\n')?;
    let (line, rest) = bytes.split_at(end);
    Some((std::str::from_utf8(line).ok()?, &rest[1..]))
}

impl Code {
    fn read(self, mut content: &[u8]) -> Result<Bundle, PackageError> {
        if self.modules.len() > MOST_MODULES {
            let fault = format!("there are more than {MOST_MODULES}");
            return Err(field("modules", fault));
        }
        let sizes = self.modules.iter().map(Entry::size);
        let expected = sizes.fold(0, u64::saturating_add);
        let found = content.len() as u64;
        if found < expected {
            return Err(PackageError::CutOff { expected, found });
        }
        if found > expected {
            return Err(PackageError::TooLong(found - expected));
        }
        let mut take = |bytes: u64| {
            let at = usize::try_from(bytes).unwrap_or(usize::MAX);
            let (taken, rest) = content.split_at_checked(at).unwrap_or((content, &[]));
            content = rest;
            taken.to_vec()
        };
        let modules = self.modules.into_iter().map(|entry| Module {
            content: take(entry.bytes),
            source_map: entry.source_map_bytes.map(&mut take),
            specifier: entry.specifier,
            kind: entry.kind,
        });
        Ok(Bundle {
            modules: modules.collect(),
            main: self.main,
            exports: self.exports,
            externals: Vec::new(),
            warnings: Vec::new(),
            watch_files: Vec::new(),
        })
    }
}

impl Entry {
    fn size(&self) -> u64 {
        self.bytes
            .saturating_add(self.source_map_bytes.unwrap_or_default())
    }
}

fn check(project: &mut Project) -> Result<(), PackageError> {
    if !is_worker_name(&project.name) {
        let fault = format!("{:?} is no worker's name", project.name);
        return Err(field("name", fault));
    }
    let date = project.compatibility_date.to_string();
    let compatibility = Compatibility::new(&date, &project.compatibility_flags);
    project.compatibility = compatibility.map_err(|faults| {
        let faults = faults.iter().map(ToString::to_string);
        let faults = faults.collect::<Vec<_>>().join("; ");
        field("compatibility_flags", faults)
    })?;
    let mut tags = BTreeSet::new();
    for (at, migration) in project.migrations.iter().enumerate() {
        if !tags.insert(&migration.tag) {
            let fault = format!("{:?} is there twice", migration.tag);
            return Err(field(&format!("migrations[{at}].tag"), fault));
        }
    }
    let mut queues = BTreeSet::new();
    for (at, consumer) in project.queue_consumers.iter().enumerate() {
        let named = |name: &str| format!("queues.consumers[{at}].{name}");
        let queue = &consumer.queue;
        if !queues.insert(queue) {
            return Err(field(&named("queue"), format!("{queue:?} is there twice")));
        }
        if consumer.dead_letter_queue.as_ref() == Some(queue) {
            let fault = "a queue cannot be its own dead letter queue".into();
            return Err(field(&named("dead_letter_queue"), fault));
        }
        if let Some((name, bounds)) = consumer.out_of_bounds() {
            return Err(field(&named(name), outside(&bounds)));
        }
    }
    for (at, producer) in project.queue_producers.iter().enumerate() {
        if producer
            .delivery_delay
            .is_some_and(|delay| !QUEUE_DELAY.contains(&delay))
        {
            let name = format!("queues.producers[{at}].delivery_delay");
            return Err(field(&name, outside(&QUEUE_DELAY)));
        }
    }
    Ok(())
}

fn outside(bounds: &RangeInclusive<u32>) -> String {
    format!(
        "expected a whole number from {} to {}",
        bounds.start(),
        bounds.end()
    )
}

fn field(field: &str, fault: String) -> PackageError {
    PackageError::Field {
        field: field.into(),
        fault,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package() -> (Project, Bundle) {
        let module = |specifier: &str, content: &str, map: Option<&str>| Module {
            specifier: specifier.into(),
            kind: ModuleKind::EsModule,
            content: content.into(),
            source_map: map.map(Into::into),
        };
        let project = Project {
            name: "w".into(),
            compatibility_date: Date::parse("2026-04-01").expect("a date"),
            compatibility_flags: vec!["nodejs_compat".into()],
            compatibility: Compatibility::new("2026-04-01", &["nodejs_compat"]).expect("flags"),
            vars: BTreeMap::from([
                ("TEXT".into(), VarValue::Text("a".into())),
                (
                    "JSON".into(),
                    VarValue::Json(serde_json::json!({ "b": [1] })),
                ),
            ]),
            migrations: vec![Migration {
                tag: "v1".into(),
                new_classes: vec!["A".into()],
                ..Migration::default()
            }],
            ..Project::default()
        };
        let bundle = Bundle {
            main: "index.js".into(),
            modules: vec![
                module("index.js", "export default 1", Some("{}")),
                module("empty.js", "", None),
            ],
            exports: Some(vec!["default".into()]),
            externals: Vec::new(),
            warnings: Vec::new(),
            watch_files: Vec::new(),
        };
        (project, bundle)
    }

    #[test]
    fn a_package_comes_back_as_it_was() {
        let (project, bundle) = package();
        let bytes = Package::encode(&project, &bundle);
        let back = Package::decode(&bytes).expect("a package");
        assert_eq!(back, Package { project, bundle });
    }

    #[test]
    fn one_cut_anywhere_is_refused_and_so_is_a_longer_one() {
        let (project, bundle) = package();
        let mut bytes = Package::encode(&project, &bundle);
        for end in 0..bytes.len() {
            assert!(Package::decode(&bytes[..end]).is_err(), "{end} bytes");
        }
        bytes.push(0);
        let error = Package::decode(&bytes).expect_err("longer");
        assert_eq!(error.to_string(), "the package has 1 bytes behind its end");
    }

    #[track_caller]
    fn check(manifest: &str, expected: &str) {
        let bytes = format!("{MAGIC}{FORMAT}\n{}\n{manifest}", manifest.len());
        let error = Package::decode(bytes.as_bytes()).expect_err("a fault");
        assert!(error.to_string().starts_with(expected), "{error}");
    }

    #[test]
    fn what_nobody_knows_is_refused() {
        let code = r#""code": { "main": "a.js", "modules": [], "exports": null }"#;
        check(
            &format!(r#"{{ "worker": {{ "name": "w", "later": 1 }}, {code} }}"#),
            "the package's manifest: unknown field `later`, expected one of ",
        );
        let named = |name: &str| {
            let date = r#""compatibility_date": "2026-04-01""#;
            format!(r#"{{ "worker": {{ "name": "{name}", {date} }}, {code} }}"#)
        };
        check(&named("../a"), "name: \"../a\" is no worker's name");
        let consumer = QueueConsumer {
            max_batch_size: 101,
            ..QueueConsumer::of("q")
        };
        let consumer = serde_json::to_string(&consumer).expect("JSON");
        let queues = format!(r#""name": "w", "queue_consumers": [{consumer}]"#);
        let date = r#""compatibility_date": "2026-04-01""#;
        check(
            &format!(r#"{{ "worker": {{ {queues}, {date} }}, {code} }}"#),
            "queues.consumers[0].max_batch_size: expected a whole number from 1 to 100",
        );
        let error = Package::decode(b"outboard package 2\n0\n").expect_err("a later format");
        let later = "the package has the format 2, and this version of Outboard reads 1";
        assert_eq!(error.to_string(), later);
        let error = Package::decode(b"PK\x03\x04").expect_err("something else");
        assert_eq!(error.to_string(), "this is no package of a worker");
    }

    proptest::proptest! {
        #[test]
        fn bytes_that_changed_never_panic(at in 0_usize..1_000, byte: u8) {
            let (project, bundle) = package();
            let mut bytes = Package::encode(&project, &bundle);
            let length = bytes.len();
            bytes[at % length] = byte;
            let _ = Package::decode(&bytes);
        }
    }
}
