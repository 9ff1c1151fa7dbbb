//! Objects of buckets, for people.

use std::io::{Read, Write};
use std::path::PathBuf;

use bytes::{Bytes, BytesMut};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use outboard_runtime::{BodyError, HostBody};
use serde::{Deserialize, Serialize};

use super::Session;
use super::folder::Folder;
use crate::objects::key_of;
use crate::resources::r2::{
    AnyBucket, AskDelete, AskGet, AskList, AskPut, Got, Item, KIND, Place, R2Error, S3Bucket,
    totals,
};

/// Bytes that are read of a value at a time.
const READ: usize = 256 << 10;

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum R2Errand {
    /// Lists buckets.
    Buckets,
    List {
        bucket: String,
        prefix: String,
    },
    /// Gives the value.
    Get {
        bucket: String,
        key: String,
    },
    /// Comes with the value.
    Put {
        bucket: String,
        key: String,
        content_type: Option<String>,
        size: u64,
    },
    Delete {
        bucket: String,
        keys: Vec<String>,
    },
}

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
}

/// The buckets that are meant.
pub(crate) enum Buckets<'a> {
    /// Those of a folder.
    Here(&'a Folder),
    /// Those of a config that are on S3.
    OnS3 {
        places: Vec<(String, Place)>,
        config: PathBuf,
    },
}

impl Buckets<'_> {
    /// A bucket that is there.
    async fn bucket(&self, name: &str) -> anyhow::Result<AnyBucket> {
        if let Self::Here(folder) = self
            && !folder.exists(key_of(KIND, name))?
        {
            return Err(Fault::NoBucket(name.into()).into());
        }
        self.make(name).await
    }

    /// The same, made if it is new; on S3 others make buckets.
    async fn make(&self, name: &str) -> anyhow::Result<AnyBucket> {
        match self {
            Self::Here(folder) => {
                let bucket = folder.bucket(name).await;
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

impl R2Errand {
    /// Does it with buckets of a folder.
    pub(super) fn run(&self, folder: &Folder, session: Session<'_>) -> anyhow::Result<()> {
        folder.block_on(self.run_on(&Buckets::Here(folder), session))
    }

    pub(crate) async fn run_on(
        &self,
        buckets: &Buckets<'_>,
        session: Session<'_>,
    ) -> anyhow::Result<()> {
        match self {
            Self::Buckets => list_buckets(buckets, session.out),
            Self::List { bucket, prefix } => {
                list(&buckets.bucket(bucket).await?, prefix, session.out).await
            }
            Self::Get { bucket, key } => {
                get(&buckets.bucket(bucket).await?, key, session.out).await
            }
            Self::Put {
                bucket,
                key,
                content_type,
                size,
            } => {
                let bucket = buckets.make(bucket).await?;
                let mut ask = AskPut {
                    object: key.clone(),
                    ..AskPut::default()
                };
                ask.attributes.http_fields.content_type = content_type.clone();
                let row = bucket.put(ask, body_of(session.input), *size).await;
                let row = row.map_err(Fault::Refused)?;
                let key = shown(&row.key);
                Ok(writeln!(
                    session.out,
                    "{:>12}  {}  {key}",
                    row.size, row.etag
                )?)
            }
            Self::Delete { bucket, keys } => delete(&buckets.bucket(bucket).await?, keys).await,
        }
    }
}

fn list_buckets(buckets: &Buckets<'_>, out: &mut dyn Write) -> anyhow::Result<()> {
    let folder = match buckets {
        Buckets::Here(folder) => folder,
        Buckets::OnS3 { places, .. } => {
            for (name, place) in places {
                writeln!(out, "{place}  {name}")?;
            }
            return Ok(());
        }
    };
    for (key, bucket) in folder.names().of_kind(KIND) {
        let index = folder.look(key)?;
        let totals = totals(index.connection());
        let (objects, bytes) = totals.map_err(|_damaged| Fault::Index(R2Error::Internal))?;
        writeln!(out, "{objects:>12} {bytes:>16}  {bucket}")?;
    }
    Ok(())
}

async fn list(bucket: &AnyBucket, prefix: &str, out: &mut dyn Write) -> anyhow::Result<()> {
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

async fn get(bucket: &AnyBucket, key: &str, out: &mut dyn Write) -> anyhow::Result<()> {
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
    while let Some(frame) = body.frame().await {
        if let Ok(bytes) = frame?.into_data() {
            out.write_all(&bytes)?;
        }
    }
    Ok(())
}

fn body_of(mut source: Box<dyn Read + Send>) -> HostBody {
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

async fn delete(bucket: &AnyBucket, keys: &[String]) -> anyhow::Result<()> {
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
