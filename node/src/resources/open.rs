//! What is open of a kind, by name: each opened once, when it is first asked for.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::OnceCell;

/// As many as deployed workers name.
pub(super) struct Open<T> {
    cells: Mutex<HashMap<String, Arc<OnceCell<T>>>>,
}

impl<T: Clone> Open<T> {
    pub(super) fn new() -> Self {
        let cells = Mutex::default();
        Self { cells }
    }

    /// The one of a name, which `open` opens where it is not; another call tries again
    /// where that fails.
    pub(super) async fn get<E, F>(&self, name: &str, open: impl FnOnce() -> F) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
    {
        let cell = self.cells.lock().entry(name.into()).or_default().clone();
        cell.get_or_try_init(open).await.cloned()
    }

    pub(super) fn all(&self) -> Vec<(String, T)> {
        let cells = self.cells.lock();
        let open = |(name, cell): (&String, &Arc<OnceCell<T>>)| {
            let open = cell.get().cloned()?;
            Some((name.clone(), open))
        };
        cells.iter().filter_map(open).collect()
    }
}
