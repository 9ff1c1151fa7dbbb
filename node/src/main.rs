//! `outboard`: the command, and where the rooms are wired together.
#![forbid(unsafe_code)]

mod cache;
mod cli;
mod commands;
mod config;
mod control;
mod duties;
mod errands;
mod folders;
mod host;
mod ingress;
mod inspector;
mod node;
mod objects;
mod output;
mod project_worker;
mod resources;
mod tails;
mod web_socket;
mod workerd;

use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Keeps what was freed at hand: bodies and messages come and go by the megabyte, and
/// fresh pages cost more than what is done with them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    allow_open_files();
    let done = if is_called("workerd") {
        commands::run_workerd(&commands::WorkerdArgs::parse().command)
    } else {
        commands::run(cli::Cli::parse())
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // What a command says about a project already names its place.
            let told = output::causes(&error);
            eprintln!("{} {told}", output::mark("error:", output::RED));
            ExitCode::FAILURE
        }
    }
}

/// Has the process open as many files and sockets as its user may: the usual limit is for
/// programs that know of no more than 1,024.
fn allow_open_files() {
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.unwrap_or(1 << 20);
    if limit.current.is_some_and(|current| current < most) {
        let raised = Rlimit {
            current: Some(most),
            ..limit
        };
        // Without, it has fewer.
        let _ = setrlimit(Resource::Nofile, raised);
    }
}

/// Whether the program was started by this name: tools that drive another
/// program take a path.
fn is_called(name: &str) -> bool {
    std::env::args_os()
        .next()
        .is_some_and(|path| Path::new(&path).file_stem() == Some(name.as_ref()))
}
