//! Compiles SQLite, with the options that libsqlite3-sys has for its own copy, and memory
//! for thousands of small databases that are open at once.

use std::path::Path;
use std::{env, fs, io};

const OPTIONS: [&str; 22] = [
    "SQLITE_CORE",
    "SQLITE_DEFAULT_FOREIGN_KEYS=1",
    // Of each connection: 19 KB for what is small and short-lived, where it is 48, and no
    // pages before there is something to read, where it is 88 KB.
    "SQLITE_DEFAULT_LOOKASIDE=1200,16",
    "SQLITE_DEFAULT_PCACHE_INITSZ=0",
    // Nobody asks how much memory it has; counting takes a lock of all threads.
    "SQLITE_DEFAULT_MEMSTATUS=0",
    "SQLITE_ENABLE_API_ARMOR",
    "SQLITE_ENABLE_COLUMN_METADATA",
    "SQLITE_ENABLE_DBSTAT_VTAB",
    "SQLITE_ENABLE_FTS3",
    "SQLITE_ENABLE_FTS3_PARENTHESIS",
    "SQLITE_ENABLE_FTS5",
    "SQLITE_ENABLE_JSON1",
    "SQLITE_ENABLE_LOAD_EXTENSION=1",
    "SQLITE_ENABLE_MATH_FUNCTIONS",
    "SQLITE_ENABLE_RTREE",
    "SQLITE_SOUNDEX",
    "SQLITE_THREADSAFE=1",
    "SQLITE_USE_URI",
    "HAVE_USLEEP=1",
    "HAVE_ISNAN",
    "HAVE_LOCALTIME_R",
    "_POSIX_THREAD_SAFE_FUNCTIONS",
];

const SOURCE: &str = "sqlite3/sqlite3.c";
const BINDINGS: &str = "sqlite3/bindgen_bundled_version.rs";

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed={SOURCE}");
    println!("cargo:rerun-if-changed={BINDINGS}");
    let out = env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?;
    fs::copy(BINDINGS, Path::new(&out).join("bindgen.rs"))?;
    let mut build = cc::Build::new();
    build.file(SOURCE).warnings(false);
    for option in OPTIONS {
        build.flag(format!("-D{option}"));
    }
    build.compile("sqlite3");
    Ok(())
}
