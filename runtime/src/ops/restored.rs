//! `ctx.restore`, and what is made anew by a `[restore]` method (`js/restored.js`).

use std::cell::RefCell;
use std::rc::Rc;

use deno_core::{OpState, ResourceId, op2, v8};
use deno_error::JsErrorBox;

use super::Shared;
use super::object::find;
use super::parcel::{GrantHandle, ParcelHandle};
use super::rpc::open;
use crate::capability::{Capability, Grant, Restored, RestoredKind, Way};
use crate::entrypoint::Props;
use crate::event::EventId;
use crate::ops::facet::own_export;

/// What a script hears that is known to nobody but who called it.
const UNKNOWN: &str = "ctx.restore() cannot be used in this context: it is a dynamic Worker's or a \
     facet's, and nobody knows how to make that anew. Whoever calls it has to do so by what its \
     own ctx.restore() gave.";

/// `[number, handle, way, handle]` of what the current export or object made of
/// `params`: how others know it, and how it is called here.
#[op2]
pub(crate) fn op_restored<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    state: Rc<RefCell<OpState>>,
    #[smi] event: EventId,
    #[smi] object: i32,
    #[string] entrypoint: Option<String>,
    #[string] json: Option<String>,
    #[cppgc] props: Option<&ParcelHandle>,
    #[cppgc] params: &ParcelHandle,
    is_stub: bool,
) -> Result<v8::Local<'a, v8::Array>, JsErrorBox> {
    let shared = Shared::of(&state);
    let by = match u32::try_from(object) {
        Ok(object) => object_itself(&shared, object)?,
        Err(_) => {
            let props = props.map(|props| Props::Parcel(props.0.clone()));
            let props = props.or(json.map(Props::Json));
            let called = || {
                let event = shared.events.get(event)?;
                let way = event.way.borrow();
                way.as_ref()?.callee.clone()
            };
            let by_name = own_export(
                &shared,
                entrypoint,
                props,
                |_| called().map(Capability::Restored),
                |target| Some(Capability::Service(target)),
            )?;
            by_name.ok_or_else(unknown)?
        }
    };
    let kind = if is_stub {
        RestoredKind::Stub
    } else {
        RestoredKind::Service
    };
    let restored = Restored::new(by, params.0.clone(), kind)
        .map_err(|error| JsErrorBox::generic(error.to_string()))?;
    let capability = Grant::Capability(Capability::Restored(restored.clone()));
    let [number, handle] = GrantHandle::make(scope, &shared, capability);
    let way = Grant::Way(Rc::new(Way::to(restored)));
    let [way, kept] = GrantHandle::make(scope, &shared, way);
    Ok(v8::Array::new_with_elements(
        scope,
        &[number, handle, way, kept],
    ))
}

/// How others know an object.
fn object_itself(shared: &Shared, number: u32) -> Result<Capability, JsErrorBox> {
    let object = find(shared, number)?;
    match &object.facet {
        None => Ok(Capability::Object(object.target.clone())),
        Some(facet) => {
            let restored = facet.restored.borrow().clone();
            restored.map(Capability::Restored).ok_or_else(unknown)
        }
    }
}

fn unknown() -> JsErrorBox {
    JsErrorBox::generic(UNKNOWN)
}

/// Whether something is to be made before the event's session is with anything.
#[op2(fast)]
pub(crate) fn op_restores(state: &OpState, #[smi] event: EventId) -> bool {
    let event = state.borrow::<Rc<Shared>>().events.get(event);
    event.is_some_and(|event| {
        let way = event.way.borrow();
        way.as_ref().is_some_and(|way| !way.steps.is_empty())
    })
}

/// `[params, isStub, more, way, handle]` of it: `more` is to be made by what is made of
/// `params`, and `way` is how that is called.
#[op2]
pub(crate) fn op_restore_next<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    state: Rc<RefCell<OpState>>,
    #[smi] event: EventId,
) -> Result<v8::Local<'a, v8::Array>, JsErrorBox> {
    let nothing = || JsErrorBox::generic("There is nothing to restore.");
    let shared = Shared::of(&state);
    let event = shared.events.get(event).ok_or_else(nothing)?;
    let way = event.way.borrow().as_deref().cloned();
    let is_known = match &event.object {
        Some(object) => object.facet.is_none(),
        None => shared
            .worker()
            .is_some_and(|worker| worker.loaded.is_none()),
    };
    // Else whoever made something that makes more could have another worker's method
    // called with params that are not that one's.
    if is_known && way.as_ref().is_some_and(|way| way.callee.is_some()) {
        return Err(JsErrorBox::type_error(
            "The [restore]() method returned something else than what made the stored stub.",
        ));
    }
    let (restored, rest) = way.and_then(Way::next).ok_or_else(nothing)?;
    let params = ParcelHandle::make(scope, restored.params.clone()).into();
    let is_stub = v8::Boolean::new(scope, restored.kind == RestoredKind::Stub).into();
    let more = v8::Boolean::new(scope, !rest.steps.is_empty()).into();
    let [way, handle] = GrantHandle::make(scope, &shared, Grant::Way(Rc::new(rest)));
    let list = [params, is_stub, more, way, handle];
    Ok(v8::Array::new_with_elements(scope, &list))
}

/// Begins a session as `op_rpc_open` does, with what was made by a `[restore]` method.
#[op2]
#[smi]
pub(crate) fn op_rpc_open_way(
    state: &mut OpState,
    #[smi] event: EventId,
    #[smi] service: i32,
    #[string] object: Option<String>,
    #[smi] way: i32,
) -> Result<ResourceId, JsErrorBox> {
    let found = state.borrow::<Rc<Shared>>().grants.get(way);
    let Some(Grant::Way(way)) = found else {
        return Err(JsErrorBox::range_error("no such way"));
    };
    let way = Box::new((*way).clone());
    open(state, event, service, object.as_deref(), Some(way))
}
