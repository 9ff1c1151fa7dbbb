//! KV: namespaces of keys and values, each a database of the node's store, asked in
//! the protocol of Workers' own KV.

mod entries;
mod namespace;
mod options;

use std::sync::Arc;
use std::time::Duration;

use http::header::CONTENT_LENGTH;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use outboard_runtime::{HostBody, full_body};

pub(crate) use self::namespace::{Found, KIND, MOST, Namespace, PutError, now};
use self::options::{BulkGet, check_bulk_get, check_get, check_list, key_of, parameters};
pub(crate) use self::options::{Head, Refusal, check_key, check_put};
use super::answer::{refused, unavailable};
use super::database::DatabaseError;
use super::open::Open;
use crate::objects::NodeObjects;

/// How many entries a list has at most, and if nobody says.
pub(crate) const MOST_LISTED: u32 = 1_000;

/// Bytes of what asks for several keys: as many as can be asked for, each character
/// escaped.
const MOST_ASKED: usize = 1 << 20;

/// Bytes of what several keys come to.
const MOST_BULK: u64 = 25 << 20;

const METADATA: &str = "cf-kv-metadata";
const EXPIRATION: &str = "cf-expiration";

/// How often what has expired is deleted; nobody sees it until then.
const SWEEP_EVERY: Duration = Duration::from_secs(30);

/// The node's namespaces, each open once it was asked for.
pub(crate) struct Namespaces {
    objects: Arc<NodeObjects>,
    open: Open<Namespace>,
}

impl Namespaces {
    pub(super) fn new(objects: Arc<NodeObjects>) -> Self {
        let open = Open::new();
        Self { objects, open }
    }

    /// What a request to the namespace `id`, which a worker is bound to, comes to.
    pub(super) async fn answer(&self, id: &str, request: Request<HostBody>) -> Response<HostBody> {
        match self.open(id).await {
            Ok(namespace) => answer(&namespace, request).await,
            Err(error) => unavailable(&error),
        }
    }

    pub(super) async fn open(&self, id: &str) -> Result<Namespace, DatabaseError> {
        let open = || Namespace::open(self.objects.clone(), id);
        self.open.get(id, open).await
    }

    /// Deletes what has expired, and what crashes left, until the future is dropped.
    pub(super) async fn sweep_often(&self) {
        loop {
            tokio::time::sleep(SWEEP_EVERY).await;
            for (id, namespace) in self.open.all() {
                if let Err(error) = namespace.sweep().await {
                    tracing::warn!(%error, namespace = id, "a namespace's expired entries stay for now");
                }
            }
        }
    }
}

/// What a request to a namespace comes to.
async fn answer(namespace: &Namespace, request: Request<HostBody>) -> Response<HostBody> {
    let (head, body) = request.into_parts();
    let query = parameters(head.uri.query());
    let path = head.uri.path();
    let answered = match head.method {
        Method::GET if path == "/" => list(namespace, &query).await,
        Method::GET => get(namespace, path, &query).await,
        Method::POST if path == "/bulk/get" => get_many(namespace, body).await,
        Method::PUT => put(namespace, path, &query, &head.headers, body).await,
        Method::DELETE => delete(namespace, path, &query).await,
        _ => Err(Failure::Refused(Refusal::method())),
    };
    answered.unwrap_or_else(|failure| match failure {
        Failure::Refused(Refusal { status, message }) => refused(status, &message),
        Failure::Database(error) => unavailable(&error),
    })
}

enum Failure {
    Refused(Refusal),
    Database(DatabaseError),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<DatabaseError> for Failure {
    fn from(error: DatabaseError) -> Self {
        Self::Database(error)
    }
}

type Parameters = [(String, String)];

async fn get(
    namespace: &Namespace,
    path: &str,
    query: &Parameters,
) -> Result<Response<HostBody>, Failure> {
    let key = key_of(path, query)?;
    check_get(&key, query)?;
    let found = namespace.get(vec![key]).await?.pop().flatten();
    let Some(found) = found else {
        return Err(Refusal::new(StatusCode::NOT_FOUND, "Not Found").into());
    };
    let mut response = Response::new(full_body(""));
    let headers = response.headers_mut();
    headers.insert(CONTENT_LENGTH, found.length.into());
    if let Some(expires) = found.expires {
        headers.insert(EXPIRATION, expires.into());
    }
    // It was a header's value when it came.
    let metadata = found.metadata.as_deref().map(str::as_bytes);
    if let Some(Ok(metadata)) = metadata.map(HeaderValue::from_bytes) {
        headers.insert(METADATA, metadata);
    }
    *response.body_mut() = found.into_body();
    Ok(response)
}

async fn put(
    namespace: &Namespace,
    path: &str,
    query: &Parameters,
    headers: &http::HeaderMap,
    body: HostBody,
) -> Result<Response<HostBody>, Failure> {
    let key = key_of(path, query)?;
    let metadata = headers.get(METADATA).map(HeaderValue::as_bytes);
    let head = check_put(key, query, metadata, now())?;
    match namespace.put(head, body).await {
        Ok(()) => Ok(Response::new(full_body(""))),
        Err(PutError::Database(error)) => Err(error.into()),
        Err(error @ PutError::TooLong(_)) => {
            Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, error.to_string()).into())
        }
        Err(error @ PutError::Body(_)) => {
            Err(Refusal::new(StatusCode::BAD_REQUEST, error.to_string()).into())
        }
    }
}

async fn delete(
    namespace: &Namespace,
    path: &str,
    query: &Parameters,
) -> Result<Response<HostBody>, Failure> {
    let key = key_of(path, query)?;
    check_key(&key)?;
    namespace.delete(key).await?;
    Ok(Response::new(full_body("")))
}

async fn list(namespace: &Namespace, query: &Parameters) -> Result<Response<HostBody>, Failure> {
    let options = check_list(query)?;
    let listed = namespace
        .list(options.prefix, options.after, options.limit)
        .await?;
    let (keys, more) = listed;
    let names = keys.iter().map(|listed| {
        let mut line = serde_json::Map::new();
        line.insert("name".into(), listed.name.as_str().into());
        if let Some(expires) = listed.expires {
            line.insert("expiration".into(), expires.into());
        }
        if let Some(metadata) = &listed.metadata {
            // JSON in JSON, as the class takes it.
            line.insert("metadata".into(), metadata.as_str().into());
        }
        serde_json::Value::Object(line)
    });
    let mut answer = serde_json::Map::new();
    answer.insert("keys".into(), names.collect());
    answer.insert("list_complete".into(), (!more).into());
    if let Some(last) = keys.last().filter(|_| more) {
        answer.insert("cursor".into(), options::cursor(&last.name).into());
    }
    let json = serde_json::Value::Object(answer).to_string();
    Ok(Response::new(full_body(json)))
}

/// Answers one JSON object, by key.
async fn get_many(namespace: &Namespace, body: HostBody) -> Result<Response<HostBody>, Failure> {
    let asked = Limited::new(body, MOST_ASKED).collect().await;
    let asked = asked.map_err(|error| Refusal::bad_request(error.to_string()))?;
    let BulkGet {
        keys,
        json,
        with_metadata,
    } = check_bulk_get(&asked.to_bytes())?;
    let found = namespace.get(keys.clone()).await?;
    let mut left = MOST_BULK;
    let mut answer = String::from("{");
    for (key, found) in keys.iter().zip(found) {
        if answer.len() > 1 {
            answer.push(',');
        }
        answer.push_str(&quoted(key));
        answer.push(':');
        let Some(found) = found else {
            answer.push_str("null");
            continue;
        };
        left = left
            .checked_sub(found.length)
            .ok_or_else(Refusal::bulk_too_large)?;
        let metadata = found.metadata.clone();
        let value = value_text(found, json).await?;
        if with_metadata {
            let metadata = metadata.as_deref().unwrap_or("null");
            answer.push_str(&format!("{{\"value\":{value},\"metadata\":{metadata}}}"));
        } else {
            answer.push_str(&value);
        }
    }
    answer.push('}');
    Ok(Response::new(full_body(answer)))
}

/// A value as JSON: its text, or what it says where it is JSON itself.
async fn value_text(found: Found, json: bool) -> Result<String, Failure> {
    let read = found.into_body().collect().await;
    let read =
        read.map_err(|error| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    let bytes = read.to_bytes();
    let text = String::from_utf8_lossy(&bytes);
    if !json {
        return Ok(quoted(&text));
    }
    match serde_json::from_str::<serde::de::IgnoredAny>(&text) {
        Ok(_) => Ok(text.into_owned()),
        Err(_) => Err(Refusal::bad_request(
            "At least one of the requested keys corresponds to a non-json value",
        )
        .into()),
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
