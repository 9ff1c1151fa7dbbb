//! A data folder that is open: the command's own, or the node's that it is told in.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use outboard_runtime::sql::{Meter, error_text};
use outboard_runtime::{ObjectNamespace, ObjectTarget};
use outboard_storage::{
    Damage, NamespaceId, Object, ObjectError, ObjectKey, Recovery, Snapshot, Store, StoreError,
    StoreOptions, TransferError, sql_faults,
};
use parking_lot::Mutex;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use tempfile::NamedTempFile;
use tokio::runtime::{Handle, Runtime};

use crate::objects::{
    Alarms, AloneError, Catalogue, FacetName, Facets, NodeObjects, open_named, own,
};
use crate::resources::Resources;
use crate::resources::d1::{self, D1Error, Deadline, Format, Script};
use crate::resources::kv::{self, Namespace};
use crate::resources::r2::{self, Bucket, R2Error};

/// Between two looks at whether somebody waits.
const LOOK: Duration = Duration::from_millis(200);

/// Bytes of SQL that a node takes at once, in memory.
const MOST_SQL: u64 = 256 << 20;

/// Bytes of SQLite's memory that looking at a database may take.
pub(super) const MOST_MEMORY: u64 = 256 << 20;

/// What the names of copies begin with; they are in the folder, and go with the errand.
pub(super) const COPY: &str = ".copy-";

/// Why a folder is not open.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FolderError {
    #[error(
        "no objects are kept here (neither .outboard nor data is a folder); name it: --data FOLDER"
    )]
    None,
    #[error("--data: {}: no objects are kept there", .0.display())]
    NoStore(PathBuf),
    #[error(
        "--data: {}: another process has it open and takes no commands; try again when it has \
         ended", .0.display()
    )]
    Busy(PathBuf),
    #[error(
        "--data: {}: a node of another user has it open; run the command as that user",
        .0.display()
    )]
    Forbidden(PathBuf),
    #[error(
        "--data: {}: its disk is read-only, and who opens a store may have to write what a \
         crash cut short; copy the folder (cp -a) to where it can be written, and name the copy",
        .0.display()
    )]
    ReadOnly(PathBuf),
    #[error("--data: {}: {source}", path.display())]
    Store { path: PathBuf, source: StoreError },
    #[error("--data: {}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
}

pub(crate) enum Folder {
    Own(Box<OwnFolder>),
    Node(NodeFolder),
}

/// One that a command has opened.
pub(crate) struct OwnFolder {
    path: PathBuf,
    runtime: Runtime,
    store: Store,
    recovery: Recovery,
    /// None where it is damaged, which `check` says.
    catalogue: Mutex<Option<Catalogue>>,
}

/// One that the node has open that this is in.
pub(crate) struct NodeFolder {
    pub(super) objects: Arc<NodeObjects>,
    pub(super) resources: Arc<Resources>,
    pub(super) runtime: Handle,
}

/// What the databases of a folder are called.
#[derive(Default)]
pub(super) struct Names {
    pub(super) namespaces: BTreeMap<NamespaceId, Arc<ObjectNamespace>>,
    /// Of what is no object.
    pub(super) others: BTreeMap<ObjectKey, String>,
    /// Of objects that others have.
    pub(super) facets: BTreeMap<ObjectKey, FacetName>,
}

/// A database that is looked at.
pub(super) enum Look {
    Open(Box<Object>),
    /// As one commit left it.
    Copy(Connection, NamedTempFile),
}

/// Why a database cannot be looked at.
#[derive(Debug, thiserror::Error)]
pub(super) enum LookError {
    #[error(transparent)]
    Object(#[from] ObjectError),
    #[error(transparent)]
    Transfer(#[from] TransferError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("a copy of it: {0}")]
    Copy(io::Error),
    /// What SQLite says of a statement.
    #[error("{}", error_text(.0))]
    Sql(#[from] rusqlite::Error),
}

impl LookError {
    /// Whether it says nothing of the database: there was no copy of it, or what it has its
    /// rows checked by took too much.
    pub(super) fn is_passing(&self) -> bool {
        let gave_way = matches!(
            self,
            Self::Transfer(TransferError::Late(_) | TransferError::Restoring(_))
        );
        let took_too_much = matches!(self, Self::Sql(error) if matches!(
            error.sqlite_error_code(),
            Some(ErrorCode::OutOfMemory | ErrorCode::OperationInterrupted)
        ));
        gave_way || took_too_much || matches!(self, Self::Copy(_))
    }
}

/// What a database is that is replaced.
pub(super) enum Replaced<'a> {
    Object(Option<Arc<ObjectNamespace>>),
    /// By its id.
    D1(&'a str),
    /// Another one that bindings ask.
    Resource,
}

/// Why a database was not replaced.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReplaceError {
    #[error(transparent)]
    Transfer(#[from] TransferError),
    #[error(transparent)]
    Alone(#[from] AloneError),
    #[error(transparent)]
    D1(#[from] D1Error),
    #[error("a node has it open; stop `outboard dev` or `outboard serve` first")]
    InUse,
}

impl OwnFolder {
    /// Opens a folder, which is made where it is not there.
    pub(super) fn open(path: &Path) -> Result<Self, FolderError> {
        let fault = |source| FolderError::Store {
            path: path.into(),
            source,
        };
        let (store, recovery) = match Store::open(path, StoreOptions::default()) {
            Err(StoreError::Io { error, .. }) if error.kind() == io::ErrorKind::ResourceBusy => {
                return Err(FolderError::Busy(path.into()));
            }
            Err(StoreError::Io { error, .. })
                if error.kind() == io::ErrorKind::ReadOnlyFilesystem =>
            {
                return Err(FolderError::ReadOnly(path.into()));
            }
            opened => opened.map_err(fault)?,
        };
        // What is looked at are the databases, not the log: a start leaves that to be
        // done later, where it found something.
        if recovery.commits > 0 {
            store.checkpoint().map_err(fault)?;
        }
        let runtime = crate::commands::command_runtime();
        Ok(Self {
            path: path.into(),
            runtime: runtime.map_err(|source| FolderError::Io {
                path: path.into(),
                source,
            })?,
            catalogue: Mutex::new(Catalogue::open(&store).ok()),
            store,
            recovery,
        })
    }
}

impl NodeFolder {
    fn store(&self) -> &Store {
        let store = self.objects.store();
        store.expect("a desk opens when its folder is open")
    }
}

impl Folder {
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Own(own) => &own.path,
            Self::Node(node) => node.objects.folder().unwrap_or(Path::new(".")),
        }
    }

    pub(super) fn store(&self) -> &Store {
        match self {
            Self::Own(own) => &own.store,
            Self::Node(node) => node.store(),
        }
    }

    /// What opening it found to be damaged of the log.
    pub(super) fn damage(&self) -> &[Damage] {
        match self {
            Self::Own(own) => &own.recovery.damage,
            Self::Node(node) => node.objects.damage(),
        }
    }

    pub(super) fn block_on<F: Future>(&self, work: F) -> F::Output {
        match self {
            Self::Own(own) => own.runtime.block_on(work),
            Self::Node(node) => node.runtime.block_on(work),
        }
    }

    /// What the databases are called, as far as that can be read.
    pub(super) fn names(&self) -> Names {
        match self {
            Self::Own(own) => {
                let facets = Facets::open(&own.store).and_then(|facets| facets.names());
                names(own.catalogue.lock().as_ref(), facets)
            }
            Self::Node(node) => match node.objects.indexes() {
                Some((catalogue, facets)) => names(Some(catalogue), facets.names()),
                None => Names::default(),
            },
        }
    }

    /// Remembers a class.
    pub(super) fn record(&self, namespace: &Arc<ObjectNamespace>) -> anyhow::Result<()> {
        match self {
            Self::Own(own) => {
                if let Some(catalogue) = &*own.catalogue.lock() {
                    catalogue.record(namespace)?;
                }
            }
            Self::Node(node) => {
                if let Some((catalogue, _)) = node.objects.indexes() {
                    catalogue.record(namespace)?;
                }
            }
        }
        Ok(())
    }

    /// Has the alarm of an object's database ring.
    pub(super) fn set_alarm(&self, target: &ObjectTarget, time: i64) -> anyhow::Result<()> {
        match self {
            Self::Own(own) => Alarms::open(&own.store)?.set(target, Some(time), false)?,
            Self::Node(node) => node.objects.set_alarm(target, time)?,
        }
        Ok(())
    }

    /// Makes a database, which [`outboard_storage::rewrite`] wrote to `file`, the one of
    /// `key`. Where a node has that open, nobody else has it meanwhile.
    pub(super) fn replace(
        &self,
        key: ObjectKey,
        of: Replaced<'_>,
        file: File,
    ) -> Result<(), ReplaceError> {
        let Self::Node(node) = self else {
            return Ok(self.store().adopt(key, &file)?);
        };
        match of {
            Replaced::Object(namespace) => {
                let alone = node.objects.alone(key, namespace);
                let _alone = node.runtime.block_on(alone)?;
                Ok(node.store().adopt(key, &file)?)
            }
            Replaced::D1(name) => {
                let objects = node.objects.clone();
                let adopt = move || objects.store().map(|store| store.adopt(key, &file));
                let adopted = node.resources.while_d1_is_closed(name, adopt);
                let adopted = node.runtime.block_on(adopted)?;
                Ok(adopted.unwrap_or(Ok(()))?)
            }
            Replaced::Resource => Err(ReplaceError::InUse),
        }
    }

    pub(super) fn exists(&self, key: ObjectKey) -> anyhow::Result<bool> {
        Ok(self.store().exists(key)?)
    }

    /// Closes the catalogue that the command itself has open, which is checked too.
    pub(super) fn close_catalogue(&self) {
        if let Self::Own(own) = self {
            own.catalogue.lock().take();
        }
    }

    /// A database of the command's own folder; None where somebody has it open.
    fn own_object(&self, key: ObjectKey) -> Option<Result<Object, ObjectError>> {
        let Self::Own(own) = self else {
            return None;
        };
        match own.store.object(key) {
            Err(ObjectError::Open(_)) => None,
            object => Some(object),
        }
    }

    /// Bytes in a database that is there.
    pub(super) fn size(&self, key: ObjectKey) -> Result<u64, ObjectError> {
        match self.own_object(key) {
            // It has read the schema, and so finds more.
            Some(object) => object.map(|object| object.size()),
            None => Ok(self.store().size(key)?.unwrap_or(0)),
        }
    }

    /// Opens a database to look at it. Nobody who has it open notices.
    pub(super) fn look(&self, key: ObjectKey) -> Result<Look, LookError> {
        if let Some(object) = self.own_object(key) {
            return Ok(Look::Open(Box::new(object?)));
        }
        let (file, damaged) = self.copy(key)?;
        match damaged.first() {
            None => Look::at(file),
            Some(page) => Err(LookError::Object(ObjectError::Damaged {
                object: key,
                what: format!("page {page} of {key} is damaged on disk"),
            })),
        }
    }

    /// A database as its newest commit left it, in a file of its own, and the pages in it
    /// that are damaged.
    pub(super) fn copy(&self, key: ObjectKey) -> Result<(NamedTempFile, Vec<u32>), LookError> {
        let (file, damaged) = self.take(key, Snapshot::check_to)?;
        Ok((file, damaged.unwrap_or_default()))
    }

    /// A file that a snapshot of a database is written to; nothing is where there is none.
    fn take<T>(
        &self,
        key: ObjectKey,
        write: impl FnOnce(Snapshot, &mut dyn Write) -> Result<T, TransferError>,
    ) -> Result<(NamedTempFile, Option<T>), LookError> {
        let mut file = self.scratch().map_err(LookError::Copy)?;
        let Some(snapshot) = self.store().snapshot(key)? else {
            return Ok((file, None));
        };
        let mut out = io::BufWriter::new(file.as_file_mut());
        let written = write(snapshot, &mut out).map_err(not_copied)?;
        out.flush().map_err(LookError::Copy)?;
        drop(out);
        Ok((file, Some(written)))
    }

    /// A file in the folder, which goes when it is dropped.
    pub(super) fn scratch(&self) -> io::Result<NamedTempFile> {
        tempfile::Builder::new()
            .prefix(COPY)
            .tempfile_in(self.path())
    }

    /// Writes a database that is there as one file of SQLite's format.
    pub(super) fn write_to(&self, key: ObjectKey, out: &mut dyn Write) -> Result<(), LookError> {
        if let Some(object) = self.own_object(key) {
            return Ok(object?.copy_to(out)?);
        }
        // Whoever reads it may be slow, and a snapshot costs memory.
        let (file, _) = self.take(key, Snapshot::copy_to)?;
        let mut copy = File::open(file.path()).map_err(LookError::Copy)?;
        io::copy(&mut copy, out).map_err(TransferError::File)?;
        Ok(())
    }

    /// A namespace of KV, made where it is not there.
    pub(super) async fn namespace(&self, id: &str) -> anyhow::Result<Namespace> {
        match self {
            Self::Own(own) => Ok(Namespace::of(own.named(kv::KIND, id)?).await?),
            Self::Node(node) => Ok(node.resources.namespace(id).await?),
        }
    }

    /// A bucket that is in the folder, made where it is not there.
    pub(super) async fn bucket(&self, name: &str) -> Result<Arc<Bucket>, R2Error> {
        match self {
            Self::Own(own) => Bucket::open(own.named(r2::KIND, name)?, &own.path, name).await,
            Self::Node(node) => node.resources.bucket_here(name).await,
        }
    }

    /// Bytes of SQL that are run at once.
    pub(super) fn most_sql(&self) -> u64 {
        match self {
            // What SQLite takes, which says so.
            Self::Own(_) => u64::MAX,
            Self::Node(_) => MOST_SQL,
        }
    }

    /// Runs a script on a D1 database, made where it is not there, as one transaction;
    /// its results as JSON, when it is durable. One that nobody waits for any more is
    /// undone.
    pub(super) fn run_sql(
        &self,
        id: &str,
        script: Script,
        format: Format,
        is_gone: &dyn Fn() -> bool,
    ) -> anyhow::Result<Vec<u8>> {
        match self {
            Self::Own(own) => {
                // One person's results, who has the machine's memory.
                let database = d1::Database::open(usize::MAX, || {
                    own.named(d1::KIND, id).map_err(anyhow::Error::from)
                })?;
                let results = database.run_script(&script, format, &Deadline::none())?;
                if let Some(receipt) = results.receipt {
                    own.runtime.block_on(receipt.wait())?;
                }
                Ok(results.json)
            }
            Self::Node(node) => {
                let run = node.resources.run_script(id, script, format);
                Ok(node.runtime.block_on(unless_gone(run, is_gone))?)
            }
        }
    }
}

impl OwnFolder {
    fn named(&self, kind: &str, name: &str) -> Result<Object, ObjectError> {
        open_named(&self.store, self.catalogue.lock().as_ref(), kind, name)
    }
}

/// Gives up work that nobody waits for.
async fn unless_gone(
    run: impl Future<Output = Result<Vec<u8>, D1Error>>,
    is_gone: &dyn Fn() -> bool,
) -> Result<Vec<u8>, D1Error> {
    let gone = async {
        while !is_gone() {
            tokio::time::sleep(LOOK).await;
        }
    };
    tokio::select! {
        done = run => done,
        () = gone => Err(D1Error::Lost),
    }
}

fn names(
    catalogue: Option<&Catalogue>,
    facets: Result<BTreeMap<ObjectKey, FacetName>, ObjectError>,
) -> Names {
    let others = catalogue.and_then(|all| all.names().ok());
    Names {
        namespaces: catalogue.map(Catalogue::namespaces).unwrap_or_default(),
        others: others.unwrap_or_default(),
        facets: facets.unwrap_or_default(),
    }
}

/// Opens a database in a file of its own, which nothing is written to.
pub(super) fn open_to_read(file: &NamedTempFile) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(file.path(), flags)
}

fn not_copied(error: TransferError) -> LookError {
    match error {
        TransferError::File(error) => LookError::Copy(error),
        error => error.into(),
    }
}

impl Names {
    /// A database as `ls` prints it, which the other commands take.
    pub(super) fn of(&self, key: ObjectKey) -> String {
        if let Some(own) = own(key) {
            return own.into();
        }
        if let Some(name) = self.others.get(&key) {
            return name.clone();
        }
        match self.namespaces.get(&key.namespace) {
            Some(namespace) => format!("{}/{}", class(namespace), key.id),
            None => key.to_string(),
        }
    }

    /// The names of what is kept of a kind, in order.
    pub(super) fn of_kind(&self, kind: &str) -> Vec<(ObjectKey, &str)> {
        let mine = self.others.iter().filter_map(|(key, name)| {
            let name = name.strip_prefix(kind)?.strip_prefix('/')?;
            Some((*key, name))
        });
        let mut mine: Vec<_> = mine.collect();
        mine.sort_by_key(|(_, name)| *name);
        mine
    }
}

/// A class as `ls` prints it.
pub(super) fn class(namespace: &ObjectNamespace) -> String {
    format!("{}:{}", namespace.service, namespace.class)
}

impl Look {
    /// Of a copy.
    pub(super) fn at(file: NamedTempFile) -> Result<Self, LookError> {
        let connection = open_to_read(&file)?;
        Ok(Self::Copy(connection, file))
    }

    /// Everything that is wrong with it, as SQLite sees it. Constraints and columns that
    /// are calculated are scripts' expressions: what they take of memory is bounded, and
    /// they end where nobody waits any more.
    pub(super) fn faults(&mut self, is_gone: &dyn Fn() -> bool) -> Result<Vec<String>, LookError> {
        let interrupt = self.connection().get_interrupt_handle();
        let (tell, told) = mpsc::channel();
        let look = &mut *self;
        let check = move || {
            let connection = look.connection();
            let found = Meter::default().run(Some(MOST_MEMORY), || sql_faults(connection));
            // Who asked waits for it.
            let _ = tell.send(found.map_err(|error| look.explain(error)));
        };
        thread::scope(|scope| {
            let checking = thread::Builder::new().name("check".into());
            let started = checking.spawn_scoped(scope, check);
            started.map_err(LookError::Copy)?;
            loop {
                match told.recv_timeout(LOOK) {
                    Ok(found) => return found,
                    Err(RecvTimeoutError::Timeout) if is_gone() => interrupt.interrupt(),
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => {
                        return Err(LookError::Copy(io::Error::other("its check ended")));
                    }
                }
            }
        })
    }

    /// What really went wrong, where SQLite only says that something did.
    pub(super) fn explain(&self, error: rusqlite::Error) -> LookError {
        match self {
            Self::Open(object) => match object.fault(&error) {
                Some(fault) => fault.into(),
                None => error.into(),
            },
            Self::Copy(..) => error.into(),
        }
    }

    /// Bytes in it.
    pub(super) fn size(&self) -> Result<u64, LookError> {
        match self {
            Self::Open(object) => Ok(object.size()),
            Self::Copy(_, file) => {
                let metadata = file.as_file().metadata();
                Ok(metadata.map_err(LookError::Copy)?.len())
            }
        }
    }

    pub(super) fn connection(&self) -> &Connection {
        match self {
            Self::Open(object) => object.connection(),
            Self::Copy(connection, _) => connection,
        }
    }
}
