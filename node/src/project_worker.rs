//! A project's bundle as a worker of the runtime.

use std::sync::Arc;
use std::time::Duration;

use outboard_project::{Bundle, Project, VarValue};
use outboard_runtime::{
    Binding, Entrypoint, Limits, Module, ModuleKind, ObjectNamespace, ServiceTarget, Worker,
    WorkerError, WorkerSpec,
};

/// Makes the version that a project's bundle is.
pub(crate) fn worker(project: &Project, bundle: Bundle) -> Result<Arc<Worker>, WorkerError> {
    Worker::new(spec(project, bundle, &project.name))
}

/// `name` is what the node calls it; its objects are known by that too.
pub(crate) fn spec(project: &Project, bundle: Bundle, name: &str) -> WorkerSpec {
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
        name: name.into(),
        main: bundle.main,
        modules,
        env: env(project),
        bindings: objects(project, name)
            .chain(services(project, name))
            .collect(),
        limits: limits(project),
        compatibility: project.compatibility,
        ..WorkerSpec::default()
    }
}

/// Bindings to the worker's own classes.
fn objects(project: &Project, name: &str) -> impl Iterator<Item = (String, Binding)> {
    project.durable_objects.iter().map(move |binding| {
        let namespace = ObjectNamespace {
            service: name.into(),
            class: binding.class_name.clone(),
            // A worker's name has no colon.
            key: format!("{name}:{}", binding.class_name),
        };
        (binding.name.clone(), Binding::Objects(Arc::new(namespace)))
    })
}

/// Bindings to workers, the worker itself among them.
fn services(project: &Project, name: &str) -> impl Iterator<Item = (String, Binding)> {
    project.services.iter().map(move |binding| {
        let target = ServiceTarget {
            service: binding.service.clone().unwrap_or_else(|| name.into()),
            entrypoint: Entrypoint {
                name: binding.entrypoint.clone(),
                props: binding.props.as_ref().map(ToString::to_string),
            },
        };
        (binding.name.clone(), Binding::Service(Arc::new(target)))
    })
}

/// Why a project's objects cannot be had.
pub(crate) fn refuse_migrations(project: &Project) -> Option<String> {
    let moves = |migration: &&outboard_project::Migration| {
        !migration.renamed_classes.is_empty() || !migration.deleted_classes.is_empty()
    };
    let migration = project.migrations.iter().find(moves)?;
    Some(format!(
        "migrations: {:?}: this version of Outboard does not rename or delete classes of durable \
         objects: it would leave their data behind",
        migration.tag
    ))
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
