//! What a namespace of KV has, for people.

use std::io::{self, Read, Write};

use http_body_util::BodyExt;
use outboard_runtime::full_body;
use serde::{Deserialize, Serialize};

use super::Session;
use super::folder::Folder;
use crate::objects::key_of;
use crate::resources::kv::{
    Head, KIND, MOST, MOST_LISTED, Namespace, PutError, Refusal, check_key, check_put, now,
};

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum KvErrand {
    List {
        namespace: String,
        prefix: String,
    },
    /// Gives the value.
    Get {
        namespace: String,
        key: String,
    },
    /// Comes with the value.
    Put {
        namespace: String,
        key: String,
        ttl: Option<u32>,
        metadata: Option<String>,
    },
    Delete {
        namespace: String,
        key: String,
    },
}

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

impl KvErrand {
    pub(super) fn run(&self, folder: &Folder, session: Session<'_>) -> anyhow::Result<()> {
        folder.block_on(async {
            match self {
                Self::List { namespace, prefix } => {
                    list(&find(folder, namespace).await?, prefix, session.out).await
                }
                Self::Get { namespace, key } => {
                    check_key(key).map_err(KvError::of("KEY"))?;
                    get(&find(folder, namespace).await?, key, session.out).await
                }
                Self::Put {
                    namespace,
                    key,
                    ttl,
                    metadata,
                } => {
                    let head = head(key, *ttl, metadata.as_deref())?;
                    let value = value(session)?;
                    let namespace = folder.namespace(namespace).await?;
                    Ok(namespace.put(head, full_body(value)).await?)
                }
                Self::Delete { namespace, key } => {
                    check_key(key).map_err(KvError::of("KEY"))?;
                    let namespace = find(folder, namespace).await?;
                    let mut found = namespace.get(vec![key.clone()]).await?;
                    if found.pop().flatten().is_none() {
                        return Err(KvError::NoKey(key.clone()).into());
                    }
                    Ok(namespace.delete(key.clone()).await?)
                }
            }
        })
    }
}

async fn find(folder: &Folder, id: &str) -> anyhow::Result<Namespace> {
    if !folder.exists(key_of(KIND, id))? {
        return Err(KvError::NoNamespace(id.into()).into());
    }
    folder.namespace(id).await
}

async fn list(namespace: &Namespace, prefix: &str, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut after = None;
    loop {
        let listed = namespace.list(prefix.into(), after, MOST_LISTED).await?;
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

async fn get(namespace: &Namespace, key: &str, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut values = namespace.get(vec![key.into()]).await?;
    let value = values.pop().flatten();
    let value = value.ok_or_else(|| KvError::NoKey(key.into()))?;
    let mut body = value.into_body();
    while let Some(frame) = body.frame().await {
        if let Ok(bytes) = frame?.into_data() {
            out.write_all(&bytes)?;
        }
    }
    Ok(())
}

fn head(key: &str, ttl: Option<u32>, metadata: Option<&str>) -> Result<Head, KvError> {
    check_key(key).map_err(KvError::of("KEY"))?;
    let query: Vec<_> = ttl
        .map(|ttl| ("expiration_ttl".to_string(), ttl.to_string()))
        .into_iter()
        .collect();
    let head = check_put(key.into(), &query, None, now()).map_err(KvError::of("--ttl"))?;
    let metadata = metadata.map(str::as_bytes);
    let with_metadata = check_put(key.into(), &[], metadata, now());
    let metadata = with_metadata.map_err(KvError::of("--metadata"))?.metadata;
    Ok(Head { metadata, ..head })
}

/// All of a value, unless it is too long.
fn value(mut session: Session<'_>) -> anyhow::Result<Vec<u8>> {
    let mut value = Vec::new();
    (&mut session.input).take(MOST).read_to_end(&mut value)?;
    match io::copy(&mut session.input, &mut io::sink())? {
        0 => Ok(value),
        more => Err(PutError::TooLong(MOST + more).into()),
    }
}
