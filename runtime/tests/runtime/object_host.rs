//! A host of durable objects, with databases in a folder, whose commits are
//! durable when a test says so.

use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use futures::FutureExt;
use futures::future::{BoxFuture, LocalBoxFuture};
use http::{Request, Response};
use http_body_util::BodyExt;
use outboard_runtime::{
    Binding, CacheAnswer, CacheRequest, ConnectTarget, Engine, FetchError, Host, HostBody,
    HostStream, Inspection, LaneLocal, Limits, LogRecord, ObjectHost, ObjectNamespace,
    ObjectStorage, ObjectTarget, RpcEnd, Served, ServiceAnswer, ServiceError, SocketAnswer,
    StorageError, Worker, full_body,
};
use rusqlite::Connection;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, DuplexStream, ReadBuf};
use tokio::sync::watch;

use crate::support::*;

/// Objects of one worker, with databases in a folder; nothing is durable while
/// the test says so.
struct BoxHost {
    log: Log,
    lane: Weak<LaneLocal>,
    shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) worker: OnceLock<Arc<Worker>>,
    pub(crate) folder: tempfile::TempDir,
    /// How many of a database's changes are durable.
    pub(crate) durable: watch::Sender<i64>,
    /// The most changes that something waits for.
    pub(crate) wanted: AtomicI64,
    /// Requests that left before the changes that they name (`?changes=`) were
    /// durable.
    pub(crate) early: parking_lot::Mutex<Vec<String>>,
    /// Requests that left for the network.
    pub(crate) left: parking_lot::Mutex<Vec<String>>,
    /// What the host was told of alarms.
    pub(crate) alarms: parking_lot::Mutex<Vec<String>>,
}

struct Storage {
    connection: Connection,
    shared: Arc<Shared>,
}

impl ObjectStorage for Storage {
    fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    fn durable(&self) -> Option<BoxFuture<'static, Result<(), StorageError>>> {
        let mut durable = self.shared.durable.subscribe();
        let changes = self.connection.total_changes() as i64;
        self.shared.wanted.fetch_max(changes, Ordering::Relaxed);
        if *durable.borrow() >= changes {
            return None;
        }
        let wait = async move {
            let _ = durable.wait_for(|durable| *durable >= changes).await;
            Ok(())
        };
        Some(wait.boxed())
    }

    fn close(self: Box<Self>) -> LocalBoxFuture<'static, Result<(), StorageError>> {
        std::future::ready(Ok(())).boxed_local()
    }
}

fn refused<T: 'static>() -> LocalBoxFuture<'static, Result<T, FetchError>> {
    let message = "not in this test".into();
    std::future::ready(Err(FetchError { message })).boxed_local()
}

impl Host for BoxHost {
    fn fetch(
        &self,
        request: Request<HostBody>,
    ) -> LocalBoxFuture<'static, Result<Response<HostBody>, FetchError>> {
        self.shared.left.lock().push(request.uri().to_string());
        let changes = request
            .uri()
            .query()
            .and_then(|query| query.strip_prefix("changes="));
        let changes = changes.and_then(|changes| changes.parse::<i64>().ok());
        if changes.is_some_and(|changes| changes > *self.shared.durable.borrow()) {
            self.shared.early.lock().push(request.uri().to_string());
        }
        if request.uri().path() == "/nothing-is-durable-now" {
            self.shared.durable.send_replace(0);
        }
        if request.uri().path() != "/upload" {
            return std::future::ready(Ok(Response::new(full_body("there")))).boxed_local();
        }
        let shared = self.shared.clone();
        async move {
            let mut body = request.into_body();
            while let Some(frame) = body.frame().await {
                let part = frame.ok().and_then(|frame| frame.into_data().ok());
                let part = part.unwrap_or_default();
                let line = format!("upload: {}", String::from_utf8_lossy(&part));
                shared.left.lock().push(line);
            }
            Ok(Response::new(full_body("there")))
        }
        .boxed_local()
    }

    fn web_socket(
        &self,
        _request: Request<()>,
    ) -> LocalBoxFuture<'static, Result<SocketAnswer, FetchError>> {
        refused()
    }

    fn connect(
        &self,
        target: ConnectTarget,
    ) -> LocalBoxFuture<'static, Result<Box<dyn HostStream>, FetchError>> {
        let shared = self.shared.clone();
        let (near, mut far) = tokio::io::duplex(1_024);
        deno_core::unsync::spawn(async move {
            let mut bytes = [0; 1_024];
            while let Ok(count @ 1..) = far.read(&mut bytes).await {
                let text = String::from_utf8_lossy(&bytes[..count]);
                let line = format!("{}: {text}", target.host);
                shared.left.lock().push(line);
            }
        });
        let stream: Box<dyn HostStream> = Box::new(Wire(near));
        std::future::ready(Ok(stream)).boxed_local()
    }

    fn cache(
        &self,
        request: CacheRequest,
    ) -> LocalBoxFuture<'static, Result<CacheAnswer, FetchError>> {
        let line = format!("cache: {}", request.request.uri());
        self.shared.left.lock().push(line);
        std::future::ready(Ok(CacheAnswer::Done)).boxed_local()
    }

    fn objects(&self) -> &dyn ObjectHost {
        self
    }

    fn log(&self, record: LogRecord<'_>) {
        self.log.lock().push(record.message.to_string());
    }
}

impl ObjectHost for BoxHost {
    fn call(
        &self,
        target: &Arc<ObjectTarget>,
        request: Request<HostBody>,
    ) -> LocalBoxFuture<'static, Result<ServiceAnswer, ServiceError>> {
        let lane = self.lane.upgrade().expect("the lane runs");
        let worker = self.shared.worker.get().expect("it was set").clone();
        let target = target.clone();
        async move {
            match lane.object(worker, target, request).await? {
                Served::Response(response) => Ok(ServiceAnswer::Response(response)),
                Served::Upgrade(upgrade) => Ok(ServiceAnswer::Socket(upgrade.headers, upgrade.end)),
            }
        }
        .boxed_local()
    }

    fn rpc(
        &self,
        target: &Arc<ObjectTarget>,
        called: RpcEnd,
    ) -> LocalBoxFuture<'static, Result<(), ServiceError>> {
        let lane = self.lane.upgrade().expect("the lane runs");
        let worker = self.shared.worker.get().expect("it was set").clone();
        let target = target.clone();
        async move { Ok(lane.object_rpc(worker, target, called).await?) }.boxed_local()
    }

    fn place(
        &self,
        target: &Arc<ObjectTarget>,
    ) -> LocalBoxFuture<'static, Option<(Arc<Worker>, Arc<ObjectTarget>)>> {
        let worker = self.shared.worker.get().cloned();
        let placed = worker.map(|worker| (worker, target.clone()));
        std::future::ready(placed).boxed_local()
    }

    fn alarm_changed(
        &self,
        target: &ObjectTarget,
        time: Option<i64>,
        committed: bool,
    ) -> Result<(), StorageError> {
        let name = target.name.as_deref().unwrap_or("?");
        let line = format!("{name} {} {committed}", time.is_some());
        self.shared.alarms.lock().push(line);
        Ok(())
    }

    fn open(&self, target: &ObjectTarget) -> Result<Box<dyn ObjectStorage>, StorageError> {
        let path = self.shared.folder.path().join(target.id.to_string());
        let connection = Connection::open(path).map_err(|error| StorageError {
            message: error.to_string(),
        })?;
        let set = connection.execute_batch("PRAGMA temp_store = MEMORY");
        set.expect("a pragma");
        Ok(Box::new(Storage {
            connection,
            shared: self.shared.clone(),
        }))
    }
}

/// A connection whose other side writes down what it reads.
struct Wire(DuplexStream);

impl HostStream for Wire {
    fn start_tls(
        self: Box<Self>,
        _name: String,
    ) -> BoxFuture<'static, Result<Box<dyn HostStream>, FetchError>> {
        let message = "not in this test".into();
        std::future::ready(Err(FetchError { message })).boxed()
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

pub(crate) struct Objects {
    pub(crate) bench: Bench,
    pub(crate) shared: Arc<Shared>,
    pub(crate) worker: Arc<Worker>,
    pub(crate) namespace: Binding,
}

/// A worker whose class `Box` has `body`, and whose requests go to the object
/// that their path names.
pub(crate) fn objects(body: &str) -> Objects {
    objects_of(body, BY_PATH)
}

const BY_PATH: &str = "const name = new URL(request.url).pathname.split('/')[1];
     return env.BOX.get(env.BOX.idFromName(name)).fetch(request);";

/// The same with a `fetch` handler of the worker's own.
pub(crate) fn objects_of(body: &str, handler: &str) -> Objects {
    objects_with(body, handler, Limits::default())
}

/// The same as `objects`, of a worker with other limits.
pub(crate) fn objects_within(body: &str, limits: Limits) -> Objects {
    objects_with(body, BY_PATH, limits)
}

/// The same of both.
pub(crate) fn objects_with(body: &str, handler: &str, limits: Limits) -> Objects {
    let shared = Arc::new(Shared {
        worker: OnceLock::new(),
        folder: tempfile::tempdir().expect("a temporary folder"),
        durable: watch::Sender::new(i64::MAX),
        left: parking_lot::Mutex::default(),
        alarms: parking_lot::Mutex::default(),
        wanted: AtomicI64::new(0),
        early: parking_lot::Mutex::default(),
    });
    let host_shared = shared.clone();
    let engine = Engine::init(outboard_snapshot::SNAPSHOT);
    let bench = Bench::hosted(engine, Inspection::Off, move |log, lane| {
        Rc::new(BoxHost {
            log,
            lane: lane.clone(),
            shared: host_shared,
        })
    });
    let source = format!(
        "import {{ DurableObject }} from 'cloudflare:workers';
         export class Box extends DurableObject {{ {body} }}
         export default {{ async fetch(request, env) {{ {handler} }} }};"
    );
    let namespace = Binding::Objects(Arc::new(ObjectNamespace {
        service: "test".into(),
        class: "Box".into(),
        key: "test:Box".into(),
    }));
    let worker = worker_with(&source, |spec| {
        spec.bindings.push(("BOX".into(), namespace.clone()));
        spec.limits = limits;
    });
    shared.worker.set(worker.clone()).expect("once");
    Objects {
        bench,
        shared,
        worker,
        namespace,
    }
}

impl Objects {
    pub(crate) fn get(&self, path: &str) -> String {
        match self.bench.get(&self.worker, path) {
            Ok((200, body)) => body,
            Ok((status, body)) => format!("{status} {body}"),
            Err(error) => format!("{error}"),
        }
    }
}
