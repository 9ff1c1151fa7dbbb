//! Alarms of durable objects, on the lane that the host has them on.

use std::rc::Rc;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use futures::FutureExt;
use tokio::sync::oneshot;

use super::{Command, LaneLocal, LaneRef};
use crate::error::EventError;
use crate::event::Outcome;
use crate::object::{Due, ObjectTarget};
use crate::worker::Worker;

/// What became of an alarm.
#[derive(Debug, Clone)]
pub enum AlarmOutcome {
    /// The handler succeeded, or there was no alarm any more. What comes next the
    /// host was told (`Host::alarm_changed`).
    Done,
    /// It is due at another time, in milliseconds since 1970.
    Later(i64),
    /// The handler failed, and the alarm is still there.
    Failed(EventError),
}

impl LaneRef {
    /// Runs an object's alarm, if it is due; `retries` is how often it was tried.
    /// After the `last` try the alarm is given up.
    pub async fn alarm(
        &self,
        worker: Arc<Worker>,
        target: Arc<ObjectTarget>,
        retries: u32,
        last: bool,
    ) -> AlarmOutcome {
        let gone = || {
            AlarmOutcome::Failed(EventError::IsolateLost {
                reason: "its lane has ended".into(),
            })
        };
        let (sender, receiver) = oneshot::channel();
        let command: Command = Box::new(move |lane| {
            async move {
                let ran = lane.alarm(&worker, &target, retries, last).await;
                // The node may be ending.
                let _ = sender.send(ran.unwrap_or_else(AlarmOutcome::Failed));
            }
            .boxed_local()
        });
        let Some(commands) = self.commands.upgrade() else {
            return gone();
        };
        if commands.send(command).await.is_err() {
            return gone();
        }
        drop(commands);
        receiver.await.unwrap_or_else(|_gone| gone())
    }
}

impl LaneLocal {
    async fn alarm(
        self: Rc<Self>,
        worker: &Arc<Worker>,
        target: &Arc<ObjectTarget>,
        retries: u32,
        last: bool,
    ) -> Result<AlarmOutcome, EventError> {
        let isolate = self.isolate(worker).await?;
        self.object_is_free(&isolate, target).await;
        let object = isolate.object(target);
        object.admitted().await?;
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = since_epoch.unwrap_or_default().as_millis();
        let now = i64::try_from(now).unwrap_or(i64::MAX);
        let due = match isolate.object_database(&object, |database| database.begin_alarm(now))? {
            Due::Now(due) => due,
            Due::Later(Some(time)) => return Ok(AlarmOutcome::Later(time)),
            Due::Later(None) => return Ok(AlarmOutcome::Done),
        };
        let answer = isolate.call_alarm(&object, due, retries);
        let outcome = match answer {
            Ok(answer) => self.outcome(worker, answer).await,
            Err(error) => Outcome::Failed(error),
        };
        let failed = match outcome {
            Outcome::Failed(error) => Some(error),
            _ => None,
        };
        let again = failed.is_some() && !last;
        isolate.object_database(&object, |database| database.end_alarm(again))?;
        object.durable().await?;
        Ok(failed.map_or(AlarmOutcome::Done, AlarmOutcome::Failed))
    }
}
