//! Files that are there whole or not at all, over any crash, and that only the
//! node's user reads.

use std::io::{self, Write};
use std::path::Path;

use crate::folders::{self, sync_names};

/// What a file is called until it is whole; one that is left over is of a crash.
const UNFINISHED: &str = ".unfinished-";

/// Puts a file in the place of the one that is there.
pub(super) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    make_folder(folder)?;
    // Its mode is 0600.
    let mut file = tempfile::Builder::new()
        .prefix(UNFINISHED)
        .tempfile_in(folder)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    sync_names(folder)
}

/// Removes a file, which need not be there.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(()) => sync_names(path.parent().unwrap_or(Path::new("."))),
    }
}

/// Makes a folder and those that it is in, each with a name that survives a crash.
pub(super) fn make_folder(folder: &Path) -> io::Result<()> {
    folders::make(folder, 0o700)
}

/// The names in a folder, sorted; none where it is not there.
pub(super) fn names(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    let mut names = Vec::new();
    for entry in entries {
        // Ours are text; others' are nothing to us.
        if let Ok(name) = entry?.file_name().into_string() {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// Removes what a crash left in a folder. Whoever writes there holds a lock.
pub(super) fn tidy(folder: &Path) -> io::Result<()> {
    for name in names(folder)? {
        if name.starts_with(UNFINISHED) {
            remove(&folder.join(name))?;
        }
    }
    Ok(())
}
