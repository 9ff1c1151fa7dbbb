//! The few system calls that std does not offer, and all of this crate's
//! unsafe code: epoll with nanosecond timeouts, the CPU clock of another
//! process, and the tie that ends a server with the benchmark.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Duration;

/// Events taken from the kernel in one wait; more are taken in the next.
const EVENTS: usize = 64;

/// An epoll instance. Level-triggered, so a reader may stop early.
pub(crate) struct Poller {
    fd: OwnedFd,
    events: [libc::epoll_event; EVENTS],
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interest {
    Read,
    ReadAndWrite,
}

impl Poller {
    pub(crate) fn new() -> io::Result<Self> {
        // SAFETY: takes no pointers.
        let fd = check(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
        // SAFETY: the kernel just returned this descriptor and nobody else owns it.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        // By default a sleeping thread may be woken 50 µs late to save power,
        // which would show as latency of the server at a paced load.
        // SAFETY: PR_SET_TIMERSLACK takes one integer.
        check(unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, 1) })?;
        Ok(Self {
            fd,
            events: [libc::epoll_event { events: 0, u64: 0 }; EVENTS],
        })
    }

    pub(crate) fn add(&self, file: &impl AsRawFd, token: usize) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_ADD, file, token, Interest::Read)
    }

    pub(crate) fn change(
        &self,
        file: &impl AsRawFd,
        token: usize,
        interest: Interest,
    ) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_MOD, file, token, interest)
    }

    /// Waits for events and leaves the token of each in `ready`.
    pub(crate) fn wait(&mut self, timeout: Duration, ready: &mut Vec<usize>) -> io::Result<()> {
        let timeout = libc::timespec {
            tv_sec: timeout.as_secs() as libc::time_t,
            tv_nsec: timeout.subsec_nanos() as libc::c_long,
        };
        // SAFETY: `events` is a live array of EVENTS entries, `timeout` outlives the call.
        let count = unsafe {
            libc::epoll_pwait2(
                self.fd.as_raw_fd(),
                self.events.as_mut_ptr(),
                EVENTS as libc::c_int,
                &timeout,
                std::ptr::null(),
            )
        };
        ready.clear();
        match check(count) {
            Ok(count) => {
                ready.extend(
                    self.events[..count as usize]
                        .iter()
                        .map(|event| event.u64 as usize),
                );
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn control(
        &self,
        operation: i32,
        file: &impl AsRawFd,
        token: usize,
        interest: Interest,
    ) -> io::Result<()> {
        let events = match interest {
            Interest::Read => libc::EPOLLIN,
            Interest::ReadAndWrite => libc::EPOLLIN | libc::EPOLLOUT,
        };
        let mut event = libc::epoll_event {
            events: events as u32,
            u64: token as u64,
        };
        // SAFETY: both descriptors are open for the call, `event` is only read.
        check(unsafe {
            libc::epoll_ctl(self.fd.as_raw_fd(), operation, file.as_raw_fd(), &mut event)
        })?;
        Ok(())
    }
}

/// CPU time used by all threads of a process so far, to the nanosecond
/// (/proc/PID/stat counts in ticks of 10 ms).
pub(crate) fn process_cpu(pid: u32) -> io::Result<Duration> {
    let mut clock: libc::clockid_t = 0;
    // SAFETY: `clock` is a live out-pointer.
    let error = unsafe { libc::clock_getcpuclockid(pid as libc::pid_t, &mut clock) };
    if error != 0 {
        return Err(io::Error::from_raw_os_error(error));
    }
    read_clock(clock)
}

pub(crate) fn thread_cpu() -> io::Result<Duration> {
    read_clock(libc::CLOCK_THREAD_CPUTIME_ID)
}

/// CPU time of this process and of the children it has waited for.
pub(crate) fn own_cpu() -> io::Result<Duration> {
    let mut total = Duration::ZERO;
    for who in [libc::RUSAGE_SELF, libc::RUSAGE_CHILDREN] {
        // SAFETY: rusage is plain integers, for which zero is a valid value.
        let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
        // SAFETY: `usage` is a live out-pointer.
        check(unsafe { libc::getrusage(who, &mut usage) })?;
        for time in [usage.ru_utime, usage.ru_stime] {
            total += Duration::new(time.tv_sec as u64, time.tv_usec as u32 * 1000);
        }
    }
    Ok(total)
}

pub(crate) fn ticks_per_second() -> u64 {
    // SAFETY: takes no pointers.
    unsafe { libc::sysconf(libc::_SC_CLK_TCK) }.max(1) as u64
}

/// Puts this thread, and the servers it will start, before others' work; needs a privilege.
pub(crate) fn go_first() -> io::Result<()> {
    // SAFETY: takes no pointers.
    check(unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, -15) })?;
    Ok(())
}

pub(crate) fn terminate(pid: u32) {
    // SAFETY: takes no pointers; the caller owns the unreaped child, so the id is not reused.
    unsafe { libc::kill(pid as libc::pid_t, libc::SIGTERM) };
}

pub(crate) fn hang_up(pid: u32) {
    // SAFETY: as for `terminate`.
    unsafe { libc::kill(pid as libc::pid_t, libc::SIGHUP) };
}

/// The child is killed when this process dies, however it dies.
pub(crate) fn die_with_us(command: &mut Command) {
    // SAFETY: the closure makes one async-signal-safe call and allocates nothing.
    unsafe {
        command.pre_exec(|| {
            check(libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL))?;
            Ok(())
        });
    }
}

fn read_clock(clock: libc::clockid_t) -> io::Result<Duration> {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is a live out-pointer.
    check(unsafe { libc::clock_gettime(clock, &mut time) })?;
    Ok(Duration::new(time.tv_sec as u64, time.tv_nsec as u32))
}

fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(result)
    }
}
