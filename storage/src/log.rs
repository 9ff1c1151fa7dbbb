//! Where commits become durable.

pub(crate) mod local;
pub(crate) mod segment;
mod writer;

use std::io;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Wake};
use std::thread::Thread;

use tokio::sync::Notify;

use crate::commit::Commit;
use crate::key::Seq;

/// A log that commits are appended to. A node's own is [`local::LocalLog`]; a
/// cluster's is its engine.
pub trait CommitLog: Send + Sync {
    /// Takes a commit, and does not wait for it to be durable. Commits of one
    /// object become durable in the order of these calls. Stands still for a while
    /// where the disk is behind, so that writers are as fast as it is; refuses, and
    /// has done nothing, when it cannot promise to try.
    fn append(&self, commit: Commit) -> Result<Receipt, LogError>;

    /// The newest commit that is durable, of any object; known before its receipt
    /// says so.
    fn durable(&self) -> Seq;

    /// Pages that certainly fit into one commit.
    fn most_pages(&self) -> usize;

    /// Pages of the largest commit that is taken where there is room.
    fn largest(&self) -> usize;
}

/// Why a commit is not durable.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LogError {
    /// The disk has no room for more of the log. What was acknowledged is safe.
    #[error("the disk is full: the store has no room to write; free some, it goes on by itself")]
    Full,
    /// The disk was slower than the commits for longer than one waits.
    #[error("the commit log is behind: {queued} bytes wait for the disk")]
    Overloaded { queued: usize },
    #[error("a transaction changed {bytes} bytes of pages; the most is {most}")]
    TooLarge { bytes: usize, most: usize },
    /// After a failed write nobody knows what is on disk, and another try proves
    /// nothing: all is refused until the log is opened again.
    #[error("the commit log failed, and refuses all until the node starts again: {0}")]
    Poisoned(Arc<io::Error>),
    #[error("the commit log is closed")]
    Closed,
}

/// A commit's place in the log, and the promise to say what became of it.
#[derive(Debug, Clone)]
pub struct Receipt {
    seq: Seq,
    outcome: Arc<Outcome>,
}

#[derive(Debug, Default)]
struct Outcome {
    result: OnceLock<Result<(), LogError>>,
    settled: Notify,
}

impl Receipt {
    pub(crate) fn new(seq: Seq) -> Self {
        Self {
            seq,
            outcome: Arc::default(),
        }
    }

    /// The commit's place in the log.
    pub fn seq(&self) -> Seq {
        self.seq
    }

    pub(crate) fn settle(&self, result: Result<(), LogError>) {
        // The first word stands.
        let _ = self.outcome.result.set(result);
        self.outcome.settled.notify_waiters();
    }

    /// What became of the commit, if that is known.
    pub fn outcome(&self) -> Option<&Result<(), LogError>> {
        self.outcome.result.get()
    }

    /// Whether the commit is durable by now.
    pub fn is_durable(&self) -> bool {
        matches!(self.outcome(), Some(Ok(())))
    }

    /// [`Self::wait`] for a thread that may stand still.
    pub(crate) fn block(&self) -> Result<(), LogError> {
        struct Unpark(Thread);
        impl Wake for Unpark {
            fn wake(self: Arc<Self>) {
                self.0.unpark();
            }
        }
        let waker = Arc::new(Unpark(std::thread::current())).into();
        let mut context = Context::from_waker(&waker);
        let mut wait = std::pin::pin!(self.wait());
        loop {
            match wait.as_mut().poll(&mut context) {
                Poll::Ready(outcome) => return outcome,
                Poll::Pending => std::thread::park(),
            }
        }
    }

    /// Waits until the commit is durable, or will not be. Cancel-safe.
    pub async fn wait(&self) -> Result<(), LogError> {
        loop {
            let settled = self.outcome.settled.notified();
            if let Some(result) = self.outcome() {
                return result.clone();
            }
            settled.await;
        }
    }
}
