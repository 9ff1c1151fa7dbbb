//! `outboard deploy`, `versions`, `rollback`, `delete` and `secret`: a tenant's workers on a
//! running node.

use std::io::{self, IsTerminal, Read, Write};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use bytes::Bytes;
use http::Method;
use outboard_project::{DevVars, Mode, Package, Route};
use serde::Deserialize;

use super::remote::{Remote, segment};
use super::{bundle_project, command_runtime, load};
use crate::cli::{Deploy, Rollback, Secret, Versions, WorkerArgs};
use crate::output;

#[derive(Deserialize)]
struct Served {
    worker: String,
    version: Option<u64>,
    #[serde(default)]
    routes: Vec<String>,
}

#[derive(Deserialize)]
struct Kept {
    current: Option<u64>,
    versions: Vec<Line>,
}

#[derive(Deserialize)]
struct Line {
    number: u64,
    created: u64,
    cause: String,
    token: String,
    package: String,
}

#[derive(Deserialize)]
struct Deleted {
    deleted: String,
}

#[derive(Deserialize)]
struct Names {
    secrets: Vec<String>,
}

pub(super) fn deploy(options: &Deploy) -> anyhow::Result<()> {
    let remote = Remote::new(&options.remote)?;
    let project = &options.project;
    let mut loaded = load(&project.dir, project.env.as_deref(), DevVars::Ignore)?;
    command_runtime()?.block_on(async {
        let bundle = bundle_project(&loaded, Mode::Production).await?;
        let project = &mut loaded.project;
        if !options.route.is_empty() {
            let routes = options.route.iter().map(|pattern| Route {
                pattern: pattern.clone(),
                zone: None,
                custom_domain: false,
            });
            project.routes = routes.collect();
        }
        let package = Package::encode(project, &bundle);
        let path = format!("/v1/workers/{}", project.name);
        let served: Served = remote.call(Method::PUT, &path, package.into()).await?;
        tell(&remote, &served);
        Ok(())
    })
}

pub(super) fn versions(command: &Versions) -> anyhow::Result<()> {
    let Versions::List(args) = command;
    let remote = Remote::new(&args.remote)?;
    let path = format!("/v1/workers/{}/versions", name(args)?);
    let kept: Kept = call(&remote, Method::GET, &path, Bytes::new())?;
    let mut out = io::stdout().lock();
    for line in kept.versions.iter().rev() {
        let mark = if kept.current == Some(line.number) {
            "*"
        } else {
            " "
        };
        let package = line.package.get(..12).unwrap_or(&line.package);
        let (number, age, cause) = (line.number, age(line.created), &line.cause);
        writeln!(
            out,
            "{mark} {number:>5}  {age:>8} ago  {package}  token {}  {cause}",
            line.token
        )?;
    }
    Ok(())
}

pub(super) fn rollback(options: &Rollback) -> anyhow::Result<()> {
    let remote = Remote::new(&options.worker.remote)?;
    let path = format!("/v1/workers/{}/rollback", name(&options.worker)?);
    let body = serde_json::json!({ "version": options.version }).to_string();
    let served: Served = call(&remote, Method::POST, &path, body.into())?;
    tell(&remote, &served);
    Ok(())
}

pub(super) fn delete(args: &WorkerArgs) -> anyhow::Result<()> {
    let remote = Remote::new(&args.remote)?;
    let path = format!("/v1/workers/{}", name(args)?);
    let Deleted { deleted } = call(&remote, Method::DELETE, &path, Bytes::new())?;
    println!("{deleted} is deleted on {}", remote.url());
    Ok(())
}

pub(super) fn secret(command: &Secret) -> anyhow::Result<()> {
    let (args, method, secret) = match command {
        Secret::Put { secret, worker } => (worker, Method::PUT, secret),
        Secret::Delete { secret, worker } => (worker, Method::DELETE, secret),
        Secret::List(args) => return list_secrets(args),
    };
    let remote = Remote::new(&args.remote)?;
    let secret = segment("SECRET", secret)?;
    let path = format!("/v1/workers/{}/secrets/{secret}", name(args)?);
    let value = match command {
        Secret::Put { .. } => read_value()?,
        _ => Bytes::new(),
    };
    let served: Served = call(&remote, method, &path, value)?;
    tell(&remote, &served);
    Ok(())
}

fn list_secrets(args: &WorkerArgs) -> anyhow::Result<()> {
    let remote = Remote::new(&args.remote)?;
    let path = format!("/v1/workers/{}/secrets", name(args)?);
    let names: Names = call(&remote, Method::GET, &path, Bytes::new())?;
    let mut out = io::stdout().lock();
    for name in names.secrets {
        writeln!(out, "{name}")?;
    }
    Ok(())
}

/// A secret's value, from standard input: arguments are seen by everyone.
fn read_value() -> anyhow::Result<Bytes> {
    let mut input = io::stdin().lock();
    let mut value = String::new();
    if input.is_terminal() {
        eprintln!("the value, then Ctrl-D:");
    }
    input.read_to_string(&mut value).context("standard input")?;
    // The line break that `echo` and Enter add.
    let value = value.strip_suffix('\n').unwrap_or(&value);
    let value = value.strip_suffix('\r').unwrap_or(value);
    Ok(Bytes::copy_from_slice(value.as_bytes()))
}

/// The worker that somebody means: by name, else the project's.
fn name(args: &WorkerArgs) -> anyhow::Result<String> {
    if let Some(name) = &args.name {
        return Ok(segment("--name", name)?.into());
    }
    let project = load(&args.dir, args.env.as_deref(), DevVars::Ignore);
    let loaded = project.context("--name names a worker without its project")?;
    Ok(loaded.project.name)
}

fn call<T: serde::de::DeserializeOwned>(
    remote: &Remote,
    method: Method,
    path: &str,
    body: Bytes,
) -> anyhow::Result<T> {
    Ok(command_runtime()?.block_on(remote.call(method, path, body))?)
}

fn tell(remote: &Remote, served: &Served) {
    let (worker, url) = (&served.worker, remote.url());
    match served.version {
        Some(version) => {
            let mark = output::mark("serves", output::GREEN);
            println!("{mark} {worker} version {version} on {url}");
        }
        None => println!("{worker} on {url} has it when it is deployed"),
    }
    for route in &served.routes {
        println!("  {route}");
    }
}

/// How long ago something was, in its largest unit.
fn age(created: u64) -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let seconds = since
        .unwrap_or(Duration::ZERO)
        .as_secs()
        .saturating_sub(created);
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds / 60),
        7_200..=172_799 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}
