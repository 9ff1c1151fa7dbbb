//! What ends an isolate whose memory is over its limits: V8's question near the
//! end of its heap, and the watchdog's look inside long turns.

use std::cell::Cell;
use std::rc::Rc;

use deno_core::{JsRuntime, v8};

use crate::limits::Limits;
use crate::ops::Shared;

/// What V8's heap may grow by each time it is full while its script unwinds, or
/// asks for room only because an array buffer could not be allocated.
const HEADROOM: usize = 16 << 20;

/// Stops the isolate's script where its memory is over `limits`.
pub(super) fn guard(runtime: &mut JsRuntime, shared: &Rc<Shared>, limits: &Limits) {
    let stopper = runtime.v8_isolate().thread_safe_handle();
    let full = shared.clone();
    // SAFETY: only turned back into an isolate inside the callback below.
    let isolate = unsafe { runtime.v8_isolate().as_raw_isolate_ptr() };
    runtime.add_near_heap_limit_callback(move |current, initial| {
        // SAFETY: V8 calls this on the isolate's thread, inside the isolate,
        // which `runtime` keeps alive.
        let mut isolate = unsafe { v8::Isolate::from_raw_isolate_ptr(isolate) };
        // V8 asks here also when an array buffer was refused: the script
        // then gets a RangeError, and the heap has room.
        let used = isolate.get_heap_statistics().total_heap_size();
        if used > initial - initial / 4 {
            full.heap_full.set(true);
            stopper.terminate_execution();
            // Room to unwind in: without it V8 ends the process.
            return current * 2;
        }
        current + HEADROOM
    });
    runtime.v8_isolate().set_slot(MemoryCap {
        shared: shared.clone(),
        heap: limits.heap + HEADROOM,
        external: limits.buffers + HEADROOM,
        seen: Cell::new((0, 0)),
    });
}

/// What the memory of a long turn is checked against, besides V8's own limit.
struct MemoryCap {
    shared: Rc<Shared>,
    heap: usize,
    /// Array buffers that the runtime made for the script are not the
    /// allocator's, but V8 counts them as external memory.
    external: usize,
    /// The turn that was looked at last, and the process's memory at that time.
    seen: Cell<(u64, usize)>,
}

impl MemoryCap {
    /// Whether the process grew in this turn by more than its script may have.
    /// V8 counts the memories of Wasm nowhere, so this is what bounds them; twice
    /// the limit, since other lanes grow too.
    fn process_outgrew(&self, turn: u64) -> bool {
        let Some(now) = resident_memory() else {
            return false;
        };
        let (seen, before) = self.seen.get();
        if seen != turn {
            self.seen.set((turn, now));
            return false;
        }
        now.saturating_sub(before) > 2 * (self.heap + self.external)
    }
}

/// Bytes of this process in RAM.
fn resident_memory() -> Option<usize> {
    let pages = std::fs::read_to_string("/proc/self/statm").ok()?;
    let resident: usize = pages.split(' ').nth(1)?.parse().ok()?;
    Some(resident * PAGE)
}

/// The unit of /proc/self/statm on x86_64 and most others.
const PAGE: usize = 4_096;

/// Stops the turn, whose number `turn` carries, if its memory is over the cap.
/// The watchdog asks V8 to call it, between two instructions of the script.
pub(crate) unsafe extern "C" fn check_memory(
    mut isolate: v8::UnsafeRawIsolatePtr,
    turn: *mut std::ffi::c_void,
) {
    // SAFETY: V8 passes the isolate that it interrupts, on its own thread.
    let isolate = unsafe { v8::Isolate::ref_from_raw_isolate_ptr_mut_unchecked(&mut isolate) };
    let statistics = isolate.get_heap_statistics();
    if let Some(cap) = isolate.get_slot::<MemoryCap>()
        && (statistics.external_memory() > cap.external
            || statistics.used_heap_size() > cap.heap
            || cap.process_outgrew(turn.addr() as u64))
    {
        cap.shared.heap_full.set(true);
        isolate.terminate_execution();
    }
}
