//! R2: what a worker's `R2Bucket` asks, answered from the node's own storage or from
//! S3, in workerd's protocol.

mod any;
mod blobs;
mod bucket;
mod condition;
mod digest;
mod error;
mod index;
mod inspect;
mod kept;
mod list;
mod protocol;
mod range;
mod read;
mod s3;
mod upload;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Method, Request, Response};
use outboard_runtime::{HostBody, body_behind, empty_body, full_body, split_head};
use parking_lot::Mutex;
use serde::Serialize;
use tokio::sync::OnceCell;

pub(crate) use self::any::AnyBucket;
pub(crate) use self::bucket::{Bucket, Got};
pub(crate) use self::error::R2Error;
use self::index::Row;
pub(crate) use self::inspect::{blob_faults, totals};
pub(crate) use self::list::Item;
use self::list::Page;
use self::protocol::{Ask, Told, ToldList, ToldPart, ToldRange, ToldUpload};
pub(crate) use self::protocol::{AskDelete, AskGet, AskList, AskPut};
pub(crate) use self::s3::{Bucket as S3Bucket, Place, Written};
use crate::objects::NodeObjects;

/// What is asked, in a request without a body.
const REQUEST: HeaderName = HeaderName::from_static("cf-r2-request");
/// How many of a body's bytes are what is asked or told; the value is behind them.
const METADATA_SIZE: HeaderName = HeaderName::from_static("cf-r2-metadata-size");
const ERROR: HeaderName = HeaderName::from_static("cf-r2-error");

/// The most that a request says besides the value: a thousand keys, escaped.
const MOST_REQUEST: usize = 8 << 20;

/// Uploads have days.
const EXPIRE_EVERY: Duration = Duration::from_secs(60 * 60);

/// What the databases of buckets are in the catalogue, `r2/BUCKET`.
pub(crate) const KIND: &str = "r2";

/// The node's buckets, each opened when it is first asked for something.
pub(crate) struct Buckets {
    objects: Arc<NodeObjects>,
    open: Mutex<HashMap<String, Arc<OnceCell<Arc<Bucket>>>>>,
    /// Those that are not here but on S3.
    on_s3: Mutex<HashMap<String, Arc<S3Bucket>>>,
}

impl Buckets {
    pub(crate) fn new(objects: Arc<NodeObjects>) -> Self {
        Self {
            objects,
            open: Mutex::default(),
            on_s3: Mutex::default(),
        }
    }

    /// Makes these the buckets that are on S3, from now on.
    pub(crate) fn set_on_s3(&self, places: &[(String, Place)]) {
        let mut on_s3 = self.on_s3.lock();
        let buckets = places.iter().map(|(name, place)| {
            let as_before = on_s3.get(name).filter(|bucket| bucket.place() == place);
            let bucket = as_before.cloned();
            let bucket = bucket.unwrap_or_else(|| S3Bucket::new(name, place.clone()));
            (name.clone(), bucket)
        });
        *on_s3 = buckets.collect();
    }

    /// Answers a request to a bucket.
    pub(crate) async fn answer(
        &self,
        bucket: &str,
        request: Request<HostBody>,
    ) -> Response<HostBody> {
        let answered = async {
            let bucket = self.bucket(bucket).await?;
            answer(&bucket, request).await
        };
        answered
            .await
            .unwrap_or_else(|error| refusal(&error, empty_body()))
    }

    /// Looks through uploads for those that take too long, until the future is dropped.
    pub(super) async fn expire_often(&self) {
        loop {
            tokio::time::sleep(EXPIRE_EVERY).await;
            let cells: Vec<_> = self.open.lock().values().cloned().collect();
            for bucket in cells.iter().filter_map(|cell| cell.get()) {
                if let Err(error) = bucket.expire_uploads().await {
                    tracing::warn!(%error, "a bucket's abandoned uploads stay for now");
                }
            }
        }
    }

    async fn bucket(&self, name: &str) -> Result<AnyBucket, R2Error> {
        if let Some(bucket) = self.on_s3.lock().get(name) {
            return Ok(AnyBucket::S3(bucket.clone()));
        }
        self.here(name).await.map(AnyBucket::Here)
    }

    /// The bucket of this name that is not on S3.
    pub(super) async fn here(&self, name: &str) -> Result<Arc<Bucket>, R2Error> {
        let cell = self.open.lock().entry(name.into()).or_default().clone();
        let open = cell.get_or_try_init(|| async {
            let (objects, own) = (self.objects.clone(), name.to_string());
            let object = tokio::task::spawn_blocking(move || objects.database(KIND, &own));
            let object = object.await.map_err(|_ended| R2Error::Internal)?;
            // That a node keeps no data was told before.
            let object = object.ok_or(R2Error::Internal)??;
            let folder = self.objects.folder().ok_or(R2Error::Internal)?;
            Bucket::open(object, folder, name).await
        });
        open.await.cloned()
    }
}

async fn answer(
    bucket: &AnyBucket,
    request: Request<HostBody>,
) -> Result<Response<HostBody>, R2Error> {
    let (ask, value) = read(request).await?;
    match ask {
        Ask::Head { object } => {
            let row = bucket.head(&object).await?;
            let range = ToldRange {
                offset: 0,
                length: row.size,
            };
            told(&tell(row, Some(range)))
        }
        Ask::Get(ask) => match bucket.get(&ask).await? {
            Got::Found(row, range, body) => {
                let metadata = json(&tell(row, Some(range)))?;
                Ok(with_metadata(metadata, body))
            }
            Got::Refused(row) => {
                let range = ToldRange {
                    offset: 0,
                    length: row.size,
                };
                let metadata = json(&tell(row, Some(range)))?;
                let mut answer = refusal(&R2Error::Precondition, empty_body());
                let size = HeaderValue::from(metadata.len());
                answer.headers_mut().insert(METADATA_SIZE, size);
                *answer.body_mut() = full_body(metadata);
                Ok(answer)
            }
        },
        Ask::Put(ask) => {
            let row = bucket.put(*ask, value.body, value.size).await?;
            told(&tell(row, None))
        }
        Ask::List(ask) => {
            let include = ask.include.clone();
            let page = bucket.list(ask).await?;
            told(&tell_page(page, &include))
        }
        Ask::Delete(ask) => {
            bucket.delete(ask).await?;
            Ok(Response::new(empty_body()))
        }
        Ask::CreateMultipartUpload(ask) => {
            let upload_id = bucket.begin_upload(ask).await?;
            told(&ToldUpload { upload_id })
        }
        Ask::UploadPart(ask) => {
            let etag = bucket.put_part(ask, value.body, value.size).await?;
            told(&ToldPart { etag })
        }
        Ask::CompleteMultipartUpload(ask) => {
            let row = bucket.complete(ask).await?;
            told(&tell(row, None))
        }
        Ask::AbortMultipartUpload(ask) => {
            bucket.abort(ask).await?;
            Ok(Response::new(empty_body()))
        }
    }
}

/// The value of a request, whose length is known.
struct Value {
    body: HostBody,
    size: u64,
}

async fn read(request: Request<HostBody>) -> Result<(Ask, Value), R2Error> {
    let (head, body) = request.into_parts();
    let wrong = |what: &str| R2Error::Argument(format!("Metadata missing or invalid: {what}"));
    if head.method == Method::GET {
        let asked = head.headers.get(REQUEST).map(HeaderValue::as_bytes);
        let ask = serde_json::from_slice(asked.ok_or_else(|| wrong("no cf-r2-request"))?);
        let ask = ask.map_err(|error| wrong(&error.to_string()))?;
        let nothing = Value {
            body: empty_body(),
            size: 0,
        };
        return Ok((ask, nothing));
    }
    let number = |name: &HeaderName| {
        let text = head.headers.get(name)?.to_str().ok()?;
        text.parse::<u64>().ok()
    };
    let size = number(&METADATA_SIZE).and_then(|size| usize::try_from(size).ok());
    let size = size.filter(|size| *size <= MOST_REQUEST);
    let size = size.ok_or_else(|| wrong("no cf-r2-metadata-size"))?;
    let whole = number(&CONTENT_LENGTH).ok_or_else(|| wrong("no content-length"))?;
    let value_size = whole.checked_sub(size as u64);
    let value_size = value_size.ok_or_else(|| wrong("it is longer than the body"))?;
    let (metadata, body) = split_head(body, size)
        .await
        .map_err(|error| R2Error::Body(error.to_string()))?;
    let ask = serde_json::from_slice(&metadata).map_err(|error| wrong(&error.to_string()))?;
    let value = Value {
        body,
        size: value_size,
    };
    Ok((ask, value))
}

fn tell(row: Row, range: Option<ToldRange>) -> Told {
    Told {
        name: row.key,
        version: row.version,
        size: row.size,
        etag: row.etag,
        uploaded: row.uploaded,
        http_fields: Some(row.attributes.http),
        custom_fields: Some(row.attributes.custom),
        range,
        checksums: row.checksums.into_iter().collect(),
        storage_class: row.attributes.class,
    }
}

/// `include` has the numbers of what is asked for besides.
fn tell_page(page: Page<Row>, include: &[u16]) -> ToldList {
    let mut list = ToldList {
        truncated: page.cursor.is_some(),
        cursor: page.cursor,
        ..ToldList::default()
    };
    for item in page.items {
        match item {
            Item::Group(prefix) => list.delimited_prefixes.push(prefix),
            Item::Object(row) => {
                let mut told = tell(row, None);
                if !include.contains(&0) {
                    told.http_fields = None;
                }
                if !include.contains(&1) {
                    told.custom_fields = None;
                }
                list.objects.push(told);
            }
        }
    }
    list
}

fn json(value: &impl Serialize) -> Result<Bytes, R2Error> {
    let json = serde_json::to_vec(value).map_err(|error| {
        tracing::error!(%error, "an answer of R2 cannot be written");
        R2Error::Internal
    })?;
    Ok(json.into())
}

fn told(value: &impl Serialize) -> Result<Response<HostBody>, R2Error> {
    Ok(with_metadata(json(value)?, empty_body()))
}

fn with_metadata(metadata: Bytes, value: HostBody) -> Response<HostBody> {
    let size = HeaderValue::from(metadata.len());
    let mut answer = Response::new(body_behind(metadata, value));
    let headers = answer.headers_mut();
    headers.insert(METADATA_SIZE, size);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

fn refusal(error: &R2Error, body: HostBody) -> Response<HostBody> {
    let (status, code) = error.codes();
    let told = serde_json::json!({
        "version": 1, "v4code": code, "message": error.to_string(),
    });
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    // JSON may have one character that a header may not.
    let told = told.to_string().replace('\x7f', "\\u007f");
    if let Ok(told) = HeaderValue::from_bytes(told.as_bytes()) {
        answer.headers_mut().insert(ERROR, told);
    }
    answer
}
