//! What a client gets where no worker's answer can be given. Production says
//! little, in the codes that Cloudflare's errors have; `dev` says all.

use http::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use outboard_runtime::{EventError, ResponseBody, StartError};

/// How much a client is told of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    /// Message and stack: the client is the developer.
    Full,
    /// What a stranger may know.
    Terse,
}

/// The answer to a request that a worker failed.
pub(crate) fn failed(
    error: &EventError,
    request: &HeaderMap,
    detail: Detail,
) -> Response<ResponseBody> {
    let (status, title) = match error {
        EventError::CpuLimit { .. }
        | EventError::MemoryLimit { .. }
        | EventError::ResponseLimit { .. } => (
            StatusCode::SERVICE_UNAVAILABLE,
            "error code: 1102: Worker exceeded resource limits",
        ),
        EventError::WallLimit { .. } => {
            (StatusCode::GATEWAY_TIMEOUT, "Worker gave no answer in time")
        }
        EventError::IsolateLost { .. } => (
            StatusCode::SERVICE_UNAVAILABLE,
            "The worker was stopped while it served another request; try again",
        ),
        EventError::Overloaded { .. } | EventError::Start(StartError::Full { .. }) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "The worker is overloaded; try again",
        ),
        EventError::Exception(_)
        | EventError::Aborted { .. }
        | EventError::ObjectReset { .. }
        | EventError::Hung
        | EventError::NoHandler { .. }
        | EventError::NoEntrypoint { .. }
        | EventError::Start(_) => (StatusCode::INTERNAL_SERVER_ERROR, ""),
    };
    let mut response = match detail {
        // npm workerd's own answer to a failed handler, to the byte.
        Detail::Terse if title.is_empty() => plain(status, "Internal Server Error", false),
        Detail::Terse => plain(status, title, true),
        Detail::Full => page(status, error, request),
    };
    if matches!(
        error,
        EventError::Overloaded { .. } | EventError::IsolateLost { .. }
    ) {
        response
            .headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// A short text of the node's own.
pub(crate) fn plain(status: StatusCode, text: &str, typed: bool) -> Response<ResponseBody> {
    let mut response = Response::new(ResponseBody::Full(text.to_string().into()));
    *response.status_mut() = status;
    if typed {
        response.headers_mut().insert(
            CONTENT_TYPE,
            HeaderValue::from_static("text/plain;charset=UTF-8"),
        );
    }
    response
}

fn page(status: StatusCode, error: &EventError, request: &HeaderMap) -> Response<ResponseBody> {
    let text = error.to_string();
    let wants_html = request
        .get(ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"));
    if !wants_html {
        return plain(status, &text, true);
    }
    let (head, stack) = text.split_once('\n').unwrap_or((&text, ""));
    let html = format!(
        "<!doctype html><meta charset=utf-8><title>{head}</title>\
         <style>body{{font:16px/1.5 system-ui,sans-serif;margin:3rem auto;max-width:60rem;\
         padding:0 1rem;color-scheme:light dark}}h1{{font-size:1.2rem;color:#d33}}\
         pre{{overflow:auto;padding:1rem;border:1px solid #8884;border-radius:.5rem}}</style>\
         <h1>{head}</h1><pre>{stack}</pre>",
        head = escape(head),
        stack = escape(stack),
    );
    let mut response = plain(status, &html, false);
    response.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/html;charset=UTF-8"),
    );
    response
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stranger_learns_nothing_of_the_script() {
        let error = EventError::Start(StartError::Stalled);
        let response = failed(&error, &HeaderMap::new(), Detail::Terse);
        assert_eq!(response.status(), 500);
        let ResponseBody::Full(body) = response.into_body() else {
            panic!("a full body");
        };
        assert_eq!(body, "Internal Server Error");
    }

    #[test]
    fn the_developers_page_escapes_what_the_script_said() {
        assert_eq!(escape("<b a=\"&\">"), "&lt;b a=&quot;&amp;&quot;&gt;");
    }
}
