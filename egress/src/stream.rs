//! Streams of bytes to a port of a host, as `connect()` opens them.

use std::fmt;
use std::future::Future;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tower_service::Service;

use crate::address::AddressRule;
use crate::dial::{DialError, Resolver, check_literal, explain, tcp};
use crate::error::SendError;
use crate::slots::Slot;
use crate::target::Peer;
use crate::tls::TlsFault;

/// How a stream begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// As plain bytes; [`Stream::start_tls`] may change that later.
    Plain,
    /// In TLS.
    Tls,
}

/// Connects to ports, without a pool: a stream is its user's alone.
#[derive(Clone)]
pub(crate) struct StreamDial {
    tcp: HttpConnector<Resolver>,
    starter: TlsStarter,
    rule: AddressRule,
}

impl StreamDial {
    /// `tls` is taken without its ALPN: what is spoken on the stream is not known.
    pub(crate) fn new(mut tls: ClientConfig, rule: AddressRule, timeout: Duration) -> StreamDial {
        tls.alpn_protocols.clear();
        StreamDial {
            tcp: tcp(rule, timeout),
            starter: TlsStarter {
                connector: TlsConnector::from(Arc::new(tls)),
                timeout,
            },
            rule,
        }
    }

    pub(crate) async fn dial(
        &self,
        uri: Uri,
        peer: Peer,
        slot: Slot,
        security: Security,
    ) -> Result<Stream, SendError> {
        let timeout = self.starter.timeout;
        let fail = |error: DialError| SendError::of_dial(error, peer.clone());
        check_literal(&uri, self.rule).map_err(fail)?;
        let connecting = self.tcp.clone().call(uri);
        let tcp = within(timeout, async {
            connecting.await.map_err(|error| explain(&error, timeout))
        });
        let plain = Stream {
            io: Io::Plain(tcp.await.map_err(fail)?.into_inner()),
            starter: self.starter.clone(),
            peer: peer.clone(),
            _slot: slot,
        };
        match security {
            Security::Plain => Ok(plain),
            Security::Tls => plain.start_tls(peer.host()).await,
        }
    }
}

#[derive(Clone)]
struct TlsStarter {
    connector: TlsConnector,
    timeout: Duration,
}

impl TlsStarter {
    async fn start(
        &self,
        io: TcpStream,
        name: &str,
    ) -> Result<Box<TlsStream<TcpStream>>, DialError> {
        let name = name.strip_suffix('.').unwrap_or(name);
        let name = ServerName::try_from(name.to_owned())
            .map_err(|_| DialError::Tls(TlsFault::UnfitName))?;
        let handshake = self.connector.connect(name, io);
        within(self.timeout, async {
            match handshake.await {
                Ok(stream) => Ok(Box::new(stream)),
                Err(error) => Err(explain(&error, self.timeout)),
            }
        })
        .await
    }
}

async fn within<T>(
    timeout: Duration,
    work: impl Future<Output = Result<T, DialError>>,
) -> Result<T, DialError> {
    tokio::time::timeout(timeout, work)
        .await
        .unwrap_or(Err(DialError::Timeout(timeout)))
}

/// A connection. Dropping it closes it; one in TLS is ended properly by
/// shutting down its writing side.
pub struct Stream {
    io: Io,
    starter: TlsStarter,
    peer: Peer,
    _slot: Slot,
}

enum Io {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Stream {
    /// Goes on in TLS, as the client of a server that proves to be `name`.
    ///
    /// Cancel-safe: dropping the future closes the connection.
    pub async fn start_tls(self, name: &str) -> Result<Stream, SendError> {
        let Stream {
            io,
            starter,
            peer,
            _slot,
        } = self;
        let Io::Plain(plain) = io else {
            return Err(SendError::Protocol {
                peer,
                reason: "TLS was started already".to_owned(),
            });
        };
        match starter.start(plain, name).await {
            Ok(tls) => Ok(Stream {
                io: Io::Tls(tls),
                starter,
                peer,
                _slot,
            }),
            Err(error) => Err(SendError::of_dial(error, peer)),
        }
    }

    /// The address at the other end.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        match &self.io {
            Io::Plain(tcp) => tcp.peer_addr(),
            Io::Tls(tls) => tls.get_ref().0.peer_addr(),
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.io {
            Io::Plain(tcp) => Pin::new(tcp).poll_read(cx, buf),
            Io::Tls(tls) => match Pin::new(tls.as_mut()).poll_read(cx, buf) {
                // A server that leaves without TLS's goodbye is common, and
                // what it sent before was proven record by record.
                Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    Poll::Ready(Ok(()))
                }
                polled => polled,
            },
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.io {
            Io::Plain(tcp) => Pin::new(tcp).poll_write(cx, bytes),
            Io::Tls(tls) => Pin::new(tls.as_mut()).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.io {
            Io::Plain(tcp) => Pin::new(tcp).poll_write_vectored(cx, slices),
            Io::Tls(tls) => Pin::new(tls.as_mut()).poll_write_vectored(cx, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match &self.io {
            Io::Plain(tcp) => tcp.is_write_vectored(),
            Io::Tls(tls) => tls.is_write_vectored(),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.io {
            Io::Plain(tcp) => Pin::new(tcp).poll_flush(cx),
            Io::Tls(tls) => Pin::new(tls.as_mut()).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.io {
            Io::Plain(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Io::Tls(tls) => Pin::new(tls.as_mut()).poll_shutdown(cx),
        }
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream")
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}
