//! A worker's WebSocket over a connection, whichever side opened it (RFC 6455).

use futures::{SinkExt, StreamExt};
use outboard_runtime::{SocketEnd, SocketMessage};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::CapacityError;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

/// The largest message, as Workers limit it.
const MAX_MESSAGE: usize = 32 << 20;

/// Carries messages between the connection and the worker's end until either
/// ends. Dropping the future cuts the connection.
pub(crate) async fn run<S>(connection: S, role: Role, end: SocketEnd)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let config = WebSocketConfig::default()
        .max_message_size(Some(MAX_MESSAGE))
        .max_frame_size(Some(MAX_MESSAGE));
    let stream = WebSocketStream::from_raw_socket(connection, role, Some(config)).await;
    carry(stream, end).await;
}

async fn carry<S>(mut stream: WebSocketStream<S>, mut end: SocketEnd)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    // After its close message the script sends nothing; the peer's close is
    // still to come.
    let mut closing = false;
    loop {
        tokio::select! {
            message = end.incoming.recv(), if !closing => match message {
                Some(SocketMessage::Close { code, reason }) => {
                    let frame = (code != 1005).then(|| CloseFrame {
                        code: CloseCode::from(code),
                        reason: reason.into(),
                    });
                    closing = true;
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
                None | Some(SocketMessage::Failed { .. }) => {
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
                    Some(Err(Error::Capacity(error))) => {
                        let reason = too_large(&error);
                        let _ = end.outgoing.send(SocketMessage::Failed { reason }).await;
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

/// As Workers say it.
fn too_large(error: &CapacityError) -> String {
    let description = match error {
        CapacityError::MessageTooLong { size, max_size } => {
            format!("Message is too large: {size} > {max_size}")
        }
        other => other.to_string(),
    };
    format!(
        "WebSocket protocol error; protocolError.statusCode = 1009; \
         protocolError.description = {description}"
    )
}

#[cfg(test)]
mod tests;
