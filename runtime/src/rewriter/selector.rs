//! Selectors, kept to a size at which their parser and compiler, which recurse,
//! stay well within a stack.

use lol_html::Selector;

use super::RewriteError;

/// The longest selector, in bytes.
const LONGEST: usize = 4 << 10;
/// How deep brackets may be nested.
const DEEPEST: usize = 16;
/// How many combinators there may be, those of a list together.
const COMBINATORS: usize = 256;

pub(crate) fn parse(text: &str) -> Result<Selector, RewriteError> {
    if text.len() > LONGEST {
        let message = format!("The selector is longer than {LONGEST} bytes.");
        return Err(RewriteError(message));
    }
    let Size { depth, combinators } = Size::of(text);
    if depth > DEEPEST {
        let message = format!("The selector is nested more than {DEEPEST} deep.");
        return Err(RewriteError(message));
    }
    if combinators > COMBINATORS {
        let message = format!("The selector has more than {COMBINATORS} combinators.");
        return Err(RewriteError(message));
    }
    text.parse()
        .map_err(|error: lol_html::errors::SelectorError| RewriteError(error.to_string()))
}

struct Size {
    depth: usize,
    /// Never too few: spaces that separate nothing count too.
    combinators: usize,
}

impl Size {
    fn of(text: &str) -> Self {
        let mut open = Vec::new();
        let (mut depth, mut combinators) = (0, 0);
        let mut quote = None;
        let mut between = false;
        let mut bytes = text.bytes();
        while let Some(byte) = bytes.next() {
            if byte == b'\\' {
                bytes.next();
            } else if let Some(end) = quote {
                if byte == end {
                    quote = None;
                }
            } else {
                match byte {
                    b'"' | b'\'' => quote = Some(byte),
                    b'(' => open.push(b')'),
                    b'[' => open.push(b']'),
                    b'{' => open.push(b'}'),
                    // One of another kind closes nothing.
                    b')' | b']' | b'}' if open.last() == Some(&byte) => {
                        open.pop();
                    }
                    _ => {}
                }
            }
            let combines = byte.is_ascii_whitespace() || matches!(byte, b'>' | b'+' | b'~' | b'/');
            combinators += usize::from(combines && !between);
            between = combines;
            depth = depth.max(open.len());
        }
        Self { depth, combinators }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selector_is_measured_before_it_is_parsed() {
        let cases = [
            ("p", 0, 0),
            ("a > b c", 0, 2),
            ("a>b>c", 0, 2),
            ("a:not([b=')(']) c", 2, 1),
            ("a[b=\"\\\"((\"]", 1, 0),
            (":not(]:not(]:not(", 3, 0),
        ];
        for (text, depth, combinators) in cases {
            let size = Size::of(text);
            assert_eq!(
                (size.depth, size.combinators),
                (depth, combinators),
                "{text}"
            );
        }
    }

    #[test]
    fn one_too_large_is_refused_and_one_at_the_limit_parsed() {
        let nested = |depth| format!("{}p{}", ":not(".repeat(depth), ")".repeat(depth));
        let chain = |length| format!("{}p", "p ".repeat(length));
        assert!(parse(&nested(DEEPEST)).is_ok());
        assert!(parse(&chain(COMBINATORS)).is_ok());
        assert!(parse(&"p,".repeat(2_000)[..3_999]).is_ok());
        let refused = [
            nested(DEEPEST + 1),
            nested(700),
            chain(COMBINATORS + 1),
            "p".repeat(5_000),
        ];
        for text in refused {
            assert!(parse(&text).is_err(), "{text}");
        }
    }
}
