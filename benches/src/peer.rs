//! The two runtimes that are measured, behind one way of starting them.

mod miniflare;
mod outboard;
mod workerd;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::server::{Scratch, Server, free_port};

/// Loads a worker for each host name.
const LOADER: &str = include_str!("../scripts/loader.js");

/// The semantics asked for; scripts/loader.js names the same date for the tenants.
const COMPATIBILITY_DATE: &str = "2025-06-01";

/// What a server is to serve.
#[derive(Clone, Copy)]
pub(crate) enum Site {
    /// One worker for every host.
    One { script: &'static str },
    /// The same, with compatibility flags and bindings.
    With {
        script: &'static str,
        flags: &'static [&'static str],
        bindings: Bindings,
    },
    /// `count` workers, each a script of its own (it begins with `const NAME
    /// = "…"`) for the host [`tenant`], none of them started yet.
    Tenants {
        script: &'static str,
        flags: &'static [&'static str],
        count: usize,
    },
    /// The same, of any count, which one worker loads as they are asked for.
    Loaded {
        script: &'static str,
        flags: &'static [&'static str],
    },
    /// One worker with a class of durable objects, kept in the server's folder.
    Objects {
        script: &'static str,
        class: &'static str,
        binding: &'static str,
    },
}

/// What a worker finds in its `env`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bindings {
    None,
    /// `LOADER`, and `OBJECTS`: objects of the class `Counter`.
    Calls,
    /// `KV`, `BUCKET` and `DB`. workerd has no store of its own for them: miniflare starts it with its own, which keep
    /// SQLite databases and files on the disk.
    Data,
}

pub(crate) fn tenant(index: usize) -> String {
    format!("w{index}.test")
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Column {
    Workerd,
    Outboard,
}

/// A runtime's program, found and asked for its version.
pub(crate) struct Peer {
    pub(crate) column: Column,
    pub(crate) program: PathBuf,
    pub(crate) version: String,
    lanes: usize,
}

impl Peer {
    pub(crate) fn find_workerd(given: Option<&Path>) -> Result<Self> {
        let program = workerd::find(given)?;
        Ok(Self {
            column: Column::Workerd,
            version: version_of(&program)?,
            program,
            lanes: 1,
        })
    }

    pub(crate) fn find_outboard(given: Option<&Path>) -> Result<Self> {
        let program = outboard::find(given)?;
        Ok(Self {
            column: Column::Outboard,
            version: version_of(&program)?,
            program,
            lanes: 1,
        })
    }

    /// The same program with another number of lanes.
    pub(crate) fn with_lanes(&self, lanes: usize) -> Self {
        Self {
            column: self.column,
            program: self.program.clone(),
            version: self.version.clone(),
            lanes,
        }
    }

    pub(crate) fn lanes(&self) -> usize {
        self.lanes
    }

    pub(crate) fn has_lanes(&self) -> bool {
        self.column == Column::Outboard
    }

    pub(crate) fn label(&self) -> &'static str {
        match self.column {
            Column::Workerd => "workerd",
            Column::Outboard => "outboard",
        }
    }

    /// A server that has answered `request`.
    pub(crate) fn start(&self, site: Site, request: &[u8], scratch: &Scratch) -> Result<Server> {
        self.start_in(site, request, &scratch.folder()?)
    }

    /// The same with what another server of the site has left in its folder.
    pub(crate) fn start_in(&self, site: Site, request: &[u8], folder: &Path) -> Result<Server> {
        let port = free_port()?;
        let mut command = match (self.column, site) {
            (
                Column::Workerd,
                Site::With {
                    bindings: Bindings::Data,
                    script,
                    ..
                },
            ) => miniflare::command(&self.program, script, folder, port)?,
            _ => Command::new(&self.program),
        };
        command.current_dir(folder);
        match self.column {
            Column::Workerd => workerd::configure(&mut command, site, folder, port)?,
            Column::Outboard => outboard::configure(&mut command, site, folder, port, self.lanes)?,
        }
        Server::start(command, port, request, folder.join("server.log"))
            .map_err(|error| error.context(self.label()))
    }
}

fn version_of(program: &Path) -> Result<String> {
    let output = Command::new(program).arg("--version").output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text
        .lines()
        .next()
        .unwrap_or("unknown version")
        .trim()
        .to_owned())
}
