//! What a node does with a worker besides sending it requests.

use std::sync::Arc;

use outboard_project::{Cron, Project, QueueConsumer};
use outboard_runtime::{LaneRef, Worker};

use crate::objects::Scope;

/// What a worker's project asks for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Duties {
    pub(crate) consumers: Vec<Consumer>,
    pub(crate) crons: Vec<Cron>,
}

/// A queue whose messages the worker is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Consumer {
    /// What the node calls the queue, and that of its dead letters.
    pub(crate) queue: String,
    pub(crate) dead_letters: Option<String>,
    pub(crate) config: QueueConsumer,
}

/// A worker that is served, as what comes by itself reaches it.
#[derive(Clone)]
pub(crate) struct Deployed {
    pub(crate) worker: Arc<Worker>,
    /// The lane of its own. None: any lane serves it.
    pub(crate) lane: Option<LaneRef>,
    pub(crate) duties: Arc<Duties>,
}

impl Duties {
    pub(crate) fn of(project: &Project, scope: &Scope) -> Self {
        let consumers = project.queue_consumers.iter().map(|config| Consumer {
            queue: scope.name(&config.queue),
            dead_letters: config
                .dead_letter_queue
                .as_ref()
                .map(|queue| scope.name(queue)),
            config: config.clone(),
        });
        Self {
            consumers: consumers.collect(),
            crons: project.crons.clone(),
        }
    }

    /// Whether they need the node's store.
    pub(crate) fn keep_data(&self) -> bool {
        !self.consumers.is_empty()
    }
}
