//! Where a worker's requests go: the host's network, or one of its services.

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

use deno_error::{AdditionalProperties, JsErrorBox, JsErrorClass, PropertyValue};
use futures::FutureExt;
use http::{Request, Response};

use super::Shared;
use super::connect::Opening;
use crate::binding::{Binding, ResourceKind, ServiceTarget};
use crate::body::{HostBody, empty_body};
use crate::capability::{Capability, Class, Grant, Grants};
use crate::delivery::{Delivery, Report};
use crate::dynamic::{DENIED, Dynamic, Outbound};
use crate::entrypoint::Entrypoint;
use crate::error::{EventError, ScriptError};
use crate::event::EventId;
use crate::host::{
    ConnectTarget, FetchError, Host, ServiceAnswer, ServiceError, SocketAnswer, Transport,
};
use crate::lane::{LaneLocal, LaneRef};
use crate::object::{FacetStub, Object, ObjectId, ObjectTarget};
use crate::pipe::pipe;
use crate::rpc::RpcEnd;
use crate::worker::Worker;

/// Of an object's id, as it is written.
const ID_DIGITS: usize = 64;

/// How many workers may call one another, as Workers document it.
const DEEPEST: u32 = 32;

/// Of a request to a worker: how many called one another before.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Depth(pub(crate) u32);

/// Of a request to a worker: its URL, where it is not as a `Uri` writes it.
#[derive(Debug, Clone)]
pub(crate) struct SaidUrl(pub(crate) String);

/// Of a request to a worker: `cf` as its caller gave it, in JSON.
#[derive(Debug, Clone)]
pub(crate) struct Cf(pub(crate) Arc<str>);

/// The script's number for the way that `fetch()` goes.
const GLOBAL: i32 = -1;

/// The script's number for the worker itself, and for a class of its own.
const SELF: i32 = -2;
const SELF_CLASS: i32 = -3;

/// One way out of an isolate.
pub(crate) struct Route {
    host: Rc<dyn Host>,
    to: Destination,
    /// The lane from which services and objects are called; None: this one.
    home: Option<LaneRef>,
    /// The object that sends: what it wrote before is durable first.
    from: Option<Rc<Object>>,
    /// How deep who is called will be.
    depth: u32,
}

enum Destination {
    Network,
    /// A network that the worker has not.
    Denied,
    Capability(Capability),
    Resource(ResourceKind, Arc<ServiceTarget>),
    Dynamic(Rc<Dynamic>, Entrypoint),
    Facet(Rc<FacetStub>),
    /// Nothing goes there: it is for facets to be of.
    Class(Class),
    /// A loaded worker itself, which no service is: on its lane.
    Itself(Rc<LaneLocal>, Arc<Worker>, Arc<ServiceTarget>),
}

impl Route {
    /// The way of `fetch()`, or of the binding with the number `service`; of an
    /// object's namespace `object` is the id, and behind it the name if there is one;
    /// of the worker itself the export. Of what the script was granted the number says all.
    pub(crate) fn find(
        shared: &Shared,
        event: EventId,
        service: i32,
        object: Option<&str>,
    ) -> Result<Self, JsErrorBox> {
        let worker = shared.worker();
        let event = shared.events.get(event);
        let depth = event.as_ref().map_or(0, |event| event.depth_of_calls()) + 1;
        let from = event.and_then(|event| event.object.clone());
        let host = shared.host.clone();
        let home = worker.as_ref().and_then(|worker| worker.loaded.as_ref());
        let home = home.map(|loaded| loaded.home.clone());
        let to = if service == GLOBAL {
            worker.map_or(Destination::Network, |worker| outbound(&worker))
        } else if Grants::is_one(service) {
            let gone = || JsErrorBox::range_error("no such grant");
            match shared.grants.get(service).ok_or_else(gone)? {
                Grant::Capability(capability) => Destination::Capability(capability),
                Grant::Entrypoint(dynamic, entrypoint) => Destination::Dynamic(dynamic, entrypoint),
                Grant::Own(entrypoint) => {
                    let (worker, lane) = (worker, shared.sockets.lane());
                    let worker = worker.ok_or_else(gone)?;
                    let target = ServiceTarget {
                        service: worker.name.clone(),
                        entrypoint,
                    };
                    let lane = lane.ok_or_else(gone)?;
                    Destination::Itself(lane, worker, Arc::new(target))
                }
                Grant::Class(class) => Destination::Class(class),
                Grant::Facet(stub) => Destination::Facet(stub),
                Grant::Dynamic(_) | Grant::Way(_) => return Err(gone()),
            }
        } else if service == SELF_CLASS {
            let missing = || JsErrorBox::range_error("no such export");
            let worker = worker.ok_or_else(missing)?;
            let entrypoint = Entrypoint {
                name: object.map(str::to_string),
                ..Entrypoint::default()
            };
            Destination::Class(match worker.loaded {
                Some(_) => Class::Own(entrypoint),
                None => Class::Service(Arc::new(ServiceTarget {
                    service: worker.name.clone(),
                    entrypoint,
                })),
            })
        } else if service == SELF {
            let missing = || JsErrorBox::range_error("no such export");
            let worker = worker.ok_or_else(missing)?;
            let target = Arc::new(ServiceTarget {
                service: worker.name.clone(),
                entrypoint: Entrypoint {
                    name: object.map(str::to_string),
                    ..Entrypoint::default()
                },
            });
            if worker.loaded.is_some() {
                let lane = shared.sockets.lane().ok_or_else(missing)?;
                Destination::Itself(lane, worker, target)
            } else {
                Destination::Capability(Capability::Service(target))
            }
        } else {
            let missing = || JsErrorBox::range_error("no such service");
            let worker = worker.ok_or_else(missing)?;
            let index = usize::try_from(service).map_err(|_| missing())?;
            match worker.bindings.get(index) {
                Some((_, Binding::Service(target))) => {
                    Destination::Capability(Capability::Service(target.clone()))
                }
                Some((_, Binding::Class(target))) => {
                    Destination::Class(Class::Service(target.clone()))
                }
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
                    Destination::Capability(Capability::Object(Arc::new(ObjectTarget {
                        namespace: namespace.clone(),
                        id,
                        name,
                    })))
                }
                _ => return Err(missing()),
            }
        };
        Ok(Self {
            host,
            to,
            home,
            from,
            depth,
        })
    }

    /// Whether it leads back to the worker itself, and so into the same isolate.
    pub(crate) fn is_within(&self, shared: &Shared) -> bool {
        match &self.to {
            Destination::Itself(..) => true,
            Destination::Capability(Capability::Service(target)) if self.home.is_none() => {
                let worker = shared.worker();
                worker.is_some_and(|worker| worker.name == target.service)
            }
            _ => false,
        }
    }

    /// Where it goes, for others to go there too.
    pub(crate) fn into_capability(self) -> Result<Capability, JsErrorBox> {
        match self.to {
            Destination::Capability(capability) => Ok(capability),
            Destination::Class(Class::Service(target)) => Ok(Capability::Class(target)),
            Destination::Facet(_) => Err(JsErrorBox::new(
                "DOMExceptionDataCloneError",
                "Stubs pointing to Durable Object facets are not serializable.",
            )),
            Destination::Dynamic(..) | Destination::Class(_) => Err(JsErrorBox::new(
                "DOMExceptionDataCloneError",
                "Entrypoints to dynamically-loaded workers cannot be transferred to other \
                 Workers, because the system does not know how to reload this Worker from \
                 scratch. Instead, have the parent Worker expose an entrypoint which constructs \
                 the dynamic worker and forwards to it.",
            )),
            _ => Err(JsErrorBox::new(
                "DOMExceptionDataCloneError",
                "This Fetcher cannot be transferred to other Workers.",
            )),
        }
    }

    /// The class that it stands for, of one that is for facets.
    pub(crate) fn into_class(self) -> Option<Class> {
        match self.to {
            Destination::Class(class) => Some(class),
            Destination::Capability(Capability::Class(target)) => Some(Class::Service(target)),
            _ => None,
        }
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

    /// Refuses to go deeper than workers may.
    fn check_depth(&self) -> Result<(), JsErrorBox> {
        if self.depth < DEEPEST
            || matches!(self.to, Destination::Network | Destination::Resource(..))
        {
            return Ok(());
        }
        Err(JsErrorBox::generic(
            "Subrequest depth limit exceeded. This request recursed through Workers too many \
             times. This can happen e.g. if you have a Worker or Durable Object that calls \
             other Workers or objects recursively.",
        ))
    }

    async fn call(&self, mut request: Request<HostBody>) -> Result<ServiceAnswer, JsErrorBox> {
        self.check_depth()?;
        request.extensions_mut().insert(Depth(self.depth));
        let answer = match (&self.to, &self.home) {
            (Destination::Network, _) => {
                let answer = self.host.fetch(request).await;
                answer.map(ServiceAnswer::Response).map_err(Into::into)
            }
            (Destination::Denied, _) => return Err(JsErrorBox::generic(DENIED)),
            (Destination::Capability(to), Some(home)) => home.call(to.clone(), request).await,
            (Destination::Capability(Capability::Service(target)), None) => {
                self.host.service(target, request).await
            }
            (Destination::Capability(Capability::Object(target)), None) => {
                self.host.objects().call(target, request).await
            }
            (Destination::Resource(kind, target), _) => {
                self.host.resource(*kind, target, request).await
            }
            (Destination::Dynamic(dynamic, entrypoint), _) => {
                return dynamic.fetch(entrypoint, request).await;
            }
            (Destination::Facet(stub), _) => return stub.facet()?.fetch(request).await,
            (Destination::Capability(Capability::Restored(_)), None) => {
                return Err(calls_alone());
            }
            (Destination::Class(_) | Destination::Capability(Capability::Class(_)), None) => {
                return Err(not_callable());
            }
            (Destination::Class(_), Some(_)) => return Err(not_callable()),
            (Destination::Itself(lane, worker, target), _) => {
                let served = lane.clone().call(worker.clone(), target.clone(), request);
                served.await.map(Into::into).map_err(Into::into)
            }
        };
        answer.map_err(thrown)
    }

    pub(crate) async fn deliver(&self, delivery: Delivery) -> Result<Report, JsErrorBox> {
        self.check_depth()?;
        self.open().await?;
        let report = match (&self.to, &self.home) {
            (Destination::Capability(to), Some(home)) => home.deliver(to.clone(), delivery).await,
            (Destination::Capability(Capability::Service(target)), None) => {
                self.host.deliver(target, delivery).await
            }
            (Destination::Capability(Capability::Object(target)), None) => {
                self.host.objects().deliver(target, delivery).await
            }
            (Destination::Dynamic(dynamic, entrypoint), _) => {
                return dynamic.deliver(entrypoint, delivery).await;
            }
            (Destination::Itself(lane, worker, target), _) => {
                let report = lane
                    .clone()
                    .deliver(worker.clone(), target.clone(), delivery);
                report.await.map_err(Into::into)
            }
            _ => return Err(JsErrorBox::type_error("It takes requests alone.")),
        };
        report.map_err(thrown)
    }

    /// Runs a session of calls, until it ends.
    pub(crate) async fn rpc(&self, mut called: RpcEnd) -> Result<(), JsErrorBox> {
        self.check_depth()?;
        called.depth = self.depth;
        self.open().await?;
        let first;
        let to = match &self.to {
            Destination::Capability(Capability::Restored(restored)) => {
                if !called.is_for_calls() {
                    return Err(calls_alone());
                }
                let (by, way) = restored.way();
                called.way = Some(Box::new(way));
                first = Destination::Capability(by);
                &first
            }
            to => to,
        };
        let ended = match (to, &self.home) {
            (Destination::Network | Destination::Denied, _) => Err(FetchError {
                message: "What it leads to takes no RPC.".into(),
            }
            .into()),
            (Destination::Resource(kind, target), _) => {
                self.host.resource_rpc(*kind, target, called).await
            }
            (Destination::Capability(to), Some(home)) => home.rpc(to.clone(), called).await,
            (Destination::Capability(Capability::Service(target)), None) => {
                self.host.rpc(target, called).await
            }
            (Destination::Capability(Capability::Object(target)), None) => {
                self.host.objects().rpc(target, called).await
            }
            (Destination::Dynamic(dynamic, entrypoint), _) => {
                return dynamic.rpc(entrypoint, called).await;
            }
            (Destination::Facet(stub), _) => return stub.facet()?.rpc(called).await,
            // Who makes it is none of them.
            (Destination::Capability(Capability::Restored(_)), None) => {
                return Err(calls_alone());
            }
            (Destination::Class(_) | Destination::Capability(Capability::Class(_)), None) => {
                return Err(not_callable());
            }
            (Destination::Class(_), Some(_)) => return Err(not_callable()),
            (Destination::Itself(lane, worker, target), _) => {
                let ended = lane.clone().rpc(worker.clone(), target.clone(), called);
                ended.await.map_err(Into::into)
            }
        };
        ended.map_err(thrown)
    }

    /// Opens a connection to a port by this way: of the network, or to the `connect`
    /// handler of a worker, which is told `authority`.
    pub(crate) fn connect(
        self,
        authority: String,
        target: ConnectTarget,
    ) -> Result<Opening, JsErrorBox> {
        let by_service = match &self.to {
            Destination::Denied => return Err(JsErrorBox::generic(DENIED)),
            Destination::Network => Some(self.host.connect(target.clone())),
            Destination::Capability(Capability::Service(service)) => {
                self.host.connect_by(service, target.clone())
            }
            _ => None,
        };
        if by_service.is_none() && target.transport == Transport::Tls {
            return Err(JsErrorBox::generic(
                "Incoming CONNECT with TLS not supported",
            ));
        }
        let fault = |error: JsErrorBox| FetchError {
            message: error.get_message().to_string(),
        };
        Ok(async move {
            if let Some(opening) = by_service {
                self.open().await.map_err(fault)?;
                return opening.await;
            }
            let (near, far) = pipe();
            let (called, taken) = RpcEnd::of_stream(authority, far);
            // It goes on when whoever connected has left: the handler reads the end.
            let session = deno_core::unsync::spawn(async move { self.rpc(called).await });
            if taken.await.is_ok() {
                return Ok(near);
            }
            Err(match session.await {
                Ok(Err(error)) => fault(error),
                _ => FetchError {
                    message: "the connection was not taken".into(),
                },
            })
        }
        .boxed_local())
    }

    pub(crate) async fn fetch(
        &self,
        request: Request<HostBody>,
    ) -> Result<Response<HostBody>, JsErrorBox> {
        self.open().await?;
        match self.call(request).await? {
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
        Ok(self.call(request).await?.into())
    }
}

fn calls_alone() -> JsErrorBox {
    JsErrorBox::type_error("What ctx.restore() made is reached by calls alone.")
}

fn not_callable() -> JsErrorBox {
    JsErrorBox::type_error("A class of Durable Objects is not called; facets are of it.")
}

/// Where what a worker fetches goes.
fn outbound(worker: &Worker) -> Destination {
    let given = match &worker.loaded {
        Some(loaded) => match &loaded.outbound {
            Outbound::Inherited(to) => to.clone(),
            Outbound::Denied => return Destination::Denied,
            Outbound::Given(capability) => Some(capability.clone()),
        },
        None => worker.outbound.clone().map(Capability::Service),
    };
    given.map_or(Destination::Network, Destination::Capability)
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
/// message; the stack stays where it belongs. Where it was the end of an object, the
/// error's class says so (`runtime/js/globals.js` has them).
pub(crate) fn thrown(error: ServiceError) -> JsErrorBox {
    let resets_object = match &error {
        ServiceError::Worker(EventError::Exception(error)) => error.resets_object,
        ServiceError::Worker(EventError::ObjectReset { .. }) => true,
        _ => false,
    };
    let described = match &error {
        ServiceError::Worker(EventError::Exception(error)) => error.thrown.clone(),
        _ => None,
    };
    let thrown = named(error);
    if let Some(described) = described {
        return JsErrorBox::from_err(Described {
            error: thrown,
            described,
        });
    }
    if !resets_object || thrown.get_class().starts_with("DOMException") {
        return thrown;
    }
    let class = format!("ObjectReset{}", thrown.get_class());
    JsErrorBox::new(class, thrown.get_message())
}

/// An error that the caller's script has more of (`restoreFailure`).
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
struct Described {
    error: JsErrorBox,
    described: Arc<[u8]>,
}

impl JsErrorClass for Described {
    fn get_class(&self) -> Cow<'static, str> {
        self.error.get_class()
    }

    fn get_message(&self) -> Cow<'static, str> {
        self.error.get_message()
    }

    fn get_additional_properties(&self) -> AdditionalProperties {
        // A character a byte.
        let bytes: String = self.described.iter().copied().map(char::from).collect();
        Box::new(std::iter::once((
            "thrown".into(),
            PropertyValue::String(bytes.into()),
        )))
    }

    fn get_ref(&self) -> &(dyn std::error::Error + Send + Sync + 'static) {
        self
    }
}

fn named(error: ServiceError) -> JsErrorBox {
    match error {
        ServiceError::Worker(EventError::Exception(ScriptError { message, .. })) => {
            let line = message.as_str();
            match line.split_once(": ") {
                Some((
                    name @ ("AggregateError" | "CompileError" | "EvalError" | "LinkError"
                    | "RangeError" | "ReferenceError" | "RuntimeError" | "SuppressedError"
                    | "SyntaxError" | "TypeError" | "URIError"),
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
