//! A node's control API, as the commands call it.

use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request};
use http_body_util::BodyExt;
use outboard_egress::{Client, ClientError, ClientOptions, SendError};
use serde::de::DeserializeOwned;

use crate::cli::RemoteArgs;
use crate::output;

/// Where the address and the token of a node come from.
const URL: &str = "OUTBOARD_URL";
const TOKEN: &str = "OUTBOARD_TOKEN";
/// A deployment waits for its script to start on every lane.
const PATIENCE: Duration = Duration::from_secs(120);
/// Answers are a few lines; one of a worker with many versions, some more.
const MOST_ANSWER: usize = 16 << 20;

#[derive(Debug, thiserror::Error)]
pub(super) enum RemoteError {
    #[error("--to: give the address of the node's control API, or set {URL}")]
    NoUrl,
    #[error("--to: {0:?} is no address; write https://HOST or http://127.0.0.1:8788")]
    BadUrl(String),
    #[error("{field}: {name:?}: a name has letters, digits, \"-\", \"_\" and \"$\"")]
    BadName { field: &'static str, name: String },
    #[error("{TOKEN} is not set; put the token there that `outboard token create` printed")]
    NoToken,
    #[error("{TOKEN} holds no token")]
    BadToken,
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("{url}: {source}")]
    Send { url: String, source: SendError },
    #[error("{url}: no answer within {} seconds", PATIENCE.as_secs())]
    NoAnswer { url: String },
    #[error("{url}: {message}")]
    Refused { url: String, message: String },
    #[error("{url}: what answered is no control API of Outboard: {what}")]
    Nonsense { url: String, what: String },
}

pub(super) struct Remote {
    client: Client,
    url: String,
    token: HeaderValue,
}

/// A name as a part of a path, if it leads nowhere else there.
pub(super) fn segment<'a>(field: &'static str, name: &'a str) -> Result<&'a str, RemoteError> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '$');
    if !name.is_empty() && name.chars().all(is_plain) {
        return Ok(name);
    }
    let name = name.into();
    Err(RemoteError::BadName { field, name })
}

impl Remote {
    pub(super) fn new(args: &RemoteArgs) -> Result<Self, RemoteError> {
        let url = args.to.clone().or_else(|| std::env::var(URL).ok());
        let url = url
            .filter(|url| !url.is_empty())
            .ok_or(RemoteError::NoUrl)?;
        let url = url.trim_end_matches('/').to_string();
        let parsed = url.parse::<http::Uri>().ok();
        let host = parsed.as_ref().and_then(http::Uri::host);
        let scheme = parsed.as_ref().and_then(http::Uri::scheme_str);
        let (Some(host), Some(scheme @ ("http" | "https"))) = (host, scheme) else {
            return Err(RemoteError::BadUrl(url));
        };
        let is_here = host == "localhost"
            || host
                .trim_matches(['[', ']'])
                .parse()
                .is_ok_and(|ip: std::net::IpAddr| ip.is_loopback());
        if scheme == "http" && !is_here {
            let warning = "the token goes over the network as it is; put TLS in front of the node";
            eprintln!("{} {warning}", output::mark("warning:", output::YELLOW));
        }
        let token = std::env::var(TOKEN).map_err(|_| RemoteError::NoToken)?;
        let token = HeaderValue::from_str(&format!("Bearer {}", token.trim()));
        let mut token = token.map_err(|_| RemoteError::BadToken)?;
        token.set_sensitive(true);
        let client = Client::new(ClientOptions {
            deny_private: false,
            ..ClientOptions::default()
        })?;
        Ok(Self { client, url, token })
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Sends a request, and reads what it is answered with.
    pub(super) async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<T, RemoteError> {
        let called = tokio::time::timeout(PATIENCE, self.exchange(method, path, body)).await;
        let url = self.url.clone();
        called.unwrap_or(Err(RemoteError::NoAnswer { url }))
    }

    async fn exchange<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<T, RemoteError> {
        let url = || self.url.clone();
        let mut request = Request::new(body.into());
        *request.method_mut() = method;
        *request.uri_mut() = format!("{}{path}", self.url)
            .parse()
            .map_err(|_| RemoteError::BadUrl(url()))?;
        let headers = request.headers_mut();
        headers.insert(AUTHORIZATION, self.token.clone());
        let kind = HeaderValue::from_static("application/octet-stream");
        headers.insert(CONTENT_TYPE, kind);
        let sent = self.client.send(request).await;
        let response = sent.map_err(|source| RemoteError::Send { url: url(), source })?;
        let status = response.status();
        let nonsense = |what: String| RemoteError::Nonsense { url: url(), what };
        let body = http_body_util::Limited::new(response.into_body(), MOST_ANSWER);
        let body = body.collect().await;
        let body = body
            .map_err(|error| nonsense(error.to_string()))?
            .to_bytes();
        if status.is_success() {
            return serde_json::from_slice(&body).map_err(|error| nonsense(error.to_string()));
        }
        #[derive(serde::Deserialize)]
        struct Refused {
            error: String,
        }
        match serde_json::from_slice(&body) {
            Ok(Refused { error: message }) => Err(RemoteError::Refused {
                url: url(),
                message,
            }),
            Err(_) => Err(nonsense(status.to_string())),
        }
    }
}
