//! npm's miniflare, which gives workerd the stores behind KV, R2 and D1.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};

use super::COMPATIBILITY_DATE;
use crate::server::write;

/// Serves `script` at `port` until it is told to end, with what it stores in `folder`.
pub(super) fn command(workerd: &Path, script: &str, folder: &Path, port: u16) -> Result<Command> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    ensure!(
        here.join("node_modules/miniflare").is_dir(),
        "miniflare is not installed: run `npm install --prefix benches` in the project"
    );
    write(&folder.join("worker.js"), script)?;
    let mut command = Command::new("node");
    command
        // Node.js finds packages from where the program is.
        .arg(here.join("scripts/miniflare.mjs"))
        .arg(port.to_string())
        .arg(COMPATIBILITY_DATE)
        .env("MINIFLARE_WORKERD_PATH", workerd);
    Ok(command)
}
