//! Makes connections: address rule, TCP, TLS, and one deadline for all three.

use std::error::Error;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use std::vec;

use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::InvalidDnsNameError;
use tokio::net::TcpStream;
use tower_service::Service;

use crate::address::AddressRule;
use crate::cause::find;
use crate::target::Peer;
use crate::tls::TlsFault;

/// Finds peers whose network path died without a word.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// Why there is no connection. Becomes a `SendError`; apart from it because
/// the pool hands connect errors on by reference only.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum DialError {
    #[error("{host} is {addr}, a private address")]
    PrivateAddress { host: String, addr: IpAddr },
    #[error("{host} can't be resolved: {source}")]
    Dns {
        host: String,
        source: Arc<io::Error>,
    },
    #[error("connection refused")]
    Refused,
    #[error("unreachable: {0}")]
    Unreachable(Arc<io::Error>),
    #[error("TLS: {0}")]
    Tls(TlsFault),
    #[error("no connection within {0:?}")]
    Timeout(Duration),
}

/// Which protocols a connection may turn out to speak.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Protocols {
    Http1,
    Http1AndHttp2,
}

/// Connects to the host of a URL.
#[derive(Clone)]
pub(crate) struct Dial {
    https: HttpsConnector<HttpConnector<Resolver>>,
    rule: AddressRule,
    timeout: Duration,
}

impl Dial {
    pub(crate) fn new(
        tls: ClientConfig,
        protocols: Protocols,
        rule: AddressRule,
        timeout: Duration,
    ) -> Dial {
        let http = tcp(rule, timeout);
        let builder = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http();
        let https = match protocols {
            Protocols::Http1 => builder.enable_http1().wrap_connector(http),
            Protocols::Http1AndHttp2 => builder.enable_all_versions().wrap_connector(http),
        };
        Dial {
            https,
            rule,
            timeout,
        }
    }
}

/// TCP to the addresses of a name that the rule admits.
pub(crate) fn tcp(rule: AddressRule, timeout: Duration) -> HttpConnector<Resolver> {
    let mut tcp = HttpConnector::new_with_resolver(Resolver {
        system: GaiResolver::new(),
        rule,
    });
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_keepalive(Some(KEEPALIVE));
    // Shared among a name's addresses, so that one which swallows packets
    // leaves time for the next.
    tcp.set_connect_timeout(Some(timeout));
    tcp
}

impl Service<Uri> for Dial {
    type Response = Wire;
    type Error = DialError;
    type Future = Pin<Box<dyn Future<Output = Result<Wire, DialError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), DialError>> {
        // Both layers below are always ready; a fault there shows in `call`.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        if let Err(error) = check_literal(&uri, self.rule) {
            return Box::pin(std::future::ready(Err(error)));
        }
        let timeout = self.timeout;
        let connecting = self.https.call(uri);
        Box::pin(async move {
            match tokio::time::timeout(timeout, connecting).await {
                Ok(Ok(io)) => Ok(Wire {
                    io,
                    proven: Proven::default(),
                }),
                Ok(Err(error)) => Err(explain(error.as_ref(), timeout)),
                Err(_) => Err(DialError::Timeout(timeout)),
            }
        })
    }
}

/// An address in the place of a name never meets the resolver.
pub(crate) fn check_literal(uri: &Uri, rule: AddressRule) -> Result<(), DialError> {
    let Ok(peer) = Peer::of(uri) else {
        return Ok(()); // the layer below refuses it
    };
    if let Ok(addr) = peer.host().parse::<IpAddr>() {
        rule.admit(peer.host(), vec![SocketAddr::new(addr, peer.port())])?;
    }
    Ok(())
}

pub(crate) fn explain(error: &(dyn Error + 'static), timeout: Duration) -> DialError {
    if let Some(error) = find::<DialError>(error) {
        return error.clone();
    }
    if let Some(error) = find::<rustls::Error>(error) {
        return DialError::Tls(TlsFault::from(error.clone()));
    }
    if find::<InvalidDnsNameError>(error).is_some() {
        return DialError::Tls(TlsFault::UnfitName);
    }
    let Some(error) = find::<io::Error>(error) else {
        return DialError::Unreachable(Arc::new(io::Error::other(error.to_string())));
    };
    match error.kind() {
        io::ErrorKind::ConnectionRefused => DialError::Refused,
        io::ErrorKind::TimedOut => DialError::Timeout(timeout),
        // Nothing is read before the handshake, so that is where it ended.
        io::ErrorKind::UnexpectedEof
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe => DialError::Tls(TlsFault::Closed),
        kind => DialError::Unreachable(Arc::new(match error.raw_os_error() {
            Some(code) => io::Error::from_raw_os_error(code),
            None => io::Error::new(kind, error.to_string()),
        })),
    }
}

/// The system's resolver, and then the address rule: what it lets pass is what
/// is connected to, so a name can't change its answer in between.
#[derive(Clone)]
pub(crate) struct Resolver {
    system: GaiResolver,
    rule: AddressRule,
}

impl Service<Name> for Resolver {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = DialError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, DialError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), DialError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let host = name.as_str().to_owned();
        let rule = self.rule;
        let lookup = self.system.call(name);
        Box::pin(async move {
            match lookup.await {
                Ok(found) => Ok(rule.admit(&host, found.collect())?.into_iter()),
                Err(source) => Err(DialError::Dns {
                    host,
                    source: Arc::new(source),
                }),
            }
        })
    }
}

/// Whether a connection has carried a response before: one that has and is
/// then closed without an answer had most likely idled too long.
#[derive(Clone, Debug, Default)]
pub(crate) struct Proven(Arc<AtomicBool>);

impl Proven {
    pub(crate) fn mark(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A connection.
pub(crate) struct Wire {
    io: MaybeHttpsStream<TokioIo<TcpStream>>,
    proven: Proven,
}

impl Connection for Wire {
    fn connected(&self) -> Connected {
        self.io.connected().extra(self.proven.clone())
    }
}

impl Read for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl Write for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
