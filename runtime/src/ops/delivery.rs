//! Deliveries: to a service by a script, and to a script's handler.

use std::cell::RefCell;
use std::rc::Rc;

use deno_core::{OpState, op2};
use deno_error::JsErrorBox;

use super::Shared;
use super::fetch::count_subrequest;
use super::service::Route;
use crate::delivery::{Delivery, Report, Said};
use crate::event::EventId;

/// Hands `delivery` to what `service` and `object` say ([`Route`]), and waits for what
/// becomes of it.
#[op2]
#[serde]
pub(crate) async fn op_delivery_send(
    state: Rc<RefCell<OpState>>,
    #[smi] event: EventId,
    #[smi] service: i32,
    #[string] object: Option<String>,
    #[serde] delivery: Delivery,
) -> Result<Report, JsErrorBox> {
    let shared = Shared::of(&state);
    count_subrequest(&shared, event)?;
    let route = Route::find(&shared, event, service, object.as_deref())?;
    let limit = shared.worker().map_or(0, |worker| worker.limits.body);
    if delivery.size() as u64 > limit as u64 {
        return Err(JsErrorBox::range_error(format!(
            "A batch of messages may have {limit} bytes."
        )));
    }
    let gate = shared.events.get(event).and_then(|event| event.gate());
    let report = route.deliver(delivery).await;
    if let Some(gate) = gate {
        gate.resumed().await;
    }
    report
}

/// What the event brought.
#[op2]
#[serde]
pub(crate) fn op_event_delivery(
    state: Rc<RefCell<OpState>>,
    #[smi] id: EventId,
) -> Result<Delivery, JsErrorBox> {
    let event = Shared::of(&state).events.get(id);
    event
        .and_then(|event| event.delivery.borrow_mut().take())
        .map(|delivery| *delivery)
        .ok_or_else(|| JsErrorBox::generic("the event brought nothing"))
}

/// What the handler said so far, before its event is done or fails.
#[op2]
pub(crate) fn op_event_said(state: Rc<RefCell<OpState>>, #[smi] id: EventId, #[serde] said: Said) {
    if let Some(event) = Shared::of(&state).events.get(id) {
        *event.said.borrow_mut() = Some(Box::new(said));
    }
}
