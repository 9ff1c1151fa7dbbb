//! Objects looked at, taken out and put in as files, while nobody serves them.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::commit::PAGE_SIZE;
use crate::disk::DiskFile;
use crate::key::{ObjectKey, Seq};
use crate::object::{Object, ObjectError};
use crate::pages::{self, Part, RESERVED};
use crate::store::{Store, StoreError};
use crate::vfs;

/// Why an object was not copied.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    #[error(transparent)]
    Object(#[from] ObjectError),
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file that is written or read.
    #[error("{0}")]
    File(#[from] io::Error),
    /// The file is not one that SQLite reads.
    #[error("not a sound SQLite database: {0}")]
    Source(String),
    /// Other programs' checksums or keys, which would be lost.
    #[error("its pages keep {0} bytes for another program's use; VACUUM it without that first")]
    Reserved(u8),
    /// Copying gives way to commits.
    #[error("{0} changed too much while it was copied; try again when less is written to it")]
    Late(ObjectKey),
    #[error("{0} is becoming what it was; try again when it is")]
    Restoring(ObjectKey),
}

impl Object {
    /// Everything that is wrong with the database, as SQLite sees it; none if it
    /// is sound.
    pub fn faults(&self) -> Result<Vec<String>, ObjectError> {
        sql_faults(self.connection()).map_err(|error| self.explain(error))
    }

    /// Writes the database as one file of SQLite's format, each page's checksum
    /// checked.
    pub fn copy_to(&self, out: &mut dyn Write) -> Result<(), TransferError> {
        let mut page = [0; PAGE_SIZE];
        for number in 0..self.size() / PAGE_SIZE as u64 {
            let read = self.pages().read(&mut page, number * PAGE_SIZE as u64);
            read.map_err(ObjectError::from)?;
            out.write_all(&page)?;
        }
        Ok(())
    }
}

impl Store {
    /// Makes a SQLite database an object's, whatever the object had before, a note
    /// of damage included. After a crash the object has the old database or
    /// the new one. `scratch` is where a file as large as the database may be; none
    /// is there yet.
    pub fn import(
        &self,
        key: ObjectKey,
        source: &Path,
        scratch: &Path,
    ) -> Result<(), TransferError> {
        rewrite(source, scratch)?;
        self.adopt(key, &File::open(scratch)?)
    }

    /// The same with a database that [`rewrite`] has written.
    pub fn adopt(&self, key: ObjectKey, file: &File) -> Result<(), TransferError> {
        check_form(file)?;
        match self.object(key) {
            // A restore that began is finished, one that is to come is not wanted any more.
            Ok(mut object) => {
                object.finish_restore()?;
                if let Some(newest) = object.newest() {
                    newest.block().map_err(ObjectError::Log)?;
                }
            }
            Err(error @ ObjectError::Open(_)) => return Err(error.into()),
            // It is damaged, and is replaced.
            Err(_) => {}
        }
        let inner = &self.inner;
        inner.notes.lock().forget(&*inner.disk, key)?;
        // No commit of before may be replayed over it.
        self.empty_log()?;
        let from = self.begin_anew(key)?;
        self.replace(key, |target| write_sealed(file, target))?;
        self.begin_from(key, from);
        // A commit of nothing: what was before has not the seq of what is now.
        let object = self.object(key)?;
        let pages = object.pages();
        let size = pages.committed_size();
        let receipt = pages.replace(size, Vec::new(), Part::Whole);
        let durable = receipt.and_then(|receipt| receipt.block());
        durable.map_err(|error| ObjectError::Log(error).into())
    }

    /// What the object was is no past of what it will be; answers the first commit
    /// that may be of that.
    fn begin_anew(&self, key: ObjectKey) -> Result<Seq, TransferError> {
        if let Some(history) = &mut *self.inner.history.lock() {
            history.end(key)?;
        }
        Ok(Seq(self.inner.newest().0 + 1))
    }

    fn begin_from(&self, key: ObjectKey, from: Seq) {
        let Some(history) = &mut *self.inner.history.lock() else {
            return;
        };
        let newest = || self.inner.newest().max(from);
        let begun = history.begin_with_copy(key, from, &newest);
        if let Err(error) = begun.and_then(|()| self.inner.disk.sync_all()) {
            // It begins when the object has changed.
            tracing::warn!(%error, object = %key, "the history of an object did not begin");
        }
    }
}

/// Everything that is wrong with a database, as SQLite sees it; none if it is sound.
pub fn sql_faults(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare("PRAGMA integrity_check")?;
    let rows = statement.query_map((), |row| row.get::<_, String>(0))?;
    let mut faults = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    faults.retain(|fault| fault != "ok");
    Ok(faults)
}

/// Writes a database again with pages as the store has them. A write-ahead log or
/// journal beside the source is taken into account. `target` is not there yet.
pub fn rewrite(source: &Path, target: &Path) -> Result<(), TransferError> {
    let sql = |error: rusqlite::Error| TransferError::Source(error.to_string());
    // SQLite would say the same of a folder and of a name that is not there.
    drop(File::open(source)?);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(source, flags).map_err(sql)?;
    // It may be anybody's.
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)
        .map_err(sql)?;
    connection
        .execute_batch("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;")
        .map_err(sql)?;
    let faults = sql_faults(&connection).map_err(sql)?;
    if !faults.is_empty() {
        return Err(TransferError::Source(faults.join("; ")));
    }
    connection
        .pragma_update(None, "page_size", PAGE_SIZE as i64)
        .map_err(sql)?;
    // The pragma takes back what was reserved before it.
    vfs::reserve(&connection).map_err(sql)?;
    let target_name = target.to_string_lossy();
    connection
        .execute("VACUUM INTO ?", [&*target_name])
        .map_err(sql)?;
    check_form(&File::open(target)?)
}

/// Whether a database's pages are as the store has them.
fn check_form(file: &File) -> Result<(), TransferError> {
    let mut head = [0; 100];
    if DiskFile::read_at(file, &mut head, 0)? < head.len() {
        // Of nothing: SQLite makes no page of an empty one.
        return Ok(());
    }
    // File format, "Page Size" and "Bytes of reserved space per page".
    let size = usize::from(u16::from_be_bytes([head[16], head[17]]));
    if size != PAGE_SIZE {
        return Err(TransferError::Source(format!(
            "its pages have {size} bytes"
        )));
    }
    // "File Format Version Numbers": 2 is one with a write-ahead log.
    if head[18..20] != [1, 1] {
        let what = "its format is one with a write-ahead log".into();
        return Err(TransferError::Source(what));
    }
    match head[20] {
        reserved if usize::from(reserved) == RESERVED => Ok(()),
        reserved => Err(TransferError::Reserved(reserved)),
    }
}

fn write_sealed(file: &File, target: &Arc<dyn DiskFile>) -> io::Result<()> {
    let mut page = [0; PAGE_SIZE];
    let pages = DiskFile::size(file)? / PAGE_SIZE as u64;
    for index in 0..pages {
        let offset = index * PAGE_SIZE as u64;
        DiskFile::read_at(file, &mut page, offset)?;
        let number = u32::try_from(index + 1).map_err(io::Error::other)?;
        pages::seal(number, &mut page);
        target.write_at(&page, offset)?;
    }
    target.set_len(pages * PAGE_SIZE as u64)
}
