//! SQL on D1 databases, and what they hold as SQL or as files, for people.

mod dump;

use std::io::{self, Read};

use outboard_runtime::sql::Meter;
use outboard_storage::ObjectKey;
use serde::{Deserialize, Serialize};

pub(crate) use self::dump::Dump;
use super::Session;
use super::folder::{Folder, MOST_MEMORY};
use crate::objects::key_of;
use crate::resources::d1::{D1Error, Format, KIND, Script};

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum D1Errand {
    /// Runs SQL as one transaction: comes with parts, each of statements, and gives a list
    /// with each statement's result, as JSON.
    Run {
        id: String,
        /// Bytes of the parts.
        parts: Vec<u64>,
        format: Format,
    },
    /// Gives a database that is there.
    Export {
        /// What whoever asks calls it.
        name: String,
        id: String,
        form: Form,
    },
}

/// How a database is written.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Form {
    Sql(Dump),
    Sqlite,
}

#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("DATABASE: {0:?} is not there yet: nothing has asked it")]
    NotThere(String),
    #[error(
        "{length} bytes of SQL, of which a node runs {most} at once; split the file, or stop \
         `outboard dev` or `outboard serve` first"
    )]
    TooLong { length: u64, most: u64 },
    #[error(
        "the results are more than a node gives at once, 96 MiB; `outboard d1 export` writes a \
         database of any size"
    )]
    ManyResults,
}

impl D1Errand {
    pub(super) fn run(&self, folder: &Folder, session: Session<'_>) -> anyhow::Result<()> {
        match self {
            Self::Run { id, parts, format } => {
                let script = script(parts, folder.most_sql(), session.input)?;
                let results = folder.run_sql(id, script, *format, session.is_gone);
                let results = results.map_err(|error| match error.downcast_ref() {
                    Some(D1Error::TooLarge) => Fault::ManyResults.into(),
                    _ => error,
                })?;
                Ok(session.out.write_all(&results)?)
            }
            Self::Export { name, id, form } => {
                let key = key_of(KIND, id);
                if !folder.exists(key)? {
                    return Err(Fault::NotThere(name.clone()).into());
                }
                export(folder, key, form, session)
            }
        }
    }
}

fn script(parts: &[u64], most: u64, mut input: Box<dyn Read + Send>) -> anyhow::Result<Script> {
    let length = parts
        .iter()
        .fold(0_u64, |all, part| all.saturating_add(*part));
    if length > most {
        return Err(Fault::TooLong { length, most }.into());
    }
    let read = |length: &u64| {
        let mut part = String::new();
        let mut input = (&mut input).take(*length);
        input.read_to_string(&mut part).map(|_| part)
    };
    let script = Script(parts.iter().map(read).collect::<Result<_, _>>()?);
    // To its end: what comes then is that nobody waits.
    io::copy(&mut input, &mut io::sink())?;
    Ok(script)
}

fn export(
    folder: &Folder,
    key: ObjectKey,
    form: &Form,
    session: Session<'_>,
) -> anyhow::Result<()> {
    match form {
        Form::Sqlite => Ok(folder.write_to(key, session.out)?),
        // Columns that are calculated are scripts' expressions.
        Form::Sql(dump) => {
            let look = folder.look(key)?;
            Meter::default().run(Some(MOST_MEMORY), || dump.write(&look, session.out))
        }
    }
}
