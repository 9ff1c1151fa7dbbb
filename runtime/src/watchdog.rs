//! The watchdog: one thread that stops script which overruns its CPU time.
//!
//! A *turn* is one stay in an isolate: a dispatched event or a round of its
//! event loop. Turns are mostly microseconds, so reading the thread's CPU clock
//! (a system call) at each would cost more than many turns. A turn therefore
//! only notes the wall clock; the watchdog, which ticks while any lane works,
//! reads a lane's CPU clock once a turn has lasted over a tick. A short turn is
//! charged its wall time, which bounds its CPU time.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use deno_core::v8::IsolateHandle;
use parking_lot::{Condvar, Mutex};

use crate::isolate::check_memory;

/// How often lanes are looked at, and so how much a limit may be overrun.
const TICK: Duration = Duration::from_millis(5);
/// Ticks without any turn after which the watchdog sleeps until woken.
const IDLE_TICKS: u32 = 20;

/// One lane's turns, as the watchdog sees them.
pub(crate) struct LaneClock {
    /// The lane thread's CPU clock.
    clock: libc::clockid_t,
    /// The running turn's number; 0 between turns.
    turn: AtomicU64,
    /// CPU time (ns) when the watchdog first saw the running turn; 0 before.
    first_seen: AtomicU64,
    running: Mutex<Option<Running>>,
    dog: Arc<Watchdog>,
}

struct Running {
    isolate: IsolateHandle,
    /// A look at its memory is asked for and not over. V8 answers all that it is asked
    /// before the script goes on, or is stopped: a look that lasts longer than a tick
    /// would otherwise be followed by the next for ever.
    looking: Arc<AtomicBool>,
    budget: Duration,
    started: Instant,
    terminated: bool,
}

/// What a turn used.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TurnEnd {
    pub(crate) cpu: Duration,
    /// The watchdog stopped it.
    pub(crate) overran: bool,
}

/// A turn under way; ends when dropped or by `end`.
pub(crate) struct Turn<'a> {
    lane: &'a LaneClock,
    started: Instant,
    ended: Cell<bool>,
}

impl LaneClock {
    /// For the calling thread, which must outlive the clock's turns.
    pub(crate) fn for_this_thread(dog: &Arc<Watchdog>) -> Arc<Self> {
        let mut clock: libc::clockid_t = 0;
        // SAFETY: the calling thread is alive, and `clock` is a valid out
        // pointer. Turns only run on this thread, so the watchdog reads the
        // clock only while the thread lives.
        let failed = unsafe { libc::pthread_getcpuclockid(libc::pthread_self(), &mut clock) };
        assert_eq!(failed, 0, "a live thread has a CPU clock");
        let lane = Arc::new(Self {
            clock,
            turn: AtomicU64::new(0),
            first_seen: AtomicU64::new(0),
            running: Mutex::new(None),
            dog: dog.clone(),
        });
        dog.lanes.lock().push(lane.clone());
        lane
    }

    /// Begins a turn that may use `budget` of CPU time.
    pub(crate) fn begin(
        &self,
        isolate: &IsolateHandle,
        looking: &Arc<AtomicBool>,
        budget: Duration,
    ) -> Turn<'_> {
        let started = Instant::now();
        *self.running.lock() = Some(Running {
            isolate: isolate.clone(),
            looking: looking.clone(),
            budget,
            started,
            terminated: false,
        });
        self.first_seen.store(0, Ordering::Relaxed);
        // SeqCst pairs with the watchdog's check before it sleeps: one of the two
        // sees the other.
        self.turn.store(self.dog.next_turn(), Ordering::SeqCst);
        self.dog.wake();
        Turn {
            lane: self,
            started,
            ended: Cell::new(false),
        }
    }

    /// How long the running turn has lasted; nothing between turns.
    pub(crate) fn turn_lasts(&self) -> Duration {
        let running = self.running.lock();
        let running = running.as_ref();
        running.map_or(Duration::ZERO, |running| running.started.elapsed())
    }

    /// CPU time that the lane's thread has used.
    fn cpu(&self) -> Duration {
        let mut time = libc::timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        // SAFETY: a valid clock id (see `for_this_thread`) and out pointer.
        if unsafe { libc::clock_gettime(self.clock, &mut time) } != 0 {
            return Duration::ZERO;
        }
        Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
    }

    /// One look by the watchdog; `seen` is what it remembers of this lane.
    fn look(&self, seen: &mut Seen) -> bool {
        let turn = self.turn.load(Ordering::Acquire);
        if turn == 0 {
            return false;
        }
        let cpu = self.cpu();
        // Under the lock the turn cannot end, so what is stopped is this turn.
        let mut running = self.running.lock();
        let Some(running) = running.as_mut() else {
            return true;
        };
        if self.turn.load(Ordering::Acquire) != turn {
            return true;
        }
        if seen.turn != turn {
            *seen = Seen {
                turn,
                cpu,
                before: running.started.elapsed().min(TICK),
            };
            self.first_seen
                .store(cpu.as_nanos() as u64, Ordering::Relaxed);
        }
        if !running.looking.swap(true, Ordering::Relaxed) {
            running
                .isolate
                .request_interrupt(check_memory, std::ptr::null_mut());
        }
        let used = cpu.saturating_sub(seen.cpu) + seen.before;
        if used > running.budget && !running.terminated {
            running.terminated = true;
            running.isolate.terminate_execution();
        }
        true
    }
}

#[derive(Default)]
struct Seen {
    turn: u64,
    cpu: Duration,
    /// What the turn may have used before it was first seen.
    before: Duration,
}

impl Turn<'_> {
    /// Ends the turn; after this the watchdog cannot touch the isolate.
    pub(crate) fn end(self) -> TurnEnd {
        self.finish()
    }

    fn finish(&self) -> TurnEnd {
        self.ended.set(true);
        let overran = self
            .lane
            .running
            .lock()
            .take()
            .is_some_and(|running| running.terminated);
        self.lane.turn.store(0, Ordering::Release);
        let wall = self.started.elapsed();
        let first_seen = Duration::from_nanos(self.lane.first_seen.load(Ordering::Relaxed));
        let cpu = if wall < TICK || first_seen.is_zero() {
            wall
        } else {
            (self.lane.cpu().saturating_sub(first_seen) + TICK).min(wall)
        };
        TurnEnd { cpu, overran }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if !self.ended.get() {
            self.finish();
        }
    }
}

/// The thread and the lanes it looks at. Dropping the last handle stops it.
pub(crate) struct Watchdog {
    lanes: Mutex<Vec<Arc<LaneClock>>>,
    turns: AtomicU64,
    asleep: AtomicBool,
    gate: Mutex<()>,
    alarm: Condvar,
}

impl Watchdog {
    /// The process's watchdog, started when first asked for.
    pub(crate) fn get() -> Arc<Self> {
        static DOG: std::sync::OnceLock<Arc<Watchdog>> = std::sync::OnceLock::new();
        DOG.get_or_init(|| {
            let dog = Arc::new(Self {
                lanes: Mutex::default(),
                turns: AtomicU64::new(1),
                asleep: AtomicBool::new(false),
                gate: Mutex::new(()),
                alarm: Condvar::new(),
            });
            let watching = dog.clone();
            std::thread::Builder::new()
                .name("watchdog".into())
                .spawn(move || watching.run())
                .expect("the process can start its watchdog thread");
            dog
        })
        .clone()
    }

    /// A lane's thread is about to end.
    pub(crate) fn forget(&self, lane: &Arc<LaneClock>) {
        self.lanes.lock().retain(|other| !Arc::ptr_eq(other, lane));
    }

    fn next_turn(&self) -> u64 {
        self.turns.fetch_add(1, Ordering::Relaxed)
    }

    fn wake(&self) {
        if self.asleep.load(Ordering::SeqCst) {
            let _gate = self.gate.lock();
            self.asleep.store(false, Ordering::SeqCst);
            self.alarm.notify_one();
        }
    }

    fn run(&self) {
        let mut seen: Vec<(*const LaneClock, Seen)> = Vec::new();
        let mut idle = 0;
        loop {
            let lanes: Vec<_> = self.lanes.lock().clone();
            seen.retain(|(lane, _)| lanes.iter().any(|other| Arc::as_ptr(other) == *lane));
            let mut busy = false;
            for lane in &lanes {
                let key = Arc::as_ptr(lane);
                let at = match seen.iter().position(|(other, _)| *other == key) {
                    Some(at) => at,
                    None => {
                        seen.push((key, Seen::default()));
                        seen.len() - 1
                    }
                };
                busy |= lane.look(&mut seen[at].1);
            }
            drop(lanes);
            idle = if busy { 0 } else { idle + 1 };
            if idle < IDLE_TICKS {
                std::thread::sleep(TICK);
                continue;
            }
            let mut gate = self.gate.lock();
            self.asleep.store(true, Ordering::SeqCst);
            // A turn that began before the flag was up did not wake us.
            let working = |lane: &Arc<LaneClock>| lane.turn.load(Ordering::SeqCst) != 0;
            if !self.lanes.lock().iter().any(working) {
                while self.asleep.load(Ordering::SeqCst) {
                    self.alarm.wait(&mut gate);
                }
            }
            self.asleep.store(false, Ordering::SeqCst);
            idle = 0;
        }
    }
}
