//! Runs bodies of tests that nobody here wrote, and writes down what became of
//! each. The tests lie at a path that is given; none is in this repository.
#![forbid(unsafe_code)]

mod wd_tests;
mod wpt;

use clap::Parser;

/// Other people's tests, run in Outboard.
#[derive(Parser)]
#[command(name = "outboard-conformance")]
enum Command {
    /// The tests of workerd's own repository.
    WdTests(wd_tests::Options),
    /// The web-platform-tests that a worker can run.
    Wpt(wpt::Options),
}

fn main() -> anyhow::Result<()> {
    match Command::parse() {
        Command::WdTests(options) => wd_tests::run(&options),
        Command::Wpt(options) => wpt::run(&options),
    }
}
