//! Runs the tests that workers export, one after the other.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use futures::FutureExt;
use outboard_runtime::{Entrypoint, EventError, Lane, Worker};

use super::glob;
use crate::output;
use crate::workerd::Services;

/// Which tests to run: `[CONSTANT:]SERVICE[:ENTRYPOINT]`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Filter {
    pub(super) constant: Option<String>,
    service: String,
    entrypoint: String,
}

impl FromStr for Filter {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let parts: Vec<_> = text.split(':').collect();
        let (constant, service, entrypoint) = match parts.as_slice() {
            [service] => (None, *service, "*"),
            [service, entrypoint] => (None, *service, *entrypoint),
            [constant, service, entrypoint] => (Some(*constant), *service, *entrypoint),
            _ => anyhow::bail!("{text:?} has too many colons"),
        };
        Ok(Self {
            constant: constant.map(str::to_string),
            service: service.to_string(),
            entrypoint: entrypoint.to_string(),
        })
    }
}

/// Whether there were tests and all passed. A worker that cannot start is an
/// error, and nothing is run then.
pub(super) async fn run(lane: &Lane, services: &Services, filter: &Filter) -> anyhow::Result<bool> {
    let mut tests = Vec::new();
    for (name, worker) in services.workers() {
        let asked = worker.clone();
        let found = lane
            .run(move |lane| async move { lane.tests(&asked).await }.boxed_local())?
            .await
            .context("the lane ended")?
            .with_context(|| format!("service {name}"))?;
        for test in found {
            let export = test.name.as_deref().unwrap_or("default");
            if glob::matches(&filter.service, name) && glob::matches(&filter.entrypoint, export) {
                tests.push((name, worker.clone(), test));
            }
        }
    }
    if tests.is_empty() {
        eprintln!("{} No tests found!", output::mark("error:", output::RED));
        return Ok(false);
    }
    let mut all = true;
    for (service, worker, of) in tests {
        let name = match &of.name {
            Some(export) => format!("{service}:{export}"),
            None => service.to_string(),
        };
        eprintln!("[ TEST ] {name}");
        let started = Instant::now();
        let result = one(lane, worker, of).await?;
        let took = started.elapsed();
        match result {
            Ok(()) => eprintln!(
                "[ {} ] {name} ({took:?})",
                output::mark("PASS", output::GREEN)
            ),
            Err(error) => {
                all = false;
                // What a script throws was logged as it was thrown.
                if !matches!(error, EventError::Exception(_)) {
                    eprintln!("{} {error}", output::mark("error:", output::RED));
                }
                eprintln!(
                    "[ {} ] {name} ({took:?})",
                    output::mark("FAIL", output::RED)
                );
            }
        }
    }
    Ok(all)
}

async fn one(
    lane: &Lane,
    worker: Arc<Worker>,
    of: Entrypoint,
) -> anyhow::Result<Result<(), EventError>> {
    lane.run(move |lane| async move { lane.test(&worker, &of).await }.boxed_local())?
        .await
        .context("the lane ended")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_has_up_to_three_parts() {
        let check = |text: &str, constant: Option<&str>, service: &str, entrypoint: &str| {
            let expected = Filter {
                constant: constant.map(str::to_string),
                service: service.into(),
                entrypoint: entrypoint.into(),
            };
            assert_eq!(text.parse::<Filter>().expect("a filter"), expected);
        };
        check("a*", None, "a*", "*");
        check("a:b", None, "a", "b");
        check("c:a:b", Some("c"), "a", "b");
        assert!("a:b:c:d".parse::<Filter>().is_err());
    }
}
