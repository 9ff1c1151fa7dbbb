//! The command line of `workerd`, as far as it means something here.

use std::collections::HashMap;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Parser, Subcommand};

use crate::workerd::Overrides;

/// The program as it is when called by the name `workerd`.
#[derive(Parser)]
#[command(name = "workerd", version, arg_required_else_help = true)]
pub(crate) struct WorkerdArgs {
    #[command(subcommand)]
    pub(crate) command: Workerd,
}

#[derive(Subcommand)]
pub(crate) enum Workerd {
    /// Serve the sockets of a configuration
    Serve(Serve),
    /// Run the tests that a configuration's workers export
    ///
    /// A test is an export's method `test(controller, env, ctx)`; it passes if it
    /// does not throw. Exits with 0 if there are tests and all pass.
    Test(Test),
}

#[derive(Args)]
pub(crate) struct Common {
    /// The configuration, in Cap'n Proto's text format
    #[arg(value_name = "CONFIG")]
    pub(crate) config: PathBuf,
    /// The configuration is a binary Cap'n Proto message; `-` reads it from
    /// standard input
    #[arg(long, short)]
    pub(crate) binary: bool,
    /// A folder that imports beginning with `/` are looked for in
    #[arg(long, short = 'I', value_name = "DIR")]
    pub(crate) import_path: Vec<PathBuf>,
    /// The folder of a disk service
    #[arg(long, short, value_name = "NAME=PATH")]
    pub(crate) directory_path: Vec<String>,
    /// The address of an external service
    #[arg(long, short, value_name = "NAME=ADDRESS")]
    pub(crate) external_addr: Vec<String>,
    /// Accepted; experimental flags need no leave here
    #[arg(long)]
    pub(crate) experimental: bool,
}

#[derive(Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    pub(crate) common: Common,
    /// The constant of type Config, where the file has several
    #[arg(value_name = "CONSTANT")]
    pub(crate) constant: Option<String>,
    /// The address of a socket
    #[arg(long, short, value_name = "NAME=ADDRESS")]
    pub(crate) socket_addr: Vec<String>,
    /// Say each socket's port on this file descriptor, as a line of JSON
    #[arg(long, value_name = "FD")]
    pub(crate) control_fd: Option<u32>,
}

#[derive(Args)]
pub(crate) struct Test {
    #[command(flatten)]
    pub(crate) common: Common,
    /// [CONSTANT:]SERVICE[:ENTRYPOINT], each of the latter a glob pattern
    #[arg(value_name = "FILTER")]
    pub(crate) filter: Option<String>,
    /// The compatibility date of all workers, which then may not have their own
    #[arg(long, value_name = "DATE")]
    pub(crate) compat_date: Option<String>,
    /// Accepted; what a worker logs is shown all the same
    #[arg(long)]
    pub(crate) no_verbose: bool,
    /// Scripts may call gc(); nothing else is made predictable
    #[arg(long)]
    pub(crate) predictable: bool,
    /// Accepted; there are no autogates here
    #[arg(long)]
    pub(crate) all_autogates: bool,
}

impl Serve {
    pub(crate) fn addresses(&self) -> anyhow::Result<HashMap<String, String>> {
        pairs("--socket-addr", &self.socket_addr)
    }
}

impl Common {
    pub(crate) fn overrides(&self, date: Option<String>) -> anyhow::Result<Overrides> {
        let directories = pairs("--directory-path", &self.directory_path)?;
        Ok(Overrides {
            directories: directories
                .into_iter()
                .map(|(name, path)| (name, path.into()))
                .collect(),
            externals: pairs("--external-addr", &self.external_addr)?,
            date,
            are_tested: false,
        })
    }
}

fn pairs(option: &str, given: &[String]) -> anyhow::Result<HashMap<String, String>> {
    given
        .iter()
        .map(|pair| {
            let (name, value) = pair
                .split_once('=')
                .with_context(|| format!("{option}: write NAME=VALUE, not {pair:?}"))?;
            Ok((name.to_string(), value.to_string()))
        })
        .collect()
}
