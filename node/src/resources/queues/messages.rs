//! The tables of a queue, and what is done to them in one transaction.
//!
//! A message that is being delivered is leased; a node that starts takes all leases
//! back, so what was not settled is delivered again.

use outboard_runtime::QueueFormat;
use rusqlite::{Connection, Row};

use crate::resources::database::Schema;

pub(super) const SCHEMA: Schema = Schema {
    version: 1,
    // Times are milliseconds since 1970; `visible` is when it is to be delivered, at
    // the earliest. `totals` is one row, of all messages.
    tables: "
        CREATE TABLE messages (
          id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, sent INTEGER NOT NULL,
          visible INTEGER NOT NULL, attempts INTEGER NOT NULL, leased INTEGER NOT NULL,
          format TEXT NOT NULL, body BLOB NOT NULL
        );
        CREATE INDEX waiting ON messages (visible, id) WHERE leased = 0;
        CREATE INDEX leases ON messages (id) WHERE leased = 1;
        CREATE TABLE totals (count INTEGER NOT NULL, bytes INTEGER NOT NULL);
        INSERT INTO totals VALUES (0, 0);
        CREATE TRIGGER added AFTER INSERT ON messages BEGIN
          UPDATE totals SET count = count + 1, bytes = bytes + length(new.body);
        END;
        CREATE TRIGGER removed AFTER DELETE ON messages BEGIN
          UPDATE totals SET count = count - 1, bytes = bytes - length(old.body);
        END;",
};

/// The longest that a message waits, in milliseconds.
pub(super) const MOST_DELAY: i64 = 86_400_000;

/// Messages that one transaction drops for their age.
const EXPIRED: u32 = 500;

/// A message to add.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct New {
    /// Which the consumer sees as its id.
    pub(super) name: String,
    pub(super) sent: i64,
    pub(super) visible: i64,
    pub(super) format: QueueFormat,
    pub(super) body: Vec<u8>,
}

/// A message that is being delivered.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Leased {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) sent: i64,
    /// This delivery is one of them.
    pub(super) attempts: u16,
    pub(super) format: QueueFormat,
    pub(super) body: Vec<u8>,
}

/// What waits in a queue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Backlog {
    pub(super) count: i64,
    pub(super) bytes: i64,
    pub(super) oldest: Option<i64>,
}

/// What can be delivered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Outlook {
    /// Messages that can be now, counted as far as was asked.
    pub(super) ready: u32,
    /// When the first of all can be, or could.
    pub(super) first: Option<i64>,
}

/// What becomes of a message that was delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Done,
    /// To be delivered again, at this time.
    Again(i64),
    /// The same, as if it had not been.
    Undone(i64),
}

/// Takes leases back that nobody holds any more.
pub(super) fn release_all(connection: &Connection) -> rusqlite::Result<()> {
    let held = "SELECT EXISTS (SELECT 1 FROM messages WHERE leased = 1)";
    if connection.query_row(held, (), |row| row.get(0))? {
        connection.execute("UPDATE messages SET leased = 0 WHERE leased = 1", ())?;
    }
    Ok(())
}

pub(super) fn backlog(connection: &Connection) -> rusqlite::Result<Backlog> {
    connection
        .prepare_cached(
            "SELECT count, bytes, (SELECT sent FROM messages ORDER BY id LIMIT 1) FROM totals",
        )?
        .query_row((), |row| {
            Ok(Backlog {
                count: row.get(0)?,
                bytes: row.get(1)?,
                oldest: row.get(2)?,
            })
        })
}

/// Adds messages, unless the queue has `most` bytes; one that is there already is not
/// added again. Answers what waits then, or None.
pub(super) fn add(
    connection: &Connection,
    messages: &[New],
    most: i64,
) -> rusqlite::Result<Option<Backlog>> {
    if backlog(connection)?.bytes >= most {
        return Ok(None);
    }
    let transaction = connection.unchecked_transaction()?;
    let mut insert = connection.prepare_cached(
        "INSERT OR IGNORE INTO messages (name, sent, visible, attempts, leased, format, body)
         VALUES (?, ?, ?, 0, 0, ?, ?)",
    )?;
    for message in messages {
        insert.execute((
            &message.name,
            message.sent,
            message.visible,
            format_name(message.format),
            &message.body,
        ))?;
    }
    let backlog = backlog(connection)?;
    transaction.commit()?;
    Ok(Some(backlog))
}

/// Counts at most `most` that are ready.
pub(super) fn outlook(connection: &Connection, now: i64, most: u32) -> rusqlite::Result<Outlook> {
    connection
        .prepare_cached(
            "SELECT (SELECT count(*) FROM (
                       SELECT 1 FROM messages WHERE leased = 0 AND visible <= ? LIMIT ?)),
                    (SELECT min(visible) FROM messages WHERE leased = 0)",
        )?
        .query_row((now, most), |row| {
            Ok(Outlook {
                ready: row.get(0)?,
                first: row.get(1)?,
            })
        })
}

/// Leases what has waited longest: up to `most` messages, and of more than one no more
/// than `bytes`.
pub(super) fn lease(
    connection: &Connection,
    now: i64,
    most: u32,
    bytes: usize,
) -> rusqlite::Result<Vec<Leased>> {
    let mut statement = connection.prepare_cached(
        "SELECT id, name, sent, attempts + 1, format, body FROM messages
         WHERE leased = 0 AND visible <= ? ORDER BY visible, id LIMIT ?",
    )?;
    let mut rows = statement.query((now, most))?;
    let mut leased: Vec<Leased> = Vec::new();
    let mut size = 0;
    while let Some(row) = rows.next()? {
        let message = read(row)?;
        size += message.body.len();
        if size > bytes && !leased.is_empty() {
            break;
        }
        leased.push(message);
    }
    drop(rows);
    if leased.is_empty() {
        return Ok(leased);
    }
    let transaction = connection.unchecked_transaction()?;
    let mut update = connection
        .prepare_cached("UPDATE messages SET leased = 1, attempts = attempts + 1 WHERE id = ?")?;
    for message in &leased {
        update.execute([message.id])?;
    }
    transaction.commit()?;
    Ok(leased)
}

/// Ends leases.
pub(super) fn settle(connection: &Connection, fates: &[(i64, Fate)]) -> rusqlite::Result<()> {
    let transaction = connection.unchecked_transaction()?;
    for (id, fate) in fates {
        match fate {
            Fate::Done => connection
                .prepare_cached("DELETE FROM messages WHERE id = ?")?
                .execute([id])?,
            Fate::Again(at) => connection
                .prepare_cached("UPDATE messages SET leased = 0, visible = ?2 WHERE id = ?1")?
                .execute((id, at))?,
            Fate::Undone(at) => connection
                .prepare_cached(
                    "UPDATE messages SET leased = 0, visible = ?2, attempts = attempts - 1
                     WHERE id = ?1",
                )?
                .execute((id, at))?,
        };
    }
    transaction.commit()
}

/// Has messages be delivered that wait for longer than any may: by a clock that was wrong.
pub(super) fn hurry(connection: &Connection, now: i64) -> rusqlite::Result<usize> {
    connection
        .prepare_cached("UPDATE messages SET visible = ?1 WHERE leased = 0 AND visible > ?2")?
        .execute((now, now.saturating_add(MOST_DELAY)))
}

/// Drops some of what was sent before a time; answers how many.
pub(super) fn expire(connection: &Connection, before: i64) -> rusqlite::Result<usize> {
    let oldest = backlog(connection)?.oldest;
    if oldest.is_none_or(|oldest| oldest >= before) {
        return Ok(0);
    }
    // They are in the order that they were sent in.
    connection
        .prepare_cached(
            "DELETE FROM messages WHERE id IN (
               SELECT id FROM messages WHERE leased = 0 AND sent < ? ORDER BY id LIMIT ?)",
        )?
        .execute((before, EXPIRED))
}

fn read(row: &Row<'_>) -> rusqlite::Result<Leased> {
    let format: String = row.get(4)?;
    Ok(Leased {
        id: row.get(0)?,
        name: row.get(1)?,
        sent: row.get(2)?,
        attempts: row.get(3)?,
        format: format_of(&format).unwrap_or(QueueFormat::Bytes),
        body: row.get(5)?,
    })
}

pub(super) fn format_name(format: QueueFormat) -> &'static str {
    match format {
        QueueFormat::Text => "text",
        QueueFormat::Bytes => "bytes",
        QueueFormat::Json => "json",
        QueueFormat::V8 => "v8",
    }
}

pub(super) fn format_of(name: &str) -> Option<QueueFormat> {
    match name {
        "text" => Some(QueueFormat::Text),
        "bytes" => Some(QueueFormat::Bytes),
        "json" => Some(QueueFormat::Json),
        "v8" => Some(QueueFormat::V8),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database() -> Connection {
        let connection = Connection::open_in_memory().expect("a database");
        connection.execute_batch(SCHEMA.tables).expect("tables");
        connection
    }

    fn message(name: &str, sent: i64, visible: i64) -> New {
        New {
            name: name.into(),
            sent,
            visible,
            format: QueueFormat::Text,
            body: vec![b'x'; 10],
        }
    }

    fn names(leased: &[Leased]) -> Vec<&str> {
        leased.iter().map(|message| message.name.as_str()).collect()
    }

    #[test]
    fn messages_come_in_order_each_to_one_until_they_are_settled() {
        let connection = database();
        let all = [
            message("a", 1, 1),
            message("later", 2, 50),
            message("b", 3, 3),
        ];
        let backlog_then = add(&connection, &all, 1_000).expect("added");
        let expected = Backlog {
            count: 3,
            bytes: 30,
            oldest: Some(1),
        };
        assert_eq!(backlog_then, Some(expected));
        // Sent again, it is there already.
        add(&connection, &[message("a", 1, 1)], 1_000).expect("added");
        assert_eq!(backlog(&connection).expect("a look").count, 3);
        let look = |now| outlook(&connection, now, 10).expect("a look");
        assert_eq!((look(0).ready, look(0).first), (0, Some(1)));
        assert_eq!(look(3).ready, 2);

        let first = lease(&connection, 3, 10, 1_000).expect("leased");
        assert_eq!(names(&first), ["a", "b"]);
        assert_eq!(first[0].attempts, 1);
        assert!(lease(&connection, 3, 10, 1_000).expect("leased").is_empty());
        let fates = [(first[0].id, Fate::Again(60)), (first[1].id, Fate::Done)];
        settle(&connection, &fates).expect("settled");
        assert_eq!(look(60).first, Some(50));
        let second = lease(&connection, 60, 10, 1_000).expect("leased");
        assert_eq!(names(&second), ["later", "a"]);
        assert_eq!(second[1].attempts, 2);
        settle(&connection, &[(second[1].id, Fate::Undone(60))]).expect("settled");

        // A node that was killed in between.
        release_all(&connection).expect("released");
        let third = lease(&connection, 60, 10, 1_000).expect("leased");
        assert_eq!(names(&third), ["later", "a"]);
        assert_eq!((third[0].attempts, third[1].attempts), (2, 2));
    }

    #[test]
    fn a_message_waits_for_a_day_at_most() {
        let connection = database();
        let times = [10 + MOST_DELAY, 11 + MOST_DELAY];
        let some = times.map(|at| message(&format!("{at}"), 1, at));
        add(&connection, &some, 1_000).expect("added");
        assert_eq!(hurry(&connection, 10).expect("done"), 1);
        let look = outlook(&connection, 10, 10).expect("a look");
        assert_eq!((look.ready, look.first), (1, Some(10)));
    }

    #[test]
    fn batches_and_backlogs_have_a_most_of_bytes() {
        let connection = database();
        let some: Vec<_> = (0..5).map(|n| message(&format!("{n}"), n, n)).collect();
        assert!(add(&connection, &some, 50).expect("added").is_some());
        assert_eq!(
            add(&connection, &[message("more", 9, 9)], 50).expect("full"),
            None
        );
        assert_eq!(lease(&connection, 9, 10, 25).expect("leased").len(), 2);
        assert_eq!(lease(&connection, 9, 10, 5).expect("leased").len(), 1);
        assert_eq!(lease(&connection, 9, 1, 1_000).expect("leased").len(), 1);
        assert_eq!(expire(&connection, 100).expect("expired"), 1);
        release_all(&connection).expect("released");
        assert_eq!(expire(&connection, 3).expect("expired"), 3);
        assert_eq!(backlog(&connection).expect("a look").bytes, 10);
    }
}
