//! Whether the clock is believed with what is thrown away for its age.
//!
//! A clock that is wrong for a moment, as at a start before it was set, must not have
//! what people sent taken for old.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// How long it has to go as the machine's own time does.
const LONG: Duration = Duration::from_secs(3_600);
/// How far it may be off, in milliseconds.
const DRIFT: i64 = 60_000;

static CLOCK: Mutex<Steady> = Mutex::new(Steady { since: None });

/// Whether it was not set for an hour, which this process has seen of it; `now` is what
/// it says in milliseconds since 1970.
pub(super) fn is_steady(now: i64) -> bool {
    CLOCK.lock().is_for_long(now, Instant::now())
}

struct Steady {
    since: Option<(i64, Instant)>,
}

impl Steady {
    fn is_for_long(&mut self, now: i64, at: Instant) -> bool {
        if let Some((then, since)) = self.since {
            let gone = at.saturating_duration_since(since);
            let expected = then.saturating_add(i64::try_from(gone.as_millis()).unwrap_or(i64::MAX));
            if now.abs_diff(expected) <= DRIFT.unsigned_abs() {
                return gone >= LONG;
            }
        }
        self.since = Some((now, at));
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_set_is_believed_an_hour_later() {
        let (begin, mut steady) = (Instant::now(), Steady { since: None });
        let mut is_steady = |minutes: u64, wall: i64| {
            let at = begin + Duration::from_secs(minutes * 60);
            steady.is_for_long(wall * 60_000, at)
        };
        assert!(!is_steady(0, 1_000));
        assert!(!is_steady(59, 1_059));
        assert!(is_steady(60, 1_060));
        // A year ahead, and back.
        assert!(!is_steady(61, 600_000));
        assert!(!is_steady(62, 1_062));
        assert!(!is_steady(121, 1_121));
        assert!(is_steady(122, 1_122));
        assert!(!is_steady(123, 0));
    }
}
