//! Streams of bytes: those that workers open, over the gateway, and those that clients do.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::FutureExt;
use futures::future::BoxFuture;
use outboard_egress::{Client, Security, Stream};
use outboard_runtime::{ConnectTarget, FetchError, HostStream, Transport};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::fetch_error;

pub(crate) async fn open(
    client: Client,
    target: ConnectTarget,
) -> Result<Box<dyn HostStream>, FetchError> {
    let security = match target.transport {
        Transport::Plain => Security::Plain,
        Transport::Tls => Security::Tls,
    };
    let stream = client.connect(&target.host, target.port, security).await;
    boxed(stream)
}

fn boxed(
    stream: Result<Stream, outboard_egress::SendError>,
) -> Result<Box<dyn HostStream>, FetchError> {
    match stream {
        Ok(stream) => Ok(Box::new(Wrapped(stream))),
        Err(error) => Err(fetch_error(&error)),
    }
}

/// A stream as workers have it; what it is says whether it can start TLS.
struct Wrapped<S>(S);

impl HostStream for Wrapped<Stream> {
    fn start_tls(
        self: Box<Self>,
        name: String,
    ) -> BoxFuture<'static, Result<Box<dyn HostStream>, FetchError>> {
        async move { boxed(self.0.start_tls(&name).await) }.boxed()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wrapped<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wrapped<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

/// A client's connection, for a worker's `connect` handler.
pub(crate) fn accepted(stream: TcpStream) -> Box<dyn HostStream> {
    Box::new(Wrapped(stream))
}

impl HostStream for Wrapped<TcpStream> {
    fn start_tls(
        self: Box<Self>,
        _name: String,
    ) -> BoxFuture<'static, Result<Box<dyn HostStream>, FetchError>> {
        let message = "A client's connection takes no TLS.".into();
        std::future::ready(Err(FetchError { message })).boxed()
    }
}
