//! Queries as bindings send them.

use std::fmt;

use rusqlite::types::Value;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

/// SQL of one or more statements, and the values for the last one.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Query {
    pub(crate) sql: String,
    #[serde(default, deserialize_with = "values")]
    pub(crate) params: Vec<Value>,
}

impl Query {
    /// Whether it is lines of comments alone.
    pub(crate) fn is_comment(&self) -> bool {
        let mut lines = self.sql.lines().map(str::trim);
        lines.all(|line| line.is_empty() || line.starts_with("--"))
    }
}

/// Parts of statements each, that a person runs.
#[derive(Debug)]
pub(crate) struct Script(pub(crate) Vec<String>);

/// What a database is asked to do in one transaction.
pub(crate) enum Work {
    /// A binding's.
    Queries(Vec<Query>),
    /// It may take as long as it does.
    Script(Script),
    /// Something while nobody has the database open.
    Closed(Box<dyn FnOnce() + Send>),
}

pub(crate) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// One query, or a list of them.
pub(super) fn read(json: &[u8]) -> serde_json::Result<Vec<Query>> {
    if json.trim_ascii_start().starts_with(b"[") {
        serde_json::from_slice(json)
    } else {
        Ok(vec![serde_json::from_slice(json)?])
    }
}

fn values<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Value>, D::Error> {
    let values = Option::<Vec<Param>>::deserialize(deserializer)?;
    let values = values.unwrap_or_default().into_iter();
    Ok(values.map(|Param(value)| value).collect())
}

/// A value; bytes are a list of numbers.
struct Param(Value);

impl<'de> Deserialize<'de> for Param {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ParamVisitor).map(Self)
    }
}

struct ParamVisitor;

impl<'de> Visitor<'de> for ParamVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("null, a number, a string or a list of bytes")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Integer(value.into()))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        #[expect(
            clippy::cast_precision_loss,
            reason = "it is JavaScript's number anyway"
        )]
        self.visit_f64(value as f64)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        #[expect(
            clippy::cast_precision_loss,
            reason = "it is JavaScript's number anyway"
        )]
        self.visit_f64(value as f64)
    }

    /// Whole ones too, as on Workers: a column without a type keeps what it is given.
    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Real(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.into()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::Text(value))
    }

    /// A number, where serde_json keeps all its digits.
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Value, A::Error> {
        let number = Number::deserialize(MapAccessDeserializer::new(map))?;
        // Beyond a float there is none of JavaScript's.
        self.visit_f64(number.as_f64().unwrap_or(f64::INFINITY))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut bytes = Vec::new();
        while let Some(number) = list.next_element::<f64>()? {
            // As `Uint8Array.from` has it.
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            bytes.push(number.trunc().rem_euclid(256.0) as u8);
        }
        Ok(Value::Blob(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(sql: &str) -> Query {
        Query {
            sql: sql.into(),
            params: Vec::new(),
        }
    }

    #[test]
    fn queries_are_read() {
        let json = br#" [{"sql":"a","params":[null,1,1.5,-3,"x",[1,255,256.7],1e300]},
            {"sql":"b"},{"sql":"c","params":null}]"#;
        let queries = read(json).expect("queries");
        let params = vec![
            Value::Null,
            Value::Real(1.0),
            Value::Real(1.5),
            Value::Real(-3.0),
            Value::Text("x".into()),
            Value::Blob(vec![1, 255, 0]),
            Value::Real(1e300),
        ];
        assert_eq!(queries[0].params, params);
        assert_eq!(queries[1..], [query("b"), query("c")]);
        assert_eq!(read(br#"{"sql":"a"}"#).expect("a query"), [query("a")]);
        for bad in [
            "",
            "5",
            "[5]",
            r#"{"sql":"a","params":[{}]}"#,
            r#"{"params":[]}"#,
        ] {
            assert!(read(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn comments_are_no_queries() {
        let check = |sql: &str| query(sql).is_comment();
        assert!(check(" -- one\n\n  -- two"));
        assert!(check(""));
        assert!(!check("-- one\nSELECT 1"));
    }
}
