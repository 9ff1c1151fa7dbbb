//! `outboard d1`: databases for people.

mod migrations;
mod table;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use outboard_project::{D1Database, DevVars};

use super::folder::NewFile;
use crate::cli::d1::{D1, Place, Sql};
use crate::errands::{D1Errand, Dump, Errand, Form, Keeper};
use crate::objects::Scope;
use crate::resources::d1::Format;

#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("DATABASE: the project has no database of the binding, name or id {0:?}; it has {1}")]
    Unknown(String, String),
    #[error("DATABASE: {0:?} has two databases: {1}; say which by its binding")]
    Ambiguous(String, String),
    #[error("DATABASE: {0:?} is not there yet: nothing has asked it")]
    NotThere(String),
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
        } => {
            let (database, folder) = named(database, place)?;
            let sql = text(sql)?;
            execute(&Opened::open(&database, &folder)?, &sql, *json)
        }
        D1::Migrations(command) => migrations::run(command),
        D1::Export {
            database: name,
            output,
            table,
            no_schema,
            no_data,
            sqlite,
            place,
        } => {
            let form = match sqlite {
                true => Form::Sqlite,
                false => Form::Sql(Dump {
                    tables: table.clone(),
                    schema: !no_schema,
                    data: !no_data,
                }),
            };
            let (database, folder) = named(name, place)?;
            // Opening a store that is not there would make it.
            if !folder.join("log").is_dir() {
                return Err(Fault::NotThere(name.clone()).into());
            }
            let errand = D1Errand::Export {
                name: name.clone(),
                id: database.id,
                form,
            };
            export(&Keeper::open(&folder)?, errand, output.as_deref())
        }
    }
}

/// A database of a project, and who has it open.
struct Opened {
    keeper: Keeper,
    id: String,
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
    fn open(database: &D1Database, folder: &Path) -> anyhow::Result<Self> {
        Ok(Self {
            keeper: Keeper::open(folder)?,
            id: database.id.clone(),
        })
    }

    /// Runs parts of statements as one transaction, which is durable then, in a database
    /// that is made where it is not there; their results as JSON.
    fn run(&self, parts: &[&str], format: Format) -> anyhow::Result<Vec<u8>> {
        let errand = D1Errand::Run {
            id: self.id.clone(),
            parts: parts.iter().map(|part| part.len() as u64).collect(),
            format,
        };
        let sql = io::Cursor::new(parts.concat());
        let mut results = Vec::new();
        self.keeper
            .run_with(&Errand::D1(errand), Box::new(sql), &mut results)?;
        Ok(results)
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

fn export(keeper: &Keeper, errand: D1Errand, output: Option<&Path>) -> anyhow::Result<()> {
    let errand = Errand::D1(errand);
    let Some(path) = output else {
        let mut out = io::BufWriter::new(io::stdout().lock());
        keeper.run(&errand, &mut out)?;
        return Ok(out.flush()?);
    };
    if path.exists() {
        return Err(Fault::OutputThere(path.into()).into());
    }
    let fault = |source| Fault::File {
        path: path.into(),
        source,
    };
    let mut file = NewFile::beside(path).map_err(fault)?;
    let mut out = io::BufWriter::new(&mut file);
    let written = keeper.run(&errand, &mut out);
    let flushed = out.flush();
    drop(out);
    if let Some(error) = file.fault() {
        return Err(fault(error).into());
    }
    written?;
    flushed.map_err(fault)?;
    file.persist(path).map_err(fault)?;
    println!("{}", path.display());
    Ok(())
}
