//! Faults of the code name their place and show it.

use std::path::PathBuf;

use outboard_project::{BundleOptions, Position};

use crate::folder::*;

/// The first lines of the errors of a worker with these files.
#[track_caller]
fn check(files: &[(&str, &str)], expected: &[&str]) {
    let folder = Folder::worker(files);
    let errors = folder.try_bundle(&BundleOptions::default()).unwrap_err();
    let lines: Vec<_> = errors
        .errors
        .iter()
        .map(|error| {
            error
                .to_string()
                .lines()
                .next()
                .unwrap_or_default()
                .to_owned()
        })
        .collect();
    assert_eq!(lines, expected);
}

#[test]
fn each_fault_is_one_line_with_its_place() {
    check(
        &[(
            "src/index.ts",
            "import x from './missing';\nexport default x;",
        )],
        &["src/index.ts:1:15: Could not resolve './missing'"],
    );
    check(
        &[(
            "src/index.ts",
            "\nimport x from 'no-such-package';\nexport default x;",
        )],
        &["src/index.ts:2:15: Could not resolve 'no-such-package'"],
    );
    check(
        &[("src/index.ts", "const x = ;\nexport default x;")],
        &["src/index.ts:1:11: Unexpected token"],
    );
    check(
        &[
            ("src/index.ts", "import { b } from './b'; export default b;"),
            ("src/b.ts", "export const c = 1;"),
        ],
        &["src/index.ts:1:10: \"b\" is not exported by \"src/b.ts\"."],
    );
    check(
        &[(
            "src/index.ts",
            "import t from './no.txt'; export default t;",
        )],
        &["src/index.ts:1:15: Could not resolve './no.txt'"],
    );
    check(
        &[
            (
                "src/index.ts",
                "import d from './d.json'; export default d;",
            ),
            ("src/d.json", "{\n  \"a\": }"),
        ],
        &["src/d.json:2:8: expected value"],
    );
    check(
        &[
            ("src/index.ts", "import './a.css'; export default 1;"),
            ("src/a.css", "p { color: red }"),
        ],
        &[
            "src/a.css: Outboard does not bundle CSS; to import its text, add a module rule of type \"Text\" for it",
        ],
    );
    check(
        &[
            (
                "src/index.ts",
                "import x from 'pkg/private'; export default x;",
            ),
            (
                "node_modules/pkg/package.json",
                r#"{ "name": "pkg", "exports": { ".": "./a.js" } }"#,
            ),
        ],
        &["src/index.ts:1:15: Could not resolve 'pkg/private'"],
    );
}

#[test]
fn faults_of_configured_code() {
    check(
        &[
            (
                "wrangler.jsonc",
                &config(r#""rules": [{ "type": "Text", "globs": ["**/*.md"] }]"#),
            ),
            ("src/index.ts", "import t from './t.txt'; export default t;"),
            ("src/t.txt", "t"),
        ],
        &[
            "src/index.ts: ./t.txt matches the module rule for **/*.txt, **/*.html, **/*.sql, which is ignored: \
           an earlier rule of the same type needs \"fallthrough\": true",
        ],
    );
    check(
        &[
            (
                "wrangler.jsonc",
                &config(r#""alias": { "pkg": "./nowhere.ts" }"#),
            ),
            ("src/index.ts", "import x from 'pkg'; export default x;"),
        ],
        &["src/index.ts:1:15: Could not resolve 'pkg'"],
    );
    check(
        &[(
            "src/index.ts",
            "import x from 'https://esm.sh/x'; export default x;",
        )],
        &["src/index.ts: https://esm.sh/x: Outboard does not load modules from the network"],
    );
    check(
        &[
            ("src/index.ts", "export default 1;"),
            ("tsconfig.json", "{ \"compilerOptions\": [] }"),
        ],
        &["tsconfig.json:1:23: invalid length 0, expected struct CompilerOptions with 23 elements"],
    );
    check(
        &[
            ("src/index.ts", "export default 1;"),
            ("tsconfig.json", r#"{ "extends": "./base.json" }"#),
            ("base.json", "{ \"a\": }"),
        ],
        &["base.json:1:8: expected value"],
    );
    check(
        &[
            ("src/index.ts", "export default 1;"),
            ("tsconfig.json", r#"{ "extends": "./none.json" }"#),
        ],
        &["tsconfig.json: it extends none.json, which is not there"],
    );
    check(
        &[
            ("wrangler.jsonc", &config(r#""no_bundle": true"#)),
            ("src/index.ts", "export default 1;"),
        ],
        &["src/index.ts: with no_bundle the entry must be JavaScript: a .js, .mjs or .cjs file"],
    );
}

#[test]
fn the_code_frame_shows_the_line() {
    let folder = Folder::worker(&[(
        "src/index.ts",
        "// one\nimport x from './missing';\nexport default x;",
    )]);
    let errors = folder.try_bundle(&BundleOptions::default()).unwrap_err();
    let error = &errors.errors[0];
    assert_eq!(error.file, Some(PathBuf::from("src/index.ts")));
    assert_eq!(
        error.position,
        Some(Position {
            line: 2,
            column: 15
        })
    );
    let frame = error.frame.as_deref().unwrap();
    assert_contains(
        frame,
        &["2 \u{2502} import x from './missing';", "not found"],
    );
}

#[test]
fn every_fault_of_a_file_is_listed() {
    check(
        &[(
            "src/index.ts",
            "import a from './a';\nimport b from './b';\nexport default { a, b };",
        )],
        &[
            "src/index.ts:1:15: Could not resolve './a'",
            "src/index.ts:2:15: Could not resolve './b'",
        ],
    );
}

#[test]
fn a_failed_bundle_says_what_to_watch() {
    let folder = Folder::worker(&[
        ("src/index.ts", "import { a } from './a'; export default a;"),
        ("src/a.ts", "export const a = ;"),
    ]);
    let errors = folder.try_bundle(&BundleOptions::default()).unwrap_err();
    assert_eq!(
        errors.watch_files,
        ["src/a.ts", "src/index.ts"].map(|file| folder.path().join(file))
    );
}

#[test]
fn code_that_is_not_text_is_an_error() {
    let folder = Folder::worker(&[("src/index.ts", "import './b'; export default 1;")]);
    folder.write("src/b.ts", &[0xff, 0xfe, 0]);
    assert_contains(&folder.bundle_errors(), &["b.ts"]);
    folder.write("src/b.ts", b"");
    folder.bundle();
}

#[test]
fn deeply_nested_code_does_not_end_the_process() {
    let deep = 5_000;
    for code in [
        format!("export default {}{};", "[".repeat(deep), "]".repeat(deep)),
        format!("export default a{};", "+a".repeat(deep)),
        format!("{}{} export default 1;", "{".repeat(deep), "}".repeat(deep)),
    ] {
        Folder::worker(&[("src/index.ts", &code)]).bundle();
    }
    let code = format!("export default {}", "(".repeat(deep));
    let folder = Folder::worker(&[("src/index.ts", &code)]);
    assert!(folder.try_bundle(&BundleOptions::default()).is_err());
}

/// A class with a decorator in `src/index.ts`, and nothing of V8's to run it.
const DECORATED: &str = "function logged(value: any, _: any) { return value; }\n\
     class Door {\n  @logged open() { return 1; }\n}\n\
     export default { open: () => new Door().open() };";

#[test]
fn decorators_of_the_standard_are_refused_where_they_stand() {
    check(
        &[("src/index.ts", DECORATED)],
        &[
            "src/index.ts:3:3: decorators of the standard are not compiled, and V8 does not run \
             them: write it without, or set \"experimentalDecorators\": true in \
             `compilerOptions` of tsconfig.json for those of TypeScript",
        ],
    );
}

#[test]
fn decorators_of_typescript_are_compiled() {
    let folder = Folder::worker(&[
        ("src/index.ts", DECORATED),
        (
            "tsconfig.json",
            r#"{ "compilerOptions": { "experimentalDecorators": true } }"#,
        ),
    ]);
    let bundle = folder.bundle();
    assert!(!code(&bundle).contains("@logged"), "{}", code(&bundle));
}
