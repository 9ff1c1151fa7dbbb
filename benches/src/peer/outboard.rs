//! Outboard's own program, configured by an outboard.toml.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::{COMPATIBILITY_DATE, LOADER, Site, tenant};
use crate::server::write;

pub(super) fn find(given: Option<&Path>) -> Result<PathBuf> {
    if let Some(program) = given {
        if program.is_file() {
            return Ok(std::path::absolute(program)?);
        }
        bail!("--outboard {}: no such file", program.display());
    }
    if let Some(program) = std::env::var_os("OUTBOARD") {
        return Ok(std::path::absolute(program)?);
    }
    // target/<profile>/outboard-bench; only the release build is worth measuring.
    let own = std::env::current_exe()?;
    let target = own
        .parent()
        .and_then(Path::parent)
        .context("this program is in no target folder")?;
    let program = target.join("release/outboard");
    if program.is_file() {
        return Ok(program);
    }
    bail!(
        "{} is not built: run `cargo build --release -p outboard`, or name the program with --outboard PATH",
        program.display()
    )
}

pub(super) fn configure(
    command: &mut Command,
    site: Site,
    folder: &Path,
    port: u16,
    lanes: usize,
) -> Result<()> {
    let mut config = format!(
        "listen = \"127.0.0.1:{port}\"\nlanes = {lanes}\n\n[access_log]\nenabled = false\n"
    );
    let mut worker = |name: &str, route: &str, script: &str| -> Result<()> {
        let main = folder.join(format!("{name}.js"));
        write(&main, script)?;
        write!(
            config,
            "\n[[worker]]\nname = \"{name}\"\nmain = \"{}\"\nroutes = [\"{route}\"]\n",
            main.display()
        )?;
        Ok(())
    };
    match site {
        Site::One { script } => worker("worker", "*", script)?,
        Site::Flagged { script, flags } => {
            worker("worker", "*", script)?;
            write!(
                config,
                "compatibility_date = {COMPATIBILITY_DATE:?}\ncompatibility_flags = {flags:?}\n"
            )?;
        }
        Site::Loaded { script } => {
            write(&folder.join("index.js"), LOADER)?;
            let project = serde_json::json!({
                "name": "loader",
                "main": "index.js",
                "compatibility_date": COMPATIBILITY_DATE,
                "vars": { "SCRIPT": script },
                "worker_loaders": [{ "binding": "LOADER" }],
            });
            write(&folder.join("wrangler.json"), &project.to_string())?;
            let dir = folder.display();
            write!(
                config,
                "\n[[worker]]\nname = \"loader\"\ndir = \"{dir}\"\nroutes = [\"*\"]\n"
            )?;
        }
        Site::Tenants { script, count } => {
            for index in 0..count {
                let host = tenant(index);
                worker(
                    &format!("w{index}"),
                    &host,
                    &format!("const NAME = \"{host}\";\n{script}"),
                )?;
            }
        }
        Site::Objects {
            script,
            class,
            binding,
        } => {
            write(&folder.join("worker.js"), script)?;
            let project = format!(
                r#"{{
  "name": "worker",
  "main": "worker.js",
  "compatibility_date": "{COMPATIBILITY_DATE}",
  "durable_objects": {{ "bindings": [{{ "name": "{binding}", "class_name": "{class}" }}] }},
  "migrations": [{{ "tag": "v1", "new_sqlite_classes": ["{class}"] }}]
}}
"#
            );
            write(&folder.join("wrangler.jsonc"), &project)?;
            config += "\n[[worker]]\nname = \"worker\"\ndir = \".\"\nroutes = [\"*\"]\n";
        }
    }
    let path = folder.join("outboard.toml");
    write(&path, &config)?;
    command.arg("serve").arg("--config").arg(path);
    Ok(())
}
