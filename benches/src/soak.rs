//! Does a node's memory stay flat under mixed load? Outboard alone; MB of
//! resident memory a minute. Unlike the measurements this one judges: it fails
//! where memory grows or an answer is wrong.

mod kinds;
mod trend;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::http;
use crate::peer::Peer;
use crate::server::{Scratch, Server, free_port, write};

use self::kinds::{Kind, kinds};
use self::trend::Trend;

/// Soak Outboard in mixed load, and fail unless its memory stays flat.
#[derive(Args)]
pub(crate) struct Soak {
    /// How long; the first quarter is for warming up and does not count
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1_440))]
    minutes: u32,

    /// The outboard program [default: $OUTBOARD, then target/release/outboard]
    #[arg(long, value_name = "PATH")]
    outboard: Option<PathBuf>,
}

/// Between two looks at the server's memory.
const SAMPLE: Duration = Duration::from_secs(1);
/// Between two versions of the hello worker.
const DEPLOY: Duration = Duration::from_secs(5);
/// Rows of the table.
const ROWS: usize = 10;

/// One look at the server.
struct Sample {
    at: Duration,
    answered: u64,
    rss: u64,
    files: usize,
}

pub(crate) fn run(soak: &Soak) -> Result<()> {
    let peer = Peer::find_outboard(soak.outboard.as_deref())?;
    eprintln!("{} ({})", peer.version, peer.program.display());
    let scratch = Scratch::new()?;
    let site = Site::new(&scratch)?;
    let mut command = Command::new(&peer.program);
    command.arg("serve").arg("--config").arg(&site.config);
    let log = site.folder.join("server.log");
    let server = Server::start(command, site.port, &http::get("hello.test"), log)?;

    let length = Duration::from_secs(60 * u64::from(soak.minutes));
    let kinds = kinds();
    let stop = AtomicBool::new(false);
    let samples = std::thread::scope(|scope| {
        for kind in &kinds {
            for _ in 0..kind.connections {
                scope.spawn(|| kind.drive(server.address(), &stop));
            }
        }
        let samples = watch(&server, &site, &kinds, length);
        stop.store(true, Ordering::Relaxed);
        samples
    })?;

    println!("{}", table(&samples));
    println!("{}", answers(&kinds));
    let mut faults: Vec<_> = kinds.iter().filter_map(Kind::verdict).collect();
    // Warming up is not growth.
    let warm: Vec<_> = samples
        .iter()
        .filter(|sample| sample.at >= length / 4)
        .collect();
    let rss = Trend::of(warm.iter().map(|sample| (sample.at, sample.rss as f64)));
    let files = Trend::of(warm.iter().map(|sample| (sample.at, sample.files as f64)));
    println!(
        "memory: {:.1} MB in the mean, {:+.2} MB a minute; {:.0} open files, {:+.2} a minute",
        rss.mean / 1e6,
        rss.slope * 60.0 / 1e6,
        files.mean,
        files.slope * 60.0
    );
    // What a heap's ups and downs may add to the line by chance.
    let tolerance = (0.1 * rss.mean).max(8e6);
    if rss.growth() > tolerance {
        faults.push(format!(
            "memory is not flat: it grew by {:.1} MB in {:.0} s",
            rss.growth() / 1e6,
            rss.length
        ));
    }
    if files.growth() > 32.0 {
        faults.push(format!("open files grew by {:.0}", files.growth()));
    }
    if faults.is_empty() {
        println!("flat");
        return Ok(());
    }
    bail!("{}", faults.join("\n"))
}

/// Looks at the server until the time is over, and deploys new versions.
fn watch(server: &Server, site: &Site, kinds: &[Kind], length: Duration) -> Result<Vec<Sample>> {
    let started = Instant::now();
    let mut samples = Vec::new();
    let mut deployed = started;
    let mut version = 0;
    while started.elapsed() < length {
        std::thread::sleep(SAMPLE);
        if deployed.elapsed() >= DEPLOY {
            deployed = Instant::now();
            version += 1;
            site.deploy(version)?;
            server.reload();
        }
        let answered = kinds.iter().map(Kind::answered).sum();
        let sample = Sample {
            at: started.elapsed(),
            answered,
            rss: server.memory()?.rss,
            files: server.open_files()?,
        };
        eprint!(
            "\r[{:4.0} s] {answered} requests, {:.1} MB ",
            sample.at.as_secs_f64(),
            sample.rss as f64 / 1e6
        );
        samples.push(sample);
    }
    eprintln!();
    Ok(samples)
}

fn table(samples: &[Sample]) -> String {
    let mut text = String::from("|     s | requests | RSS, MB (mean) | files |\n");
    text.push_str("|------:|---------:|---------------:|------:|\n");
    let mut before = 0;
    for rows in samples.chunks(samples.len().div_ceil(ROWS).max(1)) {
        let Some(last) = rows.last() else { continue };
        let rss: u64 = rows.iter().map(|sample| sample.rss).sum();
        let _ = writeln!(
            text,
            "| {:5.0} | {:8} | {:14.1} | {:5} |",
            last.at.as_secs_f64(),
            last.answered - before,
            rss as f64 / rows.len() as f64 / 1e6,
            last.files
        );
        before = last.answered;
    }
    text
}

fn answers(kinds: &[Kind]) -> String {
    let mut text = String::from("| load    | answered | wrong |\n|---------|---------:|------:|\n");
    for kind in kinds {
        let _ = writeln!(
            text,
            "| {:7} | {:8} | {:5} |",
            kind.name,
            kind.answered(),
            kind.wrong()
        );
    }
    text
}

/// The config and scripts that are served.
struct Site {
    folder: PathBuf,
    config: PathBuf,
    port: u16,
}

impl Site {
    fn new(scratch: &Scratch) -> Result<Self> {
        let folder = scratch.folder()?;
        let port = free_port()?;
        let mut config =
            format!("listen = \"127.0.0.1:{port}\"\n\n[access_log]\nenabled = false\n");
        for (name, script, limits) in [
            ("hello", "hello.js", ""),
            ("json", "json.js", ""),
            ("stream", "stream.js", ""),
            ("echo", "echo.js", ""),
            ("reads", "misbehave.js", ""),
            ("throws", "misbehave.js", ""),
            ("loops", "misbehave.js", "cpu_ms = 20"),
            ("hoards", "misbehave.js", "heap_mb = 16"),
            ("grows", "misbehave.js", "buffers_mb = 16"),
        ] {
            let main = folder.join(script);
            writeln!(
                config,
                "\n[[worker]]\nname = {name:?}\nmain = {:?}\nroutes = [\"{name}.test\"]\nlimits = {{ {limits} }}",
                main.display().to_string()
            )?;
        }
        let site = Self {
            config: folder.join("outboard.toml"),
            folder,
            port,
        };
        for (name, script) in [
            ("json.js", include_str!("../scripts/json_echo.js")),
            ("stream.js", include_str!("../scripts/stream_out.js")),
            ("echo.js", include_str!("../scripts/pass_through.js")),
            ("misbehave.js", include_str!("../scripts/misbehave.js")),
        ] {
            write(&site.folder.join(name), script)?;
        }
        site.deploy(0)?;
        write(&site.config, &config)?;
        Ok(site)
    }

    /// The hello worker's next version, which does the same.
    fn deploy(&self, version: u32) -> Result<()> {
        let script = include_str!("../scripts/hello.js");
        let text = format!("const VERSION = {version};\n{script}");
        replace(&self.folder.join("hello.js"), &text)
    }
}

/// The server may read at any time: it sees the old file or the new one.
fn replace(path: &Path, text: &str) -> Result<()> {
    let next = path.with_extension("next");
    write(&next, text)?;
    std::fs::rename(&next, path).with_context(|| format!("renaming {}", next.display()))
}
