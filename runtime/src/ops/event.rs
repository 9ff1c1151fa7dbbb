//! An event's request, as the script asks for it, and its answer.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use deno_core::{FromV8, JsBuffer, OpState, op2, v8};
use deno_error::JsErrorBox;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue};
use http::{HeaderMap, Response, StatusCode};
use http_body::Body;

use super::body::{BodyResource, Coding, Handed, encode_body, take_body};
use super::web_socket::SocketResource;
use super::{Beginning, Shared};
use crate::body::{BodyEnd, LimitedBody, ResponseBody, ScriptBody};
use crate::error::EventError;
use crate::event::{EventId, Outcome};
use crate::host::LogLevel;

/// Header values are bytes on the wire and text in script: UTF-8, as Workers
/// have it, not the standard's Latin-1.
pub(crate) fn header_string<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    bytes: &[u8],
) -> v8::Local<'a, v8::String> {
    let string = if bytes.is_ascii() {
        v8::String::new_from_one_byte(scope, bytes, v8::NewStringType::Normal)
    } else {
        v8::String::new_from_utf8(scope, bytes, v8::NewStringType::Normal)
    };
    string.unwrap_or_else(|| v8::String::empty(scope))
}

pub(crate) fn header_list<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    headers: &HeaderMap,
) -> v8::Local<'a, v8::Array> {
    let mut list: Vec<v8::Local<v8::Value>> = Vec::with_capacity(headers.len() * 2);
    for (name, value) in headers {
        list.push(header_string(scope, name.as_str().as_bytes()).into());
        list.push(header_string(scope, value.as_bytes()).into());
    }
    v8::Array::new_with_elements(scope, &list)
}

/// A flat `[name, value, …]` of the script's. Names and values were checked
/// there; they are checked here again because the list is the script's to spoil.
pub(crate) fn header_map<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    list: v8::Local<'a, v8::Array>,
) -> Result<HeaderMap, JsErrorBox> {
    let length = list.length();
    let mut headers = HeaderMap::with_capacity(length as usize / 2);
    let mut at = 0;
    while at + 1 < length {
        let name = string_bytes(scope, list, at, "Invalid header name.")?;
        let value = string_bytes(scope, list, at + 1, "Invalid header value.")?;
        at += 2;
        // Workers take more names than HTTP can say; those are not sent.
        let Ok(name) = HeaderName::from_bytes(&name) else {
            continue;
        };
        let value = HeaderValue::from_bytes(&value)
            .map_err(|_| JsErrorBox::type_error("Invalid header value."))?;
        headers.append(name, value);
    }
    Ok(headers)
}

/// A script's header list as an op's argument.
pub(crate) struct HeaderList(pub(crate) HeaderMap);

impl<'a> FromV8<'a> for HeaderList {
    type Error = JsErrorBox;

    fn from_v8(
        scope: &mut v8::PinScope<'a, '_>,
        value: v8::Local<'a, v8::Value>,
    ) -> Result<Self, JsErrorBox> {
        let list = v8::Local::<v8::Array>::try_from(value)
            .map_err(|_| JsErrorBox::type_error("not a header list"))?;
        header_map(scope, list).map(Self)
    }
}

fn string_bytes<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    list: v8::Local<'a, v8::Array>,
    at: u32,
    wrong: &'static str,
) -> Result<Vec<u8>, JsErrorBox> {
    let value = list
        .get_index(scope, at)
        .and_then(|value| v8::Local::<v8::String>::try_from(value).ok())
        .ok_or_else(|| JsErrorBox::type_error(wrong))?;
    if value.contains_only_onebyte() {
        let mut bytes = vec![0; value.length()];
        value.write_one_byte_v2(scope, 0, &mut bytes, v8::WriteFlags::empty());
        if bytes.is_ascii() {
            return Ok(bytes);
        }
    }
    Ok(value.to_rust_string_lossy(scope).into_bytes())
}

#[op2]
pub(crate) fn op_event_headers<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    state: Rc<RefCell<OpState>>,
    #[smi] id: EventId,
) -> v8::Local<'a, v8::Array> {
    match Shared::of(&state).events.get(id) {
        Some(event) => header_list(scope, &event.headers.borrow()),
        None => v8::Array::new(scope, 0),
    }
}

/// What the worker that sent the request gave as `cf`, in JSON.
#[op2]
#[string]
pub(crate) fn op_event_cf(state: &mut OpState, #[smi] id: EventId) -> Option<String> {
    let event = state.borrow::<Rc<Shared>>().events.get(id)?;
    let cf = event.cf.borrow();
    cf.as_deref().map(str::to_string)
}

/// Opens the request's body: a resource id, or -1 where there is none.
#[op2(fast)]
#[smi]
pub(crate) fn op_event_body(state: &mut OpState, #[smi] id: EventId) -> i32 {
    let shared = state.borrow::<Rc<Shared>>();
    let limit = shared.worker().map_or(0, |worker| worker.limits.body);
    let Some(event) = shared.events.get(id) else {
        return -1;
    };
    let Some(body) = event.body.borrow_mut().take() else {
        return -1;
    };
    let rid = state
        .resource_table
        .add(BodyResource::new(body, Coding::Identity, limit));
    event.body_rid.set(Some(rid));
    rid as i32
}

#[op2(fast)]
pub(crate) fn op_event_end(state: &mut OpState, #[smi] id: EventId) {
    let ended = state.borrow::<Rc<Shared>>().events.remove(id);
    // What is left of the upload goes with the event: as long as it was held,
    // the client's connection could not serve another request.
    let Some(event) = ended else { return };
    state.borrow::<Rc<Shared>>().work_ended(id, &event);
    if event.trace.borrow().is_some() {
        state.borrow::<Rc<Shared>>().trace_ended(event.clone());
    }
    for rid in event.take_resources() {
        if let Ok(resource) = state.resource_table.take_any(rid) {
            resource.close();
        }
    }
}

#[op2(fast)]
pub(crate) fn op_event_done(state: &mut OpState, #[smi] id: EventId) {
    if let Some(event) = state.borrow::<Rc<Shared>>().events.get(id) {
        event.settle(Outcome::Done);
    }
}

/// The handler threw, or (`answered`) a promise given to `waitUntil` rejected.
#[op2]
pub(crate) fn op_event_fail<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    state: Rc<RefCell<OpState>>,
    #[smi] id: EventId,
    error: v8::Local<'a, v8::Value>,
    answered: bool,
    #[buffer] thrown: Option<JsBuffer>,
) {
    let shared = Shared::of(&state);
    let mut error = shared.uncaught(scope, id, error);
    error.thrown = thrown.map(|thrown| Arc::from(&*thrown));
    if !answered && let Some(event) = shared.events.get(id) {
        event.settle(Outcome::Failed(EventError::Exception(error)));
    }
}

/// Answers an event. `headers` is a flat list, or only the content type that
/// the body implies, or null; `body` a string, bytes, a resource id, or null.
/// Returns whether a script's stream is still to be read.
#[op2(nofast)]
pub(crate) fn op_event_respond<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    state: Rc<RefCell<OpState>>,
    #[smi] id: EventId,
    #[smi] status: u32,
    #[string] reason: String,
    headers: v8::Local<'a, v8::Value>,
    body: v8::Local<'a, v8::Value>,
    length: f64,
    encode: bool,
) -> Result<bool, JsErrorBox> {
    let shared = Shared::of(&state);
    let Some(event) = shared.events.get(id) else {
        return Ok(false);
    };
    let mut headers = answer_headers(scope, headers)?;
    // The connection's framing is the host's business.
    headers.remove(http::header::TRANSFER_ENCODING);
    headers.remove(http::header::CONNECTION);
    let length = (length >= 0.0).then_some(length as u64);
    let mut streaming = false;
    let mut body = match take_body(scope, &state, body)? {
        Handed::Nothing => ResponseBody::empty(),
        Handed::Full(bytes) => ResponseBody::Full(bytes),
        Handed::Host(host) => host_answer(host, &headers)?,
        Handed::Stream(resource) => {
            streaming = true;
            let waker = state.borrow().waker.clone();
            let shared = shared.clone();
            // A body can end at any time, so no script runs from here: the
            // isolate is told on its next turn.
            let done = move |end| {
                let told = match end {
                    BodyEnd::Whole => &shared.finished_bodies,
                    BodyEnd::Cut => &shared.abandoned,
                };
                told.borrow_mut().push(id);
                waker.wake();
            };
            let cut = event.cut.borrow_mut().get_or_insert_default().clone();
            ResponseBody::Script(ScriptBody::new(resource, length, done).until(cut))
        }
    };
    if encode && let Some(coding) = headers.get(CONTENT_ENCODING).and_then(Coding::of) {
        // A passed-on host body that has this coding already stays as it is.
        if !matches!(&body, ResponseBody::Host(_)) {
            headers.remove(CONTENT_LENGTH);
            body = encode_body(body, coding, event.object.clone());
        }
    }
    if let Some(limit) = shared.worker().and_then(|worker| worker.limits.response) {
        let breach = EventError::ResponseLimit { limit };
        if body.size_hint().lower() > limit {
            shared.log(LogLevel::Error, &breach.to_string(), None);
            event.settle(Outcome::Failed(breach));
            return Ok(streaming);
        }
        body = ResponseBody::Limited(LimitedBody::new(body, limit, move || {
            shared.log(LogLevel::Error, &breach.to_string(), None);
        }));
    }
    let mut response = Response::new(body);
    *response.status_mut() = u16::try_from(status)
        .ok()
        .and_then(|status| StatusCode::from_u16(status).ok())
        .ok_or_else(|| JsErrorBox::range_error(format!("{status} is no HTTP status")))?;
    if !reason.is_empty() {
        if let Ok(reason) = hyper::ext::ReasonPhrase::try_from(reason.into_bytes()) {
            response.extensions_mut().insert(reason);
        }
    } else if response.status().canonical_reason().is_none() {
        let reason = class_reason(response.status());
        response
            .extensions_mut()
            .insert(hyper::ext::ReasonPhrase::from_static(reason.as_bytes()));
    }
    *response.headers_mut() = headers;
    event.settle(Outcome::Response(response));
    Ok(streaming)
}

/// The reason phrase of a status that has none of its own.
fn class_reason(status: StatusCode) -> &'static str {
    match status.as_u16() {
        200..300 => "Successful",
        300..400 => "Redirection",
        400..500 => "Client Error",
        _ => "Server Error",
    }
}

fn answer_headers<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    headers: v8::Local<'a, v8::Value>,
) -> Result<HeaderMap, JsErrorBox> {
    if let Ok(list) = v8::Local::<v8::Array>::try_from(headers) {
        return header_map(scope, list);
    }
    let mut map = HeaderMap::new();
    if let Ok(content_type) = v8::Local::<v8::String>::try_from(headers) {
        let text = content_type.to_rust_string_lossy(scope);
        let value = match text.as_str() {
            "text/plain;charset=UTF-8" => HeaderValue::from_static("text/plain;charset=UTF-8"),
            "application/json" => HeaderValue::from_static("application/json"),
            _ => HeaderValue::try_from(text)
                .map_err(|_| JsErrorBox::type_error("Invalid header value."))?,
        };
        map.insert(CONTENT_TYPE, value);
    }
    Ok(map)
}

/// The host's own bytes, as the answer: decoded only where the script took the
/// `Content-Encoding` away.
fn host_answer(host: Rc<BodyResource>, headers: &HeaderMap) -> Result<ResponseBody, JsErrorBox> {
    let kept = headers
        .get(CONTENT_ENCODING)
        .and_then(Coding::of)
        .unwrap_or(Coding::Identity);
    Ok(ResponseBody::Host(host.into_body(kept)?))
}

/// Answers a WebSocket handshake with one end of a pair.
#[op2(nofast)]
pub(crate) fn op_event_upgrade<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    state: Rc<RefCell<OpState>>,
    #[smi] id: EventId,
    headers: v8::Local<'a, v8::Array>,
    #[smi] socket: u32,
) -> Result<(), JsErrorBox> {
    let headers = header_map(scope, headers)?;
    let end = SocketResource::take_end(&mut state.borrow_mut(), socket)?;
    if let Some(event) = Shared::of(&state).events.get(id) {
        event.settle(Outcome::Upgrade(headers, end));
    }
    Ok(())
}

/// Ends the isolate with this turn: nothing of the script's runs any more.
#[op2(fast)]
pub(crate) fn op_abort_isolate(
    isolate: &mut v8::Isolate,
    state: &mut OpState,
    #[string] reason: String,
) {
    let shared = state.borrow::<Rc<Shared>>();
    shared.aborted.borrow_mut().get_or_insert(reason);
    isolate.terminate_execution();
}

/// Stops the script of an event that has ended itself, where the turn is its alone: what
/// is stopped takes along whatever else of the turn would still run. Says whether it does.
#[op2(fast)]
pub(crate) fn op_event_exit(scope: &mut v8::PinScope<'_, '_>, state: Rc<RefCell<OpState>>) -> bool {
    let shared = Shared::of(&state);
    if shared.beginning.get() == Beginning::Runs {
        shared.beginning.set(Beginning::Stopped);
        scope.terminate_execution();
    }
    shared.beginning.get() == Beginning::Stopped
}

/// What the engine says of a value that was thrown; no script runs for it.
#[op2]
#[string]
pub(crate) fn op_thrown_text<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    value: v8::Local<'a, v8::Value>,
) -> String {
    let message = v8::Exception::create_message(scope, value).get(scope);
    let text = message.to_rust_string_lossy(scope);
    text.strip_prefix("Uncaught ").unwrap_or(&text).to_string()
}
