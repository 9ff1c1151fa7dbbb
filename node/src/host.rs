//! The node's answer to what isolates ask for: its gateway for the way out, its
//! log for what they say.

use std::rc::{Rc, Weak};
use std::sync::Arc;

use futures::FutureExt;
use futures::future::LocalBoxFuture;
use http::header::{
    CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{HeaderValue, Request, Response};
use http_body_util::BodyExt;
use outboard_egress::{Client, RequestBody, SendError};
use outboard_runtime::{
    BodyError, CacheAnswer, CacheRequest, ConnectTarget, Delivery, DynamicLanes, Engine,
    FetchError, Host, HostBody, HostStream, LaneLocal, LogLevel, LogRecord, ObjectHost, Report,
    ResourceKind, RpcEnd, ScriptError, ServiceAnswer, ServiceError, ServiceTarget, SocketAnswer,
    SocketEnd, Tailed,
};
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_util::sync::CancellationToken;

use crate::cache::{self, Store};
use crate::objects::{LaneObjects, NodeObjects};
use crate::resources::Resources;
use crate::tails::TailLane;
use crate::{output, web_socket};

pub(crate) mod stream;

/// Where lines of workers go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WorkerLog {
    /// To the developer's terminal, as they are.
    Terminal,
    /// As events of the node's own log.
    Tracing,
}

impl WorkerLog {
    pub(crate) fn write(self, record: &LogRecord<'_>) {
        match self {
            Self::Terminal => print_line(record),
            Self::Tracing => trace_line(record),
        }
    }
}

pub(crate) struct NodeHost {
    client: Client,
    cache: Store,
    objects: LaneObjects,
    resources: Arc<Resources>,
    dynamic: Option<Arc<DynamicLanes>>,
    tails: Arc<TailLane>,
    log: WorkerLog,
}

impl NodeHost {
    /// A host for one lane; `cache`, `objects`, `resources` and `tails` are the node's.
    #[expect(clippy::too_many_arguments, reason = "a lane's all, named one by one")]
    pub(crate) fn shared(
        client: Client,
        cache: Store,
        objects: Arc<NodeObjects>,
        resources: Arc<Resources>,
        dynamic: Option<Arc<DynamicLanes>>,
        tails: Arc<TailLane>,
        lane: &Weak<LaneLocal>,
        log: WorkerLog,
    ) -> Rc<dyn Host> {
        Rc::new(Self {
            client,
            cache,
            objects: LaneObjects::new(objects, lane),
            resources,
            dynamic,
            tails,
            log,
        })
    }
}

impl Host for NodeHost {
    fn fetch(
        &self,
        request: Request<HostBody>,
    ) -> LocalBoxFuture<'static, Result<Response<HostBody>, FetchError>> {
        send(self.client.clone(), request).boxed_local()
    }

    fn web_socket(
        &self,
        request: Request<()>,
    ) -> LocalBoxFuture<'static, Result<SocketAnswer, FetchError>> {
        open_socket(self.client.clone(), request).boxed_local()
    }

    fn connect(
        &self,
        target: ConnectTarget,
    ) -> LocalBoxFuture<'static, Result<Box<dyn HostStream>, FetchError>> {
        stream::open(self.client.clone(), target).boxed_local()
    }

    fn cache(
        &self,
        request: CacheRequest,
    ) -> LocalBoxFuture<'static, Result<CacheAnswer, FetchError>> {
        cache::answer(self.cache.clone(), request).boxed_local()
    }

    fn service(
        &self,
        target: &Arc<ServiceTarget>,
        request: Request<HostBody>,
    ) -> LocalBoxFuture<'static, Result<ServiceAnswer, ServiceError>> {
        let (place, target) = (self.objects.service(target), target.clone());
        async move {
            let (worker, lane) = place?;
            Ok(lane.call(worker, target, request).await?.into())
        }
        .boxed_local()
    }

    fn resource(
        &self,
        kind: ResourceKind,
        target: &Arc<ServiceTarget>,
        request: Request<HostBody>,
    ) -> LocalBoxFuture<'static, Result<ServiceAnswer, ServiceError>> {
        self.resources.clone().answer(kind, target.clone(), request)
    }

    fn resources_take_calls(&self) -> bool {
        false
    }

    fn resource_rpc(
        &self,
        _kind: ResourceKind,
        _target: &Arc<ServiceTarget>,
        _called: RpcEnd,
    ) -> LocalBoxFuture<'static, Result<(), ServiceError>> {
        let message = "The node's own resources take no RPC.".into();
        std::future::ready(Err(FetchError { message }.into())).boxed_local()
    }

    fn deliver(
        &self,
        target: &Arc<ServiceTarget>,
        delivery: Delivery,
    ) -> LocalBoxFuture<'static, Result<Report, ServiceError>> {
        let (place, target) = (self.objects.service(target), target.clone());
        async move {
            let (worker, lane) = place?;
            Ok(lane.deliver(worker, target, delivery).await?)
        }
        .boxed_local()
    }

    fn rpc(
        &self,
        target: &Arc<ServiceTarget>,
        called: RpcEnd,
    ) -> LocalBoxFuture<'static, Result<(), ServiceError>> {
        let (place, target) = (self.objects.service(target), target.clone());
        async move {
            let (worker, lane) = place?;
            Ok(lane.rpc(worker, target, called).await?)
        }
        .boxed_local()
    }

    fn tail(
        &self,
        target: &Arc<ServiceTarget>,
        tailed: Tailed,
    ) -> LocalBoxFuture<'static, Result<(), ServiceError>> {
        let (place, target) = (self.objects.service(target), target.clone());
        let tails = self.tails.clone();
        async move {
            let (worker, _lane) = place?;
            tails.call(worker, target, tailed).await
        }
        .boxed_local()
    }

    fn objects(&self) -> &dyn ObjectHost {
        &self.objects
    }

    fn dynamic(&self) -> Option<Arc<DynamicLanes>> {
        self.dynamic.clone()
    }

    fn log(&self, record: LogRecord<'_>) {
        self.log.write(&record);
    }

    fn colour(&self) -> bool {
        self.log == WorkerLog::Terminal && output::colour()
    }
}

/// One exchange with the network.
pub(crate) async fn send(
    client: Client,
    request: Request<HostBody>,
) -> Result<Response<HostBody>, FetchError> {
    match client.send(request.map(RequestBody::new)).await {
        Ok(response) => Ok(response.map(host_body)),
        Err(error) => Err(fetch_error(&error)),
    }
}

/// The opening handshake, from the client's side (RFC 6455, 4.1).
pub(crate) async fn open_socket(
    client: Client,
    mut request: Request<()>,
) -> Result<SocketAnswer, FetchError> {
    let key = generate_key();
    let headers = request.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    if let Ok(key) = HeaderValue::from_str(&key) {
        headers.insert(SEC_WEBSOCKET_KEY, key);
    }
    let (response, connection) = match client.upgrade(request).await {
        Ok(opened) => opened,
        Err(SendError::UpgradeRefused { response, .. }) => {
            return Ok(SocketAnswer::Refused(response.map(host_body)));
        }
        Err(error) => return Err(fetch_error(&error)),
    };
    let accept = response.headers().get(SEC_WEBSOCKET_ACCEPT);
    if accept.map(HeaderValue::as_bytes) != Some(derive_accept_key(key.as_bytes()).as_bytes()) {
        return Err(FetchError {
            message: "the server did not prove that it speaks WebSocket".into(),
        });
    }
    let (ours, theirs) = SocketEnd::pair();
    // It ends with the event that has it.
    let stop = CancellationToken::new();
    tokio::spawn(web_socket::run(connection, Role::Client, ours, stop));
    let (head, ()) = response.into_parts();
    Ok(SocketAnswer::Open(head.headers, theirs))
}

fn host_body(body: outboard_egress::ResponseBody) -> HostBody {
    body.map_err(|error| BodyError(error.to_string()))
        .boxed_unsync()
}

fn fetch_error(error: &SendError) -> FetchError {
    FetchError {
        message: error.to_string(),
    }
}

fn trace_line(record: &LogRecord<'_>) {
    let LogRecord {
        worker, message, ..
    } = record;
    match record.level {
        LogLevel::Debug => tracing::debug!(target: "worker", %worker, "{message}"),
        LogLevel::Info => tracing::info!(target: "worker", %worker, "{message}"),
        LogLevel::Warn => tracing::warn!(target: "worker", %worker, "{message}"),
        LogLevel::Error => tracing::error!(target: "worker", %worker, "{message}"),
    }
}

fn print_line(record: &LogRecord<'_>) {
    match record.error {
        Some(error) => eprintln!("{}", pretty_error(error)),
        None => match record.level {
            LogLevel::Debug => println!("{}", output::mark(record.message, output::DIM)),
            LogLevel::Info => println!("{}", record.message),
            LogLevel::Warn => eprintln!("{}", output::mark(record.message, output::YELLOW)),
            LogLevel::Error => eprintln!("{}", output::mark(record.message, output::RED)),
        },
    }
}

/// A script's error for a person: the message stands out, the stack does not.
pub(crate) fn pretty_error(error: &ScriptError) -> String {
    let mut text = format!(
        "{} {}",
        output::mark("Uncaught", output::RED),
        output::mark(&error.message, output::BOLD)
    );
    for frame in &error.frames {
        text.push('\n');
        text.push_str(&output::mark(frame, output::DIM));
    }
    text
}

/// Makes hosts for the node's `lanes`, and for the lanes of workers that theirs load,
/// which load none themselves.
pub(crate) fn hosts<F>(lanes: usize, make: F) -> MakeHost
where
    F: Fn(&Weak<LaneLocal>, Option<Arc<DynamicLanes>>) -> Rc<dyn Host> + Send + Sync + 'static,
{
    let make = Arc::new(make);
    let loaded = make.clone();
    let dynamic = dynamic_lanes(lanes, Arc::new(move |lane| loaded(lane, None)));
    Arc::new(move |lane| make(lane, Some(dynamic.clone())))
}

/// Lanes for loaded workers. Room is kept for each lane to grow by an isolate's heap:
/// with those that serve, that is to be at most half of what all heaps have together.
fn dynamic_lanes(serving: usize, host: MakeHost) -> Arc<DynamicLanes> {
    let engine = Engine::init(outboard_snapshot::SNAPSHOT);
    let most = 14_usize.saturating_sub(serving).clamp(2, 12);
    DynamicLanes::new(engine, most, move || {
        let host = host.clone();
        Box::new(move |lane| host(lane))
    })
}

/// A lane's host, made on the lane: connections live where they are used.
pub(crate) type MakeHost = Arc<dyn Fn(&Weak<LaneLocal>) -> Rc<dyn Host> + Send + Sync>;
