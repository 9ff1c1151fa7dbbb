//! `outboard r2`: objects of buckets for people.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::folder::{NewFile, keeper};
use crate::cli::{BucketArgs, R2};
use crate::config;
use crate::errands::{Buckets, Errand, Keeper, R2Errand, Session};

#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("FILE: {}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
}

impl Fault {
    fn of(path: &Path) -> impl Fn(io::Error) -> Self {
        move |source| Self::File {
            path: path.into(),
            source,
        }
    }
}

pub(super) fn run(command: &R2) -> anyhow::Result<()> {
    match command {
        R2::List {
            bucket: None,
            store,
            ..
        } => print(R2Errand::Buckets, store),
        R2::List {
            bucket: Some(bucket),
            prefix,
            store,
        } => {
            let (bucket, prefix) = (bucket.clone(), prefix.clone());
            print(R2Errand::List { bucket, prefix }, store)
        }
        R2::Get {
            bucket,
            key,
            file,
            store,
        } => {
            let (bucket, key) = (bucket.clone(), key.clone());
            let errand = R2Errand::Get { bucket, key };
            match file {
                None => print(errand, store),
                Some(path) => get(errand, path, store),
            }
        }
        R2::Put {
            bucket,
            key,
            file,
            content_type,
            store,
        } => {
            let source = match file {
                Some(path) => File::open(path).map_err(Fault::of(path))?,
                None => standard_input().context("the standard input")?,
            };
            let errand = R2Errand::Put {
                bucket: bucket.clone(),
                key: key.clone(),
                content_type: content_type.clone(),
                size: source.metadata()?.len(),
            };
            let mut out = io::stdout().lock();
            run_errand(errand, store, Box::new(source), &mut out)
        }
        R2::Delete {
            bucket,
            keys,
            store,
        } => {
            let (bucket, keys) = (bucket.clone(), keys.clone());
            print(R2Errand::Delete { bucket, keys }, store)
        }
    }
}

fn print(errand: R2Errand, store: &BucketArgs) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    run_errand(errand, store, Box::new(io::empty()), &mut out)?;
    Ok(out.flush()?)
}

fn get(errand: R2Errand, path: &Path, store: &BucketArgs) -> anyhow::Result<()> {
    let fault = Fault::of(path);
    let mut file = NewFile::beside(path).map_err(&fault)?;
    let got = run_errand(errand, store, Box::new(io::empty()), &mut file);
    if let Some(error) = file.fault() {
        return Err(fault(error).into());
    }
    got?;
    Ok(file.persist(path).map_err(fault)?)
}

/// Has it done in the folder that is meant, or does it with buckets on S3.
fn run_errand(
    errand: R2Errand,
    store: &BucketArgs,
    input: Box<dyn Read + Send>,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let Some(config) = &store.config else {
        let keeper: Keeper = keeper(&store.store)?;
        keeper.run_with(&Errand::R2(errand), input, out)?;
        return Ok(());
    };
    // What S3 answers is nowhere else.
    super::log_faults();
    let buckets = Buckets::OnS3 {
        places: config::load(config)?.buckets,
        config: config.clone(),
    };
    let session = Session {
        input,
        out,
        is_gone: &|| false,
    };
    super::command_runtime()?.block_on(errand.run_on(&buckets, session))
}

/// All of it, since a put says how long it is.
fn standard_input() -> io::Result<File> {
    use io::Seek;
    let mut file = tempfile::tempfile()?;
    io::copy(&mut io::stdin().lock(), &mut file)?;
    file.rewind()?;
    Ok(file)
}
