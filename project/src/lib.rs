//! A developer's folder: its wrangler configuration, and its code as modules.
//!
//! [`load`] reads `wrangler.jsonc`, `wrangler.json` or `wrangler.toml`, applies
//! one environment and answers a checked [`Project`], or every fault at once,
//! each with its line. [`bundle`] turns the project into the modules a worker
//! version is made of, the way wrangler's esbuild would, with rolldown and in
//! memory: nothing is written to the folder, and no Node is needed.
//!
//! A [`Package`] is both as bytes: what a node is sent, and keeps.
//!
//! `load` and `bundle` speak of faults as [`Diagnostic`]s, which print as
//! `wrangler.jsonc:7:12: dev.port: …`.
//!
//! Not here, on purpose: running custom build commands, uploading, watching
//! files (see [`Loaded::files`] and [`Bundle::watch_files`]), and whether a
//! binding exists, which is the node's to know.
#![forbid(unsafe_code)]

mod bundle;
mod check;
mod cron;
mod date;
mod dev_vars;
mod diagnostic;
mod fields;
mod load;
mod migrations;
mod package;
mod project;
mod tree;
mod types;

pub use bundle::{Bundle, BundleErrors, BundleOptions, Mode, Module, ModuleKind, bundle};
pub use check::is_worker_name;
pub use cron::{Cron, CronError};
pub use date::Date;
pub use diagnostic::{Diagnostic, Position};
pub use load::{DevVars, LoadErrors, LoadOptions, Loaded, load};
pub use package::{Package, PackageError};
pub use project::{
    D1Database, Dev, DurableObjectBinding, JsxFactories, KvBinding, Limits, Migration, ModuleRule,
    Project, Protocol, QueueConsumer, QueueProducer, R2Bucket, Route, RuleType, Secret,
    ServiceBinding, Transfer, VarValue, Zone,
};
pub use types::{Stripped, strip_types};
