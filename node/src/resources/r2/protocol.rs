//! workerd's protocol for R2: what is asked, and what is answered. Numbers of 64 bits
//! come as texts or as numbers; digests are hexadecimal, but an asked MD5 is base64.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::de::{Error as _, IgnoredAny, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::digest::Algorithm;

/// One request.
#[derive(Debug, Deserialize)]
#[serde(tag = "method", rename_all = "camelCase")]
pub(crate) enum Ask {
    Head { object: String },
    Get(AskGet),
    Put(Box<AskPut>),
    List(AskList),
    Delete(AskDelete),
    CreateMultipartUpload(AskUpload),
    UploadPart(AskPart),
    CompleteMultipartUpload(AskComplete),
    AbortMultipartUpload(AskAbort),
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AskGet {
    pub(crate) object: String,
    pub(crate) range: Option<AskedRange>,
    /// A header, where it has no `range`.
    pub(crate) range_header: Option<String>,
    pub(crate) only_if: Option<Conditional>,
    pub(crate) ssec: Option<IgnoredAny>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct AskedRange {
    #[serde(default, deserialize_with = "number")]
    pub(crate) offset: Option<u64>,
    #[serde(default, deserialize_with = "number")]
    pub(crate) length: Option<u64>,
    #[serde(default, deserialize_with = "number")]
    pub(crate) suffix: Option<u64>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Conditional {
    pub(crate) etag_matches: Option<Vec<Etag>>,
    pub(crate) etag_does_not_match: Option<Vec<Etag>>,
    /// Milliseconds since 1970, as all times here.
    #[serde(default, deserialize_with = "number")]
    pub(crate) uploaded_before: Option<i64>,
    #[serde(default, deserialize_with = "number")]
    pub(crate) uploaded_after: Option<i64>,
    /// Times are compared by their seconds.
    #[serde(default)]
    pub(crate) seconds_granularity: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(crate) enum Etag {
    Strong { value: String },
    Weak { value: String },
    Wildcard,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AskPut {
    pub(crate) object: String,
    #[serde(flatten)]
    pub(crate) attributes: AskedAttributes,
    pub(crate) only_if: Option<Conditional>,
    #[serde(flatten)]
    pub(crate) digests: AskedDigests,
}

/// What the uploader says that the bytes' digests are.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct AskedDigests {
    #[serde(default, deserialize_with = "base64_bytes")]
    md5: Option<Vec<u8>>,
    #[serde(default, deserialize_with = "hex_bytes")]
    sha1: Option<Vec<u8>>,
    #[serde(default, deserialize_with = "hex_bytes")]
    sha256: Option<Vec<u8>>,
    #[serde(default, deserialize_with = "hex_bytes")]
    sha384: Option<Vec<u8>>,
    #[serde(default, deserialize_with = "hex_bytes")]
    sha512: Option<Vec<u8>>,
}

impl AskedDigests {
    pub(crate) fn into_list(self) -> Vec<(Algorithm, Vec<u8>)> {
        let all = [
            (Algorithm::Md5, self.md5),
            (Algorithm::Sha1, self.sha1),
            (Algorithm::Sha256, self.sha256),
            (Algorithm::Sha384, self.sha384),
            (Algorithm::Sha512, self.sha512),
        ];
        let given = all.into_iter();
        given
            .filter_map(|(algorithm, digest)| Some((algorithm, digest?)))
            .collect()
    }
}

/// What is said of an object when it is put, or when its upload begins.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AskedAttributes {
    #[serde(default)]
    pub(crate) custom_fields: Vec<Record>,
    #[serde(default)]
    pub(crate) http_fields: HttpFields,
    pub(crate) storage_class: Option<String>,
    pub(crate) ssec: Option<IgnoredAny>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) k: String,
    pub(crate) v: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HttpFields {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) content_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) content_language: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) content_disposition: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) content_encoding: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cache_control: Option<String>,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "number"
    )]
    pub(crate) cache_expiry: Option<i64>,
}

impl HttpFields {
    /// Bytes of its texts.
    pub(crate) fn size(&self) -> usize {
        let texts = [
            &self.content_type,
            &self.content_language,
            &self.content_disposition,
            &self.content_encoding,
            &self.cache_control,
        ];
        texts
            .iter()
            .flat_map(|text| text.as_ref())
            .map(String::len)
            .sum()
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AskList {
    pub(crate) limit: Option<u32>,
    #[serde(default)]
    pub(crate) prefix: String,
    pub(crate) cursor: Option<String>,
    #[serde(default)]
    pub(crate) delimiter: String,
    #[serde(default)]
    pub(crate) start_after: String,
    /// 0: HTTP metadata; 1: custom metadata.
    #[serde(default)]
    pub(crate) include: Vec<u16>,
}

/// One key, or several.
#[derive(Debug, Deserialize)]
pub(crate) struct AskDelete {
    pub(crate) object: Option<String>,
    #[serde(default)]
    pub(crate) objects: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct AskUpload {
    pub(crate) object: String,
    #[serde(flatten)]
    pub(crate) attributes: AskedAttributes,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AskPart {
    pub(crate) object: String,
    pub(crate) upload_id: String,
    pub(crate) part_number: u32,
    pub(crate) ssec: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AskComplete {
    pub(crate) object: String,
    pub(crate) upload_id: String,
    #[serde(default)]
    pub(crate) parts: Vec<AskedPart>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct AskedPart {
    pub(crate) part: u32,
    pub(crate) etag: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AskAbort {
    pub(crate) object: String,
    pub(crate) upload_id: String,
}

/// An object, as it is told of.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Told {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) size: u64,
    pub(crate) etag: String,
    pub(crate) uploaded: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) http_fields: Option<HttpFields>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) custom_fields: Option<Vec<Record>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) range: Option<ToldRange>,
    /// By the protocol's number of the algorithm.
    pub(crate) checksums: BTreeMap<u8, String>,
    pub(crate) storage_class: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct ToldRange {
    pub(crate) offset: u64,
    pub(crate) length: u64,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ToldList {
    pub(crate) objects: Vec<Told>,
    pub(crate) truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cursor: Option<String>,
    pub(crate) delimited_prefixes: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ToldUpload {
    pub(crate) upload_id: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct ToldPart {
    pub(crate) etag: String,
}

/// A number, or a text that is one.
fn number<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<i128>,
{
    struct Number;
    impl Visitor<'_> for Number {
        type Value = i128;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a whole number")
        }

        fn visit_i64<E>(self, value: i64) -> Result<i128, E> {
            Ok(value.into())
        }

        fn visit_u64<E>(self, value: u64) -> Result<i128, E> {
            Ok(value.into())
        }

        fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<i128, E> {
            const EXACT: f64 = 9_007_199_254_740_992.0;
            #[expect(clippy::cast_possible_truncation, reason = "it is whole, and checked")]
            match value.fract() == 0.0 && value.abs() <= EXACT {
                true => Ok(value as i128),
                false => Err(E::custom("not a whole number")),
            }
        }

        fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<i128, E> {
            value.parse().map_err(E::custom)
        }
    }
    let number = deserializer.deserialize_any(Number)?;
    let number = T::try_from(number).map_err(|_| D::Error::custom("a number is out of range"));
    number.map(Some)
}

fn base64_bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<u8>>, D::Error> {
    let text = String::deserialize(deserializer)?;
    BASE64_STANDARD
        .decode(text)
        .map(Some)
        .map_err(D::Error::custom)
}

fn hex_bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<u8>>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let bytes = from_hex(&text).ok_or_else(|| D::Error::custom("not hexadecimal"));
    bytes.map(Some)
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let bytes = pairs.iter().map(|[high, low]| {
        let byte = digit(*high)? * 16 + digit(*low)?;
        u8::try_from(byte).ok()
    });
    rest.is_empty().then(|| bytes.collect())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(text: &str) -> Ask {
        serde_json::from_str(text).expect(text)
    }

    #[test]
    fn what_workerd_sends_is_read() {
        let put = asked(
            r#"{"version":1,"method":"put","object":"a","customFields":[{"k":"x","v":"y"}],
                "httpFields":{"contentType":"text/plain","cacheExpiry":"1000"},
                "onlyIf":{"etagMatches":[{"type":"strong","value":"e"}],"uploadedBefore":"946684800000"},
                "md5":"CY9rzUYh03PK3k6DJie09g==","storageClass":"Standard"}"#,
        );
        let Ask::Put(put) = put else {
            panic!("{put:?}");
        };
        assert_eq!(put.attributes.http_fields.cache_expiry, Some(1000));
        let only_if = put.only_if.expect("conditions");
        assert_eq!(only_if.uploaded_before, Some(946_684_800_000));
        assert_eq!(
            only_if.etag_matches,
            Some(vec![Etag::Strong { value: "e".into() }])
        );
        let digests = put.digests.into_list();
        assert_eq!(digests[0].0, Algorithm::Md5);
        assert_eq!(digests[0].1[..2], [0x09, 0x8f]);

        let get = asked(r#"{"method":"get","object":"a","range":{"offset":"1","length":3}}"#);
        let Ask::Get(get) = get else {
            panic!("{get:?}");
        };
        let range = get.range.expect("a range");
        assert_eq!(
            (range.offset, range.length, range.suffix),
            (Some(1), Some(3), None)
        );
    }

    #[test]
    fn what_is_wrong_is_refused() {
        for text in [
            r#"{"method":"none","object":"a"}"#,
            r#"{"method":"head"}"#,
            r#"{"method":"get","object":"a","range":{"offset":"-1"}}"#,
            r#"{"method":"get","object":"a","range":{"offset":1.5}}"#,
            r#"{"method":"put","object":"a","sha1":"0"}"#,
            r#"{"method":"put","object":"a","md5":"$"}"#,
            r#"{"method":"put","object":"a","httpFields":{"contentType":5}}"#,
        ] {
            assert!(serde_json::from_str::<Ask>(text).is_err(), "{text}");
        }
    }
}
