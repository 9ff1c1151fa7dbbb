//! The databases that are open, each with a thread: queries may take long, and no
//! lane waits for them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::{D1Error, Database, Deadline, Format, KIND, MOST_REQUEST, Results, Script, Work};
use crate::objects::{NodeObjects, told};

/// What databases may cost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// For a request's queries together, as D1 has it.
    pub(crate) time: Duration,
    /// Bytes of a request's results.
    pub(crate) results: usize,
    /// Requests that wait for one database.
    pub(crate) queue: usize,
    /// Databases that are open, so threads.
    pub(crate) open: usize,
    /// How long one stays open with nothing to do.
    pub(crate) idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            time: Duration::from_secs(30),
            // An isolate's memory holds no more.
            results: 96 << 20,
            // A worker may send so many at once; more is a queue that only grows.
            queue: 1000,
            // A thread's stack and 1 MiB of pages each.
            open: 256,
            idle: Duration::from_secs(10),
        }
    }
}

/// Bytes of requests that wait or run, over all databases.
const MOST_WAITING: usize = 512 << 20;

pub(crate) struct Databases {
    objects: Arc<NodeObjects>,
    limits: Limits,
    memory: Arc<Semaphore>,
    threads: Mutex<Threads>,
}

#[derive(Default)]
struct Threads {
    open: HashMap<String, Thread>,
    /// Told to end; a database is closed when its thread has.
    ending: Vec<(String, JoinHandle<()>)>,
}

struct Thread {
    jobs: SyncSender<Job>,
    handle: JoinHandle<()>,
    state: Arc<ThreadState>,
    used: Instant,
}

#[derive(Default)]
struct ThreadState {
    /// Jobs that wait or run.
    busy: AtomicUsize,
    /// A commit is lost: what the database in memory has is not what is kept.
    is_broken: AtomicBool,
}

struct Job {
    work: Work,
    format: Format,
    since: Instant,
    abandoned: Arc<AtomicBool>,
    reply: oneshot::Sender<Result<Results, D1Error>>,
    _room: Room,
}

/// A request's share of the memory for them.
pub(super) struct Room(
    #[expect(dead_code, reason = "given back when dropped")] OwnedSemaphorePermit,
);

/// Sets what it holds when dropped.
struct Abandon(Arc<AtomicBool>);

impl Drop for Abandon {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Databases {
    pub(crate) fn new(objects: Arc<NodeObjects>) -> Self {
        Self::with(objects, Limits::default())
    }

    pub(super) fn with(objects: Arc<NodeObjects>, limits: Limits) -> Self {
        Self {
            objects,
            limits,
            memory: Arc::new(Semaphore::new(MOST_WAITING >> 10)),
            threads: Mutex::default(),
        }
    }

    /// Memory for a request of so many bytes, or of the most where it does not say.
    pub(super) fn room(&self, bytes: Option<u64>) -> Option<Room> {
        let most = MOST_REQUEST as u64;
        // At most 64 Ki.
        let kibibytes = u32::try_from(bytes.unwrap_or(most).min(most) >> 10).ok()? + 1;
        let permit = self.memory.clone().try_acquire_many_owned(kibibytes).ok()?;
        Some(Room(permit))
    }

    /// Runs a person's script, as [`Self::ask`] does; its results as JSON.
    pub(crate) async fn run_script(
        self: &Arc<Self>,
        id: &str,
        script: Script,
        format: Format,
    ) -> Result<Vec<u8>, D1Error> {
        let bytes = script.0.iter().map(|part| part.len() as u64).sum();
        let room = self.room(Some(bytes)).ok_or(D1Error::QueueFull)?;
        let results = self.ask(id, Work::Script(script), format, room).await?;
        Ok(results.json)
    }

    /// Runs `work` when it is its turn and while nobody has a database open; who asks it
    /// meanwhile waits.
    pub(crate) async fn while_closed<T: Send + 'static>(
        self: &Arc<Self>,
        id: &str,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, D1Error> {
        let room = self.room(Some(0)).ok_or(D1Error::QueueFull)?;
        let (give, given) = oneshot::channel();
        let work = Work::Closed(Box::new(move || {
            // Whoever asked may be gone.
            let _ = give.send(work());
        }));
        self.ask(id, work, Format::Columns, room).await?;
        given.await.map_err(|_lost| D1Error::Lost)
    }

    /// Works on a database in one transaction; answers when it is durable. Dropping it
    /// abandons the work: it is done, or nothing is.
    pub(super) async fn ask(
        self: &Arc<Self>,
        id: &str,
        work: Work,
        format: Format,
        room: Room,
    ) -> Result<Results, D1Error> {
        let (reply, replied) = oneshot::channel();
        let abandoned = Arc::<AtomicBool>::default();
        let job = Job {
            work,
            format,
            since: Instant::now(),
            abandoned: abandoned.clone(),
            reply,
            _room: room,
        };
        let state = self.hand(id, job)?;
        let _abandon = Abandon(abandoned);
        let results = replied.await.unwrap_or(Err(D1Error::Lost))?;
        if let Some(receipt) = &results.receipt
            && let Err(error) = receipt.wait().await
        {
            state.is_broken.store(true, Ordering::Relaxed);
            return Err(D1Error::Storage(error.to_string()));
        }
        Ok(results)
    }

    /// Gives a job to the database's thread, which starts where there is none.
    fn hand(self: &Arc<Self>, id: &str, job: Job) -> Result<Arc<ThreadState>, D1Error> {
        let mut threads = self.threads.lock();
        if !threads.open.contains_key(id) {
            self.start(&mut threads, id)?;
        }
        let thread = threads.open.get_mut(id).ok_or(D1Error::QueueFull)?;
        thread.used = job.since;
        // Before it is sent: the thread counts down when it is done.
        thread.state.busy.fetch_add(1, Ordering::Relaxed);
        match thread.jobs.try_send(job) {
            Ok(()) => Ok(thread.state.clone()),
            Err(error) => {
                thread.state.busy.fetch_sub(1, Ordering::Relaxed);
                Err(match error {
                    TrySendError::Full(_) => D1Error::QueueFull,
                    // It panicked; the next request has a new one.
                    TrySendError::Disconnected(_) => {
                        threads.end(id);
                        D1Error::Lost
                    }
                })
            }
        }
    }

    fn start(self: &Arc<Self>, threads: &mut Threads, id: &str) -> Result<(), D1Error> {
        if threads.open.len() >= self.limits.open && !threads.end_idle() {
            return Err(D1Error::QueueFull);
        }
        let before = threads.before(id);
        let (jobs, receiver) = sync_channel(self.limits.queue);
        let state = Arc::<ThreadState>::default();
        let runner = Runner {
            databases: Arc::downgrade(self),
            id: id.to_owned(),
            limits: self.limits,
            state: state.clone(),
        };
        let handle = thread::Builder::new()
            .name("d1".into())
            .spawn(move || {
                for thread in before {
                    // A panic of its is not this one's.
                    let _ = thread.join();
                }
                runner.run(&receiver);
            })
            .map_err(|error| D1Error::Storage(error.to_string()))?;
        let used = Instant::now();
        threads.open.insert(
            id.to_owned(),
            Thread {
                jobs,
                handle,
                state,
                used,
            },
        );
        Ok(())
    }
}

impl Threads {
    /// Ends the thread that has had nothing to do for longest, if any has nothing.
    fn end_idle(&mut self) -> bool {
        let idle = self.open.iter();
        let idle = idle.filter(|(_, thread)| thread.state.busy.load(Ordering::Relaxed) == 0);
        let longest = idle.min_by_key(|(_, thread)| thread.used);
        let Some(id) = longest.map(|(id, _)| id.clone()) else {
            return false;
        };
        self.end(&id);
        true
    }

    /// Without a sender, a thread ends when it has done what it was given.
    fn end(&mut self, id: &str) {
        if let Some(thread) = self.open.remove(id) {
            self.ending.push((id.to_owned(), thread.handle));
        }
    }

    /// The threads that still have this database open.
    fn before(&mut self, id: &str) -> Vec<JoinHandle<()>> {
        self.ending.retain(|(_, handle)| !handle.is_finished());
        let same = self.ending.extract_if(.., |(ending, _)| ending == id);
        same.map(|(_, handle)| handle).collect()
    }
}

/// A database's thread.
struct Runner {
    databases: Weak<Databases>,
    id: String,
    limits: Limits,
    state: Arc<ThreadState>,
}

impl Runner {
    fn run(&self, jobs: &Receiver<Job>) {
        let mut database = None;
        loop {
            match jobs.recv_timeout(self.limits.idle) {
                Ok(job) => self.serve(&mut database, job),
                Err(RecvTimeoutError::Timeout) if !self.leaves() => {}
                Err(_) => return,
            }
        }
    }

    fn serve(&self, database: &mut Option<Database>, job: Job) {
        let Job {
            work,
            format,
            since,
            abandoned,
            reply,
            _room,
        } = job;
        if self.state.is_broken.swap(false, Ordering::Relaxed) {
            *database = None;
        }
        let done = if abandoned.load(Ordering::Relaxed) {
            Err(D1Error::Lost)
        } else if since.elapsed() > self.limits.time {
            Err(D1Error::QueuedTooLong)
        } else {
            self.work(database, work, format, abandoned)
        };
        if matches!(done, Err(D1Error::Storage(_))) {
            *database = None;
        }
        // Before anybody is told, who may then find it idle.
        self.state.busy.fetch_sub(1, Ordering::Relaxed);
        // Who asked may be gone.
        let _ = reply.send(done);
    }

    fn work(
        &self,
        database: &mut Option<Database>,
        work: Work,
        format: Format,
        abandoned: Arc<AtomicBool>,
    ) -> Result<Results, D1Error> {
        match work {
            Work::Queries(queries) => {
                let database = self.opened(database)?;
                let at = Some(Instant::now() + self.limits.time);
                database.run(&queries, format, &Deadline { at, abandoned })
            }
            Work::Script(script) => {
                let database = self.opened(database)?;
                let deadline = Deadline {
                    at: None,
                    abandoned,
                };
                database.run_script(&script, format, &deadline)
            }
            Work::Closed(work) => {
                *database = None;
                work();
                Ok(Results::nothing())
            }
        }
    }

    fn opened<'a>(&self, database: &'a mut Option<Database>) -> Result<&'a Database, D1Error> {
        if let Some(database) = database {
            return Ok(database);
        }
        let databases = self.databases.upgrade().ok_or(D1Error::Lost)?;
        let opened = Database::open(self.limits.results, || {
            let object = databases.objects.database(KIND, &self.id);
            let object =
                object.ok_or_else(|| D1Error::Storage("this node keeps no data".into()))?;
            object.map_err(|error| D1Error::Storage(told(error).message))
        })?;
        Ok(database.insert(opened))
    }

    /// Takes the thread from those that are open, unless there is something to do.
    fn leaves(&self) -> bool {
        let Some(databases) = self.databases.upgrade() else {
            return true;
        };
        let mut threads = databases.threads.lock();
        if self.state.busy.load(Ordering::Relaxed) > 0 {
            return false;
        }
        let own = threads.open.get(&self.id);
        if own.is_some_and(|own| Arc::ptr_eq(&own.state, &self.state)) {
            threads.end(&self.id);
        }
        true
    }
}

#[cfg(test)]
mod tests;
