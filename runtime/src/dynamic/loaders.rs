//! What one isolate has loaded: by name, and how many in all.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use super::Dynamic;

/// Loaded workers after which the script's garbage, which holds those that nothing
/// can call any more, is collected for the first time.
const COLLECT: usize = 64;

/// A loader, and a name that the script gives.
type Key = (String, String);

#[derive(Default)]
pub(crate) struct Loaders {
    named: RefCell<HashMap<Key, Rc<Dynamic>>>,
    alive: Rc<Cell<usize>>,
    /// How many there may be before the garbage is collected.
    collect: Cell<usize>,
}

/// One that is alive.
pub(crate) struct Counted(Rc<Cell<usize>>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

/// As many are loaded as may be.
#[derive(Debug, thiserror::Error)]
#[error(
    "This Worker has {0} dynamic workers loaded, which is as many as it may. Let go of stubs \
     that are no longer used."
)]
pub(crate) struct TooMany(usize);

impl Loaders {
    /// The one with a name, unless its code failed.
    pub(crate) fn find(&self, loader: &str, name: &str) -> Option<Rc<Dynamic>> {
        let named = self.named.borrow();
        let found = named.get(&(loader.to_string(), name.to_string()))?;
        (!found.is_broken()).then(|| found.clone())
    }

    pub(crate) fn keep(&self, loader: &str, name: &str, dynamic: &Rc<Dynamic>) {
        let key = (loader.to_string(), name.to_string());
        let before = self.named.borrow_mut().insert(key, dynamic.clone());
        drop(before);
    }

    /// Whether the script's garbage is to be collected before one more.
    pub(crate) fn wants_collection(&self, limit: usize) -> bool {
        let alive = self.alive.get();
        alive >= self.collect.get().max(COLLECT) || alive >= limit
    }

    pub(crate) fn collected(&self) {
        self.collect.set(self.alive.get() * 2);
    }

    /// Counts one more; forgets names that are not called where there are too many.
    pub(crate) fn count(&self, limit: usize) -> Result<Counted, TooMany> {
        if self.alive.get() >= limit {
            self.forget_some();
        }
        if self.alive.get() >= limit {
            return Err(TooMany(limit));
        }
        self.alive.set(self.alive.get() + 1);
        Ok(Counted(self.alive.clone()))
    }

    /// Forgets the quarter of the names that was called longest ago.
    fn forget_some(&self) {
        let mut forgotten = Vec::new();
        let mut named = self.named.borrow_mut();
        let idle = |dynamic: &&Rc<Dynamic>| dynamic.calls.get() == 0;
        let mut used: Vec<_> = named
            .values()
            .filter(idle)
            .map(|it| it.used.get())
            .collect();
        used.sort_unstable();
        let Some(until) = used.get(used.len() / 4).copied() else {
            return;
        };
        named.retain(|_, dynamic| {
            let forget = dynamic.calls.get() == 0 && dynamic.used.get() <= until;
            if forget {
                forgotten.push(dynamic.clone());
            }
            !forget
        });
        drop(named);
        // Their isolates end here, where nothing is borrowed.
        drop(forgotten);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_alive_is_bounded_and_garbage_is_collected_ever_more_rarely() {
        let loaders = Loaders::default();
        let mut alive: Vec<_> = (0..COLLECT).map(|_| loaders.count(100)).collect();
        assert!(loaders.wants_collection(100));
        loaders.collected();
        assert!(!loaders.wants_collection(100));
        alive.extend((COLLECT..100).map(|_| loaders.count(100)));
        assert!(alive.iter().all(Result::is_ok));
        assert!(loaders.wants_collection(100) && loaders.count(100).is_err());
        alive.truncate(99);
        assert!(loaders.count(100).is_ok());
    }
}
