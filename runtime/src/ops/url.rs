//! URLs where the fetch API needs one, and a comparison in constant time.

use deno_core::op2;
use deno_core::url::Url;
use deno_error::JsErrorBox;

/// Parses and serialises an absolute URL, as `new URL(url).href`.
#[op2]
#[string]
pub(crate) fn op_url_normalize(#[string] url: &str) -> Result<String, JsErrorBox> {
    Url::parse(url)
        .map(Into::into)
        .map_err(|_| JsErrorBox::type_error(format!("Invalid URL: {url}")))
}

/// Whether two buffers of equal length are equal, looking at every byte.
#[op2(fast)]
pub(crate) fn op_timing_safe_equal(#[buffer] a: &[u8], #[buffer] b: &[u8]) -> bool {
    use subtle::ConstantTimeEq;
    a.ct_eq(b).into()
}
