//! `outboard check`: everything that is wrong with a project.

use std::rc::Rc;
use std::sync::Arc;

use futures::FutureExt;
use outboard_egress::{Client, ClientOptions};
use outboard_project::{DevVars, Mode};
use outboard_runtime::{Engine, Exports, Inspection, Lane, LaneConfig, Worker};

use super::{bundle_project, command_runtime, load, warn};
use crate::cache::Store;
use crate::cli::ProjectArgs;
use crate::host::{NodeHost, WorkerLog};
use crate::objects::{Classes, NodeObjects, Scope};
use crate::project_worker::{self, Names};
use crate::resources::Resources;

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
    let main = loaded.project.main.clone();
    let main = main.strip_prefix(&loaded.project.root).unwrap_or(&main);
    let names = Names {
        own: &loaded.project.name,
        scope: &Scope::default(),
        // Which there are is each node's to know.
        classes: &Classes::default(),
        mode: Mode::Production,
    };
    let worker = Worker::new(project_worker::spec(&loaded.project, bundle, &names))?;
    let client = Client::new(ClientOptions::default())?;
    let lane = Lane::start(LaneConfig {
        name: "check".into(),
        engine: Engine::init(outboard_snapshot::SNAPSHOT),
        ready: 0,
        inspection: Inspection::Off,
        host: Box::new(move |lane| -> Rc<_> {
            // Nothing is asked of objects: no event comes.
            let objects = Arc::new(NodeObjects::default());
            let resources = Arc::new(Resources::new(objects.clone()));
            let log = WorkerLog::Terminal;
            NodeHost::shared(
                client,
                Store::default(),
                objects,
                resources,
                None,
                Arc::default(),
                lane,
                log,
            )
        }),
    })?;
    let started = lane.run(move |local| async move { local.warm(&worker).await }.boxed_local())?;
    if runtime.block_on(started)?? == Exports::NoHandler {
        warn(&[format!(
            "{}: no event handlers: nothing can call the script; write \
             export default {{ fetch(request, env, ctx) {{ ... }} }}",
            main.display()
        )]);
    }
    println!(
        "{}: no faults ({modules} module{}, {} KiB)",
        loaded.project.name,
        if modules == 1 { "" } else { "s" },
        bytes.div_ceil(1024)
    );
    Ok(())
}
