//! What is wrong, and where: the one shape for faults and warnings.

use std::fmt;
use std::path::PathBuf;

/// One fault or warning in a developer's folder.
///
/// Prints as `file:line:column: field: message`, leaving out what is not
/// known, followed by the code frame if there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The file at fault, relative to the project's root where it is inside.
    pub file: Option<PathBuf>,
    /// Where in the file.
    pub position: Option<Position>,
    /// The configuration field, e.g. `env.staging.vars.PORT`.
    pub field: Option<String>,
    /// What is wrong, and what to write instead.
    pub message: String,
    /// The lines around the fault, ready to print under the message.
    pub frame: Option<String>,
}

/// A place in a text file. Lines and columns count from one, columns in
/// characters, as editors show them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    pub line: u32,
    pub column: u32,
}

impl Diagnostic {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            file: None,
            position: None,
            field: None,
            message: message.into(),
            frame: None,
        }
    }

    pub(crate) fn in_file(mut self, file: impl Into<PathBuf>) -> Self {
        self.file = Some(file.into());
        self
    }

    pub(crate) fn at(mut self, position: Option<Position>) -> Self {
        self.position = position;
        self
    }

    pub(crate) fn on_field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    pub(crate) fn with_frame(mut self, frame: Option<String>) -> Self {
        self.frame = frame;
        self
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{}:", file.display())?;
            if let Some(Position { line, column }) = self.position {
                write!(f, "{line}:{column}:")?;
            }
            f.write_str(" ")?;
        }
        if let Some(field) = &self.field {
            write!(f, "{field}: ")?;
        }
        f.write_str(&self.message)?;
        if let Some(frame) = &self.frame {
            write!(f, "\n{}", frame.trim_end())?;
        }
        Ok(())
    }
}

/// Writes one diagnostic a line, for the `Display` of error lists.
pub(crate) fn write_lines(f: &mut fmt::Formatter<'_>, list: &[Diagnostic]) -> fmt::Result {
    for (index, diagnostic) in list.iter().enumerate() {
        if index > 0 {
            f.write_str("\n")?;
        }
        write!(f, "{diagnostic}")?;
    }
    Ok(())
}

/// Turns byte offsets into positions.
pub(crate) struct Lines<'a> {
    text: &'a str,
    /// The offset at which each line starts.
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        let starts = std::iter::once(0)
            .chain(text.match_indices('\n').map(|(at, _)| at + 1))
            .collect();
        Self { text, starts }
    }

    /// The position of a byte offset; one past the end, or inside a character,
    /// is the nearest position before it.
    pub(crate) fn position(&self, offset: usize) -> Position {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts[line - 1];
        Position {
            line: count(line),
            column: count(self.text[start..offset].chars().count() + 1),
        }
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters_from_one() {
        let lines = Lines::new("ab\n\u{e9}\u{e9}x\n");
        let check = |offset, line, column| {
            assert_eq!(lines.position(offset), Position { line, column });
        };
        check(0, 1, 1);
        check(2, 1, 3);
        check(3, 2, 1);
        check(4, 2, 1); // inside a character
        check(7, 2, 3);
        check(9, 3, 1);
        check(1_000, 3, 1);
    }

    #[test]
    fn prints_only_what_is_known() {
        let check = |diagnostic: Diagnostic, expected| {
            assert_eq!(diagnostic.to_string(), expected);
        };
        let position = Position {
            line: 7,
            column: 12,
        };
        check(Diagnostic::new("no"), "no");
        check(Diagnostic::new("no").in_file("a.ts"), "a.ts: no");
        check(
            Diagnostic::new("no").in_file("a.ts").at(Some(position)),
            "a.ts:7:12: no",
        );
        check(
            Diagnostic::new("no")
                .in_file("a")
                .on_field("dev.port")
                .at(Some(position)),
            "a:7:12: dev.port: no",
        );
        check(
            Diagnostic::new("no").with_frame(Some("| x\n".into())),
            "no\n| x",
        );
    }
}
