//! Which bytes of an object a get is for.

use super::error::R2Error;
use super::protocol::{AskedRange, ToldRange};

/// The bytes that are asked for, of an object of `size` bytes; all of them where a
/// header says nothing that can be served.
pub(super) fn of(
    range: Option<AskedRange>,
    header: Option<&str>,
    size: u64,
) -> Result<ToldRange, R2Error> {
    let whole = ToldRange {
        offset: 0,
        length: size,
    };
    match (header, range) {
        (Some(header), _) => Ok(of_header(header, size).unwrap_or(whole)),
        (None, Some(range)) => of_numbers(range, size),
        (None, None) => Ok(whole),
    }
}

fn of_numbers(range: AskedRange, size: u64) -> Result<ToldRange, R2Error> {
    let (offset, length) = match range.suffix {
        Some(0) => return Err(R2Error::Range),
        Some(suffix) => (size.saturating_sub(suffix), suffix.min(size)),
        None => {
            let offset = range.offset.unwrap_or(0);
            let left = size.checked_sub(offset).ok_or(R2Error::Range)?;
            (offset, range.length.unwrap_or(left).min(left))
        }
    };
    match length {
        0 => Err(R2Error::Range),
        _ => Ok(ToldRange { offset, length }),
    }
}

/// RFC 9110, 14.1.2; None of several ranges and of one that cannot be served.
fn of_header(header: &str, size: u64) -> Option<ToldRange> {
    let (unit, set) = header.trim().split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    let (first, last) = set.trim().split_once('-')?;
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        // More than any size is as good as the greatest.
        digits.then(|| text.parse().unwrap_or(u64::MAX))
    };
    let (first, last) = (first.trim(), last.trim());
    let (offset, end) = match (number(first), number(last)) {
        (Some(first), Some(last)) if first <= last => (first, last.saturating_add(1).min(size)),
        (Some(first), None) if last.is_empty() => (first, size),
        (None, Some(suffix)) if first.is_empty() => (size.saturating_sub(suffix), size),
        _ => return None,
    };
    let length = end.checked_sub(offset).filter(|length| *length > 0)?;
    Some(ToldRange { offset, length })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn headers_are_read() {
        let check = |header: &str, expected: Option<(u64, u64)>| {
            let expected = expected.map(|(offset, length)| ToldRange { offset, length });
            assert_eq!(of_header(header, 10), expected, "{header}");
        };
        check("bytes=0-0", Some((0, 1)));
        check("bytes=2-5", Some((2, 4)));
        check("bytes=2-", Some((2, 8)));
        check("bytes=-3", Some((7, 3)));
        check("bytes=-30", Some((0, 10)));
        check("bytes=5-99999999999999999999999", Some((5, 5)));
        check("Bytes = 5 - 6", Some((5, 2)));
        for none in [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=-0",
            "bytes=10-",
            "bytes=5-4",
            "bytes=a-b",
            "bytes=0-1,3-4",
            "items=0-1",
            "bytes=+1-2",
        ] {
            check(none, None);
        }
    }

    proptest! {
        #[test]
        fn numbers_say_what_slices_would(
            size in 0u64..20,
            offset in proptest::option::of(0u64..25),
            length in proptest::option::of(prop_oneof![0u64..25, Just(u64::MAX)]),
            suffix in proptest::option::of(0u64..25),
        ) {
            let bytes: Vec<u64> = (0..size).collect();
            let expected: Vec<u64> = match suffix {
                Some(suffix) => bytes.iter().rev().take(suffix as usize).rev().copied().collect(),
                None => bytes
                    .iter()
                    .skip(offset.unwrap_or(0) as usize)
                    .take(usize::try_from(length.unwrap_or(u64::MAX)).unwrap_or(usize::MAX))
                    .copied()
                    .collect(),
            };
            let range = AskedRange { offset, length, suffix };
            match of(Some(range), None, size) {
                Ok(told) => {
                    let told: Vec<u64> = (told.offset..told.offset + told.length).collect();
                    prop_assert!(!told.is_empty());
                    prop_assert_eq!(told, expected);
                }
                Err(_) => prop_assert!(expected.is_empty()),
            }
        }
    }
}
