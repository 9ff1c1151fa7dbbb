//! The lane of tail workers: what they do with what they are told costs the workers
//! that they tail nothing of theirs, however long it takes.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::{Arc, OnceLock};

use futures::FutureExt;
use outboard_runtime::{
    EventError, Lane, LaneLocal, LaneRef, ServiceError, ServiceTarget, Tailed, Worker,
};
use parking_lot::Mutex;

use crate::host::MakeHost;
use crate::node::private_lane;

/// One lane for all of them; it starts with the first call.
#[derive(Default)]
pub(crate) struct TailLane {
    host: OnceLock<MakeHost>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    lane: Option<Arc<Lane>>,
    /// The versions that were called last.
    versions: HashMap<String, Arc<Worker>>,
}

impl TailLane {
    /// What the lane is made with.
    pub(crate) fn serve_with(&self, host: MakeHost) {
        let _ = self.host.set(host);
    }

    /// Calls a tail worker, and waits until it is done.
    pub(crate) async fn call(
        &self,
        worker: Arc<Worker>,
        target: Arc<ServiceTarget>,
        tailed: Tailed,
    ) -> Result<(), ServiceError> {
        let lane = self.lane(&worker)?;
        Ok(lane.tail(worker, target, tailed).await?)
    }

    /// The lane; an earlier version of the worker ends there with what it does.
    fn lane(&self, worker: &Arc<Worker>) -> Result<LaneRef, EventError> {
        let lost = |reason: String| EventError::IsolateLost { reason };
        let mut state = self.state.lock();
        let lane = match &state.lane {
            Some(lane) => lane.clone(),
            None => {
                let host = self.host.get();
                let host = host.ok_or_else(|| lost("the node has no lane".into()))?;
                let lane = private_lane("tails", host).map_err(|error| lost(error.to_string()))?;
                state.lane.insert(lane).clone()
            }
        };
        let before = state.versions.insert(worker.name().into(), worker.clone());
        if let Some(before) = before.filter(|before| !Arc::ptr_eq(before, worker)) {
            let retire =
                move |local: Rc<LaneLocal>| async move { local.retire(&before) }.boxed_local();
            // A lane that takes no commands ends it when memory is short.
            drop(lane.run(retire));
        }
        Ok(lane.handle())
    }
}
