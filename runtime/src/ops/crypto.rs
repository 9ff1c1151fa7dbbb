//! What Workers add to WebCrypto: MD5, and a comparison in constant time.

use deno_core::convert::Uint8Array;
use deno_core::op2;
use md5::{Digest, Md5};

#[op2]
pub(crate) fn op_md5(#[buffer] data: &[u8]) -> Uint8Array {
    Md5::digest(data).to_vec().into()
}

/// Whether two buffers of equal length are equal, looking at every byte.
#[op2(fast)]
pub(crate) fn op_timing_safe_equal(#[buffer] a: &[u8], #[buffer] b: &[u8]) -> bool {
    use subtle::ConstantTimeEq;
    a.ct_eq(b).into()
}
