//! The node's objects as the host of one lane has them.

use std::rc::{Rc, Weak};
use std::sync::Arc;

use futures::FutureExt;
use futures::future::{BoxFuture, LocalBoxFuture};
use http::Request;
use outboard_runtime::{
    Delivery, FacetPresence, FetchError, HostBody, LaneLocal, ObjectHost, ObjectId, ObjectStorage,
    ObjectTarget, Report, RpcEnd, ServiceAnswer, ServiceError, ServiceTarget, StorageError, Worker,
};

use super::{NodeObjects, database_key, no_store};

/// The node's objects as one lane calls them.
pub(crate) struct LaneObjects {
    node: Arc<NodeObjects>,
    lane: Weak<LaneLocal>,
}

impl LaneObjects {
    pub(crate) fn new(node: Arc<NodeObjects>, lane: &Weak<LaneLocal>) -> Self {
        let lane = lane.clone();
        Self { node, lane }
    }
}

impl LaneObjects {
    /// The worker that a service is, as it is deployed now, and the caller's lane,
    /// which serves it.
    pub(crate) fn service(
        &self,
        target: &ServiceTarget,
    ) -> Result<(Arc<Worker>, Rc<LaneLocal>), ServiceError> {
        let lane = self.lane.upgrade();
        match (self.node.named(&target.service), lane) {
            (Some(worker), Some(lane)) => Ok((worker, lane)),
            _ => Err(no_worker(&target.service).into()),
        }
    }
}

impl ObjectHost for LaneObjects {
    fn call(
        &self,
        target: &Arc<ObjectTarget>,
        request: Request<HostBody>,
    ) -> LocalBoxFuture<'static, Result<ServiceAnswer, ServiceError>> {
        let (node, target) = (self.node.clone(), target.clone());
        node.call(self.lane.upgrade(), target, request)
            .boxed_local()
    }

    fn rpc(
        &self,
        target: &Arc<ObjectTarget>,
        called: RpcEnd,
    ) -> LocalBoxFuture<'static, Result<(), ServiceError>> {
        let (node, target) = (self.node.clone(), target.clone());
        node.rpc(self.lane.upgrade(), target, called).boxed_local()
    }

    fn deliver(
        &self,
        target: &Arc<ObjectTarget>,
        delivery: Delivery,
    ) -> LocalBoxFuture<'static, Result<Report, ServiceError>> {
        let (node, target) = (self.node.clone(), target.clone());
        node.deliver_to_object(self.lane.upgrade(), target, delivery)
            .boxed_local()
    }

    fn place(
        &self,
        target: &Arc<ObjectTarget>,
    ) -> LocalBoxFuture<'static, Option<(Arc<Worker>, Arc<ObjectTarget>)>> {
        let (node, target) = (self.node.clone(), target.clone());
        let lane = self.lane.upgrade();
        async move {
            let (worker, target) = node.place(&target).await.ok()?;
            // An object keeps its lane while it has sockets; a class that another worker
            // got, with lanes of another kind, leaves them behind.
            let home = node.home(worker, &target).ok()?;
            let is_here = home.lane.is(&*lane?);
            is_here.then(|| (home.worker.clone(), target))
        }
        .boxed_local()
    }

    fn left(&self, worker: &Worker, target: &ObjectTarget) -> bool {
        self.node.apart.left(worker, target)
    }

    fn ready(
        &self,
        target: &Arc<ObjectTarget>,
    ) -> Option<LocalBoxFuture<'static, Result<(), StorageError>>> {
        let node = &self.node;
        let key = database_key(&target.namespace, target.id);
        let is_restoring = node.store()?.is_restoring(key);
        if !is_restoring && !node.is_replaced(target) {
            return None;
        }
        let (node, target) = (node.clone(), target.clone());
        let ready = async move {
            node.let_go_of(&target).await;
            let is_restoring = node.store().is_some_and(|store| store.is_restoring(key));
            match is_restoring {
                true => node.restore(target).await,
                false => Ok(()),
            }
        };
        Some(ready.boxed_local())
    }

    fn open(&self, target: &ObjectTarget) -> Result<Box<dyn ObjectStorage>, StorageError> {
        self.node.open(target)
    }

    fn facet(
        &self,
        of: &Arc<ObjectTarget>,
        name: &str,
        presence: &Arc<FacetPresence>,
    ) -> LocalBoxFuture<'static, Result<ObjectId, StorageError>> {
        let begun = self.node.begin_facet(of, name, presence);
        async move {
            let (id, before) = begun?;
            if let Some(before) = before {
                before.gone().await;
            }
            Ok(id)
        }
        .boxed_local()
    }

    fn delete_facets(
        &self,
        of: &ObjectTarget,
        name: Option<&str>,
    ) -> Result<Option<BoxFuture<'static, Result<(), StorageError>>>, StorageError> {
        self.node.delete_facets(of, name)
    }

    fn worker_of(&self, service: &ServiceTarget) -> Result<Arc<Worker>, FetchError> {
        let worker = self.node.named(&service.service);
        worker.ok_or_else(|| no_worker(&service.service))
    }

    fn alarm_changed(
        &self,
        target: &ObjectTarget,
        time: Option<i64>,
        committed: bool,
    ) -> Result<(), StorageError> {
        let kept = self.node.kept.get().ok_or_else(no_store)?;
        kept.alarms.set(target, time, committed)
    }
}

fn no_worker(service: &str) -> FetchError {
    FetchError {
        message: format!("no worker is called {service:?}"),
    }
}
