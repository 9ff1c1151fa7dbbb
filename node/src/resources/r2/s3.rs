//! A bucket whose objects are in a store that speaks S3. A key there is the prefix of
//! the bucket's URL and the key, so that other tools see the same objects.
//!
//! Nothing of it is kept here: what S3 answers is what is told, and of writes that
//! expect something S3 is the judge, by `If-Match` and `If-None-Match`.

mod client;
mod credentials;
mod list;
mod metadata;
mod place;
mod read;
mod write;
mod xml;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::{HeaderMap, HeaderValue, Method, StatusCode};

use self::client::{Call, Part, Payload, S3Error, Store, body_fault};
pub(crate) use self::place::{Place, Written};
use super::bucket::{check_key, keys_to_delete};
use super::condition;
use super::error::R2Error;
use super::index::Row;
use super::protocol::{AskDelete, Conditional};

/// How often a write or a read is begun anew because somebody else wrote meanwhile.
const ROUNDS: usize = 8;

/// What is done, in the log.
const PUT: &str = "put";

pub(crate) struct Bucket {
    /// What workers call it.
    name: String,
    store: Store,
    /// Whether it was there once: HEAD does not tell an object that is not there from a
    /// bucket that is not.
    known: AtomicBool,
}

impl Bucket {
    pub(crate) fn new(name: &str, place: Place) -> Arc<Self> {
        Arc::new(Self {
            name: name.into(),
            store: Store::new(place),
            known: AtomicBool::new(false),
        })
    }

    pub(crate) fn place(&self) -> &Place {
        self.store.place()
    }

    pub(crate) async fn head(&self, key: &str) -> Result<Row, R2Error> {
        self.find(key).await?.ok_or(R2Error::NoSuchKey)
    }

    pub(crate) async fn delete(&self, ask: AskDelete) -> Result<(), R2Error> {
        let keys = keys_to_delete(ask)?;
        let keys: Vec<_> = keys
            .iter()
            .map(|key| self.key(key))
            .collect::<Result<_, _>>()?;
        // A key that no document of XML can have goes alone, and so does the only one.
        let odd = |c: char| c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}');
        let (alone, together): (Vec<_>, Vec<_>) =
            keys.into_iter().partition(|key| key.chars().any(odd));
        let (alone, together) = match together.len() {
            1 => (alone.into_iter().chain(together).collect(), Vec::new()),
            _ => (alone, together),
        };
        for key in &alone {
            match self
                .store
                .send(Call::new(Method::DELETE, key.as_str()))
                .await
            {
                Err(error) if error.code() == "NoSuchKey" => {}
                deleted => drop(deleted.map_err(|error| self.fault("delete", error))?),
            }
        }
        if together.is_empty() {
            return Ok(());
        }
        let document = xml::deletion(together.iter().map(String::as_str));
        let call = Call::new(Method::POST, None)
            .query("delete", "")
            .payload(Payload::Bytes(Part::of(vec![document.into()])));
        let deleted = async {
            let (_, answer) = self.store.ask(call).await?;
            match xml::first_undeleted(&answer)? {
                None => Ok(()),
                Some((code, message)) => Err(S3Error::Refused {
                    status: StatusCode::BAD_REQUEST,
                    code,
                    message,
                }),
            }
        };
        deleted.await.map_err(|error| self.fault("delete", error))
    }

    /// The key in S3.
    fn key(&self, key: &str) -> Result<String, R2Error> {
        check_key(key)?;
        // Who reads a URL takes such a part for a step, and with it its signature.
        if key.split('/').any(|part| matches!(part, "." | "..")) {
            return Err(R2Error::Argument(
                "A key in S3 has no part \".\" or \"..\".".into(),
            ));
        }
        let key = format!("{}{key}", self.place().prefix);
        check_key(&key)?;
        Ok(key)
    }

    /// What is there.
    async fn find(&self, key: &str) -> Result<Option<Row>, R2Error> {
        let there = self.key(key)?;
        let call = Call::new(Method::HEAD, there.as_str());
        let found = async {
            let answer = self.store.send(call).await?;
            metadata::row(key, answer.headers(), None)
        };
        match found.await {
            Ok(row) => {
                self.known.store(true, Ordering::Relaxed);
                Ok(Some(row))
            }
            Err(error) if error.status() == Some(StatusCode::NOT_FOUND) => {
                self.check_bucket().await?;
                Ok(None)
            }
            Err(error) => Err(self.fault("head", error)),
        }
    }

    /// Refuses a bucket that is not there, once.
    async fn check_bucket(&self) -> Result<(), R2Error> {
        if self.known.load(Ordering::Relaxed) {
            return Ok(());
        }
        match self.store.send(Call::new(Method::HEAD, None)).await {
            Err(error) if error.status() == Some(StatusCode::NOT_FOUND) => {
                let error = S3Error::Refused {
                    status: StatusCode::NOT_FOUND,
                    code: "NoSuchBucket".into(),
                    message: "there is no such bucket".into(),
                };
                Err(self.fault("head", error))
            }
            // One that may be used is not always one that may be looked at.
            Ok(_) | Err(S3Error::Refused { .. }) => {
                self.known.store(true, Ordering::Relaxed);
                Ok(())
            }
            Err(error) => Err(self.fault("head", error)),
        }
    }

    /// What a write has to find so that the conditions hold, as they do now.
    async fn expect(&self, key: &str, only_if: Option<&Conditional>) -> Result<Expected, R2Error> {
        let Some(only_if) = only_if else {
            return Ok(Expected::Anything);
        };
        let found = self.find(key).await?;
        let seen = found.as_ref().map(|row| (row.etag.as_str(), row.uploaded));
        if !condition::holds(only_if, seen) {
            return Err(R2Error::Precondition);
        }
        Ok(found.map_or(Expected::Nothing, |row| Expected::Etag(row.etag)))
    }

    /// R2's error for one of S3's. What a worker can do nothing about is logged.
    fn fault(&self, did: &'static str, error: S3Error) -> R2Error {
        if let Some(fault) = body_fault(&error) {
            return fault;
        }
        match error.code() {
            "NoSuchKey" => return R2Error::NoSuchKey,
            // One of a put's own is nobody's business.
            "NoSuchUpload" if did != PUT => return R2Error::NoSuchUpload,
            "InvalidPart" => return R2Error::InvalidPart,
            "InvalidPartOrder" => return R2Error::BadUpload,
            "EntityTooSmall" => return R2Error::TooSmall,
            "EntityTooLarge" => return R2Error::TooLarge,
            "MetadataTooLarge" => return R2Error::MetadataTooLarge,
            "KeyTooLongError" | "XMinioInvalidObjectName" => return R2Error::ObjectName,
            "InvalidRange" => return R2Error::Range,
            "InvalidStorageClass" => {
                let why = "The store has no storage class that is like it.";
                return R2Error::Argument(why.into());
            }
            _ => {}
        }
        let (bucket, s3) = (self.name.as_str(), self.place().bucket.as_str());
        tracing::error!(bucket, s3, did, %error, "a bucket on S3 failed");
        R2Error::Internal
    }
}

/// What a write has to find.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Expected {
    Anything,
    Nothing,
    Etag(String),
}

impl Expected {
    fn add_to(&self, headers: &mut HeaderMap) -> Result<(), S3Error> {
        match self {
            Self::Anything => {}
            Self::Nothing => {
                headers.insert(http::header::IF_NONE_MATCH, HeaderValue::from_static("*"));
            }
            Self::Etag(etag) => {
                headers.insert(http::header::IF_MATCH, quoted(etag)?);
            }
        }
        Ok(())
    }
}

fn quoted(etag: &str) -> Result<HeaderValue, S3Error> {
    HeaderValue::try_from(format!("\"{etag}\""))
        .map_err(|_| S3Error::Document("an etag has characters that none has".into()))
}
