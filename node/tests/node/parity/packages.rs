//! Packages of npm in both engines: each script of `tests/packages/parity` is a
//! project, bundled by `outboard serve` for itself and by `outboard bundle` for
//! workerd.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use super::case::{self, COMPATIBILITY_DATE, Case, Project};
use super::check;
use super::loopback::Loopback;

#[test]
fn npm_packages_do_the_same_as_in_workerd() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let packages = tests.join("npm/node_modules");
    if !packages.join("express").is_dir() {
        eprintln!("SKIPPED: packages of node/tests/npm are not here; run scripts/setup");
        return;
    }
    let folder = tests.join("packages/parity");
    let mut cases = case::read_all(&folder);
    let scratch = tempfile::tempdir().expect("a temporary folder");
    let mut servers = Vec::new();
    for case in &mut cases {
        for name in &case.servers {
            let server = Loopback::start(name);
            case.env
                .insert(name.clone(), server.address().to_string().into());
            servers.push(server);
        }
        case.project = Some(bundle(case, &scratch.path().join(&case.name), &packages));
    }
    check(scratch.path(), &cases, &folder);
}

/// The case as a project in `dir`, and as modules.
fn bundle(case: &Case, dir: &Path, packages: &Path) -> Project {
    std::fs::create_dir(dir).expect("a folder");
    std::fs::copy(&case.script, dir.join("index.ts")).expect("a copy");
    std::os::unix::fs::symlink(packages, dir.join("node_modules")).expect("a link");
    let config = json!({
        "name": case.name,
        "main": "index.ts",
        "compatibility_date": COMPATIBILITY_DATE,
        "compatibility_flags": case.flags,
    });
    std::fs::write(dir.join("wrangler.json"), config.to_string()).expect("a file");
    let out = dir.join("dist");
    let output = Command::new(env!("CARGO_BIN_EXE_outboard"))
        .arg("bundle")
        .arg(dir)
        .arg("--out")
        .arg(&out)
        .output()
        .expect("the program runs");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {told}", case.name);
    let listed = String::from_utf8(output.stdout).expect("paths in UTF-8");
    let modules: Vec<PathBuf> = listed
        .lines()
        .filter_map(|line| Some(line.rsplit_once(" (")?.0.into()))
        .collect();
    assert!(!modules.is_empty(), "{}: {listed}", case.name);
    Project {
        dir: dir.into(),
        modules,
    }
}
