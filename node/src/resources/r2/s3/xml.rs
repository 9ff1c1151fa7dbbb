//! S3's documents.

use std::borrow::Cow;
use std::fmt::Write;

use serde::Deserialize;

use super::client::S3Error;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Listed {
    pub(super) is_truncated: bool,
    pub(super) next_continuation_token: Option<String>,
    encoding_type: Option<String>,
    pub(super) contents: Vec<ListedObject>,
    common_prefixes: Vec<ListedPrefix>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListedObject {
    pub(super) key: String,
    pub(super) last_modified: String,
    #[serde(rename = "ETag")]
    pub(super) etag: String,
    pub(super) size: u64,
    #[serde(default)]
    pub(super) storage_class: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListedPrefix {
    prefix: String,
}

impl Listed {
    /// Keys are written so that a document can have them, whatever is in them.
    pub(super) fn read(text: &str) -> Result<(Self, Vec<String>), S3Error> {
        let mut listed: Self = read(text)?;
        let url = listed.encoding_type.as_deref() == Some("url");
        let decode = |text: String| match url {
            true => decode(&text),
            false => text,
        };
        for object in &mut listed.contents {
            object.key = decode(std::mem::take(&mut object.key));
        }
        let prefixes = std::mem::take(&mut listed.common_prefixes).into_iter();
        let prefixes = prefixes.map(|prefix| decode(prefix.prefix)).collect();
        Ok((listed, prefixes))
    }
}

fn decode(text: &str) -> String {
    let spaced = match text.contains('+') {
        true => Cow::Owned(text.replace('+', " ")),
        false => Cow::Borrowed(text),
    };
    let decoded = percent_encoding::percent_decode_str(&spaced);
    decoded.decode_utf8_lossy().into_owned()
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Parts {
    pub(super) is_truncated: bool,
    pub(super) next_part_number_marker: Option<u32>,
    pub(super) part: Vec<UploadedPart>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct UploadedPart {
    pub(super) part_number: u32,
    #[serde(rename = "ETag")]
    pub(super) etag: String,
    pub(super) size: u64,
}

impl Parts {
    pub(super) fn read(text: &str) -> Result<Self, S3Error> {
        read(text)
    }
}

/// The name of the upload that was begun.
pub(super) fn upload_id(text: &str) -> Result<String, S3Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Begun {
        upload_id: String,
    }
    read::<Begun>(text).map(|begun| begun.upload_id)
}

/// The etag of an object of parts, as it is written.
pub(super) fn completed_etag(text: &str) -> Result<String, S3Error> {
    #[derive(Deserialize)]
    struct Completed {
        #[serde(rename = "ETag")]
        etag: String,
    }
    read::<Completed>(text).map(|completed| completed.etag)
}

/// Of a delete of several: why the first that stays does.
pub(super) fn first_undeleted(text: &str) -> Result<Option<(String, String)>, S3Error> {
    #[derive(Deserialize)]
    struct Deleted {
        #[serde(rename = "Error", default)]
        errors: Vec<Refusal>,
    }
    let deleted: Deleted = read(text)?;
    let first = deleted.errors.into_iter().next();
    Ok(first.map(|error| (error.code, error.message)))
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Refusal {
    code: String,
    message: String,
}

/// The code and the words of a refusal; empty where there are none.
pub(super) fn refusal(text: &str) -> (String, String) {
    let refusal: Refusal = read(text).unwrap_or_default();
    (refusal.code, refusal.message)
}

/// The name of a document's element.
pub(super) fn root(text: &str) -> Option<&str> {
    let mut rest = text;
    loop {
        let at = rest.find('<')?;
        rest = &rest[at + 1..];
        if !rest.starts_with(['?', '!']) {
            return rest.split([' ', '>', '/']).next();
        }
    }
}

fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, S3Error> {
    quick_xml::de::from_str(text).map_err(|error| S3Error::Document(error.to_string()))
}

/// Asks for objects to be deleted.
pub(super) fn deletion<'a>(keys: impl Iterator<Item = &'a str>) -> String {
    let mut text = String::from("<Delete><Quiet>true</Quiet>");
    for key in keys {
        let _ = write!(text, "<Object><Key>{}</Key></Object>", escape(key));
    }
    text.push_str("</Delete>");
    text
}

/// Asks for parts to be an object.
pub(super) fn completion<'a>(parts: impl Iterator<Item = (u32, &'a str)>) -> String {
    let mut text = String::from("<CompleteMultipartUpload>");
    for (number, etag) in parts {
        let etag = escape(etag);
        let _ = write!(
            text,
            "<Part><PartNumber>{number}</PartNumber><ETag>\"{etag}\"</ETag></Part>"
        );
    }
    text.push_str("</CompleteMultipartUpload>");
    text
}

fn escape(text: &str) -> Cow<'_, str> {
    quick_xml::escape::escape(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read() {
        let text = "<?xml version=\"1.0\"?>\n<ListBucketResult xmlns=\"http://s3\">\
            <EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>\
            <Contents><Key>a%2Bb+c%00%C3%A4</Key><LastModified>2026-01-02T03:04:05.678Z</LastModified>\
            <ETag>&quot;e&quot;</ETag><Size>5</Size></Contents>\
            <CommonPrefixes><Prefix>d%2F</Prefix></CommonPrefixes>\
            <Contents><Key>x</Key><LastModified>2026-01-02T03:04:05Z</LastModified>\
            <ETag>\"f\"</ETag><Size>0</Size><StorageClass>STANDARD_IA</StorageClass></Contents>\
            </ListBucketResult>";
        let (listed, prefixes) = Listed::read(text).expect("a list");
        let keys: Vec<_> = listed.contents.iter().map(|it| it.key.as_str()).collect();
        assert_eq!(keys, ["a+b c\0\u{e4}", "x"]);
        assert_eq!(prefixes, ["d/"]);
        assert_eq!(listed.contents[0].etag, "\"e\"");
        assert!(listed.is_truncated && listed.next_continuation_token.is_none());
        let (none, _) = Listed::read("<ListBucketResult/>").expect("a list");
        assert!(none.contents.is_empty());
    }

    #[test]
    fn refusals_are_read() {
        let text = "<?xml version=\"1.0\"?><Error><Code>NoSuchKey</Code><Message>No &lt;key&gt;</Message></Error>";
        assert_eq!(root(text), Some("Error"));
        assert_eq!(refusal(text), ("NoSuchKey".into(), "No <key>".into()));
        for text in ["", "gone", "<html>no</html>"] {
            assert_eq!(refusal(text), (String::new(), String::new()), "{text}");
        }
        let text =
            "<DeleteResult><Error><Key>a</Key><Code>AccessDenied</Code></Error></DeleteResult>";
        let first = first_undeleted(text).expect("a document");
        assert_eq!(first, Some(("AccessDenied".into(), String::new())));
        assert_eq!(first_undeleted("<DeleteResult/>").expect("one"), None);
    }

    #[test]
    fn what_is_asked_is_escaped() {
        assert_eq!(
            deletion(["a<&>\"b"].into_iter()),
            "<Delete><Quiet>true</Quiet><Object><Key>a&lt;&amp;&gt;&quot;b</Key></Object></Delete>"
        );
    }
}
