//! What goes wrong on the way out.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{Method, Response};
use hyper_util::client::legacy;

use crate::cause::{find, is_lost, root};
use crate::dial::{DialError, Proven};
use crate::request_body::RequestBodyError;
use crate::response_body::ResponseBody;
use crate::target::Peer;
use crate::tls::TlsFault;

/// Why a request got no response.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The URL is neither `http:` nor `https:`.
    #[error("{scheme}: URLs can't be fetched; http: and https: can")]
    UnsupportedScheme {
        /// The scheme, without the colon.
        scheme: String,
    },
    /// The URL names no host to connect to. The URL itself isn't repeated: it
    /// may hold a password.
    #[error("invalid URL: {reason}")]
    InvalidUrl {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// `CONNECT` is for proxies.
    #[error("the method {method} can't be used")]
    UnsupportedMethod {
        /// The method.
        method: Method,
    },
    /// `GET` and `HEAD` have no body.
    #[error("a {method} request can't have a body")]
    BodyNotAllowed {
        /// The method.
        method: Method,
    },
    /// [`Client::upgrade`](crate::Client::upgrade) without an `Upgrade` header.
    #[error("an upgrade needs an Upgrade header that names the protocol")]
    NoUpgradeHeader,
    /// As many exchanges with the host as allowed are under way, and none
    /// ended within the connect timeout.
    #[error("{peer}: {limit} requests are under way already; more are not allowed at once")]
    Busy {
        /// The host and port.
        peer: Peer,
        /// `max_in_flight_per_host`.
        limit: usize,
    },
    /// The name has no address.
    #[error("{peer}: the host name can't be resolved: {source}")]
    Dns {
        /// The host and port.
        peer: Peer,
        /// What the resolver says.
        source: Arc<io::Error>,
    },
    /// The host is a private address, or a name that has no other.
    #[error("{host}: its address {addr} is private; only public addresses may be reached")]
    PrivateAddress {
        /// The host as the URL has it.
        host: String,
        /// The address, which is the host itself if that is a literal.
        addr: IpAddr,
    },
    /// Nothing listens on the port.
    #[error("{peer}: connection refused")]
    Refused {
        /// The host and port.
        peer: Peer,
    },
    /// No connection could be made for another reason.
    #[error("{peer}: can't connect: {source}")]
    Unreachable {
        /// The host and port.
        peer: Peer,
        /// What the system says.
        source: Arc<io::Error>,
    },
    /// The TLS handshake failed.
    #[error("{peer}: TLS failed: {fault}")]
    Tls {
        /// The host and port.
        peer: Peer,
        /// Why.
        fault: TlsFault,
    },
    /// There was no connection in time.
    #[error("{peer}: no connection within {after:?}")]
    ConnectTimeout {
        /// The host and port.
        peer: Peer,
        /// `connect_timeout`.
        after: Duration,
    },
    /// There was no response in time.
    #[error("{peer}: no response within {after:?}")]
    HeadTimeout {
        /// The host and port.
        peer: Peer,
        /// `head_timeout`.
        after: Duration,
    },
    /// The connection closed before the request was sent, or the server says
    /// that it hasn't looked at it.
    #[error("{peer}: the server didn't take the request")]
    NotSent {
        /// The host and port.
        peer: Peer,
    },
    /// The server closed the connection instead of answering.
    #[error("{peer}: the server closed the connection without answering")]
    Closed {
        /// The host and port.
        peer: Peer,
        /// Whether the connection had carried a response before: then it had
        /// most likely idled too long, and the request was never read.
        reused: bool,
    },
    /// The server ended an HTTP/2 request without answering.
    #[error("{peer}: the server reset the request: {reason}")]
    Reset {
        /// The host and port.
        peer: Peer,
        /// HTTP/2's reason.
        reason: h2::Reason,
    },
    /// The response has more headers than are allowed.
    #[error("{peer}: the response headers exceed {limit} bytes")]
    HeadersTooLarge {
        /// The host and port.
        peer: Peer,
        /// `max_response_header_bytes`.
        limit: usize,
    },
    /// The server doesn't speak HTTP as it should.
    #[error("{peer}: invalid response: {reason}")]
    Protocol {
        /// The host and port.
        peer: Peer,
        /// What is wrong.
        reason: String,
    },
    /// The request's own body failed.
    #[error("{peer}: the request body failed: {source}")]
    RequestBody {
        /// The host and port.
        peer: Peer,
        /// How.
        source: RequestBodyError,
    },
    /// The server answered an upgrade without switching protocols.
    #[error("{peer}: the server refused to switch protocols: it answered {}", response.status())]
    UpgradeRefused {
        /// The host and port.
        peer: Peer,
        /// The answer, whose body can be read.
        response: Box<Response<ResponseBody>>,
    },
}

/// Whether a failed request may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// The server can't have acted on it: any request may.
    Safe,
    /// It may have: a request that may be done twice may.
    IfIdempotent,
    /// It would fail again, or what the server did isn't known.
    Never,
}

impl SendError {
    /// Whether the request may be sent again.
    pub fn retry(&self) -> Retry {
        match self {
            SendError::Busy { .. }
            | SendError::Dns { .. }
            | SendError::Refused { .. }
            | SendError::Unreachable { .. }
            | SendError::ConnectTimeout { .. }
            | SendError::NotSent { .. } => Retry::Safe,
            SendError::Closed { reused: true, .. } => Retry::IfIdempotent,
            _ => Retry::Never,
        }
    }

    /// Reads the pool's error. `limit` is what headers may take.
    pub(crate) fn read(error: &legacy::Error, peer: &Peer, limit: usize) -> SendError {
        let peer = peer.clone();
        if let Some(error) = find::<DialError>(error) {
            return SendError::of_dial(error.clone(), peer);
        }
        if let Some(source) = find::<RequestBodyError>(error) {
            let source = source.clone();
            return SendError::RequestBody { peer, source };
        }
        // After the handshake: an alert, for one that a certificate is wanted.
        if let Some(error) = find::<rustls::Error>(error) {
            let fault = TlsFault::from(error.clone());
            return SendError::Tls { peer, fault };
        }
        if let Some(fault) = find::<h2::Error>(error)
            && let Some(reason) = fault.reason()
        {
            return SendError::of_h2(fault, reason, peer, limit, carried_before(error));
        }
        let hyper = find::<hyper::Error>(error);
        if hyper.is_some_and(hyper::Error::is_parse_too_large) {
            return SendError::HeadersTooLarge { peer, limit };
        }
        // The pool says so of a request that it got back unsent. The same error
        // from below it may come from a connection that died with the request.
        if error.to_string() == "client error (Canceled)"
            || hyper.is_some_and(hyper::Error::is_closed)
        {
            return SendError::NotSent { peer };
        }
        if hyper.is_some_and(|error| {
            error.is_incomplete_message() || error.is_canceled() || error.is_timeout()
        }) || is_lost(error)
        {
            let reused = carried_before(error);
            return SendError::Closed { peer, reused };
        }
        SendError::Protocol {
            peer,
            reason: root(error),
        }
    }

    pub(crate) fn of_dial(error: DialError, peer: Peer) -> SendError {
        match error {
            DialError::PrivateAddress { host, addr } => SendError::PrivateAddress { host, addr },
            DialError::Dns { source, .. } => SendError::Dns { peer, source },
            DialError::Refused => SendError::Refused { peer },
            DialError::Unreachable(source) => SendError::Unreachable { peer, source },
            DialError::Tls(fault) => SendError::Tls { peer, fault },
            DialError::Timeout(after) => SendError::ConnectTimeout { peer, after },
        }
    }

    fn of_h2(
        fault: &h2::Error,
        reason: h2::Reason,
        peer: Peer,
        limit: usize,
        reused: bool,
    ) -> SendError {
        if reason == h2::Reason::REFUSED_STREAM {
            return SendError::NotSent { peer };
        }
        // A server that goes away names the last request it looks at, but h2
        // says the same of one that it did look at and then left.
        if fault.is_go_away() && reason == h2::Reason::NO_ERROR {
            return SendError::Closed { peer, reused };
        }
        if fault.is_remote() {
            return SendError::Reset { peer, reason };
        }
        let mut reason = format!("HTTP/2: {}", reason.description());
        if fault.is_reset() && fault.is_library() {
            // h2 has one error for both.
            reason.push_str(&format!(", or headers far over {limit} bytes"));
        }
        SendError::Protocol { peer, reason }
    }
}

fn carried_before(error: &legacy::Error) -> bool {
    let mut extras = http::Extensions::new();
    if let Some(info) = error.connect_info() {
        info.get_extras(&mut extras);
    }
    extras.get::<Proven>().is_some_and(Proven::get)
}

/// Why a response's body ends too early. What was read before it is true but
/// not all.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BodyError {
    /// The connection ended first.
    #[error("{peer}: the connection closed before the end of the response")]
    Closed {
        /// The host and port.
        peer: Peer,
    },
    /// The server ended an HTTP/2 response.
    #[error("{peer}: the server reset the response: {reason}")]
    Reset {
        /// The host and port.
        peer: Peer,
        /// HTTP/2's reason.
        reason: h2::Reason,
    },
    /// The body isn't framed as HTTP has it, or something else broke.
    #[error("{peer}: the response broke off: {reason}")]
    Protocol {
        /// The host and port.
        peer: Peer,
        /// What is wrong.
        reason: String,
    },
}

impl BodyError {
    pub(crate) fn read(error: &hyper::Error, peer: &Peer) -> BodyError {
        let peer = peer.clone();
        if let Some(error) = find::<h2::Error>(error)
            && let Some(reason) = error.reason()
        {
            return BodyError::Reset { peer, reason };
        }
        if error.is_incomplete_message() || error.is_timeout() || is_lost(error) {
            return BodyError::Closed { peer };
        }
        let reason = root(error);
        BodyError::Protocol { peer, reason }
    }
}
