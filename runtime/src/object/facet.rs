//! A facet as it runs: an object that another object has. Whoever has it may be on
//! another lane, so that both know of each other by its [`FacetPresence`].

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::ObjectTarget;
use crate::capability::Restored;
use crate::entrypoint::Entrypoint;
use crate::error::EventError;

/// How deep facets may nest, the object that is no facet counted, as Workers have it.
pub(crate) const MOST_DEPTH: u32 = 4;

/// One start of a facet: whether it has ended, and whether it is in memory.
#[derive(Default)]
pub struct FacetPresence {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    ended: Option<EventError>,
    instances: usize,
}

impl FacetPresence {
    /// Nothing of it begins any more; who calls it hears `reason`.
    pub(crate) fn end(&self, reason: EventError) {
        self.state.lock().ended.get_or_insert(reason);
        self.changed.notify_waiters();
    }

    pub(crate) fn ended(&self) -> Option<EventError> {
        self.state.lock().ended.clone()
    }

    pub(crate) fn is_in_memory(&self) -> bool {
        self.state.lock().instances > 0
    }

    /// Resolves when it has ended and nobody has its database open.
    pub async fn gone(&self) {
        loop {
            let changed = self.changed.notified();
            {
                let state = self.state.lock();
                if state.ended.is_some() && state.instances == 0 {
                    return;
                }
            }
            changed.await;
        }
    }

    fn enter(&self) -> Result<(), EventError> {
        let mut state = self.state.lock();
        if let Some(reason) = &state.ended {
            return Err(reason.clone());
        }
        state.instances += 1;
        Ok(())
    }

    fn leave(&self) {
        self.state.lock().instances -= 1;
        self.changed.notify_waiters();
    }
}

/// What a facet is started with.
pub(crate) struct FacetStart {
    /// Of the namespace of the object that has it, so that migrations and limits are the
    /// same for both; the id is the host's for its database.
    pub(crate) target: Arc<ObjectTarget>,
    /// The export that is its class, and its `ctx.props`.
    pub(crate) class: Entrypoint,
    pub(crate) id: ShownId,
    /// How many objects it is in.
    pub(crate) depth: u32,
    pub(crate) presence: Arc<FacetPresence>,
}

/// A facet's `ctx.id`, which the script chooses.
#[derive(Debug, Clone)]
pub(crate) enum ShownId {
    Object { hex: String, name: Option<String> },
    Text(String),
}

/// A facet in memory; dropped or [`Self::leave`]s when its database is closed.
pub(crate) struct FacetInstance {
    pub(crate) start: Arc<FacetStart>,
    /// How it was last made by a `[restore]` method: others know it by that alone.
    pub(crate) restored: RefCell<Option<Arc<Restored>>>,
    left: Cell<bool>,
}

impl FacetInstance {
    /// Fails where whoever has it has ended it.
    pub(crate) fn enter(start: &Arc<FacetStart>) -> Result<Self, EventError> {
        start.presence.enter()?;
        Ok(Self {
            start: start.clone(),
            restored: RefCell::default(),
            left: Cell::new(false),
        })
    }

    pub(super) fn leave(&self) {
        if !self.left.replace(true) {
            self.start.presence.leave();
        }
    }
}

impl Drop for FacetInstance {
    fn drop(&mut self) {
        self.leave();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_ended_does_not_begin_and_is_gone_when_it_has_left() {
        let presence = FacetPresence::default();
        presence.enter().expect("it has not ended");
        let is_gone = || futures::FutureExt::now_or_never(presence.gone()).is_some();
        assert!(presence.is_in_memory() && !is_gone());
        presence.end(EventError::Hung);
        presence.end(EventError::NoHandler { kind: "fetch" });
        assert!(matches!(presence.enter(), Err(EventError::Hung)));
        assert!(!is_gone());
        presence.leave();
        assert!(is_gone());
    }
}
