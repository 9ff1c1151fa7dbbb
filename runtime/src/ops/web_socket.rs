//! WebSockets as a script holds them: one end of a pair of bounded queues. The
//! other end is another script object, or the host's connection.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use bytes::Bytes;
use deno_core::convert::Uint8Array;
use deno_core::{
    AsyncRefCell, CancelFuture, CancelHandle, JsBuffer, OpState, RcRef, Resource, ResourceId, ToV8,
    op2,
};
use deno_error::JsErrorBox;
use tokio::sync::mpsc;

use super::Shared;
use super::body::{BodyResource, Coding};
use super::event::HeaderList;
use super::fetch::{FORBIDDEN, count_subrequest, header_strings};
use super::service::Route;
use crate::event::EventId;
use crate::host::SocketAnswer;
use crate::object::{HeldSocket, Object, facet_left};

/// Messages a socket may have queued in one direction. Past it `send` throws:
/// the peer does not keep up, and memory is the isolate's.
const QUEUE: usize = 1_024;

/// One message (RFC 6455, 5.6), or the closing handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SocketMessage {
    Text(String),
    Binary(Bytes),
    Close {
        code: u16,
        reason: String,
    },
    /// The connection's last: the other side broke the protocol.
    Failed {
        reason: String,
    },
    /// The connection's last: it ends without a close.
    Lost,
}

/// One end of a socket.
#[derive(Debug)]
pub struct SocketEnd {
    /// What this end sends to the other.
    pub outgoing: mpsc::Sender<SocketMessage>,
    /// What the other end sent.
    pub incoming: mpsc::Receiver<SocketMessage>,
}

impl SocketEnd {
    /// Two ends of one socket.
    pub fn pair() -> (Self, Self) {
        let (left, from_left) = mpsc::channel(QUEUE);
        let (right, from_right) = mpsc::channel(QUEUE);
        (
            Self {
                outgoing: left,
                incoming: from_right,
            },
            Self {
                outgoing: right,
                incoming: from_left,
            },
        )
    }
}

/// An end in an isolate's resource table.
pub(crate) struct SocketResource {
    outgoing: RefCell<Option<mpsc::Sender<SocketMessage>>>,
    incoming: AsyncRefCell<mpsc::Receiver<SocketMessage>>,
    /// Where an object sends: what waits for its output gate.
    outbox: RefCell<Option<Rc<Outbox>>>,
    /// The host's part of a socket that its object may leave.
    held: Option<Rc<HeldSocket>>,
    cancel: CancelHandle,
}

impl Resource for SocketResource {
    fn name(&self) -> Cow<'_, str> {
        "webSocket".into()
    }

    fn close(self: Rc<Self>) {
        self.cancel.cancel();
        if self.held.is_some() {
            return;
        }
        let outbox = self.outbox.borrow();
        let fault = outbox.as_ref().and_then(|outbox| outbox.object.fault());
        if fault.is_some_and(|fault| !facet_left(&fault))
            && let Some(outgoing) = &*self.outgoing.borrow()
        {
            // Its object ended before its time, and says no word.
            let _ = outgoing.try_send(SocketMessage::Lost);
        }
    }
}

impl SocketResource {
    fn new(end: SocketEnd) -> Self {
        Self {
            outgoing: RefCell::new(Some(end.outgoing)),
            incoming: AsyncRefCell::new(end.incoming),
            outbox: RefCell::new(None),
            held: None,
            cancel: CancelHandle::new(),
        }
    }

    /// An object's way to send to a socket that the host holds.
    pub(crate) fn held(held: Rc<HeldSocket>, object: Rc<Object>) -> Self {
        let (_, nothing) = mpsc::channel(1);
        Self {
            outgoing: RefCell::new(Some(held.outgoing.clone())),
            incoming: AsyncRefCell::new(nothing),
            outbox: RefCell::new(Some(Outbox::new(object))),
            held: Some(held),
            cancel: CancelHandle::new(),
        }
    }

    /// Takes an end out of the isolate, to give it to the host.
    pub(crate) fn take_end(state: &mut OpState, rid: ResourceId) -> Result<SocketEnd, JsErrorBox> {
        let used = || JsErrorBox::type_error("This WebSocket was used already.");
        let resource = state.resource_table.take::<Self>(rid).map_err(|_| used())?;
        let this = Rc::try_unwrap(resource).map_err(|_| used())?;
        Ok(SocketEnd {
            outgoing: this.outgoing.into_inner().ok_or_else(used)?,
            incoming: this.incoming.into_inner(),
        })
    }
}

/// Messages of an object that wait until what it wrote before them is durable.
struct Outbox {
    object: Rc<Object>,
    waiting: RefCell<VecDeque<SocketMessage>>,
    /// A task sends them.
    flushing: Cell<bool>,
}

impl Outbox {
    fn new(object: Rc<Object>) -> Rc<Self> {
        Rc::new(Self {
            object,
            waiting: RefCell::default(),
            flushing: Cell::new(false),
        })
    }

    /// Keeps a message back, where it must wait; gives it back otherwise.
    fn keep(
        self: &Rc<Self>,
        message: SocketMessage,
        outgoing: &mpsc::Sender<SocketMessage>,
    ) -> Result<Option<SocketMessage>, JsErrorBox> {
        let mut waiting = self.waiting.borrow_mut();
        if waiting.is_empty() && !self.object.is_at_stake() {
            return Ok(Some(message));
        }
        if waiting.len() >= QUEUE {
            return Err(queue_full());
        }
        waiting.push_back(message);
        if !self.flushing.replace(true) {
            let (outbox, outgoing) = (self.clone(), outgoing.clone());
            deno_core::unsync::spawn(async move { outbox.flush(&outgoing).await });
        }
        Ok(None)
    }

    async fn flush(&self, outgoing: &mpsc::Sender<SocketMessage>) {
        loop {
            // Those sent later may have later writes before them.
            let ready = self.waiting.borrow().len();
            if ready == 0 {
                break;
            }
            if self.object.durable().await.is_err() {
                // Nobody is to hear of writes that were lost.
                self.waiting.borrow_mut().clear();
                break;
            }
            for _ in 0..ready {
                let message = self.waiting.borrow_mut().pop_front();
                let Some(message) = message else { break };
                // A peer that is gone is told by the close event.
                let _ = outgoing.send(message).await;
            }
        }
        self.flushing.set(false);
    }
}

fn queue_full() -> JsErrorBox {
    JsErrorBox::generic(format!(
        "WebSocket send queue is full ({QUEUE} messages): the peer does not keep up."
    ))
}

/// A message as the script takes it; `kind` 0 text, 1 binary, 2 close.
#[derive(ToV8)]
pub(crate) struct ScriptMessage {
    kind: u32,
    text: String,
    data: Option<Uint8Array>,
    code: u32,
}

/// A server's answer to a handshake, as the script takes it.
#[derive(ToV8)]
pub(crate) struct ConnectAnswer {
    /// The socket's resource id, or -1 where the server refused it.
    socket: i32,
    status: u32,
    headers: Vec<String>,
    /// The body of a refusal, or -1.
    body: i32,
}

/// Opens a socket to a server, as a subrequest of `event`.
#[op2]
pub(crate) async fn op_socket_connect(
    state: Rc<RefCell<OpState>>,
    #[smi] event: EventId,
    #[smi] service: i32,
    #[string] url: String,
    #[scoped] headers: HeaderList,
    #[string] object: Option<String>,
) -> Result<ConnectAnswer, JsErrorBox> {
    let shared = Shared::of(&state);
    count_subrequest(&shared, event)?;
    let mut request = http::Request::new(());
    *request.uri_mut() = url
        .parse()
        .map_err(|_| JsErrorBox::type_error(format!("Invalid URL: {url}")))?;
    *request.headers_mut() = headers.0;
    for name in FORBIDDEN {
        request.headers_mut().remove(name);
    }
    let route = Route::find(&shared, event, service, object.as_deref())?;
    let answer = route.web_socket(request).await?;
    let mut state = state.borrow_mut();
    Ok(match answer {
        SocketAnswer::Open(headers, end) => ConnectAnswer {
            socket: state.resource_table.add(SocketResource::new(end)) as i32,
            status: 101,
            headers: header_strings(&headers),
            body: -1,
        },
        SocketAnswer::Refused(response) => {
            let limit = shared.worker().map_or(0, |worker| worker.limits.body);
            let (head, body) = response.into_parts();
            let body = BodyResource::new(body, Coding::Identity, limit);
            ConnectAnswer {
                socket: -1,
                status: head.status.as_u16().into(),
                headers: header_strings(&head.headers),
                body: state.resource_table.add(body) as i32,
            }
        }
    })
}

/// A socket is in the hands of `event`: where that is an object's, what is sent waits
/// for the object's writes, and the socket ends with the object.
#[op2(fast)]
pub(crate) fn op_socket_owned(state: &mut OpState, #[smi] rid: ResourceId, #[smi] event: EventId) {
    let event = state.borrow::<Rc<Shared>>().events.get(event);
    let Some(event) = event else { return };
    let socket = state.resource_table.get::<SocketResource>(rid);
    if let (Some(object), Ok(socket)) = (event.object.clone(), socket) {
        *socket.outbox.borrow_mut() = Some(Outbox::new(object));
        event.own(rid);
    }
}

/// The resource ids of the two ends of a new pair.
#[op2]
pub(crate) fn op_socket_pair(state: &mut OpState) -> Vec<u32> {
    let (left, right) = SocketEnd::pair();
    let table = &mut state.resource_table;
    vec![
        table.add(SocketResource::new(left)),
        table.add(SocketResource::new(right)),
    ]
}

#[op2]
pub(crate) async fn op_socket_next(
    state: Rc<RefCell<OpState>>,
    #[smi] rid: ResourceId,
) -> Result<Option<ScriptMessage>, JsErrorBox> {
    let socket = state
        .borrow()
        .resource_table
        .get::<SocketResource>(rid)
        .map_err(JsErrorBox::from_err)?;
    let cancel = RcRef::map(&socket, |socket| &socket.cancel);
    let mut incoming = RcRef::map(&socket, |socket| &socket.incoming)
        .borrow_mut()
        .await;
    let message = incoming.recv().or_cancel(cancel).await.ok().flatten();
    let outbox = socket.outbox.borrow().clone();
    if let Some(outbox) = outbox {
        outbox.object.resumed().await;
    }
    Ok(message.and_then(|message| match message {
        SocketMessage::Lost => None,
        SocketMessage::Text(text) => Some(ScriptMessage {
            kind: 0,
            text,
            data: None,
            code: 0,
        }),
        SocketMessage::Binary(data) => Some(ScriptMessage {
            kind: 1,
            text: String::new(),
            data: Some(Vec::from(data).into()),
            code: 0,
        }),
        SocketMessage::Close { code, reason } => Some(ScriptMessage {
            kind: 2,
            text: reason,
            data: None,
            code: code.into(),
        }),
        SocketMessage::Failed { reason } => Some(ScriptMessage {
            kind: 3,
            text: reason,
            data: None,
            code: 0,
        }),
    }))
}

fn send(state: &OpState, rid: ResourceId, message: SocketMessage) -> Result<(), JsErrorBox> {
    let socket = state
        .resource_table
        .get::<SocketResource>(rid)
        .map_err(JsErrorBox::from_err)?;
    let outgoing = socket.outgoing.borrow();
    let Some(outgoing) = outgoing.as_ref() else {
        return Ok(());
    };
    let outbox = socket.outbox.borrow().clone();
    let message = match outbox {
        Some(outbox) => match outbox.keep(message, outgoing)? {
            Some(message) => message,
            None => return Ok(()),
        },
        None => message,
    };
    match outgoing.try_send(message) {
        // A peer that is gone is told by the close event, not by `send`.
        Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => Ok(()),
        Err(mpsc::error::TrySendError::Full(_)) => Err(queue_full()),
    }
}

#[op2(fast)]
pub(crate) fn op_socket_send_text(
    state: &mut OpState,
    #[smi] rid: ResourceId,
    #[string] text: String,
) -> Result<(), JsErrorBox> {
    send(state, rid, SocketMessage::Text(text))
}

#[op2]
pub(crate) fn op_socket_send_bytes(
    state: &mut OpState,
    #[smi] rid: ResourceId,
    #[buffer] data: JsBuffer,
) -> Result<(), JsErrorBox> {
    send(state, rid, SocketMessage::Binary(data.to_vec().into()))
}

/// Nothing more is sent to a socket, or heard of it.
#[op2(fast)]
pub(crate) fn op_socket_end(state: &mut OpState, #[smi] rid: ResourceId) {
    let Ok(socket) = state.resource_table.take::<SocketResource>(rid) else {
        return;
    };
    let outbox = socket.outbox.borrow().clone();
    if let Some(outbox) = outbox {
        let events = &state.borrow::<Rc<Shared>>().events;
        if let Some(life) = events.get(outbox.object.life.get()) {
            life.disown(rid);
        }
    }
    socket.close();
}

/// Sends the close message and lets the queue run dry.
#[op2(fast)]
pub(crate) fn op_socket_close(
    state: &mut OpState,
    #[smi] rid: ResourceId,
    #[smi] code: u32,
    #[string] reason: String,
) -> Result<(), JsErrorBox> {
    let code = u16::try_from(code).unwrap_or(1_005);
    send(state, rid, SocketMessage::Close { code, reason })?;
    if let Ok(socket) = state.resource_table.get::<SocketResource>(rid) {
        if let Some(held) = &socket.held {
            held.closed.set(true);
        }
        socket.outgoing.borrow_mut().take();
    }
    Ok(())
}
