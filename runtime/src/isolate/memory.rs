//! What ends an isolate whose memory is over its limits: V8's question near the
//! end of its heap, the watchdog's look inside long turns, and a look after each.
//! That look also sees whose script runs.

use std::rc::Rc;
use std::sync::OnceLock;
use std::sync::atomic::Ordering;

use deno_core::{JsRuntime, v8};

use crate::cage::MOST_CODE;
use crate::limits::Limits;
use crate::ops::Shared;

/// What V8's heap may grow by each time it is full while its script unwinds, or
/// asks for room only because an array buffer could not be allocated.
const HEADROOM: usize = 16 << 20;

/// What a look inside of an isolate needs.
struct Looked {
    shared: Rc<Shared>,
    /// What its memory is checked against, besides V8's own limit.
    limits: Limits,
    context: v8::Global<v8::Context>,
}

/// Stops the isolate's script where its memory is over `limits`.
pub(super) fn guard(runtime: &mut JsRuntime, shared: &Rc<Shared>, limits: &Limits) {
    let stopper = runtime.v8_isolate().thread_safe_handle();
    let full = shared.clone();
    let limit = limits.heap;
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
            full.memory_over.set(Some(limit));
            full.signals.stop(&stopper);
            // Room to unwind in: without it V8 ends the process.
            return current * 2;
        }
        current + HEADROOM
    });
    let context = runtime.main_context();
    runtime.v8_isolate().set_slot(Looked {
        shared: shared.clone(),
        limits: limits.clone(),
        context,
    });
}

/// Stops the turn if its memory is over the cap, and notes whose work it is. The
/// watchdog asks V8 to call it, between two instructions of the script.
pub(crate) unsafe extern "C" fn look_inside(
    mut isolate: v8::UnsafeRawIsolatePtr,
    _data: *mut std::ffi::c_void,
) {
    // SAFETY: V8 passes the isolate that it interrupts, on its own thread.
    let isolate = unsafe { v8::Isolate::ref_from_raw_isolate_ptr_mut_unchecked(&mut isolate) };
    let Some(looked) = isolate.get_slot::<Looked>() else {
        return;
    };
    let (shared, limits) = (looked.shared.clone(), looked.limits.clone());
    let context = looked.context.clone();
    if isolate.get_heap_statistics().used_heap_size() > limits.heap + HEADROOM {
        shared.memory_over.set(Some(limits.heap));
    } else if code(isolate) > MOST_CODE {
        shared.memory_over.set(Some(MOST_CODE));
    } else {
        look(isolate, &shared, &limits);
    }
    if shared.memory_over.get().is_some() {
        shared.signals.stop(&isolate.thread_safe_handle());
    } else {
        v8::scope!(let scope, isolate);
        let context = v8::Local::new(scope, context);
        let scope = &mut v8::ContextScope::new(scope, context);
        shared.look_at_work(scope);
    }
    shared.signals.looking.store(false, Ordering::Relaxed);
}

/// Notes it where what the script keeps outside of its heap is over the limit:
/// array buffers that the runtime made for it, memories and code of Wasm. Done
/// after every turn too, since a memory may grow a little in each, and the
/// watchdog sees long ones only.
pub(super) fn look(isolate: &mut v8::Isolate, shared: &Shared, limits: &Limits) {
    // Adding nothing gives the sum. V8's statistics leave Wasm out, and walk over
    // the heap's pages.
    let external = |isolate: &mut v8::Isolate| {
        usize::try_from(isolate.adjust_amount_of_external_allocated_memory(0)).unwrap_or(0)
    };
    let cap = limits.buffers + HEADROOM;
    if external(isolate) <= cap {
        return;
    }
    // Some of it may be garbage that V8 has seen no reason to collect yet.
    isolate.low_memory_notification();
    if external(isolate) > cap {
        shared.memory_over.set(Some(limits.buffers));
    }
}

/// Bytes of the pages that hold machine code.
pub(super) fn code(isolate: &mut v8::Isolate) -> usize {
    /// Where V8 has them in its list of spaces.
    static SPACES: OnceLock<Vec<usize>> = OnceLock::new();
    let spaces = SPACES.get_or_init(|| {
        (0..isolate.number_of_heap_spaces())
            .filter(|&index| {
                let space = isolate.get_heap_space_statistics(index);
                space.is_some_and(|space| {
                    let name = space.space_name();
                    name == c"code_space" || name == c"code_large_object_space"
                })
            })
            .collect()
    });
    let sizes = spaces.iter().filter_map(|&index| {
        let space = isolate.get_heap_space_statistics(index)?;
        Some(space.space_size())
    });
    sizes.sum()
}
