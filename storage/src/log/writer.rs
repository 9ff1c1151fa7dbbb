//! The thread that writes: whatever waits becomes one batch and one sync.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use parking_lot::{Condvar, Mutex};

use super::local::LogOptions;
use super::segment::{Batch, HEAD, Salt, SegmentHead};
use super::{LogError, Receipt};
use crate::commit::Commit;
use crate::disk::{Disk, DiskFile};
use crate::key::Seq;

/// Batches end past this many bytes, so that memory and latency stay bounded.
const BATCH_BYTES: usize = 4 << 20;

/// What the callers and the threads share.
pub(super) struct Shared {
    pub(super) state: Mutex<State>,
    /// Something for the writer to do.
    pub(super) work: Condvar,
    /// The writer got somewhere.
    pub(super) progress: Condvar,
}

pub(super) struct State {
    pub(super) next: Seq,
    /// The newest commit that is on disk.
    pub(super) durable: Seq,
    pub(super) queue: Vec<Waiting>,
    /// The most bytes that what is queued or being written will take.
    pub(super) queued: usize,
    pub(super) space: Space,
    pub(super) refusal: Option<LogError>,
    /// A commit was refused for want of room: look whether there is some by now.
    pub(super) retry: bool,
    /// Somebody wants what comes next to be in a new segment.
    pub(super) seal: bool,
    /// Whether the last who wanted it has it.
    pub(super) sealed_all: bool,
    /// The segment that is written now.
    pub(super) segment: u64,
    pub(super) closing: bool,
}

/// Log that is made and not written.
pub(super) struct Space {
    /// Bytes left in the current segment.
    rest: usize,
    spare: Spare,
}

enum Spare {
    Ready(Segment),
    Making,
    /// The last one was just taken.
    None,
    /// The disk has no room for one.
    Failed,
}

impl State {
    /// Bytes of commits that certainly fit: a batch that is larger than the rest
    /// leaves it unused, so the two do not add up.
    fn room(&self) -> usize {
        match &self.space.spare {
            Spare::Ready(spare) => self.space.rest.max(spare.len - HEAD),
            _ => self.space.rest,
        }
    }

    /// Whether there is another segment to go on in, or will not be.
    fn can_seal(&self) -> bool {
        matches!(self.space.spare, Spare::Ready(_) | Spare::Failed)
    }

    /// Whether a thread makes the next segment.
    pub(super) fn makes_space(&self) -> bool {
        matches!(self.space.spare, Spare::Making)
    }

    /// Whether the disk had no room for more log.
    pub(super) fn is_short(&self) -> bool {
        matches!(self.space.spare, Spare::Failed)
    }

    /// Whether a commit of at most `bound` bytes can be promised a place now.
    pub(super) fn admit(&self, bound: usize, most: usize) -> Admission {
        let queued = self.queued + bound;
        // One alone is never too much: it fits into a segment.
        if queued <= self.room() && (queued <= most || self.queued == 0) {
            return Admission::Taken;
        }
        match self.space.spare {
            Spare::Failed if queued > self.room() => Admission::Full,
            _ => Admission::Behind,
        }
    }
}

pub(super) enum Admission {
    Taken,
    /// The disk has no room for what it needs.
    Full,
    /// What is queued has to be written, or the next segment made, before.
    Behind,
}

pub(super) struct Waiting {
    pub(super) commit: Commit,
    pub(super) receipt: Receipt,
    pub(super) bound: usize,
}

/// A segment with its space made, so that a sync writes no metadata.
struct Segment {
    file: Arc<dyn DiskFile>,
    number: u64,
    salt: Salt,
    offset: usize,
    len: usize,
}

/// Whether a wish for a new segment was answered.
struct Sealed(bool);

/// The writer's own side.
pub(super) struct Writer {
    disk: Arc<dyn Disk>,
    options: LogOptions,
    shared: Arc<Shared>,
    /// Hears of full segments and of a full disk; one note is enough.
    rotated: SyncSender<()>,
    current: Segment,
    batch: Batch,
}

/// The name of a segment's file.
pub(super) fn path(number: u64) -> String {
    format!("log/{number:016x}.log")
}

impl Writer {
    /// Makes the first segment, numbered `number`, which starts with `next`.
    pub(super) fn new(
        disk: Arc<dyn Disk>,
        options: LogOptions,
        rotated: SyncSender<()>,
        number: u64,
        next: Seq,
    ) -> io::Result<(Self, Arc<Shared>)> {
        let current = Segment::make(&*disk, number, options.segment_bytes);
        let current = current.inspect_err(|_| {
            // A part of one would be in the way.
            let _ = disk.remove(&path(number));
        })?;
        current.begin(next)?;
        disk.sync_names("log")?;
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                next,
                durable: Seq(next.0.saturating_sub(1)),
                queue: Vec::new(),
                queued: 0,
                space: Space {
                    rest: current.rest(),
                    spare: Spare::None,
                },
                refusal: None,
                retry: false,
                seal: false,
                sealed_all: false,
                segment: number,
                closing: false,
            }),
            work: Condvar::new(),
            progress: Condvar::new(),
        });
        let writer = Self {
            disk,
            options,
            shared: shared.clone(),
            rotated,
            current,
            batch: Batch::default(),
        };
        Ok((writer, shared))
    }

    /// Runs until the log is closed and all that waited is written.
    pub(super) fn run(mut self) {
        while let Some(taken) = self.take() {
            let result = self.write(&taken).map_err(|error| {
                tracing::error!(%error, "the commit log failed; every commit is refused from now on");
                LogError::Poisoned(Arc::new(error))
            });
            let settled = result.as_ref().map(|_| ()).map_err(Clone::clone);
            let bound: usize = taken.iter().map(|waiting| waiting.bound).sum();
            let last = taken.last().map(|waiting| waiting.receipt.seq());
            // Before anybody knows that they are: what is in a database's file is not newer.
            if let (Ok(_), Some(last)) = (&result, last) {
                self.shared.state.lock().durable = last;
            }
            // Before the state says that they are written: a checkpoint relies on
            // the receipts of whatever is in a segment that it gives up.
            for waiting in taken {
                waiting.receipt.settle(settled.clone());
            }
            let mut state = self.shared.state.lock();
            state.queued -= bound;
            state.segment = self.current.number;
            state.space.rest = self.current.rest();
            match result {
                Ok(Sealed(sealed)) => {
                    state.seal &= !sealed;
                    state.sealed_all = self.current.offset == HEAD;
                }
                Err(error) => {
                    for waiting in state.queue.drain(..) {
                        waiting.receipt.settle(Err(error.clone()));
                    }
                    state.refusal = Some(error);
                }
            }
            drop(state);
            self.shared.progress.notify_all();
            if settled.is_err() {
                return;
            }
        }
    }

    /// Waits for something to do: commits, a batch's worth of them at most, or
    /// none and a wish for a new segment.
    fn take(&mut self) -> Option<Vec<Waiting>> {
        let mut state = self.shared.state.lock();
        loop {
            self.make_spare(&mut state);
            if !state.queue.is_empty() || (state.seal && state.can_seal()) {
                break;
            }
            if state.closing {
                return None;
            }
            self.shared.work.wait(&mut state);
        }
        let mut bytes = 0;
        let fits = |waiting: &&Waiting| {
            bytes += waiting.bound;
            bytes <= BATCH_BYTES
        };
        let count = state.queue.iter().take_while(fits).count().max(1);
        let count = count.min(state.queue.len());
        Some(state.queue.drain(..count).collect())
    }

    fn write(&mut self, taken: &[Waiting]) -> io::Result<Sealed> {
        if let Some(first) = taken.first() {
            let seq = first.receipt.seq();
            self.batch.clear();
            for waiting in taken {
                self.batch.push(&waiting.commit);
            }
            if self.batch.len() > self.current.rest() {
                self.current = next_segment(&self.shared, &*self.disk, seq)?;
                // Full: a note is waiting already.
                let _ = self.rotated.try_send(());
            }
            let bytes = self.batch.seal(seq, self.current.salt);
            self.current.append(bytes)?;
        }
        let (sealed, next, spare) = {
            let state = self.shared.state.lock();
            let queued = state.queue.first().map(|waiting| waiting.receipt.seq());
            let spare = &state.space.spare;
            (
                state.seal && state.can_seal(),
                queued.unwrap_or(state.next),
                matches!(spare, Spare::Ready(_)),
            )
        };
        // On a full disk the segments before this one are all that can be let go.
        if sealed && spare && self.current.offset > HEAD {
            self.current = next_segment(&self.shared, &*self.disk, next)?;
        }
        Ok(Sealed(sealed))
    }

    /// Has the next segment made before it is needed, by a thread of its own:
    /// filling it takes as long as many syncs. Without room for it commits are
    /// refused before there are any that could be half written.
    fn make_spare(&self, state: &mut State) {
        let retry = std::mem::take(&mut state.retry);
        match state.space.spare {
            Spare::None => {}
            Spare::Failed if retry => {}
            _ => return,
        }
        if state.closing {
            return;
        }
        state.space.spare = Spare::Making;
        let (disk, shared) = (self.disk.clone(), self.shared.clone());
        let short = self.rotated.clone();
        let (number, len) = (self.current.number + 1, self.options.segment_bytes);
        let make = move || {
            let made = Segment::make(&*disk, number, len);
            let spare = match made {
                Ok(segment) => Spare::Ready(segment),
                Err(error) => {
                    tracing::warn!(%error, "no room for another segment of the commit log");
                    // A part of one would be in the way.
                    let _ = disk.remove(&path(number));
                    Spare::Failed
                }
            };
            let failed = matches!(spare, Spare::Failed);
            shared.state.lock().space.spare = spare;
            if failed {
                // Whoever hears of full segments may have something to let go.
                let _ = short.try_send(());
            }
            shared.progress.notify_all();
            // A wish for a new segment waits for this.
            shared.work.notify_one();
        };
        let thread = std::thread::Builder::new().name("log-space".into());
        if let Err(error) = thread.spawn(make) {
            tracing::warn!(%error, "no thread to make room for the commit log");
            state.space.spare = Spare::Failed;
        }
    }
}

/// The spare segment, as the current one. Waits while it is being made.
fn next_segment(shared: &Shared, disk: &dyn Disk, first: Seq) -> io::Result<Segment> {
    let mut state = shared.state.lock();
    let segment = loop {
        match std::mem::replace(&mut state.space.spare, Spare::None) {
            Spare::Ready(segment) => break segment,
            Spare::Making => {
                state.space.spare = Spare::Making;
                shared.progress.wait(&mut state);
            }
            // `admit` lets nothing in that needs it.
            Spare::None | Spare::Failed => return Err(io::ErrorKind::StorageFull.into()),
        }
    };
    // The lock is held while the disk syncs, once a segment: nobody may see the
    // room of a segment that is not there yet.
    segment.begin(first)?;
    disk.sync_names("log")?;
    Ok(segment)
}

impl Segment {
    /// A file with its space made: zeros are written, since a hole or an
    /// unwritten extent makes the file system write its journal at each sync.
    fn make(disk: &dyn Disk, number: u64, len: usize) -> io::Result<Self> {
        static ZEROS: [u8; 1 << 16] = [0; 1 << 16];
        let file = disk.open(&path(number), true)?;
        file.set_len(0)?;
        let mut offset = 0;
        while offset < len {
            let part = ZEROS.len().min(len - offset);
            file.write_at(&ZEROS[..part], offset as u64)?;
            offset += part;
        }
        file.sync()?;
        Ok(Self {
            file,
            number,
            salt: Salt::random(),
            offset: HEAD,
            len,
        })
    }

    /// Makes it part of the log.
    fn begin(&self, first: Seq) -> io::Result<()> {
        let head = SegmentHead {
            number: self.number,
            first,
            salt: self.salt,
        };
        self.file.write_at(&head.encode(), 0)?;
        self.file.sync()
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_at(bytes, self.offset as u64)?;
        self.file.sync()?;
        self.offset += bytes.len();
        Ok(())
    }

    fn rest(&self) -> usize {
        self.len - self.offset
    }
}
