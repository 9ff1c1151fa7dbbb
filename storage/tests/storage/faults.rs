//! Full disks, rot and failing writes.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::executor::block_on;
use outboard_storage::{LogError, ObjectError, Store, StoreError, StoreOptions, TransferError};

use crate::sim_disk::SimDisk;
use crate::support::{Dice, key, prepare, put, put_durably, small, version};

fn open(disk: &SimDisk) -> Store {
    let opened = Store::open_on(Arc::new(disk.clone()), small());
    opened.expect("the store opens").0
}

/// A store with three commits of object 1 and one of object 2, in one segment
/// of a log that was not checkpointed.
fn written() -> (SimDisk, String) {
    let disk = SimDisk::default();
    let store = open(&disk);
    let first = store.object(key(1)).unwrap();
    prepare(&first).unwrap();
    for number in 1..3 {
        put(&first, number, b"one").unwrap();
        block_on(first.newest().unwrap().wait()).unwrap();
    }
    let second = store.object(key(2)).unwrap();
    prepare(&second).unwrap();
    block_on(second.newest().unwrap().wait()).unwrap();
    // A copy, as the disk of a machine that just stopped.
    let image = disk.after_power_cut(&mut crate::support::Dice::new(1));
    let segments = image.files().into_iter().map(|(path, _)| path);
    let segment = segments.filter(|path| path.starts_with("log/")).min();
    (image, segment.expect("there is a segment"))
}

#[test]
fn a_full_disk_refuses_commits_and_loses_none() {
    let disk = SimDisk::default();
    let store = open(&disk);
    let object = store.object(key(1)).unwrap();
    prepare(&object).unwrap();
    disk.limit(Some(200 << 10));
    let mut last = 0;
    let refused = loop {
        assert!(last < 1000, "the disk never fills");
        match put_durably(&object, last + 1, &[last as u8; 4000]) {
            Ok(()) => last += 1,
            Err(error) => break error,
        }
    };
    assert!(
        matches!(refused, ObjectError::Log(LogError::Full)),
        "{refused}"
    );
    assert_eq!(version(&object), Some(last));
    // Left and come back to, while there is no room.
    block_on(object.close()).unwrap();
    let object = store.object(key(1)).unwrap();
    assert_eq!(version(&object), Some(last));
    assert!(put_durably(&object, last + 1, &[last as u8; 40_000]).is_err());
    drop((object, store));
    disk.limit(None);
    let store = open(&disk);
    let object = store.object(key(1)).unwrap();
    assert_eq!(version(&object), Some(last));
    put(&object, last + 1, b"again").unwrap();
}

/// A log that takes more than databases keep in memory.
fn roomy() -> StoreOptions {
    let mut options = small();
    options.log.segment_bytes = 8 << 20;
    options.log.queue_bytes = 16 << 20;
    options
}

/// The log had room, the database's file has none: what the log took is there
/// through reads, closing and power cuts, and goes to the file once it can.
#[test]
fn a_file_that_cannot_grow_loses_nothing_and_grows_later() {
    let disk = SimDisk::default();
    let open = |disk: &SimDisk| Store::open_on(Arc::new(disk.clone()), roomy()).unwrap().0;
    let store = open(&disk);
    let object = store.object(key(1)).unwrap();
    prepare(&object).unwrap();
    // The next segment of the log is there when a first commit has been made.
    put_durably(&object, 1, b"one").unwrap();
    while disk
        .files()
        .iter()
        .filter(|(path, file)| path.starts_with("log/") && file.len() == 8 << 20)
        .count()
        < 2
    {
        std::thread::yield_now();
    }
    disk.limit(Some(0));
    let mut last = 1;
    let refused = loop {
        assert!(last < 1000, "memory never fills");
        match put_durably(&object, last + 1, &[last as u8; 40_000]) {
            Ok(()) => last += 1,
            Err(error) => break error,
        }
    };
    assert!(last > 50, "the log had room, and took {last}");
    assert!(
        matches!(refused, ObjectError::Log(LogError::Full)),
        "{refused}"
    );
    assert!(store.checkpoint().is_err());
    block_on(object.close()).unwrap();
    let object = store.object(key(1)).unwrap();
    assert_eq!(version(&object), Some(last));
    let image = disk.after_power_cut(&mut crate::support::Dice::new(1));
    let after = open(&image);
    assert_eq!(version(&after.object(key(1)).unwrap()), Some(last));

    disk.limit(None);
    put_durably(&object, last + 1, b"again").unwrap();
    block_on(object.close()).unwrap();
    store.checkpoint().unwrap();
    assert_eq!(store.damaged_pages(key(1)).unwrap(), []);
    assert_eq!(version(&store.object(key(1)).unwrap()), Some(last + 1));
}

#[test]
fn a_transaction_larger_than_a_segment_is_refused_whole() {
    let store = open(&SimDisk::default());
    let object = store.object(key(1)).unwrap();
    prepare(&object).unwrap();
    put(&object, 1, b"one").unwrap();
    let before = object.newest().unwrap().seq();
    let error = put(&object, 2, &vec![1; 100 << 10]).unwrap_err();
    let error = object.explain(error);
    assert!(
        matches!(error, ObjectError::Log(LogError::TooLarge { .. })),
        "{error}"
    );
    assert_eq!(version(&object), Some(1));
    // Nothing of it was logged either, and what comes next is.
    assert_eq!(object.newest().unwrap().seq(), before);
    put(&object, 2, b"two").unwrap();
    block_on(object.close()).unwrap();
    assert_eq!(version(&store.object(key(1)).unwrap()), Some(2));
}

#[test]
fn a_database_whose_cut_is_refused_stays_as_it_is() {
    let store = open(&SimDisk::default());
    let object = store.object(key(1)).unwrap();
    prepare(&object).unwrap();
    let mut dice = crate::support::Dice::new(1);
    for number in 1..60 {
        let body: Vec<u8> = (0..3000).map(|_| dice.next() as u8).collect();
        put_durably(&object, number, &body).unwrap();
    }
    let connection = object.connection();
    // VACUUM attaches a database of its own.
    connection
        .set_limit(rusqlite::limits::Limit::SQLITE_LIMIT_ATTACHED, 1)
        .unwrap();
    for sql in [
        "CREATE TABLE u (x)",
        "INSERT INTO u SELECT zeroblob(40000)",
        "DROP TABLE u",
    ] {
        connection.execute_batch(sql).unwrap();
    }
    let error = object.explain(connection.execute_batch("VACUUM").unwrap_err());
    assert!(
        matches!(error, ObjectError::Log(LogError::TooLarge { .. })),
        "{error}"
    );
    assert_eq!(version(&object), Some(59));
    put_durably(&object, 60, b"more").unwrap();
    assert_eq!(version(&object), Some(60));
}

/// Commits that the log has no segment for wait until it is made, and are refused
/// where that takes too long.
#[test]
fn commits_are_as_fast_as_the_disk() {
    let disk = SimDisk::default();
    let mut options = small();
    options.log.patience = Duration::from_millis(500);
    let (store, _) = Store::open_on(Arc::new(disk.clone()), options).unwrap();
    let object = store.object(key(1)).unwrap();
    prepare(&object).unwrap();
    let held = disk.hold_new_segments();
    let mut dice = crate::support::Dice::new(1);
    let mut body = || (0..3000).map(|_| dice.next() as u8).collect::<Vec<_>>();
    let mut last = 0;
    let (refused, waited) = loop {
        assert!(last < 100, "no segment is ever full");
        let started = Instant::now();
        match put_durably(&object, last + 1, &body()) {
            Ok(()) => last += 1,
            Err(error) => break (error, started.elapsed()),
        }
    };
    assert!(
        matches!(refused, ObjectError::Log(LogError::Overloaded { .. })),
        "{refused}"
    );
    assert!(waited >= options.log.patience, "{waited:?}");
    assert_eq!(version(&object), Some(last));

    drop(held);
    // The one that was refused, and others after it.
    for number in last + 1..last + 50 {
        put(&object, number, &body()).unwrap();
    }
}

#[test]
fn after_a_failed_write_nothing_is_acknowledged() {
    let disk = SimDisk::default();
    let store = open(&disk);
    let object = store.object(key(1)).unwrap();
    prepare(&object).unwrap();
    block_on(object.newest().unwrap().wait()).unwrap();
    disk.power_off_after(0);
    // The log learns of it when it writes, so the transaction itself succeeds.
    put(&object, 1, b"one").unwrap();
    let outcome = block_on(object.newest().unwrap().wait());
    assert!(matches!(outcome, Err(LogError::Poisoned(_))), "{outcome:?}");
    let error = put(&object, 2, b"two").unwrap_err();
    let error = object.explain(error);
    assert!(
        matches!(error, ObjectError::Log(LogError::Poisoned(_))),
        "{error}"
    );
}

#[test]
fn rot_in_the_log_is_named_and_the_rest_goes_on() {
    let (disk, segment) = written();
    let length = disk
        .files()
        .iter()
        .find(|(path, _)| *path == segment)
        .unwrap()
        .1
        .len();
    let bytes = disk
        .files()
        .into_iter()
        .find(|(path, _)| *path == segment)
        .unwrap()
        .1;
    let used = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    assert!(used < length);
    let mut named = 0;
    let mut unknown = 0;
    for byte in (0..used).step_by(29) {
        let (disk, segment) = written();
        disk.flip(&segment, byte, 3);
        match Store::open_on(Arc::new(disk.clone()), small()) {
            Ok((store, recovery)) => {
                let damaged = recovery
                    .damage
                    .iter()
                    .any(|damage| damage.object == Some(key(1)));
                let first = store.object(key(1));
                assert_eq!(first.is_err(), damaged, "byte {byte}");
                if damaged {
                    named += 1;
                    // And it stays refused once the log is gone.
                    drop((first, store));
                    let again = open(&disk).object(key(1));
                    assert!(matches!(again, Err(ObjectError::Damaged { .. })));
                } else {
                    // The segment's own head, which can be told from its batches,
                    // or the last batch, which may as well have been torn.
                    let found = version(&first.unwrap());
                    assert!(found >= Some(2), "byte {byte}: {found:?}");
                }
            }
            Err(StoreError::Damaged(damage)) => {
                unknown += 1;
                assert!(damage.iter().all(|damage| damage.segment == segment));
                let accept = StoreOptions {
                    accept_loss: true,
                    ..small()
                };
                Store::open_on(Arc::new(disk), accept).expect("the loss is accepted");
            }
            Err(other) => panic!("byte {byte}: {other}"),
        }
    }
    assert!(named > 5 && unknown > 2, "named {named}, unknown {unknown}");
}

#[test]
fn rot_in_a_database_is_named_and_others_serve() {
    let disk = SimDisk::default();
    let store = open(&disk);
    for number in [1, 2] {
        let object = store.object(key(number)).unwrap();
        prepare(&object).unwrap();
        put(&object, 1, &[5; 3000]).unwrap();
        block_on(object.close()).unwrap();
    }
    store.checkpoint().unwrap();
    let path = format!("objects/{:016x}/01/{}.sqlite", 1, key(1).id);
    disk.flip(&path, 4096 + 3000, 0);
    assert_eq!(store.damaged_pages(key(1)).unwrap(), [2]);
    let object = store.object(key(1)).unwrap();
    let read = object
        .connection()
        .query_row("SELECT sum(length(body)) FROM t", (), |row| {
            row.get::<_, i64>(0)
        });
    let error = object.explain(read.unwrap_err()).to_string();
    assert!(
        error.contains("page 2") && error.contains(&key(1).id.to_string()),
        "{error}"
    );
    assert_eq!(version(&store.object(key(2)).unwrap()), Some(1));
}

/// What a sync that failed was about is not on disk, though the next one succeeds.
#[test]
fn after_a_failed_sync_the_log_stays_and_takes_no_more() {
    let disk = SimDisk::default();
    let store = open(&disk);
    let object = store.object(key(1)).unwrap();
    prepare(&object).unwrap();
    put_durably(&object, 1, b"one").unwrap();
    disk.fail_next_sync();
    store.checkpoint().unwrap_err();
    store.checkpoint().unwrap_err();
    let error = put_durably(&object, 2, b"two").unwrap_err();
    assert!(
        matches!(error, ObjectError::Log(LogError::Poisoned(_))),
        "{error}"
    );
    assert_eq!(version(&object), Some(1));
    drop((object, store));
    let store = open(&disk.after_power_cut(&mut Dice::new(1)));
    let object = store.object(key(1)).unwrap();
    assert_eq!(version(&object), Some(1));
    put_durably(&object, 2, b"two").unwrap();
    store.checkpoint().unwrap();
}

/// Nothing is acknowledged, and nothing lost.
#[test]
fn a_disk_that_turns_read_only_is_read_and_keeps_what_it_has() {
    let disk = SimDisk::default();
    let store = open(&disk);
    let object = store.object(key(1)).unwrap();
    prepare(&object).unwrap();
    for number in 1..=20 {
        put_durably(&object, number, &[number as u8; 3000]).unwrap();
    }
    let other = store.object(key(2)).unwrap();
    prepare(&other).unwrap();
    put_durably(&other, 1, b"one").unwrap();
    disk.set_read_only(true);
    let error = put_durably(&object, 21, b"more").unwrap_err();
    assert!(
        error.to_string().contains("read-only filesystem"),
        "{error}"
    );
    // Others are read on, and closed ones opened.
    assert_eq!(version(&other), Some(1));
    assert!(put_durably(&other, 2, b"two").is_err());
    assert_eq!(version(&other), Some(1));
    drop(other);
    assert_eq!(version(&store.object(key(2)).unwrap()), Some(1));
    assert!(store.checkpoint().is_err());
    drop((object, store));
    let refused = Store::open_on(Arc::new(disk.clone()), small())
        .err()
        .unwrap();
    assert!(
        matches!(&refused, StoreError::Io { error, .. }
            if error.kind() == io::ErrorKind::ReadOnlyFilesystem),
        "{refused}"
    );
    disk.set_read_only(false);
    let store = open(&disk);
    let found = version(&store.object(key(1)).unwrap());
    assert!(found == Some(20), "{found:?}");
    put_durably(&store.object(key(2)).unwrap(), 2, b"two").unwrap();
}

/// The log has the commit, so it has happened.
#[test]
fn a_database_that_cannot_be_written_loses_nothing() {
    let disk = SimDisk::default();
    let open = |disk: &SimDisk| Store::open_on(Arc::new(disk.clone()), roomy()).unwrap().0;
    let store = open(&disk);
    let object = store.object(key(1)).unwrap();
    prepare(&object).unwrap();
    disk.break_files(Some("objects/"));
    // More than stays in memory by itself.
    for number in 1..=40 {
        put_durably(&object, number, &[number as u8; 20_000]).unwrap();
    }
    assert_eq!(version(&object), Some(40));
    assert!(store.checkpoint().is_err());
    drop((object, store));
    disk.break_files(None);
    let store = open(&disk);
    let object = store.object(key(1)).unwrap();
    assert_eq!(version(&object), Some(40));
    put_durably(&object, 41, b"more").unwrap();
}

/// Where the log cannot go on in another segment, its last one has commits that the
/// next start would write to files that are not what they were of.
#[test]
fn on_a_full_disk_nothing_is_removed_or_replaced_by_halves() {
    let disk = SimDisk::default();
    let store = open(&disk);
    let object = store.object(key(1)).unwrap();
    prepare(&object).unwrap();
    put_durably(&object, 1, b"one").unwrap();
    block_on(object.close()).unwrap();
    store.checkpoint().unwrap();
    disk.set_log_full(true);
    let object = store.object(key(1)).unwrap();
    put_durably(&object, 2, b"two").unwrap();
    // Takes the segment that may be there.
    store.checkpoint().unwrap();
    put_durably(&object, 3, b"three").unwrap();
    block_on(object.close()).unwrap();
    let is_full = |error: &StoreError| matches!(error, StoreError::Io { error, .. } if error.kind() == io::ErrorKind::StorageFull);
    let refused = store.remove(&[key(1)]).unwrap_err();
    assert!(is_full(&refused), "{refused}");
    let refused = store.remove_namespace(key(1).namespace).unwrap_err();
    assert!(is_full(&refused), "{refused}");
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("source.sqlite");
    let new = rusqlite::Connection::open(&source).unwrap();
    new.execute_batch("CREATE TABLE t (version INTEGER PRIMARY KEY, body BLOB)")
        .unwrap();
    let refused = store.import(key(1), &source, &dir.path().join("scratch"));
    let refused = refused.unwrap_err();
    assert!(
        matches!(&refused, TransferError::Store(error) if is_full(error)),
        "{refused}"
    );
    assert_eq!(version(&store.object(key(1)).unwrap()), Some(3));

    disk.set_log_full(false);
    assert_eq!(store.remove(&[key(1)]).unwrap(), [key(1)]);
    drop(store);
    let store = open(&disk.after_power_cut(&mut Dice::new(1)));
    assert!(!store.exists(key(1)).unwrap());
}

/// A node that is started again and again, since it refuses to, fills no disk.
#[test]
fn starts_that_are_refused_leave_nothing() {
    let (disk, segment) = written();
    let files = || disk.files().len();
    // The length of the first batch.
    disk.flip(&segment, 32 + 20, 3);
    let mut counts = Vec::new();
    for _ in 0..6 {
        let refused = Store::open_on(Arc::new(disk.clone()), small());
        assert!(matches!(refused, Err(StoreError::Damaged(_))));
        counts.push(files());
    }
    assert_eq!(counts[1], counts[5], "{counts:?}");
}

#[test]
fn a_transaction_that_no_commit_can_hold_is_not_gathered_first() {
    let disk = SimDisk::default();
    let store = open(&disk);
    let object = store.object(key(1)).unwrap();
    prepare(&object).unwrap();
    put_durably(&object, 1, b"one").unwrap();
    let connection = object.connection();
    connection.execute_batch("BEGIN").unwrap();
    let mut dice = Dice::new(1);
    let mut number = 1;
    let error = loop {
        number += 1;
        assert!(number < 2000, "pages are gathered without end");
        let body: Vec<u8> = (0..4000).map(|_| dice.next() as u8).collect();
        if let Err(error) = put(&object, number, &body) {
            break object.explain(error);
        }
    };
    // What SQLite has in its own memory is bounded by its cache.
    assert!(
        matches!(error, ObjectError::Log(LogError::TooLarge { .. })),
        "{error}"
    );
    assert!(connection.is_autocommit());
    assert_eq!(version(&object), Some(1));
    put_durably(&object, 2, b"two").unwrap();
    block_on(object.close()).unwrap();
    let image = disk.after_power_cut(&mut dice);
    assert_eq!(version(&open(&image).object(key(1)).unwrap()), Some(2));
}
