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

/// `said`, which was parsed as `url`, as workers are told it before the fetch API went
/// by the standard (`fetch_legacy_url`): without a path where it has none, and with its
/// port, be it the scheme's own. None where that is what the standard has.
pub(super) fn legacy(said: &str, url: &Url) -> Option<String> {
    let (_scheme, rest) = said.trim_start().split_once("://")?;
    let end = rest.find(['/', '\\', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let has_path = path.starts_with(['/', '\\']);
    let own_port = url.port().is_none().then(|| url.port_or_known_default());
    let own_port = own_port
        .flatten()
        .filter(|port| authority.ends_with(&format!(":{port}")));
    if has_path && own_port.is_none() {
        return None;
    }
    let port = own_port.or(url.port());
    let port = port.map_or_else(String::new, |port| format!(":{port}"));
    let path = if has_path { url.path() } else { "" };
    let query = url
        .query()
        .map_or_else(String::new, |query| format!("?{query}"));
    let (scheme, host) = (url.scheme(), url.host_str()?);
    Some(format!("{scheme}://{host}{port}{path}{query}"))
}

#[cfg(test)]
mod tests {
    use deno_core::url::Url;

    use super::legacy;

    #[test]
    fn legacy_urls_keep_what_the_standard_drops_and_get_no_path() {
        for (said, expected) in [
            ("http://foo/", None),
            ("http://foo:8080/a", None),
            ("http://foo", Some("http://foo")),
            ("HTTP://FOO?a b", Some("http://foo?a%20b")),
            ("http://foo#f", Some("http://foo")),
            ("http://foo:80/x#f", Some("http://foo:80/x")),
            ("https://u:p@foo:443", Some("https://foo:443")),
            ("http://foo:8080", Some("http://foo:8080")),
        ] {
            let url = Url::parse(said).expect("a URL");
            assert_eq!(legacy(said, &url).as_deref(), expected, "{said}");
        }
    }
}
