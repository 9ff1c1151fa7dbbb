//! What objects were: segments of the log that are kept when the log is done with
//! them, and of each object its database as it was before them.
//!
//! A checkpoint moves the log's segments here instead of removing them, each with
//! an index by object, and begins the history of objects that have none: with
//! nothing, where the database was empty before, else with a copy of it. A state
//! is the pages of commits up to a point, newest first, and the rest from that
//! base. When the oldest segment is too old, or all are too many bytes, its
//! commits are written to the bases, as recovery writes them to databases, and it
//! is removed: whatever the power interrupts is done again.
//!
//! ```text
//! history/start             where it begins: magic 8 | seq 8 | time 8 | generation 8 | crc 4
//! history/NUMBER.log        a segment, as the log had it
//! history/NUMBER.index      its commits by object
//! history/bases/.../ID.base an object before all of them
//! ```

mod base;
mod fold;
mod index;
mod prune;
mod verify;

use std::collections::{BTreeMap, HashSet};
use std::io;
use std::sync::Arc;
use std::time::Duration;

pub(crate) use self::fold::{Past, Point};
use self::index::{Entry, Index, IndexHead};
use crate::clock::Clock;
use crate::disk::{Disk, DiskFile};
use crate::key::{ObjectKey, Seq};
use crate::pages;

/// How much of the past a store keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Retention {
    /// What the folder keeps already goes on, and nothing of it is dropped: for
    /// those who only look into a store.
    #[default]
    AsItIs,
    /// Nothing; what was kept is removed.
    Nothing,
    /// Changes that are not older and together not larger than this, the oldest go
    /// first. Beside them there is a copy of each database as it was before them.
    Last { age: Duration, bytes: u64 },
}

const START: &str = "history/start";
const START_NEW: &str = "history/start.new";
const START_MAGIC: [u8; 8] = *b"OBSTART\x01";
const START_LEN: usize = 36;

/// Objects whose history is known to have begun; a shortcut, so forgotten when full.
const MOST_KNOWN: usize = 100_000;

/// Where the history of a store begins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Start {
    /// States from after this commit on are known.
    pub(crate) seq: Seq,
    /// The same, in milliseconds since 1970; zero where nothing was before.
    pub(crate) time: u64,
    /// Tells it from those that were given up before.
    generation: u64,
}

/// The past of a store's objects.
pub(crate) struct History {
    disk: Arc<dyn Disk>,
    clock: Clock,
    /// None where nothing is dropped.
    limits: Option<Limits>,
    start: Option<Start>,
    segments: BTreeMap<u64, IndexHead>,
    known: HashSet<ObjectKey>,
    /// Something of it cannot be read, or is not there.
    is_broken: bool,
}

#[derive(Debug, Clone, Copy)]
struct Limits {
    age: Duration,
    bytes: u64,
}

/// A segment and its index, made and not yet moved.
pub(crate) struct Taken {
    number: u64,
    path: String,
    head: Option<IndexHead>,
}

impl History {
    /// Opens what is kept; `None` where nothing is to be.
    pub(crate) fn open(
        disk: &Arc<dyn Disk>,
        keep: Retention,
        clock: Clock,
    ) -> io::Result<Option<Self>> {
        let mut is_broken = false;
        let start = match read_start(&**disk) {
            Err(error) if is_damage(&error) => {
                is_broken = true;
                Some(Start::default())
            }
            other => other?,
        };
        let limits = match keep {
            Retention::Nothing => {
                remove_all(&**disk)?;
                return Ok(None);
            }
            Retention::AsItIs if start.is_none() => return Ok(None),
            Retention::AsItIs => None,
            Retention::Last { age, bytes } => Some(Limits { age, bytes }),
        };
        let mut history = Self {
            disk: disk.clone(),
            clock,
            limits,
            start,
            segments: BTreeMap::new(),
            known: HashSet::new(),
            is_broken,
        };
        for name in disk.list("history")? {
            let Some(number) = numbered(&name, ".log") else {
                continue;
            };
            match history.head(number) {
                Ok(head) => {
                    let follows = history.segments.values().next_back();
                    history.is_broken |= follows.is_some_and(|last| last.next != head.first);
                    history.segments.insert(number, head);
                }
                Err(error) if is_damage(&error) => history.is_broken = true,
                Err(error) => return Err(error),
            }
        }
        if !history.is_broken {
            history.finish_pruning()?;
        }
        Ok(Some(history))
    }

    /// The seq after the newest commit that is kept.
    pub(crate) fn next(&self) -> Seq {
        let last = self.segments.values().next_back();
        let start = self.start.map_or(Seq(0), |start| start.seq);
        last.map_or(Seq(start.0 + 1), |last| last.next)
    }

    /// Compares with the log, which begins with `first` where it has anything. Where
    /// commits are missing between, nothing before is of use.
    pub(crate) fn connect(&mut self, first: Option<Seq>) -> io::Result<()> {
        match (self.start, first) {
            (None, first) => {
                let seq = Seq(first.map_or(0, |first| first.0.saturating_sub(1)));
                // Before the first commit of all there was nothing.
                let time = if seq == Seq(0) { 0 } else { self.clock.now() };
                self.set_start(Start {
                    seq,
                    time,
                    generation: 0,
                })
            }
            (Some(_), Some(first)) if first == self.next() && !self.is_broken => Ok(()),
            (Some(_), first) => {
                let first = first.unwrap_or(self.next());
                tracing::warn!("the history of objects has a gap or is damaged, and begins anew");
                self.give_up(first)
            }
        }
    }

    /// Begins anew, with the commit `first`.
    pub(crate) fn give_up(&mut self, first: Seq) -> io::Result<()> {
        let time = self.clock.now();
        // Bases of before are none from here on.
        self.set_start(Start {
            seq: Seq(first.0.saturating_sub(1)),
            time,
            generation: time.max(self.start().generation + 1),
        })?;
        self.is_broken = false;
        self.known.clear();
        self.segments.clear();
        for name in self.disk.list("history")? {
            if numbered(&name, ".log").is_some() || numbered(&name, ".index").is_some() {
                self.disk.remove(&format!("history/{name}"))?;
            }
        }
        remove_bases(&*self.disk)?;
        self.disk.sync_names("history")
    }

    fn generation(&self) -> u64 {
        self.start.map_or(0, |start| start.generation)
    }

    /// Where states begin to be known.
    pub(crate) fn start(&self) -> Start {
        self.start.unwrap_or_default()
    }

    /// Segments that are kept, and what they cost on disk.
    pub(crate) fn cost(&self) -> u64 {
        self.segments.values().map(IndexHead::cost).sum()
    }

    /// Makes indexes of segments of the log, and begins histories that have not begun.
    /// All commits in the segments are in their databases' files; none there is
    /// newer than `newest` says. They are moved once all of it is durable
    /// ([`Self::accept`]).
    pub(crate) fn take(
        &mut self,
        segments: Vec<(u64, String)>,
        newest: &dyn Fn() -> Seq,
    ) -> io::Result<Vec<Taken>> {
        let mut taken: Vec<Taken> = Vec::new();
        let mut next = self.next();
        for (number, path) in segments {
            let file = self.disk.open(&path, false)?;
            let found = index::entries_of(&*file, number)?;
            let mut head = None;
            if let Some(found) = found.filter(|found| found.extent.next > found.extent.first) {
                let extent = found.extent;
                // The databases have all of it; only what is remembered of it is not whole.
                let is_whole = extent.first == next && !found.damaged.contains(&None);
                if !is_whole {
                    tracing::warn!(
                        path,
                        "the log is damaged, and the history of objects begins anew"
                    );
                    self.give_up(extent.next)?;
                    taken.iter_mut().for_each(|before| before.head = None);
                } else {
                    self.begin_histories(&found.entries, newest)?;
                    for object in found.damaged.into_iter().flatten() {
                        tracing::warn!(%object, path, "a commit is damaged, and the object's history ends");
                        self.end(object)?;
                    }
                    let index = self.disk.open(&index_path(number), true)?;
                    head = Some(index::write(&*index, number, extent, &found.entries)?);
                    // The rest is space that was made and not needed.
                    file.set_len(extent.end)?;
                }
                next = extent.next;
            }
            taken.push(Taken { number, path, head });
        }
        Ok(taken)
    }

    /// Moves segments here, oldest first.
    pub(crate) fn accept(&mut self, taken: Vec<Taken>) -> io::Result<()> {
        for Taken { number, path, head } in taken {
            match head {
                Some(head) => {
                    self.disk.rename(&path, &segment_path(number))?;
                    self.segments.insert(number, head);
                }
                None => self.disk.remove(&path)?,
            }
        }
        self.disk.sync_names("history")?;
        self.disk.sync_names("log")
    }

    fn begin_histories(&mut self, entries: &[Entry], newest: &dyn Fn() -> Seq) -> io::Result<()> {
        if self.known.len() > MOST_KNOWN {
            self.known.clear();
        }
        for of_one in entries.chunk_by(|a, b| a.object == b.object) {
            let first = &of_one[0];
            if !self.known.contains(&first.object) && self.base(first.object)?.is_none() {
                let begun = if first.is_first {
                    self.begin_empty(first.object, first.seq)
                } else {
                    self.begin_with_copy(first.object, first.seq, newest)
                };
                match begun {
                    // Somebody removed it: no reason for all others' log to stay.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {
                        tracing::warn!(object = %first.object, "an object's database is not there");
                        self.end(first.object)?;
                        continue;
                    }
                    Err(error) if pages::is_full(&error) => {
                        // The object is worth more than its past.
                        tracing::warn!(object = %first.object, "no room to begin an object's history");
                        self.end(first.object)?;
                        continue;
                    }
                    other => other?,
                }
            }
            self.known.insert(first.object);
        }
        Ok(())
    }

    /// The head of a kept segment's index, which is made again where it is damaged.
    fn head(&self, number: u64) -> io::Result<IndexHead> {
        let file = self.disk.open(&index_path(number), true)?;
        if let Some(head) = index::head_of(&*file, number)? {
            return Ok(head);
        }
        let segment = self.disk.open(&segment_path(number), false)?;
        let found = index::entries_of(&*segment, number)?;
        let found = found
            .filter(|found| found.damaged.is_empty())
            .ok_or_else(|| {
                let what = format!("{} is damaged", segment_path(number));
                io::Error::new(io::ErrorKind::InvalidData, what)
            })?;
        let head = index::write(&*file, number, found.extent, &found.entries)?;
        file.sync()?;
        Ok(head)
    }

    /// An object's commits in a kept segment.
    fn entries(&self, head: IndexHead, object: ObjectKey) -> io::Result<Vec<Entry>> {
        let path = index_path(head.number);
        let file = self.disk.open(&path, false)?;
        let found = Index::new(&*file, head).find(object);
        found.map_err(|error| named(&path, &error))
    }

    fn segment(&self, number: u64) -> io::Result<Arc<dyn DiskFile>> {
        self.disk.open(&segment_path(number), false)
    }

    fn set_start(&mut self, start: Start) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(START_LEN);
        bytes.extend_from_slice(&START_MAGIC);
        for long in [start.seq.0, start.time, start.generation] {
            bytes.extend_from_slice(&long.to_le_bytes());
        }
        bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_le_bytes());
        let file = self.disk.open(START_NEW, true)?;
        file.set_len(0)?;
        file.write_at(&bytes, 0)?;
        file.sync()?;
        self.disk.rename(START_NEW, START)?;
        self.disk.sync_names("history")?;
        self.start = Some(start);
        Ok(())
    }
}

/// None where nothing is kept.
fn read_start(disk: &dyn Disk) -> io::Result<Option<Start>> {
    let file = match disk.open(START, false) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    let mut bytes = [0; START_LEN];
    let read = file.read_at(&mut bytes, 0)?;
    let long = |at: usize| {
        let bytes = bytes[at..].first_chunk();
        bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes))
    };
    let crc = crc32c::crc32c(&bytes[..32]).to_le_bytes();
    if read < START_LEN || bytes[..8] != START_MAGIC || bytes[32..] != crc {
        let what = format!("{START} is damaged");
        return Err(io::Error::new(io::ErrorKind::InvalidData, what));
    }
    Ok(Some(Start {
        seq: Seq(long(8)),
        time: long(16),
        generation: long(24),
    }))
}

fn is_damage(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::InvalidData | io::ErrorKind::NotFound
    )
}

/// Removes a history; what is left of one that was interrupted is found by its start.
fn remove_all(disk: &dyn Disk) -> io::Result<()> {
    let names = disk.list("history")?;
    if names.is_empty() {
        return Ok(());
    }
    remove_bases(disk)?;
    // A history that begins later has no start that tells its bases from these.
    disk.sync_all()?;
    let files = names
        .iter()
        .filter(|name| numbered(name, ".log").is_some() || numbered(name, ".index").is_some());
    for name in files.chain(names.iter().filter(|name| name.starts_with("start"))) {
        disk.remove(&format!("history/{name}"))?;
    }
    disk.sync_names("history")
}

fn remove_bases(disk: &dyn Disk) -> io::Result<()> {
    let bases = "history/bases";
    for namespace in disk.list(bases)? {
        for shard in disk.list(&format!("{bases}/{namespace}"))? {
            let dir = format!("{bases}/{namespace}/{shard}");
            for name in disk.list(&dir)? {
                disk.remove(&format!("{dir}/{name}"))?;
            }
        }
    }
    Ok(())
}

fn segment_path(number: u64) -> String {
    format!("history/{number:016x}.log")
}

fn index_path(number: u64) -> String {
    format!("history/{number:016x}.index")
}

fn numbered(name: &str, suffix: &str) -> Option<u64> {
    u64::from_str_radix(name.strip_suffix(suffix)?, 16).ok()
}

fn named(path: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{path}: {error}"))
}
