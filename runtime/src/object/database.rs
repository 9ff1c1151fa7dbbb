//! An object's database: opened when first used, one transaction a turn, and the
//! savepoints of `transaction()` inside it.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode};

use super::alarm::{Alarm, AlarmTime};
use super::memory::{Account, SqlMemory, Whose};
use super::{ObjectStorage, StorageError};
use crate::sql::{self, Authority, Cursors, LIMITS};
use crate::watchdog::Signals;

/// Instructions of SQLite's between two looks at whether the script is stopped. One that
/// has to do with a long value looks too.
const PROGRESS: i32 = 1_000;

/// How deep transactions may nest.
const MOST_SAVEPOINTS: u32 = 64;

/// Pages of a database: 10 GB, as Workers have it.
const MOST_PAGES: u64 = (10 << 30) / 4096;

/// What a script did that put off its constraints and left them so, as Workers say.
const VIOLATED: &str = "Durable Object was reset and rolled back to its last known good state \
     because the application left the database in a state where constraints were violated: ";

/// Why the database did not do as the script asked; the text is the script's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct DatabaseError {
    message: String,
    pub(crate) effect: Effect,
}

/// What an error is to the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It may go on.
    None,
    /// The turn's writes are gone, by what its script did, and with them what the object
    /// in memory knows.
    Undone,
    /// The same, through no fault of the script's.
    Fatal,
}

impl DatabaseError {
    pub(crate) fn plain(message: impl Into<String>) -> Self {
        Self::new(message, Effect::None)
    }

    fn fatal(message: impl Into<String>) -> Self {
        Self::new(message, Effect::Fatal)
    }

    fn new(message: impl Into<String>, effect: Effect) -> Self {
        let message = message.into();
        Self { message, effect }
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
    /// Of the script's statements, closed before the storage is given up.
    pub(super) cursors: Cursors,
    held: Held,
    /// What the turn has written so far.
    wrote: Option<Confirmed>,
    /// What was newest before, where it wrote what need not be confirmed.
    before: Option<Durable>,
    authority: Arc<Authority>,
    signals: Arc<Signals>,
    account: Account,
    /// A transaction is open that ends with the turn, or with its savepoints.
    in_turn: Rc<Cell<bool>>,
    savepoints: u32,
    /// Whether the table of keys and values is there, once that is known.
    pub(super) has_keys: Option<bool>,
    pub(super) alarm: Alarm,
}

/// Tells the host of an alarm, before and after the commit that changes it.
pub(super) type TellAlarm<'a> =
    &'a mut dyn FnMut(Option<AlarmTime>, bool) -> Result<(), StorageError>;

impl Database {
    pub(super) fn new(signals: Arc<Signals>, memory: Rc<SqlMemory>) -> Self {
        Self {
            storage: None,
            cursors: Cursors::default(),
            held: Held::Newest,
            wrote: None,
            before: None,
            authority: Arc::default(),
            signals,
            account: Account::open(memory),
            in_turn: Rc::default(),
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
        // Its schema is the script's, and stays in memory.
        let mut storage = self.account.run(Whose::Own, open)?;
        let connection = storage.connection();
        let signals = self.signals.clone();
        let set = connection
            .authorizer(Some(self.authority.hook()))
            .and_then(|()| {
                connection.progress_handler(PROGRESS, Some(move || signals.is_stopped()))
            });
        let set = set.and_then(|()| {
            // What virtual tables keep in tables of theirs is not a script's to change.
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
            let mut limits = LIMITS.iter();
            limits.try_for_each(|(limit, most)| connection.set_limit(*limit, *most).map(drop))
        });
        set.map_err(|error| DatabaseError::fatal(error.to_string()))?;
        self.storage = Some(storage);
        self.limit_pages(MOST_PAGES)
    }

    /// Has the database be full at so many pages.
    pub(crate) fn limit_pages(&mut self, most: u64) -> Result<(), DatabaseError> {
        let pages = format!("PRAGMA max_page_count = {}", most.min(MOST_PAGES));
        self.trusted(|connection| connection.query_one(&pages, (), |_| Ok(())))
    }

    /// Begins the turn's transaction before its first write. Until then there is none,
    /// since some of what scripts may ask of SQLite has no effect within one.
    pub(super) fn begin(&mut self) -> Result<(), DatabaseError> {
        let begins = self.begins();
        self.with(begins)
    }

    /// The same, for who has the connection.
    pub(super) fn begins(&self) -> impl Fn(&Connection) -> rusqlite::Result<()> + use<> {
        let (authority, in_turn) = (self.authority.clone(), self.in_turn.clone());
        move |connection| {
            if in_turn.get() {
                return Ok(());
            }
            authority.trusted(|| connection.prepare_cached("BEGIN")?.execute(()))?;
            in_turn.set(true);
            Ok(())
        }
    }

    /// Ends the turn's transaction, unless one of the script's goes on.
    pub(super) fn end_turn(
        &mut self,
        stopped: bool,
        tell: TellAlarm<'_>,
    ) -> Result<(), DatabaseError> {
        self.close_lost_cursors();
        if !self.in_turn.get() || (self.savepoints > 0 && !stopped) {
            return Ok(());
        }
        self.in_turn.set(false);
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
        committed.map_err(|error| match error.effect {
            Effect::None => DatabaseError::fatal(error.message),
            Effect::Undone | Effect::Fatal => error,
        })
    }

    fn commit(&mut self, tell: TellAlarm<'_>) -> Result<(), DatabaseError> {
        if !std::mem::take(&mut self.alarm.changed) {
            return self.commit_now();
        }
        // The host may ring too early, and then finds out; never too late.
        let time = self.stored_alarm()?;
        tell(time, false)?;
        self.commit_now()?;
        tell(time, true)?;
        Ok(())
    }

    fn commit_now(&mut self) -> Result<(), DatabaseError> {
        let committed =
            self.trusted(|connection| Ok(connection.prepare_cached("COMMIT")?.execute(())))?;
        match committed {
            Ok(_) => Ok(()),
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                let text = format!("{VIOLATED}{}", sql::error_text(&error));
                Err(DatabaseError::new(text, Effect::Undone))
            }
            Err(error) => self.trusted(|_| Err(error)),
        }
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
        self.in_turn.get() && self.savepoints == 0
    }

    pub(super) fn in_transaction(&self) -> bool {
        self.in_turn.get()
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
            // The first page of a database is there before anything is in it.
            Ok(pages.max(1) * number("PRAGMA page_size")?)
        })
    }

    pub(super) fn take(&mut self) -> Option<Box<dyn ObjectStorage>> {
        let mut storage = self.storage.take()?;
        let close = || self.cursors.close(storage.connection());
        self.account.run(Whose::Own, close);
        Some(storage)
    }

    pub(crate) fn savepoint(&mut self) -> Result<(), DatabaseError> {
        if self.savepoints >= MOST_SAVEPOINTS {
            return Err(DatabaseError::plain(format!(
                "transactions may nest {MOST_SAVEPOINTS} deep"
            )));
        }
        self.begin()?;
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
    pub(super) fn script<T>(
        &mut self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, DatabaseError> {
        self.script_cursors(|_, connection| work(connection))
    }

    /// The same, where they are read as the script goes on.
    pub(super) fn script_cursors<T>(
        &mut self,
        work: impl FnOnce(&mut Cursors, &Connection) -> rusqlite::Result<T>,
    ) -> Result<T, DatabaseError> {
        let authority = self.authority.clone();
        let done = authority.script(|| self.counted(Whose::Script, work));
        if self.authority.refused_transaction() {
            return Err(DatabaseError::plain(sql::NO_TRANSACTION));
        }
        done
    }

    fn with<T>(
        &mut self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, DatabaseError> {
        self.with_cursors(|_, connection| work(connection))
    }

    pub(super) fn with_cursors<T>(
        &mut self,
        work: impl FnOnce(&mut Cursors, &Connection) -> rusqlite::Result<T>,
    ) -> Result<T, DatabaseError> {
        self.counted(Whose::Own, work)
    }

    fn counted<T>(
        &mut self,
        whose: Whose,
        work: impl FnOnce(&mut Cursors, &Connection) -> rusqlite::Result<T>,
    ) -> Result<T, DatabaseError> {
        let Some(storage) = &mut self.storage else {
            return Err(DatabaseError::fatal("the database is closed"));
        };
        let work = || work(&mut self.cursors, storage.connection());
        let done = self.account.run(whose, work);
        done.map_err(|error| {
            if let Some(error) = storage.explain(&error) {
                return error.into();
            }
            let text = sql::error_text(&error);
            // After some errors SQLite has rolled back. Interrupted is a script that ends.
            let interrupted = Some(ErrorCode::OperationInterrupted);
            let undone = self.in_turn.get() && storage.connection().is_autocommit();
            match undone && error.sqlite_error_code() != interrupted {
                true => DatabaseError::new(text, Effect::Undone),
                false => DatabaseError::plain(text),
            }
        })
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        drop(self.take());
    }
}
