//! The host's side of the runtime's scripts, an API a file, as in `js/`.

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use deno_core::error::JsError;
use deno_core::{OpState, v8};

use crate::capability::Grants;
use crate::dynamic::Loaders;
use crate::error::ScriptError;
use crate::event::{Event, EventId, Events};
use crate::host::{Host, LogLevel, LogRecord};
use crate::inspector::ErrorConsole;
use crate::object::{Objects, Sockets};
use crate::trace::TailQueues;
use crate::watchdog::Signals;
use crate::worker::Worker;

pub(crate) mod binding;
pub(crate) mod body;
pub(crate) mod body_head;
pub(crate) mod cache;
pub(crate) mod clock;
pub(crate) mod compatibility;
pub(crate) mod connect;
pub(crate) mod console;
pub(crate) mod crypto;
pub(crate) mod delivery;
pub(crate) mod event;
pub(crate) mod facet;
pub(crate) mod fetch;
pub(crate) mod form_data;
pub(crate) mod html_rewriter;
pub(crate) mod kept_value;
pub(crate) mod module;
pub(crate) mod node;
pub(crate) mod object;
pub(crate) mod object_socket;
pub(crate) mod object_sql;
pub(crate) mod parcel;
pub(crate) mod restored;
pub(crate) mod rpc;
pub(crate) mod service;
pub(crate) mod test_module;
pub(crate) mod trace;
pub(crate) mod url;
pub(crate) mod web_socket;
pub(crate) mod work;
pub(crate) mod worker_loader;

/// The first part of an event's handler, which runs alone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Beginning {
    #[default]
    Over,
    Runs,
    /// Its script is being stopped, for it has ended the event.
    Stopped,
}

/// What an isolate's ops share with the isolate; lies in its `OpState`.
pub(crate) struct Shared {
    pub(crate) events: Events,
    pub(crate) objects: Objects,
    /// Sessions of the isolate with itself that have not begun (`RpcEnd::beginning`).
    beginning_within: RefCell<Vec<Weak<()>>>,
    /// What the script holds of other workers.
    pub(crate) grants: Rc<Grants>,
    pub(crate) loaders: Loaders,
    /// The lane's.
    pub(crate) sockets: Rc<Sockets>,
    pub(crate) host: Rc<dyn Host>,
    /// Set when the isolate starts; a ready isolate has none yet.
    worker: RefCell<Option<Arc<Worker>>>,
    /// Whether the turn runs the first part of an event's handler, and nothing else; and
    /// whether that was stopped.
    pub(crate) beginning: Cell<Beginning>,
    /// Events whose body the host is done with, to be told to the script.
    pub(crate) finished_bodies: RefCell<Vec<EventId>>,
    /// Events that nobody waits for any more, to be told to the script.
    pub(crate) abandoned: RefCell<Vec<EventId>>,
    /// Events that were stopped over their CPU limit, to be told to the script.
    pub(crate) stopped: RefCell<Vec<EventId>>,
    /// Whose work the running turn is.
    pub(crate) work: work::Work,
    /// Traced events that have ended in this turn.
    pub(crate) traced: RefCell<Vec<Rc<Event>>>,
    pub(crate) tails: TailQueues,
    logged: LogQuota,
    /// The limit, in bytes, that the isolate's memory is over: its turn is being
    /// stopped for it.
    pub(crate) memory_over: Cell<Option<usize>>,
    pub(crate) signals: Arc<Signals>,
    /// The script asked for its isolate's end, and why.
    pub(crate) aborted: RefCell<Option<String>>,
    pub(crate) clock: clock::Clock,
    /// Where debuggers hear of errors, in an isolate that can be inspected.
    pub(crate) debugger: OnceCell<ErrorConsole>,
}

impl Shared {
    pub(crate) fn new(host: Rc<dyn Host>, sockets: Rc<Sockets>) -> Rc<Self> {
        Rc::new(Self {
            events: Events::default(),
            objects: Objects::default(),
            beginning_within: RefCell::default(),
            grants: Rc::default(),
            loaders: Loaders::default(),
            sockets,
            host,
            worker: RefCell::new(None),
            beginning: Cell::default(),
            finished_bodies: RefCell::default(),
            abandoned: RefCell::default(),
            stopped: RefCell::default(),
            work: work::Work::default(),
            traced: RefCell::default(),
            tails: TailQueues::default(),
            memory_over: Cell::new(None),
            signals: Arc::default(),
            aborted: RefCell::default(),
            logged: LogQuota::default(),
            clock: clock::Clock::default(),
            debugger: OnceCell::new(),
        })
    }

    /// The isolate's own, from an op's state.
    pub(crate) fn of(state: &RefCell<OpState>) -> Rc<Self> {
        state.borrow().borrow::<Rc<Self>>().clone()
    }

    /// What a session of the isolate with itself holds until it begins.
    pub(crate) fn beginning_within(&self) -> Arc<()> {
        let token = Arc::default();
        let mut beginning = self.beginning_within.borrow_mut();
        beginning.retain(|token| token.strong_count() > 0);
        beginning.push(Arc::downgrade(&token));
        token
    }

    /// Whether a session of the isolate with itself is still to begin.
    pub(crate) fn begins_within(&self) -> bool {
        let beginning = self.beginning_within.borrow();
        beginning.iter().any(|token| token.strong_count() > 0)
    }

    pub(crate) fn attach(&self, worker: Arc<Worker>) {
        self.clock.attach(worker.clock);
        *self.worker.borrow_mut() = Some(worker);
    }

    /// Logs an error that a script threw and did not catch in the event with this
    /// number.
    pub(crate) fn uncaught<'a>(
        &self,
        scope: &mut v8::PinScope<'a, '_>,
        id: EventId,
        error: v8::Local<'a, v8::Value>,
    ) -> ScriptError {
        if let Some(debugger) = self.debugger.get() {
            debugger.show(scope, error);
        }
        let js = JsError::from_v8_exception(scope, error);
        let error = ScriptError::from_js(&js);
        self.log(LogLevel::Error, &format!("Uncaught {error}"), Some(&error));
        self.trace_exception(id, &js, &error);
        error
    }

    pub(crate) fn worker(&self) -> Option<Arc<Worker>> {
        self.worker.borrow().clone()
    }

    /// Logs a line, unless the isolate logged too much already.
    pub(crate) fn log(&self, level: LogLevel, message: &str, error: Option<&ScriptError>) {
        let message = cut(message);
        match self.logged.take(message.len()) {
            Quota::Granted => self.write(level, message, error),
            Quota::GrantedAfter { dropped } => {
                let note = format!("{dropped} log lines over {LOG_BYTES} bytes a second dropped");
                self.write(LogLevel::Warn, &note, None);
                self.write(level, message, error);
            }
            Quota::Refused => {}
        }
    }

    fn write(&self, level: LogLevel, message: &str, error: Option<&ScriptError>) {
        let worker = self.worker.borrow();
        self.host.log(LogRecord {
            worker: worker.as_ref().map_or("", |worker| worker.name()),
            level,
            message,
            error,
        });
    }
}

/// Bytes of log that an isolate may write a second: more than anybody reads, and
/// little enough that a loop cannot fill a disk.
const LOG_BYTES: usize = 256 << 10;
/// The longest line; the rest is cut.
const LOG_LINE: usize = 64 << 10;

fn cut(message: &str) -> &str {
    if message.len() <= LOG_LINE {
        return message;
    }
    let mut end = LOG_LINE;
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    &message[..end]
}

/// What an isolate logged in the current second.
#[derive(Default)]
struct LogQuota {
    since: Cell<Option<Instant>>,
    used: Cell<usize>,
    dropped: Cell<usize>,
}

enum Quota {
    Granted,
    /// A new second after one in which lines were dropped.
    GrantedAfter {
        dropped: usize,
    },
    Refused,
}

impl LogQuota {
    fn take(&self, bytes: usize) -> Quota {
        let now = Instant::now();
        let fresh = self
            .since
            .get()
            .is_none_or(|since| now - since >= Duration::from_secs(1));
        if fresh {
            self.since.set(Some(now));
            self.used.set(0);
        }
        let used = self.used.get() + bytes;
        if used > LOG_BYTES {
            self.dropped.set(self.dropped.get() + 1);
            return Quota::Refused;
        }
        self.used.set(used);
        match self.dropped.take() {
            0 => Quota::Granted,
            dropped => Quota::GrantedAfter { dropped },
        }
    }
}
