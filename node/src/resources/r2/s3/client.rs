//! Requests to S3: signed, sent, and sent again where that is safe.

use std::cell::OnceCell;
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::{Bytes, BytesMut};
use http::header::USER_AGENT;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use md5::{Digest, Md5};
use object_store::aws::AwsAuthorizer;
use object_store::client::{HttpRequest, HttpRequestBody};
use outboard_egress::{
    Client, ClientOptions, RequestBody, RequestBodyError, ResponseBody, Retry, SendError,
};
use outboard_runtime::{BodyError, HostBody};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::Sha256;

use super::super::error::R2Error;
use super::place::Place;
use super::xml;

/// How long nothing may move, of a request, of the wait for its answer, or of that.
const PATIENCE: Duration = Duration::from_secs(60);
const CONNECT: Duration = Duration::from_secs(5);
/// Less than stores keep an unused connection: what is sent on one that ends at that
/// moment cannot always be sent again.
const IDLE: Duration = Duration::from_secs(8);
/// What a request waits before it is sent again, about; and how long after the first
/// time it may be.
const DELAYS: [Duration; 3] = [
    Duration::from_millis(100),
    Duration::from_millis(400),
    Duration::from_millis(1600),
];
const AGAIN: Duration = Duration::from_secs(20);
/// The most that is read of a document, and of one that says why not.
const MOST_DOCUMENT: usize = 16 << 20;
const MOST_REFUSAL: usize = 64 << 10;

const AGENT: &str = concat!("outboard/", env!("CARGO_PKG_VERSION"));
const CONTENT_MD5: HeaderName = HeaderName::from_static("content-md5");
const REGION: &str = "x-amz-bucket-region";

/// What SigV4 leaves as it is.
const KEPT: AsciiSet = NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');
const KEPT_IN_PATHS: AsciiSet = KEPT.remove(b'/');

thread_local! {
    /// A connection lives on the thread that made it: so that a worker which keeps its
    /// lane busy holds up no transfer of another lane, each has connections of its own.
    static CLIENT: OnceCell<Client> = const { OnceCell::new() };
}

fn client() -> Result<Client, S3Error> {
    CLIENT.with(|cell| {
        if let Some(client) = cell.get() {
            return Ok(client.clone());
        }
        let client = Client::new(ClientOptions {
            connect_timeout: CONNECT,
            pool_idle_timeout: IDLE,
            // The operator's word, not a worker's.
            deny_private: false,
            ..ClientOptions::default()
        });
        let client = client.map_err(|error| S3Error::Document(error.to_string()))?;
        Ok(cell.get_or_init(|| client).clone())
    })
}

/// What S3 did not do, and why.
#[derive(Debug, thiserror::Error)]
pub(super) enum S3Error {
    #[error("it refuses: {} {code}: {message}", status.as_u16())]
    Refused {
        status: StatusCode,
        code: String,
        message: String,
    },
    #[error(transparent)]
    Send(SendError),
    #[error("nothing moved for {} seconds", PATIENCE.as_secs())]
    Timeout,
    #[error("its answer ended too soon: {0}")]
    Cut(String),
    #[error("its answer cannot be understood: {0}")]
    Document(String),
}

impl S3Error {
    pub(super) fn code(&self) -> &str {
        match self {
            Self::Refused { code, .. } => code,
            _ => "",
        }
    }

    pub(super) fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// Whether what is there is not what a conditional write expects.
    pub(super) fn is_conflict(&self) -> bool {
        let status = self.status();
        let codes = [
            "PreconditionFailed",
            "ConditionalRequestConflict",
            // The object that was to be replaced is gone.
            "NoSuchKey",
        ];
        status == Some(StatusCode::PRECONDITION_FAILED) || codes.contains(&self.code())
    }
}

/// When a request may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    /// Done twice is done once.
    Always,
    /// Where it is known that it was not done.
    IfNotDone,
}

/// A request.
pub(super) struct Call<'a> {
    pub(super) method: Method,
    /// The object's in the bucket; else it is for the bucket.
    pub(super) key: Option<&'a str>,
    pub(super) query: Vec<(&'static str, String)>,
    pub(super) headers: HeaderMap,
    pub(super) again: Again,
    pub(super) payload: Payload,
}

impl<'a> Call<'a> {
    pub(super) fn new(method: Method, key: impl Into<Option<&'a str>>) -> Self {
        Self {
            method,
            key: key.into(),
            query: Vec::new(),
            headers: HeaderMap::new(),
            again: Again::Always,
            payload: Payload::Nothing,
        }
    }

    pub(super) fn query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    pub(super) fn payload(mut self, payload: Payload) -> Self {
        self.payload = payload;
        self
    }

    fn may_repeat(&self, error: &S3Error) -> bool {
        if matches!(self.payload, Payload::Stream(_)) {
            return false;
        }
        let always = self.again == Again::Always;
        match error {
            S3Error::Refused { status, .. } => match status.as_u16() {
                // It had no time.
                429 | 503 => true,
                408 | 500 | 502 | 504 => always,
                _ => false,
            },
            S3Error::Send(SendError::RequestBody { .. }) => false,
            S3Error::Send(error) => always || error.retry() == Retry::Safe,
            S3Error::Timeout | S3Error::Cut(_) | S3Error::Document(_) => false,
        }
    }
}

pub(super) enum Payload {
    Nothing,
    Bytes(Part),
    /// Sent as it comes; None once it was.
    Stream(Option<Measured>),
}

/// Bytes in memory, and what is said of them so that S3 can tell whether it got them.
#[derive(Clone)]
pub(super) struct Part {
    chunks: Vec<Bytes>,
    size: u64,
    md5: [u8; 16],
    sha256: [u8; 32],
}

impl Part {
    pub(super) fn of(chunks: Vec<Bytes>) -> Self {
        let (mut md5, mut sha256) = (Md5::new(), Sha256::new());
        for chunk in &chunks {
            md5.update(chunk);
            sha256.update(chunk);
        }
        Self {
            size: chunks.iter().map(|chunk| chunk.len() as u64).sum(),
            chunks,
            md5: md5.finalize().into(),
            sha256: sha256.finalize().into(),
        }
    }

    fn body(&self, moved: &Arc<AtomicU64>) -> Moving<Chunks> {
        Moving {
            body: Chunks {
                left: self.size,
                chunks: self.chunks.iter().cloned().collect(),
            },
            moved: moved.clone(),
        }
    }
}

/// What goes to a bucket on S3, and comes back.
#[derive(Clone, Debug)]
pub(super) struct Store {
    place: Arc<Place>,
}

impl Store {
    pub(super) fn new(place: Place) -> Self {
        Self {
            place: Arc::new(place),
        }
    }

    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// Sends a request; what S3 refuses is an error.
    pub(super) async fn send(&self, mut call: Call<'_>) -> Result<Response<ResponseBody>, S3Error> {
        let begun = Instant::now();
        let mut delays = DELAYS.into_iter();
        loop {
            let error = match self.send_once(&mut call).await {
                Ok(answer) if answer.status().is_success() => return Ok(answer),
                Ok(answer) => self.refusal(answer).await,
                Err(error) => error,
            };
            let delay = delays.next();
            let Some(delay) = delay.filter(|_| call.may_repeat(&error) && begun.elapsed() < AGAIN)
            else {
                return Err(error);
            };
            tracing::debug!(bucket = self.place.bucket, %error, "S3 is asked again");
            tokio::time::sleep(jitter(delay)).await;
        }
    }

    /// The same, with all of the document that is answered.
    pub(super) async fn ask(&self, call: Call<'_>) -> Result<(HeaderMap, String), S3Error> {
        let (head, body) = self.send(call).await?.into_parts();
        let text = collect(body, MOST_DOCUMENT).await?;
        if xml::root(&text) == Some("Error") {
            // What took S3 long began with a 200.
            let (code, message) = xml::refusal(&text);
            return Err(S3Error::Refused {
                status: StatusCode::INTERNAL_SERVER_ERROR,
                code,
                message,
            });
        }
        Ok((head.headers, text))
    }

    async fn send_once(&self, call: &mut Call<'_>) -> Result<Response<ResponseBody>, S3Error> {
        let moved = Arc::new(AtomicU64::new(0));
        let mut headers = call.headers.clone();
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        let (body, digest) = match &mut call.payload {
            Payload::Nothing => (RequestBody::empty(), Some(Sha256::digest([]).into())),
            Payload::Bytes(part) => {
                let md5 = BASE64_STANDARD.encode(part.md5);
                if let Ok(md5) = HeaderValue::try_from(md5) {
                    headers.insert(CONTENT_MD5, md5);
                }
                let body = match part.size {
                    0 => RequestBody::empty(),
                    _ => RequestBody::new(part.body(&moved)),
                };
                (body, Some(part.sha256))
            }
            // Its digest is known when it is sent.
            Payload::Stream(stream) => {
                let body = stream.take().map(|body| Moving {
                    body,
                    moved: moved.clone(),
                });
                (body.map_or_else(RequestBody::empty, RequestBody::new), None)
            }
        };
        let uri = self.uri(call)?;
        let mut signed = HttpRequest::new(HttpRequestBody::empty());
        *signed.method_mut() = call.method.clone();
        *signed.uri_mut() = uri;
        *signed.headers_mut() = headers;
        let place = &self.place;
        AwsAuthorizer::new(&place.credential, "s3", &place.region)
            .with_sign_payload(digest.is_some())
            .try_authorize(&mut signed, digest.as_ref().map(<[u8; 32]>::as_slice))
            .map_err(|_| S3Error::Document("a request cannot be signed".into()))?;
        let (head, _) = signed.into_parts();
        let request = Request::from_parts(head, body);
        let client = client()?;
        let mut sending = std::pin::pin!(client.send(request));
        let mut seen = 0;
        loop {
            if let Ok(sent) = tokio::time::timeout(PATIENCE, &mut sending).await {
                return sent.map_err(S3Error::Send);
            }
            let now = moved.load(Ordering::Relaxed);
            if now == seen {
                return Err(S3Error::Timeout);
            }
            seen = now;
        }
    }

    fn uri(&self, call: &Call<'_>) -> Result<Uri, S3Error> {
        let mut uri = self.place.base.clone();
        match call.key {
            Some(key) => {
                uri.push('/');
                uri.extend(utf8_percent_encode(key, &KEPT_IN_PATHS));
            }
            // Of a host alone the path is one too.
            None if !uri["https://".len()..].contains('/') => uri.push('/'),
            None => {}
        }
        for (at, (name, value)) in call.query.iter().enumerate() {
            uri.push(if at == 0 { '?' } else { '&' });
            uri.push_str(name);
            uri.push('=');
            uri.extend(utf8_percent_encode(value, &KEPT));
        }
        uri.parse()
            .map_err(|_| S3Error::Document("an object's address is no URL".into()))
    }

    async fn refusal(&self, answer: Response<ResponseBody>) -> S3Error {
        let (head, body) = answer.into_parts();
        let text = collect(body, MOST_REFUSAL).await.unwrap_or_default();
        let (mut code, mut message) = xml::refusal(&text);
        if code.is_empty() {
            // The answer to HEAD has no document.
            code = head.status.canonical_reason().unwrap_or_default().into();
        }
        let region = head.headers.get(REGION).and_then(|it| it.to_str().ok());
        if let Some(region) = region.filter(|region| *region != self.place.region) {
            message = format!("{message} (the bucket's region is {region:?})");
        }
        S3Error::Refused {
            status: head.status,
            code,
            message,
        }
    }
}

/// The next bytes of an answer; None at its end.
pub(super) async fn next(body: &mut ResponseBody) -> Result<Option<Bytes>, S3Error> {
    loop {
        let frame = tokio::time::timeout(PATIENCE, body.frame()).await;
        match frame.map_err(|_| S3Error::Timeout)? {
            None => return Ok(None),
            Some(Err(error)) => return Err(S3Error::Cut(error.to_string())),
            Some(Ok(frame)) => {
                if let Ok(bytes) = frame.into_data() {
                    return Ok(Some(bytes));
                }
            }
        }
    }
}

async fn collect(mut body: ResponseBody, most: usize) -> Result<String, S3Error> {
    let mut all = BytesMut::new();
    while let Some(bytes) = next(&mut body).await? {
        if all.len() + bytes.len() > most {
            return Err(S3Error::Document("it is too long".into()));
        }
        all.extend_from_slice(&bytes);
    }
    String::from_utf8(all.into()).map_err(|_| S3Error::Document("it is no text".into()))
}

/// A half to all of it, so that those who failed together do not come back together.
fn jitter(delay: Duration) -> Duration {
    let mut random = [0];
    // Without it they do.
    let _ = getrandom::fill(&mut random);
    delay / 2 + delay / 2 * u32::from(random[0]) / 255
}

/// What of a request's body is the asker's fault.
pub(super) fn body_fault(error: &S3Error) -> Option<R2Error> {
    let S3Error::Send(SendError::RequestBody { source, .. }) = error else {
        return None;
    };
    Some(match source {
        RequestBodyError::TooLong | RequestBodyError::TooShort { .. } => R2Error::Incomplete,
        other => R2Error::Body(other.to_string()),
    })
}

struct Chunks {
    chunks: VecDeque<Bytes>,
    left: u64,
}

impl Body for Chunks {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let next = self.chunks.pop_front();
        Poll::Ready(next.map(|chunk| {
            self.left -= chunk.len() as u64;
            Ok(Frame::data(chunk))
        }))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

/// A body that says how long it will be.
pub(super) struct Measured {
    pub(super) body: HostBody,
    pub(super) left: u64,
}

impl Body for Measured {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let next = Pin::new(&mut self.body).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &next
            && let Some(bytes) = frame.data_ref()
        {
            self.left = self.left.saturating_sub(bytes.len() as u64);
        }
        next
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

/// A body whose progress is seen.
struct Moving<B> {
    body: B,
    moved: Arc<AtomicU64>,
}

impl<B: Body<Data = Bytes> + Unpin> Body for Moving<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let next = Pin::new(&mut self.body).poll_frame(cx);
        if next.is_ready() {
            self.moved.fetch_add(1, Ordering::Relaxed);
        }
        next
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
