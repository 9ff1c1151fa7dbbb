//! Where statements end, for text that comes in parts. https://sqlite.org/c3ref/complete.html

/// How many bytes of `sql` are whole statements, each with its semicolon, and how
/// many those are.
pub fn complete(sql: &str) -> (usize, u32) {
    let (mut end, mut count) = (0, 0);
    let mut state = State::Start;
    let mut at = 0;
    while let Some((token, length)) = next(&sql[at..]) {
        at += length;
        state = state.after(token);
        if state == State::Start && token == Token::Semicolon {
            end = at;
            count += 1;
        }
    }
    (end, count)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Token {
    Semicolon,
    Space,
    Explain,
    Create,
    Temp,
    Trigger,
    End,
    Other,
}

/// Where in a statement it is. A trigger has semicolons of its own, until `; END ;`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
    Plain,
    Explain,
    Create,
    Trigger,
    TriggerSemicolon,
    TriggerEnd,
}

impl State {
    fn after(self, token: Token) -> Self {
        use State::*;
        match (self, token) {
            (_, Token::Space) => self,
            (Trigger | TriggerSemicolon, Token::Semicolon) => TriggerSemicolon,
            (_, Token::Semicolon) => Start,
            (TriggerSemicolon, Token::End) => TriggerEnd,
            (Trigger | TriggerSemicolon | TriggerEnd, _) => Trigger,
            (Start, Token::Explain) => Explain,
            (Start | Explain, Token::Create) => Create,
            // `EXPLAIN QUERY PLAN`.
            (Explain, Token::Other) => Explain,
            (Create, Token::Temp) => Create,
            (Create, Token::Trigger) => Trigger,
            _ => Plain,
        }
    }
}

/// The first token, and its length; None where nothing is left or it is open.
fn next(sql: &str) -> Option<(Token, usize)> {
    let bytes = sql.as_bytes();
    let quoted = |end: u8| {
        let length = bytes[1..].iter().position(|byte| *byte == end)? + 2;
        Some((Token::Other, length))
    };
    match bytes.first()? {
        b';' => Some((Token::Semicolon, 1)),
        b' ' | b'\t' | b'\n' | b'\r' | b'\x0c' => Some((Token::Space, 1)),
        b'/' if bytes.get(1) == Some(&b'*') => {
            let length = sql[2..].find("*/")? + 4;
            Some((Token::Space, length))
        }
        b'-' if bytes.get(1) == Some(&b'-') => {
            let length = sql.find('\n')? + 1;
            Some((Token::Space, length))
        }
        b'[' => quoted(b']'),
        quote @ (b'"' | b'\'' | b'`') => quoted(*quote),
        byte if is_word(*byte) => {
            let length = bytes.iter().position(|byte| !is_word(*byte));
            let length = length.unwrap_or(bytes.len());
            Some((word(&sql[..length]), length))
        }
        _ => Some((Token::Other, 1)),
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || !byte.is_ascii()
}

fn word(text: &str) -> Token {
    match text.to_ascii_lowercase().as_str() {
        "explain" => Token::Explain,
        "create" => Token::Create,
        "temp" | "temporary" => Token::Temp,
        "trigger" => Token::Trigger,
        "end" => Token::End,
        _ => Token::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::complete;

    #[test]
    fn statements_end_where_sqlite_has_it() {
        let trigger = "CREATE TEMP TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; SELECT 2; END";
        let explained = format!("explain query plan {trigger}; ");
        for (sql, rest, count) in [
            ("", "", 0),
            ("SELECT 1; SELECT 2;  ", "  ", 2),
            ("SELECT 1; SELECT 2", " SELECT 2", 1),
            ("SELECT 1; -- a; b", " -- a; b", 1),
            ("SELECT 1 -- a;\n; /* ; */ x", " /* ; */ x", 1),
            ("SELECT ';', \";\", `;`, [;]; 'a;", " 'a;", 1),
            ("SELECT 'it''s;'; /* ;", " /* ;", 1),
            ("SELECT '\u{e4};', \u{e4};\u{1f525};", "", 2),
            ("CREATE TABLE trigger_end (a); b", " b", 1),
            (";;", "", 2),
            (trigger, trigger, 0),
            (&explained, " ", 1),
        ] {
            let (length, found) = complete(sql);
            assert_eq!((&sql[length..], found), (rest, count), "{sql}");
        }
    }
}
