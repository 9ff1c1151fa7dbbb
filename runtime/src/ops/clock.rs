//! The clock that script sees.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

use deno_core::{OpState, op2};

use super::Shared;

/// Whole milliseconds since 1970 at which the running turn began; 0 until the
/// worker has started.
#[derive(Default)]
pub(crate) struct Clock(Cell<f64>);

impl Clock {
    pub(crate) fn now(&self) -> f64 {
        self.0.get()
    }

    /// A turn begins.
    pub(crate) fn advance(&self) {
        if let Ok(since) = SystemTime::now().duration_since(UNIX_EPOCH) {
            self.0.set(since.as_millis() as f64);
        }
    }
}

#[op2(fast)]
pub(crate) fn op_clock(state: &OpState) -> f64 {
    state.borrow::<Rc<Shared>>().clock.now()
}
