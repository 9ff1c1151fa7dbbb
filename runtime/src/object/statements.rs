//! The statements of an object's script on its database.

use rusqlite::types::Value;

use super::database::{Confirmed, Database, DatabaseError};
use crate::sql::{self, Begun, Lost, Reach, Rows, Touched};

/// What a cursor says that was not read to its end before all was deleted.
const DELETED: &str = "SQLite query was canceled because the database was deleted.";

impl Database {
    /// Runs all statements of `sql`, the last one, with the values, as far as its first
    /// row.
    pub(crate) fn exec(
        &mut self,
        sql: &str,
        values: &[Value],
        rows: &mut impl Rows,
    ) -> Result<Begun, DatabaseError> {
        let begins = self.begins();
        let begun = self.script_cursors(|cursors, connection| {
            cursors.begin(connection, sql, values, &begins, rows)
        });
        let changes = |begun: &Begun| begun.touched.changes;
        self.wrote_by(begun.as_ref().map_or(true, changes));
        begun
    }

    /// Runs all statements of `sql`.
    pub(crate) fn ingest(&mut self, sql: &str) -> Result<Touched, DatabaseError> {
        let begins = self.begins();
        let done = self.script(|connection| sql::ingest(connection, sql, &begins));
        self.wrote_by(done.as_ref().map_or(true, |touched| touched.changes));
        done
    }

    /// What failed may have begun with what did not.
    fn wrote_by(&mut self, changes: bool) {
        if changes && self.in_transaction() {
            self.write(Confirmed::Yes);
        }
    }

    /// Reads a cursor on. Answers whether there may be more rows.
    pub(crate) fn read_cursor(
        &mut self,
        number: u64,
        reach: Reach,
        touched: &mut Touched,
        rows: &mut impl Rows,
    ) -> Result<bool, DatabaseError> {
        self.script_cursors(|cursors, connection| {
            cursors.read(connection, number, reach, touched, rows)
        })
    }

    /// Closes a cursor before its end.
    pub(crate) fn end_cursor(&mut self, number: u64) -> Result<(), DatabaseError> {
        self.with_cursors(|cursors, connection| {
            cursors.end(connection, number);
            Ok(())
        })
    }

    /// Where to tell of cursors that the script has lost.
    pub(crate) fn lost_cursors(&self) -> Lost {
        self.cursors.lost()
    }

    pub(super) fn close_lost_cursors(&mut self) {
        // Without a database there are none.
        let _ = self.with_cursors(|cursors, connection| {
            cursors.sweep(connection);
            Ok(())
        });
    }

    pub(super) fn cancel_cursors(&mut self) -> Result<(), DatabaseError> {
        self.with_cursors(|cursors, connection| {
            cursors.cancel(connection, DELETED);
            Ok(())
        })
    }
}
