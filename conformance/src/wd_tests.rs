//! workerd's own tests: each a configuration whose workers export tests, run by
//! `outboard workerd test`.

mod build_file;
mod page;
mod process;
mod results;
mod test_file;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use futures::StreamExt;

use self::results::{Outcome, Report};
use self::test_file::TestFile;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// A checkout of workerd.
    path: PathBuf,
    /// Only files whose path contains this; may be repeated.
    #[arg(long, value_name = "TEXT")]
    filter: Vec<String>,
    /// The program; otherwise `$OUTBOARD`, or the one beside this program.
    #[arg(long)]
    program: Option<PathBuf>,
    /// Files under way at a time.
    #[arg(long, default_value_t = 2)]
    jobs: usize,
    /// Seconds a file may take.
    #[arg(long, default_value_t = 60)]
    timeout: u64,
    /// Where to write what became of each test, as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// The page whose section on workerd's tests is rewritten.
    #[arg(long, value_name = "FILE")]
    page: Option<PathBuf>,
    /// Print why each file fails.
    #[arg(long, short)]
    verbose: bool,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let report = runtime.block_on(run_all(options))?;
    page::summary(&report, options.verbose);
    if let Some(file) = &options.json {
        report.write(file)?;
    }
    if let Some(file) = &options.page {
        page::rewrite(file, &report)?;
    }
    Ok(())
}

async fn run_all(options: &Options) -> Result<Report> {
    let source = std::path::absolute(options.path.join("src"))?;
    ensure!(
        source.join("workerd/server").is_dir(),
        "{}: no checkout of workerd: it has no src/workerd/server",
        options.path.display()
    );
    let program = program(options.program.as_deref())?;
    let tests = test_file::discover(&source, &options.filter)?;
    let total = tests.len();
    let started = Instant::now();
    let timeout = Duration::from_secs(options.timeout);
    let mut files = Vec::with_capacity(total);
    let mut results = futures::stream::iter(tests)
        .map(|test: TestFile| {
            let program = &program;
            async move {
                let outcome = match &test.skip {
                    Some(reason) => Outcome::Skipped {
                        reason: reason.clone(),
                    },
                    None => process::run(program, &test, timeout).await,
                };
                test.result(outcome)
            }
        })
        .buffer_unordered(options.jobs.max(1));
    while let Some(result) = results.next().await {
        files.push(result);
        if files.len() % 50 == 0 {
            eprintln!("{}/{total} files, {:.0?}", files.len(), started.elapsed());
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(Report { files })
}

fn program(given: Option<&Path>) -> Result<PathBuf> {
    let beside = || Some(std::env::current_exe().ok()?.with_file_name("outboard"));
    let program = given
        .map(Path::to_path_buf)
        .or_else(|| std::env::var_os("OUTBOARD").map(PathBuf::from))
        .or_else(beside)
        .context("say which program to run by --program")?;
    ensure!(
        program.is_file(),
        "{}: no such program; build it by `cargo build -p outboard`, or give --program",
        program.display()
    );
    Ok(std::path::absolute(program)?)
}
