//! Calls between isolates: a session's messages, written and read as V8 clones
//! values. What V8 does not know the script describes (`js/rpc_values.js`).

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;

use deno_core::convert::Uint8Array;
use deno_core::v8::{ValueDeserializerHelper, ValueSerializerHelper};
use deno_core::{OpState, Resource, ResourceId, op2, v8};
use deno_error::{JsErrorBox, JsErrorClass};
use futures::FutureExt;

use super::Shared;
use super::fetch::count_subrequest;
use super::parcel::{GrantHandle, capabilities};
use super::service::Route;
use crate::capability::{Capability, Grant, Way};
use crate::event::{Event, EventId, Outcome};
use crate::heap::{BufferBudget, NO_BUFFER, copy_of_buffer};
use crate::object::Object;
use crate::rpc::{Message, RpcEnd, RpcFault, RpcOutcome};

/// The longest message, as Workers have it.
const LONGEST: usize = 32 << 20;

/// An end of a session in an isolate's resource table.
struct SessionResource {
    end: RpcEnd,
    event: EventId,
    /// Whose it is: a call that comes is a new beginning for its limits.
    of: Option<Rc<Event>>,
    /// The object that speaks: what it wrote before is durable first.
    from: Option<Rc<Object>>,
    /// The object whose input gate messages have to pass.
    gate: Option<Rc<Object>>,
    /// Messages that wait for the output gate.
    held: RefCell<VecDeque<Message>>,
    /// A task lets them go.
    releasing: Cell<bool>,
    /// What the message that is read has besides.
    brought: RefCell<Vec<Capability>>,
    within: Within,
}

/// Whether a session is of two events of one isolate: neither side then has what could
/// bring the other anything but what else the isolate waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Within {
    No,
    /// This is the side that calls.
    Caller,
    Called,
}

impl Drop for SessionResource {
    fn drop(&mut self) {
        if let Some(of) = &self.of
            && self.within == Within::Caller
        {
            of.sessions_within.set(of.sessions_within.get() - 1);
        }
    }
}

impl Resource for SessionResource {
    fn name(&self) -> Cow<'_, str> {
        "rpcSession".into()
    }

    fn close(self: Rc<Self>) {
        self.end.close();
    }
}

impl SessionResource {
    fn send(self: Rc<Self>, message: Message) -> Result<(), JsErrorBox> {
        let full = |error: crate::rpc::RpcFull| JsErrorBox::range_error(error.to_string());
        let Some(object) = &self.from else {
            return self.end.send(message).map_err(full);
        };
        if !self.releasing.get() && !object.is_at_stake() {
            return self.end.send(message).map_err(full);
        }
        self.held.borrow_mut().push_back(message);
        if !self.releasing.replace(true) {
            let object = object.clone();
            deno_core::unsync::spawn(self.release(object));
        }
        Ok(())
    }

    /// Lets messages go as what was written before them becomes durable.
    async fn release(self: Rc<Self>, object: Rc<Object>) {
        loop {
            let waiting = self.held.borrow().len();
            if waiting == 0 {
                self.releasing.set(false);
                return;
            }
            if let Err(fault) = object.durable().await {
                // What the object would have said never became true.
                self.held.take();
                if let Some(of) = &self.of {
                    of.settle(Outcome::Failed(fault));
                }
                self.end.close();
            }
            for _ in 0..waiting {
                let message = self.held.borrow_mut().pop_front();
                if message.is_some_and(|message| self.end.send(message).is_err()) {
                    self.end.close();
                }
            }
        }
    }
}

fn add(state: &mut OpState, event: EventId, end: RpcEnd, within: Within) -> ResourceId {
    let shared = state.borrow::<Rc<Shared>>().clone();
    let of = shared.events.get(event);
    let rid = state.resource_table.add(SessionResource {
        end,
        event,
        of: of.clone(),
        from: of.as_ref().and_then(|event| event.object.clone()),
        gate: of.as_ref().and_then(|event| event.gate()),
        held: RefCell::default(),
        releasing: Cell::new(false),
        brought: RefCell::default(),
        within,
    });
    if let Some(event) = of {
        if within == Within::Caller {
            event.sessions_within.set(event.sessions_within.get() + 1);
        }
        event.own(rid);
    }
    rid
}

fn find(state: &OpState, rid: ResourceId) -> Result<Rc<SessionResource>, JsErrorBox> {
    let found = state.resource_table.get::<SessionResource>(rid);
    found.map_err(|_| JsErrorBox::generic("This RPC session has ended."))
}

/// Begins a session with a service or an object of the worker's.
#[op2]
#[smi]
pub(crate) fn op_rpc_open(
    state: &mut OpState,
    #[smi] event: EventId,
    #[smi] service: i32,
    #[string] object: Option<String>,
) -> Result<ResourceId, JsErrorBox> {
    open(state, event, service, object.as_deref(), None)
}

/// The same by a way that is known here already.
pub(super) fn open(
    state: &mut OpState,
    event: EventId,
    service: i32,
    object: Option<&str>,
    way: Option<Box<Way>>,
) -> Result<ResourceId, JsErrorBox> {
    let shared = state.borrow::<Rc<Shared>>().clone();
    count_subrequest(&shared, event)?;
    let route = Route::find(&shared, event, service, object)?;
    let (end, outcome, mut called) = RpcEnd::session();
    called.way = way;
    let is_within = route.is_within(&shared);
    if is_within {
        called.beginning = Some(shared.beginning_within());
    }
    deno_core::unsync::spawn(run(route, called, outcome));
    let within = if is_within {
        Within::Caller
    } else {
        Within::No
    };
    Ok(add(state, event, end, within))
}

async fn run(route: Route, called: RpcEnd, outcome: RpcOutcome) {
    let ended = route.rpc(called).await.map_err(|error| RpcFault {
        class: error.get_class().to_string(),
        message: error.get_message().to_string(),
    });
    outcome.tell(ended);
}

/// The session that an event came with.
#[op2(fast)]
#[smi]
pub(crate) fn op_rpc_accept(
    state: &mut OpState,
    #[smi] event: EventId,
) -> Result<ResourceId, JsErrorBox> {
    let of = state.borrow::<Rc<Shared>>().events.get(event);
    let end = of.and_then(|event: Rc<Event>| event.session.take());
    let mut end = end.ok_or_else(|| JsErrorBox::generic("the event is no session"))?;
    let within = match end.beginning.take() {
        Some(_) => Within::Called,
        None => Within::No,
    };
    Ok(add(state, event, end, within))
}

/// A session of the isolate with itself: both its ends.
#[op2]
#[serde]
pub(crate) fn op_rpc_pair(state: &mut OpState, #[smi] event: EventId) -> (ResourceId, ResourceId) {
    let (one, other) = RpcEnd::pair();
    (
        add(state, event, one, Within::No),
        add(state, event, other, Within::No),
    )
}

/// Whether the other side is another event of the isolate.
#[op2(fast)]
pub(crate) fn op_rpc_is_within(state: &OpState, #[smi] rid: ResourceId) -> bool {
    find(state, rid).is_ok_and(|session| session.within != Within::No)
}

/// Says whether the event of a session has nothing to answer, and is there for what the
/// other side holds of it.
#[op2(fast)]
pub(crate) fn op_rpc_idle(state: &OpState, #[smi] rid: ResourceId, is_idle: bool) {
    let session = find(state, rid).ok();
    if let Some(of) = session.as_ref().and_then(|session| session.of.as_ref()) {
        of.is_idle.set(is_idle);
    }
}

/// Ends a session for both sides.
#[op2(fast)]
pub(crate) fn op_rpc_close(state: &mut OpState, #[smi] rid: ResourceId) {
    close(state, rid);
}

fn close(state: &mut OpState, rid: ResourceId) {
    let Ok(session) = state.resource_table.take::<SessionResource>(rid) else {
        return;
    };
    if let Some(event) = state.borrow::<Rc<Shared>>().events.get(session.event) {
        event.disown(rid);
    }
    session.close();
}

/// The same where all that was sent has left; else nothing happens.
#[op2(fast)]
pub(crate) fn op_rpc_close_sent(state: &mut OpState, #[smi] rid: ResourceId) -> bool {
    let sent = find(state, rid).is_ok_and(|session| !session.releasing.get());
    if sent {
        close(state, rid);
    }
    sent
}

/// Sends a value; `describe` says what of it V8 cannot clone, and notes in `found` what of
/// that outlives the session. Throws what V8 says of
/// a value that has no clone.
#[op2(fast, reentrant)]
pub(crate) fn op_rpc_send<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    state: Rc<RefCell<OpState>>,
    #[smi] rid: ResourceId,
    value: v8::Local<'a, v8::Value>,
    describe: v8::Local<'a, v8::Function>,
    found: v8::Local<'a, v8::Value>,
) -> Result<(), JsErrorBox> {
    let session = find(&state.borrow(), rid)?;
    let buffers = large_buffers(scope, value);
    let Some(bytes) = write_with(scope, value, describe, &buffers) else {
        // It is thrown already: an error here would take its place.
        return Ok(());
    };
    let capabilities = match v8::Local::<v8::Array>::try_from(found) {
        Ok(found) if found.length() > 0 => {
            capabilities(scope, &Shared::of(&state), session.event, found)?
        }
        _ => Vec::new(),
    };
    let mut message = Message {
        bytes,
        buffers: Vec::new(),
        capabilities,
    };
    let beside: usize = buffers.iter().map(|buffer| buffer.byte_length()).sum();
    if message.len() + beside > LONGEST {
        return Err(JsErrorBox::generic(format!(
            "Serialized RPC arguments or return values are limited to 32MiB, but the size \
             of this value was: {} bytes.",
            message.len() + beside,
        )));
    }
    let copies = buffers.iter().map(|buffer| copy_of_buffer(scope, *buffer));
    let Some(copies) = copies.collect() else {
        return Err(JsErrorBox::range_error("Array buffer allocation failed"));
    };
    message.buffers = copies;
    session.send(message)
}

/// A buffer of this length travels beside its message: copied once, and made the
/// receiver's as it is.
const LARGE: usize = 64 << 10;

/// How many arguments are looked at.
const MOST_LARGE: u32 = 8;

/// Where what is a script's is in a message (`js/rpc_session.js`).
const CALL: i32 = 0;
const ARGUMENTS: u32 = 4;
const RESULT: u32 = 2;

/// The large buffers that are arguments, or the result, of a message; what is deeper in
/// a value may be a getter's to give.
fn large_buffers<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    message: v8::Local<'a, v8::Value>,
) -> Vec<v8::Local<'a, v8::ArrayBuffer>> {
    let mut found = Vec::new();
    let Ok(message) = v8::Local::<v8::Array>::try_from(message) else {
        return found;
    };
    let kind = message.get_index(scope, 0);
    if kind.and_then(|kind| kind.int32_value(scope)) == Some(CALL) {
        let arguments = message.get_index(scope, ARGUMENTS);
        let Some(Ok(list)) = arguments.map(v8::Local::<v8::Array>::try_from) else {
            return found;
        };
        for index in 0..list.length().min(MOST_LARGE) {
            let argument = list.get_index(scope, index);
            found.extend(argument.and_then(|value| large_buffer(scope, value)));
        }
    } else {
        let result = message.get_index(scope, RESULT);
        found.extend(result.and_then(|value| large_buffer(scope, value)));
    }
    // One that is there twice is sent once.
    let mut distinct: Vec<v8::Local<v8::ArrayBuffer>> = Vec::with_capacity(found.len());
    for buffer in found {
        if !distinct.contains(&buffer) {
            distinct.push(buffer);
        }
    }
    distinct
}

fn large_buffer<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    value: v8::Local<'a, v8::Value>,
) -> Option<v8::Local<'a, v8::ArrayBuffer>> {
    let buffer = match v8::Local::<v8::ArrayBufferView>::try_from(value) {
        Ok(view) if view.byte_length() >= LARGE => view.buffer(scope)?,
        _ => v8::Local::<v8::ArrayBuffer>::try_from(value).ok()?,
    };
    if buffer.byte_length() < LARGE || buffer.was_detached() {
        return None;
    }
    let store = buffer.get_backing_store();
    (!store.is_resizable_by_user_javascript()).then_some(buffer)
}

/// None where something was thrown.
pub(super) fn write<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    value: v8::Local<'a, v8::Value>,
    describe: v8::Local<'a, v8::Function>,
) -> Option<Vec<u8>> {
    write_with(scope, value, describe, &[])
}

/// The same without the contents of `buffers`.
fn write_with<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    value: v8::Local<'a, v8::Value>,
    describe: v8::Local<'a, v8::Function>,
    buffers: &[v8::Local<'a, v8::ArrayBuffer>],
) -> Option<Vec<u8>> {
    let plain = v8::Object::new(scope).get_prototype(scope)?;
    let delegate = Box::new(Writer { plain, describe });
    let context = scope.get_current_context();
    let serializer = v8::ValueSerializer::new(scope, delegate);
    for (id, buffer) in (0..).zip(buffers) {
        serializer.transfer_array_buffer(id, *buffer);
    }
    serializer.write_header();
    v8::tc_scope!(let scope, scope);
    let written = serializer.write_value(context, value);
    if scope.has_caught() || scope.has_terminated() {
        scope.rethrow();
        return None;
    }
    (written == Some(true)).then(|| serializer.release())
}

struct Writer<'a> {
    /// Objects with this prototype V8 clones.
    plain: v8::Local<'a, v8::Value>,
    describe: v8::Local<'a, v8::Function>,
}

impl v8::ValueSerializerImpl for Writer<'_> {
    fn throw_data_clone_error<'s>(
        &self,
        scope: &mut v8::PinScope<'s, '_>,
        message: v8::Local<'s, v8::String>,
    ) {
        let error = v8::Exception::type_error(scope, message);
        scope.throw_exception(error);
    }

    fn has_custom_host_object(&self, _isolate: &v8::Isolate) -> bool {
        true
    }

    fn is_host_object<'s>(
        &self,
        scope: &mut v8::PinScope<'s, '_>,
        object: v8::Local<'s, v8::Object>,
    ) -> Option<bool> {
        Some(object.get_prototype(scope)? != self.plain)
    }

    fn write_host_object<'s>(
        &self,
        scope: &mut v8::PinScope<'s, '_>,
        object: v8::Local<'s, v8::Object>,
        serializer: &dyn v8::ValueSerializerHelper,
    ) -> Option<bool> {
        let receiver = v8::undefined(scope).into();
        let description = self.describe.call(scope, receiver, &[object.into()])?;
        serializer.write_value(scope.get_current_context(), description)
    }
}

/// Whether there are messages; false once the session has ended.
#[op2]
pub(crate) async fn op_rpc_receive(
    state: Rc<RefCell<OpState>>,
    #[smi] rid: ResourceId,
) -> Result<bool, JsErrorBox> {
    let Ok(session) = find(&state.borrow(), rid) else {
        return Ok(false);
    };
    let ready = poll_fn(|cx| session.end.poll_ready(cx)).await;
    if let Some(gate) = &session.gate {
        gate.resumed().await;
    }
    ready.map_err(|fault| JsErrorBox::new(fault.class, fault.message))
}

/// The next message, where one is there; `restore` makes what `describe` described.
#[op2(reentrant)]
pub(crate) fn op_rpc_take<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    state: Rc<RefCell<OpState>>,
    #[smi] rid: ResourceId,
    restore: v8::Local<'a, v8::Function>,
) -> Result<v8::Local<'a, v8::Value>, JsErrorBox> {
    let session = find(&state.borrow(), rid).ok();
    let message = session.as_ref().and_then(|session| session.end.take());
    let Some(message) = message else {
        return Ok(v8::undefined(scope).into());
    };
    if let Some(of) = session.as_ref().and_then(|session| session.of.clone()) {
        of.cpu.take();
    }
    let Message {
        bytes,
        buffers,
        capabilities,
    } = message;
    if let Some(session) = &session {
        *session.brought.borrow_mut() = capabilities;
    }
    let budget = state.borrow().borrow::<Arc<BufferBudget>>().clone();
    read_with(scope, &bytes, restore, buffers, &budget)
}

/// `[number, handle]` of something that came with the message that is read.
#[op2]
pub(crate) fn op_rpc_grant<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    state: Rc<RefCell<OpState>>,
    #[smi] rid: ResourceId,
    #[smi] index: u32,
) -> Result<v8::Local<'a, v8::Array>, JsErrorBox> {
    let missing = || JsErrorBox::range_error("no such capability");
    let session = find(&state.borrow(), rid)?;
    let brought = session.brought.borrow();
    let grant = Grant::Capability(brought.get(index as usize).ok_or_else(missing)?.clone());
    let made = GrantHandle::make(scope, &Shared::of(&state), grant);
    Ok(v8::Array::new_with_elements(scope, &made))
}

/// Undefined where something was thrown.
pub(super) fn read<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    message: &[u8],
    restore: v8::Local<'a, v8::Function>,
) -> Result<v8::Local<'a, v8::Value>, JsErrorBox> {
    let budget = BufferBudget::new(0);
    read_with(scope, message, restore, Vec::new(), &budget)
}

/// The same with the contents of `buffers`, which become the isolate's.
fn read_with<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    message: &[u8],
    restore: v8::Local<'a, v8::Function>,
    buffers: Vec<Vec<u8>>,
    budget: &Arc<BufferBudget>,
) -> Result<v8::Local<'a, v8::Value>, JsErrorBox> {
    let context = scope.get_current_context();
    let deserializer = v8::ValueDeserializer::new(scope, Box::new(Reader { restore }), message);
    for (id, bytes) in (0..).zip(buffers) {
        let mut adopted = budget.adopt(bytes);
        if adopted.is_err() {
            // Among what counts may be much that is garbage.
            scope.low_memory_notification();
            adopted = adopted.or_else(|bytes| budget.adopt(bytes));
        }
        let store = adopted.map_err(|_| JsErrorBox::range_error(NO_BUFFER))?;
        // V8 looks whether buffers are garbage when it makes one's memory, and not when it
        // is given some.
        let _ = budget.zeros(scope, 1);
        let buffer = v8::ArrayBuffer::with_backing_store(scope, &store.make_shared());
        deserializer.transfer_array_buffer(id, buffer);
    }
    v8::tc_scope!(let scope, scope);
    let value = match deserializer.read_header(context) {
        Some(true) => deserializer.read_value(context),
        _ => None,
    };
    if scope.has_caught() || scope.has_terminated() {
        scope.rethrow();
        return Ok(v8::undefined(scope).into());
    }
    value.ok_or_else(|| JsErrorBox::type_error("An RPC message could not be read."))
}

struct Reader<'a> {
    restore: v8::Local<'a, v8::Function>,
}

impl v8::ValueDeserializerImpl for Reader<'_> {
    fn read_host_object<'s>(
        &self,
        scope: &mut v8::PinScope<'s, '_>,
        deserializer: &dyn v8::ValueDeserializerHelper,
    ) -> Option<v8::Local<'s, v8::Object>> {
        let description = deserializer.read_value(scope.get_current_context())?;
        let receiver = v8::undefined(scope).into();
        // V8 lets no script run meanwhile, in case it changed what is being read;
        // these bytes are no script's.
        let scope = std::pin::pin!(v8::AllowJavascriptExecutionScope::new(scope));
        let scope = &mut scope.init();
        let object = self.restore.call(scope, receiver, &[description])?;
        object.try_cast().ok()
    }
}

/// The bytes of a Blob, by its parts' ids.
#[op2]
pub(crate) fn op_rpc_blob(
    state: &mut OpState,
    #[serde] parts: Vec<String>,
) -> Result<Uint8Array, JsErrorBox> {
    let store = state.borrow::<Arc<dyn deno_web::BlobStoreTrait>>();
    let mut bytes = Vec::new();
    for id in parts {
        let part = id.parse().ok().and_then(|id| store.get_part(&id));
        let gone = || JsErrorBox::generic("A part of the Blob is gone.");
        // It is in memory: reading it waits for nothing.
        let part = part.ok_or_else(gone)?;
        bytes.extend_from_slice(part.read().now_or_never().ok_or_else(gone)?);
    }
    Ok(bytes.into())
}
