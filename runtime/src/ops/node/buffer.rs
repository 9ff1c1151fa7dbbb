//! Bytes to text and back, for `node:buffer`.

use deno_core::{convert::Uint8Array, op2, v8};
use deno_error::JsErrorBox;

#[op2(fast)]
pub(crate) fn op_is_ascii(#[buffer] bytes: &[u8]) -> bool {
    bytes.is_ascii()
}

#[op2(fast)]
pub(crate) fn op_is_utf8(#[buffer] bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok()
}

/// The pool that small buffers are cut from belongs to all of them: nobody may
/// transfer it away.
#[op2(fast)]
pub(crate) fn op_mark_as_untransferable(
    scope: &mut v8::PinScope<'_, '_>,
    buffer: v8::Local<v8::ArrayBuffer>,
) {
    if let Some(key) = v8::String::new(scope, "untransferable") {
        buffer.set_detach_key(key.into());
    }
}

/// -1, 0 or 1, by bytes.
#[op2(fast)]
#[smi]
pub(crate) fn op_node_buffer_compare(#[buffer] one: &[u8], #[buffer] other: &[u8]) -> i32 {
    one.cmp(other) as i32
}

#[op2(fast)]
#[smi]
pub(crate) fn op_node_buffer_compare_offset(
    #[buffer] source: &[u8],
    #[buffer] target: &[u8],
    #[smi] source_start: u32,
    #[smi] target_start: u32,
    #[smi] source_end: u32,
    #[smi] target_end: u32,
) -> Result<i32, JsErrorBox> {
    let source = part(source, source_start, source_end, "sourceStart")?;
    let target = part(target, target_start, target_end, "targetStart")?;
    Ok(source.cmp(target) as i32)
}

fn part<'a>(bytes: &'a [u8], start: u32, end: u32, name: &str) -> Result<&'a [u8], JsErrorBox> {
    let range = start as usize..(end as usize).min(bytes.len());
    bytes
        .get(range)
        .ok_or_else(|| JsErrorBox::range_error(format!("The value of \"{name}\" is out of range.")))
}

/// Encodings, as internal/buffer.mjs numbers them.
const UTF8: u8 = 0;
const LATIN1: u8 = 1;
const ASCII: u8 = 2;
const HEX: u8 = 4;

/// The text of a part of a view.
#[op2]
pub(crate) fn op_node_encoding_slice<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    view: v8::Local<'a, v8::ArrayBufferView>,
    start: v8::Local<'a, v8::Value>,
    end: v8::Local<'a, v8::Value>,
    encoding: u8,
) -> Result<v8::Local<'a, v8::String>, JsErrorBox> {
    let length = view.byte_length();
    let start = index(scope, start, 0)?;
    let end = index(scope, end, length)?.max(start);
    let mut storage = [0; v8::TYPED_ARRAY_MAX_SIZE_IN_HEAP];
    let bytes = view
        .get_contents(&mut storage)
        .get(start..end)
        .ok_or_else(|| JsErrorBox::range_error("Index out of range"))?;
    text(scope, bytes, encoding).ok_or_else(|| {
        JsErrorBox::generic("Cannot create a string longer than 0x1fffffe8 characters")
    })
}

/// A place in a buffer, as Node reads one: whatever is no number is `default`.
fn index<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    value: v8::Local<'a, v8::Value>,
    default: usize,
) -> Result<usize, JsErrorBox> {
    if value.is_undefined() {
        return Ok(default);
    }
    match value.integer_value(scope) {
        Some(number) => {
            usize::try_from(number).map_err(|_| JsErrorBox::range_error("Index out of range"))
        }
        // Its conversion threw: the exception is on its way.
        None => Ok(default),
    }
}

fn text<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    bytes: &[u8],
    encoding: u8,
) -> Option<v8::Local<'a, v8::String>> {
    let normal = v8::NewStringType::Normal;
    match encoding {
        UTF8 if bytes.is_ascii() => v8::String::new_from_one_byte(scope, bytes, normal),
        UTF8 => {
            // Replaces what is no UTF-8 as Node does, which V8 does not.
            let text = String::from_utf8_lossy(bytes);
            v8::String::new_from_utf8(scope, text.as_bytes(), normal)
        }
        LATIN1 => v8::String::new_from_one_byte(scope, bytes, normal),
        ASCII => {
            let seven: Vec<u8> = bytes.iter().map(|byte| byte & 0x7f).collect();
            v8::String::new_from_one_byte(scope, &seven, normal)
        }
        HEX => {
            const DIGITS: &[u8; 16] = b"0123456789abcdef";
            let digit = |half: u8| DIGITS[usize::from(half)];
            let digits: Vec<u8> = bytes
                .iter()
                .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
                .collect();
            v8::String::new_from_one_byte(scope, &digits, normal)
        }
        // UTF-16; half a character at the end is dropped.
        _ => {
            let pairs = bytes.as_chunks::<2>().0;
            let units: Vec<u16> = pairs.iter().map(|pair| u16::from_le_bytes(*pair)).collect();
            v8::String::new_from_two_byte(scope, &units, normal)
        }
    }
}

#[op2]
pub(crate) fn op_transcode(
    #[buffer] source: &[u8],
    #[string] from: &str,
    #[string] to: &str,
) -> Result<Uint8Array, JsErrorBox> {
    transcode(source, from, to).map(Into::into).ok_or_else(|| {
        JsErrorBox::generic(format!(
            "Unable to transcode Buffer [U_ILLEGAL_ARGUMENT_ERROR] {from}->{to}"
        ))
    })
}

/// The largest input, as Workers have it.
const MOST_TO_TRANSCODE: usize = 128 << 20;

fn transcode(source: &[u8], from: &str, to: &str) -> Option<Vec<u8>> {
    if from != to && source.len() >= MOST_TO_TRANSCODE {
        return None;
    }
    let text = match from {
        // Replaced, it would be other text of the same kind.
        "utf8" if to == "utf16le" => std::str::from_utf8(source).ok()?.to_owned(),
        "utf8" => String::from_utf8_lossy(source).into_owned(),
        "latin1" => source.iter().map(|byte| char::from(*byte)).collect(),
        "ascii" => source
            .iter()
            .map(|byte| {
                if byte.is_ascii() {
                    char::from(*byte)
                } else {
                    '\u{fffd}'
                }
            })
            .collect(),
        "utf16le" => {
            let (pairs, half) = source.as_chunks::<2>();
            if !half.is_empty() && to != "utf16le" {
                return None;
            }
            let units: Vec<u16> = pairs.iter().map(|pair| u16::from_le_bytes(*pair)).collect();
            String::from_utf16_lossy(&units)
        }
        _ => return None,
    };
    // What an encoding lacks is a question mark.
    let narrow = |limit: u32| {
        text.chars()
            .map(|it| {
                if u32::from(it) < limit {
                    u32::from(it) as u8
                } else {
                    b'?'
                }
            })
            .collect()
    };
    match to {
        "ascii" => Some(narrow(0x80)),
        "latin1" => Some(narrow(0x100)),
        "utf8" => Some(text.into_bytes()),
        "utf16le" => Some(text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::transcode;

    #[test]
    fn text_survives_encodings_that_have_it() {
        let check = |source: &[u8], from, to, expected: &[u8]| {
            assert_eq!(transcode(source, from, to).as_deref(), Some(expected));
        };
        check("\u{e9}".as_bytes(), "utf8", "latin1", b"\xe9");
        check("\u{20ac}x".as_bytes(), "utf8", "ascii", b"?x");
        check(b"\xe9", "latin1", "utf16le", b"\xe9\0");
        check(b"\xac\x20", "utf16le", "utf8", "\u{20ac}".as_bytes());
        assert_eq!(transcode(b"", "utf8", "hex"), None);
        assert_eq!(transcode(b"a\x80", "utf8", "utf16le"), None);
        assert_eq!(transcode(b"a\0b", "utf16le", "utf8"), None);
    }
}
