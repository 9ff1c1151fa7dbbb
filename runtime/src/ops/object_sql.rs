//! `ctx.storage.sql`: a script's statements on its object's database.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use deno_core::cppgc::make_cppgc_object;
use deno_core::{GarbageCollected, OpState, op2, v8};
use deno_error::JsErrorBox;
use rusqlite::types::{Value, ValueRef};

use super::Shared;
use super::module::array_buffer;
use super::object::database;
use crate::heap::{NO_BUFFER, copy_of, copy_of_buffer};
use crate::sql::{self, Lost, Reach, RowValues, Rows, Touched};

/// A cursor in the script's hands: closed when the script has lost it.
pub(crate) struct CursorHandle {
    object: u32,
    number: u64,
    touched: Cell<Touched>,
    lost: Lost,
}

// SAFETY: it holds no value of V8's, so that there is nothing to trace.
unsafe impl GarbageCollected for CursorHandle {
    fn trace(&self, _visitor: &mut v8::cppgc::Visitor) {}

    fn get_name(&self) -> &'static std::ffi::CStr {
        c"Cursor"
    }
}

impl Drop for CursorHandle {
    fn drop(&mut self) {
        // V8 collects within no call of SQLite's, and may within one of ours.
        self.lost.borrow_mut().push(self.number);
    }
}

/// Runs all statements of `sql`, the last one, with the bindings, as far as its first row:
/// `[columns, rows, rowsRead, rowsWritten, reused, cursor]`, a row being its values in
/// order. With a cursor there may be more of them.
#[op2]
pub(crate) fn op_object_sql<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    state: Rc<RefCell<OpState>>,
    #[smi] number: u32,
    #[string] sql: String,
    bindings: v8::Local<'a, v8::Array>,
) -> Result<v8::Local<'a, v8::Array>, JsErrorBox> {
    let shared = &Shared::of(&state);
    let mut values = Vec::with_capacity(bindings.length() as usize);
    for index in 0..bindings.length() {
        let value = bindings.get_index(scope, index);
        values.push(binding(scope, value)?);
    }
    let mut rows = ScriptRows::new(shared, scope);
    let (begun, lost) = database(shared, number, |database| {
        let begun = database.exec(&sql, &values, &mut rows)?;
        Ok((begun, database.lost_cursors()))
    })?;
    let columns = std::mem::take(&mut rows.columns);
    let rows = rows.into_array();
    let columns = v8::Array::new_with_elements(scope, &columns).into();
    let touched = begun.touched;
    let read = v8::Number::new(scope, touched.read as f64).into();
    let written = v8::Number::new(scope, touched.written as f64).into();
    let reused = v8::Boolean::new(scope, begun.reused).into();
    let mut answer = vec![columns, rows.into(), read, written, reused];
    if let Some(cursor) = begun.number {
        let handle = CursorHandle {
            object: number,
            number: cursor,
            touched: Cell::new(touched),
            lost,
        };
        answer.push(make_cppgc_object(scope, handle).into());
    }
    Ok(v8::Array::new_with_elements(scope, &answer))
}

/// Goes on to the next row; null where there is none.
#[op2]
pub(crate) fn op_object_sql_next<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    state: Rc<RefCell<OpState>>,
    #[cppgc] cursor: &CursorHandle,
) -> Result<v8::Local<'a, v8::Value>, JsErrorBox> {
    let shared = &Shared::of(&state);
    let mut rows = ScriptRows::new(shared, scope);
    let more = cursor.read(shared, Reach::Row, &mut rows)?;
    Ok(match rows.rows.pop() {
        Some(row) if more => row,
        _ => v8::null(scope).into(),
    })
}

/// All rows that are left.
#[op2]
pub(crate) fn op_object_sql_rest<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    state: Rc<RefCell<OpState>>,
    #[cppgc] cursor: &CursorHandle,
) -> Result<v8::Local<'a, v8::Array>, JsErrorBox> {
    let shared = &Shared::of(&state);
    let mut rows = ScriptRows::new(shared, scope);
    cursor.read(shared, Reach::End, &mut rows)?;
    Ok(rows.into_array())
}

/// Closes it before its end.
#[op2(fast)]
pub(crate) fn op_object_sql_end(
    state: &mut OpState,
    #[cppgc] cursor: &CursorHandle,
) -> Result<(), JsErrorBox> {
    let shared = state.borrow::<Rc<Shared>>().clone();
    database(&shared, cursor.object, |database| {
        database.end_cursor(cursor.number)
    })
}

#[op2(fast)]
pub(crate) fn op_object_sql_read(#[cppgc] cursor: &CursorHandle) -> f64 {
    cursor.touched.get().read as f64
}

#[op2(fast)]
pub(crate) fn op_object_sql_written(#[cppgc] cursor: &CursorHandle) -> f64 {
    cursor.touched.get().written as f64
}

impl CursorHandle {
    fn read(
        &self,
        shared: &Shared,
        reach: Reach,
        rows: &mut ScriptRows<'_, '_, '_>,
    ) -> Result<bool, JsErrorBox> {
        let mut touched = self.touched.get();
        let read = database(shared, self.object, |database| {
            database.read_cursor(self.number, reach, &mut touched, rows)
        });
        self.touched.set(touched);
        read
    }
}

/// Has the database be full at so many pages, for tests.
#[op2(fast)]
pub(crate) fn op_object_sql_most_pages(
    state: &mut OpState,
    #[smi] number: u32,
    most: f64,
) -> Result<(), JsErrorBox> {
    let shared = state.borrow::<Rc<Shared>>().clone();
    database(&shared, number, |database| {
        database.limit_pages(most as u64)
    })
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
    let touched = database(&shared, number, |database| database.ingest(whole))?;
    let length = u32::try_from(whole.encode_utf16().count()).unwrap_or(u32::MAX);
    Ok((length, touched.read as f64, touched.written as f64, count))
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
        // Whole ones too, as on Workers: a column without a type keeps what it is given.
        return Ok(Value::Real(number.value()));
    }
    if let Ok(buffer) = v8::Local::<v8::ArrayBuffer>::try_from(value) {
        let bytes = copy_of_buffer(scope, buffer);
        let refused = || JsErrorBox::range_error(NO_BUFFER);
        return Ok(Value::Blob(bytes.ok_or_else(refused)?));
    }
    if let Ok(view) = v8::Local::<v8::ArrayBufferView>::try_from(value) {
        return Ok(Value::Blob(copy_of(view)));
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
    shared: &'a Shared,
    scope: &'a mut v8::PinScope<'s, 'i>,
    columns: Vec<v8::Local<'s, v8::Value>>,
    rows: Vec<v8::Local<'s, v8::Value>>,
    /// Of the row that is read, kept for the next.
    values: Vec<v8::Local<'s, v8::Value>>,
}

impl<'a, 's, 'i> ScriptRows<'a, 's, 'i> {
    fn new(shared: &'a Shared, scope: &'a mut v8::PinScope<'s, 'i>) -> Self {
        Self {
            shared,
            scope,
            columns: Vec::new(),
            rows: Vec::new(),
            values: Vec::new(),
        }
    }

    fn into_array(self) -> v8::Local<'s, v8::Array> {
        v8::Array::new_with_elements(self.scope, &self.rows)
    }
}

impl Rows for ScriptRows<'_, '_, '_> {
    fn begin(&mut self, names: &[&str]) -> rusqlite::Result<()> {
        for name in names {
            let name = v8::String::new(self.scope, name).ok_or_else(too_long)?;
            self.columns.push(name.into());
        }
        Ok(())
    }

    fn row(&mut self, row: &RowValues<'_>) -> rusqlite::Result<()> {
        self.values.clear();
        for column in 0..row.width() {
            self.values.push(value(self.scope, row.get(column))?);
            // Nothing of the script's runs meanwhile, which would be stopped.
            if self.shared.signals.is_stopped() {
                return Err(interrupted());
            }
        }
        let row = v8::Array::new_with_elements(self.scope, &self.values);
        self.rows.push(row.into());
        Ok(())
    }
}

fn interrupted() -> rusqlite::Error {
    let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_INTERRUPT);
    rusqlite::Error::SqliteFailure(code, None)
}

fn no_buffer() -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(NO_BUFFER.into())
}

fn too_long() -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure("a value is too long".into())
}

fn value<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    value: ValueRef<'_>,
) -> rusqlite::Result<v8::Local<'a, v8::Value>> {
    Ok(match value {
        ValueRef::Null => v8::null(scope).into(),
        // As Workers have it: exact up to 2^53.
        ValueRef::Integer(number) => v8::Number::new(scope, number as f64).into(),
        ValueRef::Real(number) => v8::Number::new(scope, number).into(),
        ValueRef::Text(text) => {
            let text = v8::String::new_from_utf8(scope, text, v8::NewStringType::Normal);
            text.ok_or_else(too_long)?.into()
        }
        ValueRef::Blob(bytes) => array_buffer(scope, bytes).ok_or_else(no_buffer)?.into(),
    })
}
