//! Events of an isolate: what each came with and what became of it. Shared by
//! the isolate, its ops and the futures that wait for answers.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use deno_core::ResourceId;
use http::{HeaderMap, Response};

use crate::body::{Cut, HostBody, ResponseBody};
use crate::capability::Way;
use crate::delivery::{Delivery, Said};
use crate::entrypoint::CallLimits;
use crate::error::EventError;
use crate::limits::Limits;
use crate::object::Object;
use crate::ops::web_socket::SocketEnd;
use crate::rpc::{Connection, RpcEnd};
use crate::trace::{Tailed, Tracer};

/// An event's number within its isolate.
pub(crate) type EventId = u32;

/// What an event ended with.
pub(crate) enum Outcome {
    Response(Response<ResponseBody>),
    /// The script answered with one end of a WebSocketPair.
    Upgrade(HeaderMap, SocketEnd),
    /// A handler that answers nothing (scheduled) settled.
    Done,
    Failed(EventError),
}

/// A script's answer to a WebSocket handshake: the headers to send with 101,
/// and the end to run over the connection.
pub struct Upgrade {
    pub headers: HeaderMap,
    pub end: SocketEnd,
}

#[derive(Default)]
pub(crate) struct Event {
    pub(crate) headers: RefCell<HeaderMap>,
    pub(crate) body: RefCell<Option<HostBody>>,
    /// Its request's `cf`, in JSON.
    pub(crate) cf: RefCell<Option<Arc<str>>>,
    /// What else it brought.
    pub(crate) delivery: RefCell<Option<Box<Delivery>>>,
    /// What the handler of a delivery said.
    pub(crate) said: RefCell<Option<Box<Said>>>,
    outcome: RefCell<Option<Outcome>>,
    waker: Cell<Option<Waker>>,
    /// An outcome was set once; later ones are dropped.
    pub(crate) answered: Cell<bool>,
    pub(crate) cpu: Cell<Duration>,
    pub(crate) subrequests: Cell<u32>,
    /// What its caller lets it use, where that is less than its worker may.
    pub(crate) limits: Cell<CallLimits>,
    /// How many workers called one another before it.
    pub(crate) depth: Cell<u32>,
    /// Sessions that it has with other events of the isolate: it waits for those.
    pub(crate) sessions_within: Cell<u32>,
    /// It has nothing to answer, and is there for what others hold of it.
    pub(crate) is_idle: Cell<bool>,
    /// The request's body in the isolate's resource table, once it was opened.
    pub(crate) body_rid: Cell<Option<ResourceId>>,
    /// The calls that it is for, until the script takes them.
    pub(crate) session: RefCell<Option<RpcEnd>>,
    /// What is to be made before those are with anything, and who is called.
    pub(crate) way: RefCell<Option<Box<Way>>>,
    /// The connection that it is for, until the script takes it.
    pub(crate) connection: RefCell<Option<Box<Connection>>>,
    /// The object that it is an event of, or whose life it is.
    pub(crate) object: Option<Rc<Object>>,
    /// Nobody waits for it: it is an object's life.
    pub(crate) background: bool,
    /// It is a part of an object's life that holds back the rest of it
    /// (`blockConcurrencyWhile`); this is the whole.
    life: Option<Rc<Event>>,
    /// What it is noted by, where somebody tails its worker.
    pub(crate) trace: RefCell<Option<Rc<Tracer>>>,
    /// What a tail worker is called for.
    pub(crate) tailed: RefCell<Option<Box<Tailed>>>,
    /// Ends its answer's body, where the script writes one.
    pub(crate) cut: RefCell<Option<Rc<Cut>>>,
    /// What else of the resource table ends with the event, such as connections.
    resources: RefCell<HashSet<ResourceId>>,
}

impl Event {
    /// An event that came with a request.
    pub(crate) fn request(headers: HeaderMap, body: Option<HostBody>) -> Rc<Self> {
        Rc::new(Self {
            headers: RefCell::new(headers),
            body: RefCell::new(body),
            ..Self::default()
        })
    }

    /// An event that brought something else, to a service or to an object.
    pub(crate) fn delivery(delivery: Delivery, object: Option<Rc<Object>>) -> Rc<Self> {
        Rc::new(Self {
            delivery: RefCell::new(Some(Box::new(delivery))),
            object,
            ..Self::default()
        })
    }

    /// An event of a tail worker, or of an object that is one.
    pub(crate) fn tailed(tailed: Box<Tailed>, object: Option<Rc<Object>>) -> Rc<Self> {
        Rc::new(Self {
            tailed: RefCell::new(Some(tailed)),
            object,
            ..Self::default()
        })
    }

    /// An event of an object that came with a request.
    pub(crate) fn of_object(
        object: Rc<Object>,
        headers: HeaderMap,
        body: Option<HostBody>,
    ) -> Rc<Self> {
        Rc::new(Self {
            headers: RefCell::new(headers),
            body: RefCell::new(body),
            object: Some(object),
            ..Self::default()
        })
    }

    /// A session of calls, to a service or to an object.
    pub(crate) fn calls(mut end: RpcEnd, object: Option<Rc<Object>>) -> Rc<Self> {
        Rc::new(Self {
            way: RefCell::new(end.way.take()),
            session: RefCell::new(Some(end)),
            object,
            ..Self::default()
        })
    }

    /// A connection to a service or to an object.
    pub(crate) fn connection(of: Box<Connection>, object: Option<Rc<Object>>) -> Rc<Self> {
        Rc::new(Self {
            connection: RefCell::new(Some(of)),
            object,
            ..Self::default()
        })
    }

    /// An object's life: what its timers and sockets belong to.
    pub(crate) fn life(object: Rc<Object>) -> Rc<Self> {
        Rc::new(Self {
            object: Some(object),
            background: true,
            answered: Cell::new(true),
            ..Self::default()
        })
    }

    /// A part of an object's life while which the rest of it waits.
    pub(crate) fn section(object: Rc<Object>, life: Rc<Event>) -> Rc<Self> {
        Rc::new(Self {
            object: Some(object),
            background: true,
            life: Some(life),
            answered: Cell::new(true),
            ..Self::default()
        })
    }

    /// How many workers called one another before what is done for it. An object's events
    /// are not told apart: it is as deep as the deepest that is open.
    pub(crate) fn depth_of_calls(&self) -> u32 {
        match &self.object {
            Some(object) => object.depth(),
            None => self.depth.get(),
        }
    }

    /// The object whose input gate holds what was begun by this event.
    pub(crate) fn gate(&self) -> Option<Rc<Object>> {
        match self.life {
            Some(_) => None,
            None => self.object.clone(),
        }
    }

    /// CPU time that it may use.
    pub(crate) fn cpu_limit(&self, limits: &Limits) -> Duration {
        let own = self.limits.get().cpu;
        own.map_or(limits.cpu, |own| own.min(limits.cpu))
    }

    /// Subrequests that it may make.
    pub(crate) fn subrequest_limit(&self, limits: &Limits) -> u32 {
        let own = self.limits.get().subrequests;
        own.map_or(limits.subrequests, |own| own.min(limits.subrequests))
    }

    /// Sets the outcome, unless there is one.
    pub(crate) fn settle(&self, outcome: Outcome) {
        if self.answered.replace(true) {
            return;
        }
        if let Some(tracer) = &*self.trace.borrow() {
            tracer.settled(&outcome);
        }
        *self.outcome.borrow_mut() = Some(outcome);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// Ends its answer's body, which its script does not any more.
    pub(crate) fn cut_body(&self, reason: &EventError) {
        if let Some(cut) = &*self.cut.borrow() {
            cut.cut(reason.to_string());
        }
    }

    pub(crate) fn take_outcome(&self) -> Option<Outcome> {
        self.outcome.borrow_mut().take()
    }

    /// Lets a resource end with the event.
    pub(crate) fn own(&self, rid: ResourceId) {
        let whole = self.life.as_deref().unwrap_or(self);
        whole.resources.borrow_mut().insert(rid);
    }

    /// A resource ended before the event.
    pub(crate) fn disown(&self, rid: ResourceId) {
        let whole = self.life.as_deref().unwrap_or(self);
        whole.resources.borrow_mut().remove(&rid);
    }

    /// What ends with the event.
    pub(crate) fn take_resources(&self) -> impl Iterator<Item = ResourceId> {
        self.body_rid
            .take()
            .into_iter()
            .chain(self.resources.take())
    }

    pub(crate) fn wait(&self, waker: &Waker) {
        self.waker.set(Some(waker.clone()));
    }
}

/// The open events of one isolate.
#[derive(Default)]
pub(crate) struct Events {
    open: RefCell<HashMap<EventId, Rc<Event>>>,
    /// Those that nobody waits for: as many as there are objects in memory, so that what
    /// is done for each open event must not be done for them.
    background: RefCell<HashMap<EventId, Rc<Event>>>,
    last: Cell<EventId>,
}

impl Events {
    pub(crate) fn insert(&self, event: Rc<Event>) -> EventId {
        let mut id = self.last.get();
        // 0 means "no event" on the script's side, and numbers stay small
        // integers for V8. An old event can outlive a wrap-around.
        loop {
            id = if id >= MAX_ID { 1 } else { id + 1 };
            if self.get(id).is_none() {
                break;
            }
        }
        self.last.set(id);
        if event.background {
            self.background.borrow_mut().insert(id, event);
            return id;
        }
        if let Some(object) = &event.object {
            object.open_events.set(object.open_events.get() + 1);
            object.entered(event.depth.get());
        }
        self.open.borrow_mut().insert(id, event);
        id
    }

    pub(crate) fn get(&self, id: EventId) -> Option<Rc<Event>> {
        let open = self.open.borrow().get(&id).cloned();
        open.or_else(|| self.background.borrow().get(&id).cloned())
    }

    pub(crate) fn remove(&self, id: EventId) -> Option<Rc<Event>> {
        let Some(event) = self.open.borrow_mut().remove(&id) else {
            return self.background.borrow_mut().remove(&id);
        };
        if let Some(object) = &event.object {
            object.open_events.set(object.open_events.get() - 1);
            object.left(event.depth.get());
        }
        Some(event)
    }

    /// How many somebody waits for.
    pub(crate) fn len(&self) -> usize {
        self.open.borrow().len()
    }

    /// Those of an object, its life apart.
    pub(crate) fn of(&self, object: &Rc<Object>) -> Vec<Rc<Event>> {
        let open = self.open.borrow();
        let is_of = |event: &&Rc<Event>| {
            let of = event.object.as_ref();
            of.is_some_and(|of| Rc::ptr_eq(of, object))
        };
        open.values().filter(is_of).cloned().collect()
    }

    /// Of an object's events that are traced, the one that came last.
    pub(crate) fn latest_of(&self, object: &Rc<Object>) -> Option<Rc<Event>> {
        let open = self.open.borrow();
        let is_of = |(_, event): &(&EventId, &Rc<Event>)| {
            let of = event.object.as_ref();
            event.trace.borrow().is_some() && of.is_some_and(|of| Rc::ptr_eq(of, object))
        };
        let latest = open.iter().filter(is_of).max_by_key(|(id, _)| **id);
        latest.map(|(_, event)| event.clone())
    }

    /// Hands over those that somebody waits for.
    pub(crate) fn for_each(&self, mut f: impl FnMut(&Rc<Event>)) {
        self.for_each_id(|_, event| f(event));
    }

    pub(crate) fn for_each_id(&self, mut f: impl FnMut(EventId, &Rc<Event>)) {
        for (id, event) in self.open.borrow().iter() {
            f(*id, event);
        }
    }
}

/// The largest small integer of a V8 with compressed pointers.
const MAX_ID: EventId = (1 << 30) - 1;
