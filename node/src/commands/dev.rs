//! `outboard dev`: one project on this machine, reloaded when a file changes.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use outboard_egress::{Client, ClientOptions};
use outboard_project::{DevVars, Loaded, Mode};
use outboard_runtime::{Inspection, ObjectIsolation, Worker};
use outboard_storage::Retention;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{bundle_project, command_runtime, load, stop_signal};
use tokio_util::task::AbortOnDropHandle as AbortOnDrop;

use crate::cache::Store;
use crate::cli::{Dev, DevIsolation};
use crate::duties::Duties;
use crate::errands::Desk;
use crate::host::{NodeHost, WorkerLog, hosts};
use crate::ingress::{AccessLog, Detail, IngressOptions, Roster, Target};
use crate::inspector::InspectorServer;
use crate::node::{Node, NodeOptions};
use crate::objects::{NodeObjects, Scope, Wanted, keep_for_development};
use crate::output;
use crate::project_worker::{self, Names};
use crate::resources::Resources;
use crate::resources::r2::Place;
use crate::tails::TailLane;

/// The port wrangler uses too.
const PORT: u16 = 8787;
/// The port that Node and wrangler use too, and that chrome://inspect looks at.
const INSPECTOR_PORT: u16 = 9229;
/// Editors write a file in several steps; changes this close are one.
const SETTLE: Duration = Duration::from_millis(60);
/// A developer who stops the server does not wait for slow requests.
const GRACE: Duration = Duration::from_millis(500);

pub(crate) fn run(options: &Dev) -> anyhow::Result<()> {
    let loaded = load_project(options)?;
    let dev = &loaded.project.dev;
    let ip = match options.ip {
        Some(ip) => ip,
        None => address("dev.ip", dev.ip.as_deref())?,
    };
    let port = options.port.or(dev.port).unwrap_or(PORT);
    let inspector = if options.no_inspector {
        None
    } else {
        Some(listen_inspector(options, dev)?)
    };
    let cache = Store::default();
    let client = Client::new(ClientOptions {
        // The developer's own services are what a worker is tried against.
        deny_private: false,
        ..ClientOptions::default()
    })?;
    let objects = Arc::new(NodeObjects::default());
    let resources = Arc::new(Resources::new(objects.clone()));
    if !options.r2.is_empty() {
        // What S3 answers is nowhere else.
        super::log_faults();
    }
    let buckets = options.r2.iter().map(|option| Place::of_option(option));
    resources.set_buckets_on_s3(&buckets.collect::<Result<Vec<_>, _>>()?);
    let data = Data::of(options)?;
    let (host_objects, host_resources) = (objects.clone(), resources.clone());
    let tails = Arc::new(TailLane::default());
    let host_tails = tails.clone();
    let host = hosts(1, move |lane, dynamic| {
        NodeHost::shared(
            client.clone(),
            cache.clone(),
            host_objects.clone(),
            host_resources.clone(),
            dynamic,
            host_tails.clone(),
            lane,
            WorkerLog::Terminal,
        )
    });
    tails.serve_with(host.clone());
    let open = CancellationToken::new();
    let node = Node::start(
        NodeOptions {
            listen: SocketAddr::new(ip, port),
            // One lane: what a module keeps in memory is kept once, as a
            // developer expects of one worker.
            lanes: 1,
            ready: 1,
            inspection: match &inspector {
                Some(inspector) => inspector.inspection(),
                None => Inspection::Off,
            },
            ingress: IngressOptions {
                max_head: 128 << 10,
                max_body: 100 << 20,
                head_timeout: Duration::from_secs(30),
                detail: Detail::Full,
                access: AccessLog::Terminal,
                health: None,
                scheduled_route: true,
                grace: GRACE,
            },
            host,
            objects: objects.clone(),
            open: Some(open.clone()),
        },
        &Roster::default(),
    )?;
    let background = async move {
        let refused = |error| super::warn(&[error]);
        let desk = data
            .forgotten
            .is_none()
            .then(|| Desk::open(objects, resources.clone(), refused));
        let _resources = AbortOnDrop::new(tokio::spawn(resources.clone().tend()));
        let served = serve(options, node, open, &resources, inspector, loaded, &data).await;
        if let Some(desk) = desk {
            desk.close(GRACE).await;
        }
        served
    };
    command_runtime()?.block_on(background)
}

/// An address of the configuration, by its field's name.
fn address(field: &str, value: Option<&str>) -> anyhow::Result<IpAddr> {
    match value {
        None | Some("localhost") => Ok(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        Some(ip) => ip
            .parse()
            .with_context(|| format!("{field}: {ip:?} is no IP address")),
    }
}

/// Starts the inspector. A port that was asked for is taken or it is an error;
/// instead of the default one another will do.
fn listen_inspector(options: &Dev, dev: &outboard_project::Dev) -> anyhow::Result<InspectorServer> {
    let ip = address("dev.inspector_ip", dev.inspector_ip.as_deref())?;
    let wanted = options.inspector_port.or(dev.inspector_port);
    let at = SocketAddr::new(ip, wanted.unwrap_or(INSPECTOR_PORT));
    let listener = match TcpListener::bind(at) {
        Err(error) if wanted.is_none() && error.kind() == ErrorKind::AddrInUse => {
            let text = format!("port {INSPECTOR_PORT} is taken; the inspector takes another");
            println!("{}", output::mark(&text, output::DIM));
            TcpListener::bind(SocketAddr::new(ip, 0))
        }
        bound => bound,
    };
    listener
        .and_then(InspectorServer::start)
        .with_context(|| format!("inspector: {at}"))
}

fn load_project(options: &Dev) -> anyhow::Result<Loaded> {
    let project = &options.project;
    load(&project.dir, project.env.as_deref(), DevVars::Read)
}

async fn serve(
    options: &Dev,
    node: Node,
    open: CancellationToken,
    resources: &Resources,
    inspector: Option<InspectorServer>,
    first: Loaded,
    data: &Data,
) -> anyhow::Result<()> {
    if let Some(inspector) = &inspector {
        println!(
            "inspector on ws://{} (chrome://inspect)",
            inspector.address()
        );
    }
    let _alarms = AbortOnDrop::new(tokio::spawn(node.objects().clone().ring_alarms()));
    let (changed, mut changes) = mpsc::channel(1);
    let mut watch = Watch::new(changed)?;
    let mut interrupt = Box::pin(stop_signal());
    let mut loaded = Ok(first);
    let mut ready = false;
    loop {
        match build(&node, inspector.as_ref(), loaded, &mut watch, data).await {
            Ok(took) if ready => {
                let text = format!("reloaded in {} ms", took.as_millis());
                println!("{}", output::mark(&text, output::DIM));
            }
            Ok(_) => {
                ready = true;
                println!(
                    "{} on http://{}",
                    output::mark("ready", output::GREEN),
                    node.address()
                );
            }
            Err(error) => {
                eprintln!("{} {error:#}", output::mark("error:", output::RED));
                eprintln!("{}", output::mark("waiting for a change", output::DIM));
            }
        }
        // Who was faster than the first build has an answer of the worker.
        open.cancel();
        tokio::select! {
            _ = changes.recv() => {}
            () = &mut interrupt => break,
        }
        tokio::time::sleep(SETTLE).await;
        while changes.try_recv().is_ok() {}
        loaded = load_project(options);
    }
    // A script that is paused holds the lane; its debugger goes first.
    drop(inspector);
    resources.stop();
    node.drain().await;
    Ok(())
}

/// Bundles, deploys and starts a version. A version that does not bundle
/// leaves the last one in place; one that does not start shows its error.
async fn build(
    node: &Node,
    inspector: Option<&InspectorServer>,
    loaded: anyhow::Result<Loaded>,
    watch: &mut Watch,
    data: &Data,
) -> anyhow::Result<Duration> {
    let started = Instant::now();
    let loaded = loaded?;
    watch.follow(&loaded.files);
    let bundle = match bundle_project(&loaded, Mode::Development).await {
        Ok(bundle) => bundle,
        Err(error) => {
            if let Some(errors) = error.downcast_ref::<outboard_project::BundleErrors>() {
                watch.follow(&errors.watch_files);
            }
            watch.follow(std::slice::from_ref(&loaded.project.main));
            return Err(error);
        }
    };
    watch.follow(&bundle.watch_files);
    let project = &loaded.project;
    let objects = node.objects();
    if project.has_objects() {
        objects.keep_in(&data.folder, data.past).context("--data")?;
    }
    let scope = Scope::default();
    let wanted = Wanted {
        name: &project.name,
        project,
        exports: bundle.exports.as_deref(),
        scope: &scope,
    };
    let plan = objects.plan(vec![wanted]).map_err(|faults| {
        let faults = faults.iter().map(|(_, error)| error.to_string());
        anyhow::anyhow!(faults.collect::<Vec<_>>().join("\n"))
    })?;
    let names = Names {
        own: &project.name,
        scope: &scope,
        classes: plan.classes(),
        mode: Mode::Development,
    };
    let duties = Arc::new(Duties::of(project, &scope));
    let mut spec = project_worker::spec(project, bundle, &names);
    spec.objects = data.isolation;
    let target = Target {
        worker: Worker::new(spec)?,
        lane: None,
        duties,
    };
    if target.worker.keeps_data() || target.duties.keep_data() {
        objects.keep_in(&data.folder, data.past).context("--data")?;
    }
    // Debuggers attach to the new version, and a script that one has paused lets
    // go of the lane, which has to deploy it.
    if let Some(inspector) = inspector {
        inspector.clear();
    }
    if plan.changes_objects() {
        // What a migration does to objects is not undone: the script has to start.
        node.warm(&target).await?;
    }
    let held = objects.migrate(&plan).await?;
    node.deploy(&Roster::only(target.clone())).await?;
    drop(held);
    node.warm(&target).await?;
    Ok(started.elapsed())
}

/// Where a project's objects and other data are.
struct Data {
    folder: PathBuf,
    /// What the objects share.
    isolation: ObjectIsolation,
    /// How much of it is kept of the past.
    past: Retention,
    /// Removed when the command ends.
    forgotten: Option<tempfile::TempDir>,
}

impl Data {
    fn of(options: &Dev) -> anyhow::Result<Self> {
        let isolation = match options.isolation {
            DevIsolation::Shared => ObjectIsolation::Shared,
            DevIsolation::Object => ObjectIsolation::Each,
        };
        if options.no_persist {
            let forgotten = tempfile::tempdir().context("a temporary folder")?;
            return Ok(Self {
                folder: forgotten.path().to_path_buf(),
                isolation,
                past: Retention::Nothing,
                forgotten: Some(forgotten),
            });
        }
        let default = || options.project.dir.join(".outboard");
        Ok(Self {
            folder: options.data.clone().unwrap_or_else(default),
            isolation,
            past: keep_for_development(),
            forgotten: None,
        })
    }
}

/// Watches the folders of files: an editor may replace a file, and a watch on
/// the file itself would end with the old one.
struct Watch {
    watcher: RecommendedWatcher,
    folders: BTreeSet<PathBuf>,
    files: Arc<parking_lot::Mutex<BTreeSet<PathBuf>>>,
}

impl Watch {
    fn new(changed: mpsc::Sender<()>) -> anyhow::Result<Self> {
        let files = Arc::new(parking_lot::Mutex::new(BTreeSet::new()));
        let wanted = files.clone();
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let Ok(event) = event else { return };
            if event.kind.is_access() {
                return;
            }
            let wanted = wanted.lock();
            if event.paths.iter().any(|path| wanted.contains(path)) {
                // Full means that a change is known already.
                let _ = changed.try_send(());
            }
        })
        .context("could not watch files")?;
        Ok(Self {
            watcher,
            folders: BTreeSet::new(),
            files,
        })
    }

    fn follow(&mut self, files: &[PathBuf]) {
        for file in files {
            // Packages change by installing, which changes the lock file too.
            let installed = file
                .components()
                .any(|part| part.as_os_str() == "node_modules");
            let Some(folder) = file.parent().filter(|_| !installed) else {
                continue;
            };
            self.files.lock().insert(file.clone());
            if !self.folders.contains(folder) {
                self.watch(folder);
            }
        }
    }

    fn watch(&mut self, folder: &Path) {
        match self.watcher.watch(folder, RecursiveMode::NonRecursive) {
            Ok(()) => {
                self.folders.insert(folder.to_path_buf());
            }
            Err(error) => eprintln!(
                "{} changes in {} are not seen: {error}",
                output::mark("warning:", output::YELLOW),
                folder.display()
            ),
        }
    }
}
