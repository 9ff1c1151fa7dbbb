//! WebSockets that objects have accepted to hibernate with. They belong to the lane:
//! an object may leave memory while they stay open, and comes back for a message.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::sync::mpsc;

use super::table::{Key, key};
use super::{Object, ObjectTarget, now};
use crate::error::EventError;
use crate::lane::LaneLocal;
use crate::ops::web_socket::{SocketEnd, SocketMessage};

/// As Workers have it: sockets an object may hold.
const MOST: usize = 32_768;
/// Messages of one socket that are handled at once; the others wait in its queue.
const AT_ONCE: usize = 32;
/// RFC 6455, 7.4.1.
const GOING_AWAY: u16 = 1001;
const NO_CLOSE: u16 = 1006;
/// What Workers say of one that ended without a close.
const NO_CLOSE_REASON: &str = "WebSocket disconnected without sending Close frame.";
/// How long a message waits where the worker has all the events it may.
const BUSY: Duration = Duration::from_millis(20);

/// The sockets of a lane's objects.
#[derive(Default)]
pub(crate) struct Sockets {
    lane: Weak<LaneLocal>,
    by_object: RefCell<HashMap<Key, Rc<ObjectSockets>>>,
}

/// The sockets of one object, whether it is in memory or not.
pub(crate) struct ObjectSockets {
    pub(crate) target: Arc<ObjectTarget>,
    pub(crate) residence: Residence,
    open: RefCell<BTreeMap<u32, Rc<HeldSocket>>>,
    /// Those that the other side has closed, while the script has them.
    closing: RefCell<BTreeMap<u32, Weak<HeldSocket>>>,
    last: Cell<u32>,
    /// A message that is answered without the object, and the answer.
    answer: RefCell<Option<(String, String)>>,
    /// How long the object may take for what one of them heard.
    timeout: Cell<Option<Duration>>,
}

/// Whether an object leaves memory while it has sockets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Residence {
    /// It comes back for what they hear.
    Wakes,
    /// It is a facet, which nobody but who has it can begin: its sockets close with it.
    Stays,
}

pub(crate) struct HeldSocket {
    pub(crate) number: u32,
    pub(crate) tags: Vec<String>,
    pub(crate) outgoing: mpsc::Sender<SocketMessage>,
    /// Of `serializeAttachment`.
    pub(crate) attachment: RefCell<Option<Vec<u8>>>,
    /// When a message was last answered without the object, in milliseconds since
    /// 1970.
    pub(crate) answered: Cell<Option<i64>>,
    /// The script sent its close message.
    pub(crate) closed: Cell<bool>,
}

/// What happened to a socket, for its object to hear.
pub(crate) enum SocketEvent {
    Message(SocketMessage),
    Closed {
        code: u16,
        reason: String,
        clean: bool,
    },
    /// The other side broke the protocol.
    Failed {
        reason: String,
    },
}

/// An object has more sockets than it may.
#[derive(Debug, thiserror::Error)]
#[error("only {MOST} websockets can be accepted on a single Durable Object instance")]
pub(crate) struct TooMany;

impl Sockets {
    /// The lane that they are of.
    pub(crate) fn lane(&self) -> Option<Rc<LaneLocal>> {
        self.lane.upgrade()
    }

    pub(crate) fn new(lane: Weak<LaneLocal>) -> Self {
        Self {
            lane,
            by_object: RefCell::default(),
        }
    }

    /// The object's, made where it has none yet.
    pub(crate) fn of(&self, object: &Object) -> Rc<ObjectSockets> {
        let target = &object.target;
        let mut by_object = self.by_object.borrow_mut();
        let sockets = by_object.entry(key(target)).or_insert_with(|| {
            Rc::new(ObjectSockets {
                target: target.clone(),
                residence: match object.facet {
                    Some(_) => Residence::Stays,
                    None => Residence::Wakes,
                },
                open: RefCell::default(),
                closing: RefCell::default(),
                last: Cell::new(0),
                answer: RefCell::default(),
                timeout: Cell::new(None),
            })
        });
        sockets.clone()
    }

    /// Takes a socket from the script; it is read from here on.
    pub(crate) fn accept(
        &self,
        object: &Object,
        end: SocketEnd,
        tags: Vec<String>,
    ) -> Result<Rc<HeldSocket>, TooMany> {
        let sockets = self.of(object);
        if sockets.open.borrow().len() >= MOST {
            return Err(TooMany);
        }
        let number = sockets.last.get() + 1;
        sockets.last.set(number);
        let socket = Rc::new(HeldSocket {
            number,
            tags,
            outgoing: end.outgoing,
            attachment: RefCell::default(),
            answered: Cell::new(None),
            closed: Cell::new(false),
        });
        sockets.open.borrow_mut().insert(number, socket.clone());
        let reading = read(self.lane.clone(), sockets, socket.clone(), end.incoming);
        deno_core::unsync::spawn(reading);
        Ok(socket)
    }

    /// Forgets objects that have no sockets.
    pub(crate) fn tidy(&self) {
        self.by_object
            .borrow_mut()
            .retain(|_, sockets| sockets.is_needed());
    }

    /// Whether an object has any, or an answer for them.
    pub(crate) fn has(&self, target: &ObjectTarget) -> bool {
        let by_object = self.by_object.borrow();
        let sockets = by_object.get(&key(target));
        sockets.is_some_and(|it| !it.open.borrow().is_empty() || it.is_set())
    }

    /// Whether an object has any that are open.
    pub(crate) fn are_open(&self, target: &ObjectTarget) -> bool {
        let by_object = self.by_object.borrow();
        let sockets = by_object.get(&key(target));
        sockets.is_some_and(|it| !it.open.borrow().is_empty())
    }

    /// Closes those of a facet that has left memory.
    pub(crate) fn leave(&self, target: &ObjectTarget) {
        let sockets = self.by_object.borrow_mut().remove(&key(target));
        if let Some(sockets) = sockets {
            sockets.close("the facet has ended");
        }
    }

    /// Cuts those of an object that ended before its time, as Workers do: nobody hears of
    /// it but the other sides.
    pub(crate) fn cut(&self, target: &ObjectTarget) {
        let sockets = self.by_object.borrow_mut().remove(&key(target));
        let Some(sockets) = sockets else { return };
        for socket in std::mem::take(&mut *sockets.open.borrow_mut()).values() {
            socket.closed.set(true);
            // One that takes no message any more ends when nobody sends to it.
            let _ = socket.outgoing.try_send(SocketMessage::Lost);
        }
    }

    /// Closes the sockets of namespaces that are no more.
    pub(crate) fn close(&self, keys: &[String]) {
        let gone = |(key, _): &Key| keys.contains(key);
        let mut by_object = self.by_object.borrow_mut();
        for (_, sockets) in by_object.extract_if(|key, _| gone(key)) {
            sockets.close("the Durable Object's class was deleted");
        }
    }

    pub(crate) fn clear(&self) {
        self.by_object.borrow_mut().clear();
    }
}

impl ObjectSockets {
    fn close(&self, reason: &str) {
        for socket in self.open.borrow().values() {
            socket.closed.set(true);
            // One that takes no message any more is as good as closed.
            let _ = socket.outgoing.try_send(SocketMessage::Close {
                code: GOING_AWAY,
                reason: reason.into(),
            });
        }
    }

    pub(crate) fn get(&self, number: u32) -> Option<Rc<HeldSocket>> {
        let open = self.open.borrow().get(&number).cloned();
        open.or_else(|| self.closing.borrow().get(&number)?.upgrade())
    }

    fn is_open(&self, socket: &HeldSocket) -> bool {
        self.open.borrow().contains_key(&socket.number)
    }

    /// The other side has closed it: it is no more among those that the object has.
    fn remove(&self, socket: &Rc<HeldSocket>) {
        self.open.borrow_mut().remove(&socket.number);
        let mut closing = self.closing.borrow_mut();
        closing.retain(|_, socket| socket.strong_count() > 0);
        closing.insert(socket.number, Rc::downgrade(socket));
    }

    /// Those with a tag, or all, oldest first.
    pub(crate) fn list(&self, tag: Option<&str>) -> Vec<u32> {
        let open = self.open.borrow();
        let tagged = |socket: &&Rc<HeldSocket>| {
            tag.is_none_or(|tag| socket.tags.iter().any(|other| other == tag))
        };
        open.values().filter(tagged).map(|it| it.number).collect()
    }

    pub(crate) fn set_answer(&self, answer: Option<(String, String)>) {
        *self.answer.borrow_mut() = answer;
    }

    pub(crate) fn answer(&self) -> Option<(String, String)> {
        self.answer.borrow().clone()
    }

    pub(crate) fn set_timeout(&self, timeout: Option<Duration>) {
        self.timeout.set(timeout);
    }

    pub(crate) fn timeout(&self) -> Option<Duration> {
        self.timeout.get()
    }

    fn is_needed(&self) -> bool {
        let are_there = || {
            let closing = self.closing.borrow();
            closing.values().any(|socket| socket.strong_count() > 0)
        };
        !self.open.borrow().is_empty() || self.is_set() || are_there()
    }

    fn is_set(&self) -> bool {
        self.answer.borrow().is_some() || self.timeout.get().is_some()
    }

    /// Answers a message without the object, where that is wanted.
    fn answer_to(&self, socket: &HeldSocket, message: &SocketMessage) -> bool {
        let answer = self.answer.borrow();
        let (Some((request, response)), SocketMessage::Text(text)) = (&*answer, message) else {
            return false;
        };
        if request != text {
            return false;
        }
        if !socket.closed.get() {
            // One that does not take the answer gets the next.
            let answer = SocketMessage::Text(response.clone());
            let _ = socket.outgoing.try_send(answer);
        }
        socket.answered.set(Some(now()));
        true
    }
}

/// Hands what a socket hears to its object, in order, until it ends.
async fn read(
    lane: Weak<LaneLocal>,
    sockets: Rc<ObjectSockets>,
    socket: Rc<HeldSocket>,
    mut incoming: mpsc::Receiver<SocketMessage>,
) {
    let mut handled = FuturesUnordered::new();
    loop {
        let message = tokio::select! {
            Some(()) = handled.next() => continue,
            message = incoming.recv(), if handled.len() < AT_ONCE => message,
        };
        if !sockets.is_open(&socket) {
            return;
        }
        let event = match message {
            Some(SocketMessage::Close { code, reason }) => SocketEvent::Closed {
                code,
                reason,
                clean: true,
            },
            Some(message) if sockets.answer_to(&socket, &message) => continue,
            None | Some(SocketMessage::Lost) => SocketEvent::Closed {
                code: NO_CLOSE,
                reason: NO_CLOSE_REASON.into(),
                clean: false,
            },
            Some(SocketMessage::Failed { reason }) => SocketEvent::Failed { reason },
            Some(message) => SocketEvent::Message(message),
        };
        let Some(lane) = lane.upgrade() else { return };
        let close = match &event {
            SocketEvent::Message(_) => None,
            SocketEvent::Closed { code, reason, .. } => Some((*code, reason.clone())),
            // The connection has ended.
            SocketEvent::Failed { .. } => Some((NO_CLOSE, String::new())),
        };
        let event = Rc::new(event);
        let begun = loop {
            let begun = lane
                .clone()
                .socket_event(&sockets, socket.number, event.clone())
                .await;
            match begun {
                Err(EventError::Overloaded { .. }) => tokio::time::sleep(BUSY).await,
                other => break other,
            }
        };
        let Some((code, reason)) = close else {
            if let Ok(ending) = begun {
                handled.push(ending);
            }
            continue;
        };
        sockets.remove(&socket);
        if let Ok(ending) = begun {
            ending.await;
        }
        // The closing handshake, where the script did not see to it.
        if !socket.closed.get() {
            let _ = socket
                .outgoing
                .send(SocketMessage::Close { code, reason })
                .await;
        }
        return;
    }
}
