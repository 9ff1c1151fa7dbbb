//! An object's alarm: one point in time, in a table of its database.

use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::OptionalExtension;

use super::database::{Confirmed, Database, DatabaseError};

/// Milliseconds since 1970.
pub(crate) type AlarmTime = i64;

pub(crate) fn now() -> AlarmTime {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
    AlarmTime::try_from(since_epoch.unwrap_or_default().as_millis()).unwrap_or(AlarmTime::MAX)
}

/// What is known of the alarm besides the table.
#[derive(Debug, Default)]
pub(super) struct Alarm {
    /// Whether the table is there, once that is known.
    pub(super) has_table: Option<bool>,
    /// The turn changed it, so the host is to hear of it.
    pub(super) changed: bool,
    /// The handler runs for it: to the script it is gone, and it is when the handler
    /// succeeds and set no other.
    running: Option<AlarmTime>,
}

impl Database {
    pub(super) fn has_alarm_table(&mut self) -> Result<bool, DatabaseError> {
        if let Some(known) = self.alarm.has_table {
            return Ok(known);
        }
        let found = self.has_table("_cf_ALARM")?;
        self.alarm.has_table = Some(found);
        Ok(found)
    }

    /// The alarm as the database has it.
    pub(super) fn stored_alarm(&mut self) -> Result<Option<AlarmTime>, DatabaseError> {
        if !self.has_alarm_table()? {
            return Ok(None);
        }
        self.trusted(|connection| {
            connection
                .prepare_cached("SELECT time FROM _cf_ALARM")?
                .query_one((), |row| row.get(0))
                .optional()
        })
    }

    /// The alarm as the script sees it.
    pub(crate) fn alarm(&mut self) -> Result<Option<AlarmTime>, DatabaseError> {
        match self.alarm.running {
            Some(_) => Ok(None),
            None => self.stored_alarm(),
        }
    }

    pub(crate) fn set_alarm(&mut self, time: Option<AlarmTime>) -> Result<(), DatabaseError> {
        self.alarm.running = None;
        self.begin()?;
        if !self.has_alarm_table()? {
            if time.is_none() {
                return Ok(());
            }
            self.own("CREATE TABLE _cf_ALARM (time INTEGER NOT NULL)")?;
            self.alarm.has_table = Some(true);
        }
        self.alarm.changed = true;
        self.own("DELETE FROM _cf_ALARM")?;
        let Some(time) = time else {
            return Ok(());
        };
        self.trusted(|connection| {
            connection
                .prepare_cached("INSERT INTO _cf_ALARM VALUES (?)")?
                .execute((time,))
                .map(drop)
        })
    }

    /// The alarm that is due, whose handler is to run now; or the one there is.
    pub(crate) fn begin_alarm(&mut self, now: AlarmTime) -> Result<Due, DatabaseError> {
        Ok(match self.stored_alarm()? {
            Some(time) if time <= now => {
                self.alarm.running = Some(time);
                Due::Now(time)
            }
            other => Due::Later(other),
        })
    }

    /// The handler ended; unless it is to be tried again the alarm it ran for is gone.
    pub(crate) fn end_alarm(&mut self, again: bool) -> Result<(), DatabaseError> {
        if self.alarm.running.is_none() {
            return Ok(());
        }
        self.alarm.running = None;
        self.write(Confirmed::Yes);
        if again { Ok(()) } else { self.set_alarm(None) }
    }
}

/// Whether an alarm's handler runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    Now(AlarmTime),
    /// It was changed meanwhile: to this time, or to none.
    Later(Option<AlarmTime>),
}
