//! One tenant's client.

use std::fmt;
use std::time::Duration;

use http::{HeaderMap, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tracing::debug;

use crate::address::AddressRule;
use crate::dial::{Dial, Protocols, Proven};
use crate::error::{Retry, SendError};
use crate::options::{ClientError, ClientOptions};
use crate::request_body::RequestBody;
use crate::response_body::{Exchange, ResponseBody};
use crate::slots::{Slot, Slots};
use crate::stream::{Security, Stream, StreamDial};
use crate::target::{self, Peer};
use crate::tls;
use crate::upgraded::Upgraded;

/// How often a request is sent again because the connection it was given had
/// idled too long. A server that restarts leaves several such connections.
const STALE_RETRIES: usize = 3;

/// HTTP/1.1 reads a head into one buffer, which is never smaller than this.
const SMALLEST_BUFFER: usize = 8192;

/// What that buffer has room for besides the headers: the status line.
const HEAD_SLACK: usize = 1024;

/// Header lines in an HTTP/1.1 response; the byte limit is the one that
/// matters, this one sizes a table.
const MAX_HEADERS: usize = 256;

/// A server with open requests is asked for a sign of life this often, and is
/// given as long to answer: on HTTP/2 a lost connection takes all of its
/// requests with it.
const PING: Duration = Duration::from_secs(20);

/// Sends requests for one tenant. Clones share the connections; another
/// tenant's client never does. Dropping the last clone closes the unused ones.
///
/// All methods need a Tokio runtime with I/O and time. A connection is driven
/// by the runtime of the call that made it, also for later calls.
#[derive(Clone)]
pub struct Client {
    pooled: legacy::Client<Dial, RequestBody>,
    upgrading: legacy::Client<Dial, RequestBody>,
    streams: StreamDial,
    slots: Slots,
    limits: Limits,
}

#[derive(Clone, Copy)]
struct Limits {
    patience: Duration,
    head: Option<Duration>,
    header_bytes: usize,
}

impl Client {
    /// A client without connections yet.
    pub fn new(options: ClientOptions) -> Result<Client, ClientError> {
        let tls = tls::client_config(&options.extra_roots)?;
        let rule = if options.deny_private {
            AddressRule::PublicOnly
        } else {
            AddressRule::Any
        };
        let dial = |tls, protocols| Dial::new(tls, protocols, rule, options.connect_timeout);
        let streams = StreamDial::new(tls.clone(), rule, options.connect_timeout);
        Ok(Client {
            streams,
            pooled: builder(&options).build(dial(tls.clone(), Protocols::Http1AndHttp2)),
            // Only HTTP/1.1 switches protocols, and a connection that has
            // can't be used again.
            upgrading: builder(&options)
                .pool_max_idle_per_host(0)
                .build(dial(tls, Protocols::Http1)),
            slots: Slots::new(options.max_in_flight_per_host),
            limits: Limits {
                patience: options.connect_timeout,
                head: options.head_timeout,
                header_bytes: options.max_response_header_bytes,
            },
        })
    }

    /// Sends one request over HTTP/1.1 or HTTP/2, as the server prefers, and
    /// returns when the response's head is there; both bodies stream.
    ///
    /// The URL must be absolute; `Host` and the headers of the connection and
    /// its framing are made here, whatever the request has. A request that
    /// meets a connection which the server closes at that moment is sent
    /// again if nothing of it was sent, or if it is idempotent and its body is
    /// not a stream.
    ///
    /// Cancel-safe: dropping the future, or later the response's body, aborts
    /// the exchange.
    pub async fn send(
        &self,
        mut request: Request<RequestBody>,
    ) -> Result<Response<ResponseBody>, SendError> {
        let peer = target::prepare(&mut request)?;
        let exchange = async {
            let (exchange, leash) = Exchange::new(self.place(&peer).await?);
            request.body_mut().tie(leash);
            let response = self.head(&self.pooled, &peer, request).await?;
            if response.status() == StatusCode::SWITCHING_PROTOCOLS {
                return Err(SendError::Protocol {
                    peer: peer.clone(),
                    reason: "it switches protocols, which was not asked for".to_owned(),
                });
            }
            Ok(response.map(|body| ResponseBody::new(body, peer.clone(), exchange)))
        };
        self.in_time(&peer, exchange).await
    }

    /// Sends a request that asks the server to switch protocols, which its
    /// `Upgrade` header names, on an HTTP/1.1 connection of its own. Returns
    /// the response with status 101 and the stream of bytes after it; any
    /// other response is in [`SendError::UpgradeRefused`].
    ///
    /// Cancel-safe: dropping the future or the stream closes the connection.
    pub async fn upgrade(
        &self,
        request: Request<()>,
    ) -> Result<(Response<()>, Upgraded), SendError> {
        let mut request = request.map(|()| RequestBody::empty());
        let peer = target::prepare_upgrade(&mut request)?;
        let switch = async {
            let slot = self.place(&peer).await?;
            let mut response = self.head(&self.upgrading, &peer, request).await?;
            if response.status() != StatusCode::SWITCHING_PROTOCOLS {
                let (exchange, _) = Exchange::new(slot);
                let response = response.map(|body| ResponseBody::new(body, peer.clone(), exchange));
                return Err(SendError::UpgradeRefused {
                    peer: peer.clone(),
                    response: Box::new(response),
                });
            }
            let io = hyper::upgrade::on(&mut response).await;
            let io = io.map_err(|error| SendError::Protocol {
                peer: peer.clone(),
                reason: error.to_string(),
            })?;
            Ok((response.map(|_| ()), Upgraded::new(io, slot)))
        };
        self.in_time(&peer, switch).await
    }

    /// Opens a stream of bytes to a port of a host, in TLS where `security` says
    /// so. `host` is a name or an address, an IPv6 address with or without
    /// brackets.
    ///
    /// Cancel-safe: dropping the future or the stream closes the connection.
    pub async fn connect(
        &self,
        host: &str,
        port: u16,
        security: Security,
    ) -> Result<Stream, SendError> {
        let (uri, peer) = target::stream(host, port)?;
        let slot = self.place(&peer).await?;
        self.streams.dial(uri, peer, slot, security).await
    }

    /// A place among the exchanges with a host.
    async fn place(&self, peer: &Peer) -> Result<Slot, SendError> {
        tokio::time::timeout(self.limits.patience, self.slots.take(peer))
            .await
            .map_err(|_| SendError::Busy {
                peer: peer.clone(),
                limit: self.slots.limit(),
            })
    }

    /// Sends a request, again where that can't do anything twice, and waits
    /// for the head of the response.
    async fn head(
        &self,
        client: &legacy::Client<Dial, RequestBody>,
        peer: &Peer,
        mut request: Request<RequestBody>,
    ) -> Result<Response<Incoming>, SendError> {
        for _ in 0..STALE_RETRIES {
            let again = replay(&request);
            match (self.head_once(client, peer, request).await, again) {
                // The pool itself sends again what it couldn't send at all.
                (Err(error), Some(again)) if error.retry() == Retry::IfIdempotent => {
                    debug!(%peer, "a kept connection was stale; sending again");
                    request = again;
                }
                (outcome, _) => return outcome,
            }
        }
        self.head_once(client, peer, request).await
    }

    async fn head_once(
        &self,
        client: &legacy::Client<Dial, RequestBody>,
        peer: &Peer,
        request: Request<RequestBody>,
    ) -> Result<Response<Incoming>, SendError> {
        let limit = self.limits.header_bytes;
        let mut response = client
            .request(request)
            .await
            .map_err(|error| SendError::read(&error, peer, limit))?;
        if let Some(proven) = response.extensions_mut().remove::<Proven>() {
            proven.mark();
        }
        // Both protocols stop reading somewhere above the limit; here it is
        // the same to the byte.
        if header_bytes(response.headers()) > limit {
            return Err(SendError::HeadersTooLarge {
                peer: peer.clone(),
                limit,
            });
        }
        Ok(response)
    }

    async fn in_time<T>(
        &self,
        peer: &Peer,
        work: impl Future<Output = Result<T, SendError>>,
    ) -> Result<T, SendError> {
        let Some(after) = self.limits.head else {
            return work.await;
        };
        match tokio::time::timeout(after, work).await {
            Ok(outcome) => outcome,
            Err(_) => Err(SendError::HeadTimeout {
                peer: peer.clone(),
                after,
            }),
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

fn builder(options: &ClientOptions) -> legacy::Builder {
    let header_bytes = options.max_response_header_bytes;
    let mut builder = legacy::Client::builder(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(options.pool_idle_timeout)
        .pool_max_idle_per_host(options.max_idle_per_host)
        .http1_max_headers(MAX_HEADERS)
        .http1_max_buf_size(header_bytes.saturating_add(HEAD_SLACK).max(SMALLEST_BUFFER))
        .http2_max_header_list_size(
            u32::try_from(header_bytes.saturating_mul(2)).unwrap_or(u32::MAX),
        )
        .http2_keep_alive_interval(PING)
        .http2_keep_alive_timeout(PING);
    builder
}

/// The same request again, if sending it twice is the same as once.
fn replay(request: &Request<RequestBody>) -> Option<Request<RequestBody>> {
    if !request.method().is_idempotent() {
        return None;
    }
    let mut again = Request::new(request.body().replay()?);
    *again.method_mut() = request.method().clone();
    *again.uri_mut() = request.uri().clone();
    *again.headers_mut() = request.headers().clone();
    Some(again)
}

fn header_bytes(headers: &HeaderMap) -> usize {
    const PUNCTUATION: usize = ": \r\n".len();
    headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + PUNCTUATION)
        .sum()
}
