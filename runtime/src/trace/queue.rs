//! Traces on their way to tail workers.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;

use super::{TailTarget, Tailed, TailedWhat};
use crate::error::EventError;
use crate::host::{Host, LogLevel, ServiceError};
use crate::ops::Shared;
use crate::rpc::RpcEnd;

/// Traces that may wait for one tail worker: it is called at once as a rule, so more
/// than these wait only where it does not keep up. Later ones are dropped and counted.
const WAITING: usize = 256;
const WAITING_BYTES: usize = 4 << 20;

/// Calls of one tail worker at a time; what ends meanwhile is one call's together.
const CALLS: usize = 8;

/// The most traces of one call.
const BATCH: usize = 64;

/// Events that one tail worker may be told of at a time, while they go on: as many as
/// an isolate has open as a rule. Later ones are not told, and counted.
const STREAMS: usize = 1_024;

/// An isolate's queues, one a tail worker.
#[derive(Default)]
pub(crate) struct TailQueues(RefCell<Vec<Rc<Queue>>>);

struct Queue {
    target: TailTarget,
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    /// With the length of their chain.
    waiting: VecDeque<(u8, Arc<str>)>,
    bytes: usize,
    calls: usize,
    dropped: usize,
    streams: usize,
    /// It was said that the tail worker cannot be called.
    failed: bool,
}

impl TailQueues {
    /// Hands a trace to a tail worker, in a task of its own.
    pub(super) fn send(
        &self,
        shared: &Rc<Shared>,
        target: &TailTarget,
        chain: u8,
        trace: Arc<str>,
    ) {
        let queue = self.of(target);
        let may_call = {
            let mut state = queue.state.borrow_mut();
            let bytes = state.bytes + trace.len();
            if state.waiting.len() >= WAITING || bytes > WAITING_BYTES {
                state.dropped += 1;
                return;
            }
            state.bytes = bytes;
            state.waiting.push_back((chain, trace));
            let may_call = state.calls < CALLS;
            state.calls += usize::from(may_call);
            may_call
        };
        if may_call {
            deno_core::unsync::spawn(drain(shared.clone(), queue));
        }
    }

    /// Whether a tail worker may be told of one more event while it goes on.
    pub(super) fn begin_stream(&self, shared: &Shared, target: &TailTarget) -> bool {
        let queue = self.of(target);
        let dropped = {
            let mut state = queue.state.borrow_mut();
            if state.streams >= STREAMS {
                state.dropped += 1;
                return false;
            }
            state.streams += 1;
            std::mem::take(&mut state.dropped)
        };
        queue.tell_dropped(shared, dropped);
        true
    }

    /// It is told no more of one.
    pub(super) fn end_stream(&self, target: &TailTarget) {
        self.of(target).state.borrow_mut().streams -= 1;
    }

    /// Says once that a tail worker could not be called. What it threw itself is in its
    /// own log.
    pub(super) fn failed(&self, shared: &Shared, target: &TailTarget, error: &ServiceError) {
        if let ServiceError::Worker(EventError::Exception(_)) = error {
            return;
        }
        let queue = self.of(target);
        if !std::mem::replace(&mut queue.state.borrow_mut().failed, true) {
            let service = target.service();
            let text = format!("the tail worker {service:?} failed: {error}");
            shared.log(LogLevel::Warn, &text, None);
        }
    }

    fn of(&self, target: &TailTarget) -> Rc<Queue> {
        let mut queues = self.0.borrow_mut();
        if let Some(queue) = queues.iter().find(|queue| queue.target == *target) {
            return queue.clone();
        }
        let queue = Rc::new(Queue {
            target: target.clone(),
            state: RefCell::default(),
        });
        queues.push(queue.clone());
        queue
    }
}

impl Queue {
    fn tell_dropped(&self, shared: &Shared, dropped: usize) {
        if dropped > 0 {
            let service = self.target.service();
            let text = format!(
                "{dropped} events were not told to the tail worker {service:?}, which \
                 does not keep up"
            );
            shared.log(LogLevel::Warn, &text, None);
        }
    }
}

/// Calls the tail worker until nothing waits.
async fn drain(shared: Rc<Shared>, queue: Rc<Queue>) {
    loop {
        let (chain, traces, dropped) = {
            let mut state = queue.state.borrow_mut();
            let mut traces = Vec::new();
            let mut longest = 0;
            while traces.len() < BATCH
                && let Some((chain, trace)) = state.waiting.pop_front()
            {
                state.bytes -= trace.len();
                longest = longest.max(chain);
                traces.push(trace);
            }
            if traces.is_empty() {
                state.calls -= 1;
                return;
            }
            (longest, traces, std::mem::take(&mut state.dropped))
        };
        queue.tell_dropped(&shared, dropped);
        let Some(worker) = shared.worker() else {
            return;
        };
        let tailed = Tailed {
            what: Some(TailedWhat::Ended(traces)),
            chain,
            of: worker.name.clone(),
            script: worker.tails.as_ref().and_then(|tails| tails.script.clone()),
        };
        if let Err(error) = call(&shared, &queue.target, tailed).await {
            shared.tails.failed(&shared, &queue.target, &error);
        }
    }
}

/// Calls a tail worker; that of a loaded worker from the lane of who loaded it.
pub(super) async fn call(
    shared: &Shared,
    target: &TailTarget,
    tailed: Tailed,
) -> Result<(), ServiceError> {
    let worker = shared.worker();
    match worker.as_ref().and_then(|worker| worker.loaded.as_ref()) {
        Some(loaded) => loaded.home.tail_from(target.clone(), tailed).await,
        None => target.call(&*shared.host, tailed).await,
    }
}

impl TailTarget {
    /// Tells it, and waits until it is done.
    pub(crate) async fn call(&self, host: &dyn Host, tailed: Tailed) -> Result<(), ServiceError> {
        match self {
            Self::Service(target) => host.tail(target, tailed).await,
            Self::Object(target) => {
                let called = RpcEnd::of_tailed(tailed);
                host.objects().rpc(target, called).await
            }
        }
    }
}
