//! Waiting for what becomes of an event.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use super::Isolate;
use crate::error::EventError;
use crate::event::{Event, EventId, Outcome};

/// Waits for what becomes of an event. Dropped before that, the event is
/// abandoned: what only it was doing ends.
pub(crate) struct Answer {
    pub(super) isolate: Rc<Isolate>,
    pub(super) event: Rc<Event>,
    pub(super) id: EventId,
    pub(super) settled: bool,
}

impl Answer {
    /// The outcome, where it is there already.
    pub(crate) fn take(&mut self) -> Option<Outcome> {
        let outcome = self.event.take_outcome();
        self.settled |= outcome.is_some();
        outcome
    }

    /// Whether a debugger looks at the isolate that the answer is to come from.
    pub(crate) fn is_debugged(&self) -> bool {
        self.isolate.is_debugged()
    }

    /// Fails the event and ends what it was doing.
    pub(crate) fn fail(&mut self, error: EventError) {
        self.event.settle(Outcome::Failed(error));
    }
}

impl Future for Answer {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome> {
        match self.take() {
            Some(outcome) => Poll::Ready(outcome),
            None => {
                self.event.wait(cx.waker());
                Poll::Pending
            }
        }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        if !self.settled {
            self.isolate.shared.abandoned.borrow_mut().push(self.id);
            self.isolate.wake.wake();
        }
    }
}
