//! The host's side of the runtime's scripts, an API a file, as in `js/`.

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use deno_core::error::JsError;
use deno_core::v8;

use crate::error::ScriptError;
use crate::event::{EventId, Events};
use crate::host::{Host, LogLevel, LogRecord};
use crate::inspector::ErrorConsole;
use crate::worker::Worker;

pub(crate) mod body;
pub(crate) mod console;
pub(crate) mod crypto;
pub(crate) mod event;
pub(crate) mod fetch;
pub(crate) mod form_data;
pub(crate) mod module;
pub(crate) mod url;
pub(crate) mod web_socket;

/// What an isolate's ops share with the isolate; lies in its `OpState`.
pub(crate) struct Shared {
    pub(crate) events: Events,
    pub(crate) host: Rc<dyn Host>,
    /// Set when the isolate starts; a ready isolate has none yet.
    worker: RefCell<Option<Arc<Worker>>>,
    /// Events whose body the host is done with, to be told to the script.
    pub(crate) finished_bodies: RefCell<Vec<EventId>>,
    /// Events that nobody waits for any more, to be told to the script.
    pub(crate) abandoned: RefCell<Vec<EventId>>,
    /// The heap reached its limit: the turn is being stopped for it.
    pub(crate) heap_full: Cell<bool>,
    /// Where debuggers hear of errors, in an isolate that can be inspected.
    pub(crate) debugger: OnceCell<ErrorConsole>,
}

impl Shared {
    pub(crate) fn new(host: Rc<dyn Host>) -> Rc<Self> {
        Rc::new(Self {
            events: Events::default(),
            host,
            worker: RefCell::new(None),
            finished_bodies: RefCell::default(),
            abandoned: RefCell::default(),
            heap_full: Cell::new(false),
            debugger: OnceCell::new(),
        })
    }

    pub(crate) fn attach(&self, worker: Arc<Worker>) {
        *self.worker.borrow_mut() = Some(worker);
    }

    /// Logs an error that a script threw and did not catch.
    pub(crate) fn uncaught<'a>(
        &self,
        scope: &mut v8::PinScope<'a, '_>,
        error: v8::Local<'a, v8::Value>,
    ) -> ScriptError {
        if let Some(debugger) = self.debugger.get() {
            debugger.show(scope, error);
        }
        let error = ScriptError::from_js(&JsError::from_v8_exception(scope, error));
        self.log(LogLevel::Error, &format!("Uncaught {error}"), Some(&error));
        error
    }

    pub(crate) fn worker(&self) -> Option<Arc<Worker>> {
        self.worker.borrow().clone()
    }

    pub(crate) fn log(&self, level: LogLevel, message: &str, error: Option<&ScriptError>) {
        let worker = self.worker.borrow();
        self.host.log(LogRecord {
            worker: worker.as_ref().map_or("", |worker| worker.name()),
            level,
            message,
            error,
        });
    }
}
