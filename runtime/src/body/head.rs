//! Bodies that begin with a head of their own: what some services put before the
//! bytes that are meant.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;

use super::{BodyError, HostBody};

/// A body of `head`, and `rest` behind it.
pub fn body_behind(head: impl Into<Bytes>, rest: HostBody) -> HostBody {
    let head = head.into();
    Behind { head, rest }.boxed_unsync()
}

/// Bytes, and a body behind them.
struct Behind {
    head: Bytes,
    rest: HostBody,
}

impl Body for Behind {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        if this.head.is_empty() {
            return Pin::new(&mut this.rest).poll_frame(cx);
        }
        let head = std::mem::take(&mut this.head);
        Poll::Ready(Some(Ok(Frame::data(head))))
    }

    fn is_end_stream(&self) -> bool {
        self.head.is_empty() && self.rest.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (rest, head) = (self.rest.size_hint(), self.head.len() as u64);
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower().saturating_add(head));
        if let Some(upper) = rest.upper().and_then(|upper| upper.checked_add(head)) {
            hint.set_upper(upper);
        }
        hint
    }
}

/// The first `count` bytes of a body, and the rest of it.
pub async fn split_head(mut body: HostBody, count: usize) -> Result<(Bytes, HostBody), BodyError> {
    let mut head = BytesMut::new();
    let mut left = Bytes::new();
    while head.len() < count {
        let Some(frame) = body.frame().await else {
            let had = head.len();
            return Err(BodyError(format!("it ended after {had} of {count} bytes")));
        };
        let Ok(mut chunk) = frame?.into_data() else {
            continue;
        };
        let taken = chunk.split_to(chunk.len().min(count - head.len()));
        head.extend_from_slice(&taken);
        left = chunk;
    }
    Ok((head.freeze(), body_behind(left, body)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::full_body;

    fn chunks(list: &[&'static str]) -> HostBody {
        let frames = list.iter().map(|text| Ok(Frame::data(Bytes::from(*text))));
        let frames: Vec<_> = frames.collect();
        http_body_util::StreamBody::new(futures::stream::iter(frames)).boxed_unsync()
    }

    #[tokio::test]
    async fn a_head_is_split_wherever_chunks_end() {
        for list in [
            &["headrest"][..],
            &["he", "ad", "rest"],
            &["hea", "dre", "st"],
        ] {
            let (head, rest) = split_head(chunks(list), 4)
                .await
                .expect("it is long enough");
            assert_eq!(head, "head");
            let rest = rest.collect().await.expect("it is sound").to_bytes();
            assert_eq!(rest, "rest", "{list:?}");
        }
        let short = split_head(chunks(&["he", "a"]), 4).await;
        assert!(short.is_err());
        let (head, rest) = split_head(full_body("headrest"), 4)
            .await
            .expect("long enough");
        assert_eq!((head.len(), rest.size_hint().exact()), (4, Some(4)));
    }
}
