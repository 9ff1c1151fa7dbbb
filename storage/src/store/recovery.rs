//! The log's end: after a crash, and at every checkpoint.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use super::{Damage, Recovery, StoreError, StoreOptions, log_io, named, note_damage};
use crate::changes::Changes;
use crate::commit::Commit;
use crate::disk::Disk;
use crate::history::History;
use crate::key::{ObjectKey, Seq};
use crate::log::CommitLog;
use crate::log::local::{LocalLog, Replay, segments_before};
use crate::pages::is_full;

/// Segments that a start may leave to the first checkpoint. A process that is killed again
/// and again before that reads no more than them.
const MOST_LEFT: usize = 4;

/// Opens the log and writes its commits to their databases. These are not durable
/// themselves yet, so the log stays until the checkpoint that is asked for.
pub(super) fn recover(
    disk: &Arc<dyn Disk>,
    options: StoreOptions,
    rotated: &SyncSender<()>,
    history: &mut Option<History>,
    pin: Option<Seq>,
) -> Result<(LocalLog, Recovery), StoreError> {
    let (log, first, recovery) = loop {
        match replay(disk, options, rotated, history.as_ref()) {
            // Where the disk is full, the past gives way to the present.
            Err(StoreError::Io { error, path }) if is_full(&error) => {
                let gave = history.as_mut().map(|history| history.give_way(pin));
                if !matches!(gave, Some(Ok(true))) {
                    return Err(StoreError::Io { error, path });
                }
                tracing::warn!("the disk is full: the oldest of the history was dropped");
            }
            other => break other?,
        }
    };
    let unknown: Vec<_> = recovery
        .damage
        .iter()
        .filter(|damage| damage.object.is_none())
        .cloned()
        .collect();
    if !unknown.is_empty() && !options.accept_loss {
        return Err(StoreError::Damaged(unknown));
    }
    if let Some(history) = history {
        let connected = history.connect(first);
        connected.map_err(|error| named("history", error))?;
    }
    let left = segments_before(&**disk, u64::MAX).map_err(log_io)?.len();
    // What was lost is given up now, so that it is not lost, and told of, once more; and
    // so is a log that nobody had the time to.
    if recovery.commits > 0 && recovery.damage.is_empty() && left <= MOST_LEFT {
        // One that waits already is as good.
        let _ = rotated.try_send(());
    } else {
        let sealed = log.seal().map_err(|error| named("log", error.into()))?;
        give_up(&**disk, &log, history, sealed.cut)?;
    }
    Ok((log, recovery))
}

/// Opens the log, and answers what it begins with and what it had.
fn replay(
    disk: &Arc<dyn Disk>,
    options: StoreOptions,
    rotated: &SyncSender<()>,
    history: Option<&History>,
) -> Result<(LocalLog, Option<Seq>, Recovery), StoreError> {
    let mut recovery = Recovery::default();
    let mut newest = Newest::new(&**disk);
    let mut replay = |replay: Replay| match replay {
        Replay::Commit(commit) => {
            recovery.commits += 1;
            newest.replay(commit)
        }
        Replay::Damage {
            object,
            segment,
            offset,
        } => {
            let damage = Damage {
                object,
                segment,
                offset,
            };
            if let Some(key) = object {
                note_damage(&**disk, key, &damage.to_string())?;
            }
            recovery.damage.push(damage);
            Ok(())
        }
        Replay::End => newest.write(),
    };
    let next = history.map_or(Seq(1), History::next);
    let rotated = rotated.clone();
    let opened = LocalLog::open(disk.clone(), options.log, rotated, next, &mut replay);
    let (log, first) = opened.map_err(log_io)?;
    Ok((log, first, recovery))
}

/// Makes all databases durable, and gives the log's segments before `cut` to the
/// history, or up.
pub(super) fn give_up(
    disk: &dyn Disk,
    log: &LocalLog,
    history: &mut Option<History>,
    cut: u64,
) -> Result<(), StoreError> {
    let in_history = |error| named("history", error);
    let taken = match history {
        Some(history) => {
            let segments = segments_before(disk, cut).map_err(log_io)?;
            let taken = history.take(segments, &|| log.durable());
            Some(taken.map_err(in_history)?)
        }
        None => None,
    };
    disk.sync_all().map_err(|error| named("objects", error))?;
    match (history, taken) {
        (Some(history), Some(taken)) => history.accept(taken).map_err(in_history),
        _ => log.remove_before(cut).map_err(log_io),
    }
}

/// What recovery has yet to write to databases. Commits of many objects alternate, and
/// change the same pages again and again: each database is opened once for a share of
/// the log, and gets the newest of each page.
struct Newest<'a> {
    disk: &'a dyn Disk,
    changes: BTreeMap<ObjectKey, Changes>,
    /// Pages of all of them.
    pages: usize,
}

impl<'a> Newest<'a> {
    fn new(disk: &'a dyn Disk) -> Self {
        Self {
            disk,
            changes: BTreeMap::new(),
            pages: 0,
        }
    }

    fn replay(&mut self, commit: Commit) -> io::Result<()> {
        self.pages += commit.pages.len();
        self.changes.entry(commit.object).or_default().add(commit);
        if self.pages < Changes::MOST {
            return Ok(());
        }
        // Many replaced others.
        self.pages = self.changes.values().map(Changes::len).sum();
        if self.pages > Changes::MOST / 2 {
            self.write()?;
        }
        Ok(())
    }

    /// Writes all of it.
    fn write(&mut self) -> io::Result<()> {
        for (object, changes) in std::mem::take(&mut self.changes) {
            changes.write(&*self.disk.open(&object.path(), true)?)?;
        }
        self.pages = 0;
        Ok(())
    }
}
