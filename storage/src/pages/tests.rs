use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::changes::tests::Memory;
use crate::key::{NamespaceId, ObjectId};

/// A log that is as fast as memory.
#[derive(Default)]
struct Fast(AtomicU64);

impl CommitLog for Fast {
    fn append(&self, _: Commit) -> Result<Receipt, LogError> {
        let receipt = Receipt::new(Seq(self.0.fetch_add(1, Ordering::Relaxed) + 1));
        receipt.settle(Ok(()));
        Ok(receipt)
    }

    fn durable(&self) -> Seq {
        Seq(self.0.load(Ordering::Relaxed))
    }

    fn most_pages(&self) -> usize {
        512
    }

    fn largest(&self) -> usize {
        512
    }
}

/// An object may change the same few pages for as long as a segment of the log lasts.
#[test]
fn a_page_that_each_commit_changes_is_in_memory_once() {
    let pages = Pages {
        object: ObjectKey {
            namespace: NamespaceId(1),
            id: ObjectId([1; 32]),
        },
        log: Arc::new(Fast::default()),
        file: Arc::new(Memory::default()),
        clock: Clock::default(),
        inner: Mutex::default(),
    };
    for round in 0..1000_u32 {
        for number in 0..3_u64 {
            let mut page = [number as u8; PAGE_SIZE];
            page[100..104].copy_from_slice(&round.to_le_bytes());
            pages.write(&page, number * PAGE_SIZE as u64).unwrap();
        }
        pages.commit().unwrap();
    }
    let inner = pages.inner.lock();
    let versions: usize = inner.logged.values().map(Vec::len).sum();
    assert!(versions <= 6, "{versions} versions of 3 pages");
    assert!(inner.waiting.len() <= 1, "{} receipts", inner.waiting.len());
}
