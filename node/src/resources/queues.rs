//! Queues: messages that are sent by one worker and given to another in batches, at
//! least once, each queue a database of the node's store.

mod consumer;
mod messages;
mod request;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use outboard_runtime::{HostBody, full_body};
use outboard_storage::{LogError, ObjectError};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use self::messages::{Backlog, New, SCHEMA};
use self::request::{Refusal, Sent};
use super::answer::refused;
use super::database::{Database, DatabaseError};
use super::open::Open;
use super::steady::is_steady;
use crate::duties::{Consumer, Deployed};
use crate::objects::NodeObjects;

/// What its databases are called by, before their names.
pub(crate) const KIND: &str = "queue";

/// Bytes of messages that a queue keeps; past that it takes no more.
const MOST_BACKLOG: i64 = 1 << 30;

/// Bytes of a request: the largest batch in base64, and what is around it.
const MOST_REQUEST: usize = 512 << 10;

/// How long a message is kept that nobody takes.
const RETENTION: Duration = Duration::from_secs(4 * 24 * 3_600);

/// How often what is too old is looked for.
const EXPIRE_EVERY: Duration = Duration::from_secs(60);

/// The node's queues, each open once it was sent to or has a consumer.
pub(crate) struct Queues {
    objects: Arc<NodeObjects>,
    open: Open<Queue>,
    /// No more batches are to begin.
    stop: CancellationToken,
}

#[derive(Clone)]
struct Queue {
    database: Database,
    /// Something was sent, or is to be delivered again.
    changed: Arc<Notify>,
}

impl Queue {
    async fn open(objects: Arc<NodeObjects>, name: &str) -> Result<Self, DatabaseError> {
        let database = Database::open(objects, KIND, name.to_string(), &SCHEMA).await?;
        database.run(messages::release_all).await?;
        let now = now();
        let hurry = move |connection: &rusqlite::Connection| messages::hurry(connection, now);
        database.run(hurry).await?;
        Ok(Self {
            database,
            changed: Arc::default(),
        })
    }

    /// None where there is no room.
    async fn add(&self, new: Vec<New>) -> Result<Option<Backlog>, DatabaseError> {
        let add =
            move |connection: &rusqlite::Connection| messages::add(connection, &new, MOST_BACKLOG);
        let added = self.database.run(add).await?;
        self.changed.notify_one();
        Ok(added)
    }

    async fn expire(&self, name: &str) -> Result<(), DatabaseError> {
        let now = now();
        let hurry = move |connection: &rusqlite::Connection| messages::hurry(connection, now);
        if self.database.run(hurry).await? > 0 {
            self.changed.notify_one();
        }
        if !is_steady(now) {
            return Ok(());
        }
        let before = now - i64::try_from(RETENTION.as_millis()).unwrap_or(i64::MAX);
        loop {
            let expire =
                move |connection: &rusqlite::Connection| messages::expire(connection, before);
            match self.database.run(expire).await? {
                0 => return Ok(()),
                dropped => tracing::warn!(queue = name, dropped, "messages were too old"),
            }
        }
    }
}

impl Queues {
    pub(super) fn new(objects: Arc<NodeObjects>) -> Self {
        Self {
            objects,
            open: Open::new(),
            stop: CancellationToken::new(),
        }
    }

    async fn open(&self, name: &str) -> Result<Queue, DatabaseError> {
        let open = || Queue::open(self.objects.clone(), name);
        self.open.get(name, open).await
    }

    /// What a request to the queue `name` comes to; `delay` is for messages that do not
    /// say, in seconds.
    pub(super) async fn answer(
        &self,
        name: &str,
        delay: u32,
        request: Request<HostBody>,
    ) -> Response<HostBody> {
        let (head, body) = request.into_parts();
        let answered = async {
            let sent = match (head.method, head.uri.path()) {
                (Method::GET, "/metrics") => {
                    let queue = self.open(name).await?;
                    let backlog = queue.database.run(messages::backlog).await?;
                    return Ok(metrics(backlog).to_string());
                }
                (Method::POST, "/message") => Sent::Message,
                (Method::POST, "/batch") => Sent::Batch,
                _ => return Err(Failure::Refused(Refusal::unknown())),
            };
            let body = Limited::new(body, MOST_REQUEST).collect().await;
            let body = body.map_err(|_too_long| sent.too_long())?.to_bytes();
            let new = sent.read(&head.headers, &body, delay, now())?;
            let added = self.open(name).await?.add(new).await?;
            let backlog = added.ok_or_else(Refusal::full)?;
            Ok(serde_json::json!({ "metadata": { "metrics": metrics(backlog) } }).to_string())
        };
        match answered.await {
            Ok(json) => Response::new(full_body(json)),
            Err(Failure::Refused(refusal)) => refusal.answer(),
            Err(Failure::Database(error)) => unavailable(&error),
        }
    }

    /// Gives messages to the workers that are deployed to take them, until the future
    /// is dropped.
    pub(super) async fn deliver(self: Arc<Self>) {
        let mut deployed = self.objects.deployed();
        let mut tasks: HashMap<String, AbortOnDropHandle<()>> = HashMap::new();
        loop {
            let queues: Vec<_> = deployed
                .borrow_and_update()
                .iter()
                .flat_map(|deployed| &deployed.duties.consumers)
                .map(|consumer| consumer.queue.clone())
                .collect();
            for name in queues {
                tasks.entry(name.clone()).or_insert_with(|| {
                    let consume = consumer::consume(self.clone(), name);
                    AbortOnDropHandle::new(tokio::spawn(consume))
                });
            }
            tokio::select! {
                changed = deployed.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(EXPIRE_EVERY) => self.expire().await,
            }
        }
    }

    /// Begins no more batches; those that are out may end.
    pub(super) fn stop(&self) {
        self.stop.cancel();
    }

    async fn expire(&self) {
        for (name, queue) in self.open.all() {
            if let Err(error) = queue.expire(&name).await {
                tracing::warn!(%error, queue = name, "messages that are too old stay for now");
            }
        }
    }

    /// Who takes a queue's messages now.
    fn consumer(&self, name: &str) -> Option<(Deployed, Consumer)> {
        self.objects
            .deployed()
            .borrow()
            .iter()
            .find_map(|deployed| {
                let mut consumers = deployed.duties.consumers.iter();
                let consumer = consumers.find(|consumer| consumer.queue == name)?;
                Some((deployed.clone(), consumer.clone()))
            })
    }
}

enum Failure {
    Refused(Refusal),
    Database(DatabaseError),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<DatabaseError> for Failure {
    fn from(error: DatabaseError) -> Self {
        Self::Database(error)
    }
}

/// Queues say 1970 where nothing waits.
fn metrics(backlog: Backlog) -> serde_json::Value {
    serde_json::json!({
        "backlogCount": backlog.count,
        "backlogBytes": backlog.bytes,
        "oldestMessageTimestamp": backlog.oldest.unwrap_or(0),
    })
}

fn unavailable(error: &DatabaseError) -> Response<HostBody> {
    match error {
        DatabaseError::Busy
        | DatabaseError::Object(ObjectError::Log(LogError::Full | LogError::Overloaded { .. })) => {
            Refusal::overloaded(error.to_string()).answer()
        }
        _ => {
            tracing::error!(%error, "a queue's database failed");
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            refused(status, status.canonical_reason().unwrap_or_default())
        }
    }
}

/// Milliseconds since 1970.
fn now() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
    i64::try_from(since_epoch.unwrap_or_default().as_millis()).unwrap_or(i64::MAX)
}
