//! `ctx.storage.sql`: a script's statements on its object's database.

use std::cell::RefCell;
use std::rc::Rc;

use deno_core::{OpState, op2, v8};
use deno_error::JsErrorBox;
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Row};

use super::Shared;
use super::module::array_buffer;
use super::object::database;
use crate::object::Confirmed;
use crate::sql::{self, Rows, Touched};

/// Runs all statements of `sql`, the last one with the bindings: `[columns, rows,
/// rowsRead, rowsWritten]`, a row being its values in order.
#[op2]
pub(crate) fn op_object_sql<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    state: Rc<RefCell<OpState>>,
    #[smi] number: u32,
    #[string] sql: String,
    bindings: v8::Local<'a, v8::Array>,
) -> Result<v8::Local<'a, v8::Array>, JsErrorBox> {
    let shared = Shared::of(&state);
    let mut values = Vec::with_capacity(bindings.length() as usize);
    for index in 0..bindings.length() {
        let value = bindings.get_index(scope, index);
        values.push(binding(scope, value)?);
    }
    let mut rows = ScriptRows {
        scope,
        columns: Vec::new(),
        rows: Vec::new(),
        values: Vec::new(),
    };
    let touched = run(&shared, number, |connection| {
        sql::run_whole(connection, &sql, &values, &mut rows)
    })?;
    let ScriptRows {
        scope,
        columns,
        rows,
        ..
    } = rows;
    let columns = v8::Array::new_with_elements(scope, &columns).into();
    let list = v8::Array::new_with_elements(scope, &rows).into();
    let read = v8::Number::new(scope, touched.read as f64).into();
    let written = v8::Number::new(scope, touched.written as f64).into();
    Ok(v8::Array::new_with_elements(
        scope,
        &[columns, list, read, written],
    ))
}

/// Runs those statements of `sql` that are whole: `[length, rowsRead, rowsWritten,
/// count]`, the length being theirs in UTF-16.
#[op2]
#[serde]
pub(crate) fn op_object_ingest(
    state: Rc<RefCell<OpState>>,
    #[smi] number: u32,
    #[string] sql: String,
) -> Result<(u32, f64, f64, u32), JsErrorBox> {
    let shared = Shared::of(&state);
    let (end, count) = sql::complete(&sql);
    let whole = &sql[..end];
    let touched = run(&shared, number, |connection| {
        sql::run(connection, whole, &[], &mut NoRows)
    })?;
    let length = u32::try_from(whole.encode_utf16().count()).unwrap_or(u32::MAX);
    Ok((length, touched.read as f64, touched.written as f64, count))
}

fn run(
    shared: &Shared,
    number: u32,
    statements: impl FnOnce(&Connection) -> rusqlite::Result<Touched>,
) -> Result<Touched, JsErrorBox> {
    database(shared, number, |database| {
        let done = database.script(statements);
        // What failed may have begun with what did not.
        if done.as_ref().map_or(true, |touched| touched.changes) {
            database.write(Confirmed::Yes);
        }
        done
    })
}

/// Nobody asks for what statements give.
struct NoRows;

impl Rows for NoRows {
    fn begin(&mut self, _columns: &[&str]) -> rusqlite::Result<()> {
        Ok(())
    }

    fn row(&mut self, _row: &Row<'_>) -> rusqlite::Result<()> {
        Ok(())
    }
}

fn binding<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    value: Option<v8::Local<'a, v8::Value>>,
) -> Result<Value, JsErrorBox> {
    let Some(value) = value else {
        return Ok(Value::Null);
    };
    if value.is_null_or_undefined() {
        return Ok(Value::Null);
    }
    if let Ok(number) = v8::Local::<v8::Number>::try_from(value) {
        let number = number.value();
        // As whole numbers where they are, so that a column without a type has them so.
        if number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_991.0 {
            return Ok(Value::Integer(number as i64));
        }
        return Ok(Value::Real(number));
    }
    if let Ok(buffer) = v8::Local::<v8::ArrayBuffer>::try_from(value) {
        let store = buffer.get_backing_store();
        return Ok(Value::Blob(
            store.iter().map(std::cell::Cell::get).collect(),
        ));
    }
    if let Ok(view) = v8::Local::<v8::ArrayBufferView>::try_from(value) {
        let mut bytes = vec![0; view.byte_length()];
        view.copy_contents(&mut bytes);
        return Ok(Value::Blob(bytes));
    }
    if value.is_big_int() || value.is_symbol() {
        return Err(JsErrorBox::type_error(
            "A binding must be null, a number, a string or an ArrayBuffer.",
        ));
    }
    Ok(Value::Text(value.to_rust_string_lossy(scope)))
}

/// What a statement gave, as the script takes it.
struct ScriptRows<'a, 's, 'i> {
    scope: &'a mut v8::PinScope<'s, 'i>,
    columns: Vec<v8::Local<'s, v8::Value>>,
    rows: Vec<v8::Local<'s, v8::Value>>,
    /// Of the row that is read, kept for the next.
    values: Vec<v8::Local<'s, v8::Value>>,
}

impl Rows for ScriptRows<'_, '_, '_> {
    fn begin(&mut self, columns: &[&str]) -> rusqlite::Result<()> {
        self.columns.clear();
        self.rows.clear();
        for name in columns {
            let name = v8::String::new(self.scope, name).ok_or_else(too_long)?;
            self.columns.push(name.into());
        }
        Ok(())
    }

    fn row(&mut self, row: &Row<'_>) -> rusqlite::Result<()> {
        self.values.clear();
        for column in 0..self.columns.len() {
            let value = value(self.scope, row.get_ref(column)?);
            self.values.push(value.ok_or_else(too_long)?);
        }
        let row = v8::Array::new_with_elements(self.scope, &self.values);
        self.rows.push(row.into());
        Ok(())
    }
}

fn too_long() -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure("a value is too long".into())
}

fn value<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    value: ValueRef<'_>,
) -> Option<v8::Local<'a, v8::Value>> {
    Some(match value {
        ValueRef::Null => v8::null(scope).into(),
        // As Workers have it: exact up to 2^53.
        ValueRef::Integer(number) => v8::Number::new(scope, number as f64).into(),
        ValueRef::Real(number) => v8::Number::new(scope, number).into(),
        ValueRef::Text(text) => {
            v8::String::new_from_utf8(scope, text, v8::NewStringType::Normal)?.into()
        }
        ValueRef::Blob(bytes) => array_buffer(scope, bytes).into(),
    })
}
