//! `d1_databases`: the names that `env` has SQL databases by.

use std::path::{Component, Path, PathBuf};

use super::names::{Names, filled, required};
use super::{Checker, Document, Field, Section};
use crate::D1Database;

const MIGRATIONS_DIR: &str = "migrations";
const MIGRATIONS_TABLE: &str = "d1_migrations";
const MIGRATIONS: &str = "*.sql";

/// `own` is the worker's name; paths are relative to `root`.
pub(super) fn databases<'a>(
    checker: &mut Checker<'a>,
    document: &Document<'a>,
    own: &str,
    root: &Path,
    taken: &mut Names,
) -> Vec<D1Database> {
    let items = document
        .field("d1_databases")
        .filter(|field| !field.node.value.is_empty())
        .and_then(|field| checker.list(&field));
    let items = items.unwrap_or_default().into_iter();
    items
        .filter_map(|item| database(checker, item, own, root, taken))
        .collect()
}

fn database<'a>(
    checker: &mut Checker<'a>,
    item: Field<'a>,
    own: &str,
    root: &Path,
    taken: &mut Names,
) -> Option<D1Database> {
    let section = checker.section(&item)?;
    checker.only_known(
        &section,
        &[
            "binding",
            "database_name",
            "database_id",
            "preview_database_id",
            "database_internal_env",
            "migrations_dir",
            "migrations_table",
            "migrations_pattern",
            "remote",
        ],
    );
    let binding = required(checker, &item, &section, "binding", "a database");
    let mut text = |name| {
        let field = section.field(name)?;
        filled(checker, &field)
    };
    let name = text("database_name");
    let id = text("database_id");
    // Databases of previews are Cloudflare's; here `dev` has a folder of its own.
    text("preview_database_id");
    let table = text("migrations_table");
    let dir = text("migrations_dir");
    let pattern = text("migrations_pattern").zip(section.field("migrations_pattern"));
    if let Some(field) = section.field("remote")
        && checker.boolean(&field) == Some(true)
    {
        checker.fault(&field, "Outboard keeps databases itself alone");
    }
    let dir = dir.unwrap_or(MIGRATIONS_DIR);
    let pattern = match pattern {
        None => MIGRATIONS.to_owned(),
        Some((pattern, field)) => below(checker, &section, dir, pattern, &field)?,
    };
    let (field, binding) = binding?;
    taken.claim(checker, &field, binding, &item);
    let id = id.or(name).map_or_else(
        || format!("{own}-{}", binding.to_lowercase().replace('_', "-")),
        str::to_owned,
    );
    Some(D1Database {
        binding: binding.to_owned(),
        id,
        name: name.map(str::to_owned),
        migrations_dir: root.join(plain(dir)),
        migrations_pattern: pattern,
        migrations_table: table.unwrap_or(MIGRATIONS_TABLE).to_owned(),
    })
}

/// The pattern relative to the folder of the migrations, which it has to be in.
fn below<'a>(
    checker: &mut Checker<'a>,
    section: &Section<'a>,
    dir: &str,
    pattern: &str,
    field: &Field<'a>,
) -> Option<String> {
    if section.field("migrations_dir").is_none() {
        checker.fault(field, "needs a \"migrations_dir\" that it begins with");
        return None;
    }
    let below = plain(pattern).strip_prefix(plain(dir)).map(Path::to_owned);
    match below {
        Ok(pattern) if pattern != Path::new("") => Some(pattern.display().to_string()),
        _ => {
            let message = format!("must begin with the folder of \"migrations_dir\": \"{dir}/\"");
            checker.fault(field, message);
            None
        }
    }
}

/// A path without `./`.
fn plain(path: &str) -> PathBuf {
    let parts = Path::new(path).components();
    parts.filter(|part| *part != Component::CurDir).collect()
}
