//! The oldest goes: its commits become part of the bases.

use std::io;
use std::time::Duration;

use super::base::BasePages;
use super::index::{Entry, Index, IndexHead};
use super::{History, Limits, Start, index, index_path, segment_path};
use crate::changes::Changes;
use crate::disk::DiskFile;
use crate::key::Seq;
use crate::pages;

/// Segments that a checkpoint, which adds about one, drops for their age at most.
const MOST_OLD: usize = 2;

impl History {
    /// Drops segments that are past the limits, but none with commits after `pin`.
    ///
    /// A clock that was set wrong for a while must not throw the past away. So ages are
    /// those at the first commit of the newest segment, and a checkpoint drops few for
    /// their age: whoever believes the clock too early has lost little when it is set.
    pub(crate) fn prune(&mut self, pin: Option<Seq>) -> io::Result<()> {
        let Some(Limits { bytes, .. }) = self.limits else {
            return Ok(());
        };
        let newest = self.segments.values().next_back();
        let now = newest.map_or(0, |newest| newest.first_time.min(self.clock.now()));
        let oldest_time = self.oldest_time(now);
        let mut left = MOST_OLD;
        while let Some(oldest) = self.oldest() {
            let is_old = left > 0 && self.ended(&oldest) < oldest_time;
            let is_over = is_old || self.cost() > bytes;
            if !is_over || pin.is_some_and(|pin| oldest.last() > pin) {
                break;
            }
            left = left.saturating_sub(1);
            self.drop_oldest(oldest)?;
        }
        Ok(())
    }

    /// Before it, all is too old at `now`, both in milliseconds since 1970.
    pub(super) fn oldest_time(&self, now: u64) -> u64 {
        let age = self.limits.map(|limits| millis(limits.age));
        age.map_or(0, |age| now.saturating_sub(age))
    }

    /// When the history begins, as far as clocks can be believed: one that said the
    /// future was wrong.
    pub(crate) fn start_time(&self) -> u64 {
        let (start, now) = (self.start().time, self.clock.now());
        match self.oldest() {
            _ if start <= now => start,
            Some(oldest) => oldest.last_time.min(now),
            None => now,
        }
    }

    /// When the oldest segment did, in the same sense.
    fn ended(&self, oldest: &IndexHead) -> u64 {
        let now = self.clock.now();
        let mut time = oldest.last_time;
        if time > now {
            let next = self.segments.values().nth(1);
            time = next.map_or(now, |next| next.last_time.min(now));
        }
        time.max(self.start_time())
    }

    /// Drops the oldest segment, to make room; answers whether there was one.
    pub(crate) fn give_way(&mut self, pin: Option<Seq>) -> io::Result<bool> {
        let may_go = |oldest: &IndexHead| pin.is_none_or(|pin| oldest.last() <= pin);
        let Some(oldest) = self.oldest().filter(may_go) else {
            return Ok(false);
        };
        self.drop_oldest(oldest)?;
        Ok(true)
    }

    /// Goes on where the power went.
    pub(super) fn finish_pruning(&mut self) -> io::Result<()> {
        let start = self.start();
        while let Some(oldest) = self.oldest().filter(|oldest| oldest.last() <= start.seq) {
            self.roll(oldest)?;
        }
        Ok(())
    }

    fn oldest(&self) -> Option<IndexHead> {
        self.segments.values().next().copied()
    }

    fn drop_oldest(&mut self, oldest: IndexHead) -> io::Result<()> {
        // First: while its commits are written to the bases, states between them
        // are not to be had.
        let start = Start {
            seq: oldest.last(),
            time: self.ended(&oldest),
            ..self.start()
        };
        self.set_start(start)?;
        self.roll(oldest)
    }

    /// Writes a segment's commits to the bases, and removes it.
    fn roll(&mut self, oldest: IndexHead) -> io::Result<()> {
        let number = oldest.number;
        let segment = self.segment(number)?;
        for of_one in self
            .all_entries(oldest, &*segment)?
            .chunk_by(|a, b| a.object == b.object)
        {
            self.roll_object(of_one, &*segment)?;
        }
        self.disk.sync_all()?;
        self.disk.remove(&segment_path(number))?;
        self.disk.remove(&index_path(number))?;
        self.segments.remove(&number);
        self.disk.sync_names("history")
    }

    fn all_entries(&self, head: IndexHead, segment: &dyn DiskFile) -> io::Result<Vec<Entry>> {
        let file = self.disk.open(&index_path(head.number), false)?;
        let indexed = Index::new(&*file, head).all().collect::<io::Result<_>>();
        match indexed {
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                let found = index::entries_of(segment, head.number)?;
                Ok(found.map_or_else(Vec::new, |found| found.entries))
            }
            other => other,
        }
    }

    /// A base that cannot follow is none any more: the object's history begins later.
    fn roll_object(&mut self, of_one: &[Entry], segment: &dyn DiskFile) -> io::Result<()> {
        let Some(first) = of_one.first() else {
            return Ok(());
        };
        let Some((base, file)) = self.base(first.object)? else {
            return Ok(());
        };
        let pages = BasePages(file);
        let follow = || -> io::Result<bool> {
            let mut changes = Changes::default();
            for entry in of_one.iter().filter(|entry| entry.seq >= base.from) {
                let Some(commit) = entry.read(segment)? else {
                    return Ok(false);
                };
                if commit.is_first {
                    changes.clear();
                }
                changes.add(commit);
                if changes.len() >= Changes::MOST {
                    std::mem::take(&mut changes).write(&pages)?;
                }
            }
            changes.write(&pages)?;
            Ok(true)
        };
        let what = match follow() {
            Ok(true) => return Ok(()),
            Ok(false) => "a kept commit is damaged",
            Err(error) if pages::is_full(&error) => "the disk is full",
            Err(error) => return Err(error),
        };
        tracing::warn!(object = %first.object, what, "an object's history was given up");
        self.end(first.object)
    }
}

fn millis(age: Duration) -> u64 {
    u64::try_from(age.as_millis()).unwrap_or(u64::MAX)
}
