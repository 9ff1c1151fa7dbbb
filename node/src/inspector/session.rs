//! One debugger's WebSocket, and the session it has with an isolate.

use std::sync::Arc;
use std::time::Duration;

use futures::SinkExt;
use futures::stream::{SplitSink, StreamExt};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use outboard_runtime::InspectorError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};

use super::targets::Opened;

/// The largest command: a script to evaluate, at most.
const COMMAND: usize = 16 << 20;
/// What may wait to be read by the client. V8 hands over a heap snapshot at
/// once, and one of the largest heap has to fit.
const BACKLOG: usize = 512 << 20;
const BACKLOG_MESSAGES: usize = 1 << 16;
/// How long a client may take to read the rest once its session has ended.
const LINGER: Duration = Duration::from_secs(2);

type Socket = WebSocketStream<TokioIo<Upgraded>>;

enum Outgoing {
    /// With its share of the backlog.
    Text(String, OwnedSemaphorePermit),
    Close(CloseFrame),
}

/// Runs the session until either side ends it.
pub(super) async fn run(upgrade: OnUpgrade, opened: Opened) {
    let upgraded = match upgrade.await {
        Ok(upgraded) => upgraded,
        Err(error) => {
            tracing::debug!(%error, "a debugger left");
            return;
        }
    };
    let config = WebSocketConfig::default()
        .max_message_size(Some(COMMAND))
        .max_frame_size(Some(COMMAND));
    let socket =
        WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config)).await;
    let (sink, mut commands) = socket.split();
    // Writing has a task of its own: what V8 says is taken, and so bounded, also
    // while a slow client is being written to.
    let (queue, queued) = mpsc::channel(BACKLOG_MESSAGES);
    let writer = tokio::spawn(write(sink, queued));
    if let Some(frame) = bridge(&mut commands, opened, &queue).await {
        let _ = queue.try_send(Outgoing::Close(frame));
    }
    drop(queue);
    let abort = writer.abort_handle();
    let rest = async {
        let _ = writer.await;
        // The client's own close.
        while let Some(Ok(_)) = commands.next().await {}
    };
    if tokio::time::timeout(LINGER, rest).await.is_err() {
        abort.abort();
    }
}

/// Carries messages both ways; `None` says that the client is gone.
async fn bridge(
    commands: &mut futures::stream::SplitStream<Socket>,
    opened: Opened,
    queue: &mpsc::Sender<Outgoing>,
) -> Option<CloseFrame> {
    let Opened { mut session, gone } = opened;
    let backlog = Arc::new(Semaphore::new(BACKLOG));
    let slow = || Some(close(CloseCode::Policy, "the client does not keep up"));
    loop {
        tokio::select! {
            () = gone.cancelled() => {
                return Some(close(CloseCode::Away, "the worker is being reloaded"));
            }
            event = session.next() => {
                let Some(text) = event else {
                    return Some(close(CloseCode::Away, "the isolate has ended"));
                };
                let bytes = u32::try_from(text.len()).unwrap_or(u32::MAX);
                let Ok(share) = backlog.clone().try_acquire_many_owned(bytes) else {
                    return slow();
                };
                if queue.try_send(Outgoing::Text(text, share)).is_err() {
                    return slow();
                }
            }
            command = commands.next() => match command {
                Some(Ok(Message::Text(text))) => match session.send(text.to_string()) {
                    Ok(()) => {}
                    Err(error @ InspectorError::Full) => {
                        return Some(close(CloseCode::Again, &error.to_string()));
                    }
                    // What it said last is still to be read.
                    Err(InspectorError::Ended) => {}
                },
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                // Pings are answered by tungstenite; the protocol has no binary.
                Some(Ok(_)) => {}
            }
        }
    }
}

fn close(code: CloseCode, reason: &str) -> CloseFrame {
    CloseFrame {
        code,
        reason: reason.into(),
    }
}

async fn write(mut sink: SplitSink<Socket, Message>, mut queued: mpsc::Receiver<Outgoing>) {
    while let Some(outgoing) = queued.recv().await {
        let sent = match outgoing {
            Outgoing::Text(text, share) => {
                let sent = sink.send(Message::text(text)).await;
                drop(share);
                sent
            }
            Outgoing::Close(frame) => sink.send(Message::Close(Some(frame))).await,
        };
        if sent.is_err() {
            return;
        }
    }
}
