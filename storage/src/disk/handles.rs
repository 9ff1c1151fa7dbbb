//! Files that count as open, of which only some are: a process may not have one open for
//! each object in memory.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use super::DiskFile;

/// What is open of a disk's files.
#[derive(Debug)]
pub(super) struct Handles {
    most: usize,
    open: AtomicUsize,
    /// Those that are, oldest first: of them the first goes that was not used since it was
    /// looked at ("second chance").
    queue: Mutex<VecDeque<Weak<Kept>>>,
}

impl Handles {
    /// At most half of what the process may have open: sockets need the rest.
    pub(super) fn of_process() -> Arc<Self> {
        let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
        let half = limit.map_or(usize::MAX, |limit| {
            usize::try_from(limit / 2).unwrap_or(usize::MAX)
        });
        Self::at_most(half.clamp(16, 1 << 16))
    }

    pub(super) fn at_most(most: usize) -> Arc<Self> {
        Arc::new(Self {
            most,
            open: AtomicUsize::new(0),
            queue: Mutex::default(),
        })
    }

    /// Takes a file that was opened, under the name that it keeps.
    pub(super) fn keep(self: &Arc<Self>, path: PathBuf, file: File) -> Arc<Kept> {
        self.open.fetch_add(1, Ordering::Relaxed);
        let kept = Arc::new_cyclic(|this| Kept {
            this: this.clone(),
            path,
            handles: self.clone(),
            file: Mutex::new(Some(Arc::new(file))),
            was_used: AtomicBool::new(true),
        });
        self.make_room_for(&kept.this);
        kept
    }

    /// Closes others, where too many are open with this one.
    fn make_room_for(&self, new: &Weak<Kept>) {
        let mut queue = self.queue.lock();
        // Each is looked at twice at most: the first time it may have been used.
        let mut looks = 2 * queue.len();
        while self.open.load(Ordering::Relaxed) > self.most && looks > 0 {
            looks -= 1;
            let Some(first) = queue.pop_front() else {
                break;
            };
            match first.upgrade() {
                None => {}
                Some(kept) if kept.was_used.swap(false, Ordering::Relaxed) => {
                    queue.push_back(first);
                }
                Some(kept) => kept.close(),
            }
        }
        // Those that are gone are no reason for it to grow.
        if queue.len() > 2 * self.most {
            queue.retain(|kept| kept.strong_count() > 0);
        }
        queue.push_back(new.clone());
    }
}

/// A file that is opened again when it is used. It is never another: nothing is renamed
/// over one that somebody has, and one that was removed is not made again.
#[derive(Debug)]
pub(super) struct Kept {
    this: Weak<Self>,
    path: PathBuf,
    handles: Arc<Handles>,
    file: Mutex<Option<Arc<File>>>,
    was_used: AtomicBool,
}

impl Kept {
    fn file(&self) -> io::Result<Arc<File>> {
        self.was_used.store(true, Ordering::Relaxed);
        let mut file = self.file.lock();
        if let Some(file) = &*file {
            return Ok(file.clone());
        }
        let opened = OpenOptions::new().read(true).write(true).open(&self.path)?;
        let opened = Arc::new(opened);
        *file = Some(opened.clone());
        self.handles.open.fetch_add(1, Ordering::Relaxed);
        // Whoever makes room has the queue, and then waits for a file that it closes.
        drop(file);
        self.handles.make_room_for(&self.this);
        Ok(opened)
    }

    fn close(&self) {
        if self.file.lock().take().is_some() {
            self.handles.open.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.close();
    }
}

impl DiskFile for Kept {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file()?.read_at(buffer, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        DiskFile::write_at(&*self.file()?, bytes, offset)
    }

    fn size(&self) -> io::Result<u64> {
        self.file()?.size()
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        DiskFile::set_len(&*self.file()?, len)
    }

    fn sync(&self) -> io::Result<()> {
        self.file()?.sync()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_files_are_used_and_few_are_open() {
        let folder = tempfile::tempdir().unwrap();
        let handles = Handles::at_most(4);
        let files: Vec<_> = (0..50_u8)
            .map(|number| {
                let path = folder.path().join(number.to_string());
                let file = File::create_new(&path).unwrap();
                drop(file);
                let file = OpenOptions::new().read(true).write(true).open(&path);
                handles.keep(path, file.unwrap())
            })
            .collect();
        for turn in 0..3_u8 {
            for (number, file) in files.iter().enumerate() {
                DiskFile::write_at(&**file, &[turn, number as u8], 0).unwrap();
                assert!(handles.open.load(Ordering::Relaxed) <= 4);
            }
            for (number, file) in files.iter().enumerate() {
                let mut bytes = [0; 2];
                file.read_at(&mut bytes, 0).unwrap();
                assert_eq!(bytes, [turn, number as u8]);
            }
        }
        assert!(handles.queue.lock().len() <= 8 + 1);
        // One that was removed is not made again.
        std::fs::remove_file(&files[0].path).unwrap();
        let gone = files[0].size().unwrap_err();
        assert_eq!(gone.kind(), io::ErrorKind::NotFound);
        drop(files);
        assert_eq!(handles.open.load(Ordering::Relaxed), 0);
    }
}
