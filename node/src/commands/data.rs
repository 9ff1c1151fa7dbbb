//! `outboard data`: a store's objects for people.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use outboard_runtime::{ObjectNamespace, ObjectTarget};
use outboard_storage::{
    Bookmark, HistoryError, Moment, NamespaceId, Object, ObjectId, ObjectKey, PAGE_SIZE, Recovery,
    Store, StoreError, StoreOptions, TransferError,
};

use crate::cli::{Data, StoreArgs};
use crate::objects::{Alarms, Catalogue, FacetName, Facets, alarm_of, namespace_id, own};
use crate::resources::r2;

/// Where `dev` and `serve` keep objects if nobody says otherwise.
const FOLDERS: [&str; 2] = [".outboard", "data"];

#[derive(Debug, thiserror::Error)]
pub(super) enum DataError {
    #[error(
        "no objects are kept here (neither .outboard nor data is a folder); name it: --data FOLDER"
    )]
    NoFolder,
    #[error("--data: {}: no objects are kept there", .0.display())]
    NoStore(PathBuf),
    #[error("--data: {}: a node has it open; stop `outboard dev` or `outboard serve` first", .0.display())]
    Busy(PathBuf),
    #[error(
        "--data: {}: its disk is read-only, and who opens a store may have to write what a \
         crash cut short; copy the folder (cp -a) to where it can be written, and name the copy",
        .0.display()
    )]
    ReadOnly(PathBuf),
    #[error("--data: {}: {source}", path.display())]
    Store { path: PathBuf, source: StoreError },
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
    #[error("FILE: {}: it is there already", .0.display())]
    FileThere(PathBuf),
    #[error("FILE: {}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("FILE: {}: {source}", path.display())]
    Transfer {
        path: PathBuf,
        source: TransferError,
    },
    #[error("--at: {0:?}: neither a time (2026-11-29T20:30:00Z) nor a bookmark of this object")]
    At(String),
    #[error("--at: {text}: {source}")]
    Past { text: String, source: HistoryError },
    #[error("the bytes of R2 objects are not what they were: {0} blobs")]
    Blobs(usize),
    #[error("{damaged} of {all} objects are damaged")]
    Damaged { damaged: usize, all: usize },
    #[error("what is kept of the past is damaged")]
    DamagedPast,
}

pub(super) fn run(command: &Data) -> anyhow::Result<()> {
    match command {
        Data::Ls(args) => ls(&Opened::open(args)?),
        Data::Check(args) => check(Opened::open(args)?),
        Data::Export {
            object,
            file,
            at,
            store,
        } => export(&Opened::open(store)?, object, file, at.as_deref()),
        Data::Import {
            file,
            object,
            force,
            store,
        } => import(&Opened::open(store)?, file, object, *force),
    }
}

pub(super) struct Opened {
    folder: PathBuf,
    pub(super) store: Store,
    recovery: Recovery,
    /// None where it is damaged, which `check` says.
    pub(super) catalogue: Option<Catalogue>,
    namespaces: BTreeMap<NamespaceId, Arc<ObjectNamespace>>,
    /// Of what is no object.
    names: BTreeMap<ObjectKey, String>,
    /// Of objects that others have.
    facets: BTreeMap<ObjectKey, FacetName>,
}

impl Opened {
    pub(super) fn open(args: &StoreArgs) -> Result<Self, DataError> {
        let folder = match &args.data {
            Some(folder) => folder.clone(),
            None => FOLDERS
                .iter()
                .map(PathBuf::from)
                .find(|folder| folder.is_dir())
                .ok_or(DataError::NoFolder)?,
        };
        // Opening one that is not there would make it.
        if !folder.join("log").is_dir() {
            return Err(DataError::NoStore(folder));
        }
        let opened = Store::open(&folder, StoreOptions::default()).and_then(|opened| {
            // What is looked at are the databases, not the log: a start leaves that to be
            // done later, where it found something.
            if opened.1.commits > 0 {
                opened.0.checkpoint()?;
            }
            Ok(opened)
        });
        let (store, recovery) = match opened {
            Ok(opened) => opened,
            Err(StoreError::Io { error, .. }) if error.kind() == io::ErrorKind::ResourceBusy => {
                return Err(DataError::Busy(folder));
            }
            Err(StoreError::Io { error, .. })
                if error.kind() == io::ErrorKind::ReadOnlyFilesystem =>
            {
                return Err(DataError::ReadOnly(folder));
            }
            Err(source) => {
                return Err(DataError::Store {
                    path: folder,
                    source,
                });
            }
        };
        let catalogue = Catalogue::open(&store).ok();
        let namespaces = catalogue.as_ref().map(Catalogue::namespaces);
        let names = catalogue.as_ref().and_then(|all| all.names().ok());
        let facets = Facets::open(&store).and_then(|facets| facets.names()).ok();
        Ok(Self {
            folder,
            store,
            recovery,
            catalogue,
            namespaces: namespaces.unwrap_or_default(),
            names: names.unwrap_or_default(),
            facets: facets.unwrap_or_default(),
        })
    }

    /// An object as `ls` prints it, which the other commands take.
    fn name(&self, key: ObjectKey) -> String {
        if let Some(own) = own(key) {
            return own.into();
        }
        if let Some(name) = self.names.get(&key) {
            return name.clone();
        }
        match self.namespaces.get(&key.namespace) {
            Some(namespace) => format!("{}/{}", class(namespace), key.id),
            None => key.to_string(),
        }
    }

    /// The names of what is kept of a kind, in order.
    pub(super) fn named(&self, kind: &str) -> impl Iterator<Item = (ObjectKey, &str)> {
        let mine = self.names.iter().filter_map(move |(key, name)| {
            let name = name.strip_prefix(kind)?.strip_prefix('/')?;
            Some((*key, name))
        });
        let mut mine: Vec<_> = mine.collect();
        mine.sort_by_key(|(_, name)| *name);
        mine.into_iter()
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// All databases, the node's own too.
    fn all_keys(&self) -> Result<Vec<ObjectKey>, DataError> {
        self.store.keys().map_err(|error| self.fault(error))
    }

    /// The objects of workers, in order.
    fn keys(&self) -> Result<Vec<ObjectKey>, DataError> {
        let mut keys = self.all_keys()?;
        keys.retain(|key| own(*key).is_none());
        Ok(keys)
    }

    fn fault(&self, source: StoreError) -> DataError {
        DataError::Store {
            path: self.folder.clone(),
            source,
        }
    }

    /// The object that somebody means, and its namespace where that is known.
    fn find(&self, text: &str) -> Result<(ObjectKey, Option<Arc<ObjectNamespace>>), DataError> {
        if let Some(id) = ObjectId::from_hex(text) {
            let mut keys = self.keys()?;
            keys.retain(|key| key.id == id);
            return match keys.as_slice() {
                [] => Err(DataError::NotThere(text.into())),
                [key] => Ok((*key, self.namespaces.get(&key.namespace).cloned())),
                several => {
                    let names: Vec<_> = several.iter().map(|key| self.name(*key)).collect();
                    Err(DataError::Ambiguous(id, names.join(", ")))
                }
            };
        }
        // A worker's name and a class have no slash, an object's name may.
        let known = self
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

    pub(super) fn exists(&self, key: ObjectKey) -> Result<bool, DataError> {
        let keys = self.store.keys().map_err(|error| self.fault(error))?;
        Ok(keys.contains(&key))
    }
}

/// A class as `ls` prints it.
fn class(namespace: &ObjectNamespace) -> String {
    format!("{}:{}", namespace.service, namespace.class)
}

fn ls(opened: &Opened) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    for key in opened.keys()? {
        let mut name = opened.name(key);
        if let Some(facet) = opened.facets.get(&key) {
            name = format!("{name}  (facet {:?} of {})", facet.name, facet.parent);
        }
        match opened.store.object(key) {
            Ok(object) => writeln!(out, "{:>12}  {name}", object.size())?,
            Err(error) => writeln!(out, "{:>12}  {name}  ({error})", "damaged")?,
        }
    }
    Ok(())
}

fn check(mut opened: Opened) -> anyhow::Result<()> {
    // It is checked too, and is open once.
    opened.catalogue = None;
    let mut out = io::stdout().lock();
    let all = opened.all_keys()?;
    let mut damaged = 0;
    let mut bytes = 0;
    for damage in &opened.recovery.damage {
        let object = damage.object.map(|key| opened.name(key));
        let object = object.unwrap_or_else(|| "an unknown object".into());
        writeln!(out, "log: {damage}: a commit of {object} is damaged")?;
    }
    for key in &all {
        let faults = faults(&opened, *key, &mut bytes);
        damaged += usize::from(!faults.is_empty());
        for fault in faults {
            writeln!(out, "{}: {fault}", opened.name(*key))?;
        }
    }
    let past = opened.store.history_faults();
    let past = past.unwrap_or_else(|error| vec![error.to_string()]);
    for fault in &past {
        writeln!(out, "{fault}")?;
    }
    let missing = r2_faults(&opened)?;
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
    writeln!(
        out,
        "{all} databases of {bytes} bytes and the log are sound"
    )?;
    if let Some(bytes) = opened.store.history_bytes() {
        writeln!(out, "the history of {bytes} bytes is sound")?;
    }
    Ok(())
}

/// What is wrong with the bytes of R2 buckets. An index that is damaged is told like
/// other databases.
fn r2_faults(opened: &Opened) -> anyhow::Result<Vec<String>> {
    let mut faults = Vec::new();
    for (key, bucket) in opened.named(r2::KIND) {
        if let Ok(database) = opened.store.object(key) {
            let found = r2::blob_faults(database, &opened.folder, bucket);
            faults.extend(found.with_context(|| format!("R2 bucket {bucket}"))?);
        }
    }
    Ok(faults)
}

/// What is wrong with an object.
fn faults(opened: &Opened, key: ObjectKey, bytes: &mut u64) -> Vec<String> {
    let pages = match opened.store.damaged_pages(key) {
        Ok(pages) => pages,
        Err(error) => return vec![error.to_string()],
    };
    if !pages.is_empty() {
        let pages: Vec<_> = pages.iter().map(ToString::to_string).collect();
        return vec![format!("damaged pages: {}", pages.join(", "))];
    }
    let mut checked = |object: &Object| {
        *bytes += object.size();
        object.faults()
    };
    let found = match opened.store.object(key) {
        Ok(object) => checked(&object),
        Err(error) => Err(error),
    };
    found.unwrap_or_else(|error| vec![error.to_string()])
}

fn export(opened: &Opened, text: &str, path: &Path, at: Option<&str>) -> anyhow::Result<()> {
    let (key, _) = opened.find(text)?;
    if !opened.exists(key)? {
        return Err(DataError::NotThere(text.into()).into());
    }
    let fault = |source| DataError::File {
        path: path.into(),
        source,
    };
    if path.exists() {
        return Err(DataError::FileThere(path.into()).into());
    }
    let parent = path.parent().filter(|parent| *parent != Path::new(""));
    let mut file =
        tempfile::NamedTempFile::new_in(parent.unwrap_or(Path::new("."))).map_err(fault)?;
    let written = match at {
        Some(at) => write_past(opened, key, at, file.as_file()),
        None => write_now(opened, key, file.as_file_mut()),
    };
    let bytes = written?.map_err(fault)?;
    file.as_file().sync_all().map_err(fault)?;
    file.persist_noclobber(path)
        .map_err(|error| fault(error.error))?;
    println!("{} ({bytes} bytes)", path.display());
    Ok(())
}

/// What could not be written is told from what could not be read.
type Written = anyhow::Result<io::Result<u64>>;

fn write_now(opened: &Opened, key: ObjectKey, file: &mut File) -> Written {
    let object = opened.store.object(key)?;
    let mut out = io::BufWriter::new(file);
    match object.copy_to(&mut out) {
        Err(TransferError::File(error)) => return Ok(Err(error)),
        Err(error) => return Err(error).context(opened.name(key)),
        Ok(()) => {}
    }
    Ok(out.flush().map(|()| object.size()))
}

fn write_past(opened: &Opened, key: ObjectKey, at: &str, file: &File) -> Written {
    let store = &opened.store;
    let past = |source| DataError::Past {
        text: at.into(),
        source,
    };
    let bookmark = match (Bookmark::parse(at, key), at.parse::<Moment>()) {
        (Ok(bookmark), _) => bookmark,
        (_, Ok(time)) => store.bookmark_at(key, time.0).map_err(past)?,
        _ => return Err(DataError::At(at.into()).into()),
    };
    let mut failed = None;
    let pages = store.pages_at(key, &bookmark, &mut |number, page| {
        let offset = u64::from(number - 1) * PAGE_SIZE as u64;
        let written = file.write_all_at(page, offset);
        if let Err(error) = &written {
            failed = Some(io::Error::new(error.kind(), error.to_string()));
        }
        written
    });
    if let Some(error) = failed {
        return Ok(Err(error));
    }
    Ok(Ok(u64::from(pages.map_err(past)?) * PAGE_SIZE as u64))
}

fn import(opened: &Opened, path: &Path, text: &str, force: bool) -> anyhow::Result<()> {
    let (key, namespace) = opened.find(text)?;
    if !force && opened.exists(key)? {
        return Err(DataError::There(opened.name(key)).into());
    }
    let scratch = tempfile::tempdir_in(&opened.folder).context("--data")?;
    let imported = opened
        .store
        .import(key, path, &scratch.path().join("database"));
    imported.map_err(|source| DataError::Transfer {
        path: path.into(),
        source,
    })?;
    if let (Some(catalogue), Some(namespace)) = (&opened.catalogue, &namespace) {
        catalogue.record(namespace)?;
    }
    ring(opened, key, namespace)?;
    println!(
        "{} has the database of {}",
        opened.name(key),
        path.display()
    );
    Ok(())
}

/// Has an alarm that came with the database ring.
fn ring(
    opened: &Opened,
    key: ObjectKey,
    namespace: Option<Arc<ObjectNamespace>>,
) -> anyhow::Result<()> {
    let object = opened.store.object(key)?;
    let time = alarm_of(&object).map_err(|error| object.explain(error))?;
    match (time, namespace) {
        (None, _) => {}
        (Some(_), None) => super::warn(&[
            "the alarm of the object rings when its class is known: import it as CLASS/ID",
        ]),
        (Some(time), Some(namespace)) => {
            let target = ObjectTarget {
                namespace,
                id: outboard_runtime::ObjectId(key.id.0),
                name: None,
            };
            Alarms::open(&opened.store)?.set(&target, Some(time), false)?;
        }
    }
    Ok(())
}
