//! What a kept segment holds, by object.
//!
//! ```text
//! head   magic 8 | number 8 | first seq 8 | next seq 8 | first time 8 | last time 8
//!        | bytes of the segment 4 | entries 4 | crc 4 | zeros to 64
//! entry  object 40 | seq 8 | time 8 | epoch 8 | pages in the database 4
//!        | where its bytes are in the segment 4 | how many 4 | crc 4
//! ```
//! Integers are little endian; entries are sorted by object and then by seq. An
//! index that cannot be read is made again from its segment.

use std::io;

use crate::commit::{Commit, epoch_word, split_epoch};
use crate::disk::DiskFile;
use crate::key::{Epoch, ObjectKey, Seq};
use crate::log::segment::{self, Extent, Record, long, word};

const MAGIC: [u8; 8] = *b"OBINDEX\x01";
const HEAD: usize = 64;
const ENTRY: usize = 80;

/// A segment as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct IndexHead {
    pub(crate) number: u64,
    pub(crate) first: Seq,
    pub(crate) next: Seq,
    /// Times of its commits.
    pub(crate) first_time: u64,
    pub(crate) last_time: u64,
    /// Bytes of the segment.
    pub(crate) bytes: u32,
    entries: u32,
}

impl IndexHead {
    /// Bytes on disk, of segment and index.
    pub(crate) fn cost(&self) -> u64 {
        u64::from(self.bytes) + HEAD as u64 + u64::from(self.entries) * ENTRY as u64
    }

    /// The newest commit in it.
    pub(crate) fn last(&self) -> Seq {
        Seq(self.next.0 - 1)
    }
}

/// A commit of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) object: ObjectKey,
    pub(crate) seq: Seq,
    pub(crate) time: u64,
    pub(crate) epoch: Epoch,
    pub(crate) is_first: bool,
    pub(crate) goes_on: bool,
    pub(crate) size: u32,
    offset: u32,
    bytes: u32,
}

impl Entry {
    pub(super) fn of(record: &Record) -> Self {
        let head = &record.head;
        Self {
            object: head.object,
            seq: record.seq,
            time: head.time,
            epoch: head.epoch,
            is_first: head.is_first,
            goes_on: head.goes_on,
            size: head.size,
            // Segments are far smaller than 4 GiB.
            offset: record.offset as u32,
            bytes: record.bytes,
        }
    }

    /// The commit, from the segment that it is in.
    pub(super) fn read(&self, segment: &dyn DiskFile) -> io::Result<Option<Commit>> {
        let commit = segment::read_record(segment, self.offset.into(), self.bytes)?;
        Ok(commit.filter(|commit| commit.object == self.object))
    }

    fn encode(&self, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&self.object.namespace.0.to_le_bytes());
        out.extend_from_slice(&self.object.id.0);
        let epoch = epoch_word(self.epoch, self.is_first, self.goes_on);
        for long in [self.seq.0, self.time, epoch] {
            out.extend_from_slice(&long.to_le_bytes());
        }
        for word in [self.size, self.offset, self.bytes] {
            out.extend_from_slice(&word.to_le_bytes());
        }
        let crc = crc32c::crc32c(&out[start..]);
        out.extend_from_slice(&crc.to_le_bytes());
    }

    fn decode(bytes: &[u8; ENTRY]) -> Option<Self> {
        let (epoch, is_first, goes_on) = split_epoch(long(bytes, 56));
        let sound = crc32c::crc32c(&bytes[..ENTRY - 4]) == word(bytes, ENTRY - 4);
        sound.then_some(Self {
            object: Commit::object_of(bytes)?,
            seq: Seq(long(bytes, 40)),
            time: long(bytes, 48),
            epoch,
            is_first,
            goes_on,
            size: word(bytes, 64),
            offset: word(bytes, 68),
            bytes: word(bytes, 72),
        })
    }
}

/// What is in a segment.
pub(crate) struct Contents {
    pub(crate) extent: Extent,
    /// Sorted.
    pub(crate) entries: Vec<Entry>,
    /// Whose commits cannot be read, where that can be told.
    pub(crate) damaged: Vec<Option<ObjectKey>>,
}

/// Reads all of a segment; `None` where nothing was logged.
pub(crate) fn entries_of(file: &dyn DiskFile, number: u64) -> io::Result<Option<Contents>> {
    let (mut entries, mut damaged) = (Vec::new(), Vec::new());
    let extent = segment::records_of(file, number, &mut |record| match record {
        Ok(record) => entries.push(Entry::of(&record)),
        Err(object) => damaged.push(object),
    })?;
    entries.sort_by_key(|entry: &Entry| (entry.object, entry.seq));
    Ok(extent.map(|extent| Contents {
        extent,
        entries,
        damaged,
    }))
}

/// Writes the index of a segment.
pub(crate) fn write(
    file: &dyn DiskFile,
    number: u64,
    extent: Extent,
    entries: &[Entry],
) -> io::Result<IndexHead> {
    let times = || entries.iter().map(|entry| entry.time);
    let head = IndexHead {
        number,
        first: extent.first,
        next: extent.next,
        first_time: times().min().unwrap_or(0),
        last_time: times().max().unwrap_or(0),
        bytes: u32::try_from(extent.end).map_err(io::Error::other)?,
        entries: u32::try_from(entries.len()).map_err(io::Error::other)?,
    };
    let mut out = Vec::with_capacity(HEAD + entries.len() * ENTRY);
    out.extend_from_slice(&MAGIC);
    for long in [
        number,
        head.first.0,
        head.next.0,
        head.first_time,
        head.last_time,
    ] {
        out.extend_from_slice(&long.to_le_bytes());
    }
    out.extend_from_slice(&head.bytes.to_le_bytes());
    out.extend_from_slice(&head.entries.to_le_bytes());
    let crc = crc32c::crc32c(&out);
    out.extend_from_slice(&crc.to_le_bytes());
    out.resize(HEAD, 0);
    for entry in entries {
        entry.encode(&mut out);
    }
    file.set_len(0)?;
    file.write_at(&out, 0)?;
    Ok(head)
}

/// The head of an index, if it is one of this segment and as long as it says.
pub(crate) fn head_of(file: &dyn DiskFile, number: u64) -> io::Result<Option<IndexHead>> {
    let mut bytes = [0; HEAD];
    let read = file.read_at(&mut bytes, 0)?;
    let sound = read == HEAD
        && bytes[..8] == MAGIC
        && crc32c::crc32c(&bytes[..56]) == word(&bytes, 56)
        && long(&bytes, 8) == number;
    let head = IndexHead {
        number,
        first: Seq(long(&bytes, 16)),
        next: Seq(long(&bytes, 24)),
        first_time: long(&bytes, 32),
        last_time: long(&bytes, 40),
        bytes: word(&bytes, 48),
        entries: word(&bytes, 52),
    };
    let len = HEAD as u64 + u64::from(head.entries) * ENTRY as u64;
    Ok((sound && file.size()? >= len).then_some(head))
}

/// Goes through an index.
pub(crate) struct Index<'a> {
    file: &'a dyn DiskFile,
    head: IndexHead,
}

impl<'a> Index<'a> {
    pub(crate) fn new(file: &'a dyn DiskFile, head: IndexHead) -> Self {
        Self { file, head }
    }

    /// An object's commits, in order.
    pub(crate) fn find(&self, object: ObjectKey) -> io::Result<Vec<Entry>> {
        let (mut low, mut high) = (0, self.head.entries);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.entry(middle)?.object < object {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let mut found = Vec::new();
        for at in low..self.head.entries {
            let entry = self.entry(at)?;
            if entry.object != object {
                break;
            }
            found.push(entry);
        }
        Ok(found)
    }

    /// Everything in it, in order.
    pub(crate) fn all(&self) -> impl Iterator<Item = io::Result<Entry>> {
        (0..self.head.entries).map(|at| self.entry(at))
    }

    fn entry(&self, at: u32) -> io::Result<Entry> {
        let mut bytes = [0; ENTRY];
        let offset = HEAD as u64 + u64::from(at) * ENTRY as u64;
        let read = self.file.read_at(&mut bytes, offset)?;
        let entry = (read == ENTRY).then(|| Entry::decode(&bytes)).flatten();
        entry.ok_or_else(|| {
            let what = format!("entry {at} of the index is damaged");
            io::Error::new(io::ErrorKind::InvalidData, what)
        })
    }
}
