//! `outboard kv`: what a namespace has, for people.

use std::io::{self, Read, Write};

use anyhow::Context;

use super::folder::keeper;
use crate::cli::Kv;
use crate::errands::{Errand, KvErrand};

pub(super) fn run(command: &Kv) -> anyhow::Result<()> {
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

fn standard_input() -> io::Result<Vec<u8>> {
    let mut value = Vec::new();
    io::stdin().lock().read_to_end(&mut value)?;
    Ok(value)
}
