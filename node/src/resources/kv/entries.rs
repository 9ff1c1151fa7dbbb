//! The tables of a namespace, and what is done to them in one transaction.
//!
//! An entry names its value by a number that is never used for another while anybody
//! reads it. A value is in parts; one of several is written a part a commit and then
//! switched to, so that no commit is larger than what the log takes. Until then, and
//! once nothing names it, it is in `garbage`, which a sweep deletes piece by piece.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension};

use crate::resources::database::Schema;

/// Bytes of a part.
pub(super) const PART: usize = 1 << 20;

/// Numbers for the parts of one value; more than it can have.
const PARTS: i64 = 64;

/// What one sweep does in one commit.
const SWEPT_ENTRIES: u32 = 100;
const SWEPT_PARTS: i64 = 8;

pub(super) const SCHEMA: Schema = Schema {
    version: 1,
    // Keys are UTF-8, which sorts by bytes as its characters do. `metadata` is JSON,
    // `expires` seconds since 1970.
    tables: "
        CREATE TABLE entries (
          key BLOB PRIMARY KEY, value INTEGER NOT NULL, length INTEGER NOT NULL,
          expires INTEGER, metadata TEXT
        ) WITHOUT ROWID;
        CREATE INDEX by_expiry ON entries (expires) WHERE expires IS NOT NULL;
        CREATE TABLE parts (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL);
        CREATE TABLE garbage (value INTEGER PRIMARY KEY);",
};

/// The number of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct ValueId(pub(super) i64);

impl ValueId {
    fn part(self, number: i64) -> i64 {
        self.0 * PARTS + number
    }
}

/// Values that must stay, and by how many they are read or written.
pub(super) type Pins = HashMap<ValueId, usize>;

/// What is written of an entry besides its value.
#[derive(Debug, Clone, Default)]
pub(crate) struct Head {
    pub(crate) key: String,
    pub(crate) expires: Option<i64>,
    pub(crate) metadata: Option<String>,
}

/// An entry that is there.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) value: ValueId,
    pub(super) length: i64,
    pub(super) expires: Option<i64>,
    pub(super) metadata: Option<String>,
}

/// One line of a list.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) name: String,
    pub(crate) length: i64,
    pub(crate) expires: Option<i64>,
    pub(crate) metadata: Option<String>,
}

/// A number above all that are in use.
pub(super) fn next_value(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row(
        "SELECT max(coalesce((SELECT max(id) FROM parts) / ?, 0),
                    coalesce((SELECT max(value) FROM garbage), 0)) + 1",
        [PARTS],
        |row| row.get(0),
    )
}

/// `now` is in seconds since 1970: what has expired is not there.
pub(super) fn find(
    connection: &Connection,
    key: &str,
    now: i64,
) -> rusqlite::Result<Option<Entry>> {
    let mut statement = connection.prepare_cached(
        "SELECT value, length, expires, metadata FROM entries
         WHERE key = ? AND (expires IS NULL OR expires > ?)",
    )?;
    let found = statement.query_row((key.as_bytes(), now), |row| {
        Ok(Entry {
            value: ValueId(row.get(0)?),
            length: row.get(1)?,
            expires: row.get(2)?,
            metadata: row.get(3)?,
        })
    });
    found.optional()
}

/// The bytes of a part that is there.
pub(super) fn part(
    connection: &Connection,
    value: ValueId,
    number: i64,
) -> rusqlite::Result<Vec<u8>> {
    connection
        .prepare_cached("SELECT bytes FROM parts WHERE id = ?")?
        .query_row([value.part(number)], |row| row.get(0))
}

/// Writes a part of a value that no entry names yet; the first one says so.
pub(super) fn add_part(
    connection: &Connection,
    value: ValueId,
    number: i64,
    bytes: &[u8],
) -> rusqlite::Result<()> {
    let transaction = connection.unchecked_transaction()?;
    if number == 0 {
        throw_away(connection, value)?;
    }
    insert_part(connection, value, number, bytes)?;
    transaction.commit()
}

/// Writes the last part of a value, and has the entry name it from now on.
pub(super) fn put(
    connection: &Connection,
    head: &Head,
    value: ValueId,
    (number, bytes): (i64, &[u8]),
    length: i64,
    pins: &Pins,
) -> rusqlite::Result<()> {
    let transaction = connection.unchecked_transaction()?;
    insert_part(connection, value, number, bytes)?;
    if number > 0 {
        connection
            .prepare_cached("DELETE FROM garbage WHERE value = ?")?
            .execute([value.0])?;
    }
    // What has expired has a value too.
    if let Some(before) = find(connection, &head.key, i64::MIN)? {
        let_go(connection, before.value, before.length, pins)?;
    }
    connection
        .prepare_cached("INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?, ?)")?
        .execute((
            head.key.as_bytes(),
            value.0,
            length,
            head.expires,
            &head.metadata,
        ))?;
    transaction.commit()
}

pub(super) fn delete(connection: &Connection, key: &str, pins: &Pins) -> rusqlite::Result<()> {
    let Some(before) = find(connection, key, i64::MIN)? else {
        return Ok(());
    };
    let transaction = connection.unchecked_transaction()?;
    connection
        .prepare_cached("DELETE FROM entries WHERE key = ?")?
        .execute([key.as_bytes()])?;
    let_go(connection, before.value, before.length, pins)?;
    transaction.commit()
}

/// Up to `limit` entries whose keys begin with `prefix`, in order, after the key
/// `after`; and whether there are more.
pub(super) fn list(
    connection: &Connection,
    prefix: &str,
    after: Option<&str>,
    limit: u32,
    now: i64,
) -> rusqlite::Result<(Vec<Listed>, bool)> {
    let mut from = prefix.as_bytes().to_vec();
    if let Some(after) = after.map(str::as_bytes).filter(|after| *after >= &*from) {
        from = [after, &[0]].concat();
    }
    // UTF-8 has no byte of 255, so that adding one never carries.
    let mut to = prefix.as_bytes().to_vec();
    match to.last_mut() {
        Some(last) => *last += 1,
        None => to.push(u8::MAX),
    }
    let mut statement = connection.prepare_cached(
        "SELECT key, length, expires, metadata FROM entries
         WHERE key >= ? AND key < ? AND (expires IS NULL OR expires > ?)
         ORDER BY key LIMIT ?",
    )?;
    let rows = statement.query_map((from, to, now, limit + 1), |row| {
        let key: Vec<u8> = row.get(0)?;
        Ok(Listed {
            name: String::from_utf8_lossy(&key).into_owned(),
            length: row.get(1)?,
            expires: row.get(2)?,
            metadata: row.get(3)?,
        })
    })?;
    let mut found: Vec<_> = rows.collect::<rusqlite::Result<_>>()?;
    let more = found.len() > limit as usize;
    found.truncate(limit as usize);
    Ok((found, more))
}

/// Deletes some of what has expired, and some of what no entry names and nobody
/// pins. Answers whether there is more to do.
pub(super) fn sweep(connection: &Connection, now: i64, pins: &Pins) -> rusqlite::Result<bool> {
    let transaction = connection.unchecked_transaction()?;
    let mut statement = connection.prepare_cached(
        "SELECT key, value, length FROM entries
         WHERE expires IS NOT NULL AND expires <= ? ORDER BY expires LIMIT ?",
    )?;
    let rows = statement.query_map((now, SWEPT_ENTRIES), |row| {
        Ok((row.get(0)?, ValueId(row.get(1)?), row.get(2)?))
    })?;
    let expired: Vec<(Vec<u8>, ValueId, i64)> = rows.collect::<rusqlite::Result<_>>()?;
    for (key, value, length) in &expired {
        connection
            .prepare_cached("DELETE FROM entries WHERE key = ?")?
            .execute([key])?;
        let_go(connection, *value, *length, pins)?;
    }
    let collected = collect(connection, pins)?;
    if expired.is_empty() && !collected {
        // An empty transaction is no commit.
        return Ok(false);
    }
    transaction.commit()?;
    Ok(true)
}

/// Deletes some parts of one value that is garbage; false where there is none.
fn collect(connection: &Connection, pins: &Pins) -> rusqlite::Result<bool> {
    let mut statement = connection.prepare_cached("SELECT value FROM garbage ORDER BY value")?;
    let mut values = statement.query_map((), |row| row.get(0).map(ValueId))?;
    let Some(value) = values.find(|value| {
        let pinned = |value: &ValueId| pins.contains_key(value);
        !value.as_ref().is_ok_and(pinned)
    }) else {
        return Ok(false);
    };
    let value = value?;
    let deleted = connection
        .prepare_cached(
            "DELETE FROM parts WHERE id IN (
               SELECT id FROM parts WHERE id >= ?1 AND id < ?2 LIMIT ?3)",
        )?
        .execute((value.part(0), value.part(PARTS), SWEPT_PARTS))?;
    if i64::try_from(deleted) != Ok(SWEPT_PARTS) {
        connection
            .prepare_cached("DELETE FROM garbage WHERE value = ?")?
            .execute([value.0])?;
    }
    Ok(true)
}

/// No entry names the value any more.
fn let_go(
    connection: &Connection,
    value: ValueId,
    length: i64,
    pins: &Pins,
) -> rusqlite::Result<()> {
    if length > PART as i64 || pins.contains_key(&value) {
        return throw_away(connection, value);
    }
    connection
        .prepare_cached("DELETE FROM parts WHERE id = ?")?
        .execute([value.part(0)])
        .map(drop)
}

fn throw_away(connection: &Connection, value: ValueId) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT OR IGNORE INTO garbage VALUES (?)")?
        .execute([value.0])
        .map(drop)
}

fn insert_part(
    connection: &Connection,
    value: ValueId,
    number: i64,
    bytes: &[u8],
) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT INTO parts VALUES (?, ?)")?
        .execute((value.part(number), bytes))
        .map(drop)
}

#[cfg(test)]
mod tests;
