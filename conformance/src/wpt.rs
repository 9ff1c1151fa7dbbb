//! The web-platform-tests (<https://web-platform-tests.org>), each in a worker of
//! its own, in Outboard or in the peer.

mod areas;
mod engine;
mod page;
mod results;
mod script;
mod site;
mod substitute;
mod test_file;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use futures::StreamExt;

use engine::{Engine, Job};
use results::{FileResult, Outcome, Report};
use site::Site;
use test_file::{Discovered, TestFile};

/// Workers in one process of the engine: one that dies takes no more with it.
const BATCH: usize = 48;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// A checkout of the web-platform-tests.
    path: PathBuf,
    /// Only tests whose path contains one of these.
    #[arg(value_name = "FILTER")]
    filters: Vec<String>,
    /// What runs them.
    #[arg(long, value_enum, default_value_t = Engine::Outboard)]
    engine: Engine,
    /// The engine's program; otherwise `$OUTBOARD` or the workspace's build, or
    /// `$WORKERD`.
    #[arg(long)]
    program: Option<PathBuf>,
    /// Where to write what became of each subtest.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// A report of the peer, to tell apart what fails there too.
    #[arg(long, value_name = "FILE")]
    peer: Option<PathBuf>,
    /// The page whose section is rewritten.
    #[arg(long, value_name = "FILE")]
    page: Option<PathBuf>,
    /// Print each failed subtest.
    #[arg(long, short)]
    verbose: bool,
    /// Tests under way at a time.
    #[arg(long, default_value_t = 16)]
    concurrency: usize,
    /// Keep the generated workers here.
    #[arg(long, value_name = "FOLDER")]
    keep: Option<PathBuf>,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let report = runtime.block_on(run_all(options))?;
    let peer = match &options.peer {
        Some(file) => Some(Report::read(file)?),
        None => None,
    };
    page::summary(&report, peer.as_ref(), options.verbose);
    if let Some(file) = &options.json {
        report.write(file)?;
    }
    if let Some(file) = &options.page {
        page::rewrite(file, &report, peer.as_ref())?;
    }
    Ok(())
}

async fn run_all(options: &Options) -> Result<Report> {
    if !options.path.join("resources/testharness.js").is_file() {
        bail!(
            "{}: no checkout of the web-platform-tests: it has no resources/testharness.js",
            options.path.display()
        );
    }
    let tests = std::path::absolute(&options.path)?;
    let program = options.engine.find(options.program.as_deref())?;
    let site = Site::start(&tests).await.context("the tests' own server")?;
    let mut files = Vec::new();
    let mut ready = Vec::new();
    for found in test_file::discover(&tests, &options.filters)? {
        match found {
            Discovered::Skipped { path, reason } => files.push(FileResult {
                path,
                outcome: Outcome::Skipped { reason },
            }),
            Discovered::Test(test) => match script::missing(&test) {
                Some(script) => files.push(FileResult {
                    path: test.name(),
                    outcome: Outcome::Skipped {
                        reason: format!("the checkout has no {script}"),
                    },
                }),
                None => ready.push(test),
            },
        }
    }
    let started = Instant::now();
    let total = ready.len();
    let mut done = 0;
    for batch in ready.chunks(BATCH) {
        let outcomes = run_batch(options, &program, &site, batch).await?;
        for (test, outcome) in batch.iter().zip(outcomes) {
            files.push(FileResult {
                path: test.name(),
                outcome,
            });
        }
        done += batch.len();
        eprintln!("{done}/{total} files, {:.0?}", started.elapsed());
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(Report {
        engine: options.engine.version(&program)?,
        files,
    })
}

/// Outcomes in the order of the tests.
async fn run_batch(
    options: &Options,
    program: &std::path::Path,
    site: &Site,
    batch: &[TestFile],
) -> Result<Vec<Outcome>> {
    let scratch = tempfile::tempdir()?;
    let mut jobs = Vec::with_capacity(batch.len());
    for (number, test) in batch.iter().enumerate() {
        let script = script::build(test, site)?;
        let path = scratch.path().join(format!("t{number}.js"));
        std::fs::write(&path, &script)?;
        if let Some(folder) = &options.keep {
            std::fs::create_dir_all(folder)?;
            std::fs::write(folder.join(test.name().replace(['/', '?'], "_")), &script)?;
        }
        jobs.push(Job {
            host: format!("t{number}.test"),
            script: path,
            patience: test.patience(),
        });
    }
    let server = Arc::new(options.engine.start(program, scratch.path(), &jobs).await?);
    let outcomes = futures::stream::iter(jobs)
        .map(|job| {
            let server = server.clone();
            async move { server.run(&job).await }
        })
        .buffered(options.concurrency.max(1))
        .collect()
        .await;
    Ok(outcomes)
}
