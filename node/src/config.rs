//! `outboard.toml`: what `outboard serve` serves, and how.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::ingress::Pattern;

/// The file as it is written. Unknown fields are refused.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NodeToml {
    listen: Option<toml::Spanned<String>>,
    lanes: Option<toml::Spanned<usize>>,
    ready: Option<toml::Spanned<usize>>,
    #[serde(default)]
    access_log: AccessLogToml,
    #[serde(default)]
    log: LogToml,
    #[serde(default)]
    limits: LimitsToml,
    #[serde(default)]
    egress: EgressToml,
    #[serde(default)]
    worker: Vec<WorkerToml>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct AccessLogToml {
    enabled: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct LogToml {
    format: Option<LogFormat>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitsToml {
    request_head_bytes: Option<usize>,
    request_body_bytes: Option<u64>,
    head_timeout_ms: Option<u64>,
    drain_ms: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct EgressToml {
    allow_private: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WorkerToml {
    name: toml::Spanned<String>,
    dir: Option<PathBuf>,
    main: Option<PathBuf>,
    env: Option<String>,
    #[serde(default)]
    vars: toml::Table,
    #[serde(default)]
    routes: Vec<toml::Spanned<String>>,
    #[serde(default)]
    isolation: Isolation,
    #[serde(default)]
    limits: WorkerLimitsToml,
}

/// Where a worker's isolates run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Isolation {
    /// On the lanes that accept connections, beside other workers.
    #[default]
    Shared,
    /// On a lane (a thread) of its own.
    Private,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct WorkerLimitsToml {
    cpu_ms: Option<u64>,
    startup_cpu_ms: Option<u64>,
    wall_ms: Option<u64>,
    heap_mb: Option<toml::Spanned<usize>>,
    buffers_mb: Option<usize>,
    subrequests: Option<u32>,
    concurrent_events: Option<usize>,
}

/// How the node writes its log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    #[default]
    Text,
    Json,
}

/// The checked config.
#[derive(Debug)]
pub(crate) struct NodeConfig {
    pub(crate) listen: SocketAddr,
    pub(crate) lanes: usize,
    pub(crate) ready: usize,
    pub(crate) access_log: bool,
    pub(crate) log_format: LogFormat,
    pub(crate) max_head: usize,
    pub(crate) max_body: u64,
    pub(crate) head_timeout: Duration,
    pub(crate) drain: Duration,
    pub(crate) allow_private: bool,
    pub(crate) workers: Vec<WorkerConfig>,
}

#[derive(Debug)]
pub(crate) struct WorkerConfig {
    pub(crate) name: String,
    pub(crate) source: WorkerSource,
    pub(crate) vars: serde_json::Map<String, serde_json::Value>,
    pub(crate) routes: Vec<Pattern>,
    pub(crate) isolation: Isolation,
    pub(crate) limits: WorkerLimits,
}

/// Where a worker's code comes from.
#[derive(Debug)]
pub(crate) enum WorkerSource {
    /// A project folder, and the environment of its wrangler configuration.
    Project { dir: PathBuf, env: Option<String> },
    /// One ES module, as it is.
    Script(PathBuf),
}

/// Limits that the config sets; the rest are the runtime's.
#[derive(Debug, Default)]
pub(crate) struct WorkerLimits {
    pub(crate) cpu: Option<Duration>,
    pub(crate) startup_cpu: Option<Duration>,
    pub(crate) wall: Option<Duration>,
    pub(crate) heap: Option<usize>,
    pub(crate) buffers: Option<usize>,
    pub(crate) subrequests: Option<u32>,
    pub(crate) concurrent_events: Option<usize>,
}

impl WorkerLimits {
    pub(crate) fn apply(&self, limits: &mut outboard_runtime::Limits) {
        fn set<T: Clone>(field: &mut T, value: &Option<T>) {
            if let Some(value) = value {
                *field = value.clone();
            }
        }
        set(&mut limits.cpu, &self.cpu);
        set(&mut limits.startup_cpu, &self.startup_cpu);
        set(&mut limits.wall, &self.wall);
        set(&mut limits.heap, &self.heap);
        set(&mut limits.buffers, &self.buffers);
        set(&mut limits.subrequests, &self.subrequests);
        set(&mut limits.concurrent_events, &self.concurrent_events);
    }
}

/// Every fault of a config, each with its place.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub(crate) struct ConfigErrors(Vec<String>);

/// The smallest heap in which the API and a small script start.
const MIN_HEAP_MB: usize = 8;
/// An eighth of the cage that all heaps of the process share.
const MAX_HEAP_MB: usize = 512;
/// More lanes than this never helped; each costs its thread and isolates.
const MAX_LANES: usize = 256;

/// Reads and checks a config file.
pub(crate) fn load(path: &Path) -> Result<NodeConfig, ConfigErrors> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| ConfigErrors(vec![format!("{}: {error}", path.display())]))?;
    parse(path, &text)
}

fn parse(path: &Path, text: &str) -> Result<NodeConfig, ConfigErrors> {
    let file: NodeToml = toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        ConfigErrors(vec![fault(path, text, at, error.message().trim())])
    })?;
    let mut check = Checker {
        path,
        text,
        faults: Vec::new(),
    };
    let config = check.config(file);
    if check.faults.is_empty() {
        Ok(config)
    } else {
        Err(ConfigErrors(check.faults))
    }
}

fn fault(path: &Path, text: &str, at: usize, message: &str) -> String {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    format!("{}:{line}:{column}: {message}", path.display())
}

struct Checker<'a> {
    path: &'a Path,
    text: &'a str,
    faults: Vec<String>,
}

impl Checker<'_> {
    fn fault(&mut self, at: usize, message: &str) {
        self.faults.push(fault(self.path, self.text, at, message));
    }

    fn config(&mut self, file: NodeToml) -> NodeConfig {
        let listen = match &file.listen {
            None => SocketAddr::from(([127, 0, 0, 1], 8080)),
            Some(listen) => listen.get_ref().parse().unwrap_or_else(|_| {
                self.fault(
                    listen.span().start,
                    &format!(
                        "listen: {:?}: write an address and a port, \"127.0.0.1:8080\"",
                        listen.get_ref()
                    ),
                );
                SocketAddr::from(([127, 0, 0, 1], 0))
            }),
        };
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let lanes = match &file.lanes {
            None => cores,
            Some(lanes) => {
                if !(1..=MAX_LANES).contains(lanes.get_ref()) {
                    self.fault(
                        lanes.span().start,
                        &format!("lanes: {}: write 1 to {MAX_LANES}", lanes.get_ref()),
                    );
                }
                *lanes.get_ref()
            }
        };
        let base = self.path.parent().unwrap_or(Path::new(".")).to_path_buf();
        let mut workers: Vec<WorkerConfig> = Vec::new();
        for (index, worker) in file.worker.into_iter().enumerate() {
            let name = worker.name.get_ref().clone();
            let at = worker.name.span().start;
            if workers.iter().any(|other| other.name == name) {
                self.fault(
                    at,
                    &format!("worker[{index}].name: {name:?} is there twice"),
                );
            }
            let worker = self.worker(index, worker, &base);
            workers.extend(worker);
        }
        if workers.is_empty() && self.faults.is_empty() {
            self.fault(
                0,
                "worker: there is none; add [[worker]] with name, dir and routes",
            );
        }
        let ms = |value: Option<u64>, default: u64| Duration::from_millis(value.unwrap_or(default));
        NodeConfig {
            listen,
            lanes,
            ready: file.ready.map_or(2, toml::Spanned::into_inner),
            access_log: file.access_log.enabled.unwrap_or(true),
            log_format: file.log.format.unwrap_or_default(),
            max_head: file.limits.request_head_bytes.unwrap_or(128 << 10),
            max_body: file.limits.request_body_bytes.unwrap_or(100 << 20),
            head_timeout: ms(file.limits.head_timeout_ms, 30_000),
            drain: ms(file.limits.drain_ms, 30_000),
            allow_private: file.egress.allow_private.unwrap_or(false),
            workers,
        }
    }

    fn worker(&mut self, index: usize, worker: WorkerToml, base: &Path) -> Option<WorkerConfig> {
        let at = worker.name.span().start;
        let source = match (worker.dir, worker.main) {
            (Some(dir), None) => Some(WorkerSource::Project {
                dir: base.join(dir),
                env: worker.env,
            }),
            (None, Some(main)) => Some(WorkerSource::Script(base.join(main))),
            _ => {
                self.fault(
                    at,
                    &format!("worker[{index}]: give either dir (a project) or main (a module)"),
                );
                None
            }
        };
        if worker.routes.is_empty() {
            self.fault(
                at,
                &format!(
                    "worker[{index}].routes: there is none; write routes = [\"example.com/*\"]"
                ),
            );
        }
        let mut routes = Vec::new();
        for (number, route) in worker.routes.iter().enumerate() {
            match route.get_ref().parse() {
                Ok(pattern) => routes.push(pattern),
                Err(error) => {
                    let field = format!("worker[{index}].routes[{number}]");
                    self.fault(route.span().start, &format!("{field}: {error}"));
                }
            }
        }
        let limits = self.limits(index, &worker.limits);
        let vars = match serde_json::to_value(worker.vars) {
            Ok(serde_json::Value::Object(vars)) => vars,
            _ => serde_json::Map::new(),
        };
        Some(WorkerConfig {
            name: worker.name.into_inner(),
            source: source?,
            vars,
            routes,
            isolation: worker.isolation,
            limits,
        })
    }

    fn limits(&mut self, index: usize, limits: &WorkerLimitsToml) -> WorkerLimits {
        let ms = |value: Option<u64>| value.map(Duration::from_millis);
        if let Some(heap) = &limits.heap_mb
            && !(MIN_HEAP_MB..=MAX_HEAP_MB).contains(heap.get_ref())
        {
            self.fault(
                heap.span().start,
                &format!(
                    "worker[{index}].limits.heap_mb: {}: write {MIN_HEAP_MB} to {MAX_HEAP_MB}",
                    heap.get_ref()
                ),
            );
        }
        WorkerLimits {
            cpu: ms(limits.cpu_ms),
            startup_cpu: ms(limits.startup_cpu_ms),
            wall: ms(limits.wall_ms),
            heap: limits.heap_mb.as_ref().map(|mb| mb.get_ref() << 20),
            buffers: limits.buffers_mb.map(|mb| mb << 20),
            subrequests: limits.subrequests,
            concurrent_events: limits.concurrent_events,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> String {
        parse(Path::new("outboard.toml"), text)
            .expect_err("faults")
            .to_string()
    }

    #[test]
    fn every_fault_is_listed_with_its_place() {
        let check = |text: &str, expected: &str| assert_eq!(faults(text), expected, "{text}");
        check(
            "listen = \"here\"\nlanes = 0\n[[worker]]\nname = \"a\"\nroutes = [\"https://x\"]\n",
            "outboard.toml:1:10: listen: \"here\": write an address and a port, \"127.0.0.1:8080\"\n\
             outboard.toml:2:9: lanes: 0: write 1 to 256\n\
             outboard.toml:4:8: worker[0]: give either dir (a project) or main (a module)\n\
             outboard.toml:5:11: worker[0].routes[0]: \"https://x\": a route is a host with an \
             optional path, without a scheme; write \"example.com/*\"",
        );
        check(
            "[[worker]]\nname = \"a\"\nmain = \"a.js\"\nroutes = [\"*\"]\nlimits = { heap_mb = 1 }\n",
            "outboard.toml:5:22: worker[0].limits.heap_mb: 1: write 8 to 512",
        );
        check(
            "",
            "outboard.toml:1:1: worker: there is none; add [[worker]] with name, dir and routes",
        );
    }

    #[test]
    fn an_unknown_field_is_refused_by_name() {
        let text = faults("lisen = \"127.0.0.1:1\"\n");
        assert!(
            text.starts_with("outboard.toml:1:1: unknown field `lisen`"),
            "{text}"
        );
    }
}
