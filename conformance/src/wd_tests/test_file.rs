//! A configuration of tests: where it is, what it needs, whether it can be run.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use outboard_workerd::{Config, ConfigError, Problem, ServiceKind};

use super::build_file::{BuildFile, Rule};
use super::results::{FileResult, Outcome};

/// The date by which all of today's behaviour is on.
const NEWEST: &str = "2999-12-31";
/// The date by which none is.
const OLDEST: &str = "0000-01-01";

pub(crate) struct TestFile {
    /// On this machine.
    pub(crate) path: PathBuf,
    /// Below workerd's `src`.
    name: String,
    needs: Vec<&'static str>,
    /// Why it cannot be run.
    pub(crate) skip: Option<String>,
    /// The compatibility date of its workers, where they have none.
    pub(crate) date: Option<String>,
    pub(crate) rule: Rule,
    /// It has a disk service that stands for the runner's scratch folder.
    pub(crate) wants_scratch: bool,
}

/// Finds all configurations below `source` that a filter takes, in order.
pub(crate) fn discover(source: &Path, filters: &[String]) -> Result<Vec<TestFile>> {
    let mut found = Vec::new();
    let mut folders = vec![source.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let build = BuildFile::read(&folder);
        let entries = std::fs::read_dir(&folder).with_context(|| folder.display().to_string())?;
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(source).unwrap_or(&path);
            let name = name.to_string_lossy().into_owned();
            let wanted = filters.is_empty() || filters.iter().any(|text| name.contains(text));
            if name.contains(".wd-test") && wanted {
                let file = name.rsplit('/').next().unwrap_or_default();
                let rule = build.rule(file);
                found.push(TestFile::new(path, name, rule));
            }
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

impl TestFile {
    fn new(path: PathBuf, name: String, rule: Rule) -> Self {
        let mut test = Self {
            path,
            name,
            needs: Vec::new(),
            skip: None,
            date: None,
            rule,
            wants_scratch: false,
        };
        let mut needs = BTreeSet::new();
        if test.name.contains("/python/") {
            needs.insert("Python");
        }
        if test.name.starts_with("cloudflare/") {
            needs.insert("Cloudflare's services");
        }
        if test.name.contains("container") {
            needs.insert("containers");
        }
        needs.extend(needs_of_source(&test.path));
        if !test.name.ends_with(".wd-test") || is_template(&test.path) {
            test.skip = Some("a template that workerd's build fills in".into());
        } else {
            match Config::from_text(&test.path, None, &[]) {
                Ok(config) => test.look_at(&config),
                Err(error) => {
                    needs.extend(needs_of_faults(&error));
                    test.skip = Some(reason(&error, &test.path));
                }
            }
        }
        test.needs = needs.into_iter().collect();
        test
    }

    fn look_at(&mut self, config: &Config) {
        let workers = config
            .services
            .iter()
            .filter_map(|service| match &service.kind {
                ServiceKind::Worker(worker) => Some(worker),
                _ => None,
            });
        let dated = workers
            .into_iter()
            .any(|worker| worker.compatibility_date.is_some());
        if !dated {
            let date = match &self.rule {
                Rule {
                    date: Some(date), ..
                } => date,
                Rule {
                    oldest_only: true, ..
                } => OLDEST,
                _ => NEWEST,
            };
            self.date = Some(date.to_string());
        }
        self.wants_scratch = config.services.iter().any(|service| {
            service.name == "TEST_TMPDIR" && matches!(service.kind, ServiceKind::Disk(_))
        });
    }

    pub(crate) fn result(self, outcome: Outcome) -> FileResult {
        FileResult {
            path: self.name,
            needs: self.needs,
            outcome,
        }
    }
}

/// Whether the file has places that workerd's build fills in: `%NAME`.
fn is_template(path: &Path) -> bool {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().any(|line| {
        let code = line.split('#').next().unwrap_or_default();
        code.contains(" %") || code.contains("\"%")
    })
}

/// What the text of a configuration and of its scripts shows.
fn needs_of_source(path: &Path) -> BTreeSet<&'static str> {
    let mut needs = BTreeSet::new();
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut sources = String::new();
    for embedded in text.split("embed \"").skip(1) {
        let name = embedded.split('"').next().unwrap_or_default();
        if let Ok(source) = std::fs::read_to_string(folder.join(name)) {
            sources.push_str(&source);
        }
    }
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    let mentions = |words: &[&str]| words.iter().any(|word| sources.contains(word));
    if text.contains("durableObjectNamespace") {
        needs.insert("Durable Objects");
    }
    if file.contains("rpc") || mentions(&["RpcTarget", "RpcStub", "RpcPromise"]) {
        needs.insert("RPC");
    }
    if text.contains("pythonModule") || text.contains("python_workers") {
        needs.insert("Python");
    }
    if mentions(&["cloudflare-internal:", "workerd:unsafe"]) {
        needs.insert("workerd's internal modules");
    }
    needs
}

fn needs_of_faults(error: &ConfigError) -> BTreeSet<&'static str> {
    let ConfigError::Faults(faults) = error else {
        return BTreeSet::new();
    };
    let kinds = [
        ("kvNamespace", "Cloudflare's services"),
        ("r2Bucket", "Cloudflare's services"),
        ("queue", "Cloudflare's services"),
        ("analyticsEngine", "Cloudflare's services"),
        ("hyperdrive", "Cloudflare's services"),
        ("wrapped", "Cloudflare's services"),
        ("durableObject", "Durable Objects"),
        ("tails", "tail workers"),
        ("streamingTails", "tail workers"),
        ("workerLoader", "worker loaders"),
        ("memoryCache", "workerd's internal modules"),
        ("extensions", "workerd's internal modules"),
        ("workerdDebugPort", "workerd's internal modules"),
        ("unsafeEval", "code from strings"),
        ("accessB", "Cloudflare's services"),
        ("pythonModule", "Python"),
    ];
    faults
        .iter()
        .filter(|fault| matches!(fault.problem, Problem::NotOffered(_)))
        .filter_map(|fault| {
            let member = fault.path.rsplit('.').next()?;
            kinds
                .iter()
                .find(|(start, _)| member.starts_with(start))
                .map(|(_, need)| *need)
        })
        .collect()
}

/// Each kind of fault once, without its place.
fn reason(error: &ConfigError, path: &Path) -> String {
    match error {
        ConfigError::Faults(faults) => {
            let mut texts: Vec<String> = faults
                .iter()
                .map(|fault| match &fault.problem {
                    Problem::NotOffered(what) => {
                        let what = what
                            .rsplit_once(": ")
                            .map_or(what.as_str(), |(_, what)| what);
                        format!("{what} not offered")
                    }
                    Problem::Invalid(text) => format!("{}: {text}", fault.path),
                })
                .collect();
            texts.sort();
            texts.dedup();
            texts.join("; ")
        }
        other => {
            let folder = path.parent().map(|folder| format!("{}/", folder.display()));
            other.to_string().replace(&folder.unwrap_or_default(), "")
        }
    }
}
