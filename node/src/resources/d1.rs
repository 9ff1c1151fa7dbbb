//! D1: SQL databases, and the protocol in which bindings ask them.
//!
//! A database is a SQLite database of the node's store. Its queries run on a thread
//! of its own ([`Databases`]), since they may take long; a request's are one
//! transaction ([`Database`]), and its answer leaves when that is durable.

mod database;
mod databases;
mod query;
mod rows;

use std::sync::Arc;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt, Limited};
use outboard_runtime::{HostBody, full_body};

pub(crate) use self::database::{Database, Deadline, Results};
pub(crate) use self::databases::Databases;
use self::query::read;
pub(crate) use self::query::{Query, Script, Work, identifier, literal};
pub(crate) use self::rows::Format;

/// What the store's databases of this kind are called by.
pub(crate) const KIND: &str = "d1";

/// A session's bookmark, both ways.
const TOKEN: HeaderName = HeaderName::from_static("x-cf-d1-session-commit-token");

/// A request's bytes: the values of a batch, each a byte of a blob up to four.
const MOST_REQUEST: usize = 64 << 20;

/// Why queries did nothing; the words are D1's, and the script's to see.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum D1Error {
    /// What SQLite says of a statement.
    #[error("{0}")]
    Sql(String),
    #[error("No SQL statements detected.")]
    NoStatement,
    /// The database's queue, the node's threads, or its memory for requests.
    #[error("D1 DB is overloaded. Too many requests queued.")]
    QueueFull,
    #[error("D1 DB is overloaded. Requests queued for too long.")]
    QueuedTooLong,
    #[error("D1 DB storage operation exceeded timeout which caused object to be reset.")]
    TooSlow,
    #[error("D1 DB exceeded its memory limit and was reset.")]
    TooLarge,
    /// The store cannot keep what it was given, or give what it keeps.
    #[error("Internal error in D1 DB storage caused object to be reset: {0}")]
    Storage(String),
    #[error("Network connection lost.")]
    Lost,
}

/// Answers a request of a binding's to the database `id`.
pub(crate) async fn answer(
    databases: Arc<Databases>,
    id: String,
    request: Request<HostBody>,
) -> Response<HostBody> {
    let path = request.uri().path();
    if request.method() != Method::POST || !matches!(path, "/query" | "/execute" | "/dump") {
        return failure(StatusCode::NOT_FOUND, "Not found");
    }
    if path == "/dump" {
        let message = "dump() is for databases of D1's alpha; `outboard d1 export` writes one";
        return failure(StatusCode::BAD_REQUEST, message);
    }
    let format = Format::of(request.uri().query().unwrap_or_default());
    let Some(room) = databases.room(request.body().size_hint().upper()) else {
        return failure(StatusCode::OK, &D1Error::QueueFull.to_string());
    };
    let body = match Limited::new(request.into_body(), MOST_REQUEST)
        .collect()
        .await
    {
        Ok(body) => body.to_bytes(),
        Err(error) => return failure(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    let queries = match read(&body) {
        Ok(queries) => queries,
        Err(error) => return failure(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    drop(body);
    match databases
        .ask(&id, Work::Queries(queries), format, room)
        .await
    {
        Ok(results) => success(results),
        Err(error) => failure(StatusCode::OK, &error.to_string()),
    }
}

fn success(results: Results) -> Response<HostBody> {
    let mut response = json(results.json);
    // Digits are a header's value. There is one copy of a database, which has all of
    // every bookmark that comes back.
    if let Ok(value) = HeaderValue::try_from(results.bookmark) {
        response.headers_mut().insert(TOKEN, value);
    }
    response
}

fn failure(status: StatusCode, message: &str) -> Response<HostBody> {
    let told = serde_json::json!({ "success": false, "error": message });
    let mut response = json(told.to_string());
    *response.status_mut() = status;
    response
}

fn json(text: impl Into<Bytes>) -> Response<HostBody> {
    let mut response = Response::new(full_body(text));
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}
