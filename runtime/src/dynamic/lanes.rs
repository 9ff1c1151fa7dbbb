//! Lanes for workers that scripts load: few threads for any number of isolates, and
//! not those that serve. A loaded worker that takes all it may holds up none that
//! was deployed, and of those loaded only such as are in the middle of a call on the
//! same lane.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::FutureExt;
use futures::future::LocalBoxFuture;
use parking_lot::Mutex;

use crate::error::EventError;
use crate::host::{FetchError, ServiceError};
use crate::inspector::Inspection;
use crate::lane::{Lane, LaneConfig, LaneLocal, LaneRef, MakeHost};
use crate::platform::Engine;
use crate::worker::Worker;

/// Lanes that are started before they are needed, each with an isolate ready.
const FEW: usize = 4;

/// The lanes of a process that loaded workers share. They start when a worker is
/// there that loads others.
pub struct DynamicLanes {
    engine: Engine,
    most: usize,
    host: Box<dyn Fn() -> MakeHost + Send + Sync>,
    lanes: Mutex<Vec<Arc<SharedLane>>>,
}

impl DynamicLanes {
    /// At most `most` lanes, each with a host that `host` makes for it.
    pub fn new(
        engine: Engine,
        most: usize,
        host: impl Fn() -> MakeHost + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            engine,
            most: most.max(1),
            host: Box::new(host),
            lanes: Mutex::default(),
        })
    }

    /// Starts the first lanes, where there are none.
    pub(crate) fn warm(&self) {
        let mut lanes = self.lanes.lock();
        while lanes.len() < FEW.min(self.most) {
            match self.start(lanes.len()) {
                Ok(lane) => lanes.push(lane),
                Err(error) => {
                    tracing::error!(%error, "a lane for loaded workers did not start");
                    return;
                }
            }
        }
    }

    /// The lane for one more isolate: one that no turn holds, with the least to do.
    pub(super) fn choose(&self) -> Result<Arc<SharedLane>, ServiceError> {
        self.warm();
        let mut lanes = self.lanes.lock();
        let free = lanes
            .iter()
            .filter(|lane| !lane.is_held())
            .min_by_key(|lane| lane.load());
        // One with a call under way would delay the next, or be delayed by it.
        let idle = free.filter(|lane| lane.load().0 == 0);
        if let Some(lane) = idle {
            return Ok(lane.clone());
        }
        if lanes.len() < self.most {
            match self.start(lanes.len()) {
                Ok(lane) => {
                    lanes.push(lane.clone());
                    return Ok(lane);
                }
                Err(error) => tracing::warn!(%error, "no more lanes for loaded workers"),
            }
        }
        let least = || lanes.iter().min_by_key(|lane| lane.load());
        free.or_else(least).cloned().ok_or_else(|| {
            let message = "no lane for loaded workers could be started".into();
            FetchError { message }.into()
        })
    }

    fn start(&self, number: usize) -> std::io::Result<Arc<SharedLane>> {
        let lane = Lane::start(LaneConfig {
            name: format!("loaded {number}"),
            engine: self.engine,
            ready: 1,
            inspection: Inspection::Off,
            host: (self.host)(),
        })?;
        Ok(Arc::new(SharedLane {
            lane,
            isolates: AtomicUsize::new(0),
            calls: AtomicUsize::new(0),
            leaving: Mutex::default(),
        }))
    }
}

/// One of the lanes.
pub(super) struct SharedLane {
    lane: Lane,
    /// Workers that have their isolate here, or had and would start it here again.
    isolates: AtomicUsize,
    /// Calls under way.
    calls: AtomicUsize,
    /// Workers that nothing holds any more, until the lane retires them. As many as
    /// there were isolates.
    leaving: Mutex<Vec<Arc<Worker>>>,
}

impl SharedLane {
    /// Calls under way, and isolates.
    fn load(&self) -> (usize, usize) {
        let calls = self.calls.load(Ordering::Relaxed);
        (calls, self.isolates.load(Ordering::Relaxed))
    }

    pub(super) fn handle(&self) -> LaneRef {
        self.lane.handle()
    }

    /// Whether one turn has lasted long.
    pub(super) fn is_held(&self) -> bool {
        self.lane.is_held()
    }

    pub(super) fn joined(&self) {
        self.isolates.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn left(self: Arc<Self>, worker: Arc<Worker>) {
        self.isolates.fetch_sub(1, Ordering::Relaxed);
        self.leaving.lock().push(worker);
        let this = self.clone();
        // A lane with too many commands to take this one does it with the next.
        let _ = self
            .lane
            .run(move |local| async move { this.retire_leaving(&local) }.boxed_local());
    }

    fn retire_leaving(&self, local: &Rc<LaneLocal>) {
        let leaving = std::mem::take(&mut *self.leaving.lock());
        for worker in leaving {
            local.retire(&worker);
        }
    }

    /// Counts a call until it is dropped.
    pub(super) fn busy(&self) -> Busy<'_> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        Busy(self)
    }

    /// Runs `f` on the lane, which is given up when this future is.
    pub(super) async fn ask<F, T>(self: &Arc<Self>, f: F) -> Result<T, EventError>
    where
        F: FnOnce(Rc<LaneLocal>) -> LocalBoxFuture<'static, Result<T, EventError>> + Send + 'static,
        T: Send + 'static,
    {
        let this = self.clone();
        self.lane
            .handle()
            .ask(move |local| {
                this.retire_leaving(&local);
                f(local)
            })
            .await
    }
}

pub(super) struct Busy<'a>(&'a SharedLane);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.calls.fetch_sub(1, Ordering::Relaxed);
    }
}
