//! `outboard r2`: objects of buckets for people.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use bytes::{Bytes, BytesMut};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use outboard_runtime::{BodyError, HostBody};

use super::data::Opened;
use crate::cli::R2;
use crate::objects::{key_of, open_named};
use crate::resources::r2::{
    AskDelete, AskGet, AskList, AskPut, Bucket, Got, Item, KIND, R2Error, totals,
};

/// Bytes that are read of a file at a time.
const READ: usize = 256 << 10;

#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("BUCKET: there is no bucket {0:?}; `outboard r2 list` lists what is there")]
    NoBucket(String),
    #[error("KEY: {0:?}: there is no such object in the bucket")]
    NoObject(String),
    #[error("KEY: {0}")]
    Refused(R2Error),
    #[error("BUCKET: {0}; `outboard data check` may say more")]
    Index(R2Error),
    #[error("FILE: {}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
}

pub(super) fn run(command: &R2) -> anyhow::Result<()> {
    let runtime = super::command_runtime()?;
    match command {
        R2::List {
            bucket: None,
            store,
            ..
        } => list_buckets(&Opened::open(store)?),
        R2::List {
            bucket: Some(bucket),
            prefix,
            store,
        } => {
            let opened = Opened::open(store)?;
            runtime.block_on(list(&opened, bucket, prefix))
        }
        R2::Get {
            bucket,
            key,
            file,
            store,
        } => {
            let opened = Opened::open(store)?;
            runtime.block_on(get(&opened, bucket, key, file.as_deref()))
        }
        R2::Put {
            bucket,
            key,
            file,
            content_type,
            store,
        } => {
            let opened = Opened::open(store)?;
            let content_type = content_type.as_deref();
            runtime.block_on(put(&opened, bucket, key, file.as_deref(), content_type))
        }
        R2::Delete {
            bucket,
            keys,
            store,
        } => {
            let opened = Opened::open(store)?;
            runtime.block_on(delete(&opened, bucket, keys))
        }
    }
}

fn list_buckets(opened: &Opened) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    for (key, bucket) in opened.named(KIND) {
        let (objects, bytes) = totals(opened.store.object(key)?).map_err(Fault::Index)?;
        writeln!(out, "{objects:>12} {bytes:>16}  {bucket}")?;
    }
    Ok(())
}

async fn list(opened: &Opened, bucket: &str, prefix: &str) -> anyhow::Result<()> {
    let bucket = open(opened, bucket).await?;
    let mut out = io::stdout().lock();
    let mut cursor = None;
    loop {
        let ask = AskList {
            prefix: prefix.into(),
            cursor,
            ..AskList::default()
        };
        let page = bucket.list(ask).await.map_err(Fault::Refused)?;
        for item in page.items {
            if let Item::Object(row) = item {
                writeln!(out, "{:>12}  {}  {}", row.size, row.etag, shown(&row.key))?;
            }
        }
        cursor = page.cursor;
        if cursor.is_none() {
            return Ok(());
        }
    }
}

/// A key on one line.
fn shown(key: &str) -> String {
    match key.chars().any(char::is_control) {
        true => format!("{key:?}"),
        false => key.into(),
    }
}

async fn get(opened: &Opened, bucket: &str, key: &str, file: Option<&Path>) -> anyhow::Result<()> {
    let bucket = open(opened, bucket).await?;
    let ask = AskGet {
        object: key.into(),
        ..AskGet::default()
    };
    let mut body = match bucket.get(&ask).await {
        Ok(Got::Found(_, _, reading)) => reading.into_body(),
        Ok(Got::Refused(_)) => unreachable!("nothing was asked that can be refused"),
        Err(R2Error::NoSuchKey) => return Err(Fault::NoObject(key.into()).into()),
        Err(error) => return Err(Fault::Refused(error).into()),
    };
    let Some(path) = file else {
        return copy(&mut body, &mut io::stdout().lock()).await;
    };
    let fault = |source| Fault::File {
        path: path.into(),
        source,
    };
    let parent = path.parent().filter(|parent| *parent != Path::new(""));
    let mut scratch =
        tempfile::NamedTempFile::new_in(parent.unwrap_or(Path::new("."))).map_err(fault)?;
    copy(&mut body, scratch.as_file_mut()).await?;
    scratch
        .persist_noclobber(path)
        .map_err(|error| fault(error.error))?;
    Ok(())
}

async fn copy(body: &mut HostBody, out: &mut impl Write) -> anyhow::Result<()> {
    while let Some(frame) = body.frame().await {
        if let Ok(bytes) = frame?.into_data() {
            out.write_all(&bytes)?;
        }
    }
    Ok(out.flush()?)
}

async fn put(
    opened: &Opened,
    bucket: &str,
    key: &str,
    file: Option<&Path>,
    content_type: Option<&str>,
) -> anyhow::Result<()> {
    let source = match file {
        Some(path) => File::open(path).map_err(|source| Fault::File {
            path: path.into(),
            source,
        })?,
        None => standard_input().context("the standard input")?,
    };
    let size = source.metadata()?.len();
    let bucket = make(opened, bucket).await?;
    let mut ask = AskPut {
        object: key.into(),
        ..AskPut::default()
    };
    ask.attributes.http_fields.content_type = content_type.map(Into::into);
    let row = bucket.put(ask, body_of(source), size).await;
    let row = row.map_err(Fault::Refused)?;
    println!("{:>12}  {}  {}", row.size, row.etag, shown(&row.key));
    Ok(())
}

/// All of it, since a put says how long it is.
fn standard_input() -> io::Result<File> {
    use io::Seek;
    let mut file = tempfile::tempfile()?;
    io::copy(&mut io::stdin().lock(), &mut file)?;
    file.rewind()?;
    Ok(file)
}

fn body_of(mut source: File) -> HostBody {
    let chunks = std::iter::from_fn(move || {
        let mut buffer = BytesMut::zeroed(READ);
        match source.read(&mut buffer) {
            Ok(0) => None,
            Ok(count) => {
                buffer.truncate(count);
                Some(Ok(Frame::data(Bytes::from(buffer))))
            }
            Err(error) => Some(Err(BodyError(error.to_string()))),
        }
    });
    StreamBody::new(futures::stream::iter(chunks)).boxed_unsync()
}

async fn delete(opened: &Opened, bucket: &str, keys: &[String]) -> anyhow::Result<()> {
    let bucket = open(opened, bucket).await?;
    for key in keys {
        match bucket.head(key).await {
            Ok(_) => {}
            Err(R2Error::NoSuchKey) => return Err(Fault::NoObject(key.clone()).into()),
            Err(error) => return Err(Fault::Refused(error).into()),
        }
    }
    let ask = AskDelete {
        object: None,
        objects: keys.to_vec(),
    };
    bucket.delete(ask).await.map_err(Fault::Refused)?;
    Ok(())
}

/// A bucket that is there.
async fn open(opened: &Opened, bucket: &str) -> anyhow::Result<Arc<Bucket>> {
    if !opened.exists(key_of(KIND, bucket))? {
        return Err(Fault::NoBucket(bucket.into()).into());
    }
    make(opened, bucket).await
}

/// The same, made if it is new.
async fn make(opened: &Opened, bucket: &str) -> anyhow::Result<Arc<Bucket>> {
    let database = open_named(&opened.store, opened.catalogue.as_ref(), KIND, bucket)?;
    let bucket = Bucket::open(database, opened.folder(), bucket).await;
    Ok(bucket.map_err(Fault::Index)?)
}
