//! Alarms of durable objects, on the lane that the host has them on.

use std::rc::Rc;
use std::sync::Arc;

use futures::FutureExt;

use super::{LaneLocal, LaneRef};
use crate::error::EventError;
use crate::event::Outcome;
use crate::object::{Due, ObjectTarget, now};
use crate::worker::Worker;

/// What became of an alarm.
#[derive(Debug, Clone)]
pub enum AlarmOutcome {
    /// The handler succeeded, or there was no alarm any more. What comes next the
    /// host was told (`ObjectHost::alarm_changed`).
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
        let ran = self
            .ask(move |lane| {
                async move { lane.alarm(&worker, &target, retries, last).await }.boxed_local()
            })
            .await;
        ran.unwrap_or_else(AlarmOutcome::Failed)
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
        let (isolate, object) = self.enter(worker, target).await?;
        let begun = isolate.object_database(&object, |database| database.begin_alarm(now()));
        let due = match begun? {
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
        if object.gives_up_alarm.get() {
            return self.give_up(worker, target).await;
        }
        let again = failed.is_some() && !last;
        isolate.object_database(&object, |database| database.end_alarm(again))?;
        object.durable().await?;
        Ok(failed.map_or(AlarmOutcome::Done, AlarmOutcome::Failed))
    }

    /// Gives up the alarm of an object that ended meanwhile: the one that comes after it
    /// does.
    async fn give_up(
        self: &Rc<Self>,
        worker: &Arc<Worker>,
        target: &Arc<ObjectTarget>,
    ) -> Result<AlarmOutcome, EventError> {
        let (isolate, object) = self.enter(worker, target).await?;
        let due = isolate.object_database(&object, |database| database.begin_alarm(now()))?;
        if matches!(due, Due::Now(_)) {
            isolate.object_database(&object, |database| database.end_alarm(false))?;
        }
        object.durable().await?;
        Ok(AlarmOutcome::Done)
    }
}
