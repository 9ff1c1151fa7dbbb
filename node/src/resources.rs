//! What keeps data beside workers, and speaks each kind's protocol to them.

mod answer;
mod crons;
pub(crate) mod d1;
mod database;
pub(crate) mod kv;
pub(crate) mod r2;
mod open;
mod queues;

use std::sync::Arc;

use futures::FutureExt;
use futures::future::LocalBoxFuture;
use http::Request;
use outboard_runtime::{
    FetchError, HostBody, Props, ResourceKind, ServiceAnswer, ServiceError, ServiceTarget,
};

use tokio_util::sync::CancellationToken;

use crate::objects::NodeObjects;

/// The node's, for all its lanes.
pub(crate) struct Resources {
    /// Opens the store that they are kept in.
    objects: Arc<NodeObjects>,
    d1: Arc<d1::Databases>,
    kv: kv::Namespaces,
    r2: r2::Buckets,
    queues: Arc<queues::Queues>,
    /// Nothing more is to begin by itself.
    stop: CancellationToken,
}

impl Resources {
    pub(crate) fn new(objects: Arc<NodeObjects>) -> Self {
        Self {
            d1: Arc::new(d1::Databases::new(objects.clone())),
            kv: kv::Namespaces::new(objects.clone()),
            r2: r2::Buckets::new(objects.clone()),
            queues: Arc::new(queues::Queues::new(objects.clone())),
            stop: CancellationToken::new(),
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
            (Some(_), ResourceKind::Queue) => {
                return async move {
                    let delay = delay(&target);
                    let answer = self.queues.answer(&target.service, delay, request).await;
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
        let crons = crons::run(self.objects.clone(), self.stop.clone());
        let queues = self.queues.clone().deliver();
        futures::join!(self.kv.sweep_often(), queues, crons);
    }

    /// Begins nothing more; what was begun may end while it is tended to.
    pub(crate) fn stop(&self) {
        self.stop.cancel();
        self.queues.stop();
    }
}

/// Of a queue's binding: the seconds that messages wait which do not say.
pub(crate) fn delayed(seconds: Option<u32>) -> Option<Props> {
    let props = |seconds| serde_json::json!({ "deliveryDelay": seconds });
    seconds.map(|seconds| Props::Json(props(seconds).to_string()))
}

fn delay(target: &ServiceTarget) -> u32 {
    let Some(Props::Json(props)) = &target.entrypoint.props else {
        return 0;
    };
    let props = serde_json::from_str::<serde_json::Value>(props).ok();
    let delay = props.and_then(|props| props["deliveryDelay"].as_u64());
    delay
        .and_then(|delay| u32::try_from(delay).ok())
        .unwrap_or(0)
}
