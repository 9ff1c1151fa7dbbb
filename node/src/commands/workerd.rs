//! `outboard workerd`: serves or tests a workerd configuration.

mod args;
mod glob;
mod sockets;
mod test;

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use outboard_runtime::{Collector, Engine, Inspection, Lane, LaneConfig};
use outboard_storage::Retention;
use outboard_workerd::Config;

use self::args::{Common, Serve, Test};
pub(crate) use self::args::{Workerd, WorkerdArgs};
use self::sockets::News;
use super::{command_runtime, stop_signal};
use tokio_util::task::AbortOnDropHandle as AbortOnDrop;

use crate::host::hosts;
use crate::objects::{NodeObjects, keep_for_development};
use crate::output;
use crate::workerd::{Keep, Overrides, Services, WorkerdHost};

pub(crate) fn run(options: &Workerd) -> anyhow::Result<()> {
    match options {
        Workerd::Serve(options) => serve(options),
        Workerd::Test(options) => test(options),
    }
}

fn serve(options: &Serve) -> anyhow::Result<()> {
    let config = load(&options.common, options.constant.as_deref())?;
    note_flags(&config.v8_flags);
    let addresses = options.addresses()?;
    let sockets = sockets::resolve(&config, &addresses)?;
    let overrides = options.common.overrides(None)?;
    let services = Arc::new(Services::new(&config, &overrides)?);
    let (objects, _forgotten) = objects(&config, &overrides)?;
    let mut news = News::open(options.control_fd)?;
    let lane = lane(&services, objects.clone(), Collector::Hidden)?;
    command_runtime()?.block_on(async {
        let _alarms = AbortOnDrop::new(tokio::spawn(objects.ring_alarms()));
        let open = sockets::listen(&lane, &services, sockets, &mut news).await?;
        stop_signal().await;
        open.close().await;
        anyhow::Ok(())
    })?;
    lane.stop();
    Ok(())
}

fn test(options: &Test) -> anyhow::Result<()> {
    let filter = options
        .filter
        .as_deref()
        .unwrap_or("*")
        .parse::<test::Filter>()?;
    let config = load(&options.common, filter.constant.as_deref())?;
    let (gc, ignored): (Vec<String>, Vec<String>) = config
        .v8_flags
        .iter()
        .cloned()
        .partition(|flag| matches!(flag.as_str(), "--expose-gc" | "--expose_gc"));
    note_flags(&ignored);
    let collector = if gc.is_empty() && !options.predictable {
        Collector::Hidden
    } else {
        Collector::Exposed
    };
    let mut overrides = options.common.overrides(options.compat_date.clone())?;
    overrides.are_tested = true;
    let sockets = sockets::resolve(&config, &Default::default())?;
    let services = Arc::new(Services::new(&config, &overrides)?);
    let (objects, _forgotten) = objects(&config, &overrides)?;
    let lane = lane(&services, objects.clone(), collector)?;
    let passed = command_runtime()?.block_on(async {
        let _alarms = AbortOnDrop::new(tokio::spawn(objects.ring_alarms()));
        let open = sockets::listen(&lane, &services, sockets, &mut News::Nobody).await?;
        let passed = test::run(&lane, &services, &filter).await;
        open.close().await;
        passed
    })?;
    lane.stop();
    anyhow::ensure!(passed, "Tests failed!");
    Ok(())
}

fn load(options: &Common, constant: Option<&str>) -> anyhow::Result<Config> {
    let path = options.config.as_path();
    if !options.binary {
        anyhow::ensure!(
            path != Path::new("-"),
            "the configuration is only read from standard input with --binary"
        );
        return Ok(Config::from_text(path, constant, &options.import_path)?);
    }
    let bytes = if path == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin()
            .read_to_end(&mut bytes)
            .context("standard input")?;
        bytes
    } else {
        std::fs::read(path).with_context(|| path.display().to_string())?
    };
    Config::from_binary(&bytes).with_context(|| path.display().to_string())
}

/// One lane for all of them: a worker has one isolate, as in workerd.
fn lane(
    services: &Arc<Services>,
    objects: Arc<NodeObjects>,
    collector: Collector,
) -> anyhow::Result<Lane> {
    for (name, worker) in services.workers() {
        objects.set_worker(name, worker.clone());
    }
    // Before the lanes that load workers make V8 what it is.
    let engine = Engine::init_with(outboard_snapshot::SNAPSHOT, collector);
    let (services, host_objects) = (services.clone(), objects.clone());
    let host = hosts(1, move |lane, dynamic| {
        WorkerdHost::shared(services.clone(), host_objects.clone(), lane, dynamic)
    });
    let for_lane = host.clone();
    let lane = Lane::start(LaneConfig {
        name: "lane 0".into(),
        engine,
        ready: 0,
        inspection: Inspection::Off,
        host: Box::new(move |lane| for_lane(lane)),
    })
    .context("could not start a lane")?;
    objects.run_on(vec![lane.handle()], host);
    Ok(lane)
}

/// The objects of a configuration; those in memory are in a folder that is removed
/// when what is returned with them is dropped.
fn objects(
    config: &Config,
    overrides: &Overrides,
) -> anyhow::Result<(Arc<NodeObjects>, Option<tempfile::TempDir>)> {
    let objects = Arc::new(NodeObjects::default());
    let forgotten = match Keep::of(config, overrides)? {
        Keep::Nothing => None,
        Keep::Folder(folder) => {
            objects.keep_in(&folder, keep_for_development())?;
            None
        }
        Keep::InMemory => {
            let forgotten = tempfile::tempdir().context("a temporary folder")?;
            objects.keep_in(forgotten.path(), Retention::Nothing)?;
            Some(forgotten)
        }
    };
    Ok((objects, forgotten))
}

/// V8's flags are the process's, and chosen already.
fn note_flags(flags: &[String]) {
    if !flags.is_empty() {
        let flags = flags.join(" ");
        eprintln!(
            "{} v8Flags are ignored: {flags}",
            output::mark("note:", output::DIM)
        );
    }
}
