//! How much of SQLite's memory statements may have. What sorts, groups, or builds texts
//! grows with what it is given, and SQLite takes what it likes from the process.

use std::cell::UnsafeCell;

use rusqlite::ffi;

/// Counts what one connection has of SQLite's memory. Whatever is done with the connection
/// is done within [`Meter::run`], so that what was taken in one call and given back in
/// another is not counted for ever.
#[derive(Debug)]
pub struct Meter(Box<UnsafeCell<ffi::sqlite3_meter>>);

impl Default for Meter {
    fn default() -> Self {
        Self(Box::new(UnsafeCell::new(ffi::sqlite3_meter {
            nUsed: 0,
            nMost: ffi::sqlite3_int64::MAX,
        })))
    }
}

impl Meter {
    /// Bytes that its connection has.
    pub fn used(&self) -> u64 {
        // SAFETY: it is written by SQLite in calls of this thread, and none runs now: a
        // meter is not shared between threads.
        let used = unsafe { (*self.0.get()).nUsed };
        // What was there before anything was counted may have been given back.
        u64::try_from(used).unwrap_or(0)
    }

    /// Does `work` with the connection, which may have so many bytes; None: as many as it
    /// takes. Past that SQLite is out of memory, which is an error of the statement.
    pub fn run<T>(&self, most: Option<u64>, work: impl FnOnce() -> T) -> T {
        let _set = Set::begin(self, most);
        work()
    }
}

/// A meter that this thread's allocations count for, until it is dropped.
struct Set<'a> {
    meter: &'a Meter,
    most_before: ffi::sqlite3_int64,
    before: *mut ffi::sqlite3_meter,
}

impl<'a> Set<'a> {
    fn begin(meter: &'a Meter, most: Option<u64>) -> Self {
        let most = most.and_then(|most| ffi::sqlite3_int64::try_from(most).ok());
        // SAFETY: no call of SQLite's runs that would look at it, or one that called us and
        // looks at it again later; and it stays set for no longer than it is borrowed.
        unsafe {
            let raw = meter.0.get();
            let most_before = (*raw).nMost;
            (*raw).nMost = most.unwrap_or(ffi::sqlite3_int64::MAX);
            Self {
                meter,
                most_before,
                before: ffi::sqlite3_set_meter(raw),
            }
        }
    }
}

impl Drop for Set<'_> {
    fn drop(&mut self) {
        // SAFETY: the one before was set on this thread, by a call that has yet to end, or
        // is none.
        unsafe {
            ffi::sqlite3_set_meter(self.before);
            (*self.meter.0.get()).nMost = self.most_before;
        }
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::{Connection, ErrorCode};

    use super::Meter;

    const MIB: u64 = 1 << 20;

    /// Statements of one step each that would take hundreds of megabytes.
    const HOGS: &[&str] = &[
        "SELECT length(json_group_array(hex(zeroblob(1000000)))) FROM numbers",
        "SELECT count(DISTINCT randomblob(1000000)) FROM numbers",
        "SELECT length(concat(a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a)) \
         FROM (SELECT hex(zeroblob(2000000)) a)",
        "SELECT length(json_pretty('[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]', \
         hex(zeroblob(2000000))))",
        "SELECT n FROM numbers ORDER BY hex(randomblob(500000))",
    ];

    fn database() -> Connection {
        let connection = Connection::open_in_memory().expect("a database");
        let numbers = "PRAGMA temp_store = MEMORY; CREATE TABLE numbers (n);
             INSERT INTO numbers WITH RECURSIVE n(i) AS
               (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300) SELECT i FROM n";
        connection.execute_batch(numbers).expect("a table");
        connection
    }

    fn run(connection: &Connection, sql: &str) -> rusqlite::Result<i64> {
        connection.query_row(sql, (), |row| row.get(0))
    }

    #[test]
    fn what_takes_too_much_is_out_of_memory_and_gives_it_back() {
        let connection = database();
        let meter = Meter::default();
        let most = 32 * MIB;
        for hog in HOGS {
            let done = meter.run(Some(most), || run(&connection, hog));
            let code = done.expect_err(hog).sqlite_error_code();
            assert_eq!(code, Some(ErrorCode::OutOfMemory), "{hog}");
            assert!(meter.used() < MIB, "{hog}: {}", meter.used());
            let count = "SELECT count(*) FROM numbers";
            let done = meter.run(Some(most), || run(&connection, count));
            assert_eq!(done.expect("it goes on"), 300, "after {hog}");
        }
    }

    #[test]
    fn meters_nest_and_count_for_one_connection_each() {
        let (one, other) = (database(), database());
        let (outer, inner) = (Meter::default(), Meter::default());
        let hold = "SELECT n, hex(zeroblob(2000000)) FROM numbers ORDER BY 2, 1 LIMIT 3";
        outer.run(Some(64 * MIB), || {
            let mut statement = one.prepare(hold).expect("a statement");
            let mut rows = statement.query(()).expect("it runs");
            assert!(rows.next().expect("a row").is_some());
            let held = outer.used();
            assert!(held > 4 * MIB, "{held}");
            inner.run(None, || {
                assert_eq!(run(&other, "SELECT length(zeroblob(1000))"), Ok(1000));
            });
            assert!(inner.used() < MIB);
            assert_eq!(outer.used(), held);
            let refused = outer.run(Some(held + MIB), || run(&one, HOGS[0]));
            assert!(refused.is_err());
            // The most is what it was.
            assert_eq!(
                run(&one, "SELECT length(hex(zeroblob(4000000)))"),
                Ok(8_000_000)
            );
        });
        let before = outer.used();
        assert!(run(&one, HOGS[0]).is_ok());
        assert_eq!(outer.used(), before);
    }
}
