//! What a reader sees: a summary on the terminal, a section of
//! docs/conformance.md.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, Result};

use super::areas::{AREAS, Area, area_of};
use super::results::{Outcome, Report, Sums, percent};

/// What the section lies between.
const BEGIN: &str = "<!-- wpt -->";
const END: &str = "<!-- end of wpt -->";

/// What a reader has to know before the figures.
const PREFACE: &str = "\
## Web platform tests

[web-platform-tests](https://web-platform-tests.org) are the browsers' own. Counted are the folders about APIs that Workers offer, and
in them the tests for workers and those for windows that use none. A worker cannot evaluate text, so each test is put together
with the scripts it names into one module, and is a worker of its own in `outboard serve`. The tests' own server, a part
of their checkout in Python, answers what they fetch.

In npm workerd the same modules run with its newest compatibility date. A failure there as well is mostly Workers' own
behaviour, which Outboard follows where it differs from the standard's. A subtest that times out fails; a file that throws or
never ends counts as one more failure.

";

pub(crate) fn summary(report: &Report, peer: Option<&Report>, verbose: bool) {
    if verbose {
        for file in &report.files {
            let Outcome::Ran(run) = &file.outcome else {
                continue;
            };
            if let Some(why) = &run.harness {
                println!("{}: {why}", file.path);
            }
            let theirs = peer.and_then(|peer| peer.run_of(&file.path));
            for failure in &run.failed {
                let shared = theirs
                    .is_some_and(|run| run.failed.iter().any(|theirs| theirs.name == failure.name));
                println!(
                    "{}: {}: {}{}: {}",
                    file.path,
                    failure.status,
                    failure.name,
                    if shared { " [workerd too]" } else { "" },
                    failure.message.replace('\n', " ")
                );
            }
        }
    }
    for area in AREAS {
        let sums = sums(report, peer, |path| is_in(area, path));
        if sums.files + sums.skipped > 0 {
            println!("{}", line(area.folder, &sums, peer.is_some()));
        }
    }
    println!(
        "{}",
        line("all", &sums(report, peer, |_| true), peer.is_some())
    );
}

fn line(name: &str, sums: &Sums, with_peer: bool) -> String {
    let mut text = format!(
        "{name:<52} {:>6} passed {:>5} failed {:>5.1} %  {:>3} files, {} skipped",
        sums.passed,
        sums.failed,
        percent(sums.passed, sums.failed),
        sums.files,
        sums.skipped,
    );
    if with_peer {
        let _ = write!(
            text,
            "; workerd {:.1} %, fails too {}",
            percent(sums.peer_passed, sums.peer_failed),
            sums.shared
        );
    }
    text
}

fn is_in(area: &Area, path: &str) -> bool {
    area_of(path).is_some_and(|own| own.folder == area.folder)
}

fn sums(report: &Report, peer: Option<&Report>, wanted: impl Fn(&str) -> bool) -> Sums {
    let mut sums = Sums::default();
    for file in report.files.iter().filter(|file| wanted(&file.path)) {
        sums.add(file, peer);
    }
    sums
}

/// Writes the section between its marks anew, or at the page's end.
pub(crate) fn rewrite(file: &Path, report: &Report, peer: Option<&Report>) -> Result<()> {
    let old = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let section = format!("{BEGIN}\n{}{END}", section(report, peer));
    let new = match (old.find(BEGIN), old.find(END)) {
        (Some(start), Some(end)) if start < end => {
            format!("{}{section}{}", &old[..start], &old[end + END.len()..])
        }
        _ => format!("{}\n\n{section}\n", old.trim_end()),
    };
    std::fs::write(file, new).with_context(|| file.display().to_string())
}

fn section(report: &Report, peer: Option<&Report>) -> String {
    let all = sums(report, peer, |_| true);
    let mut text = PREFACE.to_string();
    let _ = write!(
        text,
        "**{:.1} %** of {} subtests pass, in {} files; {} files are skipped.",
        percent(all.passed, all.failed),
        all.passed + all.failed,
        all.files,
        all.skipped,
    );
    if let Some(peer) = peer {
        let _ = write!(
            text,
            " {} of the {} failures fail in {} too, which passes {:.1} %.",
            all.shared,
            all.failed,
            peer.engine,
            percent(all.peer_passed, all.peer_failed),
        );
    }
    text.push_str("\n\n| API | Folder | Passed | Failed | of these in workerd too | Share | workerd's share | Files skipped |\n|---|---|--:|--:|--:|--:|--:|--:|\n");
    for area in AREAS {
        let sums = sums(report, peer, |path| is_in(area, path));
        if sums.files + sums.skipped > 0 {
            let _ = writeln!(
                text,
                "| {} | `{}` {}",
                area.title,
                area.folder,
                cells(&sums, peer)
            );
        }
    }
    let _ = writeln!(text, "| **all** | {}", cells(&all, peer));
    text.push_str("\n### Files with failures\n\n| File | Passed | Failed | in workerd too | The first failure |\n|---|--:|--:|--:|---|\n");
    for file in &report.files {
        let Outcome::Ran(run) = &file.outcome else {
            continue;
        };
        if run.failures() == 0 {
            continue;
        }
        let shared = peer
            .and_then(|peer| peer.run_of(&file.path))
            .map_or_else(|| "–".into(), |theirs| run.shared_with(theirs).to_string());
        let first = run.failed.first().map_or_else(
            || run.harness.clone().unwrap_or_default(),
            |failure| format!("{}: {}", failure.name, failure.message),
        );
        let _ = writeln!(
            text,
            "| `{}` | {} | {} | {shared} | {} |",
            file.path,
            run.passed.len(),
            run.failures(),
            cell(&first),
        );
    }
    text.push_str("\n### Files skipped\n\n| Reason | Files |\n|---|---|\n");
    for (reason, files) in skipped(report) {
        let _ = writeln!(
            text,
            "| {reason} ({}) | {} |",
            files.len(),
            files.join(", ")
        );
    }
    text.push_str("\n### Files that pass\n\n| Folder | Files |\n|---|---|\n");
    for (folder, files) in passing(report) {
        let _ = writeln!(text, "| `{folder}` | {} |", files.join(", "));
    }
    text
}

fn cells(sums: &Sums, peer: Option<&Report>) -> String {
    let (shared, theirs) = if peer.is_some() {
        let share = percent(sums.peer_passed, sums.peer_failed);
        (sums.shared.to_string(), format!("{share:.1} %"))
    } else {
        ("–".into(), "–".into())
    };
    format!(
        "| {} | {} | {shared} | {:.1} % | {theirs} | {} |",
        sums.passed,
        sums.failed,
        percent(sums.passed, sums.failed),
        sums.skipped,
    )
}

/// Text that may hold anything, as one cell of a table.
fn cell(text: &str) -> String {
    let plain: String = text
        .chars()
        .map(|c| if c.is_ascii_graphic() { c } else { ' ' })
        .filter(|c| !matches!(c, '`' | '\\'))
        .take(110)
        .collect();
    let plain = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    if plain.is_empty() {
        return String::new();
    }
    format!("`` {} ``", plain.replace('|', "/"))
}

fn skipped(report: &Report) -> BTreeMap<&str, Vec<String>> {
    let mut reasons: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for file in &report.files {
        if let Outcome::Skipped { reason } = &file.outcome {
            reasons
                .entry(reason)
                .or_default()
                .push(format!("`{}`", file.path));
        }
    }
    reasons
}

/// File names and their subtests, by folder.
fn passing(report: &Report) -> BTreeMap<&str, Vec<String>> {
    let mut folders: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for file in &report.files {
        let Outcome::Ran(run) = &file.outcome else {
            continue;
        };
        if run.failures() == 0 {
            let path = file.path.split('?').next().unwrap_or(&file.path);
            let (folder, _) = path.rsplit_once('/').unwrap_or(("", path));
            let name = &file.path[folder.len() + 1..];
            folders
                .entry(folder)
                .or_default()
                .push(format!("`{name}` {}", run.passed.len()));
        }
    }
    folders
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_never_breaks_its_table() {
        assert_eq!(cell("a|b\n`c`"), "`` a/b c ``");
        assert_eq!(cell("\u{0}"), "");
    }

    #[test]
    fn only_the_section_is_rewritten() {
        let page = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(page.path(), "before\n").expect("it is written");
        let report = Report {
            engine: String::new(),
            files: Vec::new(),
        };
        for _ in 0..2 {
            rewrite(page.path(), &report, None).expect("it is rewritten");
        }
        let text = std::fs::read_to_string(page.path()).expect("it is read");
        assert!(text.starts_with("before\n\n<!-- wpt"), "{text}");
        assert_eq!(text.matches(BEGIN).count(), 1, "{text}");
    }
}
