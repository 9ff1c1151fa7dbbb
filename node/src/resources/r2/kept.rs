//! What is kept of a bucket, and the order of things in it: a blob is durable before
//! the commit that names it, and goes after the commit that names it no more.

use std::sync::Arc;

use outboard_runtime::HostBody;
use outboard_storage::Receipt;
use tokio::runtime::Handle;
use tokio::sync::Mutex;

use super::blobs::{self, BlobId, Blobs};
use super::digest::{Digests, Found};
use super::error::R2Error;
use super::index::{Blob, Doomed, Index};
use super::read::{Pin, Pins};

/// A bucket's index and blobs.
#[derive(Clone)]
pub(super) struct Kept {
    index: Arc<Mutex<Index>>,
    pub(super) blobs: Blobs,
    pins: Arc<Pins>,
}

impl Kept {
    pub(super) fn new(index: Index, blobs: Blobs) -> Self {
        Self {
            index: Arc::new(Mutex::new(index)),
            blobs,
            pins: Arc::default(),
        }
    }

    /// Looks something up, and tells it when all that it saw is durable, what is not
    /// there too. For what takes microseconds: it is done here and now.
    pub(super) async fn look<T>(
        &self,
        look: impl FnOnce(&Index) -> Result<T, R2Error>,
    ) -> Result<T, R2Error> {
        let (found, receipt) = {
            let index = self.index.lock().await;
            (look(&index), index.newest())
        };
        durable(receipt).await?;
        found
    }

    /// The same, for what takes longer, and so not on the lane.
    pub(super) async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Index) -> Result<T, R2Error> + Send + 'static,
    ) -> Result<T, R2Error> {
        let mut index = self.index.clone().lock_owned().await;
        let worked = tokio::task::spawn_blocking(move || {
            let found = work(&mut index);
            (found, index.newest())
        });
        let (found, receipt) = worked.await.map_err(|_ended| R2Error::Internal)?;
        durable(receipt).await?;
        found
    }

    /// Changes the index, not on the lane; waits until that is durable, and has blobs
    /// removed that are nobody's then. A change that has begun is made although nobody
    /// waits for it.
    pub(super) async fn commit<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut Index) -> Result<(T, Doomed), R2Error> + Send + 'static,
    ) -> Result<T, R2Error> {
        let mut index = self.index.clone().lock_owned().await;
        let kept = self.clone();
        let changed = tokio::task::spawn_blocking(move || {
            let changed = change(&mut index);
            let receipt = index.newest();
            let value = changed.map(|(value, doomed)| {
                // Under the lock, so that no reader comes between.
                let unread = kept.pins.doom(doomed);
                if !unread.is_empty() {
                    Handle::current().spawn(kept.remove(unread, receipt.clone()));
                }
                value
            });
            (value, receipt)
        });
        let (value, receipt) = changed.await.map_err(|_ended| R2Error::Internal)?;
        durable(receipt).await?;
        value
    }

    /// Holds the blobs of an owner for a reader. Call it in `look`.
    pub(super) fn hold(&self, owner: i64) -> Releasing {
        Releasing {
            pin: Some(Pins::pin(&self.pins, owner)),
            kept: self.clone(),
        }
    }

    /// Writes a value that no row names yet.
    pub(super) async fn write(
        &self,
        id: BlobId,
        body: HostBody,
        size: u64,
        digests: Digests,
    ) -> Result<(Fresh, Found), R2Error> {
        let fresh = Fresh {
            id,
            blobs: Some(self.blobs.clone()),
        };
        if size > 0 {
            let found = self.blobs.write(id, body, size, digests).await?;
            return Ok((fresh, found));
        }
        // There is no blob of nothing; a body that goes on is found out.
        match blobs::nothing(body).await? {
            true => Ok((fresh, digests.finish())),
            false => Err(R2Error::Incomplete),
        }
    }

    /// Removes blobs once it is durable that they are nobody's, and then their rows.
    pub(super) async fn remove(self, doomed: Vec<BlobId>, receipt: Option<Receipt>) {
        if durable(receipt).await.is_err() {
            // They may be somebody's after all.
            return;
        }
        let mut removed = Vec::with_capacity(doomed.len());
        for id in doomed {
            match self.blobs.remove(id).await {
                Ok(()) => removed.push(id),
                Err(error) => {
                    tracing::warn!(%error, "a blob is not removed; the next start tries again");
                }
            }
        }
        let forgotten = self.work(move |index| index.forget(&removed));
        if let Err(error) = forgotten.await {
            tracing::warn!(%error, "removed blobs are not forgotten");
        }
    }

    /// Removes the bytes that runs before `run` left and that nobody names.
    pub(super) async fn sweep_runs(&self, run: i64) -> Result<u64, R2Error> {
        let kept = self.clone();
        let swept = tokio::task::spawn_blocking(move || {
            let from = kept.index.blocking_lock().swept()?;
            let mut removed = 0;
            for old in kept.blobs.runs()? {
                if (from..run).contains(&old) {
                    let knows = |id| kept.index.blocking_lock().knows(id);
                    removed += kept.blobs.sweep(old, knows)?;
                }
            }
            kept.index.blocking_lock().set_swept(run)?;
            Ok::<_, R2Error>(removed)
        });
        swept.await.map_err(|_ended| R2Error::Internal)?
    }
}

/// A blob that was written and that no row names yet: goes with its guard.
pub(super) struct Fresh {
    id: BlobId,
    blobs: Option<Blobs>,
}

impl Fresh {
    pub(super) fn part(&self, number: u32, size: u64, found: &Found) -> Blob {
        Blob {
            id: self.id,
            number,
            size,
            md5: found.md5,
        }
    }

    /// A row names it from now on, durable or not.
    pub(super) fn keep(mut self) {
        self.blobs = None;
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        if let Some(blobs) = self.blobs.take()
            && let Ok(runtime) = Handle::try_current()
        {
            let id = self.id;
            // What it cannot remove the next run sweeps.
            runtime.spawn(async move { blobs.remove(id).await });
        }
    }
}

/// A reader's hold on an object's blobs; the last to let go of those that are nobody's
/// any more has them removed.
pub(super) struct Releasing {
    pin: Option<Pin>,
    kept: Kept,
}

impl Drop for Releasing {
    fn drop(&mut self) {
        let doomed = self.pin.take().map(Pin::release).unwrap_or_default();
        if !doomed.is_empty()
            && let Ok(runtime) = Handle::try_current()
        {
            let kept = self.kept.clone();
            runtime.spawn(async move {
                // That they are nobody's may have been said a moment ago.
                let newest = kept.index.lock().await.newest();
                kept.remove(doomed, newest).await;
            });
        }
    }
}

/// Waits until a commit is durable.
pub(super) async fn durable(receipt: Option<Receipt>) -> Result<(), R2Error> {
    match receipt {
        Some(receipt) if !receipt.is_durable() => Ok(receipt.wait().await?),
        _ => Ok(()),
    }
}
