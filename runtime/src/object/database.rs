//! An object's database: opened when first used, one transaction a turn, and the
//! savepoints of `transaction()` inside it.

use std::sync::Arc;

use deno_core::v8;
use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use rusqlite::Connection;

use super::alarm::{Alarm, AlarmTime};
use super::{ObjectStorage, StorageError};
use crate::sql::{self, Authority, LIMITS};

/// Instructions of SQLite's between two looks at whether the script is stopped.
const PROGRESS: i32 = 10_000;

/// How deep transactions may nest.
const MOST_SAVEPOINTS: u32 = 64;

/// Pages of a database: 10 GB, as Workers have it.
const MOST_PAGES: u64 = (10 << 30) / 4096;

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

/// Whether what the object says waits for a write to be durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Confirmed {
    /// The script does not ask for it (`allowUnconfirmed`).
    No,
    Yes,
}

impl Confirmed {
    pub(crate) fn unless(unconfirmed: bool) -> Self {
        if unconfirmed { Self::No } else { Self::Yes }
    }
}

/// What the output gate waits for.
enum Held {
    /// The newest commit, and all before it.
    Newest,
    /// What was newest before commits that need not be confirmed; None: it is durable.
    Before(Option<Durable>),
}

type Durable = Shared<BoxFuture<'static, Result<(), StorageError>>>;

pub(crate) struct Database {
    storage: Option<Box<dyn ObjectStorage>>,
    held: Held,
    /// What the turn has written so far.
    wrote: Option<Confirmed>,
    /// What was newest before, where it wrote what need not be confirmed.
    before: Option<Durable>,
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
            held: Held::Newest,
            wrote: None,
            before: None,
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
        let wrote = self.wrote.take();
        if stopped {
            self.alarm.changed = false;
            self.forget();
            return self.own("ROLLBACK");
        }
        self.hold(wrote);
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

    /// A write follows.
    pub(crate) fn write(&mut self, confirmed: Confirmed) {
        let is_first = self.wrote.is_none() && matches!(self.held, Held::Newest);
        if is_first && confirmed == Confirmed::No {
            self.before = self.settled().map(FutureExt::shared);
        }
        self.wrote = self.wrote.max(Some(confirmed));
    }

    /// A commit follows, of what the turn wrote.
    fn hold(&mut self, wrote: Option<Confirmed>) {
        let before = self.before.take();
        match (wrote, &self.held) {
            (Some(Confirmed::Yes), _) => self.held = Held::Newest,
            (Some(Confirmed::No), Held::Newest) => self.held = Held::Before(before),
            _ => {}
        }
    }

    /// What the output gate waits for.
    pub(super) fn durable(&self) -> Option<BoxFuture<'static, Result<(), StorageError>>> {
        match &self.held {
            Held::Newest => self.settled(),
            Held::Before(before) => {
                let before = before.as_ref()?;
                // Done: a waiter before this one has seen to it.
                before.peek().is_none().then(|| before.clone().boxed())
            }
        }
    }

    /// Resolves when all that was written is durable. None: it is.
    pub(super) fn settled(&self) -> Option<BoxFuture<'static, Result<(), StorageError>>> {
        self.storage.as_ref()?.durable()
    }

    pub(super) fn storage(&self) -> Option<&dyn ObjectStorage> {
        self.storage.as_deref()
    }

    /// Bytes in use, with what the turn has written.
    pub(crate) fn size(&mut self) -> Result<i64, DatabaseError> {
        self.trusted(|connection| {
            let number = |sql| -> rusqlite::Result<i64> {
                let mut statement = connection.prepare_cached(sql)?;
                statement.query_one((), |row| row.get(0))
            };
            let pages = number("PRAGMA page_count")? - number("PRAGMA freelist_count")?;
            Ok(pages * number("PRAGMA page_size")?)
        })
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
        self.authority.clone().trusted(|| self.with(work))
    }

    /// Runs a script's statements.
    pub(crate) fn script<T>(
        &mut self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, DatabaseError> {
        // Known before: what the script may make of it is not.
        let own = i64::from(self.has_keys()?) + i64::from(self.has_alarm_table()?);
        let done = self.authority.clone().script(|| self.with(work));
        if self.authority.refused_transaction() {
            return Err(DatabaseError::plain(sql::NO_TRANSACTION));
        }
        if self.authority.may_rename() && self.own_tables()? != own {
            return Err(DatabaseError::fatal(sql::RESERVED_NAME));
        }
        done
    }

    fn own_tables(&mut self) -> Result<i64, DatabaseError> {
        self.trusted(|connection| {
            connection
                .prepare_cached(sql::COUNT_RESERVED)?
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
            None => DatabaseError::plain(sql::error_text(&error)),
        })
    }
}
