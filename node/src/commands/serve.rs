//! `outboard serve`: many workers, in production.

mod configured;
mod fleet;
mod site;
mod tenants;

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use outboard_egress::{Client, ClientOptions};
use outboard_runtime::Inspection;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle as AbortOnDrop;

use self::fleet::Fleet;
use self::site::Site;
use super::{command_runtime, stop_signal};
use crate::cache::Store;
use crate::cli::Serve;
use crate::config::{self, ControlConfig, LogFormat};
use crate::control::{Control, Order, TokenStore};
use crate::errands::Desk;
use crate::host::{NodeHost, WorkerLog, hosts};
use crate::ingress::{AccessLog, Detail, IngressOptions};
use crate::node::{Node, NodeOptions};
use crate::objects::NodeObjects;
use crate::resources::Resources;
use crate::tails::TailLane;

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
    resources.set_buckets_on_s3(&config.buckets);
    let (host_objects, host_resources) = (objects.clone(), resources.clone());
    let tails = Arc::new(TailLane::default());
    let host_tails = tails.clone();
    let make = move |lane: &_, dynamic| {
        NodeHost::shared(
            client.clone(),
            cache.clone(),
            host_objects.clone(),
            host_resources.clone(),
            dynamic,
            host_tails.clone(),
            lane,
            WorkerLog::Tracing,
        )
    };
    let host = hosts(config.lanes, make);
    tails.serve_with(host.clone());
    let runtime = command_runtime()?;
    let first = runtime.block_on(Fleet::first(config, host.clone(), objects.clone()))?;
    let config = &first.config;
    let control = config
        .control
        .as_ref()
        .map(|control| listen_control(&config.data, control))
        .transpose()?;
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
            host,
            objects,
            open: None,
        },
        &first.roster(),
    )?;
    if let Some(control) = &control {
        println!("control on http://{}", control.address);
    }
    println!("ready on http://{}", node.address());
    let site = Site { fleet: first, node };
    runtime.block_on(until_terminated(options, site, control, resources))
}

/// The control API before it is served.
struct Listening {
    listener: TcpListener,
    address: SocketAddr,
    control: Control,
    orders: mpsc::Receiver<Order>,
}

fn listen_control(data: &Path, config: &ControlConfig) -> anyhow::Result<Listening> {
    let bound = TcpListener::bind(config.listen).and_then(|listener| {
        let address = listener.local_addr()?;
        Ok((listener, address))
    });
    let (listener, address) =
        bound.with_context(|| format!("control.listen: {}", config.listen))?;
    let (control, orders) = Control::new(TokenStore::of(data), config.max_package);
    Ok(Listening {
        listener,
        address,
        control,
        orders,
    })
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
    mut site: Site,
    control: Option<Listening>,
    resources: Arc<Resources>,
) -> anyhow::Result<()> {
    let _resources = AbortOnDrop::new(tokio::spawn(resources.clone().tend()));
    let objects = site.node.objects().clone();
    let refused = |error| tracing::error!("{error}");
    let desk = Desk::open(objects.clone(), resources.clone(), refused);
    let _alarms = AbortOnDrop::new(tokio::spawn(objects.ring_alarms()));
    let (mut orders, control) = match control {
        Some(listening) => {
            let serving = crate::control::serve(listening.listener, listening.control);
            let serving = AbortOnDrop::new(tokio::spawn(async move {
                if let Err(error) = serving.await {
                    tracing::error!(%error, "the control API is not served");
                }
            }));
            (Some(listening.orders), Some(serving))
        }
        None => (None, None),
    };
    let mut stop = std::pin::pin!(stop_signal());
    let mut hangup = signal(SignalKind::hangup())?;
    loop {
        let next_order = async {
            match &mut orders {
                Some(orders) => orders.recv().await,
                None => None,
            }
        };
        tokio::select! {
            () = &mut stop => break,
            _ = hangup.recv() => match site.reload(&options.config).await {
                Ok(()) => {
                    resources.set_buckets_on_s3(&site.fleet.config.buckets);
                    tracing::info!("config reloaded");
                }
                Err(error) => tracing::error!("config not reloaded, nothing changed: {error:#}"),
            },
            Some(order) = next_order => site.take(order).await,
        }
    }
    tracing::info!("draining");
    // Who waits for an answer of it is told that there is none.
    drop((orders, control));
    resources.stop();
    // Commands have the same time as requests.
    let grace = site.fleet.config.drain;
    tokio::join!(desk.close(grace), site.node.drain());
    Ok(())
}
