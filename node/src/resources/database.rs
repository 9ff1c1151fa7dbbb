//! A database of the node's store that isolates of all lanes ask: off their threads,
//! one at a time, and nothing is told that is not durable.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use outboard_storage::{Object, ObjectError};
use parking_lot::Mutex;
use rusqlite::Connection;
use tokio::sync::Semaphore;

use crate::objects::NodeObjects;

/// Calls that may wait for their turn: some tens of milliseconds of small ones; past
/// that an error is kinder.
const WAITING: usize = 2_048;

/// Why a database gave no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DatabaseError {
    #[error("this node keeps no data")]
    NoStore,
    #[error("too many calls wait for the database")]
    Busy,
    #[error("its format is {found}, and this version of Outboard knows formats up to {known}")]
    Format { found: i64, known: i64 },
    #[error(transparent)]
    Object(#[from] ObjectError),
    #[error("its thread ended")]
    Ended,
}

/// How a kind's databases are laid out.
pub(crate) struct Schema {
    /// What makes a new database, in one transaction.
    pub(crate) tables: &'static str,
    /// `PRAGMA user_version` of it.
    pub(crate) version: i64,
}

#[derive(Clone)]
pub(crate) struct Database {
    object: Arc<Mutex<Object>>,
    /// One at a time, so that waiting costs no thread.
    turn: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
}

impl Database {
    /// Opens the database of a kind that has this name, on a thread that may wait
    /// for the disk.
    pub(crate) async fn open(
        objects: Arc<NodeObjects>,
        kind: &'static str,
        name: String,
        schema: &'static Schema,
    ) -> Result<Self, DatabaseError> {
        let open = move || {
            let object = objects
                .database(kind, &name)
                .ok_or(DatabaseError::NoStore)??;
            Self::of(object, schema)
        };
        tokio::task::spawn_blocking(open)
            .await
            .map_err(|_ended| DatabaseError::Ended)?
    }

    /// Of an open one.
    pub(crate) fn of(object: Object, schema: &Schema) -> Result<Self, DatabaseError> {
        let version = object
            .connection()
            .query_row("PRAGMA user_version", (), |row| row.get::<_, i64>(0))
            .map_err(|error| object.explain(error))?;
        if version == 0 {
            let make = format!(
                "BEGIN; {} PRAGMA user_version = {}; COMMIT;",
                schema.tables, schema.version
            );
            let made = object.connection().execute_batch(&make);
            made.map_err(|error| object.explain(error))?;
        } else if version > schema.version {
            return Err(DatabaseError::Format {
                found: version,
                known: schema.version,
            });
        }
        Ok(Self {
            object: Arc::new(Mutex::new(object)),
            turn: Arc::new(Semaphore::new(1)),
            waiting: Arc::default(),
        })
    }

    /// Runs `work` when it is its turn, and answers when all that it saw or wrote is
    /// durable. Dropping the future lets work that has begun end.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, DatabaseError> {
        let waits = Waits::begin(&self.waiting)?;
        let turn = self.turn.clone().acquire_owned().await;
        let turn = turn.map_err(|_closed| DatabaseError::Ended)?;
        drop(waits);
        let object = self.object.clone();
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let object = object.lock();
            match work(object.connection()) {
                Ok(value) => Ok((value, object.newest())),
                Err(error) => Err(object.explain(error)),
            }
        });
        let (value, newest) = done.await.map_err(|_ended| DatabaseError::Ended)??;
        if let Some(newest) = newest.filter(|newest| !newest.is_durable()) {
            newest.wait().await.map_err(ObjectError::Log)?;
        }
        Ok(value)
    }
}

/// One that waits for its turn.
struct Waits<'a>(&'a AtomicUsize);

impl<'a> Waits<'a> {
    fn begin(count: &'a AtomicUsize) -> Result<Self, DatabaseError> {
        let waits = Self(count);
        if count.fetch_add(1, Ordering::Relaxed) >= WAITING {
            return Err(DatabaseError::Busy);
        }
        Ok(waits)
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
