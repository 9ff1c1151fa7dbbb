//! The value of a module that is not script.

use std::cell::RefCell;
use std::rc::Rc;

use deno_core::{OpState, op2, v8};
use deno_error::JsErrorBox;

use super::Shared;
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
        ModuleKind::EsModule => Err(missing()),
        ModuleKind::Text => Ok(text()?.into()),
        ModuleKind::Json => {
            let text = text()?;
            v8::json::parse(scope, text).ok_or_else(|| {
                JsErrorBox::generic(format!("\"{}\" is not valid JSON", module.specifier))
            })
        }
        ModuleKind::Data => Ok(array_buffer(scope, &module.content).into()),
        ModuleKind::Wasm => wasm_module(scope, &module.content).ok_or_else(|| {
            JsErrorBox::generic(format!(
                "\"{}\" is not a valid WebAssembly module",
                module.specifier
            ))
        }),
    }
}

pub(super) fn array_buffer<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    bytes: &[u8],
) -> v8::Local<'a, v8::ArrayBuffer> {
    let buffer = v8::ArrayBuffer::new(scope, bytes.len());
    let store = buffer.get_backing_store();
    for (cell, byte) in store.iter().zip(bytes) {
        cell.set(*byte);
    }
    buffer
}

pub(super) fn wasm_module<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    bytes: &[u8],
) -> Option<v8::Local<'a, v8::Value>> {
    v8::WasmModuleObject::compile(scope, bytes).map(Into::into)
}
