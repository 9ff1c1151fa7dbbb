//! Events that no client sent: another worker's request, and tests.

use std::rc::Rc;
use std::sync::Arc;

use http::Request;
use tokio::task::AbortHandle;

use super::{LaneLocal, Served};
use crate::binding::ServiceTarget;
use crate::body::{HostBody, carried};
use crate::entrypoint::Entrypoint;
use crate::error::{EventError, StartError};
use crate::event::Outcome;
use crate::worker::Worker;

impl LaneLocal {
    /// Serves one request of another worker of this lane, or of the same: its
    /// URI is whole. The caller's isolate may be entered while the future is
    /// polled, so a task of its own enters the called one.
    ///
    /// Dropping the future abandons the request.
    pub async fn call(
        self: Rc<Self>,
        worker: Arc<Worker>,
        target: Arc<ServiceTarget>,
        request: Request<HostBody>,
    ) -> Result<Served<HostBody>, EventError> {
        let task = deno_core::unsync::spawn(async move {
            let isolate = self.isolate(&worker).await?;
            let answer = isolate.call(&target.entrypoint, request)?;
            let outcome = self.outcome(&worker, answer).await;
            Served::of(outcome, |body| carried(body, None))
        });
        let _abandon = AbortOnDrop(task.abort_handle());
        // It ends otherwise only with the lane.
        task.await.unwrap_or(Err(EventError::Hung))
    }

    /// The exports of a worker that have a `test` handler.
    pub async fn tests(
        self: &Rc<Self>,
        worker: &Arc<Worker>,
    ) -> Result<Vec<Entrypoint>, StartError> {
        let isolate = self.isolate(worker).await?;
        let tests = isolate.tests().into_iter();
        Ok(tests.map(|name| Entrypoint { name, props: None }).collect())
    }

    /// Runs the `test` handler of one export.
    pub async fn test(
        self: &Rc<Self>,
        worker: &Arc<Worker>,
        of: &Entrypoint,
    ) -> Result<(), EventError> {
        let isolate = self.isolate(worker).await?;
        let answer = isolate.test(of)?;
        match self.outcome(worker, answer).await {
            Outcome::Failed(error) => Err(error),
            _ => Ok(()),
        }
    }
}

pub(super) struct AbortOnDrop(pub(super) AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
