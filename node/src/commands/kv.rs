//! `outboard kv`: what a namespace has, for people.

use std::io::{self, Read, Write};
use std::path::Path;

use anyhow::Context;
use outboard_project::{DevVars, LoadOptions};

use super::folder::keeper;
use crate::cli::Kv;
use crate::errands::{Errand, KvErrand};

#[derive(Debug, thiserror::Error)]
#[error("NAMESPACE: {name:?} is a binding of the project here; say the namespace by its id: {ids}")]
struct IsBinding {
    name: String,
    ids: String,
}

pub(super) fn run(command: &Kv) -> anyhow::Result<()> {
    let (Kv::List { namespace, .. }
    | Kv::Get { namespace, .. }
    | Kv::Put { namespace, .. }
    | Kv::Delete { namespace, .. }) = command;
    refuse_binding(namespace)?;
    let mut input: Box<dyn Read + Send> = Box::new(io::empty());
    let (errand, store) = match command {
        Kv::List {
            namespace,
            prefix,
            store,
        } => {
            let (namespace, prefix) = (namespace.clone(), prefix.clone());
            (KvErrand::List { namespace, prefix }, store)
        }
        Kv::Get {
            namespace,
            key,
            store,
        } => {
            let (namespace, key) = (namespace.clone(), key.clone());
            (KvErrand::Get { namespace, key }, store)
        }
        Kv::Put {
            namespace,
            key,
            value,
            ttl,
            metadata,
            store,
        } => {
            input = Box::new(io::Cursor::new(match value {
                Some(value) => value.as_bytes().to_vec(),
                None => standard_input().context("standard input")?,
            }));
            let put = KvErrand::Put {
                namespace: namespace.clone(),
                key: key.clone(),
                ttl: *ttl,
                metadata: metadata.clone(),
            };
            (put, store)
        }
        Kv::Delete {
            namespace,
            key,
            store,
        } => {
            let (namespace, key) = (namespace.clone(), key.clone());
            (KvErrand::Delete { namespace, key }, store)
        }
    };
    let keeper = keeper(store)?;
    let mut out = io::stdout().lock();
    keeper.run_with(&Errand::Kv(errand), input, &mut out)?;
    Ok(out.flush()?)
}

/// A binding's name would lead to a namespace that nobody has.
fn refuse_binding(name: &str) -> Result<(), IsBinding> {
    let options = LoadOptions {
        dev_vars: DevVars::Ignore,
        ..LoadOptions::default()
    };
    let Ok(loaded) = outboard_project::load(Path::new("."), &options) else {
        return Ok(());
    };
    let all = &loaded.project.kv_namespaces;
    let ids = |binding: &outboard_project::KvBinding| {
        let preview = binding.preview_id.as_ref();
        let preview = preview.map(|id| format!("{id:?} of `outboard dev`"));
        let id = binding.id.as_ref().map(|id| format!("{id:?}"));
        let ids: Vec<_> = id.into_iter().chain(preview).collect();
        match ids.is_empty() {
            true => "`outboard data ls` lists those that are there as kv/ID".into(),
            false => ids.join(", "),
        }
    };
    let is_id = |id: &Option<String>| id.as_deref() == Some(name);
    if all
        .iter()
        .any(|one| is_id(&one.id) || is_id(&one.preview_id))
    {
        return Ok(());
    }
    match all.iter().find(|binding| binding.name == name) {
        None => Ok(()),
        Some(binding) => Err(IsBinding {
            name: name.into(),
            ids: ids(binding),
        }),
    }
}

fn standard_input() -> io::Result<Vec<u8>> {
    let mut value = Vec::new();
    io::stdin().lock().read_to_end(&mut value)?;
    Ok(value)
}
