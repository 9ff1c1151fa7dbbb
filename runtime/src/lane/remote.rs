//! Requests from other threads to a lane: how a worker with a lane of its own is
//! reached.

use std::rc::Rc;
use std::sync::Arc;

use futures::FutureExt;
use http::{Request, Response};
use tokio::sync::oneshot;

use super::{COMMANDS, Command, Lane, LaneLocal, Served, lane_ended};
use crate::body::HostBody;
use crate::error::EventError;
use crate::worker::Worker;

impl Lane {
    /// Serves one request on this lane from another thread: how a worker with a
    /// lane of its own is reached. Dropping the future abandons the request.
    pub async fn fetch(
        &self,
        worker: &Arc<Worker>,
        request: Request<HostBody>,
        https: bool,
    ) -> Result<Served<HostBody>, EventError> {
        let (sender, receiver) = oneshot::channel();
        let worker = worker.clone();
        let command: Command =
            Box::new(move |lane| serve_remote(lane, worker, request, https, sender).boxed_local());
        self.commands
            .try_send(command)
            .map_err(|_| EventError::Overloaded { open: COMMANDS })?;
        receiver.await.unwrap_or_else(|_gone| Err(lane_ended()))
    }
}

/// One request from another thread; goes on until its body is sent too.
async fn serve_remote(
    lane: Rc<LaneLocal>,
    worker: Arc<Worker>,
    request: Request<HostBody>,
    https: bool,
    mut answer: oneshot::Sender<Result<Served<HostBody>, EventError>>,
) {
    let served = tokio::select! {
        served = lane.fetch(&worker, request, https) => served,
        () = answer.closed() => return,
    };
    // Whoever asked may leave at any time; a body then has no reader.
    let _ = match served {
        Ok(Served::Response(response)) => {
            let (head, body) = response.into_parts();
            let (body, carry) = body.into_host();
            let sent = answer.send(Ok(Served::Response(Response::from_parts(head, body))));
            if let Some(carry) = carry {
                carry.await;
            }
            sent
        }
        Ok(Served::Upgrade(upgrade)) => answer.send(Ok(Served::Upgrade(upgrade))),
        Err(error) => answer.send(Err(error)),
    };
}
