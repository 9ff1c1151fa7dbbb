//! Answers that say why not. The classes show a script the status line's words.

use http::{Response, StatusCode};
use hyper::ext::ReasonPhrase;
use outboard_runtime::{HostBody, full_body};
use outboard_storage::{LogError, ObjectError};

use super::database::DatabaseError;

/// An answer whose status line says `message`.
pub(super) fn refused(status: StatusCode, message: &str) -> Response<HostBody> {
    let mut response = Response::new(full_body(message.to_string()));
    *response.status_mut() = status;
    if let Ok(reason) = ReasonPhrase::try_from(message.as_bytes()) {
        response.extensions_mut().insert(reason);
    }
    response
}

/// What a script may know of a database that gave no answer: not where the node
/// keeps its files.
pub(super) fn unavailable(error: &DatabaseError) -> Response<HostBody> {
    match error {
        DatabaseError::Busy
        | DatabaseError::Object(ObjectError::Log(LogError::Full | LogError::Overloaded { .. })) => {
            refused(StatusCode::SERVICE_UNAVAILABLE, &error.to_string())
        }
        _ => {
            tracing::error!(%error, "a resource's database failed");
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            refused(status, status.canonical_reason().unwrap_or_default())
        }
    }
}
