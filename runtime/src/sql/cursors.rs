//! Statements that scripts read as they go on, a row at a time.
//!
//! What runs before the last statement of a text runs at once, and that one as far as its
//! first row; it goes on when the script asks for the next. So a script pays for what it
//! reads, in rows and in memory, and sees what SQLite has of a table that changes
//! meanwhile. A statement that writes is read to its end at once: SQLite would commit no
//! transaction with one that is not.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use rusqlite::Connection;
use rusqlite::types::Value;

use super::ahead::Ahead;
use super::kept::Kept;
use super::rows::{Count, RowValues, Rows};
use super::statement::{Detached, Statement, Use};
use super::{NO_STATEMENT, Touched, VALUES_OF_LAST, error_text, refused};

/// Statements that may be in the middle of their rows; past that, the one that was read
/// longest ago is read to its end, into memory. A script that leaves its cursors unread
/// has them until they are collected.
const MOST_READING: usize = 64;

/// Bytes of rows that were read so; past that, the cursor is closed.
const MOST_AHEAD: usize = 16 << 20;

/// How a text began.
pub(crate) struct Begun {
    /// What the last statement has touched so far, as Workers count; whether any may
    /// change the database.
    pub(crate) touched: Touched,
    /// What more rows are asked for by; None where there are none.
    pub(crate) number: Option<u64>,
    /// Its statement ran before.
    pub(crate) reused: bool,
}

/// How far a cursor is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    Row,
    End,
}

/// What runs before each statement that writes.
pub(crate) type BeforeWrite<'a> = &'a dyn Fn(&Connection) -> rusqlite::Result<()>;

/// Cursors that their scripts have lost.
pub(crate) type Lost = Rc<RefCell<Vec<u64>>>;

/// The cursors of a database, and the statements that wait to run again. They are to be
/// closed before the connection is ([`Cursors::close`]).
#[derive(Default)]
pub(crate) struct Cursors {
    open: HashMap<u64, Cursor>,
    /// Those in the middle of their rows, by when they were last read.
    reading: BTreeMap<u64, u64>,
    /// Counts cursors, and their uses.
    last: u64,
    kept: Kept,
    lost: Lost,
    /// Bytes of rows that were read ahead.
    ahead: usize,
}

enum Cursor {
    Reading(Reading),
    Ahead(Ahead),
    /// It has this error instead of rows.
    Closed(String),
}

/// A statement in the middle of its rows.
struct Reading {
    statement: Detached,
    /// What it is kept by when it is done, where it is.
    sql: Option<Rc<str>>,
    used: u64,
}

impl Cursors {
    /// Where to tell of cursors that are lost. They are closed when others are used.
    pub(crate) fn lost(&self) -> Lost {
        self.lost.clone()
    }

    /// Runs all statements of `sql`, the last one, with the values, as far as its first
    /// row.
    pub(crate) fn begin(
        &mut self,
        connection: &Connection,
        sql: &str,
        values: &[Value],
        before_write: BeforeWrite<'_>,
        rows: &mut impl Rows,
    ) -> rusqlite::Result<Begun> {
        self.sweep(connection);
        let mut changes = false;
        let (kept_by, mut statement, reused) = match self.kept.take(connection, sql) {
            Some((sql, statement)) => (Some(sql), statement, true),
            None => {
                let (statement, is_only) =
                    run_up_to_last(connection, sql, before_write, &mut changes)?;
                (is_only.then(|| sql.into()), statement, false)
            }
        };
        statement.bind(values)?;
        let is_readonly = statement.is_readonly();
        if !is_readonly {
            before_write(connection)?;
        }
        // Compiling it may have read the schema, which nobody asked for.
        let before = Count::of(connection);
        let mut more = statement.step()?;
        rows.begin(&statement.columns())?;
        while more {
            statement.give(rows)?;
            if is_readonly {
                break;
            }
            more = statement.step()?;
        }
        let mut touched = before.touched(connection);
        touched.changes = changes || !is_readonly;
        let number = if more {
            Some(self.hold(connection, kept_by, statement))
        } else {
            self.done(kept_by, statement);
            None
        };
        Ok(Begun {
            touched,
            number,
            reused,
        })
    }

    /// Reads on. Answers whether there may be more rows; `touched` grows by what it cost.
    pub(crate) fn read(
        &mut self,
        connection: &Connection,
        number: u64,
        reach: Reach,
        touched: &mut Touched,
        rows: &mut impl Rows,
    ) -> rusqlite::Result<bool> {
        match self.open.remove(&number) {
            None => Ok(false),
            Some(Cursor::Closed(error)) => Err(refused(&error)),
            Some(Cursor::Ahead(mut ahead)) => {
                touched.add(std::mem::take(&mut ahead.touched));
                self.ahead -= ahead.bytes();
                while let Some(row) = ahead.next() {
                    rows.row(&RowValues::kept(&row))?;
                    if reach == Reach::Row {
                        self.ahead += ahead.bytes();
                        self.open.insert(number, Cursor::Ahead(ahead));
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Some(Cursor::Reading(mut reading)) => {
                self.reading.remove(&reading.used);
                let mut statement = reading.statement.attach(connection);
                let before = Count::of(connection);
                loop {
                    let more = statement.step();
                    if !matches!(more, Ok(true)) || reach == Reach::Row {
                        touched.add(before.touched(connection));
                    }
                    if !more? {
                        self.done(reading.sql, statement);
                        return Ok(false);
                    }
                    statement.give(rows)?;
                    if reach == Reach::Row {
                        break;
                    }
                }
                reading.statement = statement.detach();
                reading.used = self.tick();
                self.reading.insert(reading.used, number);
                self.open.insert(number, Cursor::Reading(reading));
                Ok(true)
            }
        }
    }

    /// Closes one, whatever it has left.
    pub(crate) fn end(&mut self, connection: &Connection, number: u64) {
        match self.open.remove(&number) {
            Some(Cursor::Reading(reading)) => {
                self.reading.remove(&reading.used);
                self.done(reading.sql, reading.statement.attach(connection));
            }
            Some(Cursor::Ahead(ahead)) => self.ahead -= ahead.bytes(),
            Some(Cursor::Closed(_)) | None => {}
        }
    }

    /// Closes those that are lost.
    pub(crate) fn sweep(&mut self, connection: &Connection) {
        let lost = std::mem::take(&mut *self.lost.borrow_mut());
        for number in lost {
            self.end(connection, number);
        }
    }

    /// Closes all; who reads one on is told why.
    pub(crate) fn cancel(&mut self, connection: &Connection, why: &str) {
        self.sweep(connection);
        let numbers: Vec<u64> = self.open.keys().copied().collect();
        for number in numbers {
            self.end(connection, number);
            self.open.insert(number, Cursor::Closed(why.into()));
        }
    }

    /// Closes all, and the statements that wait: the connection may be closed.
    pub(crate) fn close(&mut self, connection: &Connection) {
        let numbers: Vec<u64> = self.open.keys().copied().collect();
        for number in numbers {
            self.end(connection, number);
        }
        self.kept.clear(connection);
    }

    fn hold(
        &mut self,
        connection: &Connection,
        sql: Option<Rc<str>>,
        statement: Statement<'_>,
    ) -> u64 {
        self.make_room(connection);
        let number = self.tick();
        let reading = Reading {
            statement: statement.detach(),
            sql,
            used: number,
        };
        self.reading.insert(number, number);
        self.open.insert(number, Cursor::Reading(reading));
        number
    }

    fn tick(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    fn done(&mut self, sql: Option<Rc<str>>, statement: Statement<'_>) {
        if let Some(sql) = sql {
            self.kept.keep(sql, statement);
        }
    }

    /// Reads the cursor that was read longest ago to its end, where too many are open.
    fn make_room(&mut self, connection: &Connection) {
        let oldest = self.reading.first_key_value().map(|(_, number)| *number);
        let (true, Some(number)) = (self.reading.len() >= MOST_READING, oldest) else {
            return;
        };
        let mut touched = Touched::default();
        let mut ahead = Ahead::new(MOST_AHEAD.saturating_sub(self.ahead));
        let read = self.read(connection, number, Reach::End, &mut touched, &mut ahead);
        let cursor = match read {
            Ok(_) => {
                self.ahead += ahead.bytes();
                ahead.touched = touched;
                Cursor::Ahead(ahead)
            }
            Err(error) => Cursor::Closed(error_text(&error)),
        };
        self.open.insert(number, cursor);
    }
}

/// Runs all statements of `sql` but the last one, which it gives, and whether it is the
/// only one.
fn run_up_to_last<'c>(
    connection: &'c Connection,
    sql: &str,
    before_write: BeforeWrite<'_>,
    changes: &mut bool,
) -> rusqlite::Result<(Statement<'c>, bool)> {
    let mut rest = sql;
    let mut expected = Use::Again;
    loop {
        let compiled = Statement::compile(connection, rest, expected)?;
        let Some((mut statement, length)) = compiled else {
            return Err(no_statement());
        };
        // More than SQLite's own.
        let space = [' ', '\t', '\n', '\r', '\x0b', '\x0c'];
        rest = rest.get(length..).unwrap_or_default();
        rest = rest.trim_start_matches(space);
        if rest.is_empty() {
            return Ok((statement, expected == Use::Again));
        }
        expected = Use::Once;
        if statement.parameters() > 0 {
            return Err(refused(VALUES_OF_LAST));
        }
        if !statement.is_readonly() {
            *changes = true;
            before_write(connection)?;
        }
        statement.step()?;
    }
}

fn no_statement() -> rusqlite::Error {
    refused(NO_STATEMENT)
}

/// Runs all statements of `sql`, each as far as its first row.
pub(crate) fn ingest(
    connection: &Connection,
    sql: &str,
    before_write: BeforeWrite<'_>,
) -> rusqlite::Result<Touched> {
    let mut touched = Touched::default();
    let mut rest = sql;
    while !rest.is_empty() {
        let compiled = Statement::compile(connection, rest, Use::Once)?;
        let (mut statement, length) = compiled.ok_or_else(no_statement)?;
        statement.bind(&[])?;
        if !statement.is_readonly() {
            touched.changes = true;
            before_write(connection)?;
        }
        let before = Count::of(connection);
        statement.step()?;
        touched.add(before.touched(connection));
        rest = rest.get(length..).unwrap_or_default();
    }
    Ok(touched)
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;
    use rusqlite::types::Value;

    use super::{Cursors, MOST_READING, Reach, RowValues, Rows};
    use crate::sql::Touched;
    use crate::sql::ahead::owned;

    /// The first column of rows, and the names of all.
    #[derive(Default)]
    struct Taken(Vec<Value>, String);

    impl Rows for Taken {
        fn begin(&mut self, names: &[&str]) -> rusqlite::Result<()> {
            self.1 = names.join(" ");
            Ok(())
        }

        fn row(&mut self, row: &RowValues<'_>) -> rusqlite::Result<()> {
            self.0.push(owned(row.get(0)));
            Ok(())
        }
    }

    fn database() -> Connection {
        let connection = Connection::open_in_memory().expect("a database");
        let numbers = "CREATE TABLE numbers (n); INSERT INTO numbers VALUES (1), (2), (3)";
        connection.execute_batch(numbers).expect("a table");
        connection
    }

    /// No transaction is begun.
    const NONE: &dyn Fn(&Connection) -> rusqlite::Result<()> = &|_| Ok(());

    const ALL: &str = "SELECT n FROM numbers";

    fn begin(cursors: &mut Cursors, connection: &Connection, sql: &str) -> (u64, bool) {
        let begun = cursors.begin(connection, sql, &[], NONE, &mut Taken::default());
        let begun = begun.expect("it runs");
        (begun.number.expect("it has more"), begun.reused)
    }

    fn rest(cursors: &mut Cursors, connection: &Connection, number: u64) -> (usize, Touched) {
        let (mut taken, mut touched) = (Taken::default(), Touched::default());
        let more = cursors.read(connection, number, Reach::End, &mut touched, &mut taken);
        assert!(!more.expect("it reads"));
        (taken.0.len(), touched)
    }

    #[test]
    fn rows_cost_what_was_read() {
        let connection = database();
        let mut cursors = Cursors::default();
        let mut taken = Taken::default();
        let begun = cursors
            .begin(
                &connection,
                "SELECT 1; SELECT n FROM numbers",
                &[],
                NONE,
                &mut taken,
            )
            .expect("it runs");
        assert_eq!((taken.0.len(), taken.1.as_str()), (1, "n"));
        assert_eq!((begun.touched.read, begun.touched.changes), (1, false));
        let number = begun.number.expect("it has more");
        let mut touched = begun.touched;
        let mut read = |reach| {
            cursors
                .read(&connection, number, reach, &mut touched, &mut taken)
                .map(|more| (more, touched.read))
        };
        assert_eq!(read(Reach::Row), Ok((true, 2)));
        assert_eq!(read(Reach::End), Ok((false, 3)));
        assert_eq!(read(Reach::Row), Ok((false, 3)));
        cursors.close(&connection);
        connection
            .close()
            .expect("nothing is left of the statements");
    }

    #[test]
    fn what_writes_is_read_to_its_end() {
        let connection = database();
        let mut cursors = Cursors::default();
        let mut taken = Taken::default();
        let sql = "INSERT INTO numbers VALUES (4), (5) RETURNING n";
        let begun = cursors
            .begin(&connection, sql, &[], NONE, &mut taken)
            .expect("it runs");
        assert_eq!((taken.0.len(), begun.number), (2, None));
        assert_eq!((begun.touched.written, begun.touched.changes), (2, true));
        cursors.close(&connection);
    }

    #[test]
    fn a_statement_runs_again_once_its_cursor_is_done_or_lost() {
        let connection = database();
        let mut cursors = Cursors::default();
        let (first, reused) = begin(&mut cursors, &connection, ALL);
        assert!(!reused);
        let (beside, reused) = begin(&mut cursors, &connection, ALL);
        assert!(!reused);
        assert_eq!(rest(&mut cursors, &connection, first).0, 2);
        let (_, reused) = begin(&mut cursors, &connection, ALL);
        assert!(reused);
        cursors.lost().borrow_mut().push(beside);
        assert!(begin(&mut cursors, &connection, ALL).1);
        connection
            .execute_batch("ALTER TABLE numbers ADD COLUMN m")
            .expect("a column");
        let mut taken = Taken::default();
        let begun = cursors.begin(&connection, "SELECT * FROM numbers", &[], NONE, &mut taken);
        begun.expect("it runs");
        assert_eq!(taken.1, "n m");
        cursors.close(&connection);
    }

    #[test]
    fn the_one_read_longest_ago_makes_room_and_keeps_its_rows() {
        let connection = database();
        let mut cursors = Cursors::default();
        let numbers: Vec<u64> = (0..=MOST_READING)
            .map(|_| begin(&mut cursors, &connection, ALL).0)
            .collect();
        connection
            .execute_batch("DELETE FROM numbers")
            .expect("no rows");
        let (kept, touched) = rest(&mut cursors, &connection, numbers[0]);
        assert_eq!((kept, touched.read), (2, 2));
        assert_eq!(rest(&mut cursors, &connection, numbers[1]).0, 0);
        cursors.close(&connection);
    }

    #[test]
    fn who_reads_on_is_told_why_it_was_closed() {
        let connection = database();
        let mut cursors = Cursors::default();
        let (number, _) = begin(&mut cursors, &connection, ALL);
        cursors.cancel(&connection, "gone");
        connection
            .execute_batch("DROP TABLE numbers")
            .expect("nothing reads it");
        let (mut touched, mut taken) = (Touched::default(), Taken::default());
        let mut read = || cursors.read(&connection, number, Reach::Row, &mut touched, &mut taken);
        assert_eq!(read().expect_err("closed").to_string(), "gone");
        assert_eq!(read(), Ok(false));
        cursors.close(&connection);
    }

    #[test]
    fn values_come_as_they_went() {
        let connection = database();
        let mut cursors = Cursors::default();
        let values = [
            Value::Null,
            Value::Integer(i64::MIN),
            Value::Real(0.5),
            Value::Text("\u{1f525}\0".into()),
            Value::Text(String::new()),
            Value::Blob(vec![0, 255]),
            Value::Blob(Vec::new()),
        ];
        for value in values {
            let mut taken = Taken::default();
            let given = std::slice::from_ref(&value);
            let begun = cursors.begin(&connection, "SELECT ?", given, NONE, &mut taken);
            let number = begun.expect("it runs").number.expect("it may have more");
            assert_eq!(taken.0, [value]);
            assert_eq!(rest(&mut cursors, &connection, number).0, 0);
        }
        cursors.close(&connection);
    }
}
