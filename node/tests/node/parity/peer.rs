//! npm workerd, with every case as a service on a port of its own.

use std::collections::HashMap;
use std::fmt::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc;

use serde::Deserialize;

use super::case::{COMPATIBILITY_DATE, Case};
use crate::support::{PATIENCE, Process};

pub(super) struct Workerd {
    ports: HashMap<String, u16>,
    _process: Process,
}

/// A line of workerd's control pipe.
#[derive(Deserialize)]
struct Listening {
    socket: String,
    port: u16,
}

pub(crate) fn program() -> Option<PathBuf> {
    let installed =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/npm/node_modules/.bin/workerd");
    let program = std::env::var_os("WORKERD").map_or(installed, PathBuf::from);
    program.exists().then_some(program)
}

impl Workerd {
    /// None where the program is not installed.
    pub(super) fn start(scratch: &Path, cases: &[Case]) -> Option<Self> {
        let program = program()?;
        let config = scratch.join("parity.capnp");
        std::fs::write(&config, configuration(scratch, cases)).expect("the config is written");
        let mut command = Command::new(program);
        command.arg("serve").arg(&config).arg("--control-fd=1");
        let (sender, receiver) = mpsc::channel();
        let process = Process::start(command, move |line| {
            // A worker's own console goes the same way.
            if let Ok(listening) = serde_json::from_str::<Listening>(line) {
                let _ = sender.send(listening);
            }
        });
        let mut ports = HashMap::new();
        while ports.len() < cases.len() {
            let Ok(Listening { socket, port }) = receiver.recv_timeout(PATIENCE) else {
                panic!("workerd did not start:\n{}", process.log());
            };
            ports.insert(socket, port);
        }
        Some(Self {
            ports,
            _process: process,
        })
    }

    pub(super) fn address(&self, case: &str) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.ports[case]).into()
    }
}

fn configuration(scratch: &Path, cases: &[Case]) -> String {
    let mut services = String::new();
    let mut sockets = String::new();
    for case in cases {
        let name = &case.name;
        let modules = modules(scratch, case);
        let mut bindings = String::new();
        for (key, value) in &case.env {
            let value = match value {
                serde_json::Value::String(text) => format!("text = {text:?}"),
                other => format!("json = {:?}", other.to_string()),
            };
            let _ = write!(bindings, "(name = {key:?}, {value}), ");
        }
        let _ = writeln!(
            services,
            "(name = {name:?}, worker = (modules = [{modules}], compatibilityDate = {COMPATIBILITY_DATE:?}, \
             compatibilityFlags = {:?}, bindings = [{bindings}])),",
            case.flags
        );
        let _ = writeln!(
            sockets,
            "(name = {name:?}, address = \"127.0.0.1:0\", http = (), service = {name:?}),"
        );
    }
    format!(
        "using Workerd = import \"/workerd/workerd.capnp\";\n\
         const config :Workerd.Config = (services = [\n{services}\
         (name = \"internet\", network = (allow = [\"public\", \"private\"]))],\n\
         sockets = [\n{sockets}]);\n"
    )
}

/// A case's modules, beside the configuration: there Cap'n Proto embeds files.
fn modules(scratch: &Path, case: &Case) -> String {
    let name = &case.name;
    let files = match &case.project {
        Some(project) => project.modules.as_slice(),
        None => std::slice::from_ref(&case.script),
    };
    let mut modules = String::new();
    for (number, file) in files.iter().enumerate() {
        let copy = format!("{name}.{number}.js");
        std::fs::copy(file, scratch.join(&copy)).expect("a module is copied");
        let module = file.file_name().unwrap_or_default().to_string_lossy();
        let _ = write!(modules, "(name = {module:?}, esModule = embed {copy:?}), ");
    }
    modules
}
