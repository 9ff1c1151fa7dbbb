//! Values that an object keeps, as V8 writes them (`js/object_keys.js`).

use std::cell::Cell;
use std::rc::Rc;

use deno_core::convert::Uint8Array;
use deno_core::v8::ValueSerializerHelper;
use deno_core::{ToV8, op2, v8};
use deno_error::JsErrorBox;

/// What `op_value_write` found in a value that V8 alone does not write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    Nothing,
    /// Objects of a class that may be one of the API's: not all of those are marked yet.
    Unknown,
    /// Objects of the API, which V8 would not read again.
    Api,
}

/// The bytes of a value; true where it is to be asked again once all classes of the API
/// are marked, false where it holds objects of theirs. Those have `brand`.
#[op2(reentrant)]
pub(crate) fn op_value_write<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    value: v8::Local<'a, v8::Value>,
    brand: v8::Local<'a, v8::Value>,
    all_marked: bool,
) -> Result<v8::Local<'a, v8::Value>, JsErrorBox> {
    let undefined = v8::undefined(scope).into();
    let Ok(brand) = v8::Local::<v8::Symbol>::try_from(brand) else {
        return Err(JsErrorBox::type_error("the brand is no symbol"));
    };
    let Some(plain) = v8::Object::new(scope).get_prototype(scope) else {
        return Ok(undefined);
    };
    let found = Rc::new(Cell::new(Found::Nothing));
    let delegate = Box::new(Writer {
        plain,
        brand,
        all_marked,
        found: found.clone(),
    });
    let context = scope.get_current_context();
    let serializer = v8::ValueSerializer::new(scope, delegate);
    serializer.write_header();
    let written = {
        v8::tc_scope!(let scope, scope);
        let written = serializer.write_value(context, value);
        if scope.has_caught() || scope.has_terminated() {
            scope.rethrow();
            return Ok(undefined);
        }
        written
    };
    match found.get() {
        Found::Unknown => Ok(v8::Boolean::new(scope, true).into()),
        Found::Api => Ok(v8::Boolean::new(scope, false).into()),
        Found::Nothing if written == Some(true) => {
            let bytes = Uint8Array::from(serializer.release());
            bytes.to_v8(scope).map_err(JsErrorBox::from_err)
        }
        Found::Nothing => Err(JsErrorBox::type_error("it could not be cloned.")),
    }
}

struct Writer<'a> {
    /// Objects with this prototype V8 clones.
    plain: v8::Local<'a, v8::Value>,
    brand: v8::Local<'a, v8::Symbol>,
    all_marked: bool,
    found: Rc<Cell<Found>>,
}

impl v8::ValueSerializerImpl for Writer<'_> {
    fn throw_data_clone_error<'s>(
        &self,
        scope: &mut v8::PinScope<'s, '_>,
        message: v8::Local<'s, v8::String>,
    ) {
        let error = v8::Exception::type_error(scope, message);
        scope.throw_exception(error);
    }

    fn has_custom_host_object(&self, _isolate: &v8::Isolate) -> bool {
        true
    }

    fn is_host_object<'s>(
        &self,
        scope: &mut v8::PinScope<'s, '_>,
        object: v8::Local<'s, v8::Object>,
    ) -> Option<bool> {
        if object.has(scope, self.brand.into())? {
            return Some(true);
        }
        if !self.all_marked && !object.is_native_error() {
            let prototype = object.get_prototype(scope)?;
            if prototype != self.plain && !prototype.is_null() {
                self.found.set(Found::Unknown);
            }
        }
        Some(false)
    }

    fn write_host_object<'s>(
        &self,
        scope: &mut v8::PinScope<'s, '_>,
        object: v8::Local<'s, v8::Object>,
        _serializer: &dyn v8::ValueSerializerHelper,
    ) -> Option<bool> {
        if self.found.get() == Found::Nothing {
            self.found.set(Found::Api);
        }
        // Throws where there is no clone of it.
        let describe = object.get(scope, self.brand.into())?;
        if let Ok(describe) = describe.try_cast::<v8::Function>() {
            describe.call(scope, object.into(), &[])?;
        }
        Some(true)
    }
}
