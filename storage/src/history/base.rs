//! An object's database as it was where its history begins.
//!
//! ```text
//! head   magic 8 | generation 8 | from 8 | valid 8 | crc 4 | zeros to a page
//! pages  each with its checksum, as in a database
//! ```
//! A base is written without its head first: one that has a head has its pages.

use std::io;
use std::sync::Arc;

use super::History;
use crate::commit::PAGE_SIZE;
use crate::disk::DiskFile;
use crate::key::{ObjectKey, Seq};

const MAGIC: [u8; 8] = *b"OBBASE\0\x01";
const HEAD: usize = 36;

/// Where an object's history begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Base {
    /// Commits before this one were of what had the object's place before.
    pub(crate) from: Seq,
    /// Points before this one are not known: the base was copied while commits up
    /// to it were written. Zero where the object began within the history.
    pub(crate) valid: Seq,
}

/// Where an object's base is.
pub(crate) fn path(key: ObjectKey) -> String {
    let id = key.id.to_string();
    format!(
        "history/bases/{:016x}/{}/{id}.base",
        key.namespace.0,
        &id[..2]
    )
}

impl History {
    /// The base of an object; none where its history has not begun.
    pub(crate) fn base(&self, key: ObjectKey) -> io::Result<Option<(Base, Arc<dyn DiskFile>)>> {
        let file = match self.disk.open(&path(key), false) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other?,
        };
        let mut head = [0; HEAD];
        let read = file.read_at(&mut head, 0)?;
        let long = |at: usize| {
            let bytes = head[at..].first_chunk();
            bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes))
        };
        let crc = crc32c::crc32c(&head[..32]).to_le_bytes();
        // One of another generation is of a history that was given up.
        let sound =
            read == HEAD && head[..8] == MAGIC && head[32..] == crc && long(8) == self.generation();
        let base = Base {
            from: Seq(long(16)),
            valid: Seq(long(24)),
        };
        Ok(sound.then_some((base, file)))
    }

    /// Begins the history of an object whose database was empty before `from`.
    pub(super) fn begin_empty(&self, key: ObjectKey, from: Seq) -> io::Result<()> {
        let base = Base {
            from,
            valid: Seq(0),
        };
        self.write_base(key, None, || base)
    }

    /// Begins the history of an object with its database as it is now. Its commits
    /// before `from` are in the file; `newest` says the newest that may be.
    pub(crate) fn begin_with_copy(
        &self,
        key: ObjectKey,
        from: Seq,
        newest: &dyn Fn() -> Seq,
    ) -> io::Result<()> {
        let database = self.disk.open(&key.path(), false)?;
        self.write_base(key, Some(&*database), || Base {
            from,
            valid: newest(),
        })
    }

    fn write_base(
        &self,
        key: ObjectKey,
        database: Option<&dyn DiskFile>,
        base: impl FnOnce() -> Base,
    ) -> io::Result<()> {
        let path = path(key);
        // One of another generation: of nothing in it may a part stay.
        match self.disk.remove(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let file = self.disk.open(&path, true)?;
        if let Some(database) = database {
            let size = database.size()?;
            let mut page = [0; PAGE_SIZE];
            let mut offset = 0;
            while offset < size {
                database.read_at(&mut page, offset)?;
                file.write_at(&page, offset + PAGE_SIZE as u64)?;
                offset += PAGE_SIZE as u64;
            }
            file.sync()?;
        }
        let base = base();
        let mut head = Vec::with_capacity(HEAD);
        head.extend_from_slice(&MAGIC);
        for long in [self.generation(), base.from.0, base.valid.0] {
            head.extend_from_slice(&long.to_le_bytes());
        }
        head.extend_from_slice(&crc32c::crc32c(&head).to_le_bytes());
        file.write_at(&head, 0)
    }

    /// Ends the history of an object: what comes next is not a change of what was.
    pub(crate) fn end(&mut self, key: ObjectKey) -> io::Result<()> {
        self.known.remove(&key);
        let path = path(key);
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        match self.disk.remove(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
            Ok(()) => self.disk.sync_names(folder),
        }
    }
}

/// The pages of a base, as those of a database.
pub(crate) struct BasePages(pub(crate) Arc<dyn DiskFile>);

impl DiskFile for BasePages {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.read_at(buffer, offset + PAGE_SIZE as u64)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.0.write_at(bytes, offset + PAGE_SIZE as u64)
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.0.size()?.saturating_sub(PAGE_SIZE as u64))
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len + PAGE_SIZE as u64)
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync()
    }
}
