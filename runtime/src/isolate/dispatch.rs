//! How events begin: which handler is called, and with what.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use deno_core::v8;
use http::Request;

use super::{Answer, Isolate};
use crate::body::HostBody;
use crate::delivery::Delivery;
use crate::entrypoint::{Entrypoint, Handler, Handlers, Props};
use crate::error::EventError;
use crate::event::{Event, EventId};
use crate::ops::parcel::ParcelHandle;
use crate::ops::service::{Cf, Depth, SaidUrl};
use crate::rpc::RpcEnd;
use crate::trace::{EventInfo, Tailed};

impl Isolate {
    /// Begins to serve a request that a client sent. The answer may be there at
    /// once.
    pub(crate) fn fetch(
        self: &Rc<Self>,
        request: Request<HostBody>,
        https: bool,
    ) -> Result<Answer, EventError> {
        let url = request_url(request.headers(), request.uri(), https);
        self.fetch_url(Entrypoint::DEFAULT, &url, request)
    }

    /// Begins to serve a request of another worker: its URI is whole.
    pub(crate) fn call(
        self: &Rc<Self>,
        to: &Entrypoint,
        request: Request<HostBody>,
    ) -> Result<Answer, EventError> {
        let url = said_url(&request);
        self.fetch_url(to, &url, request)
    }

    fn fetch_url(
        self: &Rc<Self>,
        to: &Entrypoint,
        url: &str,
        request: Request<HostBody>,
    ) -> Result<Answer, EventError> {
        self.admit(to, Handler::Fetch)?;
        let (head, body) = request.into_parts();
        let depth = depth_of(&head.extensions);
        let has_body = !http_body::Body::is_end_stream(&body) || announces_body(&head);
        let event = Event::request(head.headers, has_body.then_some(body));
        event.depth.set(depth);
        event.cf.replace(cf_of(&head.extensions));
        event.limits.set(to.limits.unwrap_or_default());
        self.trace(&event, to, || EventInfo::fetch(&head.method, url, &event));
        Ok(self.dispatch(event, |scope, id| {
            let function = v8::Local::new(scope, &self.entry.dispatch_fetch);
            let receiver = v8::undefined(scope).into();
            let method = string(scope, head.method.as_str().as_bytes())?;
            let url = string(scope, url.as_bytes())?;
            let id = v8::Integer::new_from_unsigned(scope, id).into();
            let has_body = v8::Boolean::new(scope, has_body).into();
            if to == Entrypoint::DEFAULT {
                return function.call(scope, receiver, &[id, method, url, has_body]);
            }
            let name = optional(scope, to.name.as_deref())?;
            let props = props_of(scope, to)?;
            let arguments = [id, method, url, has_body, name, props];
            function.call(scope, receiver, &arguments)
        }))
    }

    /// Begins a session of another worker: of calls, or of one connection.
    pub(crate) fn call_rpc(
        self: &Rc<Self>,
        to: &Entrypoint,
        mut called: RpcEnd,
    ) -> Result<Answer, EventError> {
        if let Some(connection) = called.take_connection() {
            self.admit(to, Handler::Connect)?;
            let event = Event::connection(connection, None);
            event.depth.set(called.depth);
            event.limits.set(to.limits.unwrap_or_default());
            return Ok(self.dispatch(event, |scope, id| {
                call_for(scope, &self.entry.dispatch_connect, id, to)
            }));
        }
        self.check_lost()?;
        // What it takes its script says, call by call.
        let _ = self.handlers_of(to)?;
        self.check_room()?;
        let depth = called.depth;
        let event = Event::calls(called, None);
        event.depth.set(depth);
        event.limits.set(to.limits.unwrap_or_default());
        self.trace(&event, to, || EventInfo::Jsrpc);
        Ok(self.dispatch_calls(event, |scope, id| {
            call_for(scope, &self.entry.dispatch_rpc, id, to)
        }))
    }

    /// Begins a session. Most end with the answer to what they begin with, which may be
    /// there at once; only the others wait for more.
    pub(super) fn dispatch_calls(
        self: &Rc<Self>,
        event: Rc<Event>,
        call: impl for<'a> FnOnce(
            &mut v8::PinScope<'a, '_>,
            EventId,
        ) -> Option<v8::Local<'a, v8::Value>>,
    ) -> Answer {
        let begun = event.clone();
        self.dispatch(event, |scope, id| {
            let called = call(scope, id);
            self.began(scope);
            called?;
            scope.perform_microtask_checkpoint();
            if begun.answered.get() {
                return None;
            }
            let function = v8::Local::new(scope, &self.entry.listen_rpc);
            let receiver = v8::undefined(scope).into();
            let id = v8::Integer::new_from_unsigned(scope, id).into();
            function.call(scope, receiver, &[id])
        })
    }

    /// Begins a scheduled run, or to handle a batch of messages. With the answer
    /// comes its event, which has what the handler said.
    pub(crate) fn deliver(
        self: &Rc<Self>,
        to: &Entrypoint,
        delivery: Delivery,
    ) -> Result<(Answer, Rc<Event>), EventError> {
        self.admit(to, delivery.handler())?;
        let info = self.worker.tails.as_ref().map(|_| delivery.info());
        let event = Event::delivery(delivery, None);
        event.limits.set(to.limits.unwrap_or_default());
        if let Some(info) = info {
            self.trace(&event, to, || info);
        }
        let answer = self.dispatch(event.clone(), |scope, id| {
            call_for(scope, &self.entry.dispatch_delivery, id, to)
        });
        Ok((answer, event))
    }

    /// Begins to tell a tail worker's handler of other workers' events.
    pub(crate) fn tail(
        self: &Rc<Self>,
        to: &Entrypoint,
        tailed: Tailed,
    ) -> Result<Answer, EventError> {
        self.admit(to, tailed.handler())?;
        let info = self.worker.tails.as_ref().map(|_| tailed.info());
        let event = Event::tailed(Box::new(tailed), None);
        if let Some(info) = info {
            self.trace(&event, to, || info);
        }
        Ok(self.dispatch(event, |scope, id| {
            call_for(scope, &self.entry.dispatch_tail, id, to)
        }))
    }

    /// Begins to note what an event does, where somebody tails the worker.
    fn trace(&self, event: &Event, to: &Entrypoint, info: impl FnOnce() -> EventInfo) {
        let Some(tails) = &self.worker.tails else {
            return;
        };
        // The turn that is about to begin sets it too.
        self.shared.clock.advance();
        self.shared
            .trace(&self.worker, tails, to.name.as_deref(), event, info());
    }

    /// The same of an event of an object.
    pub(super) fn trace_object(&self, event: &Event, info: impl FnOnce() -> EventInfo) {
        self.trace(event, Entrypoint::DEFAULT, info);
    }

    /// Begins a test of an export.
    pub(crate) fn test(self: &Rc<Self>, of: &Entrypoint) -> Result<Answer, EventError> {
        self.admit(of, Handler::Test)?;
        let event: Rc<Event> = Rc::default();
        self.trace(&event, of, || EventInfo::Custom);
        Ok(self.dispatch(event, |scope, id| {
            call_for(scope, &self.entry.dispatch_test, id, of)
        }))
    }

    /// The exports that have a test, the default one (None) first.
    pub(crate) fn tests(&self) -> Vec<Option<String>> {
        let default = self.handlers.has(Handler::Test).then_some(None);
        let named = self
            .named()
            .iter()
            .filter(|(_, handlers)| handlers.has(Handler::Test))
            .map(|(name, _)| Some(name.clone()));
        default.into_iter().chain(named).collect()
    }

    fn admit(&self, to: &Entrypoint, handler: Handler) -> Result<(), EventError> {
        self.check_lost()?;
        let handlers = self.handlers_of(to)?;
        if !handlers.has(handler) {
            return Err(EventError::NoHandler {
                kind: handler.name(),
            });
        }
        self.check_room()
    }

    fn handlers_of(&self, to: &Entrypoint) -> Result<Handlers, EventError> {
        let Some(name) = &to.name else {
            return Ok(self.handlers);
        };
        let handlers = self.named().get(name).copied();
        handlers.ok_or_else(|| EventError::NoEntrypoint {
            worker: self.worker.name().to_string(),
            name: name.clone(),
        })
    }

    pub(super) fn check_lost(&self) -> Result<(), EventError> {
        match &*self.lost.borrow() {
            Some(lost) => Err(lost.clone()),
            None => Ok(()),
        }
    }

    pub(super) fn check_room(&self) -> Result<(), EventError> {
        let open = self.open_events();
        if open >= self.worker.limits.concurrent_events {
            return Err(EventError::Overloaded { open });
        }
        Ok(())
    }

    /// The exports besides the default one. Few workers are asked for theirs.
    fn named(&self) -> &BTreeMap<String, Handlers> {
        self.named.get_or_init(|| {
            let mut named = BTreeMap::new();
            let end = self.turn(None, self.worker.limits.startup_cpu, |scope| {
                v8::tc_scope!(let scope, scope);
                let function = v8::Local::new(scope, &self.entry.entrypoints);
                let receiver = v8::undefined(scope).into();
                let list = function.call(scope, receiver, &[]);
                let Some(Ok(list)) = list.map(v8::Local::<v8::Array>::try_from) else {
                    return;
                };
                for index in (0..list.length()).step_by(2) {
                    let name = list.get_index(scope, index);
                    let bits = list.get_index(scope, index + 1);
                    if let (Some(name), Some(bits)) = (name, bits) {
                        let bits = bits.uint32_value(scope).unwrap_or(0);
                        let name = name.to_rust_string_lossy(scope);
                        named.insert(name, Handlers::from_bits(bits));
                    }
                }
            });
            self.judge(end, None);
            named
        })
    }
}

/// The URL of another worker's request, as that had it.
pub(super) fn said_url(request: &Request<HostBody>) -> String {
    match request.extensions().get() {
        Some(SaidUrl(url)) => url.clone(),
        None => request.uri().to_string(),
    }
}

pub(super) fn cf_of(extensions: &http::Extensions) -> Option<Arc<str>> {
    extensions.get().map(|Cf(cf)| cf.clone())
}

/// How many workers called one another before a request came.
pub(super) fn depth_of(extensions: &http::Extensions) -> u32 {
    extensions.get::<Depth>().map_or(0, |Depth(depth)| *depth)
}

/// Calls one of the runtime's functions with an event and the export that it is for.
fn call_for<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    function: &v8::Global<v8::Function>,
    id: EventId,
    to: &Entrypoint,
) -> Option<v8::Local<'a, v8::Value>> {
    let function = v8::Local::new(scope, function);
    let receiver = v8::undefined(scope).into();
    let arguments = [
        v8::Integer::new_from_unsigned(scope, id).into(),
        optional(scope, to.name.as_deref())?,
        props_of(scope, to)?,
    ];
    function.call(scope, receiver, &arguments)
}

/// JSON, or a handle on a parcel.
pub(super) fn props_of<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    to: &Entrypoint,
) -> Option<v8::Local<'a, v8::Value>> {
    match &to.props {
        Some(Props::Parcel(parcel)) => Some(ParcelHandle::make(scope, parcel.clone()).into()),
        Some(Props::Json(text)) => optional(scope, Some(text)),
        None => optional(scope, None),
    }
}

pub(super) fn optional<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    text: Option<&str>,
) -> Option<v8::Local<'a, v8::Value>> {
    match text {
        Some(text) => v8::String::new(scope, text).map(Into::into),
        None => Some(v8::undefined(scope).into()),
    }
}

pub(super) fn string<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    bytes: &[u8],
) -> Option<v8::Local<'a, v8::Value>> {
    v8::String::new_from_one_byte(scope, bytes, v8::NewStringType::Normal).map(Into::into)
}

/// Whether the request says that it has a body, be it of no bytes: a script then
/// sees an empty one, and null otherwise.
pub(super) fn announces_body(head: &http::request::Parts) -> bool {
    !matches!(head.method, http::Method::GET | http::Method::HEAD)
        && head.headers.contains_key(http::header::CONTENT_LENGTH)
}

/// The absolute URL of a request: HTTP/1 gives it in two pieces.
fn request_url(headers: &http::HeaderMap, uri: &http::Uri, https: bool) -> String {
    let scheme = if https { "https" } else { "http" };
    let host = headers
        .get(http::header::HOST)
        .and_then(|host| host.to_str().ok())
        .or_else(|| uri.authority().map(|authority| authority.as_str()))
        .unwrap_or("localhost");
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    format!("{scheme}://{host}{path}")
}
