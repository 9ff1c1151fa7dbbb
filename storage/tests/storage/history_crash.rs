//! The power goes at every operation, while objects become what they were.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::executor::block_on;
use outboard_storage::{Bookmark, HistoryError, Object, ObjectError, Store, TransferError};
use rusqlite::Connection;

use crate::history::{database_at, keeping};
use crate::sim_disk::SimDisk;
use crate::support::{Dice, key, prepare, put_durably};

/// All that a database holds, in short.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Dump(String);

fn dump(connection: &Connection) -> Dump {
    let check: String = connection
        .query_row("PRAGMA integrity_check", (), |row| row.get(0))
        .expect("the check runs");
    assert_eq!(check, "ok");
    let is_there: i64 = connection
        .query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get(0))
        .expect("the schema is readable");
    if is_there == 0 {
        return Dump("nothing".into());
    }
    let mut statement = connection
        .prepare("SELECT version || '=' || hex(substr(body, 1, 4)) || length(body) FROM t")
        .expect("the table is readable");
    let rows = statement.query_map((), |row| row.get::<_, String>(0));
    let rows: Vec<_> = rows.expect("rows").map(|row| row.expect("a row")).collect();
    Dump(rows.join(" "))
}

/// What a run knows of an object.
#[derive(Default, Clone)]
struct Known {
    /// States that it may be in: the last that was acknowledged, and tried ones.
    possible: Vec<Dump>,
    /// What it is where a restore that it waits for cannot be any more.
    otherwise: Option<Dump>,
    /// States that it was in for certain.
    states: Vec<(Bookmark, Dump)>,
}

const OBJECTS: u8 = 2;

struct Run<'a> {
    store: Store,
    limit: u64,
    dice: &'a mut Dice,
    known: &'a mut BTreeMap<u8, Known>,
}

/// The power is off.
struct Off;

impl From<ObjectError> for Off {
    fn from(error: ObjectError) -> Self {
        assert!(
            !matches!(
                error,
                ObjectError::Damaged { .. } | ObjectError::NotRestored { .. }
            ),
            "{error}"
        );
        Off
    }
}

impl Run<'_> {
    /// Opens an object, and sees that it is in a state that it may be in.
    fn open(&mut self, number: u8) -> Result<Object, Off> {
        let known = self.known.entry(number).or_default();
        let mut object = match self.store.object(key(number)) {
            Err(ObjectError::NotRestored { why, .. }) if self.limit < u64::MAX => {
                assert!(why.contains("before"), "{why}");
                known.possible.extend(known.otherwise.take());
                self.store.object(key(number))?
            }
            other => other?,
        };
        known.otherwise = None;
        let found = dump(object.connection());
        if known.possible.is_empty() {
            known.possible.push(Dump("nothing".into()));
        }
        assert!(
            known.possible.contains(&found),
            "{number} is {found:?}, and may be {:?}",
            known.possible
        );
        object.finish_restore()?;
        // What was seen may still be lost.
        if let Some(newest) = object.newest() {
            block_on(newest.wait()).map_err(|_| Off)?;
        }
        known.possible = vec![found];
        Ok(object)
    }

    /// One transaction.
    fn write(&mut self, number: u8, object: &Object) -> Result<(), Off> {
        let change = |dice: &mut Dice| -> rusqlite::Result<()> {
            prepare(object)?;
            let body: Vec<u8> = (0..dice.below(6000)).map(|_| dice.next() as u8).collect();
            let connection = object.connection();
            let what = dice.below(8);
            match what {
                0 => connection.execute("DELETE FROM t WHERE version % 2 = 0", ()),
                1 => connection.execute("UPDATE t SET body = ? WHERE version % 5 = 1", (&body,)),
                2 => connection.execute("DELETE FROM t", ()),
                _ => connection.execute("INSERT INTO t (body) VALUES (?)", (&body,)),
            }
            .map(drop)
        };
        let known = self.known.get_mut(&number).expect("it is open");
        if dump(object.connection()) == Dump("nothing".into()) {
            // The table is a commit of its own.
            known.possible.push(Dump(String::new()));
        }
        change(self.dice).map_err(|error| object.explain(error))?;
        let known = self.known.get_mut(&number).expect("it is open");
        known.possible.push(dump(object.connection()));
        if self.dice.below(2) == 0 {
            self.settle(number, object)?;
        }
        Ok(())
    }

    /// Waits until the object's state is durable, and takes a bookmark of it.
    fn settle(&mut self, number: u8, object: &Object) -> Result<(), Off> {
        if let Some(newest) = object.newest() {
            block_on(newest.wait()).map_err(|_| Off)?;
        }
        let known = self.known.get_mut(&number).expect("it is open");
        let now = dump(object.connection());
        known.possible = vec![now.clone()];
        known.states.push((object.past().now(), now));
        Ok(())
    }

    /// Makes an object what it was.
    fn restore(&mut self, number: u8, object: Object) -> Result<Object, Off> {
        self.settle(number, &object)?;
        let known = self.known.get_mut(&number).expect("it is open");
        let (bookmark, then) =
            known.states[self.dice.below(known.states.len() as u64) as usize].clone();
        let now = known.possible[0].clone();
        known.possible = vec![now.clone(), then.clone()];
        let undo = match object.past().restore_next(&bookmark) {
            Ok(undo) => undo,
            Err(HistoryError::Early { .. }) => {
                known.possible = vec![now];
                return Ok(object);
            }
            Err(HistoryError::Io(_)) => return Err(Off),
            Err(error) => panic!("{error}"),
        };
        known.possible = vec![then];
        known.otherwise = Some(now.clone());
        drop(object);
        let object = self.open(number)?;
        let known = self.known.get_mut(&number).expect("it is open");
        known.states.push((undo, now));
        Ok(object)
    }

    fn work(&mut self) -> Result<(), Off> {
        let mut open: BTreeMap<u8, Object> = BTreeMap::new();
        for _ in 0..30 {
            let number = self.dice.below(OBJECTS.into()) as u8;
            let object = match open.remove(&number) {
                Some(object) => object,
                None => self.open(number)?,
            };
            let roll = self.dice.below(12);
            let object = match roll {
                0 => {
                    drop(object);
                    continue;
                }
                1 => {
                    self.store.checkpoint().map_err(|_| Off)?;
                    object
                }
                2 | 3 => self.restore(number, object)?,
                _ => {
                    self.write(number, &object)?;
                    object
                }
            };
            open.insert(number, object);
        }
        Ok(())
    }
}

/// Works until done or the power is off.
fn work(disk: &SimDisk, limit: u64, dice: &mut Dice, known: &mut BTreeMap<u8, Known>) {
    let opened = Store::open_on(Arc::new(disk.clone()), keeping(limit));
    let Ok((store, _)) = opened else { return };
    let mut run = Run {
        store,
        limit,
        dice,
        known,
    };
    let _ = run.work();
}

fn check(disk: &SimDisk, limit: u64, dice: &mut Dice, known: &mut BTreeMap<u8, Known>) {
    let (store, recovery) = Store::open_on(Arc::new(disk.clone()), keeping(limit)).expect("opens");
    assert_eq!(recovery.damage, []);
    let numbers: Vec<u8> = known.keys().copied().collect();
    let mut run = Run {
        store,
        limit,
        dice,
        known,
    };
    for number in numbers {
        let object = run
            .open(number)
            .unwrap_or_else(|_| panic!("{number} opens"));
        drop(object);
        let states = run.known[&number].states.clone();
        for _ in 0..4.min(states.len()) {
            let (bookmark, then) = &states[run.dice.below(states.len() as u64) as usize];
            match database_at(&run.store, number, bookmark) {
                Ok((_dir, database)) => assert_eq!(dump(&database), *then, "{bookmark:?}"),
                Err(HistoryError::Early { .. }) if limit < u64::MAX => {}
                Err(error) => panic!("{bookmark:?}: {error}"),
            }
        }
    }
    assert_eq!(run.store.history_faults().expect("all is read"), [""; 0]);
}

/// Invariant 1, and that a restore is there whole or not at all. `OUTBOARD_SEEDS`
/// says how many runs are cut at each operation, not at some.
#[test]
fn an_object_is_what_it_is_or_what_it_was() {
    let seeds = std::env::var("OUTBOARD_SEEDS").ok();
    let step = if seeds.is_some() { 1 } else { 5 };
    let seeds: u64 = seeds.map_or(2, |seeds| seeds.parse().expect("OUTBOARD_SEEDS"));
    for seed in 0..seeds {
        let limit = if seed % 2 == 0 { u64::MAX } else { 100 << 10 };
        let whole = SimDisk::default();
        work(&whole, limit, &mut Dice::new(seed), &mut BTreeMap::new());
        let operations = whole.operations();
        assert!(
            operations > 100,
            "the run is too short to cut: {operations}"
        );
        for cut in (seed..operations).step_by(step) {
            println!("seed {seed}, cut {cut} of {operations}");
            let mut dice = Dice::new(seed);
            let mut known = BTreeMap::new();
            let disk = SimDisk::default();
            disk.power_off_after(cut);
            work(&disk, limit, &mut dice, &mut known);
            let disk = disk.after_kill_or_power_cut(&mut dice);
            disk.power_off_after(dice.below(operations));
            work(&disk, limit, &mut dice, &mut known);
            let disk = disk.after_power_cut(&mut dice);
            check(&disk, limit, &mut dice, &mut known);
        }
    }
}

/// A database that is put in the place of another is there whole or not at all, and
/// what was before it is no past of it.
#[test]
fn an_import_is_whole_or_did_not_happen() {
    let dir = tempfile::tempdir().expect("a folder");
    let source = dir.path().join("source.sqlite");
    let new = {
        let connection = Connection::open(&source).expect("a database");
        let rows = "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n LIMIT 9)
                    INSERT INTO t (body) SELECT randomblob(3000) FROM n";
        let made = connection
            .execute_batch("CREATE TABLE t (version INTEGER PRIMARY KEY, body BLOB)")
            .and_then(|()| connection.execute_batch(rows));
        made.expect("rows");
        dump(&connection)
    };
    let run = |disk: &SimDisk, known: &mut Vec<(Bookmark, Dump)>| -> Result<(), Off> {
        let opened = Store::open_on(Arc::new(disk.clone()), keeping(u64::MAX));
        let (store, _) = opened.map_err(|_| Off)?;
        let object = store.object(key(1))?;
        for number in 1..5 {
            prepare(&object).map_err(|_| Off)?;
            put_durably(&object, number, &[number as u8; 3000])?;
            known.push((object.past().now(), dump(object.connection())));
        }
        block_on(object.close())?;
        let scratch = tempfile::tempdir().expect("a folder");
        let imported = store.import(key(1), &source, &scratch.path().join("scratch"));
        imported.map_err(|_| Off)?;
        let object = store.object(key(1))?;
        let imported = object.past().now();
        known.push((imported, dump(object.connection())));
        put_durably(&object, 10, b"more")?;
        store.checkpoint().map_err(|_| Off)?;
        known.push((object.past().now(), dump(object.connection())));
        Ok(())
    };
    let whole = SimDisk::default();
    assert!(run(&whole, &mut Vec::new()).is_ok());
    for cut in 0..whole.operations() {
        let mut dice = Dice::new(cut);
        let mut known = Vec::new();
        let disk = SimDisk::default();
        disk.power_off_after(cut);
        let _ = run(&disk, &mut known);
        let disk = disk.after_power_cut(&mut dice);
        let opened = Store::open_on(Arc::new(disk), keeping(u64::MAX));
        let (store, recovery) = opened.expect("opens");
        assert_eq!(recovery.damage, [], "cut {cut}");
        let object = store.object(key(1)).expect("opens");
        let found = dump(object.connection());
        let is_new = found.0.starts_with(&new.0);
        // Of the last write of each kind, not all may have been known.
        let is_old = ["nothing", ""].contains(&&*found.0) || found.0.contains("1=01010101");
        assert!(is_new != is_old, "cut {cut}: {found:?}");
        drop(object);
        for (bookmark, then) in known {
            match database_at(&store, 1, &bookmark) {
                Ok((_dir, database)) => assert_eq!(dump(&database), then, "cut {cut}"),
                Err(HistoryError::Early { .. } | HistoryError::Unknown) => {
                    assert!(is_new || !then.0.starts_with(&new.0), "cut {cut}: {then:?}");
                }
                Err(error) => panic!("cut {cut}: {error}"),
            }
        }
        assert_eq!(store.history_faults().expect("all is read"), [""; 0]);
    }
}

/// A restore that is larger than a commit is there whole too, or not at all.
#[test]
fn a_large_restore_is_whole_or_did_not_happen() {
    // What there was after each step, and where that is.
    let run = |disk: &SimDisk, known: &mut Vec<(Bookmark, Dump)>| -> Result<(), Off> {
        let opened = Store::open_on(Arc::new(disk.clone()), keeping(u64::MAX));
        let (store, _) = opened.map_err(|_| Off)?;
        let object = store.object(key(1))?;
        let step = |object: &Object, number: u64, known: &mut Vec<_>| {
            prepare(object).map_err(|_| Off)?;
            let mut dice = Dice::new(number);
            let body: Vec<u8> = (0..3000).map(|_| dice.next() as u8).collect();
            put_durably(object, number, &body)?;
            known.push((object.past().now(), dump(object.connection())));
            Ok::<_, Off>(())
        };
        for number in 1..=12 {
            step(&object, number, known)?;
        }
        let (then, _) = known[known.len() - 1];
        for number in 1..=12 {
            let sql = "UPDATE t SET body = zeroblob(2000) WHERE version = ?";
            while object.connection().execute(sql, (number,)).is_err() {
                if disk.is_off() {
                    return Err(Off);
                }
                std::thread::yield_now();
            }
        }
        step(&object, 13, known)?;
        let (undo, to) = (object.past().restore_next(&then), known[11].1.clone());
        let undo = undo.map_err(|_| Off)?;
        known.push((undo, known[12].1.clone()));
        block_on(object.close())?;
        let mut object = store.object(key(1))?;
        object.finish_restore()?;
        assert_eq!(dump(object.connection()), to);
        known.push((object.past().now(), to));
        step(&object, 13, known)
    };
    let whole = SimDisk::default();
    let mut states = Vec::new();
    assert!(run(&whole, &mut states).is_ok());
    let (before, wanted) = (states[12].1.clone(), states[11].1.clone());
    let (mut restored, mut refused) = (0, 0);
    let is_short = std::env::var_os("OUTBOARD_SEEDS").is_none();
    let step = if is_short { 3 } else { 1 };
    for cut in (whole.operations() / 2..whole.operations()).step_by(step) {
        let mut dice = Dice::new(cut);
        let mut known = Vec::new();
        let disk = SimDisk::default();
        disk.power_off_after(cut);
        let _ = run(&disk, &mut known);
        let mut disk = disk.after_kill_or_power_cut(&mut dice);
        // The power goes again while the restore goes on.
        for _ in 0..dice.below(3) {
            disk.power_off_after(dice.below(40));
            if let Ok((store, _)) = Store::open_on(Arc::new(disk.clone()), keeping(u64::MAX)) {
                let _ = store
                    .object(key(1))
                    .map(|mut object| object.finish_restore());
            }
            disk = disk.after_kill_or_power_cut(&mut dice);
        }
        let opened = Store::open_on(Arc::new(disk), keeping(u64::MAX));
        let (store, _) = opened.expect("opens");
        if known.len() == 14 {
            // Who only looks at it sees no half of it either.
            match store.snapshot(key(1)) {
                Err(TransferError::Restoring(_)) => refused += 1,
                snapshot => {
                    let copy = tempfile::NamedTempFile::new().expect("a file");
                    let snapshot = snapshot.expect("it is sound").expect("it is there");
                    snapshot.copy_to(&mut copy.as_file()).expect("copied");
                    let seen = dump(&Connection::open(copy.path()).expect("a database"));
                    assert!([&before, &wanted].contains(&&seen), "cut {cut}: {seen:?}");
                }
            }
        }
        let object = store.object(key(1)).expect("opens");
        let found = dump(object.connection());
        if known.len() == 14 {
            // It was asked for, and not yet seen.
            assert_eq!(found, wanted, "cut {cut}");
            restored += 1;
        }
        for (bookmark, then) in known.iter().skip(11) {
            let (_dir, database) = database_at(&store, 1, bookmark).expect("known");
            assert_eq!(dump(&database), *then, "cut {cut}");
        }
        if known.len() < 13 {
            continue;
        }
        // At no time was it half of one and half of the other.
        let time = |point: &Bookmark| u64::from_str_radix(&point.text(key(1))[27..39], 16);
        let (first, last) = (time(&known[12].0), time(&object.past().now()));
        let (first, last) = (first.expect("a number"), last.expect("a number"));
        for time in (first..last).step_by(1 + (last - first) as usize / 12) {
            let point = store.bookmark_at(key(1), time).expect("known");
            let (_dir, database) = database_at(&store, 1, &point).expect("known");
            let found = dump(&database);
            let is_whole = found == before || found.0.starts_with(&wanted.0);
            assert!(is_whole, "cut {cut}, {time}: {found:?}");
        }
    }
    assert!(restored > 0 && refused > 0, "the restore is cut");
}

/// A note that a killed process had given its name, and nobody had synced: what was
/// made of it must not be there without it, since others have to be told.
#[test]
fn what_was_made_of_a_note_does_not_outlive_it() {
    let run = |disk: &SimDisk| -> Result<(), Off> {
        let opened = Store::open_on(Arc::new(disk.clone()), keeping(u64::MAX));
        let (store, _) = opened.map_err(|_| Off)?;
        let object = store.object(key(1))?;
        prepare(&object).map_err(|_| Off)?;
        put_durably(&object, 1, b"one")?;
        let one = object.past().now();
        put_durably(&object, 2, b"two")?;
        object.past().restore_next(&one).map_err(|_| Off)?;
        Ok(())
    };
    let version = |object: &Object| crate::support::version(object);
    let whole = SimDisk::default();
    assert!(run(&whole).is_ok());
    let mut restored = 0;
    for cut in 0..whole.operations() {
        for seed in 0..4 {
            let disk = SimDisk::default();
            disk.power_off_after(cut);
            let _ = run(&disk);
            let disk = disk.after_kill();
            let (store, _) = Store::open_on(Arc::new(disk.clone()), keeping(u64::MAX)).unwrap();
            let object = store.object(key(1)).unwrap();
            let was_restored = object.is_restored();
            // Whoever opened it gets no further than this.
            let disk = disk.after_power_cut(&mut Dice::new(cut * 4 + seed));
            let (store, _) = Store::open_on(Arc::new(disk), keeping(u64::MAX)).unwrap();
            let object = store.object(key(1)).unwrap();
            if was_restored {
                assert!(object.is_restored(), "cut {cut}, seed {seed}");
                assert_eq!(version(&object), Some(1));
                restored += 1;
            }
        }
    }
    assert!(restored > 0, "the note is cut");
}
