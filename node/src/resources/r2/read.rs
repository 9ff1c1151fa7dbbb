//! Reading an object: its blobs one behind the other, which stay until it is read.

use std::collections::HashMap;
use std::io;
use std::pin::Pin as StdPin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use outboard_runtime::{BodyError, HostBody};
use parking_lot::Mutex;

use super::blobs::{BlobId, Blobs};
use super::error::R2Error;
use super::index::{Blob, Doomed};
use super::kept::Releasing;
use super::protocol::ToldRange;

/// Objects that are being read, by the owner of their blobs.
#[derive(Default)]
pub(super) struct Pins {
    pinned: Mutex<HashMap<i64, Pinned>>,
}

#[derive(Default)]
struct Pinned {
    readers: usize,
    /// To be removed when nobody reads them.
    doomed: Vec<BlobId>,
}

impl Pins {
    pub(super) fn pin(pins: &Arc<Self>, owner: i64) -> Pin {
        pins.pinned.lock().entry(owner).or_default().readers += 1;
        Pin {
            pins: pins.clone(),
            owner,
        }
    }

    /// Which of these nobody reads; the others go with their last reader.
    pub(super) fn doom(&self, doomed: Doomed) -> Vec<BlobId> {
        if doomed.is_empty() {
            return Vec::new();
        }
        let mut pinned = self.pinned.lock();
        let unread = doomed.into_iter().filter(|(owner, blob)| {
            let reading = pinned.get_mut(owner);
            reading.map(|reading| reading.doomed.push(*blob)).is_none()
        });
        unread.map(|(_, blob)| blob).collect()
    }
}

/// One reader of an object.
pub(super) struct Pin {
    pins: Arc<Pins>,
    owner: i64,
}

impl Pin {
    /// Lets go; gives the blobs that are to be removed now.
    pub(super) fn release(self) -> Vec<BlobId> {
        let mut pinned = self.pins.pinned.lock();
        let Some(reading) = pinned.get_mut(&self.owner) else {
            return Vec::new();
        };
        reading.readers -= 1;
        if reading.readers > 0 {
            return Vec::new();
        }
        let ended = pinned.remove(&self.owner);
        ended.map(|ended| ended.doomed).unwrap_or_default()
    }
}

/// The bytes of an object that somebody asked for.
pub(crate) struct Reading {
    chunks: BoxStream<'static, io::Result<Bytes>>,
    left: u64,
    /// Of blobs that are to stay as long.
    _releasing: Option<Releasing>,
}

impl Reading {
    /// Opens the first blob, so that one that is not there is an error and no
    /// answer that is cut.
    pub(super) async fn open(
        blobs: &Blobs,
        parts: Vec<Blob>,
        range: ToldRange,
        releasing: Releasing,
    ) -> Result<Self, R2Error> {
        let mut pieces = pieces(&parts, range).into_iter();
        let first = match pieces.next() {
            Some(piece) => blobs
                .read(piece.id, piece.offset, piece.length)
                .await?
                .boxed(),
            None => futures::stream::empty().boxed(),
        };
        let blobs = blobs.clone();
        let rest = futures::stream::iter(pieces).then(move |piece| {
            let blobs = blobs.clone();
            async move {
                let opened = blobs.read(piece.id, piece.offset, piece.length).await;
                match opened {
                    Ok(stream) => stream.boxed(),
                    Err(error) => {
                        let failed = Err(io::Error::other(error));
                        futures::stream::iter([failed]).boxed()
                    }
                }
            }
        });
        Ok(Self {
            chunks: first.chain(rest.flatten()).boxed(),
            left: range.length,
            _releasing: Some(releasing),
        })
    }

    /// What comes from elsewhere, so many bytes.
    pub(super) fn of(chunks: BoxStream<'static, io::Result<Bytes>>, length: u64) -> Self {
        Self {
            chunks,
            left: length,
            _releasing: None,
        }
    }

    pub(crate) fn into_body(self) -> HostBody {
        self.boxed_unsync()
    }
}

impl Body for Reading {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: StdPin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        this.chunks.poll_next_unpin(cx).map(|chunk| match chunk? {
            Ok(bytes) => {
                this.left = this.left.saturating_sub(bytes.len() as u64);
                Some(Ok(Frame::data(bytes)))
            }
            Err(error) => {
                tracing::error!(%error, "an object's bytes cannot be read");
                Some(Err(BodyError("the object's bytes cannot be read".into())))
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Piece {
    id: BlobId,
    offset: u64,
    length: u64,
}

/// Which bytes of which blobs a range is.
fn pieces(parts: &[Blob], range: ToldRange) -> Vec<Piece> {
    let end = range.offset + range.length;
    let mut at = 0;
    let mut pieces = Vec::new();
    for part in parts {
        let (from, to) = (range.offset.max(at), end.min(at + part.size));
        if from < to {
            pieces.push(Piece {
                id: part.id,
                offset: from - at,
                length: to - from,
            });
        }
        at += part.size;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn pieces_are_the_range(
            sizes in proptest::collection::vec(0u64..5, 0..6),
            offset in 0u64..30,
            length in 0u64..30,
        ) {
            let mut bytes = Vec::new();
            let parts: Vec<_> = (0..).zip(&sizes).map(|(number, size)| {
                let id = BlobId(number.into());
                bytes.extend((0..*size).map(|at| (id, at)));
                Blob { id, number, size: *size, md5: [0; 16] }
            }).collect();
            let found: Vec<_> = pieces(&parts, ToldRange { offset, length })
                .into_iter()
                .flat_map(|piece| (piece.offset..piece.offset + piece.length).map(move |at| (piece.id, at)))
                .collect();
            let expected: Vec<_> = bytes.into_iter().skip(offset as usize).take(length as usize).collect();
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn what_is_read_goes_with_its_last_reader() {
        let pins = Arc::new(Pins::default());
        let (one, two) = (Pins::pin(&pins, 1), Pins::pin(&pins, 1));
        assert_eq!(
            pins.doom(vec![(1, BlobId(10)), (2, BlobId(20))]),
            [BlobId(20)]
        );
        assert_eq!(one.release(), []);
        assert_eq!(two.release(), [BlobId(10)]);
        assert_eq!(pins.doom(vec![(1, BlobId(11))]), [BlobId(11)]);
    }
}
