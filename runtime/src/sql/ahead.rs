//! Rows that were read before their script asked for them.

use std::collections::VecDeque;

use rusqlite::types::{Value, ValueRef};

use super::rows::{RowValues, Rows};
use super::{Touched, refused};

/// The rows that a statement had left.
pub(super) struct Ahead {
    rows: VecDeque<Vec<Value>>,
    bytes: usize,
    room: usize,
    /// What reading them cost, which is nobody's until one is asked for.
    pub(super) touched: Touched,
}

impl Ahead {
    /// None yet, and room for so many bytes.
    pub(super) fn new(room: usize) -> Self {
        Self {
            rows: VecDeque::new(),
            bytes: 0,
            room,
            touched: Touched::default(),
        }
    }

    /// Bytes of memory that they have, about.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn next(&mut self) -> Option<Vec<Value>> {
        let row = self.rows.pop_front()?;
        self.bytes -= size(&row);
        Some(row)
    }
}

impl Rows for Ahead {
    fn begin(&mut self, _names: &[&str]) -> rusqlite::Result<()> {
        Ok(())
    }

    fn row(&mut self, row: &RowValues<'_>) -> rusqlite::Result<()> {
        let values = (0..row.width()).map(|column| owned(row.get(column)));
        let values: Vec<Value> = values.collect();
        self.bytes += size(&values);
        if self.bytes > self.room {
            return Err(refused(
                "SQL cursor was closed because too many others were read since, and its rows \
                 are too large to keep: read cursors to their end.",
            ));
        }
        self.rows.push_back(values);
        Ok(())
    }
}

pub(super) fn owned(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Real(number) => Value::Real(number),
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Value::Blob(bytes.into()),
    }
}

fn size(row: &[Value]) -> usize {
    let bytes = |value: &Value| match value {
        Value::Text(text) => text.len(),
        Value::Blob(bytes) => bytes.len(),
        _ => 0,
    };
    size_of_val(row) + row.iter().map(bytes).sum::<usize>()
}
