//! Waking a thread that sleeps takes longer than most calls between lanes, for both
//! of them. So a lane that talks with another stays awake for a moment where it would
//! sleep, and looks whether its bell was rung.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long a lane stays awake. Waking takes some 50 us, and what is waited for takes the
/// other lane's waking and its work: less than both, and two that talk would each have
/// gone to sleep when the other answers, for ever.
const AWAKE: Duration = Duration::from_micros(100);
/// A sleep that was shorter, with the waking, was one in a conversation without pauses.
const SHORT: Duration = Duration::from_micros(200);
/// How long after the last word a conversation is over.
const TALK: Duration = Duration::from_micros(400);

/// Rung by whoever has something for a lane, once the lane's event loop knows of it: one that
/// heard the bell before would go to sleep after all, and have to be woken.
#[derive(Debug, Default)]
pub(crate) struct Bell(AtomicBool);

impl Bell {
    pub(crate) fn ring(&self) {
        self.0.store(true, Ordering::Release);
        TALKED.set(Some(Instant::now()));
    }

    /// Waits until it is rung, or until a time; whether it was.
    fn hear(&self, until: Instant) -> bool {
        while !self.0.swap(false, Ordering::Acquire) {
            for _ in 0..32 {
                std::hint::spin_loop();
            }
            if Instant::now() > until {
                return false;
            }
        }
        true
    }
}

thread_local! {
    /// This lane's.
    static OWN: RefCell<Option<Arc<Bell>>> = const { RefCell::new(None) };
    /// When it last spoke to another lane, or another to it.
    static TALKED: Cell<Option<Instant>> = const { Cell::new(None) };
    /// Whether its last wait for another was short: the next is taken to be, too. One that
    /// stays awake for what comes late is in the way of who would send it.
    static IS_PROMPT: Cell<bool> = const { Cell::new(false) };
    /// When it went to sleep in a conversation.
    static SLEPT: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Makes it the bell of this thread's lane, where staying awake is no other's loss.
pub(super) fn hang(bell: Arc<Bell>) {
    if std::thread::available_parallelism().is_ok_and(|cores| cores.get() > 1) {
        OWN.set(Some(bell));
    }
}

/// The bell of this thread's lane.
pub(crate) fn own() -> Option<Arc<Bell>> {
    OWN.with_borrow(Clone::clone)
}

/// Rings, unless it is this lane's.
pub(crate) fn ring_other(bell: Option<&Arc<Bell>>) {
    let Some(bell) = bell else {
        return;
    };
    let is_own = OWN.with_borrow(|own| own.as_ref().is_some_and(|own| Arc::ptr_eq(own, bell)));
    if !is_own {
        bell.ring();
    }
}

/// Forgets what woke the lane, which it looks at now. Called when it wakes: else the next
/// wait would take that for news, and be none.
pub(super) fn wake() {
    let slept = SLEPT.take();
    OWN.with_borrow(|bell| {
        if let Some(Bell(rung)) = bell.as_deref()
            && rung.swap(false, Ordering::Relaxed)
            && let Some(slept) = slept
        {
            IS_PROMPT.set(slept.elapsed() < SHORT);
        }
    });
}

/// Stays awake for a moment, where the lane talks with another that answers at once.
/// Called before it sleeps.
pub(super) fn listen() {
    let Some(talked) = TALKED.get() else {
        return;
    };
    let began = Instant::now();
    if began.duration_since(talked) > TALK {
        TALKED.set(None);
        return;
    }
    OWN.with_borrow(|bell| {
        let Some(bell) = bell.as_deref() else {
            return;
        };
        if IS_PROMPT.get() {
            if bell.hear(began + AWAKE) {
                TALKED.set(Some(Instant::now()));
                return;
            }
            IS_PROMPT.set(false);
        }
        SLEPT.set(Some(began));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A conversation that is not over, however long the test takes.
    fn talk() {
        TALKED.set(Some(Instant::now() + Duration::from_secs(60)));
    }

    #[test]
    fn a_lane_hears_others_and_not_itself() {
        let (here, there) = (Arc::<Bell>::default(), Arc::<Bell>::default());
        OWN.set(Some(here.clone()));
        ring_other(own().as_ref());
        assert!(TALKED.get().is_none());
        ring_other(Some(&there));
        assert!(there.0.load(Ordering::Acquire));
        assert!(TALKED.get().is_some());
        // Another's word ends the wait, and is heard once.
        IS_PROMPT.set(true);
        here.ring();
        talk();
        listen();
        assert!(!here.0.load(Ordering::Acquire));
    }

    #[test]
    fn what_woke_a_lane_is_no_news_to_it() {
        let here = Arc::<Bell>::default();
        OWN.set(Some(here.clone()));
        IS_PROMPT.set(true);
        here.ring();
        talk();
        wake();
        let before = Instant::now();
        listen();
        assert!(before.elapsed() >= AWAKE);
    }

    #[test]
    fn a_lane_stays_awake_for_what_was_prompt() {
        let here = Arc::<Bell>::default();
        OWN.set(Some(here.clone()));
        let sleeps_since = |slept: Option<Instant>| {
            talk();
            listen();
            assert!(SLEPT.get().is_some());
            SLEPT.set(slept);
            here.ring();
            wake();
            IS_PROMPT.get()
        };
        let now = Instant::now();
        assert!(!sleeps_since(now.checked_sub(2 * SHORT)));
        // No time at all, however long the test takes.
        assert!(sleeps_since(Some(now + Duration::from_secs(60))));
        // Nothing came while it stayed awake.
        talk();
        listen();
        assert!(!IS_PROMPT.get());
    }

    #[test]
    fn what_was_said_long_ago_keeps_nobody_awake() {
        OWN.set(Some(Arc::default()));
        IS_PROMPT.set(true);
        TALKED.set(Instant::now().checked_sub(2 * TALK));
        listen();
        assert!(TALKED.get().is_none());
    }
}
