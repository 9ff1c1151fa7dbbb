//! How many rows statements read and write, as the SQLite in `third_party/` counts them.

use rusqlite::{Connection, ffi};

use super::Touched;

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
