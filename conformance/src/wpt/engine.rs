//! The programs that run tests: each test is a worker of its own, reached by
//! its host name.

use std::fmt::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use super::results::{Failure, Outcome, Run};

/// The semantics asked of the peer: the newest that its release knows.
const COMPATIBILITY_DATE: &str = "2026-04-01";
/// What Workers with `nodejs_compat` have by that date, without Node's globals.
const COMPATIBILITY_FLAGS: &str = "[\"enable_global_performance_classes\"]";
/// The package that holds npm workerd's program for this machine.
const PACKAGE: &str = if cfg!(target_arch = "aarch64") {
    "workerd-linux-arm64"
} else {
    "workerd-linux-64"
};
const READY: Duration = Duration::from_secs(60);
/// What a test may take beyond its own limit, to start and to answer.
const SLACK: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Engine {
    Outboard,
    /// npm's workerd, the peer.
    Workerd,
}

/// One worker to run.
pub(crate) struct Job {
    pub(crate) host: String,
    pub(crate) script: PathBuf,
    pub(crate) patience: Duration,
}

/// A process that serves the jobs of a batch; it dies with this.
pub(crate) struct Server {
    _child: Child,
    address: SocketAddr,
}

/// What prelude.js answers with.
#[derive(Deserialize)]
struct Answer {
    harness: Option<String>,
    results: Vec<Failure>,
}

impl Engine {
    pub(crate) fn find(self, given: Option<&Path>) -> Result<PathBuf> {
        if let Some(program) = given {
            return Ok(std::path::absolute(program)?);
        }
        let (variable, built) = match self {
            // Cargo puts the binaries of a workspace side by side.
            Self::Outboard => (
                "OUTBOARD",
                std::env::current_exe()?.with_file_name("outboard"),
            ),
            Self::Workerd => (
                "WORKERD",
                // Not `.bin/workerd`: that starts the program instead of being it.
                Path::new(env!("CARGO_MANIFEST_DIR"))
                    .join("../node/tests/npm/node_modules/@cloudflare")
                    .join(PACKAGE)
                    .join("bin/workerd"),
            ),
        };
        let program = std::env::var_os(variable).map_or(built, PathBuf::from);
        if !program.exists() {
            bail!(
                "{}: not there; build it, or give --program",
                program.display()
            );
        }
        Ok(program)
    }

    pub(crate) fn version(self, program: &Path) -> Result<String> {
        let output = std::process::Command::new(program)
            .arg("--version")
            .output()
            .with_context(|| program.display().to_string())?;
        let text = String::from_utf8_lossy(&output.stdout);
        Ok(text.lines().next().unwrap_or_default().trim().into())
    }

    /// Starts a process that serves all jobs. Dropping the future ends it.
    pub(crate) async fn start(
        self,
        program: &Path,
        scratch: &Path,
        jobs: &[Job],
    ) -> Result<Server> {
        let mut command = Command::new(program);
        match self {
            Self::Outboard => {
                let config = scratch.join("outboard.toml");
                std::fs::write(&config, outboard_config(jobs)?)?;
                command.arg("serve").arg("--config").arg(config);
            }
            Self::Workerd => {
                let config = scratch.join("config.capnp");
                std::fs::write(&config, workerd_config(jobs)?)?;
                std::fs::write(scratch.join("router.js"), ROUTER)?;
                command.arg("serve").arg(config).arg("--control-fd=1");
            }
        }
        let log = scratch.join("log");
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(&log)?)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| program.display().to_string())?;
        let stdout = child.stdout.take().context("standard output is piped")?;
        let mut lines = BufReader::new(stdout).lines();
        let ready = async {
            while let Some(line) = lines.next_line().await? {
                if let Some(address) = address(&line) {
                    return Ok(address);
                }
            }
            bail!("it ended:\n{}", std::fs::read_to_string(&log)?)
        };
        let address = tokio::time::timeout(READY, ready)
            .await
            .with_context(|| format!("{} is not ready after {READY:?}", program.display()))?
            .with_context(|| program.display().to_string())?;
        // Read on: a full pipe would stop the process.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Server {
            _child: child,
            address,
        })
    }
}

/// The address in the line that says the server is ready.
fn address(line: &str) -> Option<SocketAddr> {
    #[derive(Deserialize)]
    struct Listening {
        port: u16,
    }
    if let Some(address) = line.strip_prefix("ready on http://") {
        return address.trim().parse().ok();
    }
    let Listening { port } = serde_json::from_str(line).ok()?;
    Some((Ipv4Addr::LOCALHOST, port).into())
}

fn outboard_config(jobs: &[Job]) -> Result<String> {
    let mut config = String::from(
        "listen = \"127.0.0.1:0\"\nready = 1\n[access_log]\nenabled = false\n\
         [egress]\nallow_private = true\n",
    );
    for job in jobs {
        let wall = (job.patience + SLACK).as_millis();
        write!(
            config,
            "[[worker]]\nname = {host:?}\nmain = {script:?}\nroutes = [{host:?}]\n\
             compatibility_date = {COMPATIBILITY_DATE:?}\n\
             compatibility_flags = {COMPATIBILITY_FLAGS}\n\
             limits = {{ cpu_ms = {wall}, wall_ms = {wall}, startup_cpu_ms = 10_000, \
             subrequests = 10_000 }}\n",
            host = job.host,
            script = job.script,
        )?;
    }
    Ok(config)
}

/// workerd has no routes by host name.
const ROUTER: &str = "export default { fetch(request, env) {\n\
    return env[new URL(request.url).hostname].fetch(request);\n} };\n";

fn workerd_config(jobs: &[Job]) -> Result<String> {
    let mut services = String::new();
    let mut bindings = String::new();
    for job in jobs {
        let host = &job.host;
        let file = job.script.file_name().context("a script has a name")?;
        let file = file.to_string_lossy();
        writeln!(
            services,
            "(name = {host:?}, worker = (modules = [(name = \"test.js\", esModule = embed \
             {file:?})], compatibilityDate = {COMPATIBILITY_DATE:?}, compatibilityFlags = \
             {COMPATIBILITY_FLAGS})),"
        )?;
        write!(bindings, "(name = {host:?}, service = {host:?}), ")?;
    }
    Ok(format!(
        "using Workerd = import \"/workerd/workerd.capnp\";\n\
         const config :Workerd.Config = (services = [\n{services}\
         (name = \"router\", worker = (modules = [(name = \"router.js\", esModule = embed \
         \"router.js\")], compatibilityDate = {COMPATIBILITY_DATE:?}, bindings = [{bindings}])),\n\
         (name = \"internet\", network = (allow = [\"public\", \"private\"]))],\n\
         sockets = [(name = \"http\", address = \"127.0.0.1:0\", http = (), service = \"router\")]);\n"
    ))
}

impl Server {
    pub(crate) async fn run(&self, job: &Job) -> Outcome {
        let limit = job.patience + SLACK;
        Outcome::Ran(
            match tokio::time::timeout(limit, self.ask(&job.host)).await {
                Ok(Ok(answer)) => sorted(answer),
                Ok(Err(error)) => Run::broken(format!("{error:#}")),
                Err(_) => Run::broken("no answer"),
            },
        )
    }

    async fn ask(&self, host: &str) -> Result<Answer> {
        let connection = tokio::net::TcpStream::connect(self.address).await?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(connection)).await?;
        // Ends with the sender.
        tokio::spawn(connection);
        let request = http::Request::get("/")
            .header("host", host)
            .body(Empty::<Bytes>::new())?;
        let response = sender.send_request(request).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        if status != http::StatusCode::OK {
            bail!("{status}: {}", String::from_utf8_lossy(&body));
        }
        Ok(serde_json::from_slice(&body)?)
    }
}

fn sorted(answer: Answer) -> Run {
    let mut run = Run {
        harness: answer.harness,
        ..Run::default()
    };
    for result in answer.results {
        match result.status.as_str() {
            "pass" => run.passed.push(result.name),
            "optional" => run.optional += 1,
            _ => run.failed.push(result),
        }
    }
    run
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_say_where_they_listen() {
        let at = |port| Some((Ipv4Addr::LOCALHOST, port).into());
        assert_eq!(address("ready on http://127.0.0.1:81"), at(81));
        let control = r#"{"event":"listen","socket":"http","port":82}"#;
        assert_eq!(address(control), at(82));
        assert_eq!(address("a worker's own line"), None);
    }
}
