//! The time of day, as a store takes it.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

/// Tells the time in milliseconds since 1970. Clocks are set back and forth; nothing
/// but times that people ask for, and how long the past is kept, depends on it.
#[derive(Clone, Copy)]
pub struct Clock(fn() -> u64);

impl Clock {
    pub fn new(now: fn() -> u64) -> Self {
        Self(now)
    }

    pub(crate) fn now(self) -> u64 {
        (self.0)()
    }
}

/// The system's.
impl Default for Clock {
    fn default() -> Self {
        Self(|| {
            let since = SystemTime::now().duration_since(UNIX_EPOCH);
            since.map_or(0, |since| since.as_millis() as u64)
        })
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clock({})", self.now())
    }
}
