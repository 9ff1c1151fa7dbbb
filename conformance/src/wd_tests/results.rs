//! What became of tests: the file that a run writes, and its sums.

use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;

/// One run.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) files: Vec<FileResult>,
}

/// One configuration of tests.
#[derive(Debug, Serialize)]
pub(crate) struct FileResult {
    /// `workerd/api/tests/url-test.wd-test`, below workerd's `src`.
    pub(crate) path: String,
    /// What it needs that this stage does not set out to offer; empty: nothing.
    pub(crate) needs: Vec<&'static str>,
    #[serde(flatten)]
    pub(crate) outcome: Outcome,
}

#[derive(Debug, Serialize)]
#[serde(tag = "outcome", rename_all = "lowercase")]
pub(crate) enum Outcome {
    /// All its tests passed.
    Passed { tests: Vec<TestResult> },
    Failed {
        tests: Vec<TestResult>,
        /// The first thing that went wrong.
        reason: String,
        /// The end of what the program printed.
        output: String,
    },
    /// It was not run.
    Skipped { reason: String },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct TestResult {
    /// `service` or `service:export`.
    pub(crate) name: String,
    pub(crate) passed: bool,
    /// What the program said of a test that failed.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) error: String,
}

impl FileResult {
    /// The folder that sums are made over.
    pub(crate) fn folder(&self) -> &str {
        self.path.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    pub(crate) fn tests(&self) -> &[TestResult] {
        match &self.outcome {
            Outcome::Passed { tests } | Outcome::Failed { tests, .. } => tests,
            Outcome::Skipped { .. } => &[],
        }
    }
}

impl Report {
    pub(crate) fn write(&self, file: &Path) -> Result<()> {
        std::fs::write(file, serde_json::to_vec_pretty(self)?)
            .with_context(|| file.display().to_string())
    }
}

/// Sums over files.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    pub(crate) skipped: usize,
    /// Single tests of the files that ran.
    pub(crate) tests_passed: usize,
    pub(crate) tests: usize,
}

impl Sums {
    pub(crate) fn over<'a>(files: impl IntoIterator<Item = &'a FileResult>) -> Self {
        let mut sums = Self::default();
        for file in files {
            match &file.outcome {
                Outcome::Passed { .. } => sums.passed += 1,
                Outcome::Failed { .. } => sums.failed += 1,
                Outcome::Skipped { .. } => sums.skipped += 1,
            }
            sums.tests += file.tests().len();
            sums.tests_passed += file.tests().iter().filter(|test| test.passed).count();
        }
        sums
    }

    pub(crate) fn files(self) -> usize {
        self.passed + self.failed + self.skipped
    }

    /// Files that passed, in percent of all.
    pub(crate) fn share(self) -> f64 {
        if self.files() == 0 {
            return 0.0;
        }
        100.0 * self.passed as f64 / self.files() as f64
    }
}
