//! A bucket of either kind, asked in the same way.

use std::sync::Arc;

use outboard_runtime::HostBody;

use super::bucket::{Bucket, Got};
use super::error::R2Error;
use super::index::Row;
use super::list::Page;
use super::protocol::{
    AskAbort, AskComplete, AskDelete, AskGet, AskList, AskPart, AskPut, AskUpload,
};
use super::s3;

#[derive(Clone)]
pub(crate) enum AnyBucket {
    /// In the node's store, with bytes in its folder.
    Here(Arc<Bucket>),
    S3(Arc<s3::Bucket>),
}

impl AnyBucket {
    pub(crate) async fn head(&self, key: &str) -> Result<Row, R2Error> {
        match self {
            Self::Here(bucket) => bucket.head(key).await,
            Self::S3(bucket) => bucket.head(key).await,
        }
    }

    pub(crate) async fn get(&self, ask: &AskGet) -> Result<Got, R2Error> {
        match self {
            Self::Here(bucket) => bucket.get(ask).await,
            Self::S3(bucket) => bucket.get(ask).await,
        }
    }

    pub(crate) async fn put(&self, ask: AskPut, body: HostBody, size: u64) -> Result<Row, R2Error> {
        match self {
            Self::Here(bucket) => bucket.put(ask, body, size).await,
            Self::S3(bucket) => bucket.put(ask, body, size).await,
        }
    }

    pub(crate) async fn delete(&self, ask: AskDelete) -> Result<(), R2Error> {
        match self {
            Self::Here(bucket) => bucket.delete(ask).await,
            Self::S3(bucket) => bucket.delete(ask).await,
        }
    }

    pub(crate) async fn list(&self, ask: AskList) -> Result<Page<Row>, R2Error> {
        match self {
            Self::Here(bucket) => bucket.list(ask).await,
            Self::S3(bucket) => bucket.list(ask).await,
        }
    }

    pub(super) async fn begin_upload(&self, ask: AskUpload) -> Result<String, R2Error> {
        match self {
            Self::Here(bucket) => bucket.begin_upload(ask).await,
            Self::S3(bucket) => bucket.begin_upload(ask).await,
        }
    }

    pub(super) async fn put_part(
        &self,
        ask: AskPart,
        body: HostBody,
        size: u64,
    ) -> Result<String, R2Error> {
        match self {
            Self::Here(bucket) => bucket.put_part(ask, body, size).await,
            Self::S3(bucket) => bucket.put_part(ask, body, size).await,
        }
    }

    pub(super) async fn complete(&self, ask: AskComplete) -> Result<Row, R2Error> {
        match self {
            Self::Here(bucket) => bucket.complete(ask).await,
            Self::S3(bucket) => bucket.complete(ask).await,
        }
    }

    pub(super) async fn abort(&self, ask: AskAbort) -> Result<(), R2Error> {
        match self {
            Self::Here(bucket) => bucket.abort(ask).await,
            Self::S3(bucket) => bucket.abort(ask).await,
        }
    }
}
