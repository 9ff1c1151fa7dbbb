//! TypeScript without its types, for modules that were not bundled.

use std::path::{Path, PathBuf};

use oxc::allocator::Allocator;
use oxc::codegen::{Codegen, CodegenOptions};
use oxc::parser::Parser;
use oxc::semantic::SemanticBuilder;
use oxc::span::SourceType;
use oxc::transformer::{TransformOptions, Transformer, TypeScriptOptions};

/// What a module in TypeScript is without its types.
pub struct Stripped {
    pub code: String,
    /// From the code to the source.
    pub source_map: Option<Vec<u8>>,
}

/// The JavaScript that `source` is without its types. Imports stay, but those of
/// types by name. The error is what is wrong with it, in one line.
pub fn strip_types(name: &str, source: &str) -> Result<Stripped, String> {
    let allocator = Allocator::default();
    let parsed = Parser::new(&allocator, source, SourceType::ts().with_module(true)).parse();
    if parsed.panicked || parsed.diagnostics.has_errors() {
        let first = parsed.diagnostics.first().map(ToString::to_string);
        return Err(first.unwrap_or_else(|| "it is no TypeScript".into()));
    }
    let mut program = parsed.program;
    let semantic = SemanticBuilder::new().build(&program).semantic;
    let options = TransformOptions {
        typescript: TypeScriptOptions {
            only_remove_type_imports: true,
            ..TypeScriptOptions::default()
        },
        ..TransformOptions::default()
    };
    let done = Transformer::new(&allocator, Path::new(name), &options)
        .build_with_scoping(semantic.into_scoping(), &mut program);
    if let Some(fault) = done.diagnostics.first() {
        return Err(fault.to_string());
    }
    let made = Codegen::new()
        .with_options(CodegenOptions {
            source_map_path: Some(PathBuf::from(name)),
            ..CodegenOptions::default()
        })
        .build(&program);
    Ok(Stripped {
        code: made.code,
        source_map: made.map.map(|map| map.to_json_string().into_bytes()),
    })
}

#[cfg(test)]
mod tests {
    use super::strip_types;

    #[test]
    fn types_are_gone_and_the_rest_stays() {
        let check = |source: &str, expected: &str| {
            let stripped = strip_types("a.ts", source).expect("it is TypeScript");
            assert_eq!(stripped.code.trim(), expected);
            assert!(stripped.source_map.is_some());
        };
        check(
            "import { a } from 'x'; import type { B } from 'y'; export const c: B = a as B;",
            "import { a } from \"x\";\nexport const c = a;",
        );
        check(
            "interface A { b: string }\nexport default 1!;",
            "export default 1;",
        );
        check(
            "export const f = async (a?: number) => a ?? 1;",
            "export const f = async (a) => a ?? 1;",
        );
    }

    #[test]
    fn what_is_none_is_told() {
        assert!(strip_types("a.ts", "const a: = 1;").is_err());
    }
}
