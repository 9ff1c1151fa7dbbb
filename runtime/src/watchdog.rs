//! The watchdog: one thread that stops script which overruns its CPU time.
//!
//! A *turn* is one stay in an isolate: a dispatched event or a round of its
//! event loop. It has one *stretch* or several, one after another, each charged
//! to whoever it was work for. They are mostly microseconds, so reading the
//! thread's CPU clock (a system call) at each would cost more than many of them.
//! A stretch therefore only notes the wall clock, and a short one is charged its
//! wall time, which bounds its CPU time. At the end of a longer one, and at every
//! tick of the watchdog while any lane works, the CPU clock is read.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use deno_core::v8::IsolateHandle;
use parking_lot::{Condvar, Mutex};

use crate::isolate::look_inside;

/// How often lanes are looked at, and so how much a limit may be overrun.
const TICK: Duration = Duration::from_millis(5);
/// Ticks without any turn after which the watchdog sleeps until woken.
const IDLE_TICKS: u32 = 20;
/// From when on a stretch is worth a look at the CPU clock: another thread may have
/// had the core for most of it.
const LONG: Duration = Duration::from_micros(500);

/// What an isolate and whoever watches it tell one another.
#[derive(Debug, Default)]
pub(crate) struct Signals {
    /// A look at its memory is asked for and not over. V8 answers all that it is asked
    /// before the script goes on, or is stopped: a look that lasts longer than a tick
    /// would otherwise be followed by the next for ever.
    pub(crate) looking: AtomicBool,
    stopped: AtomicBool,
}

impl Signals {
    /// Stops the script, which is the end of its isolate.
    pub(crate) fn stop(&self, isolate: &IsolateHandle) {
        self.stopped.store(true, Ordering::Relaxed);
        isolate.terminate_execution();
    }

    /// Whether the script is being stopped. V8 knows only once it is back in the script:
    /// what runs long outside of it has to look here.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}

/// One lane's turns, as the watchdog sees them.
pub(crate) struct LaneClock {
    /// The lane thread's CPU clock.
    clock: libc::clockid_t,
    /// A turn runs.
    is_running: AtomicBool,
    times: Mutex<Times>,
    dog: Arc<Watchdog>,
}

#[derive(Default)]
struct Times {
    /// CPU time of the lane when it was last looked at.
    cpu: Duration,
    running: Option<Running>,
}

struct Running {
    isolate: IsolateHandle,
    signals: Arc<Signals>,
    /// When the turn began.
    since: Instant,
    /// What its stretches before this one used.
    before: Duration,
    terminated: bool,
    stretch: Stretch,
}

struct Stretch {
    started: Instant,
    /// What the lane's CPU time was at the start, at least.
    floor: Duration,
    budget: Duration,
}

impl Stretch {
    /// What it has used at most, where the lane's CPU time is `cpu` by now.
    fn used(&mut self, cpu: Duration) -> Duration {
        // Nothing uses more CPU time than time passes.
        let passed = self.started.elapsed();
        self.floor = self.floor.max(cpu.saturating_sub(passed));
        cpu.saturating_sub(self.floor)
    }
}

/// What a turn used.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TurnEnd {
    pub(crate) cpu: Duration,
    /// The last stretch's part of it.
    pub(crate) last: Duration,
    /// The watchdog stopped it, in its last stretch.
    pub(crate) overran: bool,
}

/// A turn under way; ends when dropped or by `end`.
pub(crate) struct Turn<'a> {
    lane: &'a LaneClock,
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
            is_running: AtomicBool::new(false),
            times: Mutex::default(),
            dog: dog.clone(),
        });
        dog.lanes.lock().push(lane.clone());
        lane
    }

    /// Begins a turn whose first stretch may use `budget` of CPU time.
    pub(crate) fn begin(
        &self,
        isolate: &IsolateHandle,
        signals: &Arc<Signals>,
        budget: Duration,
    ) -> Turn<'_> {
        let started = Instant::now();
        {
            let mut times = self.times.lock();
            let floor = times.cpu;
            times.running = Some(Running {
                isolate: isolate.clone(),
                signals: signals.clone(),
                since: started,
                before: Duration::ZERO,
                terminated: false,
                stretch: Stretch {
                    started,
                    floor,
                    budget,
                },
            });
        }
        // SeqCst pairs with the watchdog's check before it sleeps: one of the two
        // sees the other.
        self.is_running.store(true, Ordering::SeqCst);
        self.dog.wake();
        Turn {
            lane: self,
            ended: Cell::new(false),
        }
    }

    /// Begins the running turn's next stretch; gives what the one before used. None where
    /// no turn runs, or it is being stopped for that one.
    pub(crate) fn next(&self, budget: Duration) -> Option<Duration> {
        let mut times = self.times.lock();
        if times.running.as_ref()?.terminated {
            return None;
        }
        let used = self.used(&mut times);
        let floor = times.cpu;
        let running = times.running.as_mut()?;
        running.before += used;
        running.stretch = Stretch {
            started: Instant::now(),
            floor,
            budget,
        };
        Some(used)
    }

    /// How long the running turn has lasted; nothing between turns.
    pub(crate) fn turn_lasts(&self) -> Duration {
        let times = self.times.lock();
        let running = times.running.as_ref();
        running.map_or(Duration::ZERO, |running| running.since.elapsed())
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

    /// What the running stretch has used.
    fn used(&self, times: &mut Times) -> Duration {
        let Some(running) = &mut times.running else {
            return Duration::ZERO;
        };
        let wall = running.stretch.started.elapsed();
        if wall < LONG {
            return wall;
        }
        times.cpu = self.cpu();
        running.stretch.used(times.cpu)
    }

    /// One look by the watchdog.
    fn look(&self) -> bool {
        if !self.is_running.load(Ordering::Acquire) {
            return false;
        }
        // Under the lock the stretch cannot end, so what is stopped is this one.
        let mut times = self.times.lock();
        let Times { cpu, running } = &mut *times;
        let Some(running) = running else {
            return true;
        };
        *cpu = self.cpu();
        if !running.signals.looking.swap(true, Ordering::Relaxed) {
            running
                .isolate
                .request_interrupt(look_inside, std::ptr::null_mut());
        }
        if running.stretch.used(*cpu) > running.stretch.budget && !running.terminated {
            running.terminated = true;
            running.signals.stop(&running.isolate);
        }
        true
    }
}

impl Turn<'_> {
    /// Ends the turn; after this the watchdog cannot touch the isolate.
    pub(crate) fn end(self) -> TurnEnd {
        self.finish()
    }

    fn finish(&self) -> TurnEnd {
        self.ended.set(true);
        let mut times = self.lane.times.lock();
        let last = self.lane.used(&mut times);
        let running = times.running.take();
        drop(times);
        self.lane.is_running.store(false, Ordering::Release);
        TurnEnd {
            cpu: last
                + running
                    .as_ref()
                    .map_or(Duration::ZERO, |running| running.before),
            last,
            overran: running.is_some_and(|running| running.terminated),
        }
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

    fn wake(&self) {
        if self.asleep.load(Ordering::SeqCst) {
            let _gate = self.gate.lock();
            self.asleep.store(false, Ordering::SeqCst);
            self.alarm.notify_one();
        }
    }

    fn run(&self) {
        let mut idle = 0;
        loop {
            let lanes: Vec<_> = self.lanes.lock().clone();
            let mut busy = false;
            for lane in &lanes {
                busy |= lane.look();
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
            let working = |lane: &Arc<LaneClock>| lane.is_running.load(Ordering::SeqCst);
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
