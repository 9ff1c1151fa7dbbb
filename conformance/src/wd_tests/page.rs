//! The figures for people: a summary on the terminal, a section of a page.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, Result};

use super::results::{FileResult, Outcome, Report, Sums};

/// What the section lies between.
const BEGIN: &str = "<!-- wd-tests -->";
const END: &str = "<!-- end of wd-tests -->";

/// What is counted by itself: the folders of APIs.
const APIS: [&str; 3] = [
    "workerd/api/tests",
    "workerd/api/node/tests",
    "workerd/api/streams",
];

pub(crate) fn summary(report: &Report, verbose: bool) {
    for file in &report.files {
        let (mark, why) = match &file.outcome {
            Outcome::Passed { .. } => ("pass", ""),
            Outcome::Failed { reason, .. } => ("FAIL", reason.as_str()),
            Outcome::Skipped { reason } => ("skip", reason.as_str()),
        };
        let tests = file.tests();
        let passed = tests.iter().filter(|test| test.passed).count();
        println!("{mark} {} {passed}/{} {why}", file.path, tests.len());
        if verbose {
            for test in tests.iter().filter(|test| !test.passed) {
                println!("     {}: {}", test.name, test.error);
            }
        }
    }
    for (title, sums) in totals(report) {
        println!(
            "{title}: {} of {} files ({:.1} %), {} failed, {} skipped; {} of {} tests",
            sums.passed,
            sums.files(),
            sums.share(),
            sums.failed,
            sums.skipped,
            sums.tests_passed,
            sums.tests
        );
    }
}

fn totals(report: &Report) -> Vec<(&'static str, Sums)> {
    let within = |file: &&FileResult| APIS.iter().any(|folder| file.folder().starts_with(folder));
    let base = |file: &&FileResult| within(file) && file.needs.is_empty();
    vec![
        ("all files", Sums::over(&report.files)),
        (
            "files of the APIs",
            Sums::over(report.files.iter().filter(within)),
        ),
        (
            "of them those that need nothing else",
            Sums::over(report.files.iter().filter(base)),
        ),
    ]
}

/// Replaces the section of the page, or adds it.
pub(crate) fn rewrite(file: &Path, report: &Report) -> Result<()> {
    let before = std::fs::read_to_string(file).unwrap_or_default();
    let section = section(report);
    let after = match (before.find(BEGIN), before.find(END)) {
        (Some(begin), Some(end)) if begin < end => {
            format!(
                "{}{section}{}",
                &before[..begin],
                &before[end + END.len()..]
            )
        }
        _ => format!("{}\n{section}\n", before.trim_end()),
    };
    std::fs::write(file, after).with_context(|| file.display().to_string())
}

fn section(report: &Report) -> String {
    let mut page = format!("{BEGIN}\n## workerd's own tests\n\n");
    page.push_str(
        "Run by `outboard workerd test`, with the newest compatibility date where workerd's build \
         does so too.\nA file passes if all of its tests do.\n\n\
         | | Files | Passed | Failed | Skipped | Share | Single tests |\n\
         |---|---:|---:|---:|---:|---:|---:|\n",
    );
    let row = |title: &str, sums: Sums| {
        format!(
            "| {title} | {} | {} | {} | {} | {:.1} % | {} of {} |\n",
            sums.files(),
            sums.passed,
            sums.failed,
            sums.skipped,
            sums.share(),
            sums.tests_passed,
            sums.tests
        )
    };
    for (title, sums) in totals(report) {
        page.push_str(&row(title, sums));
    }
    let folders: BTreeSet<&str> = report.files.iter().map(FileResult::folder).collect();
    page.push_str("\n### By folder\n\n| Folder | Files | Passed | Failed | Skipped | Share | Single tests |\n|---|---:|---:|---:|---:|---:|---:|\n");
    for folder in folders {
        let files = report.files.iter().filter(|file| file.folder() == folder);
        page.push_str(&row(folder, Sums::over(files)));
    }
    page.push_str("\n### Why files are skipped\n\n| Reason | Files |\n|---|---:|\n");
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for file in &report.files {
        if let Outcome::Skipped { reason } = &file.outcome {
            *reasons.entry(reason).or_default() += 1;
        }
    }
    for (reason, count) in reasons {
        let _ = writeln!(page, "| {} | {count} |", cell(reason));
    }
    page.push_str(
        "\n### By file\n\n| File | Result | Tests | Needs | Why |\n|---|---|---:|---|---|\n",
    );
    for file in &report.files {
        let (mark, why) = match &file.outcome {
            Outcome::Passed { .. } => ("passed", ""),
            Outcome::Failed { reason, .. } => ("failed", reason.as_str()),
            Outcome::Skipped { reason } => ("skipped", reason.as_str()),
        };
        let passed = file.tests().iter().filter(|test| test.passed).count();
        let _ = writeln!(
            page,
            "| {} | {mark} | {passed} of {} | {} | {} |",
            file.path,
            file.tests().len(),
            file.needs.join(", "),
            cell(why)
        );
    }
    page.push_str(END);
    page
}

/// Text that breaks no table.
fn cell(text: &str) -> String {
    let line: String = text
        .lines()
        .next()
        .unwrap_or_default()
        .chars()
        .take(160)
        .collect();
    let mut cell = String::new();
    for character in line.chars() {
        match character {
            '|' => cell.push_str("\\|"),
            '<' => cell.push_str("&lt;"),
            '`' => cell.push('\''),
            _ => cell.push(character),
        }
    }
    cell
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_section_is_replaced() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), format!("before\n{BEGIN}stale{END}\nafter\n"))
            .expect("written");
        rewrite(file.path(), &Report { files: Vec::new() }).expect("rewritten");
        let text = std::fs::read_to_string(file.path()).expect("read");
        assert!(text.starts_with("before\n") && text.ends_with("\nafter\n"));
        assert!(!text.contains("stale"));
    }
}
