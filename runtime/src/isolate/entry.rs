//! The runtime's scripts as the host calls them, and how a worker's code gets in.

use deno_core::error::{CoreError, CoreErrorKind, JsError};
use deno_core::{JsRuntime, PollEventLoopOptions, v8};
use outboard_compatibility::Flag;

use crate::entrypoint::Handlers;
use crate::error::{ScriptError, StartError};
use crate::inspector::Inspection;
use crate::loader;
use crate::ops::module::script_origin;
use crate::worker::{ModuleKind, Worker};

/// Declares the scripts' entry points in the order of `start`'s list.
macro_rules! entry_points {
    ($($name:ident),* $(,)?) => {
        /// What `js/globals.js` hands the host.
        pub(super) struct Entry {
            $(pub(super) $name: v8::Global<v8::Function>),*
        }

        impl Entry {
            fn of(functions: Vec<v8::Global<v8::Function>>) -> Option<Self> {
                let [$($name),*] = functions.try_into().ok()?;
                Some(Self { $($name),* })
            }
        }
    };
}

entry_points![
    prepare,
    attach,
    dispatch_fetch,
    dispatch_delivery,
    dispatch_tail,
    dispatch_test,
    dispatch_object,
    dispatch_alarm,
    dispatch_socket,
    dispatch_rpc,
    dispatch_object_rpc,
    dispatch_connect,
    dispatch_object_connect,
    dispatch_object_delivery,
    dispatch_object_tail,
    listen_rpc,
    start_object,
    end_object,
    entrypoints,
    finish_body,
    abandon,
    stop,
];

impl Entry {
    /// Calls the snapshot's `start`, which hides the engine from the script.
    pub(super) fn take(runtime: &mut JsRuntime, inspection: &Inspection) -> Self {
        let context = runtime.main_context();
        deno_core::scope!(scope, runtime);
        let context = v8::Local::new(scope, context);
        context.set_allow_generation_from_strings(false);
        let global = context.global(scope);
        let entry = (|| {
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
            Self::of(functions)
        })();
        // The snapshot and this list are built from one source tree.
        entry.expect("the snapshot has the runtime's entry points")
    }

    /// Compiles and runs the worker's code; gives the main module's namespace,
    /// where it is one.
    pub(super) async fn load(
        &self,
        runtime: &mut JsRuntime,
        worker: &Worker,
    ) -> Result<Option<v8::Global<v8::Object>>, StartError> {
        self.prepare(runtime, worker)?;
        let flags = &worker.compatibility;
        let always = flags.has(Flag::AllowInsecureInefficientLoggedEval);
        if always || flags.has(Flag::AllowEvalDuringStartup) {
            allow_strings(runtime, true);
        }
        let namespace = self.run(runtime, worker).await?;
        allow_strings(runtime, always);
        Ok(namespace)
    }

    /// Runs the worker's code once.
    async fn run(
        &self,
        runtime: &mut JsRuntime,
        worker: &Worker,
    ) -> Result<Option<v8::Global<v8::Object>>, StartError> {
        if worker.main_kind() == ModuleKind::ServiceWorker {
            run_script(runtime, worker)?;
            runtime
                .run_event_loop(PollEventLoopOptions::default())
                .await
                .map_err(fault)?;
            return Ok(None);
        }
        loader::prepare(runtime, worker);
        let id = runtime
            .load_main_es_module(&worker.main)
            .await
            .map_err(fault)?;
        let evaluated = runtime.mod_evaluate(id);
        runtime
            .run_event_loop(PollEventLoopOptions::default())
            .await
            .map_err(fault)?;
        evaluated.await.map_err(fault)?;
        runtime.get_module_namespace(id).map(Some).map_err(fault)
    }

    /// Gives the script what its worker has: flags and `env`.
    fn prepare(&self, runtime: &mut JsRuntime, worker: &Worker) -> Result<(), StartError> {
        deno_core::scope!(scope, runtime);
        let env = v8::String::new(scope, &worker.env)
            .ok_or_else(|| StartError::Script(ScriptError::plain("env is too long")))?;
        let grace = worker.limits.wait_until.as_millis() as f64;
        let grace = v8::Number::new(scope, grace);
        let service = worker.main_kind() == ModuleKind::ServiceWorker;
        let service = v8::Boolean::new(scope, service);
        // A worker has few: each is a name somebody wrote. One that was loaded has none,
        // and an `env` of values.
        let bindings = match &worker.loaded {
            Some(loaded) if loaded.env.is_some() => -1.0,
            _ => worker.named as f64,
        };
        let bindings = v8::Number::new(scope, bindings);
        let arguments = [env.into(), grace.into(), bindings.into(), service.into()];
        call(scope, &self.prepare, &arguments).map(drop)
    }

    /// Tells the script what the main module exports; gives the bits of the
    /// handlers that it has.
    pub(super) fn attach(
        &self,
        scope: &mut v8::PinScope<'_, '_>,
        namespace: Option<&v8::Global<v8::Object>>,
    ) -> Result<Handlers, StartError> {
        let namespace = match namespace {
            Some(namespace) => v8::Local::new(scope, namespace).into(),
            None => v8::undefined(scope).into(),
        };
        call(scope, &self.attach, &[namespace]).map(Handlers::from_bits)
    }
}

/// Lets strings be code, or not. Wasm from bytes is refused either way.
fn allow_strings(runtime: &mut JsRuntime, allow: bool) {
    let context = runtime.main_context();
    deno_core::scope!(scope, runtime);
    v8::Local::new(scope, context).set_allow_generation_from_strings(allow);
}

/// Runs a worker that is a classic script.
fn run_script(runtime: &mut JsRuntime, worker: &Worker) -> Result<(), StartError> {
    let url = worker.main.as_str();
    // The main module was looked for when the worker was made.
    let content = worker
        .modules
        .get(url)
        .map_or(&[][..], |main| &main.content);
    deno_core::scope!(scope, runtime);
    v8::tc_scope!(let scope, scope);
    let run = (|| {
        let code = v8::String::new_from_utf8(scope, content, v8::NewStringType::Normal)?;
        let name = v8::String::new(scope, url)?;
        let origin = script_origin(scope, name);
        v8::Script::compile(scope, code, Some(&origin))?.run(scope)
    })();
    if run.is_some() {
        scope.perform_microtask_checkpoint();
        return Ok(());
    }
    let error = match scope.exception() {
        Some(exception) => ScriptError::from_js(&JsError::from_v8_exception(scope, exception)),
        None => ScriptError::plain("the script was stopped"),
    };
    Err(StartError::Script(error))
}

/// Calls one of the runtime's functions, which may run the worker's code.
fn call<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    function: &v8::Global<v8::Function>,
    arguments: &[v8::Local<'a, v8::Value>],
) -> Result<u32, StartError> {
    v8::tc_scope!(let scope, scope);
    let function = v8::Local::new(scope, function);
    let receiver = v8::undefined(scope).into();
    if let Some(answer) = function.call(scope, receiver, arguments) {
        return Ok(answer.uint32_value(scope).unwrap_or(0));
    }
    let error = match scope.exception() {
        Some(exception) => ScriptError::from_js(&JsError::from_v8_exception(scope, exception)),
        // Stopped for a limit, which whoever stopped it tells.
        None => ScriptError::plain("the script was stopped"),
    };
    Err(StartError::Script(error))
}

fn fault(error: CoreError) -> StartError {
    match error.as_kind() {
        CoreErrorKind::PendingPromiseResolution => StartError::Stalled,
        _ => StartError::Script(ScriptError::from_core(&error)),
    }
}
