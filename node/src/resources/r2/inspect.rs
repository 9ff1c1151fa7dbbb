//! Buckets for people: how full they are, and whether their bytes are there.

use std::path::Path;

use rusqlite::Connection;

use super::blobs::Blobs;
use super::bucket::folder_of;
use super::index;

/// Why a bucket cannot be looked at.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InspectError {
    #[error("its index: {0}")]
    Index(#[from] rusqlite::Error),
    #[error("its blobs: {0}")]
    Blobs(#[from] std::io::Error),
}

/// The objects of a bucket, by its index, and the bytes in them.
pub(crate) fn totals(index: &Connection) -> rusqlite::Result<(u64, u64)> {
    index::totals(index)
}

/// What is wrong with the blobs of a bucket, whose index is sound.
pub(crate) fn blob_faults(
    index: &Connection,
    folder: &Path,
    bucket: &str,
) -> Result<Vec<String>, InspectError> {
    let blobs = Blobs::open(&folder_of(folder, bucket))?;
    let mut faults = Vec::new();
    index::each_blob(index, |key, blob| {
        let fault = match blobs.size(blob.id) {
            Ok(Some(size)) if size == blob.size => return,
            Ok(Some(size)) => format!("has {size} of its {} bytes", blob.size),
            Ok(None) => "is missing".into(),
            Err(error) => error.to_string(),
        };
        faults.push(format!("{bucket}/{key}: its blob {} {fault}", blob.id));
    })?;
    Ok(faults)
}
