//! Makes the reader of the binary format from the compiled schema, so that a
//! build needs no `capnp` tool.

use std::fs::File;

fn main() {
    println!("cargo::rerun-if-changed=schema/workerd.request");
    let out = std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR");
    let request = File::open("schema/workerd.request").expect("the schema is in the repository");
    capnpc::codegen::CodeGenerationCommand::new()
        .output_directory(out)
        .run(request)
        .expect("the compiled schema is sound");
}
