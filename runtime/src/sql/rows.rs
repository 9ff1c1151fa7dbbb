//! Rows as statements give them, and how many they read and write, as the SQLite in
//! `third_party/` counts them.

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, ffi};

use super::Touched;
use super::statement::Statement;

/// What statements give, as it comes.
pub trait Rows {
    /// One begins: what those before it gave is not asked for.
    fn begin(&mut self, columns: &[&str]) -> rusqlite::Result<()>;

    fn row(&mut self, row: &RowValues<'_>) -> rusqlite::Result<()>;
}

/// The values of a row.
pub struct RowValues<'a>(Source<'a>);

enum Source<'a> {
    Current(&'a Statement<'a>),
    Kept(&'a [Value]),
}

impl<'a> RowValues<'a> {
    /// Of the row that a statement is at.
    pub(super) fn current(statement: &'a Statement<'a>) -> Self {
        Self(Source::Current(statement))
    }

    /// Of one that was read before.
    pub(super) fn kept(values: &'a [Value]) -> Self {
        Self(Source::Kept(values))
    }

    /// How many there are.
    pub fn width(&self) -> usize {
        match self.0 {
            Source::Current(statement) => statement.width(),
            Source::Kept(values) => values.len(),
        }
    }

    /// NULL where there is no such column.
    pub fn get(&self, column: usize) -> ValueRef<'_> {
        match self.0 {
            Source::Current(statement) => statement.value(column),
            Source::Kept(values) => values.get(column).map_or(ValueRef::Null, Into::into),
        }
    }
}

/// What the statements of a connection have touched so far.
#[derive(Clone, Copy)]
pub(super) struct Count {
    read: u64,
    written: u64,
}

impl Count {
    pub(super) fn of(connection: &Connection) -> Self {
        // SAFETY: the handle is open for as long as the connection is borrowed, which is no
        // longer than this block; the functions read one number of it each.
        let (read, written) = unsafe {
            let handle = connection.handle();
            (
                ffi::sqlite3_rows_read(handle),
                ffi::sqlite3_rows_written(handle),
            )
        };
        Self {
            read: read.unsigned_abs(),
            written: written.unsigned_abs(),
        }
    }

    /// What they have touched since.
    pub(super) fn touched(self, connection: &Connection) -> Touched {
        let now = Self::of(connection);
        Touched {
            read: now.read - self.read,
            written: now.written - self.written,
            changes: false,
        }
    }
}
