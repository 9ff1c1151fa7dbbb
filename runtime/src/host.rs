//! What an isolate asks for outside itself.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::{BoxFuture, LocalBoxFuture};
use http::{HeaderMap, Request, Response};
use http_body_util::BodyExt;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::binding::{ResourceKind, ServiceTarget};
use crate::body::HostBody;
use crate::delivery::{Delivery, Report};
use crate::dynamic::DynamicLanes;
use crate::error::{EventError, ScriptError};
use crate::object::{FacetPresence, ObjectId, ObjectStorage, ObjectTarget, StorageError};
use crate::ops::web_socket::SocketEnd;
use crate::rpc::RpcEnd;
use crate::trace::Tailed;
use crate::worker::Worker;

/// The one door out of an isolate. The node implements it with its gateway;
/// a locked-down child process implements it with messages to the node.
///
/// Called on the lane's thread, so it need not be `Send`.
pub trait Host {
    /// Sends one request as it is: the fetch algorithm (redirects, encodings)
    /// is the runtime's. Dropping the future abandons the exchange.
    fn fetch(
        &self,
        request: Request<HostBody>,
    ) -> LocalBoxFuture<'static, Result<Response<HostBody>, FetchError>>;

    /// Opens a WebSocket: `request` has the URL (http or https) and the script's
    /// headers; the handshake's own are the host's to add. Dropping the future
    /// abandons it; the socket ends when its end is dropped.
    fn web_socket(
        &self,
        request: Request<()>,
    ) -> LocalBoxFuture<'static, Result<SocketAnswer, FetchError>>;

    /// Opens a stream of bytes to a port of a host. Dropping the future abandons
    /// it; the connection ends when the stream is dropped.
    fn connect(
        &self,
        target: ConnectTarget,
    ) -> LocalBoxFuture<'static, Result<Box<dyn HostStream>, FetchError>>;

    /// The same by one of the host's services; None where it is a worker, whose handler
    /// takes connections.
    fn connect_by(
        &self,
        service: &Arc<ServiceTarget>,
        target: ConnectTarget,
    ) -> Option<LocalBoxFuture<'static, Result<Box<dyn HostStream>, FetchError>>> {
        let _ = (service, target);
        None
    }

    /// Asks a cache of the worker's (`caches` in its script). A host that has none
    /// answers as an empty one.
    fn cache(
        &self,
        request: CacheRequest,
    ) -> LocalBoxFuture<'static, Result<CacheAnswer, FetchError>> {
        async move {
            let CacheOperation::Put(response) = request.operation else {
                return Ok(CacheAnswer::Missing);
            };
            let mut body = response.into_body();
            while let Some(frame) = body.frame().await {
                frame.map_err(|error| FetchError {
                    message: error.to_string(),
                })?;
            }
            Ok(CacheAnswer::Done)
        }
        .boxed_local()
    }

    /// Sends a request to one of the host's services, which may be a worker on
    /// the same lane: its isolate is entered by a task of its own, never while
    /// this is called or polled. Dropping the future abandons the request.
    fn service(
        &self,
        target: &Arc<ServiceTarget>,
        request: Request<HostBody>,
    ) -> LocalBoxFuture<'static, Result<ServiceAnswer, ServiceError>> {
        let _ = request;
        let message = format!("there is no service {:?} here", target.service);
        std::future::ready(Err(FetchError { message }.into())).boxed_local()
    }

    /// Sends a request to what keeps data of a kind, in that kind's protocol. A host
    /// with none of its own has services that speak it.
    fn resource(
        &self,
        kind: ResourceKind,
        target: &Arc<ServiceTarget>,
        request: Request<HostBody>,
    ) -> LocalBoxFuture<'static, Result<ServiceAnswer, ServiceError>> {
        let _ = kind;
        self.service(target, request)
    }

    /// Whether [`Host::resource_rpc`] leads anywhere.
    fn resources_take_calls(&self) -> bool {
        true
    }

    /// Runs a session of calls with what keeps data of a kind, as [`Host::rpc`] does.
    fn resource_rpc(
        &self,
        kind: ResourceKind,
        target: &Arc<ServiceTarget>,
        called: RpcEnd,
    ) -> LocalBoxFuture<'static, Result<(), ServiceError>> {
        let _ = kind;
        self.rpc(target, called)
    }

    /// Hands one of the host's services a scheduled run or a batch of messages, as
    /// [`Host::service`] does a request, and tells what became of it.
    fn deliver(
        &self,
        target: &Arc<ServiceTarget>,
        delivery: Delivery,
    ) -> LocalBoxFuture<'static, Result<Report, ServiceError>> {
        let _ = delivery;
        let message = format!("there is no service {:?} here", target.service);
        std::future::ready(Err(FetchError { message }.into())).boxed_local()
    }

    /// Runs a session with one of the host's services, which is a worker, until it ends:
    /// of calls, or of one connection. Dropping the future ends the wait, and not the
    /// session.
    fn rpc(
        &self,
        target: &Arc<ServiceTarget>,
        called: RpcEnd,
    ) -> LocalBoxFuture<'static, Result<(), ServiceError>> {
        let _ = called;
        let message = format!("there is no service {:?} here", target.service);
        std::future::ready(Err(FetchError { message }.into())).boxed_local()
    }

    /// Calls a tail worker with what another's events did, and waits until it is done.
    /// It must not hold up the lane of the worker that is tailed for longer than it can
    /// help.
    fn tail(
        &self,
        target: &Arc<ServiceTarget>,
        tailed: Tailed,
    ) -> LocalBoxFuture<'static, Result<(), ServiceError>> {
        let _ = tailed;
        let message = format!("there is no service {:?} here", target.service);
        std::future::ready(Err(FetchError { message }.into())).boxed_local()
    }

    /// The durable objects that workers here may call.
    fn objects(&self) -> &dyn ObjectHost {
        &NoObjects
    }

    /// The lanes for workers that a script loads; None where it cannot.
    fn dynamic(&self) -> Option<Arc<DynamicLanes>> {
        None
    }

    /// One line that a worker wrote, or that says what became of its event.
    /// Must not block.
    fn log(&self, record: LogRecord<'_>);

    /// Whether what `console` prints may have colours: a person reads it.
    fn colour(&self) -> bool {
        false
    }
}

/// A host's durable objects. Called on a lane's thread, as [`Host`] is.
pub trait ObjectHost {
    /// Sends a request to an object, wherever it is. As for [`Host::service`], its
    /// isolate is entered by a task of its own; dropping the future abandons the
    /// request.
    fn call(
        &self,
        target: &Arc<ObjectTarget>,
        request: Request<HostBody>,
    ) -> LocalBoxFuture<'static, Result<ServiceAnswer, ServiceError>>;

    /// Runs a session of calls with an object, as [`Host::rpc`] does.
    fn rpc(
        &self,
        target: &Arc<ObjectTarget>,
        called: RpcEnd,
    ) -> LocalBoxFuture<'static, Result<(), ServiceError>>;

    /// Hands an object a scheduled run or a batch of messages, as [`Host::deliver`] does.
    fn deliver(
        &self,
        target: &Arc<ObjectTarget>,
        delivery: Delivery,
    ) -> LocalBoxFuture<'static, Result<Report, ServiceError>> {
        let _ = delivery;
        let message = format!("objects of {} take none here", target.namespace.class);
        std::future::ready(Err(FetchError { message }.into())).boxed_local()
    }

    /// The worker whose class an object of this lane is of, as it is deployed now, and
    /// the object as it is known there: its class may have got another name, or become
    /// another worker's.
    fn place(
        &self,
        target: &Arc<ObjectTarget>,
    ) -> LocalBoxFuture<'static, Option<(Arc<Worker>, Arc<ObjectTarget>)>>;

    /// What an object waits for before it begins: it may have to become what it was.
    /// Nobody has its database open.
    fn ready(
        &self,
        target: &Arc<ObjectTarget>,
    ) -> Option<LocalBoxFuture<'static, Result<(), StorageError>>> {
        let _ = target;
        None
    }

    /// An object that had an isolate to itself on this lane has left it: `worker` was
    /// that isolate's. False where the object is on its way here again; it will be said
    /// again then.
    fn left(&self, worker: &Worker, target: &ObjectTarget) -> bool {
        let _ = (worker, target);
        true
    }

    /// Opens the database of an object that runs on this lane.
    fn open(&self, target: &ObjectTarget) -> Result<Box<dyn ObjectStorage>, StorageError>;

    /// What of an object's namespace a facet of that name has its database by, the same
    /// until it is deleted. Resolves when no other start of it is left
    /// ([`FacetPresence::gone`]).
    fn facet(
        &self,
        of: &Arc<ObjectTarget>,
        name: &str,
        presence: &Arc<FacetPresence>,
    ) -> LocalBoxFuture<'static, Result<ObjectId, StorageError>> {
        let _ = (of, name, presence);
        std::future::ready(Err(no_facets())).boxed_local()
    }

    /// Removes what an object's facet of that name keeps, or what all of them do, and
    /// facets of theirs; resolves when that is durable. None: there was nothing.
    fn delete_facets(
        &self,
        of: &ObjectTarget,
        name: Option<&str>,
    ) -> Result<Option<BoxFuture<'static, Result<(), StorageError>>>, StorageError> {
        let _ = (of, name);
        Ok(None)
    }

    /// The worker that a service is, as it is deployed now, for facets of its classes.
    fn worker_of(&self, service: &ServiceTarget) -> Result<Arc<Worker>, FetchError> {
        Err(FetchError {
            message: format!("no worker is called {:?}", service.service),
        })
    }

    /// An object's alarm is to be at another time, in milliseconds since 1970, or
    /// there is to be none. Called on the object's lane twice: before the commit that
    /// says so, when the host must also keep the earlier of both times, and after it.
    /// It must not block; what it records is durable with that commit, or before it.
    fn alarm_changed(
        &self,
        target: &ObjectTarget,
        time: Option<i64>,
        committed: bool,
    ) -> Result<(), StorageError>;
}

fn no_facets() -> StorageError {
    StorageError {
        message: "This Durable Object does not support creating facets.".into(),
    }
}

/// Of a host that has none.
struct NoObjects;

impl NoObjects {
    fn refuse(target: &ObjectTarget) -> String {
        format!("there are no objects of {} here", target.namespace.class)
    }
}

impl ObjectHost for NoObjects {
    fn call(
        &self,
        target: &Arc<ObjectTarget>,
        _request: Request<HostBody>,
    ) -> LocalBoxFuture<'static, Result<ServiceAnswer, ServiceError>> {
        let message = Self::refuse(target);
        std::future::ready(Err(FetchError { message }.into())).boxed_local()
    }

    fn rpc(
        &self,
        target: &Arc<ObjectTarget>,
        _called: RpcEnd,
    ) -> LocalBoxFuture<'static, Result<(), ServiceError>> {
        let message = Self::refuse(target);
        std::future::ready(Err(FetchError { message }.into())).boxed_local()
    }

    fn place(
        &self,
        _target: &Arc<ObjectTarget>,
    ) -> LocalBoxFuture<'static, Option<(Arc<Worker>, Arc<ObjectTarget>)>> {
        std::future::ready(None).boxed_local()
    }

    fn open(&self, target: &ObjectTarget) -> Result<Box<dyn ObjectStorage>, StorageError> {
        let message = Self::refuse(target);
        Err(StorageError { message })
    }

    fn alarm_changed(
        &self,
        target: &ObjectTarget,
        _time: Option<i64>,
        _committed: bool,
    ) -> Result<(), StorageError> {
        let message = Self::refuse(target);
        Err(StorageError { message })
    }
}

/// Where a stream of bytes goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectTarget {
    /// A name or an address; an IPv6 address may have brackets.
    pub host: String,
    pub port: u16,
    pub transport: Transport,
}

/// What a script asks of a cache.
pub struct CacheRequest {
    /// The worker's name: no worker sees what another stored.
    pub worker: String,
    /// Of `caches.open(name)`; none is `caches.default`.
    pub cache: Option<String>,
    /// The key, and headers that ask for a part or for a change since.
    pub request: Request<()>,
    pub operation: CacheOperation,
}

pub enum CacheOperation {
    Match,
    /// The answer to store; its body is to be read, whether it is kept or not.
    Put(Response<HostBody>),
    Delete,
}

/// What a cache says.
pub enum CacheAnswer {
    /// A match: the stored answer, or a part of it, or that it has not changed.
    Found(Response<HostBody>),
    /// Stored or let go, or deleted.
    Done,
    /// There was nothing to give, or to delete.
    Missing,
}

/// How a stream of bytes begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    Plain,
    /// In TLS, as the client of the target's host.
    Tls,
}

/// A connection of the host's: bytes both ways, each ending alone. `Send`, since
/// the host may carry it elsewhere.
pub trait HostStream: AsyncRead + AsyncWrite + Send + Unpin {
    /// Goes on in TLS, as the client of a server that proves to be `name`.
    fn start_tls(
        self: Box<Self>,
        name: String,
    ) -> BoxFuture<'static, Result<Box<dyn HostStream>, FetchError>>;

    /// Waits until the other side has let go of it, where that is known without reading.
    fn left(&self) -> Option<BoxFuture<'static, ()>> {
        None
    }
}

/// What a server said to a WebSocket's handshake.
pub enum SocketAnswer {
    /// 101: the response's headers, and this side's end.
    Open(HeaderMap, SocketEnd),
    /// Any other answer.
    Refused(Response<HostBody>),
}

/// What a service said to a request.
pub enum ServiceAnswer {
    Response(Response<HostBody>),
    /// 101: the response's headers, and this side's end.
    Socket(HeaderMap, SocketEnd),
}

/// Why a service gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// It is a worker, whose event failed: the caller's script sees the error.
    #[error(transparent)]
    Worker(#[from] EventError),
    #[error(transparent)]
    Fetch(#[from] FetchError),
}

/// Why a fetch got no answer; the message reaches the script.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct FetchError {
    /// What the script sees, e.g. `could not connect to example.com:443: refused`.
    pub message: String,
}

/// A console level, or the runtime's own word on an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogLevel {
    Debug,
    Info,
    Warn,
    Error,
}

impl LogLevel {
    /// From the number that deno_web's console passes (0 debug to 3 error).
    pub(crate) fn from_console(level: i32) -> Self {
        match level {
            i32::MIN..=0 => Self::Debug,
            1 => Self::Info,
            2 => Self::Warn,
            _ => Self::Error,
        }
    }
}

/// One line for the worker's log.
#[derive(Debug)]
pub struct LogRecord<'a> {
    /// The worker's name.
    pub worker: &'a str,
    pub level: LogLevel,
    pub message: &'a str,
    /// The uncaught error this line reports, where it does.
    pub error: Option<&'a ScriptError>,
}
