//! Events that no client sent: another worker's request, and tests.

use std::rc::Rc;
use std::sync::Arc;
use std::time::SystemTime;

use futures::FutureExt;
use http::Request;
use tokio::task::AbortHandle;

use super::{LaneLocal, LaneRef, Served};
use crate::binding::ServiceTarget;
use crate::body::{HostBody, carried};
use crate::delivery::{Delivery, DeliveryOutcome, Report, ScheduledRun};
use crate::entrypoint::{Entrypoint, Handler};
use crate::error::{EventError, StartError};
use crate::event::{Event, Outcome};
use crate::isolate::Answer;
use crate::rpc::RpcEnd;
use crate::trace::Tailed;
use crate::worker::Worker;

impl LaneRef {
    /// Hands a worker a delivery on this lane, from another thread. Waits while the lane
    /// has too many commands; dropping the future abandons the delivery.
    pub async fn deliver_to(
        &self,
        worker: Arc<Worker>,
        target: Arc<ServiceTarget>,
        delivery: Delivery,
    ) -> Result<Report, EventError> {
        self.ask(move |lane| lane.deliver(worker, target, delivery).boxed_local())
            .await
    }

    /// Calls a tail worker on this lane, from another thread. Waits while the lane has
    /// too many commands; dropping the future abandons the call.
    pub async fn tail(
        &self,
        worker: Arc<Worker>,
        target: Arc<ServiceTarget>,
        tailed: Tailed,
    ) -> Result<(), EventError> {
        self.ask(move |lane| lane.tail(worker, target, tailed).boxed_local())
            .await
    }
}

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

    /// Runs the worker's `scheduled` handler once.
    pub async fn scheduled(
        self: &Rc<Self>,
        worker: &Arc<Worker>,
        cron: &str,
        time: SystemTime,
    ) -> Result<(), EventError> {
        let since_epoch = time.duration_since(SystemTime::UNIX_EPOCH);
        let run = Delivery::Scheduled(ScheduledRun {
            cron: cron.to_string(),
            scheduled_time: since_epoch.unwrap_or_default().as_millis() as f64,
        });
        let isolate = self.isolate(worker).await?;
        let (answer, _event) = isolate.deliver(Entrypoint::DEFAULT, run)?;
        ended(self.outcome(worker, answer).await)
    }

    /// Runs the handler of a delivery, as [`LaneLocal::call`] does one of a request.
    /// An error is one that the handler has no part in.
    ///
    /// Dropping the future abandons the delivery.
    pub async fn deliver(
        self: Rc<Self>,
        worker: Arc<Worker>,
        target: Arc<ServiceTarget>,
        delivery: Delivery,
    ) -> Result<Report, EventError> {
        let task = deno_core::unsync::spawn(async move {
            let isolate = self.isolate(&worker).await?;
            let begun = isolate.deliver(&target.entrypoint, delivery);
            self.report(&worker, begun).await
        });
        let _abandon = AbortOnDrop(task.abort_handle());
        // It ends otherwise only with the lane.
        task.await.unwrap_or(Err(EventError::Hung))
    }

    /// What becomes of a delivery that has begun, or has not.
    pub(super) async fn report(
        &self,
        worker: &Arc<Worker>,
        begun: Result<(Answer, Rc<Event>), EventError>,
    ) -> Result<Report, EventError> {
        let (outcome, said) = match begun {
            Ok((answer, event)) => {
                let outcome = self.outcome(worker, answer).await;
                (outcome, event.said.take())
            }
            Err(error) => (Outcome::Failed(error), None),
        };
        let outcome = match outcome {
            Outcome::Failed(error) => DeliveryOutcome::of(&error).ok_or(error)?,
            _ => DeliveryOutcome::Ok,
        };
        let said = said.map(|said| *said).unwrap_or_default();
        Ok(Report { outcome, said })
    }

    /// Calls a tail worker. As for [`Self::call`], a task of its own enters it.
    ///
    /// Dropping the future abandons the call.
    pub async fn tail(
        self: Rc<Self>,
        worker: Arc<Worker>,
        target: Arc<ServiceTarget>,
        tailed: Tailed,
    ) -> Result<(), EventError> {
        let task = deno_core::unsync::spawn(async move {
            let isolate = self.isolate(&worker).await?;
            // What is told during an event lasts as long as that.
            let lasts = tailed.handler() == Handler::TailStream;
            let answer = isolate.tail(&target.entrypoint, tailed)?;
            ended(if lasts {
                answer.await
            } else {
                self.outcome(&worker, answer).await
            })
        });
        let _abandon = AbortOnDrop(task.abort_handle());
        // It ends otherwise only with the lane.
        task.await.unwrap_or(Err(EventError::Hung))
    }

    /// Runs a session of calls of another worker of this lane, or of the same, until
    /// it ends. As for [`Self::call`], a task of its own enters the called isolate.
    pub async fn rpc(
        self: Rc<Self>,
        worker: Arc<Worker>,
        target: Arc<ServiceTarget>,
        called: RpcEnd,
    ) -> Result<(), EventError> {
        let task = deno_core::unsync::spawn(async move {
            let isolate = self.isolate(&worker).await?;
            if called.is_ended() {
                return Ok(());
            }
            let answer = isolate.call_rpc(&target.entrypoint, called)?;
            ended(answer.await)
        });
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
        Ok(tests
            .map(|name| Entrypoint {
                name,
                ..Entrypoint::default()
            })
            .collect())
    }

    /// Runs the `test` handler of one export.
    pub async fn test(
        self: &Rc<Self>,
        worker: &Arc<Worker>,
        of: &Entrypoint,
    ) -> Result<(), EventError> {
        let isolate = self.isolate(worker).await?;
        let answer = isolate.test(of)?;
        ended(self.outcome(worker, answer).await)
    }
}

/// How an event ended that gives no answer.
pub(super) fn ended(outcome: Outcome) -> Result<(), EventError> {
    match outcome {
        Outcome::Failed(error) => Err(error),
        _ => Ok(()),
    }
}

pub(super) struct AbortOnDrop(pub(super) AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
