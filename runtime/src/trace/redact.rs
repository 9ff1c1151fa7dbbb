//! URLs as tail workers see them: what looks like an identifier or a card's number
//! is taken out.

const REDACTED: &str = "REDACTED";

/// The URL with what may be secret taken out; None where there is nothing.
pub(super) fn redacted(url: &str) -> Option<String> {
    let mut text = String::with_capacity(url.len());
    let mut rest = url;
    let mut changed = false;
    while let Some(at) = rest.find(is_of_id) {
        let (before, from) = rest.split_at(at);
        let end = from.find(|c| !is_of_id(c)).unwrap_or(from.len());
        let (part, after) = from.split_at(end);
        text.push_str(before);
        if is_secret(part) {
            text.push_str(REDACTED);
            changed = true;
        } else {
            text.push_str(part);
        }
        rest = after;
    }
    text.push_str(rest);
    changed.then_some(text)
}

/// Of base64 and of identifiers with separators. Not `/`, which URLs are full of.
fn is_of_id(c: char) -> bool {
    c.is_ascii_alphanumeric() || is_separator(c)
}

fn is_separator(c: char) -> bool {
    matches!(c, '+' | '-' | '_')
}

fn is_secret(part: &str) -> bool {
    let count = |of: fn(&char) -> bool| part.chars().filter(of).count();
    let hex = count(char::is_ascii_hexdigit);
    let only_hex = part
        .chars()
        .all(|c| c.is_ascii_hexdigit() || is_separator(c));
    let looks_like_base64 = part.len() >= 21
        && count(char::is_ascii_digit) >= 2
        && count(char::is_ascii_uppercase) >= 2
        && count(char::is_ascii_lowercase) >= 2;
    (hex >= 32 && only_hex) || looks_like_base64 || is_card(part)
}

/// A number of 13 to 19 digits whose check digit is right (ISO/IEC 7812-1).
fn is_card(part: &str) -> bool {
    let mut digits = 0;
    let mut sum = 0;
    for c in part.chars().rev().filter(|c| !is_separator(*c)) {
        let Some(digit) = c.to_digit(10) else {
            return false;
        };
        let worth = if digits % 2 == 1 { digit * 2 } else { digit };
        sum += if worth > 9 { worth - 9 } else { worth };
        digits += 1;
    }
    (13..=19).contains(&digits) && sum % 10 == 0
}

#[cfg(test)]
mod tests {
    use super::redacted;

    #[test]
    fn identifiers_and_cards_are_taken_out_of_urls() {
        let check = |url: &str, expected: Option<&str>| {
            assert_eq!(redacted(url).as_deref(), expected, "{url}");
        };
        check("https://a.test/path?query=value", None);
        let id = "0123456789abcdef0123456789ABCDEF";
        check(&format!("/{id}/b"), Some("/REDACTED/b"));
        check(&format!("/{}/b", id[1..].to_lowercase()), None);
        check("/01234567-89ab-cdef-0123-456789abcdef", Some("/REDACTED"));
        check("/x?t=aB1cD2eF3gH4iJ5kL6mN7o&u=1", Some("/x?t=REDACTED&u=1"));
        check("/pay/4111-1111-1111-1111", Some("/pay/REDACTED"));
        check("/pay/4111-1111-1111-1112", None);
    }
}
