//! How databases are removed: files, history, and what is noted of them.

use std::io;

use super::{Store, StoreError, damage_path, named};
use crate::history::History;
use crate::key::{NamespaceId, ObjectKey, folder};

impl Store {
    /// Removes what a namespace has. None of its objects is open, and none will be
    /// opened again. After a crash, or where it fails, some may be left: it can be
    /// called again.
    pub fn remove_namespace(&self, namespace: NamespaceId) -> Result<(), StoreError> {
        // No commit of before may be replayed, which would make its file again.
        self.empty_log()?;
        let mut history = self.inner.history.lock();
        for path in self.paths(&folder(namespace))? {
            let Some(key) = ObjectKey::from_path(&path) else {
                continue;
            };
            if !self.remove_closed(key, &mut history)? {
                let open = io::Error::other("the object is open");
                return Err(named(&path, open));
            }
        }
        self.sync_objects()
    }

    /// Removes some objects that will not be opened again; those that are open stay. It
    /// can be called again, as above. Tells which are no more.
    pub fn remove(&self, keys: &[ObjectKey]) -> Result<Vec<ObjectKey>, StoreError> {
        self.empty_log()?;
        let mut history = self.inner.history.lock();
        let mut removed = Vec::new();
        for key in keys {
            if self.remove_closed(*key, &mut history)? {
                removed.push(*key);
            }
        }
        self.sync_objects()?;
        Ok(removed)
    }

    /// Removes an object unless it is open, and says whether it did.
    fn remove_closed(
        &self,
        key: ObjectKey,
        history: &mut Option<History>,
    ) -> Result<bool, StoreError> {
        let disk = &*self.inner.disk;
        let remove = |path: String| match disk.remove(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(named(&path, error)),
            _ => Ok(()),
        };
        if self.inner.objects.lock().contains_key(&key) {
            return Ok(false);
        }
        remove(key.path())?;
        remove(damage_path(key))?;
        if let Some(history) = history {
            let ended = history.end(key);
            ended.map_err(|error| named("history", error))?;
        }
        let mut notes = self.inner.notes.lock();
        let removed = notes.remove(disk, key);
        removed.map_err(|error| named("restores", error))?;
        Ok(true)
    }

    fn sync_objects(&self) -> Result<(), StoreError> {
        let synced = self.inner.disk.sync_all();
        synced.map_err(|error| named("objects", error))
    }
}
