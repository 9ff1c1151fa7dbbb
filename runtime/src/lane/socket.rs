//! Events of WebSockets that objects hibernate with.

use std::rc::Rc;
use std::time::Duration;

use super::LaneLocal;
use crate::error::EventError;
use crate::event::Outcome;
use crate::isolate::Answer;
use crate::object::{ObjectSockets, Residence, SocketEvent};

impl LaneLocal {
    /// How an event ends, which it does within `limit`.
    pub(super) async fn outcome_within(&self, limit: Duration, mut answer: Answer) -> Outcome {
        // Most answers are there at once; those need no timer.
        if let Some(outcome) = answer.take() {
            return outcome;
        }
        loop {
            match tokio::time::timeout(limit, &mut answer).await {
                Ok(outcome) => return outcome,
                // Somebody steps through it.
                Err(_elapsed) if answer.is_debugged() => {}
                Err(_elapsed) => {
                    answer.fail(EventError::WallLimit { limit });
                    return Outcome::Failed(EventError::WallLimit { limit });
                }
            }
        }
    }

    /// Begins to tell an object, which wakes for it, of what a socket heard. What is
    /// returned ends when its handler does.
    pub(crate) async fn socket_event(
        self: Rc<Self>,
        sockets: &ObjectSockets,
        socket: u32,
        event: Rc<SocketEvent>,
    ) -> Result<impl Future<Output = ()> + use<>, EventError> {
        let (isolate, object) = match sockets.residence {
            Residence::Stays => self.facet_here(&sockets.target).await?,
            Residence::Wakes => {
                let placed = self.host.objects().place(&sockets.target).await;
                let (worker, target) = placed.ok_or_else(|| EventError::IsolateLost {
                    reason: "its worker is not served any more".into(),
                })?;
                self.enter(&worker, &target).await?
            }
        };
        let worker = isolate.worker().clone();
        let answer = isolate.call_socket(&object, socket, &event)?;
        let lane = self.clone();
        let wall = worker.limits.wall;
        let limit = sockets.timeout().map_or(wall, |timeout| timeout.min(wall));
        Ok(async move {
            // What the handler threw is in the log.
            drop(lane.outcome_within(limit, answer).await);
        })
    }
}
