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
    target: Arc<ObjectTarget>,
    residence: Residence,
    open: RefCell<BTreeMap<u32, Rc<HeldSocket>>>,
    last: Cell<u32>,
    /// A message that is answered without the object, and the answer.
    answer: RefCell<Option<(String, String)>>,
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
}

/// An object has more sockets than it may.
#[derive(Debug, thiserror::Error)]
#[error("a Durable Object may hold {MOST} hibernating WebSockets")]
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
                last: Cell::new(0),
                answer: RefCell::default(),
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
            .retain(|_, sockets| !sockets.open.borrow().is_empty() || sockets.is_set());
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
        self.open.borrow().get(&number).cloned()
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

    fn is_set(&self) -> bool {
        self.answer.borrow().is_some()
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
        // One that does not take the answer gets the next.
        let _ = socket
            .outgoing
            .try_send(SocketMessage::Text(response.clone()));
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
        let event = match message {
            Some(SocketMessage::Close { code, reason }) => SocketEvent::Closed {
                code,
                reason,
                clean: true,
            },
            Some(message) if sockets.answer_to(&socket, &message) => continue,
            None | Some(SocketMessage::Failed { .. }) => SocketEvent::Closed {
                code: 1006,
                reason: String::new(),
                clean: false,
            },
            Some(message) => SocketEvent::Message(message),
        };
        let Some(lane) = lane.upgrade() else { return };
        let close = match &event {
            SocketEvent::Message(_) => None,
            SocketEvent::Closed { code, reason, .. } => Some((*code, reason.clone())),
        };
        let event = Rc::new(event);
        let begun = loop {
            let begun = lane
                .clone()
                .socket_event(
                    &sockets.target,
                    sockets.residence,
                    socket.number,
                    event.clone(),
                )
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
        if let Ok(ending) = begun {
            ending.await;
        }
        sockets.open.borrow_mut().remove(&socket.number);
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
