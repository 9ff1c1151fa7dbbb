//! `outboard d1`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Subcommand)]
pub(crate) enum D1 {
    /// Run SQL on a database, all of it or nothing
    Execute {
        /// The binding, name or id of a database of the project
        database: String,
        #[command(flatten)]
        sql: Sql,
        /// Print results as JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        place: Place,
    },
    /// List, apply and begin migrations: files of SQL that are applied once each
    #[command(subcommand)]
    Migrations(Migrations),
    /// Write a database as SQL, or as a file that sqlite3 opens
    Export {
        /// The binding, name or id of a database of the project
        database: String,
        /// The file to write; it must not be there yet [default: standard output]
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
        /// Only these tables
        #[arg(long, value_name = "NAME", conflicts_with = "sqlite")]
        table: Vec<String>,
        /// Only rows
        #[arg(long, conflicts_with_all = ["sqlite", "no_data"])]
        no_schema: bool,
        /// Only tables, indexes, triggers and views
        #[arg(long, conflicts_with = "sqlite")]
        no_data: bool,
        /// A SQLite database instead of SQL
        #[arg(long, requires = "output")]
        sqlite: bool,
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Sql {
    /// Statements, with `;` between them
    #[arg(long, value_name = "SQL")]
    pub(crate) command: Option<String>,
    /// A file of statements
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
}

#[derive(Subcommand)]
pub(crate) enum Migrations {
    /// List the migrations that are yet to be applied
    List {
        /// The binding, name or id of a database of the project
        database: String,
        #[command(flatten)]
        place: Place,
    },
    /// Apply them in order, each as a whole or not at all
    Apply {
        /// The binding, name or id of a database of the project
        database: String,
        #[command(flatten)]
        place: Place,
    },
    /// Make a file for the next one
    Create {
        /// The binding, name or id of a database of the project
        database: String,
        /// What it does, in a few words
        message: String,
        #[command(flatten)]
        place: Place,
    },
}

/// Where the project and its databases are.
#[derive(Args)]
pub(crate) struct Place {
    /// The project's folder
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) dir: PathBuf,
    /// The environment of the wrangler configuration to use
    #[arg(long, short, value_name = "NAME")]
    pub(crate) env: Option<String>,
    /// Where databases are kept [default: .outboard in the project's folder]
    #[arg(long, value_name = "FOLDER")]
    pub(crate) data: Option<PathBuf>,
    /// The tenant of a node whose database it is, for what was deployed
    #[arg(long, value_name = "NAME", requires = "data")]
    pub(crate) tenant: Option<String>,
}
