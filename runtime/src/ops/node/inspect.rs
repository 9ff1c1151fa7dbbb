//! Looks at values that a script has no way for: for comparing and printing.

use deno_core::{op2, v8};

/// Own property names that are no array index. `filter` is V8's.
#[op2]
pub(crate) fn op_node_get_own_non_index_properties<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    object: v8::Local<'a, v8::Object>,
    #[smi] filter: u32,
) -> Option<v8::Local<'a, v8::Array>> {
    let bits = [
        v8::PropertyFilter::ONLY_WRITABLE,
        v8::PropertyFilter::ONLY_ENUMERABLE,
        v8::PropertyFilter::ONLY_CONFIGURABLE,
        v8::PropertyFilter::SKIP_STRINGS,
        v8::PropertyFilter::SKIP_SYMBOLS,
    ];
    let filter = bits
        .into_iter()
        .enumerate()
        .filter(|(bit, _)| filter & (1 << bit) != 0)
        .fold(v8::PropertyFilter::ALL_PROPERTIES, |all, (_, one)| {
            all | one
        });
    let args = v8::GetPropertyNamesArgsBuilder::new()
        .mode(v8::KeyCollectionMode::OwnOnly)
        .property_filter(filter)
        .index_filter(v8::IndexFilter::SkipIndices)
        .build();
    object.get_property_names(scope, args)
}

/// Whether a view's bytes lie in a buffer of their own, outside V8's heap.
#[op2(fast)]
pub(crate) fn op_node_view_has_buffer(view: v8::Local<v8::ArrayBufferView>) -> bool {
    view.has_buffer()
}
