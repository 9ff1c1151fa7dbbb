//! The facets that an object has, by name: how each is started, called and ended.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::{Rc, Weak};
use std::sync::Arc;

use deno_error::JsErrorBox;
use futures::FutureExt;
use http::Request;
use tokio::sync::Notify;

use super::facet::{FacetPresence, FacetStart};
use super::{Object, ObjectTarget};
use crate::binding::ServiceTarget;
use crate::body::HostBody;
use crate::dynamic::{Dynamic, LoadFault};
use crate::entrypoint::CallLimits;
use crate::error::EventError;
use crate::host::{FetchError, ServiceAnswer, ServiceError};
use crate::isolate::Isolate;
use crate::lane::{FacetIsolate, LaneLocal, LaneRef};
use crate::ops::service::thrown;
use crate::rpc::RpcEnd;
use crate::worker::{ObjectIsolation, Worker};

/// How a facet ends with an object that nothing happened to.
const LEFT: &str = "the object that had the facet has left memory";

#[derive(Default)]
pub(crate) struct Facets(RefCell<HashMap<String, Rc<Facet>>>);

impl Facets {
    /// The one of a name that has not ended, and whether it is new: then it is to be
    /// told what it is.
    fn get_or_begin(&self, name: &str) -> (Rc<Facet>, bool) {
        let mut by_name = self.0.borrow_mut();
        if let Some(facet) = by_name.get(name).filter(|facet| facet.stays()) {
            return (facet.clone(), false);
        }
        let facet = Rc::<Facet>::default();
        by_name.insert(name.to_string(), facet.clone());
        (facet, true)
    }

    /// Ends the one of a name.
    pub(crate) fn end(&self, name: &str, reason: EventError) {
        let facet = self.0.borrow_mut().remove(name);
        if let Some(facet) = facet {
            facet.end(reason);
        }
    }

    /// Ends all; each is gone when its presence says so.
    pub(crate) fn end_all(&self, reason: &EventError) -> Vec<Arc<FacetPresence>> {
        let facets = std::mem::take(&mut *self.0.borrow_mut());
        let ended = facets.into_values().map(|facet| {
            facet.end(reason.clone());
            facet.presence.clone()
        });
        ended.collect()
    }

    /// Forgets those that have left memory and that nobody could call.
    pub(crate) fn prune(&self) {
        let forgotten: Vec<_> = {
            let mut by_name = self.0.borrow_mut();
            let gone =
                by_name.extract_if(|_, facet| facet.is_over() && Rc::strong_count(facet) == 1);
            gone.collect()
        };
        // Classes of theirs may end here, where nothing is borrowed.
        drop(forgotten);
    }

    /// Whether one of them is being called.
    pub(crate) fn are_called(&self) -> bool {
        self.0.borrow().values().any(|facet| facet.calls.get() > 0)
    }

    /// Whether one of them is in memory, or about to be.
    pub(crate) fn are_there(&self) -> bool {
        self.are_called()
            || self
                .0
                .borrow()
                .values()
                .any(|facet| facet.presence.is_in_memory())
    }
}

/// One facet, from its start until it ends.
#[derive(Default)]
pub(crate) struct Facet {
    presence: Arc<FacetPresence>,
    state: RefCell<State>,
    changed: Notify,
    /// Calls under way.
    calls: Cell<usize>,
}

#[derive(Default)]
enum State {
    /// The script is asked what it is.
    #[default]
    Starting,
    Started(Rc<Started>),
    /// The script did not say what it is.
    Failed(LoadFault),
    /// See its presence.
    Ended,
}

struct Started {
    start: Arc<FacetStart>,
    place: Place,
}

/// Where a facet runs.
pub(crate) enum Place {
    /// In the isolate of the object that has it.
    Own(Weak<LaneLocal>, Weak<Isolate>),
    /// With a worker that is deployed, on the lane that has what the script may call.
    Lane(LaneRef, Arc<ServiceTarget>),
    /// With a worker that the script loads.
    Dynamic(Rc<Dynamic>),
}

impl Facet {
    pub(crate) fn presence(&self) -> &Arc<FacetPresence> {
        &self.presence
    }

    /// Whether its name is for it. One that did not start fails until it is ended, as
    /// Workers have it.
    fn stays(&self) -> bool {
        matches!(&*self.state.borrow(), State::Failed(_)) || self.presence.ended().is_none()
    }

    /// Whether it was started and is not there any more.
    fn is_over(&self) -> bool {
        let is_starting = matches!(&*self.state.borrow(), State::Starting | State::Failed(_));
        !is_starting && self.calls.get() == 0 && !self.presence.is_in_memory()
    }

    /// It is known what it is; unless it ended meanwhile it may be called.
    pub(crate) fn started(&self, start: FacetStart, place: Place) {
        let start = Arc::new(start);
        let mut state = self.state.borrow_mut();
        if matches!(&*state, State::Starting) {
            *state = State::Started(Rc::new(Started { start, place }));
        }
        drop(state);
        self.changed.notify_waiters();
    }

    /// It is not known what it is.
    pub(crate) fn failed(&self, fault: LoadFault) {
        let mut state = self.state.borrow_mut();
        if matches!(&*state, State::Starting) {
            *state = State::Failed(fault);
        }
        drop(state);
        self.presence.end(EventError::Hung);
        self.changed.notify_waiters();
    }

    fn end(&self, reason: EventError) {
        self.presence.end(reason.clone());
        let state = self.state.replace(State::Ended);
        if let State::Started(started) = state {
            started.end(reason);
        }
        self.changed.notify_waiters();
    }

    /// Waits until it can be called.
    async fn ready(&self) -> Result<Rc<Started>, JsErrorBox> {
        loop {
            let changed = self.changed.notified();
            match &*self.state.borrow() {
                State::Failed(fault) => {
                    let LoadFault { class, message } = fault.clone();
                    return Err(JsErrorBox::new(class, message));
                }
                State::Started(started) => {
                    return match self.presence.ended() {
                        Some(reason) => Err(thrown(reason.into())),
                        None => Ok(started.clone()),
                    };
                }
                State::Starting => {}
                State::Ended => {
                    let reason = self.presence.ended().unwrap_or(EventError::Hung);
                    return Err(thrown(reason.into()));
                }
            }
            changed.await;
        }
    }

    /// Sends it a request. Dropping the future abandons the request.
    pub(crate) async fn fetch(
        &self,
        request: Request<HostBody>,
    ) -> Result<ServiceAnswer, JsErrorBox> {
        let _call = Call::of(&self.calls);
        let started = self.ready().await?;
        let start = started.start.clone();
        let served = match &started.place {
            Place::Own(lane, isolate) => {
                let lane = lane.upgrade().ok_or_else(gone)?;
                let isolate = FacetIsolate::Own(isolate.clone());
                let served = lane.facet(isolate, start, request).await;
                served.map(Into::into).map_err(Into::into)
            }
            Place::Lane(home, of) => {
                let of = of.clone();
                let asked = home.ask(move |lane| {
                    async move {
                        let isolate = of_class(&lane, &of)?;
                        Ok(lane
                            .facet(isolate, start, request)
                            .await
                            .map_err(Into::into))
                    }
                    .boxed_local()
                });
                match asked.await {
                    Ok(served) => served.map(Into::into),
                    Err(error) => Err(error.into()),
                }
            }
            Place::Dynamic(dynamic) => return dynamic.facet(start, request).await,
        };
        served.map_err(thrown)
    }

    /// Runs a session with it, until it ends.
    pub(crate) async fn rpc(&self, called: RpcEnd) -> Result<(), JsErrorBox> {
        let _call = Call::of(&self.calls);
        let started = self.ready().await?;
        let start = started.start.clone();
        let ended = match &started.place {
            Place::Own(lane, isolate) => {
                let lane = lane.upgrade().ok_or_else(gone)?;
                let isolate = FacetIsolate::Own(isolate.clone());
                lane.facet_rpc(isolate, start, called)
                    .await
                    .map_err(Into::into)
            }
            Place::Lane(home, of) => {
                let of = of.clone();
                let asked = home.ask(move |lane| {
                    async move {
                        let isolate = of_class(&lane, &of)?;
                        lane.facet_rpc(isolate, start, called).await
                    }
                    .boxed_local()
                });
                asked.await.map_err(ServiceError::from)
            }
            Place::Dynamic(dynamic) => return dynamic.facet_rpc(start, called).await,
        };
        ended.map_err(thrown)
    }
}

impl Drop for Facet {
    fn drop(&mut self) {
        // Its lane sees to it.
        self.presence.end(EventError::IsolateLost {
            reason: "the object that had the facet is gone".into(),
        });
    }
}

impl Started {
    /// Has it end where it runs.
    fn end(&self, reason: EventError) {
        let start = self.start.clone();
        match &self.place {
            Place::Own(_, isolate) => {
                if let Some(isolate) = isolate.upgrade() {
                    isolate.break_facet(&start.target, reason);
                    // Its script is told after this turn, which may be its own.
                    deno_core::unsync::spawn(async move { isolate.end_broken(&start.target) });
                }
            }
            Place::Lane(home, _) => {
                let home = home.clone();
                deno_core::unsync::spawn(async move { home.end_facet(start, reason).await });
            }
            Place::Dynamic(dynamic) => {
                let dynamic = dynamic.clone();
                deno_core::unsync::spawn(async move { dynamic.end_facet(start, reason).await });
            }
        }
    }
}

/// The isolate of a worker whose class a facet of this lane has.
fn of_class(lane: &Rc<LaneLocal>, of: &ServiceTarget) -> Result<FacetIsolate, EventError> {
    let refused = |reason: String| EventError::ObjectReset { reason };
    let worker: Arc<Worker> = lane
        .host()
        .objects()
        .worker_of(of)
        .map_err(|FetchError { message }| refused(message))?;
    if worker.objects == ObjectIsolation::Each {
        let reason = "a class of a worker with `isolation = \"object\"` makes facets of that \
                      worker's own objects alone";
        return Err(refused(reason.into()));
    }
    Ok(FacetIsolate::Of(worker))
}

/// Why a facet ends with an object that nothing happened to.
pub(crate) fn left() -> EventError {
    EventError::ObjectReset {
        reason: LEFT.into(),
    }
}

/// Whether this is why it ends.
pub(crate) fn is_left(reason: &EventError) -> bool {
    matches!(reason, EventError::ObjectReset { reason } if reason == LEFT)
}

/// What is left to say where the object that has it is no more.
pub(crate) fn gone() -> JsErrorBox {
    JsErrorBox::generic("This Durable Object has ended.")
}

/// A call under way.
struct Call<'a>(&'a Cell<usize>);

impl<'a> Call<'a> {
    fn of(calls: &'a Cell<usize>) -> Self {
        calls.set(calls.get() + 1);
        Self(calls)
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

/// What `ctx.facets.get` gives: the facet is started when it is first called.
pub(crate) struct FacetStub {
    pub(crate) parent: Weak<Object>,
    pub(crate) name: String,
    facet: OnceCell<Rc<Facet>>,
}

impl FacetStub {
    pub(crate) fn new(parent: &Rc<Object>, name: String) -> Self {
        Self {
            parent: Rc::downgrade(parent),
            name,
            facet: OnceCell::new(),
        }
    }

    /// The facet that it stands for from now on, where that is still to be told what it
    /// is.
    pub(crate) fn begin(&self) -> Result<Option<Rc<Facet>>, JsErrorBox> {
        if self.facet.get().is_some() {
            return Ok(None);
        }
        let parent = self.parent.upgrade().ok_or_else(gone)?;
        if let Some(fault) = parent.fault() {
            return Err(JsErrorBox::generic(fault.to_string()));
        }
        let (facet, is_new) = parent.facets.get_or_begin(&self.name);
        let _ = self.facet.set(facet.clone());
        Ok(is_new.then_some(facet))
    }

    pub(crate) fn facet(&self) -> Result<Rc<Facet>, JsErrorBox> {
        self.facet.get().cloned().ok_or_else(gone)
    }
}

impl Object {
    /// How many objects it is in.
    pub(crate) fn facet_depth(&self) -> u32 {
        self.facet.as_ref().map_or(0, |facet| facet.start.depth)
    }

    /// What one of its events may use, where that is less than its worker may.
    pub(crate) fn call_limits(&self) -> CallLimits {
        let limits = self
            .facet
            .as_ref()
            .and_then(|facet| facet.start.class.limits);
        limits.unwrap_or_default()
    }

    /// Who a facet of it is.
    pub(crate) fn facet_target(&self, id: super::ObjectId) -> Arc<ObjectTarget> {
        Arc::new(ObjectTarget {
            namespace: self.target.namespace.clone(),
            id,
            name: None,
        })
    }
}
