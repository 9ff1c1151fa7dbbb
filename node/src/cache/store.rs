//! What is stored, by key, within a number of bytes.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use parking_lot::Mutex;

/// Bytes of all workers together.
const CAPACITY: usize = 256 << 20;
/// Bytes of one worker: a busy one leaves the others their share.
const SHARE: usize = 64 << 20;
/// What an entry takes besides its text, more or less.
const OVERHEAD: usize = 512;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) worker: String,
    /// None is the default cache.
    pub(crate) cache: Option<String>,
    pub(crate) url: String,
}

#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) stored: SystemTime,
    pub(crate) expires: SystemTime,
}

impl Entry {
    fn size(&self, key: &Key) -> usize {
        let headers = self.headers.iter();
        let headers: usize = headers.map(|(n, v)| n.as_str().len() + v.len() + 32).sum();
        self.body.len() + headers + 2 * key.url.len() + OVERHEAD
    }
}

/// Clones are the same store.
#[derive(Clone, Default)]
pub(crate) struct Store(Arc<Mutex<Shelves>>);

#[derive(Default)]
struct Shelves {
    entries: HashMap<Key, Slot>,
    /// Keys by when they were last used, the longest unused first.
    order: BTreeMap<u64, Key>,
    /// Bytes by worker.
    used: HashMap<String, usize>,
    total: usize,
    clock: u64,
}

struct Slot {
    entry: Arc<Entry>,
    size: usize,
    used_at: u64,
}

impl Store {
    /// What is stored and fresh.
    pub(crate) fn get(&self, key: &Key, now: SystemTime) -> Option<Arc<Entry>> {
        let shelves = &mut *self.0.lock();
        let slot = shelves.entries.get_mut(key)?;
        if slot.entry.expires <= now {
            shelves.remove(key);
            return None;
        }
        shelves.clock += 1;
        let before = std::mem::replace(&mut slot.used_at, shelves.clock);
        let entry = slot.entry.clone();
        if let Some(key) = shelves.order.remove(&before) {
            shelves.order.insert(shelves.clock, key);
        }
        Some(entry)
    }

    /// Stores, in place of what the key had; what was unused the longest goes
    /// where it does not fit.
    pub(crate) fn insert(&self, key: Key, entry: Entry) {
        let size = entry.size(&key);
        let shelves = &mut *self.0.lock();
        shelves.remove(&key);
        if size > SHARE {
            return;
        }
        while shelves
            .used
            .get(&key.worker)
            .is_some_and(|used| used + size > SHARE)
        {
            if !shelves.evict(Some(&key.worker)) {
                return;
            }
        }
        while shelves.total + size > CAPACITY {
            if !shelves.evict(None) {
                return;
            }
        }
        shelves.clock += 1;
        let used_at = shelves.clock;
        shelves.order.insert(used_at, key.clone());
        *shelves.used.entry(key.worker.clone()).or_default() += size;
        shelves.total += size;
        let entry = Arc::new(entry);
        shelves.entries.insert(
            key,
            Slot {
                entry,
                size,
                used_at,
            },
        );
    }

    /// Whether there was something fresh.
    pub(crate) fn remove(&self, key: &Key, now: SystemTime) -> bool {
        let removed = self.0.lock().remove(key);
        removed.is_some_and(|slot| slot.entry.expires > now)
    }
}

impl Shelves {
    fn remove(&mut self, key: &Key) -> Option<Slot> {
        let slot = self.entries.remove(key)?;
        self.order.remove(&slot.used_at);
        self.total -= slot.size;
        if let Some(used) = self.used.get_mut(&key.worker) {
            *used -= slot.size;
            if *used == 0 {
                self.used.remove(&key.worker);
            }
        }
        Some(slot)
    }

    /// Drops what was unused the longest, of one worker or of all.
    fn evict(&mut self, worker: Option<&str>) -> bool {
        let oldest = self
            .order
            .values()
            .find(|key| worker.is_none_or(|worker| key.worker == worker))
            .cloned();
        oldest.is_some_and(|key| self.remove(&key).is_some())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn key(worker: &str, url: &str) -> Key {
        Key {
            worker: worker.into(),
            cache: None,
            url: url.into(),
        }
    }

    fn entry(bytes: usize, now: SystemTime) -> Entry {
        Entry {
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            body: vec![0; bytes].into(),
            stored: now,
            expires: now + Duration::from_secs(10),
        }
    }

    #[test]
    fn what_was_unused_the_longest_goes_first_and_others_keep_their_share() {
        let now = SystemTime::now();
        let store = Store::default();
        let part = SHARE / 4;
        store.insert(key("other", "x"), entry(part, now));
        for url in ["a", "b", "c"] {
            store.insert(key("busy", url), entry(part, now));
        }
        assert!(store.get(&key("busy", "a"), now).is_some());
        store.insert(key("busy", "d"), entry(part, now));
        assert!(store.get(&key("busy", "b"), now).is_none());
        assert!(store.get(&key("busy", "a"), now).is_some());
        assert!(store.get(&key("other", "x"), now).is_some());
        store.insert(key("busy", "large"), entry(SHARE, now));
        assert!(store.get(&key("busy", "large"), now).is_none());
    }

    #[test]
    fn all_together_stay_within_the_capacity() {
        let now = SystemTime::now();
        let store = Store::default();
        for worker in 0..10 {
            for url in ["a", "b"] {
                store.insert(key(&worker.to_string(), url), entry(SHARE / 3, now));
            }
        }
        let shelves = store.0.lock();
        assert!(shelves.total <= CAPACITY, "{}", shelves.total);
        assert_eq!(shelves.entries.len(), shelves.order.len());
        assert_eq!(shelves.used.values().sum::<usize>(), shelves.total);
        assert!(!shelves.entries.contains_key(&key("0", "a")));
    }

    #[test]
    fn what_expired_is_gone() {
        let now = SystemTime::now();
        let later = now + Duration::from_secs(10);
        let store = Store::default();
        store.insert(key("w", "a"), entry(1, now));
        store.insert(key("w", "b"), entry(1, now));
        assert!(store.get(&key("w", "a"), later).is_none());
        assert!(!store.remove(&key("w", "b"), later));
        let shelves = store.0.lock();
        assert_eq!((shelves.total, shelves.order.len()), (0, 0));
    }
}
