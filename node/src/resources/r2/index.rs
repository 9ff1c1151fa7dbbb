//! What a bucket knows of its objects: a database of the node's store, whose commits
//! are the moments at which objects change.

use outboard_storage::{Object, Receipt};
use rusqlite::{Connection, OptionalExtension, Row as SqlRow, Transaction};

use super::blobs::BlobId;
use super::condition;
use super::error::R2Error;
use super::list::{From as ListFrom, Keyed, Rows};
use super::protocol::{Conditional, HttpFields, Record};

/// The form of the database.
const FORM: i64 = 1;

const TABLES: &str = "
CREATE TABLE state (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE objects (
  key BLOB PRIMARY KEY, id INTEGER NOT NULL UNIQUE, version TEXT NOT NULL,
  size INTEGER NOT NULL, etag TEXT NOT NULL, uploaded INTEGER NOT NULL,
  checksums TEXT NOT NULL, http TEXT NOT NULL, custom TEXT NOT NULL, class TEXT NOT NULL
);
CREATE TABLE uploads (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, key BLOB NOT NULL,
  started INTEGER NOT NULL, ended INTEGER NOT NULL DEFAULT FALSE,
  http TEXT NOT NULL, custom TEXT NOT NULL, class TEXT NOT NULL
);
CREATE INDEX uploads_by_age ON uploads (started);
-- The bytes of an object or of an upload, part by part; of nothing where the owner is
-- NULL, and to be removed.
CREATE TABLE blobs (
  id INTEGER PRIMARY KEY, owner INTEGER, number INTEGER NOT NULL,
  size INTEGER NOT NULL, md5 BLOB NOT NULL
);
CREATE INDEX blobs_by_owner ON blobs (owner, number);
";

/// An object's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) key: String,
    /// What its blobs have as their owner; unlike every other object's and upload's.
    pub(crate) id: i64,
    pub(crate) version: String,
    pub(crate) size: u64,
    pub(crate) etag: String,
    pub(crate) uploaded: i64,
    /// Pairs of an algorithm's number and a digest.
    pub(crate) checksums: Vec<(u8, String)>,
    pub(crate) attributes: Attributes,
}

/// What an uploader said of an object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Attributes {
    pub(crate) http: HttpFields,
    pub(crate) custom: Vec<Record>,
    pub(crate) class: String,
}

/// A blob's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Blob {
    pub(super) id: BlobId,
    /// Its place among the owner's.
    pub(super) number: u32,
    pub(super) size: u64,
    pub(super) md5: [u8; 16],
}

/// Blobs that are nobody's any more, and whose they were.
pub(super) type Doomed = Vec<(i64, BlobId)>;

pub(super) struct Index {
    object: Object,
}

impl Index {
    /// Opens a bucket's index for one more run of the node; gives the run's number.
    pub(super) fn open(object: Object) -> Result<(Self, i64), R2Error> {
        let mut index = Self { object };
        let run = index.write(|transaction| {
            let form: i64 = transaction.query_row("PRAGMA user_version", (), |row| row.get(0))?;
            match form {
                0 => {
                    transaction.execute_batch(TABLES)?;
                    transaction.pragma_update(None, "user_version", FORM)?;
                }
                FORM => {}
                other => {
                    tracing::error!(form = other, "a bucket's index is a newer version's");
                    return Err(R2Error::Internal.into());
                }
            }
            let run = state(transaction, "run")?.unwrap_or(0) + 1;
            set_state(transaction, "run", run)?;
            Ok(run)
        })?;
        Ok((index, run))
    }

    /// The newest commit's receipt.
    pub(super) fn newest(&self) -> Option<Receipt> {
        self.object.newest()
    }

    pub(super) fn find(&self, key: &str) -> Result<Option<Row>, R2Error> {
        self.read(|connection| find(connection, key))
    }

    /// The blobs of an object or upload, in order.
    pub(super) fn blobs(&self, owner: i64) -> Result<Vec<Blob>, R2Error> {
        self.read(|connection| blobs(connection, owner))
    }

    /// Makes `row` the object of its key, whose bytes `blob` has: one commit, unless
    /// what is there is not as the asker expects it.
    pub(super) fn put(
        &mut self,
        row: &Row,
        blob: Option<&Blob>,
        only_if: Option<&Conditional>,
    ) -> Result<Doomed, R2Error> {
        self.write(|transaction| {
            if let Some(only_if) = only_if {
                let found = find(transaction, &row.key)?;
                let found = found.as_ref().map(|row| (row.etag.as_str(), row.uploaded));
                if !condition::holds(only_if, found) {
                    return Err(R2Error::Precondition.into());
                }
            }
            let doomed = replace(transaction, row)?;
            if let Some(blob) = blob {
                insert_blob(transaction, row.id, blob)?;
            }
            Ok(doomed)
        })
    }

    /// Removes objects, those that are there, in one commit.
    pub(super) fn delete(&mut self, keys: &[String]) -> Result<Doomed, R2Error> {
        self.write(|transaction| {
            let mut doomed = Vec::new();
            for key in keys {
                remove(transaction, key, &mut doomed)?;
            }
            Ok(doomed)
        })
    }

    /// Forgets blobs that were removed.
    pub(super) fn forget(&mut self, blobs: &[BlobId]) -> Result<(), R2Error> {
        self.write(|transaction| {
            let mut forget =
                transaction.prepare_cached("DELETE FROM blobs WHERE id = ? AND owner IS NULL")?;
            for blob in blobs {
                forget.execute([blob.0])?;
            }
            Ok(())
        })
    }

    /// Blobs that a run before left to be removed.
    pub(super) fn doomed(&self) -> Result<Vec<BlobId>, R2Error> {
        self.read(|connection| {
            let mut find = connection.prepare("SELECT id FROM blobs WHERE owner IS NULL")?;
            let rows = find.query_map((), |row| row.get(0).map(BlobId))?;
            rows.collect()
        })
    }

    /// Whether somebody owns a blob.
    pub(super) fn knows(&self, blob: BlobId) -> Result<bool, R2Error> {
        self.read(|connection| {
            connection
                .prepare_cached("SELECT 1 FROM blobs WHERE id = ? AND owner IS NOT NULL")?
                .exists([blob.0])
        })
    }

    /// The first run that was not swept.
    pub(super) fn swept(&self) -> Result<i64, R2Error> {
        let swept = self.read(|connection| state(connection, "swept"))?;
        Ok(swept.unwrap_or(0))
    }

    pub(super) fn set_swept(&mut self, run: i64) -> Result<(), R2Error> {
        self.write(|transaction| Ok(set_state(transaction, "swept", run)?))
    }

    pub(super) fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, R2Error> {
        read(self.object.connection()).map_err(|error| self.object.explain(error).into())
    }

    /// Runs a transaction, which is one commit.
    pub(super) fn write<T>(
        &mut self,
        write: impl FnOnce(&Transaction<'_>) -> Result<T, WriteError>,
    ) -> Result<T, R2Error> {
        let written = (|| {
            let transaction = self.object.connection_mut().transaction()?;
            let value = write(&transaction)?;
            transaction.commit()?;
            Ok(value)
        })();
        written.map_err(|error| match error {
            WriteError::Sql(error) => self.object.explain(error).into(),
            WriteError::Refused(error) => error,
        })
    }
}

/// Why a transaction was rolled back.
pub(super) enum WriteError {
    Sql(rusqlite::Error),
    Refused(R2Error),
}

impl From<rusqlite::Error> for WriteError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<R2Error> for WriteError {
    fn from(error: R2Error) -> Self {
        Self::Refused(error)
    }
}

const COLUMNS: &str = "key, id, version, size, etag, uploaded, checksums, http, custom, class";

fn row(row: &SqlRow<'_>) -> rusqlite::Result<Row> {
    Ok(Row {
        key: text(row.get(0)?),
        id: row.get(1)?,
        version: row.get(2)?,
        size: count(row, 3)?,
        etag: row.get(4)?,
        uploaded: row.get(5)?,
        checksums: json(row, 6)?,
        attributes: Attributes {
            http: json(row, 7)?,
            custom: json(row, 8)?,
            class: row.get(9)?,
        },
    })
}

/// Attributes from three columns, the first of them at `at`.
pub(super) fn attributes(row: &SqlRow<'_>, at: usize) -> rusqlite::Result<Attributes> {
    Ok(Attributes {
        http: json(row, at)?,
        custom: json(row, at + 1)?,
        class: row.get(at + 2)?,
    })
}

fn blob(row: &SqlRow<'_>) -> rusqlite::Result<Blob> {
    Ok(Blob {
        id: BlobId(row.get(0)?),
        number: row.get(1)?,
        size: count(row, 2)?,
        md5: row.get(3)?,
    })
}

/// Keys were texts when they were written.
fn text(key: Vec<u8>) -> String {
    String::from_utf8(key).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into())
}

fn count(row: &SqlRow<'_>, at: usize) -> rusqlite::Result<u64> {
    let number: i64 = row.get(at)?;
    u64::try_from(number).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(at, number))
}

fn json<T: serde::de::DeserializeOwned>(row: &SqlRow<'_>, at: usize) -> rusqlite::Result<T> {
    let text = row.get_ref(at)?.as_str()?;
    serde_json::from_str(text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(at, rusqlite::types::Type::Text, error.into())
    })
}

pub(super) fn written<T: serde::Serialize>(value: &T) -> rusqlite::Result<String> {
    serde_json::to_string(value)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}

fn find(connection: &Connection, key: &str) -> rusqlite::Result<Option<Row>> {
    connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM objects WHERE key = ?"))?
        .query_row([key.as_bytes()], row)
        .optional()
}

pub(super) fn blobs(connection: &Connection, owner: i64) -> rusqlite::Result<Vec<Blob>> {
    let mut find = connection.prepare_cached(
        "SELECT id, number, size, md5 FROM blobs WHERE owner = ? ORDER BY number",
    )?;
    let rows = find.query_map([owner], blob)?;
    rows.collect()
}

pub(super) fn insert_blob(
    connection: &Connection,
    owner: i64,
    blob: &Blob,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT INTO blobs VALUES (?, ?, ?, ?, ?)")?
        .execute((blob.id.0, owner, blob.number, signed(blob.size)?, blob.md5))?;
    Ok(())
}

/// Puts a row in the place of what has its key.
pub(super) fn replace(connection: &Connection, row: &Row) -> rusqlite::Result<Doomed> {
    let mut doomed = Vec::new();
    remove(connection, &row.key, &mut doomed)?;
    connection
        .prepare_cached("INSERT INTO objects VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")?
        .execute((
            row.key.as_bytes(),
            row.id,
            &row.version,
            signed(row.size)?,
            &row.etag,
            row.uploaded,
            written(&row.checksums)?,
            written(&row.attributes.http)?,
            written(&row.attributes.custom)?,
            &row.attributes.class,
        ))?;
    Ok(doomed)
}

fn remove(connection: &Connection, key: &str, doomed: &mut Doomed) -> rusqlite::Result<()> {
    let removed: Option<i64> = connection
        .prepare_cached("DELETE FROM objects WHERE key = ? RETURNING id")?
        .query_row([key.as_bytes()], |row| row.get(0))
        .optional()?;
    if let Some(owner) = removed {
        doom(connection, owner, doomed)?;
    }
    Ok(())
}

/// Makes the blobs of an owner nobody's.
pub(super) fn doom(
    connection: &Connection,
    owner: i64,
    doomed: &mut Doomed,
) -> rusqlite::Result<()> {
    let mut doom =
        connection.prepare_cached("UPDATE blobs SET owner = NULL WHERE owner = ? RETURNING id")?;
    let rows = doom.query_map([owner], |row| Ok((owner, BlobId(row.get(0)?))))?;
    for row in rows {
        doomed.push(row?);
    }
    Ok(())
}

fn signed(number: u64) -> rusqlite::Result<i64> {
    i64::try_from(number).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}

fn state(connection: &Connection, name: &str) -> rusqlite::Result<Option<i64>> {
    connection
        .query_row("SELECT value FROM state WHERE name = ?", [name], |row| {
            row.get(0)
        })
        .optional()
}

fn set_state(connection: &Connection, name: &str, value: i64) -> rusqlite::Result<()> {
    connection
        .execute("INSERT OR REPLACE INTO state VALUES (?, ?)", (name, value))
        .map(drop)
}

impl Rows for Index {
    type Row = Row;

    fn rows(
        &mut self,
        from: &ListFrom,
        before: Option<&[u8]>,
        most: u32,
    ) -> Result<Keyed<Row>, R2Error> {
        let (comparison, key) = match from {
            ListFrom::At(key) => (">=", key),
            ListFrom::Behind(key) => (">", key),
        };
        let end = if before.is_some() {
            "AND key < ?3"
        } else {
            "AND ?3 IS NULL"
        };
        let sql = format!(
            "SELECT {COLUMNS} FROM objects WHERE key {comparison} ?1 {end} ORDER BY key LIMIT ?2"
        );
        self.read(|connection| {
            let mut find = connection.prepare_cached(&sql)?;
            let rows = find.query_map((key, most, before), |found| {
                Ok((found.get(0)?, row(found)?))
            })?;
            rows.collect()
        })
    }

    fn size(row: &Row) -> usize {
        told_size(row)
    }
}

/// Bytes that an object is in a list, at most.
pub(super) fn told_size(row: &Row) -> usize {
    let attributes = &row.attributes;
    let custom = attributes.custom.iter();
    let custom: usize = custom
        .map(|record| written_size(&record.k) + written_size(&record.v) + 16)
        .sum();
    let checksums: usize = row
        .checksums
        .iter()
        .map(|(_, digest)| digest.len() + 8)
        .sum();
    // What the names of members and quotes come to, at most.
    const FRAME: usize = 400;
    FRAME + written_size(&row.key) + 6 * attributes.http.size() + custom + checksums
}

/// Bytes of a text in JSON, at most.
fn written_size(text: &str) -> usize {
    let bytes = text.bytes();
    let sizes = bytes.map(|byte| match byte {
        0..0x20 | b'"' | b'\\' => 6,
        _ => 1,
    });
    sizes.sum()
}

/// Hands each blob of an index that somebody has to `each`, with the key of its object
/// or upload.
pub(super) fn each_blob(
    index: &Connection,
    mut each: impl FnMut(&str, &Blob),
) -> rusqlite::Result<()> {
    let mut find = index.prepare(
        "SELECT blobs.id, number, blobs.size, md5, coalesce(objects.key, uploads.key)
         FROM blobs LEFT JOIN objects ON objects.id = owner
           LEFT JOIN uploads ON uploads.id = owner
         WHERE owner IS NOT NULL",
    )?;
    let mut rows = find.query(())?;
    while let Some(row) = rows.next()? {
        let key: Option<Vec<u8>> = row.get(4)?;
        each(&text(key.unwrap_or_default()), &blob(row)?);
    }
    Ok(())
}

/// The objects of an index, and the bytes in them.
pub(super) fn totals(index: &Connection) -> rusqlite::Result<(u64, u64)> {
    let totals = "SELECT count(*), coalesce(sum(size), 0) FROM objects";
    index.query_row(totals, (), |row| Ok((count(row, 0)?, count(row, 1)?)))
}
