//! A node's objects in one folder: `log/`, `objects/` and `history/`.

mod recovery;
mod removal;

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;

use parking_lot::Mutex;

use self::recovery::{give_up, recover};
use crate::clock::Clock;
use crate::disk::{Disk, DiskFile, FileDisk};
use crate::doubt::Doubted;
use crate::history::{History, Retention};
use crate::key::{Epoch, NamespaceId, ObjectKey, Seq, folder};
use crate::log::local::{LocalLog, LogOptions};
use crate::log::{CommitLog, LogError};
use crate::object::{Object, ObjectError};
use crate::pages::{self, Pages, PagesError};
use crate::restore::Notes;

/// How a store behaves.
#[derive(Debug, Clone, Copy, Default)]
pub struct StoreOptions {
    pub log: LogOptions,
    /// How much of the past is kept.
    pub keep: Retention,
    /// Opens although commits are damaged of which nobody knows whose they were.
    /// Without it that is [`StoreError::Damaged`].
    pub accept_loss: bool,
    pub clock: Clock,
}

/// Why a store does not open.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("{path}: {error}")]
    Io { path: String, error: io::Error },
    /// Commits that were acknowledged cannot be read, and of which object is not
    /// known: going on would lose them in silence.
    #[error(
        "the commit log is damaged, and which objects it was about cannot be told: {}; \
         restore the folder, or accept the loss to go on without", list(.0)
    )]
    Damaged(Vec<Damage>),
}

/// A place in the log that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The object whose commit it was, if that can be told.
    pub object: Option<ObjectKey>,
    pub segment: String,
    /// Of the batch that it is in, in bytes.
    pub offset: u64,
}

impl std::fmt::Display for Damage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} at byte {}", self.segment, self.offset)
    }
}

fn list(damage: &[Damage]) -> String {
    let all: Vec<_> = damage.iter().map(ToString::to_string).collect();
    all.join(", ")
}

/// What opening found in the log.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Commits that were written to their databases again.
    pub commits: u64,
    /// Commits that cannot be read; their objects are refused from now on.
    pub damage: Vec<Damage>,
}

/// The objects of a folder. Dropping it writes what waits for the log.
pub struct Store {
    pub(crate) inner: Arc<Inner>,
    checkpoints: Option<JoinHandle<()>>,
}

pub(crate) struct Inner {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) clock: Clock,
    /// Taken when the store ends, so that the log's thread does.
    pub(crate) log: Arc<LocalLog>,
    /// None where the past is not kept. Whoever has it makes checkpoints wait; it is
    /// locked before anything else here.
    pub(crate) history: Mutex<Option<History>>,
    pub(crate) notes: Mutex<Notes>,
    /// Whoever has it writes a database that is to come in the place of another.
    incoming: Mutex<()>,
    pub(crate) objects: Mutex<HashMap<ObjectKey, Entry>>,
}

/// An object that is open or copied, or that has pages the file has not.
pub(crate) struct Entry {
    pub(crate) pages: Arc<Pages>,
    pub(crate) open: bool,
}

impl Store {
    /// Opens a folder of the file system.
    pub fn open(folder: &Path, options: StoreOptions) -> Result<(Self, Recovery), StoreError> {
        let disk = FileDisk::open(folder).map_err(|error| StoreError::Io {
            path: folder.display().to_string(),
            error,
        })?;
        Self::open_on(Arc::new(disk), options)
    }

    /// Opens what a disk holds, and recovers what a crash left there.
    pub fn open_on(
        disk: Arc<dyn Disk>,
        options: StoreOptions,
    ) -> Result<(Self, Recovery), StoreError> {
        let (rotated, rotations) = sync_channel(1);
        let doubted = Arc::new(Doubted::new(disk));
        let disk: Arc<dyn Disk> = doubted.clone();
        let history = History::open(&disk, options.keep, options.clock);
        let mut history = history.map_err(|error| named("history", error))?;
        let notes = Notes::open(&*disk).map_err(|error| named("restores", error))?;
        let pin = notes.pin();
        let (log, recovery) = recover(&disk, options, &rotated, &mut history, pin)?;
        drop(rotated);
        let log = Arc::new(log);
        doubted.ends(&log);
        let inner = Arc::new(Inner {
            disk,
            clock: options.clock,
            log,
            history: Mutex::new(history),
            notes: Mutex::new(notes),
            incoming: Mutex::default(),
            objects: Mutex::default(),
        });
        let weak = Arc::downgrade(&inner);
        let checkpoints = std::thread::Builder::new()
            .name("checkpoints".into())
            .spawn(move || checkpoint_often(&rotations, &weak))
            .map_err(log_io)?;
        let store = Self {
            inner,
            checkpoints: Some(checkpoints),
        };
        Ok((store, recovery))
    }

    /// Opens an object, and makes it if it is new. One that is open is refused.
    pub fn object(&self, key: ObjectKey) -> Result<Object, ObjectError> {
        let mut objects = self.inner.objects.lock();
        let pages = match objects.get_mut(&key) {
            Some(entry) if entry.open => return Err(ObjectError::Open(key)),
            // Dropped a moment ago: its last commits are not in the file yet.
            Some(entry) => {
                entry.open = true;
                entry.pages.reset();
                entry.pages.clone()
            }
            None => {
                let io = |error| match pages::is_full(&error) {
                    true => ObjectError::Log(LogError::Full),
                    false => ObjectError::Io {
                        object: key,
                        error: Arc::new(error),
                    },
                };
                if let Some(what) = damage_note(&*self.inner.disk, key).map_err(io)? {
                    return Err(ObjectError::Damaged { object: key, what });
                }
                let Inner {
                    disk, clock, log, ..
                } = &*self.inner;
                let file = disk.open(&key.path(), true).map_err(io)?;
                let pages = Pages::of(file, log.clone(), key, Epoch(0), *clock);
                let pages = Arc::new(pages.map_err(io)?);
                let entry = Entry {
                    pages: pages.clone(),
                    open: true,
                };
                objects.insert(key, entry);
                pages
            }
        };
        drop(objects);
        let registration = Registration {
            store: self.inner.clone(),
            key,
        };
        Object::open(pages, registration)
    }

    /// Makes every database durable itself, and forgets the log before. Happens by
    /// itself whenever a segment is full; call it before a planned end, so that the
    /// next start has nothing to recover.
    pub fn checkpoint(&self) -> Result<(), StoreError> {
        self.inner.checkpoint().map(drop)
    }

    /// A checkpoint after which the log has nothing of what was committed before.
    pub(crate) fn empty_log(&self) -> Result<(), StoreError> {
        self.inner.log.retry();
        if self.inner.checkpoint()? {
            return Ok(());
        }
        Err(named("log", LogError::Full.into()))
    }

    /// The objects that have a database, in order.
    pub fn keys(&self) -> Result<Vec<ObjectKey>, StoreError> {
        let namespaces = self.inner.disk.list("objects");
        let mut keys = Vec::new();
        for namespace in namespaces.map_err(|error| named("objects", error))? {
            let paths = self.paths(&format!("objects/{namespace}"))?;
            keys.extend(paths.iter().filter_map(|path| ObjectKey::from_path(path)));
        }
        Ok(keys)
    }

    /// Whether a namespace has a database.
    pub fn has_objects(&self, namespace: NamespaceId) -> Result<bool, StoreError> {
        Ok(!self.paths(&folder(namespace))?.is_empty())
    }

    /// Whether an object has a database.
    pub fn exists(&self, key: ObjectKey) -> Result<bool, ObjectError> {
        match self.inner.disk.open(&key.path(), false) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(ObjectError::Io {
                object: key,
                error: Arc::new(error),
            }),
        }
    }

    /// The paths of the databases in a namespace's folder.
    fn paths(&self, folder: &str) -> Result<Vec<String>, StoreError> {
        let list = |dir: &str| {
            let names = self.inner.disk.list(dir);
            names.map_err(|error| named(dir, error))
        };
        let mut paths = Vec::new();
        for shard in list(folder)? {
            let dir = format!("{folder}/{shard}");
            paths.extend(list(&dir)?.into_iter().map(|name| format!("{dir}/{name}")));
        }
        Ok(paths)
    }

    /// The damaged pages of an object's database. Call it after a checkpoint: what
    /// is only in the log is not looked at.
    pub fn damaged_pages(&self, key: ObjectKey) -> Result<Vec<u32>, StoreError> {
        let path = key.path();
        let file = self.inner.disk.open(&path, false);
        file.and_then(|file| pages::damaged_pages(&*file))
            .map_err(|error| named(&path, error))
    }

    /// Puts a new file in the place of an object's database, which no log may have
    /// commits of any more, and forgets that it was damaged.
    pub(crate) fn replace(
        &self,
        key: ObjectKey,
        write: impl FnOnce(&Arc<dyn DiskFile>) -> io::Result<()>,
    ) -> Result<(), ObjectError> {
        let disk = &*self.inner.disk;
        let io = |error| ObjectError::Io {
            object: key,
            error: Arc::new(error),
        };
        let incoming = || {
            let file = disk.open(INCOMING, true)?;
            write(&file)?;
            file.sync()
        };
        // One at a time: there is one such file.
        let _incoming = self.inner.incoming.lock();
        incoming().map_err(io)?;
        // Held, so that nobody opens the object meanwhile.
        let objects = self.inner.objects.lock();
        if objects.contains_key(&key) {
            return Err(ObjectError::Open(key));
        }
        let replace = || {
            disk.rename(INCOMING, &key.path())?;
            // Before the note goes: a crash must not leave damage unsaid.
            disk.sync_all()?;
            match disk.remove(&damage_path(key)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                Err(_) => Ok(()),
                Ok(()) => disk.sync_names("damaged"),
            }
        };
        replace().map_err(io)
    }

    /// Bytes of log that a recovery would read now.
    pub fn log_bytes(&self) -> Result<u64, StoreError> {
        self.inner.log.bytes().map_err(log_io)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.inner.log.close();
        if let Some(thread) = self.checkpoints.take() {
            // It has no panics of its own to pass on.
            let _ = thread.join();
        }
    }
}

impl Inner {
    /// Answers whether the log has nothing of before any more; without room for another
    /// segment it has what is in the last.
    fn checkpoint(&self) -> Result<bool, StoreError> {
        // One checkpoint at a time, and none while somebody reads the past.
        let mut history = self.history.lock();
        if self.log.is_short() {
            self.make_room(&mut history)?;
        }
        // What is appended from here on is in segments that stay.
        let sealed = self.log.seal();
        let sealed = sealed.map_err(|error| named("log", error.into()))?;
        let mut open: Vec<_> = {
            let objects = self.objects.lock();
            objects
                .iter()
                .map(|(key, entry)| (*key, entry.pages.clone()))
                .collect()
        };
        open.sort_by_key(|(key, _)| *key);
        for (key, pages) in &open {
            pages
                .settle()
                .map_err(|error| named(&key.path(), error.into()))?;
            self.forget_settled(*key);
        }
        give_up(&*self.disk, &self.log, &mut history, sealed.cut)?;
        let pin = self.notes.lock().pin();
        if let Some(Err(error)) = history.as_mut().map(|history| history.prune(pin)) {
            // What is old stays for longer.
            tracing::error!(%error, "old history could not be dropped");
        }
        Ok(sealed.has_all)
    }

    /// The newest commit of all that is durable.
    pub(crate) fn newest(&self) -> Seq {
        self.log.durable()
    }

    /// Where the disk is full, the past gives way to the present.
    fn make_room(&self, history: &mut Option<History>) -> Result<(), StoreError> {
        let Some(history) = history else {
            return Ok(());
        };
        let pin = self.notes.lock().pin();
        let gave = history.give_way(pin);
        if gave.map_err(|error| named("history", error))? {
            tracing::warn!("the disk is full: the oldest of the history was dropped");
            self.log.retry();
        }
        Ok(())
    }

    /// Drops what is kept of an object that is closed and whose file has all.
    pub(crate) fn forget_settled(&self, key: ObjectKey) {
        let mut objects = self.objects.lock();
        if objects
            .get(&key)
            .is_some_and(|entry| !entry.open && entry.pages.is_done())
        {
            objects.remove(&key);
        }
    }
}

/// While it lives, the object is open.
pub(crate) struct Registration {
    store: Arc<Inner>,
    key: ObjectKey,
}

impl Registration {
    pub(crate) fn store(&self) -> &Arc<Inner> {
        &self.store
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        let pages = {
            let mut objects = self.store.objects.lock();
            let Some(entry) = objects.get_mut(&self.key) else {
                return;
            };
            entry.open = false;
            entry.pages.clone()
        };
        // Where that fails, the next to open the object learns of it.
        let _ = pages.leave();
        self.store.forget_settled(self.key);
    }
}

/// Runs until the log ends.
fn checkpoint_often(rotations: &Receiver<()>, store: &Weak<Inner>) {
    while rotations.recv().is_ok() {
        let Some(store) = store.upgrade() else {
            return;
        };
        if let Err(error) = store.checkpoint() {
            // The log stays as long as it has to; the next segment is the next try.
            tracing::error!(%error, "a checkpoint failed");
        }
    }
}

/// A database on its way in.
const INCOMING: &str = "incoming.sqlite";

/// The file that says that an object lost a commit: it outlives the log that
/// showed it.
fn damage_path(key: ObjectKey) -> String {
    format!("damaged/{:016x}-{}", key.namespace.0, key.id)
}

fn note_damage(disk: &dyn Disk, key: ObjectKey, what: &str) -> io::Result<()> {
    let file = disk.open(&damage_path(key), true)?;
    file.write_at(format!("a commit was lost: {what}").as_bytes(), 0)?;
    file.sync()?;
    disk.sync_names("damaged")
}

pub(crate) fn damage_note(disk: &dyn Disk, key: ObjectKey) -> io::Result<Option<String>> {
    let file = match disk.open(&damage_path(key), false) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    let mut note = [0; 512];
    let read = file.read_at(&mut note, 0)?;
    Ok(Some(String::from_utf8_lossy(&note[..read]).into_owned()))
}

fn log_io(error: io::Error) -> StoreError {
    named("log", error)
}

fn named(path: &str, error: io::Error) -> StoreError {
    StoreError::Io {
        path: path.into(),
        error,
    }
}

impl From<LogError> for io::Error {
    fn from(error: LogError) -> Self {
        match error {
            LogError::Full => Self::new(io::ErrorKind::StorageFull, error),
            error => Self::other(error),
        }
    }
}

impl From<PagesError> for io::Error {
    fn from(error: PagesError) -> Self {
        match error {
            PagesError::Log(error) => error.into(),
            error => Self::other(error),
        }
    }
}
