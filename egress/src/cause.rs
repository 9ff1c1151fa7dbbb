//! Reading errors that have other errors inside them.

use std::error::Error;
use std::io;

/// The error and its causes, also those that `Error::source` steps over: what
/// an `io::Error` wraps, and an `h2::Error` that is one of I/O.
fn causes<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| {
        if let Some(inner) = error.downcast_ref().and_then(io::Error::get_ref) {
            return Some(inner as &(dyn Error + 'static));
        }
        if let Some(inner) = error.downcast_ref().and_then(h2::Error::get_io) {
            return Some(inner);
        }
        error.source()
    })
}

/// The innermost cause of a type.
pub(crate) fn find<'e, T: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e T> {
    causes(error)
        .filter_map(|cause| cause.downcast_ref())
        .last()
}

/// What the innermost cause says.
pub(crate) fn root(error: &(dyn Error + 'static)) -> String {
    causes(error)
        .last()
        .map_or_else(String::new, ToString::to_string)
}

/// Whether a cause is that the connection ended or was lost, rather than that
/// something wrong came over it.
pub(crate) fn is_lost(error: &(dyn Error + 'static)) -> bool {
    find::<io::Error>(error).is_some_and(|error| {
        matches!(
            error.kind(),
            io::ErrorKind::UnexpectedEof
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::BrokenPipe
                | io::ErrorKind::NotConnected
                | io::ErrorKind::TimedOut
                | io::ErrorKind::HostUnreachable
                | io::ErrorKind::NetworkUnreachable
        )
    })
}
