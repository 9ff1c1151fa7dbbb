//! An object's database: opened when first used, one transaction a turn, and the
//! savepoints of `transaction()` inside it.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use deno_core::v8;
use futures::future::BoxFuture;
use rusqlite::limits::Limit;
use rusqlite::{Connection, ErrorCode};

use super::alarm::{Alarm, AlarmTime};
use super::authorizer::Authority;
use super::{ObjectStorage, StorageError};

/// Instructions of SQLite's between two looks at whether the script is stopped.
const PROGRESS: i32 = 10_000;

/// How deep transactions may nest.
const MOST_SAVEPOINTS: u32 = 64;

/// Pages of a database: 10 GB, as Workers have it.
const MOST_PAGES: u64 = (10 << 30) / 4096;

/// What statements may ask of SQLite, as Workers have it.
const LIMITS: &[(Limit, i32)] = &[
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

/// Why the database did not do as the script asked; the text is the script's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct DatabaseError {
    message: String,
    /// The turn's writes are gone, and with them what the object in memory knows.
    pub(crate) fatal: bool,
}

impl DatabaseError {
    pub(crate) fn plain(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            fatal: false,
        }
    }

    fn fatal(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            fatal: true,
        }
    }
}

impl From<StorageError> for DatabaseError {
    fn from(error: StorageError) -> Self {
        Self::fatal(error.message)
    }
}

pub(crate) struct Database {
    storage: Option<Box<dyn ObjectStorage>>,
    authority: Arc<Authority>,
    isolate: v8::IsolateHandle,
    /// A transaction is open that ends with the turn, or with its savepoints.
    in_turn: bool,
    savepoints: u32,
    /// Whether the table of keys and values is there, once that is known.
    pub(super) has_keys: Option<bool>,
    pub(super) alarm: Alarm,
}

/// Tells the host of an alarm, before and after the commit that changes it.
pub(super) type TellAlarm<'a> =
    &'a mut dyn FnMut(Option<AlarmTime>, bool) -> Result<(), StorageError>;

impl Database {
    pub(super) fn new(isolate: v8::IsolateHandle) -> Self {
        Self {
            storage: None,
            authority: Arc::default(),
            isolate,
            in_turn: false,
            savepoints: 0,
            has_keys: None,
            alarm: Alarm::default(),
        }
    }

    pub(super) fn open(
        &mut self,
        open: impl FnOnce() -> Result<Box<dyn ObjectStorage>, StorageError>,
    ) -> Result<(), DatabaseError> {
        if self.storage.is_some() {
            return Ok(());
        }
        let mut storage = open()?;
        let connection = storage.connection();
        let isolate = self.isolate.clone();
        let set = connection
            .authorizer(Some(self.authority.hook()))
            .and_then(|()| {
                connection
                    .progress_handler(PROGRESS, Some(move || isolate.is_execution_terminating()))
            });
        let set = set.and_then(|()| {
            let mut limits = LIMITS.iter();
            limits.try_for_each(|(limit, most)| connection.set_limit(*limit, *most).map(drop))
        });
        set.map_err(|error| DatabaseError::fatal(error.to_string()))?;
        self.storage = Some(storage);
        let pages = format!("PRAGMA max_page_count = {MOST_PAGES}");
        self.trusted(|connection| connection.query_one(&pages, (), |_| Ok(())))
    }

    /// Begins the turn's transaction, unless it runs already.
    pub(super) fn begin(&mut self) -> Result<(), DatabaseError> {
        if self.in_turn {
            return Ok(());
        }
        self.own("BEGIN")?;
        self.in_turn = true;
        Ok(())
    }

    /// Ends the turn's transaction, unless one of the script's goes on.
    pub(super) fn end_turn(
        &mut self,
        stopped: bool,
        tell: TellAlarm<'_>,
    ) -> Result<(), DatabaseError> {
        if !self.in_turn || (self.savepoints > 0 && !stopped) {
            return Ok(());
        }
        self.in_turn = false;
        self.savepoints = 0;
        if stopped {
            self.alarm.changed = false;
            self.forget();
            return self.own("ROLLBACK");
        }
        let committed = self.commit(tell);
        if committed.is_err() {
            let _ = self.own("ROLLBACK");
        }
        committed.map_err(|error| DatabaseError::fatal(error.message))
    }

    fn commit(&mut self, tell: TellAlarm<'_>) -> Result<(), DatabaseError> {
        if !std::mem::take(&mut self.alarm.changed) {
            return self.own("COMMIT");
        }
        // The host may ring too early, and then finds out; never too late.
        let time = self.stored_alarm()?;
        tell(time, false)?;
        self.own("COMMIT")?;
        tell(time, true)?;
        Ok(())
    }

    /// What was undone may have made, or dropped, a table of the runtime's own.
    fn forget(&mut self) {
        self.has_keys = None;
        self.alarm.has_table = None;
    }

    pub(super) fn has_table(&mut self, name: &str) -> Result<bool, DatabaseError> {
        self.trusted(|connection| {
            connection
                .prepare_cached("SELECT 1 FROM sqlite_schema WHERE name = ?")?
                .exists((name,))
        })
    }

    /// Whether a transaction is open that ends with the turn. One of the script's
    /// may go on while it waits for others, who must not wait for it.
    pub(super) fn in_turn(&self) -> bool {
        self.in_turn && self.savepoints == 0
    }

    pub(super) fn durable(&self) -> Option<BoxFuture<'static, Result<(), StorageError>>> {
        self.storage.as_ref()?.durable()
    }

    pub(super) fn size(&self) -> u64 {
        self.storage.as_ref().map_or(0, |storage| storage.size())
    }

    pub(super) fn take(&mut self) -> Option<Box<dyn ObjectStorage>> {
        self.storage.take()
    }

    pub(crate) fn savepoint(&mut self) -> Result<(), DatabaseError> {
        if self.savepoints >= MOST_SAVEPOINTS {
            return Err(DatabaseError::plain(format!(
                "transactions may nest {MOST_SAVEPOINTS} deep"
            )));
        }
        self.own(&format!("SAVEPOINT _cf_{}", self.savepoints))?;
        self.savepoints += 1;
        Ok(())
    }

    /// Ends the innermost savepoint; what was written since stays, or does not.
    /// Where it was the last one, the transaction ends with the turn again.
    pub(crate) fn end_savepoint(&mut self, keep: bool) -> Result<(), DatabaseError> {
        let Some(savepoint) = self.savepoints.checked_sub(1) else {
            return Err(DatabaseError::plain("there is no transaction to end"));
        };
        self.savepoints = savepoint;
        if !keep {
            self.forget();
            self.own(&format!("ROLLBACK TO _cf_{savepoint}"))?;
        }
        self.own(&format!("RELEASE _cf_{savepoint}"))
    }

    /// Runs a statement of the runtime's own.
    pub(crate) fn own(&mut self, sql: &str) -> Result<(), DatabaseError> {
        self.trusted(|connection| connection.prepare_cached(sql)?.execute(()).map(drop))
    }

    /// Runs the runtime's own statements, which the authorizer lets pass.
    pub(crate) fn trusted<T>(
        &mut self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, DatabaseError> {
        self.authority.trusted.store(true, Relaxed);
        let done = self.with(work);
        self.authority.trusted.store(false, Relaxed);
        done
    }

    /// Runs a script's statements.
    pub(crate) fn script<T>(
        &mut self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, DatabaseError> {
        self.authority.transaction.store(false, Relaxed);
        self.authority.renames.store(false, Relaxed);
        // Known before: what the script may make of it is not.
        let own = i64::from(self.has_keys()?) + i64::from(self.has_alarm_table()?);
        let done = self.with(work);
        if self.authority.transaction.load(Relaxed) {
            return Err(DatabaseError::plain(
                "To execute a transaction, please use the state.storage.transaction() or \
                 state.storage.transactionSync() APIs instead of the SQL BEGIN TRANSACTION or \
                 SAVEPOINT statements. The JavaScript API is safer because it will automatically \
                 roll back on exceptions, and because it interacts correctly with Durable \
                 Objects' automatic atomic write coalescing.",
            ));
        }
        if self.authority.renames.load(Relaxed) && self.own_tables()? != own {
            return Err(DatabaseError::fatal(
                "a table was renamed to a name that is reserved: not authorized: SQLITE_AUTH",
            ));
        }
        done
    }

    fn own_tables(&mut self) -> Result<i64, DatabaseError> {
        self.trusted(|connection| {
            connection
                .prepare_cached(
                    "SELECT count(*) FROM sqlite_schema WHERE substr(name, 1, 4) = '_cf_' COLLATE NOCASE",
                )?
                .query_one((), |row| row.get(0))
        })
    }

    fn with<T>(
        &mut self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, DatabaseError> {
        let Some(storage) = &mut self.storage else {
            return Err(DatabaseError::fatal("the database is closed"));
        };
        work(storage.connection()).map_err(|error| match storage.explain(&error) {
            Some(error) => error.into(),
            None => DatabaseError::plain(text(&error)),
        })
    }
}

/// What Workers say of SQLite's errors: its own message, where in the statement,
/// and the code's name.
fn text(error: &rusqlite::Error) -> String {
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
