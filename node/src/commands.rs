//! What each command does.

mod bundle;
mod check;
mod d1;
mod data;
mod deploy;
mod dev;
mod folder;
mod kv;
mod r2;
mod remote;
mod serve;
mod token;
mod workerd;

use std::path::Path;

use clap::CommandFactory;
use outboard_project::{Bundle, BundleOptions, DevVars, LoadOptions, Loaded, Mode};

use crate::cli::{Cli, Command};
use crate::output;

pub(crate) use self::workerd::{Workerd, WorkerdArgs, run as run_workerd};

pub(crate) fn run(cli: Cli) -> anyhow::Result<()> {
    match cli.command {
        Command::Dev(options) => dev::run(&options),
        Command::Serve(options) => serve::run(&options),
        Command::Bundle(options) => bundle::run(&options),
        Command::Check(options) => check::run(&options),
        Command::Data(command) => data::run(&command),
        Command::Kv(command) => kv::run(&command),
        Command::D1(command) => d1::run(&command),
        Command::R2(command) => r2::run(&command),
        Command::Deploy(options) => deploy::deploy(&options),
        Command::Versions(command) => deploy::versions(&command),
        Command::Rollback(options) => deploy::rollback(&options),
        Command::Delete(args) => deploy::delete(&args),
        Command::Secret(command) => deploy::secret(&command),
        Command::Token(command) => token::run(&command),
        Command::Workerd(command) => workerd::run(&command),
        Command::Completions { shell } => {
            let mut command = Cli::command();
            clap_complete::generate(shell, &mut command, "outboard", &mut std::io::stdout());
            Ok(())
        }
    }
}

/// A runtime for the command itself; requests run on lanes.
pub(crate) fn command_runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
}

/// What fails where nobody is told why goes to the terminal.
fn log_faults() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("OUTBOARD_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("outboard=error"));
    // Once is enough.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(output::colour())
        .try_init();
}

/// Waits until somebody asks the process to stop.
async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let terminate = async {
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => {
                terminate.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminate => {}
    }
}

fn load(dir: &Path, env: Option<&str>, vars: DevVars) -> anyhow::Result<Loaded> {
    let options = LoadOptions {
        environment: env.map(str::to_string),
        dev_vars: vars,
        ..LoadOptions::default()
    };
    let loaded = outboard_project::load(dir, &options);
    warn(match &loaded {
        Ok(loaded) => &loaded.warnings,
        Err(errors) => &errors.warnings,
    });
    Ok(loaded?)
}

async fn bundle_project(loaded: &Loaded, mode: Mode) -> anyhow::Result<Bundle> {
    let options = BundleOptions {
        mode,
        ..BundleOptions::default()
    };
    let bundle = outboard_project::bundle(&loaded.project, &options).await;
    warn(match &bundle {
        Ok(bundle) => &bundle.warnings,
        Err(errors) => &errors.warnings,
    });
    Ok(bundle?)
}

fn warn(warnings: &[impl std::fmt::Display]) {
    for warning in warnings {
        eprintln!("{} {warning}", output::mark("warning:", output::YELLOW));
    }
}
