//! The command line.

pub(crate) mod d1;

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::commands::Workerd;

/// Runs Workers code: isolates first, on your own machines.
///
/// Start with a folder that has a wrangler configuration:
///
///     outboard dev my-worker          serve it here, reload on change
///     outboard check my-worker        every fault of its config and script
///     outboard serve --config outboard.toml   many workers, in production
///     outboard deploy my-worker       put it on a node that runs
///
/// How fast it is beside workerd: cargo run --release -p outboard-bench, in a
/// checkout.
#[derive(Parser)]
#[command(
    name = "outboard",
    version,
    verbatim_doc_comment,
    arg_required_else_help = true
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Serve a project on this machine and reload it when a file changes
    ///
    /// Reads wrangler.jsonc, wrangler.json or wrangler.toml, bundles TypeScript,
    /// JSX and npm packages (no Node needed), and prints requests, logs and
    /// stack traces in your own files' lines. Values in .dev.vars become secrets
    /// of `env`. Outgoing requests may reach this machine and its network. Chrome
    /// DevTools can attach: open chrome://inspect.
    ///
    /// Examples:
    ///     outboard dev
    ///     outboard dev examples/hono --port 3000
    ///     outboard dev --env staging
    #[command(verbatim_doc_comment)]
    Dev(Dev),
    /// Serve many workers by host name and route, in production
    ///
    /// The config names the workers and their routes; `docs/serve.md` has every
    /// field. SIGHUP reads it again and replaces what changed without dropping a
    /// request; SIGTERM stops accepting, lets open requests end, and exits.
    ///
    /// A config:
    ///     listen = "0.0.0.0:8080"
    ///     [[worker]]
    ///     name = "api"
    ///     dir = "api"
    ///     routes = ["api.example.com/*"]
    #[command(verbatim_doc_comment)]
    Serve(Serve),
    /// Write the modules of a project as `serve` would run them
    ///
    /// A script's `.map` beside it leads back to your own files.
    ///
    /// Examples:
    ///     outboard bundle examples/hono
    ///     outboard bundle --env staging --out build
    #[command(verbatim_doc_comment)]
    Bundle(Bundle),
    /// Report every fault of a project's config and script, with file and line
    ///
    /// Bundles the project and starts it once in an isolate, so that missing
    /// modules, syntax errors and top-level throws are found too. Exits with 1
    /// if there is a fault.
    ///
    /// Examples:
    ///     outboard check
    ///     outboard check examples/hono --env staging
    #[command(verbatim_doc_comment)]
    Check(ProjectArgs),
    /// List, verify, take out and put in what durable objects store
    ///
    /// Works on the folder that `outboard dev` or `outboard serve` keeps objects in,
    /// through them where they run. An object is written CLASS/ID as `ls` prints it,
    /// or CLASS/NAME for `getByName(NAME)`, or its id alone.
    ///
    /// Examples:
    ///     outboard data ls
    ///     outboard data check --data /var/lib/outboard
    ///     outboard data export counter:Counter/visits visits.sqlite
    ///     outboard data export counter:Counter/visits then.sqlite --at 2026-11-29T20:30:00Z
    ///     outboard data import visits.sqlite counter:Counter/visits --force
    #[command(subcommand, verbatim_doc_comment)]
    Data(Data),
    /// List, read, write and delete what a namespace of KV has
    ///
    /// Works on the folder that `outboard dev` or `outboard serve` keeps data in, through
    /// them where they run. A namespace is known by its `id` of `kv_namespaces`;
    /// `outboard data ls` lists those that are there as kv/NAMESPACE.
    ///
    /// Examples:
    ///     outboard kv list SETTINGS --prefix user:
    ///     outboard kv get SETTINGS user:1
    ///     outboard kv put SETTINGS user:1 '{"theme":"dark"}' --ttl 3600
    ///     outboard kv put SETTINGS logo < logo.png
    ///     outboard kv delete SETTINGS user:1
    #[command(subcommand, verbatim_doc_comment)]
    Kv(Kv),
    /// Run SQL and migrations on a project's D1 databases, and write them out
    ///
    /// Works on the folder that `outboard dev` or `outboard serve` keeps data in,
    /// through them where they run. A database is said by its binding, name or id.
    ///
    /// Examples:
    ///     outboard d1 execute DB --command "SELECT * FROM users"
    ///     outboard d1 execute DB --file seed.sql
    ///     outboard d1 migrations create DB "add users"
    ///     outboard d1 migrations apply DB
    ///     outboard d1 export DB --output backup.sql
    #[command(subcommand, verbatim_doc_comment)]
    D1(d1::D1),
    /// List, read, write and delete objects of R2 buckets
    ///
    /// Works on the folder that `outboard dev` or `outboard serve` keeps data in,
    /// through them where they run.
    ///
    /// Examples:
    ///     outboard r2 list
    ///     outboard r2 list files --prefix images/
    ///     outboard r2 put files images/cat.png --file cat.png --content-type image/png
    ///     outboard r2 get files images/cat.png > cat.png
    ///     outboard r2 delete files images/cat.png
    ///     outboard r2 list files --config outboard.toml      a bucket on S3
    #[command(subcommand, verbatim_doc_comment)]
    R2(R2),
    /// Put a project on a running node
    ///
    /// Bundles it here and sends it to the node's control API. The node checks all of
    /// it and starts its script; then new requests go to the new version, and open
    /// ones end where they began. docs/deploy.md has the whole story.
    ///
    /// The token comes from OUTBOARD_TOKEN, the address from --to or OUTBOARD_URL.
    ///
    /// Examples:
    ///     outboard deploy --to https://node.example.com
    ///     outboard deploy api --env production
    #[command(verbatim_doc_comment)]
    Deploy(Deploy),
    /// List the versions of a worker that a node keeps
    #[command(subcommand)]
    Versions(Versions),
    /// Serve a version of before again, with the secrets that it had
    ///
    /// Examples:
    ///     outboard rollback               the version before the one that is served
    ///     outboard rollback 12 --name api
    #[command(verbatim_doc_comment)]
    Rollback(Rollback),
    /// Take a worker from a node, with its versions and secrets
    ///
    /// Open requests end where they began. What it kept stays: objects, databases and
    /// keys are there again for a worker of the same name.
    ///
    /// Examples:
    ///     outboard delete --name api
    #[command(verbatim_doc_comment)]
    Delete(WorkerArgs),
    /// Set, list and remove the secrets of a worker on a node
    ///
    /// A value is read from standard input and shown by nothing afterwards. A secret
    /// that changes makes a new version, which is served at once.
    ///
    /// Examples:
    ///     outboard secret put API_KEY < key.txt
    ///     outboard secret list --name api
    #[command(subcommand, verbatim_doc_comment)]
    Secret(Secret),
    /// Make, list and revoke the tokens that tenants deploy with
    ///
    /// Works on the node's machine, on the data folder that its config names, while
    /// the node runs or not.
    ///
    /// Examples:
    ///     outboard token create --tenant acme --expires 90d
    ///     outboard token revoke 0123456789abcdef
    #[command(subcommand, verbatim_doc_comment)]
    Token(Token),
    /// Serve or test a configuration of workerd
    ///
    /// Takes workerd's Cap'n Proto configuration, binary or text. Called by the
    /// name `workerd`, the program is this command.
    #[command(subcommand)]
    Workerd(Workerd),
    /// Print a completion script for your shell
    ///
    /// For example: outboard completions bash > /etc/bash_completion.d/outboard
    #[command(verbatim_doc_comment)]
    Completions {
        /// The shell to complete for
        shell: clap_complete::Shell,
    },
}

#[derive(Args)]
pub(crate) struct ProjectArgs {
    /// The project's folder
    #[arg(default_value = ".", value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// The environment of the wrangler configuration to use
    #[arg(long, short, value_name = "NAME")]
    pub(crate) env: Option<String>,
}

#[derive(Args)]
pub(crate) struct Dev {
    #[command(flatten)]
    pub(crate) project: ProjectArgs,
    /// The port to listen on; 0 takes any free one [default: dev.port, or 8787]
    #[arg(long, short)]
    pub(crate) port: Option<u16>,
    /// The address to listen on [default: dev.ip, or 127.0.0.1]
    #[arg(long)]
    pub(crate) ip: Option<IpAddr>,
    /// The port of the DevTools inspector; 0 takes any free one [default:
    /// dev.inspector_port, or 9229 unless that is taken]
    #[arg(long, value_name = "PORT", conflicts_with = "no_inspector")]
    pub(crate) inspector_port: Option<u16>,
    /// Offer no DevTools inspector
    #[arg(long)]
    pub(crate) no_inspector: bool,
    /// Where durable objects are kept [default: .outboard in the project's folder]
    #[arg(long, value_name = "FOLDER", conflicts_with = "no_persist")]
    pub(crate) data: Option<PathBuf>,
    /// Forget durable objects at the end
    #[arg(long)]
    pub(crate) no_persist: bool,
    /// Whether objects share an isolate, or each has one, which the inspector then
    /// does not show
    #[arg(long, value_enum, default_value_t)]
    pub(crate) isolation: DevIsolation,
    /// Have an R2 bucket on S3, NAME=s3://BUCKET/PREFIX; keys, region and endpoint are
    /// those of AWS_ACCESS_KEY_ID and its like
    #[arg(long, value_name = "NAME=URL")]
    pub(crate) r2: Vec<String>,
}

/// What `isolation` in `outboard.toml` may be for a worker that is developed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum DevIsolation {
    #[default]
    Shared,
    Object,
}

#[derive(Args)]
pub(crate) struct Serve {
    /// The config file
    #[arg(long, short, value_name = "FILE", default_value = "outboard.toml")]
    pub(crate) config: PathBuf,
}

#[derive(Args)]
pub(crate) struct Bundle {
    #[command(flatten)]
    pub(crate) project: ProjectArgs,
    /// The folder to write to; made if it is not there
    #[arg(long, short, value_name = "DIR", default_value = "dist")]
    pub(crate) out: PathBuf,
}

#[derive(Args)]
pub(crate) struct RemoteArgs {
    /// The address of the node's control API [default: OUTBOARD_URL]
    #[arg(long, value_name = "URL")]
    pub(crate) to: Option<String>,
}

/// A worker on a node: by its name, or by the project that was deployed.
#[derive(Args)]
pub(crate) struct WorkerArgs {
    #[command(flatten)]
    pub(crate) remote: RemoteArgs,
    /// The worker's name [default: that of the project in DIR]
    #[arg(long, value_name = "NAME", conflicts_with_all = ["dir", "env"])]
    pub(crate) name: Option<String>,
    /// The project's folder
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) dir: PathBuf,
    /// The environment of the wrangler configuration to use
    #[arg(long, short, value_name = "NAME")]
    pub(crate) env: Option<String>,
}

#[derive(Args)]
pub(crate) struct Deploy {
    #[command(flatten)]
    pub(crate) project: ProjectArgs,
    #[command(flatten)]
    pub(crate) remote: RemoteArgs,
    /// A route, instead of those of the wrangler configuration; can be given several
    /// times
    #[arg(long, value_name = "PATTERN")]
    pub(crate) route: Vec<String>,
}

#[derive(Subcommand)]
pub(crate) enum Versions {
    /// The newest first; a star marks the one that is served
    List(WorkerArgs),
}

#[derive(Args)]
pub(crate) struct Rollback {
    /// The number of the version [default: the one before the one that is served]
    pub(crate) version: Option<u64>,
    #[command(flatten)]
    pub(crate) worker: WorkerArgs,
}

#[derive(Subcommand)]
pub(crate) enum Secret {
    /// Set a secret to what standard input holds
    Put {
        /// What `env` calls it
        secret: String,
        #[command(flatten)]
        worker: WorkerArgs,
    },
    /// Print the names of the secrets
    List(WorkerArgs),
    /// Remove a secret
    Delete {
        /// What `env` calls it
        secret: String,
        #[command(flatten)]
        worker: WorkerArgs,
    },
}

#[derive(Args)]
pub(crate) struct ConfigArgs {
    /// The node's config file
    #[arg(long, short, value_name = "FILE", default_value = "outboard.toml")]
    pub(crate) config: PathBuf,
}

#[derive(Subcommand)]
pub(crate) enum Token {
    /// Print a new token; it is not shown again
    Create {
        /// The tenant whose workers it deploys
        #[arg(long, value_name = "NAME")]
        tenant: String,
        /// How long it is valid: 90s, 15m, 12h, 30d [default: until it is revoked]
        #[arg(long, value_name = "TIME")]
        expires: Option<String>,
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// List tokens by their ids
    List(ConfigArgs),
    /// Make a token invalid at once
    Revoke {
        /// The token's id, which `list` prints
        id: String,
        #[command(flatten)]
        config: ConfigArgs,
    },
}

#[derive(Subcommand)]
pub(crate) enum Data {
    /// List objects with the size of their databases in bytes
    Ls(StoreArgs),
    /// Verify every database, the commit log and what is kept of the past
    ///
    /// Reads all pages and their checksums, and has SQLite check what they mean.
    /// Names each object that is damaged; exits with 1 if there is one.
    Check(StoreArgs),
    /// Write an object as a file that sqlite3 opens
    Export {
        /// CLASS/ID, CLASS/NAME or an id
        object: String,
        /// The file to write; it must not be there yet
        file: PathBuf,
        /// As it was: a time (2026-11-29T20:30:00Z) or a bookmark
        #[arg(long, value_name = "TIME|BOOKMARK")]
        at: Option<String>,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Make a SQLite file the database of an object
    ///
    /// Damage that was found in the object is forgotten, since all of it is
    /// replaced.
    Import {
        /// A database that sqlite3 opens
        file: PathBuf,
        /// CLASS/ID, CLASS/NAME or an id
        object: String,
        /// Replace what the object has
        #[arg(long)]
        force: bool,
        #[command(flatten)]
        store: StoreArgs,
    },
}

#[derive(Subcommand)]
pub(crate) enum Kv {
    /// List keys, with the bytes of their values and when they expire
    List {
        /// The namespace's id
        namespace: String,
        /// Only keys that begin with it
        #[arg(long, default_value = "")]
        prefix: String,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Write the value of a key to the standard output
    Get {
        /// The namespace's id
        namespace: String,
        /// The key
        key: String,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Give a key a value; a namespace that is not there is made
    Put {
        /// The namespace's id
        namespace: String,
        /// The key
        key: String,
        /// The value [default: what the standard input brings]
        value: Option<String>,
        /// Seconds after which it expires, 60 at least
        #[arg(long, value_name = "SECONDS")]
        ttl: Option<u32>,
        /// JSON that is kept beside the value
        #[arg(long, value_name = "JSON")]
        metadata: Option<String>,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Delete a key
    Delete {
        /// The namespace's id
        namespace: String,
        /// The key
        key: String,
        #[command(flatten)]
        store: StoreArgs,
    },
}

#[derive(Subcommand)]
pub(crate) enum R2 {
    /// List buckets with their objects and bytes, or a bucket's objects
    List {
        bucket: Option<String>,
        /// Only keys that begin so
        #[arg(long, default_value = "", requires = "bucket")]
        prefix: String,
        #[command(flatten)]
        store: BucketArgs,
    },
    /// Write an object to a file, or to the standard output
    Get {
        bucket: String,
        key: String,
        /// The file to write; it must not be there yet
        #[arg(long)]
        file: Option<PathBuf>,
        #[command(flatten)]
        store: BucketArgs,
    },
    /// Make a file, or the standard input, an object
    Put {
        bucket: String,
        key: String,
        #[arg(long)]
        file: Option<PathBuf>,
        /// What browsers are told that it is
        #[arg(long, value_name = "TYPE")]
        content_type: Option<String>,
        #[command(flatten)]
        store: BucketArgs,
    },
    /// Delete objects: all of them or none, unless they are on S3
    Delete {
        bucket: String,
        #[arg(required = true)]
        keys: Vec<String>,
        #[command(flatten)]
        store: BucketArgs,
    },
}

#[derive(Args)]
pub(crate) struct BucketArgs {
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    /// The config of `outboard serve` whose buckets on S3 are meant
    #[arg(long, value_name = "FILE", conflicts_with = "data")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct StoreArgs {
    /// Where data is kept [default: .outboard, or data where that is not there]
    #[arg(long, value_name = "FOLDER")]
    pub(crate) data: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        super::Cli::command().debug_assert();
    }
}
