//! Buckets for people: how full they are, and whether their bytes are there.

use std::path::Path;

use outboard_storage::Object;

use super::blobs::Blobs;
use super::bucket::folder_of;
use super::error::R2Error;
use super::index::Index;

/// The objects of a bucket, and the bytes in them.
pub(crate) fn totals(database: Object) -> Result<(u64, u64), R2Error> {
    Index::view(database).totals()
}

/// What is wrong with the blobs of a bucket, whose index is sound.
pub(crate) fn blob_faults(
    database: Object,
    folder: &Path,
    bucket: &str,
) -> Result<Vec<String>, R2Error> {
    let index = Index::view(database);
    let blobs = Blobs::open(&folder_of(folder, bucket))?;
    let mut faults = Vec::new();
    index.each_blob(|key, blob| {
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
