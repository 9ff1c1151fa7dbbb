//! Tokens of the schema language, as far as a configuration uses it.

use super::Place;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    Word(String),
    Text(Vec<u8>),
    Number(u64),
    /// One of `( ) [ ] { } = , ; : . @ $ < > -`.
    Mark(char),
}

/// A token and the offset it begins at.
pub(super) type Spanned = (Token, usize);

/// What a file is not made of: the offset, and why.
pub(super) type Wrong = (usize, String);

pub(super) fn tokens(source: &str) -> Result<Vec<Spanned>, Wrong> {
    let bytes = source.as_bytes();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let start = at;
        let token = match byte {
            b' ' | b'\t' | b'\r' | b'\n' => {
                at += 1;
                continue;
            }
            b'#' => {
                at += line_end(&bytes[at..]);
                continue;
            }
            // A byte order mark.
            0xef if bytes[at..].starts_with(b"\xef\xbb\xbf") => {
                at += 3;
                continue;
            }
            b'"' | b'\'' => Token::Text(quoted(bytes, &mut at)?),
            b'`' => Token::Text(block(bytes, &mut at)),
            b'0' if matches!(bytes.get(at + 1), Some(b'x')) && bytes.get(at + 2) == Some(&b'"') => {
                at += 2;
                Token::Text(hex_data(bytes, &mut at)?)
            }
            b'0'..=b'9' => {
                let word = word(source, &mut at);
                Token::Number(number(word).ok_or((start, format!("{word:?} is no number")))?)
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => Token::Word(word(source, &mut at).to_string()),
            b'(' | b')' | b'[' | b']' | b'{' | b'}' | b'=' | b',' | b';' | b':' | b'.' | b'@'
            | b'$' | b'<' | b'>' | b'-' | b'*' => {
                at += 1;
                Token::Mark(byte.into())
            }
            _ => {
                let character = source[at..].chars().next().unwrap_or('\u{fffd}');
                return Err((start, format!("{character:?} is not expected here")));
            }
        };
        tokens.push((token, start));
    }
    Ok(tokens)
}

/// Bytes up to the end of the line.
fn line_end(bytes: &[u8]) -> usize {
    let end = bytes.iter().position(|byte| *byte == b'\n');
    end.unwrap_or(bytes.len())
}

fn word<'a>(source: &'a str, at: &mut usize) -> &'a str {
    let rest = &source[*at..];
    let length = rest
        .find(|character: char| !character.is_ascii_alphanumeric() && character != '_')
        .unwrap_or(rest.len());
    *at += length;
    &rest[..length]
}

fn number(word: &str) -> Option<u64> {
    match word.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None if word.len() > 1 && word.starts_with('0') => u64::from_str_radix(word, 8).ok(),
        None => word.parse().ok(),
    }
}

/// A quoted string, with C's escapes.
fn quoted(bytes: &[u8], at: &mut usize) -> Result<Vec<u8>, Wrong> {
    let start = *at;
    let quote = bytes[start];
    let unended = || (start, "this text has no end on its line".to_string());
    *at += 1;
    let mut text = Vec::new();
    loop {
        let byte = *bytes.get(*at).ok_or_else(unended)?;
        *at += 1;
        match byte {
            b'\n' => return Err(unended()),
            _ if byte == quote => return Ok(text),
            b'\\' => {
                let escape = *bytes.get(*at).ok_or_else(unended)?;
                *at += 1;
                text.push(match escape {
                    b'a' => 7,
                    b'b' => 8,
                    b'f' => 12,
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'v' => 11,
                    b'x' => digits(bytes, at, 2, 16).ok_or((*at, "\\x wants two digits".into()))?,
                    b'0'..=b'7' => {
                        *at -= 1;
                        digits(bytes, at, 3, 8).ok_or((*at, "no such byte".into()))?
                    }
                    other => other,
                });
            }
            _ => text.push(byte),
        }
    }
}

fn digits(bytes: &[u8], at: &mut usize, most: usize, radix: u32) -> Option<u8> {
    let mut value = None::<u32>;
    for _ in 0..most {
        let Some(digit) = bytes
            .get(*at)
            .and_then(|byte| char::from(*byte).to_digit(radix))
        else {
            break;
        };
        value = Some(value.unwrap_or(0) * radix + digit);
        *at += 1;
    }
    value.and_then(|value| u8::try_from(value).ok())
}

/// Lines that each begin with a backtick; their text goes on to the line's end.
fn block(bytes: &[u8], at: &mut usize) -> Vec<u8> {
    let mut text = Vec::new();
    loop {
        *at += 1;
        let end = *at + line_end(&bytes[*at..]);
        text.extend_from_slice(&bytes[*at..end]);
        text.push(b'\n');
        let next = bytes[end..]
            .iter()
            .position(|byte| !byte.is_ascii_whitespace())
            .map(|skipped| end + skipped);
        match next {
            Some(next) if bytes[next] == b'`' => *at = next,
            _ => {
                *at = end;
                return text;
            }
        }
    }
}

/// `0x"de ad"`.
fn hex_data(bytes: &[u8], at: &mut usize) -> Result<Vec<u8>, Wrong> {
    let start = *at;
    let text = quoted(bytes, at)?;
    let digits: Option<Vec<u8>> = text
        .iter()
        .filter(|byte| !byte.is_ascii_whitespace())
        .map(|byte| {
            char::from(*byte)
                .to_digit(16)
                .and_then(|digit| u8::try_from(digit).ok())
        })
        .collect();
    match digits {
        Some(digits) if digits.len().is_multiple_of(2) => Ok(digits
            .chunks_exact(2)
            .map(|pair| pair[0] * 16 + pair[1])
            .collect()),
        _ => Err((start, "data in hex is pairs of digits".into())),
    }
}

/// The line and column of an offset, from 1.
pub(super) fn place(source: &str, offset: usize) -> Place {
    let before = &source.as_bytes()[..offset.min(source.len())];
    let line_start = before
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |at| at + 1);
    Place {
        line: 1 + before.iter().filter(|byte| **byte == b'\n').count(),
        column: 1 + before.len() - line_start,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: &str, expected: &[Token]) {
        let found: Vec<_> = tokens(source)
            .expect("tokens")
            .into_iter()
            .map(|(token, _)| token)
            .collect();
        assert_eq!(found, expected, "{source}");
    }

    #[test]
    fn texts_and_numbers_are_read_as_the_schema_language_has_them() {
        check(r#""a\n\x41\101""#, &[Token::Text(b"a\nAA".to_vec())]);
        check(r#"0x"de AD""#, &[Token::Text(vec![0xde, 0xad])]);
        check(
            "0x10 # note\n 010 7",
            &[Token::Number(16), Token::Number(8), Token::Number(7)],
        );
        check(
            "`one\n  `two\n;",
            &[Token::Text(b"one\ntwo\n".to_vec()), Token::Mark(';')],
        );
    }

    #[test]
    fn what_is_no_token_has_its_place() {
        let (at, why) = tokens("const x = \"open\n").expect_err("no token");
        assert_eq!(
            place("const x = \"open\n", at),
            Place {
                line: 1,
                column: 11
            }
        );
        assert_eq!(why, "this text has no end on its line");
        assert_eq!(tokens("a\n %").expect_err("no token").0, 3);
    }
}
