//! What a bucket answers where it cannot do as it is asked: Workers' words and codes.

use http::StatusCode;
use outboard_storage::{LogError, ObjectError};

use super::digest::{Algorithm, hex};

#[derive(Debug, thiserror::Error)]
pub(crate) enum R2Error {
    /// What went wrong is in the node's log.
    #[error("We encountered an internal error. Please try again.")]
    Internal,
    /// The log's own words: the disk is full, or behind.
    #[error("{0}")]
    Log(LogError),
    #[error("The disk is full: there is no room for the value.")]
    Full,
    #[error("The specified key does not exist.")]
    NoSuchKey,
    #[error("The specified object name is not valid.")]
    ObjectName,
    #[error("Your proposed upload exceeds the maximum allowed object size.")]
    TooLarge,
    #[error("Your proposed upload is smaller than the minimum allowed object size.")]
    TooSmall,
    #[error("Your metadata headers exceed the maximum allowed metadata size.")]
    MetadataTooLarge,
    #[error("MaxKeys params must be positive integer <= 1000.")]
    MaxKeys,
    #[error("The specified multipart upload does not exist.")]
    NoSuchUpload,
    #[error("One or more of the specified parts could not be found.")]
    InvalidPart,
    #[error("There was a problem with the multipart upload.")]
    BadUpload,
    #[error("At least one of the pre-conditions you specified did not hold.")]
    Precondition,
    #[error("The requested range is not satisfiable")]
    Range,
    #[error("{0}")]
    Argument(String),
    #[error("The request's body ended before its Content-Length, or goes on after it.")]
    Incomplete,
    /// Bytes that were to come did not, with why.
    #[error("The value could not be read: {0}")]
    Body(String),
    #[error(
        "The {name} checksum you specified did not match what we received.\n\
         You provided a {name} checksum with value: {asked}\n\
         Actual {name} was: {found}"
    )]
    Digest {
        name: &'static str,
        asked: String,
        found: String,
    },
}

impl R2Error {
    pub(crate) fn digest(algorithm: Algorithm, asked: &[u8], found: &[u8]) -> Self {
        Self::Digest {
            name: algorithm.name(),
            asked: hex(asked),
            found: hex(found),
        }
    }

    /// HTTP's status, and the code of Workers.
    pub(crate) fn codes(&self) -> (StatusCode, u32) {
        let refused = |code| (StatusCode::BAD_REQUEST, code);
        match self {
            Self::Internal | Self::Log(_) | Self::Full => {
                (StatusCode::INTERNAL_SERVER_ERROR, 10001)
            }
            Self::NoSuchKey => (StatusCode::NOT_FOUND, 10007),
            Self::TooSmall => refused(10011),
            Self::MetadataTooLarge => refused(10012),
            Self::Incomplete | Self::Body(_) => refused(10013),
            Self::ObjectName => refused(10020),
            Self::MaxKeys => refused(10022),
            Self::NoSuchUpload => (StatusCode::NOT_FOUND, 10024),
            Self::InvalidPart => refused(10025),
            Self::Argument(_) => refused(10029),
            Self::Precondition => (StatusCode::PRECONDITION_FAILED, 10031),
            Self::Digest { .. } => refused(10037),
            Self::Range => (StatusCode::RANGE_NOT_SATISFIABLE, 10039),
            Self::BadUpload => refused(10048),
            Self::TooLarge => refused(100_100),
        }
    }
}

impl From<ObjectError> for R2Error {
    fn from(error: ObjectError) -> Self {
        match error {
            ObjectError::Log(error) => error.into(),
            error => {
                tracing::error!(%error, "a bucket's index failed");
                Self::Internal
            }
        }
    }
}

impl From<LogError> for R2Error {
    fn from(error: LogError) -> Self {
        Self::Log(error)
    }
}

impl From<std::io::Error> for R2Error {
    fn from(error: std::io::Error) -> Self {
        tracing::error!(%error, "the bytes of R2 objects cannot be written");
        Self::Internal
    }
}
