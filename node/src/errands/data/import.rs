//! A database that becomes an object's, or what depends on one.

use std::io;
use std::sync::Arc;

use anyhow::Context;
use outboard_runtime::{ObjectNamespace, ObjectTarget};
use outboard_storage::ObjectKey;
use rusqlite::Connection;
use tempfile::NamedTempFile;

use super::super::folder::{Folder, LookError, Replaced, open_to_read};
use super::super::{Session, Warnings};
use super::{DataError, find};
use crate::objects::{alarm_of, namespace_id};
use crate::resources::{KINDS, d1};

/// Why a sound database cannot be an object's: what the runtime keeps in it is not as it
/// keeps it, and would fail or do something else for as long as the object lives.
#[derive(Debug, thiserror::Error)]
enum UnfitError {
    #[error(
        "FILE: the {kind} {name:?} is of the runtime's own table {table:?}; drop it, or rename \
         the table"
    )]
    Foreign {
        kind: String,
        name: String,
        table: String,
    },
    #[error(
        "FILE: {0:?} is a name of the runtime's own, and no table as it makes one; drop or \
         rename it"
    )]
    NoTable(&'static str),
    #[error(
        "FILE: \"_cf_ALARM\" has {0}, where an alarm is one row with one whole number; drop the \
         table, or correct it"
    )]
    Alarm(&'static str),
}

pub(super) fn import(
    folder: &Folder,
    text: &str,
    force: bool,
    mut session: Session<'_>,
) -> anyhow::Result<Warnings> {
    let names = folder.names();
    let (key, namespace) = find(folder, &names, text)?;
    if !force && folder.exists(key)? {
        return Err(DataError::There(names.of(key)).into());
    }
    let of = replaced(
        key,
        names.others.get(&key).map_or(text, String::as_str),
        &namespace,
    );
    let mut file = folder.scratch().context("--data")?;
    io::copy(&mut session.input, file.as_file_mut())?;
    if let Replaced::Object(_) = of {
        fits(&file)?;
    }
    let replaced = folder.replace(key, of, file.into_file());
    replaced.map_err(|source| DataError::NotReplaced {
        object: names.of(key),
        source,
    })?;
    let warnings = follow(folder, key, namespace)?;
    write!(session.out, "{}", folder.names().of(key))?;
    Ok(warnings)
}

/// What a database is, which `name` tells where it is no object's.
fn replaced<'a>(
    key: ObjectKey,
    name: &'a str,
    namespace: &Option<Arc<ObjectNamespace>>,
) -> Replaced<'a> {
    let is_of = |kind: &&&str| key.namespace == namespace_id(kind);
    match KINDS.iter().find(is_of) {
        None => Replaced::Object(namespace.clone()),
        Some(kind) if *kind == d1::KIND => {
            let id = name
                .strip_prefix(d1::KIND)
                .and_then(|id| id.strip_prefix('/'));
            id.map_or(Replaced::Resource, Replaced::D1)
        }
        Some(_) => Replaced::Resource,
    }
}

/// Has what depends on an object know of its new database.
fn follow(
    folder: &Folder,
    key: ObjectKey,
    namespace: Option<Arc<ObjectNamespace>>,
) -> anyhow::Result<Warnings> {
    if let Some(namespace) = &namespace {
        folder.record(namespace)?;
    }
    let look = folder.look(key)?;
    let time = alarm_of(look.connection()).map_err(|error| look.explain(error))?;
    drop(look);
    match (time, namespace) {
        (None, _) => {}
        (Some(_), None) => {
            let warning = "the alarm of the object rings when its class is known: import it as \
                           CLASS/ID";
            return Ok(vec![warning.into()]);
        }
        (Some(time), Some(namespace)) => {
            let target = ObjectTarget {
                namespace,
                id: outboard_runtime::ObjectId(key.id.0),
                name: None,
            };
            folder.set_alarm(&target, time)?;
        }
    }
    Ok(Vec::new())
}

/// Whether what the runtime keeps in an object's database is as it keeps it.
fn fits(file: &NamedTempFile) -> anyhow::Result<()> {
    let found = open_to_read(file).and_then(|connection| unfit(&connection));
    match found.map_err(LookError::Sql).context("FILE")? {
        Some(unfit) => Err(unfit.into()),
        None => Ok(()),
    }
}

fn unfit(connection: &Connection) -> rusqlite::Result<Option<UnfitError>> {
    // What runs when the runtime writes to its own tables, or is read in their place.
    let mut foreign = connection.prepare(
        "SELECT type, name, tbl_name FROM sqlite_schema
         WHERE type = 'trigger' AND tbl_name LIKE '\\_cf\\_%' ESCAPE '\\'",
    )?;
    let mut found = foreign.query_map((), |row| {
        Ok(UnfitError::Foreign {
            kind: row.get(0)?,
            name: row.get(1)?,
            table: row.get(2)?,
        })
    })?;
    if let Some(foreign) = found.next().transpose()? {
        return Ok(Some(foreign));
    }
    for (name, columns) in [("_cf_KV", &["key", "value"][..]), ("_cf_ALARM", &["time"])] {
        let kinds = connection
            .prepare(
                "SELECT type, sql LIKE 'CREATE VIRTUAL%', name FROM sqlite_schema
                 WHERE name = ? COLLATE NOCASE",
            )?
            .query_map([name], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
            .collect::<rusqlite::Result<Vec<(String, bool, String)>>>()?;
        let Some((kind, is_virtual, called)) = kinds.first() else {
            continue;
        };
        let has = connection
            .prepare("SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 0")?
            .query_map([name], |row| row.get(0))?
            .collect::<rusqlite::Result<Vec<String>>>()?;
        let has_all = columns
            .iter()
            .all(|column| has.iter().any(|it| it == column));
        if kind != "table" || *is_virtual || called != name || !has_all {
            return Ok(Some(UnfitError::NoTable(name)));
        }
    }
    if !connection.table_exists(None, "_cf_ALARM")? {
        return Ok(None);
    }
    let counts =
        "SELECT count(*), count(*) FILTER (WHERE typeof(time) <> 'integer') FROM _cf_ALARM";
    let counted = connection.query_row(counts, (), |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
    });
    Ok(match counted? {
        (2.., _) => Some(UnfitError::Alarm("several rows")),
        (_, 1..) => Some(UnfitError::Alarm("something else")),
        _ => None,
    })
}
