//! Where a worker's requests go: the host's network, or one of its services.

use std::rc::Rc;
use std::sync::Arc;

use deno_error::JsErrorBox;
use http::{Request, Response};

use super::Shared;
use crate::binding::{Binding, ServiceTarget};
use crate::body::{HostBody, empty_body};
use crate::error::{EventError, ScriptError};
use crate::host::{Host, ServiceAnswer, ServiceError, SocketAnswer};

/// The script's number for the way that `fetch()` goes.
const GLOBAL: i32 = -1;

/// One way out of an isolate.
#[derive(Clone)]
pub(crate) enum Route {
    Network(Rc<dyn Host>),
    Service(Rc<dyn Host>, Arc<ServiceTarget>),
}

impl Route {
    /// The way of `fetch()`, or of the binding with the number `service`.
    pub(crate) fn find(shared: &Shared, service: i32) -> Result<Self, JsErrorBox> {
        let host = shared.host.clone();
        let worker = shared.worker();
        if service == GLOBAL {
            let outbound = worker.and_then(|worker| worker.outbound.clone());
            return Ok(match outbound {
                Some(target) => Self::Service(host, target),
                None => Self::Network(host),
            });
        }
        let target = worker.and_then(|worker| {
            let index = usize::try_from(service).ok()?;
            match worker.bindings.get(index)? {
                (_, Binding::Service(target)) => Some(target.clone()),
                _ => None,
            }
        });
        let target = target.ok_or_else(|| JsErrorBox::range_error("no such service"))?;
        Ok(Self::Service(host, target))
    }

    pub(crate) async fn fetch(
        &self,
        request: Request<HostBody>,
    ) -> Result<Response<HostBody>, JsErrorBox> {
        match self {
            Self::Network(host) => host
                .fetch(request)
                .await
                .map_err(|error| JsErrorBox::generic(error.message)),
            Self::Service(host, target) => {
                match host.service(target, request).await.map_err(thrown)? {
                    ServiceAnswer::Response(response) => Ok(response),
                    ServiceAnswer::Socket(..) => Err(JsErrorBox::type_error(
                        "The service answered with a WebSocket that was not asked for.",
                    )),
                }
            }
        }
    }

    /// `request` has what the script said; of the handshake only what a worker
    /// is to see is added, for a service.
    pub(crate) async fn web_socket(
        &self,
        request: Request<()>,
    ) -> Result<SocketAnswer, JsErrorBox> {
        match self {
            Self::Network(host) => host
                .web_socket(request)
                .await
                .map_err(|error| JsErrorBox::generic(error.message)),
            Self::Service(host, target) => {
                let mut request = request.map(|()| empty_body());
                request.headers_mut().insert(
                    http::header::UPGRADE,
                    http::HeaderValue::from_static("websocket"),
                );
                let answer = host.service(target, request).await.map_err(thrown)?;
                Ok(answer.into())
            }
        }
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
                Some(("Error", text)) => JsErrorBox::generic(text.to_string()),
                _ => JsErrorBox::generic(message),
            }
        }
        ServiceError::Worker(error) => JsErrorBox::generic(error.to_string()),
        ServiceError::Fetch(error) => JsErrorBox::generic(error.message),
    }
}
