//! The node's cache behind `caches` in workers' scripts: in memory, one for all
//! lanes, each worker with a share that no other sees.

mod conditional;
mod policy;
mod store;

use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, HeaderName};
use http::{HeaderValue, Response};
use http_body::Body;
use http_body_util::BodyExt;
use outboard_runtime::{
    BodyError, CacheAnswer, CacheOperation, CacheRequest, FetchError, HostBody, full_body,
};

pub(crate) use store::Store;
use store::{Entry, Key};

/// The largest body that is kept. Larger ones are read to their end and let go.
const LARGEST: usize = 16 << 20;

const STATUS: HeaderName = HeaderName::from_static("cf-cache-status");
const HIT: HeaderValue = HeaderValue::from_static("HIT");

/// Does as a script asks.
pub(crate) async fn answer(store: Store, asked: CacheRequest) -> Result<CacheAnswer, FetchError> {
    let CacheRequest {
        worker,
        cache,
        request,
        operation,
    } = asked;
    let key = Key {
        worker,
        cache,
        url: request.uri().to_string(),
    };
    let now = SystemTime::now();
    match operation {
        CacheOperation::Match => Ok(match store.get(&key, now) {
            Some(entry) => CacheAnswer::Found(found(&entry, request.headers(), now)),
            None => CacheAnswer::Missing,
        }),
        CacheOperation::Delete => Ok(if store.remove(&key, now) {
            CacheAnswer::Done
        } else {
            CacheAnswer::Missing
        }),
        CacheOperation::Put(response) => {
            put(&store, key, response, now).await?;
            Ok(CacheAnswer::Done)
        }
    }
}

async fn put(
    store: &Store,
    key: Key,
    response: Response<HostBody>,
    now: SystemTime,
) -> Result<(), FetchError> {
    let (head, body) = response.into_parts();
    let mut headers = head.headers;
    let lifetime = policy::lifetime(head.status, &mut headers, now);
    let limit = lifetime.map_or(0, |_| LARGEST);
    let Some(body) = collect(body, limit).await? else {
        // Not kept. What was stored before is not what the worker means now.
        store.remove(&key, now);
        return Ok(());
    };
    let Some(lifetime) = lifetime.filter(|lifetime| *lifetime > Duration::ZERO) else {
        store.remove(&key, now);
        return Ok(());
    };
    headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    let entry = Entry {
        status: head.status,
        headers,
        body,
        stored: now,
        expires: now + lifetime,
    };
    store.insert(key, entry);
    Ok(())
}

/// A body of at most `limit` bytes; none of a longer one, which is read all the
/// same: the script may be writing it.
async fn collect(mut body: HostBody, limit: usize) -> Result<Option<Bytes>, FetchError> {
    let hint = body
        .size_hint()
        .exact()
        .and_then(|n| usize::try_from(n).ok());
    let mut kept = hint
        .is_none_or(|length| length <= limit)
        .then(|| BytesMut::with_capacity(hint.unwrap_or(0)));
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error: BodyError| FetchError {
            message: error.to_string(),
        })?;
        if let (Some(bytes), Some(data)) = (&mut kept, frame.data_ref()) {
            if bytes.len() + data.len() > limit {
                kept = None;
            } else {
                bytes.extend_from_slice(data);
            }
        }
    }
    Ok(kept.map(BytesMut::freeze))
}

fn found(entry: &Entry, asked: &http::HeaderMap, now: SystemTime) -> Response<HostBody> {
    let (status, headers, body) = conditional::answer(entry, asked);
    let mut response = Response::new(full_body(body));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    let age = now.duration_since(entry.stored).unwrap_or_default();
    let headers = response.headers_mut();
    headers.insert(http::header::AGE, HeaderValue::from(age.as_secs()));
    headers.insert(STATUS, HIT);
    response
}

#[cfg(test)]
mod tests;
