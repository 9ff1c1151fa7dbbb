//! The facets that objects have: an index over all of the node, in a database of the same
//! store, so that an object's facets are known while nobody has it in memory.
//!
//! A facet's database is in the namespace of the object that has it, by an id that the
//! index gives it. The entry is in the log before anything of the facet. What is deleted
//! moves to another table in one commit, with all facets of its own: it is gone then, and
//! its files are removed later.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use outboard_runtime::{FacetPresence, ObjectId, ObjectTarget, StorageError};
use outboard_storage::{NamespaceId, Object, ObjectError, ObjectKey, Receipt, Store};
use parking_lot::{MappedMutexGuard, Mutex, MutexGuard};
use rusqlite::OptionalExtension;

use super::{Kept, NodeObjects, namespace_id, no_store, told};

/// Like the index of alarms, no class's.
pub(super) const INDEX: ObjectKey = ObjectKey {
    namespace: NamespaceId(0),
    id: outboard_storage::ObjectId({
        let mut id = [0; 32];
        id[31] = 2;
        id
    }),
};

const TABLES: &str = "CREATE TABLE IF NOT EXISTS facets (
  key TEXT, parent BLOB, name TEXT, id BLOB NOT NULL UNIQUE, PRIMARY KEY (key, parent, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS deleted (
  key TEXT, id BLOB, PRIMARY KEY (key, id)
) WITHOUT ROWID;";

/// How long files of deleted facets stay: removing some is a checkpoint, as removing many
/// is.
const LATER: Duration = Duration::from_secs(5);

pub(crate) struct Facets {
    /// None until there is a facet: most stores have none.
    index: Mutex<Option<Object>>,
    /// The starts of facets that may be in memory.
    starts: Mutex<HashMap<ObjectId, Weak<FacetPresence>>>,
    /// Files of deleted ones are about to be removed.
    removing: AtomicBool,
}

/// A facet as people are told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FacetName {
    /// Who has it.
    pub(crate) parent: outboard_storage::ObjectId,
    pub(crate) name: String,
}

impl Facets {
    pub(crate) fn open(store: &Store) -> Result<Self, ObjectError> {
        let index = match store.exists(INDEX)? {
            true => Some(opened(store)?),
            false => None,
        };
        Ok(Self {
            index: Mutex::new(index),
            starts: Mutex::default(),
            removing: AtomicBool::new(false),
        })
    }

    /// The index, made where there is none.
    fn index(&self, store: &Store) -> Result<MappedMutexGuard<'_, Object>, ObjectError> {
        let mut index = self.index.lock();
        if index.is_none() {
            *index = Some(opened(store)?);
        }
        MutexGuard::try_map(index, Option::as_mut).map_err(|_none| ObjectError::Open(INDEX))
    }

    /// The id that a facet's database has, a new one where there is no such facet.
    fn id(&self, store: &Store, of: &ObjectTarget, name: &str) -> Result<ObjectId, ObjectError> {
        let index = self.index(store)?;
        let known = index
            .connection()
            .prepare_cached("SELECT id FROM facets WHERE key = ? AND parent = ? AND name = ?")
            .and_then(|mut find| {
                let found = find.query_one((&of.namespace.key, of.id.0, name), |row| row.get(0));
                found.optional()
            });
        if let Some(id) = known.map_err(|error| index.explain(error))? {
            return Ok(ObjectId(id));
        }
        // No id of an object: those say whose they are, by 16 bytes of a hash.
        let mut id = [0; 32];
        getrandom::fill(&mut id).map_err(|error| ObjectError::Io {
            object: INDEX,
            error: Arc::new(std::io::Error::other(error.to_string())),
        })?;
        let added = index.connection().execute(
            "INSERT INTO facets VALUES (?, ?, ?, ?)",
            (&of.namespace.key, of.id.0, name, id),
        );
        added.map_err(|error| index.explain(error))?;
        Ok(ObjectId(id))
    }

    /// Notes that a facet starts; the start before it, where that may be in memory.
    fn begin(&self, id: ObjectId, presence: &Arc<FacetPresence>) -> Option<Arc<FacetPresence>> {
        let mut starts = self.starts.lock();
        let before = starts.insert(id, Arc::downgrade(presence));
        if starts.len().is_power_of_two() {
            starts.retain(|_, start| start.strong_count() > 0);
        }
        before.and_then(|before| before.upgrade())
    }

    /// Deletes a facet, or all that an object has, with theirs. None: there was none.
    fn delete(
        &self,
        of: &ObjectTarget,
        name: Option<&str>,
    ) -> Result<Option<Receipt>, ObjectError> {
        let index = self.index.lock();
        let Some(index) = &*index else {
            return Ok(None);
        };
        let delete = || {
            let transaction = index.connection().unchecked_transaction()?;
            let moved = transaction.execute(
                "WITH RECURSIVE gone(id) AS (
                   SELECT id FROM facets
                     WHERE key = ?1 AND parent = ?2 AND (?3 IS NULL OR name = ?3)
                   UNION ALL
                   SELECT facets.id FROM gone JOIN facets ON key = ?1 AND parent = gone.id
                 ) INSERT INTO deleted SELECT ?1, id FROM gone",
                (&of.namespace.key, of.id.0, name),
            )?;
            if moved > 0 {
                transaction.execute(
                    "DELETE FROM facets WHERE key = ?1
                       AND id IN (SELECT id FROM deleted WHERE key = ?1)",
                    [&of.namespace.key],
                )?;
            }
            transaction.commit()?;
            Ok(moved)
        };
        let moved = delete().map_err(|error| index.explain(error))?;
        Ok(index.newest().filter(|_| moved > 0))
    }

    /// Those whose files are still to be removed.
    fn deleted(&self) -> Result<Vec<(String, ObjectKey)>, ObjectError> {
        let index = self.index.lock();
        let Some(index) = &*index else {
            return Ok(Vec::new());
        };
        let read = || {
            let mut statement = index.connection().prepare("SELECT key, id FROM deleted")?;
            let rows = statement.query_map((), |row| {
                let key: String = row.get(0)?;
                let database = ObjectKey {
                    namespace: namespace_id(&key),
                    id: outboard_storage::ObjectId(row.get(1)?),
                };
                Ok((key, database))
            })?;
            rows.collect::<rusqlite::Result<_>>()
        };
        read().map_err(|error| index.explain(error))
    }

    fn forget(&self, removed: &[(String, ObjectKey)]) -> Result<(), ObjectError> {
        let index = self.index.lock();
        let Some(index) = &*index else {
            return Ok(());
        };
        let forget = || {
            let transaction = index.connection().unchecked_transaction()?;
            let mut delete = transaction.prepare("DELETE FROM deleted WHERE key = ? AND id = ?")?;
            for (key, database) in removed {
                delete.execute((key, database.id.0))?;
            }
            drop(delete);
            transaction.commit()
        };
        forget().map_err(|error: rusqlite::Error| index.explain(error))
    }

    /// Forgets the facets of a class that is no more.
    pub(super) fn forget_class(&self, key: &str) -> Result<(), StorageError> {
        let index = self.index.lock();
        let Some(index) = &*index else {
            return Ok(());
        };
        for sql in [
            "DELETE FROM facets WHERE key = ?",
            "DELETE FROM deleted WHERE key = ?",
        ] {
            let deleted = index.connection().execute(sql, [key]);
            deleted.map_err(|error| told(index.explain(error)))?;
        }
        Ok(())
    }

    /// Whose facets databases are, for people who look into a store.
    pub(crate) fn names(&self) -> Result<BTreeMap<ObjectKey, FacetName>, ObjectError> {
        let index = self.index.lock();
        let Some(index) = &*index else {
            return Ok(BTreeMap::new());
        };
        let read = || {
            let connection = index.connection();
            let mut statement = connection.prepare("SELECT key, parent, name, id FROM facets")?;
            let rows = statement.query_map((), |row| {
                let key: String = row.get(0)?;
                let database = ObjectKey {
                    namespace: namespace_id(&key),
                    id: outboard_storage::ObjectId(row.get(3)?),
                };
                let name = FacetName {
                    parent: outboard_storage::ObjectId(row.get(1)?),
                    name: row.get(2)?,
                };
                Ok((database, name))
            })?;
            rows.collect::<rusqlite::Result<_>>()
        };
        read().map_err(|error| index.explain(error))
    }
}

fn opened(store: &Store) -> Result<Object, ObjectError> {
    let index = store.object(INDEX)?;
    let made = index.connection().execute_batch(TABLES);
    made.map_err(|error| index.explain(error))?;
    Ok(index)
}

impl NodeObjects {
    /// See `ObjectHost::facet`: the id, and the start to wait for.
    pub(super) fn begin_facet(
        &self,
        of: &ObjectTarget,
        name: &str,
        presence: &Arc<FacetPresence>,
    ) -> Result<(ObjectId, Option<Arc<FacetPresence>>), StorageError> {
        let kept = self.kept.get().ok_or_else(no_store)?;
        let id = kept.facets.id(&kept.store, of, name).map_err(told)?;
        Ok((id, kept.facets.begin(id, presence)))
    }

    /// See `ObjectHost::delete_facets`.
    pub(super) fn delete_facets(
        self: &Arc<Self>,
        of: &ObjectTarget,
        name: Option<&str>,
    ) -> Result<Option<BoxFuture<'static, Result<(), StorageError>>>, StorageError> {
        let kept = self.kept.get().ok_or_else(no_store)?;
        let Some(receipt) = kept.facets.delete(of, name).map_err(told)? else {
            return Ok(None);
        };
        self.remove_deleted_facets();
        let durable = async move {
            receipt.wait().await.map_err(|error| StorageError {
                message: error.to_string(),
            })
        };
        Ok(Some(durable.boxed()))
    }

    /// Removes the files of deleted facets, a little later. What is left when the node
    /// ends is removed when it starts again.
    pub(super) fn remove_deleted_facets(self: &Arc<Self>) {
        let Some(kept) = self.kept.get() else {
            return;
        };
        let is_some = kept
            .facets
            .deleted()
            .is_ok_and(|deleted| !deleted.is_empty());
        if !is_some || kept.facets.removing.swap(true, Ordering::Relaxed) {
            return;
        }
        let node = Arc::downgrade(self);
        let started = std::thread::Builder::new()
            .name("deleted facets".into())
            .spawn(move || {
                std::thread::sleep(LATER);
                let Some(node) = node.upgrade() else {
                    return;
                };
                if let Some(kept) = node.kept.get() {
                    kept.facets.removing.store(false, Ordering::Relaxed);
                    if let Err(error) = kept.remove_deleted_facets() {
                        tracing::error!(%error, "deleted facets were not removed");
                        return;
                    }
                }
                // Some may have been open still, and some are new.
                node.remove_deleted_facets();
            });
        if let Err(error) = started {
            tracing::error!(%error, "deleted facets are removed at the next start");
        }
    }
}

impl Kept {
    fn remove_deleted_facets(&self) -> Result<(), RemoveError> {
        let deleted = self.facets.deleted()?;
        let keys: Vec<_> = deleted.iter().map(|(_, database)| *database).collect();
        let removed = self.store.remove(&keys)?;
        let removed: Vec<_> = deleted
            .into_iter()
            .filter(|(_, database)| removed.contains(database))
            .collect();
        self.facets.forget(&removed)?;
        Ok(())
    }
}

/// Why something of a deleted facet is still there.
#[derive(Debug, thiserror::Error)]
enum RemoveError {
    #[error(transparent)]
    Store(#[from] outboard_storage::StoreError),
    #[error(transparent)]
    Index(#[from] ObjectError),
}
