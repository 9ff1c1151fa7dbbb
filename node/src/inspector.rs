//! The inspector of `outboard dev`: Chrome DevTools Protocol over HTTP and
//! WebSockets, as Node and wrangler offer it. It has a thread of its own, since
//! the lane stands still while a script is paused at a breakpoint.

mod session;
mod targets;

use std::convert::Infallible;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_TYPE, HOST, SEC_WEBSOCKET_ACCEPT, UPGRADE};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use outboard_runtime::Inspection;
use serde_json::json;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::ingress::{accept_key, is_handshake};

use targets::Targets;

/// Connections at a time; a DevTools window has one or two.
const CONNECTIONS: usize = 64;
/// How long a client may take to send a request's head.
const HEAD: Duration = Duration::from_secs(10);
/// How long sessions have to say goodbye when the server stops.
const GOODBYE: Duration = Duration::from_millis(300);

/// A running server. Dropping it ends its sessions and its thread.
pub(crate) struct InspectorServer {
    address: SocketAddr,
    targets: Arc<Targets>,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl InspectorServer {
    /// Serves on a listener that is bound.
    pub(crate) fn start(listener: TcpListener) -> std::io::Result<Self> {
        let targets = Arc::new(Targets::default());
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let stop = CancellationToken::new();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let server = Server {
            targets: targets.clone(),
        };
        let stopped = stop.clone();
        let thread = std::thread::Builder::new()
            .name("inspector".into())
            .spawn(move || {
                if let Err(error) = runtime.block_on(listen(listener, server, stopped)) {
                    tracing::error!(%error, "the inspector has ended");
                }
            })?;
        Ok(Self {
            address,
            targets,
            stop,
            thread: Some(thread),
        })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// What lanes are started with, so that their isolates are offered here.
    pub(crate) fn inspection(&self) -> Inspection {
        let targets = self.targets.clone();
        Inspection::On(Arc::new(move |inspector| targets.add(inspector)))
    }

    /// Ends the sessions, and forgets the isolates that there are: another
    /// version is about to be deployed. A script that is paused goes on.
    pub(crate) fn clear(&self) {
        self.targets.clear();
    }
}

impl Drop for InspectorServer {
    fn drop(&mut self) {
        self.targets.clear();
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            // A panic there was reported by the thread.
            let _ = thread.join();
        }
    }
}

struct Server {
    targets: Arc<Targets>,
}

async fn listen(
    listener: TcpListener,
    server: Server,
    stop: CancellationToken,
) -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let server = Arc::new(server);
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept(), if connections.len() < CONNECTIONS => accepted,
            Some(_ended) = connections.join_next() => continue,
            () = stop.cancelled() => break,
        };
        match accepted {
            Ok((stream, _peer)) => {
                let server = server.clone();
                connections.spawn(async move { server.serve(stream).await });
            }
            // The client left, or descriptors are short; the next may do.
            Err(error) => {
                tracing::debug!(%error, "the inspector accepted no connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    // Sessions have been told to end; what else is open is idle.
    let rest = async { while connections.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(GOODBYE, rest).await;
    Ok(())
}

type Answer = Response<Full<Bytes>>;

impl Server {
    /// One connection, and the session that it may turn into.
    async fn serve(&self, stream: TcpStream) {
        let _ = stream.set_nodelay(true);
        let (sessions, mut session) = tokio::sync::mpsc::channel(1);
        let service = service_fn(|request| {
            let answer = self.answer(request, &sessions);
            async move { Ok::<_, Infallible>(answer) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        if let Err(error) = connection.await {
            tracing::debug!(%error, "an inspector's connection ended");
            return;
        }
        if let Ok((upgrade, opened)) = session.try_recv() {
            session::run(upgrade, opened).await;
        }
    }

    fn answer(
        &self,
        mut request: Request<Incoming>,
        sessions: &tokio::sync::mpsc::Sender<(hyper::upgrade::OnUpgrade, targets::Opened)>,
    ) -> Answer {
        let Some(host) = allowed_host(request.headers()) else {
            let text = "Host: only an IP address or localhost is answered here\n";
            return plain(StatusCode::FORBIDDEN, text);
        };
        if request.method() != Method::GET {
            return plain(StatusCode::METHOD_NOT_ALLOWED, "use GET\n");
        }
        match request.uri().path() {
            "/json" | "/json/list" => json(&self.targets.list(&host)),
            "/json/version" => json(&json!({
                "Browser": concat!("outboard/", env!("CARGO_PKG_VERSION")),
                "Protocol-Version": "1.3",
            })),
            path => {
                let accept = is_handshake(request.headers())
                    .then(|| accept_key(request.headers()))
                    .flatten();
                // A target's name is a secret of those who may read /json: a page
                // of the web may open a WebSocket here, but cannot read that.
                let opened = accept.and_then(|accept| {
                    let id = path.trim_start_matches('/');
                    Some((accept, self.targets.open(id)?))
                });
                let Some((accept, session)) = opened else {
                    let text = "no such target; /json/list has the WebSockets that there are\n";
                    return plain(StatusCode::NOT_FOUND, text);
                };
                let upgrade = hyper::upgrade::on(&mut request);
                // One upgrade a connection, so there is room.
                let _ = sessions.try_send((upgrade, session));
                switching(accept)
            }
        }
    }
}

/// The request's host, unless it is a name that someone's DNS may point here:
/// then a page of theirs would be asking.
fn allowed_host(headers: &HeaderMap) -> Option<String> {
    let host = headers.get(HOST)?.to_str().ok()?;
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'))
        .map_or_else(
            || name.parse::<std::net::Ipv4Addr>().is_ok(),
            |name| name.parse::<std::net::Ipv6Addr>().is_ok(),
        );
    (address || name.eq_ignore_ascii_case("localhost")).then(|| host.to_string())
}

fn plain(status: StatusCode, text: &'static str) -> Answer {
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

fn json(value: &serde_json::Value) -> Answer {
    let mut response = Response::new(Full::from(format!("{value:#}\n")));
    let kind = HeaderValue::from_static("application/json; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

fn switching(accept: HeaderValue) -> Answer {
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(host: &str, allowed: bool) {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::try_from(host).expect("a header"));
        assert_eq!(allowed_host(&headers).is_some(), allowed, "{host}");
    }

    #[test]
    fn only_addresses_and_localhost_are_hosts() {
        check("127.0.0.1:9229", true);
        check("127.0.0.1", true);
        check("[::1]:9229", true);
        check("[::1]", true);
        check("LocalHost:9229", true);
        check("10.0.0.7:9229", true);
        check("evil.test:9229", false);
        check("localhost.evil.test", false);
        check("127.0.0.1.evil.test", false);
        check("1.1.1", false);
        check("localhost:evil", false);
        check("", false);
        assert!(allowed_host(&HeaderMap::new()).is_none());
    }
}
