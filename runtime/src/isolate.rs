//! One isolate: a V8 heap running one worker version, on one lane.
//!
//! deno_core leaves a new isolate entered on its thread, but here several share
//! a thread, so each is exited at once and entered for every turn
//! (`resident.rs`).

mod answer;
mod dispatch;
mod entry;
mod facets;
mod memory;
mod objects;
mod ready;
mod resident;
mod stack;

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use deno_core::error::{CoreError, CoreErrorKind};
use deno_core::futures::task::AtomicWaker;
use deno_core::{PollEventLoopOptions, v8};

pub(crate) use self::answer::Answer;
pub(crate) use self::memory::look_inside;
pub(crate) use self::ready::ReadyIsolate;

use self::entry::Entry;
use self::resident::{Entered, Resident};
use crate::cage::Part;
use crate::entrypoint::Handlers;
use crate::error::{EventError, ScriptError, StartError};
use crate::event::{Event, EventId, Outcome};
use crate::host::LogLevel;
use crate::inspector::Hatch;
use crate::ops::work::DEBUGGED_CPU;
use crate::ops::{Beginning, Shared};
use crate::watchdog::{LaneClock, Turn, TurnEnd};
use crate::worker::Worker;

/// How long after an event that answered at once the event loop gets a turn,
/// so that its leftovers (rejections, background tasks) are seen to.
const TIDY: Duration = Duration::from_millis(2);

/// CPU time after which a heap may have grown by more than is worth measuring at
/// the lane's next look.
const GROWN: Duration = Duration::from_millis(1);

/// An isolate that serves a worker's events.
pub(crate) struct Isolate {
    resident: Resident,
    entry: Entry,
    shared: Rc<Shared>,
    worker: Arc<Worker>,
    clock: Arc<LaneClock>,
    handle: v8::IsolateHandle,
    wake: Arc<AtomicWaker>,
    hatch: Option<Hatch>,
    /// What the default export takes.
    handlers: Handlers,
    /// The other exports, by name; asked for once.
    named: OnceCell<BTreeMap<String, Handlers>>,
    /// Why the isolate serves no more events, once it does not.
    lost: RefCell<Option<EventError>>,
    /// No new events; ends when the open ones have.
    stopped: Cell<bool>,
    /// It was said that a module never finishes.
    stall_told: Cell<bool>,
    tidy_due: Cell<bool>,
    last_used: Cell<Instant>,
    /// A task runs the event loop.
    driven: Cell<bool>,
    /// Its part of the cage, as last measured.
    part: Part,
    turns: Cell<u32>,
}

impl Isolate {
    pub(crate) fn worker(&self) -> &Arc<Worker> {
        &self.worker
    }

    pub(crate) fn has_handlers(&self) -> bool {
        self.handlers.has_any()
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.lost.borrow().is_some()
    }

    pub(crate) fn hatch(&self) -> Option<&Hatch> {
        self.hatch.as_ref()
    }

    fn is_debugged(&self) -> bool {
        self.hatch.as_ref().is_some_and(Hatch::is_attached)
    }

    pub(crate) fn open_events(&self) -> usize {
        self.shared.events.len()
    }

    pub(crate) fn last_used(&self) -> Instant {
        self.last_used.get()
    }

    /// Bytes that the heap had taken from the process's cage when last measured.
    pub(crate) fn heap_size(&self) -> usize {
        self.part.heap.get()
    }

    /// The same of its pages with machine code.
    pub(crate) fn code_size(&self) -> usize {
        self.part.code.get()
    }

    pub(crate) fn measure_heap(&self) {
        if let Ok(mut runtime) = self.resident.runtime.try_borrow_mut() {
            let _entered = Entered::new(self.resident.isolate);
            self.measure(runtime.v8_isolate());
        }
    }

    /// The isolate is entered.
    fn measure(&self, isolate: &mut v8::Isolate) {
        let statistics = isolate.get_heap_statistics();
        self.part.heap.set(statistics.total_heap_size());
        self.part.code.set(memory::code(isolate));
    }

    /// Collects what an isolate that went idle with a large heap left behind.
    pub(crate) fn collect_garbage(&self) {
        if let Ok(mut runtime) = self.resident.runtime.try_borrow_mut() {
            let _entered = Entered::new(self.resident.isolate);
            runtime.v8_isolate().low_memory_notification();
        }
        self.measure_heap();
    }

    /// Whether anything would be lost if it ended now.
    pub(crate) fn is_idle(&self) -> bool {
        self.open_events() == 0 && self.shared.objects.is_empty()
    }

    /// Whether it has nothing to do, and all its objects have left.
    pub(crate) fn is_vacant(&self) -> bool {
        self.open_events() == 0 && self.shared.objects.is_vacant()
    }

    /// No new events; the isolate ends once the open ones have.
    pub(crate) fn stop(&self) {
        self.stopped.set(true);
        self.wake.wake();
    }

    /// Ends it while it is idle. Its room counts as free at once; it is when the
    /// lane next looks at its tasks.
    pub(crate) fn evict(&self) {
        self.stop();
        self.part.heap.set(0);
        self.part.code.set(0);
    }

    fn attach(&self, namespace: Option<v8::Global<v8::Object>>) -> Result<Handlers, StartError> {
        let mut handlers = Ok(Handlers::default());
        self.turn(None, self.worker.limits.startup_cpu, |scope| {
            handlers = self.entry.attach(scope, namespace.as_ref());
        });
        handlers
    }

    fn dispatch(
        self: &Rc<Self>,
        event: Rc<Event>,
        call: impl for<'a> FnOnce(
            &mut v8::PinScope<'a, '_>,
            EventId,
        ) -> Option<v8::Local<'a, v8::Value>>,
    ) -> Answer {
        let id = self.shared.events.insert(event.clone());
        // It may have been stopped while this one waited for it to start.
        self.keep_driven();
        let now = Instant::now();
        self.last_used.set(now);
        let limit = event.cpu_limit(&self.worker.limits);
        let end = self.turn(Some((id, &event)), limit, |scope| {
            v8::tc_scope!(let scope, scope);
            // A throw is only possible if the turn was stopped: dispatch.js
            // hands over everything else that a handler throws.
            self.shared.beginning.set(Beginning::Runs);
            let _ = call(scope, id);
            self.began(scope);
            scope.perform_microtask_checkpoint();
        });
        self.judge(end, Some(&event));
        if event.answered.get() {
            self.tidy_soon();
        } else {
            self.wake.wake();
        }
        Answer {
            isolate: self.clone(),
            event,
            id,
            settled: false,
        }
    }

    /// The first part of a handler is over; one that has ended its event was stopped.
    fn began(&self, scope: &mut v8::PinScope<'_, '_>) {
        if self.shared.beginning.replace(Beginning::Over) == Beginning::Stopped {
            scope.cancel_terminate_execution();
            // It did not come to where it leaves the event's context.
            let nothing = v8::undefined(scope).into();
            scope.set_continuation_preserved_embedder_data(nothing);
        }
    }

    /// One stay in the isolate, for an event or for none in particular.
    fn turn(
        &self,
        of: Option<(EventId, &Rc<Event>)>,
        budget: Duration,
        f: impl FnOnce(&mut v8::PinScope<'_, '_>),
    ) -> TurnEnd {
        let mut runtime = self.resident.runtime.borrow_mut();
        let _entered = Entered::new(self.resident.isolate);
        let turn = self.begin(of, budget);
        {
            deno_core::scope!(scope, runtime);
            f(scope);
        }
        self.end(turn, runtime.v8_isolate())
    }

    fn begin(&self, of: Option<(EventId, &Rc<Event>)>, budget: Duration) -> Turn<'_> {
        let is_debugged = self.is_debugged();
        let budget = if is_debugged { DEBUGGED_CPU } else { budget };
        self.shared.clock.advance();
        self.shared.begin_work(of, is_debugged);
        self.clock.begin(&self.handle, &self.shared.signals, budget)
    }

    /// The turn is over, and what it used is charged. The isolate is entered still.
    fn end(&self, turn: Turn<'_>, isolate: &mut v8::Isolate) -> TurnEnd {
        memory::look(isolate, &self.shared, &self.worker.limits);
        let end = turn.end();
        self.shared.charge(end.last);
        let stopped = end.overran
            || self.shared.memory_over.get().is_some()
            || self.shared.aborted.borrow().is_some();
        self.shared.objects.end_turn(stopped, &self.shared.host);
        // Its first turns compile what it is made of, and many isolates may start
        // before the lane looks.
        let turns = self.turns.get().wrapping_add(1);
        self.turns.set(turns);
        if end.cpu > GROWN || turns.is_power_of_two() {
            self.measure(isolate);
        }
        end
    }

    /// After a turn: over a limit the isolate is lost, and its events with it; or the
    /// event alone, where each of its stretches ended. `served` is the event that the
    /// turn was for, where it was for one.
    fn judge(&self, end: TurnEnd, served: Option<&Rc<Event>>) {
        self.lose_over_limit(end, served);
        self.stop_over_limit();
        if self.worker.tails.is_some() {
            self.shared.send_traces();
        }
        self.shared.end_work();
    }

    fn lose_over_limit(&self, end: TurnEnd, served: Option<&Rc<Event>>) {
        if let Some(reason) = self.shared.aborted.take() {
            let aborted = EventError::aborted();
            let message = format!("abortIsolate({reason:?}) was called; {aborted}");
            self.shared.log(LogLevel::Error, &message, None);
            if let Some(event) = served {
                self.shared.trace_failure(event, &aborted);
            }
            self.lose(aborted);
            return;
        }
        let served = served.map(|event| vec![event.clone()]);
        if let Some(limit) = self.shared.memory_over.get() {
            self.lose_for(EventError::MemoryLimit { limit }, served);
        } else if end.overran {
            let culprits = self.shared.at_work();
            let limits = &self.worker.limits;
            let first = culprits.as_ref().and_then(|events| events.first());
            let limit = first.map_or(limits.cpu, |event| event.cpu_limit(limits));
            self.lose_for(EventError::CpuLimit { limit }, culprits);
        }
    }

    /// Loses the isolate for what `culprits` did; for what all may have done, where None.
    fn lose_for(&self, reason: EventError, culprits: Option<Vec<Rc<Event>>>) {
        self.shared.log(LogLevel::Error, &reason.to_string(), None);
        let Some(culprits) = culprits else {
            return self.lose(reason);
        };
        for event in culprits {
            self.shared.trace_failure(&event, &reason);
            event.settle(Outcome::Failed(reason.clone()));
        }
        self.lose(EventError::IsolateLost {
            reason: reason.to_string(),
        });
    }

    /// Ends the events that have used more CPU time than they may, in stretches that
    /// each ended: what others do is whole, and goes on.
    fn stop_over_limit(&self) {
        for (id, event) in self.shared.take_over_limit() {
            if self.is_lost() {
                return;
            }
            let limit = event.cpu_limit(&self.worker.limits);
            let reason = EventError::CpuLimit { limit };
            self.shared.log(LogLevel::Error, &reason.to_string(), None);
            self.shared.trace_failure(&event, &reason);
            event.settle(Outcome::Failed(reason.clone()));
            event.cut_body(&reason);
            let open = self.shared.events.get(id);
            if open.is_some_and(|open| Rc::ptr_eq(&open, &event)) {
                self.shared.stopped.borrow_mut().push(id);
                self.wake.wake();
            }
        }
    }

    fn lose(&self, reason: EventError) {
        self.shared.events.for_each(|event| {
            event.settle(Outcome::Failed(reason.clone()));
            self.shared.trace_ended(event.clone());
        });
        *self.lost.borrow_mut() = Some(reason);
        if let Some(hatch) = &self.hatch {
            hatch.close();
        }
        self.stopped.set(true);
        for object in self.shared.objects.all() {
            object.reset("its isolate was ended".into());
            self.close_object(&object);
        }
        self.wake.wake();
    }

    fn tidy_soon(self: &Rc<Self>) {
        if self.tidy_due.replace(true) {
            return;
        }
        let isolate = self.clone();
        deno_core::unsync::spawn(async move {
            tokio::time::sleep(TIDY).await;
            isolate.tidy_due.set(false);
            isolate.wake.wake();
        });
    }

    /// Has the event loop run until the isolate is stopped and has no events.
    fn keep_driven(self: &Rc<Self>) {
        if self.driven.replace(true) {
            return;
        }
        let isolate = self.clone();
        deno_core::unsync::spawn(async move {
            std::future::poll_fn(|cx| isolate.poll_loop(cx)).await;
            isolate.driven.set(false);
        });
    }

    fn poll_loop(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.is_lost() {
            return Poll::Ready(());
        }
        self.tell_script();
        let (poll, end) = {
            let mut runtime = self.resident.runtime.borrow_mut();
            let _entered = Entered::new(self.resident.isolate);
            let turn = self.begin(None, self.worker.limits.cpu);
            let poll = runtime.poll_event_loop(cx, PollEventLoopOptions::default());
            self.shared.objects.end_round();
            (poll, self.end(turn, runtime.v8_isolate()))
        };
        self.judge(end, None);
        if self.is_lost() {
            return Poll::Ready(());
        }
        match poll {
            // Nothing is under way: whoever still waits would wait for ever.
            Poll::Ready(Ok(())) => self.give_up_hung(),
            Poll::Ready(Err(error)) if is_stalled(&error) => self.give_up_stalled(&error),
            Poll::Ready(Err(error)) => {
                let error = ScriptError::from_core(&error);
                self.shared
                    .log(LogLevel::Error, &format!("Uncaught {error}"), Some(&error));
                cx.waker().wake_by_ref();
            }
            Poll::Pending => {}
        }
        if self.stopped.get() && self.open_events() == 0 {
            self.end_objects();
            return Poll::Ready(());
        }
        Poll::Pending
    }

    /// Nothing is under way but a module that was imported while the worker ran,
    /// whose top level waits for nothing. It stays so, and is told once.
    fn give_up_stalled(&self, error: &CoreError) {
        if !self.stall_told.replace(true) {
            let error = ScriptError::from_core(error);
            self.shared
                .log(LogLevel::Error, &format!("Uncaught {error}"), Some(&error));
        }
        self.give_up_hung();
    }

    fn give_up_hung(&self) {
        // Whoever is to be called may bring what others wait for.
        if self.shared.begins_within() {
            return;
        }
        let mut hung = Vec::new();
        self.shared.events.for_each_id(|id, event| {
            // What an object's event waits for, another of its events may bring; and who
            // waits for an event hears when that is given up.
            let waits = event.is_idle.get() || event.sessions_within.get() > 0;
            if !event.answered.get() && event.object.is_none() && !waits {
                hung.push((id, event.clone()));
            }
        });
        for (id, event) in hung {
            self.shared
                .log(LogLevel::Error, &EventError::Hung.to_string(), None);
            self.shared.trace_failure(&event, &EventError::Hung);
            event.settle(Outcome::Failed(EventError::Hung));
            self.shared.abandoned.borrow_mut().push(id);
            self.wake.wake();
        }
    }

    /// Tells the script which answers were sent, which events are no longer
    /// waited for, and which were stopped.
    fn tell_script(&self) {
        let finished = self.shared.finished_bodies.take();
        let abandoned = self.shared.abandoned.take();
        let stopped = self.shared.stopped.take();
        if finished.is_empty() && abandoned.is_empty() && stopped.is_empty() {
            return;
        }
        let end = self.turn(None, self.worker.limits.cpu, |scope| {
            v8::tc_scope!(let scope, scope);
            let stopped = stopped.iter().map(|id| (&self.entry.stop, *id));
            let finished = finished.iter().map(|id| (&self.entry.finish_body, *id));
            let abandoned = abandoned.iter().map(|id| (&self.entry.abandon, *id));
            for (function, id) in stopped.chain(finished).chain(abandoned) {
                let function = v8::Local::new(scope, function);
                let receiver = v8::undefined(scope).into();
                let id = v8::Integer::new_from_unsigned(scope, id).into();
                let _ = function.call(scope, receiver, &[id]);
            }
            scope.perform_microtask_checkpoint();
        });
        self.judge(end, None);
    }
}

/// Whether the event loop ended with a module's top level that waits for ever.
fn is_stalled(error: &CoreError) -> bool {
    match error.as_kind() {
        CoreErrorKind::Js(error) => {
            error.exception_message == "Top-level await promise never resolved"
        }
        CoreErrorKind::ModuleEvaluationDeadlock => true,
        _ => false,
    }
}
