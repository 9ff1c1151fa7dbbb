//! What keeps data beside workers, and speaks each kind's protocol to them.

mod answer;
pub(crate) mod d1;
mod database;
pub(crate) mod kv;
pub(crate) mod r2;

use std::sync::Arc;

use futures::FutureExt;
use futures::future::LocalBoxFuture;
use http::Request;
use outboard_runtime::{
    FetchError, HostBody, ResourceKind, ServiceAnswer, ServiceError, ServiceTarget,
};

use crate::objects::NodeObjects;

/// The node's, for all its lanes.
pub(crate) struct Resources {
    /// Opens the store that they are kept in.
    objects: Arc<NodeObjects>,
    d1: Arc<d1::Databases>,
    kv: kv::Namespaces,
    r2: r2::Buckets,
}

impl Resources {
    pub(crate) fn new(objects: Arc<NodeObjects>) -> Self {
        Self {
            d1: Arc::new(d1::Databases::new(objects.clone())),
            kv: kv::Namespaces::new(objects.clone()),
            r2: r2::Buckets::new(objects.clone()),
            objects,
        }
    }

    /// What a request to the resource `target.service` of a kind comes to.
    pub(crate) fn answer(
        self: Arc<Self>,
        kind: ResourceKind,
        target: Arc<ServiceTarget>,
        request: Request<HostBody>,
    ) -> LocalBoxFuture<'static, Result<ServiceAnswer, ServiceError>> {
        let id = &target.service;
        let message = match (self.objects.store(), kind) {
            (None, _) => "this node keeps no data".into(),
            (Some(_), ResourceKind::D1) => {
                let answer = d1::answer(self.d1.clone(), id.clone(), request);
                return async move { Ok(ServiceAnswer::Response(answer.await)) }.boxed_local();
            }
            (Some(_), ResourceKind::Kv) => {
                let id = id.clone();
                return async move {
                    let answer = self.kv.answer(&id, request).await;
                    Ok(ServiceAnswer::Response(answer))
                }
                .boxed_local();
            }
            (Some(_), ResourceKind::R2) => {
                return async move {
                    let answer = self.r2.answer(&target.service, request).await;
                    Ok(ServiceAnswer::Response(answer))
                }
                .boxed_local();
            }
            (Some(_), _) => format!("there is no {kind:?} {id:?} here"),
        };
        std::future::ready(Err(FetchError { message }.into())).boxed_local()
    }

    /// Does what is to be done without anybody asking, until the future is dropped.
    pub(crate) async fn tend(self: Arc<Self>) {
        self.kv.sweep_often().await;
    }
}
