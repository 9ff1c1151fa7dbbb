//! The bytes of objects: a blob a value, written once, under a name of its own.

use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};

use bytes::{Bytes, BytesMut};
use futures::Stream;
use http_body_util::BodyExt;
use outboard_runtime::HostBody;
use tempfile::NamedTempFile;

use super::digest::{Digests, Found};
use super::error::R2Error;
use crate::folders::{self, sync_names};

/// A blob's name: the run of the node that wrote it, and its number in that run. So
/// what a crash left is in the runs before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct BlobId(pub(super) i64);

/// Numbers of a run; there may be 2^23 runs.
const RUN: u32 = 40;
/// Blobs of a folder.
const FOLDER: i64 = 1 << 10;

impl BlobId {
    /// The first of a run.
    pub(super) fn first(run: i64) -> Self {
        Self(run << RUN)
    }

    fn run(self) -> i64 {
        self.0 >> RUN
    }

    /// Of a path from the bucket's folder on.
    fn of_path(path: &str) -> Option<Self> {
        let mut parts = path.split('/');
        let run: i64 = parts.next()?.parse().ok()?;
        let number: i64 = parts.nth(1)?.parse().ok()?;
        let id = Self((run << RUN) | number);
        (id.to_string() == path).then_some(id)
    }
}

/// The path of its file.
impl fmt::Display for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.0 & ((1 << RUN) - 1);
        write!(f, "{}/{}/{number}", self.run(), number / FOLDER)
    }
}

/// How much is written and digested at a time, at least.
const WRITE: usize = 1 << 20;
/// How much is read at a time.
const READ: usize = 256 << 10;
/// The blobs of one bucket: files, in folders of runs.
#[derive(Debug, Clone)]
pub(super) struct Blobs {
    folder: Arc<PathBuf>,
}

impl Blobs {
    /// Opens a folder, and makes it.
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        make_folder(folder)?;
        Ok(Self {
            folder: Arc::new(folder.to_path_buf()),
        })
    }

    /// Writes a blob of `size` bytes, which is durable then. Dropping the future
    /// leaves no file.
    pub(super) async fn write(
        &self,
        id: BlobId,
        mut body: HostBody,
        size: u64,
        digests: Digests,
    ) -> Result<Found, R2Error> {
        // Lives as long as somebody waits.
        let waiting_for = Arc::new(());
        let mut writing = Writing {
            path: self.path(id),
            file: None,
            digests,
            wanted: Arc::downgrade(&waiting_for),
        };
        let mut chunks: Vec<Bytes> = Vec::new();
        let (mut waiting, mut received) = (0, 0_u64);
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| R2Error::Body(error.to_string()))?;
            let Ok(chunk) = frame.into_data() else {
                continue;
            };
            received += chunk.len() as u64;
            if received > size {
                return Err(R2Error::Incomplete);
            }
            waiting += chunk.len();
            chunks.push(chunk);
            if waiting >= WRITE {
                let full = std::mem::take(&mut chunks);
                waiting = 0;
                writing = aside(move || writing.write(&full)).await?;
            }
        }
        if received != size {
            return Err(R2Error::Incomplete);
        }
        aside(move || writing.write(&chunks)?.finish()).await
    }

    /// Opens some bytes of a blob to be read; they stay, although it is removed.
    pub(super) async fn read(
        &self,
        id: BlobId,
        offset: u64,
        length: u64,
    ) -> Result<impl Stream<Item = io::Result<Bytes>> + Send + 'static, R2Error> {
        let path = self.path(id);
        let opened = aside(move || {
            let file = File::open(&path)?;
            match file.metadata()?.len().checked_sub(offset) {
                Some(left) if left >= length => Ok(file),
                _ => Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
            }
        });
        match opened.await {
            Ok(file) => Ok(read_file(file, offset, offset + length)),
            Err(error) => {
                tracing::error!(%error, blob = %id, "an object's bytes cannot be read");
                Err(R2Error::Internal)
            }
        }
    }

    fn path(&self, id: BlobId) -> PathBuf {
        self.folder.join(id.to_string())
    }

    /// How long a blob is; none where it is not there.
    pub(super) fn size(&self, id: BlobId) -> io::Result<Option<u64>> {
        match std::fs::metadata(self.path(id)) {
            Ok(metadata) => Ok(Some(metadata.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Removes a blob, if it is there.
    pub(super) async fn remove(&self, id: BlobId) -> io::Result<()> {
        let path = self.path(id);
        match aside(move || std::fs::remove_file(path)).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Runs that have a folder.
    pub(super) fn runs(&self) -> io::Result<Vec<i64>> {
        let entries = std::fs::read_dir(&*self.folder)?;
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        Ok(names.filter_map(|name| name.parse().ok()).collect())
    }

    /// Removes the files of a run that `keep` does not know, and folders that are
    /// empty then. Nobody may write to the run.
    pub(super) fn sweep(
        &self,
        run: i64,
        mut keep: impl FnMut(BlobId) -> Result<bool, R2Error>,
    ) -> Result<u64, R2Error> {
        let mut removed = 0;
        let run_folder = self.folder.join(run.to_string());
        for folder in std::fs::read_dir(&run_folder).map_err(unreadable)? {
            let folder = folder.map_err(unreadable)?.path();
            for file in std::fs::read_dir(&folder).map_err(unreadable)? {
                let path = file.map_err(unreadable)?.path();
                let name = path.strip_prefix(&*self.folder).ok().and_then(Path::to_str);
                // What has no blob's name is the beginning of one.
                let known = name.and_then(BlobId::of_path);
                if match known {
                    Some(id) => keep(id)?,
                    None => false,
                } {
                    continue;
                }
                std::fs::remove_file(&path).map_err(unreadable)?;
                removed += 1;
            }
            // Fails where it is not empty, which is well.
            let _ = std::fs::remove_dir(&folder);
        }
        let _ = std::fs::remove_dir(&run_folder);
        Ok(removed)
    }
}

/// A file that is being written, under a name that is no blob's yet; it goes with its
/// guard.
struct Writing {
    path: PathBuf,
    file: Option<NamedTempFile>,
    digests: Digests,
    /// Nobody waits for it any more where it is gone.
    wanted: Weak<()>,
}

impl Writing {
    fn write(mut self, chunks: &[Bytes]) -> Result<Self, R2Error> {
        self.digests.update(chunks);
        let written = (|| {
            let file = match &mut self.file {
                Some(file) => file,
                None => {
                    let folder = self.path.parent().unwrap_or(Path::new("."));
                    make_folder(folder)?;
                    self.file.insert(NamedTempFile::new_in(folder)?)
                }
            };
            chunks.iter().try_for_each(|chunk| file.write_all(chunk))
        })();
        written.map_err(unwritable)?;
        Ok(self)
    }

    /// Makes it the blob, durable.
    fn finish(self) -> Result<Found, R2Error> {
        let finished = (|| {
            if let Some(file) = self.file {
                file.as_file().sync_data()?;
                file.persist_noclobber(&self.path)?;
                sync_names(self.path.parent().unwrap_or(Path::new(".")))?;
                // Who gave up may have looked for the blob before it was there.
                if self.wanted.strong_count() == 0 {
                    std::fs::remove_file(&self.path)?;
                }
            }
            Ok(())
        })();
        finished.map_err(unwritable)?;
        Ok(self.digests.finish())
    }
}

/// Makes a folder whose name is durable.
fn make_folder(folder: &Path) -> io::Result<()> {
    folders::make(folder, 0o777)
}

/// Does what waits for the disk, away from the lane.
async fn aside<T: Send + 'static, E: From<io::Error> + Send + 'static>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, E> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(io::Error::other)?
}

/// Whether a body has no bytes.
pub(super) async fn nothing(mut body: HostBody) -> Result<bool, R2Error> {
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| R2Error::Body(error.to_string()))?;
        if frame.data_ref().is_some_and(|data| !data.is_empty()) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn read_file(
    file: File,
    start: u64,
    end: u64,
) -> impl futures::Stream<Item = io::Result<Bytes>> + Send + 'static {
    let from = (Arc::new(file), start);
    futures::stream::try_unfold(from, move |(file, at)| async move {
        if at >= end {
            return Ok(None);
        }
        let length = usize::try_from(end - at).map_or(READ, |left| left.min(READ));
        let source = file.clone();
        let read = tokio::task::spawn_blocking(move || {
            let mut buffer = BytesMut::zeroed(length);
            source.read_exact_at(&mut buffer, at)?;
            Ok::<_, io::Error>(buffer.freeze())
        });
        let chunk = read.await.map_err(io::Error::other)??;
        Ok(Some((chunk, (file, at + length as u64))))
    })
}

fn unwritable(error: io::Error) -> R2Error {
    if error.kind() == io::ErrorKind::StorageFull {
        return R2Error::Full;
    }
    error.into()
}

fn unreadable(error: io::Error) -> R2Error {
    tracing::error!(%error, "a bucket's folder cannot be swept");
    R2Error::Internal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_its_blob() {
        for id in [
            BlobId::first(1),
            BlobId(BlobId::first(7).0 + 4096),
            BlobId(5),
        ] {
            assert_eq!(BlobId::of_path(&id.to_string()), Some(id));
        }
        for bad in [
            "", "1", "1/0", "1/0/a", "1/0/1#1", "1/1/1", "1/0/1/2", "01/0/1",
        ] {
            assert_eq!(BlobId::of_path(bad), None, "{bad}");
        }
    }
}
