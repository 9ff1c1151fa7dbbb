//! What workers of other lanes ask of this one's host: a worker that was loaded by
//! one of this lane has that one's services and objects.

use futures::FutureExt;
use http::Request;

use super::LaneRef;
use crate::body::HostBody;
use crate::capability::Capability;
use crate::delivery::{Delivery, Report};
use crate::host::{FetchError, ServiceAnswer, ServiceError};
use crate::rpc::RpcEnd;
use crate::trace::{TailTarget, Tailed};

impl LaneRef {
    /// Sends a request to what a worker of the lane may call.
    pub(crate) async fn call(
        &self,
        to: Capability,
        request: Request<HostBody>,
    ) -> Result<ServiceAnswer, ServiceError> {
        self.ask(move |lane| {
            async move {
                Ok(match &to {
                    Capability::Service(target) => lane.host.service(target, request).await,
                    Capability::Object(target) => lane.host.objects().call(target, request).await,
                    Capability::Class(_) | Capability::Restored(_) => Err(not_callable()),
                })
            }
            .boxed_local()
        })
        .await?
    }

    /// Runs a session of calls with it, until it ends.
    pub(crate) async fn rpc(&self, to: Capability, called: RpcEnd) -> Result<(), ServiceError> {
        self.ask(move |lane| {
            async move {
                Ok(match &to {
                    Capability::Service(target) => lane.host.rpc(target, called).await,
                    Capability::Object(target) => lane.host.objects().rpc(target, called).await,
                    Capability::Class(_) | Capability::Restored(_) => Err(not_callable()),
                })
            }
            .boxed_local()
        })
        .await?
    }

    /// Hands it a scheduled run or a batch of messages.
    pub(crate) async fn deliver(
        &self,
        to: Capability,
        delivery: Delivery,
    ) -> Result<Report, ServiceError> {
        self.ask(move |lane| {
            async move {
                Ok(match &to {
                    Capability::Service(target) => lane.host.deliver(target, delivery).await,
                    Capability::Object(target) => {
                        lane.host.objects().deliver(target, delivery).await
                    }
                    Capability::Class(_) | Capability::Restored(_) => Err(not_callable()),
                })
            }
            .boxed_local()
        })
        .await?
    }

    /// Calls a tail worker of the lane's, and waits until it is done.
    pub(crate) async fn tail_from(
        &self,
        target: TailTarget,
        tailed: Tailed,
    ) -> Result<(), ServiceError> {
        self.ask(move |lane| {
            async move { Ok(target.call(&*lane.host, tailed).await) }.boxed_local()
        })
        .await?
    }
}

fn not_callable() -> ServiceError {
    // What a `[restore]` method makes was taken apart before (`Route::rpc`).
    let message = "A class of Durable Objects is not called; facets are of it.".into();
    FetchError { message }.into()
}
