//! Events of WebSockets that objects hibernate with.

use std::rc::Rc;
use std::sync::Arc;

use super::LaneLocal;
use crate::error::EventError;
use crate::object::{ObjectTarget, SocketEvent};

impl LaneLocal {
    /// Begins to tell an object, which wakes for it, of what a socket heard. What is
    /// returned ends when its handler does.
    pub(crate) async fn socket_event(
        self: Rc<Self>,
        target: &Arc<ObjectTarget>,
        socket: u32,
        event: Rc<SocketEvent>,
    ) -> Result<impl Future<Output = ()> + use<>, EventError> {
        let placed = self.host.objects().place(target).await;
        let (worker, target) = placed.ok_or_else(|| EventError::IsolateLost {
            reason: "its worker is not served any more".into(),
        })?;
        let (isolate, object) = self.enter(&worker, &target).await?;
        let answer = isolate.call_socket(&object, socket, &event)?;
        let lane = self.clone();
        Ok(async move {
            // What the handler threw is in the log.
            drop(lane.outcome(&worker, answer).await);
        })
    }
}
