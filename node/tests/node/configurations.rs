//! Configurations whose tests pass in Outboard and in npm workerd:
//! `node/tests/configurations/*.capnp`, with the scripts they embed.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Mutex;

use crate::parity::program;
use crate::workerd::{results, run, workerd};

const ARGUMENTS: [&str; 2] = ["test", "--experimental"];

/// The service of an empty folder, where a configuration has it.
const SCRATCH: &str = "scratch";

#[test]
fn configurations_pass_as_in_workerd() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/configurations");
    let scratch = tempfile::tempdir().expect("a folder");
    let ours = workerd(scratch.path());
    let peer = program();
    if peer.is_none() {
        eprintln!("SKIPPED: not compared with npm workerd, which is not here");
    }
    let files: BTreeSet<_> = std::fs::read_dir(&folder)
        .expect("the folder of configurations")
        .map(|entry| entry.expect("an entry").file_name())
        .filter_map(|name| name.into_string().ok())
        .filter(|name| name.ends_with(".capnp"))
        .collect();
    assert!(!files.is_empty());
    let faults = Mutex::new(String::new());
    std::thread::scope(|scope| {
        for file in &files {
            let (ours, peer, folder, faults) = (&ours, &peer, &folder, &faults);
            scope.spawn(move || {
                for program in std::iter::once(ours).chain(peer) {
                    let scratch = tempfile::tempdir().expect("a folder");
                    let path = format!("{SCRATCH}={}", scratch.path().display());
                    let mut arguments = [&ARGUMENTS[..], &[file]].concat();
                    let text = std::fs::read_to_string(folder.join(file)).expect("a file");
                    if text.contains(&format!("{SCRATCH:?}")) {
                        arguments.extend(["--directory-path", &path]);
                    }
                    let output = run(program, &arguments, folder);
                    let results = results(&output);
                    let passed = results.iter().all(|result| result.starts_with("PASS"));
                    if results.is_empty() || !passed || !output.status.success() {
                        let shown = String::from_utf8_lossy(&output.stderr);
                        let mut faults = faults.lock().expect("no panic holds it");
                        *faults += &format!("\n{file} in {}:\n{shown}", program.display());
                    }
                }
            });
        }
    });
    let faults = faults.into_inner().expect("no panic holds it");
    assert!(faults.is_empty(), "{faults}");
}
