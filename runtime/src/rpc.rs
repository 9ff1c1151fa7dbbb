//! Sessions of calls between two isolates: messages both ways, in order. What they
//! say is the scripts' matter (`js/rpc_session.js`); here they are bytes, so that a
//! session can run within a lane, between lanes, and over a connection.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::task::AtomicWaker;
use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::capability::{Capability, Way};
use crate::host::HostStream;
use crate::lane::bell::{self, Bell};
use crate::trace::Tailed;

/// What may wait for a side that does not read: past it the other cannot send.
const WAITING_BYTES: usize = 64 << 20;
const WAITING_MESSAGES: usize = 64 << 10;

/// What one side tells the other.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Message {
    /// A value, as V8 serialises it.
    pub(crate) bytes: Vec<u8>,
    /// The contents of its large buffers, which V8 need not copy twice.
    pub(crate) buffers: Vec<Vec<u8>>,
    /// What in it outlives the session.
    pub(crate) capabilities: Vec<Capability>,
}

impl Message {
    pub(crate) fn len(&self) -> usize {
        self.bytes.len() + self.buffers.iter().map(Vec::len).sum::<usize>()
    }
}

/// One side's end of a session. Dropping it ends the session for the other side.
pub struct RpcEnd {
    incoming: Arc<Queue>,
    outgoing: Arc<Queue>,
    /// The side that called: the other's end alone does not end it, since whoever
    /// served it knows how it ended ([`RpcOutcome`]).
    caller: bool,
    /// What the session is for, where that is not calls.
    other: Option<Other>,
    /// Of who is called: how many workers called one another before.
    pub(crate) depth: u32,
    /// Of who is called: what is to be made before the session is with anything.
    pub(crate) way: Option<Box<Way>>,
    /// Of a session of an isolate with itself: held until it has begun there.
    pub(crate) beginning: Option<Arc<()>>,
}

/// What a session can be for besides calls.
enum Other {
    Connection(Box<Connection>),
    Tailed(Box<Tailed>),
}

/// A connection that a worker's `connect` handler is to take.
pub(crate) struct Connection {
    /// What was connected to, as the other side said it.
    pub(crate) authority: String,
    pub(crate) stream: Box<dyn HostStream>,
    /// Told when the handler has it; dropped otherwise.
    pub(crate) taken: oneshot::Sender<()>,
}

/// Tells the caller how its session ended.
pub(crate) struct RpcOutcome(Arc<Queue>);

/// Why a session ended, as the caller's script is to see it.
#[derive(Debug, Clone)]
pub(crate) struct RpcFault {
    /// The error's class, as deno_error has it.
    pub(crate) class: String,
    pub(crate) message: String,
}

/// The other side has too much unread.
#[derive(Debug, thiserror::Error)]
#[error(
    "The other side of this RPC session does not read: {WAITING_BYTES} bytes or \
     {WAITING_MESSAGES} messages wait for it."
)]
pub(crate) struct RpcFull;

#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    waker: AtomicWaker,
}

#[derive(Default)]
struct State {
    messages: VecDeque<Message>,
    bytes: usize,
    /// No more messages come.
    end: Option<Result<(), RpcFault>>,
    /// Of the lane that waits for messages.
    bell: Option<Arc<Bell>>,
}

impl Queue {
    fn end(&self, how: Result<(), RpcFault>) {
        self.state.lock().end.get_or_insert(how);
        self.waker.wake();
    }
}

impl RpcEnd {
    /// The caller's end, what tells it of the session's, and the end of whom it calls.
    pub(crate) fn session() -> (Self, RpcOutcome, Self) {
        let (to_caller, to_called) = (Arc::<Queue>::default(), Arc::<Queue>::default());
        let outcome = RpcOutcome(to_caller.clone());
        let caller = Self {
            incoming: to_caller.clone(),
            outgoing: to_called.clone(),
            caller: true,
            other: None,
            depth: 0,
            way: None,
            beginning: None,
        };
        let called = Self {
            incoming: to_called,
            outgoing: to_caller,
            caller: false,
            other: None,
            depth: 0,
            way: None,
            beginning: None,
        };
        (caller, outcome, called)
    }

    /// The end of whom a stream of bytes is for, to `authority`; what is returned with it
    /// hears when a handler has taken the stream.
    pub fn of_stream(
        authority: String,
        stream: Box<dyn HostStream>,
    ) -> (Self, oneshot::Receiver<()>) {
        let (taken, was_taken) = oneshot::channel();
        let connection = Box::new(Connection {
            authority,
            stream,
            taken,
        });
        (Self::other(Other::Connection(connection)), was_taken)
    }

    /// The end of an object that is told what another worker's events do.
    pub(crate) fn of_tailed(tailed: Tailed) -> Self {
        Self::other(Other::Tailed(Box::new(tailed)))
    }

    fn other(other: Other) -> Self {
        Self {
            incoming: Arc::default(),
            outgoing: Arc::default(),
            caller: false,
            other: Some(other),
            depth: 0,
            way: None,
            beginning: None,
        }
    }

    /// The connection that the session is for.
    pub(crate) fn take_connection(&mut self) -> Option<Box<Connection>> {
        match self.other.take()? {
            Other::Connection(connection) => Some(connection),
            other => {
                self.other = Some(other);
                None
            }
        }
    }

    /// What it is told of other workers' events.
    pub(crate) fn take_tailed(&mut self) -> Option<Box<Tailed>> {
        match self.other.take()? {
            Other::Tailed(tailed) => Some(tailed),
            other => {
                self.other = Some(other);
                None
            }
        }
    }

    /// Whether it is for calls.
    pub(crate) fn is_for_calls(&self) -> bool {
        self.other.is_none()
    }

    /// Two ends in one isolate: each ends the other.
    pub(crate) fn pair() -> (Self, Self) {
        let (caller, _outcome, mut called) = Self::session();
        called.caller = true;
        (caller, called)
    }

    /// Whether the other side is gone, and so nobody waits for what it asked.
    pub(crate) fn is_ended(&self) -> bool {
        self.incoming.state.lock().end.is_some()
    }

    /// Hands a message over; one to a side that has ended is dropped.
    pub(crate) fn send(&self, message: Message) -> Result<(), RpcFull> {
        let mut state = self.outgoing.state.lock();
        if state.end.is_some() {
            return Ok(());
        }
        let bytes = state.bytes + message.len();
        if bytes > WAITING_BYTES || state.messages.len() >= WAITING_MESSAGES {
            return Err(RpcFull);
        }
        state.bytes = bytes;
        state.messages.push_back(message);
        let bell = state.bell.clone();
        drop(state);
        self.outgoing.waker.wake();
        bell::ring_other(bell.as_ref());
        Ok(())
    }

    /// The next message, where one is there.
    pub(crate) fn take(&self) -> Option<Message> {
        let mut state = self.incoming.state.lock();
        let message = state.messages.pop_front()?;
        state.bytes -= message.len();
        Some(message)
    }

    /// Waits for a message (true), or for the end.
    pub(crate) fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<Result<bool, RpcFault>> {
        // Before the look: what comes after it wakes.
        self.incoming.waker.register(cx.waker());
        let mut state = self.incoming.state.lock();
        if state.bell.is_none() {
            state.bell = bell::own();
        }
        if !state.messages.is_empty() {
            return Poll::Ready(Ok(true));
        }
        match &state.end {
            Some(Ok(())) => Poll::Ready(Ok(false)),
            Some(Err(fault)) => Poll::Ready(Err(fault.clone())),
            None => Poll::Pending,
        }
    }

    /// Ends the session, for both sides.
    pub(crate) fn close(&self) {
        self.incoming.end(Ok(()));
        if self.caller {
            self.outgoing.end(Ok(()));
        }
    }
}

impl Drop for RpcEnd {
    fn drop(&mut self) {
        self.close();
    }
}

impl RpcOutcome {
    pub(crate) fn tell(self, how: Result<(), RpcFault>) {
        self.0.end(how);
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    fn message(bytes: Vec<u8>) -> Message {
        Message {
            capabilities: Vec::new(),
            bytes,
            buffers: Vec::new(),
        }
    }

    async fn ready(end: &RpcEnd) -> Result<bool, RpcFault> {
        poll_fn(|cx| end.poll_ready(cx)).await
    }

    #[tokio::test]
    async fn messages_come_in_order_and_before_the_end() {
        let (caller, outcome, called) = RpcEnd::session();
        caller.send(message(vec![1])).unwrap();
        caller.send(message(vec![2])).unwrap();
        assert!(ready(&called).await.unwrap());
        assert_eq!(called.take(), Some(message(vec![1])));
        called.send(message(vec![3])).unwrap();
        outcome.tell(Err(RpcFault {
            class: "Error".into(),
            message: "gone".into(),
        }));
        assert!(ready(&caller).await.unwrap());
        assert_eq!(caller.take(), Some(message(vec![3])));
        assert_eq!(ready(&caller).await.unwrap_err().message, "gone");
        drop(caller);
        assert_eq!(called.take(), Some(message(vec![2])));
        assert!(!ready(&called).await.unwrap());
    }

    #[tokio::test]
    async fn the_called_side_alone_does_not_end_the_callers() {
        let (caller, outcome, called) = RpcEnd::session();
        drop(called);
        assert!(!caller.is_ended());
        outcome.tell(Ok(()));
        assert!(!ready(&caller).await.unwrap());
    }

    #[test]
    fn what_waits_is_bounded() {
        let (caller, _outcome, called) = RpcEnd::session();
        caller.send(message(vec![0; WAITING_BYTES])).unwrap();
        assert!(caller.send(message(vec![0])).is_err());
        assert_eq!(
            called.take().map(|message| message.len()),
            Some(WAITING_BYTES)
        );
        caller.send(message(vec![0])).unwrap();
    }
}
