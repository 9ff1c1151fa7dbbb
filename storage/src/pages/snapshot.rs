//! A database as one commit left it, copied while others go on.
//!
//! Whoever copies takes a few pages at a time. A commit that would replace a page
//! that was not taken yet keeps the one before for it.

use std::collections::BTreeMap;

use super::{Inner, Pages, PagesError};
use crate::commit::{PAGE_SIZE, Page};
use crate::log::Receipt;

/// Pages that are taken at a time: a commit waits for some tens of microseconds.
const AT_ONCE: u32 = 16;
/// Pages that are kept for one who copies: past 32 MiB the copy is given up, since
/// commits do not wait for it.
const MOST_KEPT: usize = 8192;

/// Tells the states apart that are being copied of one database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ShotId(u64);

/// A state that is to be copied.
pub(crate) struct Shot {
    pub(crate) id: ShotId,
    /// Its pages.
    pub(crate) size: u32,
    /// Of its last commit.
    pub(crate) newest: Option<Receipt>,
}

/// States that are being copied.
#[derive(Default)]
pub(super) struct Shots {
    all: BTreeMap<ShotId, Copying>,
    next: u64,
}

struct Copying {
    size: u32,
    /// The first page that is not taken yet.
    next: u32,
    /// Of those, the ones that have changed.
    kept: BTreeMap<u32, Result<Page, PagesError>>,
    /// More changed than is kept.
    is_late: bool,
}

/// The database changed too much while it was copied.
pub(crate) struct Late;

/// A page of a state, with its number.
pub(crate) type Taken = (u32, Result<Page, PagesError>);

impl Shots {
    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}

impl Pages {
    /// Begins to copy what the last commit left.
    pub(crate) fn begin_shot(&self) -> Shot {
        let mut inner = self.inner.lock();
        let id = ShotId(inner.shots.next);
        inner.shots.next += 1;
        let size = inner.committed;
        inner.shots.all.insert(
            id,
            Copying {
                size,
                next: 1,
                kept: BTreeMap::new(),
                is_late: false,
            },
        );
        let newest = inner.newest.clone();
        Shot { id, size, newest }
    }

    /// Takes the next pages of a state, in order; none at its end. A page that cannot be
    /// read is told in its place.
    pub(crate) fn next_of_shot(&self, id: ShotId) -> Result<Vec<Taken>, Late> {
        let mut inner = self.inner.lock();
        let Some(copying) = inner.shots.all.get_mut(&id) else {
            return Ok(Vec::new());
        };
        if copying.is_late {
            return Err(Late);
        }
        let first = copying.next;
        let end = copying
            .size
            .saturating_add(1)
            .min(first.saturating_add(AT_ONCE));
        copying.next = end;
        let rest = copying.kept.split_off(&end);
        let mut kept = std::mem::replace(&mut copying.kept, rest);
        let pages = (first..end).map(|number| {
            let page = kept.remove(&number);
            (number, page.unwrap_or_else(|| self.page(&inner, number)))
        });
        Ok(pages.collect())
    }

    pub(crate) fn end_shot(&self, id: ShotId) {
        self.inner.lock().shots.all.remove(&id);
    }

    /// Keeps what the open transaction is about to replace and is to be copied yet.
    pub(super) fn keep_for_shots(&self, inner: &mut Inner) {
        let mut shots = std::mem::take(&mut inner.shots.all);
        for copying in shots.values_mut().filter(|copying| !copying.is_late) {
            let (next, last) = (copying.next, copying.size);
            if next > last {
                continue;
            }
            let changed = inner.pending.range(next..=last);
            // What a smaller size cuts off changes too.
            let cut = next.max(inner.size.saturating_add(1))..=last;
            for number in changed.map(|(number, _)| *number).chain(cut) {
                if copying.kept.len() >= MOST_KEPT {
                    copying.is_late = true;
                    copying.kept.clear();
                    break;
                }
                let page = || self.page(inner, number);
                copying.kept.entry(number).or_insert_with(page);
            }
        }
        inner.shots.all = shots;
    }

    fn page(&self, inner: &Inner, number: u32) -> Result<Page, PagesError> {
        let mut page = [0; PAGE_SIZE];
        self.committed(inner, number, &mut page)?;
        Ok(page.into())
    }
}
