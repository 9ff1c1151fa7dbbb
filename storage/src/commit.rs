//! A commit: the pages that one transaction of one object changed.

use std::sync::Arc;

use crate::key::{Epoch, NamespaceId, ObjectId, ObjectKey, Seq};

/// Bytes in a page of a database.
pub const PAGE_SIZE: usize = 4096;

/// A page's bytes, shared by the object that made it and the log that writes it.
pub type Page = Arc<[u8; PAGE_SIZE]>;

/// What one transaction changed. Pages are whole: replaying commits in their
/// order gives the database, whatever of it was on disk before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    pub object: ObjectKey,
    pub epoch: Epoch,
    /// The database had no pages before it.
    pub is_first: bool,
    /// A part of a change that is larger than a commit: the database means nothing
    /// until a commit of the same epoch that is not one.
    pub goes_on: bool,
    /// The object's commit before this one, as its owner knows it; zero after
    /// it was opened. A log that others write to refuses one that is not last.
    pub previous: Seq,
    /// When it was made, in milliseconds since 1970.
    pub time: u64,
    /// Pages in the database after it; 0 deletes it.
    pub size: u32,
    /// Page numbers from 1, as SQLite counts them, each once.
    pub pages: Vec<(u32, Page)>,
}

/// How a page's bytes are written. Its number is part of the format.
const RAW: u8 = 0;
const LZ4: u8 = 1;

pub(crate) const HEAD: usize = 8 + 32 + 8 + 8 + 8 + 4 + 4;
/// Bits of the epoch as it is written; no object has so many owners.
const IS_FIRST: u64 = 1 << 62;
const GOES_ON: u64 = 1 << 63;
/// Before a page's bytes: its number, how they are written, how many.
pub(crate) const PAGE_HEAD: usize = 4 + 1 + 2;

/// What a commit says before its pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CommitHead {
    pub(crate) object: ObjectKey,
    pub(crate) epoch: Epoch,
    pub(crate) is_first: bool,
    pub(crate) goes_on: bool,
    pub(crate) previous: Seq,
    pub(crate) time: u64,
    pub(crate) size: u32,
    pages: u32,
}

impl CommitHead {
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let object = Commit::object_of(bytes)?;
        let mut rest = bytes.get(40..)?;
        let (epoch, is_first, goes_on) = split_epoch(u64::from_le_bytes(take(&mut rest)?));
        Some(Self {
            object,
            epoch,
            is_first,
            goes_on,
            previous: Seq(u64::from_le_bytes(take(&mut rest)?)),
            time: u64::from_le_bytes(take(&mut rest)?),
            size: u32::from_le_bytes(take(&mut rest)?),
            pages: u32::from_le_bytes(take(&mut rest)?),
        })
    }
}

/// An epoch and what else its word says, as commits and indexes of them write it.
pub(crate) fn epoch_word(epoch: Epoch, is_first: bool, goes_on: bool) -> u64 {
    let first = if is_first { IS_FIRST } else { 0 };
    let part = if goes_on { GOES_ON } else { 0 };
    (epoch.0 & !(IS_FIRST | GOES_ON)) | first | part
}

/// The opposite of [`epoch_word`].
pub(crate) fn split_epoch(word: u64) -> (Epoch, bool, bool) {
    let epoch = Epoch(word & !(IS_FIRST | GOES_ON));
    (epoch, word & IS_FIRST != 0, word & GOES_ON != 0)
}

impl Commit {
    /// The most bytes that [`Self::encode`] writes.
    pub(crate) fn bound(&self) -> usize {
        HEAD + self.pages.len() * (PAGE_HEAD + PAGE_SIZE)
    }

    /// Appends the commit's bytes.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.object.namespace.0.to_le_bytes());
        out.extend_from_slice(&self.object.id.0);
        let epoch = epoch_word(self.epoch, self.is_first, self.goes_on);
        for number in [epoch, self.previous.0, self.time] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        out.extend_from_slice(&self.size.to_le_bytes());
        let count = u32::try_from(self.pages.len()).unwrap_or(u32::MAX);
        out.extend_from_slice(&count.to_le_bytes());
        let mut packed = [0; lz4_flex::block::get_maximum_output_size(PAGE_SIZE)];
        for (number, page) in &self.pages {
            let (how, bytes) = match lz4_flex::block::compress_into(&page[..], &mut packed) {
                Ok(len) if len < PAGE_SIZE => (LZ4, &packed[..len]),
                _ => (RAW, &page[..]),
            };
            out.extend_from_slice(&number.to_le_bytes());
            out.push(how);
            // A page is 4,096 bytes at most, written either way.
            out.extend_from_slice(&(bytes.len() as u16).to_le_bytes());
            out.extend_from_slice(bytes);
        }
    }

    /// The object that encoded bytes are of, whatever is wrong after that.
    pub(crate) fn object_of(bytes: &[u8]) -> Option<ObjectKey> {
        let mut rest = bytes;
        Some(ObjectKey {
            namespace: NamespaceId(u64::from_le_bytes(take(&mut rest)?)),
            id: ObjectId(take(&mut rest)?),
        })
    }

    /// From what [`Self::encode`] wrote; `None` if it did not.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let head = CommitHead::decode(bytes)?;
        let mut rest = bytes.get(HEAD..)?;
        let mut pages = Vec::with_capacity(rest.len() / (PAGE_HEAD + PAGE_SIZE));
        for _ in 0..head.pages {
            let number = u32::from_le_bytes(take(&mut rest)?);
            (number > 0).then_some(())?;
            let [how] = take(&mut rest)?;
            let len = usize::from(u16::from_le_bytes(take(&mut rest)?));
            let (packed, after) = rest.split_at_checked(len)?;
            rest = after;
            let mut page = [0; PAGE_SIZE];
            match how {
                RAW if len == PAGE_SIZE => page.copy_from_slice(packed),
                LZ4 => {
                    let unpacked = lz4_flex::block::decompress_into(packed, &mut page).ok()?;
                    (unpacked == PAGE_SIZE).then_some(())?;
                }
                _ => return None,
            }
            pages.push((number, Arc::new(page)));
        }
        rest.is_empty().then_some(Self {
            object: head.object,
            epoch: head.epoch,
            is_first: head.is_first,
            goes_on: head.goes_on,
            previous: head.previous,
            time: head.time,
            size: head.size,
            pages,
        })
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (head, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(*head)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn commits() -> impl Strategy<Value = Commit> {
        let page = prop_oneof![
            any::<u8>().prop_map(|byte| [byte; PAGE_SIZE]),
            any::<u64>().prop_map(|seed| {
                // Bytes that do not compress.
                let mut state = seed | 1;
                std::array::from_fn(|_| {
                    state ^= state << 13;
                    state ^= state >> 7;
                    state ^= state << 17;
                    state as u8
                })
            }),
        ];
        let pages = prop::collection::vec((1..u32::MAX, page.prop_map(Arc::new)), 0..4);
        let head = any::<(u64, [u8; 32], (u64, bool, bool), u64, u64, u32)>();
        (head, pages).prop_map(|(head, pages)| {
            let (namespace, id, (epoch, is_first, goes_on), previous, time, size) = head;
            Commit {
                object: ObjectKey {
                    namespace: NamespaceId(namespace),
                    id: ObjectId(id),
                },
                epoch: Epoch(epoch >> 2),
                is_first,
                goes_on,
                previous: Seq(previous),
                time,
                size,
                pages,
            }
        })
    }

    proptest! {
        #[test]
        fn what_was_encoded_is_decoded(commit in commits()) {
            let mut bytes = Vec::new();
            commit.encode(&mut bytes);
            prop_assert!(bytes.len() <= commit.bound());
            prop_assert_eq!(Commit::decode(&bytes), Some(commit));
        }

        #[test]
        fn cut_or_random_bytes_are_refused_without_panic(
            commit in commits(), cut in any::<prop::sample::Index>(), noise in any::<Vec<u8>>(),
        ) {
            let mut bytes = Vec::new();
            commit.encode(&mut bytes);
            prop_assert_eq!(Commit::decode(&bytes[..cut.index(bytes.len())]), None);
            let _ = Commit::decode(&noise);
        }
    }
}
