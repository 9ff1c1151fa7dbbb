//! The workers of `outboard.toml`: read, bundled and checked, all or none.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, anyhow};
use outboard_project::{Bundle, DevVars, Mode, Project};
use outboard_runtime::{
    Compatibility, Limits, Module, ModuleKind, ObjectIsolation, Worker, WorkerError, WorkerSpec,
};

use crate::commands::{bundle_project, load};
use crate::config::{Isolation, NodeConfig, WorkerConfig, WorkerSource};
use crate::duties::Duties;
use crate::host::MakeHost;
use crate::ingress::{Roster, Target};
use crate::node::{NodeError, private_lane};
use crate::objects::{NodeObjects, Plan, Scope, Wanted};
use crate::project_worker::{self, Names};

/// Workers by name, so that unchanged ones go on with their isolates.
pub(super) type Known = HashMap<String, Target>;

/// What a config comes to; nothing of it is served yet.
pub(super) struct Loaded {
    pub(super) roster: Roster,
    /// New versions among them.
    pub(super) changed: Vec<Target>,
    pub(super) plan: Plan,
}

/// A worker that was read and bundled.
enum Source {
    Project(Box<Project>, Bundle),
    Script(Box<WorkerSpec>),
}

pub(super) async fn load_workers(
    config: &NodeConfig,
    host: &MakeHost,
    known: &Known,
    objects: &Arc<NodeObjects>,
) -> anyhow::Result<Loaded> {
    let mut sources = Vec::new();
    let mut faults = Vec::new();
    for worker in &config.workers {
        match read(worker).await {
            Ok(source) => sources.push((worker, source)),
            Err(error) => faults.push(of_worker(&worker.name, &format!("{error:#}"))),
        }
    }
    all_well(faults)?;
    let has_objects = |(_, source): &(_, Source)| matches!(source, Source::Project(project, _) if project.has_objects());
    if sources.iter().any(has_objects) {
        objects
            .keep_in(&config.data, config.history)
            .context("data")?;
    }
    let scope = Scope::default();
    let wanted = sources.iter().filter_map(|(worker, source)| match source {
        Source::Project(project, bundle) => Some(Wanted {
            name: &worker.name,
            project,
            exports: bundle.exports.as_deref(),
            scope: &scope,
        }),
        Source::Script(_) => None,
    });
    let plan = objects.plan(wanted.collect()).map_err(|faults| {
        let faults = faults.iter();
        let faults = faults.map(|(worker, error)| of_worker(worker, &error.to_string()));
        anyhow!(faults.collect::<Vec<_>>().join("\n"))
    })?;
    let mut new = Loaded {
        roster: Roster::default(),
        changed: Vec::new(),
        plan,
    };
    let mut faults = Vec::new();
    for (worker, source) in sources {
        let duties = match &source {
            Source::Project(project, _) => Duties::of(project, &scope),
            Source::Script(_) => Duties::default(),
        };
        match version(worker, source, &new.plan) {
            Ok(version) => new.add(worker, version, duties, host, known)?,
            Err(error) => faults.push(of_worker(&worker.name, &error.to_string())),
        }
    }
    faults.extend(moved(known, &new));
    faults.extend(lost(&config.workers, &new));
    faults.extend(contested(&new));
    all_well(faults)?;
    if new
        .roster
        .targets()
        .any(|target| target.worker.keeps_data() || target.duties.keep_data())
    {
        objects
            .keep_in(&config.data, config.history)
            .context("data")?;
    }
    Ok(new)
}

fn of_worker(worker: &str, fault: &str) -> String {
    format!("worker {worker:?}: {fault}")
}

fn all_well(faults: Vec<String>) -> anyhow::Result<()> {
    if faults.is_empty() {
        Ok(())
    } else {
        Err(anyhow!(faults.join("\n")))
    }
}

impl Loaded {
    /// A version like the one that is there changes nothing.
    fn add(
        &mut self,
        worker: &WorkerConfig,
        version: Arc<Worker>,
        duties: Duties,
        host: &MakeHost,
        known: &Known,
    ) -> Result<(), NodeError> {
        let private = worker.isolation == Isolation::Private;
        let target = match known.get(&worker.name) {
            Some(old) if *old.worker == *version && old.lane.is_some() == private => Target {
                duties: Arc::new(duties),
                ..old.clone()
            },
            _ => {
                let lane = private
                    .then(|| private_lane(&worker.name, host))
                    .transpose()?;
                let target = Target {
                    worker: version,
                    lane,
                    duties: Arc::new(duties),
                };
                self.changed.push(target.clone());
                target
            }
        };
        if worker.routes.is_empty() {
            self.roster.unrouted.push(target);
            return Ok(());
        }
        let routes = worker.routes.iter();
        self.roster
            .routes
            .extend(routes.map(|pattern| (pattern.clone(), target.clone())));
        Ok(())
    }
}

/// Queues that several workers would take the messages of.
fn contested(new: &Loaded) -> BTreeSet<String> {
    let mut consumers: HashMap<&str, &str> = HashMap::new();
    let mut contested = BTreeSet::new();
    for target in new.roster.targets() {
        let worker = target.worker.name();
        for consumer in &target.duties.consumers {
            let queue = &consumer.queue;
            match consumers.insert(queue, worker) {
                Some(other) if other != worker => {
                    let fault =
                        format!("queues.consumers: worker {other:?} consumes {queue:?} too");
                    contested.insert(of_worker(worker, &fault));
                }
                _ => {}
            }
        }
    }
    contested
}

/// Workers whose objects would be on other lanes from one moment to the next: those that
/// are in memory, and sockets, are where they are.
fn moved(known: &Known, new: &Loaded) -> BTreeSet<String> {
    let changed = new.changed.iter().filter(|target| {
        let old = known.get(target.worker.name());
        old.is_some_and(|old| {
            old.worker.object_isolation() != target.worker.object_isolation()
                && old.worker.namespaces().next().is_some()
        })
    });
    let fault = "isolation: the node has to be restarted to change it to or from \"object\"";
    changed
        .map(|target| of_worker(target.worker.name(), fault))
        .collect()
}

/// Bindings that lead nowhere.
fn lost(workers: &[WorkerConfig], new: &Loaded) -> BTreeSet<String> {
    let mut lost = BTreeSet::new();
    let find = |name: &str| workers.iter().find(|other| other.name == name);
    for target in new.roster.targets() {
        let worker = target.worker.name();
        for (name, service) in target.worker.services() {
            let what = match find(service) {
                None => "no worker is called so",
                Some(other) if other.isolation == Isolation::Private && service != worker => {
                    "a worker with `isolation = \"private\"` takes no calls of others yet"
                }
                Some(_) => continue,
            };
            let fault = format!("services: {name} -> {service:?}: {what}");
            lost.insert(of_worker(worker, &fault));
        }
        for service in target.worker.tail_workers() {
            if find(service).is_none() {
                let fault = format!("tail_consumers: {service:?}: no worker is called so");
                lost.insert(of_worker(worker, &fault));
            }
        }
        for (name, namespace) in target.worker.namespaces() {
            let (service, class) = (&namespace.service, &namespace.class);
            let what = if find(service).is_none() {
                "no worker is called so".into()
            } else if new.plan.classes().find(service, class).is_none() {
                format!("it has no class {class:?}")
            } else {
                continue;
            };
            let fault = format!("durable_objects: {name} -> {service:?}: {what}");
            lost.insert(of_worker(worker, &fault));
        }
    }
    lost
}

async fn read(config: &WorkerConfig) -> anyhow::Result<Source> {
    match &config.source {
        WorkerSource::Script {
            path,
            compatibility,
        } => Ok(Source::Script(Box::new(script(path, *compatibility)?))),
        WorkerSource::Project { dir, env } => {
            let loaded = load(dir, env.as_deref(), DevVars::Ignore)?;
            let bundle = bundle_project(&loaded, Mode::Production).await?;
            if config.isolation == Isolation::Private && loaded.project.has_objects() {
                anyhow::bail!(
                    "isolation: a worker with durable objects cannot be \"private\"; \
                     write \"object\", and each of them has a thread to itself"
                );
            }
            Ok(Source::Project(Box::new(loaded.project), bundle))
        }
    }
}

fn version(config: &WorkerConfig, source: Source, plan: &Plan) -> Result<Arc<Worker>, WorkerError> {
    let mut spec = match source {
        Source::Script(spec) => *spec,
        Source::Project(project, bundle) => {
            let names = Names {
                own: &config.name,
                scope: &Scope::default(),
                classes: plan.classes(),
                mode: Mode::Production,
            };
            project_worker::spec(&project, bundle, &names)
        }
    };
    spec.name.clone_from(&config.name);
    spec.env.extend(config.vars.clone());
    if config.isolation == Isolation::Object {
        spec.objects = ObjectIsolation::Each;
    }
    config.limits.apply(&mut spec.limits);
    Worker::new(spec)
}

fn script(path: &Path, compatibility: Compatibility) -> anyhow::Result<WorkerSpec> {
    let content = std::fs::read(path).with_context(|| path.display().to_string())?;
    let specifier = path.file_name().map_or_else(
        || "index.js".into(),
        |name| name.to_string_lossy().into_owned(),
    );
    Ok(WorkerSpec {
        main: specifier.clone(),
        modules: vec![Module {
            specifier,
            kind: ModuleKind::EsModule,
            content,
            named_exports: Vec::new(),
            source_map: None,
        }],
        limits: Limits::default(),
        compatibility,
        ..WorkerSpec::default()
    })
}
