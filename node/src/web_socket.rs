//! A worker's WebSocket over a connection, whichever side opened it (RFC 6455).

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use outboard_runtime::{SocketEnd, SocketMessage};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::{CapacityError, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_util::sync::CancellationToken;

/// The largest message, as Workers limit it.
const MAX_MESSAGE: usize = 32 << 20;

/// What a connection has to read into, as long as it is open: most wait most of the time.
const READ: usize = 16 << 10;

/// The longest reason of a close, in bytes (RFC 6455, 5.5).
const MAX_REASON: usize = 123;

/// How long the other side has to answer a close when the node ends.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Carries messages between the connection and the worker's end until either
/// ends, or until `stop`. Dropping the future cuts the connection.
pub(crate) async fn run<S>(connection: S, role: Role, mut end: SocketEnd, stop: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let config = WebSocketConfig::default()
        .read_buffer_size(READ)
        .max_message_size(Some(MAX_MESSAGE))
        .max_frame_size(Some(MAX_MESSAGE));
    let mut stream = WebSocketStream::from_raw_socket(connection, role, Some(config)).await;
    tokio::select! {
        () = carry(&mut stream, &mut end) => return,
        () = stop.cancelled() => {}
    }
    let goodbye = async {
        let frame = CloseFrame {
            code: CloseCode::Away,
            reason: "".into(),
        };
        let _ = stream.close(Some(frame)).await;
        while let Some(Ok(_)) = stream.next().await {}
    };
    let _ = tokio::time::timeout(LAST_WORDS, goodbye).await;
    // Nobody is to wake for it: the worker's end goes with its lane.
    std::mem::forget(end);
}

async fn carry<S>(stream: &mut WebSocketStream<S>, end: &mut SocketEnd)
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
                Some(SocketMessage::Lost) => return,
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
                    Some(Err(error)) => {
                        let Some(fault) = Fault::of(&error) else { return };
                        let reason = fault.to_string();
                        let _ = end.outgoing.send(SocketMessage::Failed { reason }).await;
                        let _ = stream.close(Some(fault.into_frame())).await;
                        return;
                    }
                    None => return,
                };
                // A full queue holds the client back, not the lane.
                if end.outgoing.send(message).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// How the other side broke the protocol, in Workers' words.
#[derive(Debug, thiserror::Error)]
#[error(
    "WebSocket protocol error; protocolError.statusCode = {code}; \
     protocolError.description = {description}"
)]
struct Fault {
    code: CloseCode,
    description: String,
}

impl Fault {
    /// None where it did not, but is gone.
    fn of(error: &Error) -> Option<Self> {
        let (code, description) = match error {
            Error::Capacity(CapacityError::MessageTooLong { size, max_size }) => (
                CloseCode::Size,
                format!("Message is too large: {size} > {max_size}"),
            ),
            Error::Capacity(other) => (CloseCode::Size, other.to_string()),
            Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => return None,
            Error::Protocol(error) => (CloseCode::Protocol, broken(error)),
            Error::Utf8(error) => (CloseCode::Invalid, error.clone()),
            _ => return None,
        };
        Some(Self { code, description })
    }

    fn into_frame(self) -> CloseFrame {
        let mut reason = self.description;
        reason.truncate(reason.floor_char_boundary(MAX_REASON));
        CloseFrame {
            code: self.code,
            reason: reason.into(),
        }
    }
}

fn broken(error: &ProtocolError) -> String {
    match error {
        ProtocolError::NonZeroReservedBits => {
            "Received a WebSocket frame whose compression bit was set, but the compression \
             extension was not negotiated for this connection."
                .into()
        }
        ProtocolError::InvalidOpcode(opcode)
        | ProtocolError::UnknownControlFrameType(opcode)
        | ProtocolError::UnknownDataFrameType(opcode) => format!("Unknown opcode {opcode}"),
        ProtocolError::UnexpectedContinueFrame => "Unexpected continuation frame".into(),
        ProtocolError::ExpectedFragment(_) => "Missing continuation frame".into(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests;
