//! Objects and their databases, on a disk that works.

use std::sync::Arc;

use futures::executor::block_on;
use outboard_storage::{
    NamespaceId, ObjectError, ObjectKey, PAGE_SIZE, Store, TransferError, sql_faults,
};

use crate::sim_disk::SimDisk;
use crate::support::{Dice, key, prepare, put, put_durably, small, version};

fn open(disk: &SimDisk) -> Store {
    let opened = Store::open_on(Arc::new(disk.clone()), small());
    opened.expect("the store opens").0
}

#[test]
fn what_was_closed_or_dropped_is_there_at_the_next_open() {
    let store = open(&SimDisk::default());
    let object = store.object(key(1)).unwrap();
    prepare(&object).unwrap();
    put(&object, 1, b"one").unwrap();
    block_on(object.close()).unwrap();

    let object = store.object(key(1)).unwrap();
    assert_eq!(version(&object), Some(1));
    put(&object, 2, b"two").unwrap();
    // An open transaction goes with its connection.
    object
        .connection()
        .execute_batch("BEGIN; DELETE FROM t")
        .unwrap();
    drop(object);
    assert_eq!(version(&store.object(key(1)).unwrap()), Some(2));
}

#[test]
fn an_object_is_open_once() {
    let store = open(&SimDisk::default());
    let first = store.object(key(1)).unwrap();
    let second = store.object(key(1));
    assert!(matches!(second, Err(ObjectError::Open(object)) if object == key(1)));
    drop(first);
    store.object(key(1)).unwrap();
}

#[test]
fn a_rolled_back_transaction_leaves_nothing_however_large() {
    let mut options = small();
    options.log.segment_bytes = 8 << 20;
    let (store, _) = Store::open_on(Arc::new(SimDisk::default()), options).unwrap();
    let object = store.object(key(1)).unwrap();
    prepare(&object).unwrap();
    put(&object, 1, b"one").unwrap();
    let before = object.newest().unwrap().seq();
    let size = object.size();
    let connection = object.connection();
    // More than SQLite's cache holds, so that it spills pages.
    connection.execute_batch("BEGIN").unwrap();
    let mut dice = Dice::new(1);
    for number in 2..900 {
        let body: Vec<u8> = (0..4000).map(|_| dice.next() as u8).collect();
        put(&object, number, &body).unwrap();
    }
    connection.execute_batch("ROLLBACK").unwrap();
    assert_eq!(version(&object), Some(1));
    assert_eq!(object.size(), size);
    put(&object, 2, b"two").unwrap();
    assert!(object.newest().unwrap().seq() > before);
    block_on(object.close()).unwrap();
    assert_eq!(version(&store.object(key(1)).unwrap()), Some(2));
}

#[test]
fn a_database_that_shrinks_gives_its_space_back() {
    let disk = SimDisk::default();
    let store = open(&disk);
    let object = store.object(key(1)).unwrap();
    prepare(&object).unwrap();
    for number in 1..100 {
        put_durably(&object, number, &[7; 4000]).unwrap();
    }
    let large = object.size();
    // VACUUM attaches a database of its own.
    let connection = object.connection();
    connection
        .set_limit(rusqlite::limits::Limit::SQLITE_LIMIT_ATTACHED, 1)
        .unwrap();
    connection
        .execute_batch("DELETE FROM t WHERE version > 1; VACUUM")
        .unwrap();
    let small = object.size();
    assert!(small < large / 10, "{small} of {large}");
    block_on(object.close()).unwrap();
    let path = format!("objects/{:016x}/01/{}.sqlite", 1, key(1).id);
    let (_, bytes) = disk
        .files()
        .into_iter()
        .find(|(found, _)| *found == path)
        .unwrap();
    assert_eq!(bytes.len() as u64, small);
    assert_eq!(bytes.len() % PAGE_SIZE, 0);
    assert_eq!(version(&store.object(key(1)).unwrap()), Some(1));
}

#[test]
fn a_checkpoint_empties_the_log_and_keeps_the_data() {
    let disk = SimDisk::default();
    let store = open(&disk);
    let object = store.object(key(1)).unwrap();
    prepare(&object).unwrap();
    for number in 1..60 {
        put_durably(&object, number, &[number as u8; 3000]).unwrap();
    }
    store.checkpoint().unwrap();
    drop((object, store));
    let (store, recovery) = Store::open_on(Arc::new(disk), small()).unwrap();
    assert_eq!(recovery.commits, 0);
    assert_eq!(version(&store.object(key(1)).unwrap()), Some(59));
    assert_eq!(store.keys().unwrap(), [key(1)]);
    assert_eq!(store.damaged_pages(key(1)).unwrap(), []);
}

#[test]
fn other_databases_cannot_be_attached() {
    let store = open(&SimDisk::default());
    let object = store.object(key(1)).unwrap();
    let attached = object.connection().execute_batch("ATTACH 'x' AS x");
    assert!(attached.is_err());
}

#[test]
fn a_namespace_that_was_removed_does_not_come_back() {
    let other = ObjectKey {
        namespace: NamespaceId(2),
        ..key(1)
    };
    let disk = SimDisk::default();
    let store = open(&disk);
    let has = |store: &Store, number| store.has_objects(NamespaceId(number)).unwrap();
    assert!(!has(&store, 1));
    for key in [key(1), key(2), other] {
        let object = store.object(key).unwrap();
        prepare(&object).unwrap();
        put_durably(&object, 1, b"one").unwrap();
        block_on(object.close()).unwrap();
    }
    let open_one = store.object(key(2)).unwrap();
    assert!(
        store.remove_namespace(NamespaceId(1)).is_err(),
        "one is open"
    );
    drop(open_one);
    store.remove_namespace(NamespaceId(1)).unwrap();
    assert!(!has(&store, 1));
    // Nothing in the log makes it again, whatever a power cut left.
    drop(store);
    for seed in 0..16 {
        let store = open(&disk.after_power_cut(&mut Dice::new(seed)));
        assert_eq!(store.keys().unwrap(), [other], "seed {seed}");
        assert_eq!(version(&store.object(other).unwrap()), Some(1));
    }
}

/// With a log whose commits may be large.
fn open_roomy() -> Store {
    let mut options = small();
    options.log.segment_bytes = 4 << 20;
    options.log.queue_bytes = 8 << 20;
    let opened = Store::open_on(Arc::new(SimDisk::default()), options);
    opened.expect("the store opens").0
}

/// What is in a file that a snapshot was copied to.
fn version_in(file: &[u8]) -> Option<i64> {
    let scratch = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(scratch.path(), file).expect("written");
    let connection = rusqlite::Connection::open(scratch.path()).expect("SQLite opens it");
    let faults = sql_faults(&connection).expect("it is read");
    assert_eq!(faults, [""; 0]);
    let found = connection.query_row("SELECT max(version) FROM t", (), |row| row.get(0));
    found.expect("the table is there")
}

/// Writes what it is given, and has `between` run at each write.
struct Writes<F>(Vec<u8>, F);

impl<F: FnMut()> std::io::Write for Writes<F> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        (self.1)();
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_snapshot_is_one_commit_while_others_go_on() {
    let store = open_roomy();
    let object = store.object(key(1)).unwrap();
    let shrink = "PRAGMA auto_vacuum = FULL";
    object.connection().execute_batch(shrink).unwrap();
    prepare(&object).unwrap();
    for number in 1..=60 {
        put_durably(&object, number, &[number as u8; 9000]).unwrap();
    }
    let sql = |sql: &str| object.connection().execute_batch(sql).unwrap();
    // Not a part of it: it is not committed.
    sql("BEGIN; DELETE FROM t");
    let snapshot = store.snapshot(key(1)).unwrap().expect("a database");
    sql("ROLLBACK");
    let size = snapshot.size();
    assert!(size > 60 * 9000);
    let mut step = 0;
    let mut copy = Writes(Vec::new(), || {
        step += 1;
        match step {
            // Every page changes, some again and in the file, and most are cut off.
            1 => sql("UPDATE t SET body = zeroblob(9001)"),
            20 => store.checkpoint().unwrap(),
            30 => sql("UPDATE t SET body = x''"),
            40 => store.checkpoint().unwrap(),
            50 => put_durably(&object, 61, &[7; 90_000]).unwrap(),
            _ => {}
        }
    });
    snapshot.copy_to(&mut copy).unwrap();
    let copy = copy.0;
    assert!(step > 50);
    assert_eq!(copy.len() as u64, size);
    assert_eq!(version_in(&copy), Some(60));
    assert_eq!(version(&object), Some(61));
    assert!(store.snapshot(key(2)).unwrap().is_none());
}

#[test]
fn an_object_opens_while_it_is_copied_and_is_removed_afterwards() {
    let store = open_roomy();
    let object = store.object(key(1)).unwrap();
    prepare(&object).unwrap();
    put_durably(&object, 1, &[1; 100_000]).unwrap();
    block_on(object.close()).unwrap();
    let snapshot = store.snapshot(key(1)).unwrap().expect("a database");
    for number in 2..4 {
        // The last that has it open goes while it is copied.
        let object = store.object(key(1)).unwrap();
        put_durably(&object, number, &[number as u8; 100_000]).unwrap();
        block_on(object.close()).unwrap();
    }
    assert_eq!(store.remove(&[key(1)]).unwrap(), []);
    let mut copy = Vec::new();
    snapshot.copy_to(&mut copy).unwrap();
    assert_eq!(version_in(&copy), Some(1));
    assert!(
        store
            .size(key(1))
            .unwrap()
            .is_some_and(|size| size > 300_000)
    );
    assert_eq!(store.remove(&[key(1)]).unwrap(), [key(1)]);
    assert_eq!(store.size(key(1)).unwrap(), None);
}

#[test]
fn a_snapshot_gives_way_to_what_changes_too_much() {
    let store = open_roomy();
    let object = store.object(key(1)).unwrap();
    prepare(&object).unwrap();
    for number in 1..=90 {
        put_durably(&object, number, &vec![1; 400_000]).unwrap();
    }
    let snapshot = store.snapshot(key(1)).unwrap().expect("a database");
    for number in 1..=90 {
        let change = "UPDATE t SET body = zeroblob(400000) WHERE version = ?";
        object.connection().execute(change, [number]).unwrap();
        let newest = object.newest().expect("a commit");
        block_on(newest.wait()).unwrap();
    }
    let late = snapshot.copy_to(&mut Vec::new());
    assert!(matches!(late, Err(TransferError::Late(of)) if of == key(1)));
    let next = store.snapshot(key(1)).unwrap().expect("a database");
    next.copy_to(&mut Vec::new()).unwrap();
}
