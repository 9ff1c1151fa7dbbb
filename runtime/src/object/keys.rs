//! Keys and values of an object, in a table of its database that SQL cannot see.

use rusqlite::{OptionalExtension, ToSql};

use super::database::{Database, DatabaseError};

/// Which keys, in order of their UTF-8 bytes.
#[derive(Debug, Default)]
pub(crate) struct KeyRange {
    /// The first.
    pub(crate) start: Option<String>,
    /// The first is behind this one.
    pub(crate) start_after: Option<String>,
    /// All are before this one.
    pub(crate) end: Option<String>,
    pub(crate) prefix: String,
    pub(crate) limit: Option<u32>,
    pub(crate) reverse: bool,
}

/// Keys and values, in their order.
#[derive(Debug, Default)]
pub(crate) struct Listed {
    pub(crate) entries: Vec<(String, Vec<u8>)>,
    /// There are more behind them.
    pub(crate) goes_on: bool,
}

/// Bytes that are listed at once: between two parts the script can be stopped for the time
/// and memory that it takes.
const MOST_LISTED: usize = 4 << 20;

/// What an entry takes besides its text and bytes, about.
const EACH_LISTED: usize = 128;

impl Database {
    /// Whether the table is there: a new object has none.
    pub(super) fn has_keys(&mut self) -> Result<bool, DatabaseError> {
        if let Some(known) = self.has_keys {
            return Ok(known);
        }
        let found = self.has_table("_cf_KV")?;
        self.has_keys = Some(found);
        Ok(found)
    }

    pub(crate) fn get_key(&mut self, key: &str) -> Result<Option<Vec<u8>>, DatabaseError> {
        if !self.has_keys()? {
            return Ok(None);
        }
        self.trusted(|connection| {
            connection
                .prepare_cached("SELECT value FROM _cf_KV WHERE key = ?")?
                .query_one((key,), |row| row.get(0))
                .optional()
        })
    }

    pub(crate) fn put_key(&mut self, key: &str, value: &[u8]) -> Result<(), DatabaseError> {
        self.begin()?;
        if !self.has_keys()? {
            self.own(
                "CREATE TABLE _cf_KV (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
            )?;
            self.has_keys = Some(true);
        }
        self.trusted(|connection| {
            connection
                .prepare_cached(
                    "INSERT INTO _cf_KV VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
                )?
                .execute((key, value))
                .map(drop)
        })
    }

    /// Whether there was one.
    pub(crate) fn delete_key(&mut self, key: &str) -> Result<bool, DatabaseError> {
        if !self.has_keys()? {
            return Ok(false);
        }
        self.begin()?;
        self.trusted(|connection| {
            connection
                .prepare_cached("DELETE FROM _cf_KV WHERE key = ?")?
                .execute((key,))
                .map(|deleted| deleted > 0)
        })
    }

    /// The first of a range: those after the last are there where it is not all.
    pub(crate) fn list_keys(&mut self, range: &KeyRange) -> Result<Listed, DatabaseError> {
        if !self.has_keys()? {
            return Ok(Listed::default());
        }
        // Few forms, so that each is compiled once.
        let mut sql = String::from("SELECT key, value FROM _cf_KV WHERE key >= ?");
        let start = range.start.as_deref().unwrap_or("").max(&range.prefix);
        let end = after_prefix(&range.prefix);
        let mut parameters: Vec<&dyn ToSql> = vec![&start];
        let bounds = [
            (" AND key > ?", range.start_after.as_ref().map(|it| it as _)),
            (" AND key < ?", range.end.as_ref().map(|it| it as _)),
            (
                " AND CAST(key AS BLOB) < ?",
                end.as_ref().map(|it| it as &dyn ToSql),
            ),
        ];
        for (condition, bound) in bounds {
            if let Some(bound) = bound {
                sql += condition;
                parameters.push(bound);
            }
        }
        sql += if range.reverse {
            " ORDER BY key DESC LIMIT ?"
        } else {
            " ORDER BY key LIMIT ?"
        };
        let limit = range.limit.map_or(-1, i64::from);
        parameters.push(&limit);
        self.trusted(|connection| {
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query(&parameters[..])?;
            let mut listed = Listed::default();
            let mut bytes = 0;
            while let Some(row) = rows.next()? {
                if bytes >= MOST_LISTED {
                    listed.goes_on = true;
                    break;
                }
                let (key, value): (String, Vec<u8>) = (row.get(0)?, row.get(1)?);
                bytes += key.len() + value.len() + EACH_LISTED;
                listed.entries.push((key, value));
            }
            Ok(listed)
        })
    }

    /// Drops all that the object has, the script's tables too; its alarm where that
    /// is wanted.
    pub(crate) fn delete_all(&mut self, alarm: bool) -> Result<(), DatabaseError> {
        self.begin()?;
        if alarm {
            self.set_alarm(None)?;
        }
        self.cancel_cursors()?;
        let names = |connection: &rusqlite::Connection, kinds: &str| {
            connection
                .prepare(&format!(
                    "SELECT type, name FROM sqlite_schema WHERE {kinds} \
                     AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name != '_cf_ALARM'"
                ))?
                .query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<rusqlite::Result<Vec<(String, String)>>>()
        };
        let done = self.trusted(|connection| {
            // A row that refers to another would keep it.
            connection.execute_batch("PRAGMA defer_foreign_keys = ON")?;
            // Virtual tables take their shadow tables along.
            for kinds in ["sql LIKE 'CREATE VIRTUAL%'", "type IN ('view', 'table')"] {
                for (kind, name) in names(connection, kinds)? {
                    let name = name.replace('"', "\"\"");
                    connection.execute_batch(&format!("DROP {kind} IF EXISTS \"{name}\""))?;
                }
            }
            Ok(())
        });
        self.has_keys = None;
        done
    }
}

/// The least bytes that are behind all texts with a prefix; none where it is empty.
fn after_prefix(prefix: &str) -> Option<Vec<u8>> {
    let mut bytes = prefix.as_bytes().to_vec();
    // UTF-8 has no byte 0xff, so the last can always be one more.
    *bytes.last_mut()? += 1;
    Some(bytes)
}
