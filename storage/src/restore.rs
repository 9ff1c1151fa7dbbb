//! Objects as they were: bookmarks of an object's past, and how it becomes its
//! present.
//!
//! A restore begins with a note of what is wanted, which is durable. The next to
//! open the object finds it, and commits what differs to the log before SQLite
//! sees the database: one commit, or, where that is too large, several of which
//! all but the last say that they go on. Where the power goes between, the note is
//! still there and the rest follows. Whoever opens the object takes the note away
//! ([`Object::finish_restore`]) when all that depends on its contents knows of
//! them, and before anything else is written.

mod note;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub(crate) use self::note::Notes;
use self::note::{Note, Wanted};
use crate::bookmark::{BadBookmark, Bookmark};
use crate::commit::{PAGE_SIZE, Page};
use crate::history::{History, Past, Point};
use crate::key::{Epoch, ObjectKey};
use crate::moment::Moment;
use crate::object::{Object, ObjectError};
use crate::pages::{Pages, Part};
use crate::store::{Inner, Store, damage_note};

/// Why an object's past is not to be had.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    #[error("this store keeps no history")]
    Off,
    #[error(transparent)]
    Bookmark(#[from] BadBookmark),
    #[error("that is before what is kept of the object, which begins {}", Moment(*since))]
    Early { since: u64 },
    #[error("that is in the future")]
    Late,
    /// Its database is older than the history, or was replaced.
    #[error("nothing is kept of the object yet: that begins when it has changed")]
    Unknown,
    #[error("{0} is damaged")]
    Damaged(String),
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Object(#[from] ObjectError),
}

/// An object's past, for whoever has the object open. Its methods but the first
/// read files and wait for the disk.
#[derive(Clone)]
pub struct ObjectPast {
    store: Arc<Inner>,
    pages: Arc<Pages>,
}

impl ObjectPast {
    /// The state after the newest commit. Each sorts after those before.
    pub fn now(&self) -> Bookmark {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        // A clock that is set back takes no bookmark behind those before.
        static LAST: AtomicU64 = AtomicU64::new(0);
        let (epoch, at) = self.pages.position();
        let now = self.store.clock.now();
        Bookmark {
            epoch,
            at,
            time: LAST.fetch_max(now, Ordering::Relaxed).max(now),
            count: COUNT.fetch_add(1, Ordering::Relaxed),
        }
    }

    /// The state at a time, in milliseconds since 1970.
    pub fn at(&self, time: u64) -> Result<Bookmark, HistoryError> {
        self.store.bookmark_at(self.pages.object(), time)
    }

    /// Has the object be as it was at a bookmark when it is opened next. Answers what
    /// undoes that: the state that it has when it is closed.
    pub fn restore_next(&self, to: &Bookmark) -> Result<Bookmark, HistoryError> {
        let key = self.pages.object();
        let (epoch, at) = self.pages.position();
        let point = Point::of(to);
        if point.at_least() > at {
            return Err(HistoryError::Late);
        }
        self.store.with_past(key, |past| past.check(point))?;
        let mut notes = self.store.notes.lock();
        notes.set(
            &*self.store.disk,
            key,
            Note {
                epoch,
                wanted: Wanted::Next(*to),
            },
        )?;
        let mut undo = Bookmark::end_of(epoch, self.store.clock.now());
        undo.count = at.0;
        Ok(undo)
    }
}

impl Store {
    /// Whether opening the object will take time, since it is to become what it was.
    pub fn is_restoring(&self, key: ObjectKey) -> bool {
        let notes = self.inner.notes.lock();
        notes.wanted(key).is_some()
    }

    /// The state of an object at a time, in milliseconds since 1970.
    pub fn bookmark_at(&self, key: ObjectKey, time: u64) -> Result<Bookmark, HistoryError> {
        self.inner.bookmark_at(key, time)
    }

    /// Hands the pages of an object's state at a bookmark to `write`, each once, with
    /// their numbers from 1; answers how many there are.
    pub fn pages_at(
        &self,
        key: ObjectKey,
        bookmark: &Bookmark,
        write: &mut dyn FnMut(u32, &[u8; PAGE_SIZE]) -> io::Result<()>,
    ) -> Result<u32, HistoryError> {
        self.inner.with_past(key, |past| {
            past.state(Point::of(bookmark), &mut |number, page| {
                Ok(write(number, page)?)
            })
        })
    }

    /// Bytes of the past that are kept, but for bases; `None` where nothing is.
    pub fn history_bytes(&self) -> Option<u64> {
        self.inner.history.lock().as_ref().map(History::cost)
    }

    /// What is damaged of what is kept of the past; none if nothing is. Checkpoints go
    /// on between its parts.
    pub fn history_faults(&self) -> io::Result<Vec<String>> {
        let history = &self.inner.history;
        let all = history.lock().as_ref().map(History::all_kept).transpose()?;
        let mut faults = Vec::new();
        for kept in all.unwrap_or_default() {
            if let Some(history) = &*history.lock() {
                faults.extend(history.fault(&kept)?);
            }
        }
        Ok(faults)
    }
}

impl Inner {
    fn bookmark_at(&self, key: ObjectKey, time: u64) -> Result<Bookmark, HistoryError> {
        if time > self.clock.now() {
            return Err(HistoryError::Late);
        }
        let (epoch, at) = self.with_past(key, |past| past.at_time(time))?;
        Ok(Bookmark {
            epoch,
            at,
            time,
            count: 0,
        })
    }

    fn with_past<T>(
        &self,
        key: ObjectKey,
        work: impl FnOnce(&Past<'_>) -> Result<T, HistoryError>,
    ) -> Result<T, HistoryError> {
        if damage_note(&*self.disk, key)?.is_some() {
            return Err(HistoryError::Unknown);
        }
        // Held, so that no checkpoint moves what is read.
        let history = self.history.lock();
        let history = history.as_ref().ok_or(HistoryError::Off)?;
        work(&Past::of(history, key)?)
    }

    /// Makes an object what a note wants it to be; answers whether there was one.
    pub(crate) fn restore(&self, pages: &Pages) -> Result<bool, ObjectError> {
        let key = pages.object();
        let Some(note) = self.notes.lock().get(key)? else {
            return Ok(false);
        };
        pages.set_epoch(note.epoch);
        let Some(to) = note.wanted.bookmark() else {
            return Ok(false);
        };
        // The end of the last session is a state like others: it may be wanted again.
        if let Some(newest) = pages.newest() {
            newest.block().map_err(ObjectError::Log)?;
        }
        pages.set_epoch(Epoch(note.epoch.0 + 1));
        let begun = matches!(note.wanted, Wanted::Begun(_));
        let done = self.with_past(key, |past| {
            match past.check(Point::of(&to)) {
                // The power went when all was done but the note.
                Err(HistoryError::Early { .. }) if past.epoch()? > note.epoch => Ok(()),
                Err(error) => Err(error),
                Ok(()) => self.replace_pages(pages, past, &note, &to),
            }
        });
        match done {
            Ok(()) => Ok(true),
            Err(HistoryError::Object(error)) => Err(error),
            Err(HistoryError::Io(error)) => Err(ObjectError::Io {
                object: key,
                error: Arc::new(error),
            }),
            // Nothing of it was done, and trying again will not help.
            Err(why) if !begun && !self.notes.lock().has_begun(key) => {
                let epoch = Epoch(note.epoch.0 + 1);
                self.notes.lock().done(&*self.disk, key, epoch)?;
                Err(ObjectError::NotRestored {
                    object: key,
                    why: why.to_string(),
                })
            }
            Err(why) => Err(ObjectError::Damaged {
                object: key,
                what: format!("it was restored in part, and {why}"),
            }),
        }
    }

    fn replace_pages(
        &self,
        pages: &Pages,
        past: &Past<'_>,
        note: &Note,
        to: &Bookmark,
    ) -> Result<(), HistoryError> {
        let point = Point::of(to);
        let most = pages.most_pages();
        let mut changed: Vec<(u32, Page)> = Vec::new();
        let mut is_large = false;
        // All is read before anything is written: damage leaves the object as it is.
        let size = past.state(point, &mut |number, page| {
            if !is_large && !pages.has(number, page)? {
                changed.push((number, page.clone()));
                is_large = changed.len() > most;
            }
            Ok(())
        })?;
        if is_large {
            changed.clear();
            let begun = Note {
                epoch: note.epoch,
                wanted: Wanted::Begun(*to),
            };
            self.notes.lock().set(&*self.disk, pages.object(), begun)?;
            past.state(point, &mut |number, page| {
                if pages.has(number, page)? {
                    return Ok(());
                }
                if changed.len() == most {
                    let part = std::mem::take(&mut changed);
                    let last = part.iter().map(|(number, _)| *number).max();
                    let size = pages.committed_size().max(last.unwrap_or(0));
                    commit(pages, size, part, Part::GoesOn)?;
                }
                changed.push((number, page.clone()));
                Ok(())
            })?;
        }
        if is_large || !changed.is_empty() || size != pages.committed_size() {
            commit(pages, size, changed, Part::Whole)?;
        }
        Ok(())
    }
}

/// Commits pages, and waits until they are durable and in the file.
fn commit(
    pages: &Pages,
    size: u32,
    changed: Vec<(u32, Page)>,
    part: Part,
) -> Result<(), ObjectError> {
    let receipt = pages.replace(size, changed, part);
    let receipt = receipt.map_err(ObjectError::Log)?;
    receipt.block().map_err(ObjectError::Log)?;
    Ok(pages.settle()?)
}

impl Object {
    /// The object's past.
    pub fn past(&self) -> ObjectPast {
        ObjectPast {
            store: self.store().clone(),
            pages: self.pages().clone(),
        }
    }

    /// Whether it became what it was as it was opened, and whoever opened it has to
    /// see to that ([`Self::finish_restore`]) before anything is written.
    pub fn is_restored(&self) -> bool {
        self.restored
    }

    /// All that depends on the object's contents knows of them. Until this is called
    /// the object becomes again what it was, whenever it is opened.
    pub fn finish_restore(&mut self) -> Result<(), ObjectError> {
        if std::mem::take(&mut self.restored) {
            let epoch = self.pages().position().0;
            let store = self.store();
            let mut notes = store.notes.lock();
            notes.done(&*store.disk, self.key(), epoch)?;
        }
        Ok(())
    }
}
