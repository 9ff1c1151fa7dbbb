//! `console`, and errors that nobody caught.

use std::rc::Rc;

use deno_core::{OpState, op2, v8};

use super::Shared;
use crate::event::EventId;
use crate::host::LogLevel;

#[op2(fast)]
pub(crate) fn op_console(state: &mut OpState, #[smi] level: i32, #[string] text: &str) {
    let shared = state.borrow::<Rc<Shared>>().clone();
    shared.log(
        LogLevel::from_console(level),
        text.strip_suffix('\n').unwrap_or(text),
        None,
    );
}

/// Whether the log's reader sees colours.
#[op2(fast)]
pub(crate) fn op_console_colour(state: &mut OpState) -> bool {
    state.borrow::<Rc<Shared>>().host.colour()
}

#[op2(nofast)]
pub(crate) fn op_unhandled<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    state: Rc<std::cell::RefCell<OpState>>,
    #[smi] id: EventId,
    error: v8::Local<'a, v8::Value>,
) {
    let shared = Shared::of(&state);
    shared.uncaught(scope, id, error);
}
