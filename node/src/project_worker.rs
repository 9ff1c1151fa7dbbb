//! A project's bundle as a worker of the runtime.

use std::sync::Arc;
use std::time::Duration;

use outboard_project::{Bundle, Project, VarValue};
use outboard_runtime::{Limits, Module, ModuleKind, NodeCompat, Worker, WorkerError, WorkerSpec};

/// Why a bundle makes no worker.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProjectWorkerError {
    #[error("{0}: CommonJS modules are not served yet; bundle them (without \"no_bundle\")")]
    CommonJs(String),
    #[error(transparent)]
    Worker(#[from] WorkerError),
}

/// Makes the version that a project's bundle is.
pub(crate) fn worker(project: &Project, bundle: Bundle) -> Result<Arc<Worker>, ProjectWorkerError> {
    Ok(Worker::new(spec(project, bundle)?)?)
}

pub(crate) fn spec(project: &Project, bundle: Bundle) -> Result<WorkerSpec, ProjectWorkerError> {
    let modules = bundle
        .modules
        .into_iter()
        .map(|module| {
            Ok(Module {
                kind: kind(module.kind)
                    .ok_or_else(|| ProjectWorkerError::CommonJs(module.specifier.clone()))?,
                specifier: module.specifier,
                content: module.content,
                source_map: module.source_map,
            })
        })
        .collect::<Result<_, ProjectWorkerError>>()?;
    Ok(WorkerSpec {
        name: project.name.clone(),
        main: bundle.main,
        modules,
        env: env(project),
        limits: limits(project),
        node: NodeCompat::new(
            &project.compatibility_date.to_string(),
            &project.compatibility_flags,
        ),
        ..WorkerSpec::default()
    })
}

fn kind(kind: outboard_project::ModuleKind) -> Option<ModuleKind> {
    use outboard_project::ModuleKind as Kind;
    Some(match kind {
        Kind::EsModule => ModuleKind::EsModule,
        Kind::Text => ModuleKind::Text,
        Kind::Data => ModuleKind::Data,
        Kind::Json => ModuleKind::Json,
        Kind::Wasm => ModuleKind::Wasm,
        Kind::CommonJs => return None,
    })
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
