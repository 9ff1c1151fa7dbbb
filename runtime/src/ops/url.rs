//! URLs where the fetch API needs one.

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
