//! `outboard r2`: objects of buckets for people.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use bytes::{Bytes, BytesMut};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use outboard_runtime::{BodyError, HostBody};

use super::data::Opened;
use crate::cli::{BucketArgs, R2};
use crate::config;
use crate::objects::{key_of, open_named};
use crate::resources::r2::{
    AnyBucket, AskDelete, AskGet, AskList, AskPut, Bucket, Got, Item, KIND, Place, R2Error,
    S3Bucket, totals,
};

/// Bytes that are read of a file at a time.
const READ: usize = 256 << 10;

#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("BUCKET: there is no bucket {0:?}; `outboard r2 list` lists what is there")]
    NoBucket(String),
    #[error("BUCKET: {}: there is no [[r2]] with the name {name:?}", config.display())]
    NotOnS3 { name: String, config: PathBuf },
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
        } => list_buckets(&Buckets::open(store)?),
        R2::List {
            bucket: Some(bucket),
            prefix,
            store,
        } => {
            let buckets = Buckets::open(store)?;
            runtime.block_on(list(&buckets, bucket, prefix))
        }
        R2::Get {
            bucket,
            key,
            file,
            store,
        } => {
            let buckets = Buckets::open(store)?;
            runtime.block_on(get(&buckets, bucket, key, file.as_deref()))
        }
        R2::Put {
            bucket,
            key,
            file,
            content_type,
            store,
        } => {
            let buckets = Buckets::open(store)?;
            let content_type = content_type.as_deref();
            runtime.block_on(put(&buckets, bucket, key, file.as_deref(), content_type))
        }
        R2::Delete {
            bucket,
            keys,
            store,
        } => {
            let buckets = Buckets::open(store)?;
            runtime.block_on(delete(&buckets, bucket, keys))
        }
    }
}

/// The buckets that are meant.
enum Buckets {
    /// Those of a folder.
    Here(Box<Opened>),
    /// Those of a config that are on S3.
    OnS3 {
        places: Vec<(String, Place)>,
        config: PathBuf,
    },
}

impl Buckets {
    fn open(args: &BucketArgs) -> anyhow::Result<Self> {
        let Some(config) = &args.config else {
            return Ok(Self::Here(Box::new(Opened::open(&args.store)?)));
        };
        // What S3 answers is nowhere else.
        super::log_faults();
        Ok(Self::OnS3 {
            places: config::load(config)?.buckets,
            config: config.clone(),
        })
    }

    /// A bucket that is there.
    async fn bucket(&self, name: &str) -> anyhow::Result<AnyBucket> {
        if let Self::Here(opened) = self
            && !opened.exists(key_of(KIND, name))?
        {
            return Err(Fault::NoBucket(name.into()).into());
        }
        self.make(name).await
    }

    /// The same, made if it is new; on S3 others make buckets.
    async fn make(&self, name: &str) -> anyhow::Result<AnyBucket> {
        match self {
            Self::Here(opened) => {
                let database = open_named(&opened.store, opened.catalogue.as_ref(), KIND, name)?;
                let bucket = Bucket::open(database, opened.folder(), name).await;
                Ok(AnyBucket::Here(bucket.map_err(Fault::Index)?))
            }
            Self::OnS3 { places, config } => {
                let place = places.iter().find(|(other, _)| other == name);
                let (_, place) = place.ok_or_else(|| Fault::NotOnS3 {
                    name: name.into(),
                    config: config.clone(),
                })?;
                Ok(AnyBucket::S3(S3Bucket::new(name, place.clone())))
            }
        }
    }
}

fn list_buckets(buckets: &Buckets) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    let opened = match buckets {
        Buckets::Here(opened) => opened,
        Buckets::OnS3 { places, .. } => {
            for (name, place) in places {
                writeln!(out, "{place}  {name}")?;
            }
            return Ok(());
        }
    };
    for (key, bucket) in opened.named(KIND) {
        let (objects, bytes) = totals(opened.store.object(key)?).map_err(Fault::Index)?;
        writeln!(out, "{objects:>12} {bytes:>16}  {bucket}")?;
    }
    Ok(())
}

async fn list(buckets: &Buckets, bucket: &str, prefix: &str) -> anyhow::Result<()> {
    let bucket = buckets.bucket(bucket).await?;
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

async fn get(
    buckets: &Buckets,
    bucket: &str,
    key: &str,
    file: Option<&Path>,
) -> anyhow::Result<()> {
    let bucket = buckets.bucket(bucket).await?;
    let ask = AskGet {
        object: key.into(),
        ..AskGet::default()
    };
    let mut body = match bucket.get(&ask).await {
        Ok(Got::Found(_, _, body)) => body,
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
    buckets: &Buckets,
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
    let bucket = buckets.make(bucket).await?;
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

async fn delete(buckets: &Buckets, bucket: &str, keys: &[String]) -> anyhow::Result<()> {
    let bucket = buckets.bucket(bucket).await?;
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
