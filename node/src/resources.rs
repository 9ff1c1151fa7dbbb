//! What keeps data beside workers, and speaks each kind's protocol to them.

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
}

impl Resources {
    pub(crate) fn new(objects: Arc<NodeObjects>) -> Self {
        Self { objects }
    }

    /// What a request to the resource `target.service` of a kind comes to.
    pub(crate) fn answer(
        self: Arc<Self>,
        kind: ResourceKind,
        target: Arc<ServiceTarget>,
        request: Request<HostBody>,
    ) -> LocalBoxFuture<'static, Result<ServiceAnswer, ServiceError>> {
        let _ = request;
        let message = match self.objects.store() {
            Some(_) => format!("there is no {kind:?} {:?} here", target.service),
            None => "this node keeps no data".into(),
        };
        std::future::ready(Err(FetchError { message }.into())).boxed_local()
    }
}
