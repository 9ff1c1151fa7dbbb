//! A connection between two workers: bytes both ways, each ending alone.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf, duplex};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::host::{FetchError, HostStream};

/// What may wait for a side that does not read: past it the other's writes wait.
const WAITING: usize = 64 << 10;

/// One side's end. What it wrote before it is dropped can still be read.
struct PipeEnd {
    bytes: DuplexStream,
    /// Tells the other side when this end is dropped.
    _here: DropGuard,
    other: CancellationToken,
}

/// Both ends of a new connection.
pub(crate) fn pipe() -> (Box<dyn HostStream>, Box<dyn HostStream>) {
    let (one, other) = duplex(WAITING);
    let (here, there) = (CancellationToken::new(), CancellationToken::new());
    let end = |bytes, here: &CancellationToken, other: &CancellationToken| {
        Box::new(PipeEnd {
            bytes,
            _here: here.clone().drop_guard(),
            other: other.clone(),
        })
    };
    (end(one, &here, &there), end(other, &there, &here))
}

impl HostStream for PipeEnd {
    fn start_tls(
        self: Box<Self>,
        _name: String,
    ) -> BoxFuture<'static, Result<Box<dyn HostStream>, FetchError>> {
        let message = "A connection to a worker takes no TLS.".into();
        std::future::ready(Err(FetchError { message })).boxed()
    }

    fn left(&self) -> Option<BoxFuture<'static, ()>> {
        Some(self.other.clone().cancelled_owned().boxed())
    }
}

impl AsyncRead for PipeEnd {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.bytes).poll_read(cx, buf)
    }
}

impl AsyncWrite for PipeEnd {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.bytes).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.bytes).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.bytes).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn what_was_written_is_read_after_the_end() {
        let (mut one, mut other) = pipe();
        let left = other.left().unwrap();
        one.write_all(b"last").await.unwrap();
        drop(one);
        left.await;
        let mut read = Vec::new();
        other.read_to_end(&mut read).await.unwrap();
        assert_eq!(read, b"last");
        assert!(other.write_all(b"nobody").await.is_err());
    }
}
