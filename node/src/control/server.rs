//! The API's connections: HTTP/1.1 on an address of its own, beside the lanes.

use std::convert::Infallible;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::api::Control;

/// Clients are a few people and programs.
const CONNECTIONS: usize = 64;
/// To send a head; also how long an idle connection is kept.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// Waits for whoever holds what there is none of: open files.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves the API until the future is dropped.
pub(crate) async fn serve(listener: TcpListener, control: Control) -> std::io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let (control, room) = (Arc::new(control), Arc::new(Semaphore::new(CONNECTIONS)));
    let mut connections = JoinSet::new();
    loop {
        // The others wait in the system's queue. It is never closed.
        let Ok(place) = room.clone().acquire_owned().await else {
            return Ok(());
        };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection to the control API was not accepted");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let control = control.clone();
        connections.spawn(async move {
            let service = service_fn(|request| {
                let control = control.clone();
                async move { Ok::<_, Infallible>(control.answer(request).await) }
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_TIMEOUT)
                .serve_connection(TokioIo::new(stream), service);
            if let Err(error) = connection.await {
                // A client that leaves or talks nonsense is no event of ours.
                tracing::debug!(%error, "a connection to the control API ended");
            }
            drop(place);
        });
        while connections.try_join_next().is_some() {}
    }
}
