//! Rules of the repository itself, so that nobody has to remember them.

mod licences;
mod pages;

use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder that holds the workspace.
fn root() -> PathBuf {
    let node = Path::new(env!("CARGO_MANIFEST_DIR"));
    node.parent().expect("node/ lies in the workspace").into()
}

/// Paths of all files in the repository that are there.
fn files() -> Vec<String> {
    let output = Command::new("git")
        // A checkout may belong to another user, in a container.
        .args(["-c", "safe.directory=*", "ls-files", "-z"])
        .current_dir(root())
        .output()
        .expect("git runs");
    assert!(output.status.success(), "git ls-files: {output:?}");
    let list = String::from_utf8(output.stdout).expect("paths are UTF-8");
    let there = |path: &&str| !path.is_empty() && root().join(path).is_file();
    list.split('\0').filter(there).map(Into::into).collect()
}

fn read(path: &str) -> String {
    let bytes = std::fs::read(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    String::from_utf8_lossy(&bytes).into_owned()
}

fn is_rust(path: &str) -> bool {
    path.ends_with(".rs")
}

/// V8's binding file is generated, and not ours to shape.
fn is_ours(path: &str) -> bool {
    !path.starts_with("third_party/")
}

fn refuse(faults: &[String], rule: &str) {
    assert!(faults.is_empty(), "{rule}:\n{}", faults.join("\n"));
}

/// Past this many lines a file holds two nouns.
const LONGEST: usize = 600;
#[test]
fn files_have_one_noun() {
    let code = |path: &String| {
        let is_code = is_rust(path) || path.ends_with(".js") || path.ends_with(".ts");
        is_code && is_ours(path) && !path.contains("/tests/")
    };
    let faults: Vec<_> = files()
        .into_iter()
        .filter(code)
        .filter_map(|path| {
            let lines = read(&path).lines().count();
            (lines > LONGEST).then(|| format!("{path}: {lines} lines"))
        })
        .collect();
    refuse(&faults, "find the second noun");
}

#[test]
fn nothing_names_a_machine_or_a_registry() {
    // Split, so that this file may say them.
    const NAMES: &[&str] = &[
        concat!("/wo", "rk/"),
        concat!("/ro", "ot/"),
        concat!("/ho", "me/"),
        concat!("registry.", "npmjs"),
        concat!("index.", "crates.io"),
        concat!("static.", "crates.io"),
        concat!("_auth", "Token"),
        // npm's lock files name where a package came from, unless told not to.
        concat!("\"resolved\"", ": \"http"),
    ];
    // Whole files of others, with comments of their own.
    const OTHERS: &[&str] = &[
        "third_party/v8/src_binding.rs",
        "third_party/libsqlite3-sys/sqlite3/",
    ];
    let text = |path: &String| {
        !path.ends_with(".gz") && !OTHERS.iter().any(|start| path.starts_with(start))
    };
    let mut faults = Vec::new();
    for path in files().into_iter().filter(text) {
        for (number, line) in read(&path).lines().enumerate() {
            for name in NAMES.iter().filter(|name| line.contains(**name)) {
                faults.push(format!("{path}:{}: {name}", number + 1));
            }
        }
    }
    refuse(&faults, "these hold on one machine only");
}

#[test]
fn scripts_of_the_runtime_are_ascii() {
    // V8 keeps one byte a character of them, shared by all isolates.
    let faults: Vec<_> = files()
        .into_iter()
        .filter(|path| path.starts_with("runtime/js/") && !read(path).is_ascii())
        .collect();
    refuse(&faults, "write \\u escapes");
}

/// Where `unsafe` may be, and crates that cannot forbid it as a whole.
const UNSAFE: &[&str] = &[
    "runtime/src/heap.rs",
    // A stream that V8 collects says that it holds nothing of V8's.
    "runtime/src/ops/node/zlib.rs",
    // What the host keeps for a script says that it holds nothing of V8's.
    "runtime/src/ops/parcel.rs",
    "runtime/src/isolate/memory.rs",
    "runtime/src/isolate/resident.rs",
    "runtime/src/rewriter/fiber.rs",
    "runtime/src/sql/rows.rs",
    "runtime/src/sql/meter.rs",
    "runtime/src/sql/statement.rs",
    // A cursor that V8 collects says that it holds nothing of V8's.
    "runtime/src/ops/object_sql.rs",
    "runtime/src/watchdog.rs",
    "storage/src/vfs.rs",
    // System calls of the benchmarks, which are not shipped.
    "benches/src/kernel.rs",
    // Signals to the programs under test.
    "node/tests/node/support.rs",
    // The CPU clock of a lane under test.
    "runtime/tests/runtime/support.rs",
];

#[test]
fn unsafe_is_where_it_is_expected() {
    let uses = |line: &str| {
        let code = line.split("//").next().unwrap_or_default();
        [
            "unsafe {",
            "unsafe fn",
            "unsafe impl",
            "unsafe extern",
            "unsafe trait",
        ]
        .iter()
        .any(|form| code.contains(form))
    };
    let mut faults = Vec::new();
    for path in files() {
        if !is_rust(&path) || !is_ours(&path) || UNSAFE.contains(&path.as_str()) {
            continue;
        }
        // This file says the words.
        if path.ends_with("tidy.rs") {
            continue;
        }
        for (number, line) in read(&path).lines().enumerate() {
            if uses(line) {
                faults.push(format!("{path}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    for lib in [
        "compatibility/src/lib.rs",
        "egress/src/lib.rs",
        "project/src/lib.rs",
        "workerd/src/lib.rs",
        "node/src/main.rs",
        "runtime/snapshot/src/lib.rs",
    ] {
        if !read(lib).contains("#![forbid(unsafe_code)]") {
            faults.push(format!("{lib}: #![forbid(unsafe_code)] is gone"));
        }
    }
    refuse(&faults, "unsafe belongs into a named file");
}

/// Which rooms a room may use (ARCHITECTURE.md, "Rooms").
const ARROWS: &[(&str, &[&str])] = &[
    ("compatibility", &[]),
    ("runtime", &["outboard-compatibility"]),
    ("runtime/snapshot", &["outboard-runtime"]),
    ("egress", &[]),
    ("storage", &[]),
    ("project", &["outboard-compatibility"]),
    ("workerd", &[]),
    (
        "node",
        &[
            "outboard-runtime",
            "outboard-snapshot",
            "outboard-egress",
            "outboard-project",
            "outboard-storage",
            "outboard-workerd",
        ],
    ),
    ("benches", &[]),
    ("conformance", &["outboard-workerd"]),
];

#[test]
fn rooms_know_only_those_they_may() {
    let mut faults = Vec::new();
    let workspace: toml::Table = read("Cargo.toml").parse().expect("Cargo.toml is TOML");
    let members = workspace["workspace"]["members"].as_array();
    for member in members
        .into_iter()
        .flatten()
        .filter_map(toml::Value::as_str)
    {
        let Some((_, allowed)) = ARROWS.iter().find(|(room, _)| *room == member) else {
            faults.push(format!("{member}: a new room has a line in ARROWS"));
            continue;
        };
        let manifest: toml::Table = read(&format!("{member}/Cargo.toml"))
            .parse()
            .expect("a manifest is TOML");
        for kind in ["dependencies", "build-dependencies"] {
            let used = manifest.get(kind).and_then(toml::Value::as_table);
            for name in used.into_iter().flat_map(toml::Table::keys) {
                if name.starts_with("outboard") && !allowed.contains(&name.as_str()) {
                    faults.push(format!("{member} uses {name}"));
                }
            }
        }
    }
    refuse(&faults, "a forbidden arrow");
}
