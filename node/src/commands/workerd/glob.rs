//! Patterns of names: `*` is any run of characters, `?` any one.

/// Whether all of `name` is what `pattern` says.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let (mut at, mut next) = (0, 0);
    // The last `*`, and where the name stood when it was met.
    let mut star: Option<(usize, usize)> = None;
    while next < name.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, next));
                at += 1;
            }
            Some(wanted) if *wanted == '?' || *wanted == name[next] => {
                at += 1;
                next += 1;
            }
            _ => match star {
                Some((star_at, taken)) => {
                    star = Some((star_at, taken + 1));
                    at = star_at + 1;
                    next = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|rest| *rest == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_takes_whole_names() {
        let check = |pattern: &str, name: &str, expected: bool| {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        };
        check("*", "", true);
        check("*", "anything", true);
        check("a*c", "abcbc", true);
        check("a*c", "abcb", false);
        check("a?c", "abc", true);
        check("a?c", "ac", false);
        check("abc", "abcd", false);
        check("*-test", "url-test", true);
        check("", "a", false);
    }
}
