//! Domain names in ASCII and Unicode, for `node:url` and `node:punycode`.

use deno_core::op2;
use deno_error::JsErrorBox;

/// Marks a label that is Punycode.
const PREFIX: &str = "xn--";

/// `how`: "host" as URL parses a host, "ascii" and "unicode" by UTS 46 (empty
/// where a name is invalid); "to-ascii", "to-unicode", "encode", "decode" as
/// Node's punycode does, which maps nothing.
#[op2]
#[string]
pub(crate) fn op_node_idna(
    #[string] how: &str,
    #[string] text: &str,
) -> Result<String, JsErrorBox> {
    match how {
        "host" => Ok(host(text)),
        "ascii" => Ok(idna::domain_to_ascii(text).unwrap_or_default()),
        "unicode" => Ok(idna::domain_to_unicode(text).0),
        "to-ascii" => by_label(text, to_ascii),
        "to-unicode" => by_label(text, to_unicode),
        "encode" => encode(text),
        _ => decode(text),
    }
}

/// Empty where the name is no host.
fn host(text: &str) -> String {
    let text = text.replace(['\t', '\n', '\r'], "");
    let end = text.find(['/', '\\', '?', '#']).unwrap_or(text.len());
    url::Host::parse(&text[..end]).map_or_else(|_| String::new(), |host| host.to_string())
}

fn invalid() -> JsErrorBox {
    JsErrorBox::range_error("Invalid input")
}

/// Maps each label of a name, or of what follows the `@` of a mail address.
fn by_label(
    name: &str,
    map: impl Fn(&str) -> Result<String, JsErrorBox>,
) -> Result<String, JsErrorBox> {
    let (local, domain) = match name.split_once('@') {
        Some((local, domain)) => (format!("{local}@"), domain),
        None => (String::new(), name),
    };
    let dots = ['.', '\u{3002}', '\u{ff0e}', '\u{ff61}'];
    let labels: Result<Vec<_>, _> = domain.split(dots).map(map).collect();
    Ok(local + &labels?.join("."))
}

fn to_ascii(label: &str) -> Result<String, JsErrorBox> {
    if label.is_ascii() {
        return Ok(label.into());
    }
    Ok(PREFIX.to_owned() + &encode(label)?)
}

fn to_unicode(label: &str) -> Result<String, JsErrorBox> {
    match label.strip_prefix(PREFIX) {
        Some(coded) => decode(&coded.to_lowercase()),
        None => Ok(label.into()),
    }
}

fn encode(text: &str) -> Result<String, JsErrorBox> {
    idna::punycode::encode_str(text)
        .ok_or_else(|| JsErrorBox::range_error("Overflow: input needs wider integers to process"))
}

fn decode(text: &str) -> Result<String, JsErrorBox> {
    let basic = text.rfind('-').unwrap_or(0);
    if !text[..basic].is_ascii() {
        return Err(JsErrorBox::range_error(
            "Illegal input >= 0x80 (not a basic code point)",
        ));
    }
    idna::punycode::decode_to_string(text).ok_or_else(invalid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_mapped_by_label() {
        let ascii = |name| by_label(name, to_ascii).expect("a name");
        assert_eq!(ascii("ma\u{f1}ana.com"), "xn--maana-pta.com");
        assert_eq!(ascii("x@b\u{fc}cher.de"), "x@xn--bcher-kva.de");
        assert_eq!(ascii("a\u{3002}b"), "a.b");
        let unicode = |name| by_label(name, to_unicode);
        assert_eq!(
            unicode("xn--maana-pta.com").expect("a name"),
            "ma\u{f1}ana.com"
        );
        assert!(unicode("xn--\u{fffd}-.com").is_err());
    }

    #[test]
    fn a_host_is_what_url_makes_of_it() {
        assert_eq!(host("EXAMPLE.com/path"), "example.com");
        assert_eq!(host("0xff.1"), "255.0.0.1");
        assert_eq!(host("a b"), "");
    }
}
