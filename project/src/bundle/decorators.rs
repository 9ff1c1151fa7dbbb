//! Decorators of the standard, which V8 does not have and the bundler does not
//! compile: the worker would not start. Those of `experimentalDecorators` are
//! gone from the bundle by now.

use oxc::allocator::Allocator;
use oxc::ast::ast::Decorator;
use oxc::ast_visit::Visit;
use oxc::parser::Parser;
use oxc::span::SourceType;
use sourcemap::SourceMap;

use crate::diagnostic::{Diagnostic, Position};

/// What is wrong with a bundle's code that has a decorator; `map` tells where it
/// was written.
pub(super) fn refuse(code: &str, map: Option<&str>) -> Option<Diagnostic> {
    // Nearly no bundle has one, and few have an @ at all.
    if !code.contains('@') {
        return None;
    }
    let allocator = Allocator::default();
    let parsed = Parser::new(&allocator, code, SourceType::mjs()).parse();
    let mut first = First::default();
    first.visit_program(&parsed.program);
    let at = first.0?;
    let message = "decorators of the standard are not compiled, and V8 does not run them: write \
                   it without, or set \"experimentalDecorators\": true in `compilerOptions` of \
                   tsconfig.json for those of TypeScript";
    let diagnostic = Diagnostic::new(message);
    Some(match place(code, at, map) {
        Some((file, position)) => diagnostic.in_file(file).at(Some(position)),
        None => diagnostic,
    })
}

/// Where the first decorator begins.
#[derive(Default)]
struct First(Option<usize>);

impl<'a> Visit<'a> for First {
    fn visit_decorator(&mut self, decorator: &Decorator<'a>) {
        self.0.get_or_insert(decorator.span.start as usize);
    }
}

/// The file and place that a byte of the bundle came from.
fn place(code: &str, at: usize, map: Option<&str>) -> Option<(String, Position)> {
    let before = code.get(..at)?;
    let line = u32::try_from(before.matches('\n').count()).ok()?;
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let column = u32::try_from(before[start..].encode_utf16().count()).ok()?;
    let map = SourceMap::from_slice(map?.as_bytes()).ok()?;
    let token = map.lookup_token(line, column)?;
    let position = Position {
        line: token.get_src_line() + 1,
        column: token.get_src_col() + 1,
    };
    Some((token.get_source()?.to_string(), position))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_decorators_are_refused() {
        assert!(refuse("class A { @b c() {} }", None).is_some());
        assert!(refuse("@b class A {}", None).is_some());
        assert!(refuse("const a = \"@b class A {}\"; // @c", None).is_none());
        assert!(refuse("class A {}", None).is_none());
    }
}
