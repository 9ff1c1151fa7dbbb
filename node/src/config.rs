//! `outboard.toml`: what `outboard serve` serves, and how.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use outboard_runtime::Compatibility;
use outboard_storage::Retention;
use serde::Deserialize;

use self::buckets::BucketToml;
pub(crate) use self::limits::WorkerLimits;
use self::limits::WorkerLimitsToml;
use self::range::Range;
pub(crate) use self::tenants::{ControlConfig, TenantConfig};
use self::tenants::{ControlToml, TenantToml};
use crate::ingress::Pattern;
use crate::objects::keep;
use crate::resources::r2::Place;

mod buckets;
mod limits;
mod tenants;

/// A number as it is written: any that TOML has, so that one out of its range is
/// a fault like others and not the end of reading.
type Number = toml::Spanned<i64>;

/// The file as it is written. Unknown fields are refused.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NodeToml {
    listen: Option<toml::Spanned<String>>,
    lanes: Option<Number>,
    ready: Option<Number>,
    data: Option<PathBuf>,
    #[serde(default)]
    history: HistoryToml,
    #[serde(default)]
    access_log: AccessLogToml,
    #[serde(default)]
    log: LogToml,
    #[serde(default)]
    limits: LimitsToml,
    #[serde(default)]
    egress: EgressToml,
    control: Option<ControlToml>,
    #[serde(default)]
    r2: Vec<BucketToml>,
    #[serde(default)]
    tenant: Vec<TenantToml>,
    #[serde(default)]
    worker: Vec<WorkerToml>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct HistoryToml {
    days: Option<Number>,
    max_mb: Option<Number>,
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
    request_head_bytes: Option<Number>,
    request_body_bytes: Option<Number>,
    head_timeout_ms: Option<Number>,
    drain_ms: Option<Number>,
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
    compatibility_date: Option<toml::Spanned<String>>,
    compatibility_flags: Option<Vec<toml::Spanned<String>>>,
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
    /// As shared ones, and each of its objects on a lane of its own.
    Object,
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
    /// Where durable objects are kept; made when there are any.
    pub(crate) data: PathBuf,
    /// How much is kept of what they were.
    pub(crate) history: Retention,
    pub(crate) access_log: bool,
    pub(crate) log_format: LogFormat,
    pub(crate) max_head: usize,
    pub(crate) max_body: u64,
    pub(crate) head_timeout: Duration,
    pub(crate) drain: Duration,
    pub(crate) allow_private: bool,
    /// Where deployments come in; None: nowhere.
    pub(crate) control: Option<ControlConfig>,
    /// Buckets that are on S3, by their names.
    pub(crate) buckets: Vec<(String, Place)>,
    pub(crate) tenants: Vec<TenantConfig>,
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
    Script {
        path: PathBuf,
        compatibility: Compatibility,
    },
}

/// Every fault of a config, each with its place.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub(crate) struct ConfigErrors(Vec<String>);

/// What each number may be. Where nothing else speaks for a bound, it is where a
/// larger value must be a mistake.
mod range {
    use std::ops::RangeInclusive;

    pub(super) type Range = RangeInclusive<i64>;

    /// More lanes than this never helped; each costs its thread and isolates.
    pub(super) const LANES: Range = 1..=256;
    /// For each lane, at about 2 MB.
    pub(super) const READY: Range = 0..=256;
    /// None, to ten years.
    pub(super) const HISTORY_DAYS: Range = 0..=3_653;
    pub(super) const HISTORY_MB: Range = 1..=1 << 30;
    /// hyper reads a head into no less than the first.
    pub(super) const REQUEST_HEAD_BYTES: Range = 8_192..=16 << 20;
    pub(super) const REQUEST_BODY_BYTES: Range = 0..=1 << 40;
    pub(super) const HEAD_TIMEOUT_MS: Range = 1..=HOUR_MS;
    pub(super) const DRAIN_MS: Range = 0..=HOUR_MS;
    pub(super) const CPU_MS: Range = 1..=HOUR_MS;
    /// Neighbours wait while a script starts.
    pub(super) const STARTUP_CPU_MS: Range = 1..=60_000;
    pub(super) const WALL_MS: Range = 1..=24 * HOUR_MS;
    /// From the smallest heap in which the API and a small script start, to an
    /// eighth of the cage that all heaps of the process share.
    pub(super) const HEAP_MB: Range = 8..=512;
    pub(super) const BUFFERS_MB: Range = 1..=16_384;
    pub(super) const RESPONSE_MB: Range = 1..=1 << 20;
    pub(super) const SUBREQUESTS: Range = 0..=1_000_000;
    /// Versions of a worker, each with its modules on the disk.
    pub(super) const VERSIONS: Range = 1..=1_000;
    /// A package is in memory while it is checked.
    pub(super) const PACKAGE_MB: Range = 1..=1_024;
    pub(super) const CONCURRENT_EVENTS: Range = 1..=65_536;
    pub(super) const DYNAMIC_WORKERS: Range = 1..=65_536;
    pub(super) const AWAKE_OBJECTS: Range = 16..=1_000_000;

    const HOUR_MS: i64 = 3_600_000;
}

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
        return Ok(config);
    }
    // In the file's order.
    check.faults.sort_by_key(|(at, _)| *at);
    let faults = check.faults.into_iter().map(|(_, fault)| fault);
    Err(ConfigErrors(faults.collect()))
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
    /// Each with its place in the text.
    faults: Vec<(usize, String)>,
}

impl Checker<'_> {
    fn fault(&mut self, at: usize, message: &str) {
        let fault = fault(self.path, self.text, at, message);
        self.faults.push((at, fault));
    }

    fn config(&mut self, file: NodeToml) -> NodeConfig {
        let listen = self.address("listen", &file.listen, 8080);
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let lanes = self
            .number("lanes", &file.lanes, range::LANES)
            .unwrap_or(cores);
        let ready = self.number("ready", &file.ready, range::READY);
        let history = &file.history;
        let days = self.number("history.days", &history.days, range::HISTORY_DAYS);
        let history_mb = self.number("history.max_mb", &history.max_mb, range::HISTORY_MB);
        let limits = &file.limits;
        let max_head = self.number(
            "limits.request_head_bytes",
            &limits.request_head_bytes,
            range::REQUEST_HEAD_BYTES,
        );
        let max_body = self.number(
            "limits.request_body_bytes",
            &limits.request_body_bytes,
            range::REQUEST_BODY_BYTES,
        );
        let head_timeout = self.number(
            "limits.head_timeout_ms",
            &limits.head_timeout_ms,
            range::HEAD_TIMEOUT_MS,
        );
        let drain = self.number("limits.drain_ms", &limits.drain_ms, range::DRAIN_MS);
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
        let control = file.control.map(|control| self.control(&control));
        let tenants = self.tenants(file.tenant, &workers);
        let buckets = self.buckets(&file.r2, &tenants, &base);
        if workers.is_empty() && tenants.is_empty() && self.faults.is_empty() {
            self.fault(
                0,
                "worker: there is none; add [[worker]] with name, dir and routes, or [[tenant]]",
            );
        }
        NodeConfig {
            listen,
            lanes,
            ready: ready.unwrap_or(2),
            data: base.join(file.data.as_deref().unwrap_or(Path::new("data"))),
            history: keep(days, history_mb),
            access_log: file.access_log.enabled.unwrap_or(true),
            log_format: file.log.format.unwrap_or_default(),
            max_head: max_head.unwrap_or(128 << 10),
            max_body: max_body.unwrap_or(100 << 20),
            head_timeout: Duration::from_millis(head_timeout.unwrap_or(30_000)),
            drain: Duration::from_millis(drain.unwrap_or(30_000)),
            allow_private: file.egress.allow_private.unwrap_or(false),
            control,
            buckets,
            tenants,
            workers,
        }
    }

    /// An address to listen on; by default one that only this machine reaches.
    fn address(
        &mut self,
        field: &str,
        value: &Option<toml::Spanned<String>>,
        port: u16,
    ) -> SocketAddr {
        let default = SocketAddr::from(([127, 0, 0, 1], port));
        let Some(value) = value else {
            return default;
        };
        value.get_ref().parse().unwrap_or_else(|_| {
            let text = value.get_ref();
            let fault = format!("{field}: {text:?}: write an address and a port, \"{default}\"");
            self.fault(value.span().start, &fault);
            default
        })
    }

    fn worker(&mut self, index: usize, worker: WorkerToml, base: &Path) -> Option<WorkerConfig> {
        let at = worker.name.span().start;
        let compatibility = self.compatibility(index, &worker);
        let source = match (worker.dir, worker.main) {
            (Some(dir), None) => Some(WorkerSource::Project {
                dir: base.join(dir),
                env: worker.env,
            }),
            (None, Some(main)) => Some(WorkerSource::Script {
                path: base.join(main),
                compatibility,
            }),
            _ => {
                self.fault(
                    at,
                    &format!("worker[{index}]: give either dir (a project) or main (a module)"),
                );
                None
            }
        };
        // A project may have queues and crons, and others call it.
        if worker.routes.is_empty() && matches!(source, Some(WorkerSource::Script { .. })) {
            self.fault(
                at,
                &format!(
                    "worker[{index}].routes: there is none; write routes = [\"example.com/*\"]"
                ),
            );
        }
        let routes = self.routes(&format!("worker[{index}]"), &worker.routes);
        let limits = self.limits(&format!("worker[{index}]"), &worker.limits);
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

    /// What a script's date and flags come to; a project has its own.
    fn compatibility(&mut self, index: usize, worker: &WorkerToml) -> Compatibility {
        let newest = Compatibility::default();
        let (date, flags) = (&worker.compatibility_date, &worker.compatibility_flags);
        if date.is_none() && flags.is_none() {
            return newest;
        }
        let at = worker.name.span().start;
        if worker.dir.is_some() {
            let why = "a project's wrangler configuration has its date and flags";
            self.fault(at, &format!("worker[{index}].compatibility_date: {why}"));
            return newest;
        }
        let flags = flags.as_deref().unwrap_or_default();
        let names: Vec<_> = flags.iter().map(toml::Spanned::get_ref).collect();
        let day = date.as_ref().map(|date| date.get_ref().clone());
        let day = day.unwrap_or_else(|| newest.date());
        Compatibility::new(&day, &names).unwrap_or_else(|faults| {
            for fault in faults {
                let (at, field) = match fault.index() {
                    Some(flag) => (
                        flags[flag].span().start,
                        format!("compatibility_flags[{flag}]"),
                    ),
                    None => (
                        date.as_ref().map_or(at, |date| date.span().start),
                        "compatibility_date".into(),
                    ),
                };
                self.fault(at, &format!("worker[{index}].{field}: {fault}"));
            }
            newest
        })
    }

    fn routes(&mut self, owner: &str, routes: &[toml::Spanned<String>]) -> Vec<Pattern> {
        let mut patterns = Vec::new();
        for (number, route) in routes.iter().enumerate() {
            match route.get_ref().parse() {
                Ok(pattern) => patterns.push(pattern),
                Err(error) => {
                    let field = format!("{owner}.routes[{number}]");
                    self.fault(route.span().start, &format!("{field}: {error}"));
                }
            }
        }
        patterns
    }

    /// The number, if there is one and it is in its range.
    fn number<T: TryFrom<i64>>(
        &mut self,
        field: &str,
        value: &Option<Number>,
        range: Range,
    ) -> Option<T> {
        let value = value.as_ref()?;
        let number = *value.get_ref();
        if range.contains(&number) {
            return T::try_from(number).ok();
        }
        let (least, most) = (range.start(), range.end());
        self.fault(
            value.span().start,
            &format!("{field}: {number}: write {least} to {most}"),
        );
        None
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
            "ready = -1\nworker = [\n\
             { name = \"a\", main = \"a.js\", routes = [\"a\"], limits = { cpu_ms = 0, wall_ms = -5 } },\n\
             { name = \"b\", main = \"a.js\", routes = [\"b\"], limits = { subrequests = 4294967296 } },\n\
             { name = \"c\", main = \"a.js\", routes = [\"c\"], limits = { buffers_mb = 0, response_mb = 0 } },\n\
             ]\nlimits = { drain_ms = 9999999999, request_head_bytes = 100 }\n\
             history = { days = -1, max_mb = 0 }\n",
            "outboard.toml:1:9: ready: -1: write 0 to 256\n\
             outboard.toml:3:66: worker[0].limits.cpu_ms: 0: write 1 to 3600000\n\
             outboard.toml:3:79: worker[0].limits.wall_ms: -5: write 1 to 86400000\n\
             outboard.toml:4:71: worker[1].limits.subrequests: 4294967296: write 0 to 1000000\n\
             outboard.toml:5:70: worker[2].limits.buffers_mb: 0: write 1 to 16384\n\
             outboard.toml:5:87: worker[2].limits.response_mb: 0: write 1 to 1048576\n\
             outboard.toml:7:23: limits.drain_ms: 9999999999: write 0 to 3600000\n\
             outboard.toml:7:56: limits.request_head_bytes: 100: write 8192 to 16777216\n\
             outboard.toml:8:20: history.days: -1: write 0 to 3653\n\
             outboard.toml:8:33: history.max_mb: 0: write 1 to 1073741824",
        );
        check(
            "[[worker]]\nname = \"a\"\nmain = \"a.js\"\nroutes = [\"*\"]\ncompatibility_date = \"soon\"\n\
             compatibility_flags = [\"no_such_flag\"]\n[[worker]]\nname = \"b\"\ndir = \".\"\n\
             routes = [\"b\"]\ncompatibility_flags = []\n",
            "outboard.toml:5:22: worker[0].compatibility_date: expected a date such as \
             \"2026-04-01\", not \"soon\"\n\
             outboard.toml:6:24: worker[0].compatibility_flags[0]: \"no_such_flag\" is no \
             compatibility flag\n\
             outboard.toml:8:8: worker[1].compatibility_date: a project's wrangler configuration \
             has its date and flags",
        );
        check(
            "",
            "outboard.toml:1:1: worker: there is none; add [[worker]] with name, dir and routes, \
             or [[tenant]]",
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
