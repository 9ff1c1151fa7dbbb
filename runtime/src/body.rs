//! Bodies: bytes that stream between the host and a script.

mod head;
mod limited;

use std::cell::{Cell, RefCell};
use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use deno_core::{BufView, Resource};
use futures::FutureExt;
use futures::future::LocalBoxFuture;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;

pub use self::head::{body_behind, split_head};
pub(crate) use self::limited::LimitedBody;
use crate::object::Object;

/// A stream of bytes between the host and the runtime. `Send`, since the host
/// may carry it over a connection of its own.
pub type HostBody = UnsyncBoxBody<Bytes, BodyError>;

/// Why a body ended before its end.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BodyError(pub String);

impl BodyError {
    pub(crate) fn new(error: impl fmt::Display) -> Self {
        Self(error.to_string())
    }
}

/// A body of no bytes.
pub fn empty_body() -> HostBody {
    http_body_util::Empty::new()
        .map_err(|never| match never {})
        .boxed_unsync()
}

/// A body that is there already.
pub fn full_body(bytes: impl Into<Bytes>) -> HostBody {
    http_body_util::Full::new(bytes.into())
        .map_err(|never| match never {})
        .boxed_unsync()
}

/// What answers an event. Stays on its lane: a script may still be writing it.
pub enum ResponseBody {
    /// All of it, or nothing once read.
    Full(Bytes),
    /// Bytes of the host's that the script passed on untouched.
    Host(HostBody),
    /// A script's stream.
    Script(ScriptBody),
    /// Any of them that may go on for so long only.
    Limited(LimitedBody),
}

impl ResponseBody {
    /// A body of no bytes.
    pub fn empty() -> Self {
        Self::Full(Bytes::new())
    }
}

impl ResponseBody {
    /// For another thread: the body as a stream that can leave the lane, and
    /// the work that carries a script's stream there, to be awaited on the lane.
    pub(crate) fn into_host(self) -> (HostBody, Option<impl Future<Output = ()>>) {
        self.into_host_past(None)
    }

    /// The same, each chunk once what `object` wrote before it is durable.
    fn into_host_past(
        self,
        object: Option<Rc<Object>>,
    ) -> (HostBody, Option<impl Future<Output = ()>>) {
        match self {
            Self::Full(bytes) => (full_body(bytes), None),
            Self::Host(body) => (body, None),
            Self::Script(_) | Self::Limited(_) => {
                let left = self.size_hint().exact();
                let mut body = self;
                let (sender, receiver) = tokio::sync::mpsc::channel(CARRIED);
                let carry = async move {
                    // Ends when the reader is gone: the stream is then cancelled.
                    loop {
                        let frame = tokio::select! {
                            frame = body.frame() => frame,
                            error = broken(object.as_deref()) => Some(Err(error)),
                            () = sender.closed() => return,
                        };
                        let Some(frame) = frame else { return };
                        let is_last = frame.is_err();
                        let mut chunk = match frame.map(Frame::into_data) {
                            Ok(Ok(bytes)) => Ok(bytes),
                            Ok(Err(_trailers)) => continue,
                            Err(error) => Err(error),
                        };
                        if let Some(object) = &object
                            && let Err(error) = object.durable().await
                        {
                            chunk = Err(BodyError(error.to_string()));
                        }
                        if sender.send(chunk).await.is_err() || is_last {
                            return;
                        }
                    }
                };
                let carried = CarriedBody { receiver, left };
                (carried.boxed_unsync(), Some(carry))
            }
        }
    }
}

/// A body that may leave its lane, carried from there by a task of the lane's; that of
/// an `object`'s answer each chunk once what it wrote before is durable.
pub(crate) fn carried(body: ResponseBody, object: Option<Rc<Object>>) -> HostBody {
    let (body, carry) = body.into_host_past(object);
    if let Some(carry) = carry {
        deno_core::unsync::spawn(carry);
    }
    body
}

/// Waits until the object that writes a body is no more.
async fn broken(object: Option<&Object>) -> BodyError {
    match object {
        Some(object) => BodyError(object.broken().await.to_string()),
        None => std::future::pending().await,
    }
}

/// Chunks of a script's stream under way to another thread; a chunk is 64 KiB
/// at most.
const CARRIED: usize = 2;

/// A script's stream, read on another thread than its lane.
struct CarriedBody {
    receiver: tokio::sync::mpsc::Receiver<Result<Bytes, BodyError>>,
    /// Bytes still promised, where the length was given.
    left: Option<u64>,
}

impl Body for CarriedBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        let chunk = ready!(this.receiver.poll_recv(cx));
        if let (Some(left), Some(Ok(bytes))) = (&mut this.left, &chunk) {
            *left = left.saturating_sub(bytes.len() as u64);
        }
        Poll::Ready(chunk.map(|result| result.map(Frame::data)))
    }

    fn size_hint(&self) -> SizeHint {
        self.left
            .map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

impl fmt::Debug for ResponseBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "ResponseBody::Full",
            Self::Host(_) => "ResponseBody::Host",
            Self::Script(_) => "ResponseBody::Script",
            Self::Limited(_) => "ResponseBody::Limited",
        })
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match self.get_mut() {
            Self::Full(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Full(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Self::Host(body) => Pin::new(body).poll_frame(cx),
            Self::Script(body) => body
                .poll_chunk(cx)
                .map(|chunk| chunk.map(|result| result.map(Frame::data))),
            Self::Limited(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Full(bytes) => bytes.is_empty(),
            Self::Host(body) => body.is_end_stream(),
            Self::Script(body) => body.ended,
            Self::Limited(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Host(body) => body.size_hint(),
            Self::Script(body) => match body.left {
                Some(left) => SizeHint::with_exact(left),
                None => SizeHint::default(),
            },
            Self::Limited(body) => body.size_hint(),
        }
    }
}

/// Chunks that a script's ReadableStream gives, pulled one at a time: while
/// nobody reads, the stream's own queue fills and the script waits.
pub struct ScriptBody {
    resource: Rc<dyn Resource>,
    read: Option<LocalBoxFuture<'static, Result<BufView, BodyError>>>,
    /// Bytes still promised, where the length was given.
    left: Option<u64>,
    ended: bool,
    /// What may end it before its end.
    cut: Option<Rc<Cut>>,
    /// Told how the body ended, once.
    done: Option<Box<dyn FnOnce(BodyEnd)>>,
}

/// Ends a script's stream that its script does not end any more.
#[derive(Default)]
pub(crate) struct Cut {
    reason: RefCell<Option<String>>,
    waker: Cell<Option<Waker>>,
}

impl Cut {
    pub(crate) fn cut(&self, reason: String) {
        *self.reason.borrow_mut() = Some(reason);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    fn poll(&self, cx: &Context<'_>) -> Option<String> {
        let reason = self.reason.borrow_mut().take();
        if reason.is_none() {
            self.waker.set(Some(cx.waker().clone()));
        }
        reason
    }
}

/// How a script's stream ended for its reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyEnd {
    /// Read to its end, or to the script's own error.
    Whole,
    /// The reader left before.
    Cut,
}

/// How much is asked of a script's stream at a time.
const CHUNK: usize = 64 << 10;

impl ScriptBody {
    pub(crate) fn new(
        resource: Rc<dyn Resource>,
        length: Option<u64>,
        done: impl FnOnce(BodyEnd) + 'static,
    ) -> Self {
        Self {
            resource,
            read: None,
            left: length,
            ended: false,
            cut: None,
            done: Some(Box::new(done)),
        }
    }

    /// The same, which `cut` ends with an error.
    pub(crate) fn until(mut self, cut: Rc<Cut>) -> Self {
        self.cut = Some(cut);
        self
    }

    pub(crate) fn poll_chunk(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, BodyError>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        if let Some(cut) = &self.cut
            && let Some(reason) = cut.poll(cx)
        {
            self.ended = true;
            return Poll::Ready(Some(Err(BodyError(reason))));
        }
        let resource = &self.resource;
        let read = self.read.get_or_insert_with(|| {
            resource
                .clone()
                .read(CHUNK)
                .map(|result| result.map_err(BodyError::new))
                .boxed_local()
        });
        let result = ready!(read.as_mut().poll(cx));
        self.read = None;
        Poll::Ready(match result {
            Ok(chunk) if chunk.is_empty() => {
                self.ended = true;
                match self.left {
                    Some(left) if left > 0 => Some(Err(BodyError(format!(
                        "the body ended {left} bytes before its Content-Length"
                    )))),
                    _ => None,
                }
            }
            Ok(chunk) => {
                if let Some(left) = &mut self.left {
                    *left = left.saturating_sub(chunk.len() as u64);
                }
                Some(Ok(Bytes::copy_from_slice(&chunk)))
            }
            Err(error) => {
                self.ended = true;
                Some(Err(error))
            }
        })
    }
}

impl Drop for ScriptBody {
    fn drop(&mut self) {
        if let Some(done) = self.done.take() {
            done(if self.ended {
                BodyEnd::Whole
            } else {
                BodyEnd::Cut
            });
        }
        self.read = None;
        self.resource.clone().close();
    }
}
