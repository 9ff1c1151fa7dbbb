//! What is said of an object, in S3's headers: those that S3 has a header for as that,
//! custom metadata as `x-amz-meta-NAME` where a header can have it, and the rest in one
//! header of ours.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::DateTime;
use http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH,
    CONTENT_TYPE, ETAG, EXPIRES, LAST_MODIFIED,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::super::bucket::{INFREQUENT, STANDARD};
use super::super::digest::hex;
use super::super::error::R2Error;
use super::super::index::{Attributes, Row};
use super::super::protocol::{HttpFields, Record};
use super::client::S3Error;

const CLASS: HeaderName = HeaderName::from_static("x-amz-storage-class");
const OURS: HeaderName = HeaderName::from_static("x-amz-meta-outboard");
const CUSTOM: &str = "x-amz-meta-";
const RESERVED: &str = "outboard";

/// The type of what nobody said a type of, as S3 has it.
const UNSAID: &str = "binary/octet-stream";

/// What S3 calls the other class.
const S3_INFREQUENT: &str = "STANDARD_IA";

/// What no header of S3's can have.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Ours {
    http: HttpFields,
    custom: Vec<Record>,
    /// Pairs of an algorithm's number and a digest.
    sums: Vec<(u8, String)>,
}

/// The headers that say it, of an object with these checksums.
pub(super) fn to_headers(
    attributes: &Attributes,
    checksums: &[(u8, String)],
) -> Result<HeaderMap, R2Error> {
    let mut headers = HeaderMap::new();
    let mut ours = Ours {
        sums: checksums.to_vec(),
        ..Ours::default()
    };
    let http = &attributes.http;
    for (name, value, rest) in [
        (
            CONTENT_TYPE,
            &http.content_type,
            &mut ours.http.content_type,
        ),
        (
            CONTENT_LANGUAGE,
            &http.content_language,
            &mut ours.http.content_language,
        ),
        (
            CONTENT_DISPOSITION,
            &http.content_disposition,
            &mut ours.http.content_disposition,
        ),
        (
            CONTENT_ENCODING,
            &http.content_encoding,
            &mut ours.http.content_encoding,
        ),
        (
            CACHE_CONTROL,
            &http.cache_control,
            &mut ours.http.cache_control,
        ),
    ] {
        let Some(value) = value else {
            continue;
        };
        match plain(value).filter(|_| value != UNSAID) {
            Some(plain) => drop(headers.insert(name, plain)),
            None => *rest = Some(value.clone()),
        }
    }
    // What stores say by themselves differs.
    headers
        .entry(CONTENT_TYPE)
        .or_insert(HeaderValue::from_static(UNSAID));
    if let Some(expiry) = http.cache_expiry {
        match http_date(expiry) {
            Some(date) => drop(headers.insert(EXPIRES, date)),
            None => ours.http.cache_expiry = Some(expiry),
        }
    }
    for record in &attributes.custom {
        let name = custom_name(&record.k).filter(|name| !headers.contains_key(name));
        match name.zip(plain(&record.v)) {
            Some((name, value)) => drop(headers.insert(name, value)),
            None => ours.custom.push(record.clone()),
        }
    }
    if attributes.class == INFREQUENT {
        headers.insert(CLASS, HeaderValue::from_static(S3_INFREQUENT));
    }
    if ours != Ours::default() {
        let json = serde_json::to_vec(&ours).map_err(|_| R2Error::Internal)?;
        let value = HeaderValue::try_from(BASE64_URL_SAFE_NO_PAD.encode(json));
        headers.insert(OURS, value.map_err(|_| R2Error::Internal)?);
    }
    Ok(headers)
}

/// A value that comes back as it is: no space at an end, nor two together, which
/// signatures do not tell from one.
fn plain(value: &str) -> Option<HeaderValue> {
    let bytes = value.as_bytes();
    let sound = !bytes.is_empty()
        && bytes.iter().all(|byte| matches!(byte, 0x20..0x7f))
        && !value.starts_with(' ')
        && !value.ends_with(' ')
        && !value.contains("  ");
    HeaderValue::from_str(value).ok().filter(|_| sound)
}

/// A header's name has no letter case, and on some ways to S3 no underscore.
fn custom_name(key: &str) -> Option<HeaderName> {
    let letter = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.');
    let sound = !key.is_empty() && key.bytes().all(letter) && !key.starts_with(RESERVED);
    sound.then(|| format!("{CUSTOM}{key}").parse().ok())?
}

fn http_date(milliseconds: i64) -> Option<HeaderValue> {
    let date = DateTime::from_timestamp_millis(milliseconds)?;
    let year = chrono::Datelike::year(&date);
    let whole = milliseconds % 1000 == 0 && (1..=9999).contains(&year);
    let text = date.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    whole.then(|| HeaderValue::try_from(text).ok())?
}

pub(super) fn read_http_date(text: &str) -> Option<i64> {
    let date = DateTime::parse_from_rfc2822(text).ok()?;
    Some(date.timestamp() * 1000)
}

/// A time of a list, by the seconds that headers have too.
pub(super) fn read_list_time(text: &str) -> Option<i64> {
    let date = DateTime::parse_from_rfc3339(text).ok()?;
    Some(date.timestamp() * 1000)
}

/// An object's version: S3 has one only in buckets that keep old ones, and lists do not
/// tell it. This one is of what every answer tells.
pub(super) fn version(etag: &str, uploaded: i64) -> String {
    let digest = Sha256::digest(format!("{etag} {}", uploaded / 1000));
    hex(&digest[..16])
}

pub(super) fn etag_of(headers: &HeaderMap) -> Option<String> {
    let etag = headers.get(ETAG)?.to_str().ok()?;
    Some(bare(etag).to_string())
}

/// An etag without its quotes.
pub(super) fn bare(etag: &str) -> &str {
    etag.trim_start_matches("W/").trim_matches('"')
}

/// The object of a key, as the headers of an answer say it, and its size where that is
/// not the length of the answer.
pub(super) fn row(key: &str, headers: &HeaderMap, size: Option<u64>) -> Result<Row, S3Error> {
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let missing = |what: &str| S3Error::Document(format!("an object has no {what}"));
    let etag = etag_of(headers).ok_or_else(|| missing("ETag"))?;
    let uploaded = text(&LAST_MODIFIED).and_then(read_http_date);
    let uploaded = uploaded.ok_or_else(|| missing("Last-Modified"))?;
    let length = || text(&CONTENT_LENGTH)?.parse().ok();
    let size = size.or_else(length);
    let size = size.ok_or_else(|| missing("Content-Length"))?;
    // What cannot be read is another tool's.
    let ours = text(&OURS).and_then(|text| BASE64_URL_SAFE_NO_PAD.decode(text).ok());
    let ours = ours.and_then(|json| serde_json::from_slice::<Ours>(&json).ok());
    let ours = ours.unwrap_or_default();
    let field =
        |name: HeaderName, ours: Option<String>| ours.or_else(|| Some(lossy(headers.get(name)?)));
    let said = |value: &String| value != UNSAID;
    let content_type = match ours.http.content_type {
        Some(ours) => Some(ours),
        None => field(CONTENT_TYPE, None).filter(said),
    };
    let mut custom: Vec<_> = headers
        .iter()
        .filter_map(|(name, value)| {
            let k = name.as_str().strip_prefix(CUSTOM)?;
            let v = lossy(value);
            (!k.starts_with(RESERVED)).then(|| Record { k: k.into(), v })
        })
        .collect();
    custom.sort_by(|a, b| a.k.cmp(&b.k));
    custom.extend(ours.custom);
    Ok(Row {
        key: key.into(),
        id: 0,
        version: version(&etag, uploaded),
        size,
        etag,
        uploaded,
        checksums: ours.sums,
        attributes: Attributes {
            http: HttpFields {
                content_type,
                content_language: field(CONTENT_LANGUAGE, ours.http.content_language),
                content_disposition: field(CONTENT_DISPOSITION, ours.http.content_disposition),
                content_encoding: ours.http.content_encoding.or_else(|| {
                    let encoding = lossy(headers.get(CONTENT_ENCODING)?);
                    without_chunks(encoding)
                }),
                cache_control: field(CACHE_CONTROL, ours.http.cache_control),
                cache_expiry: ours
                    .http
                    .cache_expiry
                    .or_else(|| text(&EXPIRES).and_then(read_http_date)),
            },
            custom,
            class: class(text(&CLASS)).into(),
        },
    })
}

/// Tools that sign chunks leave their encoding with some stores.
fn without_chunks(encoding: String) -> Option<String> {
    if !encoding.contains("aws-chunked") {
        return Some(encoding);
    }
    let kept = encoding.split(',').map(str::trim);
    let kept: Vec<_> = kept.filter(|encoding| *encoding != "aws-chunked").collect();
    (!kept.is_empty()).then(|| kept.join(","))
}

fn lossy(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}

/// Which of the two classes one of S3's is like: those that cost more to read.
pub(super) fn class(s3: Option<&str>) -> &'static str {
    match s3 {
        Some(class) if class.ends_with("_IA") || class.starts_with("GLACIER") => INFREQUENT,
        Some("DEEP_ARCHIVE") => INFREQUENT,
        _ => STANDARD,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn round(attributes: &Attributes, checksums: &[(u8, String)]) -> Row {
        let mut headers = to_headers(attributes, checksums).expect("headers");
        for (name, value) in &headers {
            assert!(value.to_str().is_ok(), "{name}: {value:?}");
        }
        headers.insert(ETAG, HeaderValue::from_static("\"e\""));
        headers.insert(CONTENT_LENGTH, HeaderValue::from_static("3"));
        let date = HeaderValue::from_static("Sun, 09 Sep 2001 01:46:40 GMT");
        headers.insert(LAST_MODIFIED, date);
        row("k", &headers, None).expect("a row")
    }

    proptest! {
        #[test]
        fn what_is_said_comes_back(
            texts in proptest::collection::vec(proptest::option::of("[a -~\u{e4}\n]{0,5}"), 5),
            expiry in proptest::option::of(any::<i64>()),
            custom in proptest::collection::btree_map("[aB\u{e4}_.-]{0,3}", "[ a\u{e4}\u{1}]{0,4}", 0..5),
        ) {
            let attributes = Attributes {
                http: HttpFields {
                    content_type: texts[0].clone(),
                    content_language: texts[1].clone(),
                    content_disposition: texts[2].clone(),
                    content_encoding: texts[3].clone(),
                    cache_control: texts[4].clone(),
                    cache_expiry: expiry,
                },
                custom: custom.into_iter().map(|(k, v)| Record { k, v }).collect(),
                class: INFREQUENT.into(),
            };
            let sums = [(1, "ab".to_string())];
            let mut found = round(&attributes, &sums);
            let mut expected = attributes;
            let by_name = |record: &Record| record.k.clone();
            expected.custom.sort_by_key(by_name);
            found.attributes.custom.sort_by_key(by_name);
            prop_assert_eq!(found.attributes, expected);
            prop_assert_eq!(found.checksums, sums);
        }
    }

    #[test]
    fn other_tools_see_what_they_can() {
        let attributes = Attributes {
            http: HttpFields {
                content_type: Some("text/plain".into()),
                cache_expiry: Some(1_000_000_000_000),
                ..HttpFields::default()
            },
            custom: vec![
                Record {
                    k: "owner".into(),
                    v: "ann".into(),
                },
                Record {
                    k: "Owner".into(),
                    v: "\u{e4}".into(),
                },
            ],
            class: STANDARD.into(),
        };
        let headers = to_headers(&attributes, &[]).expect("headers");
        assert_eq!(headers[CONTENT_TYPE], "text/plain");
        assert_eq!(headers[EXPIRES], "Sun, 09 Sep 2001 01:46:40 GMT");
        assert_eq!(headers["x-amz-meta-owner"], "ann");
        assert!(headers.contains_key(OURS));
        assert_eq!(round(&attributes, &[]).uploaded, 1_000_000_000_000);
        assert_eq!(class(Some("GLACIER_IR")), INFREQUENT);
        assert_eq!(class(Some("INTELLIGENT_TIERING")), STANDARD);
    }
}
