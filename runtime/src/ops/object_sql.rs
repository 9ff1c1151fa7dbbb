//! `ctx.storage.sql`: a script's statements on its object's database.

use std::cell::RefCell;
use std::rc::Rc;

use deno_core::{OpState, op2, v8};
use deno_error::JsErrorBox;
use rusqlite::fallible_iterator::FallibleIterator;
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Batch, Connection, Statement, StatementStatus};

use super::Shared;
use super::module::array_buffer;
use super::object::database;

/// What a statement gave, as the script takes it.
#[derive(Default)]
struct Rows<'a> {
    columns: Vec<v8::Local<'a, v8::Value>>,
    rows: Vec<v8::Local<'a, v8::Value>>,
    read: i64,
    written: u64,
}

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
    let rows = database(&shared, number, |database| {
        database.script(|connection| run(scope, connection, &sql, &values))
    })?;
    let columns = v8::Array::new_with_elements(scope, &rows.columns).into();
    let list = v8::Array::new_with_elements(scope, &rows.rows).into();
    let read = v8::Number::new(scope, rows.read as f64).into();
    let written = v8::Number::new(scope, rows.written as f64).into();
    Ok(v8::Array::new_with_elements(
        scope,
        &[columns, list, read, written],
    ))
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

fn run<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    connection: &Connection,
    sql: &str,
    values: &[Value],
) -> rusqlite::Result<Rows<'a>> {
    let before = connection.total_changes();
    let mut batch = Batch::new(connection, sql);
    let mut rows = Rows::default();
    let mut bound = false;
    let mut next = batch.next()?;
    while let Some(mut statement) = next.take() {
        let wanted = statement.parameter_count();
        if wanted > 0 || !values.is_empty() {
            // One that does not compile yet, since its table is yet to be made, is one
            // more too.
            let following = batch.next();
            if matches!(following, Ok(None)) {
                if wanted != values.len() {
                    return Err(rusqlite::Error::InvalidParameterCount(values.len(), wanted));
                }
                bound = true;
            } else if wanted > 0 {
                return Err(several());
            }
            next = following.unwrap_or(None);
        }
        for (index, value) in values.iter().enumerate().filter(|_| bound) {
            statement.raw_bind_parameter(index + 1, value)?;
        }
        step(scope, &mut statement, &mut rows)?;
        if next.is_none() && !bound {
            next = batch.next()?;
        }
    }
    rows.written = connection.total_changes() - before;
    Ok(rows)
}

fn several() -> rusqlite::Error {
    let message = "When executing multiple SQL statements in a single call, only the last \
                   statement can have parameters.";
    rusqlite::Error::ToSqlConversionFailure(message.into())
}

/// Runs one statement to its end; its rows take the place of those before.
fn step<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    statement: &mut Statement<'_>,
    into: &mut Rows<'a>,
) -> rusqlite::Result<()> {
    let too_long = || rusqlite::Error::ToSqlConversionFailure("a value is too long".into());
    into.columns.clear();
    into.rows.clear();
    for name in statement.column_names() {
        let name = v8::String::new(scope, name).ok_or_else(too_long)?;
        into.columns.push(name.into());
    }
    let width = into.columns.len();
    let mut rows = statement.raw_query();
    let mut row_values = Vec::with_capacity(width);
    while let Some(row) = rows.next()? {
        row_values.clear();
        for column in 0..width {
            row_values.push(value(scope, row.get_ref(column)?).ok_or_else(too_long)?);
        }
        let row = v8::Array::new_with_elements(scope, &row_values);
        into.rows.push(row.into());
    }
    drop(rows);
    let scanned = statement.get_status(StatementStatus::FullscanStep).into();
    let given = i64::try_from(into.rows.len()).unwrap_or(i64::MAX);
    into.read += given.max(scanned);
    Ok(())
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
