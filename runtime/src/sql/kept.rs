//! Statements that have run, for the next time.

use std::collections::HashMap;
use std::rc::Rc;

use rusqlite::Connection;

use super::statement::{Detached, Statement};

/// Bytes of SQLite's memory that an object's statements may have while they wait to run
/// again: some hundreds of usual ones.
const MOST_MEMORY: usize = 1 << 20;

/// Statements by their text; one that runs is not among them.
#[derive(Default)]
pub(super) struct Kept {
    statements: HashMap<Rc<str>, Waiting>,
    memory: usize,
    /// Counts uses, to tell which was used longest ago.
    uses: u64,
}

struct Waiting {
    statement: Detached,
    memory: usize,
    used: u64,
}

impl Kept {
    pub(super) fn take<'c>(
        &mut self,
        connection: &'c Connection,
        sql: &str,
    ) -> Option<(Rc<str>, Statement<'c>)> {
        let (sql, waiting) = self.statements.remove_entry(sql)?;
        self.memory -= waiting.memory;
        Some((sql, waiting.statement.attach(connection)))
    }

    /// Keeps one that has run.
    pub(super) fn keep(&mut self, sql: Rc<str>, mut statement: Statement<'_>) {
        let connection = statement.connection();
        statement.reset();
        let memory = statement.memory() + sql.len();
        // One that ran beside it was faster; one of this size has no room.
        if memory > MOST_MEMORY || self.statements.contains_key(&sql) {
            return;
        }
        self.uses += 1;
        let waiting = Waiting {
            statement: statement.detach(),
            memory,
            used: self.uses,
        };
        self.memory += memory;
        self.statements.insert(sql, waiting);
        while self.memory > MOST_MEMORY {
            let oldest = self.statements.iter().min_by_key(|(_, it)| it.used);
            let Some(oldest) = oldest.map(|(sql, _)| sql.clone()) else {
                return;
            };
            drop(self.take(connection, &oldest));
        }
    }

    pub(super) fn clear(&mut self, connection: &Connection) {
        for (_, waiting) in self.statements.drain() {
            drop(waiting.statement.attach(connection));
        }
        self.memory = 0;
    }
}
