//! `outboard serve`: many workers, in production.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, anyhow};
use outboard_egress::{Client, ClientOptions};
use outboard_project::{DevVars, Mode};
use outboard_runtime::{Compatibility, Inspection, Limits, Module, ModuleKind, Worker, WorkerSpec};
use tokio::signal::unix::{SignalKind, signal};

use super::{bundle_project, command_runtime, load, stop_signal};
use tokio_util::task::AbortOnDropHandle as AbortOnDrop;

use crate::cache::Store;
use crate::cli::Serve;
use crate::config::{self, Isolation, LogFormat, NodeConfig, WorkerConfig, WorkerSource};
use crate::host::{MakeHost, NodeHost, WorkerLog};
use crate::ingress::{AccessLog, Detail, IngressOptions, Target};
use crate::node::{Node, NodeOptions, RouteList, private_lane};
use crate::objects::NodeObjects;
use crate::project_worker;
use crate::resources::Resources;

/// Where a load balancer asks whether the node is alive.
const HEALTH: &str = "/health";

pub(crate) fn run(options: &Serve) -> anyhow::Result<()> {
    let config = config::load(&options.config)?;
    let _guard = start_log(config.log_format);
    let client = Client::new(ClientOptions {
        deny_private: !config.allow_private,
        ..ClientOptions::default()
    })?;
    let cache = Store::default();
    let objects = Arc::new(NodeObjects::default());
    let resources = Arc::new(Resources::new(objects.clone()));
    let host_objects = objects.clone();
    let host: MakeHost = Arc::new(move |lane| {
        NodeHost::shared(
            client.clone(),
            cache.clone(),
            host_objects.clone(),
            resources.clone(),
            lane,
            WorkerLog::Tracing,
        )
    });
    let runtime = command_runtime()?;
    let (routes, _) = runtime.block_on(load_workers(&config, &host, &Known::default()))?;
    keep_objects(&objects, &config, &routes)?;
    let node = Node::start(
        NodeOptions {
            listen: config.listen,
            lanes: config.lanes,
            ready: config.ready,
            inspection: Inspection::Off,
            ingress: IngressOptions {
                max_head: config.max_head,
                max_body: config.max_body,
                head_timeout: config.head_timeout,
                detail: Detail::Terse,
                access: if config.access_log {
                    AccessLog::Tracing
                } else {
                    AccessLog::Off
                },
                health: Some(HEALTH.into()),
                scheduled_route: false,
                grace: config.drain,
            },
            host: host.clone(),
            objects: objects.clone(),
        },
        routes.clone(),
    )?;
    println!("ready on http://{}", node.address());
    runtime.block_on(until_terminated(options, node, host, routes))
}

/// Opens the store where a worker has durable objects.
fn keep_objects(
    objects: &NodeObjects,
    config: &NodeConfig,
    routes: &RouteList,
) -> anyhow::Result<()> {
    let any = routes.iter().any(|(_, target)| target.worker.keeps_data());
    if any {
        objects.keep_in(&config.data).context("data")?;
    }
    Ok(())
}

/// Log lines leave by a thread of their own: a slow terminal or disk costs
/// lines (they are counted), never a lane's time.
fn start_log(format: LogFormat) -> tracing_appender::non_blocking::WorkerGuard {
    let (writer, guard) = tracing_appender::non_blocking(std::io::stderr());
    let filter = tracing_subscriber::EnvFilter::try_from_env("OUTBOARD_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(writer);
    match format {
        LogFormat::Text => log.with_ansi(crate::output::colour()).init(),
        LogFormat::Json => log.json().init(),
    }
    guard
}

async fn until_terminated(
    options: &Serve,
    node: Node,
    host: MakeHost,
    mut routes: RouteList,
) -> anyhow::Result<()> {
    let _alarms = AbortOnDrop::new(tokio::spawn(node.objects().clone().ring_alarms()));
    let mut stop = std::pin::pin!(stop_signal());
    let mut hangup = signal(SignalKind::hangup())?;
    loop {
        tokio::select! {
            () = &mut stop => break,
            _ = hangup.recv() => match reload(options, &node, &host, &routes).await {
                Ok(new) => {
                    routes = new;
                    tracing::info!("config reloaded");
                }
                Err(error) => tracing::error!("config not reloaded, nothing changed: {error:#}"),
            },
        }
    }
    tracing::info!("draining");
    node.drain().await;
    Ok(())
}

/// Reads the config again. All of it is loaded before anything is replaced;
/// what listens and how many lanes there are needs a restart.
async fn reload(
    options: &Serve,
    node: &Node,
    host: &MakeHost,
    before: &RouteList,
) -> anyhow::Result<RouteList> {
    let config = config::load(&options.config)?;
    let known = before
        .iter()
        .map(|(_, target)| (target.worker.name().to_string(), target.clone()))
        .collect();
    let (routes, changed) = load_workers(&config, host, &known).await?;
    keep_objects(node.objects(), &config, &routes)?;
    for target in &changed {
        node.warm(target)
            .await
            .with_context(|| format!("worker {:?}", target.worker.name()))?;
    }
    node.deploy(&routes).await?;
    Ok(routes)
}

/// Workers by name, so that unchanged ones go on with their isolates.
type Known = HashMap<String, Target>;

async fn load_workers(
    config: &NodeConfig,
    host: &MakeHost,
    known: &Known,
) -> anyhow::Result<(RouteList, Vec<Target>)> {
    let mut routes = RouteList::new();
    let mut changed = Vec::new();
    let mut faults = Vec::new();
    for worker in &config.workers {
        match load_worker(worker).await {
            Ok(new) => {
                let private = worker.isolation == Isolation::Private;
                let new = match known.get(&worker.name) {
                    Some(old) if *old.worker == *new && old.lane.is_some() == private => {
                        old.clone()
                    }
                    _ => {
                        let lane = private
                            .then(|| private_lane(&worker.name, host))
                            .transpose()?;
                        let new = Target { worker: new, lane };
                        changed.push(new.clone());
                        new
                    }
                };
                routes.extend(
                    worker
                        .routes
                        .iter()
                        .map(|pattern| (pattern.clone(), new.clone())),
                );
            }
            Err(error) => faults.push(format!("worker {:?}: {error:#}", worker.name)),
        }
    }
    faults.extend(lost_services(&config.workers, &routes));
    if faults.is_empty() {
        Ok((routes, changed))
    } else {
        Err(anyhow!(faults.join("\n")))
    }
}

/// Service bindings that lead nowhere.
fn lost_services(workers: &[WorkerConfig], routes: &RouteList) -> BTreeSet<String> {
    let mut lost = BTreeSet::new();
    for (_, target) in routes {
        let worker = target.worker.name();
        for (name, service) in target.worker.services() {
            let what = match workers.iter().find(|other| other.name == service) {
                None => "no worker is called so",
                Some(other) if other.isolation == Isolation::Private && service != worker => {
                    "a worker with `isolation = \"private\"` takes no calls of others yet"
                }
                Some(_) => continue,
            };
            lost.insert(format!(
                "worker {worker:?}: services: {name} -> {service:?}: {what}"
            ));
        }
    }
    lost
}

async fn load_worker(config: &WorkerConfig) -> anyhow::Result<Arc<Worker>> {
    let mut spec = match &config.source {
        WorkerSource::Script {
            path,
            compatibility,
        } => script(path, *compatibility)?,
        WorkerSource::Project { dir, env } => {
            let loaded = load(dir, env.as_deref(), DevVars::Ignore)?;
            let bundle = bundle_project(&loaded, Mode::Production).await?;
            let project = &loaded.project;
            if let Some(fault) = project_worker::refuse_migrations(project) {
                anyhow::bail!(fault);
            }
            if config.isolation == Isolation::Private && !project.durable_objects.is_empty() {
                anyhow::bail!("isolation: a worker with durable objects cannot be \"private\" yet");
            }
            project_worker::spec(project, bundle, &config.name)
        }
    };
    spec.name.clone_from(&config.name);
    spec.env.extend(config.vars.clone());
    config.limits.apply(&mut spec.limits);
    Ok(Worker::new(spec)?)
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
