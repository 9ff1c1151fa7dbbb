//! The same scripts and requests in Outboard and in npm workerd: same answers,
//! or a reason why not in `known-differences.toml` (README.md there says how a
//! case is written).

mod case;
mod difference;
mod loopback;
mod packages;
mod peer;

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use case::Case;
use difference::{Difference, Known};
use peer::Workerd;

pub(crate) use peer::program;

use crate::support::Outboard;

/// Cases that run at a time; each starts a node of its own.
const AT_A_TIME: usize = 3;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/parity")
}

#[test]
fn outboard_answers_as_workerd_does() {
    let cases = case::read_all(&folder());
    let scratch = tempfile::tempdir().expect("a temporary folder");
    check(scratch.path(), &cases, &folder());
}

/// Fails for what is not as known in `folder`.
fn check(scratch: &Path, cases: &[Case], folder: &Path) {
    let Some(workerd) = Workerd::start(scratch, cases) else {
        eprintln!(
            "SKIPPED: not compared with workerd, which is not here. `npm ci --prefix \
             node/tests/npm` brings it, or set WORKERD to the program."
        );
        return;
    };
    let queue = Mutex::new(cases.iter().collect::<Vec<_>>());
    let found = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                while let Some(case) = next(&queue) {
                    let differences = compare(case, &workerd);
                    found.lock().expect("no panic holds it").extend(differences);
                }
            });
        }
    });
    let mut found = found.into_inner().expect("no panic holds it");
    found.sort_by(|a, b| (&a.case, a.number).cmp(&(&b.case, b.number)));
    let known = Known::read(&folder.join("known-differences.toml"));
    let report = report(cases, &found, &known);
    let agreeing = cases
        .iter()
        .filter(|case| found.iter().all(|found| found.case != case.name));
    let summary = format!(
        "{} of {} cases agree in every line; {} lines differ",
        agreeing.count(),
        cases.len(),
        found.len()
    );
    eprintln!("{summary}");
    assert!(report.is_empty(), "{report}\n{summary}");
}

fn next<'a>(queue: &Mutex<Vec<&'a Case>>) -> Option<&'a Case> {
    queue.lock().expect("no panic holds it").pop()
}

fn compare(case: &Case, workerd: &Workerd) -> Vec<Difference> {
    let node = Outboard::serve(&case.config());
    let mut found = Vec::new();
    for (number, request) in case.requests.iter().enumerate() {
        let ours = request.answer(node.address);
        let theirs = request.answer(workerd.address(&case.name));
        found.extend(difference::between(case, number, &ours, &theirs));
    }
    if !found.is_empty() && std::env::var_os("OUTBOARD_PARITY_LOG").is_some() {
        eprintln!("--- {} logged:\n{}", case.name, node.process.log());
    }
    found
}

/// Everything that is not as it should be; empty where all is.
fn report(cases: &[Case], found: &[Difference], known: &Known) -> String {
    let mut text = String::new();
    for case in cases {
        let mut last = None;
        for difference in found.iter().filter(|found| found.case == case.name) {
            if known.covers(difference) {
                continue;
            }
            if last != Some(difference.number) {
                last = Some(difference.number);
                let request = &difference.request;
                let _ = writeln!(text, "\n{} #{} {request}", case.name, difference.number);
            }
            let _ = writeln!(text, "  workerd  {}", difference.theirs());
            let _ = writeln!(text, "  outboard {}", difference.ours());
        }
    }
    for entry in known.entries() {
        for line in entry.stale(found) {
            let _ = writeln!(
                text,
                "\n{}: {line:?} differs no more: remove it from known-differences.toml",
                entry.case
            );
        }
    }
    text
}
