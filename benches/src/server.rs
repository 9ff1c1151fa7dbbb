//! A server under measurement: started, waited for, weighed, and always ended.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::http::Client;
use crate::kernel;

/// A server that takes longer to its first answer is broken, not slow.
const START_PATIENCE: Duration = Duration::from_secs(60);

/// Between two tries of a port that nobody listens on yet; also the error of "start to ready".
const START_POLL: Duration = Duration::from_micros(200);

/// Patience after SIGTERM, before SIGKILL.
const STOP_PATIENCE: Duration = Duration::from_secs(2);

pub(crate) struct Server {
    child: Child,
    address: SocketAddr,
    log: PathBuf,
    /// From just before the process was made to its first successful answer.
    pub(crate) start_to_ready: Duration,
}

/// Resident memory of the server's processes.
#[derive(Clone, Copy)]
pub(crate) struct Memory {
    pub(crate) rss: u64,
    /// Proportional: pages shared by several processes count once in total.
    pub(crate) pss: u64,
}

impl Server {
    /// Starts `command` and returns once `request` is answered with success.
    pub(crate) fn start(
        mut command: Command,
        port: u16,
        request: &[u8],
        log: PathBuf,
    ) -> Result<Self> {
        let output = File::create(&log)?;
        command
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output);
        kernel::die_with_us(&mut command);
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let started = Instant::now();
        let child = command
            .spawn()
            .with_context(|| format!("starting {:?}", command.get_program()))?;
        let mut server = Self {
            child,
            address,
            log,
            start_to_ready: Duration::ZERO,
        };
        while started.elapsed() < START_PATIENCE {
            match Client::connect(address) {
                Ok(mut client) => match client.ask(request) {
                    Ok(reply) if reply.status == 200 => {
                        server.start_to_ready = started.elapsed();
                        return Ok(server);
                    }
                    Ok(reply) => {
                        let body = String::from_utf8_lossy(&reply.body).into_owned();
                        bail!(
                            "the first answer was {}: {body}\n{}",
                            reply.status,
                            server.log_tail()
                        );
                    }
                    Err(error) => bail!("no first answer: {error:#}\n{}", server.log_tail()),
                },
                Err(_) => {
                    if let Some(status) = server.child.try_wait()? {
                        bail!(
                            "ended before it was ready ({status})\n{}",
                            server.log_tail()
                        );
                    }
                    sleep(START_POLL);
                }
            }
        }
        bail!("not ready after {START_PATIENCE:?}\n{}", server.log_tail())
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// CPU time used so far by the server's processes, all threads.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        let mut total = Duration::ZERO;
        for pid in self.processes() {
            total +=
                kernel::process_cpu(pid).with_context(|| format!("CPU clock of process {pid}"))?;
        }
        Ok(total)
    }

    pub(crate) fn memory(&self) -> Result<Memory> {
        let mut memory = Memory { rss: 0, pss: 0 };
        for pid in self.processes() {
            let path = format!("/proc/{pid}/smaps_rollup");
            let text = fs::read_to_string(&path).with_context(|| path.clone())?;
            let field = |name: &str| -> Result<u64> {
                let line = text.lines().find_map(|line| line.strip_prefix(name));
                let kilobytes = line.and_then(|line| line.split_whitespace().next());
                let kilobytes: u64 = kilobytes
                    .and_then(|number| number.parse().ok())
                    .with_context(|| format!("{name} in {path}"))?;
                Ok(kilobytes * 1024)
            };
            memory.rss += field("Rss:")?;
            memory.pss += field("Pss:")?;
        }
        Ok(memory)
    }

    /// Ends it at once, as a crash does.
    pub(crate) fn kill(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Asks for the config to be read again.
    pub(crate) fn reload(&self) {
        kernel::hang_up(self.child.id());
    }

    pub(crate) fn open_files(&self) -> Result<usize> {
        let path = format!("/proc/{}/fd", self.child.id());
        Ok(fs::read_dir(&path).with_context(|| path.clone())?.count())
    }

    /// The server and its descendants: a runtime may keep tenants in processes of their own.
    fn processes(&self) -> Vec<u32> {
        let mut found = Vec::new();
        let mut to_visit = VecDeque::from([self.child.id()]);
        while let Some(pid) = to_visit.pop_front() {
            found.push(pid);
            let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else {
                continue;
            };
            for thread in threads.flatten() {
                let children =
                    fs::read_to_string(thread.path().join("children")).unwrap_or_default();
                to_visit.extend(
                    children
                        .split_whitespace()
                        .filter_map(|pid| pid.parse::<u32>().ok()),
                );
            }
        }
        found
    }

    fn log_tail(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let skipped = log.lines().count().saturating_sub(20);
        log.lines()
            .skip(skipped)
            .map(|line| format!("  | {line}\n"))
            .collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(None)) {
            return;
        }
        kernel::terminate(self.child.id());
        let asked = Instant::now();
        while asked.elapsed() < STOP_PATIENCE {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            sleep(Duration::from_millis(2));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port())
}

/// A folder of this run's configurations and logs, gone when dropped.
pub(crate) struct Scratch {
    path: PathBuf,
    servers: std::cell::Cell<u32>,
}

impl Scratch {
    pub(crate) fn new() -> Result<Self> {
        let path = std::env::temp_dir().join(format!("outboard-bench-{}", std::process::id()));
        fs::create_dir_all(&path).with_context(|| format!("making {}", path.display()))?;
        Ok(Self {
            path,
            servers: 0.into(),
        })
    }

    /// A new folder for one server.
    pub(crate) fn folder(&self) -> Result<PathBuf> {
        self.servers.set(self.servers.get() + 1);
        let path = self.path.join(self.servers.get().to_string());
        fs::create_dir(&path)?;
        Ok(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

pub(crate) fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("writing {}", path.display()))
}
