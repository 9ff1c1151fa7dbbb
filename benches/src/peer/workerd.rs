//! npm's workerd: found in node_modules, configured by a Cap'n Proto text.

use std::fs::{File, create_dir_all};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use super::{Bindings, COMPATIBILITY_DATE, LOADER, Site};
use crate::server::write;

/// The program itself. npm's `bin/workerd` is a JavaScript launcher where
/// install scripts are off; measuring that would measure Node.js.
pub(super) fn find(given: Option<&Path>) -> Result<PathBuf> {
    if let Some(program) = given {
        if is_native(program) {
            return Ok(program.to_owned());
        }
        bail!("--workerd {}: not a native program", program.display());
    }
    let mut places = Vec::new();
    if let Some(program) = std::env::var_os("WORKERD") {
        places.push(PathBuf::from(program));
    }
    for folder in [
        "node_modules",
        "benches/node_modules",
        concat!(env!("CARGO_MANIFEST_DIR"), "/node_modules"),
    ] {
        places.push(
            Path::new(folder)
                .join("@cloudflare")
                .join(package())
                .join("bin/workerd"),
        );
        places.push(Path::new(folder).join("workerd/bin/workerd"));
    }
    for place in places {
        if is_native(&place) {
            return Ok(std::path::absolute(place)?);
        }
    }
    bail!(
        "workerd is not installed: run `npm install --prefix benches` in the project, \
         or name the program with --workerd PATH or $WORKERD"
    )
}

fn package() -> &'static str {
    if cfg!(target_arch = "aarch64") {
        "workerd-linux-arm64"
    } else {
        "workerd-linux-64"
    }
}

fn is_native(program: &Path) -> bool {
    let mut magic = [0; 4];
    File::open(program)
        .and_then(|mut file| file.read_exact(&mut magic))
        .is_ok()
        && &magic == b"\x7fELF"
}

pub(super) fn configure(command: &mut Command, site: Site, folder: &Path, port: u16) -> Result<()> {
    let mut services = "(name = \"main\", worker = .main)".to_owned();
    let disk = folder.join("disk");
    let mut keep_objects = |class: &str, binding: &str| -> Result<String> {
        create_dir_all(&disk)?;
        services += &format!(", (name = \"disk\", disk = (path = {disk:?}, writable = true))");
        Ok(format!(
            r#"durableObjectNamespaces = [(className = "{class}", uniqueKey = "{class}", enableSql = true)],
  durableObjectStorage = (localDisk = "disk"),
  bindings = [
    (name = "{binding}", durableObjectNamespace = "{class}"),
    (name = "LOADER", workerLoader = (id = "workers")),
  ],"#
        ))
    };
    let extra = match site {
        Site::One { script } => {
            write(&folder.join("worker.js"), script)?;
            String::new()
        }
        // miniflare's own configuration.
        Site::With {
            bindings: Bindings::Data,
            ..
        } => return Ok(()),
        Site::With {
            script,
            flags,
            bindings,
        } => {
            write(&folder.join("worker.js"), script)?;
            if bindings == Bindings::Calls {
                let flags = [flags, &["experimental"]].concat();
                let objects = keep_objects("Counter", "OBJECTS")?;
                format!("compatibilityFlags = {flags:?}, {objects}")
            } else {
                format!("compatibilityFlags = {flags:?},")
            }
        }
        Site::Tenants { script, flags, .. } | Site::Loaded { script, flags } => {
            write(&folder.join("worker.js"), LOADER)?;
            write(&folder.join("tenant.js"), script)?;
            let flags = serde_json::to_string(flags)?;
            format!(
                r#"compatibilityFlags = ["experimental"], bindings = [
    (name = "LOADER", workerLoader = (id = "tenants")),
    (name = "SCRIPT", text = embed "tenant.js"),
    (name = "FLAGS", json = {flags:?}),
  ],"#
            )
        }
        Site::Objects {
            script,
            class,
            binding,
        } => {
            write(&folder.join("worker.js"), script)?;
            format!(
                r#"compatibilityFlags = ["experimental"], {}"#,
                keep_objects(class, binding)?
            )
        }
    };
    let config = format!(
        r#"using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [{services}],
  sockets = [(name = "http", address = "127.0.0.1:{port}", http = (), service = "main")],
);
const main :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js")],
  compatibilityDate = "{COMPATIBILITY_DATE}",
  {extra}
);
"#
    );
    write(&folder.join("config.capnp"), &config)?;
    command.args(["serve", "config.capnp", "--experimental"]);
    Ok(())
}
