//! Objects that tests write to.

use std::time::Duration;

use futures::executor::block_on;
use outboard_storage::{
    LogOptions, NamespaceId, Object, ObjectError, ObjectId, ObjectKey, Retention, StoreOptions,
};

pub(crate) fn key(number: u8) -> ObjectKey {
    ObjectKey {
        namespace: NamespaceId(1),
        id: ObjectId([number; 32]),
    }
}

/// Segments so small that a few commits fill one.
pub(crate) fn small() -> StoreOptions {
    StoreOptions {
        log: LogOptions {
            segment_bytes: 64 << 10,
            queue_bytes: 1 << 20,
            patience: Duration::from_secs(60),
        },
        keep: Retention::Nothing,
        ..StoreOptions::default()
    }
}

/// A reproducible sequence of numbers (xorshift).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        // Not zero, and different for neighbours.
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

/// Makes the table that [`put`] and [`version`] use.
pub(crate) fn prepare(object: &Object) -> rusqlite::Result<()> {
    object
        .connection()
        .execute_batch("CREATE TABLE IF NOT EXISTS t (version INTEGER PRIMARY KEY, body BLOB)")
}

/// One transaction that takes the object from one version to the next.
pub(crate) fn put(object: &Object, version: u64, body: &[u8]) -> rusqlite::Result<()> {
    object
        .connection()
        .execute("INSERT INTO t VALUES (?, ?)", (version as i64, body))
        .map(drop)
}

/// [`put`], and waits until it is durable.
pub(crate) fn put_durably(object: &Object, version: u64, body: &[u8]) -> Result<(), ObjectError> {
    put(object, version, body).map_err(|error| object.explain(error))?;
    match object.newest() {
        Some(newest) => block_on(newest.wait()).map_err(ObjectError::Log),
        None => Ok(()),
    }
}

/// The version that the object is at, or `None` when it has no table yet. Fails
/// the test unless the database is sound and has each version up to it.
pub(crate) fn version(object: &Object) -> Option<u64> {
    let connection = object.connection();
    let check: String = connection
        .query_row("PRAGMA integrity_check", (), |row| row.get(0))
        .expect("the check runs");
    assert_eq!(check, "ok", "{}", object.key());
    let table = connection
        .query_row("SELECT count(*) FROM sqlite_schema", (), |row| {
            row.get::<_, i64>(0)
        })
        .expect("the schema is readable");
    (table > 0).then(|| {
        let (count, most): (i64, i64) = connection
            .query_row(
                "SELECT count(*), ifnull(max(version), 0) FROM t",
                (),
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .expect("the table is readable");
        assert_eq!(count, most, "{}: versions are missing", object.key());
        most as u64
    })
}
