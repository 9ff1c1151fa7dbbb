use proptest::prelude::*;

use super::*;

fn names(text: &str) -> Result<Vec<(String, Option<String>)>, FormError> {
    let parts = parse(text.as_bytes(), "b")?;
    Ok(parts
        .into_iter()
        .map(|part| (part.name, part.filename))
        .collect())
}

#[test]
fn parts_are_found_with_either_line_end() {
    let expected = Ok(vec![("a;b".to_string(), Some("c=d".to_string()))]);
    for end in ["\n", "\r\n"] {
        let text = format!(
            "before{end}--b{end}Content-Disposition: form-data; name=\"a;b\"; \
             filename=\"c=d\"{end}{end}1{end}--b--{end}after"
        );
        assert_eq!(names(&text), expected);
    }
}

#[test]
fn what_is_no_form_says_why() {
    let check = |text: &str, error| assert_eq!(names(text), Err(error), "{text:?}");
    check("", FormError::NoBoundary);
    check("--b", FormError::OddBoundary);
    check("--b\r\n\r\n1\r\n--b--", FormError::UnendedHead);
    check(
        "--b\nContent-Disposition: form-data; name=\"a\"\n\n1",
        FormError::UnendedPart,
    );
    check(
        "--b\nContent-Disposition: form-data; name=a\n\n1\n--b--",
        FormError::NoName,
    );
    check(
        "--b\nContent-Disposition: foobar\n\n1\n--b--",
        FormError::OddDisposition("foobar".into()),
    );
    check("--b\nX: y\n\n1\n--b--", FormError::NoDisposition);
    assert_eq!(names("--b--"), Ok(vec![]));
}

/// A part as a test writes it.
#[derive(Debug, Clone)]
struct Written {
    name: String,
    filename: Option<String>,
    content_type: Option<String>,
    data: Vec<u8>,
}

fn written() -> impl Strategy<Value = Written> {
    let quotable = "[^\"\r\n\0]{0,12}";
    (
        quotable,
        proptest::option::of(quotable),
        proptest::option::of("[a-z]{1,8}/[a-z;= ]{0,8}[a-z]"),
        // Line ends and dashes, of which boundaries are made, more than others.
        proptest::collection::vec(
            prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'-'), any::<u8>()],
            0..64,
        ),
    )
        .prop_map(|(name, filename, content_type, data)| Written {
            name,
            filename,
            content_type,
            data,
        })
}

const BOUNDARY: &str = "----bound-ary";

fn escaped(name: &str) -> String {
    name.replace('\\', "\\\\")
}

fn write(parts: &[Written]) -> Vec<u8> {
    let mut text = Vec::new();
    for part in parts {
        let mut head = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{}\"",
            escaped(&part.name)
        );
        if let Some(filename) = &part.filename {
            head.push_str(&format!("; filename=\"{}\"", escaped(filename)));
        }
        if let Some(content_type) = &part.content_type {
            head.push_str(&format!("\r\nContent-Type: {content_type}"));
        }
        head.push_str("\r\n\r\n");
        text.extend_from_slice(head.as_bytes());
        text.extend_from_slice(&part.data);
        text.extend_from_slice(b"\r\n");
    }
    text.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    text
}

proptest! {
    #[test]
    fn what_is_written_is_read(parts in proptest::collection::vec(written(), 0..5)) {
        let read = parse(&write(&parts), BOUNDARY).expect("a form");
        prop_assert_eq!(read.len(), parts.len());
        for (read, part) in read.iter().zip(&parts) {
            prop_assert_eq!(&read.name, &part.name);
            prop_assert_eq!(&read.filename, &part.filename);
            prop_assert_eq!(&read.content_type, &part.content_type);
            prop_assert_eq!(&read.data.0[..], &part.data[..]);
        }
    }

    /// A form that was cut or spoilt is read or refused; nothing else.
    #[test]
    fn what_was_spoilt_is_read_or_refused(
        parts in proptest::collection::vec(written(), 1..4),
        cut in any::<proptest::sample::Index>(),
        at in any::<proptest::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut text = write(&parts);
        let whole = text.len();
        let place = at.index(whole);
        text[place] = byte;
        text.truncate(cut.index(whole + 1));
        let total: usize = parse(&text, BOUNDARY)
            .map(|parts| parts.iter().map(|part| part.data.0.len()).sum())
            .unwrap_or(0);
        prop_assert!(total <= whole);
    }

    #[test]
    fn any_bytes_and_any_boundary_are_read_or_refused(
        bytes in proptest::collection::vec(any::<u8>(), 0..256),
        boundary in "[ -~]{0,8}",
    ) {
        let _ = parse(&bytes, &boundary);
    }
}
