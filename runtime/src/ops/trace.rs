//! What a script tells its tail workers, and what a tail worker is told.

use std::cell::RefCell;
use std::rc::Rc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use deno_core::{OpState, op2};

use super::Shared;
use crate::event::EventId;
use crate::host::LogLevel;
use crate::trace::{Span, SpanException, Stream, TailedWhat};

/// Whether somebody tails the worker: 1 after its events, 2 during them as well.
#[op2(fast)]
pub(crate) fn op_traced(state: &OpState) -> u32 {
    let worker = state.borrow::<Rc<Shared>>().worker();
    match worker.and_then(|worker| worker.tails.clone()) {
        None => 0,
        Some(tails) if tails.during.is_empty() => 1,
        Some(_) => 2,
    }
}

/// `message` and `errors` are JSON arrays.
#[op2]
pub(crate) fn op_trace_log(
    state: &OpState,
    #[smi] id: EventId,
    #[smi] level: u32,
    #[string] message: String,
    #[string] errors: Option<String>,
    #[string] span: Option<String>,
) {
    const LEVELS: [&str; 5] = ["debug", "info", "log", "warn", "error"];
    let level = LEVELS.get(level as usize).copied().unwrap_or("log");
    let shared = state.borrow::<Rc<Shared>>();
    shared.trace_log(id, level, message, errors, span.as_deref());
}

/// Something that the author of the worker should know.
#[op2(fast)]
pub(crate) fn op_warn(state: &mut OpState, #[smi] id: EventId, #[string] text: &str) {
    let shared = state.borrow::<Rc<Shared>>();
    shared.log(LogLevel::Warn, text, None);
    let message = || serde_json::Value::from(vec![text]).to_string();
    if shared.tracer(id).is_some() {
        shared.trace_log(id, "warn", message(), None, None);
    }
}

/// What was published on a channel, in V8's serialised form.
#[op2(fast)]
pub(crate) fn op_trace_message(
    state: &mut OpState,
    #[smi] id: EventId,
    #[string] channel: String,
    #[buffer] message: &[u8],
) {
    let shared = state.borrow::<Rc<Shared>>();
    shared.trace_message(id, channel, BASE64_STANDARD.encode(message));
}

/// The method that a session was begun for.
#[op2(fast)]
pub(crate) fn op_trace_call(state: &mut OpState, #[smi] id: EventId, #[string] method: &str) {
    if let Some(tracer) = state.borrow::<Rc<Shared>>().tracer(id) {
        tracer.called(method);
    }
}

#[op2(fast)]
pub(crate) fn op_trace_return(state: &mut OpState, #[smi] id: EventId) {
    if let Some(tracer) = state.borrow::<Rc<Shared>>().tracer(id) {
        tracer.returned(None);
    }
}

/// 0 where nobody hears of it. `parent` is the id of the span that it is in.
#[op2]
pub(crate) fn op_span_open(
    state: &OpState,
    #[smi] id: EventId,
    #[string] name: &str,
    #[string] parent: Option<String>,
) -> u32 {
    let open = |stream: &Stream| stream.open_span(name, parent.as_deref());
    streamed(state, id, open).unwrap_or(0)
}

/// What somebody who hears of the event at once is told.
fn streamed<T>(state: &OpState, id: EventId, tell: impl FnOnce(&Stream) -> T) -> Option<T> {
    let tracer = state.borrow::<Rc<Shared>>().tracer(id)?;
    tracer.stream().map(tell)
}

/// The ids of the trace, and of an open span, or of the event by 0.
#[op2]
#[serde]
pub(crate) fn op_span_ids(
    state: &OpState,
    #[smi] id: EventId,
    #[smi] span: Span,
) -> Option<(String, String)> {
    streamed(state, id, |stream| stream.ids(span))?
}

/// `info` is a JSON object.
#[op2(fast)]
pub(crate) fn op_span_update(
    state: &OpState,
    #[smi] id: EventId,
    #[string] span: &str,
    #[string] info: &str,
) {
    streamed(state, id, |stream| stream.update_span(Some(span), info));
}

#[op2]
pub(crate) fn op_span_exception(
    state: &OpState,
    #[smi] id: EventId,
    #[string] span: &str,
    #[serde] exception: SpanException,
) {
    streamed(state, id, |stream| {
        stream.span_exception(Some(span), &exception)
    });
}

/// Attributes of the event itself: a JSON array.
#[op2(fast)]
pub(crate) fn op_event_attributes(
    state: &OpState,
    #[smi] id: EventId,
    #[string] attributes: String,
) {
    streamed(state, id, |stream| stream.attributes(None, attributes));
}

/// `attributes` is a JSON array.
#[op2]
pub(crate) fn op_span_close(
    state: &OpState,
    #[smi] id: EventId,
    #[smi] span: Span,
    #[string] attributes: Option<String>,
) {
    let shared = state.borrow::<Rc<Shared>>();
    if let Some(tracer) = shared.tracer(id)
        && let Some(stream) = tracer.stream()
    {
        stream.close_span(span, attributes);
    }
}

/// The traces that `tail()` is called with, each JSON; none for `tailStream()`.
#[op2]
#[serde]
pub(crate) fn op_tail_traces(state: &OpState, #[smi] id: EventId) -> Option<Vec<String>> {
    let event = state.borrow::<Rc<Shared>>().events.get(id)?;
    let mut tailed = event.tailed.borrow_mut();
    let what = &mut tailed.as_deref_mut()?.what;
    match what.take() {
        Some(TailedWhat::Ended(traces)) => {
            Some(traces.iter().map(|trace| trace.to_string()).collect())
        }
        other => {
            *what = other;
            None
        }
    }
}

/// What has come since of the event that is tailed, each JSON; None once all has.
#[op2]
#[serde]
pub(crate) async fn op_tail_next(
    state: Rc<RefCell<OpState>>,
    #[smi] id: EventId,
) -> Option<Vec<String>> {
    let event = Shared::of(&state).events.get(id)?;
    let taken = event.tailed.borrow_mut().as_deref_mut()?.what.take();
    let Some(TailedWhat::Stream(feed)) = taken else {
        return None;
    };
    let events = feed.next().await?;
    if let Some(tailed) = event.tailed.borrow_mut().as_deref_mut() {
        tailed.what = Some(TailedWhat::Stream(feed));
    }
    Some(events.iter().map(|event| event.to_string()).collect())
}
