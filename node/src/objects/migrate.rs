//! How migrations are applied while the node runs: planned, then one commit of the
//! catalogue, then what was deleted is removed.

use std::sync::Arc;

use futures::future::try_join_all;
use outboard_runtime::{EventError, ObjectsEnd, StorageError};
use outboard_storage::StoreError;

use super::catalogue::CatalogueError;
use super::classes::{Classes, MigrationError, Wanted};
use super::{Kept, NodeObjects, namespace_id};

/// What the classes are to become; nothing has changed yet.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    after: Classes,
    moved: Vec<String>,
    deleted: Vec<String>,
    changed: bool,
}

impl Plan {
    /// The classes as they will be.
    pub(crate) fn classes(&self) -> &Classes {
        &self.after
    }

    /// Whether there is anything to carry out.
    pub(crate) fn changes(&self) -> bool {
        self.changed
    }

    /// Whether classes that there are change, and with them objects.
    pub(crate) fn changes_objects(&self) -> bool {
        !self.moved.is_empty() || !self.deleted.is_empty()
    }
}

/// Why a plan was not carried out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MigrateError {
    #[error("migrations: {0}")]
    Catalogue(#[from] CatalogueError),
    #[error("migrations: the objects of a class did not end: {0}")]
    Objects(#[from] EventError),
}

/// Why something of a deleted class is still there.
#[derive(Debug, thiserror::Error)]
enum RemoveError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("its alarms or facets: {0}")]
    Index(#[from] StorageError),
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
}

/// While it lives, nobody comes to objects whose classes have changed: what is to
/// serve them may not be there yet.
pub(crate) struct Held {
    objects: Arc<NodeObjects>,
    keys: Vec<String>,
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut held = self.objects.held.write();
        for key in &self.keys {
            held.remove(key);
        }
        drop(held);
        self.objects.let_go.notify_waiters();
    }
}

impl NodeObjects {
    /// What the classes become when these workers are served.
    ///
    /// # Errors
    /// With the faults of each worker.
    pub(crate) fn plan(
        &self,
        workers: Vec<Wanted<'_>>,
    ) -> Result<Plan, Vec<(String, MigrationError)>> {
        let before = self.classes();
        let mut after = (*before).clone();
        after.apply(workers, &|key| self.is_empty(key))?;
        let (moved, deleted) = before.changed_in(&after);
        Ok(Plan {
            changed: *before != after,
            moved,
            deleted,
            after,
        })
    }

    fn is_empty(&self, key: &str) -> Result<bool, StoreError> {
        match self.kept.get() {
            Some(kept) => Ok(!kept.store.has_objects(namespace_id(key))?),
            None => Ok(true),
        }
    }

    /// Carries out a plan: ends the objects whose classes change, and records the
    /// change. After a crash all of it has happened or nothing. Whoever comes to
    /// these objects waits until what is returned is dropped.
    ///
    /// Plans are made and carried out one at a time.
    pub(crate) async fn migrate(self: &Arc<Self>, plan: &Plan) -> Result<Held, MigrateError> {
        let mut held = Held {
            objects: self.clone(),
            keys: Vec::new(),
        };
        let Some(kept) = self.kept.get().filter(|_| plan.changed) else {
            return Ok(held);
        };
        held.keys = [&plan.moved[..], &plan.deleted[..]].concat();
        self.held.write().extend(held.keys.iter().cloned());
        self.end_objects(&plan.moved, ObjectsEnd::Moved).await?;
        self.end_objects(&plan.deleted, ObjectsEnd::Deleted).await?;
        kept.catalogue.replace(plan.after.clone()).await?;
        self.remove_deleted();
        Ok(held)
    }

    async fn end_objects(&self, keys: &[String], end: ObjectsEnd) -> Result<(), EventError> {
        if keys.is_empty() {
            return Ok(());
        }
        let mut lanes = self.apart.lanes();
        lanes.extend(self.lanes.get().into_iter().flatten().cloned());
        let keys: Arc<[String]> = keys.into();
        let ends = lanes.iter();
        try_join_all(ends.map(|lane| lane.end_objects(keys.clone(), end))).await?;
        Ok(())
    }

    /// Removes what classes had that were deleted, on a thread of its own. What is
    /// left when the node ends is removed when it starts again.
    pub(super) fn remove_deleted(self: &Arc<Self>) {
        if self.classes().doomed().is_empty() {
            return;
        }
        let objects = self.clone();
        let started = std::thread::Builder::new()
            .name("deleted classes".into())
            .spawn(move || {
                if let Some(kept) = objects.kept.get() {
                    kept.remove_deleted();
                }
            });
        if let Err(error) = started {
            tracing::error!(%error, "deleted classes are removed at the next start");
        }
    }
}

impl Kept {
    fn remove_deleted(&self) {
        for key in self.catalogue.classes().doomed() {
            if let Err(error) = self.remove(&key) {
                tracing::error!(%error, class = key, "a deleted class was not removed");
            }
        }
    }

    fn remove(&self, key: &str) -> Result<(), RemoveError> {
        self.store.remove_namespace(namespace_id(key))?;
        self.alarms.forget_class(key)?;
        self.facets.forget_class(key)?;
        self.catalogue.forget(key)?;
        Ok(())
    }
}
