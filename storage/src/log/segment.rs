//! The log's files, and what a crash may have left in them.
//!
//! A segment is a head and then batches, back to back; zeros follow. One batch
//! is what one `fdatasync` made durable: the next is written only after it, so a
//! damaged batch with a sound one behind it was durable once, and its damage
//! is the disk's. A damaged last batch was most likely never durable: the
//! power went while it was written.
//!
//! ```text
//! head   magic 8 | number 8 | first seq 8 | crc 4 | salt 4
//! batch  magic 8 | first seq 8 | records 4 | bytes 4 | crc 4 | salt 4 | records
//! record bytes 4 | crc of the commit 4 | crc of these 8 bytes and the object 4 | commit
//! ```
//! Integers are little endian; a record's commit starts with its object. The salt is
//! drawn for each segment, so that what objects write cannot be a batch: where one is
//! looked for behind damage, their pages are looked through. Segments of before have 0.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::io;
use std::ops::Range;

use crate::commit::{self, Commit, CommitHead, PAGE_SIZE};
use crate::disk::DiskFile;
use crate::key::{ObjectKey, Seq};

const SEGMENT_MAGIC: [u8; 8] = *b"OBLOG\0\0\x01";
const BATCH_MAGIC: [u8; 8] = *b"OBBATCH\x01";
pub(super) const HEAD: usize = 32;
const RECORD_HEAD: usize = 12;

/// What the batches of a segment have that nobody else knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Salt(u32);

impl Salt {
    pub(super) fn random() -> Self {
        // Its keys are the system's randomness.
        Self(RandomState::new().hash_one(0) as u32)
    }

    /// Of a head, the checksum.
    fn crc(self, head: &[u8; HEAD]) -> u32 {
        let crc = crc32c::crc32c(&head[..24]);
        match self.0 {
            0 => crc,
            salt => crc32c::crc32c_append(crc, &salt.to_le_bytes()),
        }
    }

    fn seal(self, head: &mut [u8; HEAD]) {
        let crc = self.crc(head);
        head[24..28].copy_from_slice(&crc.to_le_bytes());
        head[28..].copy_from_slice(&self.0.to_le_bytes());
    }

    /// That of a head, where the head is sound.
    fn of(head: &[u8; HEAD]) -> Option<Self> {
        let salt = Self(word(head, 28));
        (salt.crc(head) == word(head, 24)).then_some(salt)
    }
}

/// A segment's first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SegmentHead {
    pub(super) number: u64,
    pub(super) first: Seq,
    pub(super) salt: Salt,
}

impl SegmentHead {
    pub(super) fn encode(self) -> [u8; HEAD] {
        let mut head = [0; HEAD];
        head[..8].copy_from_slice(&SEGMENT_MAGIC);
        head[8..16].copy_from_slice(&self.number.to_le_bytes());
        head[16..24].copy_from_slice(&self.first.0.to_le_bytes());
        self.salt.seal(&mut head);
        head
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let head: &[u8; HEAD] = bytes.first_chunk()?;
        let salt = Salt::of(head).filter(|_| head[..8] == SEGMENT_MAGIC)?;
        Some(Self {
            number: long(head, 8),
            first: Seq(long(head, 16)),
            salt,
        })
    }
}

/// A batch as it is built in memory.
#[derive(Default)]
pub(super) struct Batch {
    bytes: Vec<u8>,
    records: u32,
}

impl Batch {
    /// The most bytes that a record of `commit` takes, with a batch's head.
    pub(super) fn bound(commit: &Commit) -> usize {
        HEAD + RECORD_HEAD + commit.bound()
    }

    /// Pages of the largest commit that fits into so many bytes.
    pub(super) fn most_pages(bytes: usize) -> usize {
        bytes.saturating_sub(HEAD + RECORD_HEAD + commit::HEAD) / (commit::PAGE_HEAD + PAGE_SIZE)
    }

    /// Starts over, and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.resize(HEAD, 0);
        self.records = 0;
    }

    pub(super) fn push(&mut self, commit: &Commit) {
        let start = self.bytes.len();
        self.bytes.resize(start + RECORD_HEAD, 0);
        commit.encode(&mut self.bytes);
        let (head, body) = self.bytes[start..].split_at_mut(RECORD_HEAD);
        head[..4].copy_from_slice(&(body.len() as u32).to_le_bytes());
        head[4..8].copy_from_slice(&crc32c::crc32c(body).to_le_bytes());
        let crc = crc32c::crc32c_append(crc32c::crc32c(&head[..8]), &body[..40]);
        head[8..12].copy_from_slice(&crc.to_le_bytes());
        self.records += 1;
    }

    /// Bytes that are to be written.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Those, once all records are in.
    pub(super) fn seal(&mut self, first: Seq, salt: Salt) -> &[u8] {
        let len = (self.bytes.len() - HEAD) as u32;
        if let Some(head) = self.bytes.first_chunk_mut::<HEAD>() {
            head[..8].copy_from_slice(&BATCH_MAGIC);
            head[8..16].copy_from_slice(&first.0.to_le_bytes());
            head[16..20].copy_from_slice(&self.records.to_le_bytes());
            head[20..24].copy_from_slice(&len.to_le_bytes());
            salt.seal(head);
        }
        &self.bytes
    }
}

#[derive(Debug, Clone, Copy)]
struct BatchHead {
    first: Seq,
    records: u32,
    bytes: usize,
    salt: Salt,
}

impl BatchHead {
    fn decode(bytes: &[u8]) -> Option<Self> {
        let head: &[u8; HEAD] = bytes.first_chunk()?;
        let salt = Salt::of(head).filter(|_| head[..8] == BATCH_MAGIC)?;
        Some(Self {
            first: Seq(long(head, 8)),
            records: word(head, 16),
            bytes: word(head, 20) as usize,
            salt,
        })
    }
}

pub(crate) fn word(bytes: &[u8], at: usize) -> u32 {
    bytes[at..]
        .first_chunk()
        .map_or(0, |word| u32::from_le_bytes(*word))
}

pub(crate) fn long(bytes: &[u8], at: usize) -> u64 {
    bytes[at..]
        .first_chunk()
        .map_or(0, |long| u64::from_le_bytes(*long))
}

/// One thing found in a segment.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    Commit(Seq, Commit),
    /// A durable commit that cannot be read; of which object, where that can.
    Damage {
        object: Option<ObjectKey>,
        offset: u64,
    },
}

/// How a segment ends.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct End {
    /// Where the next batch would be written.
    pub(super) offset: u64,
    /// The seq it would start with.
    pub(super) next: Seq,
    /// What is behind that was being written when the power went.
    pub(super) torn: bool,
}

/// A segment's head. `None` where nothing was logged yet: a spare, or one that
/// was being made when the power went.
pub(super) fn head_of(file: &dyn DiskFile, number: u64) -> io::Result<Option<SegmentHead>> {
    let mut bytes = [0; 2 * HEAD];
    let read = file.read_at(&mut bytes, 0)?;
    let head = SegmentHead::decode(&bytes[..read]).filter(|head| head.number == number);
    // Batches come only after a durable head: with one there, the head is damaged.
    let of_first = || {
        let BatchHead { first, salt, .. } = BatchHead::decode(&bytes[HEAD.min(read)..read])?;
        Some(SegmentHead {
            number,
            first,
            salt,
        })
    };
    Ok(head.or_else(of_first))
}

/// Hands all that a segment holds to `found`, in its order.
pub(super) fn scan(
    file: &dyn DiskFile,
    head: SegmentHead,
    found: &mut dyn FnMut(Found) -> io::Result<()>,
) -> io::Result<End> {
    walk(&contents(file)?, head, &mut |piece| match piece {
        Piece::Record { seq, at, body } => found(match Commit::decode(body) {
            Some(commit) => Found::Commit(seq, commit),
            None => Found::Damage {
                object: Commit::object_of(body),
                offset: at as u64,
            },
        }),
        Piece::Damage { object, offset } => found(Found::Damage { object, offset }),
    })
}

/// A sound commit as it lies in a segment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Record {
    pub(crate) seq: Seq,
    pub(crate) head: CommitHead,
    /// Where the commit's bytes are, and how many.
    pub(crate) offset: u64,
    pub(crate) bytes: u32,
}

/// The seqs of a whole segment, and where it ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extent {
    pub(crate) first: Seq,
    pub(crate) next: Seq,
    pub(crate) end: u64,
}

/// Hands a segment's commits to `found`, their pages not unpacked, or whose one is
/// that cannot be read. `None` where nothing was logged. One that is being written
/// has what is whole by now.
pub(crate) fn records_of(
    file: &dyn DiskFile,
    number: u64,
    found: &mut dyn FnMut(Result<Record, Option<ObjectKey>>),
) -> io::Result<Option<Extent>> {
    let Some(head) = head_of(file, number)? else {
        return Ok(None);
    };
    let end = walk(&written(file)?, head, &mut |piece| {
        found(match piece {
            Piece::Damage { object, .. } => Err(object),
            Piece::Record { seq, at, body } => match CommitHead::decode(body) {
                None => Err(Commit::object_of(body)),
                Some(head) => Ok(Record {
                    seq,
                    head,
                    offset: at as u64,
                    // A segment's length is one of memory.
                    bytes: body.len() as u32,
                }),
            },
        });
        Ok(())
    })?;
    Ok(Some(Extent {
        first: head.first,
        next: end.next,
        end: end.offset,
    }))
}

/// The commit that [`records_of`] found there; `None` if it is damaged.
pub(crate) fn read_record(
    file: &dyn DiskFile,
    offset: u64,
    bytes: u32,
) -> io::Result<Option<Commit>> {
    let mut record = vec![0; RECORD_HEAD + bytes as usize];
    let Some(start) = offset.checked_sub(RECORD_HEAD as u64) else {
        return Ok(None);
    };
    let read = file.read_at(&mut record, start)?;
    let (head, body) = record.split_at(RECORD_HEAD);
    let sound = read == record.len() && crc32c::crc32c(body) == word(head, 4);
    Ok(sound.then(|| Commit::decode(body)).flatten())
}

/// A segment up to where nothing was written yet: of one that is written now most
/// is made of zeros.
fn written(file: &dyn DiskFile) -> io::Result<Vec<u8>> {
    // No record has so many in a row.
    const ZEROS: usize = 1 << 20;
    let mut bytes = Vec::new();
    loop {
        let start = bytes.len();
        bytes.resize(start + ZEROS, 0);
        let read = file.read_at(&mut bytes[start..], start as u64)?;
        bytes.truncate(start + read);
        if read < ZEROS || bytes[start..].iter().all(|byte| *byte == 0) {
            return Ok(bytes);
        }
    }
}

fn contents(file: &dyn DiskFile) -> io::Result<Vec<u8>> {
    let len = usize::try_from(file.size()?).map_err(io::Error::other)?;
    let mut bytes = vec![0; len];
    let read = file.read_at(&mut bytes, 0)?;
    bytes.truncate(read);
    Ok(bytes)
}

enum Piece<'a> {
    Record {
        seq: Seq,
        at: usize,
        body: &'a [u8],
    },
    Damage {
        object: Option<ObjectKey>,
        offset: u64,
    },
}

fn walk(
    bytes: &[u8],
    head: SegmentHead,
    found: &mut dyn FnMut(Piece<'_>) -> io::Result<()>,
) -> io::Result<End> {
    let mut at = HEAD.min(bytes.len());
    let mut next = head.first;
    let batch_from = |at, next| batch_from(bytes, at, next, head.salt);
    while let Some(start) = batch_from(at, next) {
        if start.offset > at {
            let offset = at as u64;
            found(Piece::Damage {
                object: None,
                offset,
            })?;
        }
        let body = start.offset + HEAD;
        let end = body + start.head.bytes;
        let records = records(bytes, body..end.min(bytes.len()), start.head.records);
        let sound = records.iter().all(|record| record.is_ok()) && end <= bytes.len();
        let after = Seq(start.head.first.0 + u64::from(start.head.records));
        if !sound && batch_from(end, after).is_none() {
            // The last batch, and not whole: it was never acknowledged.
            at = start.offset;
            next = start.head.first;
            break;
        }
        for (index, record) in records.into_iter().enumerate() {
            found(match record {
                Ok(body) => Piece::Record {
                    seq: Seq(start.head.first.0 + index as u64),
                    at: body.start,
                    body: &bytes[body],
                },
                Err(object) => Piece::Damage {
                    object,
                    offset: start.offset as u64,
                },
            })?;
        }
        at = end;
        next = after;
    }
    Ok(End {
        offset: at as u64,
        next,
        torn: bytes[at..].iter().any(|byte| *byte != 0),
    })
}

struct BatchAt {
    offset: usize,
    head: BatchHead,
}

/// The batch at `at`, or the next sound one behind it that can follow: seqs of
/// what is between are then missing.
fn batch_from(bytes: &[u8], at: usize, next: Seq, salt: Salt) -> Option<BatchAt> {
    let here = bytes.get(at..)?;
    let decode = |bytes| BatchHead::decode(bytes).filter(|head| head.salt == salt);
    if let Some(head) = decode(here).filter(|head| head.first == next) {
        return Some(BatchAt { offset: at, head });
    }
    // Not there: nothing was written, or its head is damaged and another follows.
    let mut skipped = 0;
    while let Some(found) = memchr::memmem::find(&here[skipped..], &BATCH_MAGIC) {
        let offset = skipped + found;
        if let Some(head) = decode(&here[offset..])
            && head.first > next
        {
            return Some(BatchAt {
                offset: at + offset,
                head,
            });
        }
        skipped = offset + 1;
    }
    None
}

/// A batch's records: where each one's commit is, or the object whose it was, if
/// known.
fn records(
    all: &[u8],
    batch: Range<usize>,
    count: u32,
) -> Vec<Result<Range<usize>, Option<ObjectKey>>> {
    let mut records = Vec::new();
    let mut at = batch.start;
    for _ in 0..count {
        let bytes = all.get(at..batch.end).unwrap_or_default();
        let Some((head, rest)) = bytes.split_at_checked(RECORD_HEAD) else {
            records.push(Err(None));
            break;
        };
        let len = word(head, 0) as usize;
        let object = rest.get(..40).filter(|object| {
            crc32c::crc32c_append(crc32c::crc32c(&head[..8]), object) == word(head, 8)
        });
        let (Some(object), Some(body)) = (object, rest.get(..len)) else {
            // Without its length, where the next one starts is not known.
            records.push(Err(object.and_then(Commit::object_of)));
            break;
        };
        at += RECORD_HEAD;
        let sound = crc32c::crc32c(body) == word(head, 4) && CommitHead::decode(body).is_some();
        records.push(if sound {
            Ok(at..at + len)
        } else {
            Err(Commit::object_of(object))
        });
        at += len;
    }
    records
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::key::{Epoch, NamespaceId, ObjectId};

    fn commit(object: u8, page: [u8; PAGE_SIZE]) -> Commit {
        Commit {
            object: ObjectKey {
                namespace: NamespaceId(1),
                id: ObjectId([object; 32]),
            },
            epoch: Epoch(0),
            is_first: true,
            goes_on: false,
            previous: Seq(0),
            time: 0,
            size: 1,
            pages: vec![(1, Arc::new(page))],
        }
    }

    fn batch(commits: &[Commit], first: u64, salt: Salt) -> Vec<u8> {
        let mut batch = Batch::default();
        batch.clear();
        commits.iter().for_each(|commit| batch.push(commit));
        batch.seal(Seq(first), salt).to_vec()
    }

    fn segment(salt: Salt, batches: &[Vec<u8>]) -> (SegmentHead, Vec<u8>) {
        let head = SegmentHead {
            number: 1,
            first: Seq(1),
            salt,
        };
        let mut bytes = head.encode().to_vec();
        batches.iter().for_each(|batch| bytes.extend(batch));
        bytes.resize(bytes.len() + 4096, 0);
        (head, bytes)
    }

    /// The objects of the commits that are found; None for damage.
    fn found(head: SegmentHead, bytes: &[u8]) -> Vec<Option<u8>> {
        let mut found = Vec::new();
        let walked = walk(bytes, head, &mut |piece| {
            found.push(match piece {
                Piece::Record { body, .. } => Commit::object_of(body).map(|key| key.id.0[0]),
                Piece::Damage { .. } => None,
            });
            Ok(())
        });
        walked.expect("it is in memory");
        found
    }

    /// A script chooses the bytes of its pages: they must not become commits of other
    /// objects where damage has the log looked through for what follows.
    #[test]
    fn bytes_of_a_page_are_no_batch() {
        let mut state = 1_u64;
        let mut noise = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        // What compresses is not there as it is.
        let mut page: [u8; PAGE_SIZE] = std::array::from_fn(|_| noise() as u8);
        let cut = Commit {
            object: ObjectKey {
                namespace: NamespaceId(noise()),
                id: ObjectId(std::array::from_fn(|_| noise() as u8)),
            },
            epoch: Epoch(noise() >> 2),
            is_first: false,
            previous: Seq(noise()),
            time: noise(),
            size: noise() as u32,
            pages: Vec::new(),
            ..commit(9, [9; PAGE_SIZE])
        };
        let forged = batch(&[cut], noise() >> 1, Salt(0));
        page[100..100 + forged.len()].copy_from_slice(&forged);
        let (salt, second) = (Salt::random(), commit(2, [2; PAGE_SIZE]));
        let first = batch(&[commit(1, page)], 1, salt);
        assert!(memchr::memmem::find(&first, &forged).is_some());
        let (head, bytes) = segment(salt, &[first, batch(&[second], 2, salt)]);
        assert_eq!(found(head, &bytes), [Some(1), Some(2)]);
        let mut damaged = bytes.clone();
        damaged[HEAD + 9] ^= 1;
        assert_eq!(found(head, &damaged), [None, Some(2)]);
        // The power went while the only batch was written.
        let (head, mut torn) = segment(salt, &[batch(&[commit(1, page)], 1, salt)]);
        torn[HEAD..HEAD + 16].fill(0);
        assert_eq!(found(head, &torn), []);
    }

    #[test]
    fn segments_without_a_salt_are_read() {
        let salt = Salt(0);
        let (head, mut bytes) = segment(salt, &[batch(&[commit(1, [1; PAGE_SIZE])], 1, salt)]);
        assert_eq!(bytes[28..HEAD], [0; 4]);
        assert_eq!(SegmentHead::decode(&bytes), Some(head));
        assert_eq!(found(head, &bytes), [Some(1)]);
        let crc = crc32c::crc32c(&bytes[..24]);
        assert_eq!(word(&bytes, 24), crc);
        bytes[29] ^= 1;
        assert_eq!(SegmentHead::decode(&bytes), None);
    }
}
