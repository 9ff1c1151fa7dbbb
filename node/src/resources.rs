//! What keeps data beside workers, and speaks each kind's protocol to them.

mod answer;
mod crons;
pub(crate) mod d1;
mod database;
pub(crate) mod kv;
mod open;
mod queues;
pub(crate) mod r2;
mod steady;

use std::sync::Arc;

use futures::FutureExt;
use futures::future::LocalBoxFuture;
use http::Request;
use outboard_runtime::{
    FetchError, HostBody, Props, ResourceKind, ServiceAnswer, ServiceError, ServiceTarget,
};

use tokio_util::sync::CancellationToken;

use self::database::DatabaseError;
use self::r2::R2Error;
use crate::objects::NodeObjects;

/// What the databases of kinds are called by, before their names.
pub(crate) const KINDS: &[&str] = &[d1::KIND, kv::KIND, queues::KIND, r2::KIND];

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

    /// Makes these the buckets that are on S3 and not here.
    pub(crate) fn set_buckets_on_s3(&self, places: &[(String, r2::Place)]) {
        self.r2.set_on_s3(places);
    }

    /// What a request to the resource `target.service` of a kind comes to.
    pub(crate) fn answer(
        self: Arc<Self>,
        kind: ResourceKind,
        target: Arc<ServiceTarget>,
        request: Request<HostBody>,
    ) -> LocalBoxFuture<'static, Result<ServiceAnswer, ServiceError>> {
        if self.objects.store().is_none() {
            let message = "this node keeps no data".into();
            return std::future::ready(Err(FetchError { message }.into())).boxed_local();
        }
        async move {
            let id = &target.service;
            let answer = match kind {
                ResourceKind::Kv => self.kv.answer(id, request).await,
                ResourceKind::R2 => self.r2.answer(id, request).await,
                ResourceKind::D1 => d1::answer(self.d1.clone(), id.clone(), request).await,
                ResourceKind::Queue => self.queues.answer(id, delay(&target), request).await,
            };
            Ok(ServiceAnswer::Response(answer))
        }
        .boxed_local()
    }

    /// The namespace of KV that workers have by this id.
    pub(crate) async fn namespace(&self, id: &str) -> Result<kv::Namespace, DatabaseError> {
        self.kv.open(id).await
    }

    /// The bucket of this name that is in the node's folder.
    pub(crate) async fn bucket_here(&self, name: &str) -> Result<Arc<r2::Bucket>, R2Error> {
        self.r2.here(name).await
    }

    /// Runs a person's script on a D1 database.
    pub(crate) async fn run_script(
        &self,
        id: &str,
        script: d1::Script,
        format: d1::Format,
    ) -> Result<Vec<u8>, d1::D1Error> {
        self.d1.run_script(id, script, format).await
    }

    /// Does something while nobody has a D1 database open.
    pub(crate) async fn while_d1_is_closed<T: Send + 'static>(
        &self,
        id: &str,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, d1::D1Error> {
        self.d1.while_closed(id, work).await
    }

    /// Does what is to be done without anybody asking, until the future is dropped.
    pub(crate) async fn tend(self: Arc<Self>) {
        let crons = crons::run(self.objects.clone(), self.stop.clone());
        let queues = self.queues.clone().deliver();
        futures::join!(self.kv.sweep_often(), self.r2.expire_often(), queues, crons);
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
