//! The checked configuration: what the rest of Outboard may rely on.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use outboard_compatibility::Compatibility;
use serde::{Deserialize, Serialize};

use crate::{Cron, Date};

/// A developer's folder, checked. Made by [`load`](crate::load).
///
/// All paths are absolute, and `root` has its symbolic links resolved.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Project {
    /// The folder of the configuration file.
    pub root: PathBuf,
    /// The environment that was applied.
    pub environment: Option<String>,
    /// The worker's name, with `-ENVIRONMENT` appended as wrangler does.
    pub name: String,
    /// The entry file. It existed when the project was loaded.
    pub main: PathBuf,
    pub compatibility_date: Date,
    pub compatibility_flags: Vec<String>,
    /// What the two come to.
    pub compatibility: Compatibility,
    /// Plain values for `env`, from `vars`.
    pub vars: BTreeMap<String, VarValue>,
    /// Values from `.dev.vars`. One of the same name as a var replaces it.
    pub secrets: BTreeMap<String, Secret>,
    /// The names `secrets.required` lists.
    pub required_secrets: Vec<String>,

    /// The configured module rules, before wrangler's defaults.
    pub rules: Vec<ModuleRule>,
    /// Module specifiers and what is resolved in their place.
    pub alias: BTreeMap<String, String>,
    /// Expressions and what is written in their place.
    pub define: BTreeMap<String, String>,
    /// Upload the entry as it is, with the files the rules match.
    pub no_bundle: bool,
    /// Also take the files under `base_dir` that the rules match.
    pub find_additional_modules: bool,
    /// Keep the names of modules instead of prefixing a hash.
    pub preserve_file_names: bool,
    /// Where specifiers of additional modules start.
    pub base_dir: PathBuf,
    pub minify: bool,
    /// Keep `name` of functions and classes the bundler renames.
    pub keep_names: bool,
    /// The factories of the classic JSX transform; a tsconfig's come first.
    pub jsx: JsxFactories,
    /// A tsconfig to use instead of the nearest one of each file.
    pub tsconfig: Option<PathBuf>,
    pub upload_source_maps: bool,

    pub dev: Dev,
    pub routes: Vec<Route>,
    /// Cron expressions of `triggers`.
    pub crons: Vec<Cron>,
    pub limits: Limits,

    /// Members of `env` that stand for the objects of a class; their names are
    /// unlike one another's and unlike those of `vars`.
    pub durable_objects: Vec<DurableObjectBinding>,
    /// Members of `env` that stand for workers, or entrypoints of theirs; their names
    /// are unlike those of the others.
    pub services: Vec<ServiceBinding>,
    /// The names of workers that are told of its events after them, each once.
    pub tail_consumers: Vec<String>,
    /// The same while they go on.
    pub streaming_tail_consumers: Vec<String>,
    /// Members of `env` that are SQL databases; their names are unlike those of the
    /// others.
    pub d1_databases: Vec<D1Database>,
    /// Members of `env` that are namespaces of KV; their names are unlike those of the
    /// others.
    pub kv_namespaces: Vec<KvBinding>,
    /// The names of loaders of workers in `env`.
    pub worker_loaders: Vec<String>,
    /// Members of `env` that stand for buckets; their names are unlike those of the
    /// others.
    pub r2_buckets: Vec<R2Bucket>,
    /// Members of `env` that send to queues; their names are unlike those of the others.
    pub queue_producers: Vec<QueueProducer>,
    /// Queues whose messages the worker is given, each once.
    pub queue_consumers: Vec<QueueConsumer>,
    /// In the order they apply. Each was possible after those before it.
    pub migrations: Vec<Migration>,
}

impl Project {
    /// Whether it has classes of durable objects, or is bound to some.
    pub fn has_objects(&self) -> bool {
        !self.durable_objects.is_empty() || !self.migrations.is_empty()
    }

    /// The worker's own classes of durable objects: what all migrations come
    /// to, and what bindings name though no migration created it.
    pub fn classes(&self) -> BTreeSet<&str> {
        let mut classes = BTreeSet::new();
        for migration in &self.migrations {
            for class in &migration.deleted_classes {
                classes.remove(class.as_str());
            }
            for (from, to) in &migration.renamed_classes {
                classes.remove(from.as_str());
                classes.insert(to.as_str());
            }
            let taken = migration.transferred_classes.iter();
            classes.extend(taken.map(|transfer| transfer.to.as_str()));
            classes.extend(migration.new_classes.iter().map(String::as_str));
        }
        let own = self.durable_objects.iter();
        let own = own.filter(|binding| binding.script_name.is_none());
        classes.extend(own.map(|binding| binding.class_name.as_str()));
        classes
    }
}

/// One of `services`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceBinding {
    /// The member of `env`.
    pub name: String,
    /// The worker's name. `None`: this one.
    pub service: Option<String>,
    /// Its export. `None`: the default one.
    pub entrypoint: Option<String>,
    /// What `ctx.props` is there: a JSON object.
    pub props: Option<serde_json::Value>,
}

/// One of `d1_databases`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct D1Database {
    /// The member of `env`.
    pub binding: String,
    /// Which database it is: its `database_id`, else its `database_name`, else what
    /// wrangler would call it by worker and binding.
    pub id: String,
    /// What people call it.
    pub name: Option<String>,
    /// Where its migrations are; it need not be there, and does not travel.
    #[serde(skip)]
    pub migrations_dir: PathBuf,
    /// Which files of that folder are migrations: a glob, relative to it.
    pub migrations_pattern: String,
    /// The table that tells which were applied.
    pub migrations_table: String,
}

/// One of `kv_namespaces`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KvBinding {
    /// The member of `env`.
    pub name: String,
    /// The namespace. `None`: one of the worker's own.
    pub id: Option<String>,
    /// The one to use while developing, if it is another.
    pub preview_id: Option<String>,
}

/// One of `r2_buckets`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct R2Bucket {
    /// The member of `env`.
    pub name: String,
    /// The bucket's name, which workers of a node share.
    pub bucket: String,
    /// The one to use while developing, if it is another.
    pub preview: Option<String>,
}

/// One of `queues.producers`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueueProducer {
    /// The member of `env`.
    pub name: String,
    pub queue: String,
    /// Seconds that its messages wait, where they do not say.
    pub delivery_delay: Option<u32>,
}

/// One of `queues.consumers`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueueConsumer {
    pub queue: String,
    pub max_batch_size: u32,
    /// Seconds that a message waits for others.
    pub max_batch_timeout: u32,
    /// Deliveries of a message after its first.
    pub max_retries: u32,
    /// Where messages go that failed so often. `None`: nowhere.
    pub dead_letter_queue: Option<String>,
    /// Batches that are delivered at a time. `None`: as the node has lanes.
    pub max_concurrency: Option<u32>,
    /// Seconds until a message is delivered again, where the worker does not say.
    pub retry_delay: u32,
}

/// Seconds that a message may wait, as Workers have it.
pub(crate) const QUEUE_DELAY: RangeInclusive<u32> = 0..=86_400;

impl QueueConsumer {
    pub(crate) const BATCH_SIZE: RangeInclusive<u32> = 1..=100;
    pub(crate) const BATCH_TIMEOUT: RangeInclusive<u32> = 0..=60;
    pub(crate) const RETRIES: RangeInclusive<u32> = 0..=100;
    pub(crate) const CONCURRENCY: RangeInclusive<u32> = 1..=250;

    /// A number that is not within its bounds, and the bounds.
    pub(crate) fn out_of_bounds(&self) -> Option<(&'static str, RangeInclusive<u32>)> {
        let numbers = [
            (
                "max_batch_size",
                Some(self.max_batch_size),
                Self::BATCH_SIZE,
            ),
            (
                "max_batch_timeout",
                Some(self.max_batch_timeout),
                Self::BATCH_TIMEOUT,
            ),
            ("max_retries", Some(self.max_retries), Self::RETRIES),
            ("max_concurrency", self.max_concurrency, Self::CONCURRENCY),
            ("retry_delay", Some(self.retry_delay), QUEUE_DELAY),
        ];
        let mut outside = numbers
            .into_iter()
            .filter(|(_, number, bounds)| number.is_some_and(|number| !bounds.contains(&number)));
        outside.next().map(|(name, _, bounds)| (name, bounds))
    }

    /// The consumer of a queue that says no more, as Workers have it.
    pub fn of(queue: &str) -> Self {
        Self {
            queue: queue.into(),
            max_batch_size: 10,
            max_batch_timeout: 5,
            max_retries: 3,
            dead_letter_queue: None,
            max_concurrency: None,
            retry_delay: 0,
        }
    }
}

/// One of `durable_objects.bindings`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DurableObjectBinding {
    /// The member of `env`.
    pub name: String,
    /// The export that is the class.
    pub class_name: String,
    /// The worker whose class it is. `None`: this one, also where its own name
    /// is written.
    pub script_name: Option<String>,
}

/// One of `migrations`: a step of the classes' history. What it deletes goes
/// first, then it renames, in order, then it takes over, then it creates.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Migration {
    /// Unlike those of the other migrations.
    pub tag: String,
    pub deleted_classes: Vec<String>,
    /// From and to.
    pub renamed_classes: Vec<(String, String)>,
    pub transferred_classes: Vec<Transfer>,
    /// Both `new_classes` and `new_sqlite_classes`: all are kept in SQLite.
    pub new_classes: Vec<String>,
}

/// One of `transferred_classes`: a class of another worker that becomes this one's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transfer {
    pub from: String,
    /// The worker that has the class so far.
    pub from_script: String,
    pub to: String,
}

/// The value of a var: a string, or any other JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum VarValue {
    Text(String),
    Json(serde_json::Value),
}

/// A value that must not be shown. `Debug` prints `[secret]`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value itself, for the one place that puts it into `env`.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// Which imported files become modules of which kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleRule {
    pub kind: RuleType,
    pub globs: Vec<String>,
    /// Whether later rules of the same kind, defaults included, still apply.
    pub fallthrough: bool,
}

/// A rule's `type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RuleType {
    EsModule,
    CommonJs,
    CompiledWasm,
    Text,
    Data,
}

/// The functions JSX calls in the classic transform; `None` means React's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JsxFactories {
    pub factory: Option<String>,
    pub fragment: Option<String>,
}

/// The `dev` table: how the local server listens.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dev {
    pub ip: Option<String>,
    pub port: Option<u16>,
    pub inspector_ip: Option<String>,
    pub inspector_port: Option<u16>,
    pub local_protocol: Option<Protocol>,
    pub upstream_protocol: Option<Protocol>,
    /// The host a request seems to be for.
    pub host: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    Http,
    Https,
}

/// One of `routes`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// For example `example.com/api/*`, or a host if `custom_domain`.
    pub pattern: String,
    pub zone: Option<Zone>,
    pub custom_domain: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Zone {
    Id(String),
    Name(String),
}

/// The `limits` table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// CPU time of one invocation, in milliseconds.
    pub cpu_ms: Option<u32>,
    /// Fetches one invocation may make.
    pub subrequests: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_never_prints() {
        let secrets = BTreeMap::from([("KEY", Secret::new("hunter2"))]);
        assert_eq!(format!("{secrets:?}"), r#"{"KEY": [secret]}"#);
    }
}
