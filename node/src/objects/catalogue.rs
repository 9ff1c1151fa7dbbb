//! Which classes the ids in a store are of: a database of the same store, for
//! people who look into it. Nothing that serves depends on it.

use std::collections::{BTreeMap, HashSet};

use outboard_runtime::ObjectNamespace;
use outboard_storage::{NamespaceId, Object, ObjectError, ObjectKey, Store};
use parking_lot::Mutex;
use rusqlite::Connection;

use super::namespace_id;

/// Like the index of alarms, no class's.
const CATALOGUE: ObjectKey = ObjectKey {
    namespace: NamespaceId(0),
    id: outboard_storage::ObjectId({
        let mut id = [0; 32];
        id[31] = 1;
        id
    }),
};

pub(crate) struct Catalogue {
    database: Mutex<Object>,
    known: Mutex<HashSet<NamespaceId>>,
}

impl Catalogue {
    pub(crate) fn open(store: &Store) -> Result<Self, ObjectError> {
        let database = store.object(CATALOGUE)?;
        let known = read(database.connection()).map_err(|error| database.explain(error))?;
        Ok(Self {
            database: Mutex::new(database),
            known: Mutex::new(known.into_keys().collect()),
        })
    }

    /// Remembers a namespace, in the log before anything of its objects.
    pub(crate) fn record(&self, namespace: &ObjectNamespace) -> Result<(), ObjectError> {
        let id = namespace_id(&namespace.key);
        if !self.known.lock().insert(id) {
            return Ok(());
        }
        let database = self.database.lock();
        let written = database.connection().execute(
            "INSERT OR REPLACE INTO namespaces VALUES (?, ?, ?, ?)",
            (
                id.0.to_be_bytes(),
                &namespace.key,
                &namespace.service,
                &namespace.class,
            ),
        );
        written
            .map(drop)
            .map_err(|error| database.explain(error))
            .inspect_err(|_| {
                self.known.lock().remove(&id);
            })
    }

    pub(crate) fn namespaces(&self) -> Result<BTreeMap<NamespaceId, ObjectNamespace>, ObjectError> {
        let database = self.database.lock();
        read(database.connection()).map_err(|error| database.explain(error))
    }
}

/// What the node itself keeps in a store, by the key of its database.
pub(crate) fn own(key: ObjectKey) -> Option<&'static str> {
    if key == CATALOGUE {
        Some("the catalogue of classes")
    } else if key == super::alarms::INDEX {
        Some("the index of alarms")
    } else {
        None
    }
}

fn read(connection: &Connection) -> rusqlite::Result<BTreeMap<NamespaceId, ObjectNamespace>> {
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS namespaces (
           id BLOB PRIMARY KEY, key TEXT NOT NULL, service TEXT NOT NULL, class TEXT NOT NULL
         ) WITHOUT ROWID;",
    )?;
    let mut statement = connection.prepare("SELECT id, key, service, class FROM namespaces")?;
    let rows = statement.query_map((), |row| {
        let namespace = ObjectNamespace {
            key: row.get(1)?,
            service: row.get(2)?,
            class: row.get(3)?,
        };
        Ok((NamespaceId(u64::from_be_bytes(row.get(0)?)), namespace))
    })?;
    rows.collect()
}
