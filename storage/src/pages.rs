//! An object's database as SQLite sees it: a file, and over it the pages that
//! are not to be in the file yet.
//!
//! A transaction's pages gather in memory. Its commit hands them to the log, and
//! they stay in memory until the log has made them durable: the file never
//! holds what a crash could take back. It is written without a sync; the
//! store syncs all files at once before it forgets segments of the log.

mod snapshot;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::Arc;

use parking_lot::Mutex;

use self::snapshot::Shots;
pub(crate) use self::snapshot::{Late, ShotId};
use crate::clock::Clock;
use crate::commit::{Commit, PAGE_SIZE, Page};
use crate::disk::DiskFile;
use crate::key::{Epoch, ObjectKey, Seq};
use crate::log::{CommitLog, LogError, Receipt};

/// Bytes that SQLite leaves free at the end of each page, for [`checksum`].
pub(crate) const RESERVED: usize = 8;
/// Durable pages that stay in memory, so that a page that each transaction
/// changes is not written to the file by each.
const KEEP: usize = 64;
/// Pages that an object may have in memory while its file has no room for them:
/// past 4 MiB its commits are refused.
const HOMELESS: usize = 1024;

/// What is wrong with a database.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum PagesError {
    #[error("page {page} of {object} is damaged on disk: its checksum is not that of its bytes")]
    Damaged { object: ObjectKey, page: u32 },
    #[error("{object}: {error}")]
    Io {
        object: ObjectKey,
        error: Arc<io::Error>,
    },
    #[error(transparent)]
    Log(#[from] LogError),
}

/// Whether a commit is a whole change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Whole,
    /// The next commits are the rest of it.
    GoesOn,
}

/// A database, shared by its connection and the store's checkpoints.
pub(crate) struct Pages {
    object: ObjectKey,
    log: Arc<dyn CommitLog>,
    file: Arc<dyn DiskFile>,
    clock: Clock,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    epoch: Epoch,
    /// The newest commit, and the newest that is known to be durable.
    last: Seq,
    durable: Seq,
    /// Pages in the database, the open transaction's included.
    size: u32,
    /// Pages in it after the last commit.
    committed: u32,
    /// A commit was refused, and SQLite has not rolled back yet.
    refused: bool,
    /// The file could not be written, most likely since the disk has no room for it to
    /// grow. What was to be in it is in the log, and stays in memory.
    full: bool,
    /// Of the open transaction.
    pending: BTreeMap<u32, Page>,
    /// Committed, and not in the file. Of a page that several commits changed while
    /// none of them was durable, each version: a crash may keep any of them. Of
    /// those that are durable, the newest.
    logged: BTreeMap<u32, Vec<(Seq, Page)>>,
    /// Commits that are not known to be durable, oldest first.
    waiting: VecDeque<Receipt>,
    /// The newest commit, for whoever has to wait for all of them.
    newest: Option<Receipt>,
    /// Pages that the file has room for.
    file_size: u32,
    /// The first fault: SQLite only carries a code.
    fault: Option<PagesError>,
    /// States that are being copied.
    shots: Shots,
}

impl Pages {
    /// Of an object's file.
    pub(crate) fn of(
        file: Arc<dyn DiskFile>,
        log: Arc<dyn CommitLog>,
        object: ObjectKey,
        epoch: Epoch,
        clock: Clock,
    ) -> io::Result<Self> {
        let size = pages_in(file.size()?)?;
        Ok(Self {
            object,
            log,
            file,
            clock,
            inner: Mutex::new(Inner {
                epoch,
                size,
                committed: size,
                file_size: size,
                ..Inner::default()
            }),
        })
    }

    pub(crate) fn object(&self) -> ObjectKey {
        self.object
    }

    /// Bytes in the database.
    pub(crate) fn len(&self) -> u64 {
        bytes_of(self.inner.lock().size)
    }

    /// Reads within one page; answers how much of `buffer` the database has.
    pub(crate) fn read(&self, buffer: &mut [u8], offset: u64) -> Result<usize, PagesError> {
        let mut inner = self.inner.lock();
        let (number, start) = place(offset);
        if number > inner.size || start + buffer.len() > PAGE_SIZE {
            return Ok(0);
        }
        let part = start..start + buffer.len();
        match inner.pending.get(&number) {
            Some(page) => buffer.copy_from_slice(&page[part]),
            None => {
                let mut page = [0; PAGE_SIZE];
                self.read_committed(&mut inner, number, &mut page)?;
                buffer.copy_from_slice(&page[part]);
            }
        }
        Ok(buffer.len())
    }

    fn read_committed(
        &self,
        inner: &mut Inner,
        number: u32,
        page: &mut [u8; PAGE_SIZE],
    ) -> Result<(), PagesError> {
        let read = self.committed(inner, number, page);
        read.map_err(|error| inner.fail(error))
    }

    /// Reads a page as the last commit left it.
    fn committed(
        &self,
        inner: &Inner,
        number: u32,
        page: &mut [u8; PAGE_SIZE],
    ) -> Result<(), PagesError> {
        let logged = inner.logged.get(&number);
        if let Some((_, newest)) = logged.and_then(|versions| versions.last()) {
            *page = **newest;
            return Ok(());
        }
        let offset = bytes_of(number - 1);
        match self.file.read_at(page, offset) {
            Ok(_) if is_sound(number, page) => Ok(()),
            Ok(_) => Err(PagesError::Damaged {
                object: self.object,
                page: number,
            }),
            Err(error) => Err(self.io(error)),
        }
    }

    /// Forgets pages of the open transaction that are as they were.
    fn drop_unchanged(&self, inner: &mut Inner) -> Result<(), PagesError> {
        for (number, page) in std::mem::take(&mut inner.pending) {
            let mut before = [0; PAGE_SIZE];
            if number <= inner.committed {
                self.read_committed(inner, number, &mut before)?;
            }
            if number > inner.committed || !is_same(&before, &page) {
                inner.pending.insert(number, page);
            }
        }
        Ok(())
    }

    /// Writes one page of the open transaction. Refused when there are more than a
    /// commit can have: they would be in memory for nothing.
    pub(crate) fn write(&self, bytes: &[u8; PAGE_SIZE], offset: u64) -> Result<(), PagesError> {
        let mut inner = self.inner.lock();
        let (number, _) = place(offset);
        match inner.pending.get_mut(&number).and_then(Arc::get_mut) {
            Some(page) => *page = *bytes,
            None => {
                let most = self.log.largest();
                // What is written to roll back is what there is.
                if inner.pending.len() >= most && !inner.refused {
                    let size = inner.size;
                    let error = LogError::TooLarge {
                        bytes: (inner.pending.len() + 1) * PAGE_SIZE,
                        most: most * PAGE_SIZE,
                    };
                    return Err(inner.refuse(size, error.into()));
                }
                inner.pending.insert(number, Arc::new(*bytes));
            }
        }
        inner.size = inner.size.max(number);
        Ok(())
    }

    /// Cuts the database, as part of the open transaction.
    pub(crate) fn truncate(&self, len: u64) -> Result<(), PagesError> {
        let mut inner = self.inner.lock();
        inner.size = pages_in(len).map_err(|error| self.io(error))?;
        let size = inner.size;
        inner.pending.retain(|number, _| *number <= size);
        Ok(())
    }

    /// Ends the open transaction: hands its pages to the log. Refused, and the
    /// transaction is still open, when the log refuses. SQLite then writes back
    /// what was there before and commits that, which needs no log.
    pub(crate) fn commit(&self) -> Result<(), PagesError> {
        let mut inner = self.inner.lock();
        // SQLite cuts the file only after the commit; its header knows already. Where
        // that is refused, what would be cut is there.
        let uncut = inner.size;
        if let Some(size) = inner.pending.get(&1).and_then(|page| size_in(page)) {
            inner.size = inner.size.min(size);
        }
        if inner.refused {
            self.drop_unchanged(&mut inner)?;
            inner.refused = false;
            if inner.pending.is_empty() && inner.size == inner.committed {
                return Ok(());
            }
        }
        if inner.full && inner.logged.len() > HOMELESS {
            if let Err(error) = self.settle_what_fits(&mut inner) {
                return Err(inner.refuse(uncut, error));
            }
            if inner.logged.len() > HOMELESS {
                return Err(inner.refuse(uncut, LogError::Full.into()));
            }
        }
        if let Err(error) = self.append(&mut inner, Part::Whole) {
            return Err(inner.refuse(uncut, error.into()));
        }
        if inner.logged.len() > KEEP
            && let Err(error) = self.settle_what_fits(&mut inner)
        {
            // The log has the commit: that the file cannot be written is no reason to
            // say that it failed.
            tracing::error!(object = %self.object, %error, "a database could not be written");
            inner.full = true;
        }
        Ok(())
    }

    /// Hands what is pending to the log, as a commit.
    fn append(&self, inner: &mut Inner, part: Part) -> Result<Receipt, LogError> {
        self.keep_for_shots(inner);
        let commit = Commit {
            object: self.object,
            epoch: inner.epoch,
            is_first: inner.committed == 0,
            goes_on: part == Part::GoesOn,
            previous: inner.last,
            time: self.clock.now(),
            size: inner.size,
            pages: inner
                .pending
                .range(..=inner.size)
                .map(|(number, page)| (*number, page.clone()))
                .collect(),
        };
        let receipt = self.log.append(commit)?;
        let seq = receipt.seq();
        inner.last = seq;
        inner.committed = inner.size;
        inner.note_durable();
        for (number, page) in std::mem::take(&mut inner.pending) {
            let versions = inner.logged.entry(number).or_default();
            let durable = versions.partition_point(|(seq, _)| *seq <= inner.durable);
            versions.drain(..durable.saturating_sub(1));
            versions.push((seq, page));
        }
        inner.waiting.push_back(receipt.clone());
        inner.newest = Some(receipt.clone());
        Ok(receipt)
    }

    /// Commits other pages in the place of some, and a size, while no connection is
    /// open. Refused, and nothing was done, when the log refuses.
    pub(crate) fn replace(
        &self,
        size: u32,
        pages: Vec<(u32, Page)>,
        part: Part,
    ) -> Result<Receipt, LogError> {
        let mut inner = self.inner.lock();
        inner.size = size;
        inner.pending = pages.into_iter().collect();
        self.append(&mut inner, part).inspect_err(|_| {
            inner.pending.clear();
            inner.size = inner.committed;
        })
    }

    /// Whether the last commit left a page like this one. A damaged page is like none.
    pub(crate) fn has(&self, number: u32, page: &[u8; PAGE_SIZE]) -> io::Result<bool> {
        let inner = self.inner.lock();
        if number > inner.committed {
            return Ok(false);
        }
        let logged = inner.logged.get(&number);
        if let Some((_, newest)) = logged.and_then(|versions| versions.last()) {
            return Ok(is_same(newest, page));
        }
        let mut there = [0; PAGE_SIZE];
        let offset = bytes_of(number - 1);
        self.file.read_at(&mut there, offset)?;
        Ok(is_sound(number, &there) && is_same(&there, page))
    }

    /// Pages in the database after the last commit.
    pub(crate) fn committed_size(&self) -> u32 {
        self.inner.lock().committed
    }

    /// Where its history stands: after the newest commit, or, where that is older,
    /// after what is durable of others'.
    pub(crate) fn position(&self) -> (Epoch, Seq) {
        let inner = self.inner.lock();
        (inner.epoch, inner.last.max(self.log.durable()))
    }

    /// Commits from now on are of this epoch.
    pub(crate) fn set_epoch(&self, epoch: Epoch) {
        self.inner.lock().epoch = epoch;
    }

    /// Pages that certainly fit into one commit.
    pub(crate) fn most_pages(&self) -> usize {
        self.log.most_pages()
    }

    /// The newest commit's receipt: when it is durable, all are.
    pub(crate) fn newest(&self) -> Option<Receipt> {
        self.inner.lock().newest.clone()
    }

    /// Writes durable pages to the file, without a sync.
    pub(crate) fn settle(&self) -> Result<(), PagesError> {
        self.settle_locked(&mut self.inner.lock())
    }

    /// The same for an object that is left alone: where the disk is full, its pages
    /// stay in memory, and a checkpoint writes them or keeps the log.
    pub(crate) fn leave(&self) -> Result<(), PagesError> {
        self.settle_what_fits(&mut self.inner.lock())
    }

    fn settle_what_fits(&self, inner: &mut Inner) -> Result<(), PagesError> {
        match self.settle_locked(inner) {
            Err(PagesError::Log(LogError::Full)) => Ok(()),
            other => other,
        }
    }

    /// What a failed write to the file means: a full disk takes nothing away.
    fn unwritten(&self, inner: &mut Inner, error: io::Error) -> PagesError {
        if is_full(&error) {
            inner.full = true;
            return LogError::Full.into();
        }
        self.io(error)
    }

    fn settle_locked(&self, inner: &mut Inner) -> Result<(), PagesError> {
        inner.note_durable();
        let (durable, committed) = (inner.durable, inner.committed);
        // While a commit may still be lost, so may the cut that it made.
        let cut_is_durable = inner.waiting.is_empty();
        let mut failed = None;
        for (number, versions) in &mut inner.logged {
            let count = versions.partition_point(|(seq, _)| *seq <= durable);
            let Some((_, page)) = count.checked_sub(1).and_then(|last| versions.get(last)) else {
                continue;
            };
            if *number <= committed || !cut_is_durable {
                let mut bytes = **page;
                seal(*number, &mut bytes);
                let offset = bytes_of(number - 1);
                if let Err(error) = self.file.write_at(&bytes, offset) {
                    failed = Some(error);
                    break;
                }
                inner.file_size = inner.file_size.max(*number);
            }
            versions.drain(..count);
        }
        inner.logged.retain(|_, versions| !versions.is_empty());
        if let Some(error) = failed {
            return Err(self.unwritten(inner, error));
        }
        // Only when all is in the file is its length the database's.
        if inner.logged.is_empty() && inner.file_size != committed {
            let len = bytes_of(committed);
            if let Err(error) = self.file.set_len(len) {
                return Err(self.unwritten(inner, error));
            }
            inner.file_size = committed;
        }
        inner.full = false;
        Ok(())
    }

    /// Forgets an open transaction that its connection took with it.
    pub(crate) fn reset(&self) {
        let mut inner = self.inner.lock();
        inner.pending.clear();
        inner.size = inner.committed;
        inner.refused = false;
    }

    /// Whether the file has all that was committed, and nobody copies it.
    pub(crate) fn is_done(&self) -> bool {
        let inner = self.inner.lock();
        inner.logged.is_empty() && inner.shots.is_empty()
    }

    /// The first fault there was, of disk or log.
    pub(crate) fn fault(&self) -> Option<PagesError> {
        self.inner.lock().fault.clone()
    }

    /// Forgets a fault that leaves the database whole: a refused commit was
    /// rolled back.
    pub(crate) fn forgive(&self) {
        let mut inner = self.inner.lock();
        let passing = matches!(
            inner.fault,
            Some(PagesError::Log(
                LogError::Full | LogError::Overloaded { .. } | LogError::TooLarge { .. }
            ))
        );
        if passing {
            inner.fault = None;
        }
    }

    fn io(&self, error: io::Error) -> PagesError {
        PagesError::Io {
            object: self.object,
            error: Arc::new(error),
        }
    }
}

impl Inner {
    fn refuse(&mut self, uncut: u32, error: PagesError) -> PagesError {
        self.refused = true;
        self.size = uncut;
        self.fail(error)
    }

    /// Looks which commits are durable by now.
    fn note_durable(&mut self) {
        while let Some(receipt) = self.waiting.pop_front_if(|receipt| receipt.is_durable()) {
            self.durable = receipt.seq();
        }
    }

    fn fail(&mut self, fault: PagesError) -> PagesError {
        self.fault.get_or_insert(fault.clone());
        fault
    }
}

/// Whether a disk, or the share of it that one may use, has no room.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}

/// The page numbers of a file whose checksums are wrong.
pub(crate) fn damaged_pages(file: &dyn DiskFile) -> io::Result<Vec<u32>> {
    let mut damaged = Vec::new();
    let size = pages_in(file.size()?)?;
    for number in 1..=size {
        let mut page = [0; PAGE_SIZE];
        file.read_at(&mut page, bytes_of(number - 1))?;
        if !is_sound(number, &page) {
            damaged.push(number);
        }
    }
    Ok(damaged)
}

/// Page number and offset in it.
fn place(offset: u64) -> (u32, usize) {
    let number = offset / PAGE_SIZE as u64 + 1;
    // SQLite has at most 2^32 - 2 pages.
    (number as u32, (offset % PAGE_SIZE as u64) as usize)
}

/// Bytes of so many pages; of those before one, where it begins.
pub(crate) fn bytes_of(pages: u32) -> u64 {
    u64::from(pages) * PAGE_SIZE as u64
}

pub(crate) fn pages_in(len: u64) -> io::Result<u32> {
    u32::try_from(len.div_ceil(PAGE_SIZE as u64)).map_err(io::Error::other)
}

/// How many pages the header on page 1 says that there are
/// (file format, "In-header database size").
fn size_in(page: &[u8; PAGE_SIZE]) -> Option<u32> {
    let size = page[28..]
        .first_chunk()
        .map(|size| u32::from_be_bytes(*size));
    size.filter(|size| *size > 0)
}

/// Whether two pages are the same but for their checksums.
pub(crate) fn is_same(a: &[u8; PAGE_SIZE], b: &[u8; PAGE_SIZE]) -> bool {
    let data = ..PAGE_SIZE - RESERVED;
    a[data] == b[data]
}

/// CRC-32C of a page's bytes and number: a page in another's place is damage.
fn checksum(number: u32, page: &[u8; PAGE_SIZE]) -> u32 {
    crc32c::crc32c_append(
        crc32c::crc32c(&number.to_le_bytes()),
        &page[..PAGE_SIZE - RESERVED],
    )
}

/// A page of zeros was never written: SQLite does not write pages that it frees
/// at once, and leaves holes.
pub(crate) fn is_sound(number: u32, page: &[u8; PAGE_SIZE]) -> bool {
    checksum(number, page) == stored(page) || page.iter().all(|byte| *byte == 0)
}

fn stored(page: &[u8; PAGE_SIZE]) -> u32 {
    let end = &page[PAGE_SIZE - RESERVED..];
    end.first_chunk().map_or(0, |crc| u32::from_le_bytes(*crc))
}

pub(crate) fn seal(number: u32, page: &mut [u8; PAGE_SIZE]) {
    let crc = checksum(number, page);
    page[PAGE_SIZE - RESERVED..PAGE_SIZE - RESERVED + 4].copy_from_slice(&crc.to_le_bytes());
}
