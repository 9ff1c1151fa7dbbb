//! `outboard d1`: databases for people.

mod dump;
mod migrations;
mod table;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use outboard_project::{D1Database, DevVars};
use outboard_storage::{Store, StoreError, StoreOptions};

use self::dump::Dump;
use super::command_runtime;
use crate::cli::d1::{D1, Place, Sql};
use crate::objects::{Catalogue, Scope, key_of, open_named};
use crate::resources::d1::{Database, Format, KIND, Results};

/// Results are one person's, who has the machine's memory.
const MOST_RESULTS: usize = usize::MAX;

#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("DATABASE: the project has no database of the binding, name or id {0:?}; it has {1}")]
    Unknown(String, String),
    #[error("DATABASE: {0:?} has two databases: {1}; say which by its binding")]
    Ambiguous(String, String),
    #[error("DATABASE: {0:?} is not there yet: nothing has asked it")]
    NotThere(String),
    #[error("--data: {}: a node has it open; stop `outboard dev` or `outboard serve` first", .0.display())]
    Busy(PathBuf),
    #[error("--data: {}: {source}", path.display())]
    Store { path: PathBuf, source: StoreError },
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("--file: {}: a SQLite database, not SQL; `outboard data import` takes those", .0.display())]
    Binary(PathBuf),
    #[error("--output: {}: it is there already", .0.display())]
    OutputThere(PathBuf),
}

pub(super) fn run(command: &D1) -> anyhow::Result<()> {
    match command {
        D1::Execute {
            database,
            sql,
            json,
            place,
        } => execute(&Opened::open(database, place)?, &text(sql)?, *json),
        D1::Migrations(command) => migrations::run(command),
        D1::Export {
            database,
            output,
            table,
            no_schema,
            no_data,
            sqlite,
            place,
        } => {
            let opened = Opened::open_there(database, place)?;
            let dump = Dump {
                tables: table,
                schema: !no_schema,
                data: !no_data,
            };
            export(&opened, output.as_deref(), *sqlite, &dump)
        }
    }
}

/// A database of a project, open.
struct Opened {
    database: Database,
    /// Last: the database is one of its.
    _store: Store,
}

/// The database of the project that somebody means.
fn named(name: &str, place: &Place) -> anyhow::Result<(D1Database, PathBuf)> {
    let project = super::load(&place.dir, place.env.as_deref(), DevVars::Ignore)?.project;
    let all = &project.d1_databases;
    let by = |of: fn(&D1Database) -> Option<&str>| {
        all.iter()
            .filter(move |database| of(database) == Some(name))
    };
    // One binding has the name; several may have one database.
    let mut found: Vec<_> = by(|database| Some(&database.binding)).collect();
    if found.is_empty() {
        found = by(|database| database.name.as_deref())
            .chain(by(|database| Some(&database.id)))
            .collect();
    }
    let bindings = |of: &[&D1Database]| {
        let names: Vec<_> = of.iter().map(|one| one.binding.as_str()).collect();
        names.join(", ")
    };
    let database = match found.as_slice() {
        [] if all.is_empty() => return Err(Fault::Unknown(name.into(), "none".into()).into()),
        [] => {
            let there = bindings(&all.iter().collect::<Vec<_>>());
            return Err(Fault::Unknown(name.into(), there).into());
        }
        [first, others @ ..] if others.iter().all(|other| other.id == first.id) => *first,
        several => return Err(Fault::Ambiguous(name.into(), bindings(several)).into()),
    };
    let folder = place.data.clone();
    let folder = folder.unwrap_or_else(|| project.root.join(".outboard"));
    let mut database = database.clone();
    if let Some(tenant) = &place.tenant {
        database.id = Scope::of_tenant(tenant).name(&database.id);
    }
    Ok((database, folder))
}

impl Opened {
    /// Makes the database where it is not there.
    fn open(name: &str, place: &Place) -> anyhow::Result<Self> {
        let (database, folder) = named(name, place)?;
        Self::of(&database, &folder)
    }

    /// Fails where it is not there.
    fn open_there(name: &str, place: &Place) -> anyhow::Result<Self> {
        let (database, folder) = named(name, place)?;
        let not_there = || Fault::NotThere(name.into());
        // Opening a store that is not there would make it.
        if !folder.join("log").is_dir() {
            return Err(not_there().into());
        }
        let store = open_store(&folder)?;
        let keys = store.keys().map_err(|source| Fault::Store {
            path: folder.clone(),
            source,
        })?;
        if !keys.contains(&key_of(KIND, &database.id)) {
            return Err(not_there().into());
        }
        Self::in_store(store, &database)
    }

    fn of(database: &D1Database, folder: &Path) -> anyhow::Result<Self> {
        Self::in_store(open_store(folder)?, database)
    }

    fn in_store(store: Store, database: &D1Database) -> anyhow::Result<Self> {
        let catalogue = Catalogue::open(&store)?;
        let object = open_named(&store, Some(&catalogue), KIND, &database.id)?;
        let database = Database::open(object, MOST_RESULTS)?;
        database.without_length_limit()?;
        Ok(Self {
            database,
            _store: store,
        })
    }

    /// Runs scripts as one transaction, which is durable then; their results as JSON.
    fn run(&self, scripts: &[&str], format: Format) -> anyhow::Result<Vec<u8>> {
        let Results { json, receipt, .. } = self.database.run_scripts(scripts, format)?;
        if let Some(receipt) = receipt {
            command_runtime()?.block_on(receipt.wait())?;
        }
        Ok(json)
    }
}

fn open_store(folder: &Path) -> Result<Store, Fault> {
    match Store::open(folder, StoreOptions::default()) {
        Ok((store, _)) => Ok(store),
        Err(StoreError::Io { error, .. }) if error.kind() == io::ErrorKind::ResourceBusy => {
            Err(Fault::Busy(folder.into()))
        }
        Err(source) => Err(Fault::Store {
            path: folder.into(),
            source,
        }),
    }
}

fn text(sql: &Sql) -> Result<String, Fault> {
    let Some(path) = &sql.file else {
        return Ok(sql.command.clone().unwrap_or_default());
    };
    let fault = |source| Fault::File {
        path: path.clone(),
        source,
    };
    let bytes = std::fs::read(path).map_err(fault)?;
    if bytes.starts_with(b"SQLite format 3\0") {
        return Err(Fault::Binary(path.clone()));
    }
    let invalid = |error| fault(io::Error::new(io::ErrorKind::InvalidData, error));
    String::from_utf8(bytes).map_err(invalid)
}

fn execute(opened: &Opened, sql: &str, json: bool) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    if json {
        let mut results = opened.run(&[sql], Format::Objects)?;
        results.push(b'\n');
        out.write_all(&results)?;
        return Ok(());
    }
    let results = opened.run(&[sql], Format::Columns)?;
    table::print(&mut out, &results)
}

fn export(
    opened: &Opened,
    output: Option<&Path>,
    sqlite: bool,
    dump: &Dump<'_>,
) -> anyhow::Result<()> {
    let Some(path) = output else {
        let mut out = io::BufWriter::new(io::stdout().lock());
        dump.write(&opened.database, &mut out)?;
        return Ok(out.flush()?);
    };
    if path.exists() {
        return Err(Fault::OutputThere(path.into()).into());
    }
    let fault = |source| Fault::File {
        path: path.into(),
        source,
    };
    // Beside it, and there under its name only when it is whole.
    let parent = path.parent().filter(|parent| *parent != Path::new(""));
    let parent = parent.unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(parent).map_err(fault)?;
    let mut out = io::BufWriter::new(file.as_file_mut());
    if sqlite {
        opened.database.object().copy_to(&mut out)?;
    } else {
        dump.write(&opened.database, &mut out)?;
    }
    out.flush().map_err(fault)?;
    drop(out);
    file.as_file().sync_all().map_err(fault)?;
    file.persist_noclobber(path)
        .map_err(|error| fault(error.error))?;
    println!("{}", path.display());
    Ok(())
}
