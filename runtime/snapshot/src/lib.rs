//! The heap image that every isolate starts from. A crate of its own, since its
//! build script runs the runtime that the image is of.
#![forbid(unsafe_code)]

use outboard_runtime::Snapshot;

include!(concat!(env!("OUT_DIR"), "/lazy_scripts.rs"));

/// V8's image of the Workers API, and the scripts left out of it.
pub static SNAPSHOT: Snapshot = Snapshot {
    image: include_bytes!(concat!(env!("OUT_DIR"), "/snapshot.bin")),
    lazy_scripts: LAZY_SCRIPTS,
};
