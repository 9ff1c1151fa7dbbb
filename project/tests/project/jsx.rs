//! JSX is compiled as tsconfig says, then wrangler's fields, then React's way.

use crate::folder::*;

#[track_caller]
fn check(tsconfig: Option<&str>, fields: &str, expected: &[&str]) {
    let folder = Folder::new(&[
        (
            "wrangler.jsonc",
            &config(fields).replace("index.ts", "index.tsx"),
        ),
        (
            "src/index.tsx",
            "declare const React: any, h: any, F: any, Fragment: any;\n\
             export default { page: () => <><p id=\"a\">hi</p></> };",
        ),
        ("node_modules/react/package.json", r#"{ "name": "react" }"#),
        (
            "node_modules/react/jsx-runtime.js",
            "export const jsx = 'react jsx', jsxs = jsx, Fragment = 1;",
        ),
        (
            "node_modules/react/jsx-dev-runtime.js",
            "export const jsxDEV = 'react dev', Fragment = 1;",
        ),
        (
            "node_modules/preact/package.json",
            r#"{ "name": "preact" }"#,
        ),
        (
            "node_modules/preact/jsx-runtime.js",
            "export const jsx = 'preact jsx', jsxs = jsx, Fragment = 1;",
        ),
    ]);
    if let Some(options) = tsconfig {
        let text = format!("{{ \"compilerOptions\": {{ {options} }} }}");
        folder.write("tsconfig.json", text.as_bytes());
    }
    let bundle = folder.bundle();
    assert_eq!(bundle.warnings, []);
    assert_contains(code(&bundle), expected);
}

#[test]
fn without_a_word_it_is_react_create_element() {
    check(
        None,
        "",
        &[
            "React.createElement(React.Fragment",
            "React.createElement(\"p\"",
        ],
    );
    check(Some(""), "", &["React.createElement(\"p\""]);
}

#[test]
fn tsconfig_chooses_the_transform() {
    check(
        Some(r#""jsx": "react""#),
        "",
        &["React.createElement(\"p\""],
    );
    check(Some(r#""jsx": "react-jsx""#), "", &["react jsx"]);
    check(Some(r#""jsx": "react-jsxdev""#), "", &["react dev"]);
    check(
        Some(r#""jsx": "react-jsx", "jsxImportSource": "preact""#),
        "",
        &["preact jsx"],
    );
    check(
        Some(r#""jsx": "preserve", "jsxImportSource": "preact""#),
        "",
        &["preact jsx"],
    );
    check(
        Some(r#""jsx": "react", "jsxFactory": "h", "jsxFragmentFactory": "F""#),
        "",
        &["h(F", "h(\"p\""],
    );
}

#[test]
fn wrangler_names_the_factories_unless_tsconfig_does() {
    let fields = r#""jsx_factory": "h", "jsx_fragment": "Fragment""#;
    check(None, fields, &["h(Fragment", "h(\"p\""]);
    check(Some(r#""jsx": "react-jsx""#), fields, &["react jsx"]);
    check(
        Some(r#""jsxFactory": "React.h""#),
        fields,
        &["React.h(\"p\"", "React.h(Fragment"],
    );
}

#[test]
fn a_tsconfig_may_extend_another_and_be_chosen() {
    let folder = Folder::new(&[
        (
            "wrangler.jsonc",
            &config(r#""tsconfig": "config/tsconfig.worker.json""#),
        ),
        (
            "config/base.json",
            r#"{ "compilerOptions": { "jsx": "react", "jsxFactory": "h" } }"#,
        ),
        (
            "config/tsconfig.worker.json",
            r#"{ "extends": "./base.json" }"#,
        ),
        (
            "src/index.ts",
            "import { page } from './page'; export default { page };",
        ),
        ("src/page.jsx", "export const page = () => <p/>;"),
    ]);
    assert_contains(code(&folder.bundle()), &["h(\"p\""]);
}

#[test]
fn plain_javascript_may_hold_jsx() {
    let folder = Folder::worker(&[
        (
            "src/index.ts",
            "import { page } from './page'; export default { page };",
        ),
        ("src/page.js", "export const page = () => <p/>;"),
    ]);
    assert_contains(code(&folder.bundle()), &["React.createElement(\"p\""]);
}
