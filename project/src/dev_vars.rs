//! `.dev.vars`: secrets of local development, in dotenv's format.

use std::collections::BTreeMap;

use crate::Secret;
use crate::diagnostic::{Diagnostic, Lines};

/// Reads `KEY=value` lines, as the dotenv package wrangler uses does: `export`
/// before a key, quotes of three kinds that may span lines, `\n` in double
/// quotes, comments after ` #`. A later line wins over an earlier one.
///
/// Where dotenv skips what it cannot read, this answers a fault: a secret that
/// is missing because of a typing error is hard to see from inside a worker.
pub(crate) fn parse(text: &str) -> Result<BTreeMap<String, Secret>, Vec<Diagnostic>> {
    let lines = Lines::new(text);
    let mut secrets = BTreeMap::new();
    let mut faults = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let line = text[at..].split('\n').next().unwrap_or_default();
        let end_of_line = at + line.len();
        let start = at + (line.len() - line.trim_start().len());
        let entry = line.trim();
        if entry.is_empty() || entry.starts_with('#') {
            at = end_of_line + 1;
            continue;
        }
        match read_entry(text, start, end_of_line) {
            Ok((key, value, end)) => {
                secrets.insert(key.to_owned(), Secret::new(value));
                at = end + 1;
            }
            // The message must not quote the line: it may hold a secret.
            Err((offset, message)) => {
                faults.push(Diagnostic::new(message).at(Some(lines.position(offset))));
                at = end_of_line + 1;
            }
        }
    }
    if faults.is_empty() {
        Ok(secrets)
    } else {
        Err(faults)
    }
}

type Fault = (usize, &'static str);

/// Reads one entry that starts at `start`: its key, its value and where it ends.
fn read_entry(
    text: &str,
    start: usize,
    end_of_line: usize,
) -> Result<(&str, String, usize), Fault> {
    let line = &text[start..end_of_line];
    let (key, offset) = match line.strip_prefix("export") {
        Some(rest) if rest.starts_with(char::is_whitespace) => {
            let trimmed = rest.trim_start();
            (trimmed, line.len() - trimmed.len())
        }
        _ => (line, 0),
    };
    let length = key
        .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-')))
        .unwrap_or(key.len());
    if length == 0 {
        return Err((
            start + offset,
            "expected a name made of letters, digits, `_`, `.` or `-`",
        ));
    }
    let after = key[length..].trim_start();
    let Some(value) = after.strip_prefix('=') else {
        return Err((end_of_line - after.len(), "expected `=` after the name"));
    };
    let key = &key[..length];
    let value_start = end_of_line - value.trim_start().len();
    let value = &text[value_start..];
    match value.chars().next() {
        Some(quote @ ('"' | '\'' | '`')) => match closing_quote(value, quote) {
            Some(end) => quoted(text, value_start, end, quote).map(|value| (key, value.0, value.1)),
            None => Err((value_start, "this quote is never closed")),
        },
        _ => {
            let value = &text[value_start..end_of_line];
            let value = value.split('#').next().unwrap_or_default().trim();
            Ok((key, value.to_owned(), end_of_line))
        }
    }
}

/// Reads the quoted value whose closing quote is `end` bytes after its start.
fn quoted(text: &str, start: usize, end: usize, quote: char) -> Result<(String, usize), Fault> {
    let inner = &text[start + 1..start + end];
    let rest = text[start + end + 1..]
        .split('\n')
        .next()
        .unwrap_or_default();
    let trailing = rest.trim();
    if !trailing.is_empty() && !trailing.starts_with('#') {
        return Err((
            start + end + 1,
            "expected the end of the line after the closing quote",
        ));
    }
    let value = match quote {
        '"' => inner.replace("\\n", "\n").replace("\\r", "\r"),
        _ => inner.to_owned(),
    };
    Ok((value, start + end + 1 + rest.len()))
}

/// The offset of the quote that ends `value`, which starts with one.
fn closing_quote(value: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, letter) in value.char_indices().skip(1) {
        match letter {
            '\\' if !escaped => escaped = true,
            _ if letter == quote && !escaped => return Some(at),
            _ => escaped = false,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_dotenv_reads_them() {
        let check = |text: &str, expected: &[(&str, &str)]| {
            let secrets = parse(text).unwrap();
            let read: Vec<_> = secrets
                .iter()
                .map(|(k, v)| (k.as_str(), v.reveal()))
                .collect();
            assert_eq!(read, expected, "{text}");
        };
        check("", &[]);
        check("\n# only a comment\r\n", &[]);
        check("A=1", &[("A", "1")]);
        check(
            "  export A = two words  # why\nB=",
            &[("A", "two words"), ("B", "")],
        );
        check("A='x # y' # z\r\nB=2\r\n", &[("A", "x # y"), ("B", "2")]);
        check("A=\"a\\nb\"", &[("A", "a\nb")]);
        check("A='a\\nb'", &[("A", "a\\nb")]);
        check(
            "A=`-----BEGIN\nKEY`\nB=1",
            &[("A", "-----BEGIN\nKEY"), ("B", "1")],
        );
        check("A={\"json\": 1}", &[("A", "{\"json\": 1}")]);
        check("A=1\nA=2", &[("A", "2")]);
        check("exported=1", &[("exported", "1")]);
    }

    #[test]
    fn every_bad_line_is_named_and_none_is_quoted() {
        let check = |text: &str, expected: &[&str]| {
            let faults: Vec<_> = parse(text)
                .unwrap_err()
                .into_iter()
                .map(|fault| fault.in_file(".dev.vars").to_string())
                .collect();
            assert_eq!(faults, expected, "{text}");
        };
        check(
            "A\nB=1\n=hunter2",
            &[
                ".dev.vars:1:2: expected `=` after the name",
                ".dev.vars:3:1: expected a name made of letters, digits, `_`, `.` or `-`",
            ],
        );
        check(
            "A=\"hunter2",
            &[".dev.vars:1:3: this quote is never closed"],
        );
        check(
            "A=\"a\" hunter2",
            &[".dev.vars:1:6: expected the end of the line after the closing quote"],
        );
    }
}
