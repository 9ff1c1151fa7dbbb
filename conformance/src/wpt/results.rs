//! What became of tests: the file that a run writes, and its sums.

use std::collections::HashSet;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// One run.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    /// The engine's own word on its version.
    pub(crate) engine: String,
    pub(crate) files: Vec<FileResult>,
}

/// One test file, or one variant of it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct FileResult {
    /// `url/url-constructor.any.js?include=file`, relative to the checkout.
    pub(crate) path: String,
    #[serde(flatten)]
    pub(crate) outcome: Outcome,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Outcome {
    Ran(Run),
    /// Not for a worker.
    Skipped {
        reason: String,
    },
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Run {
    /// Why the file as a whole did not end well: it threw, or never answered.
    /// Counts as one failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) harness: Option<String>,
    pub(crate) passed: Vec<String>,
    pub(crate) failed: Vec<Failure>,
    /// Subtests that said themselves that something optional is missing.
    #[serde(default)]
    pub(crate) optional: usize,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Failure {
    pub(crate) name: String,
    /// `fail`, `timeout` or `not run`.
    pub(crate) status: String,
    pub(crate) message: String,
}

impl Run {
    pub(crate) fn broken(why: impl Into<String>) -> Self {
        Self {
            harness: Some(why.into()),
            ..Self::default()
        }
    }

    pub(crate) fn failures(&self) -> usize {
        self.failed.len() + usize::from(self.harness.is_some())
    }

    /// Failures that the peer has as well, by name.
    pub(crate) fn shared_with(&self, peer: &Run) -> usize {
        let theirs: HashSet<&str> = peer.failed.iter().map(|f| f.name.as_str()).collect();
        let same = |failure: &&Failure| theirs.contains(failure.name.as_str());
        self.failed.iter().filter(same).count()
            + usize::from(self.harness.is_some() && peer.harness.is_some())
    }
}

impl Report {
    pub(crate) fn read(file: &Path) -> Result<Self> {
        let text = std::fs::read(file).with_context(|| format!("{}", file.display()))?;
        serde_json::from_slice(&text).with_context(|| format!("{}: no report", file.display()))
    }

    pub(crate) fn write(&self, file: &Path) -> Result<()> {
        std::fs::write(file, serde_json::to_vec(self)?)
            .with_context(|| format!("{}", file.display()))
    }

    pub(crate) fn run_of(&self, path: &str) -> Option<&Run> {
        let file = self.files.iter().find(|file| file.path == path)?;
        match &file.outcome {
            Outcome::Ran(run) => Some(run),
            Outcome::Skipped { .. } => None,
        }
    }
}

/// Sums over files.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Sums {
    pub(crate) files: usize,
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    /// Of `failed`, what the peer fails too.
    pub(crate) shared: usize,
    /// Subtests the peer passed, where its report is there.
    pub(crate) peer_passed: usize,
    pub(crate) peer_failed: usize,
    pub(crate) skipped: usize,
}

impl Sums {
    pub(crate) fn add(&mut self, file: &FileResult, peer: Option<&Report>) {
        let run = match &file.outcome {
            Outcome::Ran(run) => run,
            Outcome::Skipped { .. } => {
                self.skipped += 1;
                return;
            }
        };
        self.files += 1;
        self.passed += run.passed.len();
        self.failed += run.failures();
        if let Some(theirs) = peer.and_then(|peer| peer.run_of(&file.path)) {
            self.shared += run.shared_with(theirs);
            self.peer_passed += theirs.passed.len();
            self.peer_failed += theirs.failures();
        }
    }
}

/// A share in percent, `0` of nothing.
pub(crate) fn percent(passed: usize, failed: usize) -> f64 {
    let all = passed + failed;
    if all == 0 {
        return 0.0;
    }
    100.0 * passed as f64 / all as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(passed: &[&str], failed: &[&str], harness: Option<&str>) -> Run {
        Run {
            harness: harness.map(Into::into),
            passed: passed.iter().map(ToString::to_string).collect(),
            failed: failed
                .iter()
                .map(|name| Failure {
                    name: name.to_string(),
                    status: "fail".into(),
                    message: String::new(),
                })
                .collect(),
            optional: 0,
        }
    }

    #[test]
    fn what_the_peer_fails_too_is_told_apart() {
        let ours = run(&["a"], &["b", "c"], Some("threw"));
        assert_eq!(ours.failures(), 3);
        assert_eq!(ours.shared_with(&run(&["c"], &["b"], None)), 1);
        assert_eq!(ours.shared_with(&run(&[], &["b"], Some("hung"))), 2);
    }

    #[test]
    fn a_report_is_read_as_it_was_written() {
        let scratch = tempfile::NamedTempFile::new().expect("a file");
        let report = Report {
            engine: "engine 1".into(),
            files: vec![FileResult {
                path: "url/a.any.js".into(),
                outcome: Outcome::Ran(run(&["a"], &["b"], None)),
            }],
        };
        report.write(scratch.path()).expect("it is written");
        let read = Report::read(scratch.path()).expect("it is read");
        let mut sums = Sums::default();
        sums.add(&read.files[0], Some(&report));
        assert_eq!((sums.passed, sums.failed, sums.shared), (1, 1, 1));
    }
}
