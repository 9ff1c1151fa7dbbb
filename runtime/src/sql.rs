//! SQL of scripts: what it may do, how its statements run, and what is said of
//! errors. For whoever keeps databases for workers, the runtime's objects among
//! them.

mod ahead;
mod authorizer;
mod complete;
mod cursors;
mod kept;
mod meter;
mod rows;
mod statement;

use rusqlite::limits::Limit;
use rusqlite::types::Value;
use rusqlite::{Connection, ErrorCode};

pub use self::authorizer::Authority;
pub use self::complete::complete;
pub(crate) use self::cursors::{Begun, Cursors, Lost, Reach, ingest};
pub use self::meter::Meter;
pub use self::rows::{RowValues, Rows};
use self::statement::{Statement, Use};

/// What statements may ask of SQLite, as Workers have it.
pub const LIMITS: &[(Limit, i32)] = &[
    (Limit::SQLITE_LIMIT_LENGTH, 4 << 20),
    (Limit::SQLITE_LIMIT_SQL_LENGTH, 100_000),
    (Limit::SQLITE_LIMIT_COLUMN, 100),
    (Limit::SQLITE_LIMIT_EXPR_DEPTH, 100),
    (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 5),
    (Limit::SQLITE_LIMIT_VDBE_OP, 25_000),
    (Limit::SQLITE_LIMIT_FUNCTION_ARG, 127),
    (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 50),
    (Limit::SQLITE_LIMIT_VARIABLE_NUMBER, 100),
    (Limit::SQLITE_LIMIT_TRIGGER_DEPTH, 10),
];

/// What a script is told that would begin a transaction by a statement.
pub const NO_TRANSACTION: &str = "To execute a transaction, please use the \
     state.storage.transaction() or state.storage.transactionSync() APIs instead of the SQL BEGIN \
     TRANSACTION or SAVEPOINT statements. The JavaScript API is safer because it will \
     automatically roll back on exceptions, and because it interacts correctly with Durable \
     Objects' automatic atomic write coalescing.";

/// What statements touched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Touched {
    /// Rows and entries of indexes that were read, and that were written.
    pub read: u64,
    pub written: u64,
    /// One of them may change the database.
    pub changes: bool,
}

impl Touched {
    fn add(&mut self, other: Self) {
        self.read += other.read;
        self.written += other.written;
        self.changes |= other.changes;
    }
}

/// Runs all statements of `sql`, the last one with the values; each tells of its rows.
pub fn run(
    connection: &Connection,
    sql: &str,
    values: &[Value],
    rows: &mut impl Rows,
) -> rusqlite::Result<Touched> {
    let mut script = Script::new(connection, sql);
    let mut touched = Touched::default();
    let mut bound = false;
    let mut next = script.next()?;
    while let Some(mut statement) = next.take() {
        let wanted = statement.parameters();
        if wanted > 0 || !values.is_empty() {
            // One that does not compile yet, since its table is yet to be made, is one
            // more too.
            let following = script.next();
            if matches!(following, Ok(None)) {
                statement.bind(values)?;
                bound = true;
            } else if wanted > 0 {
                return Err(refused(VALUES_OF_LAST));
            }
            next = following.unwrap_or(None);
        }
        touched.add(statement.run(rows)?);
        if next.is_none() && !bound {
            next = script.next()?;
        }
    }
    Ok(touched)
}

/// What is said of values for a statement that others follow.
const VALUES_OF_LAST: &str = "When executing multiple SQL statements in a single call, only the \
     last statement can have parameters.";

/// What is said of text that is none.
const NO_STATEMENT: &str = "SQL code did not contain a statement.";

fn refused(message: &str) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(message.into())
}

/// The statements of a text, one after the other.
pub struct Script<'c, 's> {
    connection: &'c Connection,
    rest: &'s str,
}

impl<'c, 's> Script<'c, 's> {
    pub fn new(connection: &'c Connection, sql: &'s str) -> Self {
        let rest = sql;
        Self { connection, rest }
    }

    /// Runs the next one, which takes no values; None where there is none.
    pub fn run_next(&mut self, rows: &mut impl Rows) -> rusqlite::Result<Option<Touched>> {
        let Some(mut statement) = self.next()? else {
            return Ok(None);
        };
        statement.bind(&[])?;
        statement.run(rows).map(Some)
    }

    fn next(&mut self) -> rusqlite::Result<Option<Statement<'c>>> {
        let compiled = Statement::compile(self.connection, self.rest, Use::Once)?;
        let Some((statement, length)) = compiled else {
            // SQLite takes a NUL for the end; what is behind one is no comment.
            return match self.rest.contains('\0') {
                true => Err(refused(NO_STATEMENT)),
                false => Ok(None),
            };
        };
        self.rest = self.rest.get(length..).unwrap_or_default();
        Ok(Some(statement))
    }
}

/// What Workers say of SQLite's errors: its own message, where in the statement,
/// and the code's name.
pub fn error_text(error: &rusqlite::Error) -> String {
    use rusqlite::Error;
    match error {
        Error::SqlInputError {
            error, msg, offset, ..
        } => {
            let at = if *offset >= 0 {
                format!(" at offset {offset}")
            } else {
                String::new()
            };
            format!("{msg}{at}: {}", code(error))
        }
        Error::SqliteFailure(error, Some(message)) => format!("{message}: {}", code(error)),
        Error::SqliteFailure(error, None) => {
            format!("{}: {}", error, code(error))
        }
        Error::InvalidParameterCount(given, wanted) => format!(
            "Wrong number of parameter bindings for SQL query. Expected {wanted}, got {given}"
        ),
        other => other.to_string(),
    }
}

/// https://sqlite.org/rescode.html
fn code(error: &rusqlite::ffi::Error) -> String {
    let name = match error.code {
        ErrorCode::InternalMalfunction => "SQLITE_INTERNAL",
        ErrorCode::PermissionDenied => "SQLITE_PERM",
        ErrorCode::OperationAborted => "SQLITE_ABORT",
        ErrorCode::DatabaseBusy => "SQLITE_BUSY",
        ErrorCode::DatabaseLocked => "SQLITE_LOCKED",
        ErrorCode::OutOfMemory => "SQLITE_NOMEM",
        ErrorCode::ReadOnly => "SQLITE_READONLY",
        ErrorCode::OperationInterrupted => "SQLITE_INTERRUPT",
        ErrorCode::SystemIoFailure => "SQLITE_IOERR",
        ErrorCode::DatabaseCorrupt => "SQLITE_CORRUPT",
        ErrorCode::NotFound => "SQLITE_NOTFOUND",
        ErrorCode::DiskFull => "SQLITE_FULL",
        ErrorCode::CannotOpen => "SQLITE_CANTOPEN",
        ErrorCode::FileLockingProtocolFailed => "SQLITE_PROTOCOL",
        ErrorCode::SchemaChanged => "SQLITE_SCHEMA",
        ErrorCode::TooBig => "SQLITE_TOOBIG",
        ErrorCode::ConstraintViolation => "SQLITE_CONSTRAINT",
        ErrorCode::TypeMismatch => "SQLITE_MISMATCH",
        ErrorCode::ApiMisuse => "SQLITE_MISUSE",
        ErrorCode::AuthorizationForStatementDenied => "SQLITE_AUTH",
        ErrorCode::ParameterOutOfRange => "SQLITE_RANGE",
        ErrorCode::NotADatabase => "SQLITE_NOTADB",
        _ => "SQLITE_ERROR",
    };
    match extended(error.extended_code) {
        Some(extended) => format!("{name} (extended: {extended})"),
        None => name.into(),
    }
}

fn extended(code: i32) -> Option<&'static str> {
    use rusqlite::ffi;
    Some(match code {
        ffi::SQLITE_ABORT_ROLLBACK => "SQLITE_ABORT_ROLLBACK",
        ffi::SQLITE_CONSTRAINT_CHECK => "SQLITE_CONSTRAINT_CHECK",
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => "SQLITE_CONSTRAINT_FOREIGNKEY",
        ffi::SQLITE_CONSTRAINT_NOTNULL => "SQLITE_CONSTRAINT_NOTNULL",
        ffi::SQLITE_CONSTRAINT_PRIMARYKEY => "SQLITE_CONSTRAINT_PRIMARYKEY",
        ffi::SQLITE_CONSTRAINT_TRIGGER => "SQLITE_CONSTRAINT_TRIGGER",
        ffi::SQLITE_CONSTRAINT_UNIQUE => "SQLITE_CONSTRAINT_UNIQUE",
        ffi::SQLITE_CONSTRAINT_ROWID => "SQLITE_CONSTRAINT_ROWID",
        ffi::SQLITE_CONSTRAINT_DATATYPE => "SQLITE_CONSTRAINT_DATATYPE",
        _ => return None,
    })
}
