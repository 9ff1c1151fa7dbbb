//! What objects were, on a disk that works, fills up or rots.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::executor::block_on;
use outboard_storage::{
    Bookmark, Clock, Disk, HistoryError, LogError, Object, ObjectError, ObjectPast, Retention,
    Store, StoreOptions,
};
use rusqlite::Connection;

use crate::sim_disk::SimDisk;
use crate::support::{Dice, key, prepare, put_durably, small, version};

pub(crate) const MONTH: Duration = Duration::from_secs(30 * 24 * 3600);

pub(crate) fn keeping(bytes: u64) -> StoreOptions {
    StoreOptions {
        keep: Retention::Last { age: MONTH, bytes },
        ..small()
    }
}

fn open(disk: &SimDisk) -> Store {
    let opened = Store::open_on(Arc::new(disk.clone()), keeping(u64::MAX));
    opened.expect("the store opens").0
}

/// Writes versions up to one, each durable.
fn write(object: &Object, up_to: u64) {
    prepare(object).unwrap();
    for number in version(object).unwrap_or(0) + 1..=up_to {
        let mut dice = Dice::new(number);
        let body: Vec<u8> = (0..3000).map(|_| dice.next() as u8).collect();
        put_durably(object, number, &body).unwrap();
    }
}

/// Closes an object and opens it again, as the node does.
fn again(store: &Store, object: Object) -> Object {
    let key = object.key();
    block_on(object.close()).unwrap();
    let mut object = store.object(key).unwrap();
    object.finish_restore().unwrap();
    object
}

fn restore(store: &Store, object: Object, to: &Bookmark) -> (Object, Bookmark) {
    let undo = object.past().restore_next(to).unwrap();
    (again(store, object), undo)
}

/// The version that a database has which is made of an object's pages of then.
pub(crate) fn database_at(
    store: &Store,
    number: u8,
    bookmark: &Bookmark,
) -> Result<(tempfile::TempDir, Connection), HistoryError> {
    use std::os::unix::fs::FileExt;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("then.sqlite");
    let file = std::fs::File::create(&path).unwrap();
    let pages = store.pages_at(key(number), bookmark, &mut |page, bytes| {
        file.write_all_at(bytes, u64::from(page - 1) * 4096)
    })?;
    assert_eq!(file.metadata().unwrap().len(), u64::from(pages) * 4096);
    Ok((dir, Connection::open(path).unwrap()))
}

#[test]
fn an_object_becomes_what_it_was_and_back_again() {
    let store = open(&SimDisk::default());
    let object = store.object(key(1)).unwrap();
    let empty = object.past().now();
    write(&object, 5);
    let five = object.past().now();
    write(&object, 90);
    store.checkpoint().unwrap();
    write(&object, 120);

    let (object, undo) = restore(&store, object, &five);
    assert_eq!(version(&object), Some(5));
    // Texts sort as the points do, with what is to come between.
    write(&object, 7);
    let seven = object.past().now();
    let texts = [empty, five, undo, seven].map(|point| point.text(key(1)));
    assert!(texts.is_sorted(), "{texts:?}");

    let (object, back) = restore(&store, object, &undo);
    assert_eq!(version(&object), Some(120));
    let (object, _) = restore(&store, object, &back);
    assert_eq!(version(&object), Some(7));
    let (object, _) = restore(&store, object, &empty);
    assert_eq!(object.size(), 0);
    assert_eq!(version(&object), None);
    let (object, _) = restore(&store, object, &seven);
    assert_eq!(version(&object), Some(7));
    // It is what it is, not to be restored again.
    write(&object, 8);
    let object = again(&store, object);
    assert_eq!(version(&object), Some(8));
    drop(object);
    let (_dir, then) = database_at(&store, 1, &undo).unwrap();
    let count: i64 = then
        .query_row("SELECT count(*) FROM t", (), |row| row.get(0))
        .unwrap();
    assert_eq!(count, 120);
}

#[test]
fn what_is_wanted_outlives_the_process() {
    let disk = SimDisk::default();
    let store = open(&disk);
    let object = store.object(key(1)).unwrap();
    write(&object, 60);
    let sixty = object.past().now();
    write(&object, 90);
    object.past().restore_next(&sixty).unwrap();
    assert!(store.is_restoring(key(1)));
    // What is written until then is undone with the rest.
    write(&object, 95);
    drop((object, store));
    let store = open(&disk);
    assert!(store.is_restoring(key(1)));
    let object = store.object(key(1)).unwrap();
    assert!(object.is_restored());
    assert_eq!(version(&object), Some(60));
    drop(object);
    // Until somebody has said that all is done.
    let mut object = store.object(key(1)).unwrap();
    assert!(object.is_restored());
    object.finish_restore().unwrap();
    assert!(!store.is_restoring(key(1)));
}

#[test]
fn times_lead_to_states() {
    let store = open(&SimDisk::default());
    let object = store.object(key(1)).unwrap();
    let past = object.past();
    let now = || past.now();
    let mut states = Vec::new();
    for number in [3, 40, 41, 70] {
        write(&object, number);
        let taken = now();
        // A later commit has a later time.
        let mut later = now();
        while later.text(key(1))[27..39] == taken.text(key(1))[27..39] {
            later = now();
        }
        let time = u64::from_str_radix(&taken.text(key(1))[27..39], 16).unwrap();
        states.push((time, number));
        if number == 40 {
            store.checkpoint().unwrap();
        }
    }
    let at = |past: &ObjectPast, time| past.at(time).unwrap();
    let (first_time, _) = states[0];
    for (time, number) in states {
        let bookmark = at(&past, time);
        assert_eq!(bookmark, at(&past, time), "the same for the same time");
        let (_dir, then) = database_at(&store, 1, &bookmark).unwrap();
        let count: u64 = then
            .query_row("SELECT count(*) FROM t", (), |row| row.get::<_, i64>(0))
            .unwrap() as u64;
        assert_eq!(count, number);
    }
    let late = past.at(u64::MAX).unwrap_err();
    assert!(matches!(late, HistoryError::Late), "{late}");
    // Before there was anything, there was nothing.
    let first = at(&past, first_time - 60_000);
    assert_eq!(
        store.pages_at(key(1), &first, &mut |_, _| Ok(())).unwrap(),
        0
    );
}

#[test]
fn what_is_no_point_of_the_past_is_refused() {
    let disk = SimDisk::default();
    let store = open(&disk);
    let first = store.object(key(1)).unwrap();
    let second = store.object(key(2)).unwrap();
    write(&first, 3);
    write(&second, 3);
    let of_second = second.past().now();
    // It is later than anything of the first, so it is not refused for its number.
    let text = of_second.text(key(2));
    assert!(Bookmark::parse(&text, key(1)).is_err());
    drop((first, second, store));
    let options = StoreOptions {
        keep: Retention::Nothing,
        ..small()
    };
    let (store, _) = Store::open_on(Arc::new(disk.clone()), options).unwrap();
    let object = store.object(key(1)).unwrap();
    let now = object.past().now();
    let refused = object.past().restore_next(&now).unwrap_err();
    assert!(matches!(refused, HistoryError::Off), "{refused}");
    assert!(
        disk.files()
            .iter()
            .all(|(path, _)| !path.starts_with("history/"))
    );
}

/// A store that is older than its history, and an object that was replaced.
#[test]
fn a_history_begins_where_the_store_did_not() {
    let disk = SimDisk::default();
    let (store, _) = Store::open_on(Arc::new(disk.clone()), small()).unwrap();
    for number in [1, 2] {
        write(&store.object(key(number)).unwrap(), 20);
    }
    store.checkpoint().unwrap();
    drop(store);
    let store = open(&disk);
    let object = store.object(key(1)).unwrap();
    let before = object.past().now();
    write(&object, 21);
    // Its pages were overwritten before anybody kept them.
    let refused = object.past().restore_next(&before).unwrap_err();
    assert!(matches!(refused, HistoryError::Unknown), "{refused}");
    store.checkpoint().unwrap();
    let begun = object.past().now();
    write(&object, 30);
    let (object, _) = restore(&store, object, &begun);
    assert_eq!(version(&object), Some(21));
    let refused = object.past().restore_next(&before).unwrap_err();
    assert!(matches!(refused, HistoryError::Early { .. }), "{refused}");
    // Nothing changed the other, so it is what it was.
    let object = store.object(key(2)).unwrap();
    let (object, _) = {
        let now = object.past().now();
        restore(&store, object, &now)
    };
    assert_eq!(version(&object), Some(20));
}

#[test]
fn the_oldest_goes_when_it_is_too_much() {
    let disk = SimDisk::default();
    let (store, _) = Store::open_on(Arc::new(disk.clone()), keeping(200 << 10)).unwrap();
    let object = store.object(key(1)).unwrap();
    let mut points = Vec::new();
    for number in 1..=150 {
        write(&object, number);
        points.push((number, object.past().now()));
        if number % 10 == 0 {
            store.checkpoint().unwrap();
        }
        assert!(store.history_bytes().unwrap() <= 400 << 10);
    }
    assert!(store.history_bytes().unwrap() <= 200 << 10);
    let mut known = 0;
    for (number, point) in &points {
        match database_at(&store, 1, point) {
            Ok((_dir, then)) => {
                let count: i64 = then
                    .query_row("SELECT count(*) FROM t", (), |row| row.get(0))
                    .unwrap();
                assert_eq!(count as u64, *number);
                known += 1;
            }
            Err(error) => {
                assert!(
                    matches!(error, HistoryError::Early { since } if since > 0),
                    "{error}"
                );
                assert_eq!(known, 0, "the newest are known");
            }
        }
    }
    assert!((10..140).contains(&known), "{known}");
    assert_eq!(store.history_faults().unwrap(), [""; 0]);
    let (_, oldest) = points[points.len() - known];
    let (object, undo) = restore(&store, object, &oldest);
    assert_eq!(version(&object), Some(151 - known as u64));
    let (object, _) = restore(&store, object, &undo);
    assert_eq!(version(&object), Some(150));
}

#[test]
fn on_a_full_disk_the_past_gives_way() {
    let disk = SimDisk::default();
    let store = open(&disk);
    let object = store.object(key(1)).unwrap();
    // Changes one page again and again, so that the database itself stays small.
    prepare(&object).unwrap();
    put_durably(&object, 1, b"one").unwrap();
    let first = object.past().now();
    let change = || {
        let sql = "UPDATE t SET body = randomblob(3000)";
        let changed = object.connection().execute(sql, ());
        changed.map_err(|error| object.explain(error))
    };
    while store.history_bytes().unwrap() < 500 << 10 {
        change().unwrap();
        block_on(object.newest().unwrap().wait()).unwrap();
    }
    disk.limit(Some(80 << 10));
    for _ in 0..200 {
        loop {
            match change() {
                Ok(_) => break block_on(object.newest().unwrap().wait()).unwrap(),
                // Room is being made.
                Err(ObjectError::Log(LogError::Full)) => std::thread::yield_now(),
                Err(error) => panic!("{error}"),
            }
        }
    }
    let gone = object.past().restore_next(&first).unwrap_err();
    assert!(matches!(gone, HistoryError::Early { .. }), "{gone}");
}

#[test]
fn rot_in_the_past_is_named_and_changes_nothing() {
    let disk = SimDisk::default();
    let store = open(&disk);
    let object = store.object(key(1)).unwrap();
    write(&object, 5);
    let five = object.past().now();
    write(&object, 30);
    store.checkpoint().unwrap();
    write(&object, 31);
    let segment = disk
        .files()
        .into_iter()
        .map(|(path, _)| path)
        .find(|path| path.starts_with("history/") && path.ends_with(".log"))
        .unwrap();
    object.past().restore_next(&five).unwrap();
    disk.flip(&segment, 8000, 3);
    let faults = store.history_faults().unwrap();
    assert!(faults[0].starts_with(&segment), "{faults:?}");
    block_on(object.close()).unwrap();
    let refused = store.object(key(1)).err().unwrap();
    assert!(
        matches!(&refused, ObjectError::NotRestored { why, .. } if why.contains(&segment)),
        "{refused}"
    );
    // Said once; then the object is as it was.
    assert_eq!(version(&store.object(key(1)).unwrap()), Some(31));
}

#[test]
fn a_restore_mends_rot_of_the_database() {
    let disk = SimDisk::default();
    let store = open(&disk);
    let object = store.object(key(1)).unwrap();
    write(&object, 9);
    let nine = object.past().now();
    object.past().restore_next(&nine).unwrap();
    block_on(object.close()).unwrap();
    store.checkpoint().unwrap();
    let path = format!("objects/{:016x}/01/{}.sqlite", 1, key(1).id);
    disk.flip(&path, 2 * 4096 + 100, 1);
    assert_eq!(store.damaged_pages(key(1)).unwrap(), [3]);
    let object = store.object(key(1)).unwrap();
    assert_eq!(version(&object), Some(9));
    drop(object);
    store.checkpoint().unwrap();
    assert_eq!(store.damaged_pages(key(1)).unwrap(), []);
}

#[test]
fn a_lost_part_of_the_past_is_noticed() {
    let disk = SimDisk::default();
    let store = open(&disk);
    let object = store.object(key(1)).unwrap();
    write(&object, 5);
    let five = object.past().now();
    store.checkpoint().unwrap();
    write(&object, 10);
    drop((object, store));
    // A version that knows of no history drops the log.
    let none = StoreOptions {
        keep: Retention::AsItIs,
        ..small()
    };
    let hidden: Vec<_> = disk
        .files()
        .into_iter()
        .filter(|(path, _)| path.starts_with("history/"))
        .collect();
    for (path, _) in &hidden {
        disk.rename(path, &format!("hidden/{path}")).unwrap();
    }
    let (without, _) = Store::open_on(Arc::new(disk.clone()), none).unwrap();
    without.checkpoint().unwrap();
    drop(without);
    for (path, _) in &hidden {
        disk.rename(&format!("hidden/{path}"), path).unwrap();
    }
    let store = open(&disk);
    let object = store.object(key(1)).unwrap();
    assert_eq!(version(&object), Some(10));
    let refused = object.past().restore_next(&five).unwrap_err();
    assert!(matches!(refused, HistoryError::Early { .. }), "{refused}");
    write(&object, 11);
    store.checkpoint().unwrap();
    let eleven = object.past().now();
    write(&object, 15);
    let (object, _) = restore(&store, object, &eleven);
    assert_eq!(version(&object), Some(11));
}

#[test]
fn a_full_disk_is_started_on_with_less_of_the_past() {
    let disk = SimDisk::default();
    let store = open(&disk);
    let object = store.object(key(1)).unwrap();
    prepare(&object).unwrap();
    put_durably(&object, 1, b"one").unwrap();
    while store.history_bytes().unwrap() < 500 << 10 {
        let sql = "UPDATE t SET body = randomblob(3000)";
        object.connection().execute(sql, ()).unwrap();
        block_on(object.newest().unwrap().wait()).unwrap();
    }
    drop((object, store));
    // A new log has no room.
    disk.limit(Some(10 << 10));
    let mut options = keeping(u64::MAX);
    options.log.segment_bytes = 256 << 10;
    let (store, _) = Store::open_on(Arc::new(disk.clone()), options).unwrap();
    assert!(store.history_bytes().unwrap() < 500 << 10);
    let object = store.object(key(1)).unwrap();
    assert_eq!(version(&object), Some(1));
    let changed = object.connection().execute("UPDATE t SET body = 'x'", ());
    changed.unwrap();
    block_on(object.newest().unwrap().wait()).unwrap();
    assert_eq!(store.history_faults().unwrap(), [""; 0]);
}

const DAY: u64 = 24 * 3600 * 1000;
const YEAR: u64 = 365 * DAY;

/// Versions that one has at points in time, where these are known.
fn version_at(store: &Store, time: u64) -> Result<u64, HistoryError> {
    let point = store.bookmark_at(key(1), time)?;
    let (_dir, then) = database_at(store, 1, &point)?;
    let table = "SELECT count(*) FROM sqlite_schema";
    let count = |sql: &str| then.query_row(sql, (), |row| row.get::<_, i64>(0)).unwrap();
    Ok(if count(table) == 0 {
        0
    } else {
        count("SELECT count(*) FROM t") as u64
    })
}

#[test]
fn a_clock_that_was_set_wrong_throws_no_past_away() {
    static NOW: AtomicU64 = AtomicU64::new(50 * YEAR);
    let set = |now| NOW.store(now, Ordering::Relaxed);
    let mut options = keeping(u64::MAX);
    options.clock = Clock::new(|| NOW.load(Ordering::Relaxed));
    let disk = SimDisk::default();
    let (store, _) = Store::open_on(Arc::new(disk.clone()), options).unwrap();
    let object = store.object(key(1)).unwrap();
    let mut points = Vec::new();
    for day in 0..20 {
        set(50 * YEAR + day * DAY);
        write(&object, day + 1);
        points.push((day + 1, object.past().now()));
        store.checkpoint().unwrap();
    }
    let are_known = |store: &Store| {
        for (number, point) in &points {
            let (_dir, then) = database_at(store, 1, point).unwrap();
            let count = then.query_row("SELECT count(*) FROM t", (), |row| row.get(0));
            assert_eq!(count, Ok(*number as i64));
        }
    };
    // A year ahead, with commits and without, and over starts.
    let then = 50 * YEAR + 20 * DAY;
    set(then);
    write(&object, 21);
    set(then + YEAR);
    write(&object, 22);
    store.checkpoint().unwrap();
    are_known(&store);
    drop((object, store));
    let (store, _) = Store::open_on(Arc::new(disk.clone()), options).unwrap();
    store.checkpoint().unwrap();
    are_known(&store);
    set(then + DAY);
    let object = store.object(key(1)).unwrap();
    write(&object, 23);
    store.checkpoint().unwrap();
    are_known(&store);
    // In 1970, as machines are whose battery is empty.
    set(1000);
    write(&object, 24);
    store.checkpoint().unwrap();
    are_known(&store);
    set(then + 2 * DAY);
    write(&object, 25);
    store.checkpoint().unwrap();
    are_known(&store);
    for day in 0..20 {
        let at = 50 * YEAR + day * DAY + DAY / 2;
        assert_eq!(version_at(&store, at).unwrap(), day + 1, "day {day}");
    }
    assert_eq!(version_at(&store, then + 2 * DAY).unwrap(), 25);

    // What is really old goes, and what was said of a wrong time is in nobody's way.
    for day in 0..60 {
        set(then + (3 + day) * DAY);
        write(&object, 26 + day);
        store.checkpoint().unwrap();
    }
    let refused = database_at(&store, 1, &points[19].1).unwrap_err();
    assert!(matches!(refused, HistoryError::Early { .. }), "{refused}");
    let now = then + 62 * DAY;
    assert!(matches!(
        version_at(&store, now - 31 * DAY),
        Err(HistoryError::Early { .. })
    ));
    for day in 1..28 {
        let at = now - day * DAY + DAY / 2;
        assert_eq!(version_at(&store, at).unwrap(), 85 - day, "{day} days ago");
    }
    assert_eq!(store.history_faults().unwrap(), [""; 0]);
}

/// Where the clock is ahead while the oldest goes for its size, the history does not
/// begin in the future.
#[test]
fn a_history_does_not_begin_in_the_future() {
    static NOW: AtomicU64 = AtomicU64::new(50 * YEAR);
    let set = |now| NOW.store(now, Ordering::Relaxed);
    let mut options = keeping(150 << 10);
    options.clock = Clock::new(|| NOW.load(Ordering::Relaxed));
    let (store, _) = Store::open_on(Arc::new(SimDisk::default()), options).unwrap();
    let object = store.object(key(1)).unwrap();
    write(&object, 10);
    set(51 * YEAR);
    write(&object, 20);
    store.checkpoint().unwrap();
    for number in 21..200 {
        set(50 * YEAR + number * 1000);
        write(&object, number);
    }
    store.checkpoint().unwrap();
    let early = version_at(&store, 50 * YEAR).unwrap_err();
    assert!(matches!(early, HistoryError::Early { .. }), "{early}");
    for number in 190..200 {
        let found = version_at(&store, 50 * YEAR + number * 1000).unwrap();
        assert_eq!(found, number);
    }
}

#[test]
fn bookmarks_sort_as_they_were_taken_though_the_clock_is_set_back() {
    static NOW: AtomicU64 = AtomicU64::new(100 * YEAR);
    let mut options = keeping(u64::MAX);
    options.clock = Clock::new(|| NOW.fetch_sub(DAY, Ordering::Relaxed));
    let (store, _) = Store::open_on(Arc::new(SimDisk::default()), options).unwrap();
    let object = store.object(key(1)).unwrap();
    write(&object, 1);
    let texts: Vec<_> = (0..5).map(|_| object.past().now().text(key(1))).collect();
    assert!(texts.is_sorted(), "{texts:?}");
}
