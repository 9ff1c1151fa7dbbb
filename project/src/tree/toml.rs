//! TOML, as wrangler reads it.

use serde_json::Number;
use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue};

use super::{Entry, Node, Span, SyntaxFault, Table, Value};

pub(super) fn parse(text: &str) -> Result<Node, Vec<SyntaxFault>> {
    let (root, errors) = DeTable::parse_recoverable(text);
    let mut faults: Vec<_> = errors
        .iter()
        .map(|error| {
            let start = error.span().map_or(0, |span| span.start);
            SyntaxFault::new(start, error.message())
        })
        .collect();
    let table = convert_table(root.get_ref(), &mut faults);
    if faults.is_empty() {
        Ok(Node {
            value: Value::Table(table),
            span: Span { start: 0 },
        })
    } else {
        Err(faults)
    }
}

fn convert_table(table: &DeTable<'_>, faults: &mut Vec<SyntaxFault>) -> Table {
    let entries = table.iter().map(|(key, value)| Entry {
        key: key.get_ref().to_string(),
        key_span: Span {
            start: key.span().start,
        },
        node: convert(value, faults),
    });
    Table(entries.collect())
}

fn convert(value: &Spanned<DeValue<'_>>, faults: &mut Vec<SyntaxFault>) -> Node {
    let start = value.span().start;
    let mut number = |number: Option<Number>, written: &str| {
        number.map_or_else(
            || {
                let message = format!("{written} is not a number that can be held");
                faults.push(SyntaxFault::new(start, message));
                Value::Null
            },
            Value::Number,
        )
    };
    let value = match value.get_ref() {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(integer) => number(to_integer(integer), integer.as_str()),
        DeValue::Float(float) => number(
            float.as_str().parse().ok().and_then(Number::from_f64),
            float.as_str(),
        ),
        DeValue::Boolean(value) => Value::Bool(*value),
        DeValue::Datetime(date) => Value::Date(date.to_string()),
        DeValue::Array(items) => {
            Value::List(items.iter().map(|item| convert(item, faults)).collect())
        }
        DeValue::Table(table) => Value::Table(convert_table(table, faults)),
    };
    Node {
        value,
        span: Span { start },
    }
}

fn to_integer(integer: &DeInteger<'_>) -> Option<Number> {
    i64::from_str_radix(integer.as_str(), integer.radix())
        .ok()
        .map(Number::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_value_is_read() {
        let text = "a = 1\nb = 0x10\nc = 1.5\nd = [true]\n[e.f]\ng = 'h'\n[[i]]\nj = 1_000\n";
        assert_eq!(
            parse(text).unwrap().to_json().unwrap(),
            serde_json::json!({
                "a": 1, "b": 16, "c": 1.5, "d": [true],
                "e": { "f": { "g": "h" } }, "i": [{ "j": 1000 }]
            })
        );
    }

    #[test]
    fn faults_of_the_text() {
        let check = |text: &str, expected: &[(usize, &str)]| {
            let expected: Vec<_> = expected
                .iter()
                .map(|(start, message)| SyntaxFault::new(*start, *message))
                .collect();
            assert_eq!(parse(text).unwrap_err(), expected, "{text}");
        };
        check("a = nan", &[(4, "nan is not a number that can be held")]);
        check("a = 1\na = 2", &[(6, "duplicate key")]);
    }

    #[test]
    fn nesting_is_bounded() {
        assert!(parse(&format!("a = {}{}", "[".repeat(9_999), "]".repeat(9_999))).is_err());
        assert!(parse(&format!("a{} = 1", ".a".repeat(9_999))).is_err());
    }
}
