//! Lanes: threads that own isolates. An isolate never leaves its lane, so a
//! request served on a lane hops no threads.

mod alarm;
pub(crate) mod bell;
mod call;
mod facet;
mod forward;
mod guest;
mod object;
mod remote;
mod socket;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::{Rc, Weak};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::{LocalBoxFuture, Shared};
use http::{Request, Response};
use tokio::sync::{mpsc, oneshot};
use tokio::task::LocalSet;

pub use self::alarm::AlarmOutcome;
pub(crate) use self::facet::FacetIsolate;
pub use self::object::ObjectsEnd;

use self::bell::Bell;
use self::guest::Guest;
use crate::body::{HostBody, ResponseBody};
use crate::cage::Share;
use crate::error::{EventError, StartError};
use crate::event::{Outcome, Upgrade};
use crate::host::{Host, ServiceAnswer};
use crate::inspector::Inspection;
use crate::isolate::{Answer, Isolate, ReadyIsolate};
use crate::limits::Limits;
use crate::object::Sockets;
use crate::platform::Engine;
use crate::watchdog::{LaneClock, Watchdog};
use crate::worker::{Worker, WorkerId};

/// Commands a lane may have waiting. They are rare (deploys, shutdown); a lane
/// that has not taken this many is stuck, and more would not help it.
const COMMANDS: usize = 64;
/// How often the lane's other tasks are let run for an idle isolate to end.
const MOST_YIELDS: usize = 100;
/// How often a lane looks at its isolates' memory and age.
const HOUSEKEEPING: Duration = Duration::from_secs(1);
/// How long a script that cannot start is not tried again: it would fail again,
/// and its neighbours would wait meanwhile.
const START_RETRY: Duration = Duration::from_secs(5);
/// How long an isolate with a large heap may be unused before its garbage is
/// collected, and what a large heap is.
const IDLE: Duration = Duration::from_secs(10);
const LARGE_HEAP: usize = 8 << 20;
/// How long after a ready isolate was taken the next one is made: its first
/// answer should be on its way by then, by another lane too, not wait for this.
const REFILL_AFTER: Duration = Duration::from_millis(4);
/// How long a turn lasts that holds its lane: longer than what collecting garbage or
/// a start takes.
const HELD: Duration = Duration::from_millis(20);
/// How long a lane that is let go waits for what still runs on it.
const LINGER: Duration = Duration::from_secs(30);

type Command = Box<dyn FnOnce(Rc<LaneLocal>) -> LocalBoxFuture<'static, ()> + Send>;

/// Makes a lane's host on the lane's thread.
pub type MakeHost = Box<dyn FnOnce(&Weak<LaneLocal>) -> Rc<dyn Host> + Send>;

/// What a lane is made with.
pub struct LaneConfig {
    /// The thread's name.
    pub name: String,
    pub engine: Engine,
    /// Isolates kept ready, so that a cold start only runs the script.
    pub ready: usize,
    pub inspection: Inspection,
    /// A host that serves workers to one another finds the lane by what it is
    /// given.
    pub host: MakeHost,
}

/// A handle on a lane's thread. Dropping it stops the lane without waiting.
pub struct Lane {
    id: u64,
    bell: Arc<Bell>,
    commands: mpsc::Sender<Command>,
    thread: JoinHandle<()>,
    /// There once the thread runs.
    clock: Arc<OnceLock<Arc<LaneClock>>>,
}

/// A lane as others call it: it may have ended.
#[derive(Clone)]
pub struct LaneRef {
    id: u64,
    bell: Arc<Bell>,
    commands: mpsc::WeakSender<Command>,
}

/// The lane took no command: it is gone or does not keep up.
#[derive(Debug, thiserror::Error)]
#[error("the lane takes no commands: it has stopped or has {COMMANDS} waiting")]
pub struct LaneBusy;

impl Lane {
    /// Starts the thread.
    pub fn start(config: LaneConfig) -> std::io::Result<Self> {
        static LAST: AtomicU64 = AtomicU64::new(0);
        let id = LAST.fetch_add(1, Ordering::Relaxed);
        let (commands, receiver) = mpsc::channel(COMMANDS);
        let bell = Arc::<Bell>::default();
        let handle = LaneRef {
            id,
            bell: bell.clone(),
            commands: commands.downgrade(),
        };
        let clock = Arc::<OnceLock<_>>::default();
        let own = clock.clone();
        let thread = std::thread::Builder::new()
            .name(config.name.clone())
            // V8 wants about 1 MB of stack for script; ops run below it.
            .stack_size(8 << 20)
            .spawn(move || run(handle, &own, config, receiver))?;
        Ok(Self {
            id,
            bell,
            commands,
            thread,
            clock,
        })
    }

    /// Whether the turn that runs on it has lasted long.
    pub fn is_held(&self) -> bool {
        let clock = self.clock.get();
        clock.is_some_and(|clock| clock.turn_lasts() > HELD)
    }

    /// A way to call it that does not keep it from ending.
    pub fn handle(&self) -> LaneRef {
        LaneRef {
            id: self.id,
            bell: self.bell.clone(),
            commands: self.commands.downgrade(),
        }
    }

    /// Runs `f` on the lane, beside whatever else runs there.
    pub fn run<F, T>(&self, f: F) -> Result<oneshot::Receiver<T>, LaneBusy>
    where
        F: FnOnce(Rc<LaneLocal>) -> LocalBoxFuture<'static, T> + Send + 'static,
        T: Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let command: Command = Box::new(move |lane| {
            async move {
                // Nobody may wait for it any more.
                let _ = sender.send(f(lane).await);
            }
            .boxed_local()
        });
        self.commands.try_send(command).map_err(|_| LaneBusy)?;
        Ok(receiver)
    }

    /// Lets the lane end what runs on it and waits for its thread.
    pub fn stop(self) {
        drop(self.commands);
        // A panic on the lane was reported by its thread.
        let _ = self.thread.join();
    }
}

/// What is left to say to whoever asked a lane that is gone.
fn lane_ended() -> EventError {
    EventError::IsolateLost {
        reason: "its lane has ended".into(),
    }
}

fn run(
    handle: LaneRef,
    own: &OnceLock<Arc<LaneClock>>,
    config: LaneConfig,
    mut commands: mpsc::Receiver<Command>,
) {
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        // V8 turns are short; look at the sockets often.
        .event_interval(31)
        .on_thread_park(bell::listen)
        .on_thread_unpark(bell::wake)
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "a lane got no event loop");
            return;
        }
    };
    bell::hang(handle.bell.clone());
    let dog = Watchdog::get();
    let clock = LaneClock::for_this_thread(&dog);
    let _ = own.set(clock.clone());
    LocalSet::new().block_on(&runtime, async {
        let lane = Rc::new_cyclic(|lane| LaneLocal {
            handle,
            engine: config.engine,
            host: (config.host)(lane),
            clock: clock.clone(),
            sockets: Rc::new(Sockets::new(lane.clone())),
            slots: RefCell::default(),
            ready: RefCell::default(),
            ready_wanted: config.ready,
            refilling: Cell::new(false),
            inspection: config.inspection,
            growth: config.engine.cage.lane(),
            replaced: RefCell::default(),
            guests: RefCell::default(),
            measured: Cell::new(Instant::now()),
        });
        lane.refill();
        let keeper = tokio::task::spawn_local(housekeeping(lane.clone()));
        let mut running = tokio::task::JoinSet::new();
        while let Some(command) = commands.recv().await {
            running.spawn_local(command(lane.clone()));
            while running.try_join_next().is_some() {}
        }
        // The lane's last handle is gone: a version was replaced or the node
        // stops. What is open may still end.
        let rest = async { while running.join_next().await.is_some() {} };
        if tokio::time::timeout(LINGER, rest).await.is_err() {
            running.shutdown().await;
        }
        keeper.abort();
        lane.drop_all();
    });
    dog.forget(&clock);
}

async fn housekeeping(lane: Rc<LaneLocal>) {
    let mut every = tokio::time::interval(HOUSEKEEPING);
    loop {
        every.tick().await;
        lane.measure_heaps();
        lane.collect_idle();
        lane.evict_under_pressure();
        lane.release_objects();
        lane.see_off_guests();
    }
}

type Starting = Shared<LocalBoxFuture<'static, Result<Rc<Isolate>, StartError>>>;

/// A worker on this lane.
enum Slot {
    Starting(Starting),
    Live(Rc<Isolate>),
    Failed(StartError, Instant),
}

/// What an event ended with, as the node sends it on. `B` is a body that stays
/// on the lane, or one that has left it.
pub enum Served<B = ResponseBody> {
    Response(Response<B>),
    /// 101: run the socket over the connection.
    Upgrade(Upgrade),
}

impl<B> Served<B> {
    /// What an event of `fetch` ended with, its body as `carry` makes it.
    fn of(outcome: Outcome, carry: impl FnOnce(ResponseBody) -> B) -> Result<Self, EventError> {
        match outcome {
            Outcome::Response(response) => Ok(Self::Response(response.map(carry))),
            Outcome::Upgrade(headers, end) => Ok(Self::Upgrade(Upgrade { headers, end })),
            Outcome::Failed(error) => Err(error),
            Outcome::Done => Err(EventError::NoHandler { kind: "fetch" }),
        }
    }
}

impl From<Served<HostBody>> for ServiceAnswer {
    fn from(served: Served<HostBody>) -> Self {
        match served {
            Served::Response(response) => Self::Response(response),
            Served::Upgrade(upgrade) => Self::Socket(upgrade.headers, upgrade.end),
        }
    }
}

/// What a worker's script offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exports {
    Handlers,
    /// No event can reach it.
    NoHandler,
}

/// A lane, seen from its own thread.
pub struct LaneLocal {
    handle: LaneRef,
    engine: Engine,
    host: Rc<dyn Host>,
    clock: Arc<LaneClock>,
    /// Hibernating WebSockets of its objects.
    sockets: Rc<Sockets>,
    slots: RefCell<HashMap<WorkerId, Slot>>,
    ready: RefCell<Vec<ReadyIsolate>>,
    ready_wanted: usize,
    /// A task is making ready isolates.
    refilling: Cell<bool>,
    inspection: Inspection,
    /// What one of its isolates may grow by: this lane's part of the cage.
    growth: Share,
    /// Isolates of versions that were replaced, while they have objects.
    replaced: RefCell<Vec<Weak<Isolate>>>,
    /// Objects that have isolates of their own.
    guests: RefCell<Vec<Guest>>,
    /// When housekeeping last measured heaps.
    measured: Cell<Instant>,
}

impl LaneLocal {
    /// A way to call it from other threads.
    pub(crate) fn handle(&self) -> &LaneRef {
        &self.handle
    }

    /// Serves one request with the worker's isolate on this lane, starting it
    /// where there is none. Dropping the future abandons the request.
    pub async fn fetch(
        self: &Rc<Self>,
        worker: &Arc<Worker>,
        request: Request<HostBody>,
        https: bool,
    ) -> Result<Served, EventError> {
        let isolate = self.isolate(worker).await?;
        let answer = isolate.fetch(request, https)?;
        Served::of(self.outcome(worker, answer).await, |body| body)
    }

    /// Starts the worker's isolate, or says why it cannot be.
    pub async fn warm(self: &Rc<Self>, worker: &Arc<Worker>) -> Result<Exports, StartError> {
        let isolate = self.isolate(worker).await?;
        Ok(if isolate.has_handlers() {
            Exports::Handlers
        } else {
            Exports::NoHandler
        })
    }

    /// Lets the worker's isolate end once its open events have, and those that
    /// wait for it to start.
    pub fn retire(&self, worker: &Worker) {
        // One that still starts finds its slot gone (`settle`).
        if let Some(Slot::Live(isolate)) = self.slots.borrow_mut().remove(&worker.id) {
            isolate.stop();
            isolate.end_objects();
            self.replaced.borrow_mut().push(Rc::downgrade(&isolate));
        }
    }

    async fn outcome(&self, worker: &Arc<Worker>, answer: Answer) -> Outcome {
        self.outcome_within(worker.limits.wall, answer).await
    }

    async fn isolate(self: &Rc<Self>, worker: &Arc<Worker>) -> Result<Rc<Isolate>, StartError> {
        let starting = {
            let mut slots = self.slots.borrow_mut();
            match slots.get(&worker.id) {
                Some(Slot::Live(isolate)) if !isolate.is_lost() => return Ok(isolate.clone()),
                Some(Slot::Failed(error, at)) if at.elapsed() < START_RETRY => {
                    return Err(error.clone());
                }
                Some(Slot::Starting(starting)) => starting.clone(),
                _ => {
                    let starting = self.clone().start(worker.clone()).boxed_local().shared();
                    slots.insert(worker.id, Slot::Starting(starting.clone()));
                    // Polled by the lane too: the request that asked may leave.
                    deno_core::unsync::spawn(starting.clone());
                    starting
                }
            }
        };
        starting.await
    }

    async fn start(self: Rc<Self>, worker: Arc<Worker>) -> Result<Rc<Isolate>, StartError> {
        let result = match self.room_for(&worker.limits).await {
            Ok(()) => {
                self.growth.set(self.growth.get().max(worker.limits.heap));
                let ready = self.take_ready(&worker.limits);
                ready.start(worker.clone(), self.clock.clone()).await
            }
            Err(error) => Err(error),
        };
        if let Ok(isolate) = &result {
            isolate.measure_heap();
            self.inspection.tell(&worker, isolate.hatch());
        }
        self.settle(&worker, &result);
        self.refill();
        result
    }

    /// What a start came to is what the worker's slot holds from now on.
    fn settle(&self, worker: &Worker, result: &Result<Rc<Isolate>, StartError>) {
        let mut slots = self.slots.borrow_mut();
        let slot = match result {
            Ok(isolate) => Slot::Live(isolate.clone()),
            Err(error) => Slot::Failed(error.clone(), Instant::now()),
        };
        match (slots.get_mut(&worker.id), slot) {
            // There may be room a moment later.
            (_, Slot::Failed(StartError::Full { .. }, _)) => {
                slots.remove(&worker.id);
            }
            (Some(starting), slot) => *starting = slot,
            // Retired meanwhile: it serves those who waited for it, and ends.
            (None, Slot::Live(isolate)) => isolate.stop(),
            (None, _) => {}
        }
    }

    fn take_ready(&self, limits: &Limits) -> ReadyIsolate {
        let mut ready = self.ready.borrow_mut();
        match ready.iter().position(|isolate| isolate.fits(limits)) {
            Some(at) => ready.swap_remove(at),
            None => {
                drop(ready);
                self.create_ready(limits)
            }
        }
    }

    fn create_ready(&self, limits: &Limits) -> ReadyIsolate {
        let sockets = self.sockets.clone();
        ReadyIsolate::create(
            self.engine,
            self.host.clone(),
            sockets,
            limits,
            &self.inspection,
        )
    }

    /// Makes ready isolates one at a time, each well behind the request that
    /// took the last one.
    fn refill(self: &Rc<Self>) {
        if self.ready.borrow().len() >= self.ready_wanted || self.refilling.replace(true) {
            return;
        }
        let lane = self.clone();
        deno_core::unsync::spawn(async move {
            while lane.ready.borrow().len() < lane.ready_wanted {
                tokio::time::sleep(REFILL_AFTER).await;
                let limits = Limits::default();
                // Not at the price of one that serves.
                if !lane.engine.cage.fits(limits.heap, &lane.growth) {
                    break;
                }
                let isolate = lane.create_ready(&limits);
                lane.ready.borrow_mut().push(isolate);
            }
            lane.refilling.set(false);
        });
    }

    /// Makes room in the cage for one more isolate, by ending idle ones.
    async fn room_for(&self, limits: &Limits) -> Result<(), StartError> {
        while !self.engine.cage.fits(limits.heap, &self.growth) {
            let Some(evicted) = self.evict_one() else {
                self.engine.cage.refuse(limits.heap);
                let used = self.engine.usage();
                return Err(StartError::Full {
                    used_mb: used.heaps >> 20,
                    isolates: used.isolates,
                });
            };
            // Its memory is there until its task has ended: many that start at a time
            // would else be let in before any of it is free.
            for _ in 0..MOST_YIELDS {
                if evicted.strong_count() == 0 {
                    break;
                }
                tokio::task::yield_now().await;
            }
        }
        Ok(())
    }

    /// Ends idle isolates where heaps have grown into what is kept for growth, or
    /// another lane was refused room.
    fn evict_under_pressure(&self) {
        let cage = self.engine.cage;
        while cage.is_short(&self.growth) {
            if self.evict_one().is_none() {
                return;
            }
        }
        cage.relieved();
    }

    /// Ends the isolate that was idle longest.
    fn evict_one(&self) -> Option<Weak<Isolate>> {
        self.drop_lost();
        let short = self.engine.cage.is_short_of_code();
        let idle = self
            .live()
            .into_iter()
            .filter(|isolate| isolate.is_idle() && (!short || isolate.code_size() > 0))
            .min_by_key(|isolate| isolate.last_used());
        let isolate = idle?;
        tracing::debug!(worker = isolate.worker().name(), "evicted an idle isolate");
        self.slots.borrow_mut().remove(&isolate.worker().id);
        isolate.evict();
        Some(Rc::downgrade(&isolate))
    }

    /// Lets go of isolates that were ended for a breach and not asked for since.
    fn drop_lost(&self) {
        let lost = |slot: &Slot| matches!(slot, Slot::Live(isolate) if isolate.is_lost());
        self.slots.borrow_mut().retain(|_, slot| !lost(slot));
    }

    fn live(&self) -> Vec<Rc<Isolate>> {
        let slots = self.slots.borrow();
        slots
            .values()
            .filter_map(|slot| match slot {
                Slot::Live(isolate) => Some(isolate.clone()),
                _ => None,
            })
            .collect()
    }

    /// Measures the heaps of isolates that have run since the last look; the
    /// others are as they were.
    fn measure_heaps(&self) {
        self.drop_lost();
        let since = self.measured.replace(Instant::now());
        let mut growth = 0;
        for isolate in self.live() {
            growth = growth.max(isolate.worker().limits.heap);
            if isolate.last_used() >= since {
                isolate.measure_heap();
            }
        }
        // One that starts may grow already, and is in no slot yet.
        if !self.is_starting() {
            self.growth.set(growth);
        }
    }

    fn is_starting(&self) -> bool {
        let slots = self.slots.borrow();
        slots.values().any(|slot| matches!(slot, Slot::Starting(_)))
    }

    /// Collects the garbage of one large isolate that went idle a while ago; one
    /// a look, since it takes the lane's time.
    fn collect_idle(&self) {
        let went_idle = |isolate: &Rc<Isolate>| {
            let idle = isolate.last_used().elapsed();
            (IDLE..IDLE + HOUSEKEEPING * 60).contains(&idle)
                && isolate.open_events() == 0
                && isolate.heap_size() > LARGE_HEAP
        };
        if let Some(isolate) = self.live().iter().find(|isolate| went_idle(isolate)) {
            isolate.collect_garbage();
        }
    }

    fn drop_all(&self) {
        self.sockets.clear();
        self.slots.borrow_mut().clear();
        self.ready.borrow_mut().clear();
    }
}
