//! Objects that become what they were: what they ask of it, and what follows.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use outboard_runtime::{ObjectTarget, StorageError};
use outboard_storage::{
    Bookmark, HistoryError, Object, ObjectError, ObjectKey, ObjectPast, Retention,
};
use tokio::sync::Semaphore;

use super::{Kept, NodeObjects, alarm_of, database_key, no_store, told};

/// As long as Workers document it.
const DAYS: u64 = 30;
/// What `outboard dev` keeps, and a node that is not told otherwise.
const DEV_BYTES: u64 = 1 << 30;
pub(crate) const NODE_MB: u64 = 10 << 10;

/// What is kept of the past for this many days, in so many MB.
pub(crate) fn keep(days: Option<u64>, mb: Option<u64>) -> Retention {
    match days.unwrap_or(DAYS) {
        0 => Retention::Nothing,
        days => Retention::Last {
            age: Duration::from_secs(days * 24 * 3_600),
            bytes: mb.unwrap_or(NODE_MB) << 20,
        },
    }
}

/// The same on a developer's machine.
pub(crate) fn keep_for_development() -> Retention {
    keep(None, Some(DEV_BYTES >> 20))
}

/// Each reads up to some segments, and holds checkpoints back meanwhile; the others
/// wait their turn.
static READERS: Semaphore = Semaphore::const_new(2);

/// An object's past, as its script asks for it.
pub(super) struct Asked {
    past: ObjectPast,
    key: ObjectKey,
    /// The last wish for the next session, which is to know of it.
    wish: Rc<RefCell<Option<Wish>>>,
}

type Wish = Shared<BoxFuture<'static, Result<String, StorageError>>>;

impl Asked {
    pub(super) fn of(object: &Object) -> Self {
        Self {
            past: object.past(),
            key: object.key(),
            wish: Rc::default(),
        }
    }

    pub(super) fn now(&self) -> String {
        self.past.now().text(self.key)
    }

    pub(super) fn at(&self, time: u64) -> BoxFuture<'static, Result<String, StorageError>> {
        self.ask(move |past| past.at(time))
    }

    pub(super) fn restore_next(&self, bookmark: &str) -> Wish {
        let to = Bookmark::parse(bookmark, self.key);
        let before = self.wish.borrow().clone();
        let asked = self.ask(move |past| past.restore_next(&to?));
        // In the order of the calls: the last one counts.
        let wish = tokio::spawn(async move {
            if let Some(before) = before {
                let _ = before.await;
            }
            asked.await
        });
        let wish = wish.map(|ended| ended.unwrap_or_else(|_| Err(ended_early())));
        let wish = wish.boxed().shared();
        *self.wish.borrow_mut() = Some(wish.clone());
        wish
    }

    /// Waits until what was wished for is noted, or refused.
    pub(super) async fn ended(&self) {
        let wish = self.wish.borrow().clone();
        if let Some(wish) = wish {
            // Whoever wished for it was told.
            let _ = wish.await;
        }
    }

    fn ask(
        &self,
        ask: impl FnOnce(&ObjectPast) -> Result<Bookmark, HistoryError> + Send + 'static,
    ) -> BoxFuture<'static, Result<String, StorageError>> {
        let (past, key) = (self.past.clone(), self.key);
        async move {
            // It is never closed.
            let _turn = READERS.acquire().await;
            let asked = tokio::task::spawn_blocking(move || ask(&past)).await;
            match asked {
                Ok(Ok(bookmark)) => Ok(bookmark.text(key)),
                Ok(Err(error)) => Err(refused(key, error)),
                Err(_) => Err(ended_early()),
            }
        }
        .boxed()
    }
}

fn ended_early() -> StorageError {
    StorageError {
        message: "the node ends".into(),
    }
}

fn refused(object: ObjectKey, error: HistoryError) -> StorageError {
    match error {
        HistoryError::Off => StorageError::no_history(),
        HistoryError::Object(error) => told(error),
        HistoryError::Io(_) | HistoryError::Damaged(_) => {
            tracing::error!(%object, %error, "an object's history cannot be read");
            StorageError {
                message: "the object's history could not be read or written".into(),
            }
        }
        error => StorageError {
            message: error.to_string(),
        },
    }
}

impl NodeObjects {
    /// Makes an object what it is to be, on a thread that may stand still.
    pub(super) async fn restore(
        self: Arc<Self>,
        target: Arc<ObjectTarget>,
    ) -> Result<(), StorageError> {
        let _one = self.restoring.lock().await;
        let node = self.clone();
        let done = tokio::task::spawn_blocking(move || {
            let kept = node.kept.get().ok_or_else(no_store)?;
            let key = database_key(&target.namespace, target.id);
            match kept.store.object(key) {
                Ok(mut object) => kept.follow(&mut object, &target),
                // Another event began it; what is wished for since is for the next.
                Err(ObjectError::Open(_)) => Ok(()),
                Err(error) => Err(told(error)),
            }
        });
        done.await.unwrap_or_else(|_| Err(ended_early()))
    }
}

impl Kept {
    /// Has what depends on an object follow it, where it became what it was.
    pub(super) fn follow(
        &self,
        object: &mut Object,
        target: &ObjectTarget,
    ) -> Result<(), StorageError> {
        if !object.is_restored() {
            return Ok(());
        }
        let time = alarm_of(object.connection()).map_err(|error| told(object.explain(error)))?;
        self.alarms.set(target, time, false)?;
        self.alarms.set(target, time, true)?;
        self.alarms.settle()?;
        object.finish_restore().map_err(told)?;
        tracing::info!(object = %object.key(), class = target.namespace.class, "an object was restored");
        Ok(())
    }
}
