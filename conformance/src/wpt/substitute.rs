//! The `{{…}}` of `.sub.js` files, as the tests' server fills them in.

use super::site::Site;

/// Leaves what it does not know as it is: the test then says what is missing.
pub(crate) fn substitute(source: &str, site: &Site) -> String {
    let mut text = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(start) = rest.find("{{") {
        let Some(length) = rest[start..].find("}}") else {
            break;
        };
        text.push_str(&rest[..start]);
        let whole = &rest[start..start + length + 2];
        match value(whole[2..whole.len() - 2].trim(), site) {
            Some(value) => text.push_str(&value),
            None => text.push_str(whole),
        }
        rest = &rest[start + length + 2..];
    }
    text.push_str(rest);
    text
}

fn value(expression: &str, site: &Site) -> Option<String> {
    let (name, mut keys) = parts(expression);
    match name {
        "host" => Some(Site::HOST.into()),
        "domains" => Some(named(keys.next()?, Site::HOST)),
        "hosts" => {
            let host = match keys.next()? {
                "alt" => Site::OTHER_HOST,
                _ => Site::HOST,
            };
            Some(named(keys.next()?, host))
        }
        "ports" => {
            let scheme = keys.next()?;
            let index: usize = keys.next()?.parse().ok()?;
            Some(site.port(scheme, index).to_string())
        }
        "location" => match keys.next()? {
            "host" => Some(site.authority()),
            "server" | "scheme" => Some(site.origin()),
            _ => None,
        },
        _ => None,
    }
}

fn named(subdomain: &str, host: &str) -> String {
    if subdomain.is_empty() {
        host.into()
    } else {
        format!("{subdomain}.{host}")
    }
}

/// `a[b][c]` as `a` and `b`, `c`.
fn parts(expression: &str) -> (&str, impl Iterator<Item = &str>) {
    let (name, keys) = match expression.find('[') {
        Some(at) => expression.split_at(at),
        None => (expression, ""),
    };
    (
        name,
        keys.split_terminator(']')
            .map(|key| key.trim_start_matches('[')),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_filled_in() {
        let site = Site::for_test(8000);
        let check = |source: &str, expected: &str| {
            assert_eq!(substitute(source, &site), expected, "{source}");
        };
        check("'{{host}}'", "'localhost'");
        check("{{ports[http][0]}}:{{ports[http][1]}}", "8000:8001");
        check(
            "{{hosts[alt][]}} {{domains[www]}}",
            "127.0.0.1 www.localhost",
        );
        check("{{unknown}} {{host", "{{unknown}} {{host");
    }
}
