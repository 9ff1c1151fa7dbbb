//! Which class the ids in a store are of, which names classes had, and which
//! migrations were applied; and what the databases are called that are no object's. A
//! database of the same store, so that a change of it is a commit like any other.

use std::collections::BTreeMap;
use std::sync::Arc;

use outboard_runtime::ObjectNamespace;
use outboard_storage::{
    LogError, NamespaceId, Object, ObjectError, ObjectId, ObjectKey, Receipt, Store,
};
use parking_lot::{Mutex, RwLock};
use rusqlite::Connection;

use super::classes::{Classes, Fate};
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

/// What the tables look like; 0 had `namespaces` alone, without `fate`.
const VERSION: u32 = 1;

/// What databases are called, for people who look into a store.
const NAMES: &str = "CREATE TABLE IF NOT EXISTS names (
  namespace BLOB, id BLOB, name TEXT NOT NULL, PRIMARY KEY (namespace, id)
) WITHOUT ROWID;";

/// Why the catalogue cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CatalogueError {
    #[error(transparent)]
    Object(#[from] ObjectError),
    #[error("a change of it is not durable: {0}")]
    Log(#[from] LogError),
    #[error("its format is {0}, and this version of Outboard reads {VERSION}")]
    Version(u32),
    #[error("{key}: {fate:?} is no fate of a class")]
    Fate { key: String, fate: String },
}

pub(crate) struct Catalogue {
    database: Mutex<Object>,
    classes: RwLock<Arc<Classes>>,
}

impl Catalogue {
    pub(crate) fn open(store: &Store) -> Result<Self, CatalogueError> {
        let database = store.object(CATALOGUE)?;
        let explain = |error| database.explain(error);
        upgrade(&database)?;
        database
            .connection()
            .execute_batch(NAMES)
            .map_err(explain)?;
        let classes = read(database.connection()).map_err(explain)??;
        Ok(Self {
            database: Mutex::new(database),
            classes: RwLock::new(Arc::new(classes)),
        })
    }

    /// All that is known, as it is now.
    pub(crate) fn classes(&self) -> Arc<Classes> {
        self.classes.read().clone()
    }

    /// Remembers a namespace whose key its worker gives, in the log before anything of
    /// its objects.
    pub(crate) fn record(&self, namespace: &Arc<ObjectNamespace>) -> Result<(), CatalogueError> {
        let live = Fate::Live(namespace.clone());
        let change = |classes: &mut Classes| {
            classes.keys.insert(namespace.key.clone(), live);
        };
        self.change(change).map(drop)
    }

    /// Makes `classes` the truth; it is durable when this returns.
    pub(crate) async fn replace(&self, mut classes: Classes) -> Result<(), CatalogueError> {
        let change = |now: &mut Classes| {
            // What was removed since they were read is not there again.
            for (key, fate) in &now.keys {
                if *fate == Fate::Gone {
                    classes.keys.insert(key.clone(), Fate::Gone);
                }
            }
            *now = classes;
        };
        match self.change(change)? {
            Some(receipt) => Ok(receipt.wait().await?),
            None => Ok(()),
        }
    }

    /// Remembers that nothing is left of a class that was deleted.
    pub(crate) fn forget(&self, key: &str) -> Result<(), CatalogueError> {
        let change = |classes: &mut Classes| {
            classes.keys.insert(key.into(), Fate::Gone);
        };
        self.change(change).map(drop)
    }

    /// Remembers what a database is called.
    fn call(&self, key: ObjectKey, name: &str) -> Result<(), ObjectError> {
        let database = self.database.lock();
        let written = database.connection().execute(
            "INSERT OR IGNORE INTO names VALUES (?, ?, ?)",
            (key.namespace.0.to_be_bytes(), key.id.0, name),
        );
        written.map(drop).map_err(|error| database.explain(error))
    }

    /// What the databases are called that are no object's.
    pub(crate) fn names(&self) -> Result<BTreeMap<ObjectKey, String>, ObjectError> {
        let database = self.database.lock();
        let read = || {
            let connection = database.connection();
            let mut statement = connection.prepare("SELECT namespace, id, name FROM names")?;
            let rows = statement.query_map((), |row| {
                let key = ObjectKey {
                    namespace: NamespaceId(u64::from_be_bytes(row.get(0)?)),
                    id: ObjectId(row.get(1)?),
                };
                Ok((key, row.get(2)?))
            })?;
            rows.collect::<rusqlite::Result<_>>()
        };
        read().map_err(|error| database.explain(error))
    }

    fn change(&self, change: impl FnOnce(&mut Classes)) -> Result<Option<Receipt>, CatalogueError> {
        let database = self.database.lock();
        let before = self.classes();
        let mut after = (*before).clone();
        change(&mut after);
        if *before != after {
            write(database.connection(), &after).map_err(|error| database.explain(error))?;
            *self.classes.write() = Arc::new(after);
        }
        Ok(database.newest())
    }

    pub(crate) fn namespaces(&self) -> BTreeMap<NamespaceId, Arc<ObjectNamespace>> {
        let classes = self.classes();
        let live = classes.keys.iter().filter_map(|(key, fate)| match fate {
            Fate::Live(live) => Some((namespace_id(key), live.clone())),
            Fate::Doomed | Fate::Gone => None,
        });
        live.collect()
    }
}

/// The database of a kind that has a name. A kind is no class's key, which has a colon;
/// so people name both alike.
pub(crate) fn key_of(kind: &str, name: &str) -> ObjectKey {
    ObjectKey {
        namespace: namespace_id(kind),
        id: ObjectId(outboard_runtime::ObjectId::from_name(kind, name).0),
    }
}

/// Opens the database of a kind that has a name, and makes it if it is new. One that
/// is open is refused.
pub(crate) fn open_named(
    store: &Store,
    catalogue: Option<&Catalogue>,
    kind: &str,
    name: &str,
) -> Result<Object, ObjectError> {
    let key = key_of(kind, name);
    if let Some(catalogue) = catalogue
        && let Err(error) = catalogue.call(key, &format!("{kind}/{name}"))
    {
        tracing::error!(%error, kind, name, "it is not in the catalogue");
    }
    store.object(key)
}

/// What the node itself keeps in a store, by the key of its database.
pub(crate) fn own(key: ObjectKey) -> Option<&'static str> {
    if key == CATALOGUE {
        Some("the catalogue of classes")
    } else if key == super::alarms::INDEX {
        Some("the index of alarms")
    } else if key == super::facets::INDEX {
        Some("the index of facets")
    } else {
        None
    }
}

fn upgrade(database: &Object) -> Result<(), CatalogueError> {
    let connection = database.connection();
    let version = connection.query_row("PRAGMA user_version", (), |row| row.get(0));
    match version.map_err(|error| database.explain(error))? {
        0 => {}
        VERSION => return Ok(()),
        newer => return Err(CatalogueError::Version(newer)),
    }
    let upgraded = connection.execute_batch(&format!(
        "BEGIN;
         CREATE TABLE IF NOT EXISTS namespaces (
           id BLOB PRIMARY KEY, key TEXT NOT NULL, service TEXT NOT NULL, class TEXT NOT NULL
         ) WITHOUT ROWID;
         ALTER TABLE namespaces ADD COLUMN fate TEXT NOT NULL DEFAULT 'live';
         CREATE TABLE forwards (
           service TEXT, class TEXT, key TEXT NOT NULL, PRIMARY KEY (service, class)
         ) WITHOUT ROWID;
         CREATE TABLE tags (
           service TEXT, position INTEGER, tag TEXT NOT NULL, PRIMARY KEY (service, position)
         ) WITHOUT ROWID;
         PRAGMA user_version = {VERSION};
         COMMIT;"
    ));
    upgraded.map_err(|error| database.explain(error).into())
}

fn read(connection: &Connection) -> rusqlite::Result<Result<Classes, CatalogueError>> {
    let mut classes = Classes::default();
    let mut all = connection.prepare("SELECT key, service, class, fate FROM namespaces")?;
    let mut rows = all.query(())?;
    while let Some(row) = rows.next()? {
        let (key, fate): (String, String) = (row.get(0)?, row.get(3)?);
        let fate = match fate.as_str() {
            "live" => Fate::Live(Arc::new(ObjectNamespace {
                service: row.get(1)?,
                class: row.get(2)?,
                key: key.clone(),
            })),
            "doomed" => Fate::Doomed,
            "gone" => Fate::Gone,
            _ => return Ok(Err(CatalogueError::Fate { key, fate })),
        };
        classes.keys.insert(key, fate);
    }
    let mut all = connection.prepare("SELECT service, class, key FROM forwards")?;
    let mut rows = all.query(())?;
    while let Some(row) = rows.next()? {
        let name = (row.get(0)?, row.get(1)?);
        classes.forwards.insert(name, row.get(2)?);
    }
    let mut all = connection.prepare("SELECT service, tag FROM tags ORDER BY service, position")?;
    let mut rows = all.query(())?;
    while let Some(row) = rows.next()? {
        let tags = classes.tags.entry(row.get(0)?).or_default();
        tags.push(row.get(1)?);
    }
    Ok(Ok(classes))
}

/// Writes all of it: it is small, and changes when something is deployed.
fn write(connection: &Connection, classes: &Classes) -> rusqlite::Result<()> {
    let transaction = connection.unchecked_transaction()?;
    transaction.execute_batch("DELETE FROM namespaces; DELETE FROM forwards; DELETE FROM tags;")?;
    let mut insert = transaction.prepare("INSERT INTO namespaces VALUES (?, ?, ?, ?, ?)")?;
    for (key, fate) in &classes.keys {
        let (fate, service, class) = match fate {
            Fate::Live(live) => ("live", &*live.service, &*live.class),
            Fate::Doomed => ("doomed", "", ""),
            Fate::Gone => ("gone", "", ""),
        };
        let id = namespace_id(key).0.to_be_bytes();
        insert.execute((id, key, service, class, fate))?;
    }
    drop(insert);
    let mut insert = transaction.prepare("INSERT INTO forwards VALUES (?, ?, ?)")?;
    for ((service, class), key) in &classes.forwards {
        insert.execute((service, class, key))?;
    }
    drop(insert);
    let mut insert = transaction.prepare("INSERT INTO tags VALUES (?, ?, ?)")?;
    for (service, tags) in &classes.tags {
        for (position, tag) in (0_u32..).zip(tags) {
            insert.execute((service, position, tag))?;
        }
    }
    drop(insert);
    transaction.commit()
}
