//! How an object is kept out of memory while its database is replaced.

use std::sync::Arc;
use std::time::Duration;

use outboard_runtime::{EventError, ObjectNamespace, ObjectTarget};
use outboard_storage::ObjectKey;

use super::{NodeObjects, database_key};

/// How long an object may go on with what it does.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why an object did not leave memory.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AloneError {
    /// Somebody else replaces it.
    #[error("it is being replaced already")]
    Held,
    #[error("it has served events for {} s; try again when it serves none", PATIENCE.as_secs())]
    Busy,
    #[error("it did not leave memory: {0}")]
    Lane(#[from] EventError),
}

/// While it lives, nobody has an object's database; who comes to the object waits.
pub(crate) struct Alone {
    objects: Arc<NodeObjects>,
    key: ObjectKey,
}

impl Drop for Alone {
    fn drop(&mut self) {
        self.objects.held_databases.write().remove(&self.key);
        self.objects.let_go.notify_waiters();
    }
}

impl NodeObjects {
    /// Has an object leave memory, once it has done what it does. Its class is not known
    /// where no worker has it.
    pub(crate) async fn alone(
        self: &Arc<Self>,
        key: ObjectKey,
        namespace: Option<Arc<ObjectNamespace>>,
    ) -> Result<Alone, AloneError> {
        if !self.held_databases.write().insert(key) {
            return Err(AloneError::Held);
        }
        let alone = Alone {
            objects: self.clone(),
            key,
        };
        if let Some(namespace) = namespace {
            let target = Arc::new(ObjectTarget {
                namespace,
                id: outboard_runtime::ObjectId(key.id.0),
                name: None,
            });
            let evicted = tokio::time::timeout(PATIENCE, self.evict(&target)).await;
            evicted.map_err(|_late| AloneError::Busy)??;
        }
        Ok(alone)
    }

    /// Whether an object's database is replaced just now.
    pub(super) fn is_replaced(&self, target: &ObjectTarget) -> bool {
        let key = database_key(&target.namespace, target.id);
        self.held_databases.read().contains(&key)
    }

    async fn evict(&self, target: &Arc<ObjectTarget>) -> Result<(), EventError> {
        let mut lanes = self.apart.lanes();
        lanes.extend(self.lanes.get().into_iter().flatten().cloned());
        for lane in lanes {
            lane.evict_object(target.clone()).await?;
        }
        Ok(())
    }
}
