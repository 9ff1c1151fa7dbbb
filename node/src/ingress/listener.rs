//! Sockets: every lane accepts for itself (SO_REUSEPORT), so that the kernel
//! spreads connections and no request changes threads.

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::connection::Ingress;

/// Connections the kernel may hold until a lane takes them.
const BACKLOG: i32 = 1_024;
/// Connections a lane serves at a time. Past it new ones wait in the backlog:
/// each costs a task and its buffers, and file descriptors are finite.
const CONNECTIONS: usize = 8_192;

/// One socket a lane, all on one address. Port 0 becomes the same free port.
pub(crate) fn bind(address: SocketAddr, lanes: usize) -> io::Result<Vec<std::net::TcpListener>> {
    let first = bind_one(address)?;
    let address = first.local_addr()?;
    let mut listeners = vec![first];
    while listeners.len() < lanes {
        listeners.push(bind_one(address)?);
    }
    Ok(listeners)
}

fn bind_one(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Accepts and serves HTTP until `stop`; then lets open requests end, and closes
/// WebSockets.
///
/// Dropping the future cuts the connections that are still open.
pub(crate) async fn listen_on_lane(
    listener: std::net::TcpListener,
    ingress: Rc<Ingress>,
    stop: CancellationToken,
) -> io::Result<()> {
    let (stopped, served) = (stop.clone(), ingress.clone());
    accept_on_lane(listener, stop, move |stream, peer| {
        let (ingress, stop) = (served.clone(), stopped.clone());
        async move { ingress.serve(stream, peer, stop).await }
    })
    .await?;
    ingress.sockets.close().await;
    Ok(())
}

/// Accepts until `stop`, and waits for what `serve` does with each connection.
///
/// Dropping the future drops those that are served.
pub(crate) async fn accept_on_lane<F: Future<Output = ()> + 'static>(
    listener: std::net::TcpListener,
    stop: CancellationToken,
    serve: impl Fn(TcpStream, SocketAddr) -> F,
) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    let connections = TaskTracker::new();
    let places = Arc::new(tokio::sync::Semaphore::new(CONNECTIONS));
    while !stop.is_cancelled() {
        let place = tokio::select! {
            () = stop.cancelled() => break,
            place = places.clone().acquire_owned() => place,
        };
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let served = serve(stream, peer);
                connections.spawn_local(async move {
                    served.await;
                    drop(place);
                });
            }
            Err(error) => {
                // Out of file descriptors or memory: those in use come back.
                tracing::warn!(%error, "could not accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    drop(listener);
    connections.close();
    connections.wait().await;
    Ok(())
}
