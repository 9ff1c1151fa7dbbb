//! Notes of objects that were restored once, or are to be.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use crate::bookmark::Bookmark;
use crate::disk::Disk;
use crate::history::Point;
use crate::key::{Epoch, NamespaceId, ObjectId, ObjectKey, Seq};
use crate::object::ObjectError;

/// What is noted of an object that was restored once, or is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Note {
    /// Of its commits.
    pub(super) epoch: Epoch,
    pub(super) wanted: Wanted,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    Nothing,
    Next(Bookmark),
    /// Some of the pages may have been committed.
    Begun(Bookmark),
}

impl Wanted {
    pub(super) fn bookmark(self) -> Option<Bookmark> {
        match self {
            Self::Nothing => None,
            Self::Next(to) | Self::Begun(to) => Some(to),
        }
    }
}

/// The notes of all objects: a file each, of which there are few.
#[derive(Default)]
pub(crate) struct Notes {
    /// None for one that is damaged.
    by_object: HashMap<ObjectKey, Option<Note>>,
}

/// ```text
/// magic 8 | object 40 | epoch 8 | wanted 8 | its epoch 8 | seq 8 | time 8 | count 8 | crc 4
/// ```
const NOTE_LEN: usize = 100;
const NOTE_MAGIC: [u8; 8] = *b"OBNOTE\0\x01";

fn note_path(key: ObjectKey) -> String {
    format!("restores/{:016x}-{}", key.namespace.0, key.id)
}

impl Notes {
    pub(crate) fn open(disk: &dyn Disk) -> io::Result<Self> {
        let mut by_object = HashMap::new();
        let names = disk.list("restores")?;
        if !names.is_empty() {
            // A process that was killed may have given one its name and not synced that;
            // what is made of a note must not outlive it.
            disk.sync_names("restores")?;
        }
        for name in names {
            let key = name.split_once('-').and_then(|(namespace, id)| {
                Some(ObjectKey {
                    namespace: NamespaceId(u64::from_str_radix(namespace, 16).ok()?),
                    id: ObjectId::from_hex(id)?,
                })
            });
            if let Some(key) = key {
                by_object.insert(key, read_note(disk, key)?);
            }
        }
        Ok(Self { by_object })
    }

    pub(super) fn get(&self, key: ObjectKey) -> Result<Option<Note>, ObjectError> {
        match self.by_object.get(&key) {
            Some(None) => Err(ObjectError::Damaged {
                object: key,
                what: format!("{} cannot be read", note_path(key)),
            }),
            Some(note) => Ok(*note),
            None => Ok(None),
        }
    }

    pub(super) fn wanted(&self, key: ObjectKey) -> Option<Bookmark> {
        let note = self.by_object.get(&key).copied().flatten();
        note.and_then(|note| note.wanted.bookmark())
    }

    pub(crate) fn has_begun(&self, key: ObjectKey) -> bool {
        let note = self.by_object.get(&key).copied().flatten();
        note.is_some_and(|note| matches!(note.wanted, Wanted::Begun(_)))
    }

    /// The first of the points that restores need which have begun.
    pub(crate) fn pin(&self) -> Option<Seq> {
        let notes = self.by_object.values().flatten();
        let begun = notes.filter_map(|note| match note.wanted {
            Wanted::Begun(to) => Some(Point::of(&to).at_least()),
            _ => None,
        });
        begun.min()
    }

    /// Notes that nothing is wanted, and that commits are of this epoch.
    pub(crate) fn done(
        &mut self,
        disk: &dyn Disk,
        key: ObjectKey,
        epoch: Epoch,
    ) -> Result<(), ObjectError> {
        let note = Note {
            epoch,
            wanted: Wanted::Nothing,
        };
        self.set(disk, key, note).map_err(|error| ObjectError::Io {
            object: key,
            error: Arc::new(error),
        })
    }

    /// Whatever was wanted is not any more: the database is another.
    pub(crate) fn forget(&mut self, disk: &dyn Disk, key: ObjectKey) -> Result<(), ObjectError> {
        match self.by_object.get(&key) {
            Some(Some(note)) if note.wanted != Wanted::Nothing => {
                let epoch = Epoch(note.epoch.0 + 1);
                self.done(disk, key, epoch)
            }
            Some(None) => self.done(disk, key, Epoch(0)),
            _ => Ok(()),
        }
    }

    /// The object is no more.
    pub(crate) fn remove(&mut self, disk: &dyn Disk, key: ObjectKey) -> io::Result<()> {
        match self.by_object.remove(&key) {
            Some(_) => disk.remove(&note_path(key)),
            None => Ok(()),
        }
    }

    pub(super) fn set(&mut self, disk: &dyn Disk, key: ObjectKey, note: Note) -> io::Result<()> {
        let (what, to) = match note.wanted {
            Wanted::Nothing => (0, None),
            Wanted::Next(to) => (1, Some(to)),
            Wanted::Begun(to) => (2, Some(to)),
        };
        let mut bytes = Vec::with_capacity(NOTE_LEN);
        bytes.extend_from_slice(&NOTE_MAGIC);
        bytes.extend_from_slice(&key.namespace.0.to_le_bytes());
        bytes.extend_from_slice(&key.id.0);
        let to = to.map_or([0; 4], |to| [to.epoch.0, to.at.0, to.time, to.count]);
        for long in [note.epoch.0, what].into_iter().chain(to) {
            bytes.extend_from_slice(&long.to_le_bytes());
        }
        bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_le_bytes());
        let path = note_path(key);
        let new = format!("{path}.new");
        let file = disk.open(&new, true)?;
        file.set_len(0)?;
        file.write_at(&bytes, 0)?;
        file.sync()?;
        disk.rename(&new, &path)?;
        disk.sync_names("restores")?;
        self.by_object.insert(key, Some(note));
        Ok(())
    }
}

fn read_note(disk: &dyn Disk, key: ObjectKey) -> io::Result<Option<Note>> {
    let mut bytes = [0; NOTE_LEN];
    let read = disk.open(&note_path(key), false)?.read_at(&mut bytes, 0)?;
    let long = |at: usize| {
        let bytes = bytes[at..].first_chunk();
        bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes))
    };
    let end = NOTE_LEN - 4;
    let sound = read == NOTE_LEN
        && bytes[..8] == NOTE_MAGIC
        && bytes[16..48] == key.id.0
        && bytes[end..] == crc32c::crc32c(&bytes[..end]).to_le_bytes();
    let to = Bookmark {
        epoch: Epoch(long(64)),
        at: Seq(long(72)),
        time: long(80),
        count: long(88),
    };
    let wanted = match long(56) {
        0 => Wanted::Nothing,
        1 => Wanted::Next(to),
        2 => Wanted::Begun(to),
        _ => return Ok(None),
    };
    Ok(sound.then_some(Note {
        epoch: Epoch(long(48)),
        wanted,
    }))
}
