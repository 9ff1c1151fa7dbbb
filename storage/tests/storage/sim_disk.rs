//! A disk in memory that can lose power at any operation. What was not synced
//! is then there or not, a sector at a time, by the dice.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use outboard_storage::{Disk, DiskFile};

use crate::support::Dice;

const SECTOR: usize = 512;

#[derive(Default)]
struct State {
    files: BTreeMap<String, File>,
    operations: u64,
    power_off_at: Option<u64>,
    /// Bytes that fit; writes past that fail as on a full disk.
    room: Option<u64>,
    /// There is none for another segment of the log.
    is_log_full: bool,
    /// Nothing can be written.
    is_read_only: bool,
    /// Files whose paths begin so cannot be written.
    broken: Option<&'static str>,
    /// The next sync of all fails, and loses what it was to write.
    fails_sync: bool,
    /// Those that a power cut may take back, the newest first.
    renames: Vec<Rename>,
}

#[derive(Clone)]
struct Rename {
    from: String,
    to: String,
    /// What had the name.
    replaced: Option<File>,
}

#[derive(Default, Clone)]
struct File {
    /// What was synced.
    durable: Vec<u8>,
    /// What reads see.
    now: Vec<u8>,
    changes: Vec<Change>,
    named: bool,
}

#[derive(Clone)]
enum Change {
    Write { offset: usize, bytes: Vec<u8> },
    Len(usize),
}

#[derive(Clone, Default)]
pub(crate) struct SimDisk {
    state: Arc<Mutex<State>>,
    /// Whether new segments of the log wait.
    held: Arc<(Mutex<bool>, Condvar)>,
}

impl SimDisk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .expect("no test panics while it holds this")
    }

    /// Counts an operation that changes something; none happens without power.
    fn operate(&self) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.state();
        if state.power_off_at.is_some_and(|at| state.operations >= at) {
            return Err(io::Error::other("the power is off"));
        }
        if state.is_read_only {
            return Err(io::ErrorKind::ReadOnlyFilesystem.into());
        }
        state.operations += 1;
        Ok(state)
    }

    /// Operations so far.
    pub(crate) fn operations(&self) -> u64 {
        self.state().operations
    }

    /// Every operation after so many more fails.
    pub(crate) fn power_off_after(&self, operations: u64) {
        let mut state = self.state();
        state.power_off_at = Some(state.operations + operations);
    }

    pub(crate) fn is_off(&self) -> bool {
        let state = self.state();
        state.power_off_at.is_some_and(|at| state.operations >= at)
    }

    /// Leaves room for so many bytes more, or for any number.
    pub(crate) fn limit(&self, bytes: Option<u64>) {
        let mut state = self.state();
        let used: u64 = state.files.values().map(|file| file.now.len() as u64).sum();
        state.room = bytes.map(|bytes| used + bytes);
    }

    pub(crate) fn set_log_full(&self, is_full: bool) {
        self.state().is_log_full = is_full;
    }

    pub(crate) fn set_read_only(&self, is_read_only: bool) {
        self.state().is_read_only = is_read_only;
    }

    /// Has writes to files fail whose paths begin so.
    pub(crate) fn break_files(&self, broken: Option<&'static str>) {
        self.state().broken = broken;
    }

    /// Has the next sync of all fail as systems do: what it was to write is lost, and
    /// the one after it succeeds.
    pub(crate) fn fail_next_sync(&self) {
        self.state().fails_sync = true;
    }

    /// Has whoever makes a new segment of the log wait for as long as the answer lives.
    pub(crate) fn hold_new_segments(&self) -> Held {
        *self.held.0.lock().unwrap() = true;
        Held(self.held.clone())
    }

    /// The disk as the next process finds it where this one ended at what was to be
    /// the power's end: all that was written, and no more of it durable.
    pub(crate) fn after_kill(&self) -> Self {
        let state = self.state();
        let after = State {
            files: state.files.clone(),
            renames: state.renames.clone(),
            ..State::default()
        };
        Self {
            state: Arc::new(Mutex::new(after)),
            held: Arc::default(),
        }
    }

    pub(crate) fn after_kill_or_power_cut(&self, dice: &mut Dice) -> Self {
        if dice.below(2) == 0 {
            self.after_kill()
        } else {
            self.after_power_cut(dice)
        }
    }

    /// The disk as the next start finds it after a power cut.
    pub(crate) fn after_power_cut(&self, dice: &mut Dice) -> Self {
        let mut files = BTreeMap::new();
        for (path, file) in &self.names_after_power_cut(dice) {
            if !file.named && dice.below(2) == 0 {
                continue;
            }
            let mut image = file.durable.clone();
            for change in &file.changes {
                apply(&mut image, change, Some(dice));
            }
            let after = File {
                durable: image.clone(),
                now: image,
                changes: Vec::new(),
                named: true,
            };
            files.insert(path.clone(), after);
        }
        let state = State {
            files,
            ..State::default()
        };
        Self {
            state: Arc::new(Mutex::new(state)),
            held: Arc::default(),
        }
    }

    /// Renames are done in their order, so the first of them stay.
    fn names_after_power_cut(&self, dice: &mut Dice) -> BTreeMap<String, File> {
        let state = self.state();
        let mut files = state.files.clone();
        let stay = dice.below(state.renames.len() as u64 + 1) as usize;
        for rename in state.renames[stay..].iter().rev() {
            // It may be gone by now.
            if let Some(file) = files.remove(&rename.to) {
                files.insert(rename.from.clone(), file);
            }
            if let Some(replaced) = &rename.replaced {
                files.insert(rename.to.clone(), replaced.clone());
            }
        }
        for rename in &state.renames[..stay] {
            if let Some(file) = files.get_mut(&rename.to) {
                file.named = true;
            }
        }
        files
    }

    /// Flips a bit of a file, as rot does.
    pub(crate) fn flip(&self, path: &str, byte: usize, bit: u8) {
        let mut state = self.state();
        let file = state.files.get_mut(path).expect("the file is there");
        file.durable = file.now.clone();
        file.changes.clear();
        file.durable[byte] ^= 1 << bit;
        file.now[byte] ^= 1 << bit;
    }

    /// Paths and contents, as reads see them.
    pub(crate) fn files(&self) -> Vec<(String, Vec<u8>)> {
        let state = self.state();
        let files = state.files.iter();
        files
            .map(|(path, file)| (path.clone(), file.now.clone()))
            .collect()
    }
}

pub(crate) struct Held(Arc<(Mutex<bool>, Condvar)>);

impl Drop for Held {
    fn drop(&mut self) {
        *self.0.0.lock().unwrap() = false;
        self.0.1.notify_all();
    }
}

fn apply(bytes: &mut Vec<u8>, change: &Change, mut dice: Option<&mut Dice>) {
    let mut happens = || dice.as_mut().is_none_or(|dice| dice.below(3) > 0);
    match change {
        Change::Len(len) => {
            if happens() {
                bytes.resize(*len, 0);
            }
        }
        Change::Write { offset, bytes: new } => {
            let mut done = 0;
            while done < new.len() {
                let at = offset + done;
                let part = (SECTOR - at % SECTOR).min(new.len() - done);
                if happens() {
                    if bytes.len() < at + part {
                        bytes.resize(at + part, 0);
                    }
                    bytes[at..at + part].copy_from_slice(&new[done..done + part]);
                }
                done += part;
            }
        }
    }
}

impl Disk for SimDisk {
    fn open(&self, path: &str, create: bool) -> io::Result<Arc<dyn DiskFile>> {
        let there = self.state().files.contains_key(path);
        if !there {
            if !create {
                return Err(io::ErrorKind::NotFound.into());
            }
            if path.starts_with("log/") {
                let (held, changed) = &*self.held;
                let held = held.lock().unwrap();
                drop(changed.wait_while(held, |held| *held).unwrap());
            }
            let mut state = self.operate()?;
            if state.is_log_full && path.starts_with("log/") {
                return Err(io::ErrorKind::StorageFull.into());
            }
            state.files.insert(path.into(), File::default());
        }
        Ok(Arc::new(SimFile {
            disk: self.clone(),
            path: path.into(),
        }))
    }

    fn list(&self, dir: &str) -> io::Result<Vec<String>> {
        let prefix = format!("{dir}/");
        let mut names: Vec<String> = Vec::new();
        for path in self.state().files.keys() {
            if let Some(name) = path
                .strip_prefix(&prefix)
                .and_then(|rest| rest.split('/').next())
            {
                names.push(name.into());
            }
        }
        names.dedup();
        Ok(names)
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        // Removing is seen at once here: a file that comes back after a crash is
        // the same as one whose removal came later.
        match self.operate()?.files.remove(path) {
            Some(_) => Ok(()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.operate()?;
        let file = state.files.remove(from).ok_or(io::ErrorKind::NotFound)?;
        let replaced = state.files.insert(to.into(), file);
        state.renames.push(Rename {
            from: from.into(),
            to: to.into(),
            replaced,
        });
        Ok(())
    }

    fn sync_names(&self, dir: &str) -> io::Result<()> {
        let prefix = format!("{dir}/");
        let mut state = self.operate()?;
        // A journal of names is written in order, up to here.
        state.renames.clear();
        for (path, file) in &mut state.files {
            file.named |= path.starts_with(&prefix);
        }
        Ok(())
    }

    fn sync_all(&self) -> io::Result<()> {
        let mut state = self.operate()?;
        if std::mem::take(&mut state.fails_sync) {
            for file in state.files.values_mut() {
                file.changes.clear();
            }
            return Err(io::Error::other("the disk did not take it"));
        }
        state.renames.clear();
        for file in state.files.values_mut() {
            file.sync();
            file.named = true;
        }
        Ok(())
    }
}

impl File {
    fn sync(&mut self) {
        for change in self.changes.drain(..) {
            apply(&mut self.durable, &change, None);
        }
    }
}

struct SimFile {
    disk: SimDisk,
    path: String,
}

impl SimFile {
    fn change(&self, change: Change) -> io::Result<()> {
        let mut state = self.disk.operate()?;
        let end = match &change {
            Change::Write { offset, bytes } => offset + bytes.len(),
            Change::Len(len) => *len,
        };
        let used: u64 = state.files.values().map(|file| file.now.len() as u64).sum();
        let room = state.room;
        if state
            .broken
            .is_some_and(|broken| self.path.starts_with(broken))
        {
            return Err(io::Error::other("a bad sector"));
        }
        let file = state
            .files
            .get_mut(&self.path)
            .ok_or(io::ErrorKind::NotFound)?;
        let more = end.saturating_sub(file.now.len()) as u64;
        if more > 0 && room.is_some_and(|room| used + more > room) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        apply(&mut file.now, &change, None);
        file.changes.push(change);
        Ok(())
    }
}

impl DiskFile for SimFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let state = self.disk.state();
        let file = state.files.get(&self.path).ok_or(io::ErrorKind::NotFound)?;
        let start = (offset as usize).min(file.now.len());
        let len = buffer.len().min(file.now.len() - start);
        buffer[..len].copy_from_slice(&file.now[start..start + len]);
        Ok(len)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.change(Change::Write {
            offset: offset as usize,
            bytes: bytes.to_vec(),
        })
    }

    fn size(&self) -> io::Result<u64> {
        let state = self.disk.state();
        let file = state.files.get(&self.path).ok_or(io::ErrorKind::NotFound)?;
        Ok(file.now.len() as u64)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.change(Change::Len(len as usize))
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.disk.operate()?;
        let file = state
            .files
            .get_mut(&self.path)
            .ok_or(io::ErrorKind::NotFound)?;
        file.sync();
        Ok(())
    }
}
