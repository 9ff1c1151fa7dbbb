//! Outboard's own program, configured by an outboard.toml.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::{Bindings, COMPATIBILITY_DATE, LOADER, Site, tenant};
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
    let mut worker = |name: &str, route: &str, script: &str, flags: &[&str]| -> Result<()> {
        let main = folder.join(format!("{name}.js"));
        write(&main, script)?;
        write!(
            config,
            "\n[[worker]]\nname = \"{name}\"\nmain = \"{}\"\nroutes = [\"{route}\"]\n\
             compatibility_date = {COMPATIBILITY_DATE:?}\ncompatibility_flags = {flags:?}\n",
            main.display()
        )?;
        Ok(())
    };
    match site {
        Site::One { script } => worker("worker", "*", script, &[])?,
        Site::With {
            script,
            flags,
            bindings,
        } => {
            let mut project = json!({
                "name": "worker",
                "main": "index.js",
                "compatibility_date": COMPATIBILITY_DATE,
                "compatibility_flags": flags,
            });
            let more = match bindings {
                Bindings::None => json!({}),
                Bindings::Calls => json!({
                    "worker_loaders": [{ "binding": "LOADER" }],
                    "durable_objects": { "bindings": [{ "name": "OBJECTS", "class_name": "Counter" }] },
                    "migrations": [{ "tag": "v1", "new_sqlite_classes": ["Counter"] }],
                }),
                Bindings::Data => json!({
                    "kv_namespaces": [{ "binding": "KV", "id": "kv" }],
                    "r2_buckets": [{ "binding": "BUCKET", "bucket_name": "bucket" }],
                    "d1_databases": [{ "binding": "DB", "database_name": "db", "database_id": "db" }],
                }),
            };
            if let (Value::Object(project), Value::Object(more)) = (&mut project, more) {
                project.extend(more);
            }
            write(&folder.join("index.js"), script)?;
            serve_project(&mut config, folder, &project)?;
        }
        Site::Loaded { script, flags } => {
            write(&folder.join("index.js"), LOADER)?;
            let project = json!({
                "name": "loader",
                "main": "index.js",
                "compatibility_date": COMPATIBILITY_DATE,
                "vars": { "SCRIPT": script, "FLAGS": flags },
                "worker_loaders": [{ "binding": "LOADER" }],
            });
            serve_project(&mut config, folder, &project)?;
        }
        Site::Tenants {
            script,
            flags,
            count,
        } => {
            for index in 0..count {
                let host = tenant(index);
                worker(
                    &format!("w{index}"),
                    &host,
                    &format!("const NAME = \"{host}\";\n{script}"),
                    flags,
                )?;
            }
        }
        Site::Objects {
            script,
            class,
            binding,
        } => {
            write(&folder.join("index.js"), script)?;
            let project = json!({
                "name": "worker",
                "main": "index.js",
                "compatibility_date": COMPATIBILITY_DATE,
                "durable_objects": { "bindings": [{ "name": binding, "class_name": class }] },
                "migrations": [{ "tag": "v1", "new_sqlite_classes": [class] }],
            });
            serve_project(&mut config, folder, &project)?;
        }
    }
    let path = folder.join("outboard.toml");
    write(&path, &config)?;
    command.arg("serve").arg("--config").arg(path);
    Ok(())
}

/// A worker of its own project, which is in `folder`.
fn serve_project(config: &mut String, folder: &Path, project: &Value) -> Result<()> {
    write(&folder.join("wrangler.json"), &project.to_string())?;
    *config += "\n[[worker]]\nname = \"worker\"\ndir = \".\"\nroutes = [\"*\"]\n";
    Ok(())
}
