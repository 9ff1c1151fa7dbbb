//! `outboard kv`: what a namespace has, for people.

use std::io::{self, Read, Write};

use anyhow::Context;
use http_body_util::BodyExt;
use outboard_runtime::full_body;

use super::command_runtime;
use super::data::Opened;
use crate::cli::{Kv, StoreArgs};
use crate::objects::{key_of, open_named};
use crate::resources::kv::{KIND, MOST_LISTED, Namespace, Refusal, check_key, check_put, now};

#[derive(Debug, thiserror::Error)]
enum KvError {
    #[error("NAMESPACE: {0:?}: there is no such namespace; `outboard data ls` lists what is there")]
    NoNamespace(String),
    #[error("KEY: {0:?}: there is no such key; `outboard kv list` lists what is there")]
    NoKey(String),
    #[error("{field}: {}", refusal.message)]
    Refused {
        field: &'static str,
        refusal: Refusal,
    },
}

impl KvError {
    fn of(field: &'static str) -> impl FnOnce(Refusal) -> Self {
        move |refusal| Self::Refused { field, refusal }
    }
}

pub(super) fn run(command: &Kv) -> anyhow::Result<()> {
    command_runtime()?.block_on(async {
        match command {
            Kv::List {
                namespace,
                prefix,
                store,
            } => list(&find(store, namespace).await?, prefix).await,
            Kv::Get {
                namespace,
                key,
                store,
            } => get(store, namespace, key).await,
            Kv::Put {
                namespace,
                key,
                value,
                ttl,
                metadata,
                store,
            } => {
                let metadata = metadata.as_deref();
                put(store, namespace, key, value.as_deref(), *ttl, metadata).await
            }
            Kv::Delete {
                namespace,
                key,
                store,
            } => delete(store, namespace, key).await,
        }
    })
}

/// A namespace, with the store that it is of.
struct Found {
    namespace: Namespace,
    _opened: Opened,
}

async fn find(store: &StoreArgs, id: &str) -> anyhow::Result<Found> {
    let opened = Opened::open(store)?;
    if !opened.exists(key_of(KIND, id))? {
        return Err(KvError::NoNamespace(id.into()).into());
    }
    open(opened, id).await
}

async fn open(opened: Opened, id: &str) -> anyhow::Result<Found> {
    let object = open_named(&opened.store, opened.catalogue.as_ref(), KIND, id)?;
    Ok(Found {
        namespace: Namespace::of(object).await?,
        _opened: opened,
    })
}

async fn list(found: &Found, prefix: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    let mut after = None;
    loop {
        let listed = found
            .namespace
            .list(prefix.into(), after, MOST_LISTED)
            .await?;
        let (keys, more) = listed;
        for key in &keys {
            write!(out, "{:>12}  {}", key.length, key.name)?;
            match key.expires {
                Some(expires) => writeln!(out, "  (expires in {} s)", expires - now())?,
                None => writeln!(out)?,
            }
        }
        after = keys.last().map(|last| last.name.clone());
        if !more {
            return Ok(());
        }
    }
}

async fn get(store: &StoreArgs, id: &str, key: &str) -> anyhow::Result<()> {
    check_key(key).map_err(KvError::of("KEY"))?;
    let found = find(store, id).await?;
    let mut values = found.namespace.get(vec![key.into()]).await?;
    let value = values.pop().flatten();
    let value = value.ok_or_else(|| KvError::NoKey(key.into()))?;
    let mut body = value.into_body();
    let mut out = io::stdout().lock();
    while let Some(frame) = body.frame().await {
        if let Ok(bytes) = frame?.into_data() {
            out.write_all(&bytes)?;
        }
    }
    out.flush()?;
    Ok(())
}

async fn put(
    store: &StoreArgs,
    id: &str,
    key: &str,
    value: Option<&str>,
    ttl: Option<u32>,
    metadata: Option<&str>,
) -> anyhow::Result<()> {
    check_key(key).map_err(KvError::of("KEY"))?;
    let query: Vec<_> = ttl
        .map(|ttl| ("expiration_ttl".to_string(), ttl.to_string()))
        .into_iter()
        .collect();
    let head = check_put(key.into(), &query, None, now()).map_err(KvError::of("--ttl"))?;
    let metadata = metadata.map(str::as_bytes);
    let with_metadata = check_put(key.into(), &[], metadata, now());
    let metadata = with_metadata.map_err(KvError::of("--metadata"))?.metadata;
    let value = match value {
        Some(value) => value.as_bytes().to_vec(),
        None => {
            let mut value = Vec::new();
            let mut input = io::stdin().lock();
            input.read_to_end(&mut value).context("standard input")?;
            value
        }
    };
    let found = open(Opened::open(store)?, id).await?;
    let head = crate::resources::kv::Head { metadata, ..head };
    found.namespace.put(head, full_body(value)).await?;
    Ok(())
}

async fn delete(store: &StoreArgs, id: &str, key: &str) -> anyhow::Result<()> {
    check_key(key).map_err(KvError::of("KEY"))?;
    let found = find(store, id).await?;
    if found
        .namespace
        .get(vec![key.into()])
        .await?
        .pop()
        .flatten()
        .is_none()
    {
        return Err(KvError::NoKey(key.into()).into());
    }
    found.namespace.delete(key.into()).await?;
    Ok(())
}
