//! Measures Outboard and npm workerd in the same run on the same scripts, and
//! prints a table. It judges nothing: aims stand beside the figures. `soak`
//! does: it fails unless memory stays flat.

#![deny(unsafe_code)]

mod histogram;
mod http;
#[allow(unsafe_code)]
mod kernel;
mod load;
mod machine;
mod measure;
mod peer;
mod report;
mod server;
mod soak;

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use clap::{Parser, Subcommand};

use crate::machine::{Machine, Neighbours};
use crate::measure::{Bench, Effort, MEASUREMENTS};
use crate::peer::Peer;
use crate::report::Report;
use crate::server::Scratch;
use crate::soak::Soak;

/// Measure Outboard and workerd side by side.
///
/// A full run takes about five minutes. Close what else keeps the machine busy: the peers take turns,
/// so noise meets both, but it still widens every range.
#[derive(Parser)]
#[command(
    name = "outboard-bench",
    version,
    args_conflicts_with_subcommands = true
)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,

    /// Measure only these: hello, json, stream, upload, cpu, latency, isolates, memory, loader, nodejs, start, micro, calls, objects, data
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = MEASUREMENTS.iter().map(|(name, _)| *name).collect::<Vec<_>>())]
    only: Vec<String>,

    /// Shorter rounds and fewer isolates, for a first look: under 90 seconds
    #[arg(long)]
    quick: bool,

    /// The outboard program [default: $OUTBOARD, then target/release/outboard]
    #[arg(long, value_name = "PATH")]
    outboard: Option<PathBuf>,

    /// The workerd program [default: $WORKERD, then node_modules and benches/node_modules]
    #[arg(long, value_name = "PATH")]
    workerd: Option<PathBuf>,

    /// Also write every round's figures to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    Soak(Soak),
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if let Some(Command::Soak(soak)) = &arguments.command {
        return soak::run(soak);
    }
    let effort = if arguments.quick {
        Effort::Quick
    } else {
        Effort::Full
    };
    let machine = Machine::here();

    let mut notes = Vec::new();
    let mut peers = Vec::new();
    for found in [
        Peer::find_workerd(arguments.workerd.as_deref()),
        Peer::find_outboard(arguments.outboard.as_deref()),
    ] {
        match found {
            Ok(peer) => {
                eprintln!(
                    "{}: {} ({})",
                    peer.label(),
                    peer.version,
                    peer.program.display()
                );
                peers.push(peer);
            }
            Err(error) => {
                eprintln!("{error:#}");
                notes.push(format!("not measured: {error:#}"));
            }
        }
    }
    if peers.is_empty() {
        bail!("neither program was found");
    }

    let programs = peers
        .iter()
        .map(|peer| (peer.label(), peer.version.clone()))
        .collect();
    let bench = Bench {
        peers,
        effort,
        cores: machine.cores,
        scratch: Scratch::new()?,
        notes: notes.into(),
    };
    if kernel::go_first().is_err() {
        bench.note(
            "not allowed to raise priority: other processes' work shows in latencies".to_owned(),
        );
    }
    let neighbours = Neighbours::watch()?;
    let started = Instant::now();
    let mut rows = Vec::new();
    for (name, measure) in MEASUREMENTS {
        if !arguments.only.is_empty() && !arguments.only.iter().any(|only| only == name) {
            continue;
        }
        eprintln!("[{:4.0} s] {name}", started.elapsed().as_secs_f64());
        match measure(&bench) {
            Ok(measured) => rows.extend(measured),
            Err(error) => bench.note(format!("{name}: not measured: {error:#}")),
        }
    }
    bench.note(format!(
        "the run took {:.0} s; meanwhile other processes kept {:.2} of {} cores busy",
        started.elapsed().as_secs_f64(),
        neighbours.busy_cores()?,
        machine.cores
    ));

    let effort = effort.pick("full run", "quick run");
    let report = Report {
        machine,
        programs,
        effort,
        rows,
        notes: bench.notes.into_inner(),
    };
    println!("\n{}", report.markdown());
    if let Some(path) = arguments.json {
        let text = format!("{:#}\n", report.json());
        std::fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}
