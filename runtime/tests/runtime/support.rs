//! A lane with a host that tests control.

use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::LocalBoxFuture;
use http::{Request, Response};
use http_body_util::BodyExt;
use outboard_runtime::{
    ConnectTarget, Engine, EventError, FetchError, Host, HostBody, HostStream, Inspection, Lane,
    LaneConfig, LaneLocal, LogRecord, Module, ModuleKind, Served, SocketAnswer, Worker, WorkerSpec,
    empty_body, full_body,
};
use parking_lot::Mutex;
use tokio::sync::oneshot;

/// How long anything may take; only a failure waits for it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// What a script logged, in order.
pub(crate) type Log = Arc<Mutex<Vec<String>>>;

/// Answers fetches with the URL it was asked for.
struct TestHost {
    log: Log,
}

impl Host for TestHost {
    fn fetch(
        &self,
        request: Request<HostBody>,
    ) -> LocalBoxFuture<'static, Result<Response<HostBody>, FetchError>> {
        async move {
            match request.uri().host() {
                Some("never.test") => std::future::pending().await,
                // Not at once.
                Some("later.test") => tokio::task::yield_now().await,
                _ => {}
            }
            let text = format!("{} {}", request.method(), request.uri());
            let body = request
                .into_body()
                .collect()
                .await
                .map_err(|error| FetchError {
                    message: error.to_string(),
                })?;
            let mut text = text.into_bytes();
            text.extend_from_slice(&body.to_bytes());
            Ok(Response::new(full_body(text)))
        }
        .boxed_local()
    }

    fn web_socket(
        &self,
        _request: Request<()>,
    ) -> LocalBoxFuture<'static, Result<SocketAnswer, FetchError>> {
        let message = "no WebSockets in this test".into();
        std::future::ready(Err(FetchError { message })).boxed_local()
    }

    fn connect(
        &self,
        target: ConnectTarget,
    ) -> LocalBoxFuture<'static, Result<Box<dyn HostStream>, FetchError>> {
        crate::sockets::open(target, self.log.clone()).boxed_local()
    }

    fn log(&self, record: LogRecord<'_>) {
        self.log.lock().push(record.message.to_string());
    }
}

/// One lane of its own.
pub(crate) struct Bench {
    pub(crate) lane: Lane,
    pub(crate) log: Log,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with(Inspection::Off)
    }

    pub(crate) fn with(inspection: Inspection) -> Self {
        Self::on(Engine::init(outboard_snapshot::SNAPSHOT), inspection)
    }

    pub(crate) fn on(engine: Engine, inspection: Inspection) -> Self {
        Self::hosted(engine, inspection, |log, _lane| Rc::new(TestHost { log }))
    }

    /// One whose host is made by the test.
    pub(crate) fn hosted(
        engine: Engine,
        inspection: Inspection,
        host: impl FnOnce(Log, &Weak<LaneLocal>) -> Rc<dyn Host> + Send + 'static,
    ) -> Self {
        let log = Log::default();
        let host_log = log.clone();
        let lane = Lane::start(LaneConfig {
            name: "test lane".into(),
            engine,
            ready: 0,
            inspection,
            host: Box::new(move |lane| host(host_log, lane)),
        })
        .expect("a thread");
        Self { lane, log }
    }

    /// CPU time that the lane has used: how long it takes is not its alone to say.
    pub(crate) fn cpu(&self) -> Duration {
        let mut time = libc::timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        self.lane
            .run(move |_lane| {
                async move {
                    // SAFETY: the calling thread's own clock, and a valid out pointer.
                    let failed =
                        unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
                    assert_eq!(failed, 0, "a thread has a CPU clock");
                    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
                }
                .boxed_local()
            })
            .expect("the lane takes commands")
            .blocking_recv()
            .expect("the lane answers")
    }

    /// Sends one request; gives status and body.
    pub(crate) fn send(
        &self,
        worker: &Arc<Worker>,
        request: Request<HostBody>,
    ) -> Result<(u16, String), EventError> {
        self.begin(worker, request)
            .blocking_recv()
            .expect("the lane answers")
    }

    /// Sends one request, and waits for nothing.
    pub(crate) fn begin(
        &self,
        worker: &Arc<Worker>,
        request: Request<HostBody>,
    ) -> oneshot::Receiver<Result<(u16, String), EventError>> {
        let worker = worker.clone();
        self.lane
            .run(move |lane| {
                async move {
                    match lane.fetch(&worker, request, false).await? {
                        Served::Response(response) => {
                            let status = response.status().as_u16();
                            let body = match response.into_body().collect().await {
                                Ok(body) => String::from_utf8_lossy(&body.to_bytes()).into_owned(),
                                Err(error) => format!("[body failed: {error}]"),
                            };
                            Ok((status, body))
                        }
                        Served::Upgrade(_) => Ok((101, String::new())),
                    }
                }
                .boxed_local()
            })
            .expect("the lane takes commands")
    }

    /// Reads one chunk of an answer's body and leaves.
    pub(crate) fn open_and_leave(&self, worker: &Arc<Worker>, path: &str) {
        let (worker, request) = (worker.clone(), get(path));
        self.lane
            .run(move |lane| {
                async move {
                    let served = lane.fetch(&worker, request, false).await;
                    let Ok(Served::Response(mut response)) = served else {
                        panic!("no answer");
                    };
                    let frame = response.body_mut().frame().await;
                    assert!(matches!(frame, Some(Ok(_))), "a chunk");
                }
                .boxed_local()
            })
            .expect("the lane takes commands")
            .blocking_recv()
            .expect("the lane answers");
    }

    pub(crate) fn get(
        &self,
        worker: &Arc<Worker>,
        path: &str,
    ) -> Result<(u16, String), EventError> {
        self.send(worker, get(path))
    }
}

pub(crate) fn get(path: &str) -> Request<HostBody> {
    Request::get(path)
        .header("host", "worker.test")
        .body(empty_body())
        .expect("a request")
}

/// A worker of one module.
pub(crate) fn worker(source: &str) -> Arc<Worker> {
    worker_with(source, |_| {})
}

pub(crate) fn worker_with(source: &str, change: impl FnOnce(&mut WorkerSpec)) -> Arc<Worker> {
    let mut spec = WorkerSpec {
        name: "test".into(),
        main: "index.js".into(),
        modules: vec![Module {
            specifier: "index.js".into(),
            kind: ModuleKind::EsModule,
            content: source.into(),
            named_exports: Vec::new(),
            source_map: None,
        }],
        ..WorkerSpec::default()
    };
    change(&mut spec);
    Worker::new(spec).expect("a worker")
}
