//! The clock that script sees.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

use deno_core::{OpState, op2};

use super::Shared;
use crate::worker::ScriptClock;

/// Whole milliseconds since 1970 at which the running turn began; 0 until the
/// worker has started.
#[derive(Default)]
pub(crate) struct Clock {
    turn: Cell<f64>,
    running: Cell<bool>,
}

impl Clock {
    /// Whose clock it is has been decided.
    pub(crate) fn attach(&self, clock: ScriptClock) {
        self.running.set(clock == ScriptClock::Running);
    }

    /// A turn begins.
    pub(crate) fn advance(&self) {
        if let Ok(since) = SystemTime::now().duration_since(UNIX_EPOCH) {
            self.turn.set(since.as_millis() as f64);
        }
    }

    pub(crate) fn now(&self) -> f64 {
        if self.running.get() && self.turn.get() != 0.0 {
            self.advance();
        }
        self.turn.get()
    }
}

#[op2(fast)]
pub(crate) fn op_clock(state: &OpState) -> f64 {
    state.borrow::<Rc<Shared>>().clock.now()
}
