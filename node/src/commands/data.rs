//! `outboard data`: a store's objects for people.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use outboard_storage::{TransferError, rewrite};

use super::folder::{NewFile, folder, keeper};
use crate::cli::{Data, StoreArgs};
use crate::errands::{DataErrand, Errand, Keeper};

#[derive(Debug, thiserror::Error)]
enum DataError {
    #[error("FILE: {}: it is there already", .0.display())]
    FileThere(PathBuf),
    #[error("FILE: {}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("FILE: {}: {source}", path.display())]
    Transfer {
        path: PathBuf,
        source: TransferError,
    },
}

pub(super) fn run(command: &Data) -> anyhow::Result<()> {
    match command {
        Data::Ls(store) => print(DataErrand::Ls, store),
        Data::Check(store) => print(DataErrand::Check, store),
        Data::Export {
            object,
            file,
            at,
            store,
        } => {
            let (object, at) = (object.clone(), at.clone());
            export(DataErrand::Export { object, at }, file, store)
        }
        Data::Import {
            file,
            object,
            force,
            store,
        } => {
            let (object, force) = (object.clone(), *force);
            import(DataErrand::Import { object, force }, file, store)
        }
    }
}

fn print(errand: DataErrand, store: &StoreArgs) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    keeper(store)?.run(&Errand::Data(errand), &mut out)?;
    Ok(out.flush()?)
}

fn export(errand: DataErrand, path: &Path, store: &StoreArgs) -> anyhow::Result<()> {
    let fault = |source| DataError::File {
        path: path.into(),
        source,
    };
    let keeper = keeper(store)?;
    if path.exists() {
        return Err(DataError::FileThere(path.into()).into());
    }
    let mut file = NewFile::beside(path).map_err(fault)?;
    let written = keeper.run(&Errand::Data(errand), &mut file);
    if let Some(error) = file.fault() {
        return Err(fault(error).into());
    }
    written?;
    let bytes = file.length;
    file.persist(path).map_err(fault)?;
    println!("{} ({bytes} bytes)", path.display());
    Ok(())
}

fn import(errand: DataErrand, path: &Path, store: &StoreArgs) -> anyhow::Result<()> {
    let folder = folder(store)?;
    // Here, where what SQLite has beside the file is too.
    let scratch = tempfile::tempdir_in(&folder).context("--data")?;
    let database = scratch.path().join("database");
    rewrite(path, &database).map_err(|source| DataError::Transfer {
        path: path.into(),
        source,
    })?;
    let database = File::open(database).context("--data")?;
    let mut name = Vec::new();
    let keeper = Keeper::open(&folder)?;
    let warnings = keeper.run_with(&Errand::Data(errand), Box::new(database), &mut name)?;
    super::warn(&warnings);
    let name = String::from_utf8_lossy(&name);
    println!("{name} has the database of {}", path.display());
    Ok(())
}
