//! How many exchanges a host has under way.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::target::Peer;

/// Places per host. Counted by exchange and not by connection: the pool keeps
/// dialling for a request that was served by another's connection meanwhile,
/// and a limit down there would make such dials queue with nobody waiting.
#[derive(Clone)]
pub(crate) struct Slots {
    limit: usize,
    // Hosts with an exchange under way or waiting; gone with the last of them,
    // so a worker that visits many hosts leaves nothing behind.
    hosts: Arc<Mutex<HashMap<Peer, Arc<Semaphore>>>>,
}

impl Slots {
    pub(crate) fn new(limit: usize) -> Slots {
        Slots {
            limit: limit.clamp(1, Semaphore::MAX_PERMITS),
            hosts: Arc::default(),
        }
    }

    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// Waits for a place. Cancel-safe: a dropped wait leaves the queue.
    pub(crate) async fn take(&self, peer: &Peer) -> Slot {
        let semaphore = Arc::clone(
            lock(&self.hosts)
                .entry(peer.clone())
                .or_insert_with(|| Arc::new(Semaphore::new(self.limit))),
        );
        let mut slot = Slot {
            peer: peer.clone(),
            slots: self.clone(),
            semaphore: Some(Arc::clone(&semaphore)),
            permit: None,
        };
        // The semaphore is never closed, so the error can't happen; without a
        // permit the exchange would merely be uncounted.
        slot.permit = semaphore.acquire_owned().await.ok();
        slot
    }
}

/// One exchange's place, given back on drop.
pub(crate) struct Slot {
    peer: Peer,
    slots: Slots,
    semaphore: Option<Arc<Semaphore>>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut hosts = lock(&self.slots.hosts);
        self.permit = None;
        self.semaphore = None;
        // New holders take their share under the lock, so one that is left is
        // the map's own.
        if hosts
            .get(&self.peer)
            .is_some_and(|semaphore| Arc::strong_count(semaphore) == 1)
        {
            hosts.remove(&self.peer);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    #[tokio::test]
    async fn one_more_waits_and_an_idle_host_is_forgotten() {
        let slots = Slots::new(2);
        let peer = Peer::new("a.test", 80);
        let first = slots.take(&peer).await;
        let second = slots.take(&peer).await;
        let elsewhere = slots.take(&Peer::new("b.test", 80)).await;
        {
            let mut third = pin!(slots.take(&peer));
            let mut cx = Context::from_waker(Waker::noop());
            assert!(third.as_mut().poll(&mut cx).is_pending());
            drop(first);
            let Poll::Ready(third) = third.as_mut().poll(&mut cx) else {
                panic!("a place was given back");
            };
            drop(third);
        }
        {
            let first = slots.take(&peer).await;
            let mut dropped = Box::pin(slots.take(&peer));
            let mut cx = Context::from_waker(Waker::noop());
            assert!(dropped.as_mut().poll(&mut cx).is_pending());
            drop(dropped);
            drop(first);
        }
        drop(second);
        drop(elsewhere);
        assert!(lock(&slots.hosts).is_empty());
    }
}
