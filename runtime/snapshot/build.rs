//! Evaluates the runtime's scripts once and writes V8's heap image of them.

use std::fmt::Write;
use std::path::PathBuf;

use deno_core::snapshot::{CreateSnapshotOptions, create_snapshot};

fn main() {
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let output = create_snapshot(
        CreateSnapshotOptions {
            cargo_manifest_dir: env!("CARGO_MANIFEST_DIR"),
            startup_snapshot: None,
            skip_op_registration: false,
            extensions: outboard_runtime::snapshot_extensions(),
            extension_transpiler: None,
            with_runtime_cb: Some(Box::new(|runtime| {
                outboard_runtime::warm_snapshot(runtime);
            })),
        },
        None,
    )
    .expect("the runtime's scripts evaluate");
    println!("cargo:rerun-if-changed=../js");
    println!("cargo:rerun-if-changed=../../third_party/deno_node/scripts");
    println!("cargo:rerun-if-changed=build.rs");
    std::fs::write(out.join("snapshot.bin"), &output.output).expect("OUT_DIR is writable");

    let taken = &output.consumed_lazy_specifiers;
    let mut left = Vec::new();
    for extension in outboard_runtime::snapshot_extensions() {
        for script in extension.lazy_loaded_js_files.iter() {
            if !taken.iter().any(|specifier| specifier == script.specifier) {
                let source = script.load().expect("the script is where it was built");
                left.push((script.specifier, wrapped(source.as_str())));
            }
        }
    }
    // deno_core looks scripts up by binary search.
    left.sort();
    let mut table = String::from("static LAZY_SCRIPTS: &[(&str, &str)] = &[\n");
    for (specifier, source) in left {
        writeln!(table, "({specifier:?}, {source:?}),").expect("writing to a string");
    }
    table.push_str("];\n");
    assert!(
        table.is_ascii(),
        "V8 is given these as one byte a character"
    );
    std::fs::write(out.join("lazy_scripts.rs"), table).expect("OUT_DIR is writable");
}

/// As the body of the function that deno_core makes of a script. It would
/// otherwise write this in each isolate, into a string of V8's heap; a source
/// that is whole stays where it is in the program.
fn wrapped(source: &str) -> String {
    let start = source.find("(function").expect("a script is a function");
    let expression = source[start..].trim_end().trim_end_matches(';');
    format!("\"use strict\"; return ({expression});")
}
