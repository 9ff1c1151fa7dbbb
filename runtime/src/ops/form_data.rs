//! multipart/form-data (RFC 7578), read as Workers read it: lines may end in LF
//! alone, and a name is what stands between the quotes.

use deno_core::convert::Uint8Array;
use deno_core::{ToV8, op2};
use memchr::memmem;

#[derive(ToV8)]
pub(crate) struct FormPart {
    name: String,
    filename: Option<String>,
    content_type: Option<String>,
    data: Uint8Array,
}

/// Why a body is no form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, deno_error::JsError)]
#[class(type)]
pub(crate) enum FormError {
    #[error("No initial boundary string (or you have a truncated message).")]
    NoBoundary,
    #[error("No multipart message header termination found.")]
    UnendedHead,
    #[error("No subsequent boundary string after multipart message.")]
    UnendedPart,
    #[error("Boundary string was not succeeded by CRLF, LF, or '--'.")]
    OddBoundary,
    #[error("No Content-Disposition header found in FormData part.")]
    NoDisposition,
    #[error(
        "Content-Disposition header for FormData part must have the value \"form-data\", possibly followed by parameters. Got: \"{0}\""
    )]
    OddDisposition(String),
    #[error("Content-Disposition header in FormData part is missing a name.")]
    NoName,
}

/// A boundary that no content can be expected to contain.
#[op2]
#[string]
pub(crate) fn op_form_boundary() -> String {
    format!("----OutboardFormBoundary{}", uuid::Uuid::new_v4().simple())
}

#[op2]
pub(crate) fn op_form_parse(
    #[buffer] bytes: &[u8],
    #[string] boundary: &str,
) -> Result<Vec<FormPart>, FormError> {
    parse(bytes, boundary)
}

fn parse(bytes: &[u8], boundary: &str) -> Result<Vec<FormPart>, FormError> {
    let delimiter = format!("--{boundary}");
    let delimiter = memmem::Finder::new(delimiter.as_bytes());
    // What comes before the first boundary is nobody's.
    let (_, mut rest) = split(bytes, &delimiter).ok_or(FormError::NoBoundary)?;
    let mut parts = Vec::new();
    while !rest.starts_with(b"--") {
        rest = without_line_end(rest).ok_or(FormError::OddBoundary)?;
        let (head, body) = split_head(rest).ok_or(FormError::UnendedHead)?;
        let (data, after) = split(body, &delimiter).ok_or(FormError::UnendedPart)?;
        let data = data.strip_suffix(b"\n").unwrap_or(data);
        let data = data.strip_suffix(b"\r").unwrap_or(data);
        parts.push(part(head, data)?);
        rest = after;
    }
    Ok(parts)
}

fn split<'a>(bytes: &'a [u8], at: &memmem::Finder<'_>) -> Option<(&'a [u8], &'a [u8])> {
    let found = at.find(bytes)?;
    Some((&bytes[..found], &bytes[found + at.needle().len()..]))
}

fn without_line_end(bytes: &[u8]) -> Option<&[u8]> {
    bytes
        .strip_prefix(b"\r\n")
        .or_else(|| bytes.strip_prefix(b"\n"))
}

/// The header lines, and what follows the empty line.
fn split_head(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut at = 0;
    while let Some(end) = memchr::memchr(b'\n', &bytes[at..]) {
        at += end + 1;
        if let Some(body) = without_line_end(&bytes[at..]) {
            return Some((&bytes[..at], body));
        }
    }
    None
}

fn part(head: &[u8], data: &[u8]) -> Result<FormPart, FormError> {
    let head = String::from_utf8_lossy(head);
    let header = |name: &str| {
        head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found
                .trim()
                .eq_ignore_ascii_case(name)
                .then(|| value.trim())
        })
    };
    let disposition = header("content-disposition").ok_or(FormError::NoDisposition)?;
    let kind = disposition.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("form-data") {
        return Err(FormError::OddDisposition(disposition.to_string()));
    }
    Ok(FormPart {
        name: quoted(disposition, "name").ok_or(FormError::NoName)?,
        filename: quoted(disposition, "filename"),
        content_type: header("content-type").map(str::to_string),
        data: data.to_vec().into(),
    })
}

/// The value of `name="value"`, where a backslash takes what follows as it is.
/// Browsers escape quotes as %22, and nobody undoes that.
fn quoted(disposition: &str, name: &str) -> Option<String> {
    let mut rest = disposition;
    while let Some((_, after)) = rest.split_once(';') {
        let field = after.trim_start();
        let (found, value) = field.split_once('=')?;
        let Some((value, after)) = value.trim_start().strip_prefix('"').and_then(unquote) else {
            rest = after;
            continue;
        };
        if found.trim_end().eq_ignore_ascii_case(name) {
            return Some(value);
        }
        rest = after;
    }
    None
}

/// What stands before the closing quote, and what after it.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(chars.next()?.1),
            char => value.push(char),
        }
    }
    None
}

#[cfg(test)]
mod tests;
