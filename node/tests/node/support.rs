//! The built binary as a child process, and a client to talk to it.

pub(crate) mod http;
pub(crate) mod s3;

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// How long anything may take; only a failure waits for it. Where tests run, others may have
/// the cores for most of the time.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// A project with a class of objects, `Box`, and `env.BOX` for it.
pub(crate) const BOX: &str = r#"{
  "name": "demo",
  "main": "index.js",
  "compatibility_date": "2026-04-01",
  "durable_objects": { "bindings": [{ "name": "BOX", "class_name": "Box" }] },
  "migrations": [{ "tag": "v1", "new_sqlite_classes": ["Box"] }]
}"#;

/// A project of one script.
pub(crate) fn project(config: &str, script: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join("wrangler.jsonc"), config).expect("a file");
    std::fs::write(dir.path().join("index.js"), script).expect("a file");
    dir
}

/// A child process that dies with its guard.
pub(crate) struct Process {
    child: Child,
    stderr: Arc<Mutex<String>>,
}

impl Process {
    /// Starts `command` and gives each line it prints to `line`.
    pub(crate) fn start(mut command: Command, mut line: impl FnMut(&str) + Send + 'static) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?} starts: {error}"));
        let stdout = child.stdout.take().expect("stdout is piped");
        std::thread::spawn(move || {
            // Read to its end: a full pipe would stop the child.
            for text in BufReader::new(stdout).lines().map_while(Result::ok) {
                line(&text);
            }
        });
        let stderr = Arc::new(Mutex::new(String::new()));
        let mut pipe = child.stderr.take().expect("stderr is piped");
        let log = stderr.clone();
        std::thread::spawn(move || {
            let mut buffer = [0; 4_096];
            while let Ok(count @ 1..) = pipe.read(&mut buffer) {
                log.lock()
                    .push_str(&String::from_utf8_lossy(&buffer[..count]));
            }
        });
        Self { child, stderr }
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self, patience: Duration) -> std::process::ExitStatus {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(status) = self.child.try_wait().expect("the child can be waited for") {
                return status;
            }
            assert!(Instant::now() < deadline, "it never ended");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it wrote to its standard error so far.
    pub(crate) fn log(&self) -> String {
        self.stderr.lock().clone()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already; either way it is reaped here.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks again and again, as long as anything may take.
pub(crate) fn until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Sends a signal to a process that a test started.
pub(crate) fn signal(process: &Process, number: libc::c_int) {
    let id = libc::pid_t::try_from(process.child.id()).expect("a process id");
    // SAFETY: a plain system call; the child is ours and not reaped yet, so the
    // id is its own.
    assert_eq!(unsafe { libc::kill(id, number) }, 0, "the signal is sent");
}

/// Starts `command` and waits for its `ready on http://` line.
fn start_ready(command: Command) -> (Process, SocketAddr) {
    let (ready, is_ready) = mpsc::channel();
    let process = Process::start(command, move |line| {
        if let Some(address) = line.strip_prefix("ready on http://") {
            // The test may have given up.
            let _ = ready.send(address.to_string());
        }
    });
    let address = is_ready
        .recv_timeout(PATIENCE)
        .ok()
        .and_then(|address| address.parse().ok())
        .unwrap_or_else(|| panic!("outboard did not start:\n{}", process.log()));
    (process, address)
}

/// `outboard dev` on a project, on a port of its own.
pub(crate) struct Dev {
    pub(crate) process: Process,
    pub(crate) address: SocketAddr,
}

impl Dev {
    pub(crate) fn start(dir: &Path) -> Self {
        Self::start_with(dir, &[])
    }

    pub(crate) fn start_with(dir: &Path, options: &[&str]) -> Self {
        Self::start_in(dir, options, &[])
    }

    /// The same with more in its environment.
    pub(crate) fn start_in(dir: &Path, options: &[&str], more: &[(&str, String)]) -> Self {
        Self::start_by(
            Command::new(env!("CARGO_BIN_EXE_outboard")),
            dir,
            options,
            more,
        )
    }

    /// The same in a process that may have so many files open.
    pub(crate) fn start_with_files(dir: &Path, files: u32) -> Self {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("ulimit -n {files}; exec \"$0\" \"$@\"")]);
        shell.arg(env!("CARGO_BIN_EXE_outboard"));
        Self::start_by(shell, dir, &[], &[])
    }

    fn start_by(
        mut command: Command,
        dir: &Path,
        options: &[&str],
        more: &[(&str, String)],
    ) -> Self {
        command
            .arg("dev")
            .arg(dir)
            .args(["--port", "0", "--inspector-port", "0"])
            .args(options)
            .envs(more.iter().map(|(name, value)| (*name, value)));
        let (process, address) = start_ready(command);
        Self { process, address }
    }
}

/// `outboard serve` with a config of its own, on a port of its own.
pub(crate) struct Outboard {
    pub(crate) process: Process,
    pub(crate) address: SocketAddr,
    dir: tempfile::TempDir,
}

impl Outboard {
    /// Serves `config`, which says neither where to listen nor what to log and
    /// names files by their absolute paths.
    pub(crate) fn serve(config: &str) -> Self {
        Self::serve_logging(config, "info")
    }

    /// The same with a log that tells what `filter` says.
    pub(crate) fn serve_logging(config: &str, filter: &str) -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let file = dir.path().join("outboard.toml");
        let config =
            format!("listen = \"127.0.0.1:0\"\naccess_log = {{ enabled = false }}\n{config}");
        std::fs::write(&file, config).expect("the config is written");
        let mut command = Command::new(env!("CARGO_BIN_EXE_outboard"));
        command.arg("serve").arg("--config").arg(&file);
        command.env("OUTBOARD_LOG", filter);
        let (process, address) = start_ready(command);
        Self {
            process,
            address,
            dir,
        }
    }

    /// Where its config is.
    pub(crate) fn config(&self) -> PathBuf {
        self.dir.path().join("outboard.toml")
    }
}
