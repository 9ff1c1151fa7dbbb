//! `outboard token`: who may deploy to a node, said on the node's own machine.

use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use crate::cli::{ConfigArgs, Token};
use crate::config::{self, NodeConfig};
use crate::control::TokenStore;
use crate::output;

#[derive(Debug, thiserror::Error)]
enum ArgumentError {
    #[error("--tenant: {}: no [[tenant]] is called {name:?}", config.display())]
    NoTenant {
        name: String,
        config: std::path::PathBuf,
    },
    #[error("--expires: {0:?}: write a number and s, m, h or d: \"30d\"")]
    Expires(String),
}

pub(super) fn run(command: &Token) -> anyhow::Result<()> {
    match command {
        Token::Create {
            tenant,
            expires,
            config,
        } => create(tenant, expires.as_deref(), config),
        Token::List(config) => list(config),
        Token::Revoke { id, config } => {
            tokens(&read(config)?).revoke(id)?;
            println!("revoked {id}");
            Ok(())
        }
    }
}

fn create(tenant: &str, expires: Option<&str>, args: &ConfigArgs) -> anyhow::Result<()> {
    let config = read(args)?;
    if !config.tenants.iter().any(|it| it.name == tenant) {
        let (name, config) = (tenant.into(), args.config.clone());
        return Err(ArgumentError::NoTenant { name, config }.into());
    }
    let lasts = expires.map(lasts).transpose()?;
    let (issued, text) = tokens(&config).create(tenant, lasts)?;
    // The token alone, so that a script can take it.
    println!("{text}");
    let told = format!("{} is shown this once; the node keeps a hash", issued.id);
    eprintln!("{}", output::mark(&told, output::DIM));
    Ok(())
}

fn list(args: &ConfigArgs) -> anyhow::Result<()> {
    let config = read(args)?;
    let mut out = io::stdout().lock();
    for token in tokens(&config).list()? {
        let ends = match token.expires {
            None => "does not expire".into(),
            Some(_) if token.is_expired() => "has expired".into(),
            Some(expires) => {
                let hours = expires.saturating_sub(token.created).div_ceil(3_600);
                format!("lasts {hours} h from its creation")
            }
        };
        let known = config.tenants.iter().any(|it| it.name == token.tenant);
        let note = if known { "" } else { "  (no such tenant)" };
        writeln!(out, "{}  {}  {ends}{note}", token.id, token.tenant)?;
    }
    Ok(())
}

fn read(args: &ConfigArgs) -> anyhow::Result<NodeConfig> {
    Ok(config::load(Path::new(&args.config))?)
}

fn tokens(config: &NodeConfig) -> TokenStore {
    TokenStore::of(&config.data)
}

/// `90s`, `15m`, `12h`, `30d`.
fn lasts(text: &str) -> Result<Duration, ArgumentError> {
    let bad = || ArgumentError::Expires(text.into());
    let unit = match text.chars().next_back() {
        Some('s') => 1,
        Some('m') => 60,
        Some('h') => 3_600,
        Some('d') => 86_400,
        _ => return Err(bad()),
    };
    let number: u64 = text[..text.len() - 1].parse().map_err(|_| bad())?;
    let seconds = number.checked_mul(unit).ok_or_else(bad)?;
    Ok(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit() {
        let check = |text: &str, expected: Option<u64>| {
            assert_eq!(lasts(text).ok().map(|it| it.as_secs()), expected, "{text}");
        };
        check("90s", Some(90));
        check("2m", Some(120));
        check("1h", Some(3_600));
        check("30d", Some(2_592_000));
        for bad in [
            "",
            "d",
            "30",
            "-1d",
            "1.5d",
            "1w",
            "30дней",
            "99999999999999999999d",
        ] {
            check(bad, None);
        }
    }
}
