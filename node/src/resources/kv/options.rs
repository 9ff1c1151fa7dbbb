//! What a request to a namespace asks for, checked, in the words that Workers refuse
//! it with.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::StatusCode;
use serde::Deserialize;

pub(crate) use super::entries::Head;
use super::{MOST_LISTED, Parameters};

/// Bytes of a key, and of metadata.
const MOST_KEY: usize = 512;
const MOST_METADATA: usize = 1_024;

/// Seconds.
const LEAST_TTL: i64 = 60;
const LEAST_CACHE_TTL: i64 = 30;

/// Keys that one request may ask for.
const MOST_KEYS: usize = 100;

/// Why a request is refused.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) message: String,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { status, message }
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    pub(super) fn method() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed")
    }

    pub(super) fn bulk_too_large() -> Self {
        let message = "Total size of request exceeds the limit of 25MB";
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, message)
    }
}

/// The parameters behind a path.
pub(super) fn parameters(query: Option<&str>) -> Vec<(String, String)> {
    form_urlencoded::parse(query.unwrap_or_default().as_bytes())
        .into_owned()
        .collect()
}

fn parameter<'a>(query: &'a Parameters, name: &str) -> Option<&'a str> {
    let mut named = query.iter().filter(|(other, _)| other == name);
    named.next().map(|(_, value)| value.as_str())
}

/// The key that a path means.
pub(super) fn key_of(path: &str, query: &Parameters) -> Result<String, Refusal> {
    let key = path.strip_prefix('/').unwrap_or(path);
    if parameter(query, "urlencoded") != Some("true") {
        return Ok(key.into());
    }
    match percent_encoding::percent_decode_str(key).decode_utf8() {
        Ok(key) => Ok(key.into_owned()),
        Err(_) => Err(Refusal::bad_request("Could not URL-decode key name")),
    }
}

pub(crate) fn check_key(key: &str) -> Result<(), Refusal> {
    match key {
        "" => Err(Refusal::bad_request("Key names must not be empty")),
        "." | ".." => Err(Refusal::bad_request(format!(
            "Illegal key name \"{key}\". Please use a different name."
        ))),
        _ => check_length(key),
    }
}

fn check_length(key: &str) -> Result<(), Refusal> {
    if key.len() <= MOST_KEY {
        return Ok(());
    }
    let message = format!(
        "UTF-8 encoded length of {} exceeds key length limit of {MOST_KEY}.",
        key.len()
    );
    Err(Refusal::new(StatusCode::URI_TOO_LONG, message))
}

pub(super) fn check_get(key: &str, query: &Parameters) -> Result<(), Refusal> {
    check_key(key)?;
    check_cache_ttl(parameter(query, "cache_ttl"))
}

/// There is one place, and so nothing to cache.
fn check_cache_ttl(ttl: Option<&str>) -> Result<(), Refusal> {
    match ttl {
        Some(ttl) if whole(ttl).is_none_or(|ttl| ttl < LEAST_CACHE_TTL) => {
            Err(Refusal::bad_request(format!(
                "Invalid cache_ttl of {ttl}. Cache TTL must be at least {LEAST_CACHE_TTL}."
            )))
        }
        _ => Ok(()),
    }
}

/// `now` is in seconds since 1970; `metadata` is to be JSON.
pub(crate) fn check_put(
    key: String,
    query: &Parameters,
    metadata: Option<&[u8]>,
    now: i64,
) -> Result<Head, Refusal> {
    check_key(&key)?;
    Ok(Head {
        key,
        expires: check_expiration(query, now)?,
        metadata: metadata.map(check_metadata).transpose()?,
    })
}

fn check_expiration(query: &Parameters, now: i64) -> Result<Option<i64>, Refusal> {
    let invalid = |name: &str, value: &str, why: String| {
        Err(Refusal::bad_request(format!(
            "Invalid {name} of {value}. {why}"
        )))
    };
    if let Some(text) = parameter(query, "expiration_ttl") {
        return match whole(text) {
            Some(ttl) if ttl >= LEAST_TTL => Ok(Some(now.saturating_add(ttl))),
            Some(ttl) if ttl > 0 => {
                let why = format!("Expiration TTL must be at least {LEAST_TTL}.");
                invalid("expiration_ttl", text, why)
            }
            _ => {
                let why = "Please specify integer greater than 0.".into();
                invalid("expiration_ttl", text, why)
            }
        };
    }
    let Some(text) = parameter(query, "expiration") else {
        return Ok(None);
    };
    match whole(text) {
        Some(time) if time >= now + LEAST_TTL => Ok(Some(time)),
        Some(time) if time > now => {
            let why =
                format!("Expiration times must be at least {LEAST_TTL} seconds in the future.");
            invalid("expiration", text, why)
        }
        _ => {
            let why = "Please specify integer greater than the current number of seconds since \
                       the UNIX epoch.";
            invalid("expiration", text, why.into())
        }
    }
}

fn check_metadata(metadata: &[u8]) -> Result<String, Refusal> {
    if metadata.len() > MOST_METADATA {
        let length = metadata.len();
        let message = format!("Metadata length of {length} exceeds limit of {MOST_METADATA}.");
        return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, message));
    }
    let json = std::str::from_utf8(metadata).ok();
    let sound = json.filter(|json| serde_json::from_str::<serde::de::IgnoredAny>(json).is_ok());
    match sound {
        Some(json) => Ok(json.into()),
        None => Err(Refusal::bad_request("Metadata must be valid JSON")),
    }
}

pub(super) struct List {
    pub(super) prefix: String,
    /// The last key of the list before.
    pub(super) after: Option<String>,
    pub(super) limit: u32,
}

pub(super) fn check_list(query: &Parameters) -> Result<List, Refusal> {
    let limit = match parameter(query, "key_count_limit") {
        None => MOST_LISTED,
        Some(text) => match whole(text).and_then(|limit| u32::try_from(limit).ok()) {
            None | Some(0) => {
                return Err(Refusal::bad_request(format!(
                    "Invalid key_count_limit of {text}. Please specify an integer greater than 0."
                )));
            }
            Some(limit) if limit > MOST_LISTED => {
                return Err(Refusal::bad_request(format!(
                    "Invalid key_count_limit of {text}. Please specify an integer less than \
                     {MOST_LISTED}."
                )));
            }
            Some(limit) => limit,
        },
    };
    let prefix = parameter(query, "prefix").unwrap_or_default();
    check_length(prefix)?;
    let cursor = parameter(query, "cursor").filter(|cursor| !cursor.is_empty());
    let after = cursor.map(|cursor| after(cursor).ok_or_else(bad_cursor));
    Ok(List {
        prefix: prefix.into(),
        after: after.transpose()?,
        limit,
    })
}

fn bad_cursor() -> Refusal {
    Refusal::bad_request("Invalid cursor. Please use the one of the list before.")
}

/// What a list goes on with after the key `last`.
pub(super) fn cursor(last: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(last)
}

fn after(cursor: &str) -> Option<String> {
    let key = BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?;
    String::from_utf8(key).ok()
}

/// Several keys at once.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BulkGet {
    /// Each once.
    pub(super) keys: Vec<String>,
    pub(super) json: bool,
    pub(super) with_metadata: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    keys: Vec<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    with_metadata: bool,
    cache_ttl: Option<String>,
}

pub(super) fn check_bulk_get(body: &[u8]) -> Result<BulkGet, Refusal> {
    let asked: Asked = serde_json::from_slice(body)
        .map_err(|error| Refusal::bad_request(format!("Invalid request: {error}")))?;
    let json = match asked.kind.as_deref() {
        None | Some("" | "text") => false,
        Some("json") => true,
        Some(other) => {
            return Err(Refusal::bad_request(format!(
                "\"{other}\" is not a valid type. Use \"json\" or \"text\""
            )));
        }
    };
    if asked.keys.is_empty() {
        return Err(Refusal::bad_request("You must request a minimum of 1 key"));
    }
    if asked.keys.len() > MOST_KEYS {
        return Err(Refusal::bad_request(format!(
            "You can request a maximum of {MOST_KEYS} keys"
        )));
    }
    check_cache_ttl(asked.cache_ttl.as_deref())?;
    let mut keys: Vec<String> = Vec::with_capacity(asked.keys.len());
    for key in asked.keys {
        check_key(&key)?;
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    Ok(BulkGet {
        keys,
        json,
        with_metadata: asked.with_metadata,
    })
}

/// A whole number, written as such.
fn whole(text: &str) -> Option<i64> {
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn refusal<T>(result: Result<T, Refusal>) -> String {
        match result {
            Ok(_) => "fine".into(),
            Err(refusal) => format!("{} {}", refusal.status.as_u16(), refusal.message),
        }
    }

    #[test]
    fn keys_are_refused_as_workers_do() {
        let check = |key: &str, expected: &str| assert_eq!(refusal(check_key(key)), expected);
        check("a", "fine");
        check("...", "fine");
        check("", "400 Key names must not be empty");
        let dot = "400 Illegal key name \".\". Please use a different name.";
        check(".", dot);
        check(&"\u{e9}".repeat(256), "fine");
        let long = "414 UTF-8 encoded length of 514 exceeds key length limit of 512.";
        check(&"\u{e9}".repeat(257), long);
        let decoded = |path, query| key_of(path, &parameters(Some(query)));
        assert_eq!(decoded("/a%2Fb", "urlencoded=true"), Ok("a/b".into()));
        assert_eq!(decoded("/a%2Fb", ""), Ok("a%2Fb".into()));
        assert!(decoded("/%FF", "urlencoded=true").is_err());
    }

    #[test]
    fn expirations_are_at_least_a_minute_ahead() {
        let check = |query: &str, expected: Result<Option<i64>, &str>| {
            let found = check_expiration(&parameters(Some(query)), NOW);
            let found = found.map_err(|refusal| refusal.message);
            match (found, expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{query}"),
                (Err(found), Err(expected)) => assert!(found.contains(expected), "{found}"),
                (found, _) => panic!("{query}: {found:?}"),
            }
        };
        check("", Ok(None));
        check("expiration_ttl=60", Ok(Some(NOW + 60)));
        check("expiration_ttl=59", Err("must be at least 60."));
        check(
            "expiration_ttl=0",
            Err("of 0. Please specify integer greater than 0."),
        );
        check("expiration_ttl=x", Err("of x. Please"));
        check("expiration=1800000060", Ok(Some(NOW + 60)));
        check("expiration=1800000059", Err("60 seconds in the future"));
        check("expiration=1800000000", Err("the UNIX epoch"));
        check("expiration_ttl=9223372036854775807", Ok(Some(i64::MAX)));
    }

    #[test]
    fn lists_have_a_limit_and_a_cursor() {
        let list = |query: &str| check_list(&parameters(Some(query)));
        let Ok(all) = list("") else { panic!("a list") };
        assert_eq!((all.limit, all.after), (1_000, None));
        let next = format!("prefix=a&key_count_limit=7&cursor={}", cursor("a\u{e9}"));
        let Ok(some) = list(&next) else {
            panic!("a list")
        };
        assert_eq!((some.limit, &*some.prefix), (7, "a"));
        assert_eq!(some.after.as_deref(), Some("a\u{e9}"));
        assert!(refusal(list("key_count_limit=1001")).ends_with("less than 1000."));
        assert!(refusal(list("key_count_limit=0")).ends_with("greater than 0."));
        assert!(refusal(list("cursor=!")).starts_with("400 Invalid cursor"));
    }

    #[test]
    fn several_keys_are_asked_for_as_text_or_json() {
        let check = |body: &str, expected: &str| {
            assert_eq!(refusal(check_bulk_get(body.as_bytes())), expected, "{body}");
        };
        check(
            r#"{"keys":["a"],"type":"json","withMetadata":true}"#,
            "fine",
        );
        check(r#"{"keys":[]}"#, "400 You must request a minimum of 1 key");
        let bytes = "400 \"bytes\" is not a valid type. Use \"json\" or \"text\"";
        check(r#"{"keys":["a"],"type":"bytes"}"#, bytes);
        let many = serde_json::json!({ "keys": vec!["a"; 101] }).to_string();
        check(&many, "400 You can request a maximum of 100 keys");
        let ttl = "400 Invalid cache_ttl of 29. Cache TTL must be at least 30.";
        check(r#"{"keys":["a"],"cacheTtl":"29"}"#, ttl);
    }

    proptest! {
        #[test]
        fn a_cursor_leads_back_to_its_key(key in ".{0,100}") {
            prop_assert_eq!(after(&cursor(&key)), Some(key));
        }

        #[test]
        fn no_bytes_are_too_strange_to_be_refused(body in any::<Vec<u8>>(), text in ".*") {
            let _ = check_bulk_get(&body);
            let _ = check_metadata(&body);
            let _ = check_list(&parameters(Some(&text)));
            let _ = key_of(&text, &parameters(Some("urlencoded=true")));
        }
    }
}
