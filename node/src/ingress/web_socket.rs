//! The handshake of a client's WebSocket (RFC 6455, 4.2).

use http::header::{
    CONNECTION, HeaderName, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use outboard_runtime::{ResponseBody, Upgrade};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::web_socket;

/// Whether a request asks for a WebSocket.
pub(crate) fn is_handshake(headers: &HeaderMap) -> bool {
    headers
        .get(UPGRADE)
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// The answer to the handshake's key, where it is one (RFC 6455, 4.2.1).
pub(crate) fn accept_key(headers: &HeaderMap) -> Option<HeaderValue> {
    if headers.get(SEC_WEBSOCKET_VERSION)?.as_bytes() != b"13" {
        return None;
    }
    let key = headers.get(SEC_WEBSOCKET_KEY)?;
    HeaderValue::try_from(derive_accept_key(key.as_bytes())).ok()
}

/// Headers of the handshake that are the node's to write.
const OURS: [HeaderName; 3] = [CONNECTION, UPGRADE, SEC_WEBSOCKET_ACCEPT];

/// The clients' WebSockets of a lane.
#[derive(Default)]
pub(crate) struct Sockets {
    running: TaskTracker,
    stop: CancellationToken,
}

impl Sockets {
    /// Closes all: the node goes away.
    pub(crate) async fn close(&self) {
        self.stop.cancel();
        self.running.close();
        self.running.wait().await;
    }
}

/// Answers 101 and runs the socket on this lane until either side ends it.
pub(crate) fn switch(
    sockets: &Sockets,
    upgrade: OnUpgrade,
    accept: HeaderValue,
    socket: Upgrade,
) -> Response<ResponseBody> {
    let Upgrade { mut headers, end } = socket;
    for name in OURS {
        headers.remove(name);
    }
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    let stop = sockets.stop.clone();
    sockets.running.spawn_local(async move {
        match upgrade.await {
            Ok(upgraded) => {
                web_socket::run(TokioIo::new(upgraded), Role::Server, end, stop).await;
            }
            Err(error) => tracing::debug!(%error, "a WebSocket's client left"),
        }
    });
    let mut response = Response::new(ResponseBody::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    *response.headers_mut() = headers;
    response
}
