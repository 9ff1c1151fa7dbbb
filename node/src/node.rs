//! A running node: its lanes, what they serve, and how that changes and ends.

use std::cell::OnceCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use outboard_runtime::{Engine, Inspection, Lane, LaneConfig, LaneLocal, StartError};
use tokio_util::sync::CancellationToken;

use crate::host::MakeHost;
use crate::ingress::{Ingress, IngressOptions, Roster, Routes, Target, bind, listen_on_lane};
use crate::objects::NodeObjects;

/// What a node is started with.
pub(crate) struct NodeOptions {
    pub(crate) listen: SocketAddr,
    pub(crate) lanes: usize,
    /// Isolates that each lane keeps ready.
    pub(crate) ready: usize,
    pub(crate) inspection: Inspection,
    pub(crate) ingress: IngressOptions,
    pub(crate) host: MakeHost,
    pub(crate) objects: Arc<NodeObjects>,
    /// Connections wait until this is cancelled, where it is there.
    pub(crate) open: Option<CancellationToken>,
}

/// A node that cannot start or change.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NodeError {
    #[error("listen: {address}: {source}")]
    Listen {
        address: SocketAddr,
        source: std::io::Error,
    },
    #[error("could not start a lane: {0}")]
    Lane(std::io::Error),
    #[error(transparent)]
    Busy(#[from] outboard_runtime::LaneBusy),
    #[error("a lane ended unexpectedly")]
    LaneGone,
}

/// A lane for one worker alone: the OS shares out its time, so that a worker
/// that takes all it may holds up nobody else's.
pub(crate) fn private_lane(name: &str, host: &MakeHost) -> Result<Arc<Lane>, NodeError> {
    let host = host.clone();
    Lane::start(LaneConfig {
        name: name.to_string(),
        engine: Engine::init(outboard_snapshot::SNAPSHOT),
        ready: 0,
        inspection: Inspection::Off,
        host: Box::new(move |lane| host(lane)),
    })
    .map(Arc::new)
    .map_err(NodeError::Lane)
}

thread_local! {
    /// The lane's own ingress; set once, when it begins to listen.
    static INGRESS: OnceCell<Rc<Ingress>> = const { OnceCell::new() };
}

pub(crate) struct Node {
    objects: Arc<NodeObjects>,
    lanes: Vec<Lane>,
    address: SocketAddr,
    stop: CancellationToken,
    ended: Vec<tokio::sync::oneshot::Receiver<std::io::Result<()>>>,
    grace: Duration,
}

impl Node {
    /// Binds, starts the lanes, and serves `roster`.
    pub(crate) fn start(options: NodeOptions, roster: &Roster) -> Result<Self, NodeError> {
        let engine = Engine::init(outboard_snapshot::SNAPSHOT);
        let listeners =
            bind(options.listen, options.lanes).map_err(|source| NodeError::Listen {
                address: options.listen,
                source,
            })?;
        let address = listeners
            .first()
            .map_or(Ok(options.listen), std::net::TcpListener::local_addr)
            .map_err(|source| NodeError::Listen {
                address: options.listen,
                source,
            })?;
        let stop = CancellationToken::new();
        let mut lanes = Vec::new();
        let mut ended = Vec::new();
        for (index, listener) in listeners.into_iter().enumerate() {
            let host = options.host.clone();
            let lane = Lane::start(LaneConfig {
                name: format!("lane {index}"),
                engine,
                ready: options.ready,
                inspection: options.inspection.clone(),
                host: Box::new(move |lane| host(lane)),
            })
            .map_err(NodeError::Lane)?;
            let ingress = options.ingress.clone();
            let roster = roster.clone();
            let stop = stop.clone();
            let open = options.open.clone();
            ended.push(lane.run(move |local| {
                let ingress = Ingress::new(local, Routes::new(roster), ingress);
                INGRESS.with(|cell| {
                    let _ = cell.set(ingress.clone());
                });
                async move {
                    if let Some(open) = open {
                        tokio::select! {
                            () = open.cancelled() => {}
                            () = stop.cancelled() => {}
                        }
                    }
                    listen_on_lane(listener, ingress, stop).await
                }
                .boxed_local()
            })?);
            lanes.push(lane);
        }
        let handles = lanes.iter().map(Lane::handle).collect();
        options.objects.run_on(handles, options.host);
        options.objects.set_workers(roster);
        Ok(Self {
            objects: options.objects,
            lanes,
            address,
            stop,
            ended,
            grace: options.ingress.grace,
        })
    }

    pub(crate) fn objects(&self) -> &Arc<NodeObjects> {
        &self.objects
    }

    /// The address that is listened on, with the real port.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Starts the worker on every lane that serves it; the first failure is the
    /// script's.
    pub(crate) async fn warm(&self, target: &Target) -> Result<(), NodeWarmError> {
        let shared = self.lanes.iter().filter(|_| target.lane.is_none());
        for lane in shared.chain(target.lane.as_deref()) {
            let worker = target.worker.clone();
            lane.run(move |local| async move { local.warm(&worker).await }.boxed_local())
                .map_err(NodeError::from)?
                .await
                .map_err(|_gone| NodeError::LaneGone)??;
        }
        Ok(())
    }

    /// Lets go of a version that was started and is not to be served.
    pub(crate) async fn forget(&self, target: &Target) {
        for lane in self.lanes.iter().filter(|_| target.lane.is_none()) {
            let worker = target.worker.clone();
            let retire = |local: Rc<LaneLocal>| async move { local.retire(&worker) }.boxed_local();
            // A lane that takes no commands ends it when memory is short.
            if let Ok(retired) = lane.run(retire) {
                let _ = retired.await;
            }
        }
    }

    /// Replaces what is served. New requests go by the new routes at once;
    /// workers that are not there any more end when their events have.
    pub(crate) async fn deploy(&self, roster: &Roster) -> Result<(), NodeError> {
        self.objects.set_workers(roster);
        for lane in &self.lanes {
            let roster = roster.clone();
            lane.run(move |local| {
                async move {
                    let Some(ingress) = INGRESS.with(|cell| cell.get().cloned()) else {
                        return;
                    };
                    let kept: Vec<_> = roster
                        .targets()
                        .map(|target| target.worker.clone())
                        .collect();
                    let before = ingress.replace_routes(Routes::new(roster));
                    for worker in before.shared_workers() {
                        if !kept.iter().any(|other| Arc::ptr_eq(other, worker)) {
                            local.retire(worker);
                        }
                    }
                }
                .boxed_local()
            })?
            .await
            .map_err(|_gone| NodeError::LaneGone)?;
        }
        Ok(())
    }

    /// Stops accepting, lets open requests end for the grace period, and ends
    /// the lanes.
    pub(crate) async fn drain(self) {
        self.stop.cancel();
        let all = futures::future::join_all(self.ended);
        // The connections have the same grace; this is for a lane that hangs.
        let patience = self.grace + Duration::from_secs(1);
        if tokio::time::timeout(patience, all).await.is_err() {
            tracing::warn!("some requests were cut at the end of the grace period");
            // The threads end with the process.
            std::mem::forget(self.lanes);
            return;
        }
        let mut lanes = self.lanes;
        lanes.extend(self.objects.take_lanes());
        let stopped = tokio::task::spawn_blocking(move || lanes.into_iter().for_each(Lane::stop));
        let _ = stopped.await;
    }
}

/// A worker that could not be started ahead of its first request.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NodeWarmError {
    #[error(transparent)]
    Node(#[from] NodeError),
    #[error(transparent)]
    Script(#[from] StartError),
}
