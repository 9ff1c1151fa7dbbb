//! What a client may be told, and what of it may be wrong.

use std::time::Duration;

/// How one tenant's client connects, and its limits.
#[derive(Clone, Debug)]
pub struct ClientOptions {
    /// For a name lookup, the TCP connection and the TLS handshake together;
    /// also the patience for a place among `max_in_flight_per_host`.
    /// 10 seconds unless told otherwise.
    pub connect_timeout: Duration,
    /// From the call to the response's head, connecting and sending the
    /// request included. None unless told otherwise: a long poll is no fault.
    pub head_timeout: Option<Duration>,
    /// How long an unused connection is kept. 60 seconds unless told
    /// otherwise, which is less than what most servers wait.
    pub pool_idle_timeout: Duration,
    /// How many unused HTTP/1.1 connections are kept for a host; zero keeps
    /// none, and then HTTP/2 connections aren't shared either. 16 unless told
    /// otherwise.
    pub max_idle_per_host: usize,
    /// How many exchanges with one host may be under way, from the request to
    /// the last byte of its response. More wait, and fail as
    /// [`SendError::Busy`](crate::SendError::Busy) after `connect_timeout`.
    /// 256 unless told otherwise.
    pub max_in_flight_per_host: usize,
    /// The most that a response's headers may take, names and values with four
    /// bytes of punctuation each. 128 KiB unless told otherwise.
    pub max_response_header_bytes: usize,
    /// Certificates to trust besides the public roots: PEM files, each with
    /// one certificate or more.
    pub extra_roots: Vec<Vec<u8>>,
    /// Whether addresses for which [`is_private`](crate::is_private) holds are
    /// refused, as literals and after a name is resolved. On unless told
    /// otherwise; a developer's machine turns it off to reach `localhost`.
    pub deny_private: bool,
}

impl Default for ClientOptions {
    fn default() -> ClientOptions {
        ClientOptions {
            connect_timeout: Duration::from_secs(10),
            head_timeout: None,
            pool_idle_timeout: Duration::from_secs(60),
            max_idle_per_host: 16,
            max_in_flight_per_host: 256,
            max_response_header_bytes: 128 * 1024,
            extra_roots: Vec::new(),
            deny_private: true,
        }
    }
}

/// Why a client can't be made of its options.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// An extra root isn't PEM.
    #[error("extra_roots[{index}]: not PEM: {reason}")]
    RootNotPem {
        /// Which of `extra_roots`.
        index: usize,
        /// What the PEM reader says.
        reason: String,
    },
    /// An extra root is PEM without a certificate, such as a key.
    #[error(
        "extra_roots[{index}]: no certificate in it; a PEM file with \"BEGIN CERTIFICATE\" is wanted"
    )]
    RootEmpty {
        /// Which of `extra_roots`.
        index: usize,
    },
    /// An extra root holds a certificate that can't be one.
    #[error("extra_roots[{index}]: unusable certificate: {source}")]
    RootUnusable {
        /// Which of `extra_roots`.
        index: usize,
        /// What is wrong with it.
        source: rustls::Error,
    },
    /// The TLS library refuses its own defaults.
    #[error("TLS can't be set up: {0}")]
    Tls(rustls::Error),
}
