//! The values of `env` that JSON cannot say.

use std::cell::RefCell;
use std::rc::Rc;

use deno_core::{OpState, op2, v8};
use deno_error::JsErrorBox;

use super::Shared;
use super::module::{array_buffer_or_error, wasm_module};
use crate::binding::{Binding, KeyBinding};

/// `[name, kind, value]` of one binding, by its place in the worker's list.
#[op2]
pub(crate) fn op_binding<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    state: Rc<RefCell<OpState>>,
    #[smi] index: u32,
) -> Result<v8::Local<'a, v8::Array>, JsErrorBox> {
    let worker = Shared::of(&state).worker();
    let missing = || JsErrorBox::range_error("no such binding");
    let worker = worker.ok_or_else(missing)?;
    let (name, binding) = worker.bindings.get(index as usize).ok_or_else(missing)?;
    let (kind, value): (&str, v8::Local<v8::Value>) = match binding {
        Binding::Data(bytes) => ("data", array_buffer_or_error(scope, bytes)?.into()),
        Binding::Wasm(bytes) => {
            let module = wasm_module(scope, bytes);
            let what = || JsErrorBox::type_error(format!("env.{name} is no WebAssembly module"));
            ("wasm", module.ok_or_else(what)?)
        }
        Binding::Key(key) => ("key", key_arguments(scope, key)?.into()),
        Binding::Objects(_) => (
            "objects",
            v8::Integer::new_from_unsigned(scope, index).into(),
        ),
        Binding::Loader(_) => {
            // Whoever has it will load something.
            if let Some(lanes) = Shared::of(&state).host.dynamic() {
                lanes.warm();
            }
            (
                "loader",
                v8::Integer::new_from_unsigned(scope, index).into(),
            )
        }
        Binding::Class(_) => ("class", v8::Integer::new_from_unsigned(scope, index).into()),
        Binding::Service(_) => (
            "service",
            v8::Integer::new_from_unsigned(scope, index).into(),
        ),
        Binding::Resource(kind, _) => (
            kind.name(),
            v8::Integer::new_from_unsigned(scope, index).into(),
        ),
    };
    let name = text(scope, name)?;
    let kind = text(scope, kind)?;
    Ok(v8::Array::new_with_elements(scope, &[name, kind, value]))
}

/// What the host calls the resource that a binding stands for, without whose it is.
#[op2]
#[string]
pub(crate) fn op_resource_name(state: &OpState, #[smi] index: u32) -> Option<String> {
    let worker = state.borrow::<Rc<Shared>>().worker()?;
    match worker.bindings.get(index as usize)? {
        (_, Binding::Resource(_, target)) => {
            let name = target.service.rsplit('/').next();
            name.map(str::to_string)
        }
        _ => None,
    }
}

/// Whether what keeps data takes calls too.
#[op2(fast)]
pub(crate) fn op_resources_take_calls(state: &OpState) -> bool {
    state.borrow::<Rc<Shared>>().host.resources_take_calls()
}

/// `[format, data, algorithm, extractable, usages]`, as `importKey` takes them.
fn key_arguments<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    key: &KeyBinding,
) -> Result<v8::Local<'a, v8::Array>, JsErrorBox> {
    let algorithm = text(scope, &key.algorithm.to_string())?;
    let mut usages = Vec::with_capacity(key.usages.len());
    for usage in &key.usages {
        usages.push(text(scope, usage)?);
    }
    let arguments = [
        text(scope, key.format.name())?,
        array_buffer_or_error(scope, &key.data)?.into(),
        algorithm,
        v8::Boolean::new(scope, key.extractable).into(),
        v8::Array::new_with_elements(scope, &usages).into(),
    ];
    Ok(v8::Array::new_with_elements(scope, &arguments))
}

fn text<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    text: &str,
) -> Result<v8::Local<'a, v8::Value>, JsErrorBox> {
    v8::String::new(scope, text)
        .map(Into::into)
        .ok_or_else(|| JsErrorBox::range_error("a binding's text is too long"))
}
