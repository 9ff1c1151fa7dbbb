//! Events of WebSockets that objects hibernate with.

use std::rc::Rc;
use std::sync::Arc;

use super::LaneLocal;
use crate::error::EventError;
use crate::object::{ObjectTarget, Residence, SocketEvent};

impl LaneLocal {
    /// Begins to tell an object, which wakes for it, of what a socket heard. What is
    /// returned ends when its handler does.
    pub(crate) async fn socket_event(
        self: Rc<Self>,
        target: &Arc<ObjectTarget>,
        residence: Residence,
        socket: u32,
        event: Rc<SocketEvent>,
    ) -> Result<impl Future<Output = ()> + use<>, EventError> {
        let (isolate, object) = match residence {
            Residence::Stays => self.facet_here(target).await?,
            Residence::Wakes => {
                let placed = self.host.objects().place(target).await;
                let (worker, target) = placed.ok_or_else(|| EventError::IsolateLost {
                    reason: "its worker is not served any more".into(),
                })?;
                self.enter(&worker, &target).await?
            }
        };
        let worker = isolate.worker().clone();
        let answer = isolate.call_socket(&object, socket, &event)?;
        let lane = self.clone();
        Ok(async move {
            // What the handler threw is in the log.
            drop(lane.outcome(&worker, answer).await);
        })
    }
}
