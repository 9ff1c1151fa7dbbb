//! `workerd:unsafe` (`js/workerd_unsafe.js`): objects ended by the tests of a workerd
//! configuration.

use std::cell::RefCell;
use std::rc::Rc;

use deno_core::{OpState, op2};
use deno_error::JsErrorBox;

use super::Shared;
use super::service::Route;
use crate::capability::Capability;
use crate::event::EventId;
use crate::lane::LaneLocal;

/// The lane of a worker that may do this.
fn lane(shared: &Shared) -> Result<Rc<LaneLocal>, JsErrorBox> {
    let worker = shared.worker();
    let lane = worker
        .filter(|worker| worker.test_module)
        .and_then(|_| shared.sockets.lane());
    lane.ok_or_else(|| JsErrorBox::generic("this worker is no test"))
}

/// Whether the worker has what nobody but tests asks for.
#[op2(fast)]
pub(crate) fn op_is_tested(state: &OpState) -> bool {
    let worker = state.borrow::<Rc<Shared>>().worker();
    worker.is_some_and(|worker| worker.is_tested)
}

/// Ends an object once it is idle, and its sockets where those `close`; whether it was in
/// memory.
#[op2]
pub(crate) async fn op_unsafe_evict(
    state: Rc<RefCell<OpState>>,
    #[smi] event: EventId,
    #[smi] namespace: i32,
    #[string] object: String,
    close: bool,
) -> Result<bool, JsErrorBox> {
    let shared = Shared::of(&state);
    let lane = lane(&shared)?;
    let route = Route::find(&shared, event, namespace, Some(&object))?;
    let Capability::Object(target) = route.into_capability()? else {
        return Ok(false);
    };
    // A task of its own enters the isolate, which is entered just now.
    let evicted = deno_core::unsync::spawn(async move {
        let was = lane.clone().evict_object(target.clone()).await;
        if was && close {
            lane.cut_sockets(&target);
        }
        was
    });
    Ok(evicted.await.unwrap_or(false))
}

/// Ends all objects on the lane: those that are idle now or soon, or all at once.
#[op2]
pub(crate) async fn op_unsafe_end_objects(
    state: Rc<RefCell<OpState>>,
    abort: bool,
    close: bool,
) -> Result<(), JsErrorBox> {
    let shared = Shared::of(&state);
    let lane = lane(&shared)?;
    let ended = deno_core::unsync::spawn(async move {
        if abort {
            lane.abort_objects("Application called abortAllDurableObjects().");
        } else {
            lane.evict_objects(close).await;
        }
    });
    let _ = ended.await;
    Ok(())
}
