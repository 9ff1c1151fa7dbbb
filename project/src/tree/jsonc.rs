//! JSON with comments and trailing commas, as wrangler reads it.

use jsonc_parser::ast::{self, Value as Ast};
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};
use serde_json::Number;

use super::{Entry, Node, Span, SyntaxFault, Table, Value};

/// How deep values may nest. The parser recurses and JSON has no limit of its
/// own; TOML's parser stops at 80.
const MAX_DEPTH: usize = 80;

pub(super) fn parse(text: &str) -> Result<Node, Vec<SyntaxFault>> {
    if let Some(at) = too_deep(text) {
        let message = format!("values are nested more than {MAX_DEPTH} deep");
        return Err(vec![SyntaxFault::new(at, message)]);
    }
    let options = ParseOptions {
        allow_comments: true,
        allow_loose_object_property_names: false,
        allow_trailing_commas: true,
    };
    let parsed = parse_to_ast(text, &CollectOptions::default(), &options)
        .map_err(|error| vec![SyntaxFault::new(error.range().start, lower(error.kind()))])?;
    match parsed.value {
        Some(root @ Ast::Object(_)) => {
            let mut faults = Vec::new();
            let node = convert(&root, &mut faults);
            if faults.is_empty() {
                Ok(node)
            } else {
                Err(faults)
            }
        }
        Some(other) => Err(vec![SyntaxFault::new(
            other.start(),
            "the file must hold one JSON object",
        )]),
        None => Err(vec![SyntaxFault::new(
            0,
            "the file is empty; it must hold one JSON object",
        )]),
    }
}

/// The first bracket past the allowed depth.
///
/// Strings and comments are skipped as the parser skips them, except that
/// malformed ones end the search: the parser then stops there as well.
fn too_deep(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'[' | b'{' => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Some(at);
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            b'"' | b'\'' => at = end_of_string(bytes, at),
            b'/' if bytes.get(at + 1) == Some(&b'/') => {
                at += bytes[at..].iter().position(|b| *b == b'\n')?;
            }
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                at += 3 + bytes[at + 2..].windows(2).position(|pair| pair == b"*/")?;
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// The offset of the quote that ends the string starting at `from`, or the end.
fn end_of_string(bytes: &[u8], from: usize) -> usize {
    let quote = bytes[from];
    let mut at = from + 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 1,
            b'\n' => return at,
            _ if byte == quote => return at,
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

fn convert(value: &Ast<'_>, faults: &mut Vec<SyntaxFault>) -> Node {
    let start = value.start();
    let value = match value {
        Ast::NullKeyword(_) => Value::Null,
        Ast::BooleanLit(literal) => Value::Bool(literal.value),
        Ast::StringLit(literal) => Value::Text(literal.value.to_string()),
        Ast::NumberLit(literal) => match serde_json::from_str::<Number>(literal.value) {
            Ok(number) => Value::Number(number),
            Err(_) => {
                let message = format!("{} is not a JSON number", literal.value);
                faults.push(SyntaxFault::new(start, message));
                Value::Null
            }
        },
        Ast::Array(array) => Value::List(
            array
                .elements
                .iter()
                .map(|item| convert(item, faults))
                .collect(),
        ),
        Ast::Object(object) => Value::Table(convert_object(object, faults)),
    };
    Node {
        value,
        span: Span { start },
    }
}

fn convert_object(object: &ast::Object<'_>, faults: &mut Vec<SyntaxFault>) -> Table {
    let mut table = Table::default();
    for property in &object.properties {
        let key = property.name.as_str();
        // JSON would let the last one win in silence; the developer meant one
        // of them, and only they know which.
        if table.get(key).is_some() {
            let message = format!("\"{key}\" is given twice");
            faults.push(SyntaxFault::new(property.range.start, message));
            continue;
        }
        table.0.push(Entry {
            key: key.to_owned(),
            key_span: Span {
                start: property.range.start,
            },
            node: convert(&property.value, faults),
        });
    }
    table
}

/// The parser's message with a small first letter, to follow a position.
fn lower(kind: &jsonc_parser::errors::ParseErrorKind) -> String {
    let message = kind.to_string();
    let mut letters = message.chars();
    match letters.next() {
        Some(first) => first.to_lowercase().chain(letters).collect(),
        None => message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_trailing_commas_are_read() {
        let node = parse("// a\n{ \"a\": [1, 2,], /* b */ \"b\": null, }").unwrap();
        assert_eq!(
            node.to_json().unwrap(),
            serde_json::json!({ "a": [1, 2], "b": null })
        );
    }

    #[test]
    fn faults_of_the_text() {
        let check = |text: &str, start, message: &str| {
            assert_eq!(
                parse(text).unwrap_err(),
                [SyntaxFault::new(start, message)],
                "{text}"
            );
        };
        check("", 0, "the file is empty; it must hold one JSON object");
        check("[1]", 0, "the file must hold one JSON object");
        check("{ \"a\": 1, \"a\": 2 }", 10, "\"a\" is given twice");
        check("{ \"a\": 0x10 }", 7, "0x10 is not a JSON number");
        check("{ a: 1 }", 2, "expected string for object property");
    }

    #[test]
    fn nesting_is_bounded_and_strings_do_not_count() {
        let deep = format!("{{\"a\": {}{} }}", "[".repeat(100), "]".repeat(100));
        assert_eq!(
            parse(&deep).unwrap_err(),
            [SyntaxFault::new(85, "values are nested more than 80 deep")]
        );
        for quiet in [
            format!("{{\"a\": \"{}\"}}", "[".repeat(200)),
            format!("{{\"a\": \"\\\"{}\"}}", "[".repeat(200)),
            format!("{{}} // {}", "[".repeat(200)),
            format!("/* {} */ {{}}", "[".repeat(200)),
        ] {
            assert!(parse(&quiet).is_ok(), "{quiet}");
        }
    }
}
