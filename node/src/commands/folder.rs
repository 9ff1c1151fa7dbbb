//! Which data folder a command means, and the files that commands write.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::cli::StoreArgs;
use crate::errands::{FolderError, Keeper};

/// Where `dev` and `serve` keep objects if nobody says otherwise.
const FOLDERS: [&str; 2] = [".outboard", "data"];

/// The folder that is meant.
pub(super) fn folder(args: &StoreArgs) -> Result<PathBuf, FolderError> {
    let folder = match &args.data {
        Some(folder) => folder.clone(),
        None => FOLDERS
            .iter()
            .map(PathBuf::from)
            .find(|folder| folder.is_dir())
            .ok_or(FolderError::None)?,
    };
    // Opening one that is not there would make it.
    match folder.join("log").is_dir() {
        true => Ok(folder),
        false => Err(FolderError::NoStore(folder)),
    }
}

/// Who does errands in the folder that is meant.
pub(super) fn keeper(args: &StoreArgs) -> Result<Keeper, FolderError> {
    Keeper::open(&folder(args)?)
}

/// A file that is written beside its place, and is there under its name only when it is
/// whole.
pub(super) struct NewFile {
    file: NamedTempFile,
    /// What could not be written, which an errand tells as a fault of its own.
    failed: Option<io::Error>,
    /// Bytes in it.
    pub(super) length: u64,
}

impl NewFile {
    pub(super) fn beside(path: &Path) -> io::Result<Self> {
        let parent = path.parent().filter(|parent| *parent != Path::new(""));
        Ok(Self {
            file: NamedTempFile::new_in(parent.unwrap_or(Path::new(".")))?,
            failed: None,
            length: 0,
        })
    }

    /// The first fault of writing it.
    pub(super) fn fault(&mut self) -> Option<io::Error> {
        self.failed.take()
    }

    /// Gives it its name; nothing may be there.
    pub(super) fn persist(self, path: &Path) -> io::Result<()> {
        self.file.as_file().sync_all()?;
        self.file
            .persist_noclobber(path)
            .map_err(|error| error.error)?;
        Ok(())
    }

    fn note<T>(&mut self, done: io::Result<T>) -> io::Result<T> {
        done.map_err(|error| {
            let again = io::Error::new(error.kind(), error.to_string());
            self.failed.get_or_insert(error);
            again
        })
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut file: &File = self.file.as_file();
        let written = file.write(bytes);
        let written = self.note(written)?;
        self.length += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
