//! A database as SQL that makes it anew.

use std::io::{self, Write};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};
use serde::{Deserialize, Serialize};

use crate::errands::folder::Look;
use crate::resources::d1::{identifier, literal};

/// What is written of it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Dump {
    /// None: all.
    pub(crate) tables: Vec<String>,
    pub(crate) schema: bool,
    pub(crate) data: bool,
}

#[derive(Debug, thiserror::Error)]
enum DumpError {
    #[error("--table: there is no table {0:?}")]
    NoTable(String),
    #[error(
        "{0:?} is a virtual table, which SQL does not hold; --sqlite writes the database as it is"
    )]
    Virtual(String),
}

/// Writing stops inside of what reads.
enum Stop {
    Sql(rusqlite::Error),
    Write(io::Error),
}

impl From<rusqlite::Error> for Stop {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Write(error)
    }
}

struct Table {
    name: String,
    sql: String,
}

impl Dump {
    pub(super) fn write(&self, database: &Look, out: &mut dyn Write) -> anyhow::Result<()> {
        let connection = database.connection();
        let tables = tables(connection).map_err(|error| database.explain(error))?;
        let is_there = |name: &&String| tables.iter().any(|table| table.name == **name);
        if let Some(name) = self.tables.iter().find(|name| !is_there(name)) {
            return Err(DumpError::NoTable(name.clone()).into());
        }
        let tables = tables.into_iter().filter(|table| self.has(&table.name));
        let tables: Vec<_> = tables.collect();
        let is_virtual = |table: &&Table| table.sql.starts_with("CREATE VIRTUAL TABLE");
        if let Some(table) = tables.iter().find(is_virtual) {
            return Err(DumpError::Virtual(table.name.clone()).into());
        }
        // Rows come before what they refer to.
        writeln!(out, "PRAGMA defer_foreign_keys=TRUE;")?;
        match self.rows(connection, &tables, out) {
            Err(Stop::Sql(error)) => Err(database.explain(error).into()),
            Err(Stop::Write(error)) => Err(error.into()),
            Ok(()) => Ok(()),
        }
    }

    fn has(&self, name: &str) -> bool {
        self.tables.is_empty() || self.tables.iter().any(|table| table == name)
    }

    fn rows(
        &self,
        connection: &Connection,
        tables: &[Table],
        out: &mut dyn Write,
    ) -> Result<(), Stop> {
        // All of them before any row, whose parents may be in a later one.
        let own = tables
            .iter()
            .filter(|table| !table.name.starts_with("sqlite_"));
        for Table { sql, .. } in own.filter(|_| self.schema) {
            writeln!(out, "{sql};")?;
        }
        for Table { name, .. } in tables.iter().filter(|_| self.data) {
            // SQLite's own have to be there, and what they have by then is not this.
            if name == "sqlite_sequence" {
                writeln!(out, "DELETE FROM sqlite_sequence;")?;
            } else if name.starts_with("sqlite_stat") {
                writeln!(out, "ANALYZE sqlite_schema;\nDELETE FROM {name};")?;
            }
            table(connection, name, out)?;
        }
        if self.schema {
            self.rest(connection, out)?;
        }
        Ok(())
    }

    /// What tables have beside rows: views first, which triggers may be of.
    fn rest(&self, connection: &Connection, out: &mut dyn Write) -> Result<(), Stop> {
        let mut statement = connection.prepare(
            "SELECT name, tbl_name, sql FROM sqlite_schema
             WHERE sql NOT NULL AND type IN ('index', 'trigger', 'view')
             ORDER BY type DESC, rowid",
        )?;
        let mut rows = statement.query(())?;
        while let Some(row) = rows.next()? {
            let (name, of, sql): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
            if self.has(&name) || self.has(&of) {
                writeln!(out, "{sql};")?;
            }
        }
        Ok(())
    }
}

fn tables(connection: &Connection) -> rusqlite::Result<Vec<Table>> {
    let mut statement = connection.prepare(
        "SELECT name, sql FROM sqlite_schema
         WHERE type = 'table' AND sql NOT NULL AND name NOT LIKE '\\_cf\\_%' ESCAPE '\\'
         ORDER BY tbl_name = 'sqlite_sequence', rowid",
    )?;
    let table = |row: &Row<'_>| {
        Ok(Table {
            name: row.get(0)?,
            sql: row.get(1)?,
        })
    };
    statement.query_map((), table)?.collect()
}

fn table(connection: &Connection, name: &str, out: &mut dyn Write) -> Result<(), Stop> {
    // Without what is generated.
    let mut info = connection.prepare("SELECT name FROM pragma_table_info(?)")?;
    let columns = info.query_map((name,), |row| row.get(0))?;
    let columns: Vec<String> = columns.collect::<rusqlite::Result<_>>()?;
    let columns: Vec<_> = columns.iter().map(|name| identifier(name)).collect();
    let columns = columns.join(", ");
    let name = identifier(name);
    let mut statement = connection.prepare(&format!("SELECT {columns} FROM {name}"))?;
    let width = statement.column_count();
    let mut rows = statement.query(())?;
    while let Some(row) = rows.next()? {
        write!(out, "INSERT INTO {name} ({columns}) VALUES (")?;
        for column in 0..width {
            if column > 0 {
                write!(out, ", ")?;
            }
            value(out, row.get_ref(column)?)?;
        }
        writeln!(out, ");")?;
    }
    Ok(())
}

fn value(out: &mut dyn Write, value: ValueRef<'_>) -> io::Result<()> {
    match value {
        ValueRef::Null => write!(out, "NULL"),
        ValueRef::Integer(number) => write!(out, "{number}"),
        ValueRef::Real(number) if number.is_infinite() => {
            write!(out, "{}9e999", if number < 0.0 { "-" } else { "" })
        }
        // The shortest that is read as the same, and not as a whole number.
        ValueRef::Real(number) => write!(out, "{number:?}"),
        ValueRef::Text(text) => match std::str::from_utf8(text) {
            // SQL ends at a NUL.
            Ok(text) if !text.contains('\0') => write!(out, "{}", literal(text)),
            _ => {
                write!(out, "CAST(")?;
                blob(out, text)?;
                write!(out, " AS TEXT)")
            }
        },
        ValueRef::Blob(bytes) => blob(out, bytes),
    }
}

fn blob(out: &mut dyn Write, bytes: &[u8]) -> io::Result<()> {
    write!(out, "X'")?;
    for byte in bytes {
        write!(out, "{byte:02X}")?;
    }
    write!(out, "'")
}
