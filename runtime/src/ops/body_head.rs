//! Heads of bodies, as scripts put and take them (`crate::body::head`).

use std::cell::RefCell;
use std::rc::Rc;

use deno_core::{OpState, ResourceId, op2, v8};
use deno_error::JsErrorBox;

use super::Shared;
use super::body::{BodyResource, Coding, Handed, take_body};
use crate::body::{ResponseBody, ScriptBody, body_behind, carried, empty_body, full_body};
use crate::event::EventId;

/// A body of the host's: `head`, and behind it what a script gives. A stream says its
/// `length`, which others have by themselves.
#[op2(nofast)]
#[smi]
pub(crate) fn op_body_behind<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    state: Rc<RefCell<OpState>>,
    #[smi] event: EventId,
    #[string] head: String,
    body: v8::Local<'a, v8::Value>,
    length: f64,
) -> Result<ResourceId, JsErrorBox> {
    let rest = match take_body(scope, &state, body)? {
        Handed::Nothing => empty_body(),
        Handed::Full(bytes) => full_body(bytes),
        Handed::Host(host) => host.into_body(Coding::Identity)?,
        Handed::Stream(resource) => {
            let length = (length >= 0.0).then_some(length as u64);
            let body = ScriptBody::new(resource, length, |_end| {});
            let event = Shared::of(&state).events.get(event);
            let object = event.and_then(|event| event.object.clone());
            carried(ResponseBody::Script(body), object)
        }
    };
    let limit = limit(&state);
    let body = body_behind(head, rest);
    let resource = BodyResource::new(body, Coding::Identity, limit);
    Ok(state.borrow_mut().resource_table.add(resource))
}

fn limit(state: &RefCell<OpState>) -> usize {
    let worker = Shared::of(state).worker();
    worker.map_or(0, |worker| worker.limits.body)
}

/// Takes the first `count` bytes of a body, which are text.
#[op2]
#[string]
pub(crate) async fn op_body_head(
    state: Rc<RefCell<OpState>>,
    #[smi] rid: ResourceId,
    #[smi] count: u32,
) -> Result<String, JsErrorBox> {
    let body = state.borrow().resource_table.get::<BodyResource>(rid);
    let body = body.map_err(JsErrorBox::from_err)?;
    let head = body.take_head(count as usize).await?;
    Ok(String::from_utf8_lossy(&head).into_owned())
}

/// How long a body is, or -1 where nobody knows.
#[op2(fast)]
pub(crate) fn op_body_length(state: &mut OpState, #[smi] rid: ResourceId) -> f64 {
    let body = state.resource_table.get::<BodyResource>(rid).ok();
    match body.and_then(|body| body.length()) {
        Some(length) => length as f64,
        None => -1.0,
    }
}
