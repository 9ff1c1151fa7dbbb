//! Parcels: what a script packs for another worker, and what comes out of one. The
//! capabilities in it are the host's; a script has a number for each (`js/parcels.js`).

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use deno_core::convert::Uint8Array;
use deno_core::cppgc::make_cppgc_object;
use deno_core::{GarbageCollected, OpState, op2, v8};
use deno_error::JsErrorBox;

use super::Shared;
use super::rpc::{read, write};
use super::service::Route;
use crate::capability::{Capability, Grant, Grants, Parcel, kept};
use crate::event::EventId;

/// A parcel in the script's hands.
pub(crate) struct ParcelHandle(pub(crate) Arc<Parcel>);

// SAFETY: it holds no value of V8's, so that there is nothing to trace.
unsafe impl GarbageCollected for ParcelHandle {
    fn trace(&self, _visitor: &mut v8::cppgc::Visitor) {}

    fn get_name(&self) -> &'static std::ffi::CStr {
        c"Parcel"
    }
}

impl ParcelHandle {
    pub(crate) fn make<'a>(
        scope: &mut v8::PinScope<'a, '_>,
        parcel: Arc<Parcel>,
    ) -> v8::Local<'a, v8::Object> {
        make_cppgc_object(scope, Self(parcel))
    }
}

/// Keeps a grant until the script has lost it.
pub(crate) struct GrantHandle {
    grants: Rc<Grants>,
    number: i32,
}

// SAFETY: as above.
unsafe impl GarbageCollected for GrantHandle {
    fn trace(&self, _visitor: &mut v8::cppgc::Visitor) {}

    fn get_name(&self) -> &'static std::ffi::CStr {
        c"Grant"
    }
}

impl Drop for GrantHandle {
    fn drop(&mut self) {
        self.grants.remove(self.number);
    }
}

impl GrantHandle {
    /// `[number, handle]`: the grant is there while the handle is.
    pub(crate) fn make<'a>(
        scope: &mut v8::PinScope<'a, '_>,
        shared: &Shared,
        grant: Grant,
    ) -> [v8::Local<'a, v8::Value>; 2] {
        let grants = shared.grants.clone();
        let number = grants.add(grant);
        let handle = make_cppgc_object(scope, Self { grants, number });
        [v8::Integer::new(scope, number).into(), handle.into()]
    }
}

/// Packs a value. `describe` says of what V8 cannot clone what it is; of services and
/// objects among that it notes the numbers and names in `found`. Throws what V8 says of
/// a value that has no clone.
#[op2(reentrant)]
pub(crate) fn op_parcel_pack<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    state: Rc<RefCell<OpState>>,
    #[smi] event: EventId,
    value: v8::Local<'a, v8::Value>,
    describe: v8::Local<'a, v8::Function>,
    found: v8::Local<'a, v8::Array>,
) -> Result<v8::Local<'a, v8::Value>, JsErrorBox> {
    let Some(bytes) = write(scope, value, describe) else {
        // It is thrown already: an error here would take its place.
        return Ok(v8::undefined(scope).into());
    };
    let shared = Shared::of(&state);
    let capabilities = capabilities(scope, &shared, event, found)?;
    let parcel = Parcel {
        bytes,
        capabilities,
    };
    Ok(ParcelHandle::make(scope, Arc::new(parcel)).into())
}

/// What the host has by the numbers and names in `found`.
pub(super) fn capabilities(
    scope: &mut v8::PinScope<'_, '_>,
    shared: &Shared,
    event: EventId,
    found: v8::Local<'_, v8::Array>,
) -> Result<Vec<Capability>, JsErrorBox> {
    let mut capabilities = Vec::new();
    for index in (0..found.length()).step_by(2) {
        let number = found.get_index(scope, index);
        let target = found.get_index(scope, index + 1);
        let number = number.and_then(|number| number.int32_value(scope));
        let target = target.filter(|target| target.is_string());
        let target = target.map(|target| target.to_rust_string_lossy(scope));
        let number = number.unwrap_or_default();
        let route = Route::find(shared, event, number, target.as_deref())?;
        capabilities.push(route.into_capability()?);
    }
    Ok(capabilities)
}

/// A parcel as an object keeps it.
#[op2]
pub(crate) fn op_parcel_keep(#[cppgc] parcel: &ParcelHandle) -> Uint8Array {
    kept::write(&parcel.0).into()
}

/// The parcel that an object kept.
#[op2]
pub(crate) fn op_parcel_kept<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    #[buffer] bytes: &[u8],
) -> Result<v8::Local<'a, v8::Object>, JsErrorBox> {
    let parcel = kept::read(bytes).map_err(|error| JsErrorBox::generic(error.to_string()))?;
    Ok(ParcelHandle::make(scope, Arc::new(parcel)))
}

/// Takes the value out of a parcel, as often as one likes.
#[op2(reentrant)]
pub(crate) fn op_parcel_open<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    #[cppgc] parcel: &ParcelHandle,
    restore: v8::Local<'a, v8::Function>,
) -> Result<v8::Local<'a, v8::Value>, JsErrorBox> {
    let parcel = parcel.0.clone();
    read(scope, &parcel.bytes, restore)
}

/// `[number, handle]` of a capability in a parcel.
#[op2]
pub(crate) fn op_parcel_grant<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    state: Rc<RefCell<OpState>>,
    #[cppgc] parcel: &ParcelHandle,
    #[smi] index: u32,
) -> Result<v8::Local<'a, v8::Array>, JsErrorBox> {
    let missing = || JsErrorBox::range_error("no such capability");
    let capability = parcel.0.capabilities.get(index as usize);
    let grant = Grant::Capability(capability.ok_or_else(missing)?.clone());
    let made = GrantHandle::make(scope, &Shared::of(&state), grant);
    Ok(v8::Array::new_with_elements(scope, &made))
}

/// The `env` that a loaded worker was given; undefined where it was none.
#[op2]
pub(crate) fn op_parcel_env<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    state: Rc<RefCell<OpState>>,
) -> v8::Local<'a, v8::Value> {
    let worker = Shared::of(&state).worker();
    let loaded = worker.as_ref().and_then(|worker| worker.loaded.as_ref());
    match loaded.and_then(|loaded| loaded.env.clone()) {
        Some(parcel) => ParcelHandle::make(scope, parcel).into(),
        None => v8::undefined(scope).into(),
    }
}
