//! Where bytes are kept. A trait, since tests cut the power, fill the disk and
//! flip bits behind it.

mod handles;

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use self::handles::Handles;

/// A folder of files. Paths are relative to it, with `/` between names.
pub trait Disk: Send + Sync + 'static {
    /// Opens for reading and writing; makes the file and its folders if `create`.
    fn open(&self, path: &str, create: bool) -> io::Result<Arc<dyn DiskFile>>;
    /// The names in a folder, sorted; none if it is not there.
    fn list(&self, dir: &str) -> io::Result<Vec<String>>;
    fn remove(&self, path: &str) -> io::Result<()>;
    /// Gives a file another name, whose folders are made, in place of what had it.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Names that were made or removed in a folder are there after a crash.
    fn sync_names(&self, dir: &str) -> io::Result<()>;
    /// All that was written, to any file, is there after a crash.
    fn sync_all(&self) -> io::Result<()>;
}

/// An open file.
pub trait DiskFile: Send + Sync {
    /// Reads until `buffer` is full or the file ends; answers how much was read.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Writes all of it.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;
    fn size(&self) -> io::Result<u64>;
    fn set_len(&self, len: u64) -> io::Result<()>;
    /// What was written is there after a crash.
    fn sync(&self) -> io::Result<()>;
}

/// A folder of the file system.
#[derive(Debug)]
pub struct FileDisk {
    root: PathBuf,
    /// The folder itself, for `syncfs` and as a lock.
    folder: File,
    handles: Arc<Handles>,
}

impl FileDisk {
    /// Opens the folder, and makes it if it is not there.
    pub fn open(root: &Path) -> io::Result<Self> {
        let new: Vec<_> = root
            .ancestors()
            .take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists())
            .collect();
        std::fs::create_dir_all(root)?;
        for folder in new {
            let above = folder.parent().filter(|above| *above != Path::new(""));
            File::open(above.unwrap_or(Path::new(".")))?.sync_all()?;
        }
        let folder = File::open(root)?;
        // Two logs in one folder would write over each other. The lock goes with the
        // process.
        rustix::fs::flock(
            &folder,
            rustix::fs::FlockOperation::NonBlockingLockExclusive,
        )
        .map_err(|error| {
            if error == rustix::io::Errno::WOULDBLOCK {
                let what = "another process has the store open";
                io::Error::new(io::ErrorKind::ResourceBusy, what)
            } else {
                error.into()
            }
        })?;
        // A process that was killed may have made what is in it a moment ago.
        folder.sync_all()?;
        Ok(Self {
            root: root.to_path_buf(),
            folder,
            handles: Handles::of_process(),
        })
    }

    /// Makes the folder that `path` is in.
    fn make_folder_of(&self, path: &Path) -> io::Result<()> {
        let folder = path.parent().unwrap_or(&self.root);
        std::fs::create_dir_all(folder)?;
        // Whoever syncs names in a folder relies on its own; folders further down are of
        // what `sync_all` is for.
        if folder.parent() == Some(&*self.root) {
            self.folder.sync_all()?;
        }
        Ok(())
    }
}

impl Disk for FileDisk {
    fn open(&self, name: &str, create: bool) -> io::Result<Arc<dyn DiskFile>> {
        let path = self.root.join(name);
        let open = || {
            OpenOptions::new()
                .read(true)
                .write(true)
                .create(create)
                .truncate(false)
                .open(&path)
        };
        let file = match open() {
            Err(error) if create && error.kind() == io::ErrorKind::NotFound => {
                self.make_folder_of(&path)?;
                open()?
            }
            other => other?,
        };
        // What a sync of the log failed with is told to those who have it open.
        if name.starts_with("log/") {
            return Ok(Arc::new(file));
        }
        Ok(self.handles.keep(path, file))
    }

    fn list(&self, dir: &str) -> io::Result<Vec<String>> {
        let entries = match std::fs::read_dir(self.root.join(dir)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other?,
        };
        let mut names = Vec::new();
        for entry in entries {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        Ok(names)
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        std::fs::remove_file(self.root.join(path))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let (from, to) = (self.root.join(from), self.root.join(to));
        match std::fs::rename(&from, &to) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.make_folder_of(&to)?;
                std::fs::rename(from, to)
            }
            other => other,
        }
    }

    fn sync_names(&self, dir: &str) -> io::Result<()> {
        File::open(self.root.join(dir))?.sync_all()
    }

    fn sync_all(&self) -> io::Result<()> {
        Ok(rustix::fs::syncfs(&self.folder)?)
    }
}

impl DiskFile for File {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut done = 0;
        while done < buffer.len() {
            match FileExt::read_at(self, &mut buffer[done..], offset + done as u64) {
                Ok(0) => break,
                Ok(read) => done += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.write_all_at(bytes, offset)
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        File::set_len(self, len)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
}
