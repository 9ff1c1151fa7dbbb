//! The one way out: everything an isolate sends to the network leaves here.
//!
//! A tenant has one [`Client`]. Its connections, TLS sessions and limits are
//! its own, so what one tenant sends can't ride on, wait for or be told apart
//! by the timing of another tenant's connection. Isolates have no sockets;
//! `fetch()` becomes [`Client::send`], a WebSocket [`Client::upgrade`] and
//! `connect()` [`Client::connect`].
//!
//! The client does what the network needs and no more: it connects, speaks
//! HTTP/1.1 or HTTP/2, and streams both ways. Redirects, decompression,
//! cookies and caching belong to the fetch algorithm above it.
//!
//! Types to know: [`ClientOptions`] holds every limit, [`RequestBody`] and
//! [`ResponseBody`] are the two streams, [`SendError`] and [`BodyError`] say
//! what went wrong and with whom.

#![forbid(unsafe_code)]

mod address;
mod cause;
mod client;
mod dial;
mod error;
mod options;
mod request_body;
mod response_body;
mod slots;
mod stream;
mod target;
mod tls;
mod upgraded;

pub use address::is_private;
pub use client::Client;
pub use error::{BodyError, Retry, SendError};
pub use options::{ClientError, ClientOptions};
pub use request_body::{BodyRefused, BodySender, RequestBody, RequestBodyError};
pub use response_body::ResponseBody;
pub use stream::{Security, Stream};
pub use target::Peer;
pub use tls::TlsFault;
pub use upgraded::Upgraded;

/// The words after the status code, where an HTTP/1.1 server sent other ones
/// than the usual; found in the extensions of a response.
pub use hyper::ext::ReasonPhrase;
