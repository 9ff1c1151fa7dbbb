//! A project's bundle as a worker of the runtime.

use std::sync::Arc;
use std::time::Duration;

use outboard_project::{Bundle, Project, VarValue};
use outboard_runtime::{Limits, Module, ModuleKind, Worker, WorkerError, WorkerSpec};

/// Makes the version that a project's bundle is.
pub(crate) fn worker(project: &Project, bundle: Bundle) -> Result<Arc<Worker>, WorkerError> {
    Worker::new(spec(project, bundle))
}

pub(crate) fn spec(project: &Project, bundle: Bundle) -> WorkerSpec {
    let modules = bundle
        .modules
        .into_iter()
        .map(|module| Module {
            kind: kind(module.kind),
            named_exports: Vec::new(),
            specifier: module.specifier,
            content: module.content,
            source_map: module.source_map,
        })
        .collect();
    WorkerSpec {
        name: project.name.clone(),
        main: bundle.main,
        modules,
        env: env(project),
        limits: limits(project),
        compatibility: project.compatibility,
        ..WorkerSpec::default()
    }
}

fn kind(kind: outboard_project::ModuleKind) -> ModuleKind {
    use outboard_project::ModuleKind as Kind;
    match kind {
        Kind::EsModule => ModuleKind::EsModule,
        Kind::Text => ModuleKind::Text,
        Kind::Data => ModuleKind::Data,
        Kind::Json => ModuleKind::Json,
        Kind::Wasm => ModuleKind::Wasm,
        Kind::CommonJs => ModuleKind::CommonJs,
    }
}

fn env(project: &Project) -> serde_json::Map<String, serde_json::Value> {
    let vars = project.vars.iter().map(|(name, value)| {
        let value = match value {
            VarValue::Text(text) => text.as_str().into(),
            VarValue::Json(json) => json.clone(),
        };
        (name.clone(), value)
    });
    // A secret of a var's name replaces it.
    let secrets = project
        .secrets
        .iter()
        .map(|(name, secret)| (name.clone(), secret.reveal().into()));
    vars.chain(secrets).collect()
}

fn limits(project: &Project) -> Limits {
    let mut limits = Limits::default();
    if let Some(cpu) = project.limits.cpu_ms {
        limits.cpu = Duration::from_millis(cpu.into());
    }
    if let Some(subrequests) = project.limits.subrequests {
        limits.subrequests = subrequests;
    }
    limits
}
