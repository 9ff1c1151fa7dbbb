//! A `JsRuntime` among others on its thread, and the guard that enters it.

use std::cell::RefCell;
use std::mem::ManuallyDrop;

use deno_core::{JsRuntime, v8};

/// An isolate is current on this thread until this is dropped.
pub(super) struct Entered {
    isolate: v8::UnsafeRawIsolatePtr,
}

impl Entered {
    pub(super) fn new(isolate: v8::UnsafeRawIsolatePtr) -> Self {
        // SAFETY: the pointer comes from a `Resident`, which outlives the guard
        // and was made on this thread; V8 keeps a stack of entered isolates.
        unsafe { v8::Isolate::from_raw_isolate_ptr(isolate).enter() };
        Self { isolate }
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        // SAFETY: entered in `new`; guards are dropped in reverse order, so this
        // isolate is the current one.
        unsafe { v8::Isolate::from_raw_isolate_ptr(self.isolate).exit() };
    }
}

/// A `JsRuntime` that is not entered between uses.
pub(super) struct Resident {
    pub(super) runtime: RefCell<ManuallyDrop<JsRuntime>>,
    pub(super) isolate: v8::UnsafeRawIsolatePtr,
}

impl Resident {
    /// Takes a runtime as `JsRuntime::try_new` leaves it: entered.
    pub(super) fn new(mut runtime: JsRuntime) -> Self {
        // SAFETY: the runtime lives as long as `self` and so as the pointer;
        // its isolate is current, as `try_new` left it, and is exited once.
        let isolate = unsafe {
            let isolate = runtime.v8_isolate().as_raw_isolate_ptr();
            runtime.v8_isolate().exit();
            isolate
        };
        Self {
            runtime: RefCell::new(ManuallyDrop::new(runtime)),
            isolate,
        }
    }
}

impl Drop for Resident {
    fn drop(&mut self) {
        // A runtime must be current when it is dropped; dropping exits it.
        std::mem::forget(Entered::new(self.isolate));
        // SAFETY: dropped once, here, and not used after.
        unsafe { ManuallyDrop::drop(self.runtime.get_mut()) };
    }
}
