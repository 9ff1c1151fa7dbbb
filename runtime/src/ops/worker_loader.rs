//! `WorkerLoader`: workers from code that a script gives (`js/worker_loader.js`).

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use deno_core::{OpState, Resource, ResourceId, op2, v8};
use deno_error::JsErrorBox;
use outboard_compatibility::{Compatibility, Fault, Flag};
use serde::Deserialize;

use super::Shared;
use super::parcel::{GrantHandle, ParcelHandle};
use super::service::Route;
use crate::binding::Binding;
use crate::capability::{Capability, Grant};
use crate::dynamic::{Dynamic, LoadFault, Loaded, Loading, Outbound};
use crate::entrypoint::{CallLimits, Entrypoint, Props};
use crate::event::EventId;
use crate::heap::copy_of;
use crate::limits::Limits;
use crate::trace::{TailTarget, Tails};
use crate::worker::{Module, ModuleKind, Worker, WorkerError, WorkerSpec, module_base, module_url};

/// The most that all modules may have together, and that `env` may, as Workers have it.
const CODE_BYTES: usize = 64 << 20;
const ENV_BYTES: usize = 1 << 20;

/// Memory of a loaded worker, where its loader may use more.
const HEAP: usize = 128 << 20;

/// Code that a script is to give. Ends with the event that asked for it.
struct LoadingResource {
    event: EventId,
    loading: Cell<Option<Loading>>,
    /// What the worker is called in logs.
    name: String,
}

impl Resource for LoadingResource {
    fn name(&self) -> Cow<'_, str> {
        "loading".into()
    }

    fn close(self: Rc<Self>) {
        // Callers hear that it is gone.
        drop(self.loading.take());
    }
}

/// `[number, handle, loading]` of a worker: `loading` takes its code, or is -1 where the
/// loader has one of that name.
#[op2]
pub(crate) fn op_loader_get<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    state: Rc<RefCell<OpState>>,
    #[smi] event: EventId,
    #[smi] binding: u32,
    #[string] name: Option<String>,
) -> Result<v8::Local<'a, v8::Array>, JsErrorBox> {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let shared = Shared::of(&state);
    let missing = || JsErrorBox::range_error("no such loader");
    let worker = shared.worker().ok_or_else(missing)?;
    let loader = match worker.bindings.get(binding as usize) {
        Some((_, Binding::Loader(loader))) => loader,
        _ => return Err(missing()),
    };
    let of_event = shared.events.get(event).ok_or_else(missing)?;
    let known = name.as_deref();
    let known = known.and_then(|name| shared.loaders.find(loader, name));
    let (dynamic, rid) = match known {
        Some(dynamic) => (dynamic, -1),
        None => {
            let lanes = shared.host.dynamic();
            let lanes = lanes.ok_or_else(|| JsErrorBox::generic("No workers are loaded here."))?;
            let limit = worker.limits.dynamic_workers;
            if shared.loaders.wants_collection(limit) {
                scope.low_memory_notification();
                shared.loaders.collected();
            }
            let counted = shared.loaders.count(limit);
            let counted = counted.map_err(|error| JsErrorBox::generic(error.to_string()))?;
            let (dynamic, loading) = Dynamic::new(lanes, counted);
            let name = match name {
                Some(name) => {
                    shared.loaders.keep(loader, &name, &dynamic);
                    format!("{}:{loader}:{name}", worker.name())
                }
                None => {
                    let number = LAST.fetch_add(1, Ordering::Relaxed);
                    format!("{}:{loader}:dynamic:{number}", worker.name())
                }
            };
            let rid = state.borrow_mut().resource_table.add(LoadingResource {
                event,
                loading: Cell::new(Some(loading)),
                name,
            });
            of_event.own(rid);
            (dynamic, rid as i32)
        }
    };
    let [number, handle] = GrantHandle::make(scope, &shared, Grant::Dynamic(dynamic));
    let rid = v8::Integer::new(scope, rid).into();
    Ok(v8::Array::new_with_elements(scope, &[number, handle, rid]))
}

/// What of a worker's code is neither its modules nor its `env`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Code {
    date: String,
    flags: Vec<String>,
    allow_experimental: bool,
    main: String,
    cpu_ms: Option<f64>,
    sub_requests: Option<f64>,
    /// JSON of what in `env` is text, for `process.env`.
    text: String,
    outbound: Wanted,
    /// Of an outbound that is given the number and the name.
    service: i32,
    target: Option<String>,
    /// The same of who is told of its events.
    tails: Vec<(i32, Option<String>)>,
    streaming_tails: Vec<(i32, Option<String>)>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
enum Wanted {
    Inherited,
    Denied,
    Given,
}

/// Gives a worker its code. `modules` has for each its name, its kind and its content.
/// Throws where the code is none, and that is what callers hear too.
#[op2]
pub(crate) fn op_loader_code<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    state: Rc<RefCell<OpState>>,
    #[smi] rid: ResourceId,
    #[serde] code: Code,
    modules: v8::Local<'a, v8::Array>,
    #[cppgc] env: Option<&ParcelHandle>,
) -> Result<(), JsErrorBox> {
    let Some(resource) = take(&state, rid) else {
        // The event has ended, and callers know.
        return Ok(());
    };
    let Some(loading) = resource.loading.take() else {
        return Ok(());
    };
    let shared = Shared::of(&state);
    let env = env.map(|env| env.0.clone());
    let checked =
        modules_of(scope, modules).and_then(|modules| spec(&shared, &resource, code, modules, env));
    match checked {
        Ok(spec) => {
            loading.give(worker(spec));
            Ok(())
        }
        Err(error) => {
            loading.give(Err(fault(&error)));
            Err(error)
        }
    }
}

/// Says that there is no code, and why.
#[op2(fast)]
pub(crate) fn op_loader_fail(
    state: Rc<RefCell<OpState>>,
    #[smi] rid: ResourceId,
    #[string] class: &str,
    #[string] message: &str,
) {
    let loading = take(&state, rid).and_then(|resource| resource.loading.take());
    if let Some(loading) = loading {
        loading.give(Err(LoadFault {
            class: class.to_string(),
            message: message.to_string(),
        }));
    }
}

/// `[number, handle]` of an export of a loaded worker.
#[op2]
pub(crate) fn op_loader_entrypoint<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    state: Rc<RefCell<OpState>>,
    #[smi] stub: i32,
    #[string] name: Option<String>,
    #[cppgc] props: Option<&ParcelHandle>,
    cpu_ms: f64,
    sub_requests: f64,
) -> Result<v8::Local<'a, v8::Array>, JsErrorBox> {
    let shared = Shared::of(&state);
    let (dynamic, entrypoint) = export(&shared, stub, name, props, cpu_ms, sub_requests)?;
    let made = GrantHandle::make(scope, &shared, Grant::Entrypoint(dynamic, entrypoint));
    Ok(v8::Array::new_with_elements(scope, &made))
}

/// An export of the loaded worker that the script has as `stub`; no limit is negative.
pub(super) fn export(
    shared: &Shared,
    stub: i32,
    name: Option<String>,
    props: Option<&ParcelHandle>,
    cpu_ms: f64,
    sub_requests: f64,
) -> Result<(Rc<Dynamic>, Entrypoint), JsErrorBox> {
    let Some(Grant::Dynamic(dynamic)) = shared.grants.get(stub) else {
        return Err(JsErrorBox::range_error("no such worker"));
    };
    let given = |number: f64| (number >= 0.0).then_some(number);
    let entrypoint = Entrypoint {
        name,
        props: props.map(|props| Props::Parcel(props.0.clone())),
        limits: limits(given(cpu_ms), given(sub_requests)),
    };
    Ok((dynamic, entrypoint))
}

fn take(state: &RefCell<OpState>, rid: ResourceId) -> Option<Rc<LoadingResource>> {
    let mut state = state.borrow_mut();
    let resource = state.resource_table.take::<LoadingResource>(rid).ok()?;
    let shared = state.borrow::<Rc<Shared>>();
    if let Some(event) = shared.events.get(resource.event) {
        event.disown(rid);
    }
    Some(resource)
}

fn fault(error: &JsErrorBox) -> LoadFault {
    use deno_error::JsErrorClass;
    LoadFault {
        class: error.get_class().to_string(),
        message: error.get_message().to_string(),
    }
}

fn limits(cpu_ms: Option<f64>, sub_requests: Option<f64>) -> Option<CallLimits> {
    if cpu_ms.is_none() && sub_requests.is_none() {
        return None;
    }
    Some(CallLimits {
        // Whole numbers up to 2^32, as the script has checked.
        cpu: cpu_ms.map(|ms| Duration::from_millis(ms as u64)),
        subrequests: sub_requests.map(|count| count as u32),
    })
}

/// The kinds by their numbers in `js/worker_loader.js`.
const KINDS: [ModuleKind; 6] = [
    ModuleKind::EsModule,
    ModuleKind::CommonJs,
    ModuleKind::Text,
    ModuleKind::Data,
    ModuleKind::Json,
    ModuleKind::Wasm,
];

fn modules_of<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    list: v8::Local<'a, v8::Array>,
) -> Result<Vec<Module>, JsErrorBox> {
    let bad = || JsErrorBox::type_error("modules: not as they are handed over");
    let mut modules = Vec::with_capacity(list.length() as usize / 3);
    let mut total = 0;
    for index in (0..list.length()).step_by(3) {
        let name = list.get_index(scope, index).ok_or_else(bad)?;
        let kind = list.get_index(scope, index + 1).ok_or_else(bad)?;
        let content = list.get_index(scope, index + 2).ok_or_else(bad)?;
        let kind = kind.uint32_value(scope).unwrap_or(u32::MAX);
        let kind = *KINDS.get(kind as usize).ok_or_else(bad)?;
        // What is too much is only counted.
        total += size(scope, content).ok_or_else(bad)?;
        let content = if total <= CODE_BYTES {
            bytes(scope, content).ok_or_else(bad)?
        } else {
            Vec::new()
        };
        modules.push(Module {
            specifier: name.to_rust_string_lossy(scope),
            kind,
            content,
            named_exports: Vec::new(),
            source_map: None,
        });
    }
    if total > CODE_BYTES {
        return Err(JsErrorBox::generic(format!(
            "Dynamic Worker code size ({total} bytes) exceeds the maximum allowed size of \
             {CODE_BYTES} bytes."
        )));
    }
    Ok(modules)
}

fn size(scope: &v8::PinScope<'_, '_>, content: v8::Local<'_, v8::Value>) -> Option<usize> {
    if let Ok(text) = v8::Local::<v8::String>::try_from(content) {
        return Some(text.utf8_length(scope));
    }
    if let Ok(view) = v8::Local::<v8::ArrayBufferView>::try_from(content) {
        return Some(view.byte_length());
    }
    let module = v8::Local::<v8::WasmModuleObject>::try_from(content).ok()?;
    Some(module.get_compiled_module().get_wire_bytes_ref().len())
}

fn bytes(scope: &v8::PinScope<'_, '_>, content: v8::Local<'_, v8::Value>) -> Option<Vec<u8>> {
    if content.is_string() {
        return Some(content.to_rust_string_lossy(scope).into_bytes());
    }
    if let Ok(view) = v8::Local::<v8::ArrayBufferView>::try_from(content) {
        return Some(copy_of(view));
    }
    // Compiled code is V8's to share: it knows it by these bytes.
    let module = v8::Local::<v8::WasmModuleObject>::try_from(content).ok()?;
    Some(module.get_compiled_module().get_wire_bytes_ref().to_vec())
}

fn spec(
    shared: &Shared,
    resource: &LoadingResource,
    code: Code,
    modules: Vec<Module>,
    env: Option<Arc<crate::capability::Parcel>>,
) -> Result<WorkerSpec, JsErrorBox> {
    let gone = || JsErrorBox::generic("The loading worker has ended.");
    let parent = shared.worker().ok_or_else(gone)?;
    let lane = shared.sockets.lane().ok_or_else(gone)?;
    let compatibility = compatibility(&parent.compatibility, &code)?;
    if let Some(size) = env.as_ref().map(|env| env.bytes.len())
        && size > ENV_BYTES
    {
        return Err(JsErrorBox::generic(format!(
            "Dynamic Worker env size ({size} bytes) exceeds the maximum allowed size of \
             {ENV_BYTES} bytes."
        )));
    }
    let outbound = match code.outbound {
        Wanted::Denied => Outbound::Denied,
        Wanted::Inherited => Outbound::Inherited(parent.outbound.clone().map(Capability::Service)),
        Wanted::Given => {
            let target = code.target.as_deref();
            let route = Route::find(shared, resource.event, code.service, target)?;
            Outbound::Given(route.into_capability()?)
        }
    };
    let tails = Tails {
        script: None,
        after: tail_workers(shared, resource.event, &code.tails)?,
        during: tail_workers(shared, resource.event, &code.streaming_tails)?,
    };
    let has_tails = !tails.after.is_empty() || !tails.during.is_empty();
    let own = limits(code.cpu_ms, code.sub_requests).unwrap_or_default();
    let most = parent.limits.clone();
    Ok(WorkerSpec {
        name: resource.name.clone(),
        main: code.main,
        modules,
        env: serde_json::from_str(&code.text).unwrap_or_default(),
        limits: Limits {
            cpu: own.cpu.map_or(most.cpu, |cpu| cpu.min(most.cpu)),
            subrequests: own
                .subrequests
                .map_or(most.subrequests, |count| count.min(most.subrequests)),
            heap: most.heap.min(HEAP),
            buffers: most.buffers.min(HEAP),
            ..most
        },
        compatibility,
        loaded: Some(Arc::new(Loaded {
            home: lane.handle().clone(),
            env,
            outbound,
        })),
        tails: has_tails.then(|| Arc::new(tails)),
        ..WorkerSpec::default()
    })
}

fn tail_workers(
    shared: &Shared,
    event: EventId,
    tails: &[(i32, Option<String>)],
) -> Result<Vec<TailTarget>, JsErrorBox> {
    let target = |(service, target): &(i32, Option<String>)| {
        let route = Route::find(shared, event, *service, target.as_deref())?;
        match route.into_capability()? {
            Capability::Service(target) => Ok(TailTarget::Service(target)),
            Capability::Object(target) => Ok(TailTarget::Object(target)),
            Capability::Class(_) | Capability::Restored(_) => Err(JsErrorBox::type_error(
                "Neither a class of Durable Objects nor what ctx.restore() made can be among \
                 the 'tails' of a dynamic Worker.",
            )),
        }
    };
    tails.iter().map(target).collect()
}

/// What the code's date and flags come to.
fn compatibility(parent: &Compatibility, code: &Code) -> Result<Compatibility, JsErrorBox> {
    if code.allow_experimental && !parent.has(Flag::Experimental) {
        return Err(JsErrorBox::generic(
            "'allowExperimental' is only allowed when the calling worker has the 'experimental' \
             compat flag set.",
        ));
    }
    let found = Compatibility::new(&code.date, &code.flags).map_err(|faults| {
        let first = faults.first();
        JsErrorBox::generic(first.map_or_else(String::new, said_by_workers))
    })?;
    let experimental = code.flags.iter().find(|name| {
        outboard_compatibility::find(name).is_some_and(|(info, on)| on && info.experimental)
    });
    match experimental {
        Some(name) if !code.allow_experimental => Err(JsErrorBox::generic(format!(
            "The compatibility flag {name} is experimental and may break or be removed in a \
             future version of workerd. To use this flag, you must pass --experimental on the \
             command line."
        ))),
        _ => Ok(found),
    }
}

fn said_by_workers(fault: &Fault) -> String {
    match fault {
        Fault::BadDate(date) => format!("Invalid compatibility date: {date}"),
        Fault::Unknown { name, .. } => format!("No such compatibility flag: {name}"),
        Fault::Twice { name, .. } => {
            format!("Compatibility flag specified multiple times: {name}")
        }
        Fault::Contradiction { name, other, .. } => {
            let (on, off) = match outboard_compatibility::find(name) {
                Some((_, true)) => (name, other),
                _ => (other, name),
            };
            format!("Compatibility flags are mutually contradictory: {on} vs {off}")
        }
        Fault::Python { .. } => fault.to_string(),
    }
}

/// Makes the worker. What keeps it from being one its callers hear.
fn worker(spec: WorkerSpec) -> Result<Arc<Worker>, LoadFault> {
    let main = spec.main.clone();
    let base = module_base(&spec.compatibility);
    let url = module_url(base, &main);
    let is_main = |module: &&Module| module_url(base, &module.specifier) == url;
    match spec.modules.iter().find(is_main) {
        Some(module) if module.kind != ModuleKind::EsModule => {
            Err(not_started("TypeError: Main module must be an ES module."))
        }
        _ => Worker::new(spec).map_err(|error| refused(&main, error)),
    }
}

/// What callers hear of modules that make no worker.
fn refused(main: &str, error: WorkerError) -> LoadFault {
    let said = match error {
        WorkerError::NoMain(_) => format!("Error: No such module: {main}"),
        WorkerError::Twice(name) => {
            let name = name.trim_start_matches("./");
            format!("Error: Module \"{name}\" already added to bundle")
        }
        error => format!("TypeError: {error}"),
    };
    not_started(&said)
}

fn not_started(said: &str) -> LoadFault {
    LoadFault {
        class: "Error".into(),
        message: format!("Failed to start Worker:\nUncaught {said}"),
    }
}
