//! A project's code as the modules of one worker version.

mod builtins;
mod bundler;
mod decorators;
mod faults;
mod files;
mod jsx;
mod plugin;
mod rules;
mod thread;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::diagnostic::{Diagnostic, write_lines};
use crate::{Project, RuleType};

/// How to bundle.
#[derive(Debug, Clone, Copy)]
pub struct BundleOptions {
    pub mode: Mode,
    /// How long a bundle may take. Past that something hangs, and an error
    /// serves the developer better. The default is two minutes.
    pub patience: Duration,
}

impl Default for BundleOptions {
    fn default() -> Self {
        Self {
            mode: Mode::Production,
            patience: Duration::from_secs(120),
        }
    }
}

/// What `process.env.NODE_ENV` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Production,
    Development,
}

impl Mode {
    fn node_env(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Development => "development",
        }
    }
}

/// The modules of a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// The specifier of the entry, e.g. `index.js`. Its module comes first.
    pub main: String,
    pub modules: Vec<Module>,
    /// What the entry exports, e.g. `default`; unknown without bundling.
    pub exports: Option<Vec<String>>,
    /// What the bundle imports from the runtime, e.g. `cloudflare:workers`.
    pub externals: Vec<String>,
    pub warnings: Vec<Diagnostic>,
    /// Every file that went in: when one changes, bundle again.
    pub watch_files: Vec<PathBuf>,
}

/// One module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Module {
    /// A path below the worker's root, without `./` in front. Modules import
    /// each other by relative specifiers, resolved against it.
    pub specifier: String,
    pub kind: ModuleKind,
    pub content: Vec<u8>,
    /// A source map (version 3) whose sources are relative to the project's
    /// root and carry their content.
    pub source_map: Option<Vec<u8>>,
}

/// What a module's content is, and so what importing it gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModuleKind {
    EsModule,
    CommonJs,
    /// The default export is a string.
    Text,
    /// The default export is an `ArrayBuffer`.
    Data,
    /// The default export is the parsed value. Bundling inlines JSON, so no
    /// bundle holds one today.
    Json,
    /// The default export is a `WebAssembly.Module`.
    Wasm,
}

impl From<RuleType> for ModuleKind {
    fn from(rule: RuleType) -> Self {
        match rule {
            RuleType::EsModule => Self::EsModule,
            RuleType::CommonJs => Self::CommonJs,
            RuleType::CompiledWasm => Self::Wasm,
            RuleType::Text => Self::Text,
            RuleType::Data => Self::Data,
        }
    }
}

/// Every reason why there is no bundle; never empty.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct BundleErrors {
    pub errors: Vec<Diagnostic>,
    pub warnings: Vec<Diagnostic>,
    /// The files that were read so far: when one changes, try again.
    pub watch_files: Vec<PathBuf>,
}

impl fmt::Display for BundleErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_lines(f, &self.errors)
    }
}

impl From<Diagnostic> for BundleErrors {
    fn from(error: Diagnostic) -> Self {
        Self {
            errors: vec![error],
            warnings: Vec::new(),
            watch_files: Vec::new(),
        }
    }
}

/// Bundles a project, in memory.
///
/// Runs on a thread of its own, so it may be awaited from any executor and
/// keeps none of its threads busy. Dropping the future stops the bundling at
/// its next step.
///
/// # Errors
/// With every fault of the code that was found, each with its place and lines.
pub async fn bundle(project: &Project, options: &BundleOptions) -> Result<Bundle, BundleErrors> {
    let name = project.name.clone();
    let project = project.clone();
    let options = *options;
    let outcome = thread::run(options.patience, move || async move {
        if project.no_bundle {
            files::unbundled(&project)
        } else {
            bundler::run(&project, options).await
        }
    });
    let outcome = outcome
        .await
        .unwrap_or_else(|crash| Err(Diagnostic::new(crash.to_string()).into()));
    if let Ok(bundle) = &outcome {
        let (modules, files) = (bundle.modules.len(), bundle.watch_files.len());
        tracing::debug!(worker = name, modules, files, "bundled");
    }
    outcome
}
