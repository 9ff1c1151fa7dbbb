//! The body that comes back.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::sync::oneshot;

use crate::error::BodyError;
use crate::request_body::Leash;
use crate::slots::Slot;
use crate::target::Peer;

/// A response's body, read from the network as it is polled; its data frames
/// are never empty. Dropped before
/// its end it aborts the exchange: an HTTP/1.1 connection is closed, an HTTP/2
/// stream reset, and a request body that is still being sent fails.
pub struct ResponseBody {
    /// None after the end or an error.
    open: Option<Open>,
    peer: Peer,
}

struct Open {
    incoming: Incoming,
    exchange: Exchange,
}

/// What lasts as long as an exchange does.
pub(crate) struct Exchange {
    /// Held for its drop, which breaks off a request body on the leash.
    upload: oneshot::Sender<()>,
    _slot: Slot,
}

impl Exchange {
    pub(crate) fn new(slot: Slot) -> (Exchange, Leash) {
        let (upload, leash) = oneshot::channel();
        let exchange = Exchange {
            upload,
            _slot: slot,
        };
        (exchange, leash)
    }
}

impl ResponseBody {
    pub(crate) fn new(incoming: Incoming, peer: Peer, exchange: Exchange) -> ResponseBody {
        let open = Some(Open { incoming, exchange });
        let mut body = ResponseBody { open, peer };
        body.close_if_ended();
        body
    }

    fn close_if_ended(&mut self) {
        if self
            .open
            .as_ref()
            .is_some_and(|open| open.incoming.is_end_stream())
        {
            self.end();
        }
    }

    /// The response is whole. Its request may be sent to the end even so: a
    /// server that answers early may still want it.
    fn end(&mut self) {
        if let Some(open) = self.open.take() {
            // No receiver means that nothing is being sent.
            let _ = open.exchange.upload.send(());
        }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        loop {
            let Some(open) = &mut this.open else {
                return Poll::Ready(None);
            };
            return Poll::Ready(match ready!(Pin::new(&mut open.incoming).poll_frame(cx)) {
                Some(Ok(frame)) => {
                    this.close_if_ended();
                    // HTTP/2 ends many streams with an empty frame, which a
                    // reader would have to tell from data.
                    if frame.data_ref().is_some_and(Bytes::is_empty) {
                        continue;
                    }
                    Some(Ok(frame))
                }
                Some(Err(error)) => {
                    this.open = None;
                    Some(Err(BodyError::read(&error, &this.peer)))
                }
                None => {
                    this.end();
                    None
                }
            });
        }
    }

    fn is_end_stream(&self) -> bool {
        self.open.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        match &self.open {
            Some(open) => open.incoming.size_hint(),
            None => SizeHint::with_exact(0),
        }
    }
}

impl fmt::Debug for ResponseBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBody")
            .field("peer", &self.peer)
            .field("ended", &self.open.is_none())
            .finish()
    }
}
