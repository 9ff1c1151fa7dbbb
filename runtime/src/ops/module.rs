//! CommonJS modules, and the values of modules that are no script.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use deno_core::{OpState, op2, v8};
use deno_error::JsErrorBox;

use super::Shared;
use crate::heap::{BufferBudget, NO_BUFFER};
use crate::loader;
use crate::worker::ModuleKind;

#[op2]
pub(crate) fn op_module_value<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    state: Rc<RefCell<OpState>>,
    #[string] url: &str,
) -> Result<v8::Local<'a, v8::Value>, JsErrorBox> {
    let worker = Shared::of(&state).worker();
    let missing = || JsErrorBox::type_error(format!("No such module \"{url}\"."));
    let worker = worker.ok_or_else(missing)?;
    let module = worker.modules.get(url).ok_or_else(missing)?;
    let text = || {
        // UTF-8 was checked when the worker was made.
        v8::String::new_from_utf8(scope, &module.content, v8::NewStringType::Normal)
            .ok_or_else(|| JsErrorBox::range_error("module text is too long"))
    };
    match module.kind {
        ModuleKind::EsModule | ModuleKind::CommonJs | ModuleKind::ServiceWorker => Err(missing()),
        ModuleKind::Text => Ok(text()?.into()),
        ModuleKind::Json => {
            let text = text()?;
            v8::json::parse(scope, text).ok_or_else(|| {
                JsErrorBox::generic(format!("\"{}\" is not valid JSON", module.specifier))
            })
        }
        ModuleKind::Data => Ok(array_buffer_or_error(scope, &module.content)?.into()),
        ModuleKind::Wasm => wasm_module(scope, &module.content).ok_or_else(|| {
            JsErrorBox::generic(format!(
                "\"{}\" is not a valid WebAssembly module",
                module.specifier
            ))
        }),
    }
}

/// A copy of bytes; None where the isolate has no room for it.
pub(crate) fn array_buffer<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    bytes: &[u8],
) -> Option<v8::Local<'a, v8::ArrayBuffer>> {
    let budget = scope.get_slot::<Arc<BufferBudget>>()?.clone();
    let buffer = budget.zeros(scope, bytes.len())?;
    let store = buffer.get_backing_store();
    for (cell, byte) in store.iter().zip(bytes) {
        cell.set(*byte);
    }
    Some(buffer)
}

/// The same, where there being none is the script's to see.
pub(super) fn array_buffer_or_error<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    bytes: &[u8],
) -> Result<v8::Local<'a, v8::ArrayBuffer>, JsErrorBox> {
    array_buffer(scope, bytes).ok_or_else(|| JsErrorBox::range_error(NO_BUFFER))
}

pub(super) fn wasm_module<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    bytes: &[u8],
) -> Option<v8::Local<'a, v8::Value>> {
    v8::WasmModuleObject::compile(scope, bytes).map(Into::into)
}

/// What `require` is asked for: `[kind, url]`. Kinds: 0 an ES module or one of
/// the runtime's, 1 a CommonJS module, 2 a value.
#[op2]
pub(crate) fn op_module_resolve<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    state: Rc<RefCell<OpState>>,
    #[string] specifier: &str,
    #[string] referrer: &str,
) -> Result<v8::Local<'a, v8::Array>, JsErrorBox> {
    let worker = Shared::of(&state).worker();
    let worker = worker.ok_or_else(|| JsErrorBox::generic("there is no worker"))?;
    let url = loader::resolve(&worker, specifier, referrer, loader::Wanted::Require)?;
    let kind = match worker.modules.get(url.as_str()).map(|module| module.kind) {
        None | Some(ModuleKind::EsModule | ModuleKind::ServiceWorker) => 0,
        Some(ModuleKind::CommonJs) => 1,
        Some(_) => 2,
    };
    let url = v8::String::new(scope, url.as_str()).unwrap_or_else(|| v8::String::empty(scope));
    let list = [v8::Integer::new(scope, kind).into(), url.into()];
    Ok(v8::Array::new_with_elements(scope, &list))
}

/// What a CommonJS module's body sees of its own, in the order of its call.
const PARAMETERS: [&str; 5] = ["exports", "require", "module", "__filename", "__dirname"];

/// A CommonJS module as a function of [`PARAMETERS`].
#[op2]
pub(crate) fn op_module_function<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    state: Rc<RefCell<OpState>>,
    #[string] url: &str,
) -> Result<v8::Local<'a, v8::Function>, JsErrorBox> {
    let worker = Shared::of(&state).worker();
    let missing = || JsErrorBox::type_error(format!("No such module \"{url}\"."));
    let worker = worker.ok_or_else(missing)?;
    let module = worker.modules.get(url).ok_or_else(missing)?;
    let string = |text: &str| {
        v8::String::new(scope, text).ok_or_else(|| JsErrorBox::range_error("module is too long"))
    };
    // UTF-8 was checked when the worker was made.
    let code = string(&String::from_utf8_lossy(&module.content))?;
    let name = string(url)?;
    let mut parameters = Vec::with_capacity(PARAMETERS.len());
    for parameter in PARAMETERS {
        parameters.push(string(parameter)?);
    }
    let origin = script_origin(scope, name);
    let mut source = v8::script_compiler::Source::new(code, Some(&origin));
    v8::tc_scope!(let scope, scope);
    let function = v8::script_compiler::compile_function(
        scope,
        &mut source,
        &parameters,
        &[],
        v8::script_compiler::CompileOptions::NoCompileOptions,
        v8::script_compiler::NoCacheReason::NoReason,
    );
    function.ok_or_else(|| {
        let error = scope.exception();
        let error = error.map_or_else(String::new, |error| error.to_rust_string_lossy(scope));
        let message = error.strip_prefix("SyntaxError: ").unwrap_or(&error);
        JsErrorBox::new("SyntaxError", format!("{message} ({})", module.specifier))
    })
}

/// Where a classic script comes from, as stack traces and `import()` see it.
pub(crate) fn script_origin<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    name: v8::Local<'a, v8::String>,
) -> v8::ScriptOrigin<'a> {
    v8::ScriptOrigin::new(
        scope,
        name.into(),
        0,
        0,
        false,
        0,
        None,
        false,
        false,
        false,
        None,
    )
}
