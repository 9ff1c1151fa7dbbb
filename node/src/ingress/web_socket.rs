//! A worker's WebSocket over a client's connection (RFC 6455).

use futures::{SinkExt, StreamExt};
use http::header::{
    CONNECTION, HeaderName, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use outboard_runtime::{ResponseBody, SocketEnd, SocketMessage, Upgrade};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

/// The largest message, as Workers limit it.
const MAX_MESSAGE: usize = 32 << 20;

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

/// Answers 101 and runs the socket on this lane until either side ends it.
pub(crate) fn switch(
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
    tokio::task::spawn_local(async move {
        match upgrade.await {
            Ok(upgraded) => {
                let config = WebSocketConfig::default()
                    .max_message_size(Some(MAX_MESSAGE))
                    .max_frame_size(Some(MAX_MESSAGE));
                let stream = WebSocketStream::from_raw_socket(
                    TokioIo::new(upgraded),
                    Role::Server,
                    Some(config),
                )
                .await;
                run(stream, end).await;
            }
            Err(error) => tracing::debug!(%error, "a WebSocket's client left"),
        }
    });
    let mut response = Response::new(ResponseBody::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    *response.headers_mut() = headers;
    response
}

async fn run<S>(mut stream: WebSocketStream<S>, mut end: SocketEnd)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    loop {
        tokio::select! {
            message = end.incoming.recv() => match message {
                Some(SocketMessage::Close { code, reason }) => {
                    let frame = (code != 1005).then(|| CloseFrame {
                        code: CloseCode::from(code),
                        reason: reason.into(),
                    });
                    // The client's own close follows; the stream then ends.
                    if stream.close(frame).await.is_err() {
                        return;
                    }
                }
                Some(SocketMessage::Text(text)) => {
                    if stream.send(Message::text(text)).await.is_err() {
                        return;
                    }
                }
                Some(SocketMessage::Binary(data)) => {
                    if stream.send(Message::binary(data)).await.is_err() {
                        return;
                    }
                }
                // The script's end is gone (its isolate ended): going away.
                None => {
                    let frame = CloseFrame { code: CloseCode::Away, reason: "".into() };
                    let _ = stream.close(Some(frame)).await;
                    while let Some(Ok(_)) = stream.next().await {}
                    return;
                }
            },
            message = stream.next() => {
                let message = match message {
                    Some(Ok(Message::Text(text))) => SocketMessage::Text(text.to_string()),
                    Some(Ok(Message::Binary(data))) => SocketMessage::Binary(data),
                    Some(Ok(Message::Close(frame))) => {
                        let (code, reason) = frame
                            .map_or((1005, String::new()), |frame| {
                                (frame.code.into(), frame.reason.to_string())
                            });
                        let _ = end.outgoing.send(SocketMessage::Close { code, reason }).await;
                        // tungstenite answers the close as it is polled on.
                        while let Some(Ok(_)) = stream.next().await {}
                        return;
                    }
                    // Pings are answered by tungstenite.
                    Some(Ok(_)) => continue,
                    Some(Err(Error::Capacity(_))) => {
                        let frame = CloseFrame {
                            code: CloseCode::Size,
                            reason: "message too big".into(),
                        };
                        let _ = stream.close(Some(frame)).await;
                        return;
                    }
                    Some(Err(_)) | None => return,
                };
                // A full queue holds the client back, not the lane.
                if end.outgoing.send(message).await.is_err() {
                    return;
                }
            }
        }
    }
}
