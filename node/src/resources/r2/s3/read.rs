//! Reading an object: as it was when the reading began, or not to its end.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use http::header::{IF_MATCH, RANGE};
use http::{HeaderValue, Method, Response, StatusCode};
use outboard_egress::ResponseBody;

use super::super::bucket::{Got, check_key, no_ssec};
use super::super::condition;
use super::super::error::R2Error;
use super::super::protocol::{AskGet, Conditional, ToldRange};
use super::super::range;
use super::super::read::Reading;
use super::client::{Call, S3Error, Store, next};
use super::{Bucket, ROUNDS, metadata, quoted};

/// How often the rest of an object is asked for, where an answer was cut.
const RESUMES: u32 = 3;
const PAUSE: Duration = Duration::from_millis(200);

impl Bucket {
    /// The object and the bytes that are asked for.
    pub(crate) async fn get(&self, ask: &AskGet) -> Result<Got, R2Error> {
        check_key(&ask.object)?;
        if ask.ssec.is_some() {
            return Err(no_ssec());
        }
        let key = self.key(&ask.object)?;
        let only_if = ask.only_if.as_ref();
        let only_if = only_if.filter(|only_if| **only_if != Conditional::default());
        if only_if.is_none() && ask.range.is_none() && ask.range_header.is_none() {
            return self.get_all(&ask.object, key).await;
        }
        for _ in 0..ROUNDS {
            let row = self.head(&ask.object).await?;
            let there = Some((row.etag.as_str(), row.uploaded));
            if only_if.is_some_and(|only_if| !condition::holds(only_if, there)) {
                return Ok(Got::Refused(row));
            }
            let range = range::of(ask.range, ask.range_header.as_deref(), row.size)?;
            let fetching = Fetching {
                store: self.store.clone(),
                key: key.clone(),
                etag: row.etag.clone(),
                at: range.offset,
                end: range.offset + range.length,
                size: row.size,
                body: None,
                resumes: RESUMES,
            };
            match fetching.begin().await {
                Ok(fetching) => {
                    let body = Reading::of(fetching.chunks(), range.length).into_body();
                    return Ok(Got::Found(row, range, body));
                }
                // Another was put in its place since it was looked at, or it went.
                Err(error) if error.is_conflict() => {}
                Err(error) => return Err(self.fault("get", error)),
            }
        }
        let bucket = self.name.as_str();
        tracing::error!(bucket, "an object changes faster than it can be read");
        Err(R2Error::Internal)
    }

    /// All of it, in one request.
    async fn get_all(&self, name: &str, key: String) -> Result<Got, R2Error> {
        let opened = async {
            let call = Call::new(Method::GET, key.as_str());
            let (head, body) = self.store.send(call).await?.into_parts();
            let row = metadata::row(name, &head.headers, None)?;
            Ok((row, body))
        };
        let (row, body) = opened.await.map_err(|error| self.fault("get", error))?;
        let fetching = Fetching {
            store: self.store.clone(),
            key,
            etag: row.etag.clone(),
            at: 0,
            end: row.size,
            size: row.size,
            body: Some(body),
            resumes: RESUMES,
        };
        let range = ToldRange {
            offset: 0,
            length: row.size,
        };
        let body = Reading::of(fetching.chunks(), row.size).into_body();
        Ok(Got::Found(row, range, body))
    }
}

/// Bytes of an object that are on their way.
struct Fetching {
    store: Store,
    key: String,
    etag: String,
    at: u64,
    end: u64,
    /// The object's.
    size: u64,
    body: Option<ResponseBody>,
    resumes: u32,
}

impl Fetching {
    /// Asks for what is left, of the same object.
    async fn begin(mut self) -> Result<Self, S3Error> {
        if self.at < self.end {
            self.body = Some(self.open().await?.into_body());
        }
        Ok(self)
    }

    async fn open(&self) -> Result<Response<ResponseBody>, S3Error> {
        let mut call = Call::new(Method::GET, self.key.as_str());
        call.headers.insert(IF_MATCH, quoted(&self.etag)?);
        let part = self.at > 0 || self.end < self.size;
        if part {
            let range = format!("bytes={}-{}", self.at, self.end - 1);
            let range = HeaderValue::try_from(range);
            let range = range.map_err(|_| S3Error::Document("a range is no header".into()))?;
            call.headers.insert(RANGE, range);
        }
        let answer = self.store.send(call).await?;
        if part && answer.status() != StatusCode::PARTIAL_CONTENT {
            let why = "it answers with all bytes where some were asked for";
            return Err(S3Error::Document(why.into()));
        }
        Ok(answer)
    }

    fn chunks(self) -> BoxStream<'static, io::Result<Bytes>> {
        let next = |mut fetching: Self| async move {
            let chunk = fetching.next().await.map_err(io::Error::other)?;
            Ok(chunk.map(|chunk| (chunk, fetching)))
        };
        futures::stream::try_unfold(self, next).boxed()
    }

    async fn next(&mut self) -> Result<Option<Bytes>, S3Error> {
        while self.at < self.end {
            let cut = match &mut self.body {
                None => S3Error::Cut("the connection is gone".into()),
                Some(body) => match next(body).await {
                    Ok(Some(bytes)) => {
                        self.at += bytes.len() as u64;
                        return Ok(Some(bytes));
                    }
                    Ok(None) => S3Error::Cut("it has fewer bytes than it said".into()),
                    Err(error) => error,
                },
            };
            if self.resumes == 0 {
                return Err(cut);
            }
            self.resumes -= 1;
            self.body = None;
            tracing::debug!(error = %cut, "the rest of an object is asked for again");
            tokio::time::sleep(PAUSE).await;
            self.body = Some(self.open().await?.into_body());
        }
        Ok(None)
    }
}
