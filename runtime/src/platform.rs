//! V8 itself, set up once a process.

use std::sync::Once;

use deno_core::{JsRuntime, v8};

use crate::cage::{Cage, Room, Usage};

/// The heap image that every isolate starts from, with the sources of the
/// scripts that are not in it. `runtime/snapshot` builds the one there is.
#[derive(Debug, Clone, Copy)]
pub struct Snapshot {
    pub image: &'static [u8],
    /// `(specifier, source)` of scripts that load when first used.
    pub lazy_scripts: &'static [(&'static str, &'static str)],
}

/// Proof that V8 is set up; lanes are started from it.
#[derive(Debug, Clone, Copy)]
pub struct Engine {
    pub(crate) snapshot: Snapshot,
    pub(crate) cage: &'static Cage,
}

/// Whether scripts can ask for a garbage collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Collector {
    Hidden,
    /// As the global `gc()`.
    Exposed,
}

/// Flags for small, many isolates. They must be set before V8 starts.
const FLAGS: &str = concat!(
    // New space starts and stays small: an idle isolate keeps little, and a
    // request's garbage is gone in one short scavenge.
    " --min-semi-space-size=1 --semi-space-growth-factor=2",
    // V8 would collect every isolate some seconds after it went idle, at
    // milliseconds of the lane's time each, for the few kilobytes that a small
    // heap gives back. The lane collects the large ones itself (lane.rs).
    " --no-memory-reducer",
    " --no-harmony-temporal",
    // V8 15.0's turboshaft marks a bounded loop's stack check for removal; where
    // that loop has none (filling a new array), it removes the enclosing loop's
    // instead (LoopStackCheckElisionReducer), and such a loop cannot be stopped:
    // `for (;;) new Array(1000).fill({})` would hold its lane for ever.
    " --no-turboshaft-loop-unrolling",
);

impl Engine {
    /// Sets V8 up. Call it on the thread that will start the lanes (or an
    /// ancestor of it): V8's memory protection keys are inherited by threads.
    pub fn init(snapshot: Snapshot) -> Self {
        Self::init_with(snapshot, Collector::Hidden)
    }

    /// The same, for tests that call `gc()`: of several calls the first counts.
    pub fn init_with(snapshot: Snapshot, collector: Collector) -> Self {
        static INIT: Once = Once::new();
        INIT.call_once(|| {
            v8::V8::set_flags_from_string(FLAGS);
            if collector == Collector::Exposed {
                v8::V8::set_flags_from_string("--expose-gc");
            }
            // V8's own source reads /dev/urandom through a 4 KiB buffer for the
            // 8 bytes that each isolate wants: 3 % of starting one.
            v8::V8::set_entropy_source(|buffer| getrandom::fill(buffer).is_ok());
            JsRuntime::init_platform(None);
        });
        Self {
            snapshot,
            cage: Cage::of_process(),
        }
    }

    /// For lanes whose isolates may have so many bytes together, counted apart from
    /// those of other lanes; they end idle isolates, and then refuse new ones,
    /// as for want of room in the process. What counts them is never freed.
    pub fn with_room(self, room: Room) -> Self {
        Self {
            cage: Box::leak(Box::new(Cage::new(room))),
            ..self
        }
    }

    /// What its lanes' isolates use together.
    pub fn usage(self) -> Usage {
        self.cage.usage()
    }
}
