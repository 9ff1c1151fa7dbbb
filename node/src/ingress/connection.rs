//! One client connection: HTTP/1.1 in, a worker's answers out.

use std::cell::RefCell;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, HOST};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use outboard_runtime::{
    BodyError, EventError, HostBody, LaneLocal, ResponseBody, Served, Worker, empty_body,
};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::answer::{self, Detail};
use super::routes::{Routes, Target};
use super::web_socket;
use crate::output;

/// How a node treats its clients.
#[derive(Debug, Clone)]
pub(crate) struct IngressOptions {
    /// Bytes a request's head may have.
    pub(crate) max_head: usize,
    /// Bytes a request's body may have.
    pub(crate) max_body: u64,
    /// How long a client may take to send a request's head, and how long an
    /// idle connection is kept.
    pub(crate) head_timeout: Duration,
    /// What clients are told of errors.
    pub(crate) detail: Detail,
    pub(crate) access: AccessLog,
    /// `GET` here is answered by the node itself: it is alive.
    pub(crate) health: Option<String>,
    /// Whether [`SCHEDULED`] runs the worker's scheduled handler.
    pub(crate) scheduled_route: bool,
    /// Waiting past this for open requests helps nobody.
    pub(crate) grace: Duration,
}

/// Where a line about each request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AccessLog {
    Off,
    /// As `dev` prints: method, path, status, time.
    Terminal,
    /// As an event of the node's log.
    Tracing,
}

/// Where `dev` runs a scheduled handler, as wrangler does:
/// `/cdn-cgi/handler/scheduled?cron=*+*+*+*+*`.
const SCHEDULED: &str = "/cdn-cgi/handler/scheduled";

/// A lane's way in.
pub(crate) struct Ingress {
    lane: Rc<LaneLocal>,
    routes: RefCell<Rc<Routes>>,
    options: IngressOptions,
    pub(super) sockets: web_socket::Sockets,
}

impl Ingress {
    pub(crate) fn new(lane: Rc<LaneLocal>, routes: Routes, options: IngressOptions) -> Rc<Self> {
        Rc::new(Self {
            lane,
            routes: RefCell::new(Rc::new(routes)),
            options,
            sockets: web_socket::Sockets::default(),
        })
    }

    /// Requests from now on go by `routes`; open ones end where they are.
    pub(crate) fn replace_routes(&self, routes: Routes) -> Rc<Routes> {
        self.routes.replace(Rc::new(routes))
    }

    /// Serves one connection until it ends, or until `stop` and the request
    /// under way is answered.
    pub(crate) async fn serve(
        self: &Rc<Self>,
        stream: TcpStream,
        peer: SocketAddr,
        stop: CancellationToken,
    ) {
        // Answers are written whole; waiting to fill a segment only adds delay.
        let _ = stream.set_nodelay(true);
        let service = service_fn(|request| {
            let ingress = self.clone();
            async move { Ok::<_, Infallible>(ingress.answer(request, peer).await) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.options.head_timeout)
            .max_buf_size(self.options.max_head.max(8_192))
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        let mut connection = std::pin::pin!(connection);
        let result = tokio::select! {
            result = connection.as_mut() => result,
            () = stop.cancelled() => {
                connection.as_mut().graceful_shutdown();
                match tokio::time::timeout(self.options.grace, connection).await {
                    Ok(result) => result,
                    Err(_elapsed) => {
                        tracing::warn!(%peer, "cut a connection at the end of the grace period");
                        return;
                    }
                }
            }
        };
        if let Err(error) = result {
            // A client that leaves, stalls or talks nonsense is no event of ours.
            tracing::debug!(%peer, %error, "connection ended");
        }
    }

    async fn answer(
        self: Rc<Self>,
        mut request: Request<Incoming>,
        _peer: SocketAddr,
    ) -> Response<ResponseBody> {
        let line = (self.options.access != AccessLog::Off).then(|| AccessLine::begin(&request));
        let upgrade =
            web_socket::is_handshake(request.headers()).then(|| hyper::upgrade::on(&mut request));
        let response = self.route(request, upgrade).await;
        if let Some(line) = line {
            line.end(self.options.access, response.status());
        }
        response
    }

    async fn route(
        &self,
        request: Request<Incoming>,
        upgrade: Option<hyper::upgrade::OnUpgrade>,
    ) -> Response<ResponseBody> {
        let mut hosts = request.headers().get_all(HOST).iter();
        let (host, more) = (hosts.next(), hosts.next());
        // RFC 9112, 3.2: exactly one.
        let (Some(Ok(host)), None) = (host.map(|host| host.to_str()), more) else {
            return answer::plain(StatusCode::BAD_REQUEST, "Bad Request", true);
        };
        let path = request.uri().path();
        if self.options.health.as_deref() == Some(path) {
            return answer::plain(StatusCode::OK, "ok", true);
        }
        let routes = self.routes.borrow().clone();
        let Some(Target { worker, lane, .. }) = routes.find(host, path) else {
            return answer::plain(
                StatusCode::NOT_FOUND,
                &format!("no worker is routed at {host}{path}"),
                true,
            );
        };
        if self.options.scheduled_route && path == SCHEDULED {
            return self.run_scheduled(worker, request.uri().query()).await;
        }
        let max_body = self.options.max_body;
        if content_length(request.headers()).is_some_and(|length| length > max_body) {
            let text = format!("the request's body is over {max_body} bytes");
            let mut response = answer::plain(StatusCode::PAYLOAD_TOO_LARGE, &text, true);
            close(&mut response);
            return response;
        }
        let handshake = upgrade
            .is_some()
            .then(|| web_socket::accept_key(request.headers()))
            .flatten();
        let accept = request.headers().get(http::header::ACCEPT).cloned();
        let (head, body) = request.into_parts();
        let (body, upload) = host_body(body, max_body);
        let request = Request::from_parts(head, body);
        let served = match lane {
            None => self.lane.fetch(worker, request, false).await,
            Some(own) => own
                .fetch(worker, request, false)
                .await
                .map(|served| match served {
                    Served::Response(response) => {
                        Served::Response(response.map(ResponseBody::Host))
                    }
                    Served::Upgrade(socket) => Served::Upgrade(socket),
                }),
        };
        let mut response = match served {
            Ok(Served::Response(response)) => response,
            Ok(Served::Upgrade(socket)) => match (upgrade, handshake) {
                (Some(upgrade), Some(key)) => {
                    web_socket::switch(&self.sockets, upgrade, key, socket)
                }
                _ => {
                    let error = "Worker tried to return a WebSocket in a response to a request \
                                 which did not contain the header \"Upgrade: websocket\".";
                    tracing::error!(target: "worker", worker = worker.name(), "{error}");
                    answer::plain(
                        StatusCode::INTERNAL_SERVER_ERROR,
                        "Internal Server Error",
                        false,
                    )
                }
            },
            Err(error) => {
                self.report(worker.name(), &error);
                let headers = accept
                    .into_iter()
                    .map(|accept| (http::header::ACCEPT, accept))
                    .collect();
                answer::failed(&error, &headers, self.options.detail)
            }
        };
        if upload.is_cut() {
            close(&mut response);
        }
        response
    }

    async fn run_scheduled(
        &self,
        worker: &Arc<Worker>,
        query: Option<&str>,
    ) -> Response<ResponseBody> {
        let value = |wanted: &str| {
            let query = query?.as_bytes();
            let (_, value) =
                form_urlencoded::parse(query).find(|(name, _)| name.as_ref() == wanted)?;
            Some(value.into_owned())
        };
        let cron = value("cron").unwrap_or_default();
        let time = match value("time") {
            None => SystemTime::now(),
            Some(text) => {
                let since = text.parse().ok().map(Duration::from_millis);
                let Some(time) = since.and_then(|since| UNIX_EPOCH.checked_add(since)) else {
                    let text = "time: milliseconds since 1970 are wanted";
                    return answer::plain(StatusCode::BAD_REQUEST, text, true);
                };
                time
            }
        };
        match self.lane.scheduled(worker, &cron, time).await {
            Ok(()) => answer::plain(StatusCode::OK, "ok", true),
            Err(error) => {
                self.report(worker.name(), &error);
                answer::failed(&error, &HeaderMap::new(), self.options.detail)
            }
        }
    }

    /// What a script threw was logged where it was thrown.
    fn report(&self, worker: &str, error: &EventError) {
        match error {
            EventError::Exception(_)
            | EventError::Aborted { .. }
            | EventError::Hung
            | EventError::CpuLimit { .. }
            | EventError::MemoryLimit { .. }
            | EventError::ResponseLimit { .. }
            | EventError::IsolateLost { .. } => {}
            error if self.options.detail == Detail::Full => {
                eprintln!("{} {error}", output::mark("error:", output::RED));
            }
            error => tracing::error!(target: "worker", worker, "{error}"),
        }
    }
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// No other request is read from this connection.
fn close(response: &mut Response<ResponseBody>) {
    let close = HeaderValue::from_static("close");
    response.headers_mut().insert(CONNECTION, close);
}

/// A request's body for a worker, and what becomes of it.
fn host_body(body: Incoming, max: u64) -> (HostBody, Upload) {
    let upload = Upload::default();
    if body.is_end_stream() {
        return (empty_body(), upload);
    }
    let max = usize::try_from(max).unwrap_or(usize::MAX);
    let body = Watched {
        body,
        upload: upload.clone(),
    };
    let body = Limited::new(body, max)
        .map_err(|error| BodyError(error.to_string()))
        .boxed_unsync();
    (body, upload)
}

/// Whether an upload was let go of before its end. The connection then closes
/// after the answer, since what is left of the upload would have to be read
/// before the next request; the answer should say so.
#[derive(Clone, Default)]
struct Upload(Arc<AtomicBool>);

impl Upload {
    fn is_cut(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

struct Watched {
    body: Incoming,
    upload: Upload,
}

impl Body for Watched {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        Pin::new(&mut self.get_mut().body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        // What has arrived with the head hyper reads itself, and goes on.
        let small = self
            .body
            .size_hint()
            .upper()
            .is_some_and(|left| left <= SMALL);
        if !small && !self.body.is_end_stream() {
            self.upload.0.store(true, Ordering::Relaxed);
        }
    }
}

/// Bytes of a body that mostly come in the same read as the head.
const SMALL: u64 = 8 << 10;

/// What the access log says of one request.
struct AccessLine {
    method: http::Method,
    host: String,
    path: String,
    started: Instant,
}

impl AccessLine {
    fn begin(request: &Request<Incoming>) -> Self {
        let host = request
            .headers()
            .get(HOST)
            .map(|host| String::from_utf8_lossy(host.as_bytes()).into_owned());
        Self {
            method: request.method().clone(),
            host: host.unwrap_or_default(),
            path: request
                .uri()
                .path_and_query()
                .map_or_else(|| "/".into(), ToString::to_string),
            started: Instant::now(),
        }
    }

    fn end(self, log: AccessLog, status: StatusCode) {
        let Self {
            method,
            host,
            path,
            started,
        } = self;
        let ms = started.elapsed().as_secs_f64() * 1e3;
        match log {
            AccessLog::Off => {}
            AccessLog::Terminal => {
                let colour = match status.as_u16() {
                    0..=399 => output::GREEN,
                    400..=499 => output::YELLOW,
                    _ => output::RED,
                };
                let status = output::mark(&status.to_string(), colour);
                let time = output::mark(&format!("({ms:.1} ms)"), output::DIM);
                println!("{method} {path} {status} {time}");
            }
            AccessLog::Tracing => {
                tracing::info!(
                    target: "access",
                    %method, host, path, status = status.as_u16(), ms, "request"
                );
            }
        }
    }
}
