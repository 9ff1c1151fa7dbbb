//! Events that nobody waits for the answer of, but for what became of them: a
//! scheduled run, and a queue's batch of messages.

use serde::{Deserialize, Serialize};

use crate::entrypoint::Handler;
use crate::error::EventError;
use crate::trace::EventInfo;

/// What is handed to a worker.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Delivery {
    Scheduled(ScheduledRun),
    Queue(QueueBatch),
}

impl Delivery {
    pub(crate) fn handler(&self) -> Handler {
        match self {
            Self::Scheduled(_) => Handler::Scheduled,
            Self::Queue(_) => Handler::Queue,
        }
    }

    /// What tail workers are told of it.
    pub(crate) fn info(&self) -> EventInfo {
        match self {
            Self::Scheduled(run) => EventInfo::Scheduled {
                scheduled_time: run.scheduled_time,
                cron: run.cron.clone(),
            },
            Self::Queue(batch) => EventInfo::Queue {
                queue_name: batch.queue.clone(),
                batch_size: batch.messages.len(),
            },
        }
    }

    /// Bytes that it holds besides itself.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Scheduled(run) => run.cron.len(),
            Self::Queue(batch) => batch
                .messages
                .iter()
                .map(|message| size_of::<QueueMessage>() + message.id.len() + message.body.len())
                .sum(),
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScheduledRun {
    /// As it was configured, `0 * * * *`; may be empty.
    pub cron: String,
    /// When it is for, in milliseconds since 1970.
    pub scheduled_time: f64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueueBatch {
    /// The queue's name.
    pub queue: String,
    pub messages: Vec<QueueMessage>,
    pub metrics: QueueMetrics,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueueMessage {
    pub id: String,
    /// When it was sent, in milliseconds since 1970.
    pub timestamp: f64,
    /// How often it was delivered, this time included.
    pub attempts: u16,
    pub format: QueueFormat,
    #[serde(with = "serde_bytes")]
    pub body: Vec<u8>,
}

/// What a message's bytes say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum QueueFormat {
    Text,
    Bytes,
    Json,
    /// V8's serialised form, with its header.
    V8,
}

/// What waits in the queue.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueueMetrics {
    pub backlog_count: f64,
    pub backlog_bytes: f64,
    /// In milliseconds since 1970; None where nothing waits.
    pub oldest: Option<f64>,
}

/// What became of a delivery.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    pub outcome: DeliveryOutcome,
    /// Whatever the handler said, also one that failed after it.
    pub said: Said,
}

/// As Workers call it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum DeliveryOutcome {
    #[default]
    Ok,
    Exception,
    ExceededCpu,
    ExceededMemory,
    ExceededWallTime,
}

impl DeliveryOutcome {
    /// None for an error that is not the handler's.
    pub(crate) fn of(error: &EventError) -> Option<Self> {
        match error {
            EventError::Exception(_) | EventError::Hung | EventError::NoHandler { .. } => {
                Some(Self::Exception)
            }
            EventError::CpuLimit { .. } => Some(Self::ExceededCpu),
            EventError::MemoryLimit { .. } => Some(Self::ExceededMemory),
            EventError::WallLimit { .. } => Some(Self::ExceededWallTime),
            _ => None,
        }
    }
}

/// What a handler decided on its delivery.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Said {
    /// A scheduled run is not to be tried again.
    pub no_retry: bool,
    pub ack_all: bool,
    /// All messages but those acknowledged are to be delivered again.
    pub retry_all: Option<Retry>,
    /// The ids of messages that were acknowledged by themselves.
    pub acks: Vec<String>,
    /// Messages that are to be delivered again, by id.
    pub retries: Vec<(String, Retry)>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Retry {
    /// After how many seconds; None: as the queue is configured.
    pub delay: Option<i32>,
}
