//! What a worker's event did, for the workers that want to know (`tails`). An event
//! of a worker that nobody tails has no [`Tracer`], and costs what it did without.

mod info;
mod queue;
mod redact;
mod stream;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use deno_core::error::JsError;
use serde::Serialize;

pub(crate) use self::info::{EventInfo, SocketInfo};
pub(crate) use self::queue::TailQueues;
use self::stream::TailFeed;
pub(crate) use self::stream::{Span, SpanException, Stream};
use crate::binding::ServiceTarget;
use crate::entrypoint::Handler;
use crate::error::{EventError, ScriptError};
use crate::event::{Event, Outcome};
use crate::object::ObjectTarget;
use crate::ops::Shared;
use crate::worker::Worker;

/// What of one event is kept for its tail workers, as Workers have it: logs,
/// exceptions and the request's headers. Past it the trace says that it is cut.
const MOST_BYTES: usize = 256 << 10;

/// What a log, an exception or a message costs besides its texts.
const EACH: usize = 64;

/// How long a chain of tail workers that tail one another may get.
const LONGEST_CHAIN: u8 = 4;

const LOGS_FULL: &str = "[\"Log size limit exceeded: More than 256KB of data (across \
    console.log statements, exception, request metadata and headers) was logged during \
    a single request. Subsequent data for this request will not be recorded in logs, \
    appear when tailing this Worker's logs, or in Tail Workers.\"]";
const EXCEPTIONS_FULL: &str = "Trace resource limit exceeded; subsequent exceptions not recorded.";
const INFO_FULL: &str = "[\"Trace resource limit exceeded; could not capture event info.\"]";

/// The workers that hear what a worker's events do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tails {
    /// What the worker is called there; None: nothing.
    pub script: Option<String>,
    /// Their `tail()` is called after an event.
    pub after: Vec<TailTarget>,
    /// Their `tailStream()` is called as an event begins, and what it gives as it goes on.
    pub during: Vec<TailTarget>,
}

/// Who is told of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TailTarget {
    Service(Arc<ServiceTarget>),
    /// What a script that loads a worker names for it.
    Object(Arc<ObjectTarget>),
}

impl TailTarget {
    /// The worker that it is, or whose object.
    pub(crate) fn service(&self) -> &str {
        match self {
            Self::Service(target) => &target.service,
            Self::Object(target) => &target.namespace.service,
        }
    }
}

/// What a tail worker is called for.
pub struct Tailed {
    /// None while it is read.
    pub(crate) what: Option<TailedWhat>,
    /// How many tail workers were called one for the other, this one included.
    pub(crate) chain: u8,
    /// Whose event it was.
    pub(crate) of: String,
    /// What that worker is called there.
    pub(crate) script: Option<String>,
}

impl Tailed {
    pub(crate) fn handler(&self) -> Handler {
        match self.what {
            Some(TailedWhat::Ended(_)) => Handler::Tail,
            _ => Handler::TailStream,
        }
    }

    pub(crate) fn info(&self) -> EventInfo {
        let count = match &self.what {
            Some(TailedWhat::Ended(traces)) => traces.len(),
            _ => 0,
        };
        EventInfo::Trace {
            traces: vec![self.script.clone(); count],
        }
    }
}

pub(crate) enum TailedWhat {
    /// Traces of events that have ended, as JSON each.
    Ended(Vec<Arc<str>>),
    /// What an event does, while it does it.
    Stream(TailFeed),
}

/// Notes what one event does.
pub(crate) struct Tracer {
    trace: RefCell<Trace>,
    used: Cell<usize>,
    full: Cell<Full>,
    begun: Instant,
    /// Who is called when it has ended.
    after: Vec<TailTarget>,
    chain: u8,
    ended: Cell<bool>,
    stream: Option<Stream>,
}

/// Of what no more is kept.
#[derive(Clone, Copy, Default)]
struct Full {
    logs: bool,
    exceptions: bool,
    messages: bool,
}

/// One event, as `tail()` gets it (js/tails.js).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Trace {
    script_name: Option<String>,
    entrypoint: Option<String>,
    durable_object_id: Option<String>,
    execution_model: &'static str,
    event: EventInfo,
    /// Where it differs from the one of `event`.
    redacted_url: Option<String>,
    rpc_method: Option<String>,
    response: Option<u16>,
    event_timestamp: f64,
    logs: Vec<Log>,
    exceptions: Vec<Exception>,
    messages: Vec<Message>,
    outcome: &'static str,
    cpu_time: f64,
    wall_time: f64,
    truncated: bool,
}

/// What was written to the console.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Log {
    timestamp: f64,
    level: &'static str,
    /// A JSON array of what was given.
    message: String,
    /// A JSON array of what of it are errors.
    error_info: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
struct Exception {
    timestamp: f64,
    name: String,
    message: String,
    stack: Option<String>,
}

/// What was published on a channel of `node:diagnostics_channel`.
#[derive(Debug, Clone, Serialize)]
struct Message {
    timestamp: f64,
    channel: String,
    /// V8's serialised form, as base64.
    message: String,
}

impl Tracer {
    /// None where nobody is to be told.
    fn begin(
        shared: &Rc<Shared>,
        worker: &Worker,
        tails: &Tails,
        entrypoint: Option<&str>,
        event: &Event,
        info: EventInfo,
    ) -> Option<Self> {
        let (chain, is_own) = match &*event.tailed.borrow() {
            Some(tailed) => (tailed.chain, tailed.of == worker.name),
            None => (0, false),
        };
        if chain >= LONGEST_CHAIN {
            return None;
        }
        // A worker that tails itself does not hear of that.
        let hears = |target: &&TailTarget| !is_own || target.service() != worker.name;
        let after: Vec<_> = tails.after.iter().filter(hears).cloned().collect();
        let during: Vec<_> = tails.during.iter().filter(hears).cloned().collect();
        if after.is_empty() && during.is_empty() {
            return None;
        }
        let size = info.size();
        let timestamp = shared.clock.now();
        let mut trace = Trace {
            script_name: tails.script.clone(),
            entrypoint: entrypoint.map(str::to_string),
            durable_object_id: None,
            execution_model: "stateless",
            redacted_url: info.url().and_then(redact::redacted),
            event: info,
            rpc_method: None,
            response: None,
            event_timestamp: timestamp,
            logs: Vec::new(),
            exceptions: Vec::new(),
            messages: Vec::new(),
            outcome: "ok",
            cpu_time: 0.0,
            wall_time: 0.0,
            truncated: false,
        };
        if let Some(object) = &event.object {
            trace.durable_object_id = Some(object.target.id.to_string());
            trace.execution_model = "durableObject";
            trace.entrypoint = Some(object.target.namespace.class.clone());
        }
        let used = if size > MOST_BYTES {
            trace.event.cut();
            trace.redacted_url = None;
            trace.truncated = true;
            trace.logs.push(Log {
                timestamp,
                level: "warn",
                message: INFO_FULL.into(),
                error_info: None,
            });
            0
        } else {
            size
        };
        let stream =
            (!during.is_empty()).then(|| Stream::begin(shared, worker, &during, chain, &trace));
        Some(Self {
            trace: RefCell::new(trace),
            used: Cell::new(used),
            full: Cell::default(),
            begun: Instant::now(),
            after,
            chain,
            ended: Cell::new(false),
            stream,
        })
    }

    /// Whether as many bytes more are kept.
    fn takes(&self, bytes: usize) -> bool {
        let used = self.used.get() + bytes + EACH;
        let takes = used <= MOST_BYTES;
        if takes {
            self.used.set(used);
        } else {
            self.trace.borrow_mut().truncated = true;
        }
        takes
    }

    fn log(&self, span: Option<&str>, log: Log) {
        if let Some(stream) = &self.stream {
            stream.log(span, &log);
        }
        let mut full = self.full.get();
        if full.logs || self.after.is_empty() {
            return;
        }
        let size = log.message.len() + log.error_info.as_ref().map_or(0, String::len);
        let takes = self.takes(size);
        let log = if takes {
            log
        } else {
            full.logs = true;
            self.full.set(full);
            Log {
                level: "warn",
                message: LOGS_FULL.into(),
                error_info: None,
                ..log
            }
        };
        self.trace.borrow_mut().logs.push(log);
    }

    fn exception(&self, exception: Exception) {
        if let Some(stream) = &self.stream {
            stream.exception(&exception);
        }
        let mut full = self.full.get();
        if full.exceptions || self.after.is_empty() {
            return;
        }
        let stack = exception.stack.as_ref().map_or(0, String::len);
        let takes = self.takes(exception.name.len() + exception.message.len() + stack);
        let exception = if takes {
            exception
        } else {
            full.exceptions = true;
            self.full.set(full);
            Exception {
                name: "Error".into(),
                message: EXCEPTIONS_FULL.into(),
                stack: None,
                ..exception
            }
        };
        self.trace.borrow_mut().exceptions.push(exception);
    }

    fn message(&self, message: Message) {
        if let Some(stream) = &self.stream {
            stream.message(&message);
        }
        let mut full = self.full.get();
        if full.messages || self.after.is_empty() {
            return;
        }
        let takes = self.takes(message.channel.len() + message.message.len());
        let message = if takes {
            message
        } else {
            full.messages = true;
            self.full.set(full);
            Message {
                channel: "workerd.LimitExceeded".into(),
                message: String::new(),
                ..message
            }
        };
        self.trace.borrow_mut().messages.push(message);
    }

    /// The event has an outcome: the first is what it ends with.
    pub(crate) fn settled(&self, outcome: &Outcome) {
        let mut trace = self.trace.borrow_mut();
        match outcome {
            Outcome::Response(response) => {
                let status = response.status().as_u16();
                trace.response = Some(status);
                self.returned(Some(status));
            }
            Outcome::Upgrade(..) => self.returned(None),
            Outcome::Done if matches!(trace.event, EventInfo::Custom) => {}
            Outcome::Done => self.returned(None),
            Outcome::Failed(error) => trace.outcome = outcome_of(error),
        }
    }

    /// The handler has returned.
    pub(crate) fn returned(&self, status: Option<u16>) {
        if let Some(stream) = &self.stream {
            stream.returned(status);
        }
    }

    /// The method that a session was begun for.
    pub(crate) fn called(&self, method: &str) {
        let mut trace = self.trace.borrow_mut();
        if trace.rpc_method.is_some() {
            return;
        }
        trace.rpc_method = Some(method.to_string());
        if let Some(stream) = &self.stream {
            let info = serde_json::json!([{ "name": "jsrpc.method", "value": method }]);
            stream.attributes(None, info.to_string());
        }
    }

    /// What somebody who hears of it at once is told through.
    pub(crate) fn stream(&self) -> Option<&Stream> {
        self.stream.as_ref()
    }
}

/// What a tail worker is told an event ended with.
fn outcome_of(error: &EventError) -> &'static str {
    match error {
        EventError::CpuLimit { .. } => "exceededCpu",
        EventError::MemoryLimit { .. } => "exceededMemory",
        EventError::WallLimit { .. } => "exceededWallTime",
        EventError::Overloaded { .. } => "loadShed",
        _ => "exception",
    }
}

impl Shared {
    /// Begins to trace an event of a worker that somebody tails.
    pub(crate) fn trace(
        self: &Rc<Self>,
        worker: &Worker,
        tails: &Tails,
        entrypoint: Option<&str>,
        event: &Event,
        info: EventInfo,
    ) {
        let tracer = Tracer::begin(self, worker, tails, entrypoint, event, info);
        *event.trace.borrow_mut() = tracer.map(Rc::new);
    }

    /// What traces the event with this number; for an object's life the event of it
    /// that came last.
    pub(crate) fn tracer(&self, id: u32) -> Option<Rc<Tracer>> {
        let event = self.events.get(id)?;
        if let Some(tracer) = &*event.trace.borrow() {
            return Some(tracer.clone());
        }
        let object = event.object.as_ref().filter(|_| event.background)?;
        self.events.latest_of(object)?.trace.borrow().clone()
    }

    pub(crate) fn trace_log(
        &self,
        id: u32,
        level: &'static str,
        message: String,
        errors: Option<String>,
        span: Option<&str>,
    ) {
        if let Some(tracer) = self.tracer(id) {
            let log = Log {
                timestamp: self.clock.now(),
                level,
                message,
                error_info: errors,
            };
            tracer.log(span, log);
        }
    }

    pub(crate) fn trace_message(&self, id: u32, channel: String, message: String) {
        if let Some(tracer) = self.tracer(id) {
            tracer.message(Message {
                timestamp: self.clock.now(),
                channel,
                message,
            });
        }
    }

    pub(crate) fn trace_exception(&self, id: u32, js: &JsError, error: &ScriptError) {
        let Some(tracer) = self.tracer(id) else {
            return;
        };
        let name = js.name.clone().unwrap_or_else(|| "Error".into());
        let message = match &js.message {
            Some(message) => message.clone(),
            None => error.message.clone(),
        };
        let stack = (!error.frames.is_empty()).then(|| error.frames.join("\n"));
        tracer.exception(Exception {
            timestamp: self.clock.now(),
            name,
            message,
            stack,
        });
    }

    /// An event failed for what its script did not throw.
    pub(crate) fn trace_failure(&self, event: &Event, error: &EventError) {
        let tracer = event.trace.borrow().clone();
        if let Some(tracer) = tracer {
            tracer.exception(Exception {
                timestamp: self.clock.now(),
                name: "Error".into(),
                message: error.to_string(),
                stack: None,
            });
        }
    }

    /// The event has ended; its tail workers hear of it at the end of the turn.
    pub(crate) fn trace_ended(&self, event: Rc<Event>) {
        if event.trace.borrow().is_some() {
            self.traced.borrow_mut().push(event);
        }
    }

    /// Sends the traces of events that have ended.
    pub(crate) fn send_traces(self: &Rc<Self>) {
        let ended = std::mem::take(&mut *self.traced.borrow_mut());
        for event in ended {
            let Some(tracer) = event.trace.take() else {
                continue;
            };
            if tracer.ended.replace(true) {
                continue;
            }
            let mut trace = tracer.trace.borrow_mut();
            // Nobody waited for an answer any more.
            if !event.answered.get() {
                trace.outcome = "canceled";
            }
            trace.cpu_time = event.cpu.get().as_millis() as f64;
            trace.wall_time = tracer.begun.elapsed().as_millis() as f64;
            if let Some(stream) = &tracer.stream {
                stream.end(trace.outcome, trace.cpu_time, trace.wall_time);
            }
            if tracer.after.is_empty() {
                continue;
            }
            let Ok(text) = serde_json::to_string(&*trace) else {
                continue;
            };
            let text: Arc<str> = text.into();
            for target in &tracer.after {
                self.tails
                    .send(self, target, tracer.chain + 1, text.clone());
            }
        }
    }
}
