//! A disk that is not believed any more once it failed to keep its word.
//!
//! Where the system cannot write what it has, it says so once, and forgets it: the next
//! sync succeeds, and what the one before was about is not on disk. So after a failed
//! one only a new start, which writes all of it again from the log, may sync.

use std::io;
use std::sync::{Arc, OnceLock, Weak};

use crate::disk::{Disk, DiskFile};
use crate::log::local::LocalLog;

pub(crate) struct Doubted {
    disk: Arc<dyn Disk>,
    /// Why nothing that it says is durable is.
    failed: OnceLock<Arc<io::Error>>,
    /// Takes nothing any more then: databases may read what they were.
    log: OnceLock<Weak<LocalLog>>,
}

impl Doubted {
    pub(crate) fn new(disk: Arc<dyn Disk>) -> Self {
        Self {
            disk,
            failed: OnceLock::new(),
            log: OnceLock::new(),
        }
    }

    /// Has a log end when a sync fails.
    pub(crate) fn ends(&self, log: &Arc<LocalLog>) {
        let _ = self.log.set(Arc::downgrade(log));
        if let Some(error) = self.failed.get() {
            log.end(error.clone());
        }
    }
}

impl Disk for Doubted {
    fn open(&self, path: &str, create: bool) -> io::Result<Arc<dyn DiskFile>> {
        self.disk.open(path, create)
    }

    fn list(&self, dir: &str) -> io::Result<Vec<String>> {
        self.disk.list(dir)
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        self.disk.remove(path)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.disk.rename(from, to)
    }

    fn sync_names(&self, dir: &str) -> io::Result<()> {
        self.disk.sync_names(dir)
    }

    fn sync_all(&self) -> io::Result<()> {
        let again = |error: &Arc<io::Error>| io::Error::new(error.kind(), error.clone());
        if let Some(error) = self.failed.get() {
            return Err(again(error));
        }
        self.disk.sync_all().map_err(|error| {
            let error = self.failed.get_or_init(|| Arc::new(error));
            tracing::error!(%error, "databases could not be synced; every commit is refused from now on");
            if let Some(log) = self.log.get().and_then(Weak::upgrade) {
                log.end(error.clone());
            }
            again(error)
        })
    }
}
