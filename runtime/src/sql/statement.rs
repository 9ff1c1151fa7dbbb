//! A statement of SQLite's that can be kept beside its connection, and read a row at a
//! time: rusqlite's borrows the connection for as long as it is read.

use std::ffi::{CStr, c_int};
use std::mem::ManuallyDrop;
use std::ptr::{self, NonNull};

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Error, ffi};

use super::Touched;
use super::rows::{Count, RowValues, Rows};

/// A statement in use: its connection is borrowed, so that it is open and on this thread.
pub(crate) struct Statement<'c> {
    connection: &'c Connection,
    raw: NonNull<ffi::sqlite3_stmt>,
}

/// How long a statement is expected to live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Once,
    Again,
}

impl<'c> Statement<'c> {
    /// The first statement of `sql`, and where what is behind it begins; none where there
    /// is none.
    pub(super) fn compile(
        connection: &'c Connection,
        sql: &str,
        expected: Use,
    ) -> rusqlite::Result<Option<(Self, usize)>> {
        let Ok(length) = c_int::try_from(sql.len()) else {
            return Err(failure(ffi::SQLITE_TOOBIG, None));
        };
        let flags = match expected {
            Use::Once => 0,
            Use::Again => ffi::SQLITE_PREPARE_PERSISTENT,
        };
        let mut raw = ptr::null_mut();
        let mut rest = ptr::null();
        // SAFETY: the connection is open, `sql` is read for `length` bytes and only in this
        // call, and both results may be written.
        let (code, handle) = unsafe {
            let handle = connection.handle();
            let text = sql.as_ptr().cast();
            let code = ffi::sqlite3_prepare_v3(handle, text, length, flags, &mut raw, &mut rest);
            (code, handle)
        };
        if code != ffi::SQLITE_OK {
            // SAFETY: the connection is open.
            return Err(unsafe { compile_error(handle, code, sql) });
        }
        let at = rest.addr().saturating_sub(sql.as_ptr().addr());
        Ok(NonNull::new(raw).map(|raw| (Self { connection, raw }, at.min(sql.len()))))
    }

    pub(super) fn connection(&self) -> &'c Connection {
        self.connection
    }

    /// How many values it wants.
    pub(super) fn parameters(&self) -> usize {
        // SAFETY: the statement is not finalised before it is dropped.
        usize::try_from(unsafe { ffi::sqlite3_bind_parameter_count(self.raw()) }).unwrap_or(0)
    }

    pub(super) fn is_readonly(&self) -> bool {
        // SAFETY: as above.
        unsafe { ffi::sqlite3_stmt_readonly(self.raw()) != 0 }
    }

    /// Bytes that it has of SQLite's memory.
    pub(super) fn memory(&self) -> usize {
        // SAFETY: as above; the counter is not reset.
        let bytes =
            unsafe { ffi::sqlite3_stmt_status(self.raw(), ffi::SQLITE_STMTSTATUS_MEMUSED, 0) };
        usize::try_from(bytes).unwrap_or(0)
    }

    /// Gives it the values that it wants, as many as those are.
    pub(super) fn bind(&mut self, values: &[Value]) -> rusqlite::Result<()> {
        let wanted = self.parameters();
        if wanted != values.len() {
            return Err(Error::InvalidParameterCount(values.len(), wanted));
        }
        for (index, value) in values.iter().enumerate() {
            let index = c_int::try_from(index + 1).unwrap_or(c_int::MAX);
            let length = match value {
                Value::Text(text) => text.len(),
                Value::Blob(bytes) => bytes.len(),
                _ => 0,
            };
            let Ok(length) = c_int::try_from(length) else {
                return Err(failure(ffi::SQLITE_TOOBIG, None));
            };
            // SAFETY: the statement is not finalised, and of what `value` points to SQLite
            // makes copies of `length` bytes.
            let code = unsafe {
                let (raw, copied) = (self.raw(), ffi::SQLITE_TRANSIENT());
                match value {
                    Value::Null => ffi::sqlite3_bind_null(raw, index),
                    Value::Integer(number) => ffi::sqlite3_bind_int64(raw, index, *number),
                    Value::Real(number) => ffi::sqlite3_bind_double(raw, index, *number),
                    Value::Text(text) => {
                        let text = text.as_ptr().cast();
                        ffi::sqlite3_bind_text(raw, index, text, length, copied)
                    }
                    Value::Blob(bytes) => {
                        let bytes = bytes.as_ptr().cast();
                        ffi::sqlite3_bind_blob(raw, index, bytes, length, copied)
                    }
                }
            };
            self.check(code)?;
        }
        Ok(())
    }

    /// Goes on to the next row. Answers whether there is one.
    pub(super) fn step(&mut self) -> rusqlite::Result<bool> {
        // SAFETY: the statement is not finalised, and its connection is on this thread.
        match unsafe { ffi::sqlite3_step(self.raw()) } {
            ffi::SQLITE_ROW => Ok(true),
            ffi::SQLITE_DONE => Ok(false),
            code => Err(self.error(code)),
        }
    }

    /// Gives the row that it is at.
    pub(super) fn give(&self, rows: &mut impl Rows) -> rusqlite::Result<()> {
        let given = rows.row(&RowValues::current(self));
        // A value that SQLite had no memory to hand over came as none.
        // SAFETY: the connection is open.
        let code = unsafe { ffi::sqlite3_errcode(self.connection.handle()) };
        match code {
            ffi::SQLITE_NOMEM => Err(self.error(code)),
            _ => given,
        }
    }

    /// Runs it to its end.
    pub(super) fn run(&mut self, rows: &mut impl Rows) -> rusqlite::Result<Touched> {
        // Compiling it may have read the schema, which nobody asked for.
        let before = Count::of(self.connection);
        let mut more = self.step()?;
        rows.begin(&self.columns())?;
        while more {
            self.give(rows)?;
            more = self.step()?;
        }
        let mut touched = before.touched(self.connection);
        touched.changes = !self.is_readonly();
        Ok(touched)
    }

    /// The names of its columns: of a table that has changed they are known by the first
    /// step.
    pub(super) fn columns(&self) -> Vec<&str> {
        let name = |column| {
            // SAFETY: the column is one of the statement's, and its name is a C string that
            // is there until the statement is stepped, which borrows it for writing.
            let name = unsafe {
                let name = ffi::sqlite3_column_name(self.raw(), column);
                (!name.is_null()).then(|| CStr::from_ptr(name))
            };
            name.and_then(|name| name.to_str().ok()).unwrap_or_default()
        };
        (0..self.columns_raw()).map(name).collect()
    }

    /// How many columns it has.
    pub(super) fn width(&self) -> usize {
        usize::try_from(self.columns_raw()).unwrap_or(0)
    }

    fn columns_raw(&self) -> c_int {
        // SAFETY: the statement is not finalised.
        unsafe { ffi::sqlite3_column_count(self.raw()) }
    }

    /// A value of the row that it is at; NULL where there is no such column.
    pub(super) fn value(&self, column: usize) -> ValueRef<'_> {
        let column = c_int::try_from(column).unwrap_or(c_int::MAX);
        if column >= self.columns_raw() {
            return ValueRef::Null;
        }
        // SAFETY: the column is one of the statement's. Bytes are asked for before their
        // length, as SQLite wants it, and are there until the statement is stepped or
        // reset, which borrows it for writing.
        unsafe {
            let raw = self.raw();
            let bytes = |start: *const u8| {
                let length = ffi::sqlite3_column_bytes(raw, column);
                match usize::try_from(length) {
                    Ok(length) if !start.is_null() => std::slice::from_raw_parts(start, length),
                    _ => &[],
                }
            };
            match ffi::sqlite3_column_type(raw, column) {
                ffi::SQLITE_INTEGER => ValueRef::Integer(ffi::sqlite3_column_int64(raw, column)),
                ffi::SQLITE_FLOAT => ValueRef::Real(ffi::sqlite3_column_double(raw, column)),
                ffi::SQLITE_TEXT => ValueRef::Text(bytes(ffi::sqlite3_column_text(raw, column))),
                ffi::SQLITE_BLOB => {
                    ValueRef::Blob(bytes(ffi::sqlite3_column_blob(raw, column).cast()))
                }
                _ => ValueRef::Null,
            }
        }
    }

    /// Ends its run: it has no row and no values, and holds nothing back.
    pub(super) fn reset(&mut self) {
        // SAFETY: the statement is not finalised. What resetting answers is how the run
        // ended, which is known.
        unsafe {
            ffi::sqlite3_reset(self.raw());
            ffi::sqlite3_clear_bindings(self.raw());
        }
    }

    /// Keeps it beside its connection.
    pub(super) fn detach(self) -> Detached {
        Detached {
            raw: ManuallyDrop::new(self).raw,
        }
    }

    fn raw(&self) -> *mut ffi::sqlite3_stmt {
        self.raw.as_ptr()
    }

    fn check(&self, code: c_int) -> rusqlite::Result<()> {
        match code {
            ffi::SQLITE_OK => Ok(()),
            code => Err(self.error(code)),
        }
    }

    fn error(&self, code: c_int) -> Error {
        // SAFETY: the connection is open.
        unsafe { failure(code, message(self.connection.handle(), code)) }
    }
}

impl Drop for Statement<'_> {
    fn drop(&mut self) {
        // SAFETY: it is finalised once, here: `detach` gives it away. Its connection is open
        // and on this thread.
        unsafe { ffi::sqlite3_finalize(self.raw()) };
    }
}

/// A statement beside its connection. It ends by being attached again: one that is
/// dropped instead is not given back to SQLite, which then does not close the connection.
pub(super) struct Detached {
    raw: NonNull<ffi::sqlite3_stmt>,
}

impl Detached {
    /// Takes it up again.
    ///
    /// # Panics
    /// Where the connection is another one.
    pub(super) fn attach(self, connection: &Connection) -> Statement<'_> {
        let raw = ManuallyDrop::new(self).raw;
        // SAFETY: a statement that is not finalised keeps its connection from being closed,
        // so that both handles are open.
        let same = unsafe { ffi::sqlite3_db_handle(raw.as_ptr()) == connection.handle() };
        assert!(same, "a statement of another connection");
        Statement { connection, raw }
    }
}

impl Drop for Detached {
    fn drop(&mut self) {
        debug_assert!(std::thread::panicking(), "a statement was not ended");
    }
}

fn failure(code: c_int, message: Option<String>) -> Error {
    Error::SqliteFailure(ffi::Error::new(code), message)
}

/// What SQLite says of its last error.
///
/// # Safety
/// The handle is open, and on this thread.
unsafe fn message(handle: *mut ffi::sqlite3, code: c_int) -> Option<String> {
    // SAFETY: by the caller's promise; both texts are C strings.
    let text = unsafe {
        let text = match ffi::sqlite3_extended_errcode(handle) == code {
            true => ffi::sqlite3_errmsg(handle),
            false => ffi::sqlite3_errstr(code),
        };
        (!text.is_null()).then(|| CStr::from_ptr(text))
    };
    text.map(|text| text.to_string_lossy().into_owned())
}

/// What is wrong with a statement, and where.
///
/// # Safety
/// As of [`message`].
unsafe fn compile_error(handle: *mut ffi::sqlite3, code: c_int, sql: &str) -> Error {
    // SAFETY: by the caller's promise.
    let (message, offset) = unsafe { (message(handle, code), ffi::sqlite3_error_offset(handle)) };
    let error = ffi::Error::new(code);
    if error.code != rusqlite::ErrorCode::Unknown || offset < 0 {
        return Error::SqliteFailure(error, message);
    }
    Error::SqlInputError {
        error,
        msg: message.unwrap_or_default(),
        sql: sql.into(),
        offset,
    }
}
