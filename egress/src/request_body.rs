//! The body that is sent.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use tokio::sync::{mpsc, oneshot};

/// Chunks that wait between a writer and its connection. Enough to keep both
/// busy; a stalled server holds back the writer after these and one more.
const CHANNEL_CHUNKS: usize = 4;

/// A request's body: nothing, bytes, or a stream.
pub struct RequestBody {
    kind: Kind,
    /// What is left of a length that was promised.
    left: Option<u64>,
    leash: Option<Leash>,
}

enum Kind {
    Bytes(Option<Bytes>),
    Channel {
        chunks: mpsc::Receiver<Bytes>,
        ending: Arc<OnceLock<Ending>>,
    },
    Other(UnsyncBoxBody<Bytes, RequestBodyError>),
    Over,
}

enum Ending {
    Finished,
    Aborted(String),
}

/// Ties a stream to its exchange: with a message the exchange is complete and
/// the stream may go on, dropped it isn't wanted any more.
pub(crate) type Leash = oneshot::Receiver<()>;

/// Why a request's body wasn't sent whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestBodyError {
    /// The writer was dropped without [`BodySender::finish`].
    #[error("its writer went away before the end")]
    Unfinished,
    /// The writer, or the body that was given, failed.
    #[error("{0}")]
    Failed(String),
    /// It is longer than the length that was given for it.
    #[error("it is longer than its length says")]
    TooLong,
    /// It is shorter than the length that was given for it.
    #[error("it is {missing} bytes shorter than its length says")]
    TooShort {
        /// How much is missing.
        missing: u64,
    },
    /// The request or its response was dropped.
    #[error("the exchange was dropped")]
    Abandoned,
}

impl RequestBody {
    /// No body.
    pub fn empty() -> RequestBody {
        RequestBody::from(Bytes::new())
    }

    /// A body that is written while it is sent, and its writer. With a length
    /// it is sent as so many bytes, else in chunks.
    pub fn channel(length: Option<u64>) -> (BodySender, RequestBody) {
        let (sender, chunks) = mpsc::channel(CHANNEL_CHUNKS);
        let ending = Arc::new(OnceLock::new());
        let body = RequestBody {
            kind: Kind::Channel {
                chunks,
                ending: Arc::clone(&ending),
            },
            left: length,
            leash: None,
        };
        (BodySender { sender, ending }, body)
    }

    /// Any body; its length is known if its size hint is exact.
    pub fn new<B>(body: B) -> RequestBody
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let left = body.size_hint().exact();
        let body = body.map_err(|error| RequestBodyError::Failed(error.into().to_string()));
        RequestBody {
            kind: Kind::Other(body.boxed_unsync()),
            left,
            leash: None,
        }
    }

    /// The same body again, if it can be sent again.
    pub(crate) fn replay(&self) -> Option<RequestBody> {
        match &self.kind {
            Kind::Bytes(bytes) => Some(bytes.clone().unwrap_or_default().into()),
            _ => None,
        }
    }

    /// Ties a stream to its exchange.
    pub(crate) fn tie(&mut self, leash: Leash) {
        if !matches!(self.kind, Kind::Bytes(_)) {
            self.leash = Some(leash);
        }
    }

    fn poll_data(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, RequestBodyError>>> {
        match &mut self.kind {
            Kind::Bytes(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Kind::Channel { chunks, ending } => match ready!(chunks.poll_recv(cx)) {
                Some(chunk) => Poll::Ready(Some(Ok(Frame::data(chunk)))),
                None => Poll::Ready(match ending.get() {
                    Some(Ending::Finished) => None,
                    Some(Ending::Aborted(why)) => Some(Err(RequestBodyError::Failed(why.clone()))),
                    None => Some(Err(RequestBodyError::Unfinished)),
                }),
            },
            Kind::Other(body) => Pin::new(body).poll_frame(cx),
            Kind::Over => Poll::Ready(None),
        }
    }

    /// Holds a body to its promised length: a server that was promised more or
    /// less would take the rest for another request, or wait for it.
    fn measure(&mut self, frame: Option<&Frame<Bytes>>) -> Result<(), RequestBodyError> {
        let Some(left) = self.left else {
            return Ok(());
        };
        match frame {
            Some(frame) => {
                let length = frame.data_ref().map_or(0, |data| data.len() as u64);
                let rest = left.checked_sub(length);
                self.left = Some(rest.ok_or(RequestBodyError::TooLong)?);
                Ok(())
            }
            None if left > 0 => Err(RequestBodyError::TooShort { missing: left }),
            None => Ok(()),
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = RequestBodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, RequestBodyError>>> {
        let this = self.get_mut();
        if let Some(leash) = &mut this.leash {
            match Pin::new(leash).poll(cx) {
                Poll::Ready(Ok(())) => this.leash = None,
                Poll::Ready(Err(_)) => {
                    this.leash = None;
                    this.kind = Kind::Over;
                    return Poll::Ready(Some(Err(RequestBodyError::Abandoned)));
                }
                Poll::Pending => {}
            }
        }
        let frame = ready!(this.poll_data(cx)).transpose();
        let frame = frame.and_then(|frame| this.measure(frame.as_ref()).map(|()| frame));
        if frame.is_err() {
            this.kind = Kind::Over;
            this.left = None;
        }
        Poll::Ready(frame.transpose())
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Bytes(bytes) => bytes.is_none(),
            // Before the promised end a body isn't over, whatever it says.
            Kind::Channel { .. } => self.left == Some(0),
            Kind::Other(body) => body.is_end_stream() && self.left.unwrap_or(0) == 0,
            Kind::Over => true,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match (&self.kind, self.left) {
            (_, Some(left)) => SizeHint::with_exact(left),
            (Kind::Other(body), None) => body.size_hint(),
            _ => SizeHint::default(),
        }
    }
}

impl From<Bytes> for RequestBody {
    fn from(bytes: Bytes) -> RequestBody {
        RequestBody {
            left: Some(bytes.len() as u64),
            kind: Kind::Bytes(Some(bytes).filter(|bytes| !bytes.is_empty())),
            leash: None,
        }
    }
}

impl From<&'static str> for RequestBody {
    fn from(text: &'static str) -> RequestBody {
        Bytes::from_static(text.as_bytes()).into()
    }
}

impl From<Vec<u8>> for RequestBody {
    fn from(bytes: Vec<u8>) -> RequestBody {
        Bytes::from(bytes).into()
    }
}

impl fmt::Debug for RequestBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestBody")
            .field("left", &self.left)
            .finish_non_exhaustive()
    }
}

/// Writes a body that is being sent. Dropped before [`finish`](Self::finish)
/// it breaks the request off, so that a server never takes half a body for a
/// whole one.
#[derive(Debug)]
pub struct BodySender {
    sender: mpsc::Sender<Bytes>,
    ending: Arc<OnceLock<Ending>>,
}

/// Nobody reads the body any more: the exchange failed, ended or was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the request body is no longer read")]
pub struct BodyRefused;

impl BodySender {
    /// Sends a chunk, when there is room for it. Cancel-safe: a dropped call
    /// has sent nothing.
    pub async fn send(&mut self, chunk: Bytes) -> Result<(), BodyRefused> {
        self.sender.send(chunk).await.map_err(|_| BodyRefused)
    }

    /// Waits until nobody reads the body any more.
    pub async fn closed(&self) {
        self.sender.closed().await;
    }

    /// Ends the body.
    pub fn finish(self) {
        // Fails only if set already, and both ways to set it consume self.
        let _ = self.ending.set(Ending::Finished);
    }

    /// Breaks the request off and says why.
    pub fn abort(self, why: impl Into<String>) {
        let _ = self.ending.set(Ending::Aborted(why.into()));
    }
}

impl fmt::Debug for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Ending::Finished => "Finished",
            Ending::Aborted(_) => "Aborted",
        })
    }
}
