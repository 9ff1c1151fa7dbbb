//! The cage: 4 GB of addresses in which all V8 heaps of a process lie, and the
//! 128 MB beside it for their machine code. V8 ends the process when either is
//! full, so what the isolates take, and what they may grow by before anybody
//! looks, is counted over all lanes.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What of the cage is given out. The rest, of 4 GB, is for what grows between
/// two looks besides what is reserved for it, and for V8's own read-only heap.
const SIZE: usize = 3_600 << 20;

/// What the heap of a new isolate takes at once.
const FRESH: usize = 1 << 20;

/// What of the range for code is given out. An isolate that compiles anything has a
/// page of 256 KB, so that this is some 370 of them.
const CODE: usize = 96 << 20;

/// What an isolate's code takes before it is first measured.
const FRESH_CODE: usize = 512 << 10;

/// What the code of one isolate may take: two of them that grow between two looks
/// leave the range its room.
pub(crate) const MOST_CODE: usize = 16 << 20;

/// The counts; every lane and isolate has its [`Share`] of them.
#[derive(Debug)]
pub(crate) struct Cage {
    size: Room,
    /// Bytes that heaps have taken.
    heaps: AtomicUsize,
    /// Bytes of pages with machine code.
    code: AtomicUsize,
    /// Bytes that running isolates may take before they are measured again.
    growth: AtomicUsize,
    isolates: AtomicUsize,
    /// The largest heap that was refused room since there was enough.
    refused: AtomicUsize,
}

/// Bytes that isolates may have together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    pub heaps: usize,
    pub code: usize,
}

/// What an engine's isolates use together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Isolates there are, those that are kept ready included.
    pub isolates: usize,
    /// Bytes of their heaps when last measured.
    pub heaps: usize,
    /// Bytes of their pages with machine code.
    pub code: usize,
}

/// An isolate's parts of the sums, and itself.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) heap: Share,
    pub(crate) code: Share,
    _one: Share,
}

/// A part of a sum over all lanes, given back when dropped.
#[derive(Debug)]
pub(crate) struct Share {
    sum: &'static AtomicUsize,
    part: Cell<usize>,
}

impl Share {
    fn new(sum: &'static AtomicUsize, part: usize) -> Self {
        sum.fetch_add(part, Ordering::Relaxed);
        let part = Cell::new(part);
        Self { sum, part }
    }

    pub(crate) fn get(&self) -> usize {
        self.part.get()
    }

    pub(crate) fn set(&self, part: usize) {
        let before = self.part.replace(part);
        self.sum.fetch_add(part, Ordering::Relaxed);
        self.sum.fetch_sub(before, Ordering::Relaxed);
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.sum.fetch_sub(self.part.get(), Ordering::Relaxed);
    }
}

impl Cage {
    pub(crate) const fn new(size: Room) -> Self {
        Self {
            size,
            heaps: AtomicUsize::new(0),
            code: AtomicUsize::new(0),
            growth: AtomicUsize::new(0),
            isolates: AtomicUsize::new(0),
            refused: AtomicUsize::new(0),
        }
    }

    /// The one there is in a process.
    pub(crate) fn of_process() -> &'static Self {
        static CAGE: Cage = Cage::new(Room {
            heaps: SIZE,
            code: CODE,
        });
        &CAGE
    }

    /// One more isolate, with a heap of this size.
    pub(crate) fn isolate(&'static self, heap: usize) -> Part {
        Part {
            heap: Share::new(&self.heaps, heap),
            code: Share::new(&self.code, 0),
            _one: Share::new(&self.isolates, 1),
        }
    }

    /// A lane's: what one of its isolates may grow by. Another one's turn comes
    /// only when the first one's ended, and a long one ends with a look.
    pub(crate) fn lane(&'static self) -> Share {
        Share::new(&self.growth, 0)
    }

    /// Whether an isolate with this heap limit fits besides all there are, on a
    /// lane with this growth.
    pub(crate) fn fits(&self, heap: usize, lane: &Share) -> bool {
        let others = self.growth.load(Ordering::Relaxed) - lane.get();
        let growth = others + lane.get().max(heap);
        let heaps = self.heaps.load(Ordering::Relaxed) + FRESH + growth;
        heaps <= self.size.heaps && !self.is_short_of_code()
    }

    /// Whether there is no room for a new isolate's code. One that has none makes
    /// no room by ending.
    pub(crate) fn is_short_of_code(&self) -> bool {
        self.code.load(Ordering::Relaxed) + FRESH_CODE > self.size.code
    }

    /// Whether heaps have grown into what is kept for their growth, or another
    /// lane was refused room that there is not yet.
    pub(crate) fn is_short(&self, lane: &Share) -> bool {
        let taken = self.heaps.load(Ordering::Relaxed) + self.growth.load(Ordering::Relaxed);
        let refused = self.refused.load(Ordering::Relaxed);
        taken > self.size.heaps
            || self.code.load(Ordering::Relaxed) > self.size.code
            || (refused > 0 && !self.fits(refused, lane))
    }

    /// Notes that a heap was refused room, so that lanes with idle isolates make
    /// some.
    pub(crate) fn refuse(&self, heap: usize) {
        self.refused.fetch_max(heap, Ordering::Relaxed);
    }

    /// There is room for what was refused.
    pub(crate) fn relieved(&self) {
        self.refused.store(0, Ordering::Relaxed);
    }

    pub(crate) fn usage(&self) -> Usage {
        Usage {
            isolates: self.isolates.load(Ordering::Relaxed),
            heaps: self.heaps.load(Ordering::Relaxed),
            code: self.code.load(Ordering::Relaxed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heaps_and_what_each_lane_may_grow_by_are_kept_room_for() {
        let cage: &'static Cage = Box::leak(Box::new(Cage::new(Room {
            heaps: FRESH + 100,
            code: FRESH_CODE,
        })));
        let (quiet, busy) = (cage.lane(), cage.lane());
        assert!(cage.fits(100, &quiet) && !cage.fits(101, &quiet));
        let Part { heap, code, _one } = cage.isolate(10);
        busy.set(40);
        // 10 in use, 40 for the busy lane: 50 are left.
        assert!(cage.fits(50, &quiet) && !cage.fits(51, &quiet));
        // The busy lane runs one at a time.
        assert!(cage.fits(90, &busy) && !cage.fits(91, &busy));
        heap.set(30);
        assert!(!cage.fits(31, &quiet) && !cage.is_short(&quiet));
        cage.refuse(31);
        assert!(cage.is_short(&quiet));
        cage.relieved();
        assert!(!cage.is_short(&quiet));
        heap.set(FRESH + 61);
        assert!(cage.is_short(&quiet));
        let usage = cage.usage();
        assert_eq!((usage.isolates, usage.heaps), (1, FRESH + 61));
        drop((heap, busy));
        assert!(cage.fits(100, &quiet) && !cage.is_short(&quiet));
        code.set(1);
        assert!(!cage.fits(100, &quiet) && !cage.is_short(&quiet));
        code.set(FRESH_CODE + 1);
        assert!(cage.is_short(&quiet));
        drop((code, _one));
        assert!(cage.fits(100, &quiet));
    }
}
