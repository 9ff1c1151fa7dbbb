//! A project's bundle as a worker of the runtime.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use outboard_project::{Bundle, Mode, Project, VarValue};
use outboard_runtime::{
    Binding, Entrypoint, Limits, Module, ModuleKind, ObjectNamespace, Props, ResourceKind,
    ServiceTarget, TailTarget, Tails, WorkerSpec,
};

use crate::objects::{Classes, Scope};
use crate::resources::delayed;

/// What a project's names mean on this node.
pub(crate) struct Names<'a> {
    /// What the node calls the worker.
    pub(crate) own: &'a str,
    /// What it calls those that the worker names.
    pub(crate) scope: &'a Scope,
    /// The classes that there are when the worker is served.
    pub(crate) classes: &'a Classes,
    /// Whether the names for its development are meant, where it has others for that.
    pub(crate) mode: Mode,
}

impl Names<'_> {
    /// What keeps data is the tenant's own, whatever others call theirs, and whoever
    /// named it.
    fn of_tenant(&self, binding: Binding) -> Binding {
        match binding {
            Binding::Resource(kind, target) => {
                let target = ServiceTarget {
                    service: self.scope.within(&target.service),
                    entrypoint: target.entrypoint.clone(),
                };
                Binding::Resource(kind, Arc::new(target))
            }
            other => other,
        }
    }
}

/// Makes the version that a project's bundle is.
pub(crate) fn spec(project: &Project, bundle: Bundle, names: &Names<'_>) -> WorkerSpec {
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
        name: names.own.into(),
        main: bundle.main,
        modules,
        env: env(project),
        bindings: objects(project, names)
            .chain(services(project, names))
            .chain(databases(project))
            .chain(kv_namespaces(project, names))
            .chain(loaders(project))
            .chain(r2_buckets(project, names))
            .chain(queues(project, names))
            .map(|(name, binding)| (name, names.of_tenant(binding)))
            .collect(),
        classes: project
            .classes()
            .into_iter()
            .filter_map(|class| names.classes.find(names.own, class))
            .collect(),
        limits: limits(project),
        tails: tails(project, names),
        compatibility: project.compatibility,
        ..WorkerSpec::default()
    }
}

/// A name of `env` that stands for two things, which a configuration's checker would
/// have refused.
pub(crate) fn name_twice(spec: &WorkerSpec) -> Option<&str> {
    let mut names: BTreeSet<&str> = spec.env.keys().map(String::as_str).collect();
    let mut bindings = spec.bindings.iter().map(|(name, _)| name.as_str());
    bindings.find(|name| !names.insert(name))
}

/// A binding whose resource is called what would be another place as a path: names of
/// resources are those of folders too. A configuration's checker refuses most of them.
pub(crate) fn strange_resource(spec: &WorkerSpec) -> Option<&str> {
    let is_plain = |part: &str| {
        let is_hidden = part.starts_with('.');
        !part.is_empty() && !is_hidden && !part.contains(['\\', '\0']) && part.len() <= 200
    };
    let mut resources = spec
        .bindings
        .iter()
        .filter_map(|(name, binding)| match binding {
            Binding::Resource(_, target) => Some((name.as_str(), target.service.as_str())),
            _ => None,
        });
    let strange = resources.find(|(_, service)| !service.split('/').all(is_plain));
    strange.map(|(name, _)| name)
}

/// Bindings to classes, the worker's own and others'.
fn objects(project: &Project, names: &Names<'_>) -> impl Iterator<Item = (String, Binding)> {
    project.durable_objects.iter().map(move |binding| {
        let service = match &binding.script_name {
            Some(script) => names.scope.name(script),
            None => names.own.into(),
        };
        let class = &binding.class_name;
        let namespace = names.classes.find(&service, class).unwrap_or_else(|| {
            // Nobody has it, which whoever calls it is told.
            Arc::new(ObjectNamespace {
                key: format!("{service}:{class}"),
                class: class.clone(),
                service,
            })
        });
        (binding.name.clone(), Binding::Objects(namespace))
    })
}

/// Bindings to workers, the worker itself among them.
fn services(project: &Project, names: &Names<'_>) -> impl Iterator<Item = (String, Binding)> {
    project.services.iter().map(move |binding| {
        let target = ServiceTarget {
            service: match &binding.service {
                Some(service) => names.scope.name(service),
                None => names.own.into(),
            },
            entrypoint: Entrypoint {
                name: binding.entrypoint.clone(),
                props: binding
                    .props
                    .as_ref()
                    .map(|props| Props::Json(props.to_string())),
                ..Entrypoint::default()
            },
        };
        (binding.name.clone(), Binding::Service(Arc::new(target)))
    })
}

/// Who is told of its events.
fn tails(project: &Project, names: &Names<'_>) -> Option<Arc<Tails>> {
    let targets = |consumers: &[String]| -> Vec<_> {
        let target = |name: &String| {
            TailTarget::Service(Arc::new(ServiceTarget {
                service: names.scope.name(name),
                entrypoint: Entrypoint::default(),
            }))
        };
        consumers.iter().map(target).collect()
    };
    let tails = Tails {
        script: Some(project.name.clone()),
        after: targets(&project.tail_consumers),
        during: targets(&project.streaming_tail_consumers),
    };
    let has_some = !tails.after.is_empty() || !tails.during.is_empty();
    has_some.then(|| Arc::new(tails))
}

/// Bindings to D1 databases.
fn databases(project: &Project) -> impl Iterator<Item = (String, Binding)> {
    project.d1_databases.iter().map(|database| {
        let target = ServiceTarget {
            service: database.id.clone(),
            entrypoint: Entrypoint::default(),
        };
        let binding = Binding::Resource(ResourceKind::D1, Arc::new(target));
        (database.binding.clone(), binding)
    })
}

/// Bindings to namespaces of KV.
fn kv_namespaces(project: &Project, names: &Names<'_>) -> impl Iterator<Item = (String, Binding)> {
    project.kv_namespaces.iter().map(move |binding| {
        let id = match (names.mode, &binding.preview_id) {
            (Mode::Development, Some(preview)) => Some(preview),
            _ => binding.id.as_ref(),
        };
        let service = match id {
            Some(id) => names.scope.name(id),
            None => format!("{}-{}", names.own, binding.name),
        };
        let target = Arc::new(ServiceTarget {
            service,
            entrypoint: Entrypoint::default(),
        });
        let namespace = Binding::Resource(ResourceKind::Kv, target);
        (binding.name.clone(), namespace)
    })
}

/// Each loader has names of its own.
fn loaders(project: &Project) -> impl Iterator<Item = (String, Binding)> {
    let names = project.worker_loaders.iter();
    names.map(|name| (name.clone(), Binding::Loader(name.clone())))
}

/// Bindings to R2 buckets.
fn r2_buckets(project: &Project, names: &Names<'_>) -> impl Iterator<Item = (String, Binding)> {
    project.r2_buckets.iter().map(move |binding| {
        let bucket = match (names.mode, &binding.preview) {
            (Mode::Development, Some(preview)) => preview,
            _ => &binding.bucket,
        };
        let target = Arc::new(ServiceTarget {
            service: names.scope.name(bucket),
            entrypoint: Entrypoint::default(),
        });
        let bucket = Binding::Resource(ResourceKind::R2, target);
        (binding.name.clone(), bucket)
    })
}

/// Bindings to queues, as who sends to them.
fn queues(project: &Project, names: &Names<'_>) -> impl Iterator<Item = (String, Binding)> {
    project.queue_producers.iter().map(move |producer| {
        let target = Arc::new(ServiceTarget {
            service: names.scope.name(&producer.queue),
            entrypoint: Entrypoint {
                props: delayed(producer.delivery_delay),
                ..Entrypoint::default()
            },
        });
        let queue = Binding::Resource(ResourceKind::Queue, target);
        (producer.name.clone(), queue)
    })
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
