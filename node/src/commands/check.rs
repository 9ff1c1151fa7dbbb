//! `outboard check`: everything that is wrong with a project.

use std::rc::Rc;

use futures::FutureExt;
use outboard_egress::{Client, ClientOptions};
use outboard_project::{DevVars, Mode};
use outboard_runtime::{Engine, Inspection, Lane, LaneConfig};

use super::{bundle_project, command_runtime, load};
use crate::cli::ProjectArgs;
use crate::host::{NodeHost, WorkerLog};
use crate::project_worker;

pub(crate) fn run(options: &ProjectArgs) -> anyhow::Result<()> {
    let loaded = load(&options.dir, options.env.as_deref(), DevVars::Read)?;
    let runtime = command_runtime()?;
    let bundle = runtime.block_on(bundle_project(&loaded, Mode::Production))?;
    let modules = bundle.modules.len();
    let bytes: usize = bundle
        .modules
        .iter()
        .map(|module| module.content.len())
        .sum();
    let worker = project_worker::worker(&loaded.project, bundle)?;
    let client = Client::new(ClientOptions::default())?;
    let lane = Lane::start(LaneConfig {
        name: "check".into(),
        engine: Engine::init(outboard_snapshot::SNAPSHOT),
        ready: 0,
        inspection: Inspection::Off,
        host: Box::new(move || -> Rc<_> { NodeHost::shared(client, WorkerLog::Terminal) }),
    })?;
    let started = lane.run(move |local| async move { local.warm(&worker).await }.boxed_local())?;
    runtime.block_on(started)??;
    println!(
        "{}: no faults ({modules} modules, {} KiB)",
        loaded.project.name,
        bytes.div_ceil(1024)
    );
    Ok(())
}
