//! Rows as JSON, written while SQLite gives them.

use outboard_runtime::sql::{RowValues, Rows};
use rusqlite::types::ValueRef;
use serde::{Deserialize, Serialize};

/// What rows look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Format {
    /// An object a row.
    Objects,
    /// The names of columns once, and a list a row.
    Columns,
}

impl Format {
    /// Of a request's query. `NONE` has the rows too, since `run()` gives them.
    pub(super) fn of(query: &str) -> Self {
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        let found = pairs.find(|(name, _)| name == "resultsFormat");
        match found {
            Some((_, format)) if format == "ROWS_AND_COLUMNS" => Self::Columns,
            _ => Self::Objects,
        }
    }
}

/// The rows of one query, behind what is there.
pub(super) struct JsonRows<'a> {
    json: &'a mut Vec<u8>,
    /// Where this query's begin.
    start: usize,
    format: Format,
    most: usize,
    is_full: bool,
    /// The names of columns, as JSON has them.
    columns: Vec<Vec<u8>>,
    is_first: bool,
}

impl<'a> JsonRows<'a> {
    pub(super) fn new(json: &'a mut Vec<u8>, format: Format, most: usize) -> Self {
        let start = json.len();
        let mut rows = Self {
            json,
            start,
            format,
            most,
            is_full: false,
            columns: Vec::new(),
            is_first: true,
        };
        rows.head();
        rows
    }

    fn head(&mut self) {
        self.json.truncate(self.start);
        self.is_first = true;
        if self.format == Format::Objects {
            self.json.push(b'[');
            return;
        }
        self.json.extend_from_slice(b"{\"columns\":[");
        self.json.extend_from_slice(&self.columns.join(&b','));
        self.json.extend_from_slice(b"],\"rows\":[");
    }

    /// Answers whether there were too many.
    pub(super) fn end(self) -> bool {
        let end: &[u8] = match self.format {
            Format::Objects => b"]",
            Format::Columns => b"]}",
        };
        self.json.extend_from_slice(end);
        self.is_full
    }
}

impl Rows for JsonRows<'_> {
    fn begin(&mut self, columns: &[&str]) -> rusqlite::Result<()> {
        self.columns.clear();
        for name in columns {
            let mut json = Vec::new();
            string(&mut json, name);
            self.columns.push(json);
        }
        self.head();
        Ok(())
    }

    fn row(&mut self, row: &RowValues<'_>) -> rusqlite::Result<()> {
        if !std::mem::take(&mut self.is_first) {
            self.json.push(b',');
        }
        let (open, close) = match self.format {
            Format::Objects => (b'{', b'}'),
            Format::Columns => (b'[', b']'),
        };
        self.json.push(open);
        for (index, name) in self.columns.iter().enumerate() {
            if index > 0 {
                self.json.push(b',');
            }
            // Of two columns of a name the last one is read, as of an object's members.
            if self.format == Format::Objects {
                self.json.extend_from_slice(name);
                self.json.push(b':');
            }
            value(self.json, row.get(index));
        }
        self.json.push(close);
        if self.json.len() > self.most {
            self.is_full = true;
            let message = "the results are too large";
            return Err(rusqlite::Error::ToSqlConversionFailure(message.into()));
        }
        Ok(())
    }
}

fn value(json: &mut Vec<u8>, value: ValueRef<'_>) {
    match value {
        ValueRef::Null => json.extend_from_slice(b"null"),
        ValueRef::Integer(number) => json.extend_from_slice(number.to_string().as_bytes()),
        ValueRef::Real(number) if number.is_finite() => {
            json.extend_from_slice(serde_json::Value::from(number).to_string().as_bytes());
        }
        ValueRef::Real(_) => json.extend_from_slice(b"null"),
        ValueRef::Text(text) => string(json, &String::from_utf8_lossy(text)),
        ValueRef::Blob(bytes) => {
            json.push(b'[');
            for (index, byte) in bytes.iter().enumerate() {
                if index > 0 {
                    json.push(b',');
                }
                json.extend_from_slice(byte.to_string().as_bytes());
            }
            json.push(b']');
        }
    }
}

fn string(json: &mut Vec<u8>, text: &str) {
    // Writing to memory, and a string, cannot fail.
    let _ = serde_json::to_writer(json, text);
}
