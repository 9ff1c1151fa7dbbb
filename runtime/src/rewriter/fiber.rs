//! A stack of its own for lol_html, which can be left and entered again.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, CoroutineResult, Yielder};

use super::{Answer, Command, RewriteError};

/// Address space of a stack; the system gives memory for what is touched of it.
/// lol_html does not recurse, so a debug build needs some 30 KiB.
const STACK: usize = 512 << 10;
/// Stacks that a thread keeps for the next rewriters: making one takes as long as
/// rewriting a small page.
const SPARE: usize = 8;

thread_local! {
    static SPARE_STACKS: RefCell<Vec<DefaultStack>> = const { RefCell::new(Vec::new()) };
}

type Body = Coroutine<Command, Answer, Result<(), RewriteError>, DefaultStack>;

/// Stays on its thread, like everything of an isolate.
pub(super) struct Fiber {
    /// None once it has ended, well or badly.
    coroutine: Option<Body>,
}

impl Fiber {
    pub(super) fn new(
        body: impl FnOnce(Suspend, Command) -> Result<(), RewriteError> + 'static,
    ) -> Result<Self, RewriteError> {
        let stack = match SPARE_STACKS.with_borrow_mut(Vec::pop) {
            Some(stack) => stack,
            None => DefaultStack::new(STACK)
                .map_err(|error| RewriteError(format!("no memory for a stack: {error}")))?,
        };
        let coroutine = Coroutine::with_stack(stack, move |yielder, first| {
            body(Suspend(std::ptr::from_ref(yielder)), first)
        });
        Ok(Self {
            coroutine: Some(coroutine),
        })
    }

    /// Runs the body until it suspends; none once it has ended.
    pub(super) fn resume(&mut self, command: Command) -> Result<Option<Answer>, RewriteError> {
        let Some(mut coroutine) = self.coroutine.take() else {
            return Err(RewriteError("the parser has ended".into()));
        };
        // A fault in the parser costs this document, not the lane.
        let resumed = catch_unwind(AssertUnwindSafe(|| coroutine.resume(command)));
        match resumed {
            Ok(CoroutineResult::Yield(answer)) => {
                self.coroutine = Some(coroutine);
                Ok(Some(answer))
            }
            Ok(CoroutineResult::Return(result)) => {
                keep(coroutine);
                result.map(|()| None)
            }
            Err(_) => Err(RewriteError("the parser failed".into())),
        }
    }
}

fn keep(ended: Body) {
    SPARE_STACKS.with_borrow_mut(|stacks| {
        if stacks.len() < SPARE {
            stacks.push(ended.into_stack());
        }
    });
}

impl Drop for Fiber {
    fn drop(&mut self) {
        if let Some(mut coroutine) = self.coroutine.take() {
            if coroutine.started() && !coroutine.done() {
                coroutine.force_unwind();
            }
            if coroutine.done() {
                keep(coroutine);
            }
        }
    }
}

/// How what runs on the stack leaves it.
#[derive(Clone, Copy)]
pub(super) struct Suspend(*const Yielder<Command, Answer>);

// SAFETY: lol_html wants streaming handlers to be `Send`, though nothing here is
// sent: handlers live in the rewriter, the rewriter in the coroutine's body, and
// a coroutine cannot leave its thread.
unsafe impl Send for Suspend {}

impl Suspend {
    /// Hands `answer` to whoever runs the fiber, and waits to be told more.
    pub(super) fn suspend(self, answer: Answer) -> Command {
        // SAFETY: only the body of the coroutine and the handlers of its rewriter
        // have copies. They run on the coroutine, and the yielder outlives the
        // body, which drops the rewriter with them.
        unsafe { &*self.0 }.suspend(answer)
    }
}
