//! A store's objects, for people.

mod import;

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use anyhow::Context;
use outboard_runtime::ObjectNamespace;
use outboard_storage::{
    Bookmark, HistoryError, Moment, NamespaceId, ObjectId, ObjectKey, PAGE_SIZE, Store, StoreError,
};
use serde::{Deserialize, Serialize};

use self::import::import;
use super::folder::{Folder, Look, LookError, Names, ReplaceError, class};
use super::{Session, Warnings};
use crate::objects::{namespace_id, own};
use crate::resources::r2;

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DataErrand {
    Ls,
    Check,
    /// Gives an object's database.
    Export {
        object: String,
        at: Option<String>,
    },
    /// Comes with a database as the store has them, and gives the object's name.
    Import {
        object: String,
        force: bool,
    },
}

#[derive(Debug, thiserror::Error)]
enum DataError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(
        "OBJECT: {0:?} is neither CLASS/ID, CLASS/NAME nor an id; `outboard data ls` lists what is there"
    )]
    Object(String),
    #[error("OBJECT: {0:?}: there is no such object; `outboard data ls` lists what is there")]
    NotThere(String),
    #[error("OBJECT: {0} is of several classes: {1}")]
    Ambiguous(ObjectId, String),
    #[error("OBJECT: {0} has a database already; --force replaces it")]
    There(String),
    #[error("--at: {0:?}: neither a time (2026-11-29T20:30:00Z) nor a bookmark of this object")]
    At(String),
    #[error("--at: {text}: {source}")]
    Past { text: String, source: HistoryError },
    #[error("the bytes of R2 objects are not what they were: {0} blobs")]
    Blobs(usize),
    #[error("{damaged} of {all} objects are damaged")]
    Damaged { damaged: usize, all: usize },
    #[error("{unread} of {all} databases were not checked")]
    Unread { unread: usize, all: usize },
    #[error("nobody waits for what is found")]
    Gone,
    #[error("what is kept of the past is damaged")]
    DamagedPast,
    #[error("OBJECT: {object}: {source}")]
    NotReplaced {
        object: String,
        source: ReplaceError,
    },
}

impl DataErrand {
    pub(super) fn run(&self, folder: &Folder, session: Session<'_>) -> anyhow::Result<Warnings> {
        match self {
            Self::Ls => ls(folder, session.out)?,
            Self::Check => check(folder, session)?,
            Self::Export { object, at } => {
                export(folder, object, at.as_deref(), session.out)?;
            }
            Self::Import { object, force } => return import(folder, object, *force, session),
        }
        Ok(Vec::new())
    }
}

/// The objects of workers, in order.
fn keys(store: &Store) -> Result<Vec<ObjectKey>, DataError> {
    let mut keys = store.keys()?;
    keys.retain(|key| own(*key).is_none());
    Ok(keys)
}

/// The object that somebody means, and its namespace where that is known.
fn find(
    folder: &Folder,
    names: &Names,
    text: &str,
) -> Result<(ObjectKey, Option<Arc<ObjectNamespace>>), DataError> {
    if let Some(id) = ObjectId::from_hex(text) {
        let mut keys = keys(folder.store())?;
        keys.retain(|key| key.id == id);
        return match keys.as_slice() {
            [] => Err(DataError::NotThere(text.into())),
            [key] => Ok((*key, names.namespaces.get(&key.namespace).cloned())),
            several => {
                let names: Vec<_> = several.iter().map(|key| names.of(*key)).collect();
                Err(DataError::Ambiguous(id, names.join(", ")))
            }
        };
    }
    // A worker's name and a class have no slash, an object's name may.
    let known = names
        .namespaces
        .values()
        .filter_map(|known| {
            let id = text.strip_prefix(&class(known))?.strip_prefix('/')?;
            Some((known, id))
        })
        .min_by_key(|(_, id)| id.len());
    let split = match known {
        Some((known, id)) => Some((&*known.key, id)),
        None => text.split_once('/'),
    };
    let bad = || DataError::Object(text.into());
    let (class, id) = split
        .filter(|(class, id)| !class.is_empty() && !id.is_empty())
        .ok_or_else(bad)?;
    if let (16, Ok(number), Some(id)) = (
        class.len(),
        u64::from_str_radix(class, 16),
        ObjectId::from_hex(id),
    ) {
        let namespace = NamespaceId(number);
        return Ok((ObjectKey { namespace, id }, None));
    }
    let namespace = known.map(|(known, _)| known.clone()).or_else(|| {
        let (service, name) = class.split_once(':')?;
        Some(Arc::new(ObjectNamespace {
            service: service.into(),
            class: name.into(),
            key: class.into(),
        }))
    });
    let id = ObjectId::from_hex(id)
        .unwrap_or_else(|| ObjectId(outboard_runtime::ObjectId::from_name(class, id).0));
    let key = ObjectKey {
        namespace: namespace_id(class),
        id,
    };
    Ok((key, namespace))
}

fn ls(folder: &Folder, out: &mut dyn Write) -> anyhow::Result<()> {
    let names = folder.names();
    for key in keys(folder.store())? {
        let mut name = names.of(key);
        if let Some(facet) = names.facets.get(&key) {
            name = format!("{name}  (facet {:?} of {})", facet.name, facet.parent);
        }
        match folder.size(key) {
            Ok(size) => writeln!(out, "{size:>12}  {name}")?,
            Err(error) => writeln!(out, "{:>12}  {name}  ({error})", "damaged")?,
        }
    }
    Ok(())
}

fn check(folder: &Folder, session: Session<'_>) -> anyhow::Result<()> {
    let out = session.out;
    let names = folder.names();
    folder.close_catalogue();
    let store = folder.store();
    let all = store.keys()?;
    let (mut damaged, mut unread) = (0, 0);
    let mut bytes = 0;
    for damage in folder.damage() {
        let object = damage.object.map(|key| names.of(key));
        let object = object.unwrap_or_else(|| "an unknown object".into());
        writeln!(out, "log: {damage}: a commit of {object} is damaged")?;
    }
    for key in &all {
        if (session.is_gone)() {
            return Err(DataError::Gone.into());
        }
        let faults = match faults(folder, *key, session.is_gone, &mut bytes) {
            Ok(faults) => faults,
            Err(error) if error.is_passing() => {
                unread += 1;
                writeln!(out, "{}: not checked: {error}", names.of(*key))?;
                continue;
            }
            Err(error) => vec![error.to_string()],
        };
        damaged += usize::from(!faults.is_empty());
        for fault in faults {
            writeln!(out, "{}: {fault}", names.of(*key))?;
        }
    }
    let past = store.history_faults();
    let past = past.unwrap_or_else(|error| vec![error.to_string()]);
    for fault in &past {
        writeln!(out, "{fault}")?;
    }
    let missing = r2_faults(folder, &names)?;
    for fault in &missing {
        writeln!(out, "R2 object {fault}")?;
    }
    let all = all.len();
    if damaged > 0 {
        return Err(DataError::Damaged { damaged, all }.into());
    }
    if !past.is_empty() {
        return Err(DataError::DamagedPast.into());
    }
    if !missing.is_empty() {
        return Err(DataError::Blobs(missing.len()).into());
    }
    if unread > 0 {
        return Err(DataError::Unread { unread, all }.into());
    }
    writeln!(
        out,
        "{all} databases of {bytes} bytes and the log are sound"
    )?;
    if let Some(bytes) = store.history_bytes() {
        writeln!(out, "the history of {bytes} bytes is sound")?;
    }
    Ok(())
}

/// What is wrong with the bytes of R2 buckets. An index that is damaged is told like
/// other databases.
fn r2_faults(folder: &Folder, names: &Names) -> anyhow::Result<Vec<String>> {
    let mut all = Vec::new();
    for (key, bucket) in names.of_kind(r2::KIND) {
        let look = || -> anyhow::Result<Vec<String>> {
            let Ok(index) = folder.look(key) else {
                return Ok(Vec::new());
            };
            let found = r2::blob_faults(index.connection(), folder.path(), bucket);
            found.with_context(|| format!("R2 bucket {bucket}"))
        };
        let mut found = look()?;
        if !found.is_empty() && matches!(folder, Folder::Node(_)) {
            // What was deleted meanwhile is in the index no more.
            let again = look()?;
            found.retain(|fault| again.contains(fault));
        }
        all.extend(found);
    }
    Ok(all)
}

/// What is wrong with a database; where a node has it open, as its newest commit left it.
fn faults(
    folder: &Folder,
    key: ObjectKey,
    is_gone: &dyn Fn() -> bool,
    bytes: &mut u64,
) -> Result<Vec<String>, LookError> {
    let mut look = match folder {
        Folder::Own(_) => {
            let damaged = folder.store().damaged_pages(key)?;
            if !damaged.is_empty() {
                return Ok(vec![damaged_pages(&damaged)]);
            }
            folder.look(key)?
        }
        Folder::Node(_) => {
            let (file, damaged) = folder.copy(key)?;
            if !damaged.is_empty() {
                return Ok(vec![damaged_pages(&damaged)]);
            }
            Look::at(file)?
        }
    };
    let faults = look.faults(is_gone)?;
    *bytes += look.size()?;
    Ok(faults)
}

fn damaged_pages(pages: &[u32]) -> String {
    let pages: Vec<_> = pages.iter().map(ToString::to_string).collect();
    format!("damaged pages: {}", pages.join(", "))
}

fn export(
    folder: &Folder,
    text: &str,
    at: Option<&str>,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let names = folder.names();
    let (key, _) = find(folder, &names, text)?;
    if !folder.exists(key)? {
        return Err(DataError::NotThere(text.into()).into());
    }
    match at {
        Some(at) => write_past(folder, key, at, out),
        None => {
            let written = folder.write_to(key, out);
            written.with_context(|| names.of(key))
        }
    }
}

fn write_past(
    folder: &Folder,
    key: ObjectKey,
    at: &str,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let store = folder.store();
    let past = |source| DataError::Past {
        text: at.into(),
        source,
    };
    let bookmark = match (Bookmark::parse(at, key), at.parse::<Moment>()) {
        (Ok(bookmark), _) => bookmark,
        (_, Ok(time)) => store.bookmark_at(key, time.0).map_err(past)?,
        _ => return Err(DataError::At(at.into()).into()),
    };
    // Pages do not come in order.
    let scratch = folder.scratch().context("--data")?;
    let file = scratch.as_file();
    let pages = store.pages_at(key, &bookmark, &mut |number, page| {
        let offset = u64::from(number - 1) * PAGE_SIZE as u64;
        file.write_all_at(page, offset)
    });
    let bytes = u64::from(pages.map_err(past)?) * PAGE_SIZE as u64;
    file.set_len(bytes).context("--data")?;
    io::copy(&mut File::open(scratch.path()).context("--data")?, out)?;
    Ok(())
}
