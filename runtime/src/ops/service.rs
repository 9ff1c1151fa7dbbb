//! Where a worker's requests go: the host's network, or one of its services.

use std::rc::Rc;
use std::sync::Arc;

use deno_error::JsErrorBox;
use http::{Request, Response};

use super::Shared;
use crate::binding::{Binding, ResourceKind, ServiceTarget};
use crate::body::{HostBody, empty_body};
use crate::delivery::{Delivery, Report};
use crate::entrypoint::Entrypoint;
use crate::error::{EventError, ScriptError};
use crate::event::EventId;
use crate::host::{FetchError, Host, ServiceAnswer, ServiceError, SocketAnswer};
use crate::object::{Object, ObjectId, ObjectTarget};
use crate::rpc::RpcEnd;

/// Of an object's id, as it is written.
const ID_DIGITS: usize = 64;

/// The script's number for the way that `fetch()` goes.
const GLOBAL: i32 = -1;

/// The script's number for the worker itself.
const SELF: i32 = -2;

/// One way out of an isolate.
pub(crate) struct Route {
    host: Rc<dyn Host>,
    to: Destination,
    /// The object that sends: what it wrote before is durable first.
    from: Option<Rc<Object>>,
}

enum Destination {
    Network,
    Service(Arc<ServiceTarget>),
    Resource(ResourceKind, Arc<ServiceTarget>),
    Object(Arc<ObjectTarget>),
}

impl Route {
    /// The way of `fetch()`, or of the binding with the number `service`; of an
    /// object's namespace `object` is the id, and behind it the name if there is one;
    /// of the worker itself the export and its props, as JSON.
    pub(crate) fn find(
        shared: &Shared,
        event: EventId,
        service: i32,
        object: Option<&str>,
    ) -> Result<Self, JsErrorBox> {
        let worker = shared.worker();
        let from = shared
            .events
            .get(event)
            .and_then(|event| event.object.clone());
        let to = if service == GLOBAL {
            match worker.and_then(|worker| worker.outbound.clone()) {
                Some(target) => Destination::Service(target),
                None => Destination::Network,
            }
        } else if service == SELF {
            let missing = || JsErrorBox::range_error("no such export");
            let worker = worker.ok_or_else(missing)?;
            let export = object.and_then(|export| serde_json::from_str(export).ok());
            let (name, props) = export.ok_or_else(missing)?;
            Destination::Service(Arc::new(ServiceTarget {
                service: worker.name.clone(),
                entrypoint: Entrypoint { name, props },
            }))
        } else {
            let missing = || JsErrorBox::range_error("no such service");
            let worker = worker.ok_or_else(missing)?;
            let index = usize::try_from(service).map_err(|_| missing())?;
            match worker.bindings.get(index) {
                Some((_, Binding::Service(target))) => Destination::Service(target.clone()),
                Some((_, Binding::Resource(kind, target))) => {
                    Destination::Resource(*kind, target.clone())
                }
                Some((_, Binding::Objects(namespace))) => {
                    let (id, name) = object
                        .and_then(|object| object.split_at_checked(ID_DIGITS))
                        .ok_or_else(missing)?;
                    let id = ObjectId::parse(&namespace.key, id)
                        .map_err(|error| JsErrorBox::type_error(error.to_string()))?;
                    // A name comes behind a mark: it may be empty.
                    let name = name.strip_prefix(':').map(str::to_string);
                    Destination::Object(Arc::new(ObjectTarget {
                        namespace: namespace.clone(),
                        id,
                        name,
                    }))
                }
                _ => return Err(missing()),
            }
        };
        let host = shared.host.clone();
        Ok(Self { host, to, from })
    }

    /// Whether it leads to other people's servers, and not to a worker.
    pub(crate) fn is_network(&self) -> bool {
        matches!(self.to, Destination::Network)
    }

    /// Waits for the sender's output gate.
    async fn open(&self) -> Result<(), JsErrorBox> {
        match &self.from {
            Some(object) => object
                .durable()
                .await
                .map_err(|error| JsErrorBox::generic(error.to_string())),
            None => Ok(()),
        }
    }

    async fn call(&self, request: Request<HostBody>) -> Result<ServiceAnswer, ServiceError> {
        match &self.to {
            Destination::Network => Ok(ServiceAnswer::Response(self.host.fetch(request).await?)),
            Destination::Service(target) => self.host.service(target, request).await,
            Destination::Resource(kind, target) => self.host.resource(*kind, target, request).await,
            Destination::Object(target) => self.host.objects().call(target, request).await,
        }
    }

    pub(crate) async fn deliver(&self, delivery: Delivery) -> Result<Report, JsErrorBox> {
        self.open().await?;
        let Destination::Service(target) = &self.to else {
            return Err(JsErrorBox::type_error("It takes requests alone."));
        };
        let report = self.host.deliver(target, delivery).await;
        report.map_err(thrown)
    }

    /// Runs a session of calls, until it ends.
    pub(crate) async fn rpc(&self, called: RpcEnd) -> Result<(), JsErrorBox> {
        self.open().await?;
        let ended = match &self.to {
            Destination::Network => Err(FetchError {
                message: "What it leads to takes no RPC.".into(),
            }
            .into()),
            Destination::Resource(kind, target) => {
                self.host.resource_rpc(*kind, target, called).await
            }
            Destination::Service(target) => self.host.rpc(target, called).await,
            Destination::Object(target) => self.host.objects().rpc(target, called).await,
        };
        ended.map_err(thrown)
    }

    pub(crate) async fn fetch(
        &self,
        request: Request<HostBody>,
    ) -> Result<Response<HostBody>, JsErrorBox> {
        self.open().await?;
        match self.call(request).await.map_err(thrown)? {
            ServiceAnswer::Response(response) => Ok(response),
            ServiceAnswer::Socket(..) => Err(JsErrorBox::type_error(
                "The service answered with a WebSocket that was not asked for.",
            )),
        }
    }

    /// `request` has what the script said; of the handshake only what a worker
    /// is to see is added, for a service.
    pub(crate) async fn web_socket(
        &self,
        request: Request<()>,
    ) -> Result<SocketAnswer, JsErrorBox> {
        self.open().await?;
        if self.is_network() {
            let answer = self.host.web_socket(request).await;
            return answer.map_err(|error| JsErrorBox::generic(error.message));
        }
        let mut request = request.map(|()| empty_body());
        request.headers_mut().insert(
            http::header::UPGRADE,
            http::HeaderValue::from_static("websocket"),
        );
        Ok(self.call(request).await.map_err(thrown)?.into())
    }
}

impl From<ServiceAnswer> for SocketAnswer {
    fn from(answer: ServiceAnswer) -> Self {
        match answer {
            ServiceAnswer::Response(response) => Self::Refused(response),
            ServiceAnswer::Socket(headers, end) => Self::Open(headers, end),
        }
    }
}

/// What the caller's script catches: what the other worker threw, by name and
/// message; the stack stays where it belongs.
fn thrown(error: ServiceError) -> JsErrorBox {
    match error {
        ServiceError::Worker(EventError::Exception(ScriptError { message, .. })) => {
            let line = message.as_str();
            match line.split_once(": ") {
                Some((
                    name @ ("TypeError" | "RangeError" | "SyntaxError" | "ReferenceError"),
                    text,
                )) => JsErrorBox::new(name.to_string(), text.to_string()),
                Some((name @ ("AbortError" | "TimeoutError" | "DataCloneError"), text)) => {
                    JsErrorBox::new(format!("DOMException{name}"), text.to_string())
                }
                Some(("Error", text)) => JsErrorBox::generic(text.to_string()),
                _ => JsErrorBox::generic(message),
            }
        }
        ServiceError::Worker(error) => JsErrorBox::generic(error.to_string()),
        ServiceError::Fetch(error) => JsErrorBox::generic(error.message),
    }
}
