//! Whose work a script's time is. A turn begins as the work of the event that it is
//! for, or of nobody yet; the runtime's scripts say when it becomes another event's
//! (js/work.js), and inside of long stretches V8 is asked.

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use deno_core::{OpState, op2, v8};

use super::Shared;
use crate::event::{Event, EventId};
use crate::limits::Limits;
use crate::watchdog::LaneClock;

/// CPU time of a turn that a debugger may look into: what the debugger itself
/// asks for (a heap snapshot, a loop in its console) counts too. Past this it is
/// a loop, and a lane that never comes back could not even be reloaded.
pub(crate) const DEBUGGED_CPU: Duration = Duration::from_secs(300);

/// Work that no event is known for: -1 in js/work.js.
const UNKNOWN: EventId = EventId::MAX;

/// What an isolate does, and for whom.
#[derive(Default)]
pub(crate) struct Work {
    /// The lane's, once the isolate has started.
    pub(crate) clock: OnceCell<Arc<LaneClock>>,
    /// The number of the event that the running stretch is charged to; 0 until something
    /// has said which it is. The scripts write it too: a call would cost as much as the
    /// rest of a short turn's accounts.
    current: OnceCell<v8::SharedRef<v8::BackingStore>>,
    /// That event, where it is known to be open, or has ended meanwhile.
    event: RefCell<Option<Rc<Event>>>,
    /// The number that the stretch's budget is for.
    budgeted: Cell<EventId>,
    is_debugged: Cell<bool>,
    /// Events that have used more CPU time than they may.
    over: RefCell<Vec<(EventId, Rc<Event>)>>,
}

impl Work {
    /// The number's four bytes; none before the isolate has started.
    fn cells(&self) -> Option<&[Cell<u8>; 4]> {
        self.current.get()?.first_chunk()
    }

    fn current(&self) -> EventId {
        let bytes = self.cells().map(|cells| cells.each_ref().map(Cell::get));
        bytes.map_or(0, EventId::from_ne_bytes)
    }

    fn set(&self, id: EventId, event: Option<Rc<Event>>) {
        if let Some(cells) = self.cells() {
            for (cell, byte) in cells.iter().zip(id.to_ne_bytes()) {
                cell.set(byte);
            }
        }
        *self.event.borrow_mut() = event;
        self.budgeted.set(id);
    }
}

impl Shared {
    /// A turn begins, as the work of an event or of nobody yet.
    pub(crate) fn begin_work(&self, of: Option<(EventId, &Rc<Event>)>, is_debugged: bool) {
        let id = of.map_or(0, |(id, _)| id);
        self.work.set(id, of.map(|(_, event)| event.clone()));
        self.work.is_debugged.set(is_debugged);
    }

    /// What comes is the work of the event with this number. What was done in the turn
    /// before anybody was known for it is part of that.
    fn work_for(&self, id: EventId) {
        let work = &self.work;
        let current = work.current();
        if current == id && work.budgeted.get() == id {
            return;
        }
        let Some(clock) = work.clock.get() else {
            return;
        };
        let event = self.events.get(id);
        let Some(used) = clock.next(self.budget(event.as_ref())) else {
            return;
        };
        let is_anothers = current != 0 && current != id;
        if is_anothers {
            self.charge(used);
        }
        work.set(id, event);
        if !is_anothers {
            self.charge(used);
        }
    }

    /// An event has ended. What the rest of its stretch uses it is charged still.
    pub(crate) fn work_ended(&self, id: EventId, event: &Rc<Event>) {
        if self.work.current() == id {
            *self.work.event.borrow_mut() = Some(event.clone());
        }
    }

    /// Looks whose script runs. Promises that events share let one's microtasks run
    /// among another's.
    pub(crate) fn look_at_work(&self, scope: &mut v8::PinScope<'_, '_>) {
        let current = self.work.current();
        let id = event_of_script(scope).unwrap_or(current);
        // An object's events run as its life.
        let object = |event: Rc<Event>| event.object.as_ref().map(Rc::as_ptr);
        let running = self.event_at_work().and_then(object);
        let seen = self.events.get(id).and_then(object);
        if id != 0 && (running.is_none() || running != seen) {
            self.work_for(id);
        }
    }

    fn event_at_work(&self) -> Option<Rc<Event>> {
        let known = self.work.event.borrow().clone();
        known.or_else(|| self.events.get(self.work.current()))
    }

    /// Whose work the turn's last stretch was; nobody's where that has ended long since.
    /// None where it is not known.
    pub(crate) fn at_work(&self) -> Option<Vec<Rc<Event>>> {
        match self.event_at_work() {
            Some(event) => Some(match &event.object {
                Some(object) if event.background => self.events.of(object),
                _ => vec![event],
            }),
            None => (!matches!(self.work.current(), 0 | UNKNOWN)).then(Vec::new),
        }
    }

    /// Events that have used more than they may since this was last asked.
    pub(crate) fn take_over_limit(&self) -> Vec<(EventId, Rc<Event>)> {
        self.work.over.take()
    }

    /// CPU time that a stretch for an event may use.
    fn budget(&self, event: Option<&Rc<Event>>) -> Duration {
        if self.work.is_debugged.get() {
            return DEBUGGED_CPU;
        }
        let worker = self.worker.borrow();
        let Some(limits) = worker.as_ref().map(|worker| &worker.limits) else {
            return Duration::MAX;
        };
        match event {
            // A life has no end that its limit could be for.
            Some(event) if !event.background => {
                event.cpu_limit(limits).saturating_sub(event.cpu.get())
            }
            _ => limits.cpu,
        }
    }

    /// After a turn, whose it was matters no more; what an event came with must not wait
    /// for the next one.
    pub(crate) fn end_work(&self) {
        self.work.event.take();
    }

    /// A stretch is over, and used so much.
    pub(crate) fn charge(&self, used: Duration) {
        let worker = self.worker.borrow();
        let Some(worker) = worker.as_ref() else {
            return;
        };
        if self.work.is_debugged.get() || used.is_zero() {
            return;
        }
        let add = |id, event: &Rc<Event>, used| self.add(id, event, used, &worker.limits);
        let ended = self.traced.borrow();
        let Some(event) = self.event_at_work() else {
            let used = used / sharers(self.events.len() + ended.len());
            self.events.for_each_id(|id, event| add(id, event, used));
            ended.iter().for_each(|event| add(0, event, used));
            return;
        };
        match &event.object {
            // Which of its events it was is not told apart, and only tail workers ask.
            Some(object) if event.background && worker.tails.is_some() => {
                let is_of = |event: &&Rc<Event>| {
                    let of = event.object.as_ref();
                    of.is_some_and(|of| Rc::ptr_eq(of, object))
                };
                let mut events = self.events.of(object);
                events.extend(ended.iter().filter(is_of).cloned());
                let used = used / sharers(events.len());
                events.iter().for_each(|event| add(0, event, used));
            }
            _ => add(self.work.current(), &event, used),
        }
    }

    fn add(&self, id: EventId, event: &Rc<Event>, used: Duration, limits: &Limits) {
        let before = event.cpu.get();
        let now = before + used;
        event.cpu.set(now);
        let limit = event.cpu_limit(limits);
        // Those of an object end with it or not at all.
        if event.object.is_none() && before <= limit && now > limit {
            self.work.over.borrow_mut().push((id, event.clone()));
        }
    }
}

fn sharers(count: usize) -> u32 {
    u32::try_from(count.max(1)).unwrap_or(u32::MAX)
}

/// The number of the event that V8 has as the running script's.
fn event_of_script(scope: &mut v8::PinScope<'_, '_>) -> Option<EventId> {
    let context = scope.get_continuation_preserved_embedder_data();
    let context = v8::Local::<v8::Object>::try_from(context).ok()?;
    let event = own(scope, context, "event")?;
    let event = v8::Local::<v8::Object>::try_from(event).ok()?;
    let id = own(scope, event, "id")?;
    v8::Local::<v8::Uint32>::try_from(id)
        .ok()
        .map(|id| id.value())
}

/// An object's own property, where it is plain data: no script runs for it.
fn own<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    object: v8::Local<'a, v8::Object>,
    name: &'static str,
) -> Option<v8::Local<'a, v8::Value>> {
    let name = v8::String::new(scope, name)?;
    if !object.has_own_property(scope, name.into())? {
        return None;
    }
    object.get(scope, name.into())
}

/// What comes is the work of the event with this number.
#[op2(fast)]
pub(crate) fn op_work_for(state: &OpState, #[smi] id: EventId) {
    state.borrow::<Rc<Shared>>().work_for(id);
}

/// Takes the list of one number in which the scripts say whose work they begin.
#[op2(nofast)]
pub(crate) fn op_work_share<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    state: &OpState,
    current: v8::Local<'a, v8::Int32Array>,
) {
    if let Some(buffer) = current.buffer(scope) {
        let work = &state.borrow::<Rc<Shared>>().work;
        // An isolate has one.
        let _ = work.current.set(buffer.get_backing_store());
    }
}
