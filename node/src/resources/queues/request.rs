//! What a request to a queue brings, checked, and in which words and with which codes
//! of Workers it is refused.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use outboard_runtime::{HostBody, QueueFormat};
use serde::Deserialize;
use uuid::Uuid;

use super::messages::{New, format_of};
use crate::resources::answer::refused;

/// Bytes of a message, and of a batch.
const MOST_MESSAGE: usize = 128_000;
const MOST_BATCH: usize = 256_000;
const MOST_MESSAGES: usize = 100;

/// Seconds.
const MOST_DELAY: u32 = 86_400;

/// Why a request is refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    status: StatusCode,
    code: u32,
    cause: String,
}

impl Refusal {
    fn new(status: StatusCode, code: u32, cause: impl Into<String>) -> Self {
        let cause = cause.into();
        Self {
            status,
            code,
            cause,
        }
    }

    pub(super) fn unknown() -> Self {
        Self::new(StatusCode::NOT_FOUND, 15_000, "Not Found")
    }

    pub(super) fn overloaded(cause: String) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, 10_250, cause)
    }

    pub(super) fn full() -> Self {
        let cause = "Queue is full: its consumer is too far behind";
        Self::new(StatusCode::INSUFFICIENT_STORAGE, 10_251, cause)
    }

    /// The class shows the status line's words or, with a flag, the headers.
    pub(super) fn answer(&self) -> Response<HostBody> {
        let mut response = refused(self.status, &self.cause);
        let headers = response.headers_mut();
        headers.insert("cf-queues-error-code", self.code.into());
        if let Ok(cause) = HeaderValue::from_str(&self.cause) {
            headers.insert("cf-queues-error-cause", cause);
        }
        response
    }
}

/// How messages come.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sent {
    /// One is the whole body.
    Message,
    /// Several, in JSON.
    Batch,
}

impl Sent {
    /// Of a request that is longer than any that is taken.
    pub(super) fn too_long(self) -> Refusal {
        let status = StatusCode::PAYLOAD_TOO_LARGE;
        match self {
            Self::Message => {
                let cause = format!("message length exceeds limit of {MOST_MESSAGE}");
                Refusal::new(status, 10_204, cause)
            }
            Self::Batch => {
                let cause = format!("batch size exceeds limit of {MOST_BATCH}");
                Refusal::new(status, 10_205, cause)
            }
        }
    }

    /// The messages; `delay` is of those that do not say, in seconds, and `now` in
    /// milliseconds since 1970.
    pub(super) fn read(
        self,
        headers: &HeaderMap,
        body: &[u8],
        delay: u32,
        now: i64,
    ) -> Result<Vec<New>, Refusal> {
        let said = headers.get("x-msg-delay-secs");
        let said = said.map(|value| value.to_str().unwrap_or("?"));
        let delay = match said {
            Some(text) => text.parse().map_err(|_| bad_delay(text))?,
            None => i64::from(delay),
        };
        match self {
            Self::Message => {
                let format = headers.get("x-msg-fmt");
                let format = format.map(|value| value.to_str().unwrap_or("?"));
                Ok(vec![message(format, body.to_vec(), delay, now)?])
            }
            Self::Batch => batch(body, delay, now),
        }
    }
}

#[derive(Deserialize)]
struct Batch {
    messages: Vec<BatchMessage>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BatchMessage {
    body: String,
    content_type: Option<String>,
    delay_secs: Option<i64>,
}

fn batch(body: &[u8], delay: i64, now: i64) -> Result<Vec<New>, Refusal> {
    let malformed =
        |cause: String| Refusal::new(StatusCode::BAD_REQUEST, 10_208, format!("batch: {cause}"));
    let batch: Batch =
        serde_json::from_slice(body).map_err(|error| malformed(error.to_string()))?;
    let too_large = |code, cause| Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, code, cause);
    let count = batch.messages.len();
    if count > MOST_MESSAGES {
        let cause = format!("batch message count of {count} exceeds limit of {MOST_MESSAGES}");
        return Err(too_large(10_206, cause));
    }
    if count == 0 {
        return Err(malformed("no messages".into()));
    }
    let mut messages = Vec::with_capacity(count);
    let mut size = 0;
    for item in batch.messages {
        let body = BASE64_STANDARD.decode(&item.body);
        let body = body.map_err(|error| malformed(error.to_string()))?;
        size += body.len();
        let format = item.content_type.as_deref();
        messages.push(message(
            format,
            body,
            item.delay_secs.unwrap_or(delay),
            now,
        )?);
    }
    if size > MOST_BATCH {
        let cause = format!("batch size of {size} bytes exceeds limit of {MOST_BATCH}");
        return Err(too_large(10_205, cause));
    }
    Ok(messages)
}

fn message(format: Option<&str>, body: Vec<u8>, delay: i64, now: i64) -> Result<New, Refusal> {
    let bad = |cause: String| Refusal::new(StatusCode::BAD_REQUEST, 10_203, cause);
    let name = format.unwrap_or("v8");
    let format = format_of(name).ok_or_else(|| {
        bad(format!(
            "message content type {name} is invalid; if specified, must be one of 'text', \
             'json', 'bytes', or 'v8'"
        ))
    })?;
    if body.len() > MOST_MESSAGE {
        let cause = format!(
            "message length of {} bytes exceeds limit of {MOST_MESSAGE}",
            body.len()
        );
        return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, 10_204, cause));
    }
    // What cannot be read would fail every batch that it is in.
    let is_json = || serde_json::from_slice::<serde::de::IgnoredAny>(&body).is_ok();
    if format == QueueFormat::Json && !is_json() {
        return Err(bad("message is not valid JSON".into()));
    }
    if !(0..=i64::from(MOST_DELAY)).contains(&delay) {
        return Err(bad_delay(&delay.to_string()));
    }
    Ok(New {
        name: Uuid::new_v4().simple().to_string(),
        sent: now,
        visible: now.saturating_add(delay * 1_000),
        format,
        body,
    })
}

fn bad_delay(delay: &str) -> Refusal {
    let cause = format!("message delay {delay} is invalid: 0 to {MOST_DELAY} seconds are allowed");
    Refusal::new(StatusCode::BAD_REQUEST, 10_202, cause)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(sent: Sent, headers: &[(&'static str, &str)], body: &[u8]) -> Result<Vec<New>, String> {
        let headers = headers
            .iter()
            .map(|(name, value)| {
                let value = HeaderValue::from_str(value).expect("a value");
                (http::HeaderName::from_static(name), value)
            })
            .collect();
        let read = sent.read(&headers, body, 7, 1_000);
        read.map_err(|refusal| format!("{} {}", refusal.code, refusal.cause))
    }

    #[test]
    fn a_message_says_what_it_is_and_when_it_is_for() {
        let one = |headers: &[_], body: &[u8]| {
            let mut read = read(Sent::Message, headers, body)?;
            let message = read.pop().expect("one message");
            Ok::<_, String>((message.format, message.visible, message.body))
        };
        assert_eq!(one(&[], b"x"), Ok((QueueFormat::V8, 8_000, b"x".to_vec())));
        let text = [("x-msg-fmt", "text"), ("x-msg-delay-secs", "0")];
        assert_eq!(
            one(&text, b"x"),
            Ok((QueueFormat::Text, 1_000, b"x".to_vec()))
        );
        let fault = |headers: &[_], body: &[u8]| one(headers, body).expect_err("a fault");
        let format = fault(&[("x-msg-fmt", "xml")], b"");
        assert!(
            format.starts_with("10203 message content type xml is invalid"),
            "{format}"
        );
        assert!(fault(&[("x-msg-fmt", "json")], b"{").starts_with("10203 message is not"));
        for delay in ["-1", "86401", "x"] {
            let fault = fault(&[("x-msg-delay-secs", delay)], b"");
            assert!(fault.starts_with("10202"), "{fault}");
        }
        let long = fault(&[], &[0; MOST_MESSAGE + 1]);
        assert_eq!(
            long,
            "10204 message length of 128001 bytes exceeds limit of 128000"
        );
    }

    #[test]
    fn a_batch_has_limits_of_its_own() {
        let json = serde_json::json!({ "messages": [
            { "body": "YWJj", "contentType": "text" },
            { "body": "AQ==", "contentType": "bytes", "delaySecs": 2 },
        ] });
        let headers = [("x-msg-delay-secs", "1")];
        let messages = read(Sent::Batch, &headers, json.to_string().as_bytes()).expect("two");
        let seen: Vec<_> = messages.iter().map(|it| (it.visible, &*it.body)).collect();
        assert_eq!(seen, [(2_000, &b"abc"[..]), (3_000, &[1][..])]);
        assert_ne!(messages[0].name, messages[1].name);

        let many = |count: usize, bytes: usize| {
            let body = BASE64_STANDARD.encode(vec![b'x'; bytes]);
            let messages = vec![serde_json::json!({ "body": body }); count];
            let json = serde_json::json!({ "messages": messages }).to_string();
            read(Sent::Batch, &[], json.as_bytes()).map(|all| all.len())
        };
        assert_eq!(many(100, 10), Ok(100));
        let count = "10206 batch message count of 101 exceeds limit of 100";
        assert_eq!(many(101, 1), Err(count.into()));
        let size = "10205 batch size of 300000 bytes exceeds limit of 256000";
        assert_eq!(many(3, 100_000), Err(size.into()));
        assert!(many(0, 0).is_err_and(|fault| fault.starts_with("10208")));
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_strange_to_be_refused(body in any::<Vec<u8>>()) {
            let _ = read(Sent::Batch, &[], &body);
            let _ = read(Sent::Message, &[("x-msg-fmt", "json")], &body);
        }
    }
}
