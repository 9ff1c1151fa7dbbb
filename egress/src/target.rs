//! Whom a request is for, and the form in which it is sent.

use std::fmt;
use std::net::Ipv6Addr;

use http::header::{
    CONNECTION, CONTENT_LENGTH, HOST, HeaderMap, HeaderName, HeaderValue, TRANSFER_ENCODING,
    UPGRADE,
};
use http::uri::Scheme;
use http::{Method, Request, Uri, Version};
use http_body::Body;

use crate::error::SendError;
use crate::request_body::RequestBody;

/// The host and port that an exchange is with.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Peer {
    host: Box<str>,
    port: u16,
}

impl Peer {
    pub(crate) fn new(host: &str, port: u16) -> Peer {
        Peer {
            host: host.into(),
            port,
        }
    }

    /// Reads the peer from an `http` or `https` URL.
    pub(crate) fn of(uri: &Uri) -> Result<Peer, SendError> {
        let default_port = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTP => 80,
            Some(scheme) if *scheme == Scheme::HTTPS => 443,
            Some(scheme) => {
                return Err(SendError::UnsupportedScheme {
                    scheme: scheme.to_string(),
                });
            }
            None => {
                return Err(SendError::InvalidUrl {
                    reason: "it has no scheme; write it with http:// or https://",
                });
            }
        };
        let authority = uri.authority().ok_or(SendError::InvalidUrl {
            reason: "it has no host",
        })?;
        if authority.as_str().contains('@') {
            return Err(SendError::InvalidUrl {
                reason: "it has a user name or password; send an Authorization header instead",
            });
        }
        let port = match authority.port() {
            Some(port) => port.as_u16(),
            // A colon with something that is no port after it.
            None if !authority.as_str().ends_with(authority.host()) => {
                return Err(SendError::InvalidUrl {
                    reason: "its port is not a number up to 65535",
                });
            }
            None => default_port,
        };
        let host = authority.host();
        let host = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
            .unwrap_or(host);
        if host.is_empty() {
            return Err(SendError::InvalidUrl {
                reason: "its host is empty",
            });
        }
        Ok(Peer::new(host, port))
    }

    /// The name or address, an IPv6 address without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, also where the URL leaves it out.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// Headers that describe a connection or the framing on it. Both are this
/// crate's business: a request with its own would be read differently by two
/// servers on its way, and a `Host` that isn't the URL's would reach another
/// site than the one that was allowed.
const CONNECTION_HEADERS: [HeaderName; 7] = [
    CONNECTION,
    CONTENT_LENGTH,
    HOST,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    TRANSFER_ENCODING,
    UPGRADE,
];

/// Brings a request into the form in which it is sent, or says why it can't
/// be: the URL without what only a browser needs, the headers without those of
/// the connection, and a length where the method makes servers expect one.
pub(crate) fn prepare(request: &mut Request<RequestBody>) -> Result<Peer, SendError> {
    let peer = Peer::of(request.uri())?;
    let method = request.method();
    if *method == Method::CONNECT {
        return Err(SendError::UnsupportedMethod {
            method: method.clone(),
        });
    }
    let empty = request.body().is_end_stream();
    if !empty && (*method == Method::GET || *method == Method::HEAD) {
        // HTTP/1.1 would leave such a body out if its length isn't known.
        return Err(SendError::BodyNotAllowed {
            method: method.clone(),
        });
    }
    let wants_length = ![Method::GET, Method::HEAD].contains(method);
    strip(request.headers_mut());
    if empty && wants_length {
        request
            .headers_mut()
            .insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    // ALPN decides; any other version here would only limit the choice.
    *request.version_mut() = Version::HTTP_11;
    Ok(peer)
}

/// Whom a stream is for, and the same as a URL for the dialler.
pub(crate) fn stream(host: &str, port: u16) -> Result<(Uri, Peer), SendError> {
    let host = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    let invalid = SendError::InvalidUrl {
        reason: "it is no host name",
    };
    // Only an address may have colons: a URL's brackets would hide any others.
    let bad_colon = host.contains(':') && host.parse::<Ipv6Addr>().is_err();
    if host.is_empty() || bad_colon {
        return Err(invalid);
    }
    let peer = Peer::new(host, port);
    let uri = Uri::builder()
        .scheme(Scheme::HTTP)
        .authority(peer.to_string())
        .path_and_query("/")
        .build()
        .ok()
        // As the dialler reads it: in `a@b` the host would be `b`.
        .filter(|uri| Peer::of(uri).is_ok_and(|read| read == peer))
        .ok_or(invalid)?;
    Ok((uri, peer))
}

/// [`prepare`] for a request that asks the server to switch protocols.
pub(crate) fn prepare_upgrade(request: &mut Request<RequestBody>) -> Result<Peer, SendError> {
    let Some(protocol) = request.headers().get(UPGRADE).cloned() else {
        return Err(SendError::NoUpgradeHeader);
    };
    let peer = prepare(request)?;
    let headers = request.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, protocol);
    Ok(peer)
}

fn strip(headers: &mut HeaderMap) {
    for name in &CONNECTION_HEADERS {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_read_from_a_url() {
        let cases = [
            ("http://a.test/x", "a.test:80"),
            ("https://a.test", "a.test:443"),
            ("https://a.test:8443/", "a.test:8443"),
            ("http://127.0.0.1:1/", "127.0.0.1:1"),
            ("http://[::1]:81/", "[::1]:81"),
            ("http://[::1]/", "[::1]:80"),
        ];
        for (url, peer) in cases {
            let uri: Uri = url.parse().expect(url);
            assert_eq!(Peer::of(&uri).expect(url).to_string(), peer, "{url}");
        }
    }

    #[test]
    fn a_url_that_names_no_peer_is_refused() {
        let cases = [
            (
                "ftp://a.test/",
                "ftp: URLs can't be fetched; http: and https: can",
            ),
            (
                "/path",
                "invalid URL: it has no scheme; write it with http:// or https://",
            ),
            (
                "http://me:secret@a.test/",
                "invalid URL: it has a user name or password; send an Authorization header instead",
            ),
            (
                "http://a.test:99999/",
                "invalid URL: its port is not a number up to 65535",
            ),
        ];
        for (url, message) in cases {
            let uri: Uri = url.parse().expect(url);
            let error = Peer::of(&uri).expect_err(url);
            assert_eq!(error.to_string(), message, "{url}");
        }
    }

    #[test]
    fn framing_is_not_the_callers() {
        let mut request = Request::post("http://a.test/")
            .header("host", "b.test")
            .header("content-length", "7")
            .header("transfer-encoding", "gzip")
            .header("connection", "x-secret")
            .header("x-kept", "1")
            .body(RequestBody::empty())
            .expect("request");
        prepare(&mut request).expect("a peer");
        let headers: Vec<_> = request
            .headers()
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().expect("ascii")))
            .collect();
        assert_eq!(headers, ["x-kept: 1", "content-length: 0"]);
    }

    #[test]
    fn a_body_needs_a_method_that_has_one() {
        let mut request = Request::get("http://a.test/")
            .body(RequestBody::from("x"))
            .expect("request");
        let error = prepare(&mut request).expect_err("a body");
        assert_eq!(error.to_string(), "a GET request can't have a body");
    }
}
