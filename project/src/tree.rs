//! Configuration as one tree of values that know where they were written.
//!
//! JSON and TOML both become this tree, so the checks are written once and
//! every fault has a position, whatever the format.

mod jsonc;
mod toml;

use serde_json::Number;

use crate::diagnostic::Lines;

/// Where a value lies in its text, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: usize,
}

#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) span: Span,
}

#[derive(Debug, Clone)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    /// A TOML date or time, which JSON has no word for; kept as written.
    Date(String),
    List(Vec<Node>),
    Table(Table),
}

/// Keys in the order they were written (TOML's are sorted), each key once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table(pub(crate) Vec<Entry>);

#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_span: Span,
    pub(crate) node: Node,
}

/// A fault of the text itself, before anything is checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SyntaxFault {
    pub(crate) span: Span,
    pub(crate) message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Jsonc,
    Toml,
}

/// Parses a whole configuration file, whose root must be a table.
pub(crate) fn parse(text: &str, format: Format) -> Result<Node, Vec<SyntaxFault>> {
    match format {
        Format::Jsonc => jsonc::parse(text),
        Format::Toml => toml::parse(text),
    }
}

impl Value {
    /// The kind of value, as a message names it.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "a string",
            Self::Date(_) => "a date",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
        }
    }

    /// Whether the value says nothing: null, or lists and tables of nothing.
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::Null => true,
            Self::List(items) => items.is_empty(),
            Self::Table(table) => table.0.iter().all(|entry| entry.node.value.is_empty()),
            _ => false,
        }
    }
}

impl Table {
    pub(crate) fn get(&self, key: &str) -> Option<&Entry> {
        self.0.iter().find(|entry| entry.key == key)
    }
}

impl Node {
    /// The value as JSON. The `Err` is a node JSON cannot hold: a date.
    pub(crate) fn to_json(&self) -> Result<serde_json::Value, &Node> {
        use serde_json::Value as Json;
        Ok(match &self.value {
            Value::Null => Json::Null,
            Value::Bool(value) => Json::Bool(*value),
            Value::Number(value) => Json::Number(value.clone()),
            Value::Text(value) => Json::String(value.clone()),
            Value::Date(_) => return Err(self),
            Value::List(items) => {
                Json::Array(items.iter().map(Node::to_json).collect::<Result<_, _>>()?)
            }
            Value::Table(table) => Json::Object(
                table
                    .0
                    .iter()
                    .map(|entry| Ok((entry.key.clone(), entry.node.to_json()?)))
                    .collect::<Result<_, _>>()?,
            ),
        })
    }
}

impl SyntaxFault {
    fn new(start: usize, message: impl Into<String>) -> Self {
        Self {
            span: Span { start },
            message: message.into(),
        }
    }

    pub(crate) fn position(&self, lines: &Lines<'_>) -> crate::Position {
        lines.position(self.span.start)
    }
}
