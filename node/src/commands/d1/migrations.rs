//! Migrations of a database, as wrangler keeps account of them.

use std::collections::HashSet;
use std::io::Write;

use anyhow::Context;
use outboard_project::D1Database;

use super::{Fault, Opened, named, table};
use crate::cli::d1::Migrations;
use crate::resources::d1::{Format, identifier, literal};

pub(super) fn run(command: &Migrations) -> anyhow::Result<()> {
    match command {
        Migrations::List { database, place } => {
            let (database, folder) = named(database, place)?;
            let opened = Opened::open(&database, &folder)?;
            for name in unapplied(&opened, &database)? {
                println!("{name}");
            }
            Ok(())
        }
        Migrations::Apply { database, place } => {
            let (database, folder) = named(database, place)?;
            apply(&Opened::open(&database, &folder)?, &database)
        }
        Migrations::Create {
            database,
            message,
            place,
        } => create(&named(database, place)?.0, message),
    }
}

/// In the order that they apply.
fn unapplied(opened: &Opened, database: &D1Database) -> anyhow::Result<Vec<String>> {
    let table = identifier(&database.migrations_table);
    let make = format!(
        "CREATE TABLE IF NOT EXISTS {table} (
           id INTEGER PRIMARY KEY AUTOINCREMENT,
           name TEXT UNIQUE,
           applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
         )"
    );
    let names = format!("SELECT name FROM {table}");
    let results = opened.run(&[&make, &names], Format::Columns)?;
    let applied: HashSet<String> = table::first_column(&results)?.into_iter().collect();
    let mut all = database.migrations().map_err(|source| Fault::File {
        path: database.migrations_dir.clone(),
        source,
    })?;
    all.retain(|name| !applied.contains(name));
    Ok(all)
}

fn apply(opened: &Opened, database: &D1Database) -> anyhow::Result<()> {
    let names = unapplied(opened, database)?;
    if names.is_empty() {
        println!("nothing to apply");
    }
    let table = identifier(&database.migrations_table);
    for name in names {
        let path = database.migrations_dir.join(&name);
        let sql = std::fs::read_to_string(&path);
        let sql = sql.map_err(|source| Fault::File { path, source })?;
        let note = format!("INSERT INTO {table} (name) VALUES ({})", literal(&name));
        opened
            .run(&[&sql, &note], Format::Columns)
            .with_context(|| format!("{name} was not applied"))?;
        println!("applied {name}");
    }
    Ok(())
}

fn create(database: &D1Database, message: &str) -> anyhow::Result<()> {
    let dir = &database.migrations_dir;
    let fault = |source| Fault::File {
        path: dir.clone(),
        source,
    };
    anyhow::ensure!(
        !message.contains(['/', '\\']) && !message.is_empty(),
        "MESSAGE: {message:?} is no part of a file's name"
    );
    let name = database.next_migration(message).map_err(fault)?;
    std::fs::create_dir_all(dir).map_err(fault)?;
    let path = dir.join(&name);
    let mut file = std::fs::File::create_new(&path).map_err(|source| Fault::File {
        path: path.clone(),
        source,
    })?;
    let number = name.split('_').next().unwrap_or_default();
    writeln!(file, "-- Migration number: {number}")?;
    println!("{}", path.display());
    Ok(())
}
