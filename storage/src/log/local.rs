//! A node's own log: one append-only file in segments, one sync for all that wait.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::segment::{self, Batch, Found, HEAD, SegmentHead};
use super::writer::{Admission, Shared, Waiting, Writer, path};
use super::{CommitLog, LogError, Receipt};
use crate::commit::{Commit, PAGE_SIZE};
use crate::disk::Disk;
use crate::key::{ObjectKey, Seq};

/// How a log behaves.
#[derive(Debug, Clone, Copy)]
pub struct LogOptions {
    /// Bytes of a segment's file. The largest transaction fits into one.
    pub segment_bytes: usize,
    /// Bytes of commits that may be in memory; past that they wait.
    pub queue_bytes: usize,
    /// How long a commit waits while the disk is behind, before it is refused.
    pub patience: Duration,
}

impl Default for LogOptions {
    fn default() -> Self {
        Self {
            segment_bytes: 64 << 20,
            // A second of a slow disk.
            queue_bytes: 64 << 20,
            patience: Duration::from_secs(5),
        }
    }
}

/// Pages of a commit that changes much of a database at once: 2 MiB.
const MOST_PAGES: usize = 512;

/// The log of a node. Dropping it writes what waits, then ends its thread.
pub struct LocalLog {
    disk: Arc<dyn Disk>,
    options: LogOptions,
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// Where the log was ended to go on in another segment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sealed {
    /// What is in segments before this one is durable, and they get no more.
    pub(crate) cut: u64,
    /// Whether they have all that was there. Without room for another segment the
    /// current one goes on.
    pub(crate) has_all: bool,
}

/// One thing that the log held when it was opened.
pub(crate) enum Replay {
    Commit(Commit),
    /// A durable commit that cannot be read, and where it is.
    Damage {
        object: Option<ObjectKey>,
        segment: String,
        offset: u64,
    },
    /// That was all. What is written now is written before the log takes space.
    End,
}

impl LocalLog {
    /// Opens the log of a folder and hands what is in it to `replay`, in order.
    /// What the power cut off in the middle is cut away. `rotated` hears of each
    /// full segment, of a full disk, and of the log's end by being dropped. An empty log begins
    /// with `at_least`; the seq that one begins with that is not is answered.
    pub(crate) fn open(
        disk: Arc<dyn Disk>,
        options: LogOptions,
        rotated: SyncSender<()>,
        at_least: Seq,
        replay: &mut dyn FnMut(Replay) -> io::Result<()>,
    ) -> io::Result<(Self, Option<Seq>)> {
        let mut first = None;
        let mut next = None;
        let mut last = 0;
        let mut empty = Vec::new();
        let segments = segments(&*disk)?;
        if !segments.is_empty() {
            disk.sync_names("log")?;
        }
        for (number, segment) in segments {
            last = number;
            let file = disk.open(&segment, false)?;
            let Some(head) = segment::head_of(&*file, number)? else {
                // A spare, or one that was being made.
                disk.remove(&segment)?;
                continue;
            };
            if next.is_some_and(|next| head.first > next) {
                replay(damage(None, &segment, 0))?;
            }
            first.get_or_insert(head.first);
            // A process that was killed may have left bytes that no sync followed; what
            // is made of them must not outlive them.
            file.sync()?;
            let end = scan(&*file, head, &segment, replay)?;
            if end.torn {
                tracing::info!(
                    segment,
                    offset = end.offset,
                    "cut a torn end off the commit log"
                );
                file.set_len(end.offset)?;
                file.sync()?;
            } else if end.offset < file.size()? {
                // Space that was made and not needed; now others may.
                file.set_len(end.offset)?;
            }
            next = Some(end.next);
            if end.offset <= HEAD as u64 {
                empty.push((head.first, segment));
            }
        }
        replay(Replay::End)?;
        let next = next.unwrap_or(at_least);
        let (writer, shared) = Writer::new(disk.clone(), options, rotated, last + 1, next)?;
        // The new one says what they did. Starts that go no further than this leave one each.
        for (_, segment) in empty.iter().filter(|(first, _)| *first == next) {
            disk.remove(segment)?;
        }
        let thread = std::thread::Builder::new()
            .name("commit-log".into())
            .spawn(move || writer.run())?;
        let log = Self {
            disk,
            options,
            shared,
            thread: Mutex::new(Some(thread)),
        };
        Ok((log, first))
    }

    /// Ends the current segment if there is room for another.
    pub(crate) fn seal(&self) -> Result<Sealed, LogError> {
        let mut state = self.shared.state.lock();
        state.seal = true;
        self.shared.work.notify_one();
        loop {
            if let Some(refusal) = &state.refusal {
                return Err(refusal.clone());
            }
            if state.closing {
                return Err(LogError::Closed);
            }
            if !state.seal {
                return Ok(Sealed {
                    cut: state.segment,
                    has_all: state.sealed_all,
                });
            }
            self.shared.progress.wait(&mut state);
        }
    }

    /// Forgets segments before `cut`: all their commits are in databases that are
    /// durable themselves.
    pub(crate) fn remove_before(&self, cut: u64) -> io::Result<()> {
        for (_, segment) in segments_before(&*self.disk, cut)? {
            self.disk.remove(&segment)?;
        }
        self.disk.sync_names("log")
    }

    /// Writes what waits, and ends; later commits are refused.
    pub(crate) fn close(&self) {
        self.shared.state.lock().closing = true;
        self.shared.work.notify_one();
        if let Some(thread) = self.thread.lock().take() {
            // It has no panics of its own to pass on.
            let _ = thread.join();
        }
        // Whoever opens the folder next must not find it writing there.
        let mut state = self.shared.state.lock();
        while state.makes_space() {
            self.shared.progress.wait(&mut state);
        }
        drop(state);
        self.shared.progress.notify_all();
    }

    /// Looks whether there is room by now.
    pub(crate) fn retry(&self) {
        self.shared.state.lock().retry = true;
        self.shared.work.notify_one();
    }

    /// Takes no more commits; those that wait are written.
    pub(crate) fn end(&self, error: Arc<io::Error>) {
        let mut state = self.shared.state.lock();
        state.refusal.get_or_insert(LogError::Poisoned(error));
        drop(state);
        self.shared.progress.notify_all();
    }

    /// Whether the disk had no room for more log.
    pub(crate) fn is_short(&self) -> bool {
        self.shared.state.lock().is_short()
    }

    /// Bytes of log that a recovery would read now.
    pub(crate) fn bytes(&self) -> io::Result<u64> {
        let segments = segments(&*self.disk)?.len() as u64;
        Ok(segments * self.options.segment_bytes as u64)
    }
}

impl CommitLog for LocalLog {
    fn durable(&self) -> Seq {
        self.shared.state.lock().durable
    }

    fn most_pages(&self) -> usize {
        // Half a segment: the rest of the current one may be too small for more.
        (self.options.segment_bytes / 2 / (2 * PAGE_SIZE)).clamp(1, MOST_PAGES)
    }

    fn largest(&self) -> usize {
        Batch::most_pages(self.options.segment_bytes - HEAD)
    }

    fn append(&self, commit: Commit) -> Result<Receipt, LogError> {
        let bound = Batch::bound(&commit);
        let most = self.options.segment_bytes - HEAD;
        if bound > most {
            return Err(LogError::TooLarge { bytes: bound, most });
        }
        let deadline = Instant::now() + self.options.patience;
        let mut state = self.shared.state.lock();
        loop {
            if let Some(refusal) = &state.refusal {
                return Err(refusal.clone());
            }
            if state.closing {
                return Err(LogError::Closed);
            }
            match state.admit(bound, self.options.queue_bytes) {
                Admission::Taken => break,
                Admission::Full => {
                    state.retry = true;
                    self.shared.work.notify_one();
                    return Err(LogError::Full);
                }
                Admission::Behind => {
                    let late = self.shared.progress.wait_until(&mut state, deadline);
                    if late.timed_out() {
                        return Err(LogError::Overloaded {
                            queued: state.queued,
                        });
                    }
                }
            }
        }
        let receipt = Receipt::new(state.next);
        state.next.0 += 1;
        state.queued += bound;
        state.queue.push(Waiting {
            commit,
            receipt: receipt.clone(),
            bound,
        });
        drop(state);
        self.shared.work.notify_one();
        Ok(receipt)
    }
}

impl Drop for LocalLog {
    fn drop(&mut self) {
        self.close();
    }
}

/// Segments before `cut`, in order.
pub(crate) fn segments_before(disk: &dyn Disk, cut: u64) -> io::Result<Vec<(u64, String)>> {
    let mut segments = segments(disk)?;
    segments.retain(|(number, _)| *number < cut);
    Ok(segments)
}

/// The numbers and paths of the segments, in order.
pub(crate) fn segments(disk: &dyn Disk) -> io::Result<Vec<(u64, String)>> {
    let numbers = disk.list("log")?.into_iter().filter_map(|name| {
        let number = u64::from_str_radix(name.strip_suffix(".log")?, 16).ok()?;
        Some((number, path(number)))
    });
    Ok(numbers.collect())
}

fn scan(
    file: &dyn crate::disk::DiskFile,
    head: SegmentHead,
    segment: &str,
    replay: &mut dyn FnMut(Replay) -> io::Result<()>,
) -> io::Result<segment::End> {
    segment::scan(file, head, &mut |found| match found {
        Found::Commit(_, commit) => replay(Replay::Commit(commit)),
        Found::Damage { object, offset } => replay(damage(object, segment, offset)),
    })
}

fn damage(object: Option<ObjectKey>, segment: &str, offset: u64) -> Replay {
    Replay::Damage {
        object,
        segment: segment.into(),
        offset,
    }
}
