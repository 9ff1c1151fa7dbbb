//! What the databases of an isolate have of SQLite's memory, together.

use std::cell::Cell;
use std::rc::Rc;

use crate::sql::Meter;

/// Bytes that each database may have in any case: pages that it has read, compiled
/// statements, its schema.
const EACH: u64 = 2 << 20;

/// Bytes beside those, of all: the largest transaction (64 MiB) has the pages as they were
/// before it in memory, and once more for each statement that may be undone alone.
const MOST: u64 = 256 << 20;

/// What the databases of an isolate share.
#[derive(Debug, Default)]
pub(crate) struct SqlMemory {
    used: Cell<u64>,
    databases: Cell<u64>,
}

/// A database's part.
#[derive(Debug)]
pub(super) struct Account {
    meter: Meter,
    /// Of what is used, as it was last counted.
    counted: Cell<u64>,
    shared: Rc<SqlMemory>,
}

/// Whose statements run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    Script,
    /// They are small, and some of them have to be done.
    Own,
}

impl Account {
    pub(super) fn open(shared: Rc<SqlMemory>) -> Self {
        shared.databases.set(shared.databases.get() + 1);
        Self {
            meter: Meter::default(),
            counted: Cell::new(0),
            shared,
        }
    }

    /// Does `work` with the database's connection.
    pub(super) fn run<T>(&self, whose: Whose, work: impl FnOnce() -> T) -> T {
        let most = (whose == Whose::Script).then(|| {
            let others = self.shared.used.get() - self.counted.get();
            let all = MOST + EACH * self.shared.databases.get();
            all.saturating_sub(others).max(EACH)
        });
        let done = self.meter.run(most, work);
        self.count(self.meter.used());
        done
    }

    fn count(&self, used: u64) {
        let others = self.shared.used.get() - self.counted.replace(used);
        self.shared.used.set(others + used);
    }
}

impl Drop for Account {
    /// The connection is closed, or will be, by whoever has it then.
    fn drop(&mut self) {
        self.count(0);
        self.shared.databases.set(self.shared.databases.get() - 1);
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    #[test]
    fn databases_share_what_is_left() {
        let shared = Rc::<SqlMemory>::default();
        let connection = Connection::open_in_memory().expect("a database");
        let other = Connection::open_in_memory().expect("a database");
        let (one, two) = (Account::open(shared.clone()), Account::open(shared.clone()));
        let numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)";
        let sql = format!("{numbers} SELECT randomblob(1000000) FROM n ORDER BY 1");
        let sort = |connection: &Connection, count: u32| {
            connection.query_row(&sql, (count,), |_| Ok(())).is_ok()
        };
        connection
            .execute_batch("PRAGMA temp_store = MEMORY")
            .expect("set");
        other
            .execute_batch("PRAGMA temp_store = MEMORY")
            .expect("set");
        let mut statement = one.run(Whose::Own, || {
            connection.prepare(&sql).expect("a statement")
        });
        let mut rows = one.run(Whose::Script, || {
            let mut rows = statement.query((150,)).expect("it runs");
            assert!(rows.next().expect("it sorts").is_some());
            rows
        });
        assert!(shared.used.get() > 140 << 20);
        assert!(!two.run(Whose::Script, || sort(&other, 150)));
        assert!(two.run(Whose::Script, || sort(&other, 50)));
        assert!(two.run(Whose::Own, || sort(&other, 300)));
        one.run(Whose::Own, || while let Ok(Some(_)) = rows.next() {});
        one.run(Whose::Own, || drop(rows));
        assert!(two.run(Whose::Script, || sort(&other, 150)));
        drop(one);
        assert!(shared.used.get() < 2 << 20);
        drop(two);
        assert_eq!((shared.used.get(), shared.databases.get()), (0, 0));
    }
}
