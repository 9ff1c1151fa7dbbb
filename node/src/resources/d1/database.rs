//! One database, open: transactions of queries, with what they give as JSON.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use outboard_runtime::sql::{self, Authority, LIMITS, Rows, Touched};
use outboard_storage::{Object, Receipt};
use parking_lot::Mutex;
use rusqlite::Row;
use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;

use super::{D1Error, Query};
use crate::objects::told;

/// Instructions of SQLite's between two looks at the clock.
const PROGRESS: i32 = 10_000;

/// Pages of a database: 10 GB, as D1 has it.
const MOST_PAGES: u64 = (10 << 30) / outboard_storage::PAGE_SIZE as u64;

/// A string, a blob or a row, as D1 has it.
const MOST_LENGTH: i32 = 2_000_000;

/// What rows look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// An object a row.
    Objects,
    /// The names of columns once, and a list a row.
    Columns,
}

impl Format {
    /// Of a request's query. `NONE` has the rows too, since `run()` gives them.
    pub(super) fn of(query: &str) -> Self {
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        let found = pairs.find(|(name, _)| name == "resultsFormat");
        match found {
            Some((_, format)) if format == "ROWS_AND_COLUMNS" => Self::Columns,
            _ => Self::Objects,
        }
    }
}

/// When a transaction has to be over.
#[derive(Debug, Clone)]
pub(crate) struct Deadline {
    pub(crate) at: Option<Instant>,
    /// Nobody waits for it any more.
    pub(crate) abandoned: Arc<AtomicBool>,
}

impl Deadline {
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
    /// The newest commit's place in the log; 0 where there was none yet.
    pub(crate) seq: u64,
}

pub(crate) struct Database {
    object: Object,
    authority: Arc<Authority>,
    /// Of the transaction that runs; its statements are interrupted then.
    deadline: Arc<Mutex<Option<Deadline>>>,
    /// Bytes that a transaction's results may have.
    most_results: usize,
}

impl Database {
    pub(crate) fn open(mut object: Object, most_results: usize) -> Result<Self, D1Error> {
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
                deadline,
                most_results,
            }),
            Err(error) => Err(D1Error::Storage(error.to_string())),
        }
    }

    /// Runs queries as one transaction: all of them, or none.
    pub(crate) fn run(
        &self,
        queries: &[Query],
        format: Format,
        deadline: &Deadline,
    ) -> Result<Results, D1Error> {
        let mut json = vec![b'['];
        self.own("BEGIN")?;
        *self.deadline.lock() = Some(deadline.clone());
        let done = self.queries(queries, format, &mut json);
        *self.deadline.lock() = None;
        if let Err(error) = done.and_then(|()| self.own("COMMIT")) {
            // Some errors have rolled back already.
            if !self.object.connection().is_autocommit() {
                self.own("ROLLBACK")?;
            }
            return Err(match deadline.is_over() {
                true => D1Error::TooSlow,
                false => error,
            });
        }
        json.push(b']');
        let newest = self.object.newest();
        Ok(Results {
            json,
            seq: newest.as_ref().map_or(0, |receipt| receipt.seq().0),
            receipt: newest.filter(|receipt| !receipt.is_durable()),
        })
    }

    fn queries(
        &self,
        queries: &[Query],
        format: Format,
        json: &mut Vec<u8>,
    ) -> Result<(), D1Error> {
        let start = json.len();
        for query in queries.iter().filter(|query| !query.is_comment()) {
            if json.len() > start {
                json.push(b',');
            }
            self.query(query, format, json)?;
        }
        match json.len() > start {
            true => Ok(()),
            false => Err(D1Error::NoStatement),
        }
    }

    /// One query's result, as JSON behind what is there.
    fn query(&self, query: &Query, format: Format, json: &mut Vec<u8>) -> Result<(), D1Error> {
        let connection = self.object.connection();
        let began = Instant::now();
        let before = self.state()?;
        json.extend_from_slice(b"{\"success\":true,\"results\":");
        let mut rows = JsonRows::new(json, format, self.most_results);
        let ran = self
            .authority
            .script(|| sql::run(connection, &query.sql, &query.params, &mut rows));
        let is_full = rows.end();
        let touched = match ran {
            _ if is_full => return Err(D1Error::TooLarge),
            Err(_) if self.authority.refused_transaction() => {
                return Err(D1Error::Sql(sql::NO_TRANSACTION.into()));
            }
            Err(error) => return Err(self.fault(&error)),
            Ok(touched) => touched,
        };
        if self.authority.may_rename() && self.number(sql::COUNT_RESERVED)? > 0 {
            return Err(D1Error::Sql(sql::RESERVED_NAME.into()));
        }
        let after = self.state()?;
        json.extend_from_slice(b",\"meta\":");
        meta(json, began.elapsed(), &before, &after, touched);
        json.push(b'}');
        Ok(())
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
        let connection = self.object.connection();
        let read = || {
            connection
                .prepare_cached(sql)?
                .query_one((), |row| row.get(0))
        };
        self.authority
            .trusted(read)
            .map_err(|error| self.fault(&error))
    }

    /// Runs a statement of the node's own.
    fn own(&self, sql: &str) -> Result<(), D1Error> {
        let connection = self.object.connection();
        let run = || connection.prepare_cached(sql)?.execute(()).map(drop);
        self.authority
            .trusted(run)
            .map_err(|error| self.fault(&error))
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

/// Rows written as JSON while SQLite gives them.
struct JsonRows<'a> {
    json: &'a mut Vec<u8>,
    /// Where this query's begin.
    start: usize,
    format: Format,
    most: usize,
    is_full: bool,
    /// The names of columns, as JSON has them.
    columns: Vec<Vec<u8>>,
    is_first: bool,
}

impl<'a> JsonRows<'a> {
    fn new(json: &'a mut Vec<u8>, format: Format, most: usize) -> Self {
        let start = json.len();
        let mut rows = Self {
            json,
            start,
            format,
            most,
            is_full: false,
            columns: Vec::new(),
            is_first: true,
        };
        rows.head();
        rows
    }

    fn head(&mut self) {
        self.json.truncate(self.start);
        self.is_first = true;
        if self.format == Format::Objects {
            self.json.push(b'[');
            return;
        }
        self.json.extend_from_slice(b"{\"columns\":[");
        self.json.extend_from_slice(&self.columns.join(&b','));
        self.json.extend_from_slice(b"],\"rows\":[");
    }

    /// Answers whether there were too many.
    fn end(self) -> bool {
        let end: &[u8] = match self.format {
            Format::Objects => b"]",
            Format::Columns => b"]}",
        };
        self.json.extend_from_slice(end);
        self.is_full
    }
}

impl Rows for JsonRows<'_> {
    fn begin(&mut self, columns: &[&str]) -> rusqlite::Result<()> {
        self.columns.clear();
        for name in columns {
            let mut json = Vec::new();
            string(&mut json, name);
            self.columns.push(json);
        }
        self.head();
        Ok(())
    }

    fn row(&mut self, row: &Row<'_>) -> rusqlite::Result<()> {
        if !std::mem::take(&mut self.is_first) {
            self.json.push(b',');
        }
        let (open, close) = match self.format {
            Format::Objects => (b'{', b'}'),
            Format::Columns => (b'[', b']'),
        };
        self.json.push(open);
        for (index, name) in self.columns.iter().enumerate() {
            if index > 0 {
                self.json.push(b',');
            }
            // Of two columns of a name the last one is read, as of an object's members.
            if self.format == Format::Objects {
                self.json.extend_from_slice(name);
                self.json.push(b':');
            }
            value(self.json, row.get_ref(index)?);
        }
        self.json.push(close);
        if self.json.len() > self.most {
            self.is_full = true;
            let message = "the results are too large";
            return Err(rusqlite::Error::ToSqlConversionFailure(message.into()));
        }
        Ok(())
    }
}

fn value(json: &mut Vec<u8>, value: ValueRef<'_>) {
    match value {
        ValueRef::Null => json.extend_from_slice(b"null"),
        ValueRef::Integer(number) => json.extend_from_slice(number.to_string().as_bytes()),
        ValueRef::Real(number) if number.is_finite() => {
            json.extend_from_slice(serde_json::Value::from(number).to_string().as_bytes());
        }
        ValueRef::Real(_) => json.extend_from_slice(b"null"),
        ValueRef::Text(text) => string(json, &String::from_utf8_lossy(text)),
        ValueRef::Blob(bytes) => {
            json.push(b'[');
            for (index, byte) in bytes.iter().enumerate() {
                if index > 0 {
                    json.push(b',');
                }
                json.extend_from_slice(byte.to_string().as_bytes());
            }
            json.push(b']');
        }
    }
}

fn string(json: &mut Vec<u8>, text: &str) {
    // Writing to memory, and a string, cannot fail.
    let _ = serde_json::to_writer(json, text);
}
