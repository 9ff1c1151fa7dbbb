//! One database, open: transactions of queries, with what they give as JSON.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use outboard_runtime::sql::{self, Authority, LIMITS, Meter, Touched};
use outboard_storage::{Object, Receipt};
use parking_lot::Mutex;
use rusqlite::limits::Limit;
use rusqlite::{Connection, ErrorCode};

use super::rows::JsonRows;
use super::{D1Error, Format, Query, Script};
use crate::objects::told;

/// Instructions of SQLite's between two looks at the clock. One that has to do with a long
/// value looks too.
const PROGRESS: i32 = 1_000;

/// Bytes of SQLite's memory that a script's statements may have: the largest transaction
/// (64 MiB) has the pages as they were before it in memory, and once more for a statement
/// that may be undone alone.
const MOST_MEMORY: u64 = 256 << 20;

/// Pages of a database: 10 GB, as D1 has it.
const MOST_PAGES: u64 = (10 << 30) / outboard_storage::PAGE_SIZE as u64;

/// A string, a blob or a row, as D1 has it.
const MOST_LENGTH: i32 = 2_000_000;

/// When a transaction has to be over.
#[derive(Debug, Clone)]
pub(crate) struct Deadline {
    pub(crate) at: Option<Instant>,
    /// Nobody waits for it any more.
    pub(crate) abandoned: Arc<AtomicBool>,
}

impl Deadline {
    /// It may last as long as it does.
    pub(crate) fn none() -> Self {
        Self {
            at: None,
            abandoned: Arc::default(),
        }
    }

    fn is_over(&self) -> bool {
        self.abandoned.load(Ordering::Relaxed) || self.at.is_some_and(|at| Instant::now() >= at)
    }
}

/// What the queries of one transaction gave, and when it may be told.
pub(crate) struct Results {
    /// A list with an element a query.
    pub(crate) json: Vec<u8>,
    /// Durable when this is; None where it is already.
    pub(crate) receipt: Option<Receipt>,
    /// Of the state that it left.
    pub(crate) bookmark: String,
}

impl Results {
    /// Of no query.
    pub(super) fn nothing() -> Self {
        Self {
            json: Vec::new(),
            receipt: None,
            bookmark: String::new(),
        }
    }
}

pub(crate) struct Database {
    object: Object,
    authority: Arc<Authority>,
    meter: Meter,
    /// Of the transaction that runs; its statements are interrupted then.
    deadline: Arc<Mutex<Option<Deadline>>>,
    /// Bytes that a transaction's results may have.
    most_results: usize,
}

impl Database {
    /// Opens the one that `object` gives.
    pub(crate) fn open<E: From<D1Error>>(
        most_results: usize,
        object: impl FnOnce() -> Result<Object, E>,
    ) -> Result<Self, E> {
        let meter = Meter::default();
        // Its schema is the scripts', and stays in memory.
        let mut object = meter.run(None, object)?;
        let authority = Arc::<Authority>::default();
        let deadline = Arc::<Mutex<Option<Deadline>>>::default();
        let connection = object.connection_mut();
        let mut set = || -> rusqlite::Result<()> {
            let pages = format!("PRAGMA max_page_count = {MOST_PAGES}");
            connection.query_one(&pages, (), |_| Ok(()))?;
            for (limit, most) in LIMITS {
                connection.set_limit(*limit, *most)?;
            }
            connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, MOST_LENGTH)?;
            let watched = deadline.clone();
            let is_over = move || watched.lock().as_ref().is_some_and(Deadline::is_over);
            connection.progress_handler(PROGRESS, Some(is_over))?;
            connection.authorizer(Some(authority.hook()))
        };
        match set() {
            Ok(()) => Ok(Self {
                object,
                authority,
                meter,
                deadline,
                most_results,
            }),
            Err(error) => Err(D1Error::Storage(error.to_string()).into()),
        }
    }

    /// Runs queries as one transaction: all of them, or none.
    pub(crate) fn run(
        &self,
        queries: &[Query],
        format: Format,
        deadline: &Deadline,
    ) -> Result<Results, D1Error> {
        self.until(deadline, |json| {
            let start = json.len();
            for query in queries.iter().filter(|query| !query.is_comment()) {
                let (sql, values) = (&query.sql, &query.params);
                self.result(json, format, |connection, rows| {
                    sql::run(connection, sql, values, rows).map(Some)
                })?;
            }
            match json.len() > start {
                true => Ok(()),
                false => Err(D1Error::NoStatement),
            }
        })
    }

    /// Runs the statements of a script as one transaction; each has a result. They may be
    /// as long as SQLite has them.
    pub(crate) fn run_script(
        &self,
        script: &Script,
        format: Format,
        deadline: &Deadline,
    ) -> Result<Results, D1Error> {
        let limit = |length| {
            let connection = self.object.connection();
            let set = connection.set_limit(Limit::SQLITE_LIMIT_SQL_LENGTH, length);
            set.map_err(|error| self.fault(&error))
        };
        let before = limit(i32::MAX)?;
        let done = self.until(deadline, |json| {
            for part in &script.0 {
                let mut part = sql::Script::new(self.object.connection(), part);
                while self.result(json, format, |_, rows| part.run_next(rows))? {}
            }
            Ok(())
        });
        limit(before)?;
        done
    }

    /// A transaction that is interrupted and undone when it has to be over.
    fn until(
        &self,
        deadline: &Deadline,
        work: impl FnOnce(&mut Vec<u8>) -> Result<(), D1Error>,
    ) -> Result<Results, D1Error> {
        *self.deadline.lock() = Some(deadline.clone());
        let done = self.transaction(work);
        *self.deadline.lock() = None;
        done.map_err(|error| match deadline.is_over() {
            true => D1Error::TooSlow,
            false => error,
        })
    }

    /// What is done inside is all done, or not at all; it writes results.
    fn transaction(
        &self,
        work: impl FnOnce(&mut Vec<u8>) -> Result<(), D1Error>,
    ) -> Result<Results, D1Error> {
        let mut json = vec![b'['];
        self.own("BEGIN")?;
        if let Err(error) = work(&mut json).and_then(|()| self.own("COMMIT")) {
            // Some errors have rolled back already.
            if !self.object.connection().is_autocommit() {
                self.own("ROLLBACK")?;
            }
            return Err(error);
        }
        json.push(b']');
        let newest = self.object.newest();
        Ok(Results {
            json,
            bookmark: self.object.past().now().text(self.object.key()),
            receipt: newest.filter(|receipt| !receipt.is_durable()),
        })
    }

    /// Writes the result of a query behind those that are there. Answers whether
    /// there was one.
    fn result(
        &self,
        json: &mut Vec<u8>,
        format: Format,
        query: impl FnOnce(&Connection, &mut JsonRows<'_>) -> rusqlite::Result<Option<Touched>>,
    ) -> Result<bool, D1Error> {
        let connection = self.object.connection();
        let start = json.len();
        let began = Instant::now();
        let before = self.state()?;
        if json.last() == Some(&b'}') {
            json.push(b',');
        }
        json.extend_from_slice(b"{\"success\":true,\"results\":");
        let mut rows = JsonRows::new(json, format, self.most_results);
        let run = || query(connection, &mut rows);
        let ran = self
            .authority
            .script(|| self.meter.run(Some(MOST_MEMORY), run));
        let is_full = rows.end();
        let touched = match ran {
            _ if is_full => return Err(D1Error::TooLarge),
            Err(_) if self.authority.refused_transaction() => {
                return Err(D1Error::Sql(sql::NO_TRANSACTION.into()));
            }
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::OutOfMemory) => {
                return Err(D1Error::TooLarge);
            }
            Err(error) => return Err(self.fault(&error)),
            Ok(Some(touched)) => touched,
            Ok(None) => {
                json.truncate(start);
                return Ok(false);
            }
        };
        let after = self.state()?;
        json.extend_from_slice(b",\"meta\":");
        meta(json, began.elapsed(), &before, &after, touched);
        json.push(b'}');
        Ok(true)
    }

    /// Runs the node's own statements, which may do what scripts' may not.
    fn trusted<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, D1Error> {
        let connection = self.object.connection();
        let work = || work(connection);
        let done = self.authority.trusted(|| self.meter.run(None, work));
        done.map_err(|error| self.fault(&error))
    }

    fn state(&self) -> Result<State, D1Error> {
        let connection = self.object.connection();
        let pages = self.number("PRAGMA page_count")? - self.number("PRAGMA freelist_count")?;
        Ok(State {
            changes: connection.total_changes(),
            last_row_id: connection.last_insert_rowid(),
            size: pages * outboard_storage::PAGE_SIZE as i64,
            schema: self.number("PRAGMA schema_version")?,
        })
    }

    fn number(&self, sql: &str) -> Result<i64, D1Error> {
        self.trusted(|connection| {
            connection
                .prepare_cached(sql)?
                .query_one((), |row| row.get(0))
        })
    }

    /// Runs a statement of the node's own.
    fn own(&self, sql: &str) -> Result<(), D1Error> {
        self.trusted(|connection| connection.prepare_cached(sql)?.execute(()).map(drop))
    }

    fn fault(&self, error: &rusqlite::Error) -> D1Error {
        match self.object.fault(error) {
            Some(fault) => D1Error::Storage(told(fault).message),
            None => D1Error::Sql(sql::error_text(error)),
        }
    }
}

/// What a query's `meta` compares.
struct State {
    changes: u64,
    last_row_id: i64,
    size: i64,
    schema: i64,
}

fn meta(json: &mut Vec<u8>, took: Duration, before: &State, after: &State, touched: Touched) {
    let milliseconds = took.as_secs_f64() * 1000.0;
    let changes = after.changes - before.changes;
    let is_changed = changes != 0
        || after.last_row_id != before.last_row_id
        || after.size != before.size
        || after.schema != before.schema;
    let meta = serde_json::json!({
        "served_by": "outboard",
        "served_by_primary": true,
        "duration": milliseconds,
        "timings": { "sql_duration_ms": milliseconds },
        "changes": changes,
        "last_row_id": after.last_row_id,
        "changed_db": is_changed,
        "size_after": after.size,
        "rows_read": touched.read,
        "rows_written": touched.written,
        "total_attempts": 1,
    });
    json.extend_from_slice(meta.to_string().as_bytes());
}
