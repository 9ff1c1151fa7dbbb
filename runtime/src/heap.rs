//! Memory of an isolate: the near-limit answer for V8's heap, and an allocator
//! that counts array buffers, which lie outside it.

use std::alloc::{Layout, alloc, alloc_zeroed, dealloc};
use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use deno_core::v8;

/// Bytes of array buffers of one isolate, against its limit. Past the limit
/// allocation fails and V8 throws a RangeError, so only that script notices.
#[derive(Debug)]
pub(crate) struct BufferBudget {
    used: AtomicUsize,
    limit: usize,
}

/// What V8 says where it has no memory for one.
pub(crate) const NO_BUFFER: &str = "Array buffer allocation failed";

// V8 asks for nothing stronger than the platform's malloc gives.
const ALIGN: usize = 16;

fn layout(len: usize) -> Option<Layout> {
    Layout::from_size_align(len.max(1), ALIGN).ok()
}

impl BufferBudget {
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self {
            used: AtomicUsize::new(0),
            limit,
        })
    }

    fn take(&self, len: usize) -> bool {
        self.used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
                used.checked_add(len).filter(|sum| *sum <= self.limit)
            })
            .is_ok()
    }

    fn give_back(&self, len: usize) {
        self.used.fetch_sub(len, Ordering::Relaxed);
    }

    /// Bytes that were copied elsewhere, as memory of an array buffer of an isolate with
    /// this budget; given back past its limit.
    pub(crate) fn adopt(
        self: &Arc<Self>,
        bytes: Vec<u8>,
    ) -> Result<v8::UniqueRef<v8::BackingStore>, Vec<u8>> {
        let len = bytes.len();
        if !self.take(len) {
            return Err(bytes);
        }
        let data = Box::into_raw(bytes.into_boxed_slice());
        let budget = Arc::into_raw(self.clone()).cast_mut();
        // SAFETY: `data` has `len` bytes, which nobody else holds, until V8 gives it and
        // the strong count back by `release`, once.
        Ok(unsafe {
            v8::ArrayBuffer::new_backing_store_from_ptr(data.cast(), len, release, budget.cast())
        })
    }

    /// Whether so many bytes more may be had.
    pub(crate) fn has_room(&self, len: usize) -> bool {
        let used = self.used.load(Ordering::Relaxed);
        used.checked_add(len).is_some_and(|sum| sum <= self.limit)
    }

    /// An array buffer of so many zeros; None where there is no room for it. V8 itself ends
    /// the process then: only what scripts make fails with an error.
    pub(crate) fn zeros<'a>(
        &self,
        scope: &mut v8::PinScope<'a, '_>,
        len: usize,
    ) -> Option<v8::Local<'a, v8::ArrayBuffer>> {
        if !self.has_room(len) {
            // Among what counts may be much that is garbage.
            scope.low_memory_notification();
        }
        self.has_room(len).then(|| v8::ArrayBuffer::new(scope, len))
    }

    /// The allocator that V8 uses for an isolate with this budget.
    pub(crate) fn allocator(self: &Arc<Self>) -> v8::UniqueRef<v8::Allocator> {
        // SAFETY: the handle is a strong count that `drop_budget` gives back;
        // the functions below keep to V8's contract for allocators.
        unsafe { v8::new_rust_allocator(Arc::into_raw(self.clone()), &VTABLE) }
    }
}

static VTABLE: v8::RustAllocatorVtable<BufferBudget> = v8::RustAllocatorVtable {
    allocate: allocate_zeroed,
    allocate_uninitialized,
    free,
    drop: drop_budget,
};

unsafe extern "C" fn allocate_zeroed(budget: &BufferBudget, len: usize) -> *mut c_void {
    // SAFETY: a layout of at least one byte, as `alloc_zeroed` asks.
    allocate(budget, len, |layout| unsafe { alloc_zeroed(layout) })
}

unsafe extern "C" fn allocate_uninitialized(budget: &BufferBudget, len: usize) -> *mut c_void {
    // SAFETY: a layout of at least one byte, as `alloc` asks.
    allocate(budget, len, |layout| unsafe { alloc(layout) })
}

fn allocate(budget: &BufferBudget, len: usize, get: impl Fn(Layout) -> *mut u8) -> *mut c_void {
    let Some(layout) = layout(len).filter(|_| budget.take(len)) else {
        return std::ptr::null_mut();
    };
    let data = get(layout);
    if data.is_null() {
        budget.give_back(len);
    }
    data.cast()
}

unsafe extern "C" fn free(budget: &BufferBudget, data: *mut c_void, len: usize) {
    if let Some(layout) = layout(len) {
        // SAFETY: V8 frees what `allocate` gave, with the length it asked for,
        // and the layout is a function of the length alone.
        unsafe { dealloc(data.cast(), layout) };
    }
    budget.give_back(len);
}

unsafe extern "C" fn release(data: *mut c_void, len: usize, budget: *mut c_void) {
    // SAFETY: `adopt` made both of what is taken back here, with this length.
    let (bytes, budget) = unsafe {
        let bytes = std::ptr::slice_from_raw_parts_mut(data.cast::<u8>(), len);
        (
            Box::from_raw(bytes),
            Arc::from_raw(budget.cast::<BufferBudget>()),
        )
    };
    budget.give_back(bytes.len());
}

unsafe extern "C" fn drop_budget(budget: *const BufferBudget) {
    // SAFETY: the count that `allocator` leaked, given back once by V8.
    drop(unsafe { Arc::from_raw(budget) });
}

/// The bytes of a view, copied once.
pub(crate) fn copy_of(view: v8::Local<v8::ArrayBufferView>) -> Vec<u8> {
    let length = view.byte_length();
    let mut bytes = Vec::with_capacity(length);
    let copied = view.copy_contents_uninit(&mut bytes.spare_capacity_mut()[..length]);
    // SAFETY: the first `copied` bytes are written, and there is room for them.
    unsafe { bytes.set_len(copied) };
    bytes
}

/// The same of a buffer; one that was given away has none. None where V8 makes no view.
pub(crate) fn copy_of_buffer<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    buffer: v8::Local<'a, v8::ArrayBuffer>,
) -> Option<Vec<u8>> {
    if buffer.was_detached() {
        return Some(Vec::new());
    }
    let view = v8::Uint8Array::new(scope, buffer, 0, buffer.byte_length())?;
    Some(copy_of(view.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adopted_bytes_count_until_they_are_dropped() {
        let budget = BufferBudget::new(100);
        let store = budget.adopt(vec![7; 60]).unwrap();
        assert_eq!(store.byte_length(), 60);
        assert_eq!(budget.adopt(vec![7; 41]).err(), Some(vec![7; 41]));
        drop(store);
        assert_eq!(budget.used.load(Ordering::Relaxed), 0);
        assert_eq!(Arc::strong_count(&budget), 1);
    }

    #[test]
    fn buffers_over_budget_are_refused_and_freed_ones_count_no_more() {
        let budget = BufferBudget::new(100);
        // SAFETY: each pointer is freed once, with its length.
        unsafe {
            let first = allocate_zeroed(&budget, 60);
            assert!(!first.is_null());
            assert!(allocate_uninitialized(&budget, 41).is_null());
            assert_eq!(budget.used.load(Ordering::Relaxed), 60);
            free(&budget, first, 60);
            let second = allocate_uninitialized(&budget, 100);
            assert!(!second.is_null());
            free(&budget, second, 100);
        }
        assert_eq!(budget.used.load(Ordering::Relaxed), 0);
        // SAFETY: a refused allocation gives no pointer to free.
        assert!(unsafe { allocate_zeroed(&budget, usize::MAX) }.is_null());
    }
}
