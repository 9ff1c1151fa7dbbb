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
}

thread_local! {
    /// This lane's.
    static OWN: RefCell<Option<Arc<Bell>>> = const { RefCell::new(None) };
    /// When it last spoke to another lane, or another to it.
    static TALKED: Cell<Option<Instant>> = const { Cell::new(None) };
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
    OWN.with_borrow(|bell| {
        if let Some(Bell(rung)) = bell.as_deref() {
            rung.store(false, Ordering::Relaxed);
        }
    });
}

/// Stays awake for a moment, where the lane talks with another. Called before it sleeps.
pub(super) fn listen() {
    let Some(talked) = TALKED.get() else {
        return;
    };
    let mut now = Instant::now();
    if now.duration_since(talked) > TALK {
        TALKED.set(None);
        return;
    }
    let until = now + AWAKE;
    OWN.with_borrow(|bell| {
        let Some(Bell(rung)) = bell.as_deref() else {
            return;
        };
        while !rung.swap(false, Ordering::Acquire) {
            for _ in 0..32 {
                std::hint::spin_loop();
            }
            now = Instant::now();
            if now > until {
                return;
            }
        }
        TALKED.set(Some(now));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

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
        here.ring();
        listen();
        assert!(!here.0.load(Ordering::Acquire));
    }

    #[test]
    fn what_woke_a_lane_is_no_news_to_it() {
        let here = Arc::<Bell>::default();
        OWN.set(Some(here.clone()));
        here.ring();
        wake();
        let before = Instant::now();
        listen();
        assert!(before.elapsed() >= AWAKE);
    }

    #[test]
    fn what_was_said_long_ago_keeps_nobody_awake() {
        OWN.set(Some(Arc::default()));
        TALKED.set(Instant::now().checked_sub(2 * TALK));
        listen();
        assert!(TALKED.get().is_none());
    }
}
