//! Whether an answer may be stored, and for how long (RFC 9111 as a shared cache
//! that a worker fills, with Workers' rules where it says nothing).

use std::time::{Duration, SystemTime};

use http::header::{CACHE_CONTROL, EXPIRES, SET_COOKIE};
use http::{HeaderMap, StatusCode};

const MINUTE: Duration = Duration::from_secs(60);
/// Past this a number of seconds is as good as for ever, and safe to add.
const FOR_EVER: Duration = Duration::from_secs(10 * 365 * 24 * 3_600);

/// How long an answer stays fresh; none where it may not be stored. Takes away
/// the cookies that `private=Set-Cookie` leaves out.
pub(super) fn lifetime(
    status: StatusCode,
    headers: &mut HeaderMap,
    now: SystemTime,
) -> Option<Duration> {
    let control = Control::read(headers);
    if control.forbidden {
        return None;
    }
    if control.without_cookies {
        headers.remove(SET_COOKIE);
    }
    // One client's cookie is not another's.
    if headers.contains_key(SET_COOKIE) {
        return None;
    }
    if let Some(seconds) = control.shared_age.or(control.age) {
        return Some(Duration::from_secs(seconds).min(FOR_EVER));
    }
    if let Some(expires) = headers.get(EXPIRES) {
        // What is no date has expired (RFC 9111, 5.3).
        let expires = expires.to_str().ok().and_then(super::conditional::date);
        return expires?.duration_since(now).ok();
    }
    by_status(status)
}

/// What Workers take where an answer does not say.
fn by_status(status: StatusCode) -> Option<Duration> {
    Some(match status.as_u16() {
        200 | 206 | 301 => 120 * MINUTE,
        302 | 303 => 20 * MINUTE,
        404 | 410 => 3 * MINUTE,
        403 => MINUTE,
        _ => return None,
    })
}

#[derive(Default)]
struct Control {
    forbidden: bool,
    without_cookies: bool,
    shared_age: Option<u64>,
    age: Option<u64>,
}

impl Control {
    fn read(headers: &HeaderMap) -> Self {
        let mut control = Self::default();
        for value in headers.get_all(CACHE_CONTROL) {
            let Ok(value) = value.to_str() else {
                // Unreadable: assume the worst.
                control.forbidden = true;
                continue;
            };
            for directive in directives(value) {
                control.take(directive);
            }
        }
        control
    }

    fn take(&mut self, directive: &str) {
        let (name, value) = match directive.split_once('=') {
            Some((name, value)) => (name.trim(), Some(value.trim().trim_matches('"'))),
            None => (directive.trim(), None),
        };
        let is = |other: &str| name.eq_ignore_ascii_case(other);
        if is("private") || is("no-cache") {
            match value {
                // Only these fields are the client's alone.
                Some(fields) => {
                    let cookies = fields
                        .split(',')
                        .any(|field| field.trim().eq_ignore_ascii_case("set-cookie"));
                    self.without_cookies |= cookies;
                }
                None => self.forbidden = true,
            }
        } else if is("no-store") {
            self.forbidden = true;
        } else if is("s-maxage") {
            self.shared_age = Some(seconds(value));
        } else if is("max-age") {
            self.age = Some(seconds(value));
        }
    }
}

/// A delta-seconds (RFC 9111, 1.2.2); what is none counts as stale.
fn seconds(value: Option<&str>) -> u64 {
    let Some(value) = value.filter(|value| !value.is_empty()) else {
        return 0;
    };
    if !value.bytes().all(|byte| byte.is_ascii_digit()) {
        return 0;
    }
    value.parse().unwrap_or(u64::MAX)
}

/// The parts of a list, commas in quotes left alone.
fn directives(value: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    value
        .split(move |c| {
            if c == '"' {
                quoted = !quoted;
            }
            c == ',' && !quoted
        })
        .filter(|part| !part.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(status: u16, list: &[(&str, &str)], expected: Option<u64>) {
        let mut headers = HeaderMap::new();
        for (name, value) in list {
            headers.append(
                http::HeaderName::from_bytes(name.as_bytes()).expect("a name"),
                http::HeaderValue::from_str(value).expect("a value"),
            );
        }
        // Tue, 24 Nov 2026 00:00:00 GMT
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_478_400);
        let status = StatusCode::from_u16(status).expect("a status");
        let found = lifetime(status, &mut headers, now).map(|life| life.as_secs());
        assert_eq!(found, expected, "{status} {list:?}");
    }

    #[test]
    fn an_answer_says_how_long_it_is_fresh() {
        check(200, &[("cache-control", "max-age=60")], Some(60));
        check(
            200,
            &[("cache-control", "public, MAX-AGE=\"60\"")],
            Some(60),
        );
        check(200, &[("cache-control", "max-age=60, s-maxage=9")], Some(9));
        check(
            200,
            &[
                ("cache-control", "s-maxage=9"),
                ("cache-control", "max-age=60"),
            ],
            Some(9),
        );
        check(
            200,
            &[("cache-control", "max-age=99999999999999999999")],
            Some(FOR_EVER.as_secs()),
        );
        check(200, &[("cache-control", "max-age=x")], Some(0));
        check(200, &[("cache-control", "max-age")], Some(0));
        check(200, &[("cache-control", "max-age=-1")], Some(0));
        check(
            200,
            &[("expires", "Tue, 24 Nov 2026 00:01:00 GMT")],
            Some(60),
        );
        check(200, &[("expires", "Mon, 23 Nov 2026 00:01:00 GMT")], None);
        check(200, &[("expires", "0")], None);
        check(
            200,
            &[("expires", "0"), ("cache-control", "max-age=5")],
            Some(5),
        );
    }

    #[test]
    fn an_answer_may_refuse_to_be_stored() {
        for value in [
            "no-store",
            "private",
            "no-cache",
            "max-age=60, No-Store",
            "\u{e9}, private",
        ] {
            check(200, &[("cache-control", value)], None);
        }
        check(
            200,
            &[("set-cookie", "a=b"), ("cache-control", "max-age=60")],
            None,
        );
        check(
            200,
            &[
                ("set-cookie", "a=b"),
                ("cache-control", "private=Set-Cookie, max-age=60"),
            ],
            Some(60),
        );
        check(
            200,
            &[
                ("set-cookie", "a=b"),
                ("cache-control", "private=\"x-a, set-cookie\", max-age=60"),
            ],
            Some(60),
        );
    }

    #[test]
    fn a_status_decides_where_nothing_else_does() {
        check(200, &[], Some(7_200));
        check(302, &[], Some(1_200));
        check(404, &[], Some(180));
        check(403, &[], Some(60));
        check(500, &[], None);
        check(500, &[("cache-control", "max-age=5")], Some(5));
    }
}
