//! Requests to durable objects, on the lane that the host has them on.

use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::LocalBoxFuture;
use http::Request;
use tokio::sync::oneshot;

use super::bell;
use super::call::{AbortOnDrop, ended};
use super::{Command, LaneLocal, LaneRef, Served, lane_ended};
use crate::body::{HostBody, carried};
use crate::delivery::{Delivery, Report};
use crate::error::EventError;
use crate::isolate::Isolate;
use crate::object::{Object, ObjectTarget};
use crate::rpc::RpcEnd;
use crate::worker::Worker;

/// Between two looks at an object that is to end when it has nothing to do.
const BUSY: Duration = Duration::from_millis(1);

/// Why a class's objects end before their time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectsEnd {
    /// The class has another name, or another worker.
    Moved,
    /// There is no such class any more; the objects' sockets close.
    Deleted,
}

impl ObjectsEnd {
    fn reason(self) -> &'static str {
        match self {
            Self::Moved => "a migration renamed or transferred its class",
            Self::Deleted => "a migration deleted its class",
        }
    }
}

impl LaneRef {
    /// Whether it is the lane that this thread runs.
    pub fn is(&self, lane: &LaneLocal) -> bool {
        self.id == lane.handle.id
    }

    /// Sends a request to an object of this lane from another thread. Waits while
    /// the lane has too many commands; dropping the future abandons the request.
    pub async fn object(
        &self,
        worker: Arc<Worker>,
        target: Arc<ObjectTarget>,
        request: Request<HostBody>,
    ) -> Result<Served<HostBody>, EventError> {
        self.ask(move |lane| lane.object(worker, target, request).boxed_local())
            .await
    }

    /// Runs a session of calls with an object of this lane from another thread, until
    /// it ends.
    pub async fn object_rpc(
        &self,
        worker: Arc<Worker>,
        target: Arc<ObjectTarget>,
        called: RpcEnd,
    ) -> Result<(), EventError> {
        self.ask(move |lane| lane.object_rpc(worker, target, called).boxed_local())
            .await
    }

    /// Hands an object of this lane a delivery from another thread.
    pub async fn object_deliver(
        &self,
        worker: Arc<Worker>,
        target: Arc<ObjectTarget>,
        delivery: Delivery,
    ) -> Result<Report, EventError> {
        self.ask(move |lane| lane.object_deliver(worker, target, delivery).boxed_local())
            .await
    }

    /// Ends the objects of some namespaces that are in memory on this lane, whatever
    /// they do; what waits for them fails with the reason. They have given up their
    /// databases when it returns.
    pub async fn end_objects(
        &self,
        keys: Arc<[String]>,
        end: ObjectsEnd,
    ) -> Result<(), EventError> {
        self.ask(move |lane| {
            async move {
                lane.end_objects_of(&keys, end).await;
                Ok(())
            }
            .boxed_local()
        })
        .await
    }

    /// Ends an object of this lane as if it had been idle, once it serves no event, and
    /// says whether it was in memory. It has given up its database when this returns;
    /// dropping the future leaves it as it is.
    pub async fn evict_object(&self, target: Arc<ObjectTarget>) -> Result<bool, EventError> {
        self.ask(move |lane| lane.evict_object(target).map(Ok).boxed_local())
            .await
    }

    /// Lets the worker's isolate on this lane end, as [`LaneLocal::retire`] does. A lane
    /// that takes no commands does it when its objects next leave memory.
    pub fn retire(&self, worker: Arc<Worker>) {
        let retire: Command =
            Box::new(move |lane| async move { lane.retire(&worker) }.boxed_local());
        if let Some(commands) = self.commands.upgrade() {
            let _ = commands.try_send(retire);
        }
    }

    /// Runs `f` on the lane, which is given up when this future is.
    pub(crate) async fn ask<F, T>(&self, f: F) -> Result<T, EventError>
    where
        F: FnOnce(Rc<LaneLocal>) -> LocalBoxFuture<'static, Result<T, EventError>> + Send + 'static,
        T: Send + 'static,
    {
        let (mut sender, receiver) = oneshot::channel();
        let asking = bell::own();
        let command: Command = Box::new(move |lane| {
            async move {
                let done = tokio::select! {
                    done = f(lane) => done,
                    () = sender.closed() => return,
                };
                // Nobody may wait for it any more.
                let _ = sender.send(done);
                bell::ring_other(asking.as_ref());
            }
            .boxed_local()
        });
        let commands = self.commands.upgrade().ok_or_else(lane_ended)?;
        let sent = commands.send(command).await;
        self.bell.ring();
        // What waits does not keep the lane from ending.
        drop(commands);
        sent.map_err(|_gone| lane_ended())?;
        receiver.await.unwrap_or_else(|_gone| Err(lane_ended()))
    }
}

impl LaneLocal {
    /// Serves one request to an object of a worker of this lane. Its answer leaves
    /// once what the object wrote before is durable.
    ///
    /// Dropping the future abandons the request.
    pub async fn object(
        self: Rc<Self>,
        worker: Arc<Worker>,
        target: Arc<ObjectTarget>,
        request: Request<HostBody>,
    ) -> Result<Served<HostBody>, EventError> {
        let task = deno_core::unsync::spawn(self.serve_object(worker, target, request));
        let _abandon = AbortOnDrop(task.abort_handle());
        // It ends otherwise only with the lane.
        task.await.unwrap_or(Err(EventError::Hung))
    }

    async fn serve_object(
        self: Rc<Self>,
        worker: Arc<Worker>,
        target: Arc<ObjectTarget>,
        request: Request<HostBody>,
    ) -> Result<Served<HostBody>, EventError> {
        let (isolate, object) = self.enter(&worker, &target).await?;
        let answer = isolate.call_object(&object, request)?;
        let outcome = self.outcome(&worker, answer).await;
        object.durable().await?;
        Served::of(outcome, |body| carried(body, Some(object)))
    }

    /// Runs a session of calls with an object of a worker of this lane, until it ends.
    pub async fn object_rpc(
        self: Rc<Self>,
        worker: Arc<Worker>,
        target: Arc<ObjectTarget>,
        called: RpcEnd,
    ) -> Result<(), EventError> {
        let task = deno_core::unsync::spawn(async move {
            let (isolate, object) = self.enter(&worker, &target).await?;
            if called.is_ended() {
                return Ok(());
            }
            let answer = isolate.call_object_rpc(&object, called)?;
            ended(answer.await)
        });
        // It ends otherwise only with the lane.
        task.await.unwrap_or(Err(EventError::Hung))
    }

    /// Runs the handler of a delivery in an object of a worker of this lane; told once
    /// what it wrote is durable. An error is one that the handler has no part in.
    ///
    /// Dropping the future abandons the delivery.
    pub async fn object_deliver(
        self: Rc<Self>,
        worker: Arc<Worker>,
        target: Arc<ObjectTarget>,
        delivery: Delivery,
    ) -> Result<Report, EventError> {
        let task = deno_core::unsync::spawn(async move {
            let (isolate, object) = self.enter(&worker, &target).await?;
            let begun = isolate.deliver_to_object(&object, delivery);
            let report = self.report(&worker, begun).await?;
            object.durable().await?;
            Ok(report)
        });
        let _abandon = AbortOnDrop(task.abort_handle());
        // It ends otherwise only with the lane.
        task.await.unwrap_or(Err(EventError::Hung))
    }

    /// Waits until an event may begin in an object, and brings the object into memory.
    pub(super) async fn enter(
        self: &Rc<Self>,
        worker: &Arc<Worker>,
        target: &Arc<ObjectTarget>,
    ) -> Result<(Rc<Isolate>, Rc<Object>), EventError> {
        self.admit_guest(worker, target);
        let isolate = self.isolate(worker).await?;
        self.object_is_free(&isolate, target).await;
        if isolate.is_new_object(target)
            && let Some(ready) = isolate.object_is_ready(target)
        {
            ready.await.map_err(|error| EventError::ObjectReset {
                reason: error.to_string(),
            })?;
        }
        let object = isolate.object(target);
        object.admitted().await?;
        Ok((isolate, object))
    }

    async fn end_objects_of(&self, keys: &[String], end: ObjectsEnd) {
        if end == ObjectsEnd::Deleted {
            self.sockets.close(keys);
        }
        let mut isolates = self.live();
        isolates.extend(self.replaced.borrow().iter().filter_map(Weak::upgrade));
        for isolate in isolates {
            isolate.end_objects_of(keys, end.reason()).await;
        }
    }

    /// Ends an object as if it had been idle, once it serves no event; whether it was in
    /// memory.
    pub(crate) async fn evict_object(self: Rc<Self>, target: Arc<ObjectTarget>) -> bool {
        let mut was = false;
        loop {
            let mut isolates = self.live().into_iter();
            let found = isolates.find(|isolate| isolate.leaving_object(&target).is_some());
            let Some(isolate) = found else {
                return was;
            };
            was = true;
            if let Some(leaving) = isolate.evict_object(&target) {
                leaving.closed().await;
            } else {
                tokio::time::sleep(BUSY).await;
            }
        }
    }

    /// Cuts the sockets of an object.
    pub(crate) fn cut_sockets(&self, target: &ObjectTarget) {
        self.sockets.cut(target);
    }

    /// Evicts all objects of the lane, and ends their sockets where those `close`.
    pub(crate) async fn evict_objects(self: Rc<Self>, close: bool) {
        let isolates = self.live().into_iter();
        let targets: Vec<_> = isolates
            .flat_map(|isolate| isolate.object_targets())
            .collect();
        for target in targets {
            self.clone().evict_object(target.clone()).await;
            if close {
                self.cut_sockets(&target);
            }
        }
    }

    /// Ends all objects of the lane at once; who waits for them fails with the reason.
    pub(crate) fn abort_objects(&self, reason: &str) {
        for isolate in self.live() {
            isolate.abort_objects(reason);
        }
    }

    pub(super) fn release_objects(&self) {
        self.sockets.tidy();
        for isolate in self.live() {
            isolate.release_idle_objects();
        }
        self.replaced.borrow_mut().retain(|isolate| {
            let isolate = isolate.upgrade();
            if let Some(isolate) = &isolate {
                isolate.end_objects();
            }
            isolate.is_some()
        });
    }

    /// Waits until nobody else on the lane has the object's database open.
    pub(super) async fn object_is_free(&self, isolate: &Rc<Isolate>, target: &ObjectTarget) {
        while let Some(object) = self.elsewhere(isolate, target) {
            object.closed().await;
        }
        isolate.object_is_free(target).await;
    }

    /// The object as an isolate of the version before has it, which is replaced, or
    /// about to be: the node knows of a new version before its lanes do.
    fn elsewhere(&self, isolate: &Rc<Isolate>, target: &ObjectTarget) -> Option<Rc<Object>> {
        let replaced = self.replaced.borrow();
        let mut isolates = replaced.iter().filter_map(Weak::upgrade);
        let leaving = isolates.find_map(|isolate| isolate.leaving_object(target));
        if leaving.is_some() || !isolate.is_new_object(target) {
            return leaving;
        }
        let others = self.live().into_iter();
        let mut others = others.filter(|other| !Rc::ptr_eq(other, isolate));
        others.find_map(|other| other.leaving_object(target))
    }
}
