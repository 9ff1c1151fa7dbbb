//! `outboard`: the command, and where the rooms are wired together.
#![forbid(unsafe_code)]

mod cache;
mod cli;
mod commands;
mod config;
mod host;
mod ingress;
mod inspector;
mod node;
mod output;
mod project_worker;
mod web_socket;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    match commands::run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // What a command says about a project already names its place.
            eprintln!("{} {error:#}", output::mark("error:", output::RED));
            ExitCode::FAILURE
        }
    }
}
