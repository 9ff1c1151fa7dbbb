//! The node's durable objects: which worker has a class, which lane an object is
//! on, and the store that keeps their databases.

mod alarms;
mod apart;
mod catalogue;
mod classes;
mod facets;
mod lane;
mod migrate;
mod past;
mod replace;

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use futures::FutureExt;
use futures::future::{BoxFuture, LocalBoxFuture};
use http::Request;
use outboard_runtime::{
    Delivery, Entrypoint, EventError, FetchError, HostBody, Lane, LaneLocal, LaneRef,
    ObjectIsolation, ObjectNamespace, ObjectStorage, ObjectTarget, Report, RpcEnd, ServiceAnswer,
    ServiceError, ServiceTarget, StorageError, Worker,
};
use outboard_storage::{
    Damage, NamespaceId, Object, ObjectError, ObjectId, ObjectKey, Retention, Store, StoreOptions,
};
use parking_lot::RwLock;
use rusqlite::Connection;
use sha2::{Digest, Sha256};
use tokio::sync::{Notify, watch};

pub(crate) use self::alarms::{Alarms, alarm_of};
use self::apart::{Apart, Seat};
use self::catalogue::CatalogueError;
pub(crate) use self::catalogue::{Catalogue, key_of, open_named, own};
use self::classes::Fate;
pub(crate) use self::classes::{Classes, MigrationError, Scope, Wanted};
pub(crate) use self::facets::{FacetName, Facets};
pub(crate) use self::lane::LaneObjects;
pub(crate) use self::migrate::{MigrateError, Plan};
pub(crate) use self::past::{keep, keep_for_development};
pub(crate) use self::replace::AloneError;
use crate::duties::Deployed;
use crate::host::MakeHost;
use crate::ingress::Roster;

/// What a store does not open for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    #[error("{}: {source}", path.display())]
    Store {
        path: PathBuf,
        source: outboard_storage::StoreError,
    },
    #[error("{}: the index of alarms: {source}", path.display())]
    Alarms { path: PathBuf, source: StorageError },
    #[error("{}: the index of facets: {source}", path.display())]
    Facets { path: PathBuf, source: ObjectError },
    #[error("{}: the catalogue of classes: {source}", path.display())]
    Catalogue {
        path: PathBuf,
        source: CatalogueError,
    },
}

#[derive(Default)]
pub(crate) struct NodeObjects {
    /// Opened when there is a class: most nodes have none.
    kept: OnceLock<Kept>,
    opened: watch::Sender<bool>,
    /// Keys whose classes change just now: who wants an object of theirs waits.
    held: RwLock<HashSet<String>>,
    /// Databases that are replaced just now: who wants their objects waits too.
    held_databases: RwLock<HashSet<ObjectKey>>,
    let_go: Notify,
    /// Objects become what they were one at a time.
    restoring: tokio::sync::Mutex<()>,
    /// All of a kind: an object's is told by its id.
    lanes: OnceLock<Vec<LaneRef>>,
    /// Those of objects that have an isolate each.
    apart: Arc<Apart>,
    workers: RwLock<HashMap<String, Arc<Worker>>>,
    /// What is served, for what comes by itself.
    deployed: watch::Sender<Arc<[Deployed]>>,
    /// Whose turn it is of the lanes.
    turn: AtomicUsize,
}

/// What a folder of objects has.
struct Kept {
    store: Store,
    /// What was found when it was opened.
    damage: Vec<Damage>,
    alarms: Alarms,
    catalogue: Catalogue,
    facets: Facets,
    folder: PathBuf,
}

impl NodeObjects {
    /// Opens the folder that objects are kept in, and recovers what a crash left
    /// there. Does nothing where one is open.
    pub(crate) fn keep_in(self: &Arc<Self>, path: &Path, past: Retention) -> Result<(), OpenError> {
        if self.kept.get().is_some() {
            return Ok(());
        }
        let options = StoreOptions {
            keep: past,
            ..StoreOptions::default()
        };
        let (store, recovery) = Store::open(path, options).map_err(|source| OpenError::Store {
            path: path.to_path_buf(),
            source,
        })?;
        if recovery.commits > 0 {
            tracing::info!(commits = recovery.commits, "recovered objects from the log");
        }
        for damage in &recovery.damage {
            tracing::error!(%damage, object = ?damage.object, "a commit is damaged");
        }
        let alarms = Alarms::open(&store).map_err(|source| OpenError::Alarms {
            path: path.to_path_buf(),
            source,
        })?;
        let catalogue = Catalogue::open(&store).map_err(|source| OpenError::Catalogue {
            path: path.to_path_buf(),
            source,
        })?;
        let facets = Facets::open(&store).map_err(|source| OpenError::Facets {
            path: path.to_path_buf(),
            source,
        })?;
        let _ = self.kept.set(Kept {
            store,
            damage: recovery.damage,
            alarms,
            catalogue,
            facets,
            folder: path.to_path_buf(),
        });
        self.opened.send_replace(true);
        self.remove_deleted();
        self.remove_deleted_facets();
        Ok(())
    }

    /// What is kept beside objects is kept in their store.
    pub(crate) fn store(&self) -> Option<&Store> {
        self.kept.get().map(|kept| &kept.store)
    }

    /// Waits until it is open.
    pub(crate) async fn opened(&self) {
        // Its sender is here.
        let _ = self.opened.subscribe().wait_for(|is_open| *is_open).await;
    }

    /// What was found to be damaged of the log when it was opened.
    pub(crate) fn damage(&self) -> &[Damage] {
        self.kept.get().map_or(&[], |kept| &kept.damage)
    }

    /// What tells people what databases are.
    pub(crate) fn indexes(&self) -> Option<(&Catalogue, &Facets)> {
        let kept = self.kept.get()?;
        Some((&kept.catalogue, &kept.facets))
    }

    /// Has an alarm ring that came with an object's database.
    pub(crate) fn set_alarm(&self, target: &ObjectTarget, time: i64) -> Result<(), StorageError> {
        let kept = self.kept.get().ok_or_else(no_store)?;
        kept.alarms.set(target, Some(time), false)
    }

    /// Opens a database that is kept beside objects, by its kind and name; None where
    /// there is no store. One that is open is refused.
    pub(crate) fn database(&self, kind: &str, name: &str) -> Option<Result<Object, ObjectError>> {
        let Kept {
            store, catalogue, ..
        } = self.kept.get()?;
        Some(open_named(store, Some(catalogue), kind, name))
    }

    /// The classes of the node's workers.
    pub(crate) fn classes(&self) -> Arc<Classes> {
        let kept = self.kept.get();
        kept.map_or_else(Arc::default, |kept| kept.catalogue.classes())
    }

    /// The folder that the store is in.
    pub(crate) fn folder(&self) -> Option<&Path> {
        self.kept.get().map(|kept| kept.folder.as_path())
    }

    /// Runs objects on `lanes`, and those with an isolate each on lanes with such hosts.
    pub(crate) fn run_on(&self, lanes: Vec<LaneRef>, host: MakeHost) {
        let _ = self.lanes.set(lanes);
        self.apart.run_with(host);
    }

    /// Those that it has started, for the node to stop.
    pub(crate) fn take_lanes(&self) -> Vec<Lane> {
        self.apart.take_lanes()
    }

    /// Objects and services called from now on run these versions.
    pub(crate) fn set_workers(&self, roster: &Roster) {
        let workers = roster
            .targets()
            .map(|target| (target.worker.name().to_string(), target.worker.clone()));
        *self.workers.write() = workers.collect();
        if let Some(kept) = self.kept.get() {
            kept.alarms.end_waits();
        }
        self.apart.retire(|version| {
            let served = self.named(version.name());
            served.is_some_and(|served| Arc::ptr_eq(&served, version))
        });
        let mut deployed: Vec<Deployed> = Vec::new();
        for target in roster.targets() {
            let same = |other: &Deployed| Arc::ptr_eq(&other.worker, &target.worker);
            if !deployed.iter().any(same) {
                deployed.push(Deployed {
                    worker: target.worker.clone(),
                    lane: target.lane.as_ref().map(|lane| lane.handle()),
                    duties: target.duties.clone(),
                });
            }
        }
        self.deployed.send_replace(deployed.into());
    }

    /// What is served, and every change of it.
    pub(crate) fn deployed(&self) -> watch::Receiver<Arc<[Deployed]>> {
        self.deployed.subscribe()
    }

    pub(crate) fn lane_count(&self) -> usize {
        self.lanes.get().map_or(1, Vec::len)
    }

    /// Hands a worker a delivery, on its lane or on the one whose turn it is.
    pub(crate) async fn deliver(
        &self,
        deployed: &Deployed,
        delivery: Delivery,
    ) -> Result<Report, EventError> {
        let lanes = self.lanes.get().filter(|lanes| !lanes.is_empty());
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let lane = match (&deployed.lane, lanes) {
            (Some(own), _) => own,
            (None, Some(lanes)) => &lanes[turn % lanes.len()],
            (None, None) => {
                return Err(EventError::IsolateLost {
                    reason: "the node has no lane".into(),
                });
            }
        };
        let target = Arc::new(ServiceTarget {
            service: deployed.worker.name().into(),
            entrypoint: Entrypoint::default(),
        });
        let worker = deployed.worker.clone();
        lane.deliver_to(worker, target, delivery).await
    }

    /// Adds a worker, whose classes have keys of its own.
    pub(crate) fn set_worker(&self, name: &str, worker: Arc<Worker>) {
        if let Some(kept) = self.kept.get() {
            for (_, namespace) in worker.namespaces() {
                let recorded = kept.catalogue.record(&Arc::new(namespace.clone()));
                if let Err(error) = recorded {
                    tracing::error!(%error, class = namespace.key, "a class is not in the catalogue");
                }
            }
        }
        self.workers.write().insert(name.into(), worker);
    }

    /// Sends a request to an object; `lane` is the caller's.
    async fn call(
        self: Arc<Self>,
        lane: Option<Rc<LaneLocal>>,
        target: Arc<ObjectTarget>,
        request: Request<HostBody>,
    ) -> Result<ServiceAnswer, ServiceError> {
        let (worker, target) = self.place(&target).await?;
        let home = self.home(worker, &target)?;
        let worker = home.worker.clone();
        let served = match lane {
            Some(lane) if home.lane.is(&lane) => lane.object(worker, target, request).await?,
            _ => home.lane.object(worker, target, request).await?,
        };
        Ok(served.into())
    }

    /// Runs a session of calls with an object, until it ends.
    async fn rpc(
        self: Arc<Self>,
        lane: Option<Rc<LaneLocal>>,
        target: Arc<ObjectTarget>,
        called: RpcEnd,
    ) -> Result<(), ServiceError> {
        let (worker, target) = self.place(&target).await?;
        let home = self.home(worker, &target)?;
        let worker = home.worker.clone();
        match lane {
            Some(lane) if home.lane.is(&lane) => lane.object_rpc(worker, target, called).await?,
            _ => home.lane.object_rpc(worker, target, called).await?,
        }
        Ok(())
    }

    /// Hands an object a delivery.
    async fn deliver_to_object(
        self: Arc<Self>,
        lane: Option<Rc<LaneLocal>>,
        target: Arc<ObjectTarget>,
        delivery: Delivery,
    ) -> Result<Report, ServiceError> {
        let (worker, target) = self.place(&target).await?;
        let home = self.home(worker, &target)?;
        let worker = home.worker.clone();
        Ok(match lane {
            Some(lane) if home.lane.is(&lane) => {
                lane.object_deliver(worker, target, delivery).await?
            }
            _ => home.lane.object_deliver(worker, target, delivery).await?,
        })
    }

    /// The worker whose class an object is of, and the object as it is known there; waits
    /// while its class changes.
    async fn place(
        &self,
        target: &Arc<ObjectTarget>,
    ) -> Result<(Arc<Worker>, Arc<ObjectTarget>), PlaceError> {
        self.let_go_of(target).await;
        let classes = self.classes();
        let target = match classes.keys.get(&target.namespace.key) {
            Some(Fate::Live(live)) if *live != target.namespace => Arc::new(ObjectTarget {
                namespace: live.clone(),
                ..(**target).clone()
            }),
            Some(Fate::Doomed | Fate::Gone) => {
                return Err(PlaceError::Deleted(target.namespace.class.clone()));
            }
            // Those of other programs' configurations have keys of their own.
            Some(Fate::Live(_)) | None => target.clone(),
        };
        let service = &target.namespace.service;
        match self.named(service) {
            Some(worker) => Ok((worker, target)),
            None => Err(PlaceError::NoWorker(service.clone())),
        }
    }

    /// Waits while an object's class changes, or its database is replaced.
    async fn let_go_of(&self, target: &ObjectTarget) {
        loop {
            let let_go = self.let_go.notified();
            if !self.held.read().contains(&target.namespace.key) && !self.is_replaced(target) {
                break;
            }
            let_go.await;
        }
    }

    fn named(&self, service: &str) -> Option<Arc<Worker>> {
        self.workers.read().get(service).cloned()
    }

    /// Rings objects' alarms until the future is dropped.
    pub(crate) async fn ring_alarms(self: Arc<Self>) {
        alarms::ring(self).await;
    }

    /// The lane that an object is on: always the same, or, where it has an isolate to
    /// itself, the same while it is in memory.
    fn home(&self, worker: Arc<Worker>, target: &ObjectTarget) -> Result<Home, EventError> {
        if worker.object_isolation() == ObjectIsolation::Each {
            let seat = self.apart.seat(&worker, target)?;
            return Ok(Home {
                lane: seat.lane.clone(),
                worker: seat.worker.clone(),
                _seat: Some(seat),
            });
        }
        let lanes = self.lanes.get().map_or(&[][..], Vec::as_slice);
        let none = || EventError::IsolateLost {
            reason: "the node has no lane".into(),
        };
        if lanes.is_empty() {
            return Err(none());
        }
        let mut hasher = DefaultHasher::new();
        (&target.namespace.key, target.id).hash(&mut hasher);
        // At most the number of lanes, which is a usize.
        let index = (hasher.finish() % lanes.len() as u64) as usize;
        Ok(Home {
            lane: lanes.get(index).ok_or_else(none)?.clone(),
            worker,
            _seat: None,
        })
    }

    fn open(&self, target: &ObjectTarget) -> Result<Box<dyn ObjectStorage>, StorageError> {
        let mut object = self.object(&target.namespace, target.id)?;
        let kept = self.kept.get().ok_or_else(no_store)?;
        kept.follow(&mut object, target)?;
        Ok(Box::new(NodeStorage::new(object)))
    }

    /// The database of an object.
    fn object(
        &self,
        namespace: &Arc<ObjectNamespace>,
        id: outboard_runtime::ObjectId,
    ) -> Result<Object, StorageError> {
        let kept = self.kept.get().ok_or_else(no_store)?;
        match kept.catalogue.classes().keys.get(&namespace.key) {
            Some(Fate::Live(live)) if live == namespace => {}
            None => kept.catalogue.record(namespace).map_err(|error| {
                tracing::error!(%error, class = namespace.key, "a class is not in the catalogue");
                StorageError {
                    message: "the object's class could not be recorded".into(),
                }
            })?,
            // It was called before the migration that did it.
            Some(_) => {
                return Err(StorageError {
                    message: format!("the class {} was renamed or deleted", namespace.class),
                });
            }
        }
        let database = database_key(namespace, id);
        // It came before, and is too late.
        if self.held_databases.read().contains(&database) {
            return Err(StorageError {
                message: "the object's database is being replaced".into(),
            });
        }
        kept.store.object(database).map_err(told)
    }
}

/// Where an object is, while this is there.
struct Home {
    lane: LaneRef,
    /// What its isolate runs.
    worker: Arc<Worker>,
    _seat: Option<Seat>,
}

/// Why an object is nowhere.
#[derive(Debug, thiserror::Error)]
enum PlaceError {
    #[error("no worker is called {0:?}")]
    NoWorker(String),
    #[error("the class {0:?} of the Durable Object was deleted")]
    Deleted(String),
}

impl From<PlaceError> for ServiceError {
    fn from(error: PlaceError) -> Self {
        let message = error.to_string();
        FetchError { message }.into()
    }
}

fn no_store() -> StorageError {
    StorageError {
        message: "this node keeps no objects".into(),
    }
}

/// Namespaces are known by their keys alone, so that nothing but them has to be
/// remembered.
pub(crate) fn namespace_id(key: &str) -> NamespaceId {
    let digest: [u8; 32] = Sha256::digest(key.as_bytes()).into();
    let (head, _) = digest.split_first_chunk().expect("32 bytes have 8");
    NamespaceId(u64::from_be_bytes(*head))
}

fn database_key(namespace: &ObjectNamespace, id: outboard_runtime::ObjectId) -> ObjectKey {
    ObjectKey {
        namespace: namespace_id(&namespace.key),
        id: ObjectId(id.0),
    }
}

/// What a script may know of a fault: not where the node keeps its files.
pub(crate) fn told(error: ObjectError) -> StorageError {
    match &error {
        ObjectError::Io { object, .. } => {
            tracing::error!(%object, %error, "an object's database failed");
            StorageError {
                message: "the object's database could not be read or written".into(),
            }
        }
        _ => StorageError {
            message: error.to_string(),
        },
    }
}

struct NodeStorage {
    object: Object,
    past: past::Asked,
}

impl NodeStorage {
    fn new(object: Object) -> Self {
        let past = past::Asked::of(&object);
        Self { object, past }
    }
}

impl ObjectStorage for NodeStorage {
    fn connection(&mut self) -> &mut Connection {
        self.object.connection_mut()
    }

    fn durable(&self) -> Option<BoxFuture<'static, Result<(), StorageError>>> {
        let receipt = self.object.newest()?;
        if receipt.is_durable() {
            return None;
        }
        let wait = async move {
            receipt.wait().await.map_err(|error| StorageError {
                message: error.to_string(),
            })
        };
        Some(wait.boxed())
    }

    fn explain(&self, error: &rusqlite::Error) -> Option<StorageError> {
        self.object.fault(error).map(told)
    }

    fn bookmark(&self) -> Result<String, StorageError> {
        Ok(self.past.now())
    }

    fn bookmark_at(&self, time: u64) -> LocalBoxFuture<'static, Result<String, StorageError>> {
        self.past.at(time).boxed_local()
    }

    fn restore_next(
        &self,
        bookmark: &str,
    ) -> LocalBoxFuture<'static, Result<String, StorageError>> {
        self.past.restore_next(bookmark).boxed_local()
    }

    fn close(self: Box<Self>) -> LocalBoxFuture<'static, Result<(), StorageError>> {
        async move {
            self.past.ended().await;
            self.object.close().await.map_err(told)
        }
        .boxed_local()
    }
}
