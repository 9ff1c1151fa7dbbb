//! `ctx.acceptWebSocket` and what goes with it.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use deno_core::convert::Uint8Array;
use deno_core::{JsBuffer, OpState, ResourceId, op2};
use deno_error::JsErrorBox;

use super::Shared;
use super::object::find;
use super::web_socket::SocketResource;
use crate::object::{HeldSocket, ObjectSockets};

fn sockets(state: &OpState, number: u32) -> Result<Rc<ObjectSockets>, JsErrorBox> {
    let shared = state.borrow::<Rc<Shared>>();
    let object = find(shared, number)?;
    // Those of its place are the next one's.
    match object.fault() {
        Some(fault) => Err(JsErrorBox::generic(fault.to_string())),
        None => Ok(shared.sockets.of(&object)),
    }
}

fn held(state: &OpState, number: u32, socket: u32) -> Result<Rc<HeldSocket>, JsErrorBox> {
    let found = sockets(state, number)?.get(socket);
    found.ok_or_else(|| JsErrorBox::generic("This WebSocket is closed."))
}

/// Takes a socket's end out of the script's hands; gives the host's number for it.
#[op2]
#[smi]
pub(crate) fn op_object_accept(
    state: Rc<RefCell<OpState>>,
    #[smi] number: u32,
    #[smi] rid: ResourceId,
    #[scoped] tags: Vec<String>,
) -> Result<u32, JsErrorBox> {
    let shared = Shared::of(&state);
    let object = find(&shared, number)?;
    if let Some(fault) = object.fault() {
        return Err(JsErrorBox::generic(fault.to_string()));
    }
    let end = SocketResource::take_end(&mut state.borrow_mut(), rid)?;
    let socket = shared
        .sockets
        .accept(&object, end, tags)
        .map_err(|error| JsErrorBox::generic(error.to_string()))?;
    Ok(socket.number)
}

/// A resource to send to a held socket with; it ends with the object's life.
#[op2(fast)]
#[smi]
pub(crate) fn op_object_socket(
    state: &mut OpState,
    #[smi] number: u32,
    #[smi] socket: u32,
) -> Result<ResourceId, JsErrorBox> {
    let held = held(state, number, socket)?;
    let shared = state.borrow::<Rc<Shared>>().clone();
    let object = find(&shared, number)?;
    let life = shared.events.get(object.life.get());
    let rid = state.resource_table.add(SocketResource::held(held, object));
    if let Some(life) = life {
        life.own(rid);
    }
    Ok(rid)
}

/// The sockets that the object holds, or those with a tag.
#[op2]
pub(crate) fn op_object_sockets(
    state: &mut OpState,
    #[smi] number: u32,
    #[string] tag: Option<String>,
) -> Result<Vec<u32>, JsErrorBox> {
    Ok(sockets(state, number)?.list(tag.as_deref()))
}

#[op2]
pub(crate) fn op_object_socket_tags(
    state: &mut OpState,
    #[smi] number: u32,
    #[smi] socket: u32,
) -> Result<Vec<String>, JsErrorBox> {
    Ok(held(state, number, socket)?.tags.clone())
}

/// Whether the script has closed it.
#[op2(fast)]
pub(crate) fn op_object_socket_closed(
    state: &mut OpState,
    #[smi] number: u32,
    #[smi] socket: u32,
) -> Result<bool, JsErrorBox> {
    Ok(held(state, number, socket)?.closed.get())
}

#[op2]
pub(crate) fn op_object_socket_attach(
    state: &mut OpState,
    #[smi] number: u32,
    #[smi] socket: u32,
    #[buffer] attachment: JsBuffer,
) {
    if let Ok(held) = held(state, number, socket) {
        *held.attachment.borrow_mut() = Some(attachment.to_vec());
    }
}

#[op2]
pub(crate) fn op_object_socket_attachment(
    state: &mut OpState,
    #[smi] number: u32,
    #[smi] socket: u32,
) -> Result<Option<Uint8Array>, JsErrorBox> {
    let held = held(state, number, socket)?;
    let attachment = held.attachment.borrow().clone();
    Ok(attachment.map(Into::into))
}

/// When a message was last answered without the object; -1 where none was.
#[op2(fast)]
pub(crate) fn op_object_socket_answered(
    state: &mut OpState,
    #[smi] number: u32,
    #[smi] socket: u32,
) -> Result<f64, JsErrorBox> {
    let answered = held(state, number, socket)?.answered.get();
    Ok(answered.map_or(-1.0, |time| time as f64))
}

/// Which message is answered without the object, and by what; none where both are
/// absent.
#[op2]
pub(crate) fn op_object_set_answer(
    state: &mut OpState,
    #[smi] number: u32,
    #[string] request: Option<String>,
    #[string] response: Option<String>,
) -> Result<(), JsErrorBox> {
    sockets(state, number)?.set_answer(request.zip(response));
    Ok(())
}

#[op2]
pub(crate) fn op_object_answer(
    state: &mut OpState,
    #[smi] number: u32,
) -> Result<Vec<String>, JsErrorBox> {
    let answer = sockets(state, number)?.answer();
    Ok(answer.map_or_else(Vec::new, |(request, response)| vec![request, response]))
}

/// How many milliseconds the object may take for what one of its sockets heard; 0 where
/// that is not limited.
#[op2(fast)]
pub(crate) fn op_object_set_socket_timeout(
    state: &mut OpState,
    #[smi] number: u32,
    #[smi] timeout: u32,
) -> Result<(), JsErrorBox> {
    let timeout = (timeout > 0).then(|| Duration::from_millis(timeout.into()));
    sockets(state, number)?.set_timeout(timeout);
    Ok(())
}

#[op2(fast)]
#[smi]
pub(crate) fn op_object_socket_timeout(
    state: &mut OpState,
    #[smi] number: u32,
) -> Result<u32, JsErrorBox> {
    let timeout = sockets(state, number)?.timeout();
    let millis = timeout.map_or(0, |timeout| timeout.as_millis());
    Ok(u32::try_from(millis).unwrap_or(u32::MAX))
}
