//! One isolate: a V8 heap running one worker version, on one lane.
//!
//! deno_core leaves a new isolate entered on its thread, but here several share
//! a thread, so each is exited at once and entered for every turn: [`Entered`]
//! is the one guard that does it, and the only reason for `unsafe` here.

use std::cell::{Cell, RefCell};
use std::mem::ManuallyDrop;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant, SystemTime};

use deno_core::error::{CoreErrorKind, JsError};
use deno_core::futures::task::AtomicWaker;
use deno_core::{JsRuntime, PollEventLoopOptions, RuntimeOptions, v8};
use http::Request;

use crate::body::HostBody;
use crate::error::{EventError, ScriptError, StartError};
use crate::event::{Event, EventId, Outcome};
use crate::extension::extensions;
use crate::heap::BufferBudget;
use crate::host::{Host, LogLevel};
use crate::inspector::{ErrorConsole, Hatch, Inspection};
use crate::limits::Limits;
use crate::loader::BundleLoader;
use crate::ops::Shared;
use crate::platform::Engine;
use crate::watchdog::{LaneClock, Turn, TurnEnd};
use crate::worker::Worker;

/// How long after an event that answered at once the event loop gets a turn,
/// so that its leftovers (rejections, background tasks) are seen to.
const TIDY: Duration = Duration::from_millis(2);

/// CPU time of a turn that a debugger may look into: what the debugger itself
/// asks for (a heap snapshot, a loop in its console) counts too. Past this it is
/// a loop, and a lane that never comes back could not even be reloaded.
const DEBUGGED_CPU: Duration = Duration::from_secs(300);

/// An isolate is current on this thread until this is dropped.
struct Entered {
    isolate: v8::UnsafeRawIsolatePtr,
}

impl Entered {
    fn new(isolate: v8::UnsafeRawIsolatePtr) -> Self {
        // SAFETY: the pointer comes from a `Resident`, which outlives the guard
        // and was made on this thread; V8 keeps a stack of entered isolates.
        unsafe { v8::Isolate::from_raw_isolate_ptr(isolate).enter() };
        Self { isolate }
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        // SAFETY: entered in `new`; guards are dropped in reverse order, so this
        // isolate is the current one.
        unsafe { v8::Isolate::from_raw_isolate_ptr(self.isolate).exit() };
    }
}

/// A `JsRuntime` that is not entered between uses.
struct Resident {
    runtime: RefCell<ManuallyDrop<JsRuntime>>,
    isolate: v8::UnsafeRawIsolatePtr,
}

impl Resident {
    /// Takes a runtime as `JsRuntime::try_new` leaves it: entered.
    fn new(mut runtime: JsRuntime) -> Self {
        // SAFETY: the runtime lives as long as `self` and so as the pointer;
        // its isolate is current, as `try_new` left it, and is exited once.
        let isolate = unsafe {
            let isolate = runtime.v8_isolate().as_raw_isolate_ptr();
            runtime.v8_isolate().exit();
            isolate
        };
        Self {
            runtime: RefCell::new(ManuallyDrop::new(runtime)),
            isolate,
        }
    }
}

impl Drop for Resident {
    fn drop(&mut self) {
        // A runtime must be current when it is dropped; dropping exits it.
        std::mem::forget(Entered::new(self.isolate));
        // SAFETY: dropped once, here, and not used after.
        unsafe { ManuallyDrop::drop(self.runtime.get_mut()) };
    }
}

/// What `js/globals.js` hands the host.
struct Entry {
    attach: v8::Global<v8::Function>,
    dispatch_fetch: v8::Global<v8::Function>,
    dispatch_scheduled: v8::Global<v8::Function>,
    finish_body: v8::Global<v8::Function>,
    abandon: v8::Global<v8::Function>,
}

/// An isolate with the API in it and no worker yet. Making one is most of what
/// starting an isolate costs, so a lane keeps a few.
pub(crate) struct ReadyIsolate {
    // Dropped before `entry`: handles of a disposed isolate are inert.
    resident: Resident,
    entry: Entry,
    shared: Rc<Shared>,
    loader: Rc<BundleLoader>,
    handle: v8::IsolateHandle,
    wake: Arc<AtomicWaker>,
    hatch: Option<Hatch>,
    limits: Limits,
}

/// What the memory of a long turn is checked against, besides V8's own limit.
struct MemoryCap {
    shared: Rc<Shared>,
    heap: usize,
    /// Array buffers that the runtime made for the script are not the
    /// allocator's, but V8 counts them as external memory.
    external: usize,
    /// The turn that was looked at last, and the process's memory at that time.
    seen: Cell<(u64, usize)>,
}

impl MemoryCap {
    /// Whether the process grew in this turn by more than its script may have.
    /// V8 counts the memories of Wasm nowhere, so this is what bounds them; twice
    /// the limit, since other lanes grow too.
    fn process_outgrew(&self, turn: u64) -> bool {
        let Some(now) = resident_memory() else {
            return false;
        };
        let (seen, before) = self.seen.get();
        if seen != turn {
            self.seen.set((turn, now));
            return false;
        }
        now.saturating_sub(before) > 2 * (self.heap + self.external)
    }
}

/// Bytes of this process in RAM.
fn resident_memory() -> Option<usize> {
    let pages = std::fs::read_to_string("/proc/self/statm").ok()?;
    let resident: usize = pages.split(' ').nth(1)?.parse().ok()?;
    Some(resident * PAGE)
}

/// The unit of /proc/self/statm on x86_64 and most others.
const PAGE: usize = 4_096;

/// Stops the turn, whose number `turn` carries, if its memory is over the cap.
/// The watchdog asks V8 to call it, between two instructions of the script.
pub(crate) unsafe extern "C" fn check_memory(
    mut isolate: v8::UnsafeRawIsolatePtr,
    turn: *mut std::ffi::c_void,
) {
    // SAFETY: V8 passes the isolate that it interrupts, on its own thread.
    let isolate = unsafe { v8::Isolate::ref_from_raw_isolate_ptr_mut_unchecked(&mut isolate) };
    let statistics = isolate.get_heap_statistics();
    if let Some(cap) = isolate.get_slot::<MemoryCap>()
        && (statistics.external_memory() > cap.external
            || statistics.used_heap_size() > cap.heap
            || cap.process_outgrew(turn.addr() as u64))
    {
        cap.shared.heap_full.set(true);
        isolate.terminate_execution();
    }
}

/// What V8's heap may grow by each time it is full while its script unwinds, or
/// asks for room only because an array buffer could not be allocated.
const HEADROOM: usize = 16 << 20;

impl ReadyIsolate {
    /// Starts from the snapshot. Takes about a millisecond of the lane's time.
    pub(crate) fn create(
        engine: Engine,
        host: Rc<dyn Host>,
        limits: &Limits,
        inspection: &Inspection,
    ) -> Self {
        let shared = Shared::new(host);
        let loader = Rc::new(BundleLoader::new(inspection));
        let budget = BufferBudget::new(limits.buffers);
        let params = v8::CreateParams::default()
            .heap_limits(0, limits.heap)
            .array_buffer_allocator(budget.allocator().make_shared());
        let mut runtime = JsRuntime::new(RuntimeOptions {
            module_loader: Some(loader.clone()),
            extensions: extensions(),
            startup_snapshot: Some(engine.snapshot.image),
            // They are in the snapshot.
            skip_op_registration: true,
            residual_lazy_js_sources: engine.snapshot.lazy_scripts,
            create_params: Some(params),
            // The inspector names the context "main realm" then.
            is_main: inspection.is_on(),
            ..RuntimeOptions::default()
        });
        let handle = runtime.v8_isolate().thread_safe_handle();
        let stopper = handle.clone();
        let full = shared.clone();
        // SAFETY: only turned back into an isolate inside the callback below.
        let isolate = unsafe { runtime.v8_isolate().as_raw_isolate_ptr() };
        runtime.add_near_heap_limit_callback(move |current, initial| {
            // SAFETY: V8 calls this on the isolate's thread, inside the isolate,
            // which `runtime` keeps alive.
            let mut isolate = unsafe { v8::Isolate::from_raw_isolate_ptr(isolate) };
            // V8 asks here also when an array buffer was refused: the script
            // then gets a RangeError, and the heap has room.
            let used = isolate.get_heap_statistics().total_heap_size();
            if used > initial - initial / 4 {
                full.heap_full.set(true);
                stopper.terminate_execution();
                // Room to unwind in: without it V8 ends the process.
                return current * 2;
            }
            current + HEADROOM
        });
        let wake = {
            let state = runtime.op_state();
            let mut state = state.borrow_mut();
            state.put(shared.clone());
            state.waker.clone()
        };
        let isolate = runtime.v8_isolate();
        isolate.set_allow_wasm_code_generation_callback(refuse_wasm_from_bytes);
        // It would hold the lane without using the CPU time that ends a turn.
        isolate.set_allow_atomics_wait(false);
        isolate.set_slot(MemoryCap {
            shared: shared.clone(),
            heap: limits.heap + HEADROOM,
            external: limits.buffers + HEADROOM,
            seen: Cell::new((0, 0)),
        });
        let entry = Entry::take(&mut runtime, inspection);
        // After `take`: V8 looks at the global scope's console.
        let hatch = inspection.is_on().then(|| Hatch::open(&mut runtime));
        if let Some(console) = hatch
            .as_ref()
            .and_then(|_| ErrorConsole::find(&mut runtime))
        {
            // It has none yet.
            let _ = shared.debugger.set(console);
        }
        Self {
            resident: Resident::new(runtime),
            entry,
            shared,
            loader,
            handle,
            wake,
            hatch,
            limits: limits.clone(),
        }
    }

    /// Whether the isolate was made for a worker with these limits.
    pub(crate) fn fits(&self, limits: &Limits) -> bool {
        (self.limits.heap, self.limits.buffers) == (limits.heap, limits.buffers)
    }

    /// Loads a worker into the isolate and runs its top level.
    ///
    /// Dropping the future drops the isolate.
    pub(crate) async fn start(
        mut self,
        worker: Arc<Worker>,
        clock: Arc<LaneClock>,
    ) -> Result<Rc<Isolate>, StartError> {
        self.shared.attach(worker.clone());
        self.loader.attach(worker.clone());
        let limit = worker.limits.startup_cpu;
        let mut used = Duration::ZERO;
        let mut overran = false;
        let loaded = {
            let isolate = self.resident.isolate;
            let runtime = self.resident.runtime.get_mut();
            let mut load = pin!(load(runtime, &worker));
            std::future::poll_fn(|cx| {
                let _entered = Entered::new(isolate);
                let turn = clock.begin(&self.handle, limit.saturating_sub(used));
                let poll = load.as_mut().poll(cx);
                let end = turn.end();
                used += end.cpu;
                overran |= end.overran;
                if overran && poll.is_pending() {
                    return Poll::Ready(Err(StartError::CpuLimit { limit }));
                }
                poll
            })
            .await
        };
        if self.shared.heap_full.get() {
            let limit = worker.limits.heap;
            return Err(StartError::MemoryLimit { limit });
        }
        if overran {
            return Err(StartError::CpuLimit { limit });
        }
        let namespace = loaded?;
        let mut isolate = Isolate {
            resident: self.resident,
            entry: self.entry,
            shared: self.shared,
            worker,
            clock,
            handle: self.handle,
            wake: self.wake,
            hatch: self.hatch,
            handlers: 0,
            lost: RefCell::new(None),
            stopped: Cell::new(false),
            tidy_due: Cell::new(false),
            last_used: Cell::new(Instant::now()),
            heap_size: Cell::new(0),
        };
        isolate.handlers = isolate.attach(namespace)?;
        let isolate = Rc::new(isolate);
        deno_core::unsync::spawn(isolate.clone().drive());
        Ok(isolate)
    }
}

/// Compiles and runs the worker's modules; gives the main one's namespace.
async fn load(
    runtime: &mut JsRuntime,
    worker: &Worker,
) -> Result<v8::Global<v8::Object>, StartError> {
    let script = |error: deno_core::error::CoreError| match error.as_kind() {
        CoreErrorKind::PendingPromiseResolution => StartError::Stalled,
        _ => StartError::Script(ScriptError::from_core(&error)),
    };
    let id = runtime
        .load_main_es_module(&worker.main)
        .await
        .map_err(script)?;
    let evaluated = runtime.mod_evaluate(id);
    runtime
        .run_event_loop(PollEventLoopOptions::default())
        .await
        .map_err(script)?;
    evaluated.await.map_err(script)?;
    runtime.get_module_namespace(id).map_err(script)
}

extern "C" fn refuse_wasm_from_bytes(
    _context: v8::Local<v8::Context>,
    _source: v8::Local<v8::String>,
) -> bool {
    false
}

impl Entry {
    /// Calls the snapshot's `start`, which hides the engine from the script.
    fn take(runtime: &mut JsRuntime, inspection: &Inspection) -> Self {
        let context = runtime.main_context();
        deno_core::scope!(scope, runtime);
        let context = v8::Local::new(scope, context);
        context.set_allow_generation_from_strings(false);
        let global = context.global(scope);
        let functions = (|| {
            let name = v8::String::new(scope, "__outboard")?;
            let start = global.get(scope, name.into())?;
            let start = v8::Local::<v8::Function>::try_from(start).ok()?;
            let inspected = v8::Boolean::new(scope, inspection.is_on()).into();
            let list = start.call(scope, global.into(), &[inspected])?;
            let list = v8::Local::<v8::Array>::try_from(list).ok()?;
            let mut functions = Vec::with_capacity(list.length() as usize);
            for index in 0..list.length() {
                let function = list.get_index(scope, index)?;
                let function = v8::Local::<v8::Function>::try_from(function).ok()?;
                functions.push(v8::Global::new(scope, function));
            }
            <[_; 5]>::try_from(functions).ok()
        })();
        // The snapshot and this list are built from one source tree.
        let [
            attach,
            dispatch_fetch,
            dispatch_scheduled,
            finish_body,
            abandon,
        ] = functions.expect("the snapshot has the runtime's entry points");
        Self {
            attach,
            dispatch_fetch,
            dispatch_scheduled,
            finish_body,
            abandon,
        }
    }
}

/// Which handlers a worker exports (`attach` in js/dispatch.js).
const HAS_FETCH: u32 = 1;
const HAS_SCHEDULED: u32 = 2;

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
    handlers: u32,
    /// Why the isolate serves no more events, once it does not.
    lost: RefCell<Option<EventError>>,
    /// No new events; ends when the open ones have.
    stopped: Cell<bool>,
    tidy_due: Cell<bool>,
    last_used: Cell<Instant>,
    heap_size: Cell<usize>,
}

impl Isolate {
    pub(crate) fn worker(&self) -> &Arc<Worker> {
        &self.worker
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
        self.heap_size.get()
    }

    pub(crate) fn measure_heap(&self) {
        if let Ok(mut runtime) = self.resident.runtime.try_borrow_mut() {
            let _entered = Entered::new(self.resident.isolate);
            let statistics = runtime.v8_isolate().get_heap_statistics();
            self.heap_size.set(statistics.total_heap_size());
        }
    }

    /// Collects what an isolate that went idle with a large heap left behind.
    pub(crate) fn collect_garbage(&self) {
        if let Ok(mut runtime) = self.resident.runtime.try_borrow_mut() {
            let _entered = Entered::new(self.resident.isolate);
            runtime.v8_isolate().low_memory_notification();
        }
        self.measure_heap();
    }

    /// No new events; the isolate ends once the open ones have.
    pub(crate) fn stop(&self) {
        self.stopped.set(true);
        self.wake.wake();
    }

    fn attach(&self, namespace: v8::Global<v8::Object>) -> Result<u32, StartError> {
        let mut failure = None;
        let mut handlers = 0;
        self.turn(self.worker.limits.startup_cpu, |scope| {
            v8::tc_scope!(let scope, scope);
            let attach = v8::Local::new(scope, &self.entry.attach);
            let namespace = v8::Local::new(scope, namespace);
            let receiver = v8::undefined(scope).into();
            let Some(env) = v8::String::new(scope, &self.worker.env) else {
                failure = Some(ScriptError::plain("env is too long"));
                return;
            };
            let grace = self.worker.limits.wait_until.as_millis() as f64;
            let grace = v8::Number::new(scope, grace);
            match attach.call(
                scope,
                receiver,
                &[namespace.into(), env.into(), grace.into()],
            ) {
                Some(bits) => handlers = bits.uint32_value(scope).unwrap_or(0),
                None => {
                    failure = scope.exception().map(|exception| {
                        ScriptError::from_js(&JsError::from_v8_exception(scope, exception))
                    });
                }
            }
        });
        match failure {
            Some(error) => Err(StartError::Script(error)),
            None => Ok(handlers),
        }
    }

    /// Begins to serve a request. The answer may be there at once.
    pub(crate) fn fetch(
        self: &Rc<Self>,
        request: Request<HostBody>,
        https: bool,
    ) -> Result<Answer, EventError> {
        self.admit(HAS_FETCH, "fetch")?;
        let (head, body) = request.into_parts();
        let url = request_url(&head, https);
        let has_body = !http_body::Body::is_end_stream(&body) || announces_body(&head);
        let event = Event::request(head.headers, has_body.then_some(body));
        Ok(self.dispatch(event, |scope, id| {
            let function = v8::Local::new(scope, &self.entry.dispatch_fetch);
            let receiver = v8::undefined(scope).into();
            let method = string(scope, head.method.as_str().as_bytes())?;
            let url = string(scope, url.as_bytes())?;
            let arguments = [
                v8::Integer::new_from_unsigned(scope, id).into(),
                method,
                url,
                v8::Boolean::new(scope, has_body).into(),
            ];
            function.call(scope, receiver, &arguments)
        }))
    }

    /// Begins a scheduled event.
    pub(crate) fn scheduled(
        self: &Rc<Self>,
        cron: &str,
        time: SystemTime,
    ) -> Result<Answer, EventError> {
        self.admit(HAS_SCHEDULED, "scheduled")?;
        let since_epoch = time.duration_since(SystemTime::UNIX_EPOCH);
        let millis = since_epoch.unwrap_or_default().as_millis() as f64;
        Ok(self.dispatch(Rc::default(), |scope, id| {
            let function = v8::Local::new(scope, &self.entry.dispatch_scheduled);
            let receiver = v8::undefined(scope).into();
            let arguments = [
                v8::Integer::new_from_unsigned(scope, id).into(),
                v8::String::new(scope, cron)?.into(),
                v8::Number::new(scope, millis).into(),
            ];
            function.call(scope, receiver, &arguments)
        }))
    }

    fn admit(&self, handler: u32, kind: &'static str) -> Result<(), EventError> {
        if let Some(lost) = &*self.lost.borrow() {
            return Err(lost.clone());
        }
        if self.handlers & handler == 0 {
            return Err(EventError::NoHandler { kind });
        }
        let open = self.open_events();
        if open >= self.worker.limits.concurrent_events {
            return Err(EventError::Overloaded { open });
        }
        Ok(())
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
        let now = Instant::now();
        self.last_used.set(now);
        let end = self.turn(self.worker.limits.cpu, |scope| {
            v8::tc_scope!(let scope, scope);
            // A throw is only possible if the turn was stopped: dispatch.js
            // hands over everything else that a handler throws.
            let _ = call(scope, id);
            scope.perform_microtask_checkpoint();
        });
        event.cpu.set(end.cpu);
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

    /// One stay in the isolate.
    fn turn(&self, budget: Duration, f: impl FnOnce(&mut v8::PinScope<'_, '_>)) -> TurnEnd {
        let mut runtime = self.resident.runtime.borrow_mut();
        let _entered = Entered::new(self.resident.isolate);
        let turn = self.begin(budget);
        {
            deno_core::scope!(scope, runtime);
            f(scope);
        }
        self.end(turn)
    }

    fn begin(&self, budget: Duration) -> Turn<'_> {
        let budget = if self.is_debugged() {
            DEBUGGED_CPU
        } else {
            budget
        };
        self.clock.begin(&self.handle, budget)
    }

    /// What a turn used. While it is debugged an event is charged nothing.
    fn end(&self, turn: Turn<'_>) -> TurnEnd {
        let mut end = turn.end();
        if self.is_debugged() {
            end.cpu = Duration::ZERO;
        }
        end
    }

    /// After a turn: over a limit the isolate is lost, and its events with it.
    /// `culprit` is the event that the turn served, where it served one.
    fn judge(&self, end: TurnEnd, culprit: Option<&Rc<Event>>) {
        let limits = &self.worker.limits;
        let reason = if self.shared.heap_full.get() {
            EventError::MemoryLimit { limit: limits.heap }
        } else if end.overran || culprit.is_some_and(|event| event.cpu.get() > limits.cpu) {
            EventError::CpuLimit { limit: limits.cpu }
        } else {
            return;
        };
        self.shared.log(LogLevel::Error, &reason.to_string(), None);
        if let Some(event) = culprit {
            event.settle(Outcome::Failed(reason.clone()));
            self.lose(EventError::IsolateLost {
                reason: reason.to_string(),
            });
        } else {
            self.lose(reason);
        }
    }

    fn lose(&self, reason: EventError) {
        self.shared
            .events
            .for_each(|event| event.settle(Outcome::Failed(reason.clone())));
        *self.lost.borrow_mut() = Some(reason);
        if let Some(hatch) = &self.hatch {
            hatch.close();
        }
        self.stopped.set(true);
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

    /// Runs the event loop until the isolate is stopped and has no events.
    async fn drive(self: Rc<Self>) {
        std::future::poll_fn(|cx| self.poll_loop(cx)).await;
    }

    fn poll_loop(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.is_lost() {
            return Poll::Ready(());
        }
        self.tell_script();
        // Several events may run in one turn of the loop; it may last as long
        // as the one with the most time left.
        let limit = self.worker.limits.cpu;
        let mut open = 0;
        let mut budget = Duration::ZERO;
        self.shared.events.for_each(|event| {
            open += 1;
            budget = budget.max(limit.saturating_sub(event.cpu.get()));
        });
        if open == 0 {
            budget = limit;
        }
        let (poll, end) = {
            let mut runtime = self.resident.runtime.borrow_mut();
            let _entered = Entered::new(self.resident.isolate);
            let turn = self.begin(budget);
            let poll = runtime.poll_event_loop(cx, PollEventLoopOptions::default());
            (poll, self.end(turn))
        };
        let share = end.cpu / open.max(1);
        self.shared
            .events
            .for_each(|event| event.cpu.set(event.cpu.get() + share));
        self.judge(end, None);
        if self.is_lost() {
            return Poll::Ready(());
        }
        match poll {
            // Nothing is under way: whoever still waits would wait for ever.
            Poll::Ready(Ok(())) => self.give_up_hung(),
            Poll::Ready(Err(error)) => {
                let error = ScriptError::from_core(&error);
                self.shared
                    .log(LogLevel::Error, &format!("Uncaught {error}"), Some(&error));
                cx.waker().wake_by_ref();
            }
            Poll::Pending => {}
        }
        if self.stopped.get() && self.open_events() == 0 {
            return Poll::Ready(());
        }
        Poll::Pending
    }

    fn give_up_hung(&self) {
        let mut hung = Vec::new();
        self.shared.events.for_each_id(|id, event| {
            if !event.answered.get() {
                hung.push((id, event.clone()));
            }
        });
        for (id, event) in hung {
            self.shared
                .log(LogLevel::Error, &EventError::Hung.to_string(), None);
            event.settle(Outcome::Failed(EventError::Hung));
            self.shared.abandoned.borrow_mut().push(id);
            self.wake.wake();
        }
    }

    /// Tells the script which answers were sent and which events are no longer
    /// waited for.
    fn tell_script(&self) {
        let finished = std::mem::take(&mut *self.shared.finished_bodies.borrow_mut());
        let abandoned = std::mem::take(&mut *self.shared.abandoned.borrow_mut());
        if finished.is_empty() && abandoned.is_empty() {
            return;
        }
        let end = self.turn(self.worker.limits.cpu, |scope| {
            v8::tc_scope!(let scope, scope);
            let told = finished
                .iter()
                .map(|id| (&self.entry.finish_body, *id))
                .chain(abandoned.iter().map(|id| (&self.entry.abandon, *id)));
            for (function, id) in told {
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

fn string<'a>(scope: &mut v8::PinScope<'a, '_>, bytes: &[u8]) -> Option<v8::Local<'a, v8::Value>> {
    v8::String::new_from_one_byte(scope, bytes, v8::NewStringType::Normal).map(Into::into)
}

/// Whether the request says that it has a body, be it of no bytes: a script then
/// sees an empty one, and null otherwise.
fn announces_body(head: &http::request::Parts) -> bool {
    !matches!(head.method, http::Method::GET | http::Method::HEAD)
        && head.headers.contains_key(http::header::CONTENT_LENGTH)
}

/// The absolute URL of a request: HTTP/1 gives it in two pieces.
fn request_url(head: &http::request::Parts, https: bool) -> String {
    let scheme = if https { "https" } else { "http" };
    let host = head
        .headers
        .get(http::header::HOST)
        .and_then(|host| host.to_str().ok())
        .or_else(|| head.uri.authority().map(|authority| authority.as_str()))
        .unwrap_or("localhost");
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    format!("{scheme}://{host}{path}")
}

/// Waits for what becomes of an event. Dropped before that, the event is
/// abandoned: what only it was doing ends.
pub(crate) struct Answer {
    isolate: Rc<Isolate>,
    event: Rc<Event>,
    id: EventId,
    settled: bool,
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
