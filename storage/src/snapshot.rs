//! Objects as one commit left them, whether somebody has them open or not.

use std::collections::hash_map::Entry as MapEntry;
use std::io::{self, Write};
use std::sync::Arc;

use crate::commit::PAGE_SIZE;
use crate::key::{Epoch, ObjectKey};
use crate::log::Receipt;
use crate::object::ObjectError;
use crate::pages::{Late, Pages, PagesError, ShotId, bytes_of};
use crate::store::{Entry, Inner, Store, damage_note};
use crate::transfer::TransferError;

/// A state of an object, which stays while this lives. Whoever has the object open
/// commits meanwhile, and who opens it does not wait.
pub struct Snapshot {
    store: Arc<Inner>,
    key: ObjectKey,
    pages: Arc<Pages>,
    id: ShotId,
    size: u32,
    newest: Option<Receipt>,
}

/// What comes of a page that is damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OnDamage {
    Stop,
    /// One of zeros is written for it.
    GoOn,
}

impl Store {
    /// An object as its newest commit left it; None where it has no database.
    pub fn snapshot(&self, key: ObjectKey) -> Result<Option<Snapshot>, TransferError> {
        let io = |error| ObjectError::Io {
            object: key,
            error: Arc::new(error),
        };
        let inner = &self.inner;
        // Held until it has begun: between the parts of a restore there is no state.
        let notes = inner.notes.lock();
        if notes.has_begun(key) {
            return Err(TransferError::Restoring(key));
        }
        let mut objects = inner.objects.lock();
        let pages = match objects.entry(key) {
            MapEntry::Occupied(entry) => entry.get().pages.clone(),
            MapEntry::Vacant(vacant) => {
                if let Some(what) = damage_note(&*inner.disk, key).map_err(io)? {
                    return Err(ObjectError::Damaged { object: key, what }.into());
                }
                let file = match inner.disk.open(&key.path(), false) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                    other => other.map_err(io)?,
                };
                let pages =
                    Pages::of(file, inner.log.clone(), key, Epoch(0), inner.clock).map_err(io)?;
                let pages = Arc::new(pages);
                vacant.insert(Entry {
                    pages: pages.clone(),
                    open: false,
                });
                pages
            }
        };
        // Before the lock is let go: an object that is copied is not forgotten.
        let shot = pages.begin_shot();
        drop((objects, notes));
        Ok(Some(Snapshot {
            store: inner.clone(),
            key,
            pages,
            id: shot.id,
            size: shot.size,
            newest: shot.newest,
        }))
    }

    /// Bytes in an object's database; None where it has none.
    pub fn size(&self, key: ObjectKey) -> Result<Option<u64>, ObjectError> {
        let io = |error| ObjectError::Io {
            object: key,
            error: Arc::new(error),
        };
        let inner = &self.inner;
        let open = inner
            .objects
            .lock()
            .get(&key)
            .map(|entry| entry.pages.clone());
        if let Some(pages) = open {
            return Ok(Some(bytes_of(pages.committed_size())));
        }
        if let Some(what) = damage_note(&*inner.disk, key).map_err(io)? {
            return Err(ObjectError::Damaged { object: key, what });
        }
        match inner.disk.open(&key.path(), false) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            file => file.and_then(|file| file.size()).map(Some).map_err(io),
        }
    }
}

impl Snapshot {
    /// Bytes in the database.
    pub fn size(&self) -> u64 {
        bytes_of(self.size)
    }

    /// Writes it as one file of SQLite's format, each page's checksum checked; what is in
    /// it is durable when this returns.
    pub fn copy_to(self, out: &mut dyn Write) -> Result<(), TransferError> {
        self.write(out, OnDamage::Stop).map(drop)
    }

    /// Writes it whatever is damaged, and tells which pages are.
    pub fn check_to(self, out: &mut dyn Write) -> Result<Vec<u32>, TransferError> {
        self.write(out, OnDamage::GoOn)
    }

    fn write(&self, out: &mut dyn Write, on_damage: OnDamage) -> Result<Vec<u32>, TransferError> {
        let mut damaged = Vec::new();
        loop {
            let late = |Late| TransferError::Late(self.key);
            let pages = self.pages.next_of_shot(self.id).map_err(late)?;
            if pages.is_empty() {
                break;
            }
            for (number, page) in pages {
                match page {
                    Ok(page) => out.write_all(&*page)?,
                    Err(PagesError::Damaged { .. }) if on_damage == OnDamage::GoOn => {
                        damaged.push(number);
                        out.write_all(&[0; PAGE_SIZE])?;
                    }
                    Err(error) => return Err(ObjectError::from(error).into()),
                }
            }
        }
        if let Some(newest) = &self.newest {
            newest.block().map_err(ObjectError::Log)?;
        }
        Ok(damaged)
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        self.pages.end_shot(self.id);
        self.store.forget_settled(self.key);
    }
}
