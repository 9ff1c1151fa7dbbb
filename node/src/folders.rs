//! Folders whose names survive a power cut.

use std::collections::BTreeSet;
use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use parking_lot::Mutex;

/// Those that this process knows to survive; a shortcut, so forgotten when full.
static DURABLE: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
/// Those whose contents do.
static FOUND: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
const MOST_KNOWN: usize = 10_000;

/// Makes a folder, and those that it is in. Their names are synced whoever made them: a
/// process that was killed may not have come to that.
pub(crate) fn make(folder: &Path, mode: u32) -> io::Result<()> {
    // Held meanwhile, so that nobody relies on a name that another has yet to sync.
    let mut durable = DURABLE.lock();
    if durable.len() > MOST_KNOWN {
        durable.clear();
    }
    make_in(folder, mode, &mut durable)
}

fn make_in(folder: &Path, mode: u32, durable: &mut BTreeSet<PathBuf>) -> io::Result<()> {
    if durable.contains(folder) && folder.is_dir() {
        return Ok(());
    }
    let above = folder.parent().filter(|above| *above != Path::new(""));
    if let Some(above) = above {
        make_in(above, mode, durable)?;
    }
    let was_there = match DirBuilder::new().mode(mode).create(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => true,
        other => other.map(|()| false)?,
    };
    match sync_names(above.unwrap_or(Path::new("."))) {
        // Further up there are file systems that know no sync, and folders that one may
        // not read: nothing of ours.
        Err(error)
            if was_there
                && matches!(
                    error.kind(),
                    io::ErrorKind::PermissionDenied
                        | io::ErrorKind::InvalidInput
                        | io::ErrorKind::Unsupported
                ) => {}
        other => other?,
    }
    durable.insert(folder.to_path_buf());
    Ok(())
}

/// Has the names that a start found in a folder survive a power cut, whoever gave them.
pub(crate) fn keep_found(folder: &Path) -> io::Result<()> {
    if FOUND.lock().contains(folder) {
        return Ok(());
    }
    sync_names(folder)?;
    let mut found = FOUND.lock();
    if found.len() > MOST_KNOWN {
        found.clear();
    }
    found.insert(folder.to_path_buf());
    Ok(())
}

/// Has names that were made or removed in a folder survive a power cut.
pub(crate) fn sync_names(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn folders_are_made_where_they_are_not_and_again_when_they_went() {
        let dir = tempfile::tempdir().expect("a folder");
        let folder = dir.path().join("a/b/c");
        for _ in 0..2 {
            make(&folder, 0o700).expect("made");
            make(&folder, 0o700).expect("it is there");
            let mode = folder.metadata().expect("metadata").permissions().mode();
            assert_eq!(mode & 0o777, 0o700);
            std::fs::remove_dir_all(dir.path().join("a")).expect("removed");
        }
        std::fs::write(dir.path().join("file"), "").expect("a file");
        make(&dir.path().join("file/a"), 0o700).expect_err("a file is no folder");
    }
}
