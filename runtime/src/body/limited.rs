//! An answer's body that may have so many bytes and no more.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::{BodyError, ResponseBody};

/// Ends with an error where the body goes on past its limit, which cuts the
/// client's connection: what was sent cannot be taken back.
pub struct LimitedBody {
    body: Box<ResponseBody>,
    limit: u64,
    left: u64,
    /// Told of a breach, once.
    breached: Option<Box<dyn FnOnce()>>,
}

impl LimitedBody {
    pub(crate) fn new(body: ResponseBody, limit: u64, breached: impl FnOnce() + 'static) -> Self {
        Self {
            body: Box::new(body),
            limit,
            left: limit,
            breached: Some(Box::new(breached)),
        }
    }
}

impl Body for LimitedBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        let frame = ready!(Pin::new(&mut *this.body).poll_frame(cx));
        let bytes = match &frame {
            Some(Ok(frame)) => frame.data_ref().map_or(0, Bytes::len) as u64,
            _ => 0,
        };
        if bytes <= this.left {
            this.left -= bytes;
            return Poll::Ready(frame);
        }
        // The script's stream is cancelled, and a host's exchange ends.
        *this.body = ResponseBody::empty();
        this.left = 0;
        if let Some(breached) = this.breached.take() {
            breached();
        }
        Poll::Ready(Some(Err(BodyError(format!(
            "the body is over {} bytes",
            this.limit
        )))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
