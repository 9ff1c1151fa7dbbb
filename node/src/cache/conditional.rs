//! A stored answer as a request asks for it: whole, a range, or "not modified"
//! (RFC 9110, 13 and 14).

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{
    ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE,
    LAST_MODIFIED, RANGE,
};
use http::{HeaderMap, HeaderValue, StatusCode};

use super::store::Entry;

/// Status, headers and body.
pub(super) fn answer(entry: &Entry, asked: &HeaderMap) -> (StatusCode, HeaderMap, Bytes) {
    let mut headers = entry.headers.clone();
    if entry.status == StatusCode::OK && unchanged(entry, asked) {
        headers.remove(CONTENT_LENGTH);
        return (StatusCode::NOT_MODIFIED, headers, Bytes::new());
    }
    let range = asked.get(RANGE).filter(|_| {
        entry.status == StatusCode::OK && if_range(asked.get(IF_RANGE), &entry.headers)
    });
    let length = entry.body.len() as u64;
    let part = range
        .and_then(|range| range.to_str().ok())
        .map(|range| part(range, length));
    match part {
        None | Some(Part::Whole) => {
            if entry.status == StatusCode::OK {
                headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
            }
            (entry.status, headers, entry.body.clone())
        }
        Some(Part::Bytes(first, last)) => {
            // Within the body's length, so both fit.
            let body = entry.body.slice(first as usize..=last as usize);
            if let Ok(value) = HeaderValue::try_from(format!("bytes {first}-{last}/{length}")) {
                headers.insert(CONTENT_RANGE, value);
            }
            headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
            (StatusCode::PARTIAL_CONTENT, headers, body)
        }
        Some(Part::Nothing) => {
            if let Ok(value) = HeaderValue::try_from(format!("bytes */{length}")) {
                headers.insert(CONTENT_RANGE, value);
            }
            headers.insert(CONTENT_LENGTH, HeaderValue::from(0));
            (StatusCode::RANGE_NOT_SATISFIABLE, headers, Bytes::new())
        }
    }
}

fn unchanged(entry: &Entry, asked: &HeaderMap) -> bool {
    // If-None-Match goes before If-Modified-Since (RFC 9110, 13.2.2).
    let mut lists = asked.get_all(IF_NONE_MATCH).iter().peekable();
    if lists.peek().is_some() {
        let Some(tag) = entry.headers.get(ETAG).and_then(|tag| tag.to_str().ok()) else {
            return false;
        };
        return lists.filter_map(|list| list.to_str().ok()).any(|list| {
            list.trim() == "*" || tags(list).any(|other| opaque(other) == opaque(tag.trim()))
        });
    }
    let moment = |headers: &HeaderMap, name| -> Option<SystemTime> {
        date(headers.get(name)?.to_str().ok()?)
    };
    match (
        moment(asked, IF_MODIFIED_SINCE),
        moment(&entry.headers, LAST_MODIFIED),
    ) {
        (Some(since), Some(modified)) => modified <= since,
        _ => false,
    }
}

/// Whether a range is wanted of this version.
fn if_range(validator: Option<&HeaderValue>, stored: &HeaderMap) -> bool {
    let Some(validator) = validator.and_then(|value| value.to_str().ok()) else {
        return validator.is_none();
    };
    let validator = validator.trim();
    let name = if validator.starts_with('"') {
        ETAG
    } else {
        LAST_MODIFIED
    };
    // A weak tag does not do for a range.
    !validator.starts_with("W/")
        && stored.get(name).and_then(|value| value.to_str().ok()) == Some(validator)
}

fn tags(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim)
}

/// Weak comparison (RFC 9110, 8.8.3.2).
fn opaque(tag: &str) -> &str {
    tag.strip_prefix("W/").unwrap_or(tag)
}

enum Part {
    Whole,
    /// The first and the last byte.
    Bytes(u64, u64),
    Nothing,
}

/// One range of bytes; what is none, or several, is answered whole.
fn part(range: &str, length: u64) -> Part {
    let Some(spec) = range.trim().strip_prefix("bytes=") else {
        return Part::Whole;
    };
    let Some((first, last)) = spec.trim().split_once('-') else {
        return Part::Whole;
    };
    let number = |text: &str| -> Option<u64> {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse().unwrap_or(u64::MAX))
    };
    match (number(first), number(last)) {
        (Some(first), last) if last.is_some() || spec.ends_with('-') => {
            let last = last.unwrap_or(u64::MAX);
            if last < first {
                Part::Whole
            } else if first >= length {
                Part::Nothing
            } else {
                Part::Bytes(first, last.min(length - 1))
            }
        }
        (None, Some(suffix)) if first.is_empty() => {
            if suffix == 0 || length == 0 {
                Part::Nothing
            } else {
                Part::Bytes(length.saturating_sub(suffix), length - 1)
            }
        }
        _ => Part::Whole,
    }
}

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// An HTTP date in the form that senders must use (RFC 9110, 5.6.7); the two
/// obsolete forms are nobody's any more.
pub(super) fn date(text: &str) -> Option<SystemTime> {
    let (_, text) = text.trim().split_once(", ")?;
    let mut parts = text.split(' ');
    let day: i64 = parts.next()?.parse().ok()?;
    let month = parts.next()?;
    let month = MONTHS.iter().position(|name| *name == month)? as i64 + 1;
    let year: i64 = parts.next()?.parse().ok()?;
    let mut time = parts.next()?.split(':');
    let mut unit = |most: u64| -> Option<u64> {
        let number = time.next()?.parse().ok()?;
        (number <= most).then_some(number)
    };
    let (hour, minute, second) = (unit(23)?, unit(59)?, unit(60)?);
    if parts.next()? != "GMT" || !(1..=31).contains(&day) || !(1970..=9999).contains(&year) {
        return None;
    }
    let days = u64::try_from(days_since_epoch(year, month, day)).ok()?;
    let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

/// Days from 1 January 1970 in the Gregorian calendar: years are counted from
/// March, so that the leap day is a year's last.
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = if month > 2 { year } else { year - 1 };
    let months = (month + 9) % 12;
    let day_of_year = (153 * months + 2) / 5 + day - 1;
    365 * year + year / 4 - year / 100 + year / 400 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored() -> Entry {
        let mut headers = HeaderMap::new();
        headers.insert(ETAG, HeaderValue::from_static("\"v1\""));
        headers.insert(
            LAST_MODIFIED,
            HeaderValue::from_static("Tue, 24 Nov 2026 10:00:00 GMT"),
        );
        Entry {
            status: StatusCode::OK,
            headers,
            body: Bytes::from_static(b"0123456789"),
            stored: SystemTime::UNIX_EPOCH,
            expires: SystemTime::UNIX_EPOCH,
        }
    }

    fn ask(list: &[(http::HeaderName, &'static str)]) -> String {
        let asked = list
            .iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_static(value)))
            .collect();
        let (status, headers, body) = answer(&stored(), &asked);
        let range = headers
            .get(CONTENT_RANGE)
            .map_or("", |value| value.to_str().expect("text"));
        format!(
            "{} {} {range}",
            status.as_u16(),
            String::from_utf8_lossy(&body)
        )
    }

    #[test]
    fn ranges_are_cut_from_the_body() {
        let cases = [
            ("bytes=0-3", "206 0123 bytes 0-3/10"),
            ("bytes=7-", "206 789 bytes 7-9/10"),
            ("bytes=-2", "206 89 bytes 8-9/10"),
            ("bytes=-200", "206 0123456789 bytes 0-9/10"),
            ("bytes=8-99999999999999999999", "206 89 bytes 8-9/10"),
            ("bytes=10-", "416  bytes */10"),
            ("bytes=-0", "416  bytes */10"),
            ("bytes=3-1", "200 0123456789 "),
            ("bytes=0-1,3-4", "200 0123456789 "),
            ("bytes=-", "200 0123456789 "),
            ("bytes=a-b", "200 0123456789 "),
            ("lines=1-2", "200 0123456789 "),
        ];
        for (range, expected) in cases {
            assert_eq!(ask(&[(RANGE, range)]), expected, "{range}");
        }
        assert_eq!(
            ask(&[(RANGE, "bytes=0-0"), (IF_RANGE, "\"v1\"")]),
            "206 0 bytes 0-0/10"
        );
        assert_eq!(
            ask(&[(RANGE, "bytes=0-0"), (IF_RANGE, "\"v0\"")]),
            "200 0123456789 "
        );
        assert_eq!(
            ask(&[(RANGE, "bytes=0-0"), (IF_RANGE, "W/\"v1\"")]),
            "200 0123456789 "
        );
    }

    #[test]
    fn what_the_asker_has_is_not_sent_again() {
        let same = "304  ";
        let whole = "200 0123456789 ";
        let cases = [
            (IF_NONE_MATCH, "\"v1\"", same),
            (IF_NONE_MATCH, "W/\"v1\"", same),
            (IF_NONE_MATCH, "\"v0\", \"v1\"", same),
            (IF_NONE_MATCH, "*", same),
            (IF_NONE_MATCH, "\"v0\"", whole),
            (IF_MODIFIED_SINCE, "Tue, 24 Nov 2026 10:00:00 GMT", same),
            (IF_MODIFIED_SINCE, "Tue, 24 Nov 2026 09:59:59 GMT", whole),
            (IF_MODIFIED_SINCE, "yesterday", whole),
        ];
        for (name, value, expected) in cases {
            assert_eq!(ask(&[(name.clone(), value)]), expected, "{name}: {value}");
        }
    }

    #[test]
    fn dates_are_read_to_the_second() {
        let seconds = |text: &str| {
            date(text).map(|time| {
                time.duration_since(SystemTime::UNIX_EPOCH)
                    .expect("after the epoch")
                    .as_secs()
            })
        };
        assert_eq!(seconds("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
        assert_eq!(seconds("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(
            seconds("Thu, 29 Feb 2024 23:59:59 GMT"),
            Some(1_709_251_199)
        );
        assert_eq!(
            seconds("Tue, 24 Nov 2026 00:00:00 GMT"),
            Some(1_795_478_400)
        );
        for text in [
            "",
            "0",
            "Sun, 06 Nov 1994",
            "Sun, 06 Foo 1994 08:49:37 GMT",
            "Sun, 99 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 24:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 CET",
        ] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
