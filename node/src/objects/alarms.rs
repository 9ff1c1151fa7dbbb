//! When which object's alarm is due: an index over all objects of the node, in a
//! database of the same store.
//!
//! The truth is in each object's own database; the index says when to look. It is
//! written before the commit that sets an alarm, in the same log, so that after a
//! crash it may ring too early, and then finds out, but never too late.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use outboard_runtime::{AlarmOutcome, ObjectId, ObjectNamespace, ObjectTarget, StorageError};
use outboard_storage::{NamespaceId, Object, ObjectKey, Store};
use parking_lot::Mutex;
use rusqlite::{Connection, OptionalExtension, Row};
use tokio::sync::Notify;

use super::{Kept, NodeObjects, PlaceError, told};

/// How often a failed alarm is tried again, as Workers document it, and the wait
/// before the first time; each next wait is twice as long.
const RETRIES: u32 = 6;
const FIRST_WAIT: Duration = Duration::from_secs(2);
/// Alarms of a class that run at once; the others wait their turn. A handler may take long,
/// and other classes' alarms do not wait for it.
const AT_ONCE: usize = 64;
/// The same of all classes: each is looked at to find the next.
const MOST_AT_ONCE: usize = 1024;
/// How long an alarm waits whose worker is not here now; each next wait is twice as long,
/// and it ends when something is deployed. Each is a commit, and there may be many alarms.
const NOBODY: Duration = Duration::from_secs(10);
const LONGEST_NOBODY: Duration = Duration::from_secs(3600);
/// Added to the retries of one that does, each time, so that its time is not taken for the
/// object's.
const NOBODY_YET: u32 = 1 << 16;
/// How often that is counted.
const MOST_NOBODY: u32 = 16;
/// No wait of a retry is longer.
const LONGEST_WAIT: Duration = Duration::from_secs(2 << RETRIES);
/// How often the clock is looked at, which may be set.
const LOOK: Duration = Duration::from_secs(5);
/// How far back a clock is set that is noticed.
const SET_BACK: Duration = Duration::from_secs(1);

/// No class has this id: it is a part of a hash, and this would be luck.
pub(super) const INDEX: ObjectKey = ObjectKey {
    namespace: NamespaceId(0),
    id: outboard_storage::ObjectId([0; 32]),
};

pub(crate) struct Alarms {
    index: Mutex<Object>,
    /// The index has a new first.
    changed: Notify,
    /// Those that run, and whether they were set again meanwhile.
    running: Mutex<HashMap<Arc<ObjectTarget>, bool>>,
}

/// An alarm as the index has it.
struct Entry {
    target: Arc<ObjectTarget>,
    /// When it is due, or to be tried again.
    time: i64,
    retries: u32,
}

impl Alarms {
    pub(crate) fn open(store: &Store) -> Result<Self, StorageError> {
        let index = store.object(INDEX).map_err(told)?;
        index
            .connection()
            .execute_batch(
                "CREATE TABLE IF NOT EXISTS alarms (
                   key TEXT, id BLOB, service TEXT NOT NULL, class TEXT NOT NULL, name TEXT,
                   time INTEGER NOT NULL, retries INTEGER NOT NULL, PRIMARY KEY (key, id)
                 ) WITHOUT ROWID;
                 CREATE INDEX IF NOT EXISTS by_time ON alarms (time);",
            )
            .map_err(|error| told(index.explain(error)))?;
        Ok(Self {
            index: Mutex::new(index),
            changed: Notify::new(),
            running: Mutex::default(),
        })
    }

    /// See `ObjectHost::alarm_changed`.
    pub(crate) fn set(
        &self,
        target: &ObjectTarget,
        time: Option<i64>,
        committed: bool,
    ) -> Result<(), StorageError> {
        if committed && let Some(is_set) = self.running.lock().get_mut(target) {
            *is_set = time.is_some();
        }
        match time {
            // Until the commit the alarm that was there may still be.
            None if !committed => return Ok(()),
            None => self.write(
                "DELETE FROM alarms WHERE key = ? AND id = ?",
                (&target.namespace.key, &target.id.0[..]),
            )?,
            Some(time) => {
                let namespace = &target.namespace;
                self.write(
                    if committed {
                        "UPDATE alarms SET time = ?6, retries = 0 WHERE key = ?1 AND id = ?2"
                    } else {
                        "INSERT INTO alarms VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0)
                         ON CONFLICT DO UPDATE SET time = min(time, excluded.time), retries = 0"
                    },
                    (
                        &namespace.key,
                        &target.id.0[..],
                        &namespace.service,
                        &namespace.class,
                        &target.name,
                        time,
                    ),
                )?;
            }
        }
        self.changed.notify_one();
        Ok(())
    }

    /// Waits until what the index has is durable.
    pub(super) fn settle(&self) -> Result<(), StorageError> {
        let newest = self.index.lock().newest();
        match newest.map(|newest| futures::executor::block_on(newest.wait())) {
            Some(Err(error)) => Err(StorageError {
                message: error.to_string(),
            }),
            _ => Ok(()),
        }
    }

    fn write(&self, sql: &str, parameters: impl rusqlite::Params) -> Result<(), StorageError> {
        let index = self.index.lock();
        let written = index
            .connection()
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute(parameters));
        written
            .map(drop)
            .map_err(|error| told(index.explain(error)))
    }

    /// The alarm that is due first, of those that do not run, and of classes of which not
    /// so many run already.
    fn first(&self) -> Result<Option<Entry>, StorageError> {
        let index = self.index.lock();
        let running = self.running.lock();
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for target in running.keys() {
            *counts.entry(&target.namespace.key).or_default() += 1;
        }
        counts.retain(|_, count| *count >= AT_ONCE);
        let busy: Vec<&str> = counts.into_keys().collect();
        let busy = serde_json::json!(busy).to_string();
        // One of them does not run.
        let most = i64::try_from(running.len() + 1).unwrap_or(i64::MAX);
        let find = || {
            // What is behind many of a busy class is found by the index alone.
            let mut statement = index.connection().prepare_cached(
                "SELECT key, id, service, class, name, time, retries FROM alarms JOIN (
                   SELECT key AS its_key, id AS its_id FROM alarms
                   WHERE key NOT IN (SELECT value FROM json_each(?)) ORDER BY time LIMIT ?
                 ) ON key = its_key AND id = its_id ORDER BY time",
            )?;
            let entries = statement.query_map((&busy, most), entry)?;
            for entry in entries {
                let entry = entry?;
                if !running.contains_key(&entry.target) {
                    return Ok(Some(entry));
                }
            }
            Ok(None)
        };
        find().map_err(|error| told(index.explain(error)))
    }

    /// Has alarms be tried again that wait for a time which only a wrong clock gave them.
    fn look_again(&self, now: i64) -> Result<(), StorageError> {
        self.write(
            "UPDATE alarms SET time = ?1 WHERE retries > 0 AND time > ?2",
            (now, now.saturating_add(millis(LONGEST_WAIT))),
        )
    }

    /// Lets an alarm that rang ring again, unless the object has set another meanwhile.
    fn again(&self, rang: &Entry, time: i64, retries: u32) -> Result<(), StorageError> {
        let target = &rang.target;
        self.write(
            "UPDATE alarms SET time = ?, retries = ? WHERE key = ? AND id = ? AND time = ?",
            (
                time,
                retries,
                &target.namespace.key,
                &target.id.0[..],
                rang.time,
            ),
        )
    }

    /// Lets an alarm that rang wait for its worker, which may be deployed again.
    fn wait_for_worker(&self, rang: &Entry, now: i64) -> Result<(), StorageError> {
        let (waits, retries) = (rang.retries / NOBODY_YET, rang.retries % NOBODY_YET);
        let wait = (NOBODY * (1 << waits.min(MOST_NOBODY))).min(LONGEST_NOBODY);
        let waits = (waits + 1).min(MOST_NOBODY);
        self.again(rang, now + millis(wait), waits * NOBODY_YET + retries)
    }

    /// Has those ring that wait for a worker: it may be here.
    pub(super) fn end_waits(&self) {
        let ended = self.write(
            "UPDATE alarms SET time = min(time, ?1), retries = retries % ?2 WHERE retries >= ?2",
            (now(), NOBODY_YET),
        );
        if let Err(error) = ended {
            tracing::error!(%error, "alarms may wait for too long");
        }
        self.changed.notify_one();
    }

    /// Forgets the alarms of a class that is no more.
    pub(super) fn forget_class(&self, key: &str) -> Result<(), StorageError> {
        self.write("DELETE FROM alarms WHERE key = ?", [key])
    }

    /// Forgets an alarm that rang, unless the object has set another meanwhile.
    fn forget(&self, rang: &Entry) -> Result<(), StorageError> {
        let target = &rang.target;
        self.write(
            "DELETE FROM alarms WHERE key = ? AND id = ? AND time = ?",
            (&target.namespace.key, &target.id.0[..], rang.time),
        )
    }
}

/// When the alarm rings that an object's database has.
pub(crate) fn alarm_of(connection: &Connection) -> rusqlite::Result<Option<i64>> {
    if !connection.table_exists(None, "_cf_ALARM")? {
        return Ok(None);
    }
    connection
        .query_one("SELECT time FROM _cf_ALARM", (), |row| row.get(0))
        .optional()
}

fn entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    let namespace = ObjectNamespace {
        key: row.get("key")?,
        service: row.get("service")?,
        class: row.get("class")?,
    };
    Ok(Entry {
        target: Arc::new(ObjectTarget {
            namespace: Arc::new(namespace),
            id: ObjectId(row.get("id")?),
            name: row.get("name")?,
        }),
        time: row.get("time")?,
        retries: row.get("retries")?,
    })
}

fn now() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
    i64::try_from(since_epoch.unwrap_or_default().as_millis()).unwrap_or(i64::MAX)
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// Rings alarms until the future is dropped.
pub(super) async fn ring(objects: Arc<NodeObjects>) {
    // As if the clock had been set back: it may have been since the last start.
    let mut before = i64::MAX;
    loop {
        let Some(Kept { alarms, .. }) = objects.kept.get() else {
            objects.opened().await;
            continue;
        };
        let time = now();
        if time < before.saturating_sub(millis(SET_BACK))
            && let Err(error) = alarms.look_again(time)
        {
            tracing::error!(%error, "alarms may wait for too long");
        }
        before = time;
        let next = match alarms.first() {
            Ok(next) => next,
            Err(error) => {
                tracing::error!(%error, "the index of alarms cannot be read");
                tokio::time::sleep(NOBODY).await;
                continue;
            }
        };
        let busy = alarms.running.lock().len() >= MOST_AT_ONCE;
        match next.filter(|_| !busy) {
            Some(entry) if entry.time <= now() => {
                let mut running = alarms.running.lock();
                running.insert(entry.target.clone(), false);
                drop(running);
                tokio::spawn(run(objects.clone(), entry));
            }
            Some(entry) => {
                let wait = u64::try_from(entry.time - now()).unwrap_or(0);
                let wait = tokio::time::sleep(Duration::from_millis(wait).min(LOOK));
                tokio::select! {
                    () = wait => {}
                    () = alarms.changed.notified() => {}
                }
            }
            None => alarms.changed.notified().await,
        }
    }
}

async fn run(objects: Arc<NodeObjects>, rang: Entry) {
    let Some(Kept { alarms, .. }) = objects.kept.get() else {
        return;
    };
    let (target, retries) = (&rang.target, rang.retries % NOBODY_YET);
    let placed = objects.place(target).await.map(|(worker, placed)| {
        let home = objects.home(worker, &placed);
        (home, placed)
    });
    let ended = match placed {
        Err(PlaceError::Deleted(_)) => alarms.forget(&rang),
        Ok((Ok(home), placed)) => {
            let last = retries >= RETRIES;
            let ran = home.lane.alarm(home.worker.clone(), placed, retries, last);
            match ran.await {
                // The index has the one that it set then, perhaps for this very moment.
                AlarmOutcome::Done if alarms.running.lock().get(target) == Some(&true) => Ok(()),
                AlarmOutcome::Done => alarms.forget(&rang),
                AlarmOutcome::Later(later) => alarms.again(&rang, later, 0),
                AlarmOutcome::Failed(error) => {
                    tracing::warn!(%error, retries, object = %target.id, "an alarm failed");
                    let wait = FIRST_WAIT * (1 << retries.min(RETRIES));
                    alarms.again(&rang, now() + millis(wait), retries + 1)
                }
            }
        }
        _ => alarms.wait_for_worker(&rang, now()),
    };
    if let Err(error) = ended {
        tracing::error!(%error, object = %target.id, "an alarm's end was not recorded");
    }
    alarms.running.lock().remove(target);
    alarms.changed.notify_one();
}

#[cfg(test)]
mod tests {
    use outboard_storage::StoreOptions;

    use super::*;

    fn target(name: &str) -> ObjectTarget {
        target_of("demo", name)
    }

    fn target_of(service: &str, name: &str) -> ObjectTarget {
        let namespace = ObjectNamespace {
            key: format!("{service}:Box"),
            service: service.into(),
            class: "Box".into(),
        };
        ObjectTarget {
            id: ObjectId::from_name(&namespace.key, name),
            namespace: Arc::new(namespace),
            name: None,
        }
    }

    #[test]
    fn an_alarm_without_a_worker_waits_longer_each_time_until_something_is_deployed() {
        let folder = tempfile::tempdir().expect("a folder");
        let (store, _) = Store::open(folder.path(), StoreOptions::default()).expect("a store");
        let alarms = Alarms::open(&store).expect("an index");
        let first = || alarms.first().expect("it reads").expect("an alarm");
        alarms.set(&target("a"), Some(5), false).expect("it is set");
        // It failed twice before.
        alarms.again(&first(), 6, 2).expect("again");
        let mut waits = Vec::new();
        for _ in 0..20 {
            let rang = first();
            alarms.wait_for_worker(&rang, rang.time).expect("it waits");
            waits.push((first().time - rang.time) / 1000);
        }
        assert_eq!(
            waits[..10],
            [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600]
        );
        assert!(waits[10..].iter().all(|wait| *wait == 3600), "{waits:?}");
        let far = now() + millis(LONGEST_NOBODY);
        let rang = first();
        alarms.wait_for_worker(&rang, far).expect("it waits");
        alarms
            .set(&target("b"), Some(far), false)
            .expect("it is set");
        alarms.end_waits();
        let (due, retries) = (first().time, first().retries);
        assert!(due <= now(), "{due}");
        assert_eq!(retries, 2);
        alarms.forget(&first()).expect("forgotten");
        // One that waits for its own time still does.
        assert_eq!(first().time, far);
    }

    #[test]
    fn alarms_of_a_class_wait_for_their_own_and_not_for_those_of_others() {
        let folder = tempfile::tempdir().expect("a folder");
        let (store, _) = Store::open(folder.path(), StoreOptions::default()).expect("a store");
        let alarms = Alarms::open(&store).expect("an index");
        let run = |expected: &str| {
            let next = alarms.first().expect("it reads").expect("an alarm");
            assert_eq!(next.target.namespace.service, expected);
            alarms.running.lock().insert(next.target.clone(), false);
            next
        };
        for (time, number) in (0..).zip(0..2 * AT_ONCE) {
            let target = target_of("slow", &number.to_string());
            alarms.set(&target, Some(time), false).expect("it is set");
        }
        for (time, name) in [(500, "a"), (501, "b")] {
            let target = target_of("quick", name);
            alarms.set(&target, Some(time), false).expect("it is set");
        }
        let slow: Vec<Entry> = (0..AT_ONCE).map(|_| run("slow")).collect();
        assert!(slow.is_sorted_by_key(|entry| entry.time));
        assert_eq!(run("quick").time, 500);
        assert_eq!(run("quick").time, 501);
        assert!(alarms.first().expect("it reads").is_none());
        alarms.forget(&slow[0]).expect("forgotten");
        alarms.running.lock().remove(&slow[0].target);
        run("slow");
    }
}
