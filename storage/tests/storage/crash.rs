//! The power goes at every operation in turn.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::executor::block_on;
use outboard_storage::{Object, Store};

use crate::sim_disk::SimDisk;
use crate::support::{Dice, key, prepare, put, small, version};

/// What a run knows of an object.
#[derive(Debug, Default, Clone, Copy)]
struct Known {
    /// The last version whose commit was acknowledged.
    acknowledged: u64,
    /// The last version whose transaction was tried.
    tried: u64,
}

const OBJECTS: u8 = 4;

/// Writes to some objects until done or the power is off.
fn work(disk: &SimDisk, dice: &mut Dice, known: &mut BTreeMap<u8, Known>) {
    let Ok((store, _)) = Store::open_on(Arc::new(disk.clone()), small()) else {
        return;
    };
    let mut open: BTreeMap<u8, Object> = BTreeMap::new();
    let mut untouched: BTreeSet<u8> = (0..OBJECTS).collect();
    for _ in 0..40 {
        let number = dice.below(OBJECTS.into()) as u8;
        if dice.below(6) == 0 {
            // Some are closed in order, others just dropped.
            if let Some(object) = open.remove(&number)
                && dice.below(2) == 0
            {
                let _ = block_on(object.close());
            }
            continue;
        }
        if dice.below(20) == 0 && store.checkpoint().is_err() {
            return;
        }
        let object = match open.entry(number) {
            Entry::Occupied(object) => object.into_mut(),
            Entry::Vacant(vacant) => {
                let Ok(object) = store.object(key(number)) else {
                    return;
                };
                let entry = known.entry(number).or_default();
                let found = version(&object).unwrap_or(0);
                entry.tried = entry.tried.max(found);
                if untouched.remove(&number) {
                    // Whoever reads what a start found is told of it.
                    entry.acknowledged = entry.acknowledged.max(found);
                }
                vacant.insert(object)
            }
        };
        if prepare(object).is_err() {
            return;
        }
        let entry = known.entry(number).or_default();
        let body = vec![dice.next() as u8; dice.below(9000) as usize];
        let next = version(object).unwrap_or(0) + 1;
        entry.tried = entry.tried.max(next);
        if put(object, next, &body).is_err() {
            return;
        }
        if dice.below(3) == 0 {
            let receipt = object.newest().expect("there was a commit");
            if block_on(receipt.wait()).is_err() {
                return;
            }
            entry.acknowledged = next;
        }
    }
}

/// Looks at all objects after a crash.
fn check(disk: &SimDisk, known: &BTreeMap<u8, Known>, how: &str) {
    let (store, recovery) = Store::open_on(Arc::new(disk.clone()), small())
        .unwrap_or_else(|error| panic!("{how}: {error}"));
    assert_eq!(recovery.damage, [], "{how}");
    for (number, known) in known {
        let object = store
            .object(key(*number))
            .unwrap_or_else(|error| panic!("{how}: {error}"));
        let found = version(&object).unwrap_or(0);
        assert!(
            (known.acknowledged..=known.tried).contains(&found),
            "{how}: object {number} is at {found}, and {known:?}"
        );
    }
}

/// Invariant 1.
#[test]
fn an_acknowledged_commit_survives_a_power_cut() {
    let whole = SimDisk::default();
    work(&whole, &mut Dice::new(0), &mut BTreeMap::new());
    let operations = whole.operations();
    assert!(operations > 60, "the run is too short to cut: {operations}");
    for seed in 0..3 {
        for cut in 0..operations {
            let how = format!("seed {seed}, cut {cut} of {operations}");
            let mut dice = Dice::new(seed);
            let mut known = BTreeMap::new();
            let disk = SimDisk::default();
            disk.power_off_after(cut);
            work(&disk, &mut dice, &mut known);
            // The power goes again, while the node recovers or soon after.
            let disk = disk.after_power_cut(&mut dice);
            disk.power_off_after(dice.below(operations));
            work(&disk, &mut dice, &mut known);
            let disk = disk.after_power_cut(&mut dice);
            check(&disk, &known, &how);
        }
    }
}

/// What a killed process wrote is there for the next, and not durable.
#[test]
fn what_a_start_found_after_a_kill_survives_a_power_cut() {
    let whole = SimDisk::default();
    work(&whole, &mut Dice::new(0), &mut BTreeMap::new());
    let operations = whole.operations();
    for seed in 0..3 {
        for cut in 0..operations {
            let how = format!("seed {seed}, killed at {cut} of {operations}");
            let mut dice = Dice::new(seed);
            let mut known = BTreeMap::new();
            let disk = SimDisk::default();
            disk.power_off_after(cut);
            work(&disk, &mut dice, &mut known);
            let disk = disk.after_kill();
            disk.power_off_after(dice.below(operations / 2));
            work(&disk, &mut dice, &mut known);
            let disk = disk.after_power_cut(&mut dice);
            check(&disk, &known, &how);
        }
    }
}
