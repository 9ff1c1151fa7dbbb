//! Durable objects of an isolate: how they begin, what they serve, and how they
//! leave memory.

use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use deno_core::v8;
use futures::future::LocalBoxFuture;
use http::{HeaderMap, Request};

use super::dispatch::{announces_body, cf_of, depth_of, optional, said_url, string};
use super::facets::told;
use super::{Answer, Isolate};
use crate::body::HostBody;
use crate::delivery::Delivery;
use crate::error::EventError;
use crate::event::{Event, EventId, Outcome};
use crate::host::LogLevel;
use crate::object::{
    AlarmTime, Database, DatabaseError, FacetInstance, Object, ObjectTarget, SocketEvent,
    StorageError,
};
use crate::ops::module::array_buffer;
use crate::ops::web_socket::SocketMessage;
use crate::rpc::RpcEnd;
use crate::trace::{EventInfo, SocketInfo};

/// How long an object that does nothing stays in memory, as Workers document it.
const IDLE: Duration = Duration::from_secs(10);

impl Isolate {
    /// The object, begun where it is not in memory; its constructor has run, though
    /// what it waits for may not be done ([`Object::admitted`]). Nobody else has its
    /// database ([`Self::object_is_free`]).
    pub(crate) fn object(self: &Rc<Self>, target: &Arc<ObjectTarget>) -> Rc<Object> {
        self.begin_object(target, None)
    }

    pub(super) fn begin_object(
        self: &Rc<Self>,
        target: &Arc<ObjectTarget>,
        facet: Option<FacetInstance>,
    ) -> Rc<Object> {
        let object = self
            .shared
            .objects
            .get_or_insert(target, facet, &self.shared.signals);
        object.lives_in(self);
        if !object.started.replace(true) {
            self.make_room_for(&object);
            self.start_object(&object);
        }
        object
    }

    /// The object that is to end here, or does, before another isolate may have it.
    pub(crate) fn leaving_object(&self, target: &ObjectTarget) -> Option<Rc<Object>> {
        let objects = &self.shared.objects;
        objects.closing(target).or_else(|| objects.find(target))
    }

    /// Ends the object where it is broken, and waits until its database is free
    /// where one of this isolate's lets go of it.
    pub(crate) async fn object_is_free(&self, target: &ObjectTarget) {
        if let Some(broken) = self.shared.objects.find(target)
            && broken.fault().is_some()
        {
            self.end_object(&broken, true);
        }
        while let Some(closing) = self.shared.objects.closing(target) {
            closing.closed().await;
        }
    }

    pub(crate) fn is_new_object(&self, target: &ObjectTarget) -> bool {
        self.shared.objects.find(target).is_none()
    }

    /// See `ObjectHost::ready`.
    pub(crate) fn object_is_ready(
        &self,
        target: &Arc<ObjectTarget>,
    ) -> Option<LocalBoxFuture<'static, Result<(), StorageError>>> {
        self.shared.host.objects().ready(target)
    }

    fn start_object(self: &Rc<Self>, object: &Rc<Object>) {
        let life = self.shared.events.insert(Event::life(object.clone()));
        object.life.set(life);
        self.keep_driven();
        let end = self.turn(None, self.worker.limits.cpu, |scope| {
            v8::tc_scope!(let scope, scope);
            let _ = (|| {
                let function = v8::Local::new(scope, &self.entry.start_object);
                let receiver = v8::undefined(scope).into();
                let [class, id, name, props, is_text] = told(scope, object)?;
                let arguments = [
                    v8::Integer::new_from_unsigned(scope, object.number).into(),
                    v8::Integer::new_from_unsigned(scope, life).into(),
                    class,
                    id,
                    name,
                    props,
                    is_text,
                ];
                function.call(scope, receiver, &arguments)
            })();
            scope.perform_microtask_checkpoint();
        });
        self.judge(end, None);
        self.wake.wake();
    }

    /// Begins to serve a request to an object, which admits it.
    pub(crate) fn call_object(
        self: &Rc<Self>,
        object: &Rc<Object>,
        request: Request<HostBody>,
    ) -> Result<Answer, EventError> {
        self.enter_object(object)?;
        let url = said_url(&request);
        let (head, body) = request.into_parts();
        let has_body = !http_body::Body::is_end_stream(&body) || announces_body(&head);
        let depth = depth_of(&head.extensions);
        let event = Event::of_object(object.clone(), head.headers, has_body.then_some(body));
        event.depth.set(depth);
        event.limits.set(object.call_limits());
        event.cf.replace(cf_of(&head.extensions));
        self.trace_object(&event, || EventInfo::fetch(&head.method, &url, &event));
        Ok(self.dispatch(event, |scope, id| {
            let function = v8::Local::new(scope, &self.entry.dispatch_object);
            let receiver = v8::undefined(scope).into();
            let arguments = [
                v8::Integer::new_from_unsigned(scope, id).into(),
                v8::Integer::new_from_unsigned(scope, object.number).into(),
                string(scope, head.method.as_str().as_bytes())?,
                string(scope, url.as_bytes())?,
                v8::Boolean::new(scope, has_body).into(),
            ];
            function.call(scope, receiver, &arguments)
        }))
    }

    /// Begins a session with an object, which admits it: of calls, or of one connection.
    pub(crate) fn call_object_rpc(
        self: &Rc<Self>,
        object: &Rc<Object>,
        mut called: RpcEnd,
    ) -> Result<Answer, EventError> {
        self.enter_object(object)?;
        if let Some(connection) = called.take_connection() {
            let event = Event::connection(connection, Some(object.clone()));
            event.depth.set(called.depth);
            return Ok(self.dispatch(event, |scope, id| {
                call_numbered(scope, &self.entry.dispatch_object_connect, id, object)
            }));
        }
        if let Some(tailed) = called.take_tailed() {
            let info = self.worker.tails.as_ref().map(|_| tailed.info());
            let event = Event::tailed(tailed, Some(object.clone()));
            if let Some(info) = info {
                self.trace_object(&event, || info);
            }
            return Ok(self.dispatch(event, |scope, id| {
                call_numbered(scope, &self.entry.dispatch_object_tail, id, object)
            }));
        }
        if let Some(facet) = &object.facet
            && let Some(callee) = called.way.as_ref().and_then(|way| way.callee.clone())
        {
            facet.restored.replace(Some(callee));
        }
        let depth = called.depth;
        let event = Event::calls(called, Some(object.clone()));
        event.depth.set(depth);
        event.limits.set(object.call_limits());
        self.trace_object(&event, || EventInfo::Jsrpc);
        Ok(self.dispatch_calls(event, |scope, id| {
            call_numbered(scope, &self.entry.dispatch_object_rpc, id, object)
        }))
    }

    /// Begins a scheduled run of an object, or to handle a batch of messages, which it
    /// admits. With the answer comes its event, which has what the handler said.
    pub(crate) fn deliver_to_object(
        self: &Rc<Self>,
        object: &Rc<Object>,
        delivery: Delivery,
    ) -> Result<(Answer, Rc<Event>), EventError> {
        self.enter_object(object)?;
        let info = self.worker.tails.as_ref().map(|_| delivery.info());
        let event = Event::delivery(delivery, Some(object.clone()));
        if let Some(info) = info {
            self.trace_object(&event, || info);
        }
        let answer = self.dispatch(event.clone(), |scope, id| {
            call_numbered(scope, &self.entry.dispatch_object_delivery, id, object)
        });
        Ok((answer, event))
    }

    /// Runs `work` on an object's database, outside any turn of the script.
    pub(crate) fn object_database<T>(
        &self,
        object: &Rc<Object>,
        work: impl FnOnce(&mut Database) -> Result<T, DatabaseError>,
    ) -> Result<T, EventError> {
        let (objects, host) = (&self.shared.objects, &self.shared.host);
        let done = object.database(objects, host, work);
        objects.end_turn(done.is_err(), host);
        done.map_err(|error| EventError::ObjectReset {
            reason: error.to_string(),
        })
    }

    /// Begins to run an object's alarm handler.
    pub(crate) fn call_alarm(
        self: &Rc<Self>,
        object: &Rc<Object>,
        time: AlarmTime,
        retries: u32,
    ) -> Result<Answer, EventError> {
        self.enter_object(object)?;
        let event = Event::of_object(object.clone(), HeaderMap::new(), None);
        self.trace_object(&event, || EventInfo::Alarm {
            scheduled_time: time as f64,
        });
        Ok(self.dispatch(event, |scope, id| {
            let function = v8::Local::new(scope, &self.entry.dispatch_alarm);
            let receiver = v8::undefined(scope).into();
            let arguments = [
                v8::Integer::new_from_unsigned(scope, id).into(),
                v8::Integer::new_from_unsigned(scope, object.number).into(),
                v8::Number::new(scope, time as f64).into(),
                v8::Integer::new_from_unsigned(scope, retries).into(),
            ];
            function.call(scope, receiver, &arguments)
        }))
    }

    /// Begins to tell an object what one of its sockets heard.
    pub(crate) fn call_socket(
        self: &Rc<Self>,
        object: &Rc<Object>,
        socket: u32,
        heard: &SocketEvent,
    ) -> Result<Answer, EventError> {
        self.enter_object(object)?;
        let event = Event::of_object(object.clone(), HeaderMap::new(), None);
        self.trace_object(&event, || EventInfo::HibernatableWebSocket {
            info: SocketInfo::of(heard),
        });
        Ok(self.dispatch(event, |scope, id| {
            let function = v8::Local::new(scope, &self.entry.dispatch_socket);
            let receiver = v8::undefined(scope).into();
            let (kind, data, code, clean): (_, v8::Local<v8::Value>, _, _) = match heard {
                SocketEvent::Message(SocketMessage::Binary(bytes)) => {
                    let Some(buffer) = array_buffer(scope, bytes) else {
                        let limit = self.worker.limits.buffers;
                        self.shared.memory_over.set(Some(limit));
                        return None;
                    };
                    (1, buffer.into(), 0, true)
                }
                SocketEvent::Message(SocketMessage::Text(text)) => {
                    (0, optional(scope, Some(text))?, 0, true)
                }
                SocketEvent::Message(SocketMessage::Close { code, reason }) => {
                    (2, optional(scope, Some(reason))?, *code, true)
                }
                SocketEvent::Failed { reason }
                | SocketEvent::Message(SocketMessage::Failed { reason }) => {
                    (3, optional(scope, Some(reason))?, 0, false)
                }
                // Told as a close (object/sockets.rs).
                SocketEvent::Message(SocketMessage::Lost) => return None,
                SocketEvent::Closed {
                    code,
                    reason,
                    clean,
                } => (2, optional(scope, Some(reason))?, *code, *clean),
            };
            let arguments = [
                v8::Integer::new_from_unsigned(scope, id).into(),
                v8::Integer::new_from_unsigned(scope, object.number).into(),
                v8::Integer::new_from_unsigned(scope, socket).into(),
                v8::Integer::new(scope, kind).into(),
                data,
                v8::Integer::new(scope, code.into()).into(),
                v8::Boolean::new(scope, clean).into(),
            ];
            function.call(scope, receiver, &arguments)
        }))
    }

    /// An event of an object begins: what its limits count, they count anew.
    fn enter_object(&self, object: &Object) -> Result<(), EventError> {
        self.check_lost()?;
        self.check_room()?;
        object.last_used.set(Instant::now());
        if let Some(life) = self.shared.events.get(object.life.get()) {
            life.subrequests.set(0);
        }
        Ok(())
    }

    /// Lets objects go that nothing happens to any more.
    pub(crate) fn release_idle_objects(&self) {
        for object in self.shared.objects.all() {
            Self::notice_ended(&object);
            object.facets.prune();
            let broken = object.fault().is_some();
            let idle = object.open_events.get() == 0
                && object.last_used.get().elapsed() >= IDLE
                && !self.is_held(&object);
            if broken || idle {
                self.end_object(&object, broken);
            }
        }
    }

    /// Has the one leave that was idle for longest, where too many are in memory.
    fn make_room_for(&self, new: &Rc<Object>) {
        let objects = &self.shared.objects;
        let most = self.worker.limits.awake_objects;
        if objects.len() <= most {
            return;
        }
        let is_idle = |object: &Rc<Object>| {
            object.open_events.get() == 0
                && !object.facets.are_called()
                && !self.is_held(object)
                && !Rc::ptr_eq(object, new)
        };
        // To find the idlest all are looked at; so some are found at a time.
        if let Some(idlest) = objects.next_idlest(most / 16 + 1, is_idle) {
            self.end_object(&idlest, false);
        }
    }

    /// Ends all objects: a new version of the script is to have them. Events that
    /// they serve still have their answers.
    pub(crate) fn end_objects(&self) {
        for object in self.shared.objects.all() {
            if object.open_events.get() == 0 && !object.facets.are_called() {
                self.end_object(&object, true);
            }
        }
    }

    /// Ends the objects of some namespaces, and their events with them; waits until
    /// their databases are closed.
    pub(crate) async fn end_objects_of(&self, keys: &[String], reason: &str) {
        for object in self.shared.objects.of(keys) {
            object.hand_over(reason.into());
            self.end_object(&object, true);
        }
        for object in self.shared.objects.closing_of(keys) {
            object.closed().await;
        }
    }

    /// Ends an object that serves no event, as if it had been idle; None where it does.
    pub(crate) fn evict_object(&self, target: &ObjectTarget) -> Option<Rc<Object>> {
        if let Some(object) = self.shared.objects.find(target) {
            if object.open_events.get() > 0 || object.facets.are_called() {
                return None;
            }
            self.end_object(&object, true);
        }
        self.shared.objects.closing(target)
    }

    pub(crate) fn object_targets(&self) -> Vec<Arc<ObjectTarget>> {
        let objects = self.shared.objects.all().into_iter();
        objects.map(|object| object.target.clone()).collect()
    }

    /// Ends all objects, and their events with them.
    pub(crate) fn abort_objects(&self, reason: &str) {
        for object in self.shared.objects.all() {
            object.abort(reason.into());
            self.end_object(&object, true);
        }
    }

    /// Ends an object; unless `force`d only where its script has nothing to do.
    pub(super) fn end_object(&self, object: &Rc<Object>, force: bool) {
        let mut ended = false;
        let end = self.turn(None, self.worker.limits.cpu, |scope| {
            v8::tc_scope!(let scope, scope);
            let function = v8::Local::new(scope, &self.entry.end_object);
            let receiver = v8::undefined(scope).into();
            let number = v8::Integer::new_from_unsigned(scope, object.number).into();
            let force = v8::Boolean::new(scope, force).into();
            let result = function.call(scope, receiver, &[number, force]);
            ended = result.is_none_or(|result| result.is_true());
        });
        self.judge(end, None);
        if !ended {
            return;
        }
        if let Some(reason) = object.fault() {
            for event in self.shared.events.of(object) {
                event.settle(Outcome::Failed(reason.clone()));
            }
        }
        self.close_object(object);
    }

    /// Forgets an object whose script has ended, and closes its database.
    pub(super) fn close_object(&self, object: &Rc<Object>) {
        self.shared.objects.remove(object);
        let facets = Self::end_facets_of(object);
        if object.facet.is_some() {
            self.shared.sockets.leave(&object.target);
        }
        let storage = object.take_storage();
        if storage.is_none() && facets.is_empty() {
            self.shared.objects.closed(object);
            return;
        }
        let (shared, object) = (self.shared.clone(), object.clone());
        deno_core::unsync::spawn(async move {
            // They leave with it: whoever has its class next finds nobody there.
            for facet in facets {
                facet.gone().await;
            }
            if let Some(storage) = storage
                && let Err(error) = storage.close().await
            {
                let message = format!("a Durable Object's database did not close: {error}");
                shared.log(LogLevel::Error, &message, None);
            }
            shared.objects.closed(&object);
        });
    }
}

/// Calls one of the runtime's functions with an event and the object that it is of.
fn call_numbered<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    function: &v8::Global<v8::Function>,
    id: EventId,
    object: &Object,
) -> Option<v8::Local<'a, v8::Value>> {
    let function = v8::Local::new(scope, function);
    let receiver = v8::undefined(scope).into();
    let arguments = [
        v8::Integer::new_from_unsigned(scope, id).into(),
        v8::Integer::new_from_unsigned(scope, object.number).into(),
    ];
    function.call(scope, receiver, &arguments)
}
