//! Runs the bundler where it can do no harm: on threads of its own.
//!
//! The bundler spawns a task for each module and waits for all their answers.
//! A task that panics never answers, so the wait would never end; here it is
//! noticed. And it recurses through code, in its tasks and in rayon's threads:
//! generated code with an expression of some thousand terms overflows a usual
//! stack, which ends the process. So both get deep ones.

use std::any::Any;
use std::error::Error;
use std::future::Future;
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use rayon::{ThreadPool, ThreadPoolBuilder};
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;
use tokio::time::sleep;

/// Enough for some ten thousand levels. It is address space, of which only
/// what is used becomes memory.
const STACK: usize = 256 << 20;

/// Threads that bundle. More than a few wait for each other.
const MOST_WORKERS: usize = 8;

/// Threads that read files.
const READERS: usize = 8;

/// How often to look whether anything still runs, and how many looks in a row
/// must find nothing. Between two steps of the bundler no task may be alive
/// for a moment; not for this long, since its own steps need no waiting.
const LOOK: Duration = Duration::from_millis(100);
const LOOKS: u32 = 20;

/// Why there is no answer. All of these are faults of the bundler, not of the
/// code it was given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Crash {
    #[error("the bundler could not be started: {reason}")]
    NotStarted { reason: String },
    #[error("the bundler failed: {reason}")]
    Panicked { reason: String },
    #[error("the bundler stopped without an answer; a step of it must have failed")]
    Stalled,
    #[error("no one waits for the bundler any more")]
    Dropped,
    #[error("the bundler took longer than {} s", .patience.as_secs())]
    TooSlow { patience: Duration },
}

/// Runs `work` to its end.
///
/// Dropping the future ends the work at its next await, and so does nothing
/// else: work that is too slow is left to itself, since no thread can be
/// stopped from outside.
pub(super) async fn run<T, F>(
    patience: Duration,
    work: impl FnOnce() -> F + Send + 'static,
) -> Result<T, Crash>
where
    T: Send + 'static,
    F: Future<Output = T>,
{
    // Dropped with this future, which the work notices.
    let (_waiting, gone) = oneshot::channel();
    let (answer, answered) = oneshot::channel();
    let thread = thread::Builder::new()
        .name("bundler".to_owned())
        .spawn(move || {
            // If no one hears it, the caller dropped the future.
            let _ = answer.send(wait(patience, work, gone));
        });
    if let Err(error) = thread {
        return Err(not_started(&error));
    }
    answered.await.unwrap_or(Err(Crash::Stalled))
}

/// Waits for the work, which its own threads do.
fn wait<T, F>(
    patience: Duration,
    work: impl FnOnce() -> F + Send + 'static,
    gone: oneshot::Receiver<()>,
) -> Result<T, Crash>
where
    T: Send + 'static,
    F: Future<Output = T>,
{
    let (answer, answered) = mpsc::channel();
    workers()?.spawn(move || {
        let outcome = catch_unwind(AssertUnwindSafe(|| drive(work, gone)));
        let outcome = outcome.unwrap_or_else(|panic| {
            let reason = reason(panic.as_ref());
            Err(Crash::Panicked { reason })
        });
        // If no one hears it, patience has ended.
        let _ = answer.send(outcome);
    });
    answered
        .recv_timeout(patience)
        .unwrap_or_else(|error| match error {
            RecvTimeoutError::Timeout => Err(Crash::TooSlow { patience }),
            RecvTimeoutError::Disconnected => Err(Crash::Stalled),
        })
}

/// A pool for one bundle. A shared one would not do: a worker that waits takes
/// up other work, and could start a second bundle within the first.
fn workers() -> Result<ThreadPool, Crash> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    ThreadPoolBuilder::new()
        .num_threads(threads.min(MOST_WORKERS))
        .thread_name(|index| format!("bundler-{index}"))
        .stack_size(STACK)
        // Without one, rayon ends the process.
        .panic_handler(|_| tracing::error!("a background step of the bundler panicked"))
        .build()
        .map_err(|error| not_started(&error))
}

/// Drives the work on this thread, until it ends or the caller is gone.
fn drive<T, F: Future<Output = T>>(
    work: impl FnOnce() -> F,
    gone: oneshot::Receiver<()>,
) -> Result<T, Crash> {
    let runtime = Builder::new_current_thread()
        .enable_time()
        .max_blocking_threads(READERS)
        .build()
        .map_err(|error| not_started(&error))?;
    let outcome = runtime.block_on(async {
        tokio::select! {
            biased;
            _ = gone => Err(Crash::Dropped),
            outcome = work() => Ok(outcome),
            () = stalled() => Err(Crash::Stalled),
        }
    });
    // A reader stuck on a slow disk is not waited for.
    runtime.shutdown_background();
    outcome
}

fn not_started(error: &dyn Error) -> Crash {
    Crash::NotStarted {
        reason: error.to_string(),
    }
}

/// Ends once nothing that could answer has run for a while.
async fn stalled() {
    let mut quiet = 0;
    while quiet < LOOKS {
        sleep(LOOK).await;
        let alive = Handle::current().metrics().num_alive_tasks();
        quiet = if alive == 0 { quiet + 1 } else { 0 };
    }
}

fn reason(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "it panicked".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        Builder::new_current_thread()
            .build()
            .unwrap()
            .block_on(future)
    }

    #[test]
    fn an_answer_comes_back() {
        assert_eq!(block_on(run(LONG, || async { 7 })), Ok(7));
    }

    #[test]
    fn a_panic_is_an_error() {
        let outcome = block_on(run(LONG, || async { panic!("boom") }));
        assert_eq!(
            outcome,
            Err::<(), _>(Crash::Panicked {
                reason: "boom".to_owned()
            })
        );
    }

    #[test]
    fn a_panic_of_a_task_nobody_joins_is_an_error() {
        let outcome = block_on(run(LONG, || async {
            let (keep, answer) = oneshot::channel::<()>();
            tokio::spawn(async { panic!("boom") });
            let _ = answer.await;
            drop(keep);
        }));
        assert_eq!(outcome, Err(Crash::Stalled));
    }

    #[test]
    fn patience_ends_even_when_the_work_does_not_yield() {
        let patience = Duration::from_millis(1);
        let (release, held) = mpsc::channel::<()>();
        let outcome = block_on(run(patience, move || async move {
            let _ = held.recv();
        }));
        assert_eq!(outcome, Err(Crash::TooSlow { patience }));
        drop(release);
    }

    #[test]
    fn dropping_the_future_ends_the_work() {
        let (alive, ended) = mpsc::channel::<()>();
        block_on(async {
            let mut running = Box::pin(run(LONG, move || async move {
                let _alive = alive;
                std::future::pending::<()>().await;
            }));
            let polled = poll_once(&mut running).await;
            assert!(polled.is_pending());
        });
        assert_eq!(ended.recv(), Err(mpsc::RecvError));
    }

    async fn poll_once<F: Future + Unpin>(future: &mut F) -> std::task::Poll<F::Output> {
        std::future::poll_fn(|context| {
            std::task::Poll::Ready(std::pin::Pin::new(&mut *future).poll(context))
        })
        .await
    }
}
