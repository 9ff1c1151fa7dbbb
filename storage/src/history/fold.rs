//! States of an object, from its base and the commits since.

use std::io;
use std::sync::Arc;

use super::base::{Base, BasePages};
use super::index::{self, Entry, IndexHead};
use super::{History, segment_path};
use crate::bookmark::{Bookmark, END};
use crate::commit::{Commit, PAGE_SIZE, Page};
use crate::disk::DiskFile;
use crate::key::{Epoch, ObjectKey, Seq};
use crate::log::local::segments;
use crate::pages;
use crate::restore::HistoryError;

/// A point in an object's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Point {
    /// After the last commit that is not after this one.
    After(Seq),
    /// After the last commit of an epoch, which is not before `since`, or else of
    /// an epoch before it.
    EndOf { epoch: Epoch, since: Seq },
}

impl Point {
    pub(crate) fn of(bookmark: &Bookmark) -> Self {
        match bookmark.at {
            END => Self::EndOf {
                epoch: bookmark.epoch,
                since: Seq(bookmark.count),
            },
            at => Self::After(at),
        }
    }

    /// Whether a commit is a part of the state.
    fn has(self, entry: &Entry) -> bool {
        match self {
            Self::After(seq) => entry.seq <= seq,
            Self::EndOf { epoch, .. } => entry.epoch <= epoch,
        }
    }

    /// A commit that the state does not come before.
    pub(crate) fn at_least(self) -> Seq {
        match self {
            Self::After(seq) => seq,
            Self::EndOf { since, .. } => since,
        }
    }
}

/// Everything that is known of one object's past.
pub(crate) struct Past<'a> {
    history: &'a History,
    key: ObjectKey,
    base: Base,
    rest: Rest,
    /// Its commits in segments that the log still has, newest segment first.
    live: Vec<(String, Vec<Entry>)>,
}

/// What holds pages that no commit changed.
enum Rest {
    Nothing,
    Base(BasePages),
    /// Nothing is known to have changed it.
    Database(Arc<dyn DiskFile>),
}

/// One of the segments, newest first.
enum Source<'a> {
    Live(&'a str, &'a [Entry]),
    Kept(IndexHead),
}

impl<'a> Past<'a> {
    /// The past of an object; an error where it is not known.
    pub(crate) fn of(history: &'a History, key: ObjectKey) -> Result<Self, HistoryError> {
        let disk = &*history.disk;
        let mut live = Vec::new();
        for (number, path) in segments(disk)?.into_iter().rev() {
            let file = disk.open(&path, false)?;
            let Some(found) = index::entries_of(&*file, number)? else {
                continue;
            };
            let is_ours = |object: &Option<ObjectKey>| object.is_none_or(|object| object == key);
            if found.damaged.iter().any(is_ours) {
                return Err(HistoryError::Damaged(path));
            }
            let mut entries = found.entries;
            entries.retain(|entry| entry.object == key);
            live.push((path, entries));
        }
        let (base, rest) = match history.base(key)? {
            Some((base, file)) => (base, Rest::Base(BasePages(file))),
            None => Self::without_base(history, key, &live)?,
        };
        Ok(Self {
            history,
            key,
            base,
            rest,
            live,
        })
    }

    /// An object that no checkpoint has seen yet, or that nothing has changed.
    fn without_base(
        history: &History,
        key: ObjectKey,
        live: &[(String, Vec<Entry>)],
    ) -> Result<(Base, Rest), HistoryError> {
        for head in history.segments.values() {
            if !history.entries(*head, key)?.is_empty() {
                return Err(HistoryError::Unknown);
            }
        }
        let mut base = Base {
            from: Seq(0),
            valid: Seq(0),
        };
        let oldest = live.iter().rev().find_map(|(_, entries)| entries.first());
        match oldest {
            Some(oldest) if oldest.is_first => {
                base.from = oldest.seq;
                Ok((base, Rest::Nothing))
            }
            Some(_) => Err(HistoryError::Unknown),
            None => match history.disk.open(&key.path(), false) {
                Ok(file) => Ok((base, Rest::Database(file))),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok((base, Rest::Nothing)),
                Err(error) => Err(error.into()),
            },
        }
    }

    /// Refuses a point that is before what is known.
    pub(crate) fn check(&self, point: Point) -> Result<(), HistoryError> {
        let earliest = self.earliest();
        if point.at_least() >= earliest {
            return Ok(());
        }
        // The epoch may have gone on for long after it was spoken of.
        let later = match point {
            Point::After(_) => None,
            Point::EndOf { .. } => self.find(|entry| point.has(entry))?,
        };
        match later {
            Some((_, entry)) if entry.seq >= earliest => Ok(()),
            _ => Err(self.early()),
        }
    }

    /// The pages of a state, each once and in no order, and how many pages it has.
    pub(crate) fn state(
        &self,
        point: Point,
        found: &mut dyn FnMut(u32, &Page) -> Result<(), HistoryError>,
    ) -> Result<u32, HistoryError> {
        self.check(point)?;
        let mut state: Option<State> = None;
        'all: for source in self.sources() {
            let mut segment = None;
            for entry in self.entries_of(&source)?.iter().rev() {
                if entry.seq < self.base.from {
                    break 'all;
                }
                if state.is_none() && (!point.has(entry) || entry.goes_on) {
                    continue;
                }
                let state = state.get_or_insert_with(|| State::new(entry.size));
                state.limit = state.limit.min(entry.size);
                let segment = match &segment {
                    Some(file) => file,
                    None => segment.insert(self.file_of(&source)?),
                };
                let commit = entry.read(&**segment)?;
                let commit = commit.ok_or_else(|| self.damaged(&source))?;
                state.take(&commit, found)?;
                if entry.is_first {
                    state.limit = 0;
                }
                if entry.is_first || state.is_whole() {
                    break 'all;
                }
            }
        }
        let size_of_rest = || -> io::Result<u32> {
            match &self.rest {
                Rest::Nothing => Ok(0),
                Rest::Base(base) => pages::pages_in(base.size()?),
                Rest::Database(file) => pages::pages_in(file.size()?),
            }
        };
        let mut state = match state {
            Some(state) => state,
            None => State::new(size_of_rest()?),
        };
        for number in 1..=state.size {
            if state.set(number) {
                let page = if number <= state.limit {
                    self.rest_page(number)?
                } else {
                    [0; PAGE_SIZE]
                };
                found(number, &Arc::new(page))?;
            }
        }
        Ok(state.size)
    }

    /// The point that a time is, and its epoch.
    pub(crate) fn at_time(&self, time: u64) -> Result<(Epoch, Seq), HistoryError> {
        let start = self.history.start();
        let now = self.history.clock.now();
        let since = self.history.start_time().max(self.history.oldest_time(now));
        if time < since {
            return Err(HistoryError::Early { since });
        }
        let found = self.last_at(time, now)?;
        let (epoch, seq) = found.map_or((Epoch(0), Seq(0)), |entry| (entry.epoch, entry.seq));
        // The latest point of all that is the same for this object: it is kept longest.
        let kept = self.history.segments.values();
        let before = kept.take_while(|head| head.last_time <= time).last();
        let at = before.map_or(start.seq, IndexHead::last).max(seq);
        if at < self.base.valid {
            return Err(self.early());
        }
        Ok((epoch, at))
    }

    /// Of the newest commit that is whole.
    pub(crate) fn epoch(&self) -> Result<Epoch, HistoryError> {
        let newest = self.find(|entry| !entry.goes_on)?;
        Ok(newest.map_or(Epoch(0), |(_, entry)| entry.epoch))
    }

    fn earliest(&self) -> Seq {
        self.history.start().seq.max(self.base.valid)
    }

    fn early(&self) -> HistoryError {
        HistoryError::Early {
            since: self.history.start_time(),
        }
    }

    /// The newest commit that is not later than `time`. Where clocks were set back and
    /// forth there are several such points: it is the one that the times of the fewest
    /// commits speak against, those of the future left out.
    fn last_at(&self, time: u64, now: u64) -> Result<Option<Entry>, HistoryError> {
        let mut best: Option<Entry> = None;
        // Of commits after this point how many more are later than the time than not; and
        // the most of the points so far.
        let (mut later, mut most) = (0_i64, i64::MIN);
        let mut sources = self.sources().peekable();
        while let Some(source) = sources.next() {
            let entries = self.entries_of(&source)?;
            let known = entries
                .iter()
                .filter(|entry| entry.seq >= self.base.from && !entry.goes_on);
            for entry in known.rev() {
                if later > most {
                    (best, most) = (Some(*entry), later);
                }
                later += match entry.time {
                    at if at <= time => -1,
                    at if at <= now => 1,
                    _ => 0,
                };
            }
            // Of those that are older, none speaks for a point before it.
            let is_end = |head: &IndexHead| head.last_time <= time;
            if later <= most
                && matches!(sources.peek(), Some(Source::Kept(_)))
                && self.kept_before(&source).all(is_end)
            {
                return Ok(best);
            }
        }
        Ok(if later > most { None } else { best })
    }

    /// Heads of the kept segments before one, newest first.
    fn kept_before<'s>(&'s self, source: &Source<'_>) -> impl Iterator<Item = &'s IndexHead> {
        let before = match source {
            Source::Live(..) => u64::MAX,
            Source::Kept(head) => head.number,
        };
        self.history
            .segments
            .range(..before)
            .rev()
            .map(|(_, head)| head)
    }

    /// The newest commit of the object that is like this.
    fn find(
        &self,
        is_it: impl Fn(&Entry) -> bool,
    ) -> Result<Option<(Source<'_>, Entry)>, HistoryError> {
        for source in self.sources() {
            let entries = self.entries_of(&source)?;
            let known = entries.iter().filter(|entry| entry.seq >= self.base.from);
            if let Some(found) = known.rev().find(|entry| is_it(entry)) {
                let found = *found;
                return Ok(Some((source, found)));
            }
        }
        Ok(None)
    }

    fn sources(&self) -> impl Iterator<Item = Source<'_>> {
        let live = self
            .live
            .iter()
            .map(|(path, entries)| Source::Live(path, entries));
        let kept = self.history.segments.values().rev();
        live.chain(kept.map(|head| Source::Kept(*head)))
    }

    fn entries_of<'s>(&self, source: &Source<'s>) -> io::Result<std::borrow::Cow<'s, [Entry]>> {
        Ok(match source {
            Source::Live(_, entries) => (*entries).into(),
            Source::Kept(head) => self.history.entries(*head, self.key)?.into(),
        })
    }

    fn file_of(&self, source: &Source<'_>) -> io::Result<Arc<dyn DiskFile>> {
        match source {
            Source::Live(path, _) => self.history.disk.open(path, false),
            Source::Kept(head) => self.history.segment(head.number),
        }
    }

    fn damaged(&self, source: &Source<'_>) -> HistoryError {
        HistoryError::Damaged(match source {
            Source::Live(path, _) => (*path).into(),
            Source::Kept(head) => segment_path(head.number),
        })
    }

    fn rest_page(&self, number: u32) -> Result<[u8; PAGE_SIZE], HistoryError> {
        let mut page = [0; PAGE_SIZE];
        let offset = pages::bytes_of(number - 1);
        let (read, path) = match &self.rest {
            Rest::Nothing => return Ok(page),
            Rest::Base(base) => (
                base.read_at(&mut page, offset)?,
                super::base::path(self.key),
            ),
            Rest::Database(file) => (file.read_at(&mut page, offset)?, self.key.path()),
        };
        if read == 0 || pages::is_sound(number, &page) {
            return Ok(page);
        }
        Err(HistoryError::Damaged(path))
    }
}

/// Which pages of a state are known.
struct State {
    size: u32,
    /// Pages past this one were cut off since, whatever older commits say.
    limit: u32,
    left: u32,
    known: Vec<u64>,
}

impl State {
    fn new(size: u32) -> Self {
        Self {
            size,
            limit: size,
            left: size,
            known: vec![0; size as usize / 64 + 1],
        }
    }

    /// Whether the page was not known.
    fn set(&mut self, number: u32) -> bool {
        let (word, bit) = (number as usize / 64, 1 << (number % 64));
        let is_new = self.known[word] & bit == 0;
        self.known[word] |= bit;
        self.left -= u32::from(is_new);
        is_new
    }

    fn take(
        &mut self,
        commit: &Commit,
        found: &mut dyn FnMut(u32, &Page) -> Result<(), HistoryError>,
    ) -> Result<(), HistoryError> {
        for (number, page) in &commit.pages {
            if *number <= self.limit && self.set(*number) {
                found(*number, page)?;
            }
        }
        Ok(())
    }

    fn is_whole(&self) -> bool {
        self.left == 0
    }
}
