//! Isolates that wait for a worker, and the start of one in them.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use deno_core::futures::task::AtomicWaker;
use deno_core::{ImportAttributesContext, JsRuntime, RuntimeOptions, v8};

use super::entry::Entry;
use super::resident::{Entered, Resident};
use super::{Isolate, memory, stack};
use crate::cage::Part;
use crate::entrypoint::Handlers;
use crate::error::StartError;
use crate::extension::extensions;
use crate::heap::BufferBudget;
use crate::host::Host;
use crate::inspector::{ErrorConsole, Hatch, Inspection};
use crate::limits::Limits;
use crate::loader::BundleLoader;
use crate::object::Sockets;
use crate::ops::Shared;
use crate::platform::Engine;
use crate::watchdog::LaneClock;
use crate::worker::Worker;

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
    /// Its part of the cage.
    part: Part,
}

impl ReadyIsolate {
    /// Starts from the snapshot. Takes about a millisecond of the lane's time.
    pub(crate) fn create(
        engine: Engine,
        host: Rc<dyn Host>,
        sockets: Rc<Sockets>,
        limits: &Limits,
        inspection: &Inspection,
    ) -> Self {
        let shared = Shared::new(host, sockets);
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
            validate_import_attributes_cb: Some(Box::new(refuse_attributes)),
            // The inspector names the context "main realm" then.
            is_main: inspection.is_on(),
            ..RuntimeOptions::default()
        });
        let handle = runtime.v8_isolate().thread_safe_handle();
        memory::guard(&mut runtime, &shared, limits);
        let wake = {
            let state = runtime.op_state();
            let mut state = state.borrow_mut();
            state.put(shared.clone());
            state.put(budget.clone());
            state.waker.clone()
        };
        let isolate = runtime.v8_isolate();
        isolate.set_slot(budget);
        isolate.set_allow_wasm_code_generation_callback(refuse_wasm_from_bytes);
        // It would hold the lane without using the CPU time that ends a turn.
        isolate.set_allow_atomics_wait(false);
        isolate.set_prepare_stack_trace_callback(stack::prepare);
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
        let taken = runtime.v8_isolate().get_heap_statistics().total_heap_size();
        let part = engine.cage.isolate(taken);
        Self {
            resident: Resident::new(runtime),
            entry,
            shared,
            loader,
            handle,
            wake,
            hatch,
            limits: limits.clone(),
            part,
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
            let mut load = pin!(self.entry.load(runtime, &worker));
            std::future::poll_fn(|cx| {
                let _entered = Entered::new(isolate);
                let left = limit.saturating_sub(used);
                let turn = clock.begin(&self.handle, &self.shared.signals, left);
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
        if let Some(limit) = self.shared.memory_over.get() {
            return Err(StartError::MemoryLimit { limit });
        }
        if overran {
            return Err(StartError::CpuLimit { limit });
        }
        if let Some(reason) = self.shared.aborted.take() {
            return Err(StartError::Aborted { reason });
        }
        let namespace = loaded?;
        // Nobody has set it: an isolate starts once.
        let _ = self.shared.work.clock.set(clock.clone());
        let mut isolate = Isolate {
            resident: self.resident,
            entry: self.entry,
            shared: self.shared,
            worker,
            clock,
            handle: self.handle,
            wake: self.wake,
            hatch: self.hatch,
            handlers: Handlers::default(),
            named: OnceCell::new(),
            lost: RefCell::new(None),
            stopped: Cell::new(false),
            stall_told: Cell::new(false),
            tidy_due: Cell::new(false),
            last_used: Cell::new(Instant::now()),
            driven: Cell::new(false),
            part: self.part,
            turns: Cell::new(0),
        };
        isolate.handlers = isolate.attach(namespace)?;
        if let Some(limit) = isolate.shared.memory_over.get() {
            return Err(StartError::MemoryLimit { limit });
        }
        let isolate = Rc::new(isolate);
        isolate.keep_driven();
        Ok(isolate)
    }
}

/// Of `import x from "x" with { ... }` only what says a module's type is known.
fn refuse_attributes(
    scope: &mut v8::PinScope<'_, '_>,
    attributes: &HashMap<String, String>,
    _context: &ImportAttributesContext,
) {
    if attributes.keys().all(|key| key == "type") {
        return;
    }
    let text = "Unrecognized import attributes specified";
    if let Some(text) = v8::String::new(scope, text) {
        let error = v8::Exception::error(scope, text);
        scope.throw_exception(error);
    }
}

extern "C" fn refuse_wasm_from_bytes(
    _context: v8::Local<v8::Context>,
    _source: v8::Local<v8::String>,
) -> bool {
    false
}
