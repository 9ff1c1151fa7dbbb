//! What an event does, told while it does it (`tailStream`).

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::fmt::Write;
use std::rc::{Rc, Weak};
use std::sync::Arc;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use super::info::EventInfo;
use super::{Exception, Log, MOST_BYTES, Message, TailTarget, Tailed, TailedWhat, Trace};
use crate::ops::Shared;
use crate::worker::Worker;

/// What may wait for one tail worker of one event. Later events are dropped, which the
/// tail worker is told (`streamDiagnostic`); the last one always arrives.
const WAITING: usize = 512;
const WAITING_BYTES: usize = 2 * MOST_BYTES;

/// Spans of one event that may be open at a time; more are not told of.
const OPEN_SPANS: usize = 1_024;

/// Tells the tail workers of one event.
pub(crate) struct Stream {
    feeds: Vec<Arc<Feed>>,
    trace_id: String,
    invocation_id: String,
    /// The span that is the event itself.
    span_id: String,
    sequence: Cell<u32>,
    /// Whose clock it goes by.
    shared: Weak<Shared>,
    spans: RefCell<HashMap<u32, String>>,
    last_span: Cell<u32>,
    has_returned: Cell<bool>,
}

/// A span's number within its event.
pub(crate) type Span = u32;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TailEvent<'a> {
    span_context: SpanContext<'a>,
    invocation_id: &'a str,
    /// In milliseconds since 1970.
    timestamp: f64,
    sequence: u32,
    event: StreamEvent<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SpanContext<'a> {
    trace_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    span_id: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub(super) enum StreamEvent<'a> {
    Onset {
        execution_model: &'a str,
        span_id: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        entrypoint: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        durable_object_id: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        script_name: Option<&'a str>,
        script_tags: [&'a str; 0],
        info: &'a EventInfo,
    },
    Outcome {
        outcome: &'a str,
        cpu_time: f64,
        wall_time: f64,
    },
    SpanOpen {
        name: &'a str,
        span_id: &'a str,
    },
    SpanClose {
        outcome: &'a str,
    },
    Attributes {
        /// A JSON array.
        info: String,
    },
    SpanUpdate {
        /// A JSON object.
        info: &'a str,
    },
    Exception {
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<&'a serde_json::Value>,
        name: &'a str,
        message: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        stack: Option<&'a str>,
    },
    Log {
        level: &'a str,
        /// A JSON array, unless it is cut.
        message: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        error_info: Option<&'a str>,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        truncated: bool,
    },
    DiagnosticChannel {
        channel: &'a str,
        message: &'a str,
    },
    Return {
        #[serde(skip_serializing_if = "Option::is_none")]
        info: Option<Returned>,
    },
    StreamDiagnostic {
        diagnostic: Dropped,
    },
}

/// An exception as a script tells of it.
#[derive(Debug, Deserialize)]
pub(crate) struct SpanException {
    /// A text or a number.
    code: Option<serde_json::Value>,
    name: String,
    message: String,
    stack: Option<String>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename = "fetch", rename_all = "camelCase")]
pub(super) struct Returned {
    status_code: u16,
}

#[derive(Serialize)]
#[serde(
    tag = "diagnosticsType",
    rename = "droppedEvents",
    rename_all = "camelCase"
)]
pub(super) struct Dropped {
    count: usize,
}

impl Stream {
    /// Calls `tailStream` of the tail workers, each in a task of its own.
    pub(super) fn begin(
        shared: &Rc<Shared>,
        worker: &Worker,
        targets: &[TailTarget],
        chain: u8,
        trace: &Trace,
    ) -> Self {
        let mut feeds = Vec::with_capacity(targets.len());
        for target in targets {
            if !shared.tails.begin_stream(shared, target) {
                continue;
            }
            let feed = Arc::new(Feed::default());
            let tailed = Tailed {
                what: Some(TailedWhat::Stream(TailFeed(feed.clone()))),
                chain: chain + 1,
                of: worker.name.clone(),
                script: trace.script_name.clone(),
            };
            feeds.push(feed);
            let (shared, target) = (shared.clone(), target.clone());
            deno_core::unsync::spawn(async move {
                if let Err(error) = super::queue::call(&shared, &target, tailed).await {
                    shared.tails.failed(&shared, &target, &error);
                }
                shared.tails.end_stream(&target);
            });
        }
        let stream = Self {
            feeds,
            trace_id: random_hex(16),
            invocation_id: random_hex(16),
            span_id: random_hex(8),
            sequence: Cell::new(0),
            shared: Rc::downgrade(shared),
            spans: RefCell::default(),
            last_span: Cell::new(0),
            has_returned: Cell::new(false),
        };
        stream.tell_of(
            None,
            StreamEvent::Onset {
                execution_model: trace.execution_model,
                span_id: &stream.span_id,
                entrypoint: trace.entrypoint.as_deref(),
                durable_object_id: trace.durable_object_id.as_deref(),
                script_name: trace.script_name.as_deref(),
                script_tags: [],
                info: &trace.event,
            },
        );
        stream
    }

    /// `span` is the id of the one that it is in; None: the event itself.
    pub(super) fn log(&self, span: Option<&str>, log: &Log) {
        let message = cut(&log.message);
        let log = StreamEvent::Log {
            level: log.level,
            message,
            error_info: log.error_info.as_deref(),
            truncated: message.len() < log.message.len(),
        };
        self.tell_of(Some(span.unwrap_or(&self.span_id)), log);
    }

    /// What a script says of an exception in a span of its own.
    pub(crate) fn span_exception(&self, span: Option<&str>, exception: &SpanException) {
        let told = StreamEvent::Exception {
            code: exception.code.as_ref(),
            name: cut(&exception.name),
            message: cut(&exception.message),
            stack: exception.stack.as_deref().map(cut),
        };
        self.tell_of(Some(span.unwrap_or(&self.span_id)), told);
    }

    /// A span has another name, or a status. One that is too long is not told.
    pub(crate) fn update_span(&self, span: Option<&str>, info: &str) {
        if info.len() <= MOST_BYTES {
            let span = span.unwrap_or(&self.span_id);
            self.tell_of(Some(span), StreamEvent::SpanUpdate { info });
        }
    }

    pub(super) fn exception(&self, exception: &Exception) {
        self.tell(StreamEvent::Exception {
            code: None,
            name: cut(&exception.name),
            message: cut(&exception.message),
            stack: exception.stack.as_deref().map(cut),
        });
    }

    /// One that is too long is not told: a part of it could not be read.
    pub(super) fn message(&self, message: &Message) {
        if message.channel.len() + message.message.len() <= MOST_BYTES {
            self.tell(StreamEvent::DiagnosticChannel {
                channel: &message.channel,
                message: &message.message,
            });
        }
    }

    pub(super) fn returned(&self, status: Option<u16>) {
        if self.has_returned.replace(true) {
            return;
        }
        let info = status.map(|status_code| Returned { status_code });
        self.tell(StreamEvent::Return { info });
    }

    /// Says something of the event, or of a span of it.
    pub(crate) fn attributes(&self, span: Option<&str>, info: String) {
        let span = span.unwrap_or(&self.span_id);
        self.tell_of(Some(span), StreamEvent::Attributes { info });
    }

    /// The ids of the trace, and of an open span or, by 0, of the event.
    pub(crate) fn ids(&self, span: Span) -> Option<(String, String)> {
        let id = match span {
            0 => self.span_id.clone(),
            span => self.spans.borrow().get(&span)?.clone(),
        };
        Some((self.trace_id.clone(), id))
    }

    /// A part of what the event does begins, in the span with the id `parent`, or in the
    /// event; 0 where it is not told of.
    pub(crate) fn open_span(&self, name: &str, parent: Option<&str>) -> Span {
        let mut spans = self.spans.borrow_mut();
        if spans.len() >= OPEN_SPANS {
            return 0;
        }
        let id = random_hex(8);
        let parent = parent.unwrap_or(&self.span_id);
        let open = StreamEvent::SpanOpen {
            name: cut(name),
            span_id: &id,
        };
        self.tell_of(Some(parent), open);
        let number = self.last_span.get() + 1;
        self.last_span.set(number);
        spans.insert(number, id);
        number
    }

    /// It has ended. `attributes` is a JSON array.
    pub(crate) fn close_span(&self, span: Span, attributes: Option<String>) {
        let Some(id) = self.spans.borrow_mut().remove(&span) else {
            return;
        };
        if let Some(attributes) = attributes.filter(|text| text.len() <= MOST_BYTES) {
            self.attributes(Some(&id), attributes);
        }
        self.tell_of(Some(&id), StreamEvent::SpanClose { outcome: "ok" });
    }

    /// The event has ended, and what it did with it.
    pub(super) fn end(&self, outcome: &str, cpu_time: f64, wall_time: f64) {
        let mut open: Vec<Span> = self.spans.borrow().keys().copied().collect();
        open.sort_unstable_by_key(|span| std::cmp::Reverse(*span));
        for span in open {
            self.close_span(span, None);
        }
        let end = StreamEvent::Outcome {
            outcome,
            cpu_time,
            wall_time,
        };
        let text = self.text(Some(&self.span_id), end);
        for feed in &self.feeds {
            feed.end(text.clone());
        }
    }

    /// Tells what the event itself does.
    fn tell(&self, event: StreamEvent<'_>) {
        self.tell_of(Some(&self.span_id), event);
    }

    fn tell_of(&self, span: Option<&str>, event: StreamEvent<'_>) {
        let text = self.text(span, event);
        for feed in &self.feeds {
            let note = |count| {
                let diagnostic = Dropped { count };
                self.text(
                    Some(&self.span_id),
                    StreamEvent::StreamDiagnostic { diagnostic },
                )
            };
            feed.push(text.clone(), note);
        }
    }

    fn now(&self) -> f64 {
        let shared = self.shared.upgrade();
        shared.map_or(0.0, |shared| shared.clock.now())
    }

    fn text(&self, span_id: Option<&str>, event: StreamEvent<'_>) -> Arc<str> {
        let sequence = self.sequence.get();
        self.sequence.set(sequence.wrapping_add(1));
        let event = TailEvent {
            span_context: SpanContext {
                trace_id: &self.trace_id,
                span_id,
            },
            invocation_id: &self.invocation_id,
            timestamp: self.now(),
            sequence,
            event,
        };
        // Strings, numbers and lists of them: nothing that JSON has no word for.
        serde_json::to_string(&event).unwrap_or_default().into()
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        for feed in &self.feeds {
            feed.close();
        }
    }
}

/// The longest piece of a text that is told.
fn cut(text: &str) -> &str {
    if text.len() <= MOST_BYTES {
        return text;
    }
    let mut end = MOST_BYTES;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

fn random_hex(bytes: usize) -> String {
    let mut random = [0; 16];
    // Ids are to be told apart, not to be secret: zeros would do.
    let _ = getrandom::fill(&mut random);
    let mut text = String::with_capacity(bytes * 2);
    for byte in &random[..bytes] {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// What waits for one tail worker.
#[derive(Default)]
struct Feed {
    state: Mutex<State>,
    more: Notify,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Arc<str>>,
    bytes: usize,
    dropped: usize,
    /// Nothing more comes.
    ended: bool,
    /// Nobody takes it.
    gone: bool,
}

impl Feed {
    fn push(&self, event: Arc<str>, note: impl FnOnce(usize) -> Arc<str>) {
        let mut state = self.state.lock();
        if state.gone || state.ended {
            return;
        }
        if state.waiting.len() >= WAITING || state.bytes + event.len() > WAITING_BYTES {
            state.dropped += 1;
            return;
        }
        if state.dropped > 0 {
            let note = note(std::mem::take(&mut state.dropped));
            state.bytes += note.len();
            state.waiting.push_back(note);
        }
        state.bytes += event.len();
        state.waiting.push_back(event);
        drop(state);
        self.more.notify_one();
    }

    fn end(&self, last: Arc<str>) {
        let mut state = self.state.lock();
        if !state.gone && !state.ended {
            state.bytes += last.len();
            state.waiting.push_back(last);
        }
        drop(state);
        self.close();
    }

    fn close(&self) {
        self.state.lock().ended = true;
        self.more.notify_one();
    }
}

/// A tail worker's end of an event's stream.
pub(crate) struct TailFeed(Arc<Feed>);

impl TailFeed {
    /// What has come since; None once all has.
    ///
    /// Cancel-safe: what was not returned stays.
    pub(crate) async fn next(&self) -> Option<Vec<Arc<str>>> {
        loop {
            {
                let mut state = self.0.state.lock();
                if !state.waiting.is_empty() {
                    state.bytes = 0;
                    return Some(std::mem::take(&mut state.waiting).into());
                }
                if state.ended {
                    return None;
                }
            }
            self.0.more.notified().await;
        }
    }
}

impl Drop for TailFeed {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        state.gone = true;
        state.waiting.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures::FutureExt;

    use super::{Feed, TailFeed, WAITING};

    /// What has come; None at the end.
    fn read(feed: &TailFeed) -> Option<Vec<String>> {
        let events = feed.next().now_or_never().expect("something has come")?;
        Some(events.iter().map(|event| event.to_string()).collect())
    }

    #[test]
    fn a_feed_that_nobody_reads_is_bounded_and_says_what_it_dropped() {
        let feed = Arc::new(Feed::default());
        let reader = TailFeed(feed.clone());
        let push = |text: &str| {
            feed.push(text.into(), |count| format!("{count} dropped").into());
        };
        for _ in 0..WAITING + 3 {
            push("event");
        }
        assert_eq!(read(&reader).map(|events| events.len()), Some(WAITING));
        push("next");
        assert_eq!(read(&reader), Some(vec!["3 dropped".into(), "next".into()]));
        for _ in 0..WAITING + 1 {
            push("event");
        }
        feed.end("end".into());
        push("late");
        let events = read(&reader).expect("events");
        assert_eq!(events.len(), WAITING + 1);
        assert_eq!(events.last().map(String::as_str), Some("end"));
        assert_eq!(read(&reader), None);
    }

    #[test]
    fn nothing_waits_for_a_reader_that_is_gone() {
        let feed = Arc::new(Feed::default());
        drop(TailFeed(feed.clone()));
        feed.push("event".into(), |_| "".into());
        feed.end("end".into());
        assert!(feed.state.lock().waiting.is_empty());
    }
}
