//! Workers that a script loads (`js/worker_loader.js`): their code comes when the
//! script gives it, and their isolates run on lanes of their own (`lanes.rs`).

mod lanes;
mod loaders;

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use deno_error::JsErrorBox;
use futures::FutureExt;
use futures::future::LocalBoxFuture;
use http::Request;
use parking_lot::Mutex;
use tokio::sync::watch;

pub use self::lanes::DynamicLanes;
pub(crate) use self::loaders::{Counted, Loaders};

use self::lanes::SharedLane;
use crate::binding::ServiceTarget;
use crate::body::HostBody;
use crate::capability::{Capability, Parcel};
use crate::delivery::{Delivery, Report};
use crate::entrypoint::Entrypoint;
use crate::error::{EventError, ScriptError, StartError};
use crate::host::{ServiceAnswer, ServiceError};
use crate::lane::{FacetIsolate, LaneLocal, LaneRef, Served};
use crate::object::{FacetPresence, FacetStart};
use crate::ops::service::thrown;
use crate::rpc::RpcEnd;
use crate::worker::Worker;

/// How long a call waits for a lane that one long turn holds, where the isolate may
/// as well start on another.
const PATIENCE: Duration = Duration::from_millis(25);

/// What a worker that a script loads has besides its code.
pub struct Loaded {
    /// The lane of whoever loads it: services and objects are called from there, as
    /// that worker's own.
    pub(crate) home: LaneRef,
    pub(crate) env: Option<Arc<Parcel>>,
    pub(crate) outbound: Outbound,
}

/// Where what a loaded worker fetches goes.
#[derive(Debug)]
pub(crate) enum Outbound {
    /// Where what its loader fetches goes; None: to the network.
    Inherited(Option<Capability>),
    Denied,
    Given(Capability),
}

/// What its script hears of a network that it has not.
pub(crate) const DENIED: &str = "This worker is not permitted to access the internet via global \
     functions like fetch(). It must use capabilities (such as bindings in 'env') to talk to the \
     outside world.";

/// What a call hears whose event, or that of the code, has ended.
const GONE: &str = "The execution context which hosts this callback is no longer running.";

impl fmt::Debug for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loaded")
            .field("outbound", &self.outbound)
            .finish_non_exhaustive()
    }
}

/// Why there is no code, as the scripts that call are to see it.
#[derive(Debug, Clone)]
pub(crate) struct LoadFault {
    /// The error's class, as deno_error has it.
    pub(crate) class: String,
    pub(crate) message: String,
}

type Code = Result<Arc<Worker>, LoadFault>;

/// Where a script's code for a worker goes. Dropped without any, callers hear that
/// whoever was to give it is gone.
pub(crate) struct Loading(watch::Sender<Option<Code>>);

impl Loading {
    pub(crate) fn give(self, code: Code) {
        self.0.send_replace(Some(code));
    }
}

/// A worker that a script loads. Its isolate ends when nothing holds this.
pub(crate) struct Dynamic {
    lanes: Arc<DynamicLanes>,
    code: watch::Receiver<Option<Code>>,
    /// The lane that its isolate is on, once it was called.
    lane: RefCell<Option<Arc<SharedLane>>>,
    /// Calls under way.
    calls: Cell<usize>,
    used: Cell<Instant>,
    /// Its code does not start.
    broken: Cell<bool>,
    /// Facets that were called.
    facets: RefCell<Vec<Weak<FacetPresence>>>,
    _counted: Counted,
}

impl Dynamic {
    pub(crate) fn new(lanes: Arc<DynamicLanes>, counted: Counted) -> (Rc<Self>, Loading) {
        let (sender, code) = watch::channel(None);
        let dynamic = Rc::new(Self {
            lanes,
            code,
            lane: RefCell::default(),
            calls: Cell::new(0),
            used: Cell::new(Instant::now()),
            broken: Cell::new(false),
            facets: RefCell::default(),
            _counted: counted,
        });
        (dynamic, Loading(sender))
    }

    /// Whether calling it can only fail.
    fn is_broken(&self) -> bool {
        let failed = match &*self.code.borrow() {
            Some(code) => code.is_err(),
            None => self.code.has_changed().is_err(),
        };
        failed || self.broken.get()
    }

    /// Waits for the script's code.
    async fn worker(&self) -> Result<Arc<Worker>, JsErrorBox> {
        let mut code = self.code.clone();
        let known = match code.wait_for(Option::is_some).await {
            Ok(code) => code.clone(),
            Err(_gone) => None,
        };
        match known {
            Some(Ok(worker)) => Ok(worker),
            Some(Err(fault)) => Err(JsErrorBox::new(fault.class, fault.message)),
            None => Err(JsErrorBox::generic(GONE)),
        }
    }

    /// Sends it a request. Dropping the future abandons the request.
    pub(crate) async fn fetch(
        &self,
        entrypoint: &Entrypoint,
        request: Request<HostBody>,
    ) -> Result<ServiceAnswer, JsErrorBox> {
        let job: Job<Request<HostBody>, Served<HostBody>> =
            |lane, worker, target, request| lane.call(worker, target, request).boxed_local();
        let served = self.run(entrypoint, request, job).await?;
        Ok(served.into())
    }

    /// Runs a session of calls with it, until it ends.
    pub(crate) async fn rpc(
        &self,
        entrypoint: &Entrypoint,
        called: RpcEnd,
    ) -> Result<(), JsErrorBox> {
        let job: Job<RpcEnd, ()> =
            |lane, worker, target, called| lane.rpc(worker, target, called).boxed_local();
        self.run(entrypoint, called, job).await
    }

    /// Sends a request to a facet with one of its classes.
    pub(crate) async fn facet(
        &self,
        start: Arc<FacetStart>,
        request: Request<HostBody>,
    ) -> Result<ServiceAnswer, JsErrorBox> {
        self.keep_facet(&start);
        let job: Job<(Arc<FacetStart>, Request<HostBody>), Served<HostBody>> =
            |lane, worker, _target, (start, request)| {
                let of = FacetIsolate::Of(worker);
                lane.facet(of, start, request).boxed_local()
            };
        let served = self.run(Entrypoint::DEFAULT, (start, request), job).await?;
        Ok(served.into())
    }

    /// Runs a session of calls with such a facet, until it ends.
    pub(crate) async fn facet_rpc(
        &self,
        start: Arc<FacetStart>,
        called: RpcEnd,
    ) -> Result<(), JsErrorBox> {
        self.keep_facet(&start);
        let job: Job<(Arc<FacetStart>, RpcEnd), ()> = |lane, worker, _target, (start, called)| {
            let of = FacetIsolate::Of(worker);
            lane.facet_rpc(of, start, called).boxed_local()
        };
        self.run(Entrypoint::DEFAULT, (start, called), job).await
    }

    /// Ends such a facet, and waits until it is gone.
    pub(crate) async fn end_facet(&self, start: Arc<FacetStart>, reason: EventError) {
        let lane = self.lane.borrow().clone();
        // Where it has no lane, nothing of it runs.
        if let Some(lane) = lane {
            lane.handle().end_facet(start, reason).await;
        }
    }

    fn keep_facet(&self, start: &FacetStart) {
        let mut facets = self.facets.borrow_mut();
        let presence = Arc::downgrade(&start.presence);
        if !facets.iter().any(|known| known.ptr_eq(&presence)) {
            facets.retain(|known| known.strong_count() > 0);
            facets.push(presence);
        }
    }

    /// Whether a facet of it is in memory, which stays where it is.
    fn has_facets(&self) -> bool {
        let facets = self.facets.borrow();
        let mut facets = facets.iter().filter_map(Weak::upgrade);
        facets.any(|facet| facet.is_in_memory())
    }

    /// Hands it a scheduled run or a batch of messages.
    pub(crate) async fn deliver(
        &self,
        entrypoint: &Entrypoint,
        delivery: Delivery,
    ) -> Result<Report, JsErrorBox> {
        let job: Job<Delivery, Report> =
            |lane, worker, target, delivery| lane.deliver(worker, target, delivery).boxed_local();
        self.run(entrypoint, delivery, job).await
    }

    /// Does `job` on the lane of its isolate. Where that lane is held by a long turn
    /// and nothing of this worker's runs there, the isolate starts anew on another.
    async fn run<P, T>(
        &self,
        entrypoint: &Entrypoint,
        payload: P,
        job: Job<P, T>,
    ) -> Result<T, JsErrorBox>
    where
        P: Send + 'static,
        T: Send + 'static,
    {
        let worker = self.worker().await?;
        let _call = Call::of(self);
        let target = Arc::new(ServiceTarget {
            service: worker.name().to_string(),
            entrypoint: entrypoint.clone(),
        });
        let mut payload = payload;
        loop {
            // Whoever takes it has the call: the lane, or this, to move it.
            let offer = Arc::new(Mutex::new(Some(payload)));
            let lane = self.lane().map_err(thrown)?;
            let _busy = lane.busy();
            let (offered, worker, target) = (offer.clone(), worker.clone(), target.clone());
            let mut asked = std::pin::pin!(lane.ask(move |local| {
                match offered.lock().take() {
                    Some(payload) => job(local, worker, target, payload),
                    None => std::future::ready(Err(moved())).boxed_local(),
                }
            }));
            payload = loop {
                match tokio::time::timeout(PATIENCE, &mut asked).await {
                    Ok(done) => return done.map_err(|error| self.told(error)),
                    Err(_elapsed) if offer.lock().is_none() => {
                        return asked.await.map_err(|error| self.told(error));
                    }
                    Err(_elapsed) if self.calls.get() > 1 || !lane.is_held() => {}
                    Err(_elapsed) if self.has_facets() => {}
                    // Between the look and this the lane may have taken it.
                    Err(_elapsed) => {
                        if let Some(payload) = offer.lock().take() {
                            break payload;
                        }
                    }
                }
            };
            self.leave();
        }
    }

    /// The lane that it runs on; chooses one where it has none.
    fn lane(&self) -> Result<Arc<SharedLane>, ServiceError> {
        if let Some(lane) = &*self.lane.borrow() {
            return Ok(lane.clone());
        }
        let lane = self.lanes.choose()?;
        lane.joined();
        *self.lane.borrow_mut() = Some(lane.clone());
        Ok(lane)
    }

    /// Ends its isolate once what runs in it has ended.
    fn leave(&self) {
        let lane = self.lane.borrow_mut().take();
        if let (Some(lane), Some(Ok(worker))) = (lane, &*self.code.borrow()) {
            lane.left(worker.clone());
        }
    }

    /// What the caller's script catches.
    fn told(&self, error: EventError) -> JsErrorBox {
        match error {
            EventError::Start(error) => {
                if !matches!(error, StartError::Full { .. }) {
                    self.broken.set(true);
                }
                JsErrorBox::generic(not_started(&error))
            }
            // Whoever asks for it by its name is to get it anew.
            EventError::Aborted { .. } => {
                self.broken.set(true);
                thrown(error.into())
            }
            EventError::NoEntrypoint { name, .. } => {
                JsErrorBox::generic(format!("Worker has no such entrypoint: {name}"))
            }
            error => thrown(error.into()),
        }
    }
}

impl Drop for Dynamic {
    fn drop(&mut self) {
        self.leave();
    }
}

type Job<P, T> = fn(
    Rc<LaneLocal>,
    Arc<Worker>,
    Arc<ServiceTarget>,
    P,
) -> LocalBoxFuture<'static, Result<T, EventError>>;

/// Not seen by anybody: the call goes on elsewhere.
fn moved() -> EventError {
    EventError::IsolateLost {
        reason: "the call was moved to another lane".into(),
    }
}

/// A call under way.
struct Call<'a>(&'a Dynamic);

impl<'a> Call<'a> {
    fn of(dynamic: &'a Dynamic) -> Self {
        dynamic.calls.set(dynamic.calls.get() + 1);
        dynamic.used.set(Instant::now());
        Self(dynamic)
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        self.0.calls.set(self.0.calls.get() - 1);
        self.0.used.set(Instant::now());
    }
}

/// What Workers say of code that does not start.
fn not_started(error: &StartError) -> String {
    match error {
        StartError::Script(error) => failed_to_start(error),
        error => format!("Failed to start Worker:\n{error}"),
    }
}

pub(crate) fn failed_to_start(error: &ScriptError) -> String {
    // What was thrown and is no error has no class, and neither have the loader's.
    let first = error.message.split(':').next().unwrap_or_default();
    let class = if first.ends_with("Error") {
        ""
    } else {
        "Error: "
    };
    let mut text = format!("Failed to start Worker:\nUncaught {class}{}", error.message);
    for frame in &error.frames {
        let frame = frame.trim_start().trim_start_matches("at ");
        let (function, place) = match frame.strip_suffix(')').and_then(|it| it.split_once(" (")) {
            Some(("<anonymous>", place)) => (String::new(), place),
            Some((function, place)) => (format!(" in {function}"), place),
            None => (String::new(), frame),
        };
        text.push_str(&format!("\n  at {place}{function}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_that_does_not_start_is_told_as_workers_tell_it() {
        let error = ScriptError {
            message: "TypeError: top".into(),
            frames: vec!["    at f (m.js:1:7)".into(), "    at m.js:2:1".into()],
            resets_object: false,
            thrown: None,
        };
        assert_eq!(
            failed_to_start(&error),
            "Failed to start Worker:\nUncaught TypeError: top\n  at m.js:1:7 in f\n  at m.js:2:1"
        );
    }
}
